"""`split`: a dataset cut into views, at random, by groups, by classes, by time or by a column of names."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

import numpy as np

from mrl.data.columns import Rows64, Values, View
from mrl.data.order.randomness import shuffled_positions
from mrl.data.splitting.dealing import deal_classes, deal_groups, deal_stratified
from mrl.data.splitting.sorting import rows_by_value
from mrl.data.windows import WindowMap
from mrl.errors import ColumnError, RowError
from mrl.formatting import format_percent
from mrl.messages import did_you_mean, format_count, format_names
from mrl.ragged import PART_NAMES, PART_OF_NAME, as_list, class_codes, part_of

TOLERANCE = 10**6  # a millionth of a row, or of the whole, is a rounding error


@runtime_checkable
class Splittable(Protocol):
    """What `split` needs of a dataset, or of a table."""

    @property
    def columns(self) -> Mapping[str, Any]:
        """The columns by name."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def view(self, rows: Any) -> Self:
        """Return a view of some rows."""


@runtime_checkable
class Augmentable(Protocol):
    """A dataset whose rows may be augmented."""

    def without_augmentation(self) -> Any:
        """Return the same rows without augmentation."""


@runtime_checkable
class Windowed(Protocol):
    """A dataset whose rows may be windows over texts, which stay in one part."""

    @property
    def windows(self) -> WindowMap | None:
        """Which part of which text each row is; None for whole texts."""


D = TypeVar("D", bound=Splittable)


def split(
    ds: D,
    sizes: Sequence[float] | None = None,
    *,
    seed: int = 0,
    groups: Any = None,
    stratify: Any = None,
    sort_by: Any = None,
    by: str | None = None,
) -> tuple[D, ...]:
    """Split a dataset into views: at random, by groups that stay together, by classes, by time, or by a column.

    A part whose size is far from the requested one (more than a row, and more than half of it or a tenth of all rows)
    is a UserWarning; so is a class whose share in a part differs by more than ten percentage points from that in the
    whole, where both `groups` and `stratify` are given.

    Parameters
    ----------
    ds : BaseDataset or Table
        n rows.
    sizes : sequence of k numbers
        Fractions that add up to 1, such as ``(0.8, 0.1, 0.1)``: they are rounded down to rows, and the first part gets
        the rest; or numbers of rows that add up to n.
    seed : int
        Seed of the shuffle: the same seed gives the same split on any machine.
    groups : column of n values, or the name of a column of `ds`, optional
        Rows with the same value stay in the same part: molecules (canonical SMILES), scaffolds
        (`mrl.chem.scaffold_groups`), clusters, a column of the data. Groups are dealt in random order, large ones
        first, to the part that is furthest below its size; sizes are met as nearly as groups allow. Missing values
        (None, NaN) are one group. Of a dataset with ``on_long=Windows(...)``, the windows of a text if not given.
    stratify : column of n values, or the name of a column of `ds`, optional
        Classes that each part gets in the proportions of the whole, within one row; together with `groups` as nearly
        as whole groups allow.
    sort_by : column of n values, or the name of a column of `ds`, optional
        Numbers or dates (datetime, NumPy, pandas), also as text (``"7.5"``, ISO 8601): the first part gets the rows
        with the smallest values, the last part those with the largest, so that a model is tested on later data. Equal
        values keep the order of their rows.
    by : str, optional
        The name of a column that says which part each row belongs to: ``train`` (``training``), ``valid``
        (``validation``, ``val``, ``dev``), ``test`` (``testing``), in any case. The parts that occur are returned, in
        this order. Nothing else is given then.

    Returns
    -------
    tuple of k datasets
        Views: disjoint, and together every row. Only the first part is augmented, if the dataset is.

    Raises
    ------
    ValueError
        If the sizes do not add up, a part that should have rows has none, or arguments exclude each other.
    TypeError
        If `ds` is neither a dataset nor a table.
    ColumnError
        If `groups`, `stratify` or `sort_by` does not have n values, or `ds` has no column of a name.
    RowError
        If a value of `groups` or `stratify` is not one text or number, one of `sort_by` is not a number or date like
        the others, or one of `by` is not the name of a part.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["C", "CC", "O", "OO"], CharacterVocab(["C", "O"]))
    >>> train, valid = split(ds, (0.5, 0.5), groups=[0, 0, 1, 1])
    >>> sorted(map(sorted, [train.smiles, valid.smiles]))
    [['C', 'CC'], ['O', 'OO']]
    >>> ds.add_column("set", ["train", "test", "train", "train"])
    >>> [part.smiles.tolist() for part in split(ds, by="set")]
    [['C', 'O', 'OO'], ['CC']]
    """
    if not isinstance(ds, Splittable):
        raise TypeError(
            f"split takes a dataset or a table, not {type(ds).__name__}: mrl.data.split_rows(len(values), sizes, ...) "
            "returns the row numbers of the parts, and mrl.Table.from_pandas(df) a table"
        )
    if by is not None:
        if any(value is not None for value in (sizes, groups, stratify, sort_by)):
            raise ValueError(f"by={by!r} says which rows each part has; leave out sizes, groups, stratify and sort_by")
        return _views(ds, _rows_by_name(_column(ds, by), by))
    if sizes is None:
        raise ValueError("no sizes are given; give them, such as (0.8, 0.1, 0.1), or by= the name of a column")
    if (windows := _windows_of(ds)) is not None:
        if sort_by is not None:
            raise ValueError(
                "the rows are windows, and a split by sort_by could cut between those of one text; split the texts "
                "first, and make a dataset of each part"
            )
        groups = windows.rows if groups is None else groups
    columns = (_column(ds, values) for values in (groups, stratify, sort_by))
    return _views(ds, _parts(len(ds), sizes, seed, *columns))


