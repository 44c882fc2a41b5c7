"""Which rows of a large file are looked at: random ones, or all spellings of some molecules; the same each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mrl.kernels import splitmix64
from mrl.ragged import Text

Rows = NDArray[np.int64]
Keys = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

_BLOCK = 1 << 16  # bytes of text at a time: the arrays of a block, 8 bytes for each, stay in the cache

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


class TextKeys:
    """The keys of all texts, or past `most` of them all keys of a part of the texts: 8 bytes each.

    >>> kept = TextKeys(most=500)
    >>> kept.add(text_keys(Text.of(["C" * (i % 700) for i in range(1400)])))
    >>> kept.bits, 250 < len(kept.sorted()) < 450, len(kept.sorted()) == 2 * len(np.unique(kept.sorted()))
    (2, True, True)
    """

    def __init__(self, most: int = 1 << 25) -> None:
        self.most = most
        self.bits = 0
        self._parts: list[Keys] = []
        self._n = 0

    def add(self, keys: Keys) -> None:
        """Keep the keys of more texts."""
        self._parts.append(self._chosen(keys))
        self._n += len(self._parts[-1])
        while self._n > self.most and self.bits < 48:  # which texts stay does not depend on the blocks
            self.bits += 1
            self._parts = [self._chosen(part) for part in self._parts]
            self._n = sum(map(len, self._parts))

    def _chosen(self, keys: Keys) -> Keys:
        return keys if not self.bits else keys[keys & np.uint64((1 << self.bits) - 1) == 0]

    def sorted(self) -> Keys:
        """Return the keys in ascending order."""
        keys = np.empty(self._n, np.uint64)
        at = 0
        while self._parts:  # each is freed before the next is copied, so that they are never in memory twice
            part = self._parts.pop()
            keys[at : at + len(part)] = part
            at += len(part)
        keys.sort()
        self._parts = [keys]
        return keys


class SomeTexts:
    """The keys of all texts if they are `n` or fewer, else those of some molecules with about `n` different texts.

    In a random sample of a large file hardly any molecule would meet its duplicate. Here texts are chosen by their
    letters, which every SMILES of a molecule has in common.

    >>> some = SomeTexts(10, seed=0)
    >>> texts = Text.of(["CCO", "CC", "CCO"])
    >>> some.add(texts, text_keys(texts))
    >>> len(some.keys())
    2
    """

    def __init__(self, n: int, seed: int) -> None:
        self._n = n
        self._salt = splitmix64(np.array([(seed + 1) % 2**64], np.uint64))
        self._limit = np.uint64(2**64 - 1)
        self._keys, self._orders = np.zeros(0, np.uint64), np.zeros(0, np.uint64)
        self._waiting: list[tuple[Keys, Keys]] = []

    def add(self, texts: Text, keys: Keys) -> None:
        """Look at more texts, whose keys are given."""
        keys, firsts = np.unique(keys, return_index=True)
        orders = splitmix64(letter_keys(texts.take(firsts)) ^ self._salt)
        near = orders <= self._limit
        self._waiting.append((keys[near], orders[near]))
        if sum(len(part) for part, _ in self._waiting) > max(4 * self._n, len(self._keys)):
            self._choose()

    def keys(self, n: int | None = None) -> Keys:
        """Return the keys, ascending; those of about `n` texts, which are fewer."""
        self._n = min(n or self._n, self._n)
        self._choose()
        return self._keys

    def _choose(self) -> None:
        parts = [(self._keys, self._orders), *self._waiting]
        self._keys, firsts = np.unique(np.concatenate([keys for keys, _ in parts]), return_index=True)
        self._orders = np.concatenate([orders for _, orders in parts])[firsts]
        self._waiting = []
        if self._n < len(self._keys):
            least = np.partition(self._orders, self._n - 1)[self._n - 1]
            # Of n texts, or more that have the same letters as the last one.
            chosen = self._orders <= least
            if np.count_nonzero(chosen) > 2 * self._n:
                chosen = self._orders < least
                least -= np.uint64(1)
            self._limit = least
            self._keys, self._orders = self._keys[chosen], self._orders[chosen]


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
    """Yield ranges of rows that have few bytes, or one row."""
    ends = texts.offsets[1:] - texts.offsets[0]
    cuts = np.searchsorted(ends, np.arange(_BLOCK, int(ends[-1]) if len(ends) else 0, _BLOCK), side="right")
    yield from pairwise(np.unique([0, *cuts.tolist(), len(texts)]).tolist())
