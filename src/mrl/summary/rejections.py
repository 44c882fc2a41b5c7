"""Rejected rows by kind: how many, and some of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mrl.ragged import Rejects

_EXAMPLES = 3


@dataclass(frozen=True)
class RejectKind:
    """The rows that one step rejected for one kind of reason.

    Attributes
    ----------
    stage, kind : str
        The step, and what the reasons have in common: what they say in front of a colon.
    count : int
    examples : Rejects
        The first three with different texts.

    Examples
    --------
    >>> reject_kinds(Rejects([(1, "C(", "parse", "syntax: C("), (2, "C(=", "parse", "syntax: C(=")]))[0].count
    2
    """

    stage: str
    kind: str
    count: int
    examples: Rejects

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON.

        Examples
        --------
        >>> RejectKind("read", "empty", 2, Rejects()).to_dict()
        {'stage': 'read', 'kind': 'empty', 'count': 2, 'examples': []}
        """
        return {**vars(self), "examples": [one._asdict() for one in self.examples]}


class RejectTally:
    """Counts rejected rows, block by block; see `reject_kinds`."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Rejects] = {}
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, rejects: Rejects) -> None:
        """Count some rows."""
        lines = rejects.lines
        for reject in rejects:
            kind = "duplicate" if reject.stage == "duplicates" else reject.reason.partition(":")[0]
            key = reject.stage, kind
            self._counts[key] = self._counts.get(key, 0) + 1
            some = self._found.setdefault(key, Rejects())
            if len(some) < _EXAMPLES and all(one.text != reject.text for one in some):
                self._found[key] = Rejects.concat([some, Rejects([reject], lines=lines)])

    def kinds(self) -> tuple[RejectKind, ...]:
        """Return what was counted."""
        stages = list(dict.fromkeys(stage for stage, _ in self._counts))
        order = sorted(self._counts, key=lambda key: (stages.index(key[0]), -self._counts[key], key[1]))
        return tuple(RejectKind(*key, self._counts[key], self._found[key]) for key in order)


def reject_kinds(rejects: Rejects) -> tuple[RejectKind, ...]:
    """Return rejected rows by step and kind of reason, the steps in the order in which they first occur.

    Parameters
    ----------
    rejects : Rejects

    Returns
    -------
    tuple of RejectKind
        Of one step the most frequent first.

    Examples
    --------
    >>> kinds = reject_kinds(Rejects([(0, "", "read", "empty"), (3, "CC", "duplicates", "the molecule of row 1")]))
    >>> [(one.stage, one.kind) for one in kinds]
    [('read', 'empty'), ('duplicates', 'duplicate')]
    """
    tally = RejectTally()
    tally.add(rejects)
    return tally.kinds()