def _column(ds: Splittable, values: Any) -> Any:
    """Return the column of a name; what is not a name, unchanged."""
    if not isinstance(values, str):
        return values
    if values not in ds.columns:
        raise ColumnError(
            f"there is no column {values!r}{did_you_mean(values, ds.columns)}; the columns are "
            f"{format_names(ds.columns)}",
            column=values,
        )
    return ds.columns[values]


def _windows_of(ds: object) -> WindowMap | None:
    return ds.windows if isinstance(ds, Windowed) else None


def split_rows(
    n: int, sizes: Sequence[float], *, seed: int = 0, groups: Any = None, stratify: Any = None, sort_by: Any = None
) -> tuple[Rows64, ...]:
    """Return the rows of each part of a split, for data that is not a dataset or a table.

    Parameters
    ----------
    n : int
        The number of rows.
    sizes, seed, groups, stratify, sort_by
        As in `split`, which gives the same rows.

    Returns
    -------
    tuple of k ndarrays of int64
        The row numbers of each part.

    Raises
    ------
    ValueError, ColumnError, RowError
        As in `split`.

    Examples
    --------
    >>> split_rows(4, (0.5, 0.5), groups=["a", "b", "b", "a"])
    (array([0, 3]), array([1, 2]))
    """
    return _parts(n, sizes, seed, groups, stratify, sort_by)


def _parts(n: int, sizes: Sequence[float], seed: int, groups: Any, stratify: Any, sort_by: Any) -> tuple[Rows64, ...]:
    targets = _part_sizes(sizes, n)
    ends = np.cumsum(targets)[:-1]
    given = {"groups": groups, "stratify": stratify, "sort_by": sort_by}
    given = {name: _values(values, n, name) for name, values in given.items() if values is not None}
    if "sort_by" in given and len(given) > 1:
        raise ValueError(
            f"{' and '.join(given)} are given; a split by sort_by follows nothing else: leave out the rest"
        )
    if "groups" in given:
        group_rows = _rows_by_class(given["groups"], "groups")
        if "stratify" in given:
            codes, classes = class_codes(given["stratify"], "stratify")
            parts = deal_stratified(group_rows, codes, targets, seed)
        else:
            parts = deal_groups(group_rows, targets, seed)
        largest = format_count(max(map(len, group_rows), default=0), "row")
        remedy = (
            f"groups stay whole, here {format_count(len(group_rows), 'group')}, the largest of {largest}: give other "
            "sizes, fewer parts, or smaller groups"
        )
    else:
        if "stratify" in given:
            parts = deal_classes(_rows_by_class(given["stratify"], "stratify"), targets, seed)
        elif "sort_by" in given:
            parts = [np.sort(part) for part in np.split(rows_by_value(given["sort_by"]), ends)]
        else:
            parts = np.split(shuffled_positions(np.arange(n), n, f"split {seed}"), ends)
        remedy = "there are too few rows: give numbers of rows that add up to their number, or fewer parts"
    _check_parts(parts, targets, sizes, remedy)
    if len(given) == 2:
        _check_classes(parts, codes, classes)
    return tuple(parts)


