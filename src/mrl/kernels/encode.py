"""Text to token ids: a table of states, one look-up per byte."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.kernels.jit import compiled, map_slices

BOS, EOS, PAD, UNK = range(4)
"""The ids of every vocabulary for the beginning of a text, its end, padding, and a piece that is not a token."""

SPLIT = 0
"""Instead of an id: split this piece into bytes."""

CONTINUE, EMIT, BACKTRACK, REJECT, POP = range(5)
"""What to do at a byte: read on; write an id first; a piece without an id has ended; return to the last end; write the
ids of the longest tokens of several pieces that fit, and read the byte again."""

_ROWS_AT_A_TIME = 10_000  # rows of a list whose bytes are in memory at a time
_BYTES_AT_A_TIME = 1 << 20  # bytes whose ids are in Python lists at a time

Int64s: TypeAlias = NDArray[np.int64]
Slice: TypeAlias = tuple[int, Int64s, Int64s, int]


@dataclass(frozen=True, eq=False)
class TokenTable:
    """A compiled pattern with its tokens.

    A state is the index of the first entry of its row in `transitions` and `actions`; reading begins in state 0. A row
    has an entry for each class of bytes, then END (what to do at the end of the text) and CODE.

    Attributes
    ----------
    byte_classes : ndarray of uint8, shape (256,)
        The class of each byte.
    transitions : ndarray of uint32, shape (states * width,)
        The next state, after an id has been written the one after that. CODE of a state that ends a piece is the
        piece's id, UNK or SPLIT; CODE of any other state is its number among those.
    actions : ndarray of uint8, shape (states * width,)
        CONTINUE, EMIT, BACKTRACK or REJECT.
    byte_ids : ndarray of uint32, shape (256,)
        The id of each byte as a token of its own.
    width : int
        Entries of a row.
    n_incomplete : int
        The number of states that do not end a piece.
    trie_root : int
        With byte fallback, the state that is the root of the trie of tokens, by which pieces without an id are split
        (there a next state of 0 means none, and a CODE of 0 no id); 0 without byte fallback.
    piece_root : int
        With tokens of several pieces, the state in which a single piece begins, whose states are this one and those
        after it; 0 without such tokens.
    pops : ndarray of uint32
        With tokens of several pieces, what POP does, from the index that stands in `transitions`: the next state, the
        number of bytes that it has read, the number of ids, and the ids.

    Examples
    --------
    See `encode`.

    >>> len(TokenTable(*[np.zeros(256, np.uint8)] * 4, width=3, n_incomplete=1, trie_root=0).byte_classes)
    256
    """

    byte_classes: NDArray[np.uint8]
    transitions: NDArray[np.uint32]
    actions: NDArray[np.uint8]
    byte_ids: NDArray[np.uint32]
    width: int
    n_incomplete: int
    trie_root: int
    piece_root: int = 0
    pops: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(1, np.uint32))

    def __post_init__(self) -> None:
        for array in self._arrays:
            array.flags.writeable = False

    def __reduce__(self) -> tuple[Any, ...]:
        return TokenTable, tuple(getattr(self, one.name) for one in fields(self))

    @property
    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.byte_classes, self.transitions, self.actions, self.byte_ids, self.pops

    @cached_property
    def _lists(self) -> tuple[Any, ...]:
        """The arrays as the interpreter reads them fastest."""
        read = self.byte_classes.tobytes(), self.transitions.tolist(), self.actions.tobytes()
        return *read, self.byte_ids.tolist(), self.pops.tolist()


def encode(
    values: NDArray[np.uint8] | Callable[[int, int], NDArray[np.uint8]],
    offsets: Int64s,
    table: TokenTable,
    dtype: DTypeLike,
    *,
    max_reported: int = 0,
    max_memo_cells: int = 1 << 25,
    threads: int = 1,
) -> tuple[NDArray[Any], Int64s, Int64s, int]:
    """Return the token ids of rows of text, each row between BOS and EOS.

    Parameters
    ----------
    values : ndarray of uint8, shape (total,), read-only; or callable
        UTF-8; other bytes give arbitrary ids. A function ``values(first, last)`` returns the bytes of the rows `first`
        to `last` (exclusive) when they are needed.
    offsets : ndarray of int64, shape (n + 1,), read-only
        Where rows begin and end in `values`.
    table : TokenTable
        The compiled pattern and tokens.
    dtype : uint8, uint16 or uint32
        The type of the ids; it must hold all those of the table.
    max_reported : int
        The number of pieces without an id that are reported at most (per thread).
    max_memo_cells : int
        The number of failed look-aheads that are remembered at most, 4 bytes each; only those needed take memory.
    threads : int
        The number of slices of rows that are encoded at a time.

    Returns
    -------
    ids : ndarray of `dtype`, shape (m,)
        The ids of all rows.
    id_offsets : ndarray of int64, shape (n + 1,)
        Where the ids of each row begin and end.
    missing : ndarray of int64, shape (k, 3)
        Row, first byte and end in the row of the first pieces without an id, in order.
    count : int
        The number of pieces without an id, reported or not.

    Examples
    --------
    >>> every_byte_is_4 = TokenTable(
    ...     byte_classes=np.zeros(256, np.uint8),
    ...     transitions=np.array([3, 0, 0, 3, 0, 4], np.uint32),
    ...     actions=np.array([CONTINUE, REJECT, CONTINUE, EMIT, EMIT, CONTINUE], np.uint8),
    ...     byte_ids=np.full(256, 4, np.uint32),
    ...     width=3,
    ...     n_incomplete=1,
    ...     trie_root=0,
    ... )
    >>> encode(np.frombuffer(b"CCO", np.uint8), np.array([0, 2, 3]), every_byte_is_4, "uint8")[:2]
    (array([0, 4, 4, 1, 0, 4, 1], dtype=uint8), array([0, 4, 7]))
    """
    dtype, size, rows = np.dtype(dtype), int(offsets[-1] - offsets[0]), len(offsets) - 1
    kernel = compiled(encode_kernel, size + rows, fallback="python")
    slices, threads = (threads, threads) if kernel else (size // _BYTES_AT_A_TIME + 1, 1)
    if callable(values):
        slices = max(slices, rows // _ROWS_AT_A_TIME)
    out, end = np.empty(size + 2 * rows, dtype), 0

    def work(first: int, last: int) -> tuple[int, Slice]:
        nonlocal end
        text, spans = values, offsets[first : last + 1]
        if callable(text):
            text, spans = text(first, last), spans - spans[0]
        # A row gets at most two ids more than it has bytes; one thread knows where the rows before have ended.
        start = int(offsets[first] - offsets[0]) + 2 * first if threads > 1 else end
        part = _encode_slice(kernel, text, spans, table, out[start:], max_reported, max_memo_cells)
        part[2][:, 0] += first
        end = start + part[0]
        return start, part

    starts, parts = zip(*map_slices(work, offsets, slices, threads), strict=True)
    sizes, id_offsets, missing, counts = zip(*parts, strict=True)
    ends = np.cumsum(sizes)
    for start, n, end in zip(starts, sizes, ends, strict=True):  # close the gaps, in place
        if start > end - n:
            ctypes.memmove(out[end - n :].ctypes.data, out[start:].ctypes.data, n * out.itemsize)
    out.resize(int(ends[-1]), refcheck=False)
    if len(parts) == 1:
        return out, id_offsets[0], missing[0], counts[0]
    joined = [id_offsets[0], *(part[1:] + end for part, end in zip(id_offsets[1:], ends, strict=False))]
    return out, np.concatenate(joined), np.concatenate(missing), sum(counts)


def _encode_slice(
    kernel: Callable[..., Any] | None,
    values: NDArray[np.uint8],
    offsets: Int64s,
    table: TokenTable,
    out: NDArray[Any],
    max_reported: int,
    max_memo_cells: int,
) -> Slice:
    """Write the ids of some rows into `out`; return their number, their offsets, what is missing, and how much."""
    rows, size = len(offsets) - 1, int(offsets[-1] - offsets[0])
    if int(offsets[-1]) > len(values):  # machine code checks no index
        raise ValueError(f"the offsets end at {offsets[-1]}, but there are only {len(values)} bytes")
    max_reported = min(max_reported, size)
    longest = int(np.diff(offsets).max(initial=0))
    shift = (table.n_incomplete * (longest + 1) // max_memo_cells).bit_length()
    columns = (longest >> shift) + 1
    memo = np.zeros(table.n_incomplete * columns, np.int32)
    numbers = 0, table.width - 2, table.width - 1, table.trie_root, table.piece_root
    if kernel is None:
        # The kernel itself, on lists: the interpreter reads these faster than arrays.
        lists = [0] * (size + 2 * rows), [0] * (rows + 1), [0] * (3 * max_reported)
        text = values[offsets[0] : offsets[-1]].tobytes(), (offsets - offsets[0]).tolist()
        n, count = encode_kernel(text, (*table._lists, *numbers), (memo.data, columns, shift), lists)
        out[:n] = lists[0][:n]
        id_offsets, missing = np.array(lists[1]), np.array(lists[2][: 3 * count], np.int64)
    else:
        id_offsets, missing = np.empty(rows + 1, np.int64), np.empty(3 * max_reported, np.int64)
        # Unsigned numbers, so that machine code need not test whether an index is negative.
        states = *table._arrays, *map(np.uint32, numbers)
        n, count = kernel((values, offsets), states, (memo, columns, shift), (out, id_offsets, missing))
    return n, id_offsets, missing.reshape(-1, 3)[:count], count


def encode_kernel(
    text: tuple[Any, Any], table: tuple[Any, ...], memo: tuple[Any, int, int], out: tuple[Any, Any, Any]
) -> tuple[int, int]:
    """Encode rows: the kernel of `encode`; machine code reads arrays, the interpreter the same in lists.

    Parameters
    ----------
    text : tuple of uint8 (total,) and int64 (n + 1,)
        Text, and where its rows begin and end in it.
    table : tuple of five arrays and five uint32
        The arrays of a `TokenTable`, the first state, the columns of END and CODE in a row, the root of the trie, and
        the state in which a single piece begins.
    memo : tuple of int32 (n_incomplete * columns,), int and int
        Zeros, the number of columns, and `shift`. A cell stands for a state that does not end a piece, at a position in
        the row that ``2**shift`` divides. When a look-ahead from there has failed, it gets the number of the row plus
        1, so that no look-ahead fails twice (Reps 1998, doi:10.1145/276393.276394): the time is linear in the input.
    out : tuple of ids (total + 2 n,), int64 (n + 1,) and int64 (3 * max_reported,)
        Written: ids, their offsets, and row, first byte and end of each piece without an id.

    Returns
    -------
    tuple of int
        The number of ids, and of pieces without an id.
    """
    data, offsets = text
    byte_classes, transitions, actions, byte_ids, pops, start, end_column, code_column, trie_root, piece_root = table
    failed, columns, shift = memo
    ids, id_offsets, missing = out
    mask = (1 << shift) - 1
    k = found = 0
    id_offsets[0] = 0
    for row in range(len(offsets) - 1):
        begin, end = offsets[row], offsets[row + 1]
        ids[k] = BOS
        k += 1
        p = known = begin  # all before p is done; before `known`, look-aheads have failed
        while p < end:
            stop, code = p, UNK
            if p >= known:  # one look-up per byte, until something is unusual about the piece at p
                state, action, i = start, EMIT, p
                while i < end:
                    at = state + byte_classes[data[i]]
                    action = actions[at]
                    if action > EMIT:
                        if action < POP:
                            break
                        at = transitions[at]
                        for j in range(at + 3, at + 3 + pops[at + 2]):
                            ids[k] = pops[j]
                            k += 1
                        p = i - pops[at + 1]
                        state = pops[at]
                        continue
                    ids[k] = transitions[state + code_column]
                    k += action
                    if action:
                        p = i
                    state = transitions[at]
                    i += 1
                if i == end:
                    action = actions[state + end_column]
                    while action == POP:
                        at = transitions[state + end_column]
                        for j in range(at + 3, at + 3 + pops[at + 2]):
                            ids[k] = pops[j]
                            k += 1
                        p = i - pops[at + 1]
                        state = pops[at]
                        action = actions[state + end_column]
                code = transitions[state + code_column]
                if action == EMIT:
                    ids[k] = code
                    k += 1
                    break
                stop = i if action == BACKTRACK else p
            elif piece_root > 0:  # a token of several pieces: none needs a look-ahead beyond the longest of them
                state, i = start, p
                at = state + byte_classes[data[i]]
                while actions[at] == CONTINUE and transitions[at] < piece_root:
                    state = transitions[at]
                    i += 1
                    at = state + (byte_classes[data[i]] if i < end else end_column)
                if actions[at] == EMIT:
                    ids[k] = transitions[state + code_column]
                    k += 1
                    p = i
                    continue
                if actions[at] == POP:
                    at = transitions[at]
                    for j in range(at + 3, at + 3 + pops[at + 2]):
                        ids[k] = pops[j]
                        k += 1
                    p = i - pops[at + 1]
                    continue
            if stop == p:  # find the end of the piece at p by itself
                state, i, here = piece_root, p, piece_root
                while i < end:
                    at = state + byte_classes[data[i]]
                    if actions[at]:
                        break
                    state = transitions[at]
                    i += 1
                    if actions[state + end_column] < REJECT:
                        stop, here, code = i, state, transitions[state + code_column]
                    elif (i - begin) & mask == 0 and (
                        failed[transitions[state + code_column] * columns + ((i - begin) >> shift)] == row + 1
                    ):
                        break
                known = max(known, i)
                if stop == p:  # not UTF-8
                    stop, code = p + 1, UNK
                else:
                    for j in range(stop, i):
                        here = transitions[here + byte_classes[data[j]]]
                        if (j + 1 - begin) & mask == 0:
                            failed[transitions[here + code_column] * columns + ((j + 1 - begin) >> shift)] = row + 1
            while p < stop:  # write the piece from p to stop
                last, number = stop, code
                if code == SPLIT:
                    last = p + 1
                if last == p + 1:
                    number = byte_ids[data[p]]
                if number == UNK:
                    if 3 * found < len(missing):
                        missing[3 * found] = row
                        missing[3 * found + 1] = p - begin
                        missing[3 * found + 2] = last - begin
                    found += 1
                if number != UNK or trie_root == 0:
                    ids[k] = number
                    k += 1
                    p = last
                while p < last:  # byte fallback: the longest token that fits, or one byte
                    number, longest = byte_ids[data[p]], p + 1
                    node, i = trie_root, p
                    while i < last:
                        node = transitions[node + byte_classes[data[i]]]
                        if node == 0:
                            break
                        i += 1
                        if transitions[node + code_column] > 0:
                            number, longest = transitions[node + code_column], i
                    ids[k] = number
                    k += 1
                    p = longest
        ids[k] = EOS
        k += 1
        id_offsets[row + 1] = k
    return k, found
