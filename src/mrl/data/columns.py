"""Columns: what a data set holds of each row, taken by row numbers and never copied for a view."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError, RowError
from mrl.ragged import Ragged, Text

__all__ = ["Array", "Column", "Rows64", "Values", "View", "labels_of", "select", "values_of"]

Array = NDArray[Any]
Rows64 = NDArray[np.int64]


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

    def __getitem__(self, i: int) -> Any:
        return self.array[i]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.array)

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

    def __getitem__(self, i: int) -> Any:
        return self.column[int(self.rows[i])]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.take(slice(None)))

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


def values_of(values: Any, name: str) -> Column:
    """Take any column-like input: text, numbers, or a column, as it is."""
    if isinstance(values, (Ragged, Values, View)):
        return values
    if hasattr(values, "take") and hasattr(values, "digest"):
        return values  # type: ignore[no-any-return]
    array = _array(values)
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
        If a value is no number, or no whole one for integer classes: row, column, value.
    """
    if isinstance(values, View) and isinstance(values.column, Values) and values.column.array.dtype == dtype:
        return values
    array = _array(values)
    if array.ndim not in (1, 2):
        raise ColumnError(
            f"{name} has the shape {array.shape}; expected (n,) for one target or (n, T) for T targets", column=name
        )
    if array.dtype.kind not in "fiub":
        array = _numbers(array, name)
    if dtype.kind == "f":
        return Values(array.astype(dtype))
    if array.dtype.kind == "f":
        missing = np.isnan(array)
        if (bad := ~missing & (array != np.floor(array))).any():
            row = int(np.argwhere(bad)[0][0])
            raise _no_number(row, name, array[row].tolist(), "a whole number (a class), or nothing where it is missing")
        array = np.where(missing, -100, array)
    return Values(array.astype(dtype))


def _array(values: Any) -> Array:
    if isinstance(values, View):
        return np.asarray(values.take(slice(None)))
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    elif hasattr(values, "to_pylist"):
        values = values.to_pylist()
    return np.asarray(values if hasattr(values, "__array__") or hasattr(values, "__getitem__") else list(values))


def _numbers(array: Array, name: str) -> Array:
    """Numbers of an array of objects, row by row, so that the row of a bad one can be told."""
    flat = np.empty(array.size)
    for i, value in enumerate(array.flat):
        if value is None or type(value).__name__ in ("NAType", "NaTType"):
            flat[i] = np.nan
            continue
        if isinstance(value, str):
            raise _no_number(i // (array.size // len(array)), name, value, "a number; convert the column first")
        try:
            flat[i] = float(value)
        except (TypeError, ValueError):
            raise _no_number(i // (array.size // len(array)), name, value, "a number, or NaN where missing") from None
    return flat.reshape(array.shape)


def _no_number(row: int, name: str, value: object, expected: str) -> RowError:
    return RowError(f"row {row} of {name} is {value!r}; expected {expected}", row=row, column=name, value=value)
