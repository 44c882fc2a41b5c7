"""Splits: views that share no group."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import Rows64
from mrl.data.dataset import BaseDataset
from mrl.data.order import permuted
from mrl.errors import ColumnError

__all__ = ["split"]

D = TypeVar("D", bound=BaseDataset)


def split(ds: D, sizes: Sequence[float], *, seed: int = 0, groups: Any = None, stratify: Any = None) -> tuple[D, ...]:
    """Split a data set into views, at random or by groups that stay together.

    Parameters
    ----------
    ds : BaseDataset
        n rows.
    sizes : sequence of k numbers
        Fractions that add up to 1, such as ``(0.8, 0.1, 0.1)``, or numbers of rows that add up to n.
    seed : int
        Names the split: the same seed gives the same one on any machine.
    groups : column of n values, optional
        Rows with the same value stay on one side: molecules (canonical SMILES), scaffolds
        (`mrl.chem.scaffold_groups`), clusters, a column of the data. Groups are dealt in random order, the large ones
        first, to the part that is furthest below its size; sizes are then met as nearly as groups allow.
    stratify : column of n values, optional
        Classes that each part gets in the proportions of the whole. Not together with `groups`.

    Returns
    -------
    tuple of k data sets
        Views: disjoint, and together every row.

    Raises
    ------
    ValueError
        If the sizes do not add up, or both `groups` and `stratify` are given.
    ColumnError
        If `groups` or `stratify` have not n values.

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
    if groups is not None and stratify is not None:
        raise ValueError("groups and stratify are both given; a group cannot be cut to meet proportions: give one")
    if groups is not None:
        parts = _dealt(_codes(groups, n, "groups"), targets, seed)
    elif stratify is not None:
        parts = _proportional(_codes(stratify, n, "stratify"), targets, seed)
    else:
        parts = np.split(permuted(range(n), n, f"split {seed}"), np.cumsum(targets)[:-1])
    return tuple(ds.view(part) for part in parts)


def _targets(sizes: Sequence[float], n: int) -> list[int]:
    """Rows of each part: exact, the rounding left to the first part."""
    sizes = list(sizes)
    if not sizes or any(size < 0 for size in sizes):
        raise ValueError(f"sizes are {sizes}; expected fractions such as (0.8, 0.1, 0.1), or numbers of rows")
    if all(isinstance(size, (int, np.integer)) for size in sizes) and sum(sizes) == n:
        return [int(size) for size in sizes]
    exact = [Fraction(repr(float(size))) for size in sizes]
    if abs(sum(exact, Fraction(0)) - 1) > Fraction(1, 10**9):
        raise ValueError(
            f"sizes are {sizes} and add up to {float(sum(exact, Fraction(0)))}; expected 1, or numbers of rows that add "
            f"up to {n}"
        )
    targets = [int(size * n) for size in exact]
    targets[0] += n - sum(targets)
    return targets


def _codes(values: Any, n: int, name: str) -> Rows64:
    """Each value as a number by first appearance, so that their spelling does not matter."""
    values = list(values.tolist() if hasattr(values, "tolist") else values)
    if len(values) != n:
        raise ColumnError(f"{name} has {len(values)} values for {n} rows; give one for each", column=name)
    seen: dict[Any, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values], np.int64)


def _members(codes: Rows64) -> list[Rows64]:
    """Rows of each code."""
    by_code = np.argsort(codes, kind="stable")
    return np.split(by_code, np.cumsum(np.bincount(codes))[:-1]) if len(codes) else []


def _dealt(codes: Rows64, targets: list[int], seed: int) -> list[NDArray[np.int64]]:
    members = _members(codes)
    order = permuted(range(len(members)), len(members), f"groups {seed}")
    room = list(targets)
    parts: list[list[Rows64]] = [[] for _ in targets]
    for group in sorted(order.tolist(), key=lambda g: -len(members[g])):  # stable: ties stay in random order
        part = max(range(len(room)), key=lambda p: room[p])
        parts[part].append(members[group])
        room[part] -= len(members[group])
    return [np.sort(np.concatenate(part)) if part else np.zeros(0, np.int64) for part in parts]


def _proportional(codes: Rows64, targets: list[int], seed: int) -> list[NDArray[np.int64]]:
    """Deal the rows, class by class, to the part that is furthest behind its share: exact within a row per class."""
    shuffled = [
        rows[permuted(range(len(rows)), len(rows), f"class {seed} {i}")] for i, rows in enumerate(_members(codes))
    ]
    rows = np.concatenate(shuffled) if shuffled else np.zeros(0, np.int64)
    n, done = len(rows), [0] * len(targets)
    parts: list[list[int]] = [[] for _ in targets]
    for i, row in enumerate(rows.tolist(), start=1):
        part = max(range(len(targets)), key=lambda p: (targets[p] * i - done[p] * n, -p))
        parts[part].append(row)
        done[part] += 1
    return [np.sort(np.array(part, np.int64)) for part in parts]
