"""The loader: epochs, state, ranks, devices, options."""

from __future__ import annotations

import json
import os
import pickle
import random
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader, Dataset, TensorDataset, default_collate

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
from mrl.errors import DatasetError, StateError
from mrl.processes import available_cpus
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CO")
N = 23
DS = TextPredictionDataset(["C" * (i % 7 + 1) for i in range(N)], range(N), VOCAB)
OPTIONS: list[dict[str, Any]] = [{}, {"shuffle": True}, {"bucket": True}, {"max_tokens": 30}, {"drop_last": True}]


def rows(batch: Any) -> list[int]:
    """Which rows: the labels say."""
    found: list[int] = batch[1].long().tolist()
    return found


def epoch_of(loader: Any) -> list[list[int]]:
    return [rows(batch) for batch in loader]


# --- epochs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_each_iter_after_the_first_begins_the_next_epoch(options: Any) -> None:
    loader = DS.dataloader(4, seed=3, **options)
    epochs = [epoch_of(loader) for _ in range(3)]
    assert [len(epoch) for epoch in epochs] == [len(loader)] * 3
    order = loader.order
    assert epochs == [[order.batch(e, k).tolist() for k in range(len(order))] for e in range(3)]
    if options and "drop_last" not in options:
        assert epochs[0] != epochs[1] != epochs[2]
    loader.set_epoch(1)
    assert epoch_of(loader) == epochs[1]
    assert epoch_of(loader) == epochs[2]
    assert epoch_of(DS.dataloader(4, seed=3, **options)) == epochs[0]


def test_a_loop_that_is_left_early() -> None:
    loader = DS.dataloader(4, shuffle=True)
    whole = epoch_of(DS.dataloader(4, shuffle=True))
    for batch in loader:
        assert rows(batch) == whole[0]
        break
    assert loader.epoch == 0
    second = DS.dataloader(4, shuffle=True)
    second.set_epoch(1)
    assert epoch_of(loader) == epoch_of(second)
    assert loader.epoch == 1


def test_two_iterators_are_two_epochs() -> None:
    loader = DS.dataloader(4, shuffle=True)
    expected = [[loader.order.batch(e, k).tolist() for k in range(len(loader))] for e in range(2)]
    one, two = iter(loader), iter(loader)
    found: list[list[list[int]]] = [[], []]
    for _ in range(len(loader)):
        found[0].append(rows(next(one)))
        assert (loader.state_dict()["epoch"], loader.state_dict()["batches"]) == (0, len(found[0]))
        found[1].append(rows(next(two)))
        assert (loader.state_dict()["epoch"], loader.state_dict()["batches"]) == (1, len(found[1]))
    assert found == expected


def test_set_epoch_refuses_what_is_none() -> None:
    with pytest.raises(ValueError, match="epoch is -1; expected 0 or more"):
        DS.dataloader(4).set_epoch(-1)
    with pytest.raises(TypeError):
        DS.dataloader(4).set_epoch(0.5)  # type: ignore[arg-type]


# --- state ---------------------------------------------------------------------------------------------------------


def run(loader: Loader, batches: int) -> list[list[int]]:
    """The next batches, over as many epochs as they take."""
    found: list[list[int]] = []
    while len(found) < batches:
        for batch in loader:
            found.append(rows(batch))
            if len(found) == batches:
                break
    return found


def through_json(state: dict[str, Any]) -> Any:
    text = json.dumps(state)
    assert len(text) < 1000
    return json.loads(text)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(OPTIONS), st.integers(1, 9), st.integers(0, 3), st.integers(0, 14), st.integers(0, 5), st.booleans()
)
def test_resumed_anywhere_the_rest_is_what_it_would_have_been(
    options: dict[str, Any], bs: int, seed: int, before: int, more: int, named: bool
) -> None:
    make = lambda: DS.dataloader(bs, seed=seed, **options)  # noqa: E731
    whole = run(make(), before + more + 7)
    first = make()
    assert run(first, before) == whole[:before]
    second = make()
    second.load_state_dict(through_json(first.state_dict()))
    if named:  # a loop that names its epochs
        second.set_epoch(second.epoch)
    assert run(second, more) == whole[before : before + more]
    third = make()
    third.load_state_dict(through_json(second.state_dict()))
    third.load_state_dict(through_json(third.state_dict()))  # twice
    assert run(third, 7) == whole[before + more :]


