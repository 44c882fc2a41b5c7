"""What a loader is made of: orders, collate functions, options, workers, devices."""

from __future__ import annotations

import os
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset, default_collate

from mrl.data import (
    BaseDataset,
    Loader,
    Padding,
    Sequential,
    Shuffled,
    TextDataset,
    TextPredictionDataset,
    TokenBudget,
    VectorDataset,
)
from mrl.data.loader.loader import prefetch
from mrl.errors import DatasetError
from mrl.processes import available_cpus
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CO")
N = 23
DS = TextPredictionDataset(["C" * (i % 7 + 1) for i in range(N)], range(N), VOCAB)
OPTIONS: list[dict[str, Any]] = [{}, {"shuffle": True}, {"bucket": True}, {"max_tokens": 30}, {"drop_last": True}]


def rows(batch: Any) -> list[int]:
    """The rows of a batch, which are its labels."""
    found: list[int] = batch[1].long().tolist()
    return found


def epoch_of(loader: Any) -> list[list[int]]:
    return [rows(batch) for batch in loader]


def run(loader: Loader, batches: int) -> list[list[int]]:
    """The next batches, over as many epochs as they take."""
    found: list[list[int]] = []
    while len(found) < batches:
        for batch in loader:
            found.append(rows(batch))
            if len(found) == batches:
                break
    return found


# --- as_torch, collate_fn, options -----------------------------------------------------------------------------------


@pytest.mark.parametrize("num_workers", [0, 1])
def test_as_torch_is_a_plain_data_loader_of_the_same_batches(num_workers: int) -> None:
    loader = DS.dataloader(4, num_workers, shuffle=True, prefetch_factor=2 if num_workers else None)
    plain = loader.as_torch()
    assert isinstance(plain, DataLoader)
    assert len(plain) == len(loader)
    first = epoch_of(plain)
    assert first == epoch_of(loader)
    assert epoch_of(loader.as_torch()) == epoch_of(loader) != first  # the epoch that comes next
    state = loader.state_dict() | {"epoch": 4, "batches": 2}
    loader.load_state_dict(state)
    plain = loader.as_torch()
    assert len(plain) == len(loader) - 2
    assert epoch_of(plain) == epoch_of(loader)


def test_as_torch_takes_options_for_workers_without_workers() -> None:
    loader = DS.dataloader(4, 0, prefetch_factor=4, persistent_workers=True, timeout=9, multiprocessing_context="spawn")
    assert epoch_of(loader.as_torch()) == epoch_of(loader)


def test_as_torch_under_another_default_device() -> None:
    torch.set_default_device("meta")
    try:
        found = epoch_of(DS.dataloader(4, device="cpu").as_torch())
    finally:
        torch.set_default_device(None)
    assert found == epoch_of(DS.dataloader(4))


