"""Text to token ids: a table of states, one look-up per byte."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.kernels.jit import compiled, map_slices

BOS, EOS, PAD, UNK = range(4)
"""The ids of every vocabulary for the beginning of a text, its end, padding, and a piece that is not a token."""

SPLIT = 0
"""Instead of an id: split this piece into bytes."""

NO_BYTES = (1 << 32) - 1
"""Instead of a number of bytes: more than a row has."""

_ROWS_AT_A_TIME = 10_000  # rows of a list whose bytes are in memory at a time
_BYTES_AT_A_TIME = 1 << 20  # bytes whose ids are in Python lists at a time

Int64s: TypeAlias = NDArray[np.int64]
Slice: TypeAlias = tuple[int, Int64s, Int64s, int]


@dataclass(frozen=True, eq=False)
class TokenTable:
    """A compiled pattern with its tokens.

    A table has a column for each class of bytes, then END (what to do at the end of the text) and CODE. A state is the
    index of its entry in a column, and reading begins in state 0. The entries of a column are side by side, because few
    of the bytes that could follow do: the states in which the same byte follows share lines of the processor's cache.

    Attributes
    ----------
    columns : ndarray of uint32, shape (256,)
        The index at which the column of each byte begins in `entries`.
    entries : ndarray of uint32, shape (columns * 2 * n_states,)
        Two numbers for each state. The first is the next state; where reading stops, the state that it stops in. The
        second is what is written before the byte is read, as an index into `writes`. In the column CODE, the first
        number is the id of the piece that ends in the state, UNK or SPLIT; of a state in which no piece ends, it is its
        number among those.
    writes : ndarray of uint32
        Four numbers for each: how many ids are written (0 at index 0), how many bytes were read since the last of
        them ended (`NO_BYTES` if there are none), and two ids; of more than two ids, the first of these is the index
        where all of them are.
    backtrack, reject : int
        The first of the `writes` after which reading stops because a piece without an id has ended, and the first one
        after which it stops because what was read does not end a piece, and returns to the last end.
    byte_ids : ndarray of uint32, shape (256,)
        The id of each byte as a token of its own.
    n_states : int
        The number of states.
    n_incomplete : int
        The number of states that do not end a piece.
    trie_root : int
        With byte fallback, the state that is the root of the trie of tokens, by which pieces without an id are split
        (there a next state of 0 means none, and a CODE of 0 no id); 0 without byte fallback.
    piece_root : int
        With tokens of several pieces, the state in which a single piece begins, whose states are this one and those
        after it; 0 without such tokens.

    Examples
    --------
    See `encode`.

    >>> arrays = [np.zeros(256, np.uint32)] * 4
    >>> len(TokenTable(*arrays, backtrack=4, reject=8, n_states=1, n_incomplete=1, trie_root=0).columns)
    256
    """

    columns: NDArray[np.uint32]
    entries: NDArray[np.uint32]
    writes: NDArray[np.uint32]
    byte_ids: NDArray[np.uint32]
    backtrack: int
    reject: int
    n_states: int
    n_incomplete: int
    trie_root: int
    piece_root: int = 0

    def __post_init__(self) -> None:
        for array in self._arrays:
            array.flags.writeable = False

    def __reduce__(self) -> tuple[Any, ...]:
        return TokenTable, tuple(getattr(self, one.name) for one in fields(self))

    @property
    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.columns, self.entries, self.writes, self.byte_ids

    @property
    def _numbers(self) -> tuple[int, ...]:
        code_column = len(self.entries) - 2 * self.n_states
        end_column = code_column - 2 * self.n_states
        return end_column, code_column, self.backtrack, self.reject, self.trie_root, self.piece_root

    @cached_property
    def _lists(self) -> tuple[Any, ...]:
        """The arrays as the interpreter reads them fastest."""
        return tuple(array.tolist() for array in self._arrays)


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
    ...     columns=np.zeros(256, np.uint32),
    ...     entries=np.array([[[2, 0], [2, 4]], [[0, 8], [0, 4]], [[0, 0], [4, 0]]], np.uint32).ravel(),
    ...     writes=np.array([0, NO_BYTES, 0, 0, 1, 0, 4, 0, 0, NO_BYTES, 0, 0], np.uint32),
    ...     byte_ids=np.full(256, 4, np.uint32),
    ...     backtrack=8,
    ...     reject=8,
    ...     n_states=2,
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
    positions = (longest >> shift) + 1
    memo = np.zeros(table.n_incomplete * positions, np.int32)
    if kernel is None:
        # The kernel itself, on lists: the interpreter reads these faster than arrays.
        lists = [0] * (size + 2 * rows), [0] * (rows + 1), [0] * (3 * max_reported)
        text = values[offsets[0] : offsets[-1]].tobytes(), (offsets - offsets[0]).tolist()
        n, count = encode_kernel(text, (*table._lists, 0, *table._numbers), (memo.data, positions, shift), lists)
        out[:n] = lists[0][:n]
        id_offsets, missing = np.array(lists[1]), np.array(lists[2][: 3 * count], np.int64)
    else:
        id_offsets, missing = np.empty(rows + 1, np.int64), np.empty(3 * max_reported, np.int64)
        # Unsigned numbers, so that machine code need not test whether an index is negative.
        states = *table._arrays, *map(np.uint32, (0, *table._numbers))
        n, count = kernel((values, offsets), states, (memo, positions, shift), (out, id_offsets, missing))
    return n, id_offsets, missing.reshape(-1, 3)[:count], count


def encode_kernel(
    text: tuple[Any, Any], table: tuple[Any, ...], memo: tuple[Any, int, int], out: tuple[Any, Any, Any]
) -> tuple[int, int]:
    """Encode rows: the kernel of `encode`; machine code reads arrays, the interpreter the same in lists.

    Parameters
    ----------
    text : tuple of uint8 (total,) and int64 (n + 1,)
        Text, and where its rows begin and end in it.
    table : tuple of four arrays and seven uint32
        The arrays of a `TokenTable`, the first state, where the columns END and CODE begin, where the `writes` begin
        after which reading stops (`backtrack`, `reject`), the root of the trie, and the state in which a single piece
        begins.
    memo : tuple of int32 (n_incomplete * positions,), int and int
        Zeros, the number of positions, and `shift`. A cell stands for a state that does not end a piece, at a position
        in the row that ``2**shift`` divides. When a look-ahead from there has failed, it gets the number of the row
        plus 1, so that no look-ahead fails twice (Reps 1998, doi:10.1145/276393.276394): the time is linear in the
        input.
    out : tuple of ids (total + 2 n,), int64 (n + 1,) and int64 (3 * max_reported,)
        Written: ids, their offsets, and row, first byte and end of each piece without an id.

    Returns
    -------
    tuple of int
        The number of ids, and of pieces without an id.
    """
    data, offsets = text
    columns, entries, writes, byte_ids = table[:4]
    start, end_column, code_column, backtrack, reject, trie_root, piece_root = table[4:]
    failed, positions, shift = memo
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
                # Ids are written at every byte, and `k` counts those that are meant: no jump that the processor would
                # have to guess. There is room for them, as the ids of bytes that are not written yet follow.
                state, write, i = start, start, p
                while piece_root == 0 and i < end:  # single pieces: the id of the one that has ended, or none
                    at = state + columns[data[i]]
                    write = entries[at + 1]
                    if write >= backtrack:
                        break
                    ids[k] = entries[state + code_column]
                    if write > 0:
                        k += 1
                        p = i
                    state = entries[at]
                    i += 1
                while piece_root > 0 and i < end:
                    at = state + columns[data[i]]
                    write = entries[at + 1]
                    n = writes[write]
                    ids[k] = writes[write + 2]
                    ids[k + 1] = writes[write + 3]
                    if n > 2:
                        for j in range(n):
                            ids[k + j] = writes[writes[write + 2] + j]
                    p = max(p, i - writes[write + 1])
                    k += n
                    state = entries[at]
                    if write >= backtrack:
                        break
                    i += 1
                if i == end:
                    at = state + end_column
                    write = entries[at + 1]
                    for j in range(writes[write]):
                        ids[k] = writes[write + 2 + j] if writes[write] <= 2 else writes[writes[write + 2] + j]
                        k += 1
                    if write < backtrack:
                        break
                    p = max(p, i - writes[write + 1])
                    state = entries[at]
                code = entries[state + code_column]
                stop = i if write < reject else p
            elif piece_root > 0:  # a token of several pieces: none needs a look-ahead beyond the longest of them
                state, i = start, p
                at = state + columns[data[i]]
                while entries[at + 1] == 0 and entries[at] < piece_root:
                    state = entries[at]
                    i += 1
                    at = state + (columns[data[i]] if i < end else end_column)
                write = entries[at + 1]
                n = writes[write]
                for j in range(n):
                    ids[k] = writes[write + 2 + j] if n <= 2 else writes[writes[write + 2] + j]
                    k += 1
                if n > 0:
                    p = i - writes[write + 1]
                    continue
            if stop == p:  # find the end of the piece at p by itself
                state, i, here = piece_root, p, piece_root
                while i < end:
                    at = state + columns[data[i]]
                    if entries[at + 1] > 0:
                        break
                    state = entries[at]
                    i += 1
                    if entries[state + end_column + 1] < reject:
                        stop, here, code = i, state, entries[state + code_column]
                    elif (i - begin) & mask == 0 and (
                        failed[entries[state + code_column] * positions + ((i - begin) >> shift)] == row + 1
                    ):
                        break
                known = max(known, i)
                if stop == p:  # not UTF-8
                    stop, code = p + 1, UNK
                else:
                    for j in range(stop, i):
                        here = entries[here + columns[data[j]]]
                        if (j + 1 - begin) & mask == 0:
                            failed[entries[here + code_column] * positions + ((j + 1 - begin) >> shift)] = row + 1
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
                        node = entries[node + columns[data[i]]]
                        if node == 0:
                            break
                        i += 1
                        if entries[node + code_column] > 0:
                            number, longest = entries[node + code_column], i
                    ids[k] = number
                    k += 1
                    p = longest
        ids[k] = EOS
        k += 1
        id_offsets[row + 1] = k
    return k, found