def test_states_before_in_and_after_an_epoch() -> None:
    loader = DS.dataloader(10, shuffle=True, seed=1)
    identity = {
        "version": 2,
        "global_batch_size": 10,
        "rows": N,
        "order": loader.order.fingerprint(),
        "data": DS.fingerprint(),
    }
    assert loader.state_dict() == identity | {"epoch": 0, "batches": 0}
    batches = iter(loader)
    assert loader.state_dict() == identity | {"epoch": 0, "batches": 0}
    for k in range(3):
        next(batches)
        assert loader.state_dict() == identity | {"epoch": 0, "batches": k + 1}
    assert next(batches, None) is None
    at_end = loader.state_dict()
    assert at_end == identity | {"epoch": 0, "batches": 3}
    other = DS.dataloader(10, shuffle=True, seed=1)
    other.load_state_dict(at_end)
    assert other.epoch == 1
    assert epoch_of(other) == epoch_of(loader)
    other.load_state_dict(at_end)
    other.set_epoch(5)
    assert (other.state_dict()["epoch"], len(epoch_of(other))) == (5, 3)


def test_naming_the_epoch_after_loading_keeps_the_place() -> None:
    loader = DS.dataloader(4, shuffle=True)
    whole = run(loader, 9)  # 6 batches an epoch: the third of epoch 1
    state = loader.state_dict()
    resumed: list[list[int]] = []
    loader = DS.dataloader(4, shuffle=True)
    loader.load_state_dict(state)
    for epoch in range(loader.epoch, 3):
        loader.set_epoch(epoch)
        resumed += epoch_of(loader)
    assert whole + resumed == run(DS.dataloader(4, shuffle=True), 18)
    loader.load_state_dict(state)
    assert len(epoch_of(loader)) == 3
    loader.set_epoch(1)  # again, from the start: only what was just loaded keeps its place
    assert epoch_of(loader) == run(DS.dataloader(4, shuffle=True), 12)[6:]


