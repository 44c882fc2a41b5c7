"""Datasets of vectors computed from molecules: alone, with tokens, with targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mrl.data.batch import Collate
from mrl.data.collate.sequences import vector_collate, vector_prediction_collate, vector_reconstruction_collate
from mrl.data.datasets.dataset import BaseDataset
from mrl.data.datasets.task import Task, TextColumn, drop_failed_rows
from mrl.data.datasets.text import label_columns, label_fields
from mrl.data.fields.field import Field
from mrl.data.fields.tokens import Tokens
from mrl.data.fields.vectors import Vectors
from mrl.features import Cache, Featurizer, OnNonfinite
from mrl.ragged import OnError
from mrl.text import Vocab


def _vector_fields(ds: Any) -> tuple[Field, ...]:
    return (
        Vectors(
            ds.columns["smiles"],
            ds.mol_function,
            n_jobs=ds.n_jobs,
            cache=ds.cache,
            timeout=ds.timeout,
            on_error=ds.on_error,
            on_nonfinite=ds.on_nonfinite,
        ),
    )


class VectorDataset(BaseDataset[Tensor]):
    """Vectors computed from molecules.

    Parameters
    ----------
    smiles : column of str
        n texts. One that is not a molecule fails before `mol_function` sees it.
    mol_function : callable, object with ``transform``, or AnyText
        A function of one text that returns D numbers (a single number is D = 1); or an estimator in scikit-learn's
        convention; `mrl.AnyText` of one for texts that are not SMILES.
    collate_function : callable, optional
        `vector_collate` if not given.
    n_jobs : int
        Processes that compute; with more than one, all rows are computed when the first is needed, and `mol_function`
        must be picklable.
    cache : {"memory", None} or path
        Keep what was computed: in memory, where datasets made by `new` find it too; or also in a folder, for other
        processes and later runs, as in `mrl.featurize` (all rows are then computed when the first is needed). None
        computes again every time, for functions that are random on purpose.
    timeout : float, optional
        Seconds that a molecule may take before it is rejected, as in `mrl.featurize`; all rows are then computed, in
        other processes, when the first is needed.
    on_error : {"raise", "drop", "mask"}
        For a molecule for which `mol_function` fails: raise when the row is computed; compute every row now and drop
        it; or keep it as NaN, with ``ds.ok`` False.
    on_nonfinite : {"reject", "keep"}
        Whether a vector with NaN or an infinite number is a failure, too.

    Raises
    ------
    FeatureError
        (A ValueError.) When a row is computed for which `mol_function` fails: row, text, reason.

    Examples
    --------
    >>> ds = VectorDataset(["CCO", "C"], lambda smiles: [len(smiles), smiles.count("O")])
    >>> ds.batch()
    tensor([[3., 1.],
            [1., 0.]])
    """

    task = Task({"smiles": TextColumn()}, _vector_fields, vector_collate, filter_rows=drop_failed_rows)

    smiles: Any
    mol_function: Featurizer
    n_jobs: int
    cache: Cache
    timeout: float | None
    on_nonfinite: OnNonfinite

    def __init__(
        self,
        smiles: Any,
        mol_function: Featurizer,
        collate_function: Collate | None = None,
        *,
        n_jobs: int = 1,
        cache: Cache = "memory",
        timeout: float | None = None,
        on_error: OnError = "raise",
        on_nonfinite: OnNonfinite = "reject",
    ) -> None:
        super().__init__(
            collate_function,
            mol_function=mol_function,
            n_jobs=n_jobs,
            cache=cache,
            timeout=timeout,
            on_error=on_error,
            on_nonfinite=on_nonfinite,
        )
        self.set_rows({"smiles": smiles})


def _vectors_and_tokens(ds: Any) -> tuple[Field, ...]:
    return *_vector_fields(ds), Tokens(ds.columns["smiles"], ds.vocab)


class VecReconDataset(BaseDataset[tuple[tuple[Tensor, Tensor], Tensor]]):
    """Vectors of molecules and their token ids, for generating text from a vector.

    Parameters
    ----------
    smiles : column of str
        n texts.
    vocab : Vocab
        Tokenizes and numbers them.
    mol_function, collate_function, n_jobs, cache, timeout, on_error, on_nonfinite
        As in `VectorDataset`; `vector_reconstruction_collate` if no collate function is given.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = VecReconDataset(["CO"], CharacterVocab(["C", "O"]), len)
    >>> (x, v), y = ds.batch()
    >>> x, v, y
    (tensor([[0, 4, 5, 1]]), tensor([[2.]]), tensor([[4, 5, 1, 2]]))
    """

    task = Task(
        {"smiles": TextColumn()},
        _vectors_and_tokens,
        vector_reconstruction_collate,
        "smiles",
        filter_rows=drop_failed_rows,
    )

    smiles: Any
    vocab: Vocab
    mol_function: Featurizer
    n_jobs: int
    cache: Cache
    timeout: float | None
    on_nonfinite: OnNonfinite

    def __init__(
        self,
        smiles: Any,
        vocab: Vocab,
        mol_function: Featurizer,
        collate_function: Collate | None = None,
        *,
        n_jobs: int = 1,
        cache: Cache = "memory",
        timeout: float | None = None,
        on_error: OnError = "raise",
        on_nonfinite: OnNonfinite = "reject",
    ) -> None:
        super().__init__(
            collate_function,
            vocab=vocab,
            mol_function=mol_function,
            n_jobs=n_jobs,
            cache=cache,
            timeout=timeout,
            on_error=on_error,
            on_nonfinite=on_nonfinite,
        )
        self.set_rows({"smiles": smiles})


def _vectors_and_labels(ds: Any) -> tuple[Field, ...]:
    return *_vector_fields(ds), *label_fields(ds)


class VecPredictionDataset(BaseDataset[tuple[Tensor, ...]]):
    """Vectors of molecules and targets, for predicting properties from fingerprints or descriptors.

    Parameters
    ----------
    smiles : column of str
        n texts.
    y_vals : column of numbers
        Targets, (n,) or (n, T), as in `TextPredictionDataset`.
    mol_function, collate_function, n_jobs, cache, timeout, on_error, on_nonfinite
        As in `VectorDataset`; `vector_prediction_collate` if no collate function is given.
    y_dtype : torch.dtype
        float32, or an integer type for classes.
    weights : column of n numbers, optional
        How much each row counts, as in `TextPredictionDataset`; batches are then ``(v, y, weights)``.

    Examples
    --------
    >>> ds = VecPredictionDataset(["CO", "C"], [0.5, 1.0], len)
    >>> ds.batch()
    (tensor([[2.],
            [1.]]), tensor([0.5000, 1.0000]))
    """

    task = Task(
        label_columns(torch.float32, None), _vectors_and_labels, vector_prediction_collate, filter_rows=drop_failed_rows
    )

    smiles: Any
    y_vals: Any
    weights: Any
    y_dtype: torch.dtype
    mol_function: Featurizer
    n_jobs: int
    cache: Cache
    timeout: float | None
    on_nonfinite: OnNonfinite

    def __init__(
        self,
        smiles: Any,
        y_vals: Any,
        mol_function: Featurizer,
        collate_function: Collate | None = None,
        *,
        y_dtype: torch.dtype = torch.float32,
        weights: Any = None,
        n_jobs: int = 1,
        cache: Cache = "memory",
        timeout: float | None = None,
        on_error: OnError = "raise",
        on_nonfinite: OnNonfinite = "reject",
    ) -> None:
        self.task = replace(self.task, columns=label_columns(y_dtype, weights))
        super().__init__(
            collate_function,
            mol_function=mol_function,
            y_dtype=y_dtype,
            n_jobs=n_jobs,
            cache=cache,
            timeout=timeout,
            on_error=on_error,
            on_nonfinite=on_nonfinite,
        )
        self.set_rows({"smiles": smiles, "y_vals": y_vals, "weights": weights})
