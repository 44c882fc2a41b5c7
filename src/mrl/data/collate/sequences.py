"""The tools of collate functions, from parts of a batch to padded tensors, and the notebook's collate functions.

Pure, on the CPU; x and y never share memory: one pass from flat arrays into memory of their own. A collate function
takes a `LazyBatch` or a list of samples, with the same result, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mrl import kernels
from mrl.data.batch import LazyBatch, takes_lazy_batch
from mrl.data.collate.padding import Padding
from mrl.data.columns import Rows64
from mrl.data.device import to_device
from mrl.data.fields.selection import RowSelection, select_rows


def parts_of(batch: Any, n: int | tuple[int, ...], name: str) -> tuple[Any, ...]:
    """Return the parts of a batch, each over all rows: the first step of a collate function.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B samples
        What the collate function was given.
    n : int or tuple of int
        How many parts its samples have.
    name : str
        The name of the collate function, for messages.

    Returns
    -------
    tuple
        n parts: `RowSelection` of ids, or tensor (B, D), of a lazy batch; list of B tensors of a list of samples.
        `pad_rows`, `next_token_pairs` and `stack_numbers` take both.

    Raises
    ------
    ValueError
        If the samples have another number of parts.

    Examples
    --------
    >>> parts_of([(torch.tensor([0, 1]), torch.tensor([0.5]))], 2, "my_collate")
    ([tensor([0, 1])], [tensor([0.5000])])
    """
    allowed = (n,) if isinstance(n, int) else n
    if isinstance(batch, LazyBatch):
        rows, epoch = batch.storage_rows, batch.request.epoch  # of each row only where all fields are joined ones
        parts = tuple(part for field in batch.fields for part in field.gather(rows, epoch))  # type: ignore[arg-type]
        if len(parts) not in allowed:
            raise ValueError(
                f"{name} takes samples of {allowed[0]} part(s), those of this dataset have {len(parts)}: {batch.names}"
            )
        return parts
    if n == 1:
        return (batch,)
    found = len(batch[0]) if len(batch) else allowed[0]
    if found not in allowed or (len(batch) and isinstance(batch[0], Tensor)):
        raise ValueError(f"{name} takes samples of {allowed[0]} part(s), got {type(batch[0]).__name__} of {found}")
    return tuple([sample[i] for sample in batch] for i in range(found))


def stack_numbers(tensors: Tensor | Sequence[Tensor]) -> Tensor:
    """Return a part of numbers as one tensor.

    Parameters
    ----------
    tensors : Tensor (B, D), or sequence of B tensors (D,)
        The part.

    Returns
    -------
    Tensor, shape (B, D)

    Examples
    --------
    >>> stack_numbers([torch.tensor([0.5]), torch.tensor([1.5])]).shape
    torch.Size([2, 1])
    """
    if isinstance(tensors, Tensor):
        return tensors
    return torch.stack(list(tensors)) if len(tensors) else torch.zeros((0, 1), device="cpu")


def pad_rows(sequences: Any, pad_idx: int, padding: Padding = Padding(), *, extra: int = 0) -> Tensor:
    """Return a part of ids as one padded tensor.

    Parameters
    ----------
    sequences : RowSelection, Ragged, or sequence of B tensors, arrays or lists of int
        The part.
    pad_idx : int
        The id that fills the rest.
    padding : Padding
        The width, and the side of the padding.
    extra : int
        Columns beyond the longest row, unless `padding` sets the width.

    Returns
    -------
    Tensor, int64, shape (B, width)
        Memory of its own.

    Raises
    ------
    RowError
        (A ValueError.) If a row is longer than ``padding.to``.

    Examples
    --------
    >>> pad_rows([[0, 4, 1], [0, 1]], 2)
    tensor([[0, 4, 1],
            [0, 1, 2]])
    """
    return _pad(sequences, pad_idx, padding, extra, pairs=False)[0]


def next_token_pairs(
    sequences: Any, pad_idx: int, batch_first: bool = True, padding: Padding = Padding()
) -> tuple[Tensor, Tensor]:
    """Return a part of ids as padded inputs and targets of next-token prediction.

    Parameters
    ----------
    sequences : RowSelection, Ragged, or sequence of B tensors, arrays or lists of int
        The part.
    pad_idx : int
        The id that fills the rest.
    batch_first : bool
        Rows first, or positions first.
    padding : Padding
        The width, and the side of the padding.

    Returns
    -------
    x, y : Tensor, int64, shape (B, width), or (width, B)
        The ids, and for each of them the one that follows it. Memory of their own.

    Raises
    ------
    RowError
        (A ValueError.) If a row is longer than ``padding.to``.

    Examples
    --------
    >>> next_token_pairs([[0, 4, 1], [0, 1]], 2)
    (tensor([[0, 4, 1],
            [0, 1, 2]]), tensor([[4, 1, 2],
            [1, 2, 2]]))
    """
    x, y = _pad(sequences, pad_idx, padding, 0, pairs=True)
    return (x, y) if batch_first else (transpose(x), transpose(y))


def transpose(matrix: Tensor) -> Tensor:
    """Return a contiguous transposed copy; by NumPy, since torch's threads cost more than they save at this size."""
    if matrix.device.type != "cpu":
        return matrix.T.contiguous()
    return torch.from_numpy(matrix.numpy().T.copy(order="C"))


