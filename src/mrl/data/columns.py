"""Columns: what a data set holds of each row, taken by row numbers and never copied for a view."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError, RowError
from mrl.ragged import Text

__all__ = [
    "IGNORED",
    "Array",
    "Column",
    "Rows64",
    "Values",
    "View",
    "is_column",
    "labels_of",
    "row_numbers",
    "select",
    "values_of",
]

Array = NDArray[Any]
Rows64 = NDArray[np.int64]

IGNORED = -100  # the class that torch's losses leave out by default: a missing one


@runtime_checkable
class Column(Protocol):
    """One value per row: `mrl.ragged.Text`, `Values`, a view of either, or rows on disk.

    ``take`` is pure and safe to call from several threads and processes; ``digest`` is the same for equal content.
    """

    def __len__(self) -> int:
        """Number of rows."""

    def take(self, rows: Any) -> Any:
        """Give the rows `rows` (int64, any order, repeats allowed) as `Ragged`, `Text` or an array."""

    @property
    def digest(self) -> str:
        """Content hash."""


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
    """Some rows of another column, in an order of their own; copies nothing.

    Examples
    --------
    >>> view = View(Values(np.array([1.0, 2.0, 4.0])), np.array([2, 0]))
    >>> list(view), view.take([0])
    ([np.float64(4.0), np.float64(1.0)], array([4.]))
    """

    def __init__(self, column: Any, rows: Rows64) -> None:
        self.column = column
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, i: Any) -> Any:
        rows = self.rows[i]
        return self.column.take(rows) if rows.ndim else self.column[int(rows)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.take(slice(None)))

    def tolist(self) -> list[Any]:
        """All rows as Python values."""
        values: list[Any] = self.take(slice(None)).tolist()
        return values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.take(slice(None)), dtype=dtype)

    def __repr__(self) -> str:
        return f"View({len(self)} rows of {self.column!r})"

    def take(self, rows: Any) -> Any:
        """Give the rows `rows` of this view."""
        return self.column.take(self.rows[rows])

    @property
    def digest(self) -> str:
        """Content hash."""
        own = self.take(slice(None))
        return str(own.digest if hasattr(own, "digest") else Values(own).digest)


def select(column: Any, rows: Rows64) -> View:
    """Give a view of `column`, straight onto its rows where it is a view already."""
    return View(column.column, column.rows[rows]) if isinstance(column, View) else View(column, rows)


def row_numbers(rows: Any, n: int) -> Rows64:
    """Turn numbers of rows, or a mask, into int64 (k,); IndexError where they are not rows of n."""
    rows = np.asarray(rows.detach().cpu() if hasattr(rows, "detach") else rows)
    if rows.ndim != 1 or (len(rows) and rows.dtype.kind not in "iub"):
        raise IndexError(
            f"rows are {rows.dtype} of shape {rows.shape}; expected whole numbers, or a mask, of shape (k,)"
        )
    if rows.dtype == bool:
        if len(rows) != n:
            raise IndexError(f"the mask has {len(rows)} entries for a data set of {n} rows")
        return np.flatnonzero(rows)
    numbers: Rows64 = rows.astype(np.int64, copy=False)
    if len(rows) and int(numbers.view(np.uint64).max()) >= n:  # those below zero are huge here
        raise IndexError(f"rows {rows.min()} to {rows.max()} of a data set of {n} rows; expected 0 to {n - 1}")
    return numbers


def values_of(values: Any, name: str) -> Column:
    """Take any column-like input: text, numbers, or a column, as it is."""
    if is_column(values):
        return values  # type: ignore[no-any-return]
    array = _array(values, name)
    if array.dtype.kind in "OUT" and array.ndim == 1 and all(isinstance(value, str) for value in array):
        return Text.of(array, name)
    if array.ndim == 0:
        raise ColumnError(
            f"{name} is {values!r}, expected one value per row: a list, an array or a Series", column=name
        )
    return Values(array)


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
    array = given = _array(values, name)
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


def is_column(values: Any) -> bool:
    """Whether it is a column already, such as one on disk."""
    # Not hasattr of the column itself, which would compute its digest.
    return hasattr(values, "take") and (hasattr(type(values), "digest") or "digest" in getattr(values, "__dict__", ()))


def _array(values: Any, name: str) -> Array:
    if is_column(values):
        values = values.take(np.arange(len(values)))
    elif isinstance(values, np.ma.MaskedArray):
        nothing = np.full(values.shape, None)
        values = np.where(np.ma.getmaskarray(values), nothing, np.ma.getdata(values))
    elif hasattr(values, "detach"):
        values = values.detach().cpu()
    elif hasattr(values, "to_pylist"):
        values = values.to_pylist()
    elif isinstance(values, (set, frozenset, Mapping)):
        raise ColumnError(f"{name} is a {type(values).__name__}; expected a column with an order of rows", column=name)
    values = values if hasattr(values, "__array__") or hasattr(values, "__getitem__") else list(values)
    try:
        array = np.asarray(values)
        # NumPy makes texts of the numbers beside a text.
        mixed = array.dtype.kind in "US" and not hasattr(values, "__array__")
        return np.asarray(values, dtype=object) if mixed else array
    except ValueError:
        raise ColumnError(
            f"{name} has rows of different shapes; expected one value, or equally many, for each row", column=name
        ) from None


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
