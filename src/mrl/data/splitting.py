"""`split`: a dataset cut into views, at random, by groups, by classes or by time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from mrl.data.columns import Rows64
from mrl.data.order.randomness import shuffled_positions
from mrl.errors import ColumnError, RowError
from mrl.ragged import as_list, class_codes, is_missing

TOLERANCE = 10**6  # a millionth of a row, or of the whole, is a rounding error


class Splittable(Protocol):
    """What `split` needs of a dataset."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def view(self, rows: Any) -> Self:
        """Return a view of some rows."""

    def without_augmentation(self) -> Self:
        """Return the same rows without augmentation."""


D = TypeVar("D", bound=Splittable)


def split(
    ds: D,
    sizes: Sequence[float],
    *,
    seed: int = 0,
    groups: Any = None,
    stratify: Any = None,
    sort_by: Any = None,
) -> tuple[D, ...]:
    """Split a dataset into views: at random, by groups that stay together, by classes, or by time.

    Parameters
    ----------
    ds : BaseDataset
        n rows.
    sizes : sequence of k numbers
        Fractions that add up to 1, such as ``(0.8, 0.1, 0.1)``: they are rounded down to rows, and the first part gets
        the rest; or numbers of rows that add up to n.
    seed : int
        Names the split: the same seed gives the same split on any machine.
    groups : column of n values, optional
        Rows with the same value stay in the same part: molecules (canonical SMILES), scaffolds
        (`mrl.chem.scaffold_groups`), clusters, a column of the data. Groups are dealt in random order, large ones
        first, to the part that is furthest below its size; sizes are met as nearly as groups allow. Missing values
        (None, NaN) are one group.
    stratify : column of n values, optional
        Classes that each part gets in the proportions of the whole, within one row.
    sort_by : column of n values, optional
        Dates or numbers: the first part gets the rows with the smallest values, the last part those with the largest,
        so that a model is tested on later data. Equal values keep the order of their rows. At most one of `groups`,
        `stratify` and `sort_by` is given.

    Returns
    -------
    tuple of k datasets
        Views: disjoint, and together every row. Only the first part is augmented, if the dataset is.

    Raises
    ------
    ValueError
        If the sizes do not add up, or more than one of `groups`, `stratify` and `sort_by` is given.
    ColumnError
        If `groups`, `stratify` or `sort_by` does not have n values, or those of `sort_by` cannot be compared.
    RowError
        If a value of `groups` or `stratify` is not one text or number, or one of `sort_by` is missing.

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
    targets = _part_sizes(sizes, n)
    ends = np.cumsum(targets)[:-1]
    given = {"groups": groups, "stratify": stratify, "sort_by": sort_by}
    given = {name: _values(values, n, name) for name, values in given.items() if values is not None}
    if len(given) > 1:
        raise ValueError(f"{' and '.join(given)} are given; a split can follow only one of them: give one")
    if "groups" in given:
        parts = _deal_groups(_rows_by_class(given["groups"], "groups"), targets, seed)
    elif "stratify" in given:
        parts = _stratify(_rows_by_class(given["stratify"], "stratify"), targets, seed)
    elif "sort_by" in given:
        parts = [np.sort(part) for part in np.split(_rows_by_value(given["sort_by"]), ends)]
    else:
        parts = np.split(shuffled_positions(np.arange(n), n, f"split {seed}"), ends)
    first, *others = (ds.view(part) for part in parts)
    return first, *(view.without_augmentation() for view in others)


def count_rows(fraction: float, n: int) -> int:
    """Return how many of n rows a fraction is: rounded down, tolerating binary fractions (1/3 of 3 rows is 1 row)."""
    if not math.isfinite(fraction):
        raise ValueError(f"a size is {fraction}; expected a fraction between 0 and 1")
    numerator, denominator = float(fraction).as_integer_ratio()
    return (n * numerator * TOLERANCE + denominator) // (denominator * TOLERANCE)


def _part_sizes(sizes: Sequence[float], n: int) -> list[int]:
    """Return the rows of each part; what rounding leaves goes to the first part with a size above 0."""
    sizes = list(sizes)
    if not sizes or any(size < 0 for size in sizes):
        raise ValueError(f"sizes are {sizes}; expected fractions such as (0.8, 0.1, 0.1), or numbers of rows")
    if all(isinstance(size, int | np.integer) for size in sizes) and sum(sizes) == n:
        return [int(size) for size in sizes]
    targets = [count_rows(size, n) for size in sizes]
    if abs((total := math.fsum(sizes)) - 1) * TOLERANCE > 1:
        raise ValueError(f"sizes are {sizes} and add up to {total}; expected 1, or numbers of rows that add up to {n}")
    targets[next(i for i, size in enumerate(sizes) if size)] += n - sum(targets)
    return targets


def _values(column: Any, n: int, name: str) -> list[Any]:
    values = as_list(column, name)
    if len(values) != n:
        raise ColumnError(f"{name} has {len(values)} values for {n} rows; give one for each", column=name)
    return values


def _rows_by_value(values: list[Any]) -> Rows64:
    """Return the rows by ascending value; equal values keep their order."""
    for row, value in enumerate(values):
        if is_missing(value):
            raise RowError.of(row, "sort_by", value, "a date or number; give one, or leave out such rows")
    try:
        return np.array(sorted(range(len(values)), key=values.__getitem__), np.int64)
    except TypeError as error:
        raise ColumnError(
            f"sort_by has values that cannot be compared ({error}); convert them to one type", column="sort_by"
        ) from None


def _rows_by_class(values: list[Any], name: str) -> list[Rows64]:
    """Return the rows of each distinct value, in order of appearance; all missing values are one class."""
    codes, _ = class_codes(values, name)
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]) if values else []


def _deal_groups(groups: list[Rows64], targets: list[int], seed: int) -> list[Rows64]:
    """Deal whole groups, the largest first, to the part that is furthest below its size."""
    missing = list(targets)
    parts: list[list[Rows64]] = [[] for _ in targets]
    order = shuffled_positions(np.arange(len(groups)), len(groups), f"groups {seed}")
    for group in sorted(order.tolist(), key=lambda g: -len(groups[g])):  # stable: ties stay in random order
        part = missing.index(max(missing))
        parts[part].append(groups[group])
        missing[part] -= len(groups[group])
    return [_sorted_rows(part) for part in parts]


def _stratify(classes: list[Rows64], targets: list[int], seed: int) -> list[Rows64]:
    """Cut each class, shuffled, in the proportions of the whole, rounded up or down so that the sizes are met.

    Which class is rounded up for which part is a matrix of zeros and ones with given sums of rows and columns; the
    classes with most to give go first, each to the parts that lack most (Gale 1957, doi:10.2140/pjm.1957.7.1073).
    """
    n = sum(targets)
    counts = [[len(rows) * target // n for target in targets] for rows in classes]
    missing = [target - sum(count[part] for count in counts) for part, target in enumerate(targets)]
    spare = [len(rows) - sum(count) for rows, count in zip(classes, counts, strict=True)]
    order = shuffled_positions(np.arange(len(classes)), len(classes), f"classes {seed}")
    for code in sorted(order.tolist(), key=lambda c: -spare[c]):
        for part in sorted(range(len(targets)), key=lambda p: -missing[p])[: spare[code]]:
            counts[code][part] += 1
            missing[part] -= 1
    cuts = []
    for code, rows in enumerate(classes):
        shuffled = rows[shuffled_positions(np.arange(len(rows)), len(rows), f"class {seed} {code}")]
        cuts.append(np.split(shuffled, np.cumsum(counts[code])[:-1]))
    return [_sorted_rows([cut[part] for cut in cuts]) for part in range(len(targets))]


def _sorted_rows(parts: list[Rows64]) -> Rows64:
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)
