"""Text to token ids: a table of states, one look-up per byte."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.kernels._jit import compiled, in_slices

__all__ = ["CARE", "EMIT", "FAIL", "GO", "SPLIT", "UNK", "TokenTable", "encode", "scan"]

UNK = 3
"""The id of a piece that is no token."""

SPLIT = 0
"""In place of an id: cut this piece into bytes."""

GO, EMIT, CARE, FAIL = range(4)
"""What to do before a byte: read on; write an id; a piece without an id has ended; look back for the last end."""

_MEMO = 1 << 25  # cells, of which only those are touched that are needed
_PIECE = 10_000  # rows of text made at a time: little memory, and a short wait for the interpreter
_LISTED = 1 << 20  # bytes whose ids are in Python lists at a time


@dataclass(frozen=True, eq=False)
class TokenTable:
    """A compiled pattern with its tokens.

    A state is the index of the first entry of its row in `follow` and `action`; reading begins in state 0. A row has an
    entry for each class of bytes, then END (what to do where the text ends) and CODE.

    Attributes
    ----------
    classes : ndarray of uint8, shape (256,)
        The class of each byte.
    follow : ndarray of uint32, shape (states * width,)
        The next state, after an id has been written the next but one. CODE of a state that ends a piece is its id, UNK
        or SPLIT; of any other its number among those.
    action : ndarray of uint8, shape (states * width,)
        GO, EMIT, CARE or FAIL.
    single : ndarray of uint32, shape (256,)
        The id of each byte as a token of its own.
    width : int
        Entries of a row.
    waiting : int
        How many numbers there are for states that end no piece.
    tree : int
        In a closed alphabet the state that is the root of the tree of tokens, by which pieces without an id are cut
        (there 0 as next state is no state, and 0 as CODE no id); 0 in an open one.
    """

    classes: NDArray[np.uint8]
    follow: NDArray[np.uint32]
    action: NDArray[np.uint8]
    single: NDArray[np.uint32]
    width: int
    waiting: int
    tree: int

    def __post_init__(self) -> None:
        for array in (self.classes, self.follow, self.action, self.single):
            array.flags.writeable = False

    def __reduce__(self) -> tuple[Any, ...]:
        return TokenTable, tuple(getattr(self, field.name) for field in fields(self))

    @cached_property
    def lists(self) -> tuple[Any, ...]:
        """`classes`, `follow`, `action` and `single` as the interpreter reads them fastest."""
        return self.classes.tobytes(), self.follow.tolist(), self.action.tobytes(), self.single.tolist()


def encode(
    values: NDArray[np.uint8] | Callable[[int, int], NDArray[np.uint8]],
    offsets: NDArray[np.int64],
    table: TokenTable,
    dtype: DTypeLike,
    *,
    room: int = 0,
    threads: int = 1,
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64], int]:
    """Token ids of rows of text, each row between 0 and 1.

    Parameters
    ----------
    values, offsets : ndarray of uint8, shape (total,), and of int64, shape (n + 1,), both read-only
        UTF-8. What is none gives some ids. A function gives the bytes of the rows from a first to before a last one,
        when they are needed.
    table : TokenTable
    dtype : uint8, uint16 or uint32
        Of the ids; it has to hold all those of the table.
    room : int
        How many pieces that are no tokens may be told (for each thread).
    threads : int
        Slices of rows worked on at a time.

    Returns
    -------
    ids : ndarray of `dtype`, shape (m,)
    id_offsets : ndarray of int64, shape (n + 1,)
    missing : ndarray of int64, shape (k, 3)
        Row, first byte and end in the row of pieces that are no tokens, in order.
    count : int
        How many there are, told or not.

    Examples
    --------
    >>> every_byte_is_4 = TokenTable(
    ...     classes=np.zeros(256, np.uint8),
    ...     follow=np.array([3, 0, 0, 3, 0, 4], np.uint32),
    ...     action=np.array([GO, FAIL, GO, EMIT, EMIT, GO], np.uint8),
    ...     single=np.full(256, 4, np.uint32),
    ...     width=3,
    ...     waiting=1,
    ...     tree=0,
    ... )
    >>> encode(np.frombuffer(b"CCO", np.uint8), np.array([0, 2, 3]), every_byte_is_4, "uint8")[:2]
    (array([0, 4, 4, 1, 0, 4, 1], dtype=uint8), array([0, 4, 7]))
    """
    dtype, size, rows = np.dtype(dtype), int(offsets[-1] - offsets[0]), len(offsets) - 1
    kernel = compiled(scan, dtype, rows, size)
    slices, threads = (threads, threads) if kernel else (size // _LISTED + 1, 1)
    if callable(values):
        slices = max(slices, rows // _PIECE)
    out, end = np.empty(size + 2 * rows, dtype), 0

    def work(first: int, last: int) -> tuple[int, int, NDArray[np.int64], NDArray[np.int64], int]:
        nonlocal end
        text, spans = values, offsets[first : last + 1]
        if callable(text):
            text, spans = text(first, last), spans - spans[0]
        # Rows get at most two ids more than bytes; one thread knows where the rows before have ended.
        start = int(offsets[first] - offsets[0]) + 2 * first if threads > 1 else end
        n, id_offsets, missing, count = _run(kernel, text, spans, table, out[start:], room)
        missing[:, 0] += first
        end = start + n
        return start, n, id_offsets, missing, count

    starts, sizes, id_offsets, missing, counts = zip(*in_slices(work, offsets, slices, threads), strict=True)
    ends = np.cumsum(sizes)
    for start, n, end in zip(starts, sizes, ends, strict=True):  # close the gaps, in place
        if start > end - n:
            ctypes.memmove(out[end - n :].ctypes.data, out[start:].ctypes.data, n * out.itemsize)
    out.resize(int(ends[-1]), refcheck=False)
    if len(starts) == 1:
        return out, id_offsets[0], missing[0], counts[0]
    joined = [id_offsets[0], *(part[1:] + end for part, end in zip(id_offsets[1:], ends, strict=False))]
    return out, np.concatenate(joined), np.concatenate(missing), sum(counts)


def _run(
    kernel: Any,
    values: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    table: TokenTable,
    out: NDArray[Any],
    room: int,
) -> tuple[int, NDArray[np.int64], NDArray[np.int64], int]:
    """Write the ids of some rows into `out`: how many they are, their offsets, what is missing, and how much."""
    rows, size = len(offsets) - 1, int(offsets[-1] - offsets[0])
    room = min(room, size)
    longest = int(np.diff(offsets).max(initial=0))
    shift = (table.waiting * (longest + 1) // _MEMO).bit_length()
    columns = (longest >> shift) + 1
    memo = np.zeros(table.waiting * columns, np.int32)
    numbers = 0, table.width - 2, table.width - 1, table.tree
    if kernel is None:
        lists = [0] * (size + 2 * rows), [0] * (rows + 1), [0] * (3 * room)
        text = values[offsets[0] : offsets[-1]].tobytes(), (offsets - offsets[0]).tolist()
        n, count = scan(*text, *table.lists, *numbers, memo.data, columns, shift, *lists)  # type: ignore[call-arg]
        out[:n] = lists[0][:n]
        id_offsets, missing = np.array(lists[1]), np.array(lists[2][: 3 * count], np.int64)
    else:
        id_offsets, missing = np.empty(rows + 1, np.int64), np.empty(3 * room, np.int64)
        arrays = table.classes, table.follow, table.action, table.single
        n, count = kernel(
            values, offsets, *arrays, *map(np.uint32, numbers), memo, columns, shift, out, id_offsets, missing
        )
    return n, id_offsets, missing.reshape(-1, 3)[:count], count


def scan(
    data: Any,
    offsets: Any,
    classes: Any,
    follow: Any,
    action: Any,
    single: Any,
    start: int,
    end_column: int,
    code_column: int,
    tree: int,
    memo: Any,
    columns: int,
    shift: int,
    ids: Any,
    id_offsets: Any,
    missing: Any,
) -> tuple[int, int]:
    """The kernel of `encode`; machine code reads arrays, the interpreter the same in lists.

    Parameters
    ----------
    data, offsets
        Text, uint8, and where its rows begin and end in it, int64 (n + 1,).
    classes, follow, action, single
        Of the `TokenTable`.
    start, end_column, code_column, tree
        The first state, where END and CODE are in a row, and the root of the tree or 0; uint32, so that machine code
        need not ask whether an index is negative.
    memo
        Zeros, int32 (waiting * columns,). Where a row was read in vain, from a state that ends no piece at a place in
        the row that ``2**shift`` divides, it gets the number of the row plus 1; so nothing is read in vain twice
        (Reps 1998, doi:10.1145/276393.276394), and a megabyte of ``[`` takes a moment, not an hour.
    ids, id_offsets, missing
        Out: ids (total + 2 n,), int64 (n + 1,), and row, first byte and end of missing pieces, int64 (3 * room,).

    Returns
    -------
    tuple of int
        How many ids there are, and how many missing pieces.
    """
    mask = (1 << shift) - 1
    k = found = 0
    id_offsets[0] = 0
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        ids[k] = 0
        k += 1
        p = known = begin  # all before p is done; before `known`, look-aheads have failed
        while p < end:
            stop, code = p, UNK
            if p >= known:  # one look-up per byte, until something is unusual about the piece at p
                state, act, i = start, EMIT, p
                while i < end:
                    at = state + classes[data[i]]
                    act = action[at]
                    if act > EMIT:
                        break
                    ids[k] = follow[state + code_column]
                    k += act
                    if act:
                        p = i
                    state = follow[at]
                    i += 1
                if i == end:
                    act = action[state + end_column]
                code = follow[state + code_column]
                if act == EMIT:
                    ids[k] = code
                    k += 1
                    break
                stop = i if act == CARE else p
            if stop == p:  # find the end of the piece at p by itself
                state, i, here = start, p, start
                while i < end:
                    at = state + classes[data[i]]
                    if action[at]:
                        break
                    state = follow[at]
                    i += 1
                    if action[state + end_column] < FAIL:
                        stop, here, code = i, state, follow[state + code_column]
                    elif (i - begin) & mask == 0 and (
                        memo[follow[state + code_column] * columns + ((i - begin) >> shift)] == row + 1
                    ):
                        break
                known = max(known, i)
                if stop == p:  # not UTF-8
                    stop, code = p + 1, UNK
                else:
                    for j in range(stop, i):
                        here = follow[here + classes[data[j]]]
                        if (j + 1 - begin) & mask == 0:
                            memo[follow[here + code_column] * columns + ((j + 1 - begin) >> shift)] = row + 1
            while p < stop:  # write the piece from p to stop
                last, number = stop, code
                if code == SPLIT:
                    last = p + 1
                if last == p + 1:
                    number = single[data[p]]
                if number == UNK:
                    if 3 * found < len(missing):
                        missing[3 * found] = row
                        missing[3 * found + 1] = p - begin
                        missing[3 * found + 2] = last - begin
                    found += 1
                if number != UNK or tree == 0:
                    ids[k] = number
                    k += 1
                    p = last
                while p < last:  # a closed alphabet: the longest token that fits, or one byte
                    number, longest = single[data[p]], p + 1
                    node, i = tree, p
                    while i < last:
                        node = follow[node + classes[data[i]]]
                        if node == 0:
                            break
                        i += 1
                        if follow[node + code_column] > 0:
                            number, longest = follow[node + code_column], i
                    ids[k] = number
                    k += 1
                    p = longest
        ids[k] = 1
        k += 1
        id_offsets[row + 1] = k
    return k, found
