"""Tanimoto similarity of fingerprints, 64 bits at a time: all pairs, nearest neighbours, leader clustering.

Counting the bits of a word by shifts and masks is what compilers recognise and turn into the instruction for it, for
several words at once where the processor can. The loops hold the same lines each, because a compiled loop cannot call
another function without compiling that as well.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels._jit import compiled, in_slices

__all__ = ["leader_groups", "nearest", "pack_bits", "tanimoto"]

Words: TypeAlias = NDArray[np.uint64]
Int64s: TypeAlias = NDArray[np.int64]

_BULK = 1 << 22  # pairs; what is less, matrix products have done before numba is imported
_BLOCK = 512  # rows that are unpacked at a time
_SLACK = 1e-9  # a threshold such as 0.6 is no binary number; two similarities differ by far more than this

_1, _2, _4, _56 = (np.uint64(shift) for shift in (1, 2, 4, 56))
_PAIRS, _FOURS, _BYTES, _SUM = (np.uint64(0x0101010101010101 * byte) for byte in (0x55, 0x33, 0x0F, 0x01))


def pack_bits(bits: NDArray[Any]) -> Words:
    """Bits as 64-bit words, the last one filled up with zeros.

    Parameters
    ----------
    bits : ndarray, shape (n, bits)
        What is not zero is a set bit.

    Returns
    -------
    ndarray of uint64, shape (n, ceil(bits / 64))
        Which bit is where in a word is left to the machine; for similarities it does not matter.

    Examples
    --------
    >>> pack_bits(np.ones((2, 65), np.uint8)).shape
    (2, 2)
    """
    n, width = bits.shape
    packed = np.zeros((n, -(-width // 64) * 8), np.uint8)
    packed[:, : -(-width // 8)] = (
        np.packbits(bits, axis=1) if bits.dtype == np.uint8 else np.packbits(bits != 0, axis=1)
    )
    return packed.view(np.uint64)


def tanimoto(a: Words, b: Words) -> NDArray[np.float64]:
    """The similarity of each row of `a` to each of `b`: bits in common among bits in either.

    Parameters
    ----------
    a, b : ndarray of uint64, shapes (n, words) and (m, words)
        See `pack_bits`.

    Returns
    -------
    ndarray of float64, shape (n, m)
        0 to 1; 1 for two rows without any bit.

    Raises
    ------
    ValueError
        The rows of both have not as many words.

    Examples
    --------
    >>> a = pack_bits(np.array([[1, 1, 0], [0, 0, 0]], np.uint8))
    >>> tanimoto(a, a)
    array([[1., 0.],
           [0., 1.]])
    """
    a, b = _alike(a, b)
    similarity = np.empty((len(a), len(b)))
    kernel = _kernel(all_pairs, len(a), len(b))
    if kernel is not None:
        kernel(a, b, _counts(a), _counts(b), similarity)
    else:
        for i, j, shared, both in _shared(a, b):
            similarity[i : i + len(shared), j : j + shared.shape[1]] = _ratio(shared, both)
    return similarity


def nearest(a: Words, b: Words, k: int = 1, *, threads: int = 1) -> tuple[Int64s, NDArray[np.float64]]:
    """The `k` rows of `b` that are most similar to each row of `a`, and how similar they are.

    Parameters
    ----------
    a, b : ndarray of uint64, shapes (n, words) and (m, words)
        See `pack_bits`.
    k : int
        1 to m.
    threads : int
        Slices of `a` worked on at a time.

    Returns
    -------
    index : ndarray of int64, shape (n, k)
        The most similar first; of equals the lower row.
    similarity : ndarray of float64, shape (n, k)

    Raises
    ------
    ValueError
        `b` has fewer than `k` rows, `k` is below 1, or the rows of both have not as many words.

    Examples
    --------
    >>> bits = pack_bits(np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], np.uint8))
    >>> nearest(bits[:1], bits[1:])
    (array([[1]]), array([[0.66666667]]))
    """
    (a, b), k = _alike(a, b), operator.index(k)
    if not 1 <= k <= len(b):
        raise ValueError(f"k is {k}; expected 1 to {len(b)}, the number of rows to look among")
    index, similarity = np.zeros((len(a), k), np.int64), np.full((len(a), k), -1.0)
    kernel = _kernel(best, len(a), len(b))
    if kernel is not None:
        counts_a, counts_b = _counts(a), _counts(b)

        def work(first: int, last: int) -> None:
            kernel(a[first:last], b, counts_a[first:last], counts_b, index[first:last], similarity[first:last])

        in_slices(work, np.arange(len(a) + 1), threads, threads)
        return index, similarity
    for i, j, shared, both in _shared(a, b):
        rows = slice(i, i + len(shared))
        values = np.hstack([similarity[rows], _ratio(shared, both)])
        columns = np.hstack([index[rows], np.broadcast_to(np.arange(j, j + shared.shape[1]), shared.shape)])
        order = np.argsort(-values, axis=1, kind="stable")[:, :k]
        similarity[rows] = np.take_along_axis(values, order, axis=1)
        index[rows] = np.take_along_axis(columns, order, axis=1)
    return index, similarity


def leader_groups(a: Words, similarity: float) -> Int64s:
    """Groups of rows around leaders: each row joins the first leader that is similar enough, or becomes one.

    Parameters
    ----------
    a : ndarray of uint64, shape (n, words)
        See `pack_bits`.
    similarity : float
        0 to 1: what is enough.

    Returns
    -------
    ndarray of int64, shape (n,)
        0, 1, 2, ... in the order in which the leaders appear; the first row of a group is its leader.

    Examples
    --------
    >>> bits = pack_bits(np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]], np.uint8))
    >>> leader_groups(bits, 0.6), leader_groups(bits, 0.7)
    (array([0, 1, 0]), array([0, 1, 2]))
    """
    a = _words(a)
    counts, groups = _counts(a), np.empty(len(a), np.int64)
    # shared / (both - shared) >= similarity, in whole numbers: how many shared bits are enough for `both`.
    both = np.arange(2 * counts.max(initial=0) + 1)
    enough = np.ceil(similarity / (1 + similarity) * both - _SLACK).astype(np.int64)
    kernel = _kernel(lead, len(a), len(a))
    if kernel is not None:
        kernel(a, counts, enough, np.empty_like(a), np.empty_like(counts), groups)
    else:
        _lead(a, counts, enough, groups)
    return groups


def _lead(a: Words, counts: Int64s, enough: Int64s, groups: Int64s) -> None:
    """The twin of `lead`: a block of rows against the leaders before it, then row by row inside it."""
    leaders: list[int] = []
    for start in range(0, len(a), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(a)))
        candidates = np.concatenate([np.array(leaders, np.int64), rows])
        joins = np.zeros((len(rows), len(candidates)), bool)
        for i, j, shared, both in _shared(a[rows], a[candidates]):
            joins[i : i + len(shared), j : j + shared.shape[1]] = shared >= enough[both]
        old, new = len(leaders), np.empty(0, np.int64)
        for i, row in enumerate(rows.tolist()):
            found = np.flatnonzero(joins[i, np.concatenate([np.arange(old), old + new])])
            groups[row] = found[0] if len(found) else len(leaders)
            if not len(found):
                leaders.append(row)
                new = np.append(new, i)


def _kernel(function: Callable[..., Any], n: int, m: int) -> Callable[..., Any] | None:
    return compiled(function, np.dtype(np.uint64), *((n, n * m) if n * m >= _BULK else (0, 0)))


def _alike(a: Words, b: Words) -> tuple[Words, Words]:
    """Both as kernels read them, which do not ask where a row ends."""
    a, b = _words(a), _words(b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"a has rows of {a.shape[1]} words and b of {b.shape[1]}; expected as many")
    return a, b


def _words(a: Words) -> Words:
    """Side by side, and read-only whatever it was: for each of both a kernel would be compiled."""
    if a.dtype != np.uint64 or a.ndim != 2:
        raise ValueError(f"bits are {a.dtype} of shape {a.shape}; expected uint64, (n, words): see pack_bits")
    a = np.ascontiguousarray(a).view()
    a.flags.writeable = False
    return a


def _counts(a: Words) -> Int64s:
    """How many bits each row has."""
    return np.concatenate([np.zeros(0, np.int64), *(bits.sum(1, dtype=np.int64) for bits in _unpacked(a, np.uint8))])


def _unpacked(a: Words, dtype: Any) -> Iterator[NDArray[Any]]:
    for start in range(0, len(a), _BLOCK):
        yield np.unpackbits(a[start : start + _BLOCK].view(np.uint8), axis=1).astype(dtype, copy=False)


def _shared(a: Words, b: Words) -> Iterator[tuple[int, int, Int64s, Int64s]]:
    """Block by block where it begins, how many bits rows have in common, and how many they have added up."""
    for i, some in enumerate(_unpacked(a, np.float32)):  # exact: whole numbers below 2**24
        for j, others in enumerate(_unpacked(b, np.float32)):
            shared = (some @ others.T).astype(np.int64)
            both = some.sum(1, dtype=np.int64)[:, None] + others.sum(1, dtype=np.int64)
            yield i * _BLOCK, j * _BLOCK, shared, both


def _ratio(shared: Int64s, both: Int64s) -> NDArray[np.float64]:
    either = both - shared
    return np.where(either > 0, shared / np.maximum(either, 1), 1.0)


def all_pairs(a: Any, b: Any, counts_a: Any, counts_b: Any, similarity: Any) -> None:
    """The kernel of `tanimoto`.

    Parameters
    ----------
    a, b
        Words, uint64 (n, words) and (m, words).
    counts_a, counts_b
        Bits of each row, int64 (n,) and (m,).
    similarity
        Out: float64 (n, m).
    """
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            shared: Any = 0
            for w in range(a.shape[1]):
                x = a[i, w] & b[j, w]
                x = x - ((x >> _1) & _PAIRS)
                x = (x & _FOURS) + ((x >> _2) & _FOURS)
                x = (x + (x >> _4)) & _BYTES
                shared += np.int64((x * _SUM) >> _56)
            either = counts_a[i] + counts_b[j] - shared
            similarity[i, j] = shared / either if either > 0 else 1.0


def best(a: Any, b: Any, counts_a: Any, counts_b: Any, index: Any, similarity: Any) -> None:
    """The kernel of `nearest`.

    Parameters
    ----------
    a, b
        Words, uint64 (n, words) and (m, words).
    counts_a, counts_b
        Bits of each row, int64 (n,) and (m,).
    index, similarity
        Out: int64 (n, k), and float64 (n, k), -1 before.
    """
    last = index.shape[1] - 1
    for i in range(a.shape[0]):
        worst = -1.0
        for j in range(b.shape[0]):
            # No two rows are more similar than the ratio of their counts (Swamidass and Baldi 2007,
            # doi:10.1021/ci600358f).
            if min(counts_a[i], counts_b[j]) < worst * max(counts_a[i], counts_b[j]):
                continue
            shared: Any = 0
            for w in range(a.shape[1]):
                x = a[i, w] & b[j, w]
                x = x - ((x >> _1) & _PAIRS)
                x = (x & _FOURS) + ((x >> _2) & _FOURS)
                x = (x + (x >> _4)) & _BYTES
                shared += np.int64((x * _SUM) >> _56)
            either = counts_a[i] + counts_b[j] - shared
            value = shared / either if either > 0 else 1.0
            if value > worst:
                place = last
                while place > 0 and similarity[i, place - 1] < value:
                    similarity[i, place] = similarity[i, place - 1]
                    index[i, place] = index[i, place - 1]
                    place -= 1
                similarity[i, place] = value
                index[i, place] = j
                worst = similarity[i, last]


def lead(a: Any, counts: Any, enough: Any, leaders: Any, leader_counts: Any, groups: Any) -> None:
    """The kernel of `leader_groups`.

    Parameters
    ----------
    a, counts
        Words, uint64 (n, words), and bits of each row, int64 (n,).
    enough
        How many shared bits are enough for two rows that have 0, 1, 2, ... bits added up, int64.
    leaders, leader_counts
        Room for as much again: leaders lie side by side.
    groups
        Out: int64 (n,).
    """
    n = 0
    for i in range(a.shape[0]):
        group = -1
        for leader in range(n):
            shared: Any = 0
            for w in range(a.shape[1]):
                x = a[i, w] & leaders[leader, w]
                x = x - ((x >> _1) & _PAIRS)
                x = (x & _FOURS) + ((x >> _2) & _FOURS)
                x = (x + (x >> _4)) & _BYTES
                shared += np.int64((x * _SUM) >> _56)
            if shared >= enough[counts[i] + leader_counts[leader]]:
                group = leader
                break
        if group < 0:
            group = n
            leaders[n] = a[i]
            leader_counts[n] = counts[i]
            n += 1
        groups[i] = group