def test_another_collate_function() -> None:
    lengths = DS.dataloader(12, collate_fn=lambda batch: [len(ids) for ids, _ in batch])
    assert list(lengths) == [[i % 7 + 3 for i in range(start, min(start + 12, N))] for start in (0, 12)]
    vectors = VectorDataset(["C", "CC"], len).dataloader(2, collate_fn=default_collate)
    assert next(iter(vectors)).tolist() == [[1.0], [2.0]]
    with pytest.raises(TypeError, match="give either output or collate_fn"):
        DS.dataloader(4, output="dict", collate_fn=list)
    with pytest.raises(ValueError, match="output is 'list'; expected 'tuple' or 'dict'"):
        DS.dataloader(4, output="list")  # type: ignore[arg-type]
    batch = next(iter(DS.dataloader(4, output="dict", shuffle=True)))
    assert batch["labels"].long().tolist() == batch["index"].tolist()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sampler": [1]}, r"dataloader does not take 'sampler'; .* use order="),
        ({"batch_sampler": [1]}, "use order="),
        ({"batch_size": 4}, "use bs"),
        ({"generator": None}, "use seed="),
        ({"dataset": DS}, "dataset"),
        ({"in_order": False}, "use order="),
        ({"prefetch": 4}, "dataloader got 'prefetch', which is an option neither of mrl nor of torch's DataLoader"),
        ({"max_tokens": 40, "bucket": True}, "leave out bucket and drop_last"),
        ({"max_tokens": 40, "drop_last": True}, "leave out bucket and drop_last"),
        ({"order": Sequential(N, 4), "shuffle": True}, "order replaces shuffle"),
        ({"seed": None, "shuffle": True}, "seed is None; expected a whole number"),
    ],
    ids=str,
)
def test_options_that_exclude_each_other_or_are_unknown(options: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        DS.dataloader(4, **options)


def test_any_object_with_the_members_of_an_order_is_an_order() -> None:
    class Backwards:
        n = N

        def __len__(self) -> int:
            return N

        def batch(self, epoch: int, k: int) -> Any:
            return np.array([N - 1 - k])

        def fingerprint(self) -> str:
            return "backwards"

    loader = DS.dataloader(4, order=Backwards())
    assert epoch_of(loader) == [[i] for i in reversed(range(N))]
    assert loader.state_dict()["global_batch_size"] is None
    assert epoch_of(DS.dataloader(4, order=Shuffled(N, 4, seed=9))) == epoch_of(DS.dataloader(4, shuffle=True, seed=9))
    budget = TokenBudget(DS.lengths(), 30)
    assert epoch_of(DS.dataloader(1, order=budget)) == epoch_of(DS.dataloader(1, max_tokens=30))
    with pytest.raises(DatasetError, match="the order has 24 rows and the dataset 23; make it for this dataset"):
        DS.dataloader(4, order=Sequential(24, 4))
    with pytest.raises(DatasetError, match="the order has batches of 5 rows, but bs is 4 and world_size 1"):
        DS.dataloader(4, order=Sequential(N, 5))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bs": 0}, "batch_size is 0; expected 1 or more"),
        ({"bs": 4, "rank": 1}, "rank is 1 and world_size 1; expected 0 <= rank < world_size"),
        ({"bs": 4, "rank": -1, "world_size": 2}, "rank is -1"),
        ({"bs": 4, "world_size": 2}, "world_size is 2, no rank was given, and torch.distributed does not run"),
        ({"bs": 4, "num_workers": -2}, "num_workers is -2; expected 0 or more, or -1"),
    ],
    ids=str,
)
def test_invalid_numbers_are_named(options: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DS.dataloader(**options)


# --- how many workers ------------------------------------------------------------------------------------------------


class OneByOne(TextDataset):
    """Makes its samples one by one."""

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i)


def test_minus_one_chooses_the_number_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    many = ["C"] * 4096 * 4

    def workers(ds: BaseDataset) -> int:
        return ds.dataloader(256).num_workers

    monkeypatch.delenv("ncpus", raising=False)
    assert available_cpus() == 6
    assert workers(TextDataset(many, VOCAB)) == 0  # compiled
    assert workers(VectorDataset(many, len)) == 0  # kept: what workers compute would be lost
    assert workers(VectorDataset(many, len, cache=None)) == 4
    assert workers(OneByOne(many, VOCAB)) == 4
    assert workers(OneByOne(["C"] * 4095, VOCAB)) == 0  # too few to pay
    assert workers(OneByOne(["C"] * 4096 * 99, VOCAB)) == 6
    for limit, expected in (("2", 2), (" 3 ", 3), ("0", 0), ("99", 4), ("", 4)):
        monkeypatch.setenv("ncpus", limit)
        assert workers(OneByOne(many, VOCAB)) == expected
    assert OneByOne(many, VOCAB).dataloader(256, 5).num_workers == 5  # given
    monkeypatch.setenv("ncpus", "all")
    with pytest.raises(ValueError, match="ncpus is 'all'; expected a number of processes"):
        OneByOne(many, VOCAB).dataloader(256)


# --- devices, pickling, other datasets -------------------------------------------------------------------------------


def test_batches_end_up_on_the_device() -> None:
    assert DS.dataloader(4).device == torch.device("cpu")
    loader = DS.dataloader(4, device="meta")
    assert loader.device == torch.device("meta")
    assert {t.device.type for batch in loader for t in batch} == {"meta"}
    assert {t.device.type for t in DS.batch([0], device="meta")} == {"meta"}
    torch.set_default_device("meta")
    try:
        assert {t.device.type for t in next(iter(DS.dataloader(4)))} == {"meta"}
        assert {t.device.type for t in DS.batch([0])} == {"meta"}
    finally:
        torch.set_default_device(None)


def test_a_batch_that_is_being_copied_to_a_device_is_not_counted_yet() -> None:
    made: list[Any] = []

    def collate(batch: Any) -> Any:
        made.append(DS.collate_function(batch))
        return made[-1]

    for stop in range(7):
        loader = DS.dataloader(4, shuffle=True, device="meta", collate_fn=collate)
        made.clear()
        batches = iter(loader)
        found = [next(batches) for _ in range(stop)]
        assert len(made) == (min(stop + 1, 6) if stop else 0)  # one ahead
        assert {tensor.device.type for batch in found for tensor in batch} <= {"meta"}
        assert loader.state_dict()["batches"] == stop
        other = DS.dataloader(4, shuffle=True)
        other.load_state_dict(loader.state_dict())
        assert [rows(batch) for batch in made[:stop]] + run(other, 6) == run(DS.dataloader(4, shuffle=True), stop + 6)


