"""`Padding`: widths and sides against literal tensors, and its value."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.data import (
    ConditionalDataset,
    MaskedDataset,
    Padding,
    PairDataset,
    TextDataset,
    TextPredictionDataset,
    dict_collate,
    lm_collate,
    masked_collate,
    pair_collate,
    prompt_collate,
    sequence_prediction_collate,
    vector_reconstruction_collate,
)
from mrl.errors import RowError
from mrl.text import CharacterVocab

VOCAB = CharacterVocab(["C", "O"])
SHORT, LONG = torch.tensor([0, 5, 1]), torch.tensor([0, 5, 4, 4, 1])
ONE = torch.tensor([1])

COLLATES: dict[str, tuple[Any, Any]] = {
    "lm": (lm_collate, SHORT),
    "prediction": (sequence_prediction_collate, (SHORT, torch.tensor([0.5]))),
    "reconstruction": (vector_reconstruction_collate, (torch.tensor([0.5]), SHORT)),
    "pair": (pair_collate, (SHORT, SHORT)),
    "prompt": (prompt_collate, (SHORT, ONE)),
    "masked": (masked_collate, (SHORT, SHORT)),
}


def ids_of(batch: Any) -> list[torch.Tensor]:
    """The tensors of ids of a batch."""
    if isinstance(batch, torch.Tensor):
        return [batch] if batch.dtype == torch.int64 else []
    return [tensor for part in batch for tensor in ids_of(part)]


def test_sides_and_widths_written_out() -> None:
    x, y = lm_collate([SHORT, LONG], 2, padding=Padding(side="left"))
    assert x.tolist() == [[2, 2, 0, 5, 1], [0, 5, 4, 4, 1]]
    assert y.tolist() == [[2, 2, 5, 1, 2], [5, 4, 4, 1, 2]]
    x, y = lm_collate([SHORT], 2, padding=Padding(to=5))
    assert (x.tolist(), y.tolist()) == ([[0, 5, 1, 2, 2]], [[5, 1, 2, 2, 2]])
    x, y = lm_collate([SHORT], 2, padding=Padding(to=5, side="left"))
    assert (x.tolist(), y.tolist()) == ([[2, 2, 0, 5, 1]], [[2, 2, 5, 1, 2]])
    x, y = lm_collate([SHORT, LONG], 2, False, padding=Padding(multiple=4, side="left"))
    assert x.T.tolist() == [[2, 2, 2, 2, 2, 0, 5, 1], [2, 2, 2, 0, 5, 4, 4, 1]]
    assert y.T.tolist() == [[2, 2, 2, 2, 2, 5, 1, 2], [2, 2, 2, 5, 4, 4, 1, 2]]
    x = sequence_prediction_collate([(SHORT, torch.tensor([0.5]))], 2, padding=Padding(side="left"))[0]
    assert x.tolist() == [[2, 0, 5, 1]]
    x = sequence_prediction_collate([(SHORT, torch.tensor([0.5]))], 2, padding=Padding(to=3))[0]  # the width is given
    assert x.tolist() == [[0, 5, 1]]


@pytest.mark.parametrize("name", COLLATES)
def test_every_collate_function_takes_a_width_and_a_side(name: str) -> None:
    collate, sample = COLLATES[name]
    for width, how in ((7, {"to": 7}), (4, {"multiple": 4}), (3, {"to": 3})):
        for side in ("right", "left"):
            for turned in (False, True):
                tensors = ids_of(collate([sample, sample], 2, not turned, padding=Padding(side=side, **how)))
                assert {tuple(t.shape) for t in tensors} == {(width, 2) if turned else (2, width)}
                assert all(t.is_contiguous() for t in tensors)
                inputs = tensors[0].T if turned else tensors[0]
                pad = [2] * (width - 3)
                assert inputs.tolist() == [[*pad, 0, 5, 1] if side == "left" else [0, 5, 1, *pad]] * 2
    assert {t.shape[0] for t in ids_of(collate([], 2, padding=Padding(to=7)))} == {0}
    assert {t.shape[1] for t in ids_of(collate([], 2, padding=Padding(to=7)))} == {7}


@pytest.mark.parametrize("name", COLLATES)
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"to": 2}, r"row 0 of the batch has 3 ids, more than Padding\(to=2\); .* ds\.view\(ds\.lengths\(\) <= 2\)$"),
        ({"to": 0}, r"Padding\(to=0\); expected a whole number, 1 or more"),
        ({"to": 8.5}, r"Padding\(to=8.5\); expected a whole number, 1 or more"),
        ({"multiple": 2.5}, r"Padding\(multiple=2.5\); expected a whole number, 1 or more"),
        ({"to": -1}, r"Padding\(to=-1\); expected a whole number, 1 or more"),
        ({"multiple": 0}, r"Padding\(multiple=0\); expected a whole number, 1 or more"),
        ({"to": 8, "multiple": 4}, "padding to 8 and to a multiple of 4; give one of them"),
        ({"side": "both"}, r"Padding\(side='both'\); expected 'right' or 'left'"),
    ],
)
def test_invalid_paddings_are_named(name: str, how: dict[str, Any], words: str) -> None:
    collate, sample = COLLATES[name]
    with pytest.raises(ValueError, match=words):
        collate([sample], 2, padding=Padding(**how))


def test_a_row_longer_than_the_width_is_named() -> None:
    ds = TextDataset(["C", "CO", "CCC", "OOOO"], VOCAB)
    for batch in ([ds[1], ds[2], ds[3]], ds.__getitems__([1, 2, 3])):
        with pytest.raises(RowError, match=r"row 1 of the batch has 5 ids, more than Padding\(to=4\)") as caught:
            lm_collate(batch, 2, padding=Padding(to=4))
        assert (caught.value.row, caught.value.value) == (1, 5)


def test_collate_functions_name_the_samples_that_they_take() -> None:
    with pytest.raises(ValueError, match=r"masked_collate takes samples of 2 part\(s\), got Tensor of 3"):
        masked_collate([SHORT, SHORT], 2)
    with pytest.raises(ValueError, match=r"pair_collate takes samples of 2 part\(s\), got tuple of 3"):
        pair_collate([(SHORT, SHORT, SHORT)], 2)
    words = r"lm_collate takes samples of 1 part\(s\), those of this dataset have 2: .*targets"
    with pytest.raises(ValueError, match=words):
        lm_collate(MaskedDataset(["C"], VOCAB).__getitems__([0]), 2)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=5),
    st.sampled_from(["right", "left"]),
    st.one_of(st.none(), st.integers(6, 9)),
    st.one_of(st.none(), st.integers(1, 5)),
)
def test_padding_fills_the_places_without_an_id(rows: list[list[int]], side: Any, pad_to: Any, multiple: Any) -> None:
    multiple = None if pad_to else multiple
    x, y = lm_collate([torch.tensor(row) for row in rows], 77, padding=Padding(to=pad_to, multiple=multiple, side=side))
    longest = max(map(len, rows))
    assert x.shape[1] == (pad_to or -(-longest // (multiple or 1)) * (multiple or 1))
    for row, xs, ys in zip(rows, x.tolist(), y.tolist(), strict=True):
        pad = [77] * (x.shape[1] - len(row))
        assert xs == ([*pad, *row] if side == "left" else [*row, *pad])
        assert ys == ([*pad, *row[1:], 77] if side == "left" else [*row[1:], 77, *pad])


def test_a_loader_passes_padding_on() -> None:
    ds = TextDataset(["C", "COC"], VOCAB)
    (x, y), *rest = ds.dataloader(2, padding=Padding(to=6, side="left"))
    assert x.tolist() == [[2, 2, 2, 0, 4, 1], [2, 0, 4, 5, 4, 1]]
    assert y.tolist() == [[2, 2, 2, 4, 1, 2], [2, 4, 5, 4, 1, 2]]
    assert not rest
    batch = next(iter(ds.dataloader(2, padding=Padding(multiple=6, side="left"), output="dict")))
    assert batch["input_ids"].tolist() == x.tolist()
    assert batch["attention_mask"].tolist() == [[0, 0, 0, 1, 1, 1], [0, 1, 1, 1, 1, 1]]
    assert batch["labels"].tolist() == [[-100, -100, -100, 0, 4, 1], [-100, 0, 4, 5, 4, 1]]
    with pytest.raises(RowError, match=r"row 1 of the batch has 5 ids, more than Padding\(to=4\)"):
        list(ds.dataloader(2, padding=Padding(to=4), output="dict"))


@pytest.mark.parametrize(
    "ds",
    [
        TextDataset(["C", "COC"], VOCAB),
        TextPredictionDataset(["C", "COC"], [1, 2], VOCAB),
        PairDataset(["C", "COC"], ["OO", ""], VOCAB),
        ConditionalDataset(["C", "COC"], [1, 2], VOCAB),
        ConditionalDataset(["C", "COC"], ["O", ""], VOCAB),
        MaskedDataset(["C", "COC"], VOCAB, 0.9),
    ],
    ids=lambda ds: type(ds).__name__,
)
@pytest.mark.parametrize("how", [{"to": 9}, {"multiple": 4}, {"side": "left"}], ids=str)
def test_lazy_batches_and_lists_of_samples_are_padded_alike(ds: Any, how: dict[str, Any]) -> None:
    padding = Padding(**how)
    rows_first = partial(ds.collate_function, padding=padding)
    for collate in (rows_first, partial(rows_first, batch_first=False)):
        lazily, listed = collate(ds.__getitems__([1, 0])), collate([ds[1], ds[0]])
        for a, b in zip(ids_of(lazily), ids_of(listed), strict=True):
            assert torch.equal(a, b)
            assert a.stride() == b.stride()
    made = dict_collate(ds.__getitems__([1, 0]), padding=padding)
    assert made["attention_mask"].sum(1).tolist() == made["lengths"].tolist()
    assert (made["input_ids"] == 2).equal(made["attention_mask"] == 0)


# --- a value ---------------------------------------------------------------------------------------------------------


def test_a_padding_is_a_value() -> None:
    assert Padding() == Padding(None, None, "right")
    assert Padding(multiple=8) == Padding(multiple=8) != Padding(to=8)
    assert len({Padding(to=8), Padding(to=8), Padding(to=8, side="left")}) == 2
    assert pickle.loads(pickle.dumps(Padding(to=8, side="left"))) == Padding(to=8, side="left")
    assert repr(Padding(multiple=8)) == "Padding(to=None, multiple=8, side='right')"
    padding = Padding(to=8)
    with pytest.raises(FrozenInstanceError):
        padding.to = 9  # type: ignore[misc]
    assert replace(padding, side="left") == Padding(to=8, side="left")
    with pytest.raises(ValueError, match="give one of them"):
        replace(padding, multiple=4)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(1, 60), st.integers(0, 2))
def test_a_width_holds_every_row_and_is_the_smallest_of_its_kind(lengths: list[int], size: int, extra: int) -> None:
    rows, longest = lambda: np.array(lengths), max(lengths)
    assert Padding().width(rows, longest, extra) == longest + extra
    width = Padding(multiple=size).width(rows, longest, extra)
    assert width % size == 0
    assert width - size < longest + extra <= width
    if longest <= size:
        assert Padding(to=size).width(rows, longest, extra) == size
    else:
        row = next(row for row, length in enumerate(lengths) if length > size)
        words = rf"row {row} of the batch has {lengths[row]} ids, more than Padding\(to={size}\)"
        with pytest.raises(RowError, match=words):
            Padding(to=size).width(rows, longest, extra)
