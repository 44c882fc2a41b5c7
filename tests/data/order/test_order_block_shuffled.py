"""The block shuffle against its definition, against chance, and against literal numbers."""

from __future__ import annotations

import pickle
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mrl.data import BlockShuffled, TextDataset
from mrl.data.loader.ranks import rank_slice
from mrl.text import CharacterVocab

SIZES = st.tuples(st.integers(1, 300), st.integers(1, 40), st.integers(1, 50), st.integers(1, 6))


def rows_of(order: BlockShuffled, epoch: int) -> list[int]:
    """Return all rows of an epoch, by random access from the last batch to the first."""
    batches = [order.batch(epoch, k).tolist() for k in reversed(range(len(order)))]
    return [row for batch in reversed(batches) for row in batch]


def test_golden_shuffle() -> None:
    order = BlockShuffled(10, 4, block=2, window=2)
    assert rows_of(order, 0) == [5, 4, 8, 9, 1, 6, 7, 0, 2, 3]
    assert order.batch(7, 0).tolist() == [4, 5, 1, 0]
    assert order.fingerprint() == "c5fbfdd2c5f017d56b906bd7d8824d19"
    order = BlockShuffled(5000, 6, block=700, seed=3, window=3)
    assert order.batch(0, 0).tolist() == [2944, 1845, 3384, 4965, 1729, 3172]
    assert order.batch(0, 833).tolist() == [1011, 9]
    assert order.batch(7, 0).tolist() == [3338, 4611, 2393, 2887, 3059, 3437]
    assert order.fingerprint() == "6295f8fa91a08f6988bf0b48054ace94"
    order = BlockShuffled(10**9, 4, seed=1)
    assert order.batch(3, 123_456_789).tolist() == [669038153, 312661799, 764472309, 489600285]
    assert order.fingerprint() == "77c7baf85238d63f1f3c974702bc9064"


@settings(max_examples=200, deadline=None)
@given(SIZES, st.integers(0, 9), st.booleans(), st.integers(0, 99))
@example((10, 3, 50, 4), 0, False, 0)
@example((300, 300, 1, 1), 0, False, 0)
def test_batches_are_every_row_once(sizes: tuple[int, int, int, int], seed: int, drop_last: bool, epoch: int) -> None:
    n, batch_size, block, window = sizes
    order = BlockShuffled(n, batch_size, block, seed, drop_last, window=window)
    rows = rows_of(order, epoch)
    assert len(rows) == len(set(rows)) == (n - n % batch_size if drop_last else n)
    assert set(rows) <= set(range(n))
    for k in range(len(order)):
        batch = order.batch(epoch, k)
        assert batch.dtype == np.int64
        assert (
            np.concatenate([rank_slice(batch, rank, 3) for rank in range(3)])[: len(batch)].tolist() == batch.tolist()
            or len(batch) < 3
        )


