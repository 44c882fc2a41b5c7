"""`Order`, and what the orders of this package share: an identity, checks, batches of one size."""

from __future__ import annotations

import hashlib
import json
import operator
from abc import abstractmethod
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from mrl.data.columns import Rows64


class Order(Protocol):
    """The global batches of every epoch: a pure function, picklable, the same in any process.

    Ranks, workers and resuming are written once, against these four members; any class that has them is an order.

    Attributes
    ----------
    n : int
        Number of rows.

    Examples
    --------
    >>> from mrl.data import Shuffled
    >>> order = Shuffled(10, 4, seed=0)
    >>> order.n, len(order), order.batch(epoch=0, k=2)
    (10, 3, array([2, 8]))
    >>> order.fingerprint() == Shuffled(10, 4, seed=1).fingerprint()
    False
    """

    n: int

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of batches in an epoch."""

    @abstractmethod
    def batch(self, epoch: int, k: int) -> Rows64:
        """Return the rows of one batch.

        Parameters
        ----------
        epoch, k : int
            Numbers of the epoch, and of the batch in it, both counted from 0.

        Returns
        -------
        ndarray of int64, shape (B,)
            Read-only where the order keeps it.

        Raises
        ------
        IndexError
            If an epoch has no batch `k`.
        """

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a digest of everything that the batches depend on; a loader's state carries it."""


class BaseOrder(Order):
    """Base class of the orders of this package, which are identified by their configuration."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.n:,} rows, {len(self):,} batches)"

    def config(self) -> dict[str, Any]:
        """Return everything that the batches depend on, as JSON values; large arrays by their digest.

        Examples
        --------
        >>> from mrl.data import Sequential
        >>> Sequential(5, 2).config()
        {'order': 'Sequential', 'n': 5, 'batch_size': 2, 'drop_last': False}
        """
        return {"order": type(self).__name__, "n": self.n}

    def fingerprint(self) -> str:
        return self._fingerprint

    def fingerprint_at(self, epoch: int, batches: int) -> str:
        """Return a digest of everything that the batches in front of a place depend on.

        Parameters
        ----------
        epoch, batches : int
            The epoch, and the number of its batches that are in front of the place.

        Returns
        -------
        str

        Examples
        --------
        >>> from mrl.data import Sequential
        >>> Sequential(5, 2).fingerprint_at(1, 0) == Sequential(5, 2).fingerprint()
        True
        """
        return self.fingerprint()

    def row_epochs(self, epoch: int, k: int) -> int | Rows64:
        """Return the epoch that the randomness of the rows of a batch belongs to.

        Parameters
        ----------
        epoch, k : int
            As in `batch`.

        Returns
        -------
        int, or ndarray of int64, shape (B,)
            That of each row where they differ.

        Examples
        --------
        >>> from mrl.data import Sequential
        >>> Sequential(5, 2).row_epochs(3, 0)
        3
        """
        return epoch

    @cached_property
    def _fingerprint(self) -> str:
        return config_digest(self.config())

    def _require_batch(self, k: int) -> None:
        if not 0 <= k < len(self):
            raise IndexError(f"batch {k} of {len(self)}; batches are counted from 0")


def config_digest(config: dict[str, Any]) -> str:
    """Return the fingerprint of an order with this configuration."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:32]


class FixedSizeOrder(BaseOrder):
    """Base class of orders that put the rows of an epoch in a sequence and cut it into batches of one size.

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
    A subclass defines `rows`, and adds to `config` what they depend on, so that a loader's state knows its order:

    >>> class ShortestFirst(FixedSizeOrder):
    ...     def __init__(self, lengths, batch_size):
    ...         super().__init__(len(lengths), batch_size)
    ...         self.by_length = np.argsort(lengths, kind="stable")
    ...     def rows(self, epoch, start, stop):
    ...         return self.by_length[start:stop]
    ...     def config(self):
    ...         return {**super().config(), "by_length": self.by_length.tolist()}
    >>> order = ShortestFirst([3, 1, 2], 2)
    >>> [order.batch(0, k).tolist() for k in range(len(order))]
    [[1, 2], [0]]
    """

    def __init__(self, n: int, batch_size: int, drop_last: bool = False) -> None:
        self.n = ensure_int(n, "n", 0)
        self.batch_size = ensure_int(batch_size, "batch_size", 1)
        self.drop_last = bool(drop_last)

    def __len__(self) -> int:
        return self.n // self.batch_size if self.drop_last else -(-self.n // self.batch_size)

    @abstractmethod
    def rows(self, epoch: int, start: int, stop: int) -> Rows64:
        """Return the rows at consecutive positions of an epoch.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 0.
        start, stop : int
            The first position, and the one after the last; ``0 <= start < stop <= n``.

        Returns
        -------
        ndarray of int64, shape (stop - start,)

        Examples
        --------
        >>> from mrl.data import Shuffled
        >>> Shuffled(5, 2, seed=0).rows(epoch=3, start=1, stop=4)
        array([1, 3, 2])
        """

    def batch(self, epoch: int, k: int) -> Rows64:
        return self.rows(epoch, *self._span(k))

    def config(self) -> dict[str, Any]:
        return super().config() | {"batch_size": self.batch_size, "drop_last": self.drop_last}

    def _span(self, k: int) -> tuple[int, int]:
        """Return the positions at which batch `k` starts and stops."""
        self._require_batch(k)
        return k * self.batch_size, min((k + 1) * self.batch_size, self.n)


def ensure_int(value: object, name: str, least: int | None = None) -> int:
    """Return `value` as an int; TypeError where it is not a whole number, ValueError where it is below `least`."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} is {value!r}; expected a whole number") from None
    if least is not None and number < least:
        raise ValueError(f"{name} is {number}; expected {least} or more")
    return number


def joined(parts: list[Rows64]) -> Rows64:
    """Return `parts` as one array: a single one as it is, and so without a copy."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
