"""A list of ASCII strings whose bytes are made on demand, so that they are never in memory all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.ragged.flat import lengths_of, offsets_of

__all__ = ["AsciiRows", "NotAsciiError"]


class NotAsciiError(ValueError):
    """A row is not a string, not ASCII, or its ``len`` is not its number of bytes; `Text.of` takes or names it."""


class AsciiRows:
    """A list of ASCII strings as flat bytes, made on demand.

    Parameters
    ----------
    rows : list of str
        n of them; the list must not change afterwards.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n + 1,)
        Where rows begin and end in the bytes of all.

    Raises
    ------
    NotAsciiError
        A row is not a string; `values` raises it where a row is not ASCII.

    Examples
    --------
    >>> rows = AsciiRows(["CC", "O", "N"])
    >>> rows.offsets, rows.values(1, 3).tobytes()
    (array([0, 2, 3, 4]), b'ON')
    """

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        try:
            self.offsets = offsets_of(lengths_of(rows))
        except Exception:  # no length, or that of a class of its own
            raise NotAsciiError from None

    def values(self, first: int, last: int) -> NDArray[np.uint8]:
        """Return the bytes of the rows from `first` up to, not including, `last`.

        Parameters
        ----------
        first, last : int
            Row numbers, from 0 to n.

        Returns
        -------
        ndarray of uint8, shape (offsets[last] - offsets[first],)

        Raises
        ------
        NotAsciiError
            One of these rows is not a string, or not ASCII.

        Examples
        --------
        >>> AsciiRows(["CC", "O"]).values(0, 2).tobytes()
        b'CCO'
        """
        try:
            joined = "".join(self.rows[first:last])
        except TypeError:
            raise NotAsciiError from None
        if not joined.isascii() or len(joined) != self.offsets[last] - self.offsets[first]:
            raise NotAsciiError
        return np.frombuffer(joined.encode(), np.uint8)
