"""The settings of `improve`."""

from __future__ import annotations

from dataclasses import dataclass

from mrl.arguments import require_integer, require_positive


@dataclass(frozen=True)
class ImproveOptions:
    """How molecules are proposed, chosen and learned from, checked when it is made.

    The defaults were chosen on four of the tasks of `TASKS`; docs/improve.md has the measurements.

    Parameters
    ----------
    batch : int
        Molecules to score per round.
    samples : int
        Texts that are drawn from the model per round; 0 leaves the model out.
    offspring : int
        Children of scored molecules per round; 0 leaves the genetic step out.
    eager : int
        In the first `eager` calls of each start offspring are made four times as many: choosing well pays most there.
    mutation : float
        Share of the offspring that are mutated; of the others, all are children of two parents.
    greed : float
        Parents and replayed molecules are drawn with a weight of 1 / (`greed` * n + rank): small is greedy.
    surrogate : bool
        Choose the batch among all proposals by a Gaussian process that is fitted to the scores so far; otherwise at
        random.
    replay : int
        Steps of learning per round, each on 64 molecules from the best ones, in random spellings; 0 leaves the model
        as it was given.
    lr, sigma : float
        Learning rate, and weight of the score against the prior's log-likelihood.
    scaffold_limit : int, optional
        Once so many molecules with a score of `scaffold_score` or more share a scaffold, it is used up: its molecules
        are purged from replay and parents, and no more are proposed. None: no limit.
    scaffold_score : float
        See `scaffold_limit`.
    fresh_start : int
        After so many rounds in which the mean of the ten best rose by less than 1 %, start again from half of the first
        molecules, as if no others were known; when that has converged as well, go on from all; and so on. 0: never.
    max_atoms : int
        The most heavy atoms of offspring.
    patience : int
        Stop after so many rounds in which the ten best scores stay as they are.
    stop_at : float, optional
        Stop when the mean of the ten best scores is this or more.

    Raises
    ------
    ValueError
        A number out of range, or nothing that proposes molecules.

    Examples
    --------
    >>> ImproveOptions(batch=10, samples=0).offspring
    80
    """

    batch: int = 20
    samples: int = 30
    offspring: int = 80
    eager: int = 1000
    mutation: float = 0.5
    greed: float = 0.01
    surrogate: bool = True
    replay: int = 1
    lr: float = 5e-4
    sigma: float = 500.0
    scaffold_limit: int | None = None
    scaffold_score: float = 0.5
    fresh_start: int = 25
    max_atoms: int = 60
    patience: int = 80
    stop_at: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("batch", 1), ("max_atoms", 5), ("patience", 1)):
            require_integer(name, getattr(self, name), least)
        for name in ("samples", "offspring", "eager", "replay", "fresh_start"):
            require_integer(name, getattr(self, name), 0)
        if self.scaffold_limit is not None:
            require_integer("scaffold_limit", self.scaffold_limit, 1)
        for name in ("greed", "lr", "sigma"):
            require_positive(name, getattr(self, name))
        if not 0 <= self.mutation <= 1:
            raise ValueError(f"mutation is {self.mutation}; expected a share between 0 and 1")
        if not self.samples and not self.offspring:
            raise ValueError("samples=0 and offspring=0: nothing proposes molecules; set one of them")
