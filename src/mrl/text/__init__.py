"""Strings and token ids: patterns, vocabularies, and the files that keep them."""

from mrl.text.constants import (
    BOS,
    EOS,
    HALOGEN_REPLACE,
    MAPPING_PATTERN,
    MAPPING_REGEX,
    MAPPING_REPLACE,
    MAPPING_TOKENS,
    PAD,
    SMILE_REGEX,
    SMILES_CHAR_VOCAB,
    SMILES_PATTERN,
    SPECIAL_TOKENS,
    UNK,
)
from mrl.text.coverage import Coverage, Unknown
from mrl.text.selfies import selfies_to_smiles, smiles_to_selfies
from mrl.text.sequences import AminoAcidVocab, KmerVocab, NucleotideVocab, SelfiesVocab
from mrl.text.smiles import SmilesVocab
from mrl.text.tokenize import (
    regex_tokenize,
    test_reconstruction,
    tokenize_by_character,
    tokenize_with_replacements,
)
from mrl.text.transformed import TransformedVocab
from mrl.text.transforms import register_transform
from mrl.text.vocab import Vocab
from mrl.text.vocabs import CharacterReplaceVocab, CharacterVocab, RegexVocab

__all__ = [
    "BOS",
    "EOS",
    "HALOGEN_REPLACE",
    "MAPPING_PATTERN",
    "MAPPING_REGEX",
    "MAPPING_REPLACE",
    "MAPPING_TOKENS",
    "PAD",
    "SMILES_CHAR_VOCAB",
    "SMILES_PATTERN",
    "SMILE_REGEX",
    "SPECIAL_TOKENS",
    "UNK",
    "AminoAcidVocab",
    "CharacterReplaceVocab",
    "CharacterVocab",
    "Coverage",
    "KmerVocab",
    "NucleotideVocab",
    "RegexVocab",
    "SelfiesVocab",
    "SmilesVocab",
    "TransformedVocab",
    "Unknown",
    "Vocab",
    "regex_tokenize",
    "register_transform",
    "selfies_to_smiles",
    "smiles_to_selfies",
    "test_reconstruction",
    "tokenize_by_character",
    "tokenize_with_replacements",
]
