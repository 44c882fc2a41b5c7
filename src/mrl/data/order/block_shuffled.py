"""`BlockShuffled`: a shuffle that reads the disk in long runs, for rows that do not fit into memory."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from mrl.data.columns import Rows64
from mrl.data.order.base import ensure_int, joined
from mrl.data.order.batches import Shuffled
from mrl.data.order.randomness import shuffled_positions


class BlockShuffled(Shuffled):
    """Every row once, in a new random order each epoch that reads the data in long runs.

    Blocks of consecutive rows are shuffled, and then the rows within each window of several blocks. A window is read as
    that many long runs, which a disk delivers at full speed and the operating system's cache can hold; a shuffle of
    single rows would read one page for each of them. The price: rows that are further apart than a window in the order
    of the blocks never share a batch of that epoch. Any batch costs O(window), and nothing is stored.

    Pass it to a loader as ``ds.dataloader(bs, order=BlockShuffled(len(ds), bs))``; on several ranks `batch_size` is the
    global one.

    Parameters
    ----------
    n, batch_size : int
        Number of rows; rows per (global) batch.
    block : int
        Consecutive rows that are read together; 8,192 molecules are about 300 kB of text.
    seed : int
        Seed of the shuffle: the same seed gives the same order on any machine.
    drop_last : bool
        Whether to leave out a last batch of fewer rows.
    window : int
        Number of blocks whose rows are shuffled together; memory has to hold them.

    Raises
    ------
    ValueError
        If `n` is negative, or `batch_size`, `block` or `window` is less than 1.

    Notes
    -----
    Training converges as with a full shuffle where blocks are drawn at random (CorgiPile: Xu et al. 2022,
    doi:10.1145/3514221.3526150).

    Examples
    --------
    >>> order = BlockShuffled(10, 4, block=2, seed=0, window=2)
    >>> [order.batch(0, k).tolist() for k in range(len(order))]
    [[5, 4, 8, 9], [1, 6, 7, 0], [2, 3]]
    """

    def __init__(
        self, n: int, batch_size: int, block: int = 8192, seed: int = 0, drop_last: bool = False, *, window: int = 16
    ) -> None:
        super().__init__(n, batch_size, seed, drop_last)
        self.block = ensure_int(block, "block", 1)
        self.window = ensure_int(window, "window", 1)

    def config(self) -> dict[str, Any]:
        return super().config() | {"block": self.block, "window": self.window}

    def rows(self, epoch: int, start: int, stop: int) -> Rows64:
        first, last = self._window_at(epoch, start), self._window_at(epoch, stop - 1)
        shape = self.n, self.block, self.window, self.seed
        rows = joined([_window_rows(*shape, epoch, number) for number in range(first, last + 1)])
        begin = self._window_start(epoch, first)
        return rows[start - begin : stop - begin]

    # The last block may be short by -n % block rows, and windows after the one that holds it start that much earlier.

    def _window_at(self, epoch: int, position: int) -> int:
        """Return the number of the window that holds `position`."""
        holder = _place_of_last_block(self.n, self.block, self.seed, epoch) // self.window
        is_after = position >= self._window_start(epoch, holder + 1)
        return (position + is_after * (-self.n % self.block)) // (self.window * self.block)

    def _window_start(self, epoch: int, window: int) -> int:
        """Return the first position of a window."""
        is_after = _place_of_last_block(self.n, self.block, self.seed, epoch) < window * self.window
        return window * self.window * self.block - is_after * (-self.n % self.block)


@lru_cache(maxsize=64)
def _place_of_last_block(n: int, block: int, seed: int, epoch: int) -> int:
    """Return the place of the last block, which may be short, in the order of the blocks."""
    return int(shuffled_positions([0], -(-n // block), f"last {seed} {epoch}")[0])


@lru_cache(maxsize=4)
def _window_rows(n: int, block: int, window: int, seed: int, epoch: int, number: int) -> Rows64:
    """Return the rows of one window, shuffled."""
    blocks = -(-n // block)
    places = np.arange(number * window, min((number + 1) * window, blocks))
    places = np.append(places, _place_of_last_block(n, block, seed, epoch))
    numbers = shuffled_positions(places, blocks, f"blocks {seed} {epoch}")
    numbers = (numbers[:-1] - numbers[-1] - 1) % blocks  # rotated, so that the last block gets its place
    rows = np.concatenate([np.arange(b * block, min((b + 1) * block, n)) for b in numbers.tolist()])
    rows = rows[shuffled_positions(np.arange(len(rows)), len(rows), f"rows {seed} {epoch} {number}")]
    rows.flags.writeable = False
    return rows
