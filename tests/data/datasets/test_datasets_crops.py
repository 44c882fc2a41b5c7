"""Rows that are too long and cropped: a run of their ids, a function of seed, epoch and row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mrl.data import BatchRequest, MaskedDataset, PackedDataset, TextDataset, TextPredictionDataset, concat
from mrl.text import NucleotideVocab

VOCAB = NucleotideVocab()
TEXTS = st.lists(st.text("ACGT", max_size=30), min_size=1, max_size=8)


def rows(ds: Any, epoch: int) -> list[list[int]]:
    return [sample.tolist() for sample in ds.__getitems__(BatchRequest(epoch, np.arange(len(ds))))]


@given(TEXTS, st.integers(1, 12), st.integers(0, 9))
def test_a_crop_is_a_run_of_the_ids_of_its_row(texts: list[str], max_length: int, epoch: int) -> None:
    ds = TextDataset(texts, VOCAB, max_length=max_length, on_long="crop", seed=3)
    whole = VOCAB.encode(texts).tolist()
    assert ds.lengths().tolist() == [min(len(ids), max_length) for ids in whole]
    for ids, cropped in zip(whole, rows(ds, epoch), strict=True):
        assert len(cropped) == min(len(ids), max_length)
        assert any(ids[k : k + len(cropped)] == cropped for k in range(len(ids) - len(cropped) + 1))
    x, y = ds.collate_function(ds.__getitems__(BatchRequest(epoch, np.arange(len(ds)))))
    x2, y2 = ds.collate_function([torch.tensor(row) for row in rows(ds, epoch)])
    assert x.equal(x2)
    assert y.equal(y2)
    plain = ds.without_augmentation()
    assert rows(plain, epoch) == [ids[:max_length] for ids in whole]
    assert plain.without_augmentation() is plain
    assert len(ds.rejects) == 0


def test_every_run_comes_equally_often_whatever_else_is_in_the_batch() -> None:
    ds = TextDataset(["ACGTA", "C" * 40], VOCAB, max_length=4, on_long="crop")
    runs = [tuple(rows(ds, epoch)[0]) for epoch in range(800)]
    whole = VOCAB.encode(["ACGTA"]).tolist()[0]
    counts = [runs.count(tuple(whole[k : k + 4])) for k in range(4)]
    assert sum(counts) == 800
    assert all(150 < count < 250 for count in counts)
    assert [rows(ds.view([0]), epoch)[0] for epoch in range(20)] == [list(run) for run in runs[:20]]


def test_crops_in_other_datasets() -> None:
    crop: dict[str, Any] = {"max_length": 6, "on_long": "crop"}
    masked = MaskedDataset(["ACGT" * 9], VOCAB, **crop)
    x, y = masked.batch()
    assert x.shape == y.shape == (1, 6)
    x, targets = TextPredictionDataset(["ACGT" * 9, "A"], [1.0, 2.0], VOCAB, **crop).batch()
    assert x.shape == (2, 7)
    assert targets.tolist() == [1.0, 2.0]
    reverse = TextDataset(["ACGTACGT"], VOCAB, augment=lambda text, key: text[::-1], **crop)
    assert rows(reverse, 0)[0] != rows(TextDataset(["ACGTACGT"], VOCAB, **crop), 0)[0]
    assert rows(reverse.without_augmentation(), 0) == [VOCAB.encode(["ACGTACGT"]).tolist()[0][:6]]
    one = TextDataset(["ACGTACGTA"], VOCAB, **crop)
    both = concat(one, one.new(["TTTTGGGG"]))
    assert rows(both, 4) == rows(one, 4) + rows(one.new(["TTTTGGGG"]), 4)
    train, valid = TextDataset(["ACGTACGTA"] * 4, VOCAB, **crop).split(0.5)
    assert {tuple(row) for row in rows(valid, 5)} == {tuple(VOCAB.encode(["ACGTACGTA"]).tolist()[0][:6])}
    assert len({tuple(row) for epoch in range(9) for row in rows(train, epoch)}) > 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"on_long": "crop"}, "on_long is 'crop' and max_length None; give the number of ids of a crop"),
        ({"on_long": "crop", "max_length": 0}, "max_length 0; give the number of ids of a crop, 1 or more"),
        ({"on_long": "cut"}, "on_long is 'cut'; expected 'raise', 'reject', 'crop' or Windows"),
    ],
)
def test_settings(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TextDataset(["A"], VOCAB, **settings)


def test_blocks_have_whole_texts() -> None:
    with pytest.raises(ValueError, match="expected 'raise' or 'reject': the texts of a block are whole"):
        PackedDataset(["A"], VOCAB, 8, on_long="crop")  # type: ignore[arg-type]
