"""Columns: what a dataset holds of each row, taken by row numbers and never copied for a view."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.errors import RowError
from mrl.ragged import Ragged, as_column, as_labels, is_column, row_numbers

Array = NDArray[Any]
Rows64 = NDArray[np.int64]
RowIndex = range | Rows64
"""Numbers of stored rows; a range stays a range, so that a billion rows in a row cost no memory."""

_BLOCK = 1 << 16  # rows of a column that are converted at a time


class Values:
    """An array as a column: shape (n,) or (n, T).

    Examples
    --------
    >>> column = Values(np.array([1.0, 2.0, 4.0]))
    >>> len(column), column.take([2, 0]), column[1]
    (3, array([4., 1.]), np.float64(2.0))
    """

    def __init__(self, array: Array) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, i: Any) -> Any:
        return self.array[i]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.array)

    def tolist(self) -> list[Any]:
        """Return all rows as Python values."""
        values: list[Any] = self.array.tolist()
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=True if copy is None else copy)

    def __repr__(self) -> str:
        return f"Values({self.array!r})"

    def take(self, rows: Any) -> Array:
        """Return the rows `rows` (numbers or a mask), in memory of their own."""
        return self.array[row_numbers(rows, len(self.array))]

    @property
    def digest(self) -> str:
        """Content hash."""
        array = np.ascontiguousarray(self.array)
        if array.dtype == object:  # its memory is addresses
            return hashlib.sha256(f"O{array.tolist()!r}".encode()).hexdigest()
        return hashlib.sha256(f"{array.dtype.str}{array.shape}".encode() + array.tobytes()).hexdigest()


class View:
    """Some rows of another column, in any order; copies nothing.

    Parameters
    ----------
    column : Column
        The other column.
    rows : range, or ndarray of int64, shape (n,)
        Its rows that the view has.

    Examples
    --------
    >>> view = View(Values(np.array([1.0, 2.0, 4.0])), np.array([2, 0]))
    >>> list(view), view.take([0])
    ([np.float64(4.0), np.float64(1.0)], array([4.]))
    """

    def __init__(self, column: Any, rows: RowIndex) -> None:
        self.column = column
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return self.column.take(row_array(self.rows[i]))
        return self.column[int(self.rows[i])] if np.ndim(i) == 0 else self.take(i)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())

    def tolist(self) -> list[Any]:
        """Return all rows as Python values."""
        values: list[Any] = self._all().tolist()
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self._all(), dtype=dtype)

    def __repr__(self) -> str:
        return f"View({len(self)} rows of {self.column!r})"

    def take(self, rows: Any) -> Any:
        """Return the rows `rows` (numbers or a mask) of this view."""
        return self.column.take(take_rows(self.rows, row_numbers(rows, len(self))))

    def spans(self, rows: Any) -> Any:
        """Return where the rows `rows` of a view of a `RaggedColumn` lie in memory."""
        return self.column.spans(take_rows(self.rows, row_numbers(rows, len(self))))

    @property
    def digest(self) -> str:
        """Content hash; of a column that is not in memory the digest of the whole, with that of the rows."""
        if not isinstance(self.column, (Ragged, Values)):
            return hashlib.sha256(column_identity(self).encode()).hexdigest()
        own = self._all()
        return own.digest if isinstance(own, Ragged) else Values(own).digest

    def _all(self) -> Any:
        return self.column.take(row_array(self.rows))


class Joined:
    """The rows of several columns, one column after the other; copies nothing.

    Parameters
    ----------
    parts : sequence of Column
        One or more, whose rows are of one kind.

    Examples
    --------
    >>> column = Joined([Values(np.array([1.0, 2.0])), Values(np.array([4.0]))])
    >>> len(column), column.take([2, 0]), column[1], column.tolist()
    (3, array([4., 1.]), np.float64(2.0), [1.0, 2.0, 4.0])
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = tuple(parts)
        self.starts = np.cumsum([0, *map(len, self.parts)])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return self.take(np.arange(len(self))[i])
        if np.ndim(i):
            return self.take(i)
        row = range(len(self))[i]
        ((part, _, local),) = rows_by_part(self.starts, np.array([row]))
        return self.parts[part][int(local[0])]

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.parts)

    def tolist(self) -> list[Any]:
        """Return all rows as Python values."""
        return [value for part in self.parts for value in part.tolist()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.take(np.arange(len(self))), dtype=dtype)

    def __repr__(self) -> str:
        return f"Joined({', '.join(map(repr, self.parts))})"

    def take(self, rows: Any) -> Any:
        """Return the rows `rows` (numbers or a mask), in memory of their own."""
        rows = row_numbers(rows, len(self))
        groups = rows_by_part(self.starts, rows)
        if not groups:
            return self.parts[0].take(rows)
        taken = [self.parts[part].take(local) for part, _, local in groups]
        joined = np.concatenate(taken) if isinstance(taken[0], np.ndarray) else type(taken[0]).concat(taken)
        order = np.argsort(np.concatenate([places for _, places, _ in groups]), kind="stable")
        return joined[order] if isinstance(joined, np.ndarray) else joined.take(order)

    @property
    def digest(self) -> str:
        """Content hash."""
        return hashlib.sha256("\n".join(column_identity(part) for part in self.parts).encode()).hexdigest()


