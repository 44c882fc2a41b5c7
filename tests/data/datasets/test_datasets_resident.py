"""Resident data: the same batches as those of an ordinary loader, made on the device that holds the data."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from mrl.data import (
    BaseDataset,
    ConditionalDataset,
    MaskedDataset,
    PackedDataset,
    Padding,
    PairDataset,
    TextDataset,
    TextPredictionDataset,
    VecPredictionDataset,
    VecReconDataset,
    VectorDataset,
)
from mrl.errors import DatasetError
from mrl.features import AnyText
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CON=")
MANY = CharacterVocab([chr(0x10000 + i) for i in range(40_000)])  # ids that need more than int16
SMILES = ["C", "CO", "", "N=O", "CCCC", "C=C", "O"]
N = len(SMILES)

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")],
    ),
]


def three_numbers(text: str) -> list[float]:
    return [len(text), -0.0, text.count("C") / 3]


three_numbers.checks_text = True  # type: ignore[attr-defined]


KINDS: dict[str, BaseDataset] = {
    "text": TextDataset(SMILES, VOCAB),
    "text of many tokens": TextDataset([chr(0x10000 + 6000 * i) * i for i in range(N)], MANY),
    "prediction": TextPredictionDataset(SMILES, [1, None, 3, -0.0, 0.1, 300, 255], VOCAB),
    "zeros of both signs": TextPredictionDataset(SMILES, [0.0, -0.0] * 3 + [1], VOCAB),
    "classes": TextPredictionDataset(SMILES, [[0, 1], [1, -100], [2, 3]] * 2 + [[5, 5]], VOCAB, y_dtype=torch.int64),
    "weights": TextPredictionDataset(SMILES, range(N), VOCAB, weights=range(N)),
    "vectors": VectorDataset(SMILES, three_numbers),
    "bits": VectorDataset(SMILES, AnyText(lambda text: [len(text) % 2, 1])),
    "reconstruction": VecReconDataset(SMILES, VOCAB, three_numbers),
    "vector prediction": VecPredictionDataset(SMILES, range(N), three_numbers),
    "pairs": PairDataset(SMILES, SMILES[::-1], VOCAB),
    "numbers": ConditionalDataset(SMILES, [[i, 0.5] for i in range(N)], VOCAB),
    "prompts": ConditionalDataset(SMILES, ["N" * i for i in range(N)], VOCAB),
    "packed": PackedDataset(SMILES, VOCAB, 8),
    "a view": TextPredictionDataset(SMILES, range(N), VOCAB).view([5, 1, 1, 4]),
    "a view of a view": PairDataset(SMILES, SMILES[::-1], VOCAB).view([5, 1, 1, 4]).view([3, 0]),
    "no rows": TextDataset([], VOCAB),
    "no rows of a view": TextPredictionDataset(SMILES, range(N), VOCAB).view([]),
}


def equal(found: Any, expected: Any) -> bool:
    """Bit for bit, on whichever device it is."""
    if isinstance(expected, Tensor):
        return (
            found.dtype == expected.dtype
            and found.shape == expected.shape
            and (found.stride() == expected.stride() or not found.numel())
            and found.cpu().numpy().tobytes() == expected.cpu().numpy().tobytes()
        )
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(equal(found[k], expected[k]) for k in expected)
    return type(found) is type(expected) and all(equal(f, e) for f, e in zip(found, expected, strict=True))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("output", ["tuple", "dict"])
def test_resident_batches_are_the_same(name: str, output: str, device: str) -> None:
    ds = KINDS[name]
    choices: list[dict[str, Any]] = [{"shuffle": True}, {"bs": 100}]
    if hasattr(ds, "vocab"):
        choices.append({"bucket": True})
        if name != "packed":
            choices += [{"padding": Padding(side="left", multiple=4)}, {"padding": Padding(to=12)}]
    for choice in choices:
        options = {"bs": 3, "output": output, "device": device, **choice}
        expected = ds.dataloader(**options)
        for loader in (ds.dataloader(**options, resident=True), ds.resident(device).dataloader(**options)):
            for epoch in range(2):
                expected.set_epoch(epoch)
                loader.set_epoch(epoch)
                assert equal(list(loader), list(expected))
            assert loader.state_dict() == expected.state_dict()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", KINDS)
def test_samples_and_views_of_resident_data_are_the_same(name: str, device: str) -> None:
    ds = KINDS[name]
    there = ds.resident(device)
    assert type(there) is type(ds)
    assert there.kept.tolist() == ds.kept.tolist()
    for i in range(len(ds)):
        assert equal(there[i], ds[i])
    rows = list(range(len(ds)))[::-2]
    assert equal(there.view(rows).batch(device=device), ds.view(rows).batch(device=device))
    assert equal(there.view(rows).resident(device).batch(device=device), ds.view(rows).batch(device=device))
    assert there.resident(device) is there
    if hasattr(ds, "vocab"):
        assert there.lengths().tolist() == ds.lengths().tolist()
        assert there.view(rows).lengths().tolist() == ds.view(rows).lengths().tolist()


@pytest.mark.parametrize("device", DEVICES)
def test_batches_have_memory_of_their_own(device: str) -> None:
    for ds in KINDS.values():
        there = ds.resident(device)
        (once,), (again,) = (list(there.dataloader(100, output="dict", device=device)) or [{}] for _ in range(2))
        for tensor in once.values():
            tensor.fill_(77)
        fresh = list(ds.dataloader(100, output="dict", device=device)) or [{}]
        assert equal(again, fresh[0])


def test_ids_and_small_numbers_take_little_memory() -> None:
    def dtypes(name: str) -> list[torch.dtype]:
        fields: Any = KINDS[name].resident("cpu").fields
        return [part.stored.dtype for field in fields for part in field.parts]

    assert dtypes("text") == [torch.uint8]
    assert dtypes("text of many tokens") == [torch.int32]
    assert dtypes("prediction") == [torch.uint8, torch.float32]
    assert dtypes("weights") == [torch.uint8] * 3
    assert dtypes("bits") == [torch.uint8]
    assert dtypes("vectors") == [torch.float32]
    assert dtypes("classes") == [torch.uint8, torch.int64]
    few = CharacterVocab([chr(0x10000 + i) for i in range(300)])
    field: Any = TextDataset([chr(0x10000 + 299)], few).resident("cpu").fields[0]
    assert field.parts[0].stored.dtype == torch.int16


def test_a_resident_loader_resumes_the_state_of_an_ordinary_one() -> None:
    ds = KINDS["prediction"]
    expected = list(ds.dataloader(2, shuffle=True))
    loader = ds.dataloader(2, shuffle=True)
    batches = iter(loader)
    assert equal(next(batches), expected[0])
    other = ds.dataloader(2, shuffle=True, resident=True)
    other.load_state_dict(loader.state_dict())
    assert equal(list(other), expected[1:])


class Reversed(TextDataset):
    """A subclass that makes its samples itself."""

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i).flip(0)


@pytest.mark.parametrize(
    ("ds", "words"),
    [
        (
            TextDataset(SMILES, VOCAB, augment=lambda text, key: text),
            "tokens changes with the epoch .*; leave out resident",
        ),
        (MaskedDataset(SMILES, VOCAB), "tokens changes with the epoch .*; leave out resident"),
        (VectorDataset(SMILES, len, cache=None), "vectors changes with the epoch .*cache=None.*; leave out resident"),
        (Reversed(SMILES, VOCAB), "Reversed overrides __getitem__, .* one by one; leave out resident"),
    ],
)
def test_data_that_cannot_be_resident_is_named(ds: Any, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        ds.dataloader(2, resident=True)
    with pytest.raises(DatasetError, match=words):
        ds.resident("cpu")


def test_validation_rows_can_be_resident() -> None:
    train, valid = TextDataset(SMILES, VOCAB, augment=lambda text, key: text).split(0.5)
    assert equal(list(valid.dataloader(2, resident=True)), list(valid.dataloader(2)))
    with pytest.raises(DatasetError, match="changes with the epoch"):
        train.dataloader(2, resident=True)


def test_new_rows_of_a_resident_dataset_are_ordinary() -> None:
    made = KINDS["prediction"].resident("cpu").new(["CC"])
    assert equal(made.batch(), KINDS["prediction"].new(["CC"]).batch())


def test_masked_rows_stay_marked() -> None:
    ds = VectorDataset(["C", "C(", "CC"], {"C": 1.0, "CC": 2.0}.__getitem__, on_error="mask").view([2, 1])
    there = ds.resident("cpu")
    assert there.ok.tolist() == ds.ok.tolist() == [True, False]
    assert [reject.row for reject in there.rejects] == [1]
    assert equal(there.batch(), ds.batch())
