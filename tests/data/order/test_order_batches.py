"""Orders against a ten-line oracle, against chance, and against literal numbers."""

from __future__ import annotations

import json
import pickle
import time
from collections import Counter
from itertools import chain, pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mrl.data import Bucketed, Order, Sequential, Shuffled, TokenBudget
from mrl.data.loader import share
from mrl.data.order.batches import BLOCK, SMALL, permuted


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


# --- law 5 -------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(KINDS, NUMBERS, st.integers(1, 40), st.integers(1, 8), st.integers(0, 9), st.booleans(), st.integers(0, 99))
def test_law_5_every_row_once_over_all_ranks(
    kind: str, n: int, size: int, world_size: int, seed: int, drop_last: bool, epoch: int
) -> None:
    order = order_of(kind, n, size * world_size, seed, drop_last)
    seen: list[int] = []
    for k in range(len(order)):
        rows = order.batch(epoch, k)
        parts = [share(rows, rank, world_size) for rank in range(world_size)]  # so every rank has as many batches
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
def test_share_cuts_a_batch_into_equal_parts(rows: list[int], world_size: int) -> None:
    parts = [share(np.array(rows, np.int64), rank, world_size).tolist() for rank in range(world_size)]
    if len(rows) >= world_size:
        assert list(chain.from_iterable(parts)) == rows
        assert {len(part) for part in parts} <= {len(rows) // world_size, -(-len(rows) // world_size)}
    else:
        assert parts == [[rows[rank % len(rows)]] for rank in range(world_size)]


# --- the bijection -----------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.text(max_size=9))
@example(1, "")
@example(SMALL, "")
@example(SMALL + 1, "")
@example(4096, "")
@example(4097, "")
def test_permuted_is_a_bijection_that_can_be_asked_for_any_part(n: int, key: str) -> None:
    whole = permuted(np.arange(n), n, key)
    assert whole.dtype == np.int64
    assert np.array_equal(np.sort(whole), np.arange(n))
    some = np.arange(0, n, 7)[::-1]
    assert np.array_equal(permuted(some, n, key), whole[some])
    assert permuted([], n, key).shape == (0,)


def chi_square(counts: np.ndarray[Any, Any], expected: np.ndarray[Any, Any] | float) -> float:
    """How far counts are from what is expected, in standard deviations of a chi-square."""
    degrees = counts.size - 1
    return float((((counts - expected) ** 2 / expected).sum() - degrees) / np.sqrt(2 * degrees))


@pytest.mark.parametrize(("n", "times"), [(3, 2400), (4, 4800), (5, 12000)])
def test_every_order_of_a_few_rows_is_as_likely(n: int, times: int) -> None:
    counts = Counter(tuple(permuted(np.arange(n), n, f"rows {seed} 1").tolist()) for seed in range(times))
    every = list(permutations(range(n)))
    assert abs(chi_square(np.array([counts[order] for order in every]), times / len(every))) < 4


@pytest.mark.parametrize("n", [100, SMALL + 1, 2048, 5000])
def test_no_bias_of_place_neighbour_or_epoch_is_visible(n: int) -> None:
    bins, times = 16, 60
    place, neighbour, epochs = (np.zeros((bins, bins)) for _ in range(3))
    coarse, fixed, rising = np.arange(n) * bins // n, 0, 0
    before = permuted(np.arange(n), n, "rows 0 0") * bins // n
    for epoch in range(1, times + 1):
        order = permuted(np.arange(n), n, f"rows 0 {epoch}")
        now = order * bins // n
        np.add.at(place, (coarse, now), 1)
        np.add.at(neighbour, (now[:-1], now[1:]), 1)
        np.add.at(epochs, (before, now), 1)
        fixed += int((order == np.arange(n)).sum())
        rising += int((np.diff(order) > 0).sum())
        before = now
    for table in (place, neighbour, epochs):
        expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / table.sum()
        assert chi_square(table, expected) < 5
    assert abs(fixed - times) < 5 * np.sqrt(times)  # one on average
    assert abs(rising / times / (n - 1) - 0.5) < 5 * 0.3 / np.sqrt(n * times)


def test_epochs_and_seeds_differ() -> None:
    for make in (lambda seed: Shuffled(1000, 10, seed), lambda seed: Bucketed(lengths_of(1000, 0), 10, seed)):
        orders = {tuple(make(seed).batch(epoch, 3).tolist()) for seed in range(5) for epoch in range(5)}
        assert len(orders) == 25
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


def test_golden_of_a_thousand_million_rows_at_once() -> None:
    order = Shuffled(10**9, 4, seed=0)
    seconds = []
    for epoch in (1, 2, 3):
        start = time.perf_counter()
        rows = order.batch(epoch, 123_456_789)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1
    assert rows.tolist() == [108351021, 806403915, 162353705, 161166918]
    assert permuted([0, 1, 10**9 - 1], 10**9, "rows 0 0").tolist() == [579057540, 841859390, 789866755]


def test_keys_tell_apart_what_is_different_and_never_change() -> None:
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
    assert len({order.key() for order in make}) == len(make)
    assert (
        Shuffled(np.int64(12), np.int32(4), np.int64(0)).key()
        == Shuffled(12, 4).key()
        == "edf08bed5e98a1069aec6fa584a7ab2e"
    )
    assert Bucketed(LENGTHS.astype(np.int32), 4).key() == Bucketed(LENGTHS, 4).key()
    for order in make:
        order.batch(1, 0)
        again = pickle.loads(pickle.dumps(order))
        assert again.key() == order.key()
        assert [again.batch(2, k).tolist() for k in range(len(order))] == whole_epoch(order, 2)


# --- what each is for ----------------------------------------------------------------------------------------------


def padding(order: Order, lengths: np.ndarray[Any, Any], epoch: int) -> float:
    batches = [lengths[order.batch(epoch, k)] for k in range(len(order))]
    return 1 - sum(int(b.sum()) for b in batches) / sum(len(b) * int(b.max()) for b in batches)


def test_buckets_spare_padding_and_favour_no_length() -> None:
    lengths = np.random.default_rng(0).normal(40, 10, 30_001).clip(5, 90).astype(np.int64)
    assert padding(Shuffled(30_001, 64), lengths, 0) > 0.3
    order = Bucketed(lengths, 64)
    assert padding(order, lengths, 0) < 0.02
    means = np.array([lengths[order.batch(0, k)].mean() for k in range(len(order) - 1)])
    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.25  # long and short batches alternate at random
    last = np.concatenate([lengths[order.batch(epoch, len(order) - 1)] for epoch in range(200)])
    assert abs(last.mean() - lengths.mean()) < 4  # the left-over row is any row


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


def test_what_is_no_order() -> None:
    with pytest.raises(ValueError, match="batches of 0; expected 0 rows or more, in batches of 1 or more"):
        Sequential(3, 0)
    with pytest.raises(ValueError, match="max_tokens is 5, and row 1 alone has 9 tokens; raise"):
        TokenBudget(LENGTHS, 5)
    with pytest.raises(ValueError, match="max_tokens is 0; expected 1 or more"):
        TokenBudget(np.zeros(2, np.int64), 0)
    for order in (Sequential(7, 3), Shuffled(7, 3), Bucketed(LENGTHS, 4), TokenBudget(LENGTHS, 20), Shuffled(0, 3)):
        for k in (-1, len(order)):
            with pytest.raises(IndexError, match=f"batch {k} of {len(order)}"):
                order.batch(0, k)
    with pytest.raises(TypeError):
        Shuffled(3, 2, seed=0.5)  # type: ignore[arg-type]


def test_a_batch_may_span_blocks() -> None:
    order = Shuffled(3 * BLOCK + 5, BLOCK + 77)
    assert np.array_equal(
        np.concatenate([order.batch(0, k) for k in range(len(order))]), order.positions(0, 0, order.n)
    )


def test_facts_are_json() -> None:
    for order in (Sequential(7, 3), Shuffled(7, 3), Bucketed(LENGTHS, 4), TokenBudget(LENGTHS, np.int64(20))):
        json.dumps(order.facts())