def rows_by_part(starts: Rows64, rows: Rows64) -> list[tuple[int, Rows64, Rows64]]:
    """Return for each part that has some of `rows`: its number, their places in `rows`, and their numbers in the part.

    Parameters
    ----------
    starts : ndarray of int64, shape (k + 1,)
        Where the rows of each part begin, and the number of all rows.
    rows : ndarray of int64, shape (B,)
        From 0 to below that number.

    Returns
    -------
    list of (int, ndarray of int64, ndarray of int64)
        By part.

    Examples
    --------
    >>> rows_by_part(np.array([0, 2, 3]), np.array([2, 0]))
    [(0, array([1]), array([0])), (1, array([0]), array([0]))]
    """
    part_of = np.searchsorted(starts[1:], rows, side="right")
    made = []
    for part in range(len(starts) - 1):
        places = np.flatnonzero(part_of == part)
        if len(places):
            made.append((part, places, rows[places] - starts[part]))
    return made


def select(column: Any, rows: RowIndex) -> View:
    """Return a view of `column`; a view of a view refers to the column itself."""
    return View(column.column, take_rows(column.rows, rows)) if isinstance(column, View) else View(column, rows)


def take_rows(index: RowIndex | None, rows: Any) -> Any:
    """Return ``index[rows]``: a range of a range is a range; None is the index that changes nothing."""
    if index is None:
        return rows
    if isinstance(rows, range):
        if isinstance(index, range):
            return range(
                index.start + rows.start * index.step, index.start + rows.stop * index.step, index.step * rows.step
            )
        rows = row_array(rows)
    if isinstance(index, range):
        return index.start + (rows if index.step == 1 else index.step * rows)
    return index[rows]


def row_array(rows: RowIndex) -> Rows64:
    """Return row numbers as an array."""
    return np.arange(rows.start, rows.stop, rows.step) if isinstance(rows, range) else rows


def as_row_index(rows: Any, n: int) -> RowIndex:
    """Return row numbers, or a mask, as int64 (k,); a range that is not empty stays a range.

    Raises
    ------
    IndexError
        If they are not row numbers of n rows.
    """
    if isinstance(rows, range) and len(rows):
        row_numbers(np.array([rows[0], rows[-1]]), n)
        return rows
    return row_numbers(rows, n)


def index_digest(rows: RowIndex) -> str:
    """Return a digest of row numbers; rows that are a range have the same one as a range and as an array."""
    n = len(rows)
    step = int(rows[1]) - int(rows[0]) if n > 1 else 1
    if isinstance(rows, range) or n < 2 or (np.diff(rows) == step).all():
        return f"{n} rows from {int(rows[0]) if n else 0} by {step}"
    return hashlib.sha256(rows.astype("<i8").tobytes()).hexdigest()


