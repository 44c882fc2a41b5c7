"""Ragged against lists of lists."""

from __future__ import annotations

import hashlib
import pickle
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mrl.errors import ColumnError, RowError
from mrl.ragged import Ragged, Text, row_numbers

LISTS = st.lists(st.lists(st.integers(0, 255), max_size=5), max_size=8)
DTYPES = st.sampled_from(["u1", "i2", "i8", "f4", "f8", ">i4"]).map(np.dtype)


def lists(ragged: Ragged) -> list[list[float]]:
    return [row.tolist() for row in ragged]


@st.composite
def cut(draw: st.DrawFn) -> tuple[list[list[int]], Ragged]:
    """Rows as lists and as a slice out of the middle of a longer Ragged, so that offsets start above 0."""
    rows = draw(LISTS)
    before, after = draw(LISTS), draw(LISTS)
    whole = Ragged.from_rows(before + rows + after, draw(DTYPES))
    return rows, whole[len(before) : len(before) + len(rows)]


@given(cut())
def test_it_is_a_sequence_of_its_rows(pair: tuple[list[list[int]], Ragged]) -> None:
    rows, ragged = pair
    assert len(ragged) == len(rows)
    assert lists(ragged) == ragged.tolist() == rows
    assert [ragged[i].tolist() for i in range(-len(rows), len(rows))] == rows + rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert ragged.lengths.dtype == ragged.offsets.dtype == np.int64
    assert ragged.flat.tolist() == list(chain.from_iterable(rows))


@given(cut(), st.slices(8))
def test_slices_are_those_of_lists_and_share_memory(pair: tuple[list[list[int]], Ragged], index: slice) -> None:
    rows, ragged = pair
    part = ragged[index]
    assert lists(part) == rows[index]
    assert part.values.dtype == ragged.values.dtype
    if index.indices(len(rows))[2] == 1 and len(ragged.values):
        assert np.shares_memory(part.values, ragged.values)


@given(cut(), st.data())
def test_take_is_a_list_of_chosen_rows(pair: tuple[list[list[int]], Ragged], data: st.DataObject) -> None:
    rows, ragged = pair
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1)) if rows else st.just([]))
    taken = ragged.take(np.array(chosen, np.int32))
    assert lists(taken) == [rows[i] for i in chosen] == lists(ragged[chosen])
    assert not np.shares_memory(taken.values, ragged.values)
    mask = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    assert lists(ragged[np.array(mask, bool)]) == [row for row, keep in zip(rows, mask, strict=True) if keep]


def test_take_of_long_runs_and_of_more_values_than_one_block() -> None:
    rng = np.random.default_rng(0)
    ragged = Ragged.from_rows([rng.integers(0, 99, k) for k in rng.integers(0, 3000, 1500)], "int32")
    for chosen in (rng.permutation(1500), np.r_[400:900, 100:700], np.arange(1500)):
        taken = ragged.take(chosen)
        assert all(np.array_equal(taken[k], ragged[i]) for k, i in enumerate(chosen.tolist()))


@given(cut(), st.integers(0, 3), st.integers(0, 255))
def test_to_padded_pads_on_the_right(pair: tuple[list[list[int]], Ragged], extra: int, pad: int) -> None:
    rows, ragged = pair
    longest = max(map(len, rows), default=0)
    for width in (None, longest + extra):
        out = ragged.to_padded(pad, dtype=np.float64, width=width)
        columns = longest if width is None else width
        assert out.shape == (len(rows), columns)
        assert out.tolist() == [row + [pad] * (columns - len(row)) for row in rows]
        assert not np.shares_memory(out, ragged.values)
        assert out.flags.writeable


def test_to_padded_by_example() -> None:
    out = Ragged.from_rows([[5, 6, 7], [], [8]], "uint8").to_padded(2)
    assert out.dtype == np.int64
    assert out.tolist() == [[5, 6, 7], [2, 2, 2], [8, 2, 2]]
    assert Ragged([], [0]).to_padded(2, width=4, dtype=float).shape == (0, 4)
    assert Ragged.from_rows([], "uint8").to_padded(2).shape == (0, 0)


def test_to_padded_rejects_values_that_do_not_fit() -> None:
    ids = Ragged.from_rows([[1], [2, 300, 4]], "uint16")
    with pytest.raises(RowError, match=r"row 1 has 3 values, more than width=2: give a width of 3 or more") as caught:
        ids.to_padded(0, width=2)
    assert caught.value.row == 1
    with pytest.raises(RowError, match=r"row 1 of values has 300, but uint8 holds integers from 0 to 255"):
        ids.to_padded(0, dtype="uint8")
    with pytest.raises(RowError, match=r"pad has -100, but uint16 holds integers from 0 to 65535"):
        ids.to_padded(-100, dtype="uint16")
    with pytest.raises(ColumnError, match=r"values are float64, which int64 cannot hold"):
        Ragged([0.5], [0, 1]).to_padded(0)


