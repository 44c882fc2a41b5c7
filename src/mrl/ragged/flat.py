"""Functions on flat arrays of values and offsets: checks, narrowing, gathering."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError, RowError

__all__ = [
    "Array",
    "Int64s",
    "check_offsets",
    "check_values",
    "gather",
    "lengths_of",
    "lengths_of_texts",
    "narrow",
    "offsets_of",
    "row_numbers",
]

Array: TypeAlias = NDArray[Any]
Int64s: TypeAlias = NDArray[np.int64]

_BLOCK = 1 << 20  # values gathered at once: bounds the memory of an index of 8 bytes per value


def lengths_of(rows: Sequence[Any]) -> Int64s:
    """Return the lengths of rows, shape (n,)."""
    try:
        return np.frombuffer(bytearray(map(len, rows)), np.uint8).astype(np.int64)  # almost twice as fast
    except ValueError:  # a row is longer than 255
        return np.fromiter(map(len, rows), np.int64, len(rows))


def lengths_of_texts(rows: Sequence[str], total: int) -> Int64s:
    """Return the numbers of characters of rows that are `total` characters together, shape (n,).

    A subclass of str may have a ``__len__`` of its own, which says nothing about its memory.
    """
    with contextlib.suppress(Exception):
        lengths = lengths_of(rows)
        if int(lengths.sum()) == total:
            return lengths
    return lengths_of(["".join((row,)) for row in rows])


def offsets_of(lengths: Int64s) -> Int64s:
    """Return the offsets, shape (n + 1,), of rows of these lengths, shape (n,)."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def gather(values: Array, starts: Int64s, offsets: Int64s) -> Array:
    """Return the slices of `values` that begin at `starts`, laid out at `offsets`; bounds are not checked."""
    out = np.empty(int(offsets[-1]), values.dtype)
    n = len(starts)
    shift = starts - offsets[:-1]
    breaks = np.flatnonzero(shift[1:] != shift[:-1]) + 1  # on the two sides of one, slices do not touch in `values`
    if len(breaks) < n // 16:
        for first, last in pairwise([0, *breaks.tolist(), n]):
            a, b = offsets[first], offsets[last]
            out[a:b] = values[a + shift[first] : b + shift[first]]
        return out
    row = 0
    while row < n:
        stop = max(row + 1, int(np.searchsorted(offsets, offsets[row] + _BLOCK, side="right")) - 1)
        a, b = int(offsets[row]), int(offsets[stop])
        index = np.repeat(shift[row:stop], offsets[row + 1 : stop + 1] - offsets[row:stop])
        index += np.arange(a, b)
        np.take(values, index, out=out[a:b], mode="clip")  # "raise" would buffer `out`
        row = stop
    return out


def narrow(flat: Array, dtype: np.dtype[Any], column: str, lengths: Int64s | None = None) -> Array:
    """Return `flat` as `dtype`; an error where it does not fit. Floats may be rounded, integers never change."""
    if flat.ndim != 1 or flat.dtype.kind not in "buifc":
        raise ColumnError(f"{column} are {flat.ndim}-D {flat.dtype}, expected rows of numbers", column=column)
    if np.can_cast(flat.dtype, dtype, "safe") or (dtype.kind == flat.dtype.kind and dtype.kind in "fc"):
        return flat.astype(dtype, copy=False)
    if dtype.kind not in "uif" or flat.dtype.kind not in "ui":
        raise ColumnError(f"{column} are {flat.dtype}, which {dtype} cannot hold: give another dtype", column=column)
    if dtype.kind == "f":
        high = 2 ** (int(np.finfo(dtype).nmant) + 1)  # every integer up to here is a float of this dtype
        low = -high
    else:
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    if len(flat) and not low <= int(flat.min()) <= int(flat.max()) <= high:
        place = next(i for i, value in enumerate(flat.tolist()) if not low <= value <= high)
        row = 0 if lengths is None else int(np.searchsorted(np.cumsum(lengths), place, side="right"))
        where = column if lengths is None else f"row {row} of {column}"
        raise RowError(
            f"{where} has {flat[place]}, but {dtype} holds integers from {low} to {high}: give a wider dtype",
            row=row,
            column=column,
            value=int(flat[place]),
        )
    return flat.astype(dtype)


def check_values(values: Any) -> Array:
    """Return `values` as a contiguous array of numbers, shape (total,), in native byte order."""
    values = np.asarray(values)
    if values.ndim != 1:
        raise ColumnError(f"values have shape {values.shape}, expected one dimension: (total,)", column="values")
    if values.dtype.kind not in "buifc":
        raise ColumnError(
            f"values are of dtype {values.dtype}, expected numbers (Text.of takes strings)", column="values"
        )
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))


def check_offsets(offsets: Any) -> Int64s:
    """Return `offsets` as int64, shape (n + 1,), from 0 or above and never falling."""
    offsets = np.asarray(offsets)
    if offsets.ndim != 1 or len(offsets) == 0 or offsets.dtype.kind not in "ui":
        raise ColumnError(
            f"offsets are {offsets.dtype} of shape {offsets.shape}, expected integers of shape (n + 1,); "
            "no rows are written as [0]",
            column="offsets",
        )
    checked: Int64s = np.ascontiguousarray(offsets, dtype=np.int64)
    if checked[0] < 0:
        raise ColumnError(f"offsets[0] is {checked[0]}, expected 0 or more", column="offsets", row=0)
    falls = checked[1:] < checked[:-1]
    if falls.any():
        row = int(np.argmax(falls))
        raise ColumnError(
            f"offsets fall from {checked[row]} to {checked[row + 1]} at row {row}, expected them never to fall",
            column="offsets",
            row=row,
        )
    return checked


def row_numbers(rows: Any, n: int) -> Int64s:
    """Return row numbers, or the rows of a mask, as int64.

    Parameters
    ----------
    rows : array, tensor or list of integers, shape (k,), or a boolean mask, shape (n,)
        In any order, repeats allowed.
    n : int
        Number of rows that there are.

    Returns
    -------
    ndarray of int64, shape (k,)
        May share memory with `rows`.

    Raises
    ------
    IndexError
        A row is negative or not below n, the mask has another length, or `rows` are not integers.

    Examples
    --------
    >>> row_numbers([2, 0], 3), row_numbers([True, False, True], 3)
    (array([2, 0]), array([0, 2]))
    """
    rows = np.asarray(rows.detach().cpu() if hasattr(rows, "detach") else rows)
    if rows.ndim != 1 or (rows.dtype.kind not in "bui" and len(rows)):
        raise IndexError(f"rows are {rows.dtype} of shape {rows.shape}, expected integers or a mask of one dimension")
    if rows.dtype.kind == "b":
        if len(rows) != n:
            raise IndexError(f"the mask has {len(rows)} entries for {n} rows")
        return np.flatnonzero(rows)
    index: Int64s = rows.astype(np.int64, copy=False)
    if len(index) and int(index.view(np.uint64).max()) >= n:  # negative numbers are huge here
        place = int(np.argmax((rows < 0) | (rows >= n)))
        raise IndexError(f"rows[{place}] is {rows[place]}, expected 0 to {n - 1} ({n} rows)")
    return index
