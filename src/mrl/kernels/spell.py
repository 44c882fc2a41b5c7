"""Token ids to text: the bytes of one token after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels._jit import compiled, in_slices

__all__ = ["EOS", "decode", "spell"]

EOS = 1
"""The id at which a row ends."""

_LISTED = 1 << 20  # ids that are in Python lists at a time

Bytes: TypeAlias = NDArray[np.uint8]
Int64s: TypeAlias = NDArray[np.int64]


def decode(
    ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s, *, threads: int = 1
) -> tuple[Bytes, Int64s, int]:
    """The text of rows of ids, each up to its first EOS.

    Parameters
    ----------
    ids, offsets : ndarray of integers, shape (total,), and of int64, shape (n + 1,), both read-only
    token_bytes, token_offsets : ndarray of uint8, shape (size,), and of int64, shape (tokens + 1,)
        What each id stands for, which may be nothing.
    threads : int
        Slices of rows worked on at a time.

    Returns
    -------
    values : ndarray of uint8, shape (m,)
    text_offsets : ndarray of int64, shape (n + 1,)
    wrong : int
        The first row that has an id below 0 or not below `tokens` before its end; -1 if the text is good.

    Examples
    --------
    >>> ids = np.array([0, 4, 4, 1, 2, 0, 4, 9], np.uint8)
    >>> tokens = np.frombuffer(b"C", np.uint8), np.array([0, 0, 0, 0, 0, 1])
    >>> decode(ids, np.array([0, 5, 7]), *tokens)
    (array([67, 67, 67], dtype=uint8), array([0, 2, 3]), -1)
    >>> decode(ids, np.array([0, 5, 8]), *tokens)[2]
    1
    """
    kernel = compiled(spell, ids.dtype, len(offsets) - 1, int(offsets[-1] - offsets[0]))
    token_bytes = token_bytes.view()
    token_bytes.flags.writeable = False

    def work(first: int, last: int) -> tuple[Bytes, Int64s, int]:
        part = offsets[first : last + 1]
        if kernel is None:
            values, ends, wrong = _join(ids, part, token_bytes, token_offsets)
        else:
            values, ends, wrong = _run(kernel, ids, part, token_bytes, token_offsets)
        return values, ends, wrong if wrong < 0 else wrong + first

    slices, threads = (threads, threads) if kernel else (int(offsets[-1] - offsets[0]) // _LISTED + 1, 1)
    parts = in_slices(work, offsets, slices, threads)
    if len(parts) == 1:
        return parts[0]
    values, ends, wrong = zip(*parts, strict=True)
    lengths = np.concatenate([np.diff(part) for part in ends])
    return (
        np.concatenate(values),
        np.concatenate([[0], np.cumsum(lengths)]),
        next((row for row in wrong if row >= 0), -1),
    )


def _join(ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s) -> tuple[Bytes, Int64s, int]:
    """The same by Python's own means, for a few rows."""
    spelled, bounds = token_bytes.tobytes(), token_offsets.tolist()
    tokens = {t: spelled[a:b] for t, (a, b) in enumerate(pairwise(bounds))}
    places, wrong = (offsets - offsets[0]).tolist(), -1
    flat, rows = ids[offsets[0] : offsets[-1]].tolist(), []
    for a, b in pairwise(places):
        row = flat[a:b]
        if EOS in row:
            row = row[: row.index(EOS)]
        try:
            rows.append(b"".join([tokens[t] for t in row]))
        except KeyError:
            wrong = len(rows)
            break
    ends = np.zeros(len(offsets), np.int64)
    ends[1 : len(rows) + 1] = np.cumsum([len(row) for row in rows])
    return np.frombuffer(b"".join(rows), np.uint8), ends, wrong


def _run(kernel: Any, ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s) -> tuple[Any, ...]:
    longest = int(np.diff(token_offsets).max(initial=0))
    ends = np.zeros(len(offsets), np.int64)
    room = min(2, longest) * int(offsets[-1] - offsets[0])
    values, starts = np.empty(room, np.uint8), token_offsets.astype(np.uint32)
    row = 0
    while True:
        row, wrong = kernel(ids, offsets, token_bytes, starts, longest, row, values, ends)
        if wrong or row == len(offsets) - 1:
            break
        # The next row might not fit: make room for it and for as much again as there is.
        room = 2 * room + longest * int(offsets[row + 1] - offsets[row])
        values.resize(room, refcheck=False)
    values.resize(int(ends[row]), refcheck=False)
    return values, ends, row if wrong else -1


def spell(
    ids: Any, offsets: Any, token_bytes: Any, starts: Any, longest: int, first: int, values: Any, ends: Any
) -> tuple[int, bool]:
    """The kernel of `decode`.

    Parameters
    ----------
    ids, offsets, token_bytes
        As of `decode`.
    starts : uint32 (tokens + 1,)
        The token offsets; unsigned, so that machine code need not ask whether an index is negative.
    longest : int
        Bytes of the longest token.
    first : int
        The row to begin with; ``ends[first]`` says where.
    values, ends
        Out: uint8 (any size,) and int64 (n + 1,).

    Returns
    -------
    row : int
        The first row that was not written, n if all were.
    wrong : bool
        Whether that is because of an id in it, or because `values` may have no room for it.
    """
    tokens = len(starts) - 1
    k = ends[first]
    for row in range(first, len(offsets) - 1):
        if k + longest * (offsets[row + 1] - offsets[row]) > len(values):
            return row, False
        for i in range(offsets[row], offsets[row + 1]):
            token = ids[i]
            if token == EOS:
                break
            if token < 0 or token >= tokens:
                return row, True
            for j in range(starts[token], starts[token + 1]):
                values[k] = token_bytes[j]
                k += 1
        ends[row + 1] = k
    return len(offsets) - 1, False
