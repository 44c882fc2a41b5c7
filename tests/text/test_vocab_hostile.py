"""Vocabulary files with a right checksum that would stop a process, and patterns that would never end."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from mrl.errors import RowError, VocabError, VocabFileError
from mrl.files import seal
from mrl.text import RegexVocab, SmilesVocab, Vocab

AMBIGUOUS = {
    "(?:C+)+X": "C",
    "(a|aa)+$": "aa",
    "(a?b?)*c": "b",
    r"(\w+\s?)*!": "0",
    "(?:(a+)+b)*": "a",
    "((a?){0,100}){0,100}b": "a",
    "(a*)*b": "a",
    "(a+)+(?=b)": "a",
    "^(([a-z])+.)+[A-Z]([a-z])+$": "aa",
    "(?i)(A|aB|b)*c": "ABA",
    "(?s)(.|ab)*c": "ab0",
}
FINE = [
    "(?:C+)+",  # nothing that follows may fail
    r"\[[^]]+]|(?:C+O)+X|Br?",
    "(?:x(a+)+)*",
    "(?:a++)+b",
    "(?>a+)+b",
    r"(?:[A-Z][a-z]?\d*)+\]",
    r"(\w|\d)+x",
    r"(?<=a)(b)(?(1)c|d)\1",
    "(?:Cl|Br|[BCNOFPSI])*(?![a-z])",
]


@pytest.mark.parametrize("pattern", AMBIGUOUS)
def test_a_pattern_whose_time_doubles_with_every_character_is_refused_and_named(pattern: str) -> None:
    with pytest.raises(VocabError, match="may need a time that doubles with every character") as caught:
        RegexVocab([], pattern)
    assert f"the pattern {pattern!r}" in str(caught.value)
    text = re.search(r"a repeat in it can read '(\w+)' in two ways", str(caught.value))
    assert text is not None
    assert text[1] == AMBIGUOUS[pattern]


@pytest.mark.parametrize("pattern", FINE)
def test_other_patterns_are_used(pattern: str) -> None:
    assert "".join(RegexVocab([], pattern).tokenize("C" * 1_000 + "a" * 1_000)[1:-1]) == "C" * 1_000 + "a" * 1_000


def test_the_way_out_of_the_message_works() -> None:
    assert RegexVocab([], "C+X").tokenize("C" * 2_000)[1:-1] == ["C"] * 2_000


SHARED = {
    "a*a*a*b": "a",
    "(?=a)a*a*b": "a",
    "a*?a*b": "a",
    "a{0,100}a{9,}b": "a",
    r"\d+\.?\d*x": "0",
    "(?:ab)*a(?:ba)*x": "baba",
    r"\[[^\]]*H?[^\]]*\]": "0",
    r"\w+\s*\w+(?!x)": "0",
}


@pytest.mark.parametrize("pattern", SHARED)
def test_a_pattern_whose_repeats_share_a_text_is_refused_and_both_are_named(pattern: str) -> None:
    message = "two repeats in it, one after the other, can both read"
    with pytest.raises(VocabError, match=f"{message} {SHARED[pattern]!r}; .* 'a\\*b' for 'a\\*a\\*b'"):
        RegexVocab([], pattern)


@pytest.mark.parametrize(
    "pattern", ["a*b", "a*a*", r"\d+\.?\d*", r"(?:[^\]]*)\][^\]]*x", r"\s+\S+\s*x", "a*b*c", "a+a"]
)
def test_patterns_without_shared_texts_are_used(pattern: str) -> None:
    assert "".join(RegexVocab([], pattern).tokenize("a" * 1_000)[1:-1]) == "a" * 1_000


def test_a_text_that_re_may_read_from_each_of_its_characters_has_a_longest_length() -> None:
    vocab = RegexVocab(["a"], "(?=a)a*b")
    assert vocab.engine == "re"
    texts = ["a", "a" * 10_001]
    for read in (vocab.encode, vocab.update_vocab_from_data, vocab.coverage, lambda rows: vocab.tokenize(rows[1])):
        with pytest.raises(RowError, match=r"10,001 characters; expected at most 10,000: the pattern has look-around"):
            read(texts)
    assert vocab.encode([text[:10_000] for text in texts]).lengths.tolist() == [3, 10_002]  # one way out, and the other
    assert RegexVocab(["a"], "a*b").encode(texts).lengths.tolist() == [3, 10_003]
    assert RegexVocab(["a"], r"(?<!b)a").encode(texts).lengths.tolist() == [
        3,
        10_003,
    ]  # no repeat: `re` takes any length


def forged(path: Path, **changes: Any) -> Path:
    """Write a vocabulary file with other content and the checksum that fits it."""
    document: dict[str, Any] = {
        "format": "mrl-vocabulary",
        "version": 1,
        "specials": ["bos", "eos", "pad", "unk"],
        "kind": "regex",
        "rules": {"pattern": "C"},
        "tokens": ["C"],
    }
    path.write_bytes(seal({**document, **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rules": {"pattern": "(?:C+)+X"}}, "doubles with every character"),
        ({"rules": {"pattern": "(" * 5_000 + ")" * 5_000}}, "not a regular expression"),
        ({"rules": {"pattern": "C{99999999999}"}}, "not a regular expression"),
        ({"rules": {"pattern": "C{4000000000}{4000000000}"}}, "not a regular expression"),
        ({"rules": {"pattern": "(?:(?:C{60000}){60000}){60000}X"}}, "doubles with every character"),
        ({"kind": "kmer", "rules": {"k": 10**9, "remainder": "token", "alphabet": "ACGT"}}, "k is 1000000000"),
        ({"kind": "kmer", "rules": {"k": 10**400, "remainder": "token", "alphabet": "ACGT"}}, "k is 1000000"),
        ({"kind": "kmer", "rules": {"k": 12, "remainder": "token", "alphabet": "ACGT"}}, "words"),
        ({"kind": "kmer", "rules": {"k": 900, "remainder": "raise", "alphabet": "A"}}, "other ids than in the file"),
    ],
)
def test_a_forged_vocabulary_is_an_error_at_once(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(VocabFileError, match=words):
        Vocab.load(forged(tmp_path / "vocab.json", **changes))


def test_a_vocabulary_that_is_no_file_is_an_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # nobody writes to it: reading it would wait for ever
    (tmp_path / "loop").symlink_to("loop")
    for path in ("/dev/zero", tmp_path / "pipe", tmp_path / "loop", tmp_path, tmp_path / "none"):
        with pytest.raises(OSError, match=r"expected a file|symbolic links|No such file"):
            Vocab.load(path)
    SmilesVocab().save(tmp_path / "vocab.json")
    (tmp_path / "link").symlink_to("vocab.json")
    assert Vocab.load(tmp_path / "link").itos == SmilesVocab().itos
    assert json.loads((tmp_path / "vocab.json").read_bytes())["kind"] == "smiles"
