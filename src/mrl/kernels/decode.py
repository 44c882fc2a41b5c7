"""Token ids to text: the bytes of one token after the other."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels.encode import EOS
from mrl.kernels.jit import compiled, map_slices

_IDS_AT_A_TIME = 1 << 18  # ids that NumPy decodes at a time

Bytes: TypeAlias = NDArray[np.uint8]
Int64s: TypeAlias = NDArray[np.int64]
Decoded: TypeAlias = tuple[Bytes, Int64s, int]


def decode(ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s) -> Decoded:
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
    if kernel := compiled(decode_kernel, size + len(offsets) - 1, fallback="numpy"):
        return _decode_by_kernel(kernel, ids, offsets, token_bytes, token_offsets)

    def work(first: int, last: int) -> Decoded:
        values, ends, wrong = _decode_in_numpy(ids, offsets[first : last + 1], token_bytes, token_offsets)
        return values, np.diff(ends), wrong if wrong < 0 else wrong + first

    values, lengths, wrong = zip(*map_slices(work, offsets, size // _IDS_AT_A_TIME + 1, threads=1), strict=True)
    text_offsets = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
    return np.concatenate(values), text_offsets, next((row for row in wrong if row >= 0), -1)


def _decode_in_numpy(ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s) -> Decoded:
    flat, bounds = ids[offsets[0] : offsets[-1]], offsets - offsets[0]
    ended = np.cumsum(flat == EOS)
    before = np.concatenate([[0], ended])[bounds[:-1]]
    alive = ended == np.repeat(before, np.diff(bounds))  # no EOS in this row so far
    wrong = np.flatnonzero(alive & ((flat < 0) | (flat >= len(token_offsets) - 1)))
    if len(wrong):
        return token_bytes[:0], bounds, int(np.searchsorted(bounds, wrong[0], side="right")) - 1
    tokens = np.where(alive, flat, 0)
    sizes = np.where(alive, np.diff(token_offsets)[tokens], 0)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    first = token_offsets[tokens] - ends[:-1]
    return token_bytes[np.arange(ends[-1]) + np.repeat(first, sizes)], ends[bounds], -1


def _decode_by_kernel(
    kernel: Any, ids: NDArray[Any], offsets: Int64s, token_bytes: Bytes, token_offsets: Int64s
) -> Decoded:
    """Decode by machine code into an array that grows where tokens are longer than expected."""
    token_bytes = token_bytes.view()
    token_bytes.flags.writeable = False  # the kernel would be compiled anew for a writable array
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
    """Decode rows from `first` on into `values` and `ends`: the kernel of `decode`.

    `tokens` are their bytes, where each begins and ends (unsigned, so that machine code need not test whether an index
    is negative), and the length of the longest. Returned are the first row that was not written, n if all were, and
    whether that is because of an id in it, and not because `values` may be too small.
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
