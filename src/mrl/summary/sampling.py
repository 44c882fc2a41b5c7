"""Which rows of a large file are looked at: random ones, or all spellings of some molecules; the same each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.kernels import splitmix64
from mrl.ragged import Text

Rows = NDArray[np.int64]
Keys = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

_BLOCK = 1 << 22  # bytes of text at a time: the arrays of a block stay below 150 MB

# Each letter counts, but not its case (aromatic or not), nor H, which may be written or not; all else is spelling.
_LETTERS = np.zeros(256, np.uint64)
_LETTERS[[ord(letter) for letter in "ABCDEFGIJKLMNOPQRSTUVWXYZ"]] = splitmix64(np.arange(1, 26, dtype=np.uint64) << 7)
_LETTERS[[ord(letter) for letter in "abcdefgijklmnopqrstuvwxyz"]] = splitmix64(np.arange(1, 26, dtype=np.uint64) << 7)


def random_rows(total: int, n: int, seed: int) -> Rows:
    """Return `n` of `total` rows, or all of them, in ascending order.

    >>> random_rows(3, 5, seed=0)
    array([0, 1, 2])
    """
    if n >= total:
        return np.arange(total, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(total, n, replace=False)).astype(np.int64)


class SomeMolecules(NamedTuple):
    """Rows in which a molecule has all of its rows or none, and their different texts."""

    rows: Rows
    """Ascending."""
    firsts: Rows
    """A row of each different text."""
    places: Rows
    """For each of `rows`, which of `firsts` has its text."""


def rows_of_some_molecules(texts: Text, n: int, seed: int) -> SomeMolecules:
    """Return all rows if they have `n` different texts or fewer, else those of some molecules with about `n` texts.

    In a random sample of a large file hardly any molecule would meet its duplicate. Here rows are chosen by the letters
    of their text, which every SMILES of a molecule has in common.

    >>> rows_of_some_molecules(Text.of(["CCO", "CC", "CCO"]), 10, 0).firsts
    array([1, 0])
    """
    _, firsts, inverse = np.unique(text_keys(texts), return_index=True, return_inverse=True)
    rows = np.arange(len(texts), dtype=np.int64)
    if n < len(firsts):
        order = splitmix64(letter_keys(texts.take(firsts)) ^ splitmix64(np.array([seed + 1], np.uint64)))
        least = np.partition(order, n - 1)[n - 1]  # of n texts, or more that have the same letters as the last one
        chosen = order <= least if np.count_nonzero(order <= least) <= 2 * n else order < least
        rows = np.flatnonzero(chosen[inverse])
        firsts, inverse = firsts[chosen], (np.cumsum(chosen) - 1)[inverse[rows]]
    return SomeMolecules(rows, firsts.astype(np.int64), inverse.astype(np.int64))


def letter_keys(texts: Text) -> Keys:
    """Return a number for each text, shape (n,), that depends only on how often each letter occurs.

    >>> keys = letter_keys(Text.of(["OCC", "C(C)O", "CCN", "c1ccccc1", "C1=CC=CC=C1"]))
    >>> bool(keys[0] == keys[1] != keys[2]), bool(keys[3] == keys[4])
    (True, True)
    """
    return _keys(texts, lambda values, places: _LETTERS[values])


def text_keys(texts: Text) -> Keys:
    """Return a number for each text, shape (n,), equal for equal texts and, as good as always, for no others.

    >>> keys = text_keys(Text.of(["CCO", "OCC", "CCO", ""]))
    >>> bool(keys[0] == keys[2]), len(set(keys.tolist()))
    (True, 3)
    """
    return _keys(texts, lambda values, places: splitmix64((places << np.uint64(8) | values) + np.uint64(1)))


def _keys(texts: Text, numbers: Callable[[Bytes, Keys], Keys]) -> Keys:
    """Return the sums, modulo 2^64, of a number for each byte and its place in the row."""
    keys = np.zeros(len(texts), np.uint64)
    for start, stop in _blocks(texts):
        block = texts[start:stop]
        offsets = block.offsets - block.offsets[0]
        places = np.arange(len(block.flat), dtype=np.uint64) - np.repeat(offsets[:-1], block.lengths).astype(np.uint64)
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(numbers(block.flat, places), dtype=np.uint64)])
        keys[start:stop] = sums[offsets[1:]] - sums[offsets[:-1]]
    return keys


def _blocks(texts: Text) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows that have a few megabytes, or one row."""
    ends = texts.offsets[1:] - texts.offsets[0]
    cuts = np.searchsorted(ends, np.arange(_BLOCK, int(ends[-1]) if len(ends) else 0, _BLOCK), side="right")
    yield from pairwise(np.unique([0, *cuts.tolist(), len(texts)]).tolist())
