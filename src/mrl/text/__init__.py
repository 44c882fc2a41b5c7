"""Strings and token ids: patterns, vocabularies, and the files that keep them."""

from mrl.text.constants import (
    HALOGEN_REPLACE,
    MAPPING_REGEX,
    MAPPING_REPLACE,
    MAPPING_TOKENS,
    SMILE_REGEX,
    SMILES_CHAR_VOCAB,
    SPECIAL_TOKENS,
)
from mrl.text.coverage import Coverage, Unknown
from mrl.text.tokenize import (
    regex_tokenize,
    test_reconstruction,
    tokenize_by_character,
    tokenize_with_replacements,
)
from mrl.text.vocab import BOS, EOS, PAD, UNK, Vocab
from mrl.text.vocabs import CharacterReplaceVocab, CharacterVocab, RegexVocab

__all__ = [
    "BOS",
    "EOS",
    "HALOGEN_REPLACE",
    "MAPPING_REGEX",
    "MAPPING_REPLACE",
    "MAPPING_TOKENS",
    "PAD",
    "SMILES_CHAR_VOCAB",
    "SMILE_REGEX",
    "SPECIAL_TOKENS",
    "UNK",
    "CharacterReplaceVocab",
    "CharacterVocab",
    "Coverage",
    "RegexVocab",
    "Unknown",
    "Vocab",
    "regex_tokenize",
    "test_reconstruction",
    "tokenize_by_character",
    "tokenize_with_replacements",
]
