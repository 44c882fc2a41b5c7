"""The targets of a property model: names, kinds, labels and signs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from mrl.corpus import Table
from mrl.errors import ColumnError, RowError
from mrl.messages import format_count, format_names, user_stacklevel
from mrl.ragged import IGNORED, Text, as_labels, as_text

Kind: TypeAlias = Literal["regression", "classification"]
_MOST_STRAY = 0.05  # of the labels: with fewer that are neither 0 nor 1, classes may have been meant


@dataclass(frozen=True)
class Target:
    """A target of a property model.

    Attributes
    ----------
    name : str
        Its column.
    kind : {"regression", "classification"}
        Numbers, or the classes 0 and 1.

    Examples
    --------
    >>> Target("logS", "regression").name
    'logS'
    """

    name: str
    kind: Kind


@dataclass(frozen=True, eq=False)
class Labels:
    """Molecules and their labels.

    Attributes
    ----------
    smiles : Text
        n molecules.
    targets : tuple of Target
        T of them.
    y : ndarray of float64, shape (n, T)
        Labels; NaN where missing.
    signs : ndarray of int8, shape (n, T)
        1 for a label ">10", -1 for "<5", else 0.
    """

    smiles: Text
    targets: tuple[Target, ...]
    y: NDArray[np.float64]
    signs: NDArray[np.int8]

    @property
    def is_class(self) -> NDArray[np.bool_]:
        """Which targets are classes, shape (T,)."""
        return np.array([target.kind == "classification" for target in self.targets])

    def take(self, rows: NDArray[np.int64]) -> Labels:
        """Return some rows."""
        return Labels(self.smiles.take(rows), self.targets, self.y[rows], self.signs[rows])


def labels_of(
    table: Any,
    targets: str | Sequence[str] | Mapping[str, Any],
    task: Literal["auto"] | Kind,
    signs: Mapping[str, Any] | None,
) -> Labels:
    """Return the molecules and labels of a table, or of a column of SMILES with columns of labels."""
    if task not in ("auto", *get_args(Kind)):
        raise ValueError(f"task is {task!r}; expected 'auto', 'regression' or 'classification'")
    if isinstance(targets, Mapping):
        smiles, columns = as_text(table.smiles if isinstance(table, Table) else table, "smiles"), dict(targets)
    elif isinstance(table, Table):
        names = [targets] if isinstance(targets, str) else list(targets)
        smiles, columns = table.smiles, {name: table[name] for name in names}
        signs = table.signs if signs is None else signs
    else:
        raise ColumnError(
            f"targets are {targets!r} and the molecules are a column, not a table; pass a table from mrl.read(path, "
            "targets=[...]), or the labels as a dict, fit(smiles, {'y': values})",
            column="targets",
        )
    if not columns:
        raise ColumnError("there are no targets; name one column of labels or more", column="targets")
    signs = dict(signs or {})
    if unknown := [name for name in signs if name not in columns and isinstance(targets, Mapping)]:
        raise ColumnError(f"signs of {format_names(unknown)}; the targets are {format_names(columns)}", column="signs")
    n = len(smiles)
    y = np.empty((n, len(columns)))
    sides = np.zeros((n, len(columns)), np.int8)
    kinds: list[Kind] = []
    for place, (name, column) in enumerate(columns.items()):
        y[:, place] = _numbers(column, name, n)
        if name in signs:
            sides[:, place] = _signs(signs[name], name, n)
        kinds.append(_kind(y[:, place], sides[:, place], name) if task == "auto" else task)
        if kinds[-1] == "classification":
            _require_classes(y[:, place], sides[:, place], name)
    sides[np.isnan(y)] = 0
    found = (Target(name, kind) for name, kind in zip(columns, kinds, strict=True))
    return Labels(smiles, tuple(found), y, sides)


def _numbers(column: Any, name: str, n: int) -> NDArray[np.float64]:
    if isinstance(column, Text):
        raise ColumnError(
            f"column {name!r} is text, expected numbers: read(path, targets=[{name!r}]) reads them", column=name
        )
    values = as_labels(column, name, np.float64)
    if values.shape != (n,):
        raise ColumnError(f"target {name!r} has the shape {values.shape}, expected ({n},)", column=name)
    if (infinite := np.isinf(values)).any():
        row = int(infinite.argmax())
        raise RowError.of(row, name, float(values[row]), "a finite number, or NaN where it is missing")
    return values


def _signs(column: Any, name: str, n: int) -> NDArray[np.int8]:
    values = np.asarray(column)
    if values.shape != (n,) or values.dtype.kind not in "iu" or not np.isin(values, (-1, 0, 1)).all():
        raise ColumnError(
            f"signs of {name!r} have the shape {values.shape} ({values.dtype}); expected {format_count(n, 'integer')}, "
            "-1 for '<', 1 for '>', else 0",
            column=name,
        )
    return values.astype(np.int8)


def _kind(y: NDArray[np.float64], signs: NDArray[np.int8], name: str) -> Kind:
    values = np.unique(y[~np.isnan(y)])
    if not len(values):
        raise ColumnError(f"target {name!r} has no label; leave it out", column=name)
    stray = values[~np.isin(values, (0, 1, IGNORED))]
    if not len(stray) and not signs.any():
        return "classification"
    known, n_stray = int((~np.isnan(y)).sum()), int(np.isin(y, stray).sum())
    if not signs.any() and np.isin((0, 1), values).all() and n_stray <= _MOST_STRAY * known:
        warnings.warn(
            f"{name!r} is learned as numbers, not as classes: of {known:,} labels, {known - n_stray:,} are 0 or 1 and "
            f"{n_stray:,} {'is' if n_stray == 1 else 'are'} not, such as {stray[0]:g}. Leave out such rows (mrl clean "
            "--duplicates drop does, for molecules of which several labels differ), or state task='regression' (--task "
            "regression)",
            stacklevel=user_stacklevel(),
        )
    return "regression"


def _require_classes(y: NDArray[np.float64], signs: NDArray[np.int8], name: str) -> None:
    """Raise unless labels are classes; make -100, a missing class, NaN."""
    y[y == IGNORED] = np.nan
    wrong = ~(np.isnan(y) | np.isin(y, (0, 1))) | (signs != 0)
    if wrong.any():
        row = int(wrong.argmax())
        raise RowError.of(
            row,
            name,
            float(y[row]),
            "class 0 or 1, without a sign; for more classes give one column for each, for numbers task='regression'",
        )
