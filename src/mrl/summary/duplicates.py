"""Rows that say the same: equal texts, equal molecules, and labels that contradict each other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.summary.columns import ColumnFacts

Rows = NDArray[np.int64]
Groups = NDArray[np.int64]
"""A number for each row, equal for equal ones; -1 for a row that is left out."""

_EXAMPLES = 5
_ROWS_OF_EXAMPLE = 5
_ROUNDING = 1e-9  # relative: the same number, computed or written in two ways


class Repeated(NamedTuple):
    """Something that several rows have in common.

    Attributes
    ----------
    text : str
        The text of the first of them.
    count : int
        How many rows there are.
    rows : tuple of int
        Their numbers in the file, 5 at most.

    Examples
    --------
    >>> Repeated("CCO", 2, (0, 7)).count
    2
    """

    text: str
    count: int  # type: ignore[assignment]  # hides the method tuple.count
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Duplicates:
    """How many rows repeat an earlier one.

    Attributes
    ----------
    rows : int
        Rows that were compared.
    distinct : int
        How many of them are different.
    repeated : int
        How many of these occur more than once.
    examples : tuple of Repeated
        The most frequent ones.

    Examples
    --------
    >>> duplicates(np.array([0, 1, 0, -1]), ["CCO", "CC", "OCC", "C("]).extra
    1
    """

    rows: int
    distinct: int
    repeated: int
    examples: tuple[Repeated, ...] = ()

    @property
    def extra(self) -> int:
        """The rows that repeat an earlier one."""
        return self.rows - self.distinct

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON.

        Examples
        --------
        >>> Duplicates(3, 2, 1).to_dict()
        {'rows': 3, 'distinct': 2, 'repeated': 1, 'extra': 1, 'examples': []}
        """
        counts = {"rows": self.rows, "distinct": self.distinct, "repeated": self.repeated, "extra": self.extra}
        return {**counts, "examples": [{**one._asdict(), "rows": list(one.rows)} for one in self.examples]}


def duplicates(groups: Groups, texts: Sequence[str], rows: Rows | None = None) -> Duplicates:
    """Count rows of equal group.

    Parameters
    ----------
    groups : ndarray of int, shape (n,)
        Equal for rows that say the same; -1 for a row that is left out.
    texts : sequence of str, n of them
        What the rows say.
    rows : ndarray of int64, shape (n,), optional
        Their numbers in the file; 0 to n - 1 if not given.

    Returns
    -------
    Duplicates

    Examples
    --------
    >>> duplicates(np.array([5, 7, 5]), ["CCO", "CC", "OCC"]).examples
    (Repeated(text='CCO', count=2, rows=(0, 2)),)
    """
    numbers = np.arange(len(groups)) if rows is None else rows
    order, starts, counts = _sorted(groups)
    examples = []
    several = np.flatnonzero(counts > 1)
    for place in several[np.lexsort((order[starts[several]], -counts[several]))][:_EXAMPLES]:
        members = order[starts[place] : starts[place] + counts[place]]
        found = tuple(int(numbers[member]) for member in members[:_ROWS_OF_EXAMPLE])
        examples.append(Repeated(texts[int(members[0])], int(counts[place]), found))
    return Duplicates(int(counts.sum()), len(counts), len(several), tuple(examples))


