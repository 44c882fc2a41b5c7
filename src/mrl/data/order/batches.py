"""Orders: which rows make up batch k of an epoch, as pure functions.

An order knows nothing of ranks, workers or resuming; everything else is written once against its four members. The
shuffle is a counter-based bijection: the row at any position of any epoch is computed, and nothing is stored.
"""

from __future__ import annotations

import hashlib
import json
import operator
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import Column, Rows64
from mrl.kernels import SHUFFLE_KEYS, shuffle_positions

__all__ = ["Bucketed", "Order", "Sequential", "Shuffled", "TokenBudget", "permuted"]

SMALL = (
    1 << 10
)  # up to here random numbers are sorted: as fast, and without a bias (a Feistel network of few bits has one)
WINDOW = 100  # batches that are sorted together: padding falls below 2 %, and any batch still costs O(window)
BLOCK = 1 << 14  # positions shuffled at once, to spare NumPy's cost per call


class Order(Protocol):
    """The batches of every epoch: pure, picklable, the same in any process."""

    n: int
    """Number of rows."""

    def __len__(self) -> int:
        """Number of batches of an epoch."""

    def batch(self, epoch: int, k: int) -> Rows64:
        """Give the rows of batch `k`, 0 <= k < len, of epoch `epoch`."""

    def key(self) -> str:
        """Digest of everything that the batches depend on."""


def permuted(positions: Any, n: int, key: str) -> Rows64:
    """Give what stands at `positions` of a random order of ``range(n)`` that `key` names.

    Parameters
    ----------
    positions : array of int, shape (m,)
        From 0 to below `n`.
    n : int
        Number of rows.
    key : str
        Names the order; the same key gives the same one on any machine.

    Returns
    -------
    ndarray of int64, shape (m,)

    Examples
    --------
    >>> permuted(range(5), 5, "seed 0")
    array([2, 0, 3, 4, 1])
    """
    positions = np.asarray(positions, np.int64)
    stream = hashlib.shake_128(f"{n}:{key}".encode())
    if n <= SMALL:
        order = np.argsort(np.frombuffer(stream.digest(8 * n), "<u8"), kind="stable")
        return np.asarray(order[positions], np.int64)
    return shuffle_positions(positions, n, np.frombuffer(stream.digest(8 * SHUFFLE_KEYS), "<u8").astype(np.uint64))


class _Order:
    """What the orders share: an identity."""

    def facts(self) -> dict[str, Any]:
        """Everything that the batches depend on, as plain values."""
        return {"order": type(self).__name__}

    def key(self) -> str:
        """Digest of everything that the batches depend on."""
        return self._key

    @cached_property
    def _key(self) -> str:
        return hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode()).hexdigest()[:32]


class _Batches(_Order):
    """Orders of n rows in batches of one size."""

    def __init__(self, n: int, batch_size: int, drop_last: bool = False) -> None:
        self.n = operator.index(n)
        self.batch_size = operator.index(batch_size)
        self.drop_last = bool(drop_last)
        if self.n < 0 or self.batch_size < 1:
            raise ValueError(f"{n} rows in batches of {batch_size}; expected 0 rows or more, in batches of 1 or more")

    def __len__(self) -> int:
        return self.n // self.batch_size if self.drop_last else -(-self.n // self.batch_size)

    def facts(self) -> dict[str, Any]:
        """Everything that the batches depend on, as plain values."""
        return super().facts() | {"n": self.n, "batch_size": self.batch_size, "drop_last": self.drop_last}

    def _span(self, k: int) -> tuple[int, int]:
        if not 0 <= k < len(self):
            raise IndexError(f"batch {k} of {len(self)}")
        return k * self.batch_size, min((k + 1) * self.batch_size, self.n)


