"""Labels of any library as numbers or as codes of classes; a wrong one is named by its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mrl.errors import ColumnError, RowError
from mrl.ragged import IGNORED, Text, as_labels, class_codes

NAN = float("nan")
COLUMNS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "numpy": lambda rows: np.array(rows, object if None in rows else None),
    "masked": lambda rows: np.ma.masked_array(
        [0 if x is None else x for x in rows], mask=[x is None for x in rows]
    ),
    "pandas": pd.Series,
    "pandas nullable": lambda rows: pd.array(rows, dtype="Float64"),
    "polars": lambda rows: pl.Series(rows, dtype=pl.Float64),
    "arrow": lambda rows: pa.array(rows, pa.float64()),
}  # fmt: skip


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_labels_of_any_library(column: Callable[[list[Any]], Any]) -> None:
    labels = as_labels(column([0.5, None, 2.0]), "y", np.float32)
    assert labels.dtype == np.float32
    assert np.array_equal(labels, [0.5, NAN, 2], equal_nan=True)
    assert as_labels(column([1.0, None, 3.0]), "y", np.int64).tolist() == [1, IGNORED, 3]
    assert as_labels(column([1.0, 2.0]), "y", "int8").dtype == np.int8


@pytest.mark.parametrize(
    "values",
    [
        [[1, 2], [3, None]],
        [[1.0, 2.0], [3.0, NAN]],
        np.array([[1, 2], [3, NAN]]),
        torch.tensor([[1, 2], [3, NAN]], requires_grad=True),
        pd.DataFrame({"a": [1, 3], "b": [2, None]}, index=[7, 7]),
        pl.DataFrame({"a": [1, 3], "b": [2, None]}),
    ],
    ids=lambda values: type(values).__name__,
)
def test_several_labels_per_row(values: Any) -> None:
    assert np.array_equal(as_labels(values, "y", np.float64), np.array([[1, 2], [3, NAN]]), equal_nan=True)


def test_labels_are_a_copy() -> None:
    values = np.array([1.0, 2.0])
    labels = as_labels(values, "y", np.float64)
    values[0] = 9
    assert labels.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "dtype", "row", "words"),
    [
        ([1.0, "high"], np.float32, 1, "row 1 of y is 'high'; expected a number, or NaN where it is missing; convert"),
        ([1.0, b"2"], np.float32, 1, "row 1 of y is b'2'; expected a number"),
        ([1j, 2], np.float32, 0, "row 0 of y is 1j; expected a number"),
        ([1, 10**400], np.float32, 1, "row 1 of y is 1000"),
        ([1, np.datetime64("2020-01-01")], np.float64, 1, "row 1 of y is datetime"),
        ([[1, 2], [3, "x"]], np.float32, 1, "row 1 of y is 'x'"),
        ([0.0, 1e300], np.float32, 1, r"row 1 of y is 1e\+300; expected a number that float32 can hold"),
        ([0, 0.5], np.int64, 1, r"row 1 of y is 0\.5; expected a whole number \(a class\) from"),
        ([0, float("inf")], np.int64, 1, "row 1 of y is inf; expected a whole number"),
        ([0, 300], np.int8, 1, "row 1 of y is 300; expected a whole number .* from -128 to 127"),
        ([2.0**63], np.int64, 0, "row 0 of y is .*; expected a whole number"),
        ([0, None], np.uint8, 1, "row 1 of y is None; .* from 0 to 255, .* missing, which is stored as -100"),
    ],
)
def test_a_value_that_does_not_fit_is_named(values: Any, dtype: Any, row: int, words: str) -> None:
    with pytest.raises(RowError, match=words) as error:
        as_labels(values, "y", dtype)
    assert (error.value.row, error.value.column) == (row, "y")


def test_labels_have_one_or_two_dimensions() -> None:
    with pytest.raises(ColumnError, match=r"y has the shape \(1, 1, 1\); expected \(n,\) for one target or \(n, T\)"):
        as_labels(np.zeros((1, 1, 1)), "y", np.float32)


VALUES = st.lists(st.none() | st.text("ab", max_size=2) | st.integers(0, 3) | st.floats(allow_nan=True, width=16))


@given(VALUES)
def test_codes_count_classes_in_order_of_appearance(values: list[Any]) -> None:
    codes, classes = class_codes(values, "labels")
    assert codes.dtype == np.int64
    assert list(dict.fromkeys(codes.tolist())) == list(range(len(classes)))
    for value, code in zip(values, codes.tolist(), strict=True):
        assert classes[code] is None if value is None or value != value else classes[code] == value


@pytest.mark.parametrize(
    "values",
    [
        Text.of(["b", "a", "b"]),
        np.array(["b", "a", "b"]),
        pd.Series(["b", "a", "b"], index=[0, 0, 0]),
        pl.Series(["b", "a", "b"]),
        pa.array(["b", "a", "b"]),
        iter("bab"),
    ],
    ids=lambda values: type(values).__name__,
)
def test_codes_of_any_library(values: Any) -> None:
    codes, classes = class_codes(values, "labels")
    assert (codes.tolist(), classes) == ([0, 1, 0], ["b", "a"])


def test_missing_values_are_one_class() -> None:
    codes, classes = class_codes([1.0, NAN, None, pd.NA, float("nan"), pd.NaT], "labels")
    assert (codes.tolist(), classes) == ([0, 1, 1, 1, 1, 1], [1.0, None])


def test_a_value_that_cannot_be_a_class_is_named() -> None:
    with pytest.raises(RowError, match=r"row 1 of labels is \[1\]; expected one text or number") as error:
        class_codes([1, [1]], "labels")
    assert (error.value.row, error.value.column, error.value.value) == (1, "labels", [1])
    with pytest.raises(ColumnError, match=r"'labels' is a ndarray of shape \(2, 1\), expected one dimension"):
        class_codes(np.zeros((2, 1)), "labels")
