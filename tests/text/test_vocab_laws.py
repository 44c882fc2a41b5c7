"""For every text and every vocabulary: nothing is lost, ids never change, new tokens are ordered by count and text."""

from __future__ import annotations

import pickle
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.text import (
    HALOGEN_REPLACE,
    MAPPING_PATTERN,
    MAPPING_REGEX,
    MAPPING_REPLACE,
    SMILE_REGEX,
    SMILES_CHAR_VOCAB,
    SMILES_PATTERN,
    SPECIAL_TOKENS,
    CharacterReplaceVocab,
    CharacterVocab,
    RegexVocab,
    Vocab,
    regex_tokenize,
    test_reconstruction,
    tokenize_with_replacements,
)

VOCABULARIES: dict[str, Callable[[], Vocab]] = {
    "character": lambda: CharacterVocab(SMILES_CHAR_VOCAB),
    "halogens": lambda: CharacterReplaceVocab(SMILES_CHAR_VOCAB, HALOGEN_REPLACE),
    "mapping": lambda: CharacterReplaceVocab(SMILES_CHAR_VOCAB, MAPPING_REPLACE),
    "swapped": lambda: CharacterReplaceVocab([], {"C": "N", "N": "C", "bos": "\\", "\\N": "R", "CC": "e"}),
    "smile regex": lambda: RegexVocab(SMILES_CHAR_VOCAB, SMILE_REGEX),
    "mapping regex": lambda: RegexVocab(SMILES_CHAR_VOCAB, MAPPING_REGEX),
    "smiles pattern": lambda: RegexVocab(SMILES_CHAR_VOCAB, SMILES_PATTERN),
    "mapping pattern": lambda: RegexVocab(SMILES_CHAR_VOCAB, MAPPING_PATTERN),
    "any run": lambda: RegexVocab([], r"(?s).+?(?=C)|[a-z]+"),
}
PIECES = [
    *SMILES_CHAR_VOCAB,
    *SPECIAL_TOKENS,
    *("[nH]", "[C@@H]", "[Si]", "[10*:1]", "[1*:1]", "Br", "Cl", "R", "L", "A", "\\R", "%12", "%(100)", "\n", " ", "−"),
    "\n" + " " * 17 + "#",
]
TEXTS = st.text(max_size=30) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
COLUMNS = st.lists(TEXTS, max_size=8)
PATTERNS = [
    "",
    "C*",
    "(C)l|(B)r",
    "(?=C)",
    r"\w+",
    "bos|C",
    "^C",
    "[^C]+",
    "(?i)cl",
    r"\bC+\b",
    ".",
    "(?<=C)l",
    "|C",
    "é?",
]

laws = settings(deadline=None, max_examples=15)
each_vocabulary = pytest.mark.parametrize("kind", VOCABULARIES)


@each_vocabulary
@laws
@given(texts=COLUMNS)
def test_what_was_learned_comes_back(kind: str, texts: list[str]) -> None:
    vocab = VOCABULARIES[kind]()
    vocab.update_vocab_from_data(texts)
    ids = vocab.encode(texts, on_unknown="raise")
    assert vocab.decode(ids) == vocab.decode_bytes(ids).tolist() == texts
    assert ids.tolist() == [vocab.numericalize(vocab.tokenize(text)) for text in texts]
    assert test_reconstruction(vocab, texts) == []
    assert not vocab.unks


@each_vocabulary
@laws
@given(texts=COLUMNS)
def test_tokens_spell_their_text_and_only_unknown_ones_are_lost(kind: str, texts: list[str]) -> None:
    vocab = VOCABULARIES[kind]()
    ids = vocab.encode(texts, on_unknown="unk").tolist()
    for text, row, back in zip(texts, ids, vocab.decode(ids), strict=True):
        tokens = vocab.tokenize(text)
        assert (tokens[0], tokens[-1]) == ("bos", "eos")
        assert not {*tokens[1:-1]} & {*SPECIAL_TOKENS}
        assert "".join(map(vocab.token_text, tokens[1:-1])) == text
        assert row == [vocab.stoi.get(token, 3) for token in tokens]
        assert back == "".join(
            "\ufffd" if token not in vocab.stoi else vocab.token_text(token) for token in tokens[1:-1]
        )
    assert not vocab.unks  # encode does not change the vocabulary


