"""The notebook's five data sets: each a few lines that say which columns it has and what a sample is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.collate import (
    ids_of,
    lm_collate,
    sequence_prediction_collate,
    vector_collate,
    vector_prediction_collate,
    vector_reconstruction_collate,
)
from mrl.data.columns import Values, View, labels_of
from mrl.data.dataset import BaseDataset
from mrl.data.fields import Field, Labels, Tokens, Vectors
from mrl.errors import RowError
from mrl.features import Featurizer, OnError, require_on_error
from mrl.ragged import Ragged, Rejects, Text
from mrl.text import BOS, EOS, PAD, Vocab

__all__ = ["TextDataset", "TextPredictionDataset", "VecPredictionDataset", "VecReconDataset", "VectorDataset"]

OnLong = Literal["raise", "reject"]
Collate = Callable[[Any], Any]


class _Texts(BaseDataset):
    """What all five have: a column of text called ``smiles``."""

    row_arguments: ClassVar[tuple[str, ...]] = ("smiles",)
    settled = ("vocab", "mol_function", "n_jobs", "cache", "on_error", "y_dtype")
    smiles: Any

    def checked(self, columns: dict[str, Any]) -> dict[str, Any]:
        """`smiles` as flat text, unless it is a column on disk."""
        smiles = columns["smiles"]
        if isinstance(smiles, (View, Values)):
            smiles = smiles.take(np.arange(len(smiles)))
        if isinstance(smiles, Ragged) or not (hasattr(smiles, "take") and hasattr(smiles, "digest")):
            smiles = Text.of(smiles, "smiles")
        return super().checked(columns | {"smiles": smiles})


class _Labelled(_Texts):
    """Those that have targets as well."""

    row_arguments = ("smiles", "y_vals")
    y_vals: Any
    y_dtype: torch.dtype
    _targets: int | None = None  # T of targets (n, T), for rows whose labels are left out

    def checked(self, columns: dict[str, Any]) -> dict[str, Any]:
        """`y_vals` as numbers; missing ones where they were left out."""
        columns = super().checked({"smiles": columns["smiles"]}) | {"y_vals": columns["y_vals"]}
        if columns["y_vals"] is None:
            n = len(columns["smiles"])
            columns["y_vals"] = np.full(n if self._targets is None else (n, self._targets), np.nan)
        labels = columns["y_vals"] = labels_of(columns["y_vals"], "y_vals", _numpy_dtype(self.y_dtype))
        if len(labels):
            self._targets = next(iter(np.shape(labels[0])), None)
        return columns


def _numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    try:
        found = torch.zeros(0, dtype=dtype, device="cpu").numpy().dtype
    except TypeError:
        found = np.dtype(object)
    if found.kind not in "fiu":
        raise ValueError(f"y_dtype is {dtype}; expected float16, float32 or float64, or an integer type for classes")
    return found


class _Tokenized(_Texts):
    """Those that have tokens: from a vocabulary, or as ids that were given."""

    vocab: Vocab
    max_length: int | None = None
    on_long: OnLong = "raise"

    def from_ids(self, ids: Any, *, on_error: OnError | None = None, **named: Any) -> Self:
        """Make a data set like this one from ids, exactly as they are: train on what was sampled.

        A text can have more than one spelling in tokens; going through text would train on another than the model
        wrote.

        Parameters
        ----------
        ids : Ragged, array or tensor (B, L), or sequence of sequences of int
            One row each. A row is cut behind its first ``eos``; padding before and behind it is dropped; ``bos`` is put
            before it where it does not stand there.
        on_error : {"raise", "drop", "mask"}, optional
            As in `new`.
        **named
            Other columns, as in `new`.

        Returns
        -------
        BaseDataset
            Of the same class, ``smiles`` being the decoded text.

        Raises
        ------
        TokenIdError
            (An IndexError.) If an id is no id of the vocabulary.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C"], CharacterVocab(["C", "O"]))
        >>> made = ds.from_ids([[0, 4, 5, 1, 2], [4, 4, 1, 5, 5]])
        >>> made.smiles.tolist(), made[1]
        (['CO', 'CC'], tensor([0, 4, 4, 1]))
        """
        rows = _cut(_matrix(ids))
        text = self.vocab.decode_bytes(rows)  # which refuses ids that are none
        stored = Ragged(rows.values.astype(self.vocab.dtype), rows.offsets)
        return self._made(self._given((text,), named), on_error, stored)


def _matrix(ids: Any) -> NDArray[Any]:
    """Rows of ids as (B, L) with L > 0, padded at their end."""
    if getattr(ids, "ndim", 1) == 2:
        matrix = ids_of(ids)
        return matrix if matrix.shape[1] else np.full((len(matrix), 1), PAD)
    rows = ids if isinstance(ids, Ragged) else Ragged.from_rows([ids_of(row) for row in ids], np.int64)
    return rows.to_padded(PAD, np.int64, max(int(rows.lengths.max(initial=0)), 1))


def _cut(ids: NDArray[Any]) -> Ragged:
    """Sampled rows: behind their first eos nothing, before them bos, no padding around them."""
    places, real, ends = np.arange(ids.shape[1]), ids != PAD, ids == EOS
    first = real.argmax(1)
    last = np.where(real.any(1), ids.shape[1] - real[:, ::-1].argmax(1), first)
    stop = np.where(ends.any(1), ends.argmax(1) + 1, last)
    keep = (first[:, None] <= places) & (places < stop[:, None])
    begun = (first < stop) & (ids[np.arange(len(ids)), first] == BOS)
    keep = np.concatenate([~begun[:, None], keep], axis=1)
    ids = np.concatenate([np.full((len(ids), 1), BOS, ids.dtype), ids], axis=1)
    return Ragged(ids[keep], np.concatenate([[0], np.cumsum(keep.sum(1))]))


class TextDataset(_Tokenized):
    """Token ids of texts, for language models.

    Parameters
    ----------
    smiles : column of str
        n texts: list, tuple, NumPy array, pandas or polars Series, Arrow array, or a column on disk.
    vocab : Vocab
        Cuts and numbers them, once, when they are first used.
    collate_function : callable, optional
        `lm_collate` if not given.
    max_length : int, optional
        The most ids that a row may have, ``bos`` and ``eos`` included; nothing is ever truncated.
    on_long : {"raise", "reject"}
        What to do with longer rows: raise, or leave them out and list them in `rejects`.

    Raises
    ------
    RowError
        If a row is no text, or too long: row, column, value.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["CCO", "C"], CharacterVocab(["C", "O"]))
    >>> ds[0]
    tensor([0, 4, 4, 5, 1])
    >>> x, y = ds.batch()
    >>> y
    tensor([[4, 4, 5, 1, 2],
            [4, 1, 2, 2, 2]])
    """

    def __init__(
        self,
        smiles: Any,
        vocab: Vocab,
        collate_function: Collate | None = None,
        *,
        max_length: int | None = None,
        on_long: OnLong = "raise",
    ) -> None:
        self._configure(vocab, collate_function or partial(lm_collate, pad_idx=vocab.stoi["pad"]), max_length, on_long)
        self._set({"smiles": smiles})

    def _configure(self, vocab: Vocab, collate_function: Collate, max_length: int | None, on_long: OnLong) -> None:
        super().__init__(collate_function)
        if on_long not in ("raise", "reject"):
            raise ValueError(f"on_long is {on_long!r}; expected 'raise' or 'reject'")
        self.vocab = vocab
        self.max_length = max_length
        self.on_long = on_long

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Tokens."""
        return (Tokens(columns["smiles"], self.vocab),)

    def refused(self, on_error: OnError | None) -> tuple[NDArray[np.bool_], Rejects] | None:
        """Rows that are too long."""
        if self.max_length is None:
            return None
        lengths = self.lengths()
        ok: NDArray[np.bool_] = lengths <= self.max_length
        long = np.flatnonzero(~ok)
        reason = "{} tokens, more than max_length {}"
        if len(long) and self.on_long == "raise":
            row = int(long[0])
            raise RowError(
                f"row {row}: {self.smiles[row]!r} has {reason.format(lengths[row], self.max_length)}; raise "
                "max_length, or say on_long='reject' to leave such rows out (nothing is truncated)",
                row=row,
                column="smiles",
                value=self.smiles[row],
            )
        return ok, Rejects.of(
            (int(row), self.smiles[int(row)], "length", reason.format(lengths[row], self.max_length)) for row in long
        )


