"""Collate functions of the other tasks: pairs of texts, prompts, masked tokens, packed blocks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mrl.data.batch import takes_lazy_batch
from mrl.data.collate.padding import Padding
from mrl.data.collate.sequences import next_token_pairs, pad_rows, parts_of, stack_numbers, transpose
from mrl.data.fields.selection import select_rows
from mrl.ragged import IGNORED
from mrl.text import BOS


@takes_lazy_batch
def pair_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    padding: Padding = Padding(),
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return sources, and inputs and targets of next-token prediction of the text that belongs to each.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B pairs (source ids int64, target ids int64)
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first.
    padding : Padding
        The width and side of padding, of the sources and of ``x`` alike.

    Returns
    -------
    (source, x), y : Tensors, int64
        Source (B, S); x and y (B, L) as in `lm_collate`; positions first if not `batch_first`.

    Examples
    --------
    >>> import torch
    >>> (source, x), y = pair_collate([(torch.tensor([0, 5, 1]), torch.tensor([0, 4, 4, 1]))], 2)
    >>> source, x, y
    (tensor([[0, 5, 1]]), tensor([[0, 4, 4, 1]]), tensor([[4, 4, 1, 2]]))
    """
    sources, targets = parts_of(batch, 2, "pair_collate")
    source = pad_rows(sources, pad_idx, padding)
    x, y = next_token_pairs(targets, pad_idx, batch_first, padding)
    return (source if batch_first else transpose(source), x), y


@takes_lazy_batch
def prompt_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    padding: Padding = Padding(),
) -> tuple[Tensor, Tensor]:
    """Return inputs and targets of next-token prediction after a prompt.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B pairs (ids int64 of prompt and text, number of prompt ids (1,))
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first.
    padding : Padding
        The width and side of padding, as in `lm_collate`.

    Returns
    -------
    x, y : Tensor, int64, shape (B, L), or (L, B)
        As in `lm_collate`; ``y`` is padding where what follows belongs to the prompt.

    Examples
    --------
    >>> import torch
    >>> prompt_collate([(torch.tensor([0, 7, 7, 4, 1]), torch.tensor([2]))], 2)
    (tensor([[0, 7, 7, 4, 1]]), tensor([[2, 2, 4, 1, 2]]))
    """
    sequences, prompts = parts_of(batch, 2, "prompt_collate")
    ids = select_rows(sequences)
    x, y = next_token_pairs(ids, pad_idx, padding=padding)
    lengths = torch.from_numpy(ids.lengths).to(x.device).unsqueeze(1)
    first = x.shape[1] - lengths if padding.side == "left" else torch.zeros_like(lengths)
    places = torch.arange(x.shape[1], device=x.device) - first
    y.masked_fill_(places < stack_numbers(prompts).view(-1, 1), pad_idx)  # in front of a row there is padding already
    return (x, y) if batch_first else (transpose(x), transpose(y))


@takes_lazy_batch
def masked_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    padding: Padding = Padding(),
) -> tuple[Tensor, Tensor]:
    """Return rows with hidden tokens, and what was hidden.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B pairs (ids int64 (L,), targets int64 (L,))
        The samples.
    pad_idx : int
        The id of padding in ``x``.
    batch_first : bool
        Rows first, or positions first.
    padding : Padding
        The width and side of padding, as in `lm_collate`.

    Returns
    -------
    x, y : Tensor, int64, shape (B, L), or (L, B)
        ``y`` is -100, which torch's losses leave out, wherever nothing is to be predicted.

    Examples
    --------
    >>> import torch
    >>> masked_collate([(torch.tensor([0, 3, 1]), torch.tensor([-100, 4, -100])), (torch.tensor([0, 1]),) * 2], 2)
    (tensor([[0, 3, 1],
            [0, 1, 2]]), tensor([[-100,    4, -100],
            [   0,    1, -100]]))
    """
    sequences, targets = parts_of(batch, 2, "masked_collate")
    x = pad_rows(sequences, pad_idx, padding)
    y = pad_rows(targets, IGNORED, padding)
    return (x, y) if batch_first else (transpose(x), transpose(y))


@takes_lazy_batch
def packed_collate(
    batch: Any, pad_idx: int, block: int, batch_first: bool = True
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return blocks of several texts each, which text each position belongs to, and the targets.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B tensors of int64
        The ids of each block: texts one after the other, each from bos to eos.
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
        the same text, and padding after its eos.

    Examples
    --------
    >>> import torch
    >>> (x, segments), y = packed_collate([torch.tensor([0, 4, 1, 0, 5, 1])], 2, 8)
    >>> x, segments, y
    (tensor([[0, 4, 1, 0, 5, 1, 2, 2]]), tensor([[1, 1, 1, 2, 2, 2, 0, 0]]), tensor([[4, 1, 2, 5, 1, 2, 2, 2]]))
    """
    (blocks,) = parts_of(batch, 1, "packed_collate")
    x, y = next_token_pairs(blocks, pad_idx, padding=Padding(to=block))
    y.masked_fill_(y == BOS, pad_idx)
    segments = segment_numbers(x, pad_idx)
    return ((x, segments), y) if batch_first else ((transpose(x), transpose(segments)), transpose(y))


def segment_numbers(x: Tensor, pad_idx: int) -> Tensor:
    """Return which text of its block each position belongs to: from 1 on, 0 at padding; int64 (B, L)."""
    return (x == BOS).cumsum(1) * (x != pad_idx)


def block_mask(segments: Tensor) -> Tensor:
    """Return which positions each position may attend to: itself and those in front of it in the same text.

    Parameters
    ----------
    segments : Tensor, int64, shape (B, L)
        As `packed_collate` returns them.

    Returns
    -------
    Tensor, bool, shape (B, 1, L, L)
        The ``attn_mask`` of ``torch.nn.functional.scaled_dot_product_attention``, for any number of heads. A position
        of padding attends to padding, so that no row is empty.

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
