"""Rejected rows by kind: how many, and some of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mrl.ragged import Reject, Rejects

_EXAMPLES = 3


@dataclass(frozen=True)
class RejectKind:
    """The rows that one step rejected for one kind of reason.

    Attributes
    ----------
    stage, kind : str
        The step, and what the reasons have in common: what they say in front of a colon.
    count : int
    examples : tuple of Reject
        The first three with different texts.

    Examples
    --------
    >>> reject_kinds(Rejects([(1, "C(", "parse", "syntax: C("), (2, "C(=", "parse", "syntax: C(=")]))[0].count
    2
    """

    stage: str
    kind: str
    count: int
    examples: tuple[Reject, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON.

        Examples
        --------
        >>> RejectKind("read", "empty", 2, ()).to_dict()
        {'stage': 'read', 'kind': 'empty', 'count': 2, 'examples': []}
        """
        return {**vars(self), "examples": [one._asdict() for one in self.examples]}


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
    found: dict[tuple[str, str], list[Reject]] = {}
    counts: dict[tuple[str, str], int] = {}
    for reject in rejects:
        kind = "duplicate" if reject.stage == "duplicates" else reject.reason.partition(":")[0]
        key = reject.stage, kind
        counts[key] = counts.get(key, 0) + 1
        some = found.setdefault(key, [])
        if len(some) < _EXAMPLES and all(one.text != reject.text for one in some):
            some.append(reject)
    stages = list(dict.fromkeys(stage for stage, _ in counts))
    order = sorted(counts, key=lambda key: (stages.index(key[0]), -counts[key], key[1]))
    return tuple(RejectKind(*key, counts[key], tuple(found[key])) for key in order)