@given(cut())
def test_pickles_and_digests_of_equal_contents_are_equal(pair: tuple[list[list[int]], Ragged]) -> None:
    rows, ragged = pair
    fresh = Ragged.from_rows(rows, ragged.values.dtype)
    again = pickle.loads(pickle.dumps(ragged))
    assert ragged == fresh == again
    assert ragged.digest == fresh.digest == again.digest
    assert hash(ragged) == hash(fresh)
    other = Ragged.from_rows([*rows, [1]], ragged.values.dtype)
    assert ragged != other
    assert ragged.digest != other.digest


def test_digest_tells_apart_rows_dtypes_and_kinds() -> None:
    some = [
        Ragged.from_rows([[1, 2], [3]], "uint8"),
        Ragged.from_rows([[1], [2, 3]], "uint8"),
        Ragged.from_rows([[1, 2, 3]], "uint8"),
        Ragged.from_rows([[1, 2], [3]], "int8"),
        Text(np.array([1, 2, 3], np.uint8), [0, 2, 3]),
    ]
    assert len({ragged.digest for ragged in some}) == len(some) == len(set(some))
    assert some[0] != [[1, 2], [3]]
    plain = hashlib.sha256(b"Ragged |u1 2\n" + np.array([2, 1], "<i8").tobytes() + bytes([1, 2, 3])).hexdigest()
    assert some[0].digest == plain


def test_nan_equals_itself() -> None:
    assert Ragged([np.nan], [0, 1]) == Ragged([np.nan], [0, 1])


def test_a_slice_pickles_only_what_it_addresses() -> None:
    whole = Ragged(np.zeros(10**6, np.uint8), np.arange(0, 10**6 + 1, 10))
    assert len(pickle.dumps(whole[500:510])) < 1000


def test_arrays_are_shared_and_read_only_and_the_callers_stay_as_they_were() -> None:
    values, offsets = np.arange(4), np.array([0, 1, 4])
    ragged = Ragged(values, offsets)
    assert np.shares_memory(ragged.values, values)
    assert np.shares_memory(ragged.offsets, offsets)
    assert values.flags.writeable
    assert offsets.flags.writeable
    for array in (ragged.values, ragged.offsets, ragged[0], ragged.flat):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError):
        ragged.values = values  # type: ignore[misc]


def test_values_are_native_and_contiguous() -> None:
    ragged = Ragged(np.arange(10, dtype=">i4")[::2], np.array([0, 2, 5], np.uint16))
    assert ragged.values.dtype == np.dtype("=i4")
    assert ragged.values.flags.c_contiguous
    assert lists(ragged) == [[0, 2], [4, 6, 8]]


def test_values_may_be_memory_mapped(tmp_path: Path) -> None:
    np.arange(6, dtype=np.uint16).tofile(tmp_path / "values")
    mapped = np.memmap(tmp_path / "values", np.uint16, mode="r")
    ragged = Ragged(mapped, [0, 3, 6])
    assert np.shares_memory(ragged.values, mapped)
    assert lists(pickle.loads(pickle.dumps(ragged))) == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("values", "offsets", "message"),
    [
        ([1, 2], [0, 3], r"offsets\[1\] is 3, but there are only 2 values"),
        ([1, 2], [0, 1, 5, 7], r"offsets\[2\] is 5, but there are only 2 values"),
        ([1, 2], [3, 3], r"offsets\[0\] is 3, but there are only 2 values"),
        ([1, 2], [0, 2, 1], r"offsets fall from 2 to 1 at row 1"),
        ([1, 2], [-1, 2], r"offsets\[0\] is -1, expected 0 or more"),
        ([1, 2], [], r"no rows are written as \[0\]"),
        ([1, 2], [0.0, 2.0], r"offsets are float64 of shape \(2,\)"),
        ([1, 2], [[0, 2]], r"offsets are int64 of shape \(1, 2\)"),
        ([1, 2], np.array([0, 2**63 + 1], np.uint64), r"offsets fall from 0 to -\d+ at row 0"),
        ([[1, 2]], [0, 1], r"values have shape \(1, 2\)"),
        (["C", "N"], [0, 1], r"values are of dtype <U1, expected numbers \(Text.of takes strings\)"),
    ],
)
def test_arrays_that_do_not_fit_are_rejected(values: Any, offsets: Any, message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        Ragged(values, offsets)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (3, r"row 3 of 3 rows: use 0 to 2"),
        (-4, r"row -4 of 3 rows"),
        ([0, -1], r"rows\[1\] is -1, expected 0 to 2 \(3 rows\)"),
        ([0, 3], r"rows\[1\] is 3"),
        ([0.5], r"rows are float64"),
        ([[0]], r"rows are int64 of shape \(1, 1\)"),
        ([True], r"the mask has 1 entries for 3 rows"),
        ("a", r"rows are <U1"),
    ],
)
def test_rows_that_do_not_exist_are_rejected(index: Any, message: str) -> None:
    with pytest.raises(IndexError, match=message):
        Ragged([1], [0, 1, 1, 1])[index]


