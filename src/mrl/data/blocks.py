"""Blocks of several texts: as a column, as batches, and the mask that keeps their texts apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from mrl.data.collate import fields_of
from mrl.data.columns import Rows64
from mrl.data.padding import shifted, transposed
from mrl.data.rows import takes_rows
from mrl.ragged import Ragged, Text
from mrl.text import BOS

__all__ = ["Blocks", "block_mask", "packed_collate", "segments_of"]


@takes_rows
def packed_collate(
    batch: Any, pad_idx: int, block: int, batch_first: bool = True
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Give blocks of several texts each, which text each position belongs to, and the targets.

    Parameters
    ----------
    batch : Rows, or sequence of B tensors of int64
        The ids of each block: texts one behind the other, each from bos to eos.
    pad_idx : int
        The id of padding.
    block : int
        The width of a block.
    batch_first : bool
        Rows first, or positions first.

    Returns
    -------
    (x, segments), y : Tensors, int64, shape (B, block), or (block, B)
        ``segments`` counts the texts of a block from 1, and is 0 at padding; see `block_mask`. ``y`` is what follows in
        the same text, and padding behind its eos.

    Examples
    --------
    >>> import torch
    >>> (x, segments), y = packed_collate([torch.tensor([0, 4, 1, 0, 5, 1])], 2, 8)
    >>> x, segments, y
    (tensor([[0, 4, 1, 0, 5, 1, 2, 2]]), tensor([[1, 1, 1, 2, 2, 2, 0, 0]]), tensor([[4, 1, 2, 5, 1, 2, 2, 2]]))
    """
    (blocks,) = fields_of(batch, 1, "packed_collate")
    x, y = shifted(blocks, pad_idx, pad_to=block)
    y.masked_fill_(y == BOS, pad_idx)
    segments = segments_of(x, pad_idx)
    return ((x, segments), y) if batch_first else ((transposed(x), transposed(segments)), transposed(y))


def segments_of(x: Tensor, pad_idx: int) -> Tensor:
    """Give which text of its block each position belongs to: from 1 on, 0 at padding; int64 (B, L)."""
    return (x == BOS).cumsum(1) * (x != pad_idx)


def block_mask(segments: Tensor) -> Tensor:
    """Give which positions each position may look at: itself and what stands before it in the same text.

    Parameters
    ----------
    segments : Tensor, int64, shape (B, L)
        As `packed_collate` gives them.

    Returns
    -------
    Tensor, bool, shape (B, 1, L, L)
        The ``attn_mask`` of ``torch.nn.functional.scaled_dot_product_attention``, for any number of heads. A position
        of padding looks at padding, so that no row of it is empty.

    Examples
    --------
    >>> import torch
    >>> block_mask(torch.tensor([[1, 1, 2]])).int()[0, 0]
    tensor([[1, 0, 0],
            [1, 1, 0],
            [0, 0, 1]], dtype=torch.int32)
    """
    same = segments.unsqueeze(2) == segments.unsqueeze(1)
    return same.tril().unsqueeze(1)


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
        """All rows as lists of str."""
        return [self[i].tolist() for i in range(len(self))]

    def __repr__(self) -> str:
        return f"Blocks({len(self)} rows of {self.text!r})"

    def take(self, rows: Any) -> Blocks:
        """Give the rows `rows`."""
        taken = Ragged(np.arange(len(self.text)), self.bounds).take(np.arange(len(self))[rows])
        return Blocks(self.text.take(taken.values), taken.offsets)

    @property
    def digest(self) -> str:
        """Content hash."""
        return Ragged(self.bounds - self.bounds[0], [0, len(self.bounds)]).digest + self.text.digest
