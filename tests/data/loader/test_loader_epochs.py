"""Epochs of a loader, and its state."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import Dataset

from mrl.data import (
    Loader,
    Shuffled,
    TextDataset,
    TextPredictionDataset,
)
from mrl.errors import StateError
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


def test_after_a_loop_that_is_left_early_comes_the_next_epoch() -> None:
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


def test_an_invalid_epoch_is_named() -> None:
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
    def make() -> Loader:
        return DS.dataloader(bs, seed=seed, **options)

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


def test_a_loaded_place_is_kept_until_a_batch_is_yielded() -> None:
    loader = DS.dataloader(4, shuffle=True)
    whole = run(loader, 9)
    state = loader.state_dict()
    looks: list[Callable[[Loader], Any]] = [iter, len, repr, Loader.as_torch, lambda loader: loader.set_epoch(1)]
    for look in looks:
        loader = DS.dataloader(4, shuffle=True)
        loader.load_state_dict(state)
        for _ in range(2):
            look(loader)
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
def test_the_state_of_another_loader_names_what_differs(options: Any, differs: tuple[str, ...], words: str) -> None:
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
        ({"epoch": 10**5000}, "'epoch' of the state is not a value that state_dict returns"),
        (
            {"rows": np.array([1, 2]), "order": [[]]},
            "'rows', 'order' of the state is not a value that state_dict returns",
        ),
        ({"global_batch_size": "x" * 10**6}, r"12 here and 'x{76}\.\.\. in the state"),
    ],
)
def test_an_invalid_state_changes_nothing(change: dict[str, Any], words: str) -> None:
    loader = DS.dataloader(12)
    epoch_of(loader)
    before = loader.state_dict()
    with pytest.raises(StateError, match=words):
        loader.load_state_dict(before | {"epoch": 0} | change)
    assert loader.state_dict() == before
    with pytest.raises(StateError, match="version None"):
        loader.load_state_dict({})


def test_a_place_in_a_billion_rows_is_loaded() -> None:
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


# --- global random states --------------------------------------------------------------------------------------------


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


# --- stale iterators, other data, batches that end early -------------------------------------------------------------


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
