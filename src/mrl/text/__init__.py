"""Strings to token ids and back: patterns, vocabularies, and their files."""

from mrl.kernels import BOS, EOS, PAD, UNK
from mrl.text.compile.segmentation import Segmentation
from mrl.text.constants import (
    HALOGEN_REPLACE,
    MAPPING_PATTERN,
    MAPPING_REGEX,
    MAPPING_REPLACE,
    MAPPING_TOKENS,
    SMILE_REGEX,
    SMILES_CHAR_VOCAB,
    SMILES_PATTERN,
    SPECIAL_TOKENS,
)
from mrl.text.coverage import Coverage, Unknown
from mrl.text.io.file import is_vocab_file
from mrl.text.learning.sampling import TextSample
from mrl.text.tokenize import regex_tokenize, test_reconstruction, tokenize_by_character, tokenize_with_replacements
from mrl.text.vocabs.character import CharacterReplaceVocab, CharacterVocab
from mrl.text.vocabs.regex import RegexVocab
from mrl.text.vocabs.selfies import SelfiesVocab, selfies_to_smiles, smiles_to_selfies
from mrl.text.vocabs.sequences import AminoAcidVocab, KmerVocab, NucleotideVocab
from mrl.text.vocabs.smiles import SmilesVocab
from mrl.text.vocabs.transformed import TransformedVocab, register_transform
from mrl.text.vocabs.vocab import Vocab

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
    "Segmentation",
    "SelfiesVocab",
    "SmilesVocab",
    "TextSample",
    "TransformedVocab",
    "Unknown",
    "Vocab",
    "is_vocab_file",
    "regex_tokenize",
    "register_transform",
    "selfies_to_smiles",
    "smiles_to_selfies",
    "test_reconstruction",
    "tokenize_by_character",
    "tokenize_with_replacements",
]