@pytest.mark.parametrize("pattern", [SMILE_REGEX, MAPPING_REGEX, SMILES_PATTERN, MAPPING_PATTERN, *PATTERNS])
@laws
@given(text=TEXTS)
def test_tokens_are_the_matches_and_the_gaps_by_character(pattern: str, text: str) -> None:
    regex = re.compile(pattern)
    tokens = regex_tokenize(text, regex)
    assert "".join(tokens) == text
    expected: list[str] = []
    at = 0
    while at < len(text):
        found = regex.match(text, at)
        piece = (found and found[0]) or text[at]  # an empty match is ignored
        expected += piece if piece in SPECIAL_TOKENS else [piece]
        at += len(piece)
    assert tokens == expected
    if regex.fullmatch("") is None and not {*SPECIAL_TOKENS} & {match[0] for match in regex.finditer(text)}:
        # Where no match is empty this is what re's own search finds, and the characters between.
        inside = [(match.start(), match.end()) for match in regex.finditer(text) if match[0]]
        edges = sorted({*range(len(text) + 1)} - {i for a, b in inside for i in range(a + 1, b)})
        assert tokens == [text[a:b] for a, b in pairwise(edges)]


@laws
@given(
    text=st.text("ABCab", max_size=20),
    keys=st.lists(st.text("ABCab", min_size=1, max_size=3), unique=True, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_replacing_is_one_pass_by_the_longest_key(text: str, keys: list[str], order: object) -> None:
    characters = order.sample("ABCabxyz", len(keys))  # type: ignore[attr-defined]
    replacements = dict(zip(keys, characters, strict=True))
    expected, at = [], 0
    while at < len(text):
        key = max((key for key in keys if text.startswith(key, at)), key=len, default="")
        character = text[at]
        expected.append(replacements[key] if key else "\\" + character if character in characters else character)
        at += len(key) or 1
    assert tokenize_with_replacements(text, replacements) == expected
    vocab = CharacterReplaceVocab([], replacements)
    vocab.update_vocab_from_data([text])
    assert vocab.decode(vocab.encode([text], on_unknown="raise")) == [text]


@each_vocabulary
@laws
@given(text=TEXTS, places=st.lists(st.integers(0, 40), max_size=5), tail=st.lists(st.integers(0, 3), max_size=3))
def test_padding_and_bos_anywhere_and_everything_after_eos_are_ignored(
    kind: str, text: str, places: list[int], tail: list[int]
) -> None:
    vocab = VOCABULARIES[kind]()
    vocab.update_vocab_from_data([text])
    ids = vocab.encode([text])[0].tolist()
    for i, place in enumerate(places):
        ids.insert(min(place, len(ids)), (0, 2)[i % 2])
    assert vocab.reconstruct(ids + tail) == text


@each_vocabulary
@laws
@given(parts=st.lists(COLUMNS, max_size=4))
def test_an_id_never_changes_its_token(kind: str, parts: list[list[str]]) -> None:
    vocab = VOCABULARIES[kind]()
    for texts in parts:
        before, digest = list(vocab.itos), vocab.fingerprint()
        unknown = Counter(t for text in texts for t in vocab.tokenize(text) if t not in vocab.stoi)
        added = vocab.update_vocab_from_data(texts)
        assert vocab.itos == before + sorted(unknown, key=lambda token: (-unknown[token], token))
        assert added == len(unknown)
        assert vocab.stoi == {token: i for i, token in enumerate(vocab.itos)}
        assert vocab.fingerprint(len(before)) == digest
        assert (vocab.fingerprint() == digest) == (not added)


@each_vocabulary
@laws
@given(texts=COLUMNS, order=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(kind: str, texts: list[str], order: object) -> None:
    vocab, other = VOCABULARIES[kind](), VOCABULARIES[kind]()
    vocab.update_vocab_from_data(texts)
    order.shuffle(texts)  # type: ignore[attr-defined]
    other.update_vocab_from_data(iter(texts))
    assert vocab == other
    third = VOCABULARIES[kind]()
    for text in texts:  # counting first and adding later is the same
        third.numericalize(third.tokenize(text))
    third.update_vocab()
    assert third == vocab
    assert not third.unks


@each_vocabulary
def test_a_pickled_vocabulary_is_the_same(kind: str) -> None:
    vocab = VOCABULARIES[kind]()
    vocab.numericalize(["?"])
    other = pickle.loads(pickle.dumps(vocab))
    assert other == vocab
    assert other.unks == {"?": 1}
    texts = ["CC[Br]", "C[nH]R", "[1*:1]"]
    assert other.tokenize(texts[0]) == vocab.tokenize(texts[0])
    assert other.update_vocab_from_data(texts) == vocab.update_vocab_from_data(texts)
    assert other == vocab
    assert other.encode(texts) == vocab.encode(texts)
    other.update_vocab_from_data(["\N{SNOWMAN}"])
    assert other != vocab
