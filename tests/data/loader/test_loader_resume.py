"""Resumed at any batch, with any workers and ranks, the rest is exactly what it would have been."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable
from itertools import chain, islice
from typing import Any

import numpy as np
import pytest
import torch
from every_kind import KINDS, VOCAB, shuffle_letters, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import Dataset

from mrl.data import (
    BaseDataset,
    BlockShuffled,
    Bucketed,
    Loader,
    Shuffled,
    TextDataset,
    TextPredictionDataset,
    Weighted,
)
from mrl.errors import StateError
from mrl.ragged import Text

ORDERS: dict[str, Callable[[BaseDataset, int], dict[str, Any]]] = {
    "sequential": lambda ds, bs: {},
    "sequential, full": lambda ds, bs: {"drop_last": True},
    "shuffled": lambda ds, bs: {"shuffle": True, "seed": 4},
    "shuffled, full": lambda ds, bs: {"shuffle": True, "drop_last": True},
    "bucketed": lambda ds, bs: {"bucket": True, "seed": 4},
    "bucketed, full": lambda ds, bs: {"bucket": True, "drop_last": True},
    "budget": lambda ds, bs: {"max_tokens": 14 * bs},
    "weighted": lambda ds, bs: {"order": Weighted(np.arange(len(ds)) + 1, bs, seed=4)},
    "blocks": lambda ds, bs: {"order": BlockShuffled(len(ds), bs, block=3, window=2)},
    "blocks, full": lambda ds, bs: {"order": BlockShuffled(len(ds), bs, block=3, window=2, drop_last=True)},
}


WITHOUT_LENGTHS = ("vector", "vector prediction")
GRID = [
    (kind, order)
    for kind in KINDS
    for order in ORDERS
    if kind not in WITHOUT_LENGTHS or not order.startswith(("bucketed", "budget"))
]


def exact(batch: Any) -> Any:
    """Return everything about a batch that could differ, as values."""
    if isinstance(batch, torch.Tensor):
        return batch.dtype, tuple(batch.shape), batch.numpy().tobytes()
    return [exact(part) for part in (batch.items() if isinstance(batch, dict) else batch)]


def run(loader: Any, batches: int) -> list[Any]:
    """Return the next batches, over as many epochs as they take."""
    found: list[Any] = []
    while len(found) < batches:
        found += map(exact, islice(loader, batches - len(found)))
    return found


def saved(loader: Loader) -> Any:
    text = json.dumps(loader.state_dict())
    assert len(text) < 1000
    return json.loads(text)


@pytest.mark.parametrize(("kind", "order"), GRID)
def test_resumed_at_every_batch(kind: str, order: str) -> None:
    ds, bs = KINDS[kind](23), 4
    settings = ORDERS[order](ds, bs)
    loader = ds.dataloader(bs, 0, **settings)
    states, whole = [saved(loader)], []
    for _ in range(2):
        for batch in loader:
            whole.append(exact(batch))
            states.append(saved(loader))
    whole += run(loader, 3)
    if "sequential" not in order:
        assert whole[: len(loader)] != whole[len(loader) : 2 * len(loader)]
    resumed = ds.dataloader(bs, 0, **settings)
    for k, state in enumerate(states):
        resumed.load_state_dict(state)
        assert run(resumed, len(whole) - k) == whole[k:]


@pytest.mark.parametrize("order", ORDERS)
def test_resumed_at_random_batches_of_many(order: str) -> None:
    n, bs, chance = 5_000, 16, random.Random(order)
    ds = KINDS["prediction"](n)
    settings = ORDERS[order](ds, bs)
    loader, resumed = ds.dataloader(bs, 0, **settings), ds.dataloader(bs, 0, **settings)
    for _ in range(5):
        epoch, before, after = chance.randrange(10**6), chance.randrange(1, len(loader)), chance.randrange(1, 40)
        loader.set_epoch(epoch)
        run(loader, before)
        resumed.load_state_dict(saved(loader))
        whole = ds.dataloader(bs, 0, **settings)
        whole.set_epoch(epoch)
        assert run(resumed, after) == run(whole, before + after)[before:]


@pytest.mark.parametrize("workers", [(2, 1, 0, 2), (0, 2, 1, 1)])
@pytest.mark.parametrize(
    ("kind", "order"),
    [
        ("text", "budget"),
        ("prediction", "bucketed"),
        ("vector", "shuffled, full"),
        ("reconstruction", "weighted"),
        ("vector prediction", "shuffled"),
        ("pair", "blocks"),
        ("conditional", "bucketed, full"),
        ("masked", "shuffled"),
        ("packed", "sequential"),
        ("augmented view", "blocks, full"),
    ],
)
def test_resumed_with_other_numbers_of_forked_workers(kind: str, order: str, workers: tuple[int, ...]) -> None:
    resumed_with(kind, order, workers, "fork")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_resumed_with_workers_that_inherit_nothing(method: str) -> None:
    resumed_with("augmented view", "bucketed", (2, 0), method)


def resumed_with(kind: str, order: str, workers: tuple[int, ...], method: str) -> None:
    ds, bs = KINDS[kind](40), 4
    settings = ORDERS[order](ds, bs)
    whole = run(ds.dataloader(bs, 0, **settings), 3 * len(workers))
    state, found = None, []
    for num_workers in workers:
        loader = ds.dataloader(bs, num_workers, multiprocessing_context=method, prefetch_factor=3, **settings)
        if state:
            loader.load_state_dict(state)
        found += run(loader, 3)
        state = saved(loader)  # of what was yielded: workers are further ahead
    assert found == whole


# --- ranks ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([order for order in ORDERS if order != "budget"]),
    st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, 8]), st.integers(0, 4)), min_size=2, max_size=5),
)
def test_any_sequence_of_world_sizes(order: str, stages: list[tuple[int, int]]) -> None:
    ds = TextPredictionDataset(texts(106), range(106), VOCAB)  # the last batch has a row for each of 8 ranks
    settings = ORDERS[order](ds, 24)
    whole = ds.dataloader(24, **settings)
    expected = [numbers(batch) for batch in both(whole, sum(batches for _, batches in stages))]
    state, found = saved(whole) | {"epoch": 0, "batches": 0}, []
    for world_size, batches in stages:
        loaders = [
            ds.dataloader(24 // world_size, rank=r, world_size=world_size, **settings) for r in range(world_size)
        ]
        for loader in loaders:
            loader.load_state_dict(state)
        parts = [[numbers(batch) for batch in both(loader, batches)] for loader in loaders]
        assert len({json.dumps(saved(loader)) for loader in loaders}) == 1
        found += [list(chain(*part)) for part in zip(*parts, strict=True)]
        state = saved(loaders[-1])
    assert found == expected


def numbers(batch: Any) -> list[int]:
    found: list[int] = batch[1].long().tolist()
    return found


def both(loader: Any, batches: int) -> list[Any]:
    """Return the next batches as tensors, over as many epochs as they take."""
    found: list[Any] = []
    while len(found) < batches:
        found += islice(loader, batches - len(found))
    return found


@pytest.mark.parametrize("world_size", [1, 2, 3, 4, 8])
def test_another_global_batch_size_raises_and_names_the_right_bs(world_size: int) -> None:
    ds = KINDS["text"](100)
    state = ds.dataloader(24, shuffle=True).state_dict()
    ranks = f"{world_size} rank{'s' if world_size > 1 else ''}"
    loader = ds.dataloader(24 // world_size + 1, shuffle=True, rank=0, world_size=world_size)
    with pytest.raises(StateError, match=f"with {ranks} make the loader with bs={24 // world_size}$"):
        loader.load_state_dict(state)
    loader = ds.dataloader(5, shuffle=True, rank=0, world_size=5)
    with pytest.raises(StateError, match=r"no bs makes that with 5 ranks$"):
        loader.load_state_dict(state)


# --- more rows than memory -------------------------------------------------------------------------------------------


class Lengths:
    """A column of 10^9 lengths, computed when they are taken."""

    digest = "7 to 96, by row"

    def __len__(self) -> int:
        return 10**9

    taken = 0

    def take(self, rows: Any) -> Any:
        type(self).taken += len(rows)
        return 7 + (np.asarray(rows) * 2_654_435_761 >> 9) % 90


class Virtual(Dataset[Any]):
    """10^9 texts, computed when they are taken."""

    def __len__(self) -> int:
        return 10**9

    def __getitems__(self, rows: Any) -> Any:
        return [f"{'C' * int(length)}{row}" for row, length in zip(rows.tolist(), Lengths().take(rows), strict=True)]


@pytest.mark.parametrize("order", [Shuffled(10**9, 512, seed=5), Bucketed(Lengths(), 512, seed=5)], ids=["all", "like"])
def test_resumed_in_the_middle_of_a_billion_rows_little_is_computed(order: Any) -> None:
    order.batch(0, 0)  # loads the kernel
    Lengths.taken = 0
    tracemalloc.start()
    loader = Loader(Virtual(), order, list)
    state = loader.state_dict() | {"epoch": 2, "batches": 1_234_567}
    loader.load_state_dict(json.loads(json.dumps(state)))
    batch = next(iter(loader))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(set(batch)) == 512
    assert loader.state_dict()["batches"] == 1_234_568
    assert peak < 16 << 20
    assert Lengths.taken <= 2 * 100 * 512 + 512  # a window of lengths for the order, and the texts of a batch


def test_lengths_of_a_column_order_like_those_of_an_array() -> None:
    lengths = np.arange(3_000) * 7 % 40

    class Column(Lengths):
        digest = "some"

        def __len__(self) -> int:
            return len(lengths)

        def take(self, rows: Any) -> Any:
            return lengths[rows]

    one, other = Bucketed(Column(), 8, 3), Bucketed(lengths, 8, 3)
    assert all((one.batch(1, k) == other.batch(1, k)).all() for k in range(len(one)))
    assert one.fingerprint() != Bucketed(type("", (Column,), {"digest": "others"})(), 8, 3).fingerprint()


class Longer(TextDataset):
    """Makes its samples from those that it inherits."""

    def __getitem__(self, i: Any) -> Any:
        return torch.cat([super().__getitem__(i), torch.tensor([len(self)])])


@pytest.mark.parametrize("num_workers", [0, 1])
def test_samples_of_a_subclass_are_augmented_anew_each_epoch(num_workers: int) -> None:
    plain = TextDataset(texts(20), VOCAB, augment=shuffle_letters).dataloader(20, 0)
    loader = Longer(texts(20), VOCAB, augment=shuffle_letters).dataloader(20, num_workers, collate_fn=list)
    for _ in range(3):
        (x, _), samples = next(iter(plain)), next(iter(loader))
        assert [sample[:-1].tolist() for sample in samples] == [row[row != 2].tolist() for row in x]
    whole = loader.dataset[3].tolist()
    assert whole == Longer(texts(20), VOCAB, augment=shuffle_letters)[3].tolist()  # a single sample is that of epoch 0


def test_a_view_that_repeats_rows_is_resumed() -> None:
    ds = TextDataset(Text.of(texts(10)), VOCAB, augment=shuffle_letters).view([3, 3, 4, 3])
    loader = ds.dataloader(2, shuffle=True)
    whole = run(loader, 4)
    loader.load_state_dict(ds.dataloader(2, shuffle=True).state_dict() | {"batches": 1})
    assert run(loader, 3) == whole[1:]


@pytest.mark.parametrize("key", ["version", "epoch", "batches", "rows", "global_batch_size", "order", "data", "extra"])
@pytest.mark.parametrize("value", [True, -1, 1.5, 10**30, "3", None, [1], np.int64(1), float("nan")], ids=repr)
def test_a_state_with_another_value_does_not_load(key: str, value: object) -> None:
    loader = TextDataset(["C"] * 23, VOCAB).dataloader(4, shuffle=True)
    state = loader.state_dict()
    with pytest.raises(StateError):
        loader.load_state_dict({**state, key: value})
    if key in state:
        with pytest.raises(StateError):
            loader.load_state_dict({name: state[name] for name in state if name != key})
