"""Cross-validation: parts of the data that share no scaffold, and how good predictions of the left-out part are."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.chem import canonical_groups, cluster_groups, scaffold_groups
from mrl.data import split_rows
from mrl.errors import ColumnError
from mrl.messages import did_you_mean, format_count
from mrl.progress import Progress
from mrl.qsar.metrics import property_metrics
from mrl.qsar.targets import Labels, Target
from mrl.ragged import SPLIT_RULES, Rejects, Text, class_codes


@dataclass(frozen=True)
class Metric:
    """How good a model is on one target, over the folds of a cross-validation.

    Attributes
    ----------
    target, name : str
        The target, and the metric: ``"rmse"``, ``"mae"`` (in the unit of the target), ``"r2"``, ``"spearman"``,
        ``"roc_auc"`` or ``"pr_auc"``.
    values : tuple of float
        One for each fold, NaN where it has no value.
    n : int
        Labels compared, over all folds; censored ones are left out.

    Examples
    --------
    >>> metric = Metric("logS", "rmse", (0.5, 0.7, float("nan")), 300)
    >>> round(metric.mean, 3), round(metric.spread, 3)
    (0.6, 0.141)
    """

    target: str
    name: str
    values: tuple[float, ...]
    n: int

    @property
    def mean(self) -> float:
        """The mean over the folds that have a value, NaN if there are none."""
        known = [value for value in self.values if value == value]
        return float(np.mean(known)) if known else float("nan")

    @property
    def spread(self) -> float:
        """The standard deviation over the folds that have a value, NaN if there are fewer than two."""
        known = [value for value in self.values if value == value]
        return float(np.std(known, ddof=1)) if len(known) > 1 else float("nan")


@dataclass(frozen=True, eq=False)
class Validation:
    """The cross-validation of a model: each row predicted by networks that have not seen its part of the data.

    Attributes
    ----------
    targets : tuple of Target
        T of them.
    rows : ndarray of int64, shape (n,)
        The rows of the table that the model was trained on.
    smiles : Text
        Their molecules.
    y : ndarray of float64, shape (n, T)
        Labels; NaN where missing.
    signs : ndarray of int8, shape (n, T)
        1 for a label ">10", -1 for "<5", else 0.
    fold : ndarray of int64, shape (n,)
        The part that each row belongs to.
    values, uncertainty : ndarray of float64, shape (n, T)
        Predictions of the networks that did not see the row, and the expected size of their errors.
    similarity : ndarray of float64, shape (n,)
        To the nearest molecule that these networks have seen.
    rejects : Rejects
        Rows that were left out, with the numbers of the table.

    Examples
    --------
    >>> from mrl.qsar import FitOptions, fit
    >>> smiles = ["C" * n + "O" for n in range(1, 13)]
    >>> options = FitOptions(folds=2, members=1, epochs=1)
    >>> validation = fit(smiles, {"y": range(12)}, split="random", options=options).validation
    >>> validation.values.shape, validation.exact[:3, 0].tolist(), sorted(set(validation.fold.tolist()))
    ((12, 1), [0.0, 1.0, 2.0], [0, 1])
    """

    targets: tuple[Target, ...]
    rows: NDArray[np.int64]
    smiles: Text
    y: NDArray[np.float64]
    signs: NDArray[np.int8]
    fold: NDArray[np.int64]
    values: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    similarity: NDArray[np.float64]
    rejects: Rejects

    @property
    def exact(self) -> NDArray[np.float64]:
        """The labels that predictions are compared with, (n, T): NaN where missing or censored."""
        return np.where(self.signs == 0, self.y, np.nan)

    def metrics(self) -> tuple[Metric, ...]:
        """Return the metrics of each target, fold by fold.

        Returns
        -------
        tuple of Metric

        Examples
        --------
        >>> from mrl.qsar import FitOptions, fit
        >>> smiles = ["C" * n + "O" for n in range(1, 13)]
        >>> model = fit(smiles, {"y": range(12)}, split="random", options=FitOptions(folds=2, members=1, epochs=1))
        >>> [(metric.name, len(metric.values), metric.n) for metric in model.validation.metrics()]
        [('rmse', 2, 12), ('mae', 2, 12), ('r2', 2, 12), ('spearman', 2, 12)]
        """
        found = []
        for place, target in enumerate(self.targets):
            y = self.exact[:, place]
            folds = [
                property_metrics(y[part], self.values[part, place], task=target.kind)
                for part in (self.fold == k for k in range(int(self.fold.max()) + 1))
            ]
            for name in folds[0]:
                if name != "n":
                    values = tuple(float(fold[name][0]) for fold in folds)
                    found.append(Metric(target.name, name, values, int((~np.isnan(y)).sum())))
        return tuple(found)


def assign_folds(
    labels: Labels, by: Any, rows: NDArray[np.int64], folds: int, seed: int, *, n_jobs: int, progress: Progress
) -> NDArray[np.int64]:
    """Return the fold of each row, shape (n,).

    `by` is one of `SPLIT_RULES`, or a column with a value for each row of the table, of which `rows` are those of
    `labels`.
    """
    groups = _groups(labels.smiles, by, rows, n_jobs, progress)
    count = len(np.unique(groups))
    if count < folds:
        what = f"split={by!r}" if isinstance(by, str) else "the column of split"
        raise ColumnError(
            f"{what} makes {format_count(count, 'group')} of {format_count(len(groups), 'molecule')}, and "
            f"{folds} folds need as many: give fewer folds, or split='random'",
            column="split",
        )
    with warnings.catch_warnings():  # about unequal parts: their sizes are part of the result
        warnings.simplefilter("ignore", UserWarning)
        parts = split_rows(len(groups), [1 / folds] * folds, seed=seed, groups=groups)
    fold = np.empty(len(groups), np.int64)
    for number, part in enumerate(parts):
        fold[part] = number
    for place, target in enumerate(labels.targets):
        _require_labels(labels.y[:, place], fold, folds, target)
    return fold


def _groups(smiles: Text, by: Any, rows: NDArray[np.int64], n_jobs: int, progress: Progress) -> NDArray[np.int64]:
    if isinstance(by, str):
        if by == "scaffold":
            return scaffold_groups(smiles, n_jobs=n_jobs, progress=progress)
        if by == "cluster":
            return cluster_groups(smiles, n_jobs=n_jobs, progress=progress)
        if by == "random":  # rows of the same molecule are not independent of each other
            return canonical_groups(smiles, n_jobs=n_jobs, progress=progress)
        raise ValueError(
            f"split is {by!r}{did_you_mean(by, SPLIT_RULES)}; expected 'scaffold', 'cluster', 'random', or a column "
            "with one value per row, such as table['assay']"
        )
    codes, _ = class_codes(by, "split")
    if len(codes) <= int(rows.max(initial=-1)):
        raise ColumnError(
            f"split has {format_count(len(codes), 'value')}; expected one for each row of the table", column="split"
        )
    return codes[rows]


def _require_labels(y: NDArray[np.float64], fold: NDArray[np.int64], folds: int, target: Target) -> None:
    """Raise unless the networks of each fold see two different labels of a target."""
    for number in range(folds):
        known = y[(fold != number) & ~np.isnan(y)]
        if len(np.unique(known)) < 2:
            values = format_count(int((~np.isnan(y)).sum()), "label")
            need = "both classes" if target.kind == "classification" else "two different labels"
            raise ColumnError(
                f"target {target.name!r} ({values}): the training rows of fold {number} do not have {need}; leave "
                "the target out, add labels, or choose other folds, such as split='random'",
                column=target.name,
            )