def test_prefetch_requests_one_batch_ahead() -> None:
    requested: list[int] = []

    def batches() -> Any:
        for k in range(4):
            requested.append(k)
            yield k

    ahead = prefetch(batches())
    for k in range(4):
        assert next(ahead) == k
        assert len(requested) == min(k + 2, 4)
    assert list(ahead) == []
    assert list(prefetch(iter(()))) == []


def test_loaders_can_be_pickled() -> None:
    loader = DS.dataloader(4, shuffle=True, seed=2)
    expected = run(DS.dataloader(4, shuffle=True, seed=2), 9)
    assert run(loader, 3) == expected[:3]
    other = pickle.loads(pickle.dumps(loader))
    assert other.state_dict() == loader.state_dict()
    other.load_state_dict(loader.state_dict())
    assert run(other, 6) == expected[3:]


def test_any_torch_dataset_has_a_loader() -> None:
    data = TensorDataset(torch.arange(5))
    loader = Loader(data, Sequential(5, 2), default_collate)
    assert [batch[0].tolist() for batch in loader] == [[0, 1], [2, 3], [4]]
    assert "3 batches of 2 rows, 0 workers, epoch 0" in repr(loader)


def test_a_dataset_works_in_a_torch_data_loader_too() -> None:
    assert not isinstance(DS.dataloader(4), DataLoader)
    assert epoch_of(torch.utils.data.DataLoader(DS, batch_size=12, collate_fn=DS.collate_function)) == epoch_of(
        DS.dataloader(12)
    )
    subset = torch.utils.data.Subset(DS, [3, 1])
    assert rows(DS.collate_function(subset.__getitems__([0, 1]))) == [3, 1]


class Listed:
    """An order of the user, whose rows are of any type."""

    n = 4

    def __init__(self, convert: Any, rows: Any = ((3, 0), (2, 1))) -> None:
        self.convert = convert
        self.rows = rows

    def __len__(self) -> int:
        return 2

    def batch(self, epoch: int, k: int) -> Any:
        return self.convert(self.rows[k])

    def fingerprint(self) -> str:
        return "listed"


@pytest.mark.parametrize("convert", [list, tuple, torch.tensor, np.int32], ids=["list", "tuple", "tensor", "int32"])
def test_an_order_may_return_rows_as_any_integers(convert: Any) -> None:
    ds = DS.view(range(4))
    assert [rows(batch) for batch in ds.dataloader(2, order=Listed(convert))] == [[3, 0], [2, 1]]
    part = ds.dataloader(1, order=Listed(convert), rank=1, world_size=2)
    assert [rows(batch) for batch in part] == [[0], [1]]


@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize(
    ("convert", "wrong", "words"),
    [
        (np.array, [1, 4], r"rows\[1\] is 4, expected 0 to 3 \(4 rows\)"),
        (np.array, [-1, 2], r"rows\[0\] is -1, expected 0 to 3"),
        (list, [1, 2, 9], r"rows\[2\] is 9"),
        (list, [0.5, 1.0], "rows are float64 .*, expected integers"),
        (list, [[0, 1]], r"rows are int64 of shape \(1, 2\), expected integers or a mask of one dimension"),
        (list, ["1"], "expected integers"),
    ],
)
def test_wrong_rows_of_an_order_are_named_by_their_position(
    convert: Any, wrong: Any, words: str, num_workers: int
) -> None:
    ds = DS.view(range(10, 14))
    loader = ds.dataloader(2, num_workers, order=Listed(convert, ([3, 0], wrong)))
    batches = iter(loader)
    with pytest.raises(IndexError, match=words):
        list(batches)
    assert loader.state_dict()["batches"] <= 1


def test_an_order_of_more_rows_than_the_dataset_reads_none_outside_it() -> None:
    view = DS.view(range(5, 9))
    with pytest.raises(IndexError, match=r"expected 0 to 3 \(4 rows\)"):
        list(Loader(view, Sequential(N, 4), view.collate_function))


def test_padding_that_a_collate_function_does_not_take_raises_at_once() -> None:
    ds = VectorDataset(["C", "CC"], len)
    with pytest.raises(TypeError, match="vector_collate has no argument padding; leave that out"):
        ds.dataloader(2, padding=Padding(to=4))
    assert len(list(ds.dataloader(2, collate_fn=lambda batch, **options: options, padding=Padding(to=4)))) == 1
