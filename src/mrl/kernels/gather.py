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
) -> Int64s:
    """Return where ragged rows lie in memory.

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
    ndarray of int64, shape (2 B,)
        Where the values of each row begin, and where they end.

    Raises
    ------
    ValueError
        The offsets of a row are not in order, or outside of its file: the message begins with the row.

    Examples
    --------
    >>> memory = np.array([0, 2, 3, 0, 4])  # two files: rows of 2 and 1 values, and one of 4
    >>> locate(np.array([2, 0]), np.array([0, 2, 3]), np.array([0, 3]), np.array([100, 200]), np.array([3, 4]), memory)
    array([200, 204, 100, 102])
    """
    spans = np.empty(2 * len(rows), np.int64)
    kernel = compiled(locate_kernel, len(rows), fallback="numpy")
    wrong = int((kernel or _locate_in_numpy)(rows, starts, offsets_at, values_at, sizes, memory, spans))
    if wrong >= 0:
        raise ValueError(f"{int(rows[wrong])}: its offsets are not in order, or lie outside of its file")
    return spans


def copy_spans(memory: NDArray[Any], spans: Int64s) -> tuple[NDArray[Any], Int64s]:
    """Return slices of one array, one after the other, and their offsets.

    Parameters
    ----------
    memory : ndarray, 1-D
        Contains the slices.
    spans : ndarray of int64, shape (2 B,)
        Where each begins, and where it ends.

    Returns
    -------
    values : ndarray, 1-D
        The slices.
    offsets : ndarray of int64, shape (B + 1,)
        Where they begin and end in `values`.

    Examples
    --------
    >>> copy_spans(np.arange(9), np.array([5, 7, 0, 1]))
    (array([5, 6, 0]), array([0, 2, 3]))
    """
    offsets = np.zeros(len(spans) // 2 + 1, np.int64)
    np.cumsum(spans[1::2] - spans[::2], out=offsets[1:])
    values = np.empty(int(offsets[-1]), memory.dtype)
    kernel = compiled(copy_kernel, len(values), fallback="numpy")
    (kernel or _copy_in_numpy)(memory, spans, offsets, values)
    return values, offsets


def locate_kernel(rows: Any, starts: Any, offsets_at: Any, values_at: Any, sizes: Any, memory: Any, spans: Any) -> int:
    """Fill `spans`; return the place of a row that is damaged, or -1: the kernel of `locate`."""
    one = np.uint64(1)
    files_per_row = (len(starts) - 1) / max(starts[-1], 1)
    for i in range(len(rows)):
        row = np.uint64(rows[i])
        # Files mostly have about equally many rows: look first where the row then is.
        low, high = np.uint64(min(rows[i] * files_per_row, len(starts) - 2)), np.uint64(len(starts) - 1)
        if np.uint64(starts[low]) <= row and row < np.uint64(starts[low + one]):
            high = low + one
        else:
            low = np.uint64(0)
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
        spans[2 * i] = values_at[low] + begin
        spans[2 * i + 1] = values_at[low] + end
    return -1


def copy_kernel(memory: Any, spans: Any, offsets: Any, out: Any) -> int:
    """Copy slice after slice: the kernel of `copy_spans`.

    Unsigned numbers, so that machine code need not test whether an index is negative. The number that is returned has
    no meaning: it keeps the first loop, which requests the memory of all slices at once instead of one after the other.
    """
    touched = np.uint64(0)
    for i in range(len(offsets) - 1):
        if offsets[i + 1] > offsets[i]:
            touched += np.uint64(memory[np.uint64(spans[2 * i])])
    for i in range(len(offsets) - 1):
        begin, first, stop = np.uint64(spans[2 * i]), np.uint64(offsets[i]), np.uint64(offsets[i + 1])
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
    spans: Int64s,
) -> int:
    file = np.searchsorted(starts, rows, side="right") - 1
    place = offsets_at[file] + rows - starts[file]
    begin, end = memory[place], memory[place + 1]
    wrong = (begin < 0) | (end < begin) | (end > sizes[file])
    if wrong.any():
        return int(wrong.argmax())
    spans[::2], spans[1::2] = values_at[file] + begin, values_at[file] + end
    return -1


def _copy_in_numpy(memory: NDArray[Any], spans: Int64s, offsets: Int64s, out: NDArray[Any]) -> int:
    index = np.repeat(spans[::2] - offsets[:-1], np.diff(offsets)) + np.arange(len(out))
    np.take(memory, index, out=out, mode="clip")
    return 0
