"""Columns, views of them, and row numbers: each is what NumPy's indexing of the same rows is."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl.data import BatchRequest, BlockShuffled, Bucketed, TextDataset
from mrl.data.columns import (
    RowIndex,
    Values,
    View,
    as_row_index,
    column_identity,
    index_digest,
    row_array,
    select,
    take_rows,
    values_of,
)
from mrl.errors import ColumnError
from mrl.ragged import Column, Text
from mrl.text import CharacterVocab


@st.composite
def row_indices(draw: st.DrawFn, n: int) -> RowIndex:
    """Some of n rows: a range in either direction, or an array."""
    if not n or draw(st.booleans()):
        return np.array(draw(st.lists(st.integers(0, n - 1), max_size=9)) if n else [], np.int64)
    rows = range(n)[draw(st.slices(n))]
    return rows if len(rows) else range(0)


# --- row numbers -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 12), st.data())
def test_rows_of_an_index_are_those_of_numpy(n: int, data: st.DataObject) -> None:
    index = data.draw(row_indices(n))
    rows = data.draw(row_indices(len(index)))
    found = take_rows(index, rows)
    assert row_array(found).tolist() == np.asarray(index)[np.asarray(rows, np.int64)].tolist()
    assert isinstance(found, range) == (isinstance(index, range) and isinstance(rows, range))
    assert take_rows(None, rows) is rows
    for row in range(len(index)):
        assert take_rows(index, row) == index[row]


@given(st.integers(0, 12), st.data())
def test_a_range_of_rows_stays_a_range(n: int, data: st.DataObject) -> None:
    rows = range(n)[data.draw(st.slices(n))]
    found = as_row_index(rows, n)
    assert row_array(found).tolist() == list(rows)
    assert found is rows or not rows
    mask = np.zeros(n, bool)
    mask[list(rows)] = True
    assert row_array(as_row_index(mask, n)).tolist() == sorted(rows)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (range(4), r"rows\[1\] is 3, expected 0 to 2"),
        (range(-1, 2), r"rows\[0\] is -1, expected 0 to 2"),
        (range(2, -2, -1), r"rows\[1\] is -1, expected 0 to 2"),
        ([3], r"rows\[0\] is 3"),
        ([True], "the mask has 1 entries for 3 rows"),
    ],
    ids=repr,
)
def test_rows_outside_raise(rows: Any, words: str) -> None:
    with pytest.raises(IndexError, match=words):
        as_row_index(rows, 3)


@given(st.integers(0, 12), st.data())
def test_equal_rows_have_equal_digests_in_any_form(n: int, data: st.DataObject) -> None:
    one, other = data.draw(row_indices(n)), data.draw(row_indices(n))
    assert index_digest(one) == index_digest(row_array(one))
    assert (index_digest(one) == index_digest(other)) == (list(one) == list(other))


# --- columns ---------------------------------------------------------------------------------------------------------


def test_columns_of_any_kind() -> None:
    assert isinstance(values_of(["a", "b"], "name"), Text)
    assert isinstance(values_of(pd.Series(["a", "b"]), "name"), Text)
    assert isinstance(values_of([1, 2], "name"), Values)
    assert values_of(["a", None], "name").take([1]).tolist() == [None]
    assert values_of((i for i in range(3)), "name").take([2]).tolist() == [2]
    assert len(values_of(np.zeros((3, 5)), "name")) == 3
    for column in (values_of([1.0, 2.0], "name"), values_of(["a"], "name"), View(Values(np.arange(3)), np.array([1]))):
        assert isinstance(column, Column)
        assert values_of(column, "name") is column
    with pytest.raises(ColumnError, match="column 'weight' is a single string, 'abc'"):
        values_of("abc", "weight")


COLUMNS: dict[str, Callable[[int], Any]] = {
    "numbers": lambda n: Values(np.arange(n) * 10),
    "matrix": lambda n: Values(np.arange(2 * n).reshape(n, 2)),
    "text": lambda n: Text.of([f"{i}≡" for i in range(n)]),
}


@pytest.mark.parametrize("kind", COLUMNS)
@given(n=st.integers(0, 9), data=st.data())
def test_a_view_is_what_numpy_makes_of_its_rows(kind: str, n: int, data: st.DataObject) -> None:
    column = COLUMNS[kind](n)
    view, expected = select(column, range(n)), np.array(column.tolist(), object)
    for _ in range(data.draw(st.integers(0, 2))):
        rows = data.draw(row_indices(len(view)))
        view, expected = select(view, rows), expected[np.asarray(rows, np.int64)]
    assert view.column is column  # a view of a view refers to the column itself
    assert len(view) == len(expected)
    assert view.tolist() == [np.asarray(value).tolist() for value in view] == expected.tolist()
    cut = data.draw(st.slices(len(view)))
    assert view[cut].tolist() == expected[cut].tolist()
    rows = data.draw(row_indices(len(view)))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(view), max_size=len(view))), bool)
    for chosen in (row_array(rows), list(rows), mask):
        assert (
            view.take(chosen).tolist() == expected[np.asarray(chosen, mask.dtype if chosen is mask else int)].tolist()
        )
        assert view[chosen].tolist() == view.take(chosen).tolist()
    for i in range(-len(view), len(view)):
        assert np.array_equal(view[i], expected[i])
    for i in (-len(view) - 1, len(view)):
        with pytest.raises(IndexError):
            _ = view[i]
    assert f"{len(view)} rows" in repr(view)


@pytest.mark.parametrize("rows", [range(2, 5), np.array([2, 3, 4])], ids=["range", "array"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_a_view_gives_no_row_that_it_does_not_have(kind: str, rows: RowIndex) -> None:
    view = select(COLUMNS[kind](9), rows)
    for outside in ([-1], [3], [0, 99]):
        for use in (view.take, view.__getitem__):
            with pytest.raises(IndexError, match="expected 0 to 2"):
                use(outside)
    with pytest.raises(IndexError, match="the mask has 9 entries for 3 rows"):
        view.take([True] * 9)
    for outside in ([-1], [9]):
        with pytest.raises(IndexError, match="expected 0 to 8"):
            view.column.take(outside)


def test_views_are_arrays_where_numbers_are_needed() -> None:
    assert np.asarray(View(Values(np.array([1, 2, 4])), np.array([2, 0]))).tolist() == [4, 1]
    assert np.asarray(View(Values(np.array([1, 2, 4])), range(2)), np.float32).dtype == np.float32


def test_digests_are_of_the_content() -> None:
    assert Values(np.array([1, 2])).digest == Values(np.array([0, 1, 2])[1:]).digest
    assert Values(np.array([1, 2])).digest != Values(np.array([1.0, 2.0])).digest
    assert Values(np.array([[1, 2]])).digest != Values(np.array([1, 2])).digest
    assert Values(np.array([1, 2, 4])).digest == View(Values(np.array([4, 2, 1])), np.array([2, 1, 0])).digest
    one, two = (Values(np.array(["a" * 2000, None], dtype=object)) for _ in range(2))
    assert one.digest == two.digest != Values(np.array(["b", None], dtype=object)).digest
    assert View(Text.of(["a", "bb"]), np.array([1, 0])).digest == Text.of(["bb", "a"]).digest


def test_the_digest_of_a_view_of_a_column_on_disk_reads_no_rows() -> None:
    column = Virtual()
    one = View(column, range(0, BILLION, 2))
    assert one.digest == View(Virtual(), range(0, BILLION, 2)).digest != View(column, range(1, BILLION, 2)).digest
    assert View(column, range(3)).digest == View(column, np.arange(3)).digest != column.digest
    assert column.taken == 0


def test_a_column_and_the_view_of_all_its_rows_are_identified_alike() -> None:
    column = Values(np.arange(5))
    assert column_identity(column) == column_identity(select(column, range(5)))
    assert column_identity(column) == column_identity(select(column, np.arange(5)))
    assert column_identity(column) != column_identity(select(column, range(4, -1, -1)))


# --- more rows than memory -------------------------------------------------------------------------------------------

BILLION = 10**9


class Virtual:
    """A column of 10^9 texts, computed when they are taken."""

    digest = "virtual"

    def __init__(self) -> None:
        self.taken = 0

    def __len__(self) -> int:
        return BILLION

    def __getitem__(self, i: int) -> str:
        return str(self.take([i])[0])

    def take(self, rows: Any) -> Text:
        self.taken += len(rows)
        return Text.of([str(row) for row in np.asarray(rows).tolist()])


class Lengths(Virtual):
    """The number of ids of each of these texts."""

    def take(self, rows: Any) -> Any:
        return np.char.str_len(np.asarray(rows).astype(str)) + 2


@contextmanager
def memory_below(limit: int) -> Iterator[None]:
    """Fail if Python objects and arrays take more than `limit` bytes at any time."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def rows_of(batch: Any) -> list[int]:
    return [int(text) for text in DIGITS.decode(batch[0])]


