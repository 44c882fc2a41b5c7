"""The dataset of packed blocks: short texts share a block of a fixed size, and do not see each other."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.batch import Collate
from mrl.data.collate.tasks import packed_collate
from mrl.data.columns import Rows64, View
from mrl.data.datasets.dataset import BaseDataset
from mrl.data.datasets.task import ColumnKind, Task, text_column
from mrl.data.datasets.text import split_by_length
from mrl.data.fields.field import Field
from mrl.data.fields.tokens import Tokens
from mrl.errors import DatasetError
from mrl.ragged import Ragged, Text
from mrl.text import BOS, Vocab


class Blocks:
    """A column whose rows are runs of texts.

    Examples
    --------
    >>> column = Blocks(Text.of(["C", "O", "N"]), np.array([0, 2, 3]))
    >>> len(column), column[0].tolist(), column.take([1]).tolist()
    (2, ['C', 'O'], [['N']])
    """

    def __init__(self, text: Text, bounds: Rows64) -> None:
        self.text = text
        self.bounds = bounds

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, i: int) -> Text:
        i = range(len(self))[i]
        texts: Text = self.text[int(self.bounds[i]) : int(self.bounds[i + 1])]
        return texts

    def tolist(self) -> list[list[str]]:
        """Return all rows as lists of str."""
        return [self[i].tolist() for i in range(len(self))]

    def __repr__(self) -> str:
        return f"Blocks({len(self)} rows of {self.text!r})"

    def take(self, rows: Any) -> Blocks:
        """Return the rows `rows`."""
        taken = Ragged(np.arange(len(self.text)), self.bounds).take(np.arange(len(self))[rows])
        return Blocks(self.text.take(taken.values), taken.offsets)

    @classmethod
    def concat(cls, parts: Sequence[Blocks]) -> Blocks:
        """Return the rows of all parts, one part after the other."""
        taken = [part.take(np.arange(len(part))) for part in parts]
        sizes = np.concatenate([np.diff(part.bounds) for part in taken])
        return cls(Text.concat([part.text for part in taken]), np.concatenate([[0], np.cumsum(sizes)]))

    @property
    def digest(self) -> str:
        """Content hash."""
        return Ragged(self.bounds - self.bounds[0], [0, len(self.bounds)]).digest + self.text.digest


class BlockColumn(ColumnKind):
    """A column of blocks, made by `PackedDataset` itself; it cannot be left out."""

    def validate(self, values: Any, name: str) -> Any:
        return values

    def missing(self, n: int, like: Any) -> None:
        return None


def _block_fields(ds: Any) -> tuple[Field, ...]:
    return (Tokens(ds.columns["smiles"], ds.vocab, name="blocks", width=ds.block),)


class PackedDataset(BaseDataset[tuple[tuple[Tensor, Tensor], Tensor]]):
    """Blocks of whole texts, for causal language models that are to waste no computation on padding.

    Texts are packed in their order, each into the current block if it still fits, else into the next one; none is cut.
    A row of this dataset is a block: ``ds[i]`` are its ids, ``ds.smiles[i]`` its texts. Which texts share a block is
    fixed, also for ``ds.new(ds.smiles)``; the order of the blocks is the loader's. `kept` and added columns go by
    block, `rejects` by text. Tokens that the vocabulary learns later have no effect.

    Parameters
    ----------
    smiles : column of str
        n texts, in memory.
    vocab : Vocab
        Tokenizes and numbers them.
    block : int
        The number of ids of a block.
    collate_function : callable, optional
        `packed_collate` if not given.
    on_long : {"raise", "reject"}
        For texts of more than `block` ids: raise, or drop them and list them in `rejects`.

    Raises
    ------
    ValueError
        If `block` is less than 1.
    RowError
        If a row is not text, or too long: row, column, value.
    DatasetError
        If the column is not in memory, or the vocabulary does not begin texts with ``bos``.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = PackedDataset(["CC", "O", "CCC"], CharacterVocab(["C", "O"]), block=8)
    >>> len(ds), ds[0], ds.smiles[0].tolist()
    (2, tensor([0, 4, 4, 1, 0, 5, 1]), ['CC', 'O'])
    """

    task = Task({"smiles": BlockColumn()}, _block_fields, packed_collate, generates="smiles")

    smiles: Any
    vocab: Vocab
    block: int
    on_long: Literal["raise", "reject"]

    def __init__(
        self,
        smiles: Any,
        vocab: Vocab,
        block: int,
        collate_function: Collate | None = None,
        *,
        on_long: Literal["raise", "reject"] = "raise",
    ) -> None:
        block = operator.index(block)
        if block < 1:
            raise ValueError(f"block is {block}; expected 1 id or more")
        if on_long not in ("raise", "reject"):
            raise ValueError(f"on_long is {on_long!r}; expected 'raise' or 'reject': the texts of a block are whole")
        super().__init__(collate_function, vocab=vocab, block=block, on_long=on_long)
        self.set_rows({"smiles": smiles})

    def set_rows(
        self, columns: Mapping[str, Any], *, ids: Ragged | None = None, like: Mapping[str, Any] | None = None
    ) -> int:
        text, bounds = _texts_of(columns["smiles"])
        if ids is None:
            ids = self.vocab.encode(text)
        if not (ids.lengths.all() and (ids.values[ids.offsets[:-1]] == BOS).all()):
            raise DatasetError(
                "the texts of a block are separated by bos, which this vocabulary does not put in front of each text"
            )
        ok, rejects = split_by_length(self, text, ids.lengths, ("block", self.block))
        if not ok.all():
            text, ids, bounds = text.take(np.flatnonzero(ok)), ids.take(np.flatnonzero(ok)), None
        if bounds is None or (np.diff(ids.offsets[bounds]) > self.block).any():
            bounds = _pack(ids.lengths, self.block)
        n = super().set_rows({"smiles": Blocks(text, bounds)}, ids=Ragged(ids.values, ids.offsets[bounds]))
        self._rejects = rejects
        return n


def _texts_of(column: Any) -> tuple[Text, Rows64 | None]:
    """Return texts, those of blocks one after the other, and where those blocks begin."""
    if isinstance(column, View):
        column = column.take(np.arange(len(column)))
    if isinstance(column, Blocks):
        return column.text, column.bounds
    text = text_column(column, "smiles")
    if not isinstance(text, Text):
        raise DatasetError("blocks are packed of texts in memory; take some rows of the column, column.take(rows)")
    return text, None


def _pack(lengths: NDArray[np.int64], block: int) -> Rows64:
    """Return where blocks begin: each takes rows while they fit."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    bounds = [0]
    while (start := bounds[-1]) < len(lengths):
        bounds.append(int(np.searchsorted(ends, ends[start] + block, side="right")) - 1)
    return np.array(bounds, np.int64)
