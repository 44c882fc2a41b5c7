"""`Mixed`: the rows of several sources in given proportions, exact at every batch, and nothing stored.

How many of the first t rows of a run come from each source is a function of t and the weights, in whole numbers. The
rows of a source are a stream that goes through it pass by pass, each row once in each; so any batch is computed from
its number alone.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import RowIndex, Rows64, index_digest, take_rows
from mrl.data.order.base import BaseOrder, config_digest, ensure_int
from mrl.data.order.batches import Sequential, Shuffled
from mrl.data.order.bucketed import WINDOW, batched_by_length, lengths_digest
from mrl.errors import DatasetError
from mrl.ragged import Column

Weights = tuple[int, ...]


@dataclass(frozen=True)
class Mixture:
    """How often each of several sources is drawn.

    Attributes
    ----------
    names : tuple of str
        The names of the k sources.
    starts : tuple of int
        Where the rows of each begin, of all rows one source after the other; then their number.
    weights : tuple of (int, tuple of k int, or None)
        From which batch on, counted from the first of a run, which weights; None for the numbers of rows.
    seed : int
        With that of a loader it names the order of the rows of each source.
    epoch_rows : int or None
        The rows of an epoch; None for as many as there are.
    """

    names: tuple[str, ...]
    starts: tuple[int, ...]
    weights: tuple[tuple[int, Weights | None], ...]
    seed: int
    epoch_rows: int | None

    def sources(self, kept: RowIndex) -> tuple[RowIndex, ...]:
        """Return the rows of each source in a view; `kept` are their numbers among all rows."""
        if isinstance(kept, range) and kept == range(self.starts[-1]):
            return tuple(range(a, b) for a, b in zip(self.starts, self.starts[1:], strict=False))
        source = np.searchsorted(self.starts[1:], np.asarray(kept), side="right")
        return tuple(np.flatnonzero(source == number) for number in range(len(self.names)))


class _Segment(NamedTuple):
    """A part of a run in which the weights are the same."""

    batch: int
    row: int  # how many were drawn in front of it
    drawn: tuple[int, ...]  # of these, from each source
    weights: Weights


class _Draw(NamedTuple):
    """Some rows, and the pass of its source that each belongs to; one number where it is the same for all."""

    rows: Rows64
    passes: int | Rows64


class Mixed(BaseOrder):
    """Rows of several sources in given proportions; made by ``mix(...).dataloader(...)``.

    Of the first t rows of a run, each source has its share of t, rounded: with k sources, no number is more than k / 2
    away from its exact share, at any batch. A source is gone through again and again, each of its rows once in each
    pass; a pass need not end with an epoch of the loader. Within a batch the sources are spread evenly, so that all
    ranks get their shares.

    Parameters
    ----------
    mixture : Mixture
        The sources and their weights.
    sources : tuple of k ranges, or ndarrays of int64
        The rows of each source, of n rows in all.
    batch_size : int
        Rows per (global) batch.
    seed : int
        With that of the mixture it names the order of the rows of each source.
    shuffle : bool
        Whether the rows of a source are in a new random order in each pass.
    drop_last : bool
        Whether to leave out a last batch of fewer rows; its rows are then the first of the next epoch.
    lengths : array of int, or column of them, shape (n,), optional
        If given, rows of similar length share a batch, as in `Bucketed`; the shares are then exact after each window
        of 100 batches.

    Raises
    ------
    DatasetError
        A source that has a weight has no rows.
    ValueError
        If `batch_size` is less than 1.

    Examples
    --------
    >>> from mrl.data import TextDataset, mix
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab("CO")
    >>> ds = mix({"a": TextDataset(["C"] * 6, vocab), "b": TextDataset(["O"] * 2, vocab)}, {"a": 1, "b": 1})
    >>> order = ds.dataloader(4).order
    >>> [order.batch(epoch=0, k=k).tolist() for k in range(len(order))]
    [[0, 6, 1, 7], [2, 6, 3, 7]]
    >>> order.drawn(epoch=1, k=0)
    {'a': 4, 'b': 4}
    """

    def __init__(
        self,
        mixture: Mixture,
        sources: tuple[RowIndex, ...],
        batch_size: int,
        seed: int = 0,
        *,
        shuffle: bool = True,
        drop_last: bool = False,
        lengths: Column | Rows64 | None = None,
    ) -> None:
        self.batch_size = ensure_int(batch_size, "batch_size", 1)
        self.seed = ensure_int(seed, "seed")
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.lengths = lengths
        self.mixture = mixture
        self._sources = sources
        sizes = tuple(map(len, sources))
        self.n = sum(sizes)
        rows = self.n if mixture.epoch_rows is None else mixture.epoch_rows
        self._epoch_rows = rows // self.batch_size * self.batch_size if drop_last else rows
        self._segments = self._make_segments(sizes)
        seeds = [_seed_of(f"{mixture.seed} {self.seed} {name}") for name in mixture.names]
        self._streams = [
            Shuffled(size, 1, own) if shuffle else Sequential(size, 1) for size, own in zip(sizes, seeds, strict=True)
        ]
        self._last: tuple[int, range, _Draw] | None = None  # epoch, and batches of a window

    def __len__(self) -> int:
        return (self._epoch_rows + self.batch_size - 1) // self.batch_size

    def config(self) -> dict[str, Any]:
        return self._config(len(self._segments))

    def fingerprint_at(self, epoch: int, batches: int) -> str:
        """Return the digest of everything that the batches in front of a place depend on.

        Weights that begin later do not count, so that a run that was interrupted may go on with others.

        Parameters
        ----------
        epoch, batches : int
            The epoch, and the number of its batches that are in front of the place.

        Returns
        -------
        str

        Examples
        --------
        >>> from mrl.data import TextDataset, mix
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C"] * 9, CharacterVocab("C"))
        >>> one = mix({"a": ds}, {"a": 1}).dataloader(1).order
        >>> two = mix({"a": ds}, {0: {"a": 1}, 5: {"a": 2}}).dataloader(1).order
        >>> one.fingerprint_at(0, 5) == two.fingerprint_at(0, 5), one.fingerprint_at(0, 6) == two.fingerprint_at(0, 6)
        (True, False)
        """
        number = epoch * len(self) + batches
        done = max(sum(segment.batch < number for segment in self._segments), 1)
        return config_digest(self._config(done))

    def _config(self, segments: int) -> dict[str, Any]:
        return super().config() | {
            "batch_size": self.batch_size,
            "seed": f"{self.mixture.seed} {self.seed}",
            "shuffle": self.shuffle,
            "epoch_rows": self._epoch_rows,
            "sources": dict(zip(self.mixture.names, map(index_digest, self._sources), strict=True)),
            "weights": [[one.batch, *map(str, one.weights)] for one in self._segments[:segments]],
            "lengths": None if self.lengths is None else lengths_digest(self.lengths),
        }

    def batch(self, epoch: int, k: int) -> Rows64:
        return self._draw(epoch, k).rows

    def row_epochs(self, epoch: int, k: int) -> int | Rows64:
        """Return the pass of its source that each row of a batch belongs to.

        Parameters
        ----------
        epoch, k : int
            As in `batch`.

        Returns
        -------
        int, or ndarray of int64, shape (B,)
            One number where it is the same for all rows.

        Examples
        --------
        >>> from mrl.data import TextDataset, mix
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab("C")
        >>> ds = mix({"a": TextDataset(["C"] * 5, vocab), "b": TextDataset(["C"], vocab)}, {"a": 1, "b": 1})
        >>> ds.dataloader(6).order.row_epochs(0, 0)
        array([0, 0, 0, 1, 0, 2])
        """
        return self._draw(epoch, k).passes

    def drawn(self, epoch: int, k: int) -> dict[str, int]:
        """Return how many rows of each source were drawn in front of a batch, since the run began.

        Divided by the number of rows of the source, that is how often it was gone through.

        Parameters
        ----------
        epoch, k : int
            Numbers of the epoch, and of the batch in it, which may be that after the last one.

        Returns
        -------
        dict of str to int
        """
        return dict(zip(self.mixture.names, self._drawn(self._rows_before(epoch, k)), strict=True))

    def _make_segments(self, sizes: tuple[int, ...]) -> list[_Segment]:
        segments: list[_Segment] = []
        for batch, given in self.mixture.weights:
            weights = lowest_terms(sizes) if given is None else given
            for name, size, weight in zip(self.mixture.names, sizes, weights, strict=True):
                if weight and not size:
                    raise DatasetError(
                        f"source {name!r} has a weight, and no rows in this dataset; give it the weight 0, or split so "
                        "that each part gets some of its rows (mrl.split with stratify=)"
                    )
            row = self._rows_before(*divmod(batch, len(self))) if len(self) else 0
            drawn = _Counter(segments)(row) if segments else (0,) * len(sizes)
            segments.append(_Segment(batch, row, drawn, weights))
        return segments

    @cached_property
    def _drawn(self) -> _Counter:
        return _Counter(self._segments)

    def _rows_before(self, epoch: int, k: int) -> int:
        """Return how many rows were drawn in front of a batch."""
        return epoch * self._epoch_rows + min(k * self.batch_size, self._epoch_rows)

    def _draw(self, epoch: int, k: int) -> _Draw:
        last = self._last  # read once: another thread may be elsewhere
        if last is None or last[0] != epoch or k not in last[1]:
            self._require_batch(k)
            first, stop = self._window(epoch, k)
            draw = self._rows_of(epoch, first, stop)
            if self.lengths is not None and self._is_full(stop - 1):
                key = f"batches {self.mixture.seed} {self.seed} {epoch} {first}"
                draw = _arranged(draw, batched_by_length(self.lengths.take(draw.rows), stop - first, key))
            self._last = last = epoch, range(first, stop), draw
        _, batches, (rows, passes) = last
        begin = (k - batches.start) * self.batch_size
        own = slice(begin, begin + self.batch_size)
        return _Draw(rows[own], passes if isinstance(passes, int) else passes[own])

    def _is_full(self, k: int) -> bool:
        return (k + 1) * self.batch_size <= self._epoch_rows

    def _window(self, epoch: int, k: int) -> tuple[int, int]:
        """Return the first batch, and that after the last one, of those that are computed together.

        The short one at the end is apart; batches of rows of similar length have the same weights.
        """
        bounds = [0, self._epoch_rows // self.batch_size, len(self)]
        if self.lengths is not None:
            changes = (segment.batch - epoch * len(self) for segment in self._segments)
            bounds += [batch for batch in changes if 0 < batch < len(self)]
        bounds = sorted(set(bounds))
        place = bisect_right(bounds, k)
        first = k - (k - bounds[place - 1]) % WINDOW
        return first, min(first + WINDOW, bounds[place])

    def _rows_of(self, epoch: int, first: int, stop: int) -> _Draw:
        """Return the rows of some batches of an epoch."""
        start = self._rows_before(epoch, first)
        ends = np.minimum(np.arange(first, stop + 1) * self.batch_size, self._epoch_rows)
        since = self._drawn.since(start, ends - ends[0])
        pieces = [
            piece
            for number, (begin, count) in enumerate(zip(self._drawn(start), since[-1].tolist(), strict=True))
            for piece in self._stream(number, begin, begin + count)
        ]
        rows = np.concatenate([rows for rows, _ in pieces])
        passes: Any = pieces[0][1]
        if any(other != passes for _, other in pieces):
            passes = np.repeat([each for _, each in pieces], [len(rows) for rows, _ in pieces])
        since += np.cumsum([0, *since[-1][:-1]])  # where the rows of each source begin in `rows`
        return _arranged(_Draw(rows, passes), _places(since))

    def _stream(self, source: int, begin: int, end: int) -> list[tuple[Rows64, int]]:
        """Return the rows of a source from one position to another, in pieces of one pass each."""
        stream, pieces = self._streams[source], []
        while begin < end:
            number, place = divmod(begin, stream.n)
            stop = min(place + end - begin, stream.n)
            pieces.append((take_rows(self._sources[source], stream.rows(number, place, stop)), number))
            begin += stop - place
        return pieces


class _Counter:
    """How many of the first t rows of a run come from each source: each count grows by 0 or 1 with each row."""

    def __init__(self, segments: Sequence[_Segment]) -> None:
        self._segments = tuple(segments)
        self._starts = [segment.row for segment in segments]

    def __call__(self, t: int) -> tuple[int, ...]:
        segment = self._segments[max(bisect_right(self._starts, t) - 1, 0)]
        since = shares(t - segment.row, segment.weights)
        return tuple(before + more for before, more in zip(segment.drawn, since, strict=True))

    def since(self, start: int, more: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return, for ascending numbers of rows after the first `start`, how many of these come from each source."""
        first = self(start)
        counts = np.empty((len(more), len(first)), np.int64)
        begin = 0
        while begin < len(more):
            number = max(bisect_right(self._starts, start + int(more[begin])) - 1, 0)
            segment, last = self._segments[number], number + 1 == len(self._starts)
            stop = len(more) if last else int(np.searchsorted(more, self._starts[number + 1] - start))
            t, base = more[begin:stop], start - segment.row
            if 2 * (base + int(t[-1]) + 1) * sum(segment.weights) >= 1 << 63:
                t = t.astype(object)
            for source, own in enumerate(shares(base + t, segment.weights)):
                counts[begin:stop, source] = own + (segment.drawn[source] - first[source])
            begin = stop
        return counts


