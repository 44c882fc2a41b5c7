"""Rows as references to vectors in tables, so that a vector is in memory once, however many datasets it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.features.packing import Bytes, PackedFormat, exact_floats, unpack, unpack_floats
from mrl.features.tables import FixedTable, RowNumbers, Table

__all__ = ["VectorRefs"]

UNKNOWN, FAILED = -1, -2  # in the place of a reference
SHIFT = 40  # a reference is (number of the table << SHIFT) + row in it
ROW = (1 << SHIFT) - 1
CHUNK = 4096  # vectors that are looked at together


class VectorRefs:
    """n rows, each of which is a reference to a vector in a table, a reason why there is none, or unknown.

    A row takes 8 bytes; the vectors stay in their tables, which live as long as something refers to them.

    Parameters
    ----------
    n : int
        Number of rows; all unknown at first.

    Attributes
    ----------
    reasons : dict of int to str
        Why a row failed.
    size : int or None
        The numbers of a vector, D, once that is settled.

    Examples
    --------
    >>> from mrl.features import featurize
    >>> vectors = featurize(["CCO", "C", "?"], {"CCO": [0, 1, 1], "C": [1, 0, 0]}.get, on_error="mask").vectors
    >>> vectors.ok, vectors.size, vectors.formats
    (array([ True,  True, False]), 3, [PackedFormat(size=3, dtype='<f4', bits=False)])
    >>> vectors.floats([2, 0])
    array([[nan, nan, nan],
           [ 0.,  1.,  1.]], dtype=float32)
    """

    def __init__(self, n: int) -> None:
        self._refs = np.full(n, UNKNOWN, np.int64)
        self._tables: list[Table] = []
        self.reasons: dict[int, str] = {}
        self.size: int | None = None

    def __len__(self) -> int:
        return len(self._refs)

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which rows have a vector, bool (n,)."""
        return self._refs >= 0

    @property
    def formats(self) -> list[PackedFormat]:
        """The formats in which the vectors are packed: size, dtype, and whether they are bits."""
        return [self._tables[number].format for number in np.unique(self._refs[self.ok] >> SHIFT).tolist()]

    def unknown(self, rows: Any = slice(None)) -> RowNumbers:
        """Return which of some rows are unknown, as positions in `rows`.

        Parameters
        ----------
        rows : array of int, shape (k,), optional
            All if not given.

        Returns
        -------
        ndarray of int64
            From 0 to below k, ascending.

        Examples
        --------
        >>> VectorRefs(2).unknown()
        array([0, 1])
        """
        return np.flatnonzero(self._refs[rows] == UNKNOWN)

    def refer(self, rows: RowNumbers, table: Table, table_rows: RowNumbers) -> None:
        """Let rows refer to rows of a table.

        Parameters
        ----------
        rows : ndarray of int64, shape (k,)
            Rows of these.
        table : Table
            A table of a store.
        table_rows : ndarray of int64, shape (k,)
            Its rows.

        Examples
        --------
        >>> from mrl.features.packing import pack
        >>> vectors = VectorRefs(2)
        >>> vectors.refer(np.array([1]), FixedTable(*pack(np.array([[1, 0]], np.uint8))), np.array([0]))
        >>> vectors.ok
        array([False,  True])
        """
        number = next((i for i, known in enumerate(self._tables) if known is table), len(self._tables))
        if number == len(self._tables) and len(rows):
            self._tables = [*self._tables, table]
        self._refs[rows] = (number << SHIFT) + table_rows

    def fail(self, reasons: Iterable[tuple[int, str]]) -> None:
        """Record why rows have no vector.

        Parameters
        ----------
        reasons : iterable of (int, str)
            Rows and reasons.

        Examples
        --------
        >>> vectors = VectorRefs(2)
        >>> vectors.fail([(1, "took longer than 5 s")])
        >>> vectors.unknown()
        array([0])
        """
        for row, reason in reasons:
            self._refs[row] = FAILED
            self.reasons[row] = reason

    def update(self, rows: RowNumbers, other: VectorRefs) -> None:
        """Copy references: row ``rows[i]`` becomes row i of `other`, where that is known.

        Parameters
        ----------
        rows : ndarray of int64, shape (k,)
            Rows of these.
        other : VectorRefs
            Of k rows.

        Examples
        --------
        >>> from mrl.features import featurize
        >>> vectors = VectorRefs(3)
        >>> vectors.update(np.array([2, 0]), featurize(["C", "CC"], len).vectors)
        >>> vectors.ok
        array([ True, False,  True])
        """
        numbers = np.where(other._refs >= 0, other._refs >> SHIFT, -1)
        for number in np.unique(numbers[numbers >= 0]).tolist():
            here = np.flatnonzero(numbers == number)
            self.refer(rows[here], other._tables[number], other._refs[here] & ROW)
        self.fail((int(rows[row]), reason) for row, reason in other.reasons.items())
        self.size = other.size if self.size is None else self.size

    def take(self, rows: RowNumbers) -> VectorRefs:
        """Return some rows, without copying vectors.

        Parameters
        ----------
        rows : ndarray of int64, shape (k,)
            In any order, repeats allowed.

        Returns
        -------
        VectorRefs
            Of k rows.

        Examples
        --------
        >>> from mrl.features import featurize
        >>> featurize(["C", "CC"], len).vectors.take(np.array([1, 1, 0])).floats().ravel()
        array([2., 2., 1.], dtype=float32)
        """
        taken = VectorRefs(0)
        taken._refs, taken._tables, taken.size = self._refs[rows], self._tables, self.size
        failed = np.flatnonzero(taken._refs == FAILED).tolist()
        taken.reasons = {row: self.reasons[int(rows[row])] for row in failed}
        return taken

    def settle_size(self, size: int | None) -> None:
        """Set D; rows with another number of numbers fail.

        Parameters
        ----------
        size : int, optional
            D; the size of most rows if not given, and of equally frequent ones the first.

        Examples
        --------
        >>> from mrl.features import featurize
        >>> vectors = featurize(["C", "CC"], len).vectors
        >>> vectors.settle_size(2)
        >>> vectors.reasons[0]
        'returned 1 numbers, where others have 2'
        """
        of_table = np.array([*(table.format.size for table in self._tables), -1])
        sizes = of_table[np.where(self.ok, self._refs >> SHIFT, -1)]
        if size is None and self.ok.any():
            found, first, counts = np.unique(sizes[sizes >= 0], return_index=True, return_counts=True)
            size = int(found[np.lexsort((first, -counts))[0]])
        self.size = size
        others = np.flatnonzero(self.ok & (sizes != size)).tolist()
        self.fail((row, f"returned {sizes[row]} numbers, where others have {size}") for row in others)

    def reject_nonfinite(self) -> None:
        """Fail the rows whose vectors have NaN or an infinite number.

        Examples
        --------
        >>> from mrl.features import featurize
        >>> vectors = featurize(["C", "CC"], {"C": [1, 2], "CC": [1, float("nan")]}.get, on_nonfinite="keep").vectors
        >>> vectors.reject_nonfinite()
        >>> vectors.reasons
        {1: 'not finite: number 1 of 2 is nan'}
        """
        for here, format, data in self._packed(self._refs, CHUNK):
            if np.dtype(format.dtype).kind != "f":
                continue
            wrong = ~np.isfinite(numbers := unpack(format, data))
            for place in np.flatnonzero(wrong.any(axis=1)).tolist():
                first, count = int(wrong[place].argmax()), int(wrong[place].sum())
                others = f", {count - 1} others are not finite either" if count > 1 else ""
                self.fail(
                    [
                        (
                            int(here[place]),
                            f"not finite: number {first} of {format.size} is {numbers[place, first]}{others}",
                        )
                    ]
                )

    def floats(self, rows: Any = slice(None), dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return vectors as floating-point numbers, copied; NaN where there is none.

        Parameters
        ----------
        rows : array of int, shape (B,), optional
            All if not given.
        dtype : dtype
            A floating-point type.

        Returns
        -------
        ndarray of `dtype`, shape (B, D)

        Examples
        --------
        >>> from mrl.features import featurize
        >>> featurize(["C", "CC"], len).vectors.floats([1])
        array([[2.]], dtype=float32)
        """
        refs = self._refs[rows]
        if len(self._tables) == 1 and len(refs) and int(refs.min()) >= 0:
            table = self._tables[0]
            return unpack_floats(table.format, table.take(refs), dtype)
        values = np.full((len(refs), self.size or 0), np.nan, dtype)
        for here, format, data in self._packed(refs):
            values[here] = unpack_floats(format, data, dtype)
        return values

    def values(self) -> NDArray[Any]:
        """Return all vectors in the smallest type that holds them; 0 where there is none.

        Returns
        -------
        ndarray, shape (n, D)
            Unsigned integers (bits as uint8) or float32.

        Examples
        --------
        >>> from mrl.features import featurize
        >>> featurize(["C", "CC"], lambda text: np.array([len(text) > 1, True])).vectors.values()
        array([[0, 1],
               [1, 1]], dtype=uint8)
        """
        dtypes = sorted({format.dtype for format in self.formats}) or ["f4"]
        values = np.zeros((len(self), self.size or 0), np.result_type(*dtypes))
        for here, format, data in self._packed(self._refs):
            numbers = unpack(format, data)
            values[here] = exact_floats(numbers, values.dtype) if values.dtype.kind == "f" else numbers
        return values

    def _packed(self, refs: RowNumbers, chunk: int | None = None) -> Iterator[tuple[RowNumbers, PackedFormat, Bytes]]:
        """Yield the positions, the format and the packed vectors of the references into each table."""
        numbers = np.where(refs >= 0, refs >> SHIFT, -1)
        for number in np.unique(numbers[numbers >= 0]).tolist():
            everything, table = np.flatnonzero(numbers == number), self._tables[number]
            for start in range(0, len(everything), chunk or len(everything)):
                here = everything[start : start + (chunk or len(everything))]
                yield here, table.format, table.take(refs[here] & ROW)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (len(self), list(self._packed(self._refs)), self.reasons, self.size)


def _unpickle(
    n: int, packed: list[tuple[RowNumbers, PackedFormat, Bytes]], reasons: dict[int, str], size: int | None
) -> VectorRefs:
    """Only the vectors of the rows travel, not the tables that they share with others."""
    refs = VectorRefs(n)
    for rows, format, data in packed:
        refs.refer(rows, FixedTable(format, data), np.arange(len(rows)))
    refs.fail(reasons.items())
    refs.size = size
    return refs
