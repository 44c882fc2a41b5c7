"""The molecules that were scored, in the order of the calls: cache, budget and figure of merit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrl.messages import format_count
from mrl.ragged import Tabular, arrow_table


class Call(NamedTuple):
    """One call of the score.

    Parameters
    ----------
    smiles : str
        Canonical SMILES.
    score : float
        NaN where the score failed.
    source : str
        What proposed the molecule: ``"start"``, ``"model"`` or ``"offspring"``.
    round : int
        When.
    reason : str
        Why there is no score; ``""`` where there is one.

    Examples
    --------
    >>> Call("CCO", 0.4, "model", 1).reason
    ''
    """

    smiles: str
    score: float
    source: str
    round: int
    reason: str = ""


class History(Sequence[Call], Tabular):
    """Every molecule that was scored, once each, in the order of the calls.

    Parameters
    ----------
    calls : iterable of Call

    Examples
    --------
    >>> history = History([Call("CCO", 0.4, "start", 0), Call("CCN", 0.7, "model", 1)])
    >>> history.best(1)[0].smiles, "CCO" in history.known, round(history.auc(10, top=1), 3)
    ('CCN', True, 0.63)
    """

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        self._calls: list[Call] = []
        self.known: dict[str, int] = {}
        for call in calls:
            self.add(call)

    def __len__(self) -> int:
        return len(self._calls)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._calls[index]

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)

    def add(self, call: Call) -> None:
        """Append a call.

        Parameters
        ----------
        call : Call

        Raises
        ------
        ValueError
            The molecule was scored before.

        Examples
        --------
        >>> history = History()
        >>> history.add(Call("CCO", 0.4, "start", 0))
        >>> len(history)
        1
        """
        if call.smiles in self.known:
            raise ValueError(f"{call.smiles} was scored before, at call {self.known[call.smiles] + 1}")
        self.known[call.smiles] = len(self._calls)
        self._calls.append(call)

    def to_arrow(self) -> Any:
        """Return the calls as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n calls: ``smiles``, ``score``, ``source``, ``round``, ``reason``.

        Examples
        --------
        >>> History([Call("CCO", 0.4, "start", 0)]).to_arrow()["score"].to_pylist()
        [0.4]
        """
        return arrow_table({name: [getattr(call, name) for call in self._calls] for name in Call._fields})

    def __repr__(self) -> str:
        failed = f", {self.failed:,} without a score" if self.failed else ""
        best = f", best {self.best(1)[0].score:.4g}" if self.failed < len(self) else ""
        return f"History({format_count(len(self), 'call')}{failed}{best})"

    @property
    def scores(self) -> NDArray[np.float64]:
        """The score of every call, NaN where it failed.

        Examples
        --------
        >>> History([Call("CCO", 0.4, "start", 0)]).scores
        array([0.4])
        """
        return np.array([call.score for call in self._calls], np.float64)

    @property
    def rounds(self) -> NDArray[np.int64]:
        """The round of every call.

        Examples
        --------
        >>> History([Call("CCO", 0.4, "start", 0)]).rounds
        array([0])
        """
        return np.array([call.round for call in self._calls], np.int64)

    @property
    def failed(self) -> int:
        """How many calls gave no score.

        Examples
        --------
        >>> History([Call("CCO", float("nan"), "start", 0, "time-out")]).failed
        1
        """
        return int(np.isnan(self.scores).sum())

    def ranking(self) -> NDArray[np.int64]:
        """Return the numbers of the calls that have a score, the highest score first, of equals the first.

        Examples
        --------
        >>> History([Call("CCO", 0.4, "start", 0), Call("CC", 0.6, "start", 0)]).ranking()
        array([1, 0])
        """
        scores = self.scores
        rows = np.flatnonzero(~np.isnan(scores))
        return rows[np.argsort(-scores[rows], kind="stable")]

    def best(self, count: int) -> list[Call]:
        """Return the `count` calls with the highest scores.

        Parameters
        ----------
        count : int

        Returns
        -------
        list of Call
            The highest score first.

        Examples
        --------
        >>> History([Call("CCO", 0.4, "start", 0)]).best(10)[0].score
        0.4
        """
        return [self._calls[row] for row in self.ranking()[:count]]

    def auc(self, budget: int, *, top: int = 10, every: int = 100) -> float:
        """Return the area under the curve of the mean of the best scores; see `auc_top`.

        Parameters
        ----------
        budget, top, every : int
            See `auc_top`.

        Returns
        -------
        float

        Examples
        --------
        >>> History([Call("CCO", 0.5, "start", 0)]).auc(1)
        0.25
        """
        return auc_top(self.scores, budget, top=top, every=every)


def auc_top(scores: ArrayLike, budget: int, *, top: int = 10, every: int = 100) -> float:
    """Return the area under the curve of the mean of the `top` best scores against calls, divided by the budget.

    As Practical Molecular Optimization defines it (arXiv:2206.12411): the curve is read every 100 calls and joined by
    straight lines from 0 at 0 calls; where a run stops early, its last value holds to the end of the budget.

    Parameters
    ----------
    scores : array of float, shape (n,)
        In the order of the calls; NaN counts as 0.
    budget : int
        Calls that were allowed; those after them are ignored.
    top, every : int
        How many of the best, and how often the curve is read.

    Returns
    -------
    float
        NaN if there are no scores.

    Examples
    --------
    >>> round(auc_top([0.5] * 200, 1000), 4)
    0.475
    """
    values = np.nan_to_num(np.asarray(scores, np.float64)[:budget])
    if not len(values):
        return math.nan
    best = np.zeros(0)
    area = previous = 0.0
    at = 0
    for end in [*range(every, len(values), every), len(values)]:
        best = np.sort(np.concatenate([best, values[at:end]]))[-top:]
        now = float(best.mean())
        area += (end - at) * (now + previous) / 2
        previous, at = now, end
    return (area + (budget - at) * previous) / budget


@dataclass(frozen=True)
class Round:
    """The course of a round, for tables and progress.

    Attributes
    ----------
    number : int
        From 0, the molecules to start from.
    calls : int
        Calls of the score so far.
    proposed, new, scored, failed : int
        Molecules that were proposed, of these not scored before, of these chosen and scored, and of these without a
        score.
    valid : float
        Share of the model's texts that were finished and valid; NaN if none were drawn.
    best, top : float
        The highest score so far, and the mean of the ten highest.
    from_model : int
        How many of the ten best the model proposed.
    loss : float
        Mean loss of the steps of learning; NaN if there were none.
    seconds : float
        Time since the run was started or resumed.

    Examples
    --------
    >>> print(Round(3, 200, 250, 240, 50, 0, 0.9, 0.81, 0.76, 4, 12.5, 9.0))
    round 3: 200 calls, top 10 0.760, best 0.810
    """

    number: int
    calls: int
    proposed: int
    new: int
    scored: int
    failed: int
    valid: float
    best: float
    top: float
    from_model: int
    loss: float
    seconds: float

    def __str__(self) -> str:
        return f"round {self.number}: {self.calls:,} calls, top 10 {self.top:.3f}, best {self.best:.3f}"
