"""Orders against their definitions, against chance, and against literal numbers."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from itertools import chain, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mrl.data import Bucketed, Order, Sequential, Shuffled, TokenBudget
from mrl.data.loader.ranks import rank_slice
from mrl.data.order.batches import BLOCK
from mrl.data.order.randomness import SMALL


def lengths_of(n: int, seed: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(2, 60, n)


def order_of(kind: str, n: int, size: int, seed: int, drop_last: bool) -> Order:
    if kind == "sequential":
        return Sequential(n, size, drop_last)
    if kind == "shuffled":
        return Shuffled(n, size, seed, drop_last)
    if kind == "bucketed":
        return Bucketed(lengths_of(n, seed), size, seed, drop_last)
    return TokenBudget(lengths_of(n, seed), 60 + size, seed)


KINDS = st.sampled_from(["sequential", "shuffled", "bucketed", "budget"])
NUMBERS = st.one_of(st.integers(0, 300), st.sampled_from([SMALL, SMALL + 1, 3000]))


# --- every row once -----------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(KINDS, NUMBERS, st.integers(1, 40), st.integers(1, 8), st.integers(0, 9), st.booleans(), st.integers(0, 99))
def test_batches_over_all_ranks_are_every_row_once(
    kind: str, n: int, size: int, world_size: int, seed: int, drop_last: bool, epoch: int
) -> None:
    order = order_of(kind, n, size * world_size, seed, drop_last)
    seen: list[int] = []
    for k in range(len(order)):
        rows = order.batch(epoch, k)
        parts = [rank_slice(rows, rank, world_size) for rank in range(world_size)]  # so every rank has as many batches
        assert all(len(part) for part in parts)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        together = np.concatenate(parts).tolist()
        if len(rows) < world_size:  # the stated repeats: fewer rows than ranks
            assert set(together) == set(rows.tolist())
            together = rows.tolist()
        assert together == rows.tolist()
        seen += together
    if drop_last and kind != "budget":
        assert len(seen) == n - n % (size * world_size) == len(set(seen))
    else:
        assert sorted(seen) == list(range(n))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 40))
def test_rank_slices_are_equal_parts_of_a_batch(rows: list[int], world_size: int) -> None:
    parts = [rank_slice(np.array(rows, np.int64), rank, world_size).tolist() for rank in range(world_size)]
    if len(rows) >= world_size:
        assert list(chain.from_iterable(parts)) == rows
        assert {len(part) for part in parts} <= {len(rows) // world_size, -(-len(rows) // world_size)}
    else:
        assert parts == [[rows[rank % len(rows)]] for rank in range(world_size)]


# --- randomness ----------------------------------------------------------------------------------------------------


def test_epochs_and_seeds_differ() -> None:
    for kind in ("shuffled", "bucketed"):
        orders = [order_of(kind, 1000, 10, seed, drop_last=False) for seed in range(5)]
        assert len({tuple(order.batch(epoch, 3).tolist()) for order in orders for epoch in range(5)}) == 25
    budget = TokenBudget(lengths_of(1000, 0), 400)
    assert len({tuple(budget.batch(epoch, 0).tolist()) for epoch in range(9)}) == 9
    fixed = TokenBudget(np.full(1000, 10), 400)  # one length only: the rows that meet differ as well
    assert len({frozenset(fixed.batch(epoch, 0).tolist()) for epoch in range(9)}) == 9


# --- golden orders: these numbers may never change -----------------------------------------------------------------

LENGTHS = np.array([5, 9, 3, 7, 5, 8, 2, 6, 4, 9, 3, 5])


def whole_epoch(order: Order, epoch: int) -> list[list[int]]:
    return [order.batch(epoch, k).tolist() for k in range(len(order))]


def test_golden_sequential() -> None:
    assert whole_epoch(Sequential(7, 3), 5) == [[0, 1, 2], [3, 4, 5], [6]]
    assert whole_epoch(Sequential(7, 3, drop_last=True), 0) == [[0, 1, 2], [3, 4, 5]]


def test_golden_shuffled() -> None:
    assert whole_epoch(Shuffled(10, 4, seed=0), 0) == [[6, 1, 5, 4], [0, 9, 3, 7], [2, 8]]
    assert whole_epoch(Shuffled(10, 4, seed=0), 1) == [[4, 0, 9, 8], [1, 5, 7, 6], [2, 3]]
    assert whole_epoch(Shuffled(10, 4, seed=7), 0) == [[1, 7, 9, 6], [3, 8, 5, 4], [0, 2]]
    assert Shuffled(100_000, 5, seed=1).batch(2, 19_999).tolist() == [48873, 7124, 87629, 19593, 93277]


def test_golden_bucketed() -> None:
    assert whole_epoch(Bucketed(LENGTHS, 5, seed=0), 0) == [[7, 3, 5, 9, 1], [6, 10, 8, 0, 11], [4, 2]]
    assert whole_epoch(Bucketed(LENGTHS, 5, seed=0), 1) == [[6, 10, 2, 8, 4], [0, 7, 3, 5, 9], [1, 11]]
    many = np.arange(5000) * 7919 % 58 + 2
    assert Bucketed(many, 4, seed=3).batch(9, 777).tolist() == [1344, 1750, 4940, 3142]


def test_golden_token_budget() -> None:
    assert whole_epoch(TokenBudget(LENGTHS, 20, seed=0), 0) == [[5, 9], [6, 2, 10, 8], [11, 4, 0], [7, 3], [1]]
    assert whole_epoch(TokenBudget(LENGTHS, 20, seed=0), 1) == [[6, 10, 2, 8], [1], [7, 3], [11, 0, 4], [5, 9]]


def test_golden_of_a_billion_rows_without_memory_per_row() -> None:
    order = Shuffled(10**9, 4, seed=0)
    order.batch(0, 0)  # loads the kernel
    tracemalloc.start()
    rows = [order.batch(epoch, 123_456_789).tolist() for epoch in (1, 2, 3)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
    assert rows[-1] == [108351021, 806403915, 162353705, 161166918]


def test_fingerprints_differ_with_the_batches_and_never_change() -> None:
    make: list[Order] = [
        Sequential(12, 3),
        Sequential(12, 4),
        Sequential(12, 4, drop_last=True),
        Shuffled(12, 4),
        Shuffled(12, 4, seed=1),
        Bucketed(LENGTHS, 4),
        Bucketed(LENGTHS + 1, 4),
        TokenBudget(LENGTHS, 20),
        TokenBudget(LENGTHS, 21),
        TokenBudget(LENGTHS, 20, seed=1),
    ]
    assert len({order.fingerprint() for order in make}) == len(make)
    assert (
        Shuffled(np.int64(12), np.int32(4), np.int64(0)).fingerprint()  # type: ignore[arg-type]
        == Shuffled(12, 4).fingerprint()
        == "edf08bed5e98a1069aec6fa584a7ab2e"
    )
    assert Bucketed(LENGTHS.astype(np.int32), 4).fingerprint() == Bucketed(LENGTHS, 4).fingerprint()
    for order in make:
        order.batch(1, 0)
        again = pickle.loads(pickle.dumps(order))
        assert again.fingerprint() == order.fingerprint()
        assert [again.batch(2, k).tolist() for k in range(len(order))] == whole_epoch(order, 2)


# --- purpose of each ------------------------------------------------------------------------------------------------


def padding(order: Order, lengths: np.ndarray[Any, Any], epoch: int) -> float:
    batches = [lengths[order.batch(epoch, k)] for k in range(len(order))]
    return 1 - sum(int(b.sum()) for b in batches) / sum(len(b) * int(b.max()) for b in batches)


def test_buckets_save_padding_and_favour_no_length() -> None:
    lengths = np.random.default_rng(0).normal(40, 10, 30_001).clip(5, 90).astype(np.int64)
    assert padding(Shuffled(30_001, 64), lengths, 0) > 0.3
    order = Bucketed(lengths, 64)
    assert padding(order, lengths, 0) < 0.02
    means = np.array([lengths[order.batch(0, k)].mean() for k in range(len(order) - 1)])
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.25  # long and short batches alternate at random
    last = np.concatenate([lengths[order.batch(epoch, len(order) - 1)] for epoch in range(200)])
    assert abs(last.mean() - lengths.mean()) < 4  # the remaining row is any row


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=60), st.integers(30, 200), st.integers(0, 3))
@example([10, 10, 10, 10], 30, 0)
def test_a_token_budget_is_never_exceeded_and_never_wasted(lengths: list[int], budget: int, epoch: int) -> None:
    order = TokenBudget(np.array(lengths, np.int64), budget)
    batches = [sorted(lengths[i] for i in order.batch(epoch, k)) for k in range(len(order))]
    batches.sort(key=lambda batch: (batch[0], batch[-1], -len(batch)))  # of one length, a batch cut short is the last
    assert all(len(batch) * batch[-1] <= budget for batch in batches)
    for batch, following in pairwise(batches):
        assert batch[-1] <= following[0]
        assert (len(batch) + 1) * following[0] > budget  # the next row would not have fitted
    assert sorted(chain.from_iterable(batches)) == sorted(lengths)


def test_invalid_orders() -> None:
    with pytest.raises(ValueError, match="batch_size is 0; expected 1 or more"):
        Sequential(3, 0)
    with pytest.raises(ValueError, match="n is -1; expected 0 or more"):
        Shuffled(-1, 2)
    with pytest.raises(TypeError, match=r"seed is 0\.5; expected a whole number"):
        Shuffled(3, 2, seed=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="max_tokens is 5, but row 1 alone has 9 tokens; raise max_tokens to 9 or"):
        TokenBudget(LENGTHS, 5)
    with pytest.raises(ValueError, match="max_tokens is 0; expected 1 or more"):
        TokenBudget(np.zeros(2, np.int64), 0)
    for order in (Sequential(7, 3), Shuffled(7, 3), Bucketed(LENGTHS, 4), TokenBudget(LENGTHS, 20), Shuffled(0, 3)):
        for k in (-1, len(order)):
            with pytest.raises(IndexError, match=f"batch {k} of {len(order)}"):
                order.batch(0, k)


def test_a_batch_may_span_blocks() -> None:
    order = Shuffled(3 * BLOCK + 5, BLOCK + 77)
    assert np.array_equal(np.concatenate([order.batch(0, k) for k in range(len(order))]), order.rows(0, 0, order.n))


def test_configurations_are_json() -> None:
    budget = TokenBudget(LENGTHS, np.int64(20))  # type: ignore[arg-type]
    for order in (Sequential(7, 3), Shuffled(7, 3), Bucketed(LENGTHS, 4), budget):
        json.dumps(order.config())


class LengthsOnDisk:
    """A column whose digest takes long, if it were computed."""

    def __init__(self) -> None:
        self.digests = 0
        self.rows = 0

    def __len__(self) -> int:
        return 10_000

    def take(self, rows: Any) -> Any:
        self.rows += len(rows)
        return np.asarray(rows) % 60

    @property
    def digest(self) -> str:
        self.digests += 1
        return "digest of the column"


def test_buckets_of_a_column_read_one_window_and_take_its_digest_once_when_needed() -> None:
    column = LengthsOnDisk()
    order = Bucketed(column, 4)
    order.batch(0, 0)
    order.batch(0, 99)
    assert (column.digests, column.rows) == (0, 400)
    assert order.fingerprint() == order.fingerprint()
    assert column.digests == 1
    same = Bucketed(np.arange(10_000) % 60, 4)
    assert whole_epoch(order, 3) == whole_epoch(same, 3)
