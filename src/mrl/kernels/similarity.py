"""Tanimoto similarity of fingerprints, 64 bits at a time: all pairs, nearest neighbours, leader clustering."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels.jit import compiled, map_slices

Words: TypeAlias = NDArray[np.uint64]
Int64s: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

_BLOCK = 512  # rows that NumPy unpacks at a time
_SLACK = 1e-9  # a threshold such as 0.6 is not a binary number; two similarities differ by far more than this

_1, _2, _4, _56 = (np.uint64(shift) for shift in (1, 2, 4, 56))
_PAIRS, _FOURS, _BYTES, _SUM = (np.uint64(0x0101010101010101 * byte) for byte in (0x55, 0x33, 0x0F, 0x01))


def pack_bits(bits: NDArray[Any]) -> Words:
    """Return bits as 64-bit words, the last one padded with zeros.

    Parameters
    ----------
    bits : ndarray, shape (n, bits)
        A value other than zero is a set bit.

    Returns
    -------
    ndarray of uint64, shape (n, ceil(bits / 64))
        The order of the bits in a word depends on the machine; it does not matter for similarities.

    Examples
    --------
    >>> pack_bits(np.ones((2, 65), np.uint8)).shape
    (2, 2)
    """
    n, width = bits.shape
    packed = np.zeros((n, -(-width // 64) * 8), np.uint8)
    packed[:, : -(-width // 8)] = np.packbits(bits if bits.dtype == np.uint8 else bits != 0, axis=1)
    return packed.view(np.uint64)


def tanimoto(a: Words, b: Words) -> Floats:
    """Return the similarity of each row of `a` to each of `b`: bits in common divided by bits in either.

    Parameters
    ----------
    a, b : ndarray of uint64, shapes (n, words) and (m, words)
        Fingerprints from `pack_bits`.

    Returns
    -------
    ndarray of float64, shape (n, m)
        0 to 1; 1 for two rows without any bit.

    Raises
    ------
    ValueError
        The rows of `a` and `b` differ in length, or are not packed bits.

    Examples
    --------
    >>> a = pack_bits(np.array([[1, 1, 0], [0, 0, 0]], np.uint8))
    >>> tanimoto(a, a)
    array([[1., 0.],
           [0., 1.]])
    """
    a, b = _check_both(a, b)
    similarity = np.empty((len(a), len(b)))
    kernel = compiled(tanimoto_kernel, len(a) * len(b), fallback="numpy")
    if kernel is not None:
        kernel(a, b, _count_bits(a), _count_bits(b), similarity)
    else:
        for i, j, shared, total in _shared_in_blocks(a, b):
            similarity[i : i + len(shared), j : j + shared.shape[1]] = _ratio(shared, total)
    return similarity


def nearest(a: Words, b: Words, k: int = 1, *, threads: int = 1) -> tuple[Int64s, Floats]:
    """Return the `k` rows of `b` that are most similar to each row of `a`, and their similarities.

    Parameters
    ----------
    a, b : ndarray of uint64, shapes (n, words) and (m, words)
        Fingerprints from `pack_bits`.
    k : int
        Number of neighbours, 1 to m.
    threads : int
        The number of slices of `a` that are compared at a time.

    Returns
    -------
    index : ndarray of int64, shape (n, k)
        Row numbers, the most similar first; of equally similar rows, the lower number first.
    similarity : ndarray of float64, shape (n, k)
        Their similarities, 0 to 1.

    Raises
    ------
    ValueError
        `k` is not 1 to m, the rows of `a` and `b` differ in length, or they are not packed bits.

    Examples
    --------
    >>> bits = pack_bits(np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]], np.uint8))
    >>> nearest(bits[:1], bits[1:])
    (array([[1]]), array([[0.66666667]]))
    """
    (a, b), k = _check_both(a, b), operator.index(k)
    if not 1 <= k <= len(b):
        raise ValueError(f"k is {k}; expected 1 to {len(b)}, the number of rows of b")
    index, similarity = np.zeros((len(a), k), np.int64), np.full((len(a), k), -1.0)
    kernel = compiled(nearest_kernel, len(a) * len(b), fallback="numpy")
    if kernel is not None:
        counts_a, counts_b = _count_bits(a), _count_bits(b)

        def work(first: int, last: int) -> None:
            kernel(a[first:last], b, counts_a[first:last], counts_b, index[first:last], similarity[first:last])

        map_slices(work, np.arange(len(a) + 1), threads, threads)
        return index, similarity
    for i, j, shared, total in _shared_in_blocks(a, b):
        rows = slice(i, i + len(shared))
        values = np.hstack([similarity[rows], _ratio(shared, total)])
        columns = np.hstack([index[rows], np.broadcast_to(np.arange(j, j + shared.shape[1]), shared.shape)])
        order = np.argsort(-values, axis=1, kind="stable")[:, :k]
        similarity[rows] = np.take_along_axis(values, order, axis=1)
        index[rows] = np.take_along_axis(columns, order, axis=1)
    return index, similarity


def leader_groups(a: Words, similarity: float) -> Int64s:
    """Return groups of rows around leaders: a row joins the first leader that is similar enough, or becomes one.

    Parameters
    ----------
    a : ndarray of uint64, shape (n, words)
        Fingerprints from `pack_bits`.
    similarity : float
        The least similarity to the leader of a group, 0 to 1.

    Returns
    -------
    ndarray of int64, shape (n,)
        Group numbers 0, 1, 2, ... in the order in which the leaders appear; the first row of a group is its leader.

    Raises
    ------
    ValueError
        `a` is not packed bits.

    Examples
    --------
    >>> bits = pack_bits(np.array([[1, 1, 0], [0, 0, 1], [1, 1, 1]], np.uint8))
    >>> leader_groups(bits, 0.6), leader_groups(bits, 0.7)
    (array([0, 1, 0]), array([0, 1, 2]))
    """
    a = _check_words(a)
    counts, groups = _count_bits(a), np.empty(len(a), np.int64)
    # shared / (total - shared) >= similarity, in whole numbers: the shared bits that are enough for each total.
    total = np.arange(2 * counts.max(initial=0) + 1)
    enough = np.ceil(similarity / (1 + similarity) * total - _SLACK).astype(np.int64)
    kernel = compiled(leaders_kernel, len(a) ** 2, fallback="numpy")
    if kernel is not None:
        kernel(a, counts, enough, np.empty_like(a), np.empty_like(counts), groups)
    else:
        _leaders_in_numpy(a, enough, groups)
    return groups


def _leaders_in_numpy(a: Words, enough: Int64s, groups: Int64s) -> None:
    """Compare a block of rows with the leaders found so far, then row by row within the block."""
    leaders: list[int] = []
    for start in range(0, len(a), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(a)))
        candidates = np.concatenate([np.array(leaders, np.int64), rows])
        joins = np.zeros((len(rows), len(candidates)), bool)
        for i, j, shared, total in _shared_in_blocks(a[rows], a[candidates]):
            joins[i : i + len(shared), j : j + shared.shape[1]] = shared >= enough[total]
        old, new = len(leaders), np.empty(0, np.int64)
        for i, row in enumerate(rows.tolist()):
            found = np.flatnonzero(joins[i, np.concatenate([np.arange(old), old + new])])
            groups[row] = found[0] if len(found) else len(leaders)
            if not len(found):
                leaders.append(row)
                new = np.append(new, i)


def _check_both(a: Words, b: Words) -> tuple[Words, Words]:
    """Return both as kernels read them, which do not test where a row ends."""
    a, b = _check_words(a), _check_words(b)
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"a has rows of {a.shape[1]} words and b of {b.shape[1]}; expected equal lengths")
    return a, b


def _check_words(a: Words) -> Words:
    """Return a contiguous, read-only view: a kernel would be compiled anew for any other kind of array."""
    if a.dtype != np.uint64 or a.ndim != 2:
        raise ValueError(f"bits are {a.dtype} of shape {a.shape}; expected uint64, (n, words): see pack_bits")
    a = np.ascontiguousarray(a).view()
    a.flags.writeable = False
    return a


def _count_bits(a: Words) -> Int64s:
    """Return the number of set bits of each row."""
    return np.concatenate([np.zeros(0, np.int64), *(bits.sum(1, dtype=np.int64) for bits in _unpacked(a, np.uint8))])


def _unpacked(a: Words, dtype: Any) -> Iterator[NDArray[Any]]:
    for start in range(0, len(a), _BLOCK):
        yield np.unpackbits(a[start : start + _BLOCK].view(np.uint8), axis=1).astype(dtype, copy=False)


def _shared_in_blocks(a: Words, b: Words) -> Iterator[tuple[int, int, Int64s, Int64s]]:
    """Yield for each block of pairs its first row and column, the bits in common, and the bits of both added up."""
    for i, x in enumerate(_unpacked(a, np.float32)):  # exact: whole numbers below 2**24
        for j, y in enumerate(_unpacked(b, np.float32)):
            shared = (x @ y.T).astype(np.int64)
            total = x.sum(1, dtype=np.int64)[:, None] + y.sum(1, dtype=np.int64)
            yield i * _BLOCK, j * _BLOCK, shared, total


def _ratio(shared: Int64s, total: Int64s) -> Floats:
    either = total - shared
    return np.where(either > 0, shared / np.maximum(either, 1), 1.0)


def shared_bits(x: Any, y: Any) -> Any:
    """Return the number of bits that two rows of words have in common.

    Compilers recognise the shifts and masks and turn them into the instruction that counts bits, for several words at
    once where the processor can.
    """
    shared: Any = 0
    for w in range(len(x)):
        word = x[w] & y[w]
        word = word - ((word >> _1) & _PAIRS)
        word = (word & _FOURS) + ((word >> _2) & _FOURS)
        word = (word + (word >> _4)) & _BYTES
        shared += np.int64((word * _SUM) >> _56)
    return shared


def tanimoto_kernel(a: Any, b: Any, counts_a: Any, counts_b: Any, similarity: Any) -> None:
    """Compare the rows of `a` and `b`, which have so many bits, into `similarity`: the kernel of `tanimoto`."""
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            shared = shared_bits(a[i], b[j])
            either = counts_a[i] + counts_b[j] - shared
            similarity[i, j] = shared / either if either > 0 else 1.0


def nearest_kernel(a: Any, b: Any, counts_a: Any, counts_b: Any, index: Any, similarity: Any) -> None:
    """Keep the best of each row in `index` and `similarity`, which is -1 at first: the kernel of `nearest`."""
    last = index.shape[1] - 1
    for i in range(a.shape[0]):
        worst = -1.0
        for j in range(b.shape[0]):
            # No two rows are more similar than the ratio of their counts (Swamidass and Baldi 2007,
            # doi:10.1021/ci600358f).
            if min(counts_a[i], counts_b[j]) < worst * max(counts_a[i], counts_b[j]):
                continue
            shared = shared_bits(a[i], b[j])
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


def leaders_kernel(a: Any, counts: Any, enough: Any, leaders: Any, leader_counts: Any, groups: Any) -> None:
    """Write the leader of each row to `groups`: the kernel of `leader_groups`.

    ``enough[t]`` is the number of shared bits that is enough for two rows with t bits in total; `leaders` and
    `leader_counts` are scratch arrays as large as `a` and `counts`, in which the leaders lie side by side.
    """
    n = 0
    for i in range(a.shape[0]):
        group = -1
        for leader in range(n):
            if shared_bits(a[i], leaders[leader]) >= enough[counts[i] + leader_counts[leader]]:
                group = leader
                break
        if group < 0:
            group = n
            leaders[n] = a[i]
            leader_counts[n] = counts[i]
            n += 1
        groups[i] = group