class TextPredictionDataset(_Labelled, TextDataset):
    """Token ids and targets, for predicting properties from text.

    Parameters
    ----------
    smiles : column of str
        n texts.
    y_vals : column of numbers
        Targets, (n,) or (n, T): list, array, Series, DataFrame, tensor. Missing ones (None, NaN) stay missing: NaN, or
        -100 for integer classes.
    vocab : Vocab
        Cuts and numbers the texts.
    collate_function : callable, optional
        `sequence_prediction_collate` if not given.
    y_dtype : torch.dtype
        float32, or an integer type for classes.
    max_length, on_long
        As in `TextDataset`.

    Raises
    ------
    ColumnError
        If there are not as many targets as texts.
    RowError
        If a text is no text, or a target no number: row, column, value.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = TextPredictionDataset(["CO", "C"], [0.5, None], CharacterVocab(["C", "O"]))
    >>> ds.batch()
    (tensor([[0, 4, 5, 1, 2],
            [0, 4, 1, 2, 2]]), tensor([0.5000,    nan]))
    """

    def __init__(
        self,
        smiles: Any,
        y_vals: Any,
        vocab: Vocab,
        collate_function: Collate | None = None,
        *,
        y_dtype: torch.dtype = torch.float32,
        max_length: int | None = None,
        on_long: OnLong = "raise",
    ) -> None:
        collate = collate_function or partial(sequence_prediction_collate, pad_idx=vocab.stoi["pad"])
        self._configure(vocab, collate, max_length, on_long)
        self.y_dtype = y_dtype
        self._set({"smiles": smiles, "y_vals": y_vals})

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Tokens, then targets."""
        return Tokens(columns["smiles"], self.vocab), Labels(columns["y_vals"])


class VectorDataset(_Texts):
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
    cache : {"memory", None}
        Keep what was computed, or compute again every time (for functions that are random on purpose).
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
        cache: Literal["memory"] | None = "memory",
        on_error: OnError = "raise",
    ) -> None:
        self._configure(mol_function, collate_function or vector_collate, n_jobs, cache, on_error)
        self._set({"smiles": smiles})

    def _configure(
        self,
        mol_function: Featurizer,
        collate_function: Collate,
        n_jobs: int,
        cache: Literal["memory"] | None,
        on_error: OnError,
    ) -> None:
        BaseDataset.__init__(self, collate_function)
        require_on_error(on_error)
        self.mol_function = mol_function
        self.n_jobs = n_jobs
        self.cache = cache
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
            columns["smiles"], self.mol_function, n_jobs=self.n_jobs, cache=self.cache, on_error=self.on_error
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


class VecReconDataset(_Tokenized, VectorDataset):
    """Vectors of molecules and their token ids, for generating text from a vector.

    Parameters
    ----------
    smiles : column of str
        n texts.
    vocab : Vocab
        Cuts and numbers them.
    mol_function, collate_function, n_jobs, cache, on_error
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
        cache: Literal["memory"] | None = "memory",
        on_error: OnError = "raise",
    ) -> None:
        collate = collate_function or partial(vector_reconstruction_collate, pad_idx=vocab.stoi["pad"])
        self._configure(mol_function, collate, n_jobs, cache, on_error)
        self.vocab = vocab
        self._set({"smiles": smiles})

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Vectors, then tokens."""
        return self._vectors(columns), Tokens(columns["smiles"], self.vocab)


class VecPredictionDataset(_Labelled, VectorDataset):
    """Vectors of molecules and targets, for predicting properties from fingerprints or descriptors.

    Parameters
    ----------
    smiles : column of str
        n texts.
    y_vals : column of numbers
        Targets, (n,) or (n, T), as in `TextPredictionDataset`.
    mol_function, collate_function, n_jobs, cache, on_error
        As in `VectorDataset`; `vector_prediction_collate` if no collate function is given.
    y_dtype : torch.dtype
        float32, or an integer type for classes.

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
        n_jobs: int = 1,
        cache: Literal["memory"] | None = "memory",
        on_error: OnError = "raise",
    ) -> None:
        self._configure(mol_function, collate_function or vector_prediction_collate, n_jobs, cache, on_error)
        self.y_dtype = y_dtype
        self._set({"smiles": smiles, "y_vals": y_vals})

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Vectors, then targets."""
        return self._vectors(columns), Labels(columns["y_vals"])
