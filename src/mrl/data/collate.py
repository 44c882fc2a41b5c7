"""Collate functions: samples of a data set to tensors. Pure, on the CPU; x and y never share memory.

Each takes what ``dataset.__getitems__`` returns, or a plain list of samples, with the same result, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.rows import Rows, takes_rows
from mrl.ragged import Ragged

__all__ = [
    "batch_sequences",
    "ids_of",
    "lm_collate",
    "sequence_prediction_collate",
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
    if not isinstance(sequences, Ragged):
        sequences = Ragged.from_rows([ids_of(row) for row in sequences], np.int64)
    longest = int(sequences.lengths.max(initial=0))
    return torch.from_numpy(sequences.to_padded(pad_idx, np.int64, longest + 1))


@takes_rows
def lm_collate(batch: Any, pad_idx: int, batch_first: bool = True) -> tuple[Tensor, Tensor]:
    """Give inputs and targets of next-token prediction.

    Parameters
    ----------
    batch : Rows, or sequence of B tensors of int64
        The ids of each row.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first.

    Returns
    -------
    x, y : Tensor, int64, shape (B, L), or (L, B)
        ``y`` is ``x`` one position later; the last column of ``y`` is padding. Memory of their own.

    Examples
    --------
    >>> x, y = lm_collate([torch.tensor([0, 4, 1])], 2)
    >>> x, y
    (tensor([[0, 4, 1]]), tensor([[4, 1, 2]]))
    """
    (sequences,) = _fields(batch, 1, "lm_collate")
    return _shifted(batch_sequences(sequences, pad_idx), batch_first)


@takes_rows
def sequence_prediction_collate(batch: Any, pad_idx: int, batch_first: bool = True) -> tuple[Tensor, Tensor]:
    """Give token ids and targets of each row.

    Parameters
    ----------
    batch : Rows, or sequence of B pairs (ids int64, target (T,))
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first, in ``x``.

    Returns
    -------
    x : Tensor, int64, shape (B, L + 1), or (L + 1, B)
        Ids, padded.
    y : Tensor, shape (B,) for one target, (B, T) for T
        Missing targets are NaN (-100 for integer classes).

    Examples
    --------
    >>> sequence_prediction_collate([(torch.tensor([0, 1]), torch.tensor([0.5]))], 2)
    (tensor([[0, 1, 2]]), tensor([0.5000]))
    """
    sequences, targets = _fields(batch, 2, "sequence_prediction_collate")
    x = batch_sequences(sequences, pad_idx)
    return (x if batch_first else _copied(x.numpy().T)), _stacked(targets).squeeze(-1)


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
    (vectors,) = _fields(batch, 1, "vector_collate")
    return _stacked(vectors)


@takes_rows
def vector_reconstruction_collate(
    batch: Any, pad_idx: int, batch_first: bool = True
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
    vectors, sequences = _fields(batch, 2, "vector_reconstruction_collate")
    x, y = _shifted(batch_sequences(sequences, pad_idx), batch_first)
    return (x, _stacked(vectors)), y


@takes_rows
def vector_prediction_collate(batch: Any) -> tuple[Tensor, Tensor]:
    """Give vectors and targets.

    Parameters
    ----------
    batch : Rows, or sequence of B pairs (vector (D,), target (T,))
        The samples.

    Returns
    -------
    v : Tensor, float32, shape (B, D)
    y : Tensor, shape (B,) for one target, (B, T) for T

    Examples
    --------
    >>> vector_prediction_collate([(torch.tensor([1.0, 2.0]), torch.tensor([0.5]))])
    (tensor([[1., 2.]]), tensor([0.5000]))
    """
    vectors, targets = _fields(batch, 2, "vector_prediction_collate")
    return _stacked(vectors), _stacked(targets).squeeze(-1)


def ids_of(row: Any) -> NDArray[Any]:
    """One row of ids as an array, which `Ragged` checks."""
    array = np.asarray(row.detach().cpu() if hasattr(row, "detach") else row)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"a row of ids is {array.dtype}, expected whole numbers: {array[:5]!r}")
    return array if array.size else array.astype(np.int64)


def _fields(batch: Any, n: int, name: str) -> tuple[Any, ...]:
    """The n fields of a batch, each over all rows."""
    if isinstance(batch, Rows):
        fields = batch.gather()
        if len(fields) != n:
            raise ValueError(f"{name} takes samples of {n} field(s), this data set has {len(fields)}: {batch.names}")
        return fields
    return (batch,) if n == 1 else tuple([sample[i] for sample in batch] for i in range(n))


def _stacked(tensors: Tensor | Sequence[Tensor]) -> Tensor:
    if isinstance(tensors, Tensor):
        return tensors
    return torch.stack(list(tensors)) if len(tensors) else torch.zeros((0, 1), device="cpu")


def _shifted(ids: Tensor, batch_first: bool) -> tuple[Tensor, Tensor]:
    """All positions but the last, and all but the first, in memory of their own."""
    array = ids.numpy()
    x, y = (array[:, :-1], array[:, 1:]) if batch_first else (array.T[:-1], array.T[1:])
    return _copied(x), _copied(y)


def _copied(array: NDArray[Any]) -> Tensor:
    """A contiguous copy; by NumPy, because torch's threads cost more than they spare at this size."""
    return torch.from_numpy(array.copy(order="C"))
