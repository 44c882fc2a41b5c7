"""Fields: what a sample is made of. Each turns a column into what a batch needs, lazily and once.

A field is over the rows that are *stored*; a data set that is a view says which of them are its own.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.columns import Rows64
from mrl.ragged import Ragged, Text
from mrl.text import UNK, Vocab

__all__ = ["Field", "Labels", "Tokens"]


class Field(Protocol):
    """One part of a sample."""

    name: str

    @property
    def compiled(self) -> bool:
        """Whether a batch costs no Python code per row."""

    def sample(self, row: int) -> Tensor:
        """The part of one sample, as the notebook has it."""

    def gather(self, rows: Rows64) -> Ragged | Tensor:
        """The same part of many samples at once."""

    def prepare(self) -> None:
        """Do now what is done once, before workers exist."""


class Tokens:
    """Ids of a text column: int64 (L,) in a sample, `Ragged` ids in a batch.

    Texts in memory are encoded once, at the first use; again when the vocabulary has grown and that could matter.
    Columns on disk are encoded batch by batch.
    """

    name = "tokens"
    compiled = True

    def __init__(self, text: Any, vocab: Vocab) -> None:
        self.text = text
        self.vocab = vocab
        self._given = False
        self._ids: Ragged | None = None
        self._known = len(vocab)
        self._incomplete = False

    def use(self, ids: Ragged) -> None:
        """Take `ids` as they are for the tokens of the text."""
        self._ids, self._given = ids, True

    @property
    def ids(self) -> Ragged | None:
        """Ids of every stored row, or None for a column that is not in memory."""
        if self._given or not isinstance(self.text, Text):
            return self._ids
        if self._ids is None or (self._known != len(self.vocab) and self._incomplete):
            self._ids = self.vocab.encode(self.text)
            # A row of known tokens is the same whatever was added since, unless the class says otherwise.
            self._incomplete = bool((self._ids.values == UNK).any()) or self.vocab.regroups
            self._known = len(self.vocab)
        return self._ids

    def prepare(self) -> None:
        """Encode what is in memory."""
        _ = self.ids

    def gather(self, rows: Rows64) -> Ragged:
        """Ids of the rows `rows`."""
        ids = self.ids
        return ids.take(rows) if ids is not None else self.vocab.encode(self.text.take(rows))

    def sample(self, row: int) -> Tensor:
        """Ids of one row, int64 (L,)."""
        return torch.from_numpy(self.gather(np.array([row]))[0].astype(np.int64))

    def lengths(self) -> NDArray[np.int64]:
        """Number of ids of every stored row."""
        ids = self.ids
        if ids is not None:
            return ids.lengths
        parts = [np.arange(start, min(start + 65_536, len(self.text))) for start in range(0, len(self.text), 65_536)]
        return np.concatenate([self.gather(part).lengths for part in parts] or [np.zeros(0, np.int64)])


class Labels:
    """Targets: (T,) in a sample, (B, T) in a batch; T = 1 for a plain column."""

    name = "labels"
    compiled = True

    def __init__(self, column: Any) -> None:
        self.column = column

    def prepare(self) -> None:
        """Nothing to do."""

    def gather(self, rows: Rows64) -> Tensor:
        """Targets of the rows `rows`."""
        values = torch.from_numpy(self.column.take(rows))
        return values.unsqueeze(-1) if values.ndim == 1 else values

    def sample(self, row: int) -> Tensor:
        """Targets of one row."""
        return self.gather(np.array([row]))[0]
