"""Padding: machine code, NumPy and an obvious loop agree. Shuffling: machine code, NumPy and literal numbers agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mrl import kernels
from mrl.kernels import _jit, gather, shuffle

DTYPES = ["u1", "u2", "u4", "i8"]
IDS = st.lists(st.lists(st.integers(0, 255), max_size=7), max_size=9)


@pytest.fixture(params=["NumPy", *(["compiled"] if kernels.available() else [])], autouse=True, scope="module")
def way(request: pytest.FixtureRequest) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        compiled = request.param == "compiled"
        patch.setattr(_jit, "_SMALL_ROWS", 0 if compiled else 1 << 60)
        patch.setattr(_jit, "_SMALL_VALUES", 1 << 60)
        if not compiled:
            patch.setattr(_jit, "_loaded", {})
        yield request.param
        assert bool(_jit._loaded) == compiled


def flat(rows: list[list[int]], dtype: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    values = np.array([value for row in rows for value in row], dtype)
    offsets = np.cumsum([0, *map(len, rows)])
    values.flags.writeable = offsets.flags.writeable = False  # as those of a Ragged
    return values, offsets


def by_hand(rows: list[list[int]], fill_with: int, width: int, left: bool) -> list[list[int]]:
    made = []
    for row in rows:
        rest = [fill_with] * (width - len(row))
        made.append([*rest, *row] if left else [*row, *rest])
    return made


def following(rows: list[list[int]], fill_with: int, width: int, left: bool) -> list[list[int]]:
    return by_hand([[*row[1:], fill_with][: len(row)] for row in rows], fill_with, width, left)


@settings(deadline=None, max_examples=100)
@given(IDS, st.sampled_from(DTYPES), st.booleans(), st.booleans(), st.integers(0, 3), st.data())
def test_pad_is_the_obvious_loop(
    ids: list[list[int]], dtype: str, left: bool, shifted: bool, extra: int, data: st.DataObject
) -> None:
    values, offsets = flat(ids, dtype)
    chosen = data.draw(st.lists(st.integers(0, len(ids) - 1), max_size=9) if ids else st.just([]))
    rows, picked = np.array(chosen, np.int64), [ids[i] for i in chosen]
    longest = max(map(len, picked), default=0)
    assert gather.width_of(offsets, rows) == longest
    width = longest + extra
    x, y = gather.pad(values, offsets, rows, 2, width, left=left, shifted=shifted)
    assert (x.dtype, x.shape, x.flags.c_contiguous, y.dtype) == (np.int64, (len(rows), width), True, np.int64)
    assert x.tolist() == by_hand(picked, 2, width, left)
    assert y.tolist() == (following(picked, 2, width, left) if shifted else [])
    assert y.shape == (x.shape if shifted else (0, 0))
    assert not np.shares_memory(x, values)
    assert not np.shares_memory(x, y)


@pytest.mark.parametrize("dtype", DTYPES)
def test_pad_written_out(dtype: str) -> None:
    values, offsets = flat([[0, 5, 1], [], [7]], dtype)
    rows = np.array([2, 1, 0, 0])
    x, y = gather.pad(values, offsets, rows, 9, 4, left=False, shifted=True)
    assert x.tolist() == [[7, 9, 9, 9], [9, 9, 9, 9], [0, 5, 1, 9], [0, 5, 1, 9]]
    assert y.tolist() == [[9, 9, 9, 9], [9, 9, 9, 9], [5, 1, 9, 9], [5, 1, 9, 9]]
    x, y = gather.pad(values, offsets, rows, 9, 4, left=True, shifted=True)
    assert x.tolist() == [[9, 9, 9, 7], [9, 9, 9, 9], [9, 0, 5, 1], [9, 0, 5, 1]]
    assert y.tolist() == [[9, 9, 9, 9], [9, 9, 9, 9], [9, 5, 1, 9], [9, 5, 1, 9]]


def test_numbers_below_zero_stay() -> None:
    values, offsets = flat([[-100, 4], [-1]], "i8")
    x, y = gather.pad(values, offsets, np.array([1, 0]), -7, 2, left=False, shifted=True)
    assert (x.tolist(), y.tolist()) == ([[-1, -7], [-100, 4]], [[-7, -7], [4, -7]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("left", [False, True])
def test_no_rows_and_rows_of_nothing(dtype: str, left: bool) -> None:
    for ids, rows, shape in (([], [], (0, 0)), ([[4]], [], (0, 3)), ([[], []], [1, 0], (2, 0)), ([[]], [0], (1, 2))):
        values, offsets = flat(ids, dtype)
        x, y = gather.pad(values, offsets, np.array(rows, np.int64), 2, shape[1], left=left, shifted=True)
        assert x.shape == y.shape == shape
        assert (x == 2).all()
        assert (y == 2).all()


def test_offsets_need_not_begin_at_zero() -> None:
    values, offsets = np.arange(10, dtype="u1"), np.array([4, 6, 9])
    x, _ = gather.pad(
        values, offsets, np.array([1, 0]), 2, gather.width_of(offsets, np.array([1, 0])), left=False, shifted=False
    )
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
def test_rows_that_are_not_there(n: int, rows: list[int], words: str) -> None:
    with pytest.raises(IndexError, match=words):
        gather.width_of(np.arange(n + 1), np.array(rows))


# --- shuffle -------------------------------------------------------------------------------------------------------

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
def test_shuffled_golden_numbers(n: int) -> None:
    assert shuffle.shuffled(np.arange(min(n, 6)), n, KEYS).tolist() == GOLDEN[n]


def mixed(value: int, key: int) -> int:
    """SplitMix64's finalizer on Python's own integers."""
    value ^= key
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


def by_the_book(position: int, n: int, keys: list[int]) -> int:
    """A Feistel network walked until it is inside, one half after the other."""
    bits = (n - 1).bit_length()
    low = bits // 2
    while True:
        right, left = position % 2**low, position >> low
        for k, key in enumerate(keys):
            if k % 2:
                right ^= mixed(left, key) % 2**low
            else:
                left ^= mixed(right, key) % 2 ** (bits - low)
        position = left * 2**low + right
        if position < n:
            return position


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 2**63 - 1), st.lists(st.integers(0, 2**64 - 1), min_size=8, max_size=8), st.data())
def test_shuffled_is_a_feistel_network(n: int, keys: list[int], data: st.DataObject) -> None:
    positions = data.draw(st.lists(st.integers(0, n - 1), max_size=9))
    given = np.array(positions, np.int64)
    found = shuffle.shuffled(given, n, np.array(keys, np.uint64))
    assert found.dtype == np.int64
    assert found.tolist() == [by_the_book(position, n, keys) for position in positions]
    assert given.tolist() == positions


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 300), st.integers(0, 2**64 - 1))
def test_shuffled_gives_every_row_once(n: int, key: int) -> None:
    keys = np.arange(8, dtype=np.uint64) * np.uint64(3) + np.uint64(key >> 1)
    assert sorted(shuffle.shuffled(np.arange(n), n, keys).tolist()) == list(range(n))


def test_the_kernels_are_python_too() -> None:
    """Without their machine code they are still what they say, in the interpreter."""
    values, offsets = flat([[0, 5, 1], [], [7]], "u1")
    rows = np.array([2, 1, 0])
    x, y = np.empty((3, 4), np.int64), np.empty((3, 4), np.int64)
    fill: Callable[..., int] = gather.fill
    fill(values, offsets, rows, 2, True, True, x, y)
    assert x.tolist() == [[2, 2, 2, 7], [2, 2, 2, 2], [2, 0, 5, 1]]
    assert y.tolist() == [[2, 2, 2, 2], [2, 2, 2, 2], [2, 5, 1, 2]]
    assert gather.longest(offsets, rows) == 3
    assert gather.longest(offsets, np.array([0, 3])) == -2