def test_a_place_that_was_loaded_is_not_lost_by_looking() -> None:
    loader = DS.dataloader(4, shuffle=True)
    whole = run(loader, 9)
    state = loader.state_dict()
    for look in (iter, len, repr, Loader.as_torch, lambda loader: loader.set_epoch(1)):
        loader = DS.dataloader(4, shuffle=True)
        loader.load_state_dict(state)
        for _ in range(2):
            look(loader)  # type: ignore[operator]
            iter(loader)
        assert epoch_of(loader.as_torch()) == run(DS.dataloader(4, shuffle=True), 12)[9:]
        assert whole + run(loader, 5) == run(DS.dataloader(4, shuffle=True), 14)


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"bucket": True}], ids=str)
def test_resumed_with_another_number_of_ranks(options: Any) -> None:
    def ranks(world_size: int) -> list[Loader]:
        return [DS.dataloader(12 // world_size, rank=r, world_size=world_size, **options) for r in range(world_size)]

    def together(loaders: list[Loader], batches: int) -> list[list[int]]:
        each = [run(loader, batches) for loader in loaders]
        assert len({json.dumps(loader.state_dict()) for loader in loaders}) == 1
        return [list(chain.from_iterable(parts)) for parts in zip(*each, strict=True)]

    whole = run(DS.dataloader(12, **options), 11)
    found, state = [], None
    for world_size, batches in ((2, 1), (4, 2), (1, 1), (3, 3), (6, 2), (1, 2)):
        loaders = ranks(world_size)
        for loader in loaders:
            if state:
                loader.load_state_dict(state)
        found += together(loaders, batches)
        state = through_json(loaders[-1].state_dict())
    assert found == whole


def test_token_budgets_are_shared_among_ranks() -> None:
    loaders = [DS.dataloader(1, max_tokens=20, rank=r, world_size=2) for r in range(2)]
    parts = [epoch_of(loader) for loader in loaders]
    assert len(parts[0]) == len(parts[1])
    whole = DS.dataloader(1, max_tokens=40)
    whole.load_state_dict(loaders[0].state_dict() | {"epoch": 0, "batches": 2})
    together = [list(dict.fromkeys(a + b)) for a, b in zip(*parts, strict=True)]  # one row is given to both ranks
    assert epoch_of(whole) == together[2:]
    assert sorted(chain.from_iterable(together)) == list(range(N))
    with pytest.raises(ValueError, match="max_tokens is 8, but row 6 alone has 9 tokens"):
        DS.dataloader(1, max_tokens=8, world_size=2, rank=0)  # each rank has to hold the longest row


@pytest.mark.parametrize(
    ("options", "differs", "words"),
    [
        (
            {"bs": 8},
            ("global_batch_size", "order"),
            r"global_batch_size is 8 here and 12 in the state; with 1 rank .*bs=12$",
        ),
        (
            {"bs": 4, "world_size": 2, "rank": 0},
            ("global_batch_size", "order"),
            "8 here and 12 .*; with 2 ranks .* bs=6$",
        ),
        (
            {"bs": 5, "world_size": 5, "rank": 0},
            ("global_batch_size", "order"),
            "25 here and 12 .*no bs .* with 5 ranks$",
        ),
        ({"ds": DS.view(range(20))}, ("rows", "order", "data"), "rows is 20 here and 23 in the state$"),
        ({"seed": 1}, ("order",), r"the order differs \(its kind, seed, drop_last"),
        ({"shuffle": False}, ("order",), "the order differs"),
        (
            {"max_tokens": 30, "shuffle": False},
            ("global_batch_size", "order"),
            "global_batch_size is None here and 12",
        ),
    ],
    ids=str,
)
def test_states_of_other_loaders_are_refused(options: Any, differs: tuple[str, ...], words: str) -> None:
    state = DS.dataloader(12, shuffle=True).state_dict()
    options = {"bs": 12, "shuffle": True} | options
    loader = options.pop("ds", DS).dataloader(options.pop("bs"), **options)
    with pytest.raises(StateError, match=words) as caught:
        loader.load_state_dict(state)
    assert caught.value.differs == differs


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 1}, "the state has version 1, this mrl reads 2"),
        ({"batches": 99}, "the state is at batch 99 of epoch 0, of 2 batches an epoch"),
        ({"batches": -1}, "at batch -1"),
        ({"epoch": -1}, "of epoch -1"),
        ({"epoch": "0"}, "of epoch '0'"),
        ({"epoch": True}, "of epoch True"),
        ({"batches": None}, "at batch None"),
    ],
)
def test_states_that_are_none(change: dict[str, Any], words: str) -> None:
    loader = DS.dataloader(12)
    epoch_of(loader)
    before = loader.state_dict()
    with pytest.raises(StateError, match=words):
        loader.load_state_dict(before | {"epoch": 0} | change)
    assert loader.state_dict() == before
    with pytest.raises(StateError, match="version None"):
        loader.load_state_dict({})


def test_state_of_a_thousand_million_rows() -> None:
    class Virtual(Dataset[Any]):
        def __getitems__(self, rows: Any) -> Any:
            return rows

    def make() -> Loader:
        return Loader(Virtual(), Shuffled(10**9, 512, seed=5), np.asarray)

    loader = make()
    state = loader.state_dict() | {"epoch": 2, "batches": 1_234_567}
    loader.load_state_dict(through_json(state))
    assert next(iter(loader)).tolist() == loader.order.batch(2, 1_234_567).tolist()


def test_numpy_numbers_are_numbers() -> None:
    loader = DS.dataloader(np.int64(12), shuffle=True, seed=np.int32(1), rank=np.int8(0), world_size=np.int16(1))  # type: ignore[arg-type]
    assert through_json(loader.state_dict()) == DS.dataloader(12, shuffle=True, seed=1).state_dict()


