"""Tables of packed vectors, in which rows are found by the digests of their texts."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.features.keys import Digests
from mrl.features.packing import Bytes, PackedFormat

__all__ = ["FixedTable", "MemoryTable", "RowNumbers", "Table"]

RowNumbers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FixedTable:
    """A table that does not change, in memory or in a mapped file.

    Attributes
    ----------
    format : PackedFormat
        Of its vectors.
    data : ndarray of uint8, shape (n, width)
        The vectors.
    keys : Digests, shape (n,), optional
        Of their texts, sorted; without them no row is found.
    """

    format: PackedFormat
    data: Bytes
    keys: Digests | None = None

    def take(self, rows: RowNumbers) -> Bytes:
        """Return the vectors of rows, copied."""
        return self.data[rows]

    def find(self, keys: Digests) -> RowNumbers:
        """Return the row of each key, or -1."""
        if self.keys is None or not len(self.keys):
            return np.full(len(keys), -1)
        rows = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[rows] == keys, rows, -1)


class MemoryTable:
    """A table in memory that grows. Besides a vector, a row takes 16 bytes for its key and 5 to 11 for the index.

    The index is a hash table, as an array of row numbers, with double hashing: digests are their own hash.

    Parameters
    ----------
    format : PackedFormat
        Of its vectors.
    """

    def __init__(self, format: PackedFormat) -> None:
        self.format = format
        self._n = 0
        self._data: Bytes = np.zeros((0, format.width), np.uint8)
        self._keys: Digests = np.zeros(0, "S16")
        self._index = np.full(2, -1, np.int32)
        self._lock = threading.Lock()  # arrays grow in place, so nothing may read them meanwhile

    def __len__(self) -> int:
        return self._n

    @property
    def nbytes(self) -> int:
        return self._data.nbytes + self._keys.nbytes + self._index.nbytes

    def take(self, rows: RowNumbers) -> Bytes:
        """Return the vectors of rows, copied."""
        with self._lock:
            return self._data[rows]

    def append(self, keys: Digests, data: Bytes, expected: int) -> RowNumbers:
        """Add vectors, the first of `expected` ones, and return their rows."""
        with self._lock:
            rows = np.arange(self._n, self._n + len(keys))
            self._n += len(keys)
            if self._n > len(self._keys):
                capacity = max(self._n, int(rows[0]) + expected, len(self._keys) * 65 // 64)
                # Large arrays are not copied by this. There are no views of them.
                self._data.resize((capacity, self.format.width), refcheck=False)
                self._keys.resize(capacity, refcheck=False)
            self._data[rows], self._keys[rows] = data, keys
            if self._n * 4 > len(self._index) * 3:
                self._index = np.full(1 << (self._n * 4 // 3).bit_length(), -1, np.int32)
                self._insert(np.arange(self._n))
            else:
                self._insert(rows)
        return rows

    def find(self, keys: Digests) -> RowNumbers:
        """Return the row of each key, or -1."""
        found = np.full(len(keys), -1)
        with self._lock:
            left, (places, steps) = np.arange(len(keys)), self._hash(keys)
            while len(left):
                rows = self._index[places]
                used = rows >= 0
                left, places, steps, rows = left[used], places[used], steps[used], rows[used]
                equal = self._keys[rows] == keys[left]
                found[left[equal]] = rows[equal]
                other = ~equal
                left, steps = left[other], steps[other]
                places = self._next(places[other], steps)
        return found

    def _insert(self, rows: RowNumbers) -> None:
        places, steps = self._hash(self._keys[rows])
        while len(rows):
            free = self._index[places] < 0
            self._index[places[free]] = rows[free]  # of several rows for one place, one gets it
            other = self._index[places] != rows
            rows, steps = rows[other], steps[other]
            places = self._next(places[other], steps)

    def _hash(self, keys: Digests) -> tuple[RowNumbers, RowNumbers]:
        """Return the first place of each key in the index, and the odd step to the next ones."""
        halves = np.ascontiguousarray(keys).view(np.uint64).reshape(-1, 2).view(np.int64)
        return halves[:, 0] & (len(self._index) - 1), halves[:, 1] | 1

    def _next(self, places: RowNumbers, steps: RowNumbers) -> RowNumbers:
        return (places + steps) & (len(self._index) - 1)


Table: TypeAlias = FixedTable | MemoryTable
