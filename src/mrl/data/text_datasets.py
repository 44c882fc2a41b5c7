"""Data sets of token ids: for language models, and for predicting from text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.collate import (
    lm_collate,
    sequence_prediction_collate,
)
from mrl.data.fields import Field, Labels, Tokens
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
