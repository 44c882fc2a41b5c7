"""Fields: what a sample is made of. Each turns a column into what a batch needs, lazily and once.

A field is over the rows that are *stored*; a data set that is a view says which of them are its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.columns import Rows64
from mrl.data.order import row_keys
from mrl.data.padding import Picked
from mrl.errors import RowError
from mrl.ragged import Ragged, Text
from mrl.text import UNK, Vocab

__all__ = ["Augment", "Field", "Labels", "Tokens", "parts_of"]

Augment = Callable[[str, int], str]

PART = 65_536  # rows that are looked at together


def parts_of(n: int) -> list[Rows64]:
    """Rows 0 to n - 1 in parts of bounded size, at least one."""
    return [np.arange(start, min(start + PART, n)) for start in range(0, max(n, 1), PART)]


class Field(Protocol):
    """One part of a sample.

    What is random in it (augmentation, masks) is a pure function of seed, epoch and stored row.
    """

    name: str

    @property
    def compiled(self) -> bool:
        """Whether a batch costs no Python code per row."""

    def sample(self, row: int, epoch: int = 0) -> Any:
        """The part of one sample, as the notebook has it."""

    def gather(self, rows: Rows64, epoch: int = 0) -> Picked | Tensor:
        """The same part of many samples at once."""

    def prepare(self) -> None:
        """Do now what is done once, before workers exist."""


class Tokens:
    """Ids of a text column: int64 (L,) in a sample, `Picked` rows of ids in a batch.

    Texts in memory are encoded once, at the first use; again when the vocabulary has grown and that could matter.
    Columns on disk are encoded batch by batch, and so is what `augment` makes of a text.

    Parameters
    ----------
    text : column of str
        Texts.
    vocab : Vocab
        Cuts and numbers them.
    augment : callable, optional
        ``augment(text, key)`` writes a text in another way; `key`, 0 <= key < 2**63, says which.
    seed : int
        Names the keys.
    max_length : int, optional
        A text that augmentation makes longer than this stays as it is.
    name : str
        What the field is called in a batch.
    """

    def __init__(
        self,
        text: Any,
        vocab: Vocab,
        *,
        augment: Augment | None = None,
        seed: int = 0,
        max_length: int | None = None,
        name: str = "tokens",
    ) -> None:
        self.text = text
        self.vocab = vocab
        self.augment = augment
        self.seed = seed
        self.max_length = max_length
        self.name = name
        # The same as they stand, which hold the ids of both and know nothing of `augment`.
        self._plain = None if augment is None else Tokens(text, vocab, seed=seed, max_length=max_length, name=name)
        self._given = False
        self._ids: Ragged | None = None
        self._known = len(vocab)
        self._incomplete = False

    @property
    def compiled(self) -> bool:
        """Whether a batch costs no Python code per row."""
        return self.augment is None

    def plain(self) -> Tokens:
        """These tokens without augmentation; they share their ids."""
        return self if self._plain is None else self._plain

    @property
    def random(self) -> bool:
        """Whether it is another one in each epoch."""
        return self.augment is not None

    def use(self, ids: Ragged) -> None:
        """Take `ids` as they are for the tokens of the text."""
        plain = self.plain()
        plain._ids, plain._given = ids, True

    @property
    def ids(self) -> Ragged | None:
        """Ids of every stored row, or None for a column that is not in memory."""
        if self._plain is not None:
            return self._plain.ids
        if self._given or not isinstance(self.text, Text):
            return self._ids
        if self._ids is None or (self._known != len(self.vocab) and self._incomplete):
            self._ids = self.vocab.encode(self.text)
            # A row of known tokens is the same whatever was added since, unless the class says otherwise.
            own_code = self.vocab.engine == "python"  # which may cut by what it knows, and does not say so
            self._incomplete = bool((self._ids.values == UNK).any()) or self.vocab.regroups or own_code
            self._known = len(self.vocab)
        return self._ids

    def prepare(self) -> None:
        """Encode what is in memory."""
        _ = self.ids

    def gather(self, rows: Rows64, epoch: int = 0) -> Picked:
        """Ids of the rows `rows`."""
        if self.augment is not None:
            return self._augmented(rows, epoch)
        ids = self.ids
        return (
            Picked(self.vocab.encode(self.text.take(rows)), np.arange(len(rows))) if ids is None else Picked(ids, rows)
        )

    def _augmented(self, rows: Rows64, epoch: int) -> Picked:
        assert self.augment is not None
        texts = self.text.take(rows).tolist()
        keys = (row_keys(self.seed, epoch, rows, "augment") >> np.uint64(1)).tolist()
        made = [self._rewritten(*one) for one in zip(rows.tolist(), texts, keys, strict=True)]
        ids = self.vocab.encode(made)
        if self.max_length is not None and (ids.lengths > self.max_length).any():
            long = (ids.lengths > self.max_length).tolist()
            ids = self.vocab.encode([text if at else new for text, new, at in zip(texts, made, long, strict=True)])
        return Picked(ids, np.arange(len(rows)))

    def _rewritten(self, row: int, text: str, key: int) -> str:
        assert self.augment is not None
        try:
            made = self.augment(text, key)
        except Exception as error:
            raise RowError(
                f"augment cannot write row {row}, {text!r}, in another way: {type(error).__name__}: {error}; leave "
                "such rows out, or let it give the text back",
                row=row,
                column="smiles",
                value=text,
            ) from error
        if not isinstance(made, str):
            raise RowError(
                f"augment gave {made!r} for row {row}, {text!r}; expected a str", row=row, column="smiles", value=text
            )
        return made

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """Ids of one row, int64 (L,)."""
        ids, rows = self.gather(np.array([row]), epoch)
        return torch.from_numpy(ids[int(rows[0])].astype(np.int64))

    def lengths(self) -> NDArray[np.int64]:
        """Number of ids of every stored row, as it stands (not augmented)."""
        ids = self.ids
        if ids is not None:
            return ids.lengths
        return np.concatenate([self.vocab.encode(self.text.take(rows)).lengths for rows in parts_of(len(self.text))])


class Labels:
    """Numbers: (T,) in a sample, (B, T) in a batch; T = 1 for a plain column."""

    compiled = True

    def __init__(self, column: Any, name: str = "labels") -> None:
        self.column = column
        self.name = name

    def prepare(self) -> None:
        """Nothing to do."""

    def gather(self, rows: Rows64, epoch: int = 0) -> Tensor:
        """Targets of the rows `rows`."""
        values = torch.from_numpy(self.column.take(rows))
        return values.unsqueeze(-1) if values.ndim == 1 else values

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """Targets of one row."""
        return self.gather(np.array([row]))[0]
