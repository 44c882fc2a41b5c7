"""`BlockShuffled`: a shuffle that reads the disk in long runs, for rows that do not fit into memory."""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any

import numpy as np

from mrl.data.columns import Rows64
from mrl.data.order.batches import Shuffled, permuted

__all__ = ["BlockShuffled"]


class BlockShuffled(Shuffled):
    """Every row once, in another random order each epoch, of which only a window is spread over the data at a time.

    Blocks of consecutive rows are shuffled, and the rows inside each window of several blocks. A window is read as so
    many long runs and served from memory (that of the system suffices for mapped files); a shuffle of single rows would
    read a page for each. What is lost: rows further apart than a window in the order of the blocks never meet in a
    batch of that epoch. Any batch costs O(window), and nothing is stored.

    It goes to a loader as ``ds.dataloader(bs, order=BlockShuffled(len(ds), bs))``; on several ranks `batch_size` is the
    global one.

    Parameters
    ----------
    n : int
        Number of rows.
    batch_size : int
        Rows of a (global) batch.
    block : int
        Consecutive rows that are read together; 8,192 molecules are about 300 kB of text.
    seed : int
        Names the shuffle; the same seed gives the same one on any machine.
    drop_last : bool
        Whether to leave out a last batch of fewer rows.
    window : int
        Blocks whose rows are shuffled together, and which memory has to hold.

    Raises
    ------
    ValueError
        If `block` or `window` is less than 1.

    Notes
    -----
    Two levels of shuffling converge like a full one where blocks are drawn at random (CorgiPile: Xu et al. 2022,
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
        self.block = operator.index(block)
        self.window = operator.index(window)
        if self.block < 1 or self.window < 1:
            raise ValueError(f"windows of {window} blocks of {block} rows; expected 1 or more of each")

    def facts(self) -> dict[str, Any]:
        """Everything that the batches depend on, as plain values."""
        return super().facts() | {"block": self.block, "window": self.window}

    def positions(self, epoch: int, start: int, stop: int) -> Rows64:
        """Give the rows at positions `start` to `stop` of epoch `epoch`."""
        first, last = self._window_at(epoch, start), self._window_at(epoch, stop - 1)
        parts = [_rows(self.n, self.block, self.window, self.seed, epoch, w) for w in range(first, last + 1)]
        rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
        begin = self._begin(epoch, first)
        return rows[start - begin : stop - begin]

    def _window_at(self, epoch: int, position: int) -> int:
        """The window that holds `position`."""
        after = self._begin(epoch, _place_of_last(self.n, self.block, self.seed, epoch) // self.window + 1)
        return (position + (position >= after) * (-self.n % self.block)) // (self.window * self.block)

    def _begin(self, epoch: int, window: int) -> int:
        """The first position of a window: the last block, where it comes earlier, was -n % block rows short."""
        short = _place_of_last(self.n, self.block, self.seed, epoch) < window * self.window
        return window * self.window * self.block - short * (-self.n % self.block)


@lru_cache(maxsize=64)
def _place_of_last(n: int, block: int, seed: int, epoch: int) -> int:
    """Where the last block, which may be shorter, stands in the order of the blocks."""
    return int(permuted([0], -(-n // block), f"last {seed} {epoch}")[0])


@lru_cache(maxsize=4)
def _rows(n: int, block: int, window: int, seed: int, epoch: int, number: int) -> Rows64:
    """The rows of one window, shuffled."""
    blocks = -(-n // block)
    places = np.arange(number * window, min((number + 1) * window, blocks))
    places = np.append(places, _place_of_last(n, block, seed, epoch))
    found = permuted(places, blocks, f"blocks {seed} {epoch}")
    found = (found[:-1] - found[-1] - 1) % blocks  # turned, so that the last block stands in its place
    rows = np.concatenate([np.arange(b * block, min((b + 1) * block, n)) for b in found.tolist()])
    rows = rows[permuted(np.arange(len(rows)), len(rows), f"rows {seed} {epoch} {number}")]
    rows.flags.writeable = False
    return rows
