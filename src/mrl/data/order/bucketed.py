"""`Bucketed`: a shuffle in which rows of similar length share a batch, so that little is padded."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mrl.data.columns import Rows64
from mrl.data.order.batches import Shuffled
from mrl.data.order.randomness import shuffled_positions
from mrl.ragged import Column, is_column

WINDOW = 100  # batches that are sorted together: padding falls below 2 %, and any batch still costs O(window)


class Bucketed(Shuffled):
    """Every row once, shuffled, with rows of similar length in the same batch.

    Windows of 100 batches of the shuffled order are sorted by length and cut into batches, which are shuffled again
    within the window. A short last batch is set aside before sorting, so that it favours no length. Any batch costs
    O(window).

    Parameters
    ----------
    lengths : array of int, or column of them, shape (n,)
        Number of tokens of each row. Of a column (`Column`), such as one on disk, only the rows of one window at a time
        are read.
    batch_size : int
        Rows per (global) batch.
    seed : int
        Seed of the shuffle: the same seed gives the same order on any machine.
    drop_last : bool
        Whether to leave out a last batch of fewer rows.

    Raises
    ------
    ValueError
        If `batch_size` is less than 1.

    Examples
    --------
    >>> order = Bucketed([9, 1, 8, 2], 2, seed=0)
    >>> sorted(sorted(order.batch(0, k).tolist()) for k in range(len(order)))
    [[0, 2], [1, 3]]
    """

    def __init__(self, lengths: ArrayLike | Column, batch_size: int, seed: int = 0, drop_last: bool = False) -> None:
        self.lengths: Column | Rows64 = lengths if is_column(lengths) else np.array(lengths, np.int64)
        super().__init__(len(self.lengths), batch_size, seed, drop_last)
        self._last_window: tuple[int, int, Rows64] | None = None  # epoch, number, rows

    def config(self) -> dict[str, Any]:
        return super().config() | {"lengths": lengths_digest(self.lengths), "window": WINDOW}

    def batch(self, epoch: int, k: int) -> Rows64:
        start, stop = self._span(k)
        if stop - start < self.batch_size:
            return self.rows(epoch, start, stop)
        number, place = divmod(k, WINDOW)
        window = self._last_window  # read once: another thread may be in another epoch
        if window is None or window[:2] != (epoch, number):
            self._last_window = window = (epoch, number, self._sorted_window(epoch, number))
        return window[2][place * self.batch_size : (place + 1) * self.batch_size]

    def _sorted_window(self, epoch: int, number: int) -> Rows64:
        batches = min(WINDOW, self.n // self.batch_size - number * WINDOW)
        start = number * WINDOW * self.batch_size
        rows = self.rows(epoch, start, start + batches * self.batch_size)
        rows = rows[batched_by_length(self.lengths.take(rows), batches, f"batches {self.seed} {epoch} {number}")]
        rows.flags.writeable = False
        return rows


def batched_by_length(lengths: ArrayLike, batches: int, key: str) -> Rows64:
    """Return the places of rows in batches of equal size and similar length, and the batches in the order `key`."""
    lengths = np.asarray(lengths)
    if int(lengths.max(initial=0)) < 1 << 16:
        lengths = lengths.astype(np.uint16)  # which NumPy sorts by digits, several times as fast
    places = np.argsort(lengths, kind="stable").reshape(batches, -1)
    return places[shuffled_positions(np.arange(batches), batches, key)].reshape(-1)


def lengths_digest(lengths: Column | Rows64) -> str:
    """Return a digest of an array or column of lengths."""
    if is_column(lengths):
        return lengths.digest
    return hashlib.sha256(np.ascontiguousarray(lengths, "<i8").tobytes()).hexdigest()