def _pad(sequences: Any, pad_idx: int, padding: Padding, extra: int, *, pairs: bool) -> tuple[Tensor, Tensor]:
    selection = select_rows(sequences)
    parts = [selection] if isinstance(selection, RowSelection) else selection.parts
    longest = max((kernels.max_length(part.offsets, part.rows) for part in parts), default=0)
    width = padding.width(lambda: selection.lengths, longest, extra)
    left = padding.side == "left"
    if isinstance(selection, RowSelection):
        values, offsets, rows, _, device_offsets = selection
        if device_offsets is not None:
            return _pad_on_device(values, device_offsets, rows, pad_idx, width, left=left, pairs=pairs)
        x, y = kernels.pad(values, offsets, rows, pad_idx, width, left=left, with_next=pairs)
    else:
        arrays = [(*part[:3], places) for part, places in zip(selection.parts, selection.places, strict=True)]
        x, y = kernels.pad_parts(arrays, pad_idx, width, left=left, with_next=pairs)
    return torch.from_numpy(x), torch.from_numpy(y)


def _pad_on_device(
    values: Tensor, offsets: Tensor, rows: Rows64, pad_idx: int, width: int, *, left: bool, pairs: bool
) -> tuple[Tensor, Tensor]:
    """Do what `kernels.pad` does, on a device."""
    device = values.device
    index = to_device(torch.tensor(rows, device="cpu"), device)
    begins = offsets[index].unsqueeze(1)
    lengths = offsets[index + 1].unsqueeze(1) - begins
    places = torch.arange(width, device=device)
    places = places - (width - lengths) if left else places.expand(len(rows), width)

    def ids_after(skip: int) -> Tensor:
        if not len(values):
            return torch.full(places.shape, pad_idx, device=device)
        inside = (places >= 0) & (places < lengths - skip)
        found = values[(begins + places + skip).clamp_(0, len(values) - 1)]
        return found.long().masked_fill_(~inside, pad_idx)

    return ids_after(0), ids_after(1) if pairs else begins.new_zeros((0, 0))


def batch_sequences(sequences: Any, pad_idx: int) -> Tensor:
    """Pad sequences of ids to one length, and by one column more.

    Parameters
    ----------
    sequences : Ragged, or sequence of B tensors, arrays or lists of int
        The ids of each row.
    pad_idx : int
        The id that fills the rest.

    Returns
    -------
    Tensor, int64, shape (B, longest + 1)
        Memory of its own; (0, 1) for no sequences.

    Raises
    ------
    ValueError
        If the ids are not integers, or a sequence is not one-dimensional.

    Examples
    --------
    >>> import torch
    >>> batch_sequences([torch.tensor([0, 4, 1]), [0, 1]], 2)
    tensor([[0, 4, 1, 2],
            [0, 1, 2, 2]])
    """
    return pad_rows(sequences, pad_idx, extra=1)


