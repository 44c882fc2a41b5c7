"""Prompts of control tokens: labels that no text can spell."""

from __future__ import annotations

import pickle

import pytest

from mrl.data import ConditionalDataset
from mrl.errors import RowError
from mrl.text import SmilesVocab

VOCAB = SmilesVocab(control=["<high>", "<low>", "<high"])
HIGH, LOW, OPEN = VOCAB.control.values()


def dataset(prompts: list[str]) -> ConditionalDataset:
    return ConditionalDataset(["CO"] * len(prompts), prompts, VOCAB, prompts="control")


def test_a_batch_written_out() -> None:
    c, o = VOCAB.numericalize(["C", "O"])
    x, y = dataset(["<high>", "<low><high>", "", "<high"]).batch()
    assert x.tolist() == [
        [0, HIGH, c, o, 1, 2],
        [0, LOW, HIGH, c, o, 1],
        [0, c, o, 1, 2, 2],
        [0, OPEN, c, o, 1, 2],
    ]
    assert y[1].tolist() == [2, 2, c, o, 1, 2]


def test_views_new_and_pickles_keep_the_kind_of_prompts() -> None:
    ds = dataset(["<high>", "<low>", "<low>"])
    for same in (ds, pickle.loads(pickle.dumps(ds)), ds.new(["CO"] * 3, ["<high>", "<low>", "<low>"])):
        assert same.batch([1])[0][0, :2].tolist() == [0, LOW]
    first, _ = ds.split_on_idxs([2, 0], [1])
    assert first.batch()[0][:, 1].tolist() == [LOW, HIGH]
    assert VOCAB.decode(ds.batch()[0]) == ["CO"] * 3
    assert ds.fingerprint() != ConditionalDataset(["CO"] * 3, ["<high>", "<low>", "<low>"], VOCAB).fingerprint()


@pytest.mark.parametrize("prompt", ["<hgih>", "<high> ", "C<low>"])
def test_other_prompts_are_errors_with_a_way_out(prompt: str) -> None:
    with pytest.raises(RowError, match=r"row 1 of column 'condition' is .*expected names of control tokens") as error:
        dataset(["<low>", prompt]).batch()
    assert (error.value.row, error.value.value) == (1, prompt)
    assert ConditionalDataset(["C", "C"], ["<low>", prompt], VOCAB).batch()[0].shape[0] == 2
    with pytest.raises(ValueError, match="prompts is 'labels'; expected 'text' or 'control'"):
        ConditionalDataset(["C"], ["<low>"], VOCAB, prompts="labels")  # type: ignore[arg-type]