class Sequential(_Batches):
    """Rows as they stand.

    Examples
    --------
    >>> order = Sequential(5, 2)
    >>> [order.batch(0, k).tolist() for k in range(len(order))]
    [[0, 1], [2, 3], [4]]
    """

    def batch(self, epoch: int, k: int) -> Rows64:
        """Give the rows of batch `k`."""
        return np.arange(*self._span(k))


class Shuffled(_Batches):
    """Every row once, in another random order each epoch.

    Examples
    --------
    >>> order = Shuffled(5, 2, seed=0)
    >>> [order.batch(0, k).tolist() for k in range(len(order))]
    [[4, 2], [1, 0], [3]]
    """

    def __init__(self, n: int, batch_size: int, seed: int = 0, drop_last: bool = False) -> None:
        super().__init__(n, batch_size, drop_last)
        self.seed = operator.index(seed)

    def facts(self) -> dict[str, Any]:
        """Everything that the batches depend on, as plain values."""
        return super().facts() | {"seed": self.seed}

    def batch(self, epoch: int, k: int) -> Rows64:
        """Give the rows of batch `k` of epoch `epoch`."""
        return self.positions(epoch, *self._span(k))

    def positions(self, epoch: int, start: int, stop: int) -> Rows64:
        """Give the rows at positions `start` to `stop` of epoch `epoch`."""
        first, last = start // BLOCK, (stop - 1) // BLOCK
        blocks = [_block(self.n, self.seed, epoch, b) for b in range(first, last + 1)]
        rows = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
        return rows[start - first * BLOCK : stop - first * BLOCK]


@lru_cache(maxsize=64)
def _block(n: int, seed: int, epoch: int, block: int) -> Rows64:
    positions = np.arange(block * BLOCK, min((block + 1) * BLOCK, n))
    rows = permuted(positions, n, f"rows {seed} {epoch}")
    rows.flags.writeable = False
    return rows


class Bucketed(Shuffled):
    """Every row once, shuffled, rows of like length together.

    Windows of 100 batches of the shuffled order are sorted by length and cut into batches, which are shuffled again
    inside the window. The short last batch is what was left over before sorting, so that no length is favoured.

    Parameters
    ----------
    lengths : array of int, or column of them, shape (n,)
        Tokens of each row. A column (`Column`) is asked for the rows of one window at a time, so it need not be in
        memory.
    batch_size : int
        Rows of a (global) batch.
    seed : int
        Names the shuffle; the same seed gives the same one on any machine.
    drop_last : bool
        Whether to leave out a last batch of fewer rows.

    Examples
    --------
    >>> order = Bucketed(np.array([9, 1, 8, 2]), 2, seed=0)
    >>> sorted(sorted(order.batch(0, k).tolist()) for k in range(len(order)))
    [[0, 2], [1, 3]]
    """

    def __init__(self, lengths: Any, batch_size: int, seed: int = 0, drop_last: bool = False) -> None:
        super().__init__(len(lengths), batch_size, seed, drop_last)
        self.lengths = lengths if isinstance(lengths, Column) else np.array(lengths, np.int64)
        self._window: tuple[int, int, Rows64] | None = None  # the last one that was asked for

    def facts(self) -> dict[str, Any]:
        """Everything that the batches depend on, as plain values."""
        return super().facts() | {"lengths": _digest(self.lengths), "window": WINDOW}

    def batch(self, epoch: int, k: int) -> Rows64:
        """Give the rows of batch `k` of epoch `epoch`."""
        start, stop = self._span(k)
        if stop - start < self.batch_size:
            return self.positions(epoch, start, stop)
        number, at = k // WINDOW, (k % WINDOW) * self.batch_size
        window = self._window  # read once: another thread may be in another epoch
        if window is None or window[:2] != (epoch, number):
            self._window = window = (epoch, number, self._sorted(epoch, number))
        return window[2][at : at + self.batch_size]

    def _sorted(self, epoch: int, window: int) -> Rows64:
        full = self.n // self.batch_size
        batches = min(WINDOW, full - window * WINDOW)
        start = window * WINDOW * self.batch_size
        rows = self.positions(epoch, start, start + batches * self.batch_size)
        rows = rows[np.argsort(self.lengths.take(rows), kind="stable")].reshape(batches, self.batch_size)
        rows = rows[permuted(np.arange(batches), batches, f"batches {self.seed} {epoch} {window}")].reshape(-1)
        rows.flags.writeable = False
        return rows


