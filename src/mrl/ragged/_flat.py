"""Functions on flat arrays of values and offsets: checks, narrowing, gathering."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError, RowError

Array: TypeAlias = NDArray[Any]
Int64s: TypeAlias = NDArray[np.int64]

_BLOCK = 1 << 20  # values gathered at once: bounds the memory of an index of 8 bytes per value


def offsets_of(lengths: Int64s) -> Int64s:
    """Offsets, shape (n + 1,), of rows of these lengths, shape (n,)."""
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def gather(values: Array, starts: Int64s, offsets: Int64s) -> Array:
    """Pieces of `values` that begin at `starts`, laid out at `offsets`; the caller has checked the bounds."""
    out = np.empty(int(offsets[-1]), values.dtype)
    n = len(starts)
    shift = starts - offsets[:-1]
    breaks = np.flatnonzero(shift[1:] != shift[:-1]) + 1  # before and after one, pieces do not touch in `values`
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


def narrowed(flat: Array, dtype: np.dtype[Any], column: str, lengths: Int64s | None = None) -> Array:
    """`flat` as `dtype`, refusing what it cannot hold; floats may be rounded, integers never change."""
    if flat.ndim != 1 or flat.dtype.kind not in "buifc":
        raise ColumnError(f"{column} are {flat.ndim}-D {flat.dtype}, expected rows of numbers", column=column)
    if np.can_cast(flat.dtype, dtype, "safe") or (dtype.kind == flat.dtype.kind and dtype.kind in "fc"):
        return flat.astype(dtype, copy=False)
    if dtype.kind not in "uif" or flat.dtype.kind not in "ui":
        raise ColumnError(f"{column} are {flat.dtype}, which {dtype} cannot hold: give another dtype", column=column)
    if dtype.kind == "f":
        high = 2 ** (int(np.finfo(dtype).nmant) + 1)  # the integers up to here are all floats of this dtype
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


def checked_values(values: Any) -> Array:
    values = np.asarray(values)
    if values.ndim != 1:
        raise ColumnError(f"values have shape {values.shape}, expected one dimension: (total,)", column="values")
    if values.dtype.kind not in "buifc":
        raise ColumnError(
            f"values are of dtype {values.dtype}, expected numbers (Text.of makes texts)", column="values"
        )
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))


def checked_offsets(offsets: Any) -> Int64s:
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


def checked_rows(rows: Any, n: int) -> Int64s:
    rows = np.asarray(rows)
    if rows.ndim != 1 or (rows.dtype.kind not in "bui" and len(rows)):
        raise IndexError(f"rows are {rows.dtype} of shape {rows.shape}, expected integers or a mask in one dimension")
    if rows.dtype.kind == "b":
        if len(rows) != n:
            raise IndexError(f"the mask has {len(rows)} entries for {n} rows")
        return np.flatnonzero(rows)
    if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < n:
        place = int(np.argmax((rows < 0) | (rows >= n)))
        raise IndexError(f"rows[{place}] is {rows[place]}, expected 0 to {n - 1} ({n} rows)")
    index: Int64s = rows.astype(np.int64, copy=False)
    return index
