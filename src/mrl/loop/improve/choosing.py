"""Which of the proposed molecules to score: at random, or by a surrogate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mrl.loop.improve.history import History
from mrl.loop.improve.surrogate import Features, Surrogate, features_of, joined

_BEST, _LATEST, _RANDOM = 350, 200, 150  # calls that the surrogate is fitted to
_LEAST = 50  # calls with a score before there is a surrogate
_REFIT = 5  # rounds between comparisons of the kernel's weights


class Chooser:
    """Chooses by a surrogate that is fitted to the history.

    Molecules are taken one by one, each the one with the highest mean + b x standard deviation, b being drawn from an
    exponential distribution of the mean `courage`: most picks exploit, some explore.
    """

    def __init__(self) -> None:
        self.weights: NDArray[np.float64] | None = None
        self._parts: list[Features] = []
        self._known = 0

    def choose(
        self,
        proposals: list[str],
        count: int,
        history: History,
        number: int,
        courage: float,
        rng: np.random.Generator,
        known: NDArray[np.bool_],
    ) -> list[int]:
        """Return the positions of the chosen proposals, at most `count`; `known` are the calls to fit to."""
        if len(proposals) <= count:
            return list(range(len(proposals)))
        scores = np.where(known, history.scores, np.nan)
        if np.isfinite(scores).sum() < _LEAST:
            return sorted(rng.choice(len(proposals), count, replace=False).tolist())
        self._catch_up(history)
        rows = _training_rows(scores, rng)
        weights = None if number % _REFIT == 0 else self.weights
        surrogate = Surrogate(self._parts[0].take(rows), scores[rows], weights)
        self.weights = surrogate.weights
        mean, deviation = surrogate.predict(features_of(proposals))
        left = np.ones(len(proposals), bool)
        chosen = []
        for weight in rng.exponential(courage, count):
            pick = int(np.argmax(np.where(left, mean + weight * deviation, -np.inf)))
            left[pick] = False
            chosen.append(pick)
        return chosen

    def _catch_up(self, history: History) -> None:
        """Compute the features of the calls since the last time."""
        if len(history) > self._known:
            self._parts.append(features_of([call.smiles for call in history[self._known :]]))
            self._parts = [joined(self._parts)]
            self._known = len(history)


def _training_rows(scores: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the calls to fit to: the best, the latest, and some of all, in their order."""
    rows = np.flatnonzero(~np.isnan(scores))
    best = rows[np.argsort(-scores[rows], kind="stable")[:_BEST]]
    some = rng.choice(rows, min(_RANDOM, len(rows)), replace=False)
    return np.unique(np.concatenate([best, rows[-_LATEST:], some]))
