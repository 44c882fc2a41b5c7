"""A list of texts whose bytes are made piece by piece, so that they are never there all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.ragged._flat import offsets_of

__all__ = ["NotAscii", "Pieces", "lengths_of"]


class NotAscii(ValueError):
    """A row is no text, or its bytes are not as many as its characters: `Text.of` takes it, or says what it is."""


class Pieces:
    """A list of ASCII texts.

    Parameters
    ----------
    rows : list of str, n of them

    Attributes
    ----------
    offsets : ndarray of int64, shape (n + 1,)
        Where rows begin and end in the bytes of all.

    Raises
    ------
    NotAscii
        A row is no text; `values` says so of other alphabets.

    Examples
    --------
    >>> pieces = Pieces(["CC", "O", "N"])
    >>> pieces.offsets, pieces.values(1, 3).tobytes()
    (array([0, 2, 3, 4]), b'ON')
    """

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        try:
            self.offsets = offsets_of(lengths_of(rows))
        except TypeError:
            raise NotAscii from None

    def values(self, first: int, last: int) -> NDArray[np.uint8]:
        """Bytes of the rows from `first` to before `last`."""
        try:
            joined = "".join(self.rows[first:last])
        except TypeError:
            raise NotAscii from None
        if not joined.isascii():
            raise NotAscii
        return np.frombuffer(joined.encode(), np.uint8)


def lengths_of(rows: Sequence[Any]) -> NDArray[np.int64]:
    """Lengths of rows, int64 (n,)."""
    try:
        return np.frombuffer(bytearray(map(len, rows)), np.uint8).astype(np.int64)  # almost twice as fast
    except ValueError:  # a row has more than 255
        return np.fromiter(map(len, rows), np.int64, len(rows))
