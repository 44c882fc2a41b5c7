"""Rows of the same molecule: which row stays, and with which labels."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from mrl.chem.cleaning.steps import Row
from mrl.errors import ColumnError
from mrl.ragged import as_array, as_labels

Rule: TypeAlias = Literal["first", "mean", "median", "drop"]
By: TypeAlias = Literal["smiles", "inchikey"]
Labels: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Duplicates:
    """The rule for rows of the same molecule: its first row stays, with labels made from those of all its rows.

    Missing labels (NaN) are ignored, column by column: a missing label of the first row is filled from the others.

    Parameters
    ----------
    labels : "first", "mean", "median" or "drop"
        ``"first"``: the first known label. ``"mean"``, ``"median"``: of the known ones, as float64. ``"drop"``: the
        first known one, but all rows of a molecule whose known labels are in conflict are removed.
    by : "smiles" or "inchikey"
        Molecules are the same by canonical SMILES, or by standard InChIKey, which is also equal for many tautomers,
        for salts with protons at one ion or at the other, and for molecules that differ in atom maps.
    tolerance : float
        Labels are in conflict if they differ by more than this, in the unit of the labels; 0 or more.

    Raises
    ------
    ValueError
        Another value of an argument.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> cleaned = clean(["CCO", "C", "OCC"], labels=[1.0, 5.0, 2.0], duplicates=Duplicates("mean"))
    >>> cleaned.smiles.tolist(), cleaned.labels
    (['CCO', 'C'], array([1.5, 5. ]))
    """

    labels: Rule = "first"
    by: By = "smiles"
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        for what, value, known, more in (
            ("a rule for labels", self.labels, Rule, "; duplicates=None keeps all rows"),
            ("an identity of molecules", self.by, By, ""),
        ):
            if value not in get_args(known):
                names = ", ".join(map(repr, get_args(known)))
                raise ValueError(f"duplicates: {value!r} is not {what}; choose one of {names}{more}")
        if not self.tolerance >= 0:
            raise ValueError(f"duplicates: tolerance={self.tolerance!r}, expected 0 or more")

    def to_dict(self) -> dict[str, Any]:
        """Return the rule for JSON.

        Examples
        --------
        >>> Duplicates("drop").to_dict()
        {'step': 'duplicates', 'labels': 'drop', 'by': 'smiles', 'tolerance': 0.0}
        """
        return {"step": "duplicates", **asdict(self)}


def merge_labels(table: Labels, rule: Duplicates) -> tuple[Labels, tuple[int, str] | None]:
    """Return the labels of a molecule from those of its rows.

    Parameters
    ----------
    table : ndarray, shape (rows, T)
        The labels of its rows, in the order of the rows; NaN where one is missing.
    rule : Duplicates
        How they are merged.

    Returns
    -------
    labels : ndarray, shape (T,)
        Those of the molecule.
    conflict : (int, str) or None
        The first column whose known labels are in conflict, and these labels.

    Examples
    --------
    >>> merge_labels(np.array([[1.0, np.nan], [1.0, 2.0]]), Duplicates("mean"))
    (array([1., 2.]), None)
    """
    merged, conflict = table[0].copy(), None
    for column, values in enumerate(table.T):
        known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
        if not len(known):
            continue
        merged[column] = known[0] if rule.labels in ("first", "drop") else getattr(np, rule.labels)(known)
        if conflict is None and float(known.max()) - float(known.min()) > rule.tolerance:
            conflict = column, _listed([f"{value:.10g}" for value in known])
    return merged, conflict


def merge_censored(
    table: Labels, signs: Labels, rule: Duplicates
) -> tuple[Labels, Labels, tuple[int, str] | None, bool]:
    """Return the labels of a molecule from those of its rows, of which some are limits such as ``>6``.

    Limits are equal, or in conflict with whatever else is known: no mean of them is.

    Parameters
    ----------
    table, signs : ndarray, shape (rows, T)
        Labels, NaN where one is missing, and their signs: 1 for ``>``, -1 for ``<``, else 0.
    rule : Duplicates
        How they are merged.

    Returns
    -------
    labels, signs : ndarray, shape (T,)
        Those of the molecule.
    conflict : (int, str) or None
        See `merge_labels`.
    is_lost : bool
        The rule asks for a mean, and there is none.

    Examples
    --------
    >>> merge_censored(np.array([[6.0], [5.0]]), np.array([[1], [0]]), Duplicates("mean"))[2:]
    ((0, '>6, 5'), True)
    """
    merged, conflict = merge_labels(table, rule)
    sides, is_lost = np.zeros(table.shape[1], np.int8), False
    for column in np.flatnonzero((signs.astype(bool) & ~np.isnan(table)).any(axis=0)).tolist():
        known = np.flatnonzero(~np.isnan(table[:, column]))
        values, marks = table[known, column], signs[known, column]
        merged[column], sides[column] = values[0], marks[0]
        if len(set(marks.tolist())) > 1 or float(values.max()) - float(values.min()) > rule.tolerance:
            shown = [f"{('', '>', '<')[mark]}{value:.10g}" for value, mark in zip(values, marks, strict=True)]
            conflict = column, _listed(shown)
            is_lost = rule.labels in ("mean", "median")
    return merged, sides, conflict, is_lost


def _listed(labels: list[str]) -> str:
    return ", ".join(labels[:8]) + (", ..." if len(labels) > 8 else "")


def label_array(labels: Any, n: int) -> Labels:
    """Return labels as an array of numbers, (n,) or (n, T), missing ones NaN."""
    array = as_array(labels, "labels")
    if array.dtype.kind not in "biuf":
        array = as_labels(array, "labels", np.float64)
    if array.ndim not in (1, 2) or len(array) != n:
        expected = f"expected ({n},) or ({n}, tasks)"
        raise ColumnError(f"labels have the shape {array.shape}, but there are {n:,} rows: {expected}", column="labels")
    return array


def duplicate_key(row: Row, by: By) -> str:
    """Return the text that is equal for two rows of the same molecule."""
    key: str = row.canonical
    if by == "inchikey":
        with rdBase.BlockLogs():
            # not every molecule has an InChI; those without one are not all the same
            key = Chem.MolToInchiKey(row.mol) or key  # type: ignore[no-untyped-call]
    elif row.stereo_groups and not row.replaced:
        return row.stereo_groups  # equal for a racemate, whichever of its isomers is drawn
    return f"{key} {row.stereo_groups}" if row.stereo_groups else key
