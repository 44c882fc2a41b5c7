"""Laws of mixtures: exact shares, passes that are whole, and the same batches wherever a run is resumed."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.data import Loader, Mixed, Padding, TextDataset, mix
from mrl.data.order.mixed import shares
from mrl.errors import StateError
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CON")
SOURCES = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 5)), min_size=1, max_size=4).filter(
    lambda given: any(weight for _, weight in given)
)
WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=6).filter(any)
WEIGHTS_OF_3 = st.lists(st.integers(0, 10**12), min_size=3, max_size=3).filter(any)


def source(n: int, letter: str = "C") -> TextDataset:
    return TextDataset([letter * (1 + i % 7) for i in range(n)], VOCAB)


def sources(*sizes: int) -> dict[str, TextDataset]:
    return {f"s{i}": source(n, "CON"[i % 3]) for i, n in enumerate(sizes)}


def mixed(ds: TextDataset, bs: int, **options: Any) -> Mixed:
    order = ds.dataloader(bs, **options).order
    assert isinstance(order, Mixed)
    return order


def run(order: Mixed, batches: int) -> list[tuple[int, int]]:
    """The rows of the first batches of a run, each with its pass."""
    made: list[tuple[int, int]] = []
    for number in range(batches):
        epoch, k = divmod(number, len(order))
        rows = order.batch(epoch, k)
        made += zip(rows.tolist(), np.broadcast_to(order.row_epochs(epoch, k), rows.shape).tolist(), strict=True)
    return made


@given(WEIGHTS, st.integers(0, 10**18))
def test_shares_are_whole_numbers_near_the_exact_ones_and_never_decrease(weights: list[int], t: int) -> None:
    counts, after = shares(t, weights), shares(t + 1, weights)
    assert sum(counts) == t
    assert sum(b - a for a, b in zip(counts, after, strict=True)) == 1
    assert all(b - a in (0, 1) for a, b in zip(counts, after, strict=True))
    for count, weight in zip(counts, weights, strict=True):
        assert abs(count - Fraction(t * weight, sum(weights))) <= Fraction(len(weights), 2)
    assert shares(t * sum(weights), weights) == [t * weight for weight in weights]


@given(
    SOURCES,
    st.integers(1, 8),
    st.integers(1, 12),
    st.booleans(),
    st.booleans(),
)
def test_shares_are_exact_at_every_batch_and_passes_are_whole(
    given_sources: list[tuple[int, int]], bs: int, epoch_rows: int, shuffle: bool, bucket: bool
) -> None:
    sizes, weights = zip(*given_sources, strict=True)
    parts = sources(*sizes)
    ds = mix(parts, dict(zip(parts, weights, strict=True)), epoch_rows=epoch_rows, seed=3)
    order = mixed(ds, bs, shuffle=shuffle, bucket=bucket)
    assert len(order) == -(-epoch_rows // bs)
    batches = 5 * len(order)
    drawn = run(order, batches)
    assert len(drawn) == 5 * epoch_rows
    starts = np.cumsum([0, *sizes])
    counts = shares(len(drawn), weights)
    assert list(order.drawn(5, 0).values()) == counts
    for number, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        start, stop = starts[number : number + 2]
        own = sorted((epoch, row - start) for row, epoch in drawn if start <= row < stop)
        assert len(own) == count
        whole = count // size
        assert own[: whole * size] == [(epoch, row) for epoch in range(whole) for row in range(size)]
        rest = [row for epoch, row in own[whole * size :] if epoch == whole]
        assert len(rest) == len(set(rest)) == count - whole * size


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 9), st.booleans())
def test_without_weights_an_epoch_is_every_row_once(sizes: list[int], bs: int, bucket: bool) -> None:
    order = mixed(mix(sources(*sizes)), bs, shuffle=True, bucket=bucket)
    for epoch in range(3):
        batches = [order.batch(epoch, k).tolist() for k in range(len(order))]
        assert sorted(chain.from_iterable(batches)) == list(range(sum(sizes)))
        assert all(order.row_epochs(epoch, k) == epoch for k in range(len(order)))


@given(st.integers(0, 40), st.integers(1, 9), st.booleans())
def test_weights_change_at_the_batch_that_is_given(change: int, bs: int, bucket: bool) -> None:
    parts = sources(30, 50)
    before, after = {"s0": 1, "s1": 0}, {"s0": 1, "s1": 3}
    order = mixed(mix(parts, {0: before, change: after}), bs, shuffle=True, bucket=bucket)
    alone = mixed(mix(parts, before), bs, shuffle=True)
    epoch, k = divmod(change, len(order))
    assert order.drawn(epoch, k) == alone.drawn(epoch, k)
    rows = run(order, (epoch + 2) * len(order))
    at = epoch * 80 + min(k * bs, 80)
    assert all(row < 30 for row, _ in rows[:at])
    assert sum(row >= 30 for row, _ in rows[at:]) == shares(len(rows) - at, [1, 3])[1]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 12), WEIGHTS_OF_3), min_size=1, max_size=4), st.integers(1, 5))
def test_every_batch_has_the_exact_shares_whatever_the_weights(changes: list[tuple[int, list[int]]], bs: int) -> None:
    parts = sources(7, 11, 5)
    weights = {batch: dict(zip(parts, given, strict=True)) for batch, given in [(0, [3, 2, 1]), *changes]}
    order = mixed(mix(parts, weights), bs, shuffle=True)
    epochs = 0, 1, 10**15  # products of rows and weights have more than 64 bits
    for epoch, k in [(epoch, k) for epoch in epochs for k in range(len(order))]:
        after = order.drawn(epoch, k + 1).values()
        found = np.bincount(np.searchsorted([7, 18], order.batch(epoch, k), side="right"), minlength=3)
        assert found.tolist() == [b - a for a, b in zip(order.drawn(epoch, k).values(), after, strict=True)]


def test_a_loader_goes_on_at_every_batch_with_any_number_of_ranks() -> None:
    parts = sources(7, 20, 13)
    weights: dict[int, Any] = {
        0: {"s0": 5, "s1": 1, "s2": 0},
        4: {"s0": 1, "s1": 1, "s2": 2},
        9: {"s0": 0, "s1": 0.1, "s2": 0.9},
    }
    ds = mix(parts, weights, seed=5)

    def loader(world_size: int = 1, rank: int = 0) -> Loader:
        return ds.dataloader(
            8 // world_size, shuffle=True, seed=2, rank=rank, world_size=world_size, padding=Padding(to=9)
        )

    uninterrupted = loader()
    whole = [x.tolist() for epoch in range(3) for x, y in uninterrupted]
    per_epoch = len(uninterrupted)
    for done in range(len(whole)):
        first = loader()
        first.set_epoch(done // per_epoch)
        batches = iter(first)
        for _ in range(done % per_epoch):
            next(batches)
        state = first.state_dict()
        assert len(repr(state)) < 1000
        for world_size in (1, 2, 4):
            ranks = [loader(world_size, rank) for rank in range(world_size)]
            for each in ranks:
                each.load_state_dict(state)
            shown = zip(*([x.tolist() for x, y in each] for each in ranks), strict=True)
            tail = [[*chain.from_iterable(parts)] for parts in shown]
            assert tail == whole[done : (done // per_epoch + 1) * per_epoch]


def test_a_run_goes_on_with_weights_that_begin_later_and_no_others() -> None:
    parts = sources(20, 20)
    old, new = {"s0": 1, "s1": 1}, {"s0": 1, "s1": 4}
    loader = mix(parts, old).dataloader(4, shuffle=True)
    batches = iter(loader)
    for _ in range(3):
        next(batches)
    state = loader.state_dict()
    later = mix(parts, {0: old, 3: new}).dataloader(4, shuffle=True)
    later.load_state_dict(state)
    assert next(iter(later))[0].shape[0] == 4
    assert later.order.drawn(0, 3) == {"s0": 6, "s1": 6}  # type: ignore[attr-defined]
    assert later.order.drawn(0, 8) == {"s0": 10, "s1": 22}  # type: ignore[attr-defined]
    others: list[Any] = [new, {0: old, 2: new}]
    for weights in others:
        with pytest.raises(StateError, match="the weights of a mixture"):
            mix(parts, weights).dataloader(4, shuffle=True).load_state_dict(state)


def test_one_batch_is_the_sources_spread_evenly() -> None:
    order = mixed(mix(sources(20, 20), {"s0": 3, "s1": 1}), 8)
    assert order.batch(0, 0).tolist() == [0, 1, 20, 2, 3, 4, 21, 5]
    assert order.batch(0, 1).tolist() == [6, 7, 22, 8, 9, 10, 23, 11]
    assert order.batch(0, 2).tolist() == [12, 13, 24, 14, 15, 16, 25, 17]


def test_rows_that_a_short_last_batch_would_have_are_the_next_ones() -> None:
    order = mixed(mix(sources(5, 5)), 4, drop_last=True)
    assert len(order) == 2
    drawn = run(order, 5)
    assert sorted(row for row, epoch in drawn if epoch == 0) == list(range(10))


def test_a_billion_rows_cost_no_memory() -> None:
    from mrl.data.order.mixed import Mixture

    n = 10**12
    mixture = Mixture(("a", "b"), (0, n, n + 10), ((0, (999, 1)),), 0, None)
    order = Mixed(mixture, (range(n), range(n, n + 10)), 1000)
    rows = order.batch(3, 123_456_789)
    assert (rows >= n).sum() == 1
    assert len(set(rows.tolist())) == 1000
