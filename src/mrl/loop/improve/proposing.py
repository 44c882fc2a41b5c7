"""Where new molecules come from: children of scored ones, and the scaffolds that are used up."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from mrl.chem import crossover, murcko_scaffold, mutate
from mrl.loop.improve.history import History

_MEMORY = 1000  # the best molecules, of which parents and replayed molecules are drawn


class Scaffolds:
    """How many good molecules each scaffold has given, and which scaffolds are used up.

    Parameters
    ----------
    limit : int or None
        Molecules per scaffold; None counts nothing.
    least : float
        The score from which a molecule counts.
    """

    def __init__(self, limit: int | None, least: float) -> None:
        self.limit, self.least = limit, least
        self.counts: Counter[str] = Counter()
        self._of: dict[str, str] = {}

    def add(self, smiles: str, score: float) -> None:
        """Count a molecule that was scored."""
        if self.limit is not None and score >= self.least:
            self.counts[self.of(smiles)] += 1

    def used_up(self, smiles: str) -> bool:
        """Return whether the scaffold of a molecule has reached the limit."""
        return self.limit is not None and self.counts[self.of(smiles)] >= self.limit

    def of(self, smiles: str) -> str:
        """Return the scaffold of a molecule."""
        if smiles not in self._of:
            self._of[smiles] = murcko_scaffold(smiles)
        return self._of[smiles]


def memory(history: History, scaffolds: Scaffolds, known: NDArray[np.bool_] | None = None) -> list[int]:
    """Return the numbers of the best calls of some, those of used-up scaffolds left out, the best first."""
    ranking = history.ranking()
    rows: list[int] = (ranking if known is None else ranking[known[ranking]]).tolist()
    if scaffolds.limit is not None:
        rows = [row for row in rows if not scaffolds.used_up(history[row].smiles)]
    return rows[:_MEMORY]


def by_rank(count: int, size: int, greed: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return `count` ranks below `size`, drawn with weights 1 / (greed x size + rank)."""
    weights = 1 / (greed * size + np.arange(size) + 1e-12)
    return rng.choice(size, count, p=weights / weights.sum())


def children(
    parents: list[str], count: int, mutation: float, greed: float, max_atoms: int, rng: np.random.Generator
) -> list[str]:
    """Return at most `count` new molecules: children of two parents, mutants, or both."""
    if not parents:
        return []
    ranks = by_rank(2 * count, len(parents), greed, rng)
    found = []
    for first, second in zip(ranks[::2], ranks[1::2], strict=True):
        child: str | None = parents[first]
        crossed = first != second and rng.random() < 0.7
        if crossed:
            child = crossover(parents[first], parents[second], rng, max_atoms=max_atoms)
        if child is not None and (not crossed or rng.random() < mutation):
            child = mutate(child, rng, max_atoms=max_atoms)
        if child is not None:
            found.append(child)
    return found
