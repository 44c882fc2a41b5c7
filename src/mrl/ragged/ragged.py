"""Ragged: rows of different lengths as one array of values and one array of offsets."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import DTypeLike

from mrl.errors import ColumnError, RowError
from mrl.formatting import PREVIEW_ROWS, Html, html_preview
from mrl.messages import format_count, format_value
from mrl.ragged import arrow
from mrl.ragged.flat import Array, Int64s, check_offsets, check_values, gather, narrow, offsets_of, row_numbers

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Ragged"]


class Ragged(Sequence[Any]):
    """An immutable sequence of 1-D arrays of different lengths, held in two flat arrays.

    Row ``i`` is ``values[offsets[i]:offsets[i + 1]]``. Slices share memory with the whole; the arrays given are used
    as they are where possible, and must not be changed afterwards.

    Parameters
    ----------
    values : array, shape (total,), any boolean or numeric dtype
        The rows, one after the other.
    offsets : array of integers, shape (n + 1,)
        Where each row begins and the last one ends; the first may be above 0.

    Raises
    ------
    ColumnError
        The values are not one-dimensional numbers, or the offsets are not monotone inside them; a ``ValueError``.

    Examples
    --------
    >>> ids = Ragged([5, 6, 7, 8], [0, 3, 3, 4])
    >>> len(ids), ids[0], ids[1:]
    (3, array([5, 6, 7]), Ragged(2 rows, 1 value, int64))
    >>> ids.values, ids.offsets, ids.lengths, ids[2:].flat
    (array([5, 6, 7, 8]), array([0, 3, 3, 4]), array([3, 0, 1]), array([8]))
    >>> ids[2:].digest == Ragged([8], [0, 1]).digest
    True
    >>> ids.to_padded(pad=2)
    array([[5, 6, 7],
           [2, 2, 2],
           [8, 2, 2]])
    """

    __slots__ = ("_digest", "_offsets", "_values")

    _values: Array
    _offsets: Int64s
    _digest: str | None

    def __init__(self, values: Any, offsets: Any) -> None:
        self._fill(check_values(values), check_offsets(offsets))
        if len(self._offsets) and self._offsets[-1] > len(self._values):
            row = int(np.searchsorted(self._offsets, len(self._values), side="right")) - 1
            raise ColumnError(
                f"offsets[{row + 1}] is {self._offsets[row + 1]}, but there are only {len(self._values)} values: "
                "the values were cut short, or the offsets belong to others",
                column="offsets",
                row=row,
            )

    def _fill(self, values: Array, offsets: Int64s) -> Self:
        self._values, self._offsets, self._digest = values.view(), offsets.view(), None
        self._values.flags.writeable = self._offsets.flags.writeable = False
        return self

    @classmethod
    def _trusted(cls, values: Array, offsets: Int64s) -> Self:
        """Skip validation, for arrays that are right by construction."""
        return cls.__new__(cls)._fill(values, offsets)

    @property
    def values(self) -> Array:
        """All values, shape (total,), read-only; those of a slice are ``values[offsets[0]:offsets[-1]]``."""
        return self._values

    @property
    def offsets(self) -> Int64s:
        """Where the rows begin and end in ``values``, int64, shape (n + 1,), read-only."""
        return self._offsets

    @property
    def lengths(self) -> Int64s:
        """The number of values of each row, int64, shape (n,)."""
        return np.diff(self._offsets)

    @property
    def flat(self) -> Array:
        """The values of these rows and no others, shape (sum of lengths,), without a copy."""
        return self._values[self._offsets[0] : self._offsets[-1]]

    @property
    def digest(self) -> str:
        """SHA-256 of kind, dtype, lengths and values: the same for equal rows, whatever they are a slice of."""
        if self._digest is None:
            sha = hashlib.sha256(
                f"{type(self).__name__} {self._values.dtype.newbyteorder('<').str} {len(self)}\n".encode()
            )
            sha.update(np.ascontiguousarray(self.lengths, dtype="<i8").view(np.uint8).data)
            little = np.ascontiguousarray(self.flat, dtype=self._values.dtype.newbyteorder("<"))
            sha.update(little.view(np.uint8).data)
            self._digest = sha.hexdigest()
        return self._digest

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, index: Any) -> Any:
        """Return one row (an int), a view (a slice of step 1), or a selection (another slice, rows, or a mask)."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._trusted(self._values, self._offsets[start : max(start, stop) + 1])
            return self.take(np.arange(start, stop, step))
        if hasattr(index, "__index__") and not getattr(index, "ndim", 0):
            return self._row(self._position(index))
        return self.take(index)

    def _position(self, index: Any) -> int:
        i = operator.index(index)
        if not -len(self) <= i < len(self):
            raise IndexError(f"row {i} of {len(self)} rows: use 0 to {len(self) - 1}")
        return i % len(self)

    def _row(self, i: int) -> Any:
        return self._values[self._offsets[i] : self._offsets[i + 1]]

    def __iter__(self) -> Iterator[Any]:
        ends = self._offsets.tolist()
        return (self._values[a:b] for a, b in pairwise(ends))

    def tolist(self) -> list[Any]:
        """Return all rows as a list of lists of Python numbers.

        Examples
        --------
        >>> Ragged([5, 6, 7], [0, 2, 3]).tolist()
        [[5, 6], [7]]
        """
        flat, ends = self.flat.tolist(), (self._offsets - self._offsets[0]).tolist()
        return [flat[a:b] for a, b in pairwise(ends)]

    def __eq__(self, other: object) -> bool:
        """Same kind, dtype, lengths and bytes (so that NaN equals itself)."""
        if not isinstance(other, Ragged):
            return NotImplemented
        return (
            type(self) is type(other)
            and self._values.dtype == other._values.dtype
            and np.array_equal(self.lengths, other.lengths)
            and np.array_equal(self.flat.view(np.uint8), other.flat.view(np.uint8))
        )

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        offsets = self._offsets - self._offsets[0] if self._offsets[0] else self._offsets
        return _unpickle, (type(self), self.flat, offsets)

    def _repr_html_(self) -> Html:
        rows = self[:PREVIEW_ROWS]
        shown = {"length": rows.lengths.tolist(), "values": [" ".join(map(str, row.tolist())) for row in rows]}
        return html_preview(shown, len(self), caption=repr(self))

    def __repr__(self) -> str:
        size = f"{format_count(len(self), 'row')}, {format_count(len(self.flat), 'value')}"
        return f"Ragged({size}, {self._values.dtype})"

    def take(self, rows: Any) -> Self:
        """Return rows in any order, repeats allowed.

        Parameters
        ----------
        rows : array of integers, shape (k,), or a boolean mask, shape (n,)

        Returns
        -------
        Ragged
            k rows, copied.

        Raises
        ------
        IndexError
            A row is negative or not below n, or the mask has another length.

        Examples
        --------
        >>> Ragged([5, 6, 7], [0, 2, 3]).take([1, 0, 1]).values
        array([7, 5, 6, 7])
        """
        index = row_numbers(rows, len(self))
        starts = self._offsets[index]
        lengths = self._offsets[index + 1] - starts
        offsets = offsets_of(lengths)
        return self._trusted(gather(self._values, starts, offsets), offsets)

    def spans(self, rows: Any) -> tuple[Array, Int64s]:
        """Return where rows lie in `values`; see `RaggedColumn`.

        Parameters
        ----------
        rows : array of integers, shape (k,), or a boolean mask, shape (n,)

        Returns
        -------
        values : ndarray
            All values.
        spans : ndarray of int64, shape (2 k,)
            Where each row begins, and where it ends.

        Raises
        ------
        IndexError
            As in `take`.

        Examples
        --------
        >>> Ragged([5, 6, 7], [0, 2, 3]).spans([1, 0])
        (array([5, 6, 7]), array([2, 3, 0, 2]))
        """
        index = row_numbers(rows, len(self))
        return self._values, np.stack([self._offsets[index], self._offsets[index + 1]], axis=1).reshape(-1)

    def to_padded(self, pad: Any, dtype: DTypeLike = np.int64, width: int | None = None) -> Array:
        """Return a matrix with one row per line, padded on the right.

        Parameters
        ----------
        pad : scalar
            The value after the end of a row.
        dtype : dtype
            Of the result; it must hold the values and the pad.
        width : int, optional
            Columns of the result; the length of the longest row by default.

        Returns
        -------
        ndarray, shape (n, width), of `dtype`
            A copy.

        Raises
        ------
        RowError
            A row is longer than `width`, or the dtype cannot hold a number; a ``ValueError``.
        ColumnError
            The dtype cannot hold values of this kind; a ``ValueError``.

        Examples
        --------
        >>> Ragged([5, 6, 7], [0, 2, 3]).to_padded(0, dtype="uint8", width=3)
        array([[5, 6, 0],
               [7, 0, 0]], dtype=uint8)
        """
        lengths = self.lengths
        longest = int(lengths.max(initial=0))
        width = longest if width is None else operator.index(width)
        if longest > width:
            row = int(np.argmax(lengths > width))
            raise RowError(
                f"row {row} has {lengths[row]} values, more than width={width}: give a width of {longest} or more, "
                "or leave out the long rows",
                row=row,
                column="values",
                value=int(lengths[row]),
            )
        out = np.full((len(self), width), narrow(np.asarray([pad]), np.dtype(dtype), "pad")[0])
        out[np.arange(width) < lengths[:, None]] = narrow(self.flat, out.dtype, "values", self.lengths)
        return out

    @classmethod
    def from_rows(cls, rows: Iterable[Any], dtype: DTypeLike) -> Self:
        """Return arrays or lists of numbers as Ragged.

        Parameters
        ----------
        rows : iterable of 1-D arrays or sequences of numbers
            n of them.
        dtype : dtype
            Of the values; integers that it cannot hold are an error, floats are rounded to it.

        Returns
        -------
        Ragged
            n rows.

        Raises
        ------
        RowError, ColumnError
            A value does not fit the dtype, or the rows are not one-dimensional; both are a ``ValueError``.

        Examples
        --------
        >>> Ragged.from_rows([[5, 6], [], [7]], dtype="uint8").offsets
        array([0, 2, 2, 3])
        """
        rows, kind = list(rows), np.dtype(dtype).newbyteorder("=")
        try:
            lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        except TypeError:
            row = next(i for i, value in enumerate(rows) if not hasattr(value, "__len__"))
            shown = format_value(rows[row])
            raise RowError(
                f"row {row} is {shown}, expected a sequence of numbers: a single row is written [row]",
                row=row,
                column="rows",
                value=rows[row],
            ) from None
        if rows and all(isinstance(row, np.ndarray) for row in rows):
            flat = np.concatenate(rows)
        else:
            flat = np.asarray(list(chain.from_iterable(rows)))
        if len(flat) != lengths.sum():
            raise ColumnError(
                f"the rows have {len(flat)} values, but their lengths add up to {lengths.sum()}: they were changed "
                "while they were read, or len() of one is not the number of its values; give lists that stay the same",
                column="rows",
            )
        if len(flat) == 0:
            flat = np.zeros(0, kind)
        return cls(narrow(flat, kind, "values", lengths), offsets_of(lengths))

    @classmethod
    def concat(cls, parts: Iterable[Ragged]) -> Self:
        """Return the rows of all parts, one part after the other.

        Parameters
        ----------
        parts : iterable of Ragged, all of one kind
            Integer dtypes may differ: the result has the smallest one that holds them all.

        Returns
        -------
        Ragged
            Of the same kind as the parts.

        Raises
        ------
        ColumnError
            There are no parts, or they are of different kinds; a ``ValueError``.

        Examples
        --------
        >>> Ragged.concat([Ragged([5, 6], [0, 2]), Ragged([7], [0, 0, 1])]).offsets
        array([0, 2, 2, 3])
        """
        parts = list(parts)
        kinds = sorted({type(part).__name__ for part in parts})
        if len(kinds) != 1 or not isinstance(parts[0], cls):
            found = " and ".join(kinds) or "nothing"
            raise ColumnError(f"cannot concatenate {found} to a {cls.__name__}: give parts of one kind", column="parts")
        if len(parts) == 1:
            return parts[0]
        dtype = np.result_type(*(part.values.dtype for part in parts))
        if any(part.values.dtype.kind not in ("b" + "ui" * (dtype.kind in "ui") + dtype.kind) for part in parts):
            found = ", ".join(sorted({str(part.values.dtype) for part in parts}))
            raise ColumnError(f"no single integer dtype holds {found}: convert the parts first", column="parts")
        values = np.concatenate([part.flat for part in parts]).astype(dtype, copy=False)
        return parts[0]._trusted(values, offsets_of(np.concatenate([part.lengths for part in parts])))

    @classmethod
    def from_arrow(cls, column: Any) -> Self:
        """Return an Arrow column of lists of numbers as Ragged, without a copy where it is one chunk of large lists.

        Parameters
        ----------
        column : object with ``__arrow_c_array__`` or ``__arrow_c_stream__``
            list, large_list or fixed_size_list of booleans, integers or floats, e.g. of pyarrow or polars.

        Returns
        -------
        Ragged
            One row per list.

        Raises
        ------
        RowError
            A row is null, or has a null in it; a ``ValueError``.
        ColumnError
            The column is of another type, or damaged; a ``ValueError``.

        Examples
        --------
        >>> import pyarrow
        >>> Ragged.from_arrow(pyarrow.array([[5, 6], [], [7]]))
        Ragged(3 rows, 3 values, int64)
        """
        return cls.concat([cls(*chunk) for chunk in arrow.read_lists(column)])

    def to_arrow(self) -> pa.Array:
        """Return the rows as an Arrow array of large lists, without a copy (booleans are packed).

        Returns
        -------
        pyarrow.LargeListArray
            Of length n.

        Raises
        ------
        ColumnError
            The values are complex numbers; a ``ValueError``.

        Examples
        --------
        >>> Ragged([5, 6, 7], [0, 2, 3]).to_arrow().to_pylist()
        [[5, 6], [7]]
        """
        return arrow.write_lists(self._values, self._offsets)

    def __arrow_array__(self, type: Any = None) -> Any:
        """Let ``pyarrow.array`` take it without looking at each row."""
        column = self.to_arrow()
        return column if type is None else column.cast(type)

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        """Let libraries that speak Arrow's C interface take it without looking at each row."""
        return self.to_arrow().__arrow_c_array__(requested_schema)


def _unpickle(kind: type[Ragged], values: Array, offsets: Int64s) -> Ragged:
    return kind(values, offsets)
