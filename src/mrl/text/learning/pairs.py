"""Byte-pair encoding over pieces: which neighbours to join, the most frequent first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]


class PairMerger:
    """Sequences of numbered pieces in which the most frequent neighbours are joined, again and again.

    Parameters
    ----------
    symbols : ndarray of int, shape (total,)
        The pieces of all sequences, one after the other; a negative number is a border that nothing crosses.
    weights : ndarray of int64, shape (total,)
        How often the sequence of each piece occurs.
    texts : list of str
        The text of each symbol from 0 on, for ties; it grows.

    Examples
    --------
    >>> merger = PairMerger(np.array([0, 0, 1, -1, 0, 1]), np.array([2, 2, 2, 1, 1, 1]), ["C", "O"])
    >>> list(merger.merges(min_count=2))
    ['CO', 'CCO']
    """

    def __init__(self, symbols: NDArray[Any], weights: Ints, texts: list[str]) -> None:
        self._symbols = symbols.astype(np.int64)
        self._weights, self._texts = weights, texts
        n = len(symbols)
        self._next = np.arange(1, n + 1)
        self._previous = np.arange(-1, n - 1)
        self._counts: dict[tuple[int, int], int] = {}
        self._places: dict[tuple[int, int], list[Ints]] = {}
        self._queue: list[tuple[int, str, int, int, int]] = []
        self._change(np.arange(n - 1), 1)

    def merges(self, *, min_count: int, wanted: Callable[[str], bool] = lambda text: True) -> Iterator[str]:
        """Yield the texts of the pairs that are joined, until none is left that occurs `min_count` times.

        A pair whose text is not `wanted` stays apart.
        """
        while self._queue:
            most, text, left, right, adjacent = heappop(self._queue)
            pair = left, right
            if self._counts.get(pair) != adjacent:
                continue  # an entry of an earlier count
            places = self._find(pair)
            count = int(self._weights[places].sum())
            if count != -most:  # in CCC, the pair CC can be joined once
                heappush(self._queue, (-count, text, left, right, adjacent))
                self._places[pair] = [places] if left != right else [np.concatenate(self._places[pair])]
                continue
            if count < min_count:
                return
            del self._counts[pair], self._places[pair]
            if wanted(text):
                self._join(places, text)
                yield text

    def _push(self, pair: tuple[int, int]) -> None:
        left, right = pair
        adjacent = self._counts[pair]
        heappush(self._queue, (-adjacent, self._texts[left] + self._texts[right], left, right, adjacent))

    def _find(self, pair: tuple[int, int]) -> Ints:
        """Return where a pair occurs now, in order; of those that overlap, every other one."""
        places: Ints = np.unique(np.concatenate(self._places[pair]))
        after = self._next[places]
        inside = after < len(self._symbols)
        places, after = places[inside], after[inside]
        same = (self._symbols[places] == pair[0]) & (self._symbols[after] == pair[1])
        places, after = places[same], after[same]
        if pair[0] == pair[1] and len(places):
            begins = np.concatenate([[True], places[1:] != after[:-1]])
            number = np.arange(len(places))
            odd = (number - np.maximum.accumulate(np.where(begins, number, 0))) % 2 == 1
            places = places[~odd]
        return places

    def _join(self, places: Ints, text: str) -> None:
        symbol = len(self._texts)
        self._texts.append(text)
        right = self._next[places]
        around = np.unique(np.concatenate([self._previous[places], places, right]))
        around = around[around >= 0]
        self._change(around, -1)
        self._symbols[places] = symbol
        self._symbols[right] = _GONE
        after = self._next[right]
        self._next[places] = after
        inside = after < len(self._symbols)
        self._previous[after[inside]] = places[inside]
        around = np.unique(np.concatenate([self._previous[places], places]))
        around = around[(around >= 0) & (self._symbols[around] != _GONE)]
        self._change(around, 1)

    def _change(self, places: Ints, sign: int) -> None:
        """Add (1) or take away (-1) the pairs that begin at some places."""
        after = self._next[places]
        inside = after < len(self._symbols)
        places, after = places[inside], after[inside]
        left, right = self._symbols[places], self._symbols[after]
        valid = (left >= 0) & (right >= 0)
        places, codes = places[valid], (left[valid] << 32) | right[valid]
        if not len(places):
            return
        order = np.argsort(codes, kind="stable")
        places, codes = places[order], codes[order]
        starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
        totals = np.add.reduceat(self._weights[places], starts).tolist()
        parts = np.split(places, starts[1:])
        for code, total, part in zip(codes[starts].tolist(), totals, parts, strict=True):
            pair = code >> 32, code & 0xFFFFFFFF
            if sign < 0 and pair not in self._counts:
                continue  # it is being joined
            self._counts[pair] = self._counts.get(pair, 0) + sign * total
            if sign > 0:
                self._places.setdefault(pair, []).append(part)
            if self._counts[pair] > 0:
                self._push(pair)


_GONE = -2  # a place whose piece belongs to the symbol before it
