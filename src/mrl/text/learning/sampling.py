"""`TextSample`: the distinct texts of a corpus with their counts, or an even sample of them, in parts that add up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any, Self

from mrl.arguments import require_integer
from mrl.ragged import as_text
from mrl.text.learning.counting import map_blocks


class TextSample:
    """Distinct texts with their counts, to learn tokens of several pieces from.

    Of more than `limit` distinct texts, those with the smallest hashes are kept: an even sample, the same for any order
    of the texts. Samples of parts add up to the sample of the whole, so that a corpus can be read in shards, anywhere.

    Parameters
    ----------
    texts : column or iterator of str
        Any number of texts.
    limit : int
        The number of distinct texts that are kept.

    Attributes
    ----------
    counts : dict of str to int
        How often each of the texts occurs.
    complete : bool
        Whether every distinct text was kept.

    Raises
    ------
    RowError
        A row is not a string.

    Examples
    --------
    >>> sample = TextSample(["CO", "CN"]) + TextSample(iter(["CO"]))
    >>> sorted(sample.counts.items()), sample.complete
    ([('CN', 1), ('CO', 2)], True)
    >>> sample.add(["CS"])
    >>> sample.count("CS", 2)
    True
    >>> sample.counts["CS"]
    3
    """

    def __init__(self, texts: Any = (), *, limit: int = 1_000_000) -> None:
        self.limit = require_integer("limit", limit, 1)
        self.counts: dict[str, int] = {}
        self.complete = True
        self._largest: list[tuple[int, str]] = []  # a heap of negative hashes
        self._bound = 1  # a negative hash below this one was left out
        self.add(texts)

    def add(self, texts: Any) -> None:
        """Count texts.

        Parameters
        ----------
        texts : column or iterator of str
            Any number of texts.
        """
        for block in map_blocks(as_text, texts if isinstance(texts, Iterator) else as_text(texts)):
            for text in block:
                self.count(text, 1)

    def __add__(self, other: Self) -> Self:
        made = type(self)(limit=min(self.limit, other.limit))
        made.complete = self.complete and other.complete
        for sample in (self, other):
            if sample._bound < 1:
                made._bound = sample._bound if made._bound == 1 else max(made._bound, sample._bound)
        for sample in (self, other):
            for text, count in sample.counts.items():
                made.count(text, count)
        return made

    def sorted_by_hash(self) -> list[tuple[str, int]]:
        """Return the texts with their counts, those that are kept longest first.

        Once `count` leaves one out, it would leave out all that follow: the samples of many parts are added up in
        bounded time.

        Examples
        --------
        >>> TextSample(["CO", "CN", "CO"]).sorted_by_hash()
        [('CN', 1), ('CO', 2)]
        """
        return [(text, self.counts[text]) for _, text in sorted(self._largest, reverse=True)]

    def count(self, text: str, count: int) -> bool:
        """Count a `text` so many times.

        Parameters
        ----------
        text : str
            The text.
        count : int
            How often it occurs.

        Returns
        -------
        bool
            Whether it is kept.
        """
        if text in self.counts:
            self.counts[text] += count
            return True
        key = -int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        if self._bound < 1 and key <= self._bound:
            self.complete = False
            return False
        self.counts[text] = count
        heappush(self._largest, (key, text))
        if len(self.counts) > self.limit:
            self._bound, dropped = heappop(self._largest)
            del self.counts[dropped]
            self.complete = False
        return text in self.counts
