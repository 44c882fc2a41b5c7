"""Collate functions: samples of a data set to tensors. Pure, on the CPU; x and y never share memory.

Each takes what ``dataset.__getitems__`` returns, or a plain list of samples, with the same result, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mrl.data.padding import PadSide, padded, shifted, transposed
from mrl.data.rows import Rows, takes_rows

__all__ = [
    "batch_sequences",
    "fields_of",
    "lm_collate",
    "sequence_prediction_collate",
    "stacked",
    "vector_collate",
    "vector_prediction_collate",
    "vector_reconstruction_collate",
]


def batch_sequences(sequences: Any, pad_idx: int) -> Tensor:
    """Pad sequences of ids to one length, and by one column more.

    Parameters
    ----------
    sequences : Ragged, or sequence of B tensors, arrays or lists of int
        The ids of each row.
    pad_idx : int
        What fills the rest.

    Returns
    -------
    Tensor, int64, shape (B, longest + 1)
        Memory of its own; (0, 1) for no sequences.

    Raises
    ------
    ValueError
        If the ids are no whole numbers, or a sequence is not one-dimensional.

    Examples
    --------
    >>> batch_sequences([torch.tensor([0, 4, 1]), [0, 1]], 2)
    tensor([[0, 4, 1, 2],
            [0, 1, 2, 2]])
    """
    return padded(sequences, pad_idx, extra=1)


@takes_rows
def lm_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
) -> tuple[Tensor, Tensor]:
    """Give inputs and targets of next-token prediction.

    Parameters
    ----------
    batch : Rows, or sequence of B tensors of int64
        The ids of each row.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first.
    pad_to : int, optional
        The width of ``x``, for models that are compiled for one shape.
    pad_multiple : int, optional
        Make the width of ``x`` a multiple of this, so that few shapes occur.
    pad_side : {"right", "left"}
        Where padding goes; left for prompts that a model continues.

    Returns
    -------
    x, y : Tensor, int64, shape (B, L), or (L, B)
        ``y`` is ``x`` one position later, and padding where a row has ended. Memory of their own.

    Raises
    ------
    RowError
        (A ValueError.) If a row is longer than `pad_to`.

    Examples
    --------
    >>> x, y = lm_collate([torch.tensor([0, 4, 1])], 2)
    >>> x, y
    (tensor([[0, 4, 1]]), tensor([[4, 1, 2]]))
    """
    (sequences,) = fields_of(batch, 1, "lm_collate")
    return shifted(sequences, pad_idx, batch_first, pad_to=pad_to, pad_multiple=pad_multiple, pad_side=pad_side)


@takes_rows
def sequence_prediction_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
) -> tuple[Tensor, ...]:
    """Give token ids and targets of each row.

    Parameters
    ----------
    batch : Rows, or sequence of B pairs (ids int64, target (T,)), or of triples with a weight (1,)
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first, in ``x``.
    pad_to, pad_multiple, pad_side
        As in `lm_collate`.

    Returns
    -------
    x : Tensor, int64, shape (B, L + 1), or (L + 1, B)
        Ids, padded.
    y : Tensor, shape (B,) for one target, (B, T) for T
        Missing targets are NaN (-100 for integer classes).
    weights : Tensor, float32, shape (B,)
        Only where the data set has weights.

    Examples
    --------
    >>> sequence_prediction_collate([(torch.tensor([0, 1]), torch.tensor([0.5]))], 2)
    (tensor([[0, 1, 2]]), tensor([0.5000]))
    """
    sequences, targets, *weights = fields_of(batch, (2, 3), "sequence_prediction_collate")
    x = padded(sequences, pad_idx, extra=1, pad_to=pad_to, pad_multiple=pad_multiple, pad_side=pad_side)
    numbers = tuple(stacked(field).squeeze(-1) for field in (targets, *weights))
    return (x if batch_first else transposed(x)), *numbers


@takes_rows
def vector_collate(batch: Any) -> Tensor:
    """Stack vectors.

    Parameters
    ----------
    batch : Rows, or sequence of B tensors of shape (D,)
        The samples.

    Returns
    -------
    Tensor, float32, shape (B, D)

    Examples
    --------
    >>> vector_collate([torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    (vectors,) = fields_of(batch, 1, "vector_collate")
    return stacked(vectors)


@takes_rows
def vector_reconstruction_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Give inputs (tokens first, then vectors) and targets of next-token prediction from a vector.

    Parameters
    ----------
    batch : Rows, or sequence of B pairs (vector (D,), ids int64)
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first, in ``x`` and ``y``.
    pad_to, pad_multiple, pad_side
        As in `lm_collate`.

    Returns
    -------
    (x, v), y : Tensors
        x and y int64 (B, L) or (L, B) as in `lm_collate`, v float32 (B, D).

    Examples
    --------
    >>> (x, v), y = vector_reconstruction_collate([(torch.tensor([0.5]), torch.tensor([0, 4, 1]))], 2)
    >>> x, v, y
    (tensor([[0, 4, 1]]), tensor([[0.5000]]), tensor([[4, 1, 2]]))
    """
    vectors, sequences = fields_of(batch, 2, "vector_reconstruction_collate")
    x, y = shifted(sequences, pad_idx, batch_first, pad_to=pad_to, pad_multiple=pad_multiple, pad_side=pad_side)
    return (x, stacked(vectors)), y


@takes_rows
def vector_prediction_collate(batch: Any) -> tuple[Tensor, ...]:
    """Give vectors and targets.

    Parameters
    ----------
    batch : Rows, or sequence of B pairs (vector (D,), target (T,)), or of triples with a weight (1,)
        The samples.

    Returns
    -------
    v : Tensor, float32, shape (B, D)
    y : Tensor, shape (B,) for one target, (B, T) for T
    weights : Tensor, float32, shape (B,)
        Only where the data set has weights.

    Examples
    --------
    >>> vector_prediction_collate([(torch.tensor([1.0, 2.0]), torch.tensor([0.5]))])
    (tensor([[1., 2.]]), tensor([0.5000]))
    """
    vectors, *numbers = fields_of(batch, (2, 3), "vector_prediction_collate")
    return stacked(vectors), *(stacked(field).squeeze(-1) for field in numbers)


def fields_of(batch: Any, n: int | tuple[int, ...], name: str) -> tuple[Any, ...]:
    """The n fields of a batch, each over all rows."""
    allowed = (n,) if isinstance(n, int) else n
    if isinstance(batch, Rows):
        if len(batch.names) not in allowed:
            raise ValueError(
                f"{name} takes samples of {allowed[0]} field(s), this data set has {len(batch.names)}: {batch.names}"
            )
        return batch.gather()
    if n == 1:
        return (batch,)
    found = len(batch[0]) if len(batch) else allowed[0]
    if found not in allowed or (len(batch) and isinstance(batch[0], Tensor)):
        raise ValueError(f"{name} takes samples of {allowed[0]} field(s), got {type(batch[0]).__name__} of {found}")
    return tuple([sample[i] for sample in batch] for i in range(found))


def stacked(tensors: Tensor | Sequence[Tensor]) -> Tensor:
    if isinstance(tensors, Tensor):
        return tensors
    return torch.stack(list(tensors)) if len(tensors) else torch.zeros((0, 1), device="cpu")