def shares(t: Any, weights: Sequence[int]) -> list[Any]:
    """Divide t rows by weights: the first source gets its share, rounded, and the others divide the rest likewise.

    None of the numbers decreases as t grows, which does not hold where each is rounded by itself. `t` may be an array.
    """
    counts, total = [], sum(weights)
    for weight in weights:
        count = (2 * t * weight + total) // (2 * total) if weight else 0 * t
        counts.append(count)
        t, total = t - count, total - weight
    return counts


def _places(bounds: NDArray[np.int64]) -> Rows64:
    """Return where the rows of batches of one size lie: those of each source in order, from bound to bound."""
    counts = np.diff(bounds, axis=0)
    places = np.empty((len(counts), counts[0].sum()), np.int64)
    kinds: dict[tuple[int, ...], list[int]] = {}
    for batch, own in enumerate(map(tuple, counts.tolist())):
        kinds.setdefault(own, []).append(batch)
    for own, batches in kinds.items():
        source, place = _spread(own)
        places[batches] = bounds[batches][:, source] + place
    return places.reshape(-1)


@lru_cache(maxsize=256)
def _spread(counts: tuple[int, ...]) -> tuple[Rows64, Rows64]:
    """Return the source of each row of a batch, and its number among those of the source: each spread evenly."""
    sources = np.repeat(np.arange(len(counts)), counts)
    numbers = np.concatenate([np.arange(count) for count in counts])
    order = np.argsort((2 * numbers + 1) / (2 * np.array(counts)[sources]), kind="stable")
    return sources[order], numbers[order]


def _arranged(draw: _Draw, order: Rows64) -> _Draw:
    rows, passes = draw
    arranged = np.take(rows, order)
    arranged.flags.writeable = False
    return _Draw(arranged, passes if isinstance(passes, int) else np.take(passes, order))


def lowest_terms(numbers: Sequence[int]) -> Weights:
    """Return whole numbers divided by their greatest common divisor."""
    divisor = math.gcd(*numbers) or 1
    return tuple(number // divisor for number in numbers)


def _seed_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
