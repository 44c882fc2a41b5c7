"""Padding: machine code, NumPy and an obvious loop agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mrl.kernels import max_length, pad
from mrl.kernels.pad import max_length_kernel, pad_kernel

DTYPES = ["u1", "u2", "u4", "i8"]
IDS = st.lists(st.lists(st.integers(0, 255), max_size=7), max_size=9)


pytestmark = pytest.mark.usefixtures("way")


def flat(rows: list[list[int]], dtype: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    values = np.array([value for row in rows for value in row], dtype)
    offsets = np.cumsum([0, *map(len, rows)])
    values.flags.writeable = offsets.flags.writeable = False  # as those of a Ragged
    return values, offsets


def padded_by_hand(rows: list[list[int]], pad_value: int, width: int, left: bool) -> list[list[int]]:
    made = []
    for row in rows:
        rest = [pad_value] * (width - len(row))
        made.append([*rest, *row] if left else [*row, *rest])
    return made


def next_by_hand(rows: list[list[int]], pad_value: int, width: int, left: bool) -> list[list[int]]:
    return padded_by_hand([[*row[1:], pad_value][: len(row)] for row in rows], pad_value, width, left)


@settings(deadline=None, max_examples=100)
@given(IDS, st.sampled_from(DTYPES), st.booleans(), st.booleans(), st.integers(0, 3), st.data())
def test_pad_is_the_obvious_loop(
    ids: list[list[int]], dtype: str, left: bool, with_next: bool, extra: int, data: st.DataObject
) -> None:
    values, offsets = flat(ids, dtype)
    chosen = data.draw(st.lists(st.integers(0, len(ids) - 1), max_size=9) if ids else st.just([]))
    rows, selected = np.array(chosen, np.int64), [ids[i] for i in chosen]
    longest = max(map(len, selected), default=0)
    assert max_length(offsets, rows) == longest
    width = longest + extra
    x, y = pad(values, offsets, rows, 2, width, left=left, with_next=with_next)
    assert x.dtype == y.dtype == np.int64
    assert x.shape == (len(rows), width)
    assert x.flags.c_contiguous
    assert x.tolist() == padded_by_hand(selected, 2, width, left)
    assert y.tolist() == (next_by_hand(selected, 2, width, left) if with_next else [])
    assert y.shape == (x.shape if with_next else (0, 0))
    assert not np.shares_memory(x, values)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_pad_literally(dtype: str) -> None:
    values, offsets = flat([[0, 5, 1], [], [7]], dtype)
    rows = np.array([2, 1, 0, 0])
    x, y = pad(values, offsets, rows, 9, 4, left=False, with_next=True)
    assert x.tolist() == [[7, 9, 9, 9], [9, 9, 9, 9], [0, 5, 1, 9], [0, 5, 1, 9]]
    assert y.tolist() == [[9, 9, 9, 9], [9, 9, 9, 9], [5, 1, 9, 9], [5, 1, 9, 9]]
    x, y = pad(values, offsets, rows, 9, 4, left=True, with_next=True)
    assert x.tolist() == [[9, 9, 9, 7], [9, 9, 9, 9], [9, 0, 5, 1], [9, 0, 5, 1]]
    assert y.tolist() == [[9, 9, 9, 9], [9, 9, 9, 9], [9, 5, 1, 9], [9, 5, 1, 9]]


def test_negative_numbers_are_kept() -> None:
    values, offsets = flat([[-100, 4], [-1]], "i8")
    x, y = pad(values, offsets, np.array([1, 0]), -7, 2, left=False, with_next=True)
    assert (x.tolist(), y.tolist()) == ([[-1, -7], [-100, 4]], [[-7, -7], [4, -7]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("left", [False, True])
def test_no_rows_and_empty_rows(dtype: str, left: bool) -> None:
    cases: list[tuple[list[list[int]], list[int], tuple[int, int]]] = [
        ([], [], (0, 0)),
        ([[4]], [], (0, 3)),
        ([[], []], [1, 0], (2, 0)),
        ([[]], [0], (1, 2)),
    ]
    for ids, rows, shape in cases:
        values, offsets = flat(ids, dtype)
        x, y = pad(values, offsets, np.array(rows, np.int64), 2, shape[1], left=left, with_next=True)
        assert x.shape == y.shape == shape
        assert (x == 2).all()
        assert (y == 2).all()


def test_offsets_need_not_begin_at_zero() -> None:
    values, offsets = np.arange(10, dtype="u1"), np.array([4, 6, 9])
    x, _ = pad(values, offsets, np.array([1, 0]), 2, max_length(offsets, np.array([1, 0])), left=False, with_next=False)
    assert x.tolist() == [[6, 7, 8], [4, 5, 2]]


@pytest.mark.parametrize(
    ("n", "rows", "words"),
    [
        (2, [0, 2], r"rows\[1\] is 2, expected 0 to 1 \(2 rows\)"),
        (2, [-1, 5], r"rows\[0\] is -1, expected 0 to 1"),
        (2, [1, 0, -(2**62)], r"rows\[2\] is -46"),
        (2, [2**62], r"rows\[0\] is 46"),
        (0, [0], r"rows\[0\] is 0, expected 0 to -1 \(0 rows\)"),
    ],
)
def test_rows_that_do_not_exist(n: int, rows: list[int], words: str) -> None:
    with pytest.raises(IndexError, match=words):
        max_length(np.arange(n + 1), np.array(rows))


def test_the_kernels_are_python_too() -> None:
    """Run in the interpreter, they compute the same."""
    values, offsets = flat([[0, 5, 1], [], [7]], "u1")
    rows = np.array([2, 1, 0])
    x, y = np.empty((3, 4), np.int64), np.empty((3, 4), np.int64)
    kernel: Callable[..., int] = pad_kernel
    kernel(values, offsets, rows, np.arange(3), 2, True, True, x, y)
    assert x.tolist() == [[2, 2, 2, 7], [2, 2, 2, 2], [2, 0, 5, 1]]
    assert y.tolist() == [[2, 2, 2, 2], [2, 2, 2, 2], [2, 5, 1, 2]]
    assert max_length_kernel(offsets, rows) == 3
    assert max_length_kernel(offsets, np.array([0, 3])) == -2
