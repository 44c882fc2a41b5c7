"""Which of the scored molecules a search goes on from: all of them, or those of a fresh start.

A search that no longer gets better has converged, and its molecules are alike. Then it starts again from a part of its
first molecules, as if it knew no others (an island), and when that has converged as well, goes on from everything, so
that the best of all starts are crossed; and so on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrl.loop.improve.history import History

_GAIN = 0.01  # of the mean of the ten best, by which a search must get better
_TOP = 10
_LEAST = 20  # molecules with which an island starts, if there are so many


class Islands:
    """The phases of a search: on an island when their number is odd, on everything when it is even.

    They follow from the history and the seed alone, so a search that is resumed has the same.

    Parameters
    ----------
    seed : int
        Selects the first molecules with which an island starts.
    patience : int
        Rounds without a gain after which a phase has converged; 0: there is one phase.
    """

    def __init__(self, seed: int, patience: int) -> None:
        self.seed, self.patience = seed, patience
        self.starts = [0]  # the first round of each phase

    def mask(self, history: History) -> NDArray[np.bool_]:
        """Return which calls the present phase knows."""
        phase = len(self.starts) - 1
        if phase % 2 == 0:
            return np.ones(len(history), bool)
        known = history.rounds >= self.starts[-1]
        first = next((row for row, call in enumerate(history) if call.source == "offspring"), len(history))
        some = np.random.default_rng([self.seed, phase]).permutation(first)
        known[some[: max(first // 2, _LEAST)]] = True
        return known

    def update(self, history: History, number: int) -> None:
        """Begin the next phase with round `number`, if the present one has converged before it."""
        if not self.patience or number - self.starts[-1] <= self.patience:
            return
        known = self.mask(history) & (history.rounds < number)
        now = _top(history.scores[known])
        before = _top(history.scores[known & (history.rounds < number - self.patience)])
        if now - before < _GAIN * abs(now):
            self.starts.append(number)

    def stale_rounds(self, history: History, number: int) -> int:
        """Return for how many rounds before round `number` the mean of the ten best of the phase has not risen."""
        known = np.flatnonzero(self.mask(history))
        best = known[np.argsort(-history.scores[known], kind="stable")[:_TOP]]  # NaN last
        last = max(int(history.rounds[best].max(initial=0)), self.starts[-1])
        return max(number - 1 - last, 0)


def _top(scores: NDArray[np.float64]) -> float:
    scores = np.sort(scores[~np.isnan(scores)])[-_TOP:]
    return float(scores.mean()) if len(scores) else 0.0