class TokenBudget(_Order):
    """Every row once, rows of like length together, as many as fit into `max_tokens` with their padding.

    The lengths fix how many rows each batch has, once; which rows of the same length meet, and the order of the
    batches, changes with the epoch. Tokens are counted as rows times the longest row, which is the size of ``x`` of
    `lm_collate`.

    Examples
    --------
    >>> order = TokenBudget(np.array([4, 1, 4, 2]), max_tokens=8)
    >>> sorted(sorted(order.batch(0, k).tolist()) for k in range(len(order)))
    [[0, 2], [1, 3]]
    """

    def __init__(self, lengths: NDArray[np.int64], max_tokens: int, seed: int = 0) -> None:
        self.n = len(lengths)
        self.max_tokens = operator.index(max_tokens)
        self.seed = operator.index(seed)
        self.lengths = np.array(lengths, np.int64)
        self.check(self.lengths, self.max_tokens)
        self._by_length = np.argsort(self.lengths, kind="stable")
        ordered = self.lengths[self._by_length]
        # Rows of one length stand between these bounds of the sorted order.
        self._bounds = np.concatenate([[0], np.flatnonzero(np.diff(ordered)) + 1, [self.n]]).astype(np.int64)
        cuts = [0]
        while (start := cuts[-1]) < self.n:
            most = ordered[start : start + self.max_tokens // max(int(ordered[start]), 1)]
            padded = np.arange(1, len(most) + 1) * most
            cuts.append(start + int(np.searchsorted(padded, self.max_tokens, side="right")))
        self._cuts = np.array(cuts, np.int64)

    @staticmethod
    def check(lengths: NDArray[np.int64], max_tokens: int) -> None:
        """Refuse a budget that some row exceeds on its own."""
        if max_tokens < 1:
            raise ValueError(f"max_tokens is {max_tokens}; expected 1 or more")
        if len(lengths) and (longest := int(lengths.max())) > max_tokens:
            raise ValueError(
                f"max_tokens is {max_tokens}, and row {int(lengths.argmax())} alone has {longest} tokens; raise "
                "max_tokens, or leave long rows out (max_length)"
            )

    def __len__(self) -> int:
        return len(self._cuts) - 1

    def facts(self) -> dict[str, Any]:
        """Everything that the batches depend on, as plain values."""
        return super().facts() | {"max_tokens": self.max_tokens, "seed": self.seed, "lengths": _digest(self.lengths)}

    def batch(self, epoch: int, k: int) -> Rows64:
        """Give the rows of batch `k` of epoch `epoch`."""
        if not 0 <= k < len(self):
            raise IndexError(f"batch {k} of {len(self)}")
        place = int(permuted([k], len(self), f"batches {self.seed} {epoch}")[0])
        start, stop = self._cuts[place], self._cuts[place + 1]
        first = int(np.searchsorted(self._bounds, start, side="right")) - 1
        rows = []
        while self._bounds[first] < stop:
            low, high = int(self._bounds[first]), int(self._bounds[first + 1])
            inside = np.arange(max(low, start), min(high, stop)) - low
            rows.append(self._by_length[low + permuted(inside, high - low, f"rows {self.seed} {epoch} {low}")])
            first += 1
        return np.concatenate(rows)


def _digest(array: Any) -> str:
    if isinstance(array, Column):
        return array.digest
    return hashlib.sha256(np.ascontiguousarray(array, "<i8").tobytes()).hexdigest()
