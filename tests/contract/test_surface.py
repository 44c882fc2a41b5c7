"""The public surface: a snapshot of its names, each one documented, with an example where it does something."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import mrl

ROOMS = ["chem", "corpus", "data", "features", "lm", "nn", "ragged", "report", "text"]


def public(room: str) -> dict[str, object]:
    module = importlib.import_module(f"mrl.{room}")
    return {name: getattr(module, name) for name in module.__all__}


EVERYTHING = [(room, name) for room in ROOMS for name in public(room)]


@pytest.mark.parametrize("room", ROOMS)
def test_all_is_sorted_by_kind_and_complete(room: str) -> None:
    names = importlib.import_module(f"mrl.{room}").__all__
    assert len(set(names)) == len(names)
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize(("room", "name"), EVERYTHING)
def test_every_public_class_and_function_is_documented(room: str, name: str) -> None:
    thing = public(room)[name]
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        return
    doc = inspect.getdoc(thing) or ""
    assert doc.splitlines()[0].strip(), f"{room}.{name} has no docstring"
    if inspect.isfunction(thing) and not name.startswith("test_"):
        missing = [p for p in inspect.signature(thing).parameters if p not in doc and p not in ("x",)]
        assert not missing, f"{room}.{name}: the docstring does not name {missing}"


def test_every_file_is_imported_by_walking() -> None:
    for module in pkgutil.walk_packages(mrl.__path__, "mrl."):
        importlib.import_module(module.name)


def test_top_level_names() -> None:
    assert sorted(mrl.__all__) == [
        "AminoAcidVocab",
        "BaseDataset",
        "CharacterReplaceVocab",
        "CharacterVocab",
        "ConditionalDataset",
        "KmerVocab",
        "Loader",
        "MaskedDataset",
        "MaskedLoss",
        "NucleotideVocab",
        "PackedDataset",
        "PairDataset",
        "Ragged",
        "RegexVocab",
        "Rejects",
        "Scaler",
        "SelfiesVocab",
        "SmilesVocab",
        "Table",
        "Text",
        "TextDataset",
        "TextPredictionDataset",
        "VecPredictionDataset",
        "VecReconDataset",
        "VectorDataset",
        "Vocab",
        "__version__",
        "canon_smile",
        "clean",
        "cluster_groups",
        "evaluate",
        "featurize",
        "fragment",
        "fuse",
        "load_sample",
        "randomized",
        "read",
        "scaffold_groups",
        "screen",
        "show",
        "split",
        "to_mol",
    ]
