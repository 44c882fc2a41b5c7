"""Rows of ids to padded tensors: one pass from flat arrays into memory of their own."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl import kernels
from mrl.data.columns import Rows64
from mrl.data.device import to_device
from mrl.errors import RowError
from mrl.ragged import Ragged

__all__ = ["OnDevice", "PadSide", "Picked", "ids_of", "padded", "picked", "shifted", "transposed"]

PadSide = Literal["right", "left"]


class OnDevice(NamedTuple):
    """Rows of ids in the memory of a device.

    Attributes
    ----------
    values : Tensor of uint8, int16 or wider, shape (total,)
        Ids of all rows, on the device.
    begins : Tensor of int64, shape (n + 1,)
        Where rows begin and end, on the device.
    offsets : ndarray of int64, shape (n + 1,)
        The same in this process's own memory, so that no shape has to be asked of the device.
    """

    values: Tensor
    begins: Tensor
    offsets: Rows64

    @classmethod
    def of(cls, ids: Ragged, device: torch.device) -> OnDevice:
        """Copy `ids` to `device`."""
        values = ids.flat
        if values.dtype not in (np.uint8, np.int64):  # torch's unsigned types beyond uint8 cannot be indexed with
            values = values.astype(np.int16 if values.max(initial=0) < 1 << 15 else np.int32)
        offsets = ids.offsets - ids.offsets[0]
        return cls(torch.tensor(values, device=device), torch.tensor(offsets, device=device), offsets)

    def take(self, rows: Rows64) -> Ragged:
        """Give the rows `rows`, copied back."""
        return Ragged(self.values.cpu().numpy(), self.offsets).take(rows)


class Picked(NamedTuple):
    """Some rows of ids, not copied yet.

    Attributes
    ----------
    ids : Ragged or OnDevice
        Rows of ids.
    rows : ndarray of int64, shape (B,)
        Which of them.
    """

    ids: Any
    rows: Rows64

    @property
    def lengths(self) -> Rows64:
        """Number of ids of each row, int64 (B,)."""
        offsets: Rows64 = self.ids.offsets
        return offsets[self.rows + 1] - offsets[self.rows]


def picked(sequences: Any) -> Picked:
    """Take what a field gives, a `Ragged`, or a sequence of tensors, arrays or lists of ids."""
    if isinstance(sequences, Picked):
        return sequences
    if not isinstance(sequences, Ragged):
        sequences = Ragged.from_rows([ids_of(row) for row in sequences], np.int64)
    return Picked(sequences, np.arange(len(sequences)))


def ids_of(row: Any) -> NDArray[Any]:
    """One row of ids as an array, which `Ragged` checks."""
    array = np.asarray(row.detach().cpu() if hasattr(row, "detach") else row)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"a row of ids is {array.dtype}, expected whole numbers: {array[:5]!r}")
    return array if array.size else array.astype(np.int64)


def padded(
    sequences: Any,
    pad_idx: int,
    *,
    extra: int = 0,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
) -> Tensor:
    """Give rows of ids as int64 (B, width); `extra` columns more than the longest, unless the width is said."""
    return _matrices(sequences, pad_idx, extra, pad_to, pad_multiple, pad_side, False)[0]


def shifted(
    sequences: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
) -> tuple[Tensor, Tensor]:
    """Give rows of ids, and what follows each of them: x and y, int64 (B, width) or (width, B)."""
    x, y = _matrices(sequences, pad_idx, 0, pad_to, pad_multiple, pad_side, True)
    return (x, y) if batch_first else (transposed(x), transposed(y))


def transposed(matrix: Tensor) -> Tensor:
    """A contiguous copy; by NumPy, because torch's threads cost more than they spare at this size."""
    if matrix.device.type != "cpu":
        return matrix.T.contiguous()
    return torch.from_numpy(matrix.numpy().T.copy(order="C"))


def _matrices(
    sequences: Any,
    pad_idx: int,
    extra: int,
    pad_to: int | None,
    pad_multiple: int | None,
    pad_side: PadSide,
    shift: bool,
) -> tuple[Tensor, Tensor]:
    ids, rows = picked(sequences)
    longest = kernels.max_length(ids.offsets, rows)
    width = longest + extra
    if pad_to is not None and pad_multiple is not None:
        raise ValueError(f"pad_to is {pad_to} and pad_multiple {pad_multiple}; give one of them")
    if pad_to is not None:
        if pad_to < 1:
            raise ValueError(f"pad_to is {pad_to}; expected 1 or more")
        width = pad_to
        if longest > width:
            lengths = Picked(ids, rows).lengths
            place = int(np.argmax(lengths > width))
            raise RowError(
                f"row {place} of the batch has {lengths[place]} ids, more than pad_to={pad_to}; raise pad_to, or leave "
                "long rows out (max_length, on_long='reject')",
                row=place,
                column="tokens",
                value=int(lengths[place]),
            )
    elif pad_multiple is not None:
        if pad_multiple < 1:
            raise ValueError(f"pad_multiple is {pad_multiple}; expected 1 or more")
        width = -(-width // pad_multiple) * pad_multiple
    if pad_side not in ("right", "left"):
        raise ValueError(f"pad_side is {pad_side!r}; expected 'right' or 'left'")
    left = pad_side == "left"
    if isinstance(ids, OnDevice):
        return _on_device(ids, rows, pad_idx, width, left, shift)
    x, y = kernels.pad(ids.values, ids.offsets, rows, pad_idx, width, left=left, with_next=shift)
    return torch.from_numpy(x), torch.from_numpy(y)


def _on_device(ids: OnDevice, rows: Rows64, pad_idx: int, width: int, left: bool, shift: bool) -> tuple[Tensor, Tensor]:
    """The same as `kernels.pad`, there."""
    device = ids.values.device
    index = to_device(torch.tensor(rows, device="cpu"), device)
    begins = ids.begins[index].unsqueeze(1)
    lengths = ids.begins[index + 1].unsqueeze(1) - begins
    places = torch.arange(width, device=device)
    places = places - (width - lengths) if left else places.expand(len(rows), width)

    def at(skip: int) -> Tensor:
        if not len(ids.values):
            return torch.full(places.shape, pad_idx, device=device)
        inside = (places >= 0) & (places < lengths - skip)
        found = ids.values[(begins + places + skip).clamp_(0, len(ids.values) - 1)]
        return found.long().masked_fill_(~inside, pad_idx)

    return at(0), at(1) if shift else begins.new_zeros((0, 0))
