"""Collate functions against literal tensors: two tiny inputs, and the whole output written out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mrl.data import (
    BaseDataset,
    LazyBatch,
    TextDataset,
    TextPredictionDataset,
    VecPredictionDataset,
    VecReconDataset,
    VectorDataset,
    batch_sequences,
    dict_collate,
    lm_collate,
    sequence_prediction_collate,
    vector_collate,
    vector_prediction_collate,
    vector_reconstruction_collate,
)
from mrl.features import AnyText
from mrl.text import CharacterVocab

PAD = 2
SHORT, LONG = torch.tensor([0, 5, 1]), torch.tensor([0, 5, 6, 7, 1])
V1, V2 = torch.tensor([0.5, 1.5]), torch.tensor([2.5, 3.5])
VOCAB = CharacterVocab(["C", "O"])


def same(found: Any, expected: Any) -> bool:
    """Equal structure, values (NaN equals NaN), shapes and dtypes."""
    if isinstance(expected, Tensor):
        return (
            isinstance(found, Tensor)
            and found.dtype == expected.dtype
            and found.shape == expected.shape
            and torch.equal(found.nan_to_num(-7), expected.nan_to_num(-7))
        )
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(same(found[k], expected[k]) for k in expected)
    pairs = zip(found, expected, strict=True)
    return type(found) is tuple and all(same(f, e) for f, e in pairs)


def tensors(batch: Any) -> list[Tensor]:
    if isinstance(batch, Tensor):
        return [batch]
    return [t for part in (batch.values() if isinstance(batch, dict) else batch) for t in tensors(part)]


def share_memory(a: Tensor, b: Tensor) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr() and a.numel() * b.numel() > 0


def test_batch_sequences_adds_a_column_of_padding() -> None:
    expected = torch.tensor([[0, 5, 1, 2, 2, 2], [0, 5, 6, 7, 1, 2]])
    assert same(batch_sequences([SHORT, LONG], PAD), expected)
    assert same(batch_sequences([LONG], PAD), torch.tensor([[0, 5, 6, 7, 1, 2]]))
    assert same(batch_sequences([], PAD), torch.zeros((0, 1), dtype=torch.int64))
    assert same(batch_sequences([[], SHORT], 9), torch.tensor([[9, 9, 9, 9], [0, 5, 1, 9]]))


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8"])
def test_batch_sequences_takes_lists_arrays_and_tensors(dtype: str) -> None:
    rows: list[Any] = [SHORT.tolist(), LONG.numpy().astype(dtype), tuple(SHORT.tolist()), LONG.to(torch.int32)]
    assert same(batch_sequences(rows, PAD), batch_sequences([SHORT, LONG, SHORT, LONG], PAD))
    given = SHORT.clone()
    batch_sequences([given], PAD)[0, 0] = 77
    assert torch.equal(given, SHORT)


def test_batch_sequences_names_invalid_ids() -> None:
    with pytest.raises(ValueError, match=r"float64, expected integers"):
        batch_sequences([[0, 4.7]], PAD)
    with pytest.raises(ValueError, match="2-D"):
        batch_sequences([[[0, 4]]], PAD)


LM = (
    torch.tensor([[0, 5, 1, 2, 2], [0, 5, 6, 7, 1]]),
    torch.tensor([[5, 1, 2, 2, 2], [5, 6, 7, 1, 2]]),
)


def test_lm_collate() -> None:
    assert same(lm_collate([SHORT, LONG], PAD), LM)
    assert same(lm_collate([SHORT, LONG], PAD, batch_first=False), tuple(t.T.contiguous() for t in LM))
    assert same(lm_collate([SHORT], PAD), (torch.tensor([[0, 5, 1]]), torch.tensor([[5, 1, 2]])))
    assert same(lm_collate([SHORT], PAD, False), (torch.tensor([[0], [5], [1]]), torch.tensor([[5], [1], [2]])))
    none = torch.zeros((0, 0), dtype=torch.int64)
    assert same(lm_collate([], PAD), (none, none))
    assert same(lm_collate([], PAD, False), (none, none))


def test_sequence_prediction_collate() -> None:
    x = torch.tensor([[0, 5, 1, 2, 2, 2], [0, 5, 6, 7, 1, 2]])
    one = [(SHORT, torch.tensor([0.5])), (LONG, torch.tensor([float("nan")]))]
    assert same(sequence_prediction_collate(one, PAD), (x, torch.tensor([0.5, float("nan")])))
    assert same(sequence_prediction_collate(one, PAD, False), (x.T.contiguous(), torch.tensor([0.5, float("nan")])))
    three = [(SHORT, torch.tensor([1, -100, 3])), (LONG, torch.tensor([4, 5, 6]))]
    assert same(sequence_prediction_collate(three, PAD), (x, torch.tensor([[1, -100, 3], [4, 5, 6]])))
    assert same(sequence_prediction_collate(three[:1], PAD)[1], torch.tensor([[1, -100, 3]]))
    assert same(
        sequence_prediction_collate(one[:1], PAD), (torch.tensor([[0, 5, 1, 2]]), torch.tensor([0.5]))
    )  # B = 1: (1,), not ()
    assert [tuple(t.shape) for t in sequence_prediction_collate([], PAD)] == [(0, 1), (0,)]
    assert [tuple(t.shape) for t in sequence_prediction_collate([], PAD, False)] == [(1, 0), (0,)]


def test_vector_collate() -> None:
    assert same(vector_collate([V1, V2]), torch.tensor([[0.5, 1.5], [2.5, 3.5]]))
    assert same(vector_collate([V1]), torch.tensor([[0.5, 1.5]]))
    assert len(vector_collate([])) == 0


def test_vector_reconstruction_collate() -> None:
    batch, v = [(V1, SHORT), (V2, LONG)], torch.tensor([[0.5, 1.5], [2.5, 3.5]])
    assert same(vector_reconstruction_collate(batch, PAD), ((LM[0], v), LM[1]))
    turned = tuple(t.T.contiguous() for t in LM)
    assert same(vector_reconstruction_collate(batch, PAD, False), ((turned[0], v), turned[1]))
    assert same(
        vector_reconstruction_collate(batch[:1], PAD),
        ((torch.tensor([[0, 5, 1]]), v[:1]), torch.tensor([[5, 1, 2]])),
    )
    assert [len(t) for t in tensors(vector_reconstruction_collate([], PAD))] == [0, 0, 0]


def test_vector_prediction_collate() -> None:
    one, v = [(V1, torch.tensor([1.0])), (V2, torch.tensor([2.0]))], torch.tensor([[0.5, 1.5], [2.5, 3.5]])
    assert same(vector_prediction_collate(one), (v, torch.tensor([1.0, 2.0])))
    assert same(vector_prediction_collate(one[:1]), (v[:1], torch.tensor([1.0])))
    two = [(V1, torch.tensor([1.0, 2.0])), (V2, torch.tensor([3.0, float("nan")]))]
    assert same(vector_prediction_collate(two), (v, torch.tensor([[1.0, 2.0], [3.0, float("nan")]])))
    assert [len(t) for t in vector_prediction_collate([])] == [0, 0]


def test_dict_collate() -> None:
    text = TextDataset(["C", "COC"], VOCAB)
    ids = torch.tensor([[0, 4, 1, 2, 2], [0, 4, 5, 4, 1]])
    tokens = {
        "input_ids": ids,
        "attention_mask": torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]),
        "lengths": torch.tensor([3, 5]),
        "labels": torch.tensor([[0, 4, 1, -100, -100], [0, 4, 5, 4, 1]]),
    }
    index = {"index": torch.tensor([0, 1])}
    assert same(dict_collate(text.__getitems__([0, 1])), tokens | index)
    assert dict_collate(text.__getitems__([1, 0]))["index"].tolist() == [1, 0]
    assert all(len(t) == 0 for t in dict_collate(text.__getitems__([])).values())
    labelled = TextPredictionDataset(["C", "COC"], [1.0, None], VOCAB)
    labels = {"labels": torch.tensor([1.0, float("nan")])}
    assert same(dict_collate(labelled.__getitems__([0, 1])), tokens | labels | index)
    vectors = {"vectors": torch.tensor([[1.0], [3.0]])}
    assert same(dict_collate(VecReconDataset(["C", "COC"], VOCAB, len).__getitems__([0, 1])), tokens | vectors | index)
    predicted = VecPredictionDataset(["C", "COC"], [1.0, None], len)
    assert same(dict_collate(predicted.__getitems__([0, 1])), vectors | labels | index)
    with pytest.raises(TypeError, match="parts have names"):
        dict_collate([SHORT, LONG])


DATASETS: list[BaseDataset] = [
    TextDataset(["C", "COC", ""], VOCAB),
    TextPredictionDataset(["C", "COC", ""], [1, 2, 3], VOCAB),
    VectorDataset(["C", "COC", ""], AnyText(len)),
    VecReconDataset(["C", "COC", ""], VOCAB, AnyText(len)),
    VecPredictionDataset(["C", "COC", ""], [[1, 2], [3, 4], [5, 6]], AnyText(len)),
]


@pytest.mark.parametrize("ds", DATASETS, ids=lambda ds: type(ds).__name__)
@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_no_two_tensors_of_a_batch_share_memory_with_each_other_or_the_data(ds: Any, size: int) -> None:
    forms: list[Callable[[Any], Any]] = [ds.collate_function, dict_collate]
    if "pad_idx" in getattr(ds.collate_function, "keywords", {}):
        forms.append(partial(ds.collate_function, batch_first=False))
    for collate in forms:
        once, again = collate(ds.__getitems__(range(size))), collate(ds.__getitems__(range(size)))
        assert not [1 for a, b in combinations(tensors(once) + tensors(again), 2) if share_memory(a, b)]
        assert all(t.is_contiguous() for t in tensors(once))
        for tensor in tensors(once):
            tensor.fill_(77)
        assert same(collate(ds.__getitems__(range(size))), again)


@pytest.mark.parametrize("ds", DATASETS, ids=lambda ds: type(ds).__name__)
def test_collate_functions_work_on_the_cpu_under_any_default_device(ds: Any) -> None:
    expected = ds.batch(device="cpu"), dict_collate(ds.__getitems__([0, 1]))
    torch.set_default_device("meta")
    try:
        samples = [ds[i] for i in range(len(ds))]
        found = ds.batch(device="cpu"), dict_collate(ds.__getitems__([0, 1]))
        listed = ds.collate_function(samples)
        empty = ds.collate_function([])
    finally:
        torch.set_default_device(None)
    assert same(found, expected)
    assert same(listed, expected[0])
    assert {t.device.type for t in tensors(empty)} == {"cpu"}


def test_a_collate_function_of_another_dataset_names_what_it_takes() -> None:
    rows = DATASETS[3].__getitems__([0, 1])
    assert isinstance(rows, LazyBatch)
    with pytest.raises(ValueError, match=r"lm_collate takes samples of 1 part.* have 2: .*vectors.*tokens"):
        lm_collate(rows, PAD)


def test_a_lazy_batch_is_not_an_array() -> None:
    with pytest.raises(TypeError, match="collate it"):
        np.asarray(DATASETS[0].__getitems__([0, 1]))
