"""Causal language modelling in blocks of one size: short molecules share a block, and do not see each other."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.data.blocks import Blocks, packed_collate
from mrl.data.columns import Rows64, View
from mrl.data.fields import Tokens
from mrl.data.layouts import OnLong, text_of
from mrl.data.text_datasets import TextDataset
from mrl.errors import DatasetError
from mrl.features import OnError
from mrl.ragged import Ragged, Text
from mrl.text import BOS, Vocab

__all__ = ["PackedDataset"]

Collate = Callable[[Any], Any]


class PackedDataset(TextDataset):
    """Blocks of whole texts, for causal language models that are to waste no computation on padding.

    Texts are packed in their order, each into the current block if it still fits, else into the next one; none is cut.
    A row of this data set is a block: ``ds[i]`` are its ids, ``ds.smiles[i]`` its texts. Which texts share a block is
    fixed, also for ``ds.new(ds.smiles)``; the order of the blocks is the loader's. `kept` and added columns go by
    block, `rejects` by text. What the vocabulary learns later is not noticed.

    Parameters
    ----------
    smiles : column of str
        n texts, in memory.
    vocab : Vocab
        Cuts and numbers them.
    block : int
        Ids of a block.
    collate_function : callable, optional
        `packed_collate` if not given.
    on_long : {"raise", "reject"}
        For texts of more than `block` ids: raise, or leave them out and list them in `rejects`.

    Raises
    ------
    ValueError
        If `block` is less than 1.
    RowError
        If a row is no text, or too long: row, column, value.
    DatasetError
        If the column is not in memory, or the vocabulary does not begin texts with ``bos``.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = PackedDataset(["CC", "O", "CCC"], CharacterVocab(["C", "O"]), block=8)
    >>> len(ds), ds[0], ds.smiles[0].tolist()
    (2, tensor([0, 4, 4, 1, 0, 5, 1]), ['CC', 'O'])
    """

    settled = (*TextDataset.settled, "block")
    limit = "block"

    def __init__(
        self,
        smiles: Any,
        vocab: Vocab,
        block: int,
        collate_function: Collate | None = None,
        *,
        on_long: OnLong = "raise",
    ) -> None:
        block = operator.index(block)
        if block < 1:
            raise ValueError(f"block is {block}; expected 1 id or more")
        collate = collate_function or partial(packed_collate, pad_idx=vocab.stoi["pad"], block=block)
        self._configure(vocab, collate, None, 0, block, on_long)
        self.block = block
        self._set({"smiles": smiles})

    def _set(self, columns: dict[str, Any], on_error: OnError | None = None, ids: Ragged | None = None) -> None:
        text, bounds = _texts(columns["smiles"])
        if ids is None:
            ids = self.vocab.encode(text)
        if not (ids.lengths.all() and (ids.values[ids.offsets[:-1]] == BOS).all()):
            raise DatasetError("blocks tell their texts apart by bos, with which this vocabulary does not begin them")
        ok, rejects = self.too_long(text, ids.lengths, on_error)
        if not ok.all():
            text, ids, bounds = text.take(np.flatnonzero(ok)), ids.take(np.flatnonzero(ok)), None
        if bounds is None or (np.diff(ids.offsets[bounds]) > self.block).any():
            bounds = _packed(ids.lengths, self.block)
        super()._set({"smiles": Blocks(text, bounds)}, on_error, Ragged(ids.values, ids.offsets[bounds]))
        self._rejects = rejects

    def _tokens(self, columns: Mapping[str, Any]) -> Tokens:
        return Tokens(columns["smiles"], self.vocab, name="blocks")

    def refused(self, on_error: OnError | None) -> None:
        """None: texts were looked at before they were packed."""

    def _add_all(self, name: str, values: Any) -> None:
        self.add_column(name, values)  # a value for each block: what was refused were texts


def _texts(column: Any) -> tuple[Text, Rows64 | None]:
    """Texts, those of blocks one behind the other, and where those blocks begin."""
    if isinstance(column, View):
        column = column.take(np.arange(len(column)))
    if isinstance(column, Blocks):
        return column.text, column.bounds
    text = text_of(column, "smiles")
    if not isinstance(text, Text):
        raise DatasetError("blocks are packed of texts in memory; take some rows of the column, column.take(rows)")
    return text, None


def _packed(lengths: NDArray[np.int64], block: int) -> Rows64:
    """Where blocks begin: each takes rows while they fit."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    bounds = [0]
    while (start := bounds[-1]) < len(lengths):
        bounds.append(int(np.searchsorted(ends, ends[start] + block, side="right")) - 1)
    return np.array(bounds, np.int64)