class Disagreement(NamedTuple):
    """A molecule whose rows have different labels.

    Attributes
    ----------
    text : str
    rows : tuple of int
        Their numbers in the file, 5 at most.
    labels : tuple of str
        The label of each.

    Examples
    --------
    >>> Disagreement("CCO", (0, 7), ("0", "1")).labels
    ('0', '1')
    """

    text: str
    rows: tuple[int, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Conflicts:
    """Molecules with several labels in one column.

    Attributes
    ----------
    column : str
    repeated : int
        Molecules that have more than one label.
    different : int
        How many of these have labels that are not all equal.
    median_range, largest_range : float
        Of the labels of one of the latter: the largest minus the smallest; NaN for classes.
    examples : tuple of Disagreement
        Those with the largest range.

    Examples
    --------
    >>> from mrl.summary.columns import column_facts
    >>> facts = column_facts("y", np.array([0.5, 1.0, 2.5]))
    >>> conflicts(facts, np.array([0, 1, 0]), ["CCO", "CC", "OCC"], ["0.5", "1", "2.5"]).largest_range
    2.0
    """

    column: str
    repeated: int
    different: int
    median_range: float = float("nan")
    largest_range: float = float("nan")
    examples: tuple[Disagreement, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON.

        Examples
        --------
        >>> Conflicts("y", 3, 0).to_dict()
        {'repeated': 3, 'different': 0, 'median_range': None, 'largest_range': None, 'examples': []}
        """
        ranges = {
            name: None if np.isnan(value) else value
            for name, value in (("median_range", self.median_range), ("largest_range", self.largest_range))
        }
        examples = [{"text": one.text, "rows": list(one.rows), "labels": list(one.labels)} for one in self.examples]
        return {"repeated": self.repeated, "different": self.different, **ranges, "examples": examples}


def conflicts(
    facts: ColumnFacts, groups: Groups, texts: Sequence[str], cells: Sequence[str], rows: Rows | None = None
) -> Conflicts:
    """Find the molecules whose labels in a column differ.

    Parameters
    ----------
    facts : ColumnFacts
        Of the column, n rows.
    groups : ndarray of int, shape (n,)
        Equal for rows of the same molecule, -1 for a row that is left out.
    texts, cells : sequence of str, n of them
        The molecules, and what the column says of each.
    rows : ndarray of int64, shape (n,), optional
        Their numbers in the file; 0 to n - 1 if not given.

    Returns
    -------
    Conflicts

    Examples
    --------
    >>> from mrl.summary.columns import column_facts
    >>> from mrl.ragged import Text
    >>> cells = ["yes", "no", "no", "yes", "", "no"]
    >>> found = conflicts(column_facts("y", Text.of(cells)), np.array([0, 0, 1, 2, 2, 1]), list("aabccb"), cells)
    >>> found.repeated, found.different, found.examples[0].labels
    (2, 1, ('yes', 'no'))
    """
    numbers = np.arange(len(groups)) if rows is None else rows
    values: NDArray[Any] = facts.values
    if bool(np.isnan(values).all()):  # several classes
        codes = {name: code for code, name in enumerate(facts.classes)}
        values = np.array([codes.get(cell.strip(), np.nan) for cell in cells], np.float64)
    known = np.where(np.isnan(values), -1, groups)
    order, starts, counts = _sorted(known)
    if not len(counts):
        return Conflicts(facts.name, 0, 0)
    ranges = np.maximum.reduceat(values[order], starts) - np.minimum.reduceat(values[order], starts)
    several = counts > 1
    sizes = np.maximum.reduceat(np.abs(values[order]), starts)
    different = np.flatnonzero(several & (ranges > _ROUNDING * sizes))
    examples = []
    for place in different[np.lexsort((order[starts[different]], -ranges[different]))][:_EXAMPLES]:
        members = order[starts[place] : starts[place] + counts[place]][:_ROWS_OF_EXAMPLE].tolist()
        found = tuple(int(numbers[member]) for member in members)
        examples.append(Disagreement(texts[members[0]], found, tuple(cells[member] for member in members)))
    spread = ranges[different] if facts.kind == "numbers" and len(different) else np.array([np.nan])
    return Conflicts(
        facts.name,
        int(several.sum()),
        len(different),
        float(np.median(spread)),
        float(spread.max()),
        tuple(examples),
    )


def number_groups(keys: Sequence[Hashable]) -> Groups:
    """Return one number for each key, equal for equal ones; -1 for None.

    >>> number_groups(["a", None, "b", "a"])
    array([ 0, -1,  1,  0])
    """
    numbers: dict[Hashable, int] = {}
    return np.array([-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys], np.int64)


def _sorted(groups: Groups) -> tuple[Rows, Rows, Rows]:
    """Return the places in the order of their groups, where each group begins, and how many it has."""
    order = np.argsort(groups, kind="stable")
    order = order[np.searchsorted(groups[order], 0) :]
    ordered = groups[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, np.int64)
    return order, starts, np.diff(np.r_[starts, len(ordered)]).astype(np.int64)
