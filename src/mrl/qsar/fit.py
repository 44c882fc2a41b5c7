"""`fit`: from a table of molecules and labels to a property model and its cross-validation."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mrl.chem import nearest_neighbours
from mrl.errors import DatasetError
from mrl.messages import format_count
from mrl.nn import one_thread
from mrl.processes import Lost, WorkerPool, require_n_jobs
from mrl.progress import Progress, track
from mrl.qsar.inputs import DESCRIPTORS, Inputs, InputScaling, compute_inputs
from mrl.qsar.model import PropertyModel, combine
from mrl.qsar.network import Ensemble, TrainingData, join, train_fold
from mrl.qsar.options import FitOptions
from mrl.qsar.targets import Kind, Labels, labels_of
from mrl.qsar.uncertainty import expected_errors, fit_error_sizes
from mrl.qsar.validation import Validation, assign_folds
from mrl.ragged import Reject, Rejects


def fit(
    table: Any,
    targets: str | Sequence[str] | Mapping[str, Any],
    *,
    split: Any = "scaffold",
    task: Literal["auto"] | Kind = "auto",
    signs: Mapping[str, Any] | None = None,
    options: FitOptions | None = None,
    n_jobs: int = 1,
    progress: Progress = None,
) -> PropertyModel:
    """Train an ensemble of networks to predict properties of molecules, and cross-validate it.

    The data are divided into folds. For each fold, networks are trained on all other rows and predict its rows: these
    predictions are the cross-validation, and all of these networks together are the model (a cross-validation
    committee; Krogh and Vedelsby 1995, Neural Information Processing Systems 7). How large errors are to be expected is
    learned from those of the cross-validation, by the spread of the networks and the distance from the training data.
    The networks are fully connected;
    their inputs are the counts of circular environments that occur in enough molecules, and descriptors of RDKit.
    Targets are learned together. The result depends on the data, the options and the versions of torch and RDKit, and
    not on the number of processes.

    Parameters
    ----------
    table : Table, or column of str
        n molecules, with columns of labels; or only the molecules, with labels in `targets`.
    targets : str, sequence of str, or mapping of str to column of n numbers
        The columns of the labels, T of them; or the labels by name. NaN or None where one is missing, for classes also
        -100.
    split : {"scaffold", "cluster", "random"} or column of n values
        What stays in one fold: equal Bemis-Murcko scaffolds, similar molecules (`cluster_groups`), equal molecules, or
        rows with equal values in a column, such as a series or a year.
    task : {"auto", "regression", "classification"}
        Whether labels are numbers, or the classes 0 and 1. "auto": a target of which all labels are 0 and 1 is a class
        (a UserWarning says where hardly any other label makes it numbers).
    signs : mapping of str to column of n integers, optional
        For targets with censored labels: 1 where the true value is above the label (">10"), -1 where it is below
        ("<5"), else 0. Those of the table by default. A prediction on the right side of a censored label is no error;
        metrics leave censored labels out.
    options : FitOptions, optional
        Folds, networks, training, seed.
    n_jobs : int
        Number of processes, on which the result does not depend.
    progress : callable, bool or None
        See `featurize`; counts epochs of folds.

    Returns
    -------
    PropertyModel
        With its `validation` row by row. Rows that are not molecules, whose descriptors are not finite, or that have no
        label are left out, with a warning; ``model.validation.rejects`` has them all, with reasons.

    Raises
    ------
    ColumnError
        A target is not a column of numbers, or does not vary in the rows of a fold; `split` makes too few groups.
    RowError
        A label is infinite, or is not 0 or 1 where classes are expected.
    DatasetError
        No row can be used.
    ValueError
        `split` or `task` is unknown.

    Examples
    --------
    >>> smiles = ["C" * n + "O" for n in range(1, 13)]
    >>> model = fit(smiles, {"carbons": range(1, 13)}, split="random", options=FitOptions(folds=3))
    >>> model
    PropertyModel(carbons: regression; 6 networks, trained on 12 molecules)
    >>> [metric.name for metric in model.metrics], model.predict(["CCCO"])["carbons"].shape
    (['rmse', 'mae', 'r2', 'spearman'], (1,))
    """
    options = options or FitOptions()
    labels = labels_of(table, targets, task, signs)
    inputs = compute_inputs(labels.smiles, n_jobs=n_jobs, progress=progress)
    rows, rejects = _usable(labels, inputs)
    labels, inputs = labels.take(rows), inputs.take(rows)
    fold = assign_folds(labels, split, rows, options.folds, options.seed, n_jobs=n_jobs, progress=progress)
    scaling = InputScaling.fit(inputs)
    data = TrainingData(scaling.transform(inputs), labels.y, labels.signs, labels.is_class)
    with track(progress, options.folds * options.epochs, "training") as advance:
        ensembles = list(_train(data, fold, options, n_jobs, advance))
    shape = labels.y.shape
    values, spread, similarity = np.empty(shape), np.empty(shape), np.empty(shape[0])
    fingerprints = inputs.fingerprints
    with one_thread():
        for number, ensemble in enumerate(ensembles):
            part = fold == number
            values[part], spread[part] = combine(ensemble.predict(data.x[part], data.is_class))
            similarity[part] = nearest_neighbours(fingerprints[part], fingerprints[~part])[1][:, 0]
    errors = np.where(labels.signs == 0, labels.y, np.nan) - values
    error_sizes = fit_error_sizes(errors, spread, similarity, data.is_class)
    uncertainty = expected_errors(error_sizes, spread, similarity)
    validation = Validation(
        labels.targets, rows, labels.smiles, labels.y, labels.signs, fold, values, uncertainty, similarity, rejects
    )
    about = {
        "rows": len(rows),
        "rejects": len(rejects),
        "labels": [int(n) for n in (~np.isnan(labels.y)).sum(0)],
        "censored": [int(n) for n in (labels.signs != 0).sum(0)],
        "split": split if isinstance(split, str) else "column",
        "fold_sizes": np.bincount(fold).tolist(),
        "options": dataclasses.asdict(options),
        "descriptors": list(DESCRIPTORS),
    }
    ensemble = join(ensembles).requires_grad_(False)
    metrics = validation.metrics()
    return PropertyModel(labels.targets, ensemble, scaling, error_sizes, fingerprints, metrics, about, validation)


def _usable(labels: Labels, inputs: Inputs) -> tuple[NDArray[np.int64], Rejects]:
    """Return the rows with inputs and labels, and the others; warn if there are others."""
    labelled = ~np.isnan(labels.y).all(axis=1)
    rejects = [*inputs.rejects]
    unlabelled = np.flatnonzero(inputs.ok & ~labelled).tolist()
    rejects += [Reject(row, labels.smiles[row], "label", "no label") for row in unlabelled]
    rows = np.flatnonzero(inputs.ok & labelled)
    found = Rejects(sorted(rejects))
    total = format_count(len(labels.smiles), "row")
    if not len(rows):
        first = f": row {found[0].row}, {found[0].text!r}, {found[0].reason}" if found else ""
        raise DatasetError(f"none of {total} is a molecule with a label{first}; check the columns")
    if found:
        reason = next(iter(found.counts()))
        warnings.warn(
            f"{len(found):,} of {total} are left out, most often for {reason!r}; model.validation.rejects lists them",
            stacklevel=3,
        )
    return rows, found


def _train(
    data: TrainingData, fold: NDArray[np.int64], options: FitOptions, n_jobs: int, advance: Callable[[int], object]
) -> Iterator[Ensemble]:
    """Yield the networks of each fold, in order."""
    require_n_jobs(n_jobs)
    numbers = range(options.folds)
    if n_jobs == 1:
        for number in numbers:
            yield train_fold(data, np.flatnonzero(fold != number), number, options, lambda: advance(1))
        return
    done: dict[int, Ensemble] = {}
    train = partial(_train_folds, data, fold, options)
    with WorkerPool(train, numbers, n_jobs=n_jobs, chunk_size=1) as pool:
        for number, result in pool:
            if isinstance(result, Lost):
                raise RuntimeError(f"the training of fold {number} {result.reason}; use n_jobs=1")
            done[number] = result[0]
            advance(options.epochs)
    yield from (done[number] for number in numbers)


def _train_folds(
    data: TrainingData,
    fold: NDArray[np.int64],
    options: FitOptions,
    numbers: Sequence[int],
    report: Callable[[int], object],
) -> list[Ensemble]:
    """Return the networks of some folds; runs in other processes."""
    return [train_fold(data, np.flatnonzero(fold != number), number, options) for number in numbers]
