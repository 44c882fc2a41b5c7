"""The random order of every shuffle: a bijection, against chance, and against literal numbers."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mrl.data.order.randomness import SMALL, shuffled_positions


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.text(max_size=9))
@example(1, "")
@example(SMALL, "")
@example(SMALL + 1, "")
@example(4096, "")
@example(4097, "")
def test_shuffled_positions_are_a_bijection_and_any_part_is_computed_alone(n: int, key: str) -> None:
    whole = shuffled_positions(np.arange(n), n, key)
    assert whole.dtype == np.int64
    assert np.array_equal(np.sort(whole), np.arange(n))
    some = np.arange(0, n, 7)[::-1]
    assert np.array_equal(shuffled_positions(some, n, key), whole[some])
    assert shuffled_positions([], n, key).shape == (0,)


def chi_square(counts: np.ndarray[Any, Any], expected: np.ndarray[Any, Any] | float) -> float:
    """Return how far counts are from their expectation, in standard deviations of a chi-square."""
    degrees = counts.size - 1
    return float((((counts - expected) ** 2 / expected).sum() - degrees) / np.sqrt(2 * degrees))


@pytest.mark.parametrize(("n", "times"), [(3, 2400), (4, 4800), (5, 12000)])
def test_every_order_of_a_few_rows_is_equally_likely(n: int, times: int) -> None:
    counts = Counter(tuple(shuffled_positions(np.arange(n), n, f"rows {seed} 1").tolist()) for seed in range(times))
    every = list(permutations(range(n)))
    assert abs(chi_square(np.array([counts[order] for order in every]), times / len(every))) < 4


@pytest.mark.parametrize("n", [100, SMALL + 1, 2048, 5000])
def test_position_neighbour_and_epoch_show_no_bias(n: int) -> None:
    bins, times = 16, 60
    place, neighbour, epochs = (np.zeros((bins, bins)) for _ in range(3))
    coarse, fixed, rising = np.arange(n) * bins // n, 0, 0
    before = shuffled_positions(np.arange(n), n, "rows 0 0") * bins // n
    for epoch in range(1, times + 1):
        order = shuffled_positions(np.arange(n), n, f"rows 0 {epoch}")
        now = order * bins // n
        np.add.at(place, (coarse, now), 1)
        np.add.at(neighbour, (now[:-1], now[1:]), 1)
        np.add.at(epochs, (before, now), 1)
        fixed += int((order == np.arange(n)).sum())
        rising += int((np.diff(order) > 0).sum())
        before = now
    for table in (place, neighbour, epochs):
        expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
        assert chi_square(table, expected) < 5
    assert abs(fixed - times) < 5 * np.sqrt(times)  # one on average
    assert abs(rising / times / (n - 1) - 0.5) < 5 * 0.3 / np.sqrt(n * times)


def test_golden_positions() -> None:
    assert shuffled_positions([0, 1, 10**9 - 1], 10**9, "rows 0 0").tolist() == [579057540, 841859390, 789866755]
