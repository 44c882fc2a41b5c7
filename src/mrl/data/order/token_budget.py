"""`TokenBudget`: batches of as many rows as fit into a number of tokens."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mrl.data.columns import Rows64
from mrl.data.order.base import BaseOrder, ensure_int
from mrl.data.order.bucketed import lengths_digest
from mrl.data.order.randomness import shuffled_positions


class TokenBudget(BaseOrder):
    """Every row once, with rows of similar length in the same batch, as many as fit into `max_tokens` when padded.

    The lengths determine how many rows each batch has. Which rows of the same length share a batch, and the order of
    the batches, change with the epoch. A batch counts as its number of rows times the length of its longest row, which
    is the size of the ``x`` that `lm_collate` returns.

    Parameters
    ----------
    lengths : array of int, shape (n,)
        Number of tokens of each row.
    max_tokens : int
        Tokens per (global) batch, padding included, at most.
    seed : int
        Seed of the shuffle: the same seed gives the same order on any machine.

    Raises
    ------
    ValueError
        If `max_tokens` is less than 1, or a row alone is longer.

    Examples
    --------
    >>> order = TokenBudget([4, 1, 4, 2], max_tokens=8)
    >>> sorted(sorted(order.batch(0, k).tolist()) for k in range(len(order)))
    [[0, 2], [1, 3]]
    """

    def __init__(self, lengths: ArrayLike, max_tokens: int, seed: int = 0) -> None:
        self.lengths = np.array(lengths, np.int64)
        self.n = len(self.lengths)
        self.max_tokens = ensure_int(max_tokens, "max_tokens", 1)
        self.seed = ensure_int(seed, "seed")
        require_budget(self.lengths, self.max_tokens)
        self._by_length = np.argsort(self.lengths, kind="stable")
        ordered = self.lengths[self._by_length]
        # Where each length begins among the sorted rows, and where each batch does; both end with n.
        self._length_starts = np.concatenate([[0], np.flatnonzero(np.diff(ordered)) + 1, [self.n]]).astype(np.int64)
        starts = [0]
        while (start := starts[-1]) < self.n:
            candidates = ordered[start : start + self.max_tokens // max(int(ordered[start]), 1)]
            padded = np.arange(1, len(candidates) + 1) * candidates
            starts.append(start + int(np.searchsorted(padded, self.max_tokens, side="right")))
        self._batch_starts = np.array(starts, np.int64)

    def __len__(self) -> int:
        return len(self._batch_starts) - 1

    def config(self) -> dict[str, Any]:
        lengths = lengths_digest(self.lengths)
        return super().config() | {"max_tokens": self.max_tokens, "seed": self.seed, "lengths": lengths}

    def batch(self, epoch: int, k: int) -> Rows64:
        self._require_batch(k)
        place = int(shuffled_positions([k], len(self), f"batches {self.seed} {epoch}")[0])
        start, stop = self._batch_starts[place : place + 2].tolist()
        first = int(np.searchsorted(self._length_starts, start, side="right")) - 1
        last = int(np.searchsorted(self._length_starts, stop))
        rows = []
        for low, high in pairwise(self._length_starts[first : last + 1].tolist()):  # rows of one length
            positions = np.arange(max(low, start), min(high, stop)) - low
            shuffled = shuffled_positions(positions, high - low, f"rows {self.seed} {epoch} {low}")
            rows.append(self._by_length[low + shuffled])
        return np.concatenate(rows)


def require_budget(lengths: Rows64, max_tokens: int) -> None:
    """Raise a ValueError if some row alone has more than `max_tokens` tokens."""
    if len(lengths) and (longest := int(lengths.max())) > max_tokens:
        raise ValueError(
            f"max_tokens is {max_tokens}, but row {int(lengths.argmax())} alone has {longest} tokens; raise max_tokens "
            f"to {longest} or more, or leave out long rows: ds.view(ds.lengths() <= {max_tokens})"
        )
