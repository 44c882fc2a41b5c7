"""Ids, shapes, dtypes and values equal those of the notebook's code, on all of its molecules."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import notebook_cells
import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

import mrl.dataloaders as ours
from mrl.chem import ECFP6

pytestmark = pytest.mark.skipif(
    not (os.environ.get("MRL_NOTEBOOK") and os.environ.get("MRL_DATA")),
    reason="MRL_NOTEBOOK (the notebook's text) and MRL_DATA (the folder of smiles.csv) are not set",
)

VOCABULARIES = ["CharacterVocab", "CharacterReplaceVocab", "RegexVocab"]
ROWS = 100  # per batch


@cache
def notebook() -> ModuleType:
    module = notebook_cells.module(Path(os.environ["MRL_NOTEBOOK"]))
    vars(module)["to_device"] = lambda batch: batch  # so that its batches stay on the CPU, as those of mrl do
    return module


@cache
def smiles() -> list[str]:
    texts: list[str] = pd.read_csv(Path(os.environ["MRL_DATA"], "smiles.csv")).smiles.tolist()
    assert len(texts) == 2000
    return texts


@cache
def vocabularies(name: str) -> tuple[Any, Any]:
    """Return the notebook's vocabulary and that of mrl, with the same tokens."""
    options: dict[str, dict[str, Any]] = {
        "CharacterVocab": {},
        "CharacterReplaceVocab": {"replace_dict": ours.HALOGEN_REPLACE},
        "RegexVocab": {"pattern": ours.SMILE_REGEX},
    }
    mine = getattr(ours, name)(ours.SMILES_CHAR_VOCAB, **options[name])
    itos = ours.SMILES_CHAR_VOCAB
    if name == "RegexVocab":
        mine.update_vocab_from_data(smiles())
        itos = mine.itos
    return getattr(notebook(), name)(itos, **options[name]), mine


@cache
def fingerprints() -> dict[str, np.ndarray[Any, Any]]:
    return {text: ECFP6(text) for text in smiles()}


def fingerprint(text: str) -> np.ndarray[Any, Any]:
    return fingerprints()[text]


def short(text: str) -> np.ndarray[Any, Any]:
    return fingerprints()[text][:64]  # used by six datasets


def tensors(batch: Any) -> Iterator[Any]:
    """Yield the tensors of a batch, and type and length of the tuples around them."""
    if isinstance(batch, torch.Tensor):
        yield batch
    else:
        yield type(batch), len(batch)
        for part in batch:
            yield from tensors(part)


def assert_same(mine: Any, theirs: Any) -> None:
    pairs = list(zip(tensors(mine), tensors(theirs), strict=True))
    assert pairs
    for a, b in pairs:
        if isinstance(b, torch.Tensor):
            assert (a.dtype, a.shape, a.device) == (b.dtype, b.shape, b.device)
            assert torch.equal(a, b)
        else:
            assert a == b


def test_constants() -> None:
    for name in ("SMILES_CHAR_VOCAB", "SPECIAL_TOKENS", "MAPPING_TOKENS", "HALOGEN_REPLACE", "MAPPING_REPLACE"):
        assert getattr(ours, name) == getattr(notebook(), name)
    assert ours.SMILE_REGEX == notebook().SMILE_REGEX
    assert ours.MAPPING_REGEX == notebook().MAPPING_REGEX
    assert list(ours.HALOGEN_REPLACE) == list(notebook().HALOGEN_REPLACE)


@pytest.mark.parametrize("name", VOCABULARIES)
def test_tokens_ids_and_texts(name: str) -> None:
    theirs, mine = vocabularies(name)
    assert (mine.itos, mine.stoi, mine.special_tokens) == (theirs.itos, theirs.stoi, theirs.special_tokens)
    rows = [theirs.numericalize(theirs.tokenize(text)) for text in smiles()]
    for text, row in zip(smiles(), rows, strict=True):
        assert mine.tokenize(text) == theirs.tokenize(text)
        assert mine.numericalize(mine.tokenize(text)) == row
        assert mine.reconstruct(row) == theirs.reconstruct(row) == text
    assert mine.encode(smiles(), on_unknown="raise").tolist() == rows
    assert mine.decode(rows) == smiles()


DATASETS: dict[str, Callable[[ModuleType, Any, Any], Any]] = {
    "TextDataset": lambda nb, vocab, collate: nb.TextDataset(smiles(), vocab, collate),
    "TextPredictionDataset": lambda nb, vocab, collate: nb.TextPredictionDataset(smiles(), labels(), vocab, collate),
    "Vec_Recon_Dataset": lambda nb, vocab, collate: nb.Vec_Recon_Dataset(smiles(), vocab, short, collate),
    "Vector_Dataset": lambda nb, vocab, collate: nb.Vector_Dataset(smiles(), fingerprint, collate),
    "Vec_Prediction_Dataset": lambda nb, vocab, collate: nb.Vec_Prediction_Dataset(
        smiles(), labels(), fingerprint, collate
    ),
}
COLLATES = {
    "TextDataset": "lm_collate",
    "TextPredictionDataset": "sequence_prediction_collate",
    "Vec_Recon_Dataset": "vector_reconstruction_collate",
}


def labels() -> list[float]:
    return [len(text) / 7 for text in smiles()]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("vocab", VOCABULARIES)
@pytest.mark.parametrize("name", COLLATES)
def test_samples_and_batches_of_tokens(name: str, vocab: str, batch_first: bool) -> None:
    def build(nb: ModuleType, own: Any) -> Any:
        collate = partial(getattr(nb, COLLATES[name]), pad_idx=2, batch_first=batch_first)
        return DATASETS[name](nb, own, None if batch_first else collate)

    theirs, mine = vocabularies(vocab)
    compare(build(ours, mine), build(notebook(), theirs), each_sample=batch_first)


@pytest.mark.parametrize("name", ["Vector_Dataset", "Vec_Prediction_Dataset"])
def test_samples_and_batches_of_vectors(name: str) -> None:
    compare(DATASETS[name](ours, None, None), DATASETS[name](notebook(), None, None))


def compare(mine: Any, theirs: Any, each_sample: bool = True) -> None:
    """Compare every sample, every batch, and the notebook's samples collated by mrl."""
    samples = [theirs[i] for i in range(len(theirs))]
    assert len(mine) == len(samples) == 2000
    for i in range(2000) if each_sample else (0, 1999):
        assert_same(mine[i], samples[i])
    batches = [theirs.collate_function(samples[i : i + ROWS]) for i in range(0, 2000, ROWS)]
    loaded = mine.dataloader(ROWS, num_workers=0)
    assert len(loaded) == len(batches) == 20
    for batch, expected in zip(loaded, batches, strict=True):
        assert_same(batch, expected)
    assert_same(mine.collate_function(samples[:ROWS]), batches[0])
    first = next(iter(DataLoader(mine, ROWS, collate_fn=mine.collate_function)))  # torch's own loader
    assert_same(first, batches[0])
