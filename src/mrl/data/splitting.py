"""Splits: views that share no group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mrl.data.columns import Rows64
from mrl.data.order import permuted
from mrl.errors import ColumnError

if TYPE_CHECKING:
    from mrl.data.dataset import BaseDataset

__all__ = ["rows_of", "split"]

TOLERANCE = 10**6  # a millionth of a row, or of the whole, is rounding

D = TypeVar("D", bound="BaseDataset")


def split(
    ds: D,
    sizes: Sequence[float],
    *,
    seed: int = 0,
    groups: Any = None,
    stratify: Any = None,
    sort_by: Any = None,
) -> tuple[D, ...]:
    """Split a data set into views: at random, by groups that stay together, by classes, or by time.

    Parameters
    ----------
    ds : BaseDataset
        n rows.
    sizes : sequence of k numbers
        Fractions that add up to 1, such as ``(0.8, 0.1, 0.1)``: rounded down, the first part gets the rest; or numbers
        of rows that add up to n.
    seed : int
        Names the split: the same seed gives the same one on any machine.
    groups : column of n values, optional
        Rows with the same value stay on one side: molecules (canonical SMILES), scaffolds
        (`mrl.chem.scaffold_groups`), clusters, a column of the data. Groups are dealt in random order, the large ones
        first, to the part that is furthest below its size; sizes are then met as nearly as groups allow. Missing
        values (None, NaN) are one group.
    stratify : column of n values, optional
        Classes that each part gets in the proportions of the whole, within one row.
    sort_by : column of n values, optional
        Dates or numbers: the first part gets the rows with the smallest, the last one those with the largest, so that
        a model is tested on what came later. Equal values keep the order of their rows. At most one of `groups`,
        `stratify` and `sort_by` is given.

    Returns
    -------
    tuple of k data sets
        Views: disjoint, and together every row. Where the data set is augmented, only the first part is.

    Raises
    ------
    ValueError
        If the sizes do not add up, or more than one of `groups`, `stratify` and `sort_by` is given.
    ColumnError
        If they have not n values, or `sort_by` has some that are missing or cannot be compared.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["C", "CC", "O", "OO"], CharacterVocab(["C", "O"]))
    >>> train, valid = split(ds, (0.5, 0.5), groups=[0, 0, 1, 1])
    >>> sorted(map(sorted, [train.smiles, valid.smiles]))
    [['C', 'CC'], ['O', 'OO']]
    """
    n = len(ds)
    targets = _targets(sizes, n)
    ways = {"groups": groups, "stratify": stratify, "sort_by": sort_by}
    if len(given := [name for name, values in ways.items() if values is not None]) > 1:
        raise ValueError(f"{' and '.join(given)} are given; a split cannot follow more than one of them: give one")
    if groups is not None:
        parts = _dealt(_codes(groups, n, "groups"), targets, seed)
    elif stratify is not None:
        parts = _proportional(_codes(stratify, n, "stratify"), targets, seed)
    elif sort_by is not None:
        parts = [np.sort(part) for part in np.split(_sorted(sort_by, n), np.cumsum(targets)[:-1])]
    else:
        parts = np.split(permuted(np.arange(n), n, f"split {seed}"), np.cumsum(targets)[:-1])
    first, *others = (ds.view(part) for part in parts)
    return first, *(view.plain() for view in others)


def rows_of(fraction: float, n: int) -> int:
    """Rows that a fraction of n is: rounded down, after what binary fractions are off by (1/3 of 3 rows is 1 row)."""
    if not math.isfinite(fraction):
        raise ValueError(f"a size is {fraction}; expected a fraction between 0 and 1")
    numerator, denominator = float(fraction).as_integer_ratio()
    return (n * numerator * TOLERANCE + denominator) // (denominator * TOLERANCE)


def _targets(sizes: Sequence[float], n: int) -> list[int]:
    """Rows of each part: exact, the rounding left to the first part that is to have any."""
    sizes = list(sizes)
    if not sizes or any(size < 0 for size in sizes):
        raise ValueError(f"sizes are {sizes}; expected fractions such as (0.8, 0.1, 0.1), or numbers of rows")
    if all(isinstance(size, (int, np.integer)) for size in sizes) and sum(sizes) == n:
        return [int(size) for size in sizes]
    targets = [rows_of(size, n) for size in sizes]
    if abs((total := math.fsum(sizes)) - 1) * TOLERANCE > 1:
        raise ValueError(f"sizes are {sizes} and add up to {total}; expected 1, or numbers of rows that add up to {n}")
    targets[next(i for i, size in enumerate(sizes) if size)] += n - sum(targets)
    return targets


def _listed(values: Any, n: int, name: str) -> list[Any]:
    for method in ("tolist", "to_pylist", "to_list"):
        if hasattr(values, method):
            values = getattr(values, method)()
            break
    listed = list(values)
    if len(listed) != n:
        raise ColumnError(f"{name} has {len(listed)} values for {n} rows; give one for each", column=name)
    return listed


def _sorted(values: Any, n: int) -> Rows64:
    """Rows by ascending value."""
    values = _listed(values, n, "sort_by")
    missing = next((row for row, value in enumerate(values) if _present(value) is None), None)
    if missing is not None:
        raise ColumnError(
            f"row {missing} of sort_by is missing; give a value, or leave such rows out", column="sort_by"
        )
    try:
        return np.array(sorted(range(n), key=values.__getitem__), np.int64)
    except TypeError as error:
        raise ColumnError(f"sort_by has values that cannot be compared ({error})", column="sort_by") from None


def _codes(values: Any, n: int, name: str) -> Rows64:
    """Each value as a number by first appearance, so that their spelling does not matter; all missing ones alike."""
    values = _listed(values, n, name)
    seen: dict[Any, int] = {}
    try:
        return np.array([seen.setdefault(_present(value), len(seen)) for value in values], np.int64)
    except TypeError:
        raise ColumnError(f"{name} has values that cannot be compared, such as lists; give texts or numbers") from None


def _present(value: Any) -> Any:
    """None for what is missing: NaN is not equal to itself, and pandas' NA not even that."""
    return None if type(value).__name__ in ("NAType", "NaTType") or value != value else value


