"""What a notebook shows of mrl's objects: few rows, short texts, nothing that acts as markup."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

from mrl import lm
from mrl.chem import ECFP6, qed, screen
from mrl.corpus import Manifest, ShardEntry, StoredFile
from mrl.data import PairDataset, TextDataset, TextPredictionDataset, VectorDataset
from mrl.features import featurize
from mrl.formatting import html_preview
from mrl.lm import LanguageModel, ModelConfig, sample
from mrl.loop import Call, Component, History, Identity, Round, Run, Score
from mrl.qsar import Predictions
from mrl.ragged import Ragged, Reject, Rejects, Text
from mrl.text import CharacterVocab, KmerVocab, SmilesVocab

HOSTILE = "<script>alert(1)</script>"
VOCAB = CharacterVocab(["C", "O", *set(HOSTILE) - {"C", "O"}])
LONG = "C" * 500

OBJECTS: dict[str, tuple[Any, list[str]]] = {
    "a dataset": (
        TextPredictionDataset(["CO", HOSTILE, LONG] * 4, [0.5] * 12, VOCAB),
        ["y_vals", "0.50", "…", "and 7 more rows"],
    ),
    "an empty dataset": (TextDataset([], VOCAB), ["nothing"]),
    "pairs": (PairDataset(["C"], ["O"], VOCAB), ["source", "target"]),
    "vectors": (VectorDataset(["CCO"], ECFP6), ["CCO"]),
    "a view": (TextDataset(["CO", "C", "O"], VOCAB).view([2]), ["<td>O</td>"]),
    "a vocabulary": (VOCAB, ["<code>bos</code>", "and"]),
    "a vocabulary of a class with a table": (SmilesVocab(), ["<code>bos</code>"]),
    "k-mers": (KmerVocab(3), ["<code>AAA</code>"]),
    "a loader": (TextDataset(["CO"] * 9, VOCAB).dataloader(2, shuffle=True), ["Loader", "rows in a batch", "epoch"]),
    "features": (featurize(["CCO", HOSTILE], ECFP6, on_error="mask"), ["2 x 2,048", "feature"]),
    "features of rows that all failed": (featurize([HOSTILE], ECFP6, on_error="mask"), ["1 x 0", "feature"]),
    "a screen": (
        screen(["CCO", "OCC", HOSTILE] * 5, known=["CCO"]),
        ["molecule", "novel", "yes", "no", "and 5 more rows"],
    ),
}

SHARD = ShardEntry("train", 3, (StoredFile("a", 1500, ""),))
HALF, NAN = np.array([0.5, np.nan]), Rejects([Reject(1, HOSTILE, "parse", "not a molecule")])
ROUNDS = tuple(Round(n, n + 1, 2, 1, 1, 0, float("nan"), 0.9, 0.8, 0, float("nan"), 1.0) for n in range(33))
MODEL = LanguageModel(ModelConfig.for_vocab(VOCAB, hidden=8), seed=1)
OBJECTS |= {
    "predictions": (
        Predictions(("logp", HOSTILE), np.stack([HALF, HALF], 1), np.stack([HALF, HALF], 1), HALF, HALF > 0, NAN),
        ["uncertainty of logp", "0.50", "2 rows, 1 reject", "not a molecule"],
    ),
    "samples": (sample(MODEL, 12, max_length=9, seed=1), ["log-likelihood", "yes", "0 ", "and 2 more rows"]),
    "no samples": (sample(MODEL, 0), ["nothing"]),
    "a run": (
        Run(History([Call(HOSTILE, 0.9, "start", 0)]), ROUNDS, 50),
        ["1 of 50 calls", "proposed by", '<th scope="row" class="number">32</th><td class="number">33</td>'],
    ),
    "the calls of a run": (
        History([Call(HOSTILE, 0.9, "start", 0), Call("C", float("nan"), "model", 1, "time-out")]),
        ["History(2 calls, 1 without a score, best 0.9)", "time-out", "smiles"],
    ),
    "the course of a training": (
        lm.History(np.linspace(3, 1, 100), np.where(np.arange(100) % 5 == 4, 2.0, np.nan), 100),
        ["History(100 steps, loss 1, validation loss 2 after step 100)", '<th scope="row" class="number">100</th>'],
    ),
    "a training without validation": (lm.History(np.ones(3), np.full(3, np.nan), None), ["<td>–</td>", ">3</th>"]),
    "a training without steps": (lm.History(np.zeros(0), np.zeros(0), None), ["nothing"]),
    "a score": (
        Score([Component(HOSTILE, qed, Identity()), Component("b", qed, Identity(), weight=2)]),
        ["Score: geometric mean of 2 components", '<td class="number">2</td>'],
    ),
    "scores": (Score([Component("a", qed, Identity())])(["CCO", HOSTILE]), ["a value", "parse", "0.41"]),
    "a coverage": (
        VOCAB.coverage(["CO", "CN" + LONG]),
        ["503 of 504 tokens known", '<td class="number">1</td>', "CNCC"],
    ),
    "a coverage of all": (VOCAB.coverage([HOSTILE]), ["25 of 25 tokens known; unknown tokens", "nothing"]),
    "ragged ids": (Ragged.from_rows([[4, 5], [], [*range(99)]] * 4, np.uint8), ["4 5", "and 2 more rows", "…"]),
    "texts": (Text.of([HOSTILE, LONG] * 6), ["Text: 12 rows, 3,150 bytes", "and 2 more rows", "…"]),
    "a manifest": (
        Manifest(
            {"smiles": "text", HOSTILE: "float64"},
            "smiles",
            shards=(ShardEntry("train", 3, (StoredFile("a", 1500, ""),)),),
        ),
        ["Manifest(3 rows (train 3)", "1,500", "train: 3", "smiles (text)"],
    ),
    "a run without a score": (Run(History(), (), 50), ["no score", "nothing"]),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_a_notebook_shows(name: str) -> None:
    shown, expected = OBJECTS[name]
    text = shown._repr_html_()
    ElementTree.fromstring(f"<div>{text}</div>")
    assert "<script" not in text
    assert LONG not in text
    for part in expected:
        assert part in text


def test_values_of_all_kinds() -> None:
    columns: dict[str, Any] = {"a": np.array([[1.0, 2.0]]), "b": np.array([3]), "c": [None], "d": [LONG]}
    text = html_preview(columns, 1)
    assert "[1. 2.]" in text
    assert f"{'C' * 59}…" in text


def test_columns_of_different_lengths_are_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        html_preview({"a": [1, 2], "b": [1]}, 2)
