"""Data sets of vectors computed from molecules: alone, with tokens, with targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.collate import (
    vector_collate,
    vector_prediction_collate,
    vector_reconstruction_collate,
)
from mrl.data.dataset import BaseDataset
from mrl.data.fields import Field, Tokens
from mrl.data.layouts import Labelled, Texts, Tokenized
from mrl.data.vectors import Vectors
from mrl.features import Cache, Featurizer, OnError, require_on_error
from mrl.ragged import Ragged, Rejects
from mrl.text import Vocab

__all__ = ["VecPredictionDataset", "VecReconDataset", "VectorDataset"]

Collate = Callable[[Any], Any]


class VectorDataset(Texts):
    """Vectors computed from molecules.

    Parameters
    ----------
    smiles : column of str
        n texts.
    mol_function : callable or object with ``transform``
        A function of one text that gives numbers, always as many (one number gives D = 1); or an estimator in
        scikit-learn's convention.
    collate_function : callable, optional
        `vector_collate` if not given.
    n_jobs : int
        Processes that compute; with more than one, all rows are computed when the first is needed, and `mol_function`
        must be picklable.
    cache : {"memory", None} or path
        Keep what was computed: in memory, where data sets made by `new` find it too; or in a folder as well, for other
        processes and later runs, as in `mrl.featurize` (all rows are then computed when the first is needed). None
        computes again every time, for functions that are random on purpose.
    timeout : float, optional
        Seconds that a molecule may take before it is refused, as in `mrl.featurize`; all rows are then computed, in
        other processes, when the first is needed.
    on_error : {"raise", "drop", "mask"}
        For a molecule that `mol_function` refuses: raise when the row is computed; compute every row now and leave it
        out; or keep it as NaN, with ``ds.ok`` False.

    Raises
    ------
    FeatureError
        (A ValueError.) When a row is computed that `mol_function` refuses: row, text, reason.

    Examples
    --------
    >>> ds = VectorDataset(["CCO", "C"], lambda smiles: [len(smiles), smiles.count("O")])
    >>> ds.batch()
    tensor([[3., 1.],
            [1., 0.]])
    """

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
    ) -> None:
        self._configure(mol_function, collate_function or vector_collate, n_jobs, cache, timeout, on_error)
        self._set({"smiles": smiles})

    def _configure(
        self,
        mol_function: Featurizer,
        collate_function: Collate,
        n_jobs: int,
        cache: Cache,
        timeout: float | None,
        on_error: OnError,
    ) -> None:
        BaseDataset.__init__(self, collate_function)
        require_on_error(on_error)
        self.mol_function = mol_function
        self.n_jobs = n_jobs
        self.cache = cache
        self.timeout = timeout
        self.on_error = on_error

    def _set(self, columns: dict[str, Any], on_error: OnError | None = None, ids: Ragged | None = None) -> None:
        if on_error is not None:
            self.on_error = on_error
        super()._set(columns, on_error, ids)

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Vectors."""
        return (self._vectors(columns),)

    def _vectors(self, columns: Mapping[str, Any]) -> Vectors:
        return Vectors(
            columns["smiles"],
            self.mol_function,
            n_jobs=self.n_jobs,
            cache=self.cache,
            timeout=self.timeout,
            on_error=self.on_error,
        )

    def refused(self, on_error: OnError | None) -> tuple[NDArray[np.bool_], Rejects] | None:
        """Rows that cannot be computed, where they are to be dropped."""
        return self._computed().complete() if self.on_error == "drop" else None

    def _computed(self) -> Vectors:
        return next(field for field in self.fields if isinstance(field, Vectors))

    @property
    def ok(self) -> NDArray[np.bool_]:
        """For each row, whether it could be computed (computes the rest); False only under ``on_error="mask"``."""
        if self.on_error != "mask":
            return super().ok
        ok, _ = self._computed().complete()
        return ok[self.stored_rows(np.arange(len(self)))]

    @property
    def rejects(self) -> Rejects:
        """Rows that were refused; under ``on_error="mask"`` this computes the rest first."""
        return self._computed().complete()[1] if self.on_error == "mask" else super().rejects


class VecReconDataset(Tokenized, VectorDataset):
    """Vectors of molecules and their token ids, for generating text from a vector.

    Parameters
    ----------
    smiles : column of str
        n texts.
    vocab : Vocab
        Cuts and numbers them.
    mol_function, collate_function, n_jobs, cache, timeout, on_error
        As in `VectorDataset`; `vector_reconstruction_collate` if no collate function is given.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = VecReconDataset(["CO"], CharacterVocab(["C", "O"]), len)
    >>> (x, v), y = ds.batch()
    >>> x, v, y
    (tensor([[0, 4, 5, 1]]), tensor([[2.]]), tensor([[4, 5, 1, 2]]))
    """

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
    ) -> None:
        collate = collate_function or partial(vector_reconstruction_collate, pad_idx=vocab.stoi["pad"])
        self._configure(mol_function, collate, n_jobs, cache, timeout, on_error)
        self.vocab = vocab
        self._set({"smiles": smiles})

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Vectors, then tokens."""
        return self._vectors(columns), Tokens(columns["smiles"], self.vocab)


class VecPredictionDataset(Labelled, VectorDataset):
    """Vectors of molecules and targets, for predicting properties from fingerprints or descriptors.

    Parameters
    ----------
    smiles : column of str
        n texts.
    y_vals : column of numbers
        Targets, (n,) or (n, T), as in `TextPredictionDataset`.
    mol_function, collate_function, n_jobs, cache, timeout, on_error
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
    ) -> None:
        self._configure(mol_function, collate_function or vector_prediction_collate, n_jobs, cache, timeout, on_error)
        self.y_dtype = y_dtype
        self._set_labelled(smiles, y_vals, weights)

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Vectors, then targets, then weights if there are any."""
        return self._vectors(columns), *self._labels(columns)