def _views(ds: D, parts: Sequence[Rows64]) -> tuple[D, ...]:
    first, *others = (ds.view(part) for part in parts)
    return first, *(view.without_augmentation() if isinstance(view, Augmentable) else view for view in others)


def require_rows(sizes: Sequence[int], requested: object, remedy: str) -> None:
    """Raise a ValueError if a part of a split has no rows."""
    if not all(sizes):
        raise ValueError(
            f"sizes {requested} make parts of {', '.join(map(str, sizes))} of {format_count(sum(sizes), 'row')}, "
            f"and a part is empty; {remedy}"
        )


def _check_parts(parts: Sequence[Rows64], targets: list[int], sizes: Sequence[float], remedy: str) -> None:
    """Raise for an empty part that should have rows; warn if one is far from its size."""
    got, n = [len(part) for part in parts], sum(targets)
    if any(size and not count for size, count in zip(sizes, got, strict=True)):
        require_rows(got, tuple(sizes), remedy)
    off = [abs(count - target) for count, target in zip(got, targets, strict=True)]
    if any(miss > 1 and miss > min(target / 2, n / 10) for miss, target in zip(off, targets, strict=True)):
        warnings.warn(
            f"the parts have {', '.join(map(str, got))} rows; {', '.join(map(str, targets))} were requested; {remedy}",
            stacklevel=4,  # the caller of split or split_rows
        )


def _check_classes(parts: Sequence[Rows64], codes: Rows64, classes: list[Any]) -> None:
    """Warn if the share of a class in a part is far from that in the whole."""
    whole = np.bincount(codes, minlength=len(classes)) / max(len(codes), 1)
    shares = np.stack([np.bincount(codes[part], minlength=len(classes)) / max(len(part), 1) for part in parts])
    off = np.abs(shares - whole) * np.array([[len(part) > 0] for part in parts])
    if off.size and off.max() > 0.1:
        part, code = np.unravel_index(off.argmax(), off.shape)
        warnings.warn(
            f"class {classes[code]!r} is {format_percent(float(shares[part, code]), 1)} of part {part} and "
            f"{format_percent(float(whole[code]), 1)} of all rows; "
            "whole groups allow no better proportions: give larger parts or smaller groups",
            stacklevel=4,  # the caller of split or split_rows
        )


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
    if isinstance(column, str):
        raise ColumnError(
            f"{name} is {column!r}, expected one value for each row: give the column itself, or split a dataset or a "
            "table by mrl.split, which takes names of columns",
            column=name,
        )
    if isinstance(column.column if isinstance(column, View) else column, Values):
        column = np.asarray(column)
    dates = getattr(getattr(column, "dtype", None), "kind", "") == "M"  # which `tolist` makes numbers
    values = list(np.asarray(column)) if dates else as_list(column, name)
    if len(values) != n:
        raise ColumnError(f"{name} has {len(values)} values for {n} rows; give one for each", column=name)
    return values


def _rows_by_name(column: Any, by: str) -> list[Rows64]:
    """Return the rows of each part that a column names."""
    parts: dict[str, list[int]] = {name: [] for name in PART_NAMES}
    for row, value in enumerate(as_list(column, by)):
        part = part_of(value)
        if part is None:
            names = format_names(PART_OF_NAME)
            raise RowError.of(row, by, value, f"the name of a part, one of {names}; rename it, or leave out such rows")
        parts[part].append(row)
    found = [np.array(rows, np.int64) for rows in parts.values() if rows]
    if not found:
        raise ValueError(f"column {by!r} has no rows, so there are no parts")
    return found


def _rows_by_class(values: list[Any], name: str) -> list[Rows64]:
    """Return the rows of each distinct value, in order of appearance; all missing values are one class."""
    codes, _ = class_codes(values, name)
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1]) if values else []
