"""Rows of ids to padded matrices: gathered, widened, shifted and padded in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels.jit import compiled

Int64s: TypeAlias = NDArray[np.int64]


def max_length(offsets: Int64s, rows: Int64s) -> int:
    """Return the length of the longest of some rows, and check that they exist.

    Parameters
    ----------
    offsets : ndarray of int64, shape (n + 1,)
        Where rows begin and end.
    rows : ndarray of int64, shape (B,)
        Row numbers.

    Returns
    -------
    int
        0 if `rows` is empty.

    Raises
    ------
    IndexError
        A row is negative or not below n.

    Examples
    --------
    >>> max_length(np.array([0, 2, 3]), np.array([1, 0]))
    2
    """
    kernel = compiled(max_length_kernel, len(rows), fallback="numpy")
    found = int((kernel or _max_length_in_numpy)(offsets, rows))
    if found < 0:
        place = -1 - found
        raise IndexError(f"rows[{place}] is {rows[place]}, expected 0 to {len(offsets) - 2} ({len(offsets) - 1} rows)")
    return found


def pad(
    values: NDArray[Any], offsets: Int64s, rows: Int64s, pad_value: int, width: int, *, left: bool, with_next: bool
) -> tuple[Int64s, Int64s]:
    """Return rows of ids as a matrix, and the same one position later.

    Parameters
    ----------
    values : ndarray of unsigned integers or int64, shape (total,)
        The ids of all rows.
    offsets : ndarray of int64, shape (n + 1,)
        Where rows begin and end in `values`.
    rows : ndarray of int64, shape (B,)
        Row numbers from 0 to n - 1; `max_length` checks them.
    pad_value : int
        Fills the positions at which a row has no id.
    width : int
        Number of columns, at least the length of the longest row.
    left : bool
        Whether the padding is on the left.
    with_next : bool
        Whether the second matrix is computed.

    Returns
    -------
    x : ndarray of int64, shape (B, width)
        The ids.
    y : ndarray of int64, shape (B, width); (0, 0) without `with_next`
        The next id of the row at each position; `pad_value` at its last one, and where ``x`` is padding.

    Examples
    --------
    >>> ids, offsets = np.array([0, 5, 1, 0, 1], "u1"), np.array([0, 3, 5])
    >>> x, y = pad(ids, offsets, np.array([1, 0]), 2, 4, left=False, with_next=True)
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2, 2], [0, 5, 1, 2]], [[1, 2, 2, 2], [5, 1, 2, 2]])
    """
    parts = [(values, offsets, rows, np.arange(len(rows)))]
    return pad_parts(parts, pad_value, width, left=left, with_next=with_next)


def pad_parts(
    parts: Sequence[tuple[NDArray[Any], Int64s, Int64s, Int64s]],
    pad_value: int,
    width: int,
    *,
    left: bool,
    with_next: bool,
) -> tuple[Int64s, Int64s]:
    """Do what `pad` does for rows that are in several arrays.

    Parameters
    ----------
    parts : sequence of (values, offsets, rows, places)
        The first three as in `pad`, and the row of the matrix that each of `rows` becomes: together 0 to B - 1, each
        once, which is not checked.
    pad_value, width, left, with_next
        As in `pad`.

    Returns
    -------
    x, y : ndarray of int64
        As from `pad`.

    Examples
    --------
    >>> one = np.array([0, 5, 1], "u1"), np.array([0, 3]), np.array([0]), np.array([1])
    >>> two = np.array([0, 700, 1], "u2"), np.array([0, 3]), np.array([0]), np.array([0])
    >>> pad_parts([one, two], 2, 3, left=False, with_next=False)[0].tolist()
    [[0, 700, 1], [0, 5, 1]]
    """
    x = np.empty((sum(len(part[2]) for part in parts), width), np.int64)
    y = np.empty(x.shape if with_next else (0, 0), np.int64)
    for values, offsets, rows, places in parts:
        kernel = compiled(pad_kernel, x.size, fallback="numpy")
        (kernel or _pad_in_numpy)(values, offsets, rows, places, pad_value, left, with_next, x, y)
    return x, y


def max_length_kernel(offsets: Any, rows: Any) -> int:
    """Return the greatest length, or -1 - i where ``rows[i]`` does not exist: the kernel of `max_length`."""
    n = len(offsets) - 1
    most = 0
    for i in range(len(rows)):
        row = rows[i]
        if row < 0 or row >= n:
            return -1 - i
        most = max(most, offsets[row + 1] - offsets[row])
    return most


def pad_kernel(
    values: Any, offsets: Any, rows: Any, places: Any, pad_value: int, left: bool, with_next: bool, x: Any, y: Any
) -> int:
    """Write every cell of the rows `places` of `x`, and of `y` if `with_next`, once: the kernel of `pad`.

    Unsigned numbers, so that machine code need not test whether an index is negative. The number that is returned has
    no meaning: it keeps the first loop, which requests the memory of all rows at once instead of one after the other.
    """
    none, one, width = np.uint64(0), np.uint64(1), np.uint64(x.shape[1])
    touched = none
    for i in range(len(rows)):
        begin, end = np.uint64(offsets[np.uint64(rows[i])]), np.uint64(offsets[np.uint64(rows[i]) + one])
        if begin < end:
            touched += np.uint64(values[begin])
    for i in range(len(rows)):
        k, row = np.uint64(places[i]), np.uint64(rows[i])
        begin, end = np.uint64(offsets[row]), np.uint64(offsets[row + one])
        n = end - begin
        first = width - n if left else none
        _write_row(x, k, first, values, begin, end, pad_value)
        if with_next:
            _write_row(y, k, first, values, min(begin + one, end), end, pad_value)
    return int(touched)


def _write_row(out: Any, k: Any, first: Any, values: Any, begin: Any, end: Any, pad_value: int) -> None:
    """Write ``values[begin:end]`` from column `first` on into row `k`, and padding around it."""
    n = end - begin
    for j in range(np.uint64(0), first):
        out[k, j] = pad_value
    for j in range(n):
        out[k, first + j] = values[begin + j]
    for j in range(first + n, np.uint64(out.shape[1])):
        out[k, j] = pad_value


def _max_length_in_numpy(offsets: Int64s, rows: Int64s) -> int:
    wrong = (rows < 0) | (rows >= len(offsets) - 1)
    if wrong.any():
        return -1 - int(wrong.argmax())
    return int((offsets[rows + 1] - offsets[rows]).max(initial=0))


def _pad_in_numpy(
    values: NDArray[Any],
    offsets: Int64s,
    rows: Int64s,
    places: Int64s,
    pad_value: int,
    left: bool,
    with_next: bool,
    x: Int64s,
    y: Int64s,
) -> None:
    begins = offsets[rows]
    lengths = offsets[rows + 1] - begins
    width = x.shape[1]
    first = (width - lengths if left else np.zeros_like(lengths))[:, None]
    columns = np.arange(width)
    for out, skip in ((x, 0), (y, 1))[: 1 + with_next]:
        real = (columns >= first) & (columns < first + lengths[:, None] - skip)
        padded = np.full((len(rows), width), pad_value, np.int64)
        padded[real] = values[(begins[:, None] - first + columns + skip)[real]]
        out[places] = padded
