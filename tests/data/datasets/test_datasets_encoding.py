"""Encoding: once, when it is needed, again after the vocabulary has grown; rows that are too long."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch

from mrl.data import (
    TextDataset,
    TextPredictionDataset,
)
from mrl.errors import RowError, UnknownTokenWarning
from mrl.ragged import Ragged
from mrl.text import CharacterVocab, Vocab

VOCAB = CharacterVocab("CON=")
SMILES = ["C", "CO", "N=O", "CC"]


def rows_of(ds: Any) -> list[list[int]]:
    return [ids.tolist() for ids in ds]


# --- on_long -------------------------------------------------------------------------------------------------------


def test_long_rows_raise_or_are_rejected() -> None:
    with pytest.raises(
        RowError, match=r"row 2: 'N=O' has 5 tokens, more than max_length 4; raise .* on_long='reject'"
    ) as e:
        TextDataset(SMILES, VOCAB, max_length=4)
    assert (e.value.row, e.value.column, e.value.value) == (2, "smiles", "N=O")
    ds = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB, max_length=4, on_long="reject")
    assert (ds.smiles.tolist(), ds.y_vals.tolist(), ds.kept.tolist()) == (["C", "CO", "CC"], [1, 2, 4], [0, 1, 3])
    assert [tuple(r) for r in ds.rejects] == [(2, "N=O", "length", "too long: 5 tokens, more than max_length 4")]
    assert len(ds) + len(ds.rejects) == len(SMILES)
    assert "3 rows of smiles, y_vals, 1 rejected" in repr(ds)
    view = ds.view([2, 0])
    assert (view.kept.tolist(), view.batch()[1].tolist(), view.rejects) == ([3, 0], [4, 1], ds.rejects)
    assert [ids.tolist() for ids, _ in view] == [[0, 4, 4, 1], [0, 4, 1]]
    with pytest.raises(ValueError, match="on_long is 'cut'; expected 'raise', 'reject', 'crop' or Windows"):
        TextDataset(SMILES, VOCAB, on_long="cut")  # type: ignore[arg-type]
    assert len(TextDataset(["CCC"], VOCAB, max_length=4, on_long="reject")) == 0
    assert len(TextDataset(["CCC"], VOCAB, max_length=4, on_long="reject").batch()[0]) == 0


# --- encoding ------------------------------------------------------------------------------------------------------


class Counting(CharacterVocab):
    """Counts the texts that it encodes."""

    texts = 0

    def encode(self, strings: Any, **settings: Any) -> Ragged:
        type(self).texts += len(strings)
        return super().encode(strings, **settings)


def test_texts_are_encoded_once_and_only_when_needed() -> None:
    Counting.texts = 0
    ds = TextDataset(SMILES * 10, Counting("CON="))
    train, valid = ds.split(0.5)
    assert Counting.texts == 0
    for part in (train, valid, ds, train.view([0, 1])):
        for _ in range(2):
            list(part.dataloader(7, shuffle=True))
    assert Counting.texts == 40


def test_texts_with_unknown_tokens_are_encoded_again_after_the_vocabulary_has_grown() -> None:
    vocab = CharacterVocab("C")
    ds = TextDataset(["CF", "C"], vocab)
    view = ds.view([0])
    with pytest.warns(UnknownTokenWarning, match="'F'"):
        assert ds[0].tolist() == [0, 4, 3, 1]
    assert view.batch()[0].tolist() == [[0, 4, 3, 1]]
    vocab.update_vocab_from_data(ds.smiles)
    assert ds[0].tolist() == [0, 4, 5, 1]
    assert view.batch()[0].tolist() == [[0, 4, 5, 1]]


def test_ids_of_a_vocabulary_that_grew_past_256_tokens() -> None:
    vocab = CharacterVocab([chr(0x4E00 + i) for i in range(250)])
    text = chr(0x9000)
    ds = TextDataset([text + "一"], vocab)
    with pytest.warns(UnknownTokenWarning):
        assert ds[0].tolist() == [0, 3, 4, 1]
    vocab.update_vocab_from_data([chr(0x8000 + i) for i in range(50)] + [text])
    assert ds[0].tolist() == [0, vocab.stoi[text], 4, 1]
    assert vocab.stoi[text] > 255


def test_known_text_is_encoded_again_where_new_tokens_change_its_segments() -> None:
    class Longest(Vocab):
        def tokenize(self, input: str) -> list[str]:
            tokens = ["bos"]
            while input:
                token = next((t for t in sorted(self.itos, key=len, reverse=True) if input.startswith(t)), input[0])
                tokens.append(token)
                input = input[len(token) :]
            return [*tokens, "eos"]

    vocab = Longest(["C", "l"])
    ds = TextDataset(["CCl"], vocab)
    assert ds[0].tolist() == [0, 4, 4, 5, 1]
    vocab.unks["Cl"] += 1
    vocab.update_vocab()
    assert ds[0].tolist() == [0, 4, 6, 1]


def test_columns_that_are_not_in_memory_are_encoded_batch_by_batch() -> None:
    class OnDisk:
        digest = "0"

        def __init__(self) -> None:
            self.taken: list[int] = []

        def __len__(self) -> int:
            return 100_000

        def take(self, rows: Any) -> Any:
            self.taken.append(len(rows))
            return TextDataset([("C" * (1 + int(i) % 5)) for i in rows], VOCAB).smiles

        def __getitem__(self, i: int) -> str:
            return str(self.take([i])[0])

    column = OnDisk()
    ds = TextDataset(column, VOCAB)
    assert len(ds) == 100_000
    assert ds.view([7, 99_999]).batch()[0].tolist() == [[0, 4, 4, 4, 1, 2, 2], [0, 4, 4, 4, 4, 4, 1]]
    assert ds[1].tolist() == [0, 4, 4, 1]
    assert column.taken == [2, 1]
    assert ds.lengths()[:6].tolist() == [3, 4, 5, 6, 7, 3]
    assert max(column.taken) < 100_000


def test_pickled_datasets_are_the_same() -> None:
    ds = TextPredictionDataset(SMILES, [1, 2, 3, 4], VOCAB, max_length=4, on_long="reject")
    for one in (ds, ds.view([1]), ds.new(["C"])):
        other = pickle.loads(pickle.dumps(one))
        assert repr(other) == repr(one)
        for found, expected in zip(other.batch(), one.batch(), strict=True):
            assert torch.equal(found.nan_to_num(-7), expected.nan_to_num(-7))
        assert other.kept.tolist() == one.kept.tolist()


class WholeTexts(CharacterVocab):
    """A text is one token if that is known, else a token for each character."""

    def tokenize(self, input: str) -> list[str]:
        return ["bos", *([input] if input in self.stoi else input), "eos"]


def test_texts_are_encoded_again_after_a_vocabulary_of_the_user_has_grown() -> None:
    ds = TextDataset(["CO"], WholeTexts(["C", "O"]))
    assert rows_of(ds) == [[0, 4, 5, 1]]
    ds.vocab.unks["CO"] = 1
    assert ds.vocab.update_vocab() == 1
    assert rows_of(ds) == [[0, 6, 1]]
    assert ds.batch()[0].tolist() == [[0, 6, 1]]