@settings(max_examples=100, deadline=None)
@given(SIZES, st.integers(0, 9), st.integers(0, 99))
def test_each_window_consists_of_whole_blocks(sizes: tuple[int, int, int, int], seed: int, epoch: int) -> None:
    """A window is then read in as many runs, and each block in one window only."""
    n, batch_size, block, window = sizes
    rows = rows_of(BlockShuffled(n, batch_size, block, seed, window=window), epoch)
    whole = [set(range(start, min(start + block, n))) for start in range(0, n, block)]
    at, seen = 0, 0
    while at < n:
        blocks = {row // block for row in rows[at : at + 1]}
        size = 0
        while size < sum(len(whole[b]) for b in blocks) or len(blocks) < min(window, len(whole) - seen):
            size += 1
            blocks = {row // block for row in rows[at : at + size]}
        assert len(blocks) == min(window, len(whole) - seen)
        assert set(rows[at : at + size]) == set().union(*(whole[b] for b in blocks))
        at, seen = at + size, seen + len(blocks)
    assert seen == len(whole)


def test_every_row_is_at_every_position_equally_often() -> None:
    n, epochs = 20, 4000
    order = BlockShuffled(n, n, block=4, window=2)
    places = np.zeros((n, n))
    for epoch in range(epochs):
        places[order.batch(epoch, 0), np.arange(n)] += 1
    assert 130 < places.min() < places.max() < 270  # 200 +- 14
    assert 250 < ((places - 200) ** 2 / 200).sum() < 480  # 361 degrees of freedom: 361 +- 27


def test_a_short_last_block_is_neither_earlier_nor_later_than_others() -> None:
    order = BlockShuffled(23, 23, block=5, window=2)
    place = np.zeros(23)
    for epoch in range(3000):
        place[order.batch(epoch, 0)] += np.arange(23) / 3000
    assert np.abs(place - 11).max() < 0.6  # 11 +- 0.12; where the last block always came last it would be at 21


def test_all_orders_of_blocks_occur() -> None:
    order = BlockShuffled(7, 7, block=2, window=1)
    seen = Counter(tuple(dict.fromkeys((order.batch(epoch, 0) // 2).tolist())) for epoch in range(4800))
    assert len(seen) == 24
    assert 130 < min(seen.values()) < max(seen.values()) < 270  # 200 +- 14


def test_a_billion_rows_without_memory_per_row() -> None:
    order = BlockShuffled(10**9, 256, seed=9)
    order.batch(0, 0)  # loads the kernel
    tracemalloc.start()
    batch = order.batch(3, len(order) // 2)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000
    assert len(set(batch // order.block)) <= order.window
    assert 0 <= batch.min() <= batch.max() < 10**9
    assert len(order.batch(3, len(order) - 1)) == 10**9 % 256 or 10**9 % 256 == 0


def test_the_fingerprint_depends_on_every_argument_and_on_nothing_else() -> None:
    order = BlockShuffled(100, 7, 10, 1, window=3)
    others = [
        *(BlockShuffled(101, 7, 10, 1, window=3), BlockShuffled(100, 8, 10, 1, window=3)),
        *(BlockShuffled(100, 7, 11, 1, window=3), BlockShuffled(100, 7, 10, 2, window=3)),
        *(BlockShuffled(100, 7, 10, 1, True, window=3), BlockShuffled(100, 7, 10, 1, window=4)),
    ]
    assert len({order.fingerprint(), *(other.fingerprint() for other in others)}) == 7
    again = pickle.loads(pickle.dumps(order))
    assert again.fingerprint() == order.fingerprint()
    assert rows_of(again, 5) == rows_of(order, 5)
    assert rows_of(order, 5) != rows_of(order, 6)


def test_a_returned_batch_cannot_change_the_next() -> None:
    order = BlockShuffled(100, 7, 10)
    first = order.batch(0, 0)
    assert not first.flags.writeable
    assert order.batch(0, 0).tolist() == first.tolist()


def test_resumed_at_any_batch_the_rest_is_exactly_what_it_would_have_been() -> None:
    ds = TextDataset(["C" * i for i in range(1, 38)], CharacterVocab(["C"]))
    order = BlockShuffled(37, 4, block=5, window=2)
    whole = [(x != 2).sum(1).tolist() for x, _ in ds.dataloader(4, order=order, num_workers=0)]
    assert sorted(length - 2 for batch in whole for length in batch) == list(range(1, 38))
    for at in range(len(whole)):
        loader = ds.dataloader(4, order=order, num_workers=0)
        batches = iter(loader)
        for _ in range(at):
            next(batches)
        other = ds.dataloader(4, order=BlockShuffled(37, 4, block=5, window=2), num_workers=0)
        other.load_state_dict(loader.state_dict())
        assert [(x != 2).sum(1).tolist() for x, _ in other] == whole[at:]


def test_invalid_orders() -> None:
    with pytest.raises(ValueError, match="block is 0; expected 1 or more"):
        BlockShuffled(10, 2, block=0)
    with pytest.raises(ValueError, match="window is 0; expected 1 or more"):
        BlockShuffled(10, 2, window=0)
    with pytest.raises(ValueError, match="batch_size is 0; expected 1 or more"):
        BlockShuffled(10, 0)
    order = BlockShuffled(10, 4)
    for k in (-1, 3):
        with pytest.raises(IndexError, match=f"batch {k} of 3"):
            order.batch(0, k)
    assert len(BlockShuffled(0, 4)) == 0
