"""Columns of any library: text becomes Text, everything else an array, and a column stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from mrl.errors import ColumnError
from mrl.ragged import Column, Ragged, Text, as_array, as_column, as_list, as_text, is_column, is_missing

nan = float("nan")

MAKERS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "dict values": lambda values: dict(enumerate(values)).values(),
    "numpy object": lambda values: np.array([*values, None], object)[:-1],
    "pandas": lambda values: pd.Series(values, index=[7] * len(values)),
    "pandas object": lambda values: pd.Series(values, dtype=object),
    "pandas index": pd.Index,
    "pandas extension array": pd.array,
    "polars": pl.Series,
    "arrow": pa.array,
    "arrow chunked": lambda values: pa.chunked_array([values[:1], values[1:]]),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_text_and_numbers_of_every_library(make: Callable[[list[Any]], Any]) -> None:
    text = as_column(make(["C", "N≡N", ""]))
    assert isinstance(text, Text)
    assert text.tolist() == ["C", "N≡N", ""]
    for numbers in ([1, 2, 3], [0.5, nan, 2.0], [True, False]):
        array = as_column(make(numbers))
        assert isinstance(array, np.ndarray)
        assert np.array_equal(np.asarray(array, float), np.array(numbers, float), equal_nan=True)
        assert as_list(make(numbers))[::2] == numbers[::2]
    for gaps in ([1, None, 3], ["C", None]):
        array = as_array(make(gaps))
        assert [is_missing(value) for value in array.tolist()] == [value is None for value in gaps]


def test_whole_numbers_beside_gaps_stay_exact() -> None:
    big = 2**60 + 1
    for column in (
        [big, None],
        pa.array([big, None]),
        pd.array([big, None], dtype="Int64"),
        np.ma.array([big, 1], mask=[False, True]),
    ):
        assert as_array(column).tolist()[0] == big


@pytest.mark.parametrize(
    "matrix",
    [
        [[1.0, 2.0], [3.0, nan]],
        ((1.0, 2.0), (3.0, nan)),
        np.array([[1.0, 2.0], [3.0, nan]]),
        torch.tensor([[1.0, 2.0], [3.0, nan]], requires_grad=True),
        [torch.tensor([1.0, 2.0]), torch.tensor([3.0, nan])],
        pd.DataFrame([[1.0, 2.0], [3.0, nan]], index=[4, 4]),
        pl.DataFrame({"a": [1, 3], "b": [2.0, None]}),
        np.ma.masked_array([[1, 2], [3, 4]], mask=np.array([[False, False], [False, True]])),
        [[1, 2], [3, None]],
    ],
    ids=lambda matrix: type(matrix).__name__,
)
def test_several_numbers_for_each_row(matrix: Any) -> None:
    found = as_column(matrix)
    assert isinstance(found, np.ndarray)
    assert found.shape == (2, 2)
    assert np.array_equal(found.astype(float), np.array([[1, 2], [3, nan]]), equal_nan=True)


def test_text_beside_other_values_stays_as_it_is() -> None:
    for values in (["C", 1], ["C", None], [["C", 1], ["N", 2]], [b"C", 1]):
        column = as_column(values)
        assert isinstance(column, np.ndarray)
        assert column.tolist() == values
        assert as_array(values).dtype == object
    long = as_array(["C" * 100_000, *[1] * 1000])
    assert long.nbytes < 100_000


def test_a_column_is_returned_as_it_is() -> None:
    for column in (Text.of(["C"]), Ragged([1], [0, 1])):
        assert is_column(column)
        assert isinstance(column, Column)
        assert as_column(column) is column
    assert as_text(column := Text.of(["C"])) is column
    assert as_array(Text.of(["C"])).tolist() == ["C"]
    assert as_list(Ragged([1, 2], [0, 1, 2])) == [[1], [2]]
    assert not is_column(np.zeros(2))
    assert not is_column(pd.Series([1]))


def test_is_column_does_not_compute_the_digest() -> None:
    class Lazy:
        def take(self, rows: Any) -> Any:
            raise AssertionError

        @property
        def digest(self) -> str:
            raise AssertionError

    assert is_column(Lazy())


def test_values_of_any_kind_as_a_list() -> None:
    dates = pd.to_datetime(pd.Series(["2020-01-01", None]))
    assert as_list(dates)[0] == pd.Timestamp("2020-01-01")
    assert is_missing(as_list(dates)[1])
    assert as_list(torch.tensor([1, 2])) == [1, 2]
    assert as_list(np.ma.array([1, 2], mask=[False, True])) == [1, None]
    items = [object(), "C"]
    assert as_list(items) is items
    assert as_list(np.array(items, object)) == items


@pytest.mark.parametrize("take", [as_column, as_array, as_list, as_text])
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("CCO", r"column 'y' is a single string, 'CCO': wrap it in a list, \['CCO'\]"),
        (3, r"column 'y' is 3 \(int\), expected one value per row: wrap a single value in a list"),
        ({1}, r"column 'y' is a set, expected one value per row in an order: make it a list, e.g. sorted\(y\)"),
        (frozenset(), r"column 'y' is a frozenset"),
        ({"a": 1}, r"column 'y' is a dict, expected one value per row in an order: choose one of its columns"),
        (np.float64(3), r"column 'y' is "),
    ],
    ids=str,
)
def test_single_values_and_sets_are_rejected(take: Callable[[Any, str], Any], values: Any, words: str) -> None:
    with pytest.raises(ColumnError, match=words) as caught:
        take(values, "y")
    assert caught.value.column == "y"


def test_rows_of_different_shapes() -> None:
    with pytest.raises(ColumnError, match="column 'y' has rows of different shapes: give one value, or equally many"):
        as_column([1, [2]], "y")


@pytest.mark.parametrize("value", [None, nan, np.float32(nan), np.datetime64("NaT"), pd.NA, pd.NaT], ids=repr)
def test_missing_values(value: object) -> None:
    assert is_missing(value)


@pytest.mark.parametrize("value", ["", 0, "nan", False, np.nan_to_num(nan), [], "NaT"], ids=repr)
def test_values_that_are_not_missing(value: object) -> None:
    assert not is_missing(value)
