"""Everything public can be pickled to another process and back, for every start method."""

from __future__ import annotations

import importlib
import multiprocessing
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import mrl
from mrl import chem, data, errors, features, lm, nn, ragged, text
from mrl.chem import ECFP6

PACKAGES = ["chem", "corpus", "data", "features", "lm", "nn", "ragged", "report", "text"]
SMILES = ["CCO", "c1ccccc1", "C[C@H](N)C(=O)O", "[Na+].[Cl-]"]


def public_objects() -> dict[str, Any]:
    """Return the public names of the packages, and instances of their classes."""
    found: dict[str, Any] = {}
    for package in PACKAGES:
        module = importlib.import_module(f"mrl.{package}")
        found |= {f"{package}.{name}": getattr(module, name) for name in module.__all__}
    vocab = text.CharacterVocab([])
    vocab.update_vocab_from_data(SMILES)
    vocab.encode(SMILES)
    pattern = text.RegexVocab([], text.SMILES_PATTERN)
    pattern.update_vocab_from_data(SMILES)
    texts = data.TextDataset(SMILES, vocab)
    vectors = data.VectorDataset(SMILES, ECFP6)
    vectors.batch()
    model = lm.LanguageModel(lm.ModelConfig.for_vocab(vocab, hidden=8), seed=0)
    instances = [
        *(ragged.Ragged([1, 2, 3], [0, 1, 3]), ragged.Text.of(SMILES), ragged.Text.of(SMILES)[1:3]),
        ragged.Rejects([(0, "C(", "parse", "syntax")]),
        *(vocab, pattern, text.CharacterReplaceVocab(["C"], {"Br": "R"}), text.SmilesVocab(), vocab.coverage(SMILES)),
        *(text.KmerVocab(3), text.AminoAcidVocab(), text.NucleotideVocab()),
        *(texts, texts.view([2, 0]), texts.split(0.5)[0], texts.dataloader(2, shuffle=True)),
        data.TextPredictionDataset(SMILES, [1.0, None, 2.0, 3.0], vocab),
        *(vectors, data.VecReconDataset(SMILES, vocab, ECFP6), data.VecPredictionDataset(SMILES, [1, 2, 3, 4], ECFP6)),
        *(data.Sequential(9, 2), data.Shuffled(9, 2, seed=1), data.Bucketed(np.arange(9), 2)),
        data.TokenBudget(np.arange(1, 9), 20),
        *(data.Weighted([1, 2, 3], 2), data.BlockShuffled(9, 2, block=2)),
        *(nn.Scaler.fit([1.0, 2.0]), nn.MaskedLoss(torch.nn.MSELoss())),
        *(data.PairDataset(SMILES, SMILES, vocab), data.MaskedDataset(SMILES, vocab)),
        *(data.ConditionalDataset(SMILES, [1, 2, 3, 4], vocab), data.ConditionalDataset(SMILES, SMILES, vocab)),
        *(data.PackedDataset(SMILES, vocab, 64), data.TextDataset(SMILES, vocab, augment=chem.randomize)),
        *(texts.__getitems__([0, 1]), texts.resident("cpu")),
        *(features.featurize(SMILES, ECFP6), chem.clean(SMILES), chem.screen(SMILES, ["CCO"])),
        *(chem.CanonicalSet.of(SMILES), chem.Fingerprint("maccs"), chem.Descriptors(["qed"])),
        *(chem.leaks(SMILES, SMILES), chem.evaluate(SMILES), chem.fragment("Cc1ccccc1C")),
        *(model, model.config, lm.TrainingStep(1, 2, 0.5, 3, 4, 5.0)),
        mrl.load_sample(),
    ]
    found |= {f"a {type(one).__name__} ({i})": one for i, one in enumerate(instances)}
    for name in errors.__all__:
        kind = getattr(errors, name)
        found[f"errors.{name}"] = kind
        if issubclass(kind, errors.MrlError):
            found[f"a {name}"] = kind("row 3 is wrong", row=3)
    return found


def description(thing: Any) -> str:
    """Return a string that is equal for equal objects, by their content if they have any."""
    if isinstance(thing, Exception):
        return f"{thing!r} {vars(thing)}"
    if isinstance(thing, data.BaseDataset):
        return f"{thing!r} {[torch.as_tensor(thing[0][0] if isinstance(thing[0], tuple) else thing[0]).tolist()]}"
    if isinstance(thing, torch.nn.Module):
        return str([parameter.sum().item() for parameter in thing.parameters()])
    if isinstance(thing, text.Vocab):
        return f"{thing.fingerprint()} {thing.encode(['ACG'], on_unknown='unk').tolist()}"
    if isinstance(thing, frozenset):
        return str(sorted(thing))
    if "object at 0x" in repr(thing) or "function" in repr(thing):
        return getattr(thing, "__qualname__", type(thing).__qualname__)
    return repr(thing)


def echo(raw: bytes) -> tuple[bytes, str]:
    """Unpickle and pickle again, in the other process."""
    thing = pickle.loads(raw)
    return pickle.dumps(thing), description(thing)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_everything_public_is_pickled_to_another_process_and_back(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{method} is not available on this system")
    found = public_objects()
    with multiprocessing.get_context(method).Pool(1) as pool:
        back = pool.map(echo, [pickle.dumps(thing) for thing in found.values()])
    for (name, thing), (raw, there) in zip(found.items(), back, strict=True):
        assert there == description(thing), name
        assert description(pickle.loads(raw)) == description(thing), name
