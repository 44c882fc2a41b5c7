"""What the constructors take, and the messages for what they reject."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from mrl.data import TextDataset, TextPredictionDataset, VecPredictionDataset, VectorDataset
from mrl.errors import ColumnError, RowError
from mrl.ragged import Text
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CON=")
SMILES = ["C", "CO", "N=O", ""]
GAPS = pd.Series(["x", *SMILES], index=[9, 5, 5, 0, 7])[1:]  # a filtered frame: gaps, and a repeated label

COLUMNS: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "numpy object": lambda v: np.array(v, dtype=object),
    "pandas": pd.Series,
    "pandas with gaps": lambda v: pd.Series(v, index=[9, 5, 5, 0][: len(v)]),
    "polars": pl.Series,
    "arrow": pa.array,
    "arrow chunked": lambda v: pa.chunked_array([v[:1], v[1:]]),
}
nan = float("nan")


def labels(y: Any, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    found: torch.Tensor = TextPredictionDataset(SMILES[: len(y)], y, VOCAB, y_dtype=dtype).batch()[1]
    return found


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_texts_of_any_library(column: Callable[[list[Any]], Any]) -> None:
    ds = TextDataset(column(SMILES), VOCAB)
    assert ds.smiles.tolist() == SMILES
    assert ds[2].tolist() == [0, 6, 7, 5, 1]
    assert np.array_equal(ds.batch()[0], TextDataset(SMILES, VOCAB).batch()[0])


def test_texts_of_arrays_series_with_gaps_and_views() -> None:
    assert TextDataset(np.array(SMILES), VOCAB).smiles.tolist() == SMILES
    assert TextDataset(GAPS, VOCAB).smiles.tolist() == SMILES
    assert TextDataset(GAPS.to_numpy(), VOCAB).smiles.tolist() == SMILES
    assert TextDataset(Text.of(SMILES), VOCAB).smiles.tolist() == SMILES
    assert TextDataset(TextDataset(SMILES, VOCAB).view([2, 0]).smiles, VOCAB).smiles.tolist() == ["N=O", "C"]


@pytest.mark.parametrize("missing", [None, nan, pd.NA], ids=["None", "NaN", "NA"])
@pytest.mark.parametrize("make", [list, pd.Series], ids=["list", "series"])
def test_a_row_that_is_not_text_is_named(missing: Any, make: Callable[[list[Any]], Any]) -> None:
    for build in (
        lambda smiles: TextDataset(smiles, VOCAB),
        lambda smiles: VectorDataset(smiles, len),
        lambda smiles: TextPredictionDataset(smiles, [1, 2, 3], VOCAB),
    ):
        with pytest.raises(RowError, match=r"row 1 of column 'smiles' is .*expected a str; drop or fill") as caught:
            build(make(["C", missing, "CC"]))
        assert (caught.value.row, caught.value.column) == (1, "smiles")


@pytest.mark.parametrize("smiles", ["CCO", {"C": 1}, pd.DataFrame({"a": ["C"]}), 3, np.array([["C"]])], ids=str)
def test_a_column_of_texts_is_required(smiles: Any) -> None:
    with pytest.raises(ColumnError, match="smiles"):
        TextDataset(smiles, VOCAB)


def test_numbers_are_not_taken_as_texts() -> None:
    with pytest.raises(RowError, match=r"row 0 of column 'smiles' is 1\.0"):
        TextDataset(TextPredictionDataset(["C"], [1.0], VOCAB).y_vals, VOCAB)
    with pytest.raises(RowError, match=r"row 0 of column 'smiles' is \[4\]"):
        TextDataset(VOCAB.encode(["C"]).take([0])[:1].from_rows([[4]], np.int64), VOCAB)


@pytest.mark.parametrize("make", [TextPredictionDataset, VecPredictionDataset])
def test_columns_of_different_lengths_are_named(make: Any) -> None:
    setting = VOCAB if make is TextPredictionDataset else len
    words = "different numbers of rows: smiles has 2, y_vals has 3; give one value for each"
    with pytest.raises(ColumnError, match=words) as caught:
        make(["C", "CC"], [1, 2, 3], setting)
    assert caught.value.column == "y_vals"
    with pytest.raises(ColumnError, match="smiles has 3, y_vals has 1"):
        make(["C"], [1], setting).new(["C", "CC", "CCC"], [1])


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
def test_labels_of_any_library(column: Callable[[list[Any]], Any]) -> None:
    assert labels(column([1, 2, 3])).tolist() == [1.0, 2.0, 3.0]
    found = labels(column([0.5, None, 2.0]))
    assert found.dtype == torch.float32
    assert found.isnan().tolist() == [False, True, False]
    assert labels(column([1, None, 3]), torch.int64).tolist() == [1, -100, 3]
    assert labels(column([True, False])).tolist() == [1.0, 0.0]


MATRIX = [[1.0, 2.0], [3.0, nan], [5.0, 6.0]]


@pytest.mark.parametrize(
    "y",
    [
        MATRIX,
        tuple(map(tuple, MATRIX)),
        np.array(MATRIX),
        torch.tensor(MATRIX, requires_grad=True),
        [torch.tensor(row) for row in MATRIX],
        pd.DataFrame(MATRIX, index=[4, 4, 0]),
        pl.DataFrame({"a": [1, 3, 5], "b": [2.0, None, 6.0]}),
        np.ma.masked_array([[1, 2], [3, 4], [5, 6]], mask=[[False, False], [False, True], [False, False]]),
        [[1, 2], [3, pd.NA], [5, 6]],
        [[1, 2], [3, None], [5, 6]],
    ],
    ids=lambda y: type(y).__name__,
)
def test_several_targets(y: Any) -> None:
    found = labels(y)
    assert found.shape == (3, 2)
    assert found.nan_to_num(-7).tolist() == [[1, 2], [3, -7], [5, 6]]


def test_one_target_per_row_in_any_form() -> None:
    for y in ([1, 2], [[1], [2]], np.array([[1.0], [2.0]]), torch.tensor([1, 2]), pd.DataFrame({"y": [1, 2]})):
        assert labels(y).tolist() == [1.0, 2.0]  # (n, 1) is one target: the batch is (B,)
    assert labels([0] * 4).tolist() == [0.0] * 4
    assert labels(pd.array([1, None], dtype="Int64")).nan_to_num(-7).tolist() == [1, -7]
    assert labels([]).shape == (0,)


def test_a_sample_has_its_labels_in_a_tensor() -> None:
    ds = TextPredictionDataset(SMILES[:2], [1, 2], VOCAB)
    assert ds[0][1].tolist() == [1.0]  # as in the notebook: one number in a tensor
    assert TextPredictionDataset(SMILES[:2], [[1, 2], [3, 4]], VOCAB)[1][1].tolist() == [3.0, 4.0]
    assert ds.y_vals.tolist() == [1.0, 2.0]
    assert ds.y_vals[1] == 2.0


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int8, torch.float64, torch.float16], ids=str)
def test_labels_have_the_dtype_that_was_chosen(dtype: torch.dtype) -> None:
    found = labels([1, 0, None], dtype)
    assert found.dtype == dtype
    assert found[:2].tolist() == [1, 0]
    assert (found[2] == -100) if not dtype.is_floating_point else found[2].isnan()


@pytest.mark.parametrize(
    ("y", "dtype", "words"),
    [
        (["1", "2"], torch.float32, "row 0 of y_vals is '1'; expected a number, .*convert the column first"),
        ([1.0, "high"], torch.float32, "row 1 of y_vals is 'high'; expected a number"),
        ([1.0, b"2"], torch.float32, "row 1 of y_vals is b'2'"),
        ([1, [2]], torch.float32, "'y_vals' has rows of different shapes"),
        ([1, object()], torch.float32, "row 1 of y_vals is <object"),
        (pd.Series(pd.to_datetime(["2020-01-01"])), torch.float32, "row 0 of y_vals"),
        ([1, 10**400], torch.float32, "row 1 of y_vals is 1000"),
        ([1j, 2], torch.float32, "row 0 of y_vals is 1j"),
        ([[1, 2], [3, "x"]], torch.float32, "row 1 of y_vals is 'x'"),
        ([0.0, 1e300], torch.float32, r"row 1 of y_vals is 1e\+300; expected a number that float32 can hold"),
        ([1, 70000], torch.float16, "row 1 of y_vals is 70000; expected a number that float16 can hold"),
        ([0, 0.5], torch.int64, r"row 1 of y_vals is 0\.5; expected a whole number \(a class\) from"),
        ([0, float("inf")], torch.int64, "row 1 of y_vals is inf; expected a whole number"),
        ([0, 300], torch.int8, "row 1 of y_vals is 300; expected a whole number .* from -128 to 127"),
        ([0, None], torch.uint8, "row 1 of y_vals is None; .* from 0 to 255, .*missing, which is stored as -100"),
        ([[0, 1], [2, 0.5]], torch.int64, r"row 1 of y_vals is \[2\.0, 0\.5\]"),
        (np.zeros((2, 2, 2)), torch.float32, r"y_vals has the shape \(2, 2, 2\); expected \(n,\)"),
        (3, torch.float32, "y_vals|iterable"),
        ({1, 2}, torch.float32, "'y_vals' is a set, expected one value per row in an order"),
        ({"a": 1}, torch.float32, "'y_vals' is a dict"),
        ([0, 1], torch.bool, "y_dtype is torch.bool; expected float16"),
        ([0, 1], torch.bfloat16, "y_dtype is torch.bfloat16"),
    ],
)
def test_invalid_labels_are_named(y: Any, dtype: torch.dtype, words: str) -> None:
    with pytest.raises((ValueError, TypeError), match=words):
        TextPredictionDataset(["C", "CC"], y, VOCAB, y_dtype=dtype)


def test_infinite_labels_are_kept() -> None:
    assert labels([1.0, float("inf")]).tolist() == [1.0, float("inf")]


def test_later_changes_of_the_users_array_do_not_reach_the_labels() -> None:
    y = np.array([1.0, 2.0], np.float32)
    ds = TextPredictionDataset(["C", "CC"], y, VOCAB)
    y[0] = 99
    assert ds.batch()[1].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("value", "dtype"),
    [(2.0**63, torch.int64), (np.float32(2**31), torch.int32), (2**31, torch.int32), (-(2.0**64), torch.int64)],
)
def test_a_class_just_beyond_its_type_is_named(value: Any, dtype: torch.dtype) -> None:
    with pytest.raises(RowError, match=r"row 0 of y_vals is .*; expected a whole number"):
        labels(np.array([value]), dtype)
    assert labels(np.array([-(2.0**31)]), torch.int32).tolist() == [-(2**31)]
