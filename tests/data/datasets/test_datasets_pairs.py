"""Generating text from a text, from numbers beside it, and from a prompt in front of it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.data import (
    ConditionalDataset,
    Padding,
    PairDataset,
    dict_collate,
    pair_collate,
    prompt_collate,
    vector_reconstruction_collate,
)
from mrl.errors import ColumnError, RowError
from mrl.ragged import Text
from mrl.text import CharacterVocab, Vocab

VOCAB = CharacterVocab(["C", "O", "+"])
OTHER = CharacterVocab(["N", "C"])


# --- pairs ---------------------------------------------------------------------------------------------------------


def test_pair_collate_written_out() -> None:
    batch = [
        (torch.tensor([0, 5, 1]), torch.tensor([0, 4, 4, 1])),
        (torch.tensor([0, 4, 4, 5, 1]), torch.tensor([0, 1])),
    ]
    (source, x), y = pair_collate(batch, 2)
    assert source.tolist() == [[0, 5, 1, 2, 2], [0, 4, 4, 5, 1]]
    assert x.tolist() == [[0, 4, 4, 1], [0, 1, 2, 2]]
    assert y.tolist() == [[4, 4, 1, 2], [1, 2, 2, 2]]
    (turned, x2), y2 = pair_collate(batch, 2, batch_first=False)
    assert all(a.equal(b.T) and a.is_contiguous() for a, b in ((turned, source), (x2, x), (y2, y)))
    (source, x), y = pair_collate(batch[:1], 2, padding=Padding(side="left", to=5))
    assert (source.tolist(), x.tolist(), y.tolist()) == ([[2, 2, 0, 5, 1]], [[2, 0, 4, 4, 1]], [[2, 4, 4, 1, 2]])
    (source, x), y = pair_collate([], 2)
    assert source.shape == x.shape == y.shape == (0, 0)


def test_each_side_has_its_vocabulary() -> None:
    ds = PairDataset(["CO", "C"], ["N", "CN"], VOCAB, OTHER)
    (source, x), _ = ds.batch()
    assert source.tolist() == [[0, 4, 5, 1], [0, 4, 1, 2]]
    assert x.tolist() == [[0, 4, 1, 2], [0, 5, 4, 1]]
    assert [part.tolist() for part in ds[1]] == [[0, 4, 1], [0, 5, 4, 1]]
    made = dict_collate(ds.__getitems__([1, 0]))
    assert made["input_ids"].tolist() == [[0, 4, 1, 2], [0, 4, 5, 1]]
    assert made["labels"].tolist() == [[0, 5, 4, 1], [0, 4, 1, -100]]
    assert made["lengths"].tolist() == [3, 4]


def test_targets_may_be_left_out_of_new() -> None:
    ds = PairDataset(["CO"], ["N"], VOCAB, OTHER)
    made = ds.new(["CCC", "O"])
    assert (made.vocab, made.target_vocab) == (VOCAB, OTHER)
    (source, x), y = made.batch()
    assert source.tolist() == [[0, 4, 4, 4, 1], [0, 5, 1, 2, 2]]
    assert (x.tolist(), y.tolist()) == ([[0, 1]] * 2, [[1, 2]] * 2)
    assert ds.new(["CCC"], ["NN"]).target.tolist() == ["NN"]
    assert len(ds.new([])) == 0


def test_the_length_of_a_pair_is_that_of_the_longer_text() -> None:
    ds = PairDataset(["C", "CCC", "C"], ["NN", "N", "NNNNN"], VOCAB, OTHER)
    assert ds.lengths().tolist() == [4, 5, 7]
    assert ds.view([2, 0]).lengths().tolist() == [7, 4]
    assert sorted(row for batch in ds.dataloader(1, bucket=True, output="dict") for row in batch["index"].tolist()) == [
        0,
        1,
        2,
    ]
    budget = list(ds.dataloader(1, max_tokens=10))
    assert sorted(len(y) for _, y in budget) == [1, 2]


def test_invalid_pairs_are_named() -> None:
    with pytest.raises(ColumnError, match="source has 2, target has 1"):
        PairDataset(["C", "O"], ["C"], VOCAB)
    with pytest.raises(RowError, match="row 1") as caught:
        PairDataset(["C", "O"], ["C", None], VOCAB)
    assert caught.value.column == "target"
    with pytest.raises(AttributeError, match="the rows were made with 'target_vocab'"):
        PairDataset(["C"], ["C"], VOCAB).target_vocab = OTHER


# --- numbers -------------------------------------------------------------------------------------------------------


class OwnColumn:
    """All that a column needs: a length, rows, a digest."""

    def __init__(self, values: Any) -> None:
        self.values, self.digest = values, "own"

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Any) -> Any:
        return self.values.take(rows) if isinstance(self.values, Text) else self.values[rows]


def test_a_column_of_a_users_class_is_a_condition() -> None:
    ds = ConditionalDataset(["CO", "C"], OwnColumn(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)), VOCAB)
    assert ds.batch([1, 0])[0][1].tolist() == [[3, 4], [1, 2]]
    prompted = ConditionalDataset(["CO", "C"], OwnColumn(Text.of(["O", "CC"])), VOCAB)
    assert prompted.prompted
    assert torch.equal(prompted.batch()[0], ConditionalDataset(["CO", "C"], ["O", "CC"], VOCAB).batch()[0])


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ([0.5, None], [[0.5], [float("nan")]]),
        (np.array([[1, 2], [3, 4]]), [[1.0, 2.0], [3.0, 4.0]]),
        (torch.tensor([[1.0], [2.0]]), [[1.0], [2.0]]),
    ],
)
def test_numbers_are_returned_beside_the_text(condition: Any, expected: Any) -> None:
    ds = ConditionalDataset(["CO", "C"], condition, VOCAB)
    (x, numbers), y = ds.batch()
    assert x.tolist() == [[0, 4, 5, 1], [0, 4, 1, 2]]
    assert y.tolist() == [[4, 5, 1, 2], [4, 1, 2, 2]]
    assert numbers.dtype == torch.float32
    assert np.array_equal(numbers.numpy(), np.array(expected, np.float32), equal_nan=True)
    assert torch.equal(dict_collate(ds.__getitems__([0, 1]))["condition"].nan_to_num(7), numbers.nan_to_num(7))
    missing = ds.new(["C", "O", ""]).batch()[0][1]
    assert missing.shape == (3, numbers.shape[1])
    assert missing.isnan().all()
    assert ds.new([]).new(["C"]).batch()[0][1].shape == (1, numbers.shape[1])
    ids = ds.from_ids([[0, 5, 5, 1], [4, 1]], condition=condition)
    assert [ids[i][1].tolist() for i in range(2)] == [[0, 5, 5, 1], [0, 4, 1]]
    assert torch.equal(ids.batch()[0][1].nan_to_num(7), numbers.nan_to_num(7))
    assert ids.smiles.tolist() == ["OO", "C"]
    assert ds.from_ids([[0, 4, 1]]).batch()[0][1].isnan().all()


def test_numbers_and_prompts_are_not_mixed() -> None:
    with pytest.raises(RowError, match="row 0 of condition is 'O'; expected a number"):
        ConditionalDataset(["C"], [1.0], VOCAB).new(["C"], ["O"])
    with pytest.raises(RowError, match="row 0") as caught:
        ConditionalDataset(["C"], ["O"], VOCAB).new(["C"], [1.0])
    assert caught.value.column == "condition"
    with pytest.raises(ColumnError, match="smiles has 1, condition has 2"):
        ConditionalDataset(["C"], [1.0, 2.0], VOCAB)
    with pytest.raises(ColumnError, match="smiles has 1, condition has 2"):
        ConditionalDataset(["C"], ["O", "O"], VOCAB)


@pytest.mark.parametrize("prompts", [["O", None], [None, "O"], [float("nan"), "O"]])
def test_a_prompt_that_is_missing_is_the_row_that_is_named(prompts: Any) -> None:
    with pytest.raises(RowError, match=r"'condition' is .*, expected a str") as caught:
        ConditionalDataset(["C", "C"], prompts, VOCAB)
    assert caught.value.row == [type(prompt) is str for prompt in prompts].index(False)


# --- prompts -------------------------------------------------------------------------------------------------------

BATCH = [(torch.tensor([0, 6, 6, 4, 1]), torch.tensor([2])), (torch.tensor([0, 4, 1]), torch.tensor([0]))]


def test_prompt_collate_written_out() -> None:
    x, y = prompt_collate(BATCH, 2)
    assert x.tolist() == [[0, 6, 6, 4, 1], [0, 4, 1, 2, 2]]
    assert y.tolist() == [[2, 2, 4, 1, 2], [4, 1, 2, 2, 2]]
    x, y = prompt_collate(BATCH, 2, padding=Padding(to=6, side="left"))
    assert x.tolist() == [[2, 0, 6, 6, 4, 1], [2, 2, 2, 0, 4, 1]]
    assert y.tolist() == [[2, 2, 2, 4, 1, 2], [2, 2, 2, 4, 1, 2]]
    turned = prompt_collate(BATCH, 2, False, padding=Padding(to=6, side="left"))
    assert all(a.equal(b.T) and a.is_contiguous() for a, b in zip(turned, (x, y), strict=True))
    x, y = prompt_collate([], 2)
    assert x.shape == y.shape == (0, 0)
    assert x.dtype == y.dtype == torch.int64


def test_prompts_written_out() -> None:
    ds = ConditionalDataset(["CO", "C", ""], ["++", "", "+"], VOCAB)
    assert [part.tolist() for part in ds[0]] == [[0, 6, 6, 4, 5, 1], [2]]
    assert [part.tolist() for part in ds[2]] == [[0, 6, 1], [1]]
    x, y = ds.batch()
    assert x.tolist() == [[0, 6, 6, 4, 5, 1], [0, 4, 1, 2, 2, 2], [0, 6, 1, 2, 2, 2]]
    assert y.tolist() == [[2, 2, 4, 5, 1, 2], [4, 1, 2, 2, 2, 2], [2, 1, 2, 2, 2, 2]]
    row = [-100, 4, 1]  # bos is never a target of the text in front of it
    for padding, expected in (
        (Padding(side="right"), [*row, -100, -100, -100]),
        (Padding(side="left"), [-100, -100, -100, *row]),
    ):
        made = dict_collate(ds.__getitems__([0, 1]), padding=padding)
        assert made["labels"][0].tolist() == [-100, -100, -100, 4, 5, 1]
        assert made["labels"][1].tolist() == expected
    assert ds.lengths().tolist() == [6, 3, 3]
    assert ds.view([2, 0]).lengths().tolist() == [3, 6]


def test_prompts_left_out_are_empty() -> None:
    ds = ConditionalDataset(["CO", "C"], ["++", "+"], VOCAB).new(["C", "OO"])
    assert ds.condition.tolist() == ["", ""]
    assert ds.batch()[1].tolist() == [[4, 1, 2, 2], [5, 5, 1, 2]]


def test_sampled_ids_follow_their_prompt() -> None:
    ds = ConditionalDataset(["CO", "C"], ["++", "+"], VOCAB).from_ids([[0, 5, 4, 1], [4]], condition=["+", "++"])
    assert [[part.tolist() for part in sample] for sample in ds] == [[[0, 6, 5, 4, 1], [1]], [[0, 6, 6, 4], [2]]]
    assert ds.smiles.tolist() == ["OC", "C"]


def test_a_column_on_disk_may_be_prompts() -> None:
    class OnDisk:
        """A column that is not in memory as a whole."""

        digest = "0"

        def __init__(self, texts: list[str]) -> None:
            self.texts = texts

        def __len__(self) -> int:
            return len(self.texts)

        def __getitem__(self, i: int) -> str:
            return self.texts[i]

        def take(self, rows: Any) -> Text:
            return Text.of([self.texts[i] for i in rows])

    ds = ConditionalDataset(OnDisk(["CO", "C"]), OnDisk(["++", "+"]), VOCAB)
    expected = ConditionalDataset(["CO", "C"], ["++", "+"], VOCAB)
    assert ds.prompted
    for a, b in zip(ds.batch([1, 0]), expected.batch([1, 0]), strict=True):
        assert a.equal(b)
    assert ds.lengths().tolist() == expected.lengths().tolist()


class WithoutSpecials(Vocab):
    """Texts without bos and eos."""

    def tokenize(self, input: str) -> list[str]:
        return list(input)


def test_a_vocabulary_without_bos_and_eos_loses_no_token_of_a_prompt() -> None:
    ds = ConditionalDataset(["CO", "C"], ["++", ""], WithoutSpecials(["C", "O", "+"]))
    x, y = ds.batch()
    assert x.tolist() == [[6, 6, 4, 5], [4, 2, 2, 2]]
    assert y.tolist() == [[2, 4, 5, 2], [2, 2, 2, 2]]
    assert ds.lengths().tolist() == [4, 1]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.text("+O", max_size=5), st.text("CO", max_size=5)), min_size=1, max_size=6),
    st.sampled_from(["right", "left"]),
)
def test_prompts_are_not_predicted_and_texts_are(rows: list[tuple[str, str]], side: Any) -> None:
    prompts, texts = map(list, zip(*rows, strict=True))
    ds = ConditionalDataset(texts, prompts, VOCAB)
    ds.collate_function = partial(prompt_collate, pad_idx=2, padding=Padding(side=side))
    x, y = ds.batch()
    joined = VOCAB.encode([prompt + text for prompt, text in rows])
    assert ds.lengths().tolist() == joined.lengths.tolist()
    for i, (_, text) in enumerate(rows):
        assert x[i][x[i] != 2].tolist() == joined[i].tolist()
        assert y[i][y[i] != 2].tolist() == [*VOCAB.encode([text])[0].tolist()[1:]]
        at = int((x[i] == 1).nonzero()[0, 0])
        assert y[i, at - len(text) - 1 : at].equal(x[i, at - len(text) : at + 1])  # each from the one in front of it


def test_another_collate_function() -> None:
    collate = partial(vector_reconstruction_collate, pad_idx=2, batch_first=False)
    ds = ConditionalDataset(["C"], [1.0], VOCAB, collate).new(["CO"], [2.0])
    assert ds.batch()[0][0].shape == (4, 1)


def test_sampled_targets_are_kept_exactly() -> None:
    ds = PairDataset(["C"], ["CC"], CharacterVocab(["C", "O"]), CharacterVocab(["C", "CC"]))
    made = ds.from_ids([[0, 5, 1, 2], [4, 4, 1, 4]], source=["CO", "O"])
    assert made.source.tolist() == ["CO", "O"]
    assert made.target.tolist() == ["CC", "CC"]
    (source, x), _ = made.batch()
    assert source.tolist() == [[0, 4, 5, 1], [0, 5, 1, 2]]
    assert x.tolist() == [[0, 5, 1, 2], [0, 4, 4, 1]]
    with pytest.raises(TypeError, match="source"):
        ds.from_ids([[0, 5, 1]])