# --- no batches, few rows ------------------------------------------------------------------------------------------


def test_no_rows_and_few_rows() -> None:
    empty = DS.view([])
    for options in OPTIONS:
        loader = empty.dataloader(4, **options)
        assert (len(loader), epoch_of(loader), epoch_of(loader)) == (0, [], [])
        loader.load_state_dict(loader.state_dict())
    assert epoch_of(DS.view([5]).dataloader(4)) == [[5]]
    assert [epoch_of(DS.view([5, 6]).dataloader(4, rank=r, world_size=3)) for r in range(3)] == [[[5]], [[6]], [[5]]]


# --- what it leaves alone ------------------------------------------------------------------------------------------


def random_states() -> tuple[Any, ...]:
    return random.getstate(), np.random.get_state(), torch.get_rng_state().tolist()  # noqa: NPY002


@pytest.mark.parametrize("num_workers", [0, 2])
def test_global_random_states_are_neither_read_nor_advanced(num_workers: int) -> None:
    found = []
    for seed in (0, 1):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        before = repr(random_states())
        loader = DS.dataloader(4, num_workers, shuffle=True)
        found.append(epoch_of(loader))
        DS.split(0.2)
        epoch_of(loader.as_torch())
        assert repr(random_states()) == before
    assert found[0] == found[1]


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
        DS.dataloader(4, output="list")
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
def test_options_that_are_refused(options: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        DS.dataloader(4, **options)


def test_an_order_of_ones_own() -> None:
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
def test_numbers_that_are_refused(options: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        DS.dataloader(**options)


# --- how many workers ------------------------------------------------------------------------------------------------


class Slow(TextDataset):
    """Runs Python code for each row."""

    def __getitem__(self, i: Any) -> Any:
        return super().__getitem__(i)


def test_minus_one_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    many = ["C"] * 4096 * 4

    def workers(ds: BaseDataset) -> int:
        return ds.dataloader(256).num_workers

    monkeypatch.delenv("ncpus", raising=False)
    assert available_cpus() == 6
    assert workers(TextDataset(many, VOCAB)) == 0  # compiled
    assert workers(VectorDataset(many, len)) == 0  # kept: workers could not keep it for us
    assert workers(VectorDataset(many, len, cache=None)) == 4
    assert workers(Slow(many, VOCAB)) == 4
    assert workers(Slow(["C"] * 4095, VOCAB)) == 0  # too few to pay
    assert workers(Slow(["C"] * 4096 * 99, VOCAB)) == 6
    for limit, expected in (("2", 2), (" 3 ", 3), ("0", 0), ("99", 4), ("", 4)):
        monkeypatch.setenv("ncpus", limit)
        assert workers(Slow(many, VOCAB)) == expected
    assert Slow(many, VOCAB).dataloader(256, 5).num_workers == 5  # said by hand
    monkeypatch.setenv("ncpus", "all")
    with pytest.raises(ValueError, match="ncpus is 'all'; expected a number of processes"):
        Slow(many, VOCAB).dataloader(256)


# --- devices, pickling, other data sets ------------------------------------------------------------------------------


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


# --- iterators that a loaded state makes stale, data that differ, batches that end early -----------------------------


def test_an_iterator_that_was_made_before_a_state_was_loaded_raises() -> None:
    loader = DS.dataloader(4, shuffle=True)
    run(loader, 2)
    state = loader.state_dict()
    stale, started = iter(loader), iter(loader)
    next(started)
    loader.load_state_dict(state)
    for old in (stale, started):
        with pytest.raises(StateError, match=r"made before a state was loaded; make a new one: iter\(loader\)"):
            next(old)
    assert loader.state_dict() == state
    assert run(loader, 4) == run(DS.dataloader(4, shuffle=True), 6)[2:]


VOCAB_OF_TWO = CharacterVocab("CO")


@pytest.mark.parametrize(
    "other",
    [
        TextPredictionDataset(["O" * (i % 7 + 1) for i in range(N)], range(N), VOCAB),
        TextPredictionDataset(["C" * (i % 7 + 1) for i in range(N)], range(1, N + 1), VOCAB),
        TextPredictionDataset(["C" * (i % 7 + 1) for i in range(N)], range(N), CharacterVocab("OC")),
        TextPredictionDataset(["C" * (i % 7 + 1) for i in range(N)], range(N), CharacterVocab("CON")),
        TextPredictionDataset(["C" * (i % 7 + 1) for i in range(N)], range(N), VOCAB, augment=lambda text, key: text),
        DS.view(range(N - 1, -1, -1)),
        TextDataset(["C" * (i % 7 + 1) for i in range(N)], VOCAB),
    ],
    ids=["texts", "labels", "vocabulary", "grown vocabulary", "augmented", "other order of rows", "no labels"],
)
def test_a_state_does_not_load_into_other_data(other: Any) -> None:
    state = DS.dataloader(4, shuffle=True).state_dict()
    with pytest.raises(StateError, match="the data differ") as caught:
        other.dataloader(4, shuffle=True).load_state_dict(state)
    assert caught.value.differs == ("data",)
    again = TextPredictionDataset(["C" * (i % 7 + 1) for i in range(N)], range(N), VOCAB_OF_TWO)
    again.dataloader(4, shuffle=True).load_state_dict(state)


def test_loaders_can_be_pickled() -> None:
    loader = DS.dataloader(4, shuffle=True, seed=2)
    expected = run(DS.dataloader(4, shuffle=True, seed=2), 9)
    assert run(loader, 3) == expected[:3]
    other = pickle.loads(pickle.dumps(loader))
    assert other.state_dict() == loader.state_dict()
    other.load_state_dict(loader.state_dict())
    assert run(other, 6) == expected[3:]


def test_any_torch_data_set_will_do() -> None:
    data = TensorDataset(torch.arange(5))
    loader = Loader(data, Sequential(5, 2), default_collate)
    assert [batch[0].tolist() for batch in loader] == [[0, 1], [2, 3], [4]]
    assert "3 batches of 2 rows, 0 workers, epoch 0" in repr(loader)


def test_it_is_no_torch_data_loader() -> None:
    assert not isinstance(DS.dataloader(4), DataLoader)
    assert epoch_of(torch.utils.data.DataLoader(DS, batch_size=12, collate_fn=DS.collate_function)) == epoch_of(
        DS.dataloader(12)
    )
    subset = torch.utils.data.Subset(DS, [3, 1])
    assert rows(DS.collate_function(subset.__getitems__([0, 1]))) == [3, 1]


class Listed:
    """An order of one's own, in whatever a person writes rows as."""

    n = 4

    def __init__(self, written: Any) -> None:
        self.written = written

    def __len__(self) -> int:
        return 2

    def batch(self, epoch: int, k: int) -> Any:
        return self.written([[3, 0], [2, 1]][k])

    def fingerprint(self) -> str:
        return "listed"


@pytest.mark.parametrize("written", [list, tuple, torch.tensor, np.int32], ids=["list", "tuple", "tensor", "int32"])
def test_an_order_may_give_rows_as_any_whole_numbers(written: Any) -> None:
    ds = DS.view(range(4))
    assert [rows(batch) for batch in ds.dataloader(2, order=Listed(written))] == [[3, 0], [2, 1]]
    part = ds.dataloader(1, order=Listed(written), rank=1, world_size=2)
    assert [rows(batch) for batch in part] == [[0], [1]]


def test_padding_that_a_collate_function_does_not_know_is_refused_at_once() -> None:
    ds = VectorDataset(["C", "CC"], len)
    with pytest.raises(TypeError, match="vector_collate has no argument padding; leave that out"):
        ds.dataloader(2, padding=Padding(to=4))
    assert len(list(ds.dataloader(2, collate_fn=lambda batch, **options: options, padding=Padding(to=4)))) == 1
