"""Texts that are not what they seem, and vocabularies that grow in one thread while others use them."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest

from mrl.errors import ColumnError, MrlError, RowError, VocabError
from mrl.ragged import Ragged, Text
from mrl.text import CharacterReplaceVocab, CharacterVocab, KmerVocab, RegexVocab, SmilesVocab, Vocab


class Long(str):
    """A text that says that it is longer than it is."""

    def __len__(self) -> int:
        return 1000

    def encode(self, *_: Any) -> bytes:
        return b"another text"


class Short(Long):
    """A text that says that it is empty."""

    def __len__(self) -> int:
        return 0


class Negative(Long):
    """A text with an impossible length."""

    def __len__(self) -> int:
        return -1  # noqa: PLE0303


VOCABS: list[Vocab] = [
    CharacterVocab("CO"),
    CharacterReplaceVocab(["C", "L"], {"Cl": "L"}),
    RegexVocab(["C"], r"\[[^\]]+]"),
    SmilesVocab(),
]


@pytest.mark.parametrize("kind", [Long, Short, Negative])
@pytest.mark.parametrize("n", [1, 30_000])
@pytest.mark.parametrize("text", ["CO", "Cé"])
def test_texts_are_read_by_their_characters_and_not_by_a_len_of_their_own(kind: type[str], n: int, text: str) -> None:
    rows = [kind(text), "O"] * n
    assert Text.of(rows) == Text.of([text, "O"] * n)
    vocab = SmilesVocab()
    assert vocab.encode(rows) == vocab.encode([text, "O"] * n)


def test_rows_of_ids_with_a_len_of_their_own_are_an_error() -> None:
    class Row(list[int]):
        def __len__(self) -> int:
            return 1

    with pytest.raises(ColumnError, match="the rows have 3 values, but their lengths add up to 1"):
        Ragged.from_rows([Row([0, 4, 1])], "uint8")


@pytest.mark.slow
def test_a_list_that_another_thread_changes_is_encoded_as_it_was_at_some_moment() -> None:
    vocab, ended = CharacterVocab("CO"), threading.Event()
    rows = ["C"] * 30_000

    def change() -> None:
        while not ended.is_set():
            for i in range(0, len(rows), 7):
                rows[i] = "CO" * 500 if rows[i] == "C" else "C"

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(1) as pool:
            changing = pool.submit(change)
            for _ in range(20):
                assert set(vocab.decode(vocab.encode(rows))) <= {"C", "CO" * 500}
                assert set(Text.of(rows).tolist()) <= {"C", "CO" * 500}
            ended.set()
            changing.result()
    finally:
        ended.set()
        sys.setswitchinterval(interval)


@pytest.mark.parametrize("vocab", VOCABS, ids=repr)
@pytest.mark.parametrize("value", ["C\ud800", None, b"CO", ["C"], 3])
def test_what_is_not_a_text_is_the_same_error_one_by_one_and_in_a_column(vocab: Vocab, value: Any) -> None:
    for call in (vocab.tokenize, vocab.spans, lambda each: vocab.encode([each])):
        with pytest.raises(RowError, match=r"row 0 of column '\w+' is "):
            call(value)


def test_missing_values_of_arrow_are_an_error() -> None:
    with pytest.raises(RowError, match="row 0 of column 'smiles' is None"):
        SmilesVocab().encode(pa.nulls(2))


@pytest.mark.parametrize("make", [set, frozenset, lambda rows: iter(set(rows))], ids=["set", "frozenset", "iterator"])
def test_sets_have_no_order_of_rows(make: Callable[[list[str]], Any]) -> None:
    calls = (Text.of, SmilesVocab().encode, SmilesVocab().coverage, SmilesVocab().update_vocab_from_data)
    for call in calls:
        with pytest.raises(ColumnError, match="expected one value per row in an order: make it a list"):
            call(make(["C", "O"]))


@pytest.mark.parametrize(
    ("k", "words"),
    [
        (["ATG"], r"k is \['ATG'\]; expected a whole number.* as in KmerVocab\(3\), and are not given"),
        (3.0, "expected a whole number"),
        (True, "expected a whole number"),
        (10**9, "k is 1000000000; expected at most 1000"),
        (100, "more than a trillion words"),
    ],
)
def test_k_is_a_number_of_letters(k: Any, words: str) -> None:
    with pytest.raises(VocabError, match=words):
        KmerVocab(k)


class Words(Vocab):
    """A vocabulary with methods of its own."""

    def tokenize(self, input: str) -> list[str]:
        return ["bos", *input.split(" "), "eos"]


def in_threads(*calls: Callable[[], None]) -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(len(calls)) as pool:
            for future in [pool.submit(call) for call in calls]:
                future.result()
    finally:
        sys.setswitchinterval(interval)


def batches(n: int) -> Iterator[list[str]]:
    return ([f"w{i * 40 + k}" for k in range(40)] for i in range(n))


@pytest.mark.slow
@pytest.mark.parametrize("make", [Words, lambda tokens: RegexVocab(tokens, r"w\d+")], ids=["methods", "table"])
def test_a_vocabulary_grows_while_other_threads_encode(make: Callable[[list[str]], Vocab]) -> None:
    vocab = make(["w0"])
    problems: list[MrlError] = []

    def grow() -> None:
        for words in batches(30):
            vocab.update_vocab_from_data(words)

    def encode() -> None:
        for _ in range(150):
            try:
                ids = vocab.encode(["w0", "w39", "w1199"], on_unknown="unk")
            except MrlError as error:
                problems.append(error)
            else:
                assert ids[0].tolist() == [0, 4, 1]
                assert {vocab.itos[row[1]] for row in ids} <= {"w0", "w39", "w1199", "unk"}

    in_threads(grow, grow, encode, encode)
    assert not problems
    assert sorted(vocab.itos[4:]) == sorted(f"w{i}" for i in range(1200))
    assert [vocab.stoi[token] for token in vocab.itos] == list(range(len(vocab)))


@pytest.mark.slow
def test_unknown_tokens_are_counted_once_each_while_other_threads_encode() -> None:
    vocab = Words(["a"])

    def count() -> None:
        for _ in range(2000):
            vocab.numericalize(["b"])

    def encode() -> None:
        for _ in range(500):
            vocab.encode(["a b c"], on_unknown="unk")

    in_threads(count, encode, count, encode)
    assert vocab.unks == Counter({"b": 4000})
