"""Shuffling: machine code, NumPy and literal numbers agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.kernels import SHUFFLE_KEYS, shuffle_positions, splitmix64

pytestmark = pytest.mark.usefixtures("way")

KEYS = np.array([k * 0x9E3779B97F4A7C15 % 2**64 for k in range(1, 9)], np.uint64)

GOLDEN: dict[int, list[int]] = {
    2: [0, 1],
    3: [2, 0, 1],
    10: [3, 5, 2, 0, 6, 7],
    1000: [273, 912, 950, 545, 88, 393],
    1000000000: [532045758, 477987654, 384435749, 851420195, 732511348, 736852989],
    4611686018427387905: [
        2907201745202835738,
        1012628971831711241,
        1614925231192477955,
        4419168618156033114,
        3415230365981426265,
        2308790014825458210,
    ],
}


@pytest.mark.parametrize("n", [2, 3, 10, 1000, 10**9, 2**62 + 1])
def test_golden_numbers(n: int) -> None:
    assert shuffle_positions(np.arange(min(n, 6)), n, KEYS).tolist() == GOLDEN[n]


def splitmix64_by_hand(value: int) -> int:
    """SplitMix64's finalizer on Python's own integers."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


@given(st.lists(st.integers(0, 2**64 - 1), max_size=9))
def test_splitmix64_is_that_of_whole_numbers(states: list[int]) -> None:
    assert splitmix64(np.array(states, np.uint64)).tolist() == [splitmix64_by_hand(state) for state in states]


def feistel_by_hand(position: int, n: int, keys: list[int]) -> int:
    """Repeat a Feistel network until the position is below n, one half after the other."""
    bits = (n - 1).bit_length()
    low = bits // 2
    while True:
        right, left = position % 2**low, position >> low
        for k, key in enumerate(keys):
            if k % 2:
                right ^= splitmix64_by_hand(left ^ key) % 2**low
            else:
                left ^= splitmix64_by_hand(right ^ key) % 2 ** (bits - low)
        position = left * 2**low + right
        if position < n:
            return position


@settings(deadline=None, max_examples=100)
@given(
    st.integers(2, 2**63 - 1),
    st.lists(st.integers(0, 2**64 - 1), min_size=SHUFFLE_KEYS, max_size=SHUFFLE_KEYS),
    st.data(),
)
def test_it_is_a_feistel_network(n: int, keys: list[int], data: st.DataObject) -> None:
    positions = data.draw(st.lists(st.integers(0, n - 1), max_size=9))
    given = np.array(positions, np.int64)
    found = shuffle_positions(given, n, np.array(keys, np.uint64))
    assert found.dtype == np.int64
    assert found.tolist() == [feistel_by_hand(position, n, keys) for position in positions]
    assert given.tolist() == positions


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 300), st.integers(0, 2**64 - 1))
def test_every_row_comes_once(n: int, key: int) -> None:
    keys = np.arange(8, dtype=np.uint64) * np.uint64(3) + np.uint64(key >> 1)
    assert sorted(shuffle_positions(np.arange(n), n, keys).tolist()) == list(range(n))
