"""Rows of ids to padded matrices: gathered, widened, shifted and padded in one pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.kernels._jit import compiled

__all__ = ["fill", "longest", "pad", "width_of"]

Int64s = NDArray[np.int64]

_LONGS = np.dtype(np.int64)


def width_of(offsets: Int64s, rows: Int64s) -> int:
    """Length of the longest of some rows.

    Parameters
    ----------
    offsets : ndarray of int64, shape (n + 1,)
        Where rows begin and end.
    rows : ndarray of int64, shape (B,)
        Row numbers.

    Returns
    -------
    int
        0 for no rows.

    Raises
    ------
    IndexError
        A row is negative, or not below n.

    Examples
    --------
    >>> width_of(np.array([0, 2, 3]), np.array([1, 0]))
    2
    """
    kernel = compiled(longest, _LONGS, len(rows), 0, ahead=len(offsets) - 1, slow=False)
    found = int(kernel(offsets, rows) if kernel else _longest(offsets, rows))
    if found < 0:
        place = -1 - found
        raise IndexError(f"rows[{place}] is {rows[place]}, expected 0 to {len(offsets) - 2} ({len(offsets) - 1} rows)")
    return found


def pad(
    values: NDArray[Any], offsets: Int64s, rows: Int64s, fill_with: int, width: int, *, left: bool, shifted: bool
) -> tuple[Int64s, Int64s]:
    """Give rows of ids as a matrix, and the same one position later.

    Parameters
    ----------
    values : ndarray of unsigned integers or int64, shape (total,)
        Ids of all rows.
    offsets : ndarray of int64, shape (n + 1,)
        Where rows begin and end in `values`.
    rows : ndarray of int64, shape (B,)
        Which rows, from 0 to below n: see `width_of`, which checks.
    fill_with : int
        What stands where a row has no id.
    width : int
        Columns: no row is longer.
    left : bool
        Rows stand on the right, the padding before them.
    shifted : bool
        Whether the second matrix is wanted.

    Returns
    -------
    x : ndarray of int64, shape (B, width)
    y : ndarray of int64, shape (B, width), or (0, 0) if not wanted
        At each position of a row what follows in it; padding at its last one, and where ``x`` is padding.

    Examples
    --------
    >>> ids, offsets = np.array([0, 5, 1, 0, 1], "u1"), np.array([0, 3, 5])
    >>> x, y = pad(ids, offsets, np.array([1, 0]), 2, 4, left=False, shifted=True)
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2, 2], [0, 5, 1, 2]], [[1, 2, 2, 2], [5, 1, 2, 2]])
    """
    x = np.empty((len(rows), width), np.int64)
    y = np.empty(x.shape if shifted else (0, 0), np.int64)
    kernel = compiled(fill, values.dtype, len(rows), x.size, ahead=len(offsets) - 1, slow=False)
    (kernel or _fill)(values, offsets, rows, fill_with, left, shifted, x, y)
    return x, y


def longest(offsets: Any, rows: Any) -> int:
    """The kernel of `width_of`: the length, or -1 - i where ``rows[i]`` is no row."""
    n = len(offsets) - 1
    most = 0
    for i in range(len(rows)):
        row = rows[i]
        if row < 0 or row >= n:
            return -1 - i
        most = max(most, offsets[row + 1] - offsets[row])
    return most


def fill(values: Any, offsets: Any, rows: Any, fill_with: int, left: bool, shifted: bool, x: Any, y: Any) -> int:
    """The kernel of `pad`: writes every cell of `x`, and of `y` if `shifted`, once.

    Unsigned numbers, so that machine code need not ask whether an index is negative. What is returned means nothing:
    it keeps the first loop, in which the memory of all rows is asked for at once and not one after the other.
    """
    none, one, width = np.uint64(0), np.uint64(1), np.uint64(x.shape[1])
    touched = none
    for i in range(len(rows)):
        begin, end = np.uint64(offsets[np.uint64(rows[i])]), np.uint64(offsets[np.uint64(rows[i]) + one])
        if begin < end:
            touched += np.uint64(values[begin])
    for i in range(len(rows)):
        k, row = np.uint64(i), np.uint64(rows[i])
        begin, end = np.uint64(offsets[row]), np.uint64(offsets[row + one])
        n = end - begin
        first = width - n if left else none
        for j in range(none, first):
            x[k, j] = fill_with
        for j in range(n):
            x[k, first + j] = values[begin + j]
        for j in range(first + n, width):
            x[k, j] = fill_with
        if shifted:
            if n > none:
                n -= one
                begin += one
            for j in range(none, first):
                y[k, j] = fill_with
            for j in range(n):
                y[k, first + j] = values[begin + j]
            for j in range(first + n, width):
                y[k, j] = fill_with
    return int(touched)


def _longest(offsets: Int64s, rows: Int64s) -> int:
    wrong = (rows < 0) | (rows >= len(offsets) - 1)
    if wrong.any():
        return -1 - int(wrong.argmax())
    return int((offsets[rows + 1] - offsets[rows]).max(initial=0))


def _fill(
    values: NDArray[Any], offsets: Int64s, rows: Int64s, fill_with: int, left: bool, shifted: bool, x: Int64s, y: Int64s
) -> None:
    begins = offsets[rows]
    lengths = offsets[rows + 1] - begins
    width = x.shape[1]
    first = (width - lengths if left else np.zeros_like(lengths))[:, None]
    columns = np.arange(width)
    for out, skip in ((x, 0), (y, 1))[: 1 + shifted]:
        real = (columns >= first) & (columns < first + lengths[:, None] - skip)
        out[...] = fill_with
        out[real] = values[(begins[:, None] - first + columns + skip)[real]]
