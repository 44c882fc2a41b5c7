"""Token ids to text: the bytes of one token after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels.jit import compiled, map_slices
from mrl.kernels.special_ids import EOS

__all__ = ["decode", "decode_kernel"]

_IDS_AT_A_TIME = 1 << 20  # ids that are in Python lists at a time

Bytes: TypeAlias = NDArray[np.uint8]
Int64s: TypeAlias = NDArray[np.int64]
Decoded: TypeAlias = tuple[Bytes, Int64s, int]


def decode(
    ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s, *, threads: int = 1
) -> Decoded:
    """Return the text of rows of ids, each up to its first EOS.

    Parameters
    ----------
    ids : ndarray of integers, shape (total,), read-only
        The ids of all rows.
    offsets : ndarray of int64, shape (n + 1,), read-only
        Where rows begin and end in `ids`.
    token_bytes : ndarray of uint8, shape (size,)
        The text of each id, one after the other.
    token_offsets : ndarray of int64, shape (tokens + 1,)
        Where the text of each id begins and ends in `token_bytes`; it may be empty.
    threads : int
        The number of slices of rows that are decoded at a time.

    Returns
    -------
    values : ndarray of uint8, shape (m,)
        The text of all rows.
    text_offsets : ndarray of int64, shape (n + 1,)
        Where the text of each row begins and ends.
    wrong : int
        The first row with an id below 0 or not below `tokens` before its end; -1 if there is none.

    Examples
    --------
    >>> ids = np.array([0, 4, 4, 1, 2, 0, 4, 9], np.uint8)
    >>> tokens = np.frombuffer(b"C", np.uint8), np.array([0, 0, 0, 0, 0, 1])
    >>> decode(ids, np.array([0, 5, 7]), *tokens)
    (array([67, 67, 67], dtype=uint8), array([0, 2, 3]), -1)
    >>> decode(ids, np.array([0, 5, 8]), *tokens)[2]
    1
    """
    size = int(offsets[-1] - offsets[0])
    kernel = compiled(decode_kernel, size + len(offsets) - 1, fallback="python")
    token_bytes = token_bytes.view()
    token_bytes.flags.writeable = False

    def work(first: int, last: int) -> Decoded:
        part = offsets[first : last + 1]
        if kernel is None:
            values, ends, wrong = _decode_in_python(ids, part, token_bytes, token_offsets)
        else:
            values, ends, wrong = _decode_slice(kernel, ids, part, token_bytes, token_offsets)
        return values, ends, wrong if wrong < 0 else wrong + first

    slices, threads = (threads, threads) if kernel else (size // _IDS_AT_A_TIME + 1, 1)
    parts = map_slices(work, offsets, slices, threads)
    if len(parts) == 1:
        return parts[0]
    values, ends, wrong = zip(*parts, strict=True)
    lengths = np.concatenate([np.diff(part) for part in ends])
    return (
        np.concatenate(values),
        np.concatenate([[0], np.cumsum(lengths)]),
        next((row for row in wrong if row >= 0), -1),
    )


def _decode_in_python(ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s) -> Decoded:
    """Decode without numba, for a few rows."""
    raw, bounds = token_bytes.tobytes(), token_offsets.tolist()
    tokens = {t: raw[a:b] for t, (a, b) in enumerate(pairwise(bounds))}
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


def _decode_slice(kernel: Any, ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s) -> Any:
    """Decode by machine code into an array that grows where tokens are longer than expected."""
    longest = int(np.diff(token_offsets).max(initial=0))
    ends = np.zeros(len(offsets), np.int64)
    size = min(2, longest) * int(offsets[-1] - offsets[0])
    values, starts = np.empty(size, np.uint8), token_offsets.astype(np.uint32)
    row = 0
    while True:
        row, wrong = kernel(ids, offsets, (token_bytes, starts, longest), row, values, ends)
        if wrong or row == len(offsets) - 1:
            break
        # The next row might not fit: twice the size, and enough for that row.
        size = 2 * size + longest * int(offsets[row + 1] - offsets[row])
        values.resize(size, refcheck=False)
    values.resize(int(ends[row]), refcheck=False)
    return values, ends, row if wrong else -1


def decode_kernel(
    ids: Any, offsets: Any, tokens: tuple[Any, Any, int], first: int, values: Any, ends: Any
) -> tuple[int, bool]:
    """Decode rows from `first` on: the kernel of `decode`.

    Parameters
    ----------
    ids, offsets : integers (total,) and int64 (n + 1,)
        As of `decode`.
    tokens : tuple of uint8 (size,), uint32 (tokens + 1,) and int
        The bytes of the tokens, where each begins and ends (unsigned, so that machine code need not test whether an
        index is negative), and the length of the longest.
    first : int
        The row to begin with; ``ends[first]`` is the position in `values`.
    values, ends : uint8 (any size,) and int64 (n + 1,)
        Written: text, and where each row ends in it.

    Returns
    -------
    row : int
        The first row that was not written; n if all were.
    wrong : bool
        Whether that is because of an id in it, or because `values` may be too small for it.
    """
    token_bytes, starts, longest = tokens
    n_tokens = len(starts) - 1
    k = ends[first]
    for row in range(first, len(offsets) - 1):
        if k + longest * (offsets[row + 1] - offsets[row]) > len(values):
            return row, False
        for i in range(offsets[row], offsets[row + 1]):
            token = ids[i]
            if token == EOS:
                break
            if token < 0 or token >= n_tokens:
                return row, True
            for j in range(starts[token], starts[token + 1]):
                values[k] = token_bytes[j]
                k += 1
        ends[row + 1] = k
    return len(offsets) - 1, False