def column_identity(column: Any) -> str:
    """Return what names the content of a column: a digest, of a view that of the other column, and one of the rows."""
    base, rows = (column.column, column.rows) if isinstance(column, View) else (column, range(len(column)))
    return f"{base.digest} {index_digest(rows)}"


def values_of(values: Any, name: str) -> Any:
    """Return any column-like input as a column: text as `Text`, numbers as `Values`, a column as it is."""
    column = as_column(values, name)
    return Values(column) if isinstance(column, np.ndarray) else column


class StoredNumbers:
    """Numbers of a column that is not in memory, converted when rows are taken.

    Parameters
    ----------
    column : Column
        One or T numbers in each row.
    name : str
        Its name in messages.
    dtype : dtype
        Of the result: missing is NaN, or -100 for integer classes.

    Examples
    --------
    >>> column = StoredNumbers(Values(np.array([0.5, 1.5])), "y", np.dtype(np.float32))
    >>> column.take([1, 0]), column[1], len(column)
    (array([1.5, 0.5], dtype=float32), np.float32(1.5), 2)
    """

    def __init__(self, column: Any, name: str, dtype: np.dtype[Any]) -> None:
        self.column = column
        self.name = name
        self.dtype = dtype
        self.take(np.zeros(0, np.int64))  # raises now if they are not numbers

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return self.take(np.arange(len(self))[i])
        return self.take(i) if np.ndim(i) else self.take([range(len(self))[i]])[0]

    def __iter__(self) -> Iterator[Any]:
        return (value for block in number_blocks(self) for value in block)

    def tolist(self) -> list[Any]:
        """Return all rows as Python values."""
        return [value for block in number_blocks(self) for value in block.tolist()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.concatenate([self.take([]), *number_blocks(self)]).astype(dtype or self.dtype, copy=False)

    def __repr__(self) -> str:
        return f"{self.column!r} as {self.dtype}"

    def take(self, rows: Any) -> Array:
        """Return the rows `rows` (numbers or a mask), in memory of their own."""
        rows = row_numbers(rows, len(self))
        try:
            return as_labels(self.column.take(rows), self.name, self.dtype)
        except RowError as error:
            place = error.row or 0
            message = str(error).replace(f"row {place} ", f"row {rows[place]} ", 1)
            raise RowError(message, row=int(rows[place]), column=self.name, value=error.value) from None

    @property
    def digest(self) -> str:
        """That of the column, and the dtype."""
        return f"{self.column.digest} {self.dtype}"


def number_blocks(column: Any) -> Iterator[Array]:
    """Yield the rows of a column of numbers, some thousands at a time; of an empty one, none at once."""
    for start in range(0, max(len(column), 1), _BLOCK):
        yield column.take(np.arange(start, min(start + _BLOCK, len(column))))


def is_stored(column: Any) -> bool:
    """Return whether a column, or the one that it is a view of, is not in memory."""
    base = column.column if isinstance(column, View) else column
    return is_column(base) and not isinstance(base, (Ragged, Values))


def number_column(values: Any, name: str, dtype: np.dtype[Any]) -> Values | StoredNumbers | View:
    """Return numbers, one or T per row, as a column of `dtype`: missing is NaN, or -100 for integer classes.

    Numbers that are not in memory stay where they are, and are converted when they are taken.

    Raises
    ------
    ColumnError
        If `values` is not a column of one or T numbers per row.
    RowError
        If a value is not a number that `dtype` holds: row, column, value.
    """
    if isinstance(values, View) and isinstance(values.column, Values) and values.column.array.dtype == dtype:
        return values
    if is_stored(values):
        base, rows = (values.column, values.rows) if isinstance(values, View) else (values, None)
        if isinstance(base, StoredNumbers):
            base = base.column
        stored = StoredNumbers(base, name, dtype)
        return stored if rows is None else View(stored, rows)
    return Values(as_labels(values, name, dtype))
