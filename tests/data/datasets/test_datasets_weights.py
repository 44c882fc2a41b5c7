"""Weights of rows: returned beside the targets, 1 where they are left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mrl.data import (
    BaseDataset,
    NumberColumn,
    TextColumn,
    TextPredictionDataset,
    VecPredictionDataset,
    dict_collate,
    sequence_prediction_collate,
)
from mrl.errors import ColumnError, RowError
from mrl.text import CharacterVocab

VOCAB = CharacterVocab(["C", "O"])
SMILES = ["C", "CO", "OOO"]


def dataset(weights: Any = (1, 0, 2.5), **settings: Any) -> TextPredictionDataset:
    return TextPredictionDataset(SMILES, [1, 2, 3], VOCAB, weights=list(weights), **settings)


def test_collate_written_out() -> None:
    batch = [
        (torch.tensor([0, 4, 1]), torch.tensor([1.0]), torch.tensor([0.5])),
        (torch.tensor([0, 4, 5, 1]), torch.tensor([2.0]), torch.tensor([0.0])),
    ]
    x, y, w = sequence_prediction_collate(batch, 2)
    assert x.tolist() == [[0, 4, 1, 2, 2], [0, 4, 5, 1, 2]]
    assert (y.tolist(), w.tolist(), w.dtype) == ([1.0, 2.0], [0.5, 0.0], torch.float32)
    assert [t.shape for t in sequence_prediction_collate(batch[:1], 2)[1:]] == [(1,), (1,)]
    two = [(ids, torch.tensor([1.0, 2.0]), weight) for ids, _, weight in batch]
    assert [tuple(t.shape) for t in sequence_prediction_collate(two, 2)] == [(2, 5), (2, 2), (2,)]
    with pytest.raises(ValueError, match=r"takes samples of 2 part\(s\), got tuple of 4"):
        sequence_prediction_collate([(*batch[0], batch[0][1])], 2)


def test_batches_have_weights() -> None:
    x, y, w = dataset().batch()
    assert x.shape == (3, 6)
    assert (y.tolist(), w.tolist(), w.dtype) == ([1, 2, 3], [1, 0, 2.5], torch.float32)
    assert [part.tolist() for part in dataset()[2]] == [[0, 5, 5, 5, 1], [3.0], [2.5]]
    assert dict_collate(dataset().__getitems__([2, 0]))["weights"].tolist() == [2.5, 1]
    assert [t.shape[0] for t in dataset().batch([])] == [0, 0, 0]
    double = dataset(y_dtype=torch.int64).batch()
    assert (double[1].dtype, double[2].dtype) == (torch.int64, torch.float32)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_new_without_weights_counts_each_row_once(n: int) -> None:
    made = dataset().new(["C"] * n)
    assert made.batch()[2].tolist() == [1.0] * n
    assert made.batch()[1].isnan().all()
    assert dataset().new(["C"] * n, range(n)).batch()[2].tolist() == [1.0] * n
    assert dataset().new(["C"] * n, weights=range(n)).weights.tolist() == list(range(n))
    assert dataset().new(["C"] * n, range(n), range(n)).batch()[2].tolist() == list(range(n))
    assert dataset().from_ids([[0, 4, 1]] * n).batch()[2].tolist() == [1.0] * n


def test_views_and_splits_carry_weights() -> None:
    assert dataset().view([2, 0]).batch()[2].tolist() == [2.5, 1]
    train, valid = dataset().split(0.4)
    whole = dict(zip(SMILES, [1, 0, 2.5], strict=True))
    for part in (train, valid, train.new(**train.columns)):
        assert part.batch()[2].tolist() == [whole[text] for text in part.smiles]
    rejecting = dataset(max_length=4, on_long="reject")
    assert (rejecting.smiles.tolist(), rejecting.weights.tolist()) == (["C", "CO"], [1, 0])


@pytest.mark.parametrize(
    ("weights", "row"),
    [([1, -1, 2], 1), ([1, 2, float("nan")], 2), ([None, 1, 1], 0), ([1, float("inf"), 1], 1), ([1, "C", 1], 1)],
)
def test_an_invalid_weight_is_named(weights: Any, row: int) -> None:
    uses: list[Callable[[], Any]] = [lambda: dataset(weights), lambda: dataset().new(SMILES, weights=weights)]
    for use in uses:
        with pytest.raises(RowError, match=f"row {row} of weights is ") as caught:
            use()
        assert (caught.value.row, caught.value.column) == (row, "weights")


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1, 2], "smiles has 3, y_vals has 3, weights has 2"),
        (np.ones((3, 2)), r"weights has the shape \(3, 2\); expected \(n,\)"),
        (np.ones((0, 2)), r"weights has the shape \(0, 2\); expected \(n,\)"),
    ],
)
def test_each_row_has_one_weight(weights: Any, words: str) -> None:
    with pytest.raises(ColumnError, match=words):
        TextPredictionDataset(SMILES, [1, 2, 3], VOCAB, weights=weights)


def test_weights_cannot_be_added_later() -> None:
    with pytest.raises(ColumnError, match="column 'weights' already; make a dataset with other values"):
        dataset().add_column("weights", [1, 2, 3])
    plain = TextPredictionDataset(SMILES, [1, 2, 3], VOCAB)
    with pytest.raises(TypeError, match="'weights', which is not a column of this dataset"):
        plain.new(SMILES, weights=[1, 1, 1])


class Named(TextPredictionDataset):
    """A row argument after those of the base class."""

    names: Any

    task = replace(
        TextPredictionDataset.task, columns={"smiles": TextColumn(), "y_vals": NumberColumn(), "names": TextColumn()}
    )

    def __init__(self, smiles: Any, y_vals: Any, names: Any, vocab: Any) -> None:
        BaseDataset.__init__(self, vocab=vocab, augment=None, seed=0, max_length=None)
        self.set_rows({"smiles": smiles, "y_vals": y_vals, "names": names})


def test_new_and_views_of_a_subclass_keep_its_own_row_arguments() -> None:
    ds = Named(SMILES, [1, 2, 3], ["a", "b", "c"], VOCAB)
    assert list(ds.columns) == ["smiles", "y_vals", "names"]
    assert ds.view([2]).names.tolist() == ["c"]
    assert ds.new(["C"], [1], ["d"]).names.tolist() == ["d"]


def test_vectors_with_weights() -> None:
    ds = VecPredictionDataset(["C", "CC"], [1.0, None], len, weights=[1, 2])
    v, _, w = ds.batch()
    assert v.tolist() == [[1.0], [2.0]]
    assert w.tolist() == [1.0, 2.0]
    assert ds.new(["CCC"]).batch()[2].tolist() == [1.0]
    assert ds.view([1]).batch()[2].tolist() == [2.0]
