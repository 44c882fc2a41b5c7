"""Data sets of token ids: for language models, and for predicting from text."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.collate import lm_collate, sequence_prediction_collate
from mrl.data.fields import Augment, Field, Tokens
from mrl.data.layouts import Labelled, OnLong, Tokenized
from mrl.errors import RowError
from mrl.features import OnError
from mrl.ragged import Rejects
from mrl.text import Vocab

__all__ = ["TextDataset", "TextPredictionDataset"]

Collate = Callable[[Any], Any]


class TextDataset(Tokenized):
    """Token ids of texts, for language models.

    Parameters
    ----------
    smiles : column of str
        n texts: list, tuple, NumPy array, pandas or polars Series, Arrow array, or a column on disk.
    vocab : Vocab
        Cuts and numbers them, once, when they are first used.
    collate_function : callable, optional
        `lm_collate` if not given.
    augment : callable, optional
        ``augment(text, key)`` writes a text in another way each epoch (such as `mrl.chem.randomize`, for randomised
        SMILES); `key` is an integer that depends on `seed`, epoch and row alone. Validation and test parts of a split
        are never augmented, nor is what `from_ids` makes. ``ds.smiles`` are the texts as they stand, and orders by
        length go by them; ``ds[i]`` and ``ds.batch()`` are as in epoch 0.
    seed : int
        Names the augmentation.
    max_length : int, optional
        The most ids that a row may have, ``bos`` and ``eos`` included; nothing is ever truncated. What augmentation
        makes longer stays as it stands.
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

    limit: ClassVar[str] = "max_length"
    """What `max_length` is called in messages."""

    def __init__(
        self,
        smiles: Any,
        vocab: Vocab,
        collate_function: Collate | None = None,
        *,
        augment: Augment | None = None,
        seed: int = 0,
        max_length: int | None = None,
        on_long: OnLong = "raise",
    ) -> None:
        collate = collate_function or partial(lm_collate, pad_idx=vocab.stoi["pad"])
        self._configure(vocab, collate, augment, seed, max_length, on_long)
        self._set({"smiles": smiles})

    def _configure(
        self,
        vocab: Vocab,
        collate_function: Collate,
        augment: Augment | None,
        seed: int,
        max_length: int | None,
        on_long: OnLong,
    ) -> None:
        super().__init__(collate_function)
        if augment is not None and not callable(augment):
            raise TypeError(f"augment is {augment!r}; expected a function of (text, key) that gives a text")
        if on_long not in ("raise", "reject"):
            raise ValueError(f"on_long is {on_long!r}; expected 'raise' or 'reject'")
        self.vocab = vocab
        self.augment = augment
        self.seed = operator.index(seed)
        self.max_length = max_length
        self.on_long = on_long

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Tokens."""
        return (self._tokens(columns),)

    def _tokens(self, columns: Mapping[str, Any]) -> Tokens:
        return Tokens(columns["smiles"], self.vocab, augment=self.augment, seed=self.seed, max_length=self.max_length)

    def refused(self, on_error: OnError | None) -> tuple[NDArray[np.bool_], Rejects] | None:
        """Rows that are too long."""
        return None if self.max_length is None else self.too_long(self.smiles, self.lengths(), on_error)

    def too_long(
        self, texts: Any, lengths: NDArray[np.int64], on_error: OnError | None = None
    ) -> tuple[NDArray[np.bool_], Rejects]:
        """Say which texts have at most `max_length` ids, and list the others, or raise, as `on_long` says.

        ``on_error="drop"`` and ``"raise"`` say otherwise for one call of `new` or `from_ids`.
        """
        on_long = {"drop": "reject", "raise": "raise"}.get(on_error or "", self.on_long)
        assert self.max_length is not None
        ok: NDArray[np.bool_] = lengths <= self.max_length
        long = np.flatnonzero(~ok)
        reason = f"{{}} tokens, more than {self.limit} {self.max_length}"
        if len(long) and on_long == "raise":
            row = int(long[0])
            raise RowError(
                f"row {row}: {texts[row]!r} has {reason.format(lengths[row])}; raise {self.limit}, or say "
                "on_long='reject' (on_error='drop' in new) to leave such rows out (nothing is truncated)",
                row=row,
                column="smiles",
                value=texts[row],
            )
        return ok, Rejects.of((int(row), texts[int(row)], "length", reason.format(lengths[row])) for row in long)


class TextPredictionDataset(Labelled, TextDataset):
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
    weights : column of n numbers, optional
        How much each row counts, 0 or more; batches are then ``(x, y, weights)``. Rows that `new` makes without any
        count 1.
    augment, seed, max_length, on_long
        As in `TextDataset`.

    Raises
    ------
    ColumnError
        If there are not as many targets as texts.
    RowError
        If a text is no text, a target no number, or a weight less than 0: row, column, value.

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
        weights: Any = None,
        augment: Augment | None = None,
        seed: int = 0,
        max_length: int | None = None,
        on_long: OnLong = "raise",
    ) -> None:
        collate = collate_function or partial(sequence_prediction_collate, pad_idx=vocab.stoi["pad"])
        self._configure(vocab, collate, augment, seed, max_length, on_long)
        self.y_dtype = y_dtype
        self._set_labelled(smiles, y_vals, weights)

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Tokens, then targets, then weights if there are any."""
        return self._tokens(columns), *self._labels(columns)
