"""`from_ids`: rows of ids that a model sampled, exactly as they are."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from mrl.data import (
    TextDataset,
    TextPredictionDataset,
    VecReconDataset,
)
from mrl.errors import RowError, TokenIdError
from mrl.ragged import Ragged
from mrl.text import CharacterVocab, Vocab

VOCAB = CharacterVocab("CON=")
SMILES = ["C", "CO", "N=O", "CC"]


def rows_of(ds: Any) -> list[list[int]]:
    return [ids.tolist() for ids in ds]


SAMPLED = [[0, 4, 5, 1, 2, 2], [4, 4, 1, 4, 4, 4], [2, 2, 0, 5, 5, 5], [0, 2, 2, 2, 2, 2], [1, 4, 4, 4, 4, 4]]
EXACT = [[0, 4, 5, 1], [0, 4, 4, 1], [0, 5, 5, 5], [0], [0, 1]]


@pytest.mark.parametrize(
    "ids",
    [
        SAMPLED,
        np.array(SAMPLED),
        np.array(SAMPLED, np.uint8),
        torch.tensor(SAMPLED),
        [torch.tensor(row) for row in SAMPLED],
        Ragged.from_rows(SAMPLED, np.int32),
    ],
    ids=lambda ids: type(ids).__name__,
)
def test_ids_are_kept_exactly(ids: Any) -> None:
    ds = TextDataset(SMILES, VOCAB, max_length=6).from_ids(ids)
    assert rows_of(ds) == EXACT
    assert ds.smiles.tolist() == ["CO", "CC", "OOO", "", ""]
    assert ds.batch()[0].tolist() == [[*row, *[2] * (4 - len(row))] for row in EXACT]
    assert ds.lengths().tolist() == [4, 4, 4, 1, 2]
    view = ds.view([2, 0])
    assert rows_of(view) == [EXACT[2], EXACT[0]]


class Pairs(Vocab):
    """Two tokenizations of one text: 'CC', and 'C' twice."""

    def tokenize(self, input: str) -> list[str]:
        return ["bos", *input.replace("CC", "\0\n\0").replace("\n", "CC").split("\0"), "eos"]


def test_the_text_of_ids_is_not_tokenized_again() -> None:
    vocab = Pairs(["C", "CC"])
    ds = TextDataset(["C"], vocab).from_ids([[0, 4, 4, 1], [0, 5, 1]])
    assert ds.smiles.tolist() == ["CC", "CC"]
    assert rows_of(ds) == [[0, 4, 4, 1], [0, 5, 1]]
    vocab.update_vocab_from_data(["N"])
    assert rows_of(ds) == [[0, 4, 4, 1], [0, 5, 1]]


def test_rows_of_too_many_ids_are_rejected() -> None:
    ds = TextDataset(SMILES, VOCAB, max_length=4, on_long="reject").from_ids([[0, 4, 4, 4, 4, 1], [0, 5, 1], [4, 5, 1]])
    assert rows_of(ds) == [[0, 5, 1], [0, 4, 5, 1]]
    assert (ds.kept.tolist(), [r.row for r in ds.rejects]) == ([1, 2], [0])
    with pytest.raises(RowError, match="row 0: 'CCCC' has 6 tokens"):
        TextDataset(SMILES, VOCAB, max_length=5).from_ids([[0, 4, 4, 4, 4, 1]])


def test_ids_have_labels_and_failed_rows_are_dropped() -> None:
    labelled = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB).from_ids(SAMPLED, y_vals=[5, 6, 7, 8, 9])
    assert labelled.batch()[1].tolist() == [5, 6, 7, 8, 9]
    assert labelled[1][0].tolist() == EXACT[1]
    lengths = {"CO": 2.0, "OOO": 3.0}
    ds = VecReconDataset(["CO"], VOCAB, lengths.__getitem__).from_ids(SAMPLED, on_error="drop")
    assert [(v.tolist(), ids.tolist()) for v, ids in ds] == [([2.0], EXACT[0]), ([3.0], EXACT[2])]
    assert [r.row for r in ds.rejects] == [1, 3, 4]
    (x, v), _ = ds.batch()
    assert (x.tolist(), v.tolist()) == ([[0, 4, 5, 1], [0, 5, 5, 5]], [[2.0], [3.0]])


def test_no_rows_and_invalid_ids() -> None:
    ds = TextDataset(SMILES, VOCAB)
    assert len(ds.from_ids([])) == len(ds.from_ids(torch.zeros((0, 7), dtype=torch.int64))) == 0
    for bad in (8, -1, 300):
        with pytest.raises(TokenIdError, match="row 1"):
            ds.from_ids([[0, 1], [0, bad, 1]])
    with pytest.raises(ValueError, match="float"):
        ds.from_ids(torch.tensor([[0.0, 4.7, 1.0]]))


def test_unknown_tokens_among_ids_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ds = TextDataset(SMILES, VOCAB, max_length=9).from_ids([[0, 3, 4, 1]])
        assert rows_of(ds) == [[0, 3, 4, 1]]
    assert ds.smiles.tolist() == ["\ufffdC"]
