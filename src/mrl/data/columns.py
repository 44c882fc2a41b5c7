"""Columns: what a dataset holds of each row, taken by row numbers and never copied for a view."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError, RowError
from mrl.ragged import as_array, as_column

__all__ = [
    "IGNORED",
    "Array",
    "RowIndex",
    "Rows64",
    "Values",
    "View",
    "labels_of",
    "row_array",
    "row_numbers",
    "select",
    "take_rows",
    "values_of",
]

Array = NDArray[Any]
Rows64 = NDArray[np.int64]
RowIndex = range | Rows64
"""Numbers of stored rows; a range stays a range, so that a billion rows in a row cost no memory."""

IGNORED = -100  # the class that torch's losses leave out by default: a missing one


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
        """All rows as Python values."""
        values: list[Any] = self.array.tolist()
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype=dtype, copy=True if copy is None else copy)

    def __repr__(self) -> str:
        return f"Values({self.array!r})"

    def take(self, rows: Any) -> Array:
        """Give the rows `rows`, in memory of their own."""
        return self.array[np.asarray(rows, np.int64)]

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
        rows = self.rows[i]
        return self.column[int(rows)] if isinstance(rows, (int, np.integer)) else self.column.take(row_array(rows))

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
        """Return the rows `rows` of this view."""
        return self.column.take(take_rows(self.rows, np.asarray(rows, np.int64)))

    @property
    def digest(self) -> str:
        """Content hash."""
        own = self._all()
        return str(own.digest if hasattr(own, "digest") else Values(own).digest)

    def _all(self) -> Any:
        return self.column.take(row_array(self.rows))


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
    return index.start + index.step * rows if isinstance(index, range) else index[rows]


def row_array(rows: RowIndex) -> Rows64:
    """Return row numbers as an array."""
    return np.arange(rows.start, rows.stop, rows.step) if isinstance(rows, range) else rows


def row_numbers(rows: Any, n: int) -> Any:
    """Return row numbers, or a mask, as int64 (k,); a range that is not empty stays a range.

    Raises
    ------
    IndexError
        If they are not row numbers of a dataset of n rows.
    """
    if isinstance(rows, range) and len(rows):
        if min(rows[0], rows[-1]) < 0 or max(rows[0], rows[-1]) >= n:
            raise _out_of_range(min(rows[0], rows[-1]), max(rows[0], rows[-1]), n)
        return rows
    rows = np.asarray(rows.detach().cpu() if hasattr(rows, "detach") else rows)
    if rows.ndim != 1 or (len(rows) and rows.dtype.kind not in "iub"):
        raise IndexError(
            f"rows have the dtype {rows.dtype} and the shape {rows.shape}; expected integers, or a mask, of shape (k,)"
        )
    if rows.dtype == bool:
        if len(rows) != n:
            raise IndexError(f"the mask has {len(rows)} entries for a dataset of {n} rows")
        return np.flatnonzero(rows)
    numbers: Rows64 = rows.astype(np.int64, copy=False)
    if len(rows) and int(numbers.view(np.uint64).max()) >= n:  # negative numbers are huge as unsigned ones
        raise _out_of_range(rows.min(), rows.max(), n)
    return numbers


def _out_of_range(low: int, high: int, n: int) -> IndexError:
    return IndexError(f"rows {low} to {high} of a dataset of {n} rows; expected 0 to {n - 1}")


def values_of(values: Any, name: str) -> Any:
    """Return any column-like input as a column: text as `Text`, numbers as `Values`, a column as it is."""
    column = as_column(values, name)
    return Values(column) if isinstance(column, np.ndarray) else column


def labels_of(values: Any, name: str, dtype: np.dtype[Any]) -> Values | View:
    """Take targets, one or T per row, as numbers of `dtype`: missing is NaN, or -100 for integer classes.

    Raises
    ------
    ColumnError
        If `values` is no column of one or T numbers per row.
    RowError
        If a value is no number, no whole one for integer classes, or more than `dtype` holds: row, column, value.
    """
    if isinstance(values, View) and isinstance(values.column, Values) and values.column.array.dtype == dtype:
        return values
    array = given = as_array(values, name)
    if array.ndim not in (1, 2):
        raise ColumnError(
            f"{name} has the shape {array.shape}; expected (n,) for one target or (n, T) for T targets", column=name
        )
    if array.dtype.kind not in "fiub":
        array = _numbers(array, name)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            made = array.astype(dtype)
        bad, expected = np.isinf(made) & ~np.isinf(array), f"a number that {dtype} can hold"
    else:
        if array.dtype.kind == "f":
            array = np.where(np.isnan(array), IGNORED, array).astype(np.float64)
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        bad = (array < low) | (array >= high + 1) | (array != np.floor(array))  # the float of `high` may be high + 1
        with np.errstate(invalid="ignore"):
            made = array.astype(dtype)
        expected = (
            f"a whole number (a class) from {low} to {high}, or nothing where it is missing, which is written {IGNORED}"
        )
    if bad.any():
        row = int(np.argwhere(bad)[0][0])
        raise _unfit(row, name, given[row], expected)
    return Values(made)


def _numbers(array: Array, name: str) -> Array:
    """Numbers of an array of objects, row by row, so that the row of a bad one can be told."""
    flat = np.empty(array.size)
    for i, value in enumerate(array.flat):
        if value is None or type(value).__name__ in ("NAType", "NaTType"):
            flat[i] = np.nan
            continue
        try:
            flat[i] = float(_require_number(value))
        except (TypeError, ValueError, OverflowError):
            row = i // (array.size // len(array))
            raise _unfit(row, name, value, "a number, or NaN where it is missing; convert the column first") from None
    return flat.reshape(array.shape)


def _require_number(value: Any) -> Any:
    """Refuse what ``float`` would make a number of: text, dates, complex numbers."""
    if isinstance(value, (str, bytes, np.datetime64, np.timedelta64, np.complexfloating)):
        raise TypeError
    return value


def _unfit(row: int, name: str, value: Any, expected: str) -> RowError:
    value = value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
    return RowError(f"row {row} of {name} is {value!r}; expected {expected}", row=row, column=name, value=value)
