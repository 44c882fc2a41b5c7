"""Windows over long rows: every id is in one, the map says where, and predictions come back to the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mrl.data import MaskedDataset, TextDataset, TextPredictionDataset, Windows, concat, split
from mrl.errors import ColumnError, DatasetError
from mrl.text import NucleotideVocab, SmilesVocab

VOCAB = NucleotideVocab()
TEXTS = st.lists(st.text("ACGT", max_size=30), min_size=1, max_size=6)


@given(TEXTS, st.integers(1, 9), st.integers(0, 8), st.sampled_from(["mean", "first", "center"]))
def test_windows_are_runs_of_the_ids_and_give_them_back(texts: list[str], width: int, less: int, by: Any) -> None:
    stride = max(width - less, 1)
    ds = TextDataset(texts, VOCAB, max_length=width, on_long=Windows(stride))
    whole = [row.tolist() for row in VOCAB.encode(texts)]
    windows = ds.windows
    assert windows is not None
    assert ds.kept.tolist() == windows.rows.tolist()
    assert windows.distinct_rows.tolist() == list(range(len(texts)))
    for row, offset, length, ids in zip(windows.rows, windows.offsets, windows.lengths, ds, strict=True):
        assert ids.tolist() == whole[row][offset : offset + length]
        assert length == width or offset + length == len(whole[row])
        assert offset % stride == 0
    x, y = ds.batch()
    samples = ds.collate_function([ds[i] for i in range(len(ds))])
    assert x.equal(samples[0])
    assert y.equal(samples[1])
    assert [row.tolist() for row in windows.stitch(x, by)] == whole
    again = ds.new(ds.smiles).batch()
    assert x.equal(again[0])
    assert y.equal(again[1])


def test_where_windows_overlap_one_value_is_chosen() -> None:
    windows = Windows(2).cut(np.array([7]), 4)
    values = np.arange(3)[:, None] + np.zeros(4)
    assert windows.stitch(values, "first")[0].tolist() == [0, 0, 0, 0, 1, 1, 2]
    assert windows.stitch(values, "center")[0].tolist() == [0, 0, 0, 1, 1, 2, 2]
    assert windows.stitch(values)[0].tolist() == [0, 0, 0.5, 0.5, 1.5, 1.5, 2]
    assert windows.take(np.array([2])).stitch(values[2:])[0][3:].tolist() == pytest.approx(
        [np.nan, 2, 2, 2], nan_ok=True
    )


def test_labels_and_predictions_of_rows() -> None:
    ds = TextPredictionDataset(["ACGTACGT", "AC", "GGGGGGGG"], [1.0, 2.0, 3.0], VOCAB, max_length=5, on_long=Windows())
    assert ds.y_vals.tolist() == [1, 1, 2, 3, 3]
    y = ds.batch()[1]
    windows: Any = ds.windows
    assert windows.combine(y, "max").tolist() == [1, 2, 3]
    assert windows.combine(torch.stack([y, 2 * y], 1), "sum").tolist() == [[2, 4], [2, 4], [6, 12]]
    assert ds.new(*ds.columns.values()).y_vals.tolist() == ds.y_vals.tolist()
    view: Any = ds.view([4, 2])
    assert (view.windows.rows.tolist(), view.windows.combine([5, 6]).tolist()) == ([2, 1], [6, 5])
    both: Any = concat(ds, ds.new(["TTTT"], [4.0]))
    assert (both.windows.rows.tolist(), both.smiles[5]) == ([0, 0, 1, 2, 2, 3, 3], "TTTT")
    sampled: Any = ds.from_ids([[0, *[4] * 8, 1], [0, 1]])
    assert (sampled.windows.rows.tolist(), sampled[1][0].tolist()) == ([0, 0, 1], [4, 4, 4, 4, 1])


def test_a_split_keeps_the_windows_of_a_text_together() -> None:
    ds = TextDataset(["ACGT" * k for k in range(1, 11)], VOCAB, max_length=5, on_long=Windows(3))
    windows: Any = ds.windows
    both: list[tuple[Any, ...]] = [ds.split(0.3), split(ds, (0.7, 0.3))]
    for parts in both:
        rows = [set(part.windows.rows.tolist()) for part in parts]
        assert not rows[0] & rows[1]
        assert sum(map(len, parts)) == len(ds) == len(windows)
    assert [len(set(part.windows.rows.tolist())) for part in both[0]] == [7, 3]
    with pytest.raises(ValueError, match="split the texts first"):
        split(ds, (0.5, 0.5), sort_by=range(len(ds)))


def test_masks_are_those_of_the_window() -> None:
    ds = MaskedDataset(["ACGT" * 9], VOCAB, max_length=6, on_long=Windows(6), rate=0.5)
    masked = [(y != -100).tolist() for _, y in ds]
    assert len({tuple(row) for row in masked[1:-1]}) > 1
    assert all(any(row) for row in masked)


def test_tokens_that_are_learned_later_are_an_error() -> None:
    vocab = SmilesVocab()
    ds = TextDataset(["C[13CH3]CCCC"], vocab, max_length=4, on_long=Windows())
    ds.batch()
    vocab.update_vocab_from_data(["[13CH3]"])
    with pytest.raises(DatasetError, match=r"make the dataset again: ds.new\(texts\)"):
        ds.batch()
    assert ds.new(["C[13CH3]CCCC"]).batch()[0].shape == (2, 4)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"on_long": Windows()}, "max_length None; give the number of ids of a window"),
        ({"on_long": Windows(5), "max_length": 4}, "stride is 5; expected at most 4"),
        ({"on_long": Windows(), "max_length": 4, "augment": str}, "leave out augment"),
    ],
)
def test_settings(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        TextDataset(["A"], VOCAB, **settings)


def test_what_does_not_fit() -> None:
    for stride in (0, 1.5, True):
        with pytest.raises(ValueError, match=f"stride is {stride}; expected an integer of 1 or more"):
            Windows(stride)  # type: ignore[arg-type]
    ds = TextDataset(["ACGTACGT"], VOCAB, max_length=6, on_long=Windows())
    with pytest.raises(DatasetError, match="give the texts themselves"):
        TextDataset(ds.smiles, VOCAB)
    with pytest.raises(ColumnError, match="more than max_length 3"):
        TextDataset(ds.smiles, VOCAB, max_length=3, on_long=Windows())
    windows: Any = ds.windows
    calls: list[Callable[[], object]] = [
        lambda: windows.combine([1]),
        lambda: windows.stitch([[1], [2]]),
        lambda: windows.combine([1, 2], "no"),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="expected"):
            call()
