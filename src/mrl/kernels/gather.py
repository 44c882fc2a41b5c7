"""Rows of several files that are mapped into memory: found by number, and copied into one array."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels.jit import compiled

Int64s: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.uint8]


def locate(
    rows: Int64s, starts: Int64s, offsets_at: Int64s, values_at: Int64s, sizes: Int64s, memory: Int64s
) -> tuple[Int64s, Int64s]:
    """Return where ragged rows lie in memory, and where they lie one after the other.

    Parameters
    ----------
    rows : ndarray of int64, shape (B,)
        Row numbers, from 0 to ``starts[-1] - 1``.
    starts : ndarray of int64, shape (S + 1,)
        The number of the first row of each file, and that of all rows.
    offsets_at : ndarray of int64, shape (S,)
        For each file, the index in `memory` of its first offset.
    values_at : ndarray of int64, shape (S,)
        For each file, where its values begin.
    sizes : ndarray of int64, shape (S,)
        The number of values of each file, which no offset may pass.
    memory : ndarray of int64
        Contains the offsets of all files.

    Returns
    -------
    at : ndarray of int64, shape (B,)
        Where the values of each row begin.
    offsets : ndarray of int64, shape (B + 1,)
        The offsets of the rows, one after the other.

    Raises
    ------
    ValueError
        The offsets of a row are not in order, or outside of its file: the message begins with the row.

    Examples
    --------
    >>> memory = np.array([0, 2, 3, 0, 4])  # two files: rows of 2 and 1 values, and one of 4
    >>> locate(np.array([2, 0]), np.array([0, 2, 3]), np.array([0, 3]), np.array([100, 200]), np.array([3, 4]), memory)
    (array([200, 100]), array([0, 4, 6]))
    """
    at, offsets = np.empty(len(rows), np.int64), np.zeros(len(rows) + 1, np.int64)
    kernel = compiled(locate_kernel, len(rows), fallback="numpy")
    wrong = int((kernel or _locate_in_numpy)(rows, starts, offsets_at, values_at, sizes, memory, at, offsets))
    if wrong >= 0:
        raise ValueError(f"{int(rows[wrong])}: its offsets are not in order, or lie outside of its file")
    return at, offsets


def copy_slices(memory: NDArray[Any], at: Int64s, offsets: Int64s) -> NDArray[Any]:
    """Return slices of one array, one after the other.

    Parameters
    ----------
    memory : ndarray, 1-D
        Contains the slices.
    at : ndarray of int64, shape (B,)
        Where each begins.
    offsets : ndarray of int64, shape (B + 1,)
        Where they lie in the result.

    Returns
    -------
    ndarray, shape (offsets[-1],)

    Examples
    --------
    >>> copy_slices(np.arange(9), np.array([5, 0]), np.array([0, 2, 3]))
    array([5, 6, 0])
    """
    out = np.empty(int(offsets[-1]), memory.dtype)
    kernel = compiled(copy_kernel, len(out), fallback="numpy")
    (kernel or _copy_in_numpy)(memory, at, offsets, out)
    return out


def locate_kernel(
    rows: Any, starts: Any, offsets_at: Any, values_at: Any, sizes: Any, memory: Any, at: Any, offsets: Any
) -> int:
    """Fill `at` and `offsets`; return the place of a row that is damaged, or -1: the kernel of `locate`."""
    total, one = 0, np.uint64(1)
    for i in range(len(rows)):
        row = np.uint64(rows[i])
        low, high = np.uint64(0), np.uint64(len(starts) - 1)
        while high - low > one:
            middle = (low + high) >> one
            if np.uint64(starts[middle]) <= row:
                low = middle
            else:
                high = middle
        place = np.uint64(offsets_at[low]) + row - np.uint64(starts[low])
        begin, end = memory[place], memory[place + one]
        if begin < 0 or end < begin or end > sizes[low]:
            return i
        at[i] = values_at[low] + begin
        total += end - begin
        offsets[i + 1] = total
    return -1


def copy_kernel(memory: Any, at: Any, offsets: Any, out: Any) -> int:
    """Copy slice after slice: the kernel of `copy_slices`.

    Unsigned numbers, so that machine code need not test whether an index is negative. The number that is returned has
    no meaning: it keeps the first loop, which requests the memory of all slices at once instead of one after the other.
    """
    touched = np.uint64(0)
    for i in range(len(at)):
        if offsets[i + 1] > offsets[i]:
            touched += np.uint64(memory[np.uint64(at[i])])
    for i in range(len(at)):
        begin, first, stop = np.uint64(at[i]), np.uint64(offsets[i]), np.uint64(offsets[i + 1])
        for j in range(stop - first):
            out[first + j] = memory[begin + j]
    return int(touched)


def _locate_in_numpy(
    rows: Int64s,
    starts: Int64s,
    offsets_at: Int64s,
    values_at: Int64s,
    sizes: Int64s,
    memory: Int64s,
    at: Int64s,
    offsets: Int64s,
) -> int:
    file = np.searchsorted(starts, rows, side="right") - 1
    place = offsets_at[file] + rows - starts[file]
    begin, end = memory[place], memory[place + 1]
    wrong = (begin < 0) | (end < begin) | (end > sizes[file])
    if wrong.any():
        return int(wrong.argmax())
    at[:] = values_at[file] + begin
    np.cumsum(end - begin, out=offsets[1:])
    return -1


def _copy_in_numpy(memory: NDArray[Any], at: Int64s, offsets: Int64s, out: NDArray[Any]) -> int:
    index = np.repeat(at - offsets[:-1], np.diff(offsets)) + np.arange(len(out))
    np.take(memory, index, out=out, mode="clip")
    return 0
