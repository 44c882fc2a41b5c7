"""Metrics of predicted properties, by scikit-learn, column by column over the labels that are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from mrl.errors import ColumnError, RowError
from mrl.ragged import as_labels

Numbers = NDArray[np.float64]


def property_metrics(
    y_true: Any, y_pred: Any, *, task: Literal["regression", "classification"] = "regression"
) -> dict[str, Numbers]:
    """Return how good predictions are, for each task, over the rows whose label is known.

    Parameters
    ----------
    y_true : column of numbers, shape (n,) or (n, T)
        The labels; NaN or None where one is missing, for classes (0 or 1) also -100.
    y_pred : column of numbers, shape of `y_true`
        The predictions; of classes a score, which is larger for class 1, such as its probability.
    task : "regression" or "classification"
        Which metrics to compute.

    Returns
    -------
    dict of str to ndarray of float64, shape (T,)
        ``"n"``, the number of known labels, and for regression ``"rmse"`` and ``"mae"`` (in the unit of the labels),
        ``"r2"`` and ``"spearman"`` (rank correlation); for classification ``"roc_auc"`` and ``"pr_auc"`` (average
        precision). NaN where a metric has no value: no known labels, one class only, constant values.

    Raises
    ------
    ColumnError
        The shapes differ, or `task` is unknown; a ``ValueError``.
    RowError
        A prediction is missing or infinite, or a class is not 0, 1 or missing; a ``ValueError`` with ``row``.

    Examples
    --------
    >>> found = property_metrics([1.0, 2.0, None, 4.0], [1.5, 2.0, 9.0, 3.5])
    >>> {name: value.round(3).tolist() for name, value in found.items()}
    {'n': [3.0], 'rmse': [0.408], 'mae': [0.333], 'r2': [0.893], 'spearman': [1.0]}
    >>> property_metrics([0, 1, 1, -100], [0.2, 0.9, 0.1, 0.5], task="classification")["roc_auc"]
    array([0.5])
    """
    if task not in _METRICS:
        raise ColumnError(f"task={task!r}; choose one of {', '.join(_METRICS)}", column="task")
    truth, predicted = (
        as_labels(values, name, np.float64) for values, name in ((y_true, "y_true"), (y_pred, "y_pred"))
    )
    if truth.shape != predicted.shape:
        raise ColumnError(
            f"y_pred has the shape {predicted.shape}, expected that of y_true, {truth.shape}", column="y_pred"
        )
    truth, predicted = (values.reshape(len(values), -1) for values in (truth, predicted))
    _require(
        np.isfinite(predicted), predicted, "y_pred", "a finite number: leave rows without a prediction out of both"
    )
    if task == "classification":
        truth = np.where(truth == -100, np.nan, truth)
        _require(
            np.isnan(truth) | np.isin(truth, (0, 1)), truth, "y_true", "class 0 or 1, NaN or -100 where it is missing"
        )
    known = ~np.isnan(truth)
    columns = [(truth[rows, i], predicted[rows, i]) for i, rows in enumerate(known.T)]
    return {"n": known.sum(0).astype(np.float64)} | {
        name: np.array([_defined(metric, *column, task) for column in columns])
        for name, metric in _METRICS[task].items()
    }


def _spearman(truth: Numbers, predicted: Numbers) -> float:
    ranks = np.stack([_ranks(values) for values in (truth, predicted)])
    return float(np.asarray(np.corrcoef(ranks))[0, 1]) if (np.ptp(ranks, axis=1) > 0).all() else float("nan")


def _ranks(values: Numbers) -> Numbers:
    """Ranks from 0, equal values with the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last: Numbers = np.cumsum(counts).astype(np.float64)
    return (last - (counts + 1) / 2)[places]


_METRICS: dict[str, dict[str, Callable[..., float]]] = {
    "regression": {
        "rmse": lambda truth, predicted: float(np.sqrt(sk.mean_squared_error(truth, predicted))),
        "mae": sk.mean_absolute_error,
        "r2": sk.r2_score,
        "spearman": _spearman,
    },
    "classification": {"roc_auc": sk.roc_auc_score, "pr_auc": sk.average_precision_score},
}


def _defined(metric: Callable[..., float], truth: Numbers, predicted: Numbers, task: str) -> float:
    needs_two = task == "classification" or metric in (sk.r2_score, _spearman)
    if len(np.unique(truth)) < 1 + needs_two:
        return float("nan")
    return float(metric(truth, predicted))


def _require(fine: NDArray[np.bool_], values: Numbers, name: str, expected: str) -> None:
    if not fine.all():
        row, column = (int(i) for i in np.argwhere(~fine)[0])
        raise RowError.of(row, name, values[row, column].item(), expected)