DIGITS = CharacterVocab("0123456789")


def test_rows_of_a_billion_that_are_a_range_take_no_memory_each() -> None:
    column = Virtual()
    TextDataset(["1"], DIGITS).batch()  # loads what a batch needs
    with memory_below(4 << 20):
        ds = TextDataset(column, DIGITS)
        view = ds.view(range(BILLION - 1, -1, -1)).view(range(10, BILLION, 2))
        assert (len(ds), len(view)) == (BILLION, BILLION // 2 - 5)
        assert rows_of(view.batch([0, 1, len(view) - 1])) == [BILLION - 11, BILLION - 13, 1]
        assert DIGITS.decode([view[-1]]) == ["1"] == [view.smiles[-1]]
        assert rows_of(view.batch(BatchRequest(7, np.array([0])))) == [BILLION - 11]
        assert rows_of(view.split_on_idxs(range(5), range(5, 7))[1].batch()) == [BILLION - 21, BILLION - 23]
        assert view.fingerprint() != ds.fingerprint()
    assert column.taken < 20


@pytest.mark.parametrize(
    "options",
    [
        lambda n: {},
        lambda n: {"shuffle": True, "seed": 3},
        lambda n: {"order": Bucketed(select(Lengths(), range(1, BILLION, 2)), 64, seed=3)},
        lambda n: {"order": BlockShuffled(n, 64, block=128)},
    ],
    ids=["sequential", "shuffled", "bucketed", "blocks"],
)
def test_a_loader_over_a_view_of_a_billion_rows_takes_no_memory_each(options: Any) -> None:
    TextDataset(["1"], DIGITS).batch()
    view = TextDataset(Virtual(), DIGITS).view(range(1, BILLION, 2))
    for at in (0, 5_000_000):
        with memory_below(16 << 20):
            loader = view.dataloader(64, **options(len(view)))
            loader.load_state_dict(loader.state_dict() | {"batches": at})
            batches = iter(loader)
            found = [rows_of(next(batches)) for _ in range(3)]
        assert found == [(1 + 2 * loader.order.batch(0, at + k)).tolist() for k in range(3)]
        assert loader.state_dict()["batches"] == at + 3
