"""mrl: the data layer for machine learning on molecules in PyTorch. Lossless or loud.

Names resolve when they are first used, so that ``import mrl`` costs nothing.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # as in typing, which costs more to import than everything else here
if TYPE_CHECKING:
    from typing import Any

    from mrl.chem import (
        canon_smile,
        clean,
        cluster_groups,
        evaluate,
        fragment,
        fuse,
        randomized,
        scaffold_groups,
        screen,
        to_mol,
    )
    from mrl.corpus import Table, load_sample, read
    from mrl.data import (
        BaseDataset,
        ConditionalDataset,
        Loader,
        MaskedDataset,
        PackedDataset,
        PairDataset,
        TextDataset,
        TextPredictionDataset,
        VecPredictionDataset,
        VecReconDataset,
        VectorDataset,
        split,
    )
    from mrl.features import featurize
    from mrl.nn import MaskedLoss, Scaler
    from mrl.ragged import Ragged, Rejects, Text
    from mrl.report import show
    from mrl.text import (
        AminoAcidVocab,
        CharacterReplaceVocab,
        CharacterVocab,
        KmerVocab,
        NucleotideVocab,
        RegexVocab,
        SelfiesVocab,
        SmilesVocab,
        Vocab,
    )

__version__ = "0.1.0"

_HOMES = {
    "chem": (
        "canon_smile",
        "clean",
        "cluster_groups",
        "evaluate",
        "fragment",
        "fuse",
        "randomized",
        "scaffold_groups",
        "screen",
        "to_mol",
    ),
    "corpus": ("Table", "load_sample", "read"),
    "data": (
        "BaseDataset",
        "ConditionalDataset",
        "Loader",
        "MaskedDataset",
        "PackedDataset",
        "PairDataset",
        "TextDataset",
        "TextPredictionDataset",
        "VecPredictionDataset",
        "VecReconDataset",
        "VectorDataset",
        "split",
    ),
    "features": ("featurize",),
    "nn": ("MaskedLoss", "Scaler"),
    "ragged": ("Ragged", "Rejects", "Text"),
    "report": ("show",),
    "text": (
        "AminoAcidVocab",
        "CharacterReplaceVocab",
        "CharacterVocab",
        "KmerVocab",
        "NucleotideVocab",
        "RegexVocab",
        "SelfiesVocab",
        "SmilesVocab",
        "Vocab",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
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


def __getattr__(name: str) -> Any:
    if (home := _HOME.get(name)) is None:
        raise AttributeError(f"module 'mrl' has no attribute {name!r}; it has {', '.join(sorted(_HOME))}")
    value = getattr(importlib.import_module(f"mrl.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
