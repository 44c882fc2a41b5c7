"""The notebook's ``mrl.dataloaders``: its 27 names, and those that its cells take from their own star imports.

The classes are defined in `mrl.data` and `mrl.text`; only this module has the notebook's spellings of their names.
"""

from mrl.data import (
    BaseDataset,
    TextDataset,
    TextPredictionDataset,
    batch_sequences,
    lm_collate,
    sequence_prediction_collate,
    vector_collate,
    vector_prediction_collate,
    vector_reconstruction_collate,
)
from mrl.data import VecPredictionDataset as Vec_Prediction_Dataset
from mrl.data import VecReconDataset as Vec_Recon_Dataset
from mrl.data import VectorDataset as Vector_Dataset
from mrl.imports import np, os, partial, pd, re
from mrl.text import (
    HALOGEN_REPLACE,
    MAPPING_REGEX,
    MAPPING_REPLACE,
    MAPPING_TOKENS,
    SMILE_REGEX,
    SMILES_CHAR_VOCAB,
    SPECIAL_TOKENS,
    CharacterReplaceVocab,
    CharacterVocab,
    RegexVocab,
    Vocab,
    regex_tokenize,
    test_reconstruction,
    tokenize_by_character,
    tokenize_with_replacements,
)
from mrl.torch_core import get_device, to_device
from mrl.torch_imports import DataLoader, Dataset, torch

__all__ = [  # noqa: RUF022  the notebook's 27, then those of its star imports
    "BaseDataset",
    "CharacterReplaceVocab",
    "CharacterVocab",
    "HALOGEN_REPLACE",
    "MAPPING_REGEX",
    "MAPPING_REPLACE",
    "MAPPING_TOKENS",
    "RegexVocab",
    "SMILES_CHAR_VOCAB",
    "SMILE_REGEX",
    "SPECIAL_TOKENS",
    "TextDataset",
    "TextPredictionDataset",
    "Vec_Prediction_Dataset",
    "Vec_Recon_Dataset",
    "Vector_Dataset",
    "Vocab",
    "batch_sequences",
    "lm_collate",
    "regex_tokenize",
    "sequence_prediction_collate",
    "test_reconstruction",
    "tokenize_by_character",
    "tokenize_with_replacements",
    "vector_collate",
    "vector_prediction_collate",
    "vector_reconstruction_collate",
    "np",
    "os",
    "partial",
    "pd",
    "re",
    "DataLoader",
    "Dataset",
    "torch",
    "get_device",
    "to_device",
]
