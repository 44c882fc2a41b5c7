"""Rows collated at once are the samples collated; a dataset of a dataset's own columns is that dataset."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils.data import default_collate

from mrl.data import (
    BaseDataset,
    BatchRequest,
    ConditionalDataset,
    MaskedDataset,
    PackedDataset,
    PairDataset,
    TextDataset,
    TextPredictionDataset,
    VecPredictionDataset,
    VecReconDataset,
    VectorDataset,
    dict_collate,
)
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CON=()1c≡")
TEXTS = st.lists(st.text("CON=()1c≡", max_size=9), min_size=1, max_size=9)
NUMBERS = st.one_of(st.none(), st.floats(-9, 9, width=32))


def count_letters(text: str) -> list[float]:
    return [len(text), text.count("C"), text.count("=") / 2]


count_letters.checks_text = True  # type: ignore[attr-defined]


def rotate(text: str, key: int) -> str:
    """An augmentation that shows its key."""
    return text[key % 7 :] + text[: key % 7]


@st.composite
def datasets(draw: st.DrawFn) -> BaseDataset:
    """Any kind of dataset, of any rows, as made or as a view of a view."""
    texts = draw(TEXTS)
    others = draw(st.lists(st.text("CO", max_size=4), min_size=len(texts), max_size=len(texts)))
    n = len(texts)
    targets = draw(st.one_of(st.none(), st.integers(1, 3)))
    y: list[Any] = draw(
        st.lists(NUMBERS, min_size=n, max_size=n)
        if targets is None
        else st.lists(st.lists(NUMBERS, min_size=targets, max_size=targets), min_size=n, max_size=n)
    )
    dtype = draw(st.sampled_from([torch.float32, torch.float64, torch.int64]))
    if dtype == torch.int64:
        y = np.round(np.array(y, dtype=float)).tolist()
    cache = draw(st.sampled_from(["memory", None]))
    ds: BaseDataset = draw(
        st.sampled_from(
            [
                TextDataset(texts, VOCAB),
                TextDataset(texts, VOCAB, augment=rotate, seed=5, max_length=12),
                TextPredictionDataset(texts, y, VOCAB, y_dtype=dtype),
                TextPredictionDataset(texts, y, VOCAB, y_dtype=dtype, weights=range(n)),
                PairDataset(texts, others, VOCAB),
                ConditionalDataset(texts, np.array(y, float), VOCAB),
                ConditionalDataset(texts, others, VOCAB),
                MaskedDataset(texts, VOCAB, 0.4),
                MaskedDataset(texts, VOCAB, 0.4, augment=rotate),
                PackedDataset(texts, VOCAB, 12),
                VectorDataset(texts, count_letters, cache=cache),
                VecReconDataset(texts, VOCAB, count_letters, cache=cache),
                VecPredictionDataset(texts, y, count_letters, y_dtype=dtype, cache=cache),
            ]
        )
    )
    for _ in range(draw(st.integers(0, 2))):
        ds = ds.view(draw(st.lists(st.integers(0, len(ds) - 1), min_size=1, max_size=6)))
    return ds


def is_random(ds: BaseDataset) -> bool:
    """Whether a sample depends on the number of its row: augmented, or masked."""
    return any(field.random for field in ds.fields)


def equal(found: Any, expected: Any) -> bool:
    """Bit for bit: types, dtypes, shapes, layout and bytes."""
    if isinstance(expected, Tensor):
        return (
            isinstance(found, Tensor)
            and found.dtype == expected.dtype
            and found.shape == expected.shape
            and found.stride() == expected.stride()
            and found.numpy().tobytes() == expected.numpy().tobytes()
        )
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(equal(found[k], expected[k]) for k in expected)
    return type(found) is type(expected) and all(equal(f, e) for f, e in zip(found, expected, strict=True))


def dict_by_hand(ds: BaseDataset, rows: list[int]) -> dict[str, Tensor]:
    """What `dict_collate` returns, made from samples one by one."""
    names = list(ds.__getitems__([]).names)
    samples = [ds[i] if len(names) > 1 else (ds[i],) for i in rows]
    parts = {name: [sample[k] for sample in samples] for k, name in enumerate(names)}
    made: dict[str, Tensor] = {}
    inputs = parts.get("source") or parts.get("blocks") or parts.get("tokens")
    if inputs:
        width = 12 if "blocks" in parts else max(map(len, inputs))
        made["input_ids"] = filled(inputs, 2, width)
        made["attention_mask"] = filled([torch.ones_like(ids) for ids in inputs], 0, width)
        made["lengths"] = torch.tensor([len(ids) for ids in inputs])
        made["labels"] = filled(inputs, -100, width)
    for prompt, labels in zip(parts.get("prompt", ()), made.get("labels", ()), strict=False):
        labels[: int(prompt) + 1] = -100
    if "blocks" in parts:
        made |= {name: torch.zeros((len(rows), 12), dtype=torch.int64) for name in ("segments", "position_ids")}
        for b, ids in enumerate(inputs or ()):
            text = place = -1
            for k in range(12):
                begins = k < len(ids) and int(ids[k]) == 0
                text, place = (text + 1, 0) if begins else (text, place + 1)
                made["segments"][b, k] = text + 1 if k < len(ids) else 0
                made["position_ids"][b, k] = place
                if begins:
                    made["labels"][b, k] = -100
    for name in {"source", "targets"} & parts.keys():
        labels = parts["tokens" if name == "source" else "targets"]
        made["labels"] = filled(labels, -100, max(map(len, labels)))
    made |= {name: torch.stack(parts[name]) for name in ("vectors", "condition") if name in parts}
    made |= {name: torch.stack(parts[name]).squeeze(-1) for name in ("labels", "weights") if name in parts}
    return made | {"index": torch.tensor(rows)}


def filled(rows: list[Tensor], fill: int, width: int) -> Tensor:
    return torch.tensor([[*ids.tolist(), *[fill] * (width - len(ids))] for ids in rows])


@settings(max_examples=150, deadline=None)
@given(datasets(), st.data())
def test_rows_collated_are_the_samples_collated(ds: BaseDataset, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(ds) - 1), min_size=1, max_size=7))
    lazily = ds.__getitems__(rows)
    assert equal(ds.collate_function(lazily), ds.collate_function([ds[i] for i in rows]))
    assert equal(dict_collate(lazily), dict_by_hand(ds, rows))
    assert len(lazily) == len(rows)
    assert equal(list(lazily), [ds[i] for i in rows])
    assert equal(list(lazily[1:]), [ds[i] for i in rows[1:]])
    assert equal(lazily[-1], ds[rows[-1]])


@settings(max_examples=60, deadline=None)
@given(datasets(), st.integers(1, 4))
def test_a_dataset_of_a_dataset_s_own_columns_has_the_same_batches(ds: BaseDataset, bs: int) -> None:
    again: list[BaseDataset] = [pickle.loads(pickle.dumps(ds)), copy.deepcopy(ds)]
    if not is_random(ds) or ds.kept.tolist() == list(range(len(ds))):
        again += [ds.new(*(ds.columns[name] for name in ds.row_arguments)), ds.new(**ds.columns)]
    for made in again:
        assert type(made) is type(ds)
        for output in ("tuple", "dict"):
            one, other = (list(d.dataloader(bs, shuffle=True, output=output)) for d in (made, ds))
            assert equal(one, other)


@settings(max_examples=60, deadline=None)
@given(datasets(), st.data())
def test_a_view_is_a_dataset_of_its_rows_and_copies_none(ds: BaseDataset, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(ds) - 1), max_size=7))
    view = ds.view(np.array(rows, np.int64))
    packed = isinstance(ds, PackedDataset)  # whose rows are several values each
    columns: dict[str, Any] = {
        name: column.take(rows) if packed else [column[i] for i in rows] for name, column in ds.columns.items()
    }
    plain = ds.new(**columns)
    assert len(view) == len(plain) == len(rows)
    assert view.kept.tolist() == ds.kept[rows].tolist()
    if rows:
        assert is_random(ds) or equal(view.batch(), plain.batch())
        assert equal(view.batch(), ds.batch(rows))
        assert equal(view[-1], ds[rows[-1]])
    assert view.fields is ds.fields
    for name, column in view.columns.items():
        assert column.column is getattr(ds.columns[name], "column", ds.columns[name])
        assert column.tolist() == [ds.columns[name].tolist()[i] for i in rows] or name in ("y_vals", "condition")  # NaN


@settings(max_examples=30, deadline=None)
@given(datasets(), st.data())
def test_a_pickled_lazy_batch_is_the_same(ds: BaseDataset, data: st.DataObject) -> None:
    rows = ds.__getitems__(data.draw(st.lists(st.integers(0, len(ds) - 1), min_size=1, max_size=5)))
    again = pickle.loads(pickle.dumps(rows))
    assert equal(ds.collate_function(again), ds.collate_function(rows))


def test_any_other_collate_function_is_given_a_list_of_samples() -> None:
    seen: list[Any] = []
    ds = VectorDataset(["C", "CC"], count_letters)
    ds.batch()
    list(ds.dataloader(2, collate_fn=seen.append))
    assert equal(seen, [[ds[0], ds[1]]])
    assert equal(next(iter(ds.dataloader(2, collate_fn=default_collate))), ds.batch())
    assert equal(VectorDataset(["C", "CC"], count_letters, torch.stack).batch(), ds.batch())


@pytest.mark.parametrize("rows", [range(2), (0, 1), np.array([0, 1], np.uint8), torch.tensor([0, 1]), [True, True]])
def test_rows_may_be_given_in_any_form(rows: Any) -> None:
    ds = TextDataset(["C", "CC"], VOCAB)
    assert equal(ds.batch(rows), ds.batch())
    assert equal(ds.view(rows).batch(), ds.batch())


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([2], r"rows\[0\] is 2, expected 0 to 1"),
        ([-1, 0], r"rows\[0\] is -1"),
        ([0.5], "rows are float64"),
        ([True], "the mask has 1 entries for 2 rows"),
        ([[0, 1]], "expected integers or a mask"),
        (["0"], "expected integers"),
    ],
)
def test_invalid_rows_are_named(rows: Any, words: str) -> None:
    ds = TextDataset(["C", "CC"], VOCAB)
    for use in (ds.view, ds.batch, ds.__getitems__, lambda rows: ds.__getitems__(BatchRequest(3, rows))):
        with pytest.raises(IndexError, match=words):
            use(rows)


def test_one_row_is_as_the_notebook_has_it() -> None:
    ds = TextPredictionDataset(["C", "CO"], [1, 2], VOCAB)
    ids, y = ds[-1]
    assert equal((ids, y), (torch.tensor([0, 4, 5, 1]), torch.tensor([2.0])))
    assert equal(ds[np.int64(0)], ds[0])
    assert equal(ds[torch.tensor(0)], ds[0])
    assert len(list(ds)) == 2
    for i in (2, -3):
        with pytest.raises(IndexError, match=f"row {i} of a dataset of 2 rows"):
            ds[i]
    with pytest.raises(TypeError, match=r"row 1\.7 is not an integer; .* ds\.view"):
        ds[1.7]
    with pytest.raises(TypeError, match=r"ds\.view"):
        ds[0:1]