def test_row_numbers_of_every_library() -> None:
    for rows in ([2, 0], (2, 0), np.array([2, 0], np.uint8), torch.tensor([2, 0]), [True, False, True]):
        assert sorted(row_numbers(rows, 3).tolist()) == [0, 2]
        assert row_numbers(rows, 3).dtype == np.int64
    assert row_numbers([], 3).tolist() == []
    with pytest.raises(IndexError, match=r"rows\[0\] is 9223372036854775808, expected 0 to 2"):
        row_numbers(np.array([2**63], np.uint64), 3)


def test_from_rows_takes_arrays_lists_and_generators() -> None:
    expected = Ragged([1, 2, 3], [0, 2, 2, 3])
    for rows in ([[1, 2], [], [3]], [np.array([1, 2]), np.zeros(0, int), np.array([3])], ([1, 2], (), np.array([3]))):
        assert Ragged.from_rows(rows, "int64") == expected
        assert Ragged.from_rows(iter(rows), "int64") == expected
    assert Ragged.from_rows([[0.1]], "float32").values.tolist() == [np.float32(0.1)]


@pytest.mark.parametrize(
    ("rows", "dtype", "kind", "message"),
    [
        ([[1], [2, 256]], "uint8", RowError, r"row 1 of values has 256, but uint8 holds integers from 0 to 255"),
        ([[], [-1]], "uint16", RowError, r"row 1 of values has -1"),
        ([[2**24], [-(2**24) - 1]], "float32", RowError, r"row 1 of values has -16777217, but float32 holds integers"),
        ([[1.5]], "int64", ColumnError, r"values are float64, which int64 cannot hold"),
        (["CC"], "uint8", ColumnError, r"values are 1-D <U1, expected rows of numbers"),
        ([[[1, 2]], [[3, 4]]], "uint8", ColumnError, r"values are 2-D int64"),
        ([[1], 2], "uint8", RowError, r"row 1 is 2, expected a sequence of numbers"),
    ],
)
def test_from_rows_rejects_values_that_the_dtype_cannot_hold(
    rows: Any, dtype: str, kind: type[ValueError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        Ragged.from_rows(rows, dtype)


@given(st.lists(cut(), min_size=1, max_size=4))
def test_concat_is_the_sum_of_lists(pairs: list[tuple[list[list[int]], Ragged]]) -> None:
    integers = [(rows, ragged) for rows, ragged in pairs if ragged.values.dtype.kind in "ui"]
    if integers:
        joined = Ragged.concat(ragged for _, ragged in integers)
        assert lists(joined) == list(chain.from_iterable(rows for rows, _ in integers))
        assert joined.values.dtype == np.result_type(*(ragged.values.dtype for _, ragged in integers))


def test_concat_rejects_other_kinds_and_dtypes_without_a_common_one() -> None:
    ids = Ragged([1], [0, 1])
    with pytest.raises(ColumnError, match=r"cannot concatenate Ragged and Text"):
        Ragged.concat([ids, Text.of(["C"])])
    with pytest.raises(ColumnError, match=r"cannot concatenate nothing"):
        Ragged.concat([])
    with pytest.raises(ColumnError, match=r"cannot concatenate Ragged to a Text"):
        Text.concat([ids])
    with pytest.raises(ColumnError, match=r"no single integer dtype holds int64, uint64"):
        Ragged.concat([ids, Ragged(np.ones(1, np.uint64), [0, 1])])


def test_repr() -> None:
    assert repr(Ragged([1], [0, 1])) == "Ragged(1 row, 1 value, int64)"
    assert repr(Ragged(np.zeros(5000, "u1"), [0, 2000, 5000])) == "Ragged(2 rows, 5,000 values, uint8)"
