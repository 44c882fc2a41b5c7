"""Rows of several files: machine code, NumPy and a loop over the rows agree."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.kernels import copy_spans, locate
from mrl.kernels.gather import copy_kernel, locate_kernel

pytestmark = pytest.mark.usefixtures("way")


@st.composite
def files(draw: Any) -> tuple[list[list[int]], list[int]]:
    lengths = draw(st.lists(st.lists(st.integers(0, 5), max_size=6), min_size=1, max_size=5))
    n = sum(map(len, lengths))
    return lengths, draw(st.lists(st.integers(0, n - 1), max_size=20)) if n else []


@settings(deadline=None)
@given(files())
def test_rows_are_found_and_copied(case: tuple[list[list[int]], list[int]]) -> None:
    lengths, chosen = case
    rows = np.array(chosen, np.int64)
    starts = np.cumsum([0, *map(len, lengths)])
    offsets = [np.cumsum([0, *each]) for each in lengths]
    memory, values = np.concatenate(offsets), np.arange(200).astype(np.uint8)
    offsets_at = np.cumsum([0, *(len(each) for each in offsets[:-1])])
    sizes = np.array([each[-1] for each in offsets])
    values_at = np.cumsum([0, *sizes[:-1]])
    expected = []
    for row in chosen:
        k = int(np.searchsorted(starts, row, side="right")) - 1
        begin, end = offsets[k][row - starts[k] : row - starts[k] + 2] + values_at[k]
        expected.append(values[begin:end].tolist())
    arguments = rows, starts, offsets_at, values_at, sizes, memory
    spans = locate(*arguments)
    spans2 = np.empty_like(spans)
    with np.errstate(over="ignore"):
        assert locate_kernel(*arguments, spans2) == -1
    assert spans.tolist() == spans2.tolist()
    copied, ends = copy_spans(values, spans)
    assert [copied[a:b].tolist() for a, b in pairwise(ends)] == expected
    copied2 = np.empty_like(copied)
    with np.errstate(over="ignore"):
        copy_kernel(values, spans, ends, copied2)
    assert copied.tolist() == copied2.tolist()


@pytest.mark.parametrize("memory", [[0, 9], [-1, 2], [3, 1], [0, 1 << 62]])
def test_offsets_that_lead_outside_are_an_error(memory: list[int]) -> None:
    zero, spans = np.zeros(1, np.int64), np.zeros(2, np.int64)
    with pytest.raises(ValueError, match=r"^0: its offsets are not in order, or lie outside of its file"):
        locate(zero, np.array([0, 1]), zero, zero, np.array([4]), np.array(memory))
    with np.errstate(over="ignore"):
        assert locate_kernel(zero, np.array([0, 1]), zero, zero, np.array([4]), np.array(memory), spans) == 0
