"""`Sequential` and `Shuffled`: batches of one size, in the order of the rows or at random."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from mrl.data.columns import Rows64
from mrl.data.order.base import FixedSizeOrder, ensure_int, joined
from mrl.data.order.randomness import shuffled_positions

BLOCK = 1 << 14  # positions that are shuffled in one call of NumPy


class Sequential(FixedSizeOrder):
    """Every row once, from the first to the last.

    Parameters
    ----------
    n, batch_size : int
        Number of rows; rows per (global) batch.
    drop_last : bool
        Whether to leave out a last batch of fewer rows.

    Raises
    ------
    ValueError
        If `n` is negative or `batch_size` is less than 1.

    Examples
    --------
    >>> order = Sequential(5, 2)
    >>> [order.batch(0, k).tolist() for k in range(len(order))]
    [[0, 1], [2, 3], [4]]
    """

    def rows(self, epoch: int, start: int, stop: int) -> Rows64:
        return np.arange(start, stop)


class Shuffled(FixedSizeOrder):
    """Every row once, in a new random order each epoch.

    Parameters
    ----------
    n, batch_size : int
        Number of rows; rows per (global) batch.
    seed : int
        Seed of the shuffle: the same seed gives the same order on any machine.
    drop_last : bool
        Whether to leave out a last batch of fewer rows.

    Raises
    ------
    ValueError
        If `n` is negative or `batch_size` is less than 1.

    Examples
    --------
    >>> order = Shuffled(5, 2, seed=0)
    >>> [order.batch(0, k).tolist() for k in range(len(order))]
    [[4, 2], [1, 0], [3]]
    """

    def __init__(self, n: int, batch_size: int, seed: int = 0, drop_last: bool = False) -> None:
        super().__init__(n, batch_size, drop_last)
        self.seed = ensure_int(seed, "seed")

    def config(self) -> dict[str, Any]:
        return super().config() | {"seed": self.seed}

    def rows(self, epoch: int, start: int, stop: int) -> Rows64:
        first, last = start // BLOCK, (stop - 1) // BLOCK
        rows = joined([_shuffled_block(self.n, self.seed, epoch, block) for block in range(first, last + 1)])
        return rows[start - first * BLOCK : stop - first * BLOCK]


@lru_cache(maxsize=64)
def _shuffled_block(n: int, seed: int, epoch: int, block: int) -> Rows64:
    positions = np.arange(block * BLOCK, min((block + 1) * BLOCK, n))
    rows = shuffled_positions(positions, n, f"rows {seed} {epoch}")
    rows.flags.writeable = False
    return rows