@takes_lazy_batch
def lm_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    padding: Padding = Padding(),
) -> tuple[Tensor, Tensor]:
    """Return inputs and targets of next-token prediction.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B tensors of int64
        The ids of each row.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first.
    padding : Padding
        The width of ``x``, and the side of its padding.

    Returns
    -------
    x, y : Tensor, int64, shape (B, L), or (L, B)
        ``y`` is ``x`` one position later, and padding where a row has ended. Memory of their own.

    Raises
    ------
    RowError
        (A ValueError.) If a row is longer than ``padding.to``.

    Examples
    --------
    >>> import torch
    >>> x, y = lm_collate([torch.tensor([0, 4, 1])], 2)
    >>> x, y
    (tensor([[0, 4, 1]]), tensor([[4, 1, 2]]))
    """
    (sequences,) = parts_of(batch, 1, "lm_collate")
    return next_token_pairs(sequences, pad_idx, batch_first, padding)


@takes_lazy_batch
def sequence_prediction_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    padding: Padding = Padding(),
) -> tuple[Tensor, ...]:
    """Return token ids and targets of each row.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B pairs (ids int64, target (T,)), or of triples with a weight (1,)
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first, in ``x``.
    padding : Padding
        The width and side of padding, as in `lm_collate`.

    Returns
    -------
    x : Tensor, int64, shape (B, L + 1), or (L + 1, B)
        Ids, padded.
    y : Tensor, shape (B,) for one target, (B, T) for T
        Missing targets are NaN (-100 for integer classes).
    weights : Tensor, float32, shape (B,)
        Only where the dataset has weights.

    Examples
    --------
    >>> import torch
    >>> sequence_prediction_collate([(torch.tensor([0, 1]), torch.tensor([0.5]))], 2)
    (tensor([[0, 1, 2]]), tensor([0.5000]))
    """
    sequences, targets, *weights = parts_of(batch, (2, 3), "sequence_prediction_collate")
    x = pad_rows(sequences, pad_idx, padding, extra=1)
    numbers = tuple(stack_numbers(field).squeeze(-1) for field in (targets, *weights))
    return (x if batch_first else transpose(x)), *numbers


@takes_lazy_batch
def vector_collate(batch: Any) -> Tensor:
    """Stack vectors.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B tensors of shape (D,)
        The samples.

    Returns
    -------
    Tensor, float32, shape (B, D)

    Examples
    --------
    >>> import torch
    >>> vector_collate([torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    (vectors,) = parts_of(batch, 1, "vector_collate")
    return stack_numbers(vectors)


@takes_lazy_batch
def vector_reconstruction_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    padding: Padding = Padding(),
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return inputs (tokens first, then vectors) and targets of next-token prediction from a vector.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B pairs (vector (D,), ids int64)
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first, in ``x`` and ``y``.
    padding : Padding
        The width and side of padding, as in `lm_collate`.

    Returns
    -------
    (x, v), y : Tensors
        x and y int64 (B, L) or (L, B) as in `lm_collate`, v float32 (B, D).

    Examples
    --------
    >>> import torch
    >>> (x, v), y = vector_reconstruction_collate([(torch.tensor([0.5]), torch.tensor([0, 4, 1]))], 2)
    >>> x, v, y
    (tensor([[0, 4, 1]]), tensor([[0.5000]]), tensor([[4, 1, 2]]))
    """
    vectors, sequences = parts_of(batch, 2, "vector_reconstruction_collate")
    x, y = next_token_pairs(sequences, pad_idx, batch_first, padding)
    return (x, stack_numbers(vectors)), y


@takes_lazy_batch
def vector_prediction_collate(batch: Any) -> tuple[Tensor, ...]:
    """Return vectors and targets.

    Parameters
    ----------
    batch : LazyBatch, or sequence of B pairs (vector (D,), target (T,)), or of triples with a weight (1,)
        The samples.

    Returns
    -------
    v : Tensor, float32, shape (B, D)
    y : Tensor, shape (B,) for one target, (B, T) for T
    weights : Tensor, float32, shape (B,)
        Only where the dataset has weights.

    Examples
    --------
    >>> import torch
    >>> vector_prediction_collate([(torch.tensor([1.0, 2.0]), torch.tensor([0.5]))])
    (tensor([[1., 2.]]), tensor([0.5000]))
    """
    vectors, *numbers = parts_of(batch, (2, 3), "vector_prediction_collate")
    return stack_numbers(vectors), *(stack_numbers(field).squeeze(-1) for field in numbers)