def _members(codes: Rows64) -> list[Rows64]:
    """Rows of each code."""
    by_code = np.argsort(codes, kind="stable")
    return np.split(by_code, np.cumsum(np.bincount(codes))[:-1]) if len(codes) else []


def _dealt(codes: Rows64, targets: list[int], seed: int) -> list[Rows64]:
    """Deal whole groups, the largest first, to the part that is furthest below its size."""
    members = _members(codes)
    order = permuted(np.arange(len(members)), len(members), f"groups {seed}")
    room = list(targets)
    parts: list[list[Rows64]] = [[] for _ in targets]
    for group in sorted(order.tolist(), key=lambda g: -len(members[g])):  # stable: ties stay in random order
        part = max(range(len(room)), key=lambda p: room[p])
        parts[part].append(members[group])
        room[part] -= len(members[group])
    return [_joined(part) for part in parts]


def _proportional(codes: Rows64, targets: list[int], seed: int) -> list[Rows64]:
    """Cut each class, shuffled, in the proportions of the whole, rounded up or down so that the sizes are met.

    Which class is rounded up for which part is a matrix of zeros and ones with given sums of rows and columns; the
    classes with most to give go first, each to the parts that lack most (Gale 1957, doi:10.2140/pjm.1957.7.1073).
    """
    members, n = _members(codes), len(codes)
    counts = [[len(rows) * target // n for target in targets] for rows in members]
    lack = (
        [target - sum(column) for target, column in zip(targets, zip(*counts, strict=True), strict=True)] if n else []
    )
    spare = [len(rows) - sum(row) for rows, row in zip(members, counts, strict=True)]
    order = permuted(np.arange(len(members)), len(members), f"classes {seed}")
    for code in sorted(order.tolist(), key=lambda c: -spare[c]):
        for part in sorted(range(len(targets)), key=lambda p: -lack[p])[: spare[code]]:
            counts[code][part] += 1
            lack[part] -= 1
    parts: list[list[Rows64]] = [[] for _ in targets]
    for code, rows in enumerate(members):
        shuffled = rows[permuted(np.arange(len(rows)), len(rows), f"class {seed} {code}")]
        for mine, cut in zip(parts, np.split(shuffled, np.cumsum(counts[code])[:-1]), strict=True):
            mine.append(cut)
    return [_joined(part) for part in parts]


def _joined(rows: list[Rows64]) -> Rows64:
    return np.sort(np.concatenate(rows)) if rows else np.zeros(0, np.int64)
