"""Rows of ids to padded tensors: one pass from flat arrays into memory of their own."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl import kernels
from mrl.data.columns import Rows64
from mrl.errors import RowError
from mrl.ragged import Ragged

__all__ = ["PadSide", "Picked", "ids_of", "padded", "picked", "shifted", "transposed"]

PadSide = Literal["right", "left"]


class Picked(NamedTuple):
    """Some rows of ids, not copied yet.

    Attributes
    ----------
    ids : Ragged
        Rows of ids.
    rows : ndarray of int64, shape (B,)
        Which of them.
    """

    ids: Ragged
    rows: Rows64

    @property
    def lengths(self) -> Rows64:
        """Number of ids of each row, int64 (B,)."""
        offsets = self.ids.offsets
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
    x, _ = _matrices(sequences, pad_idx, extra, pad_to, pad_multiple, pad_side, False)
    return torch.from_numpy(x)


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
    if batch_first:
        return torch.from_numpy(x), torch.from_numpy(y)
    return transposed(x), transposed(y)


def transposed(array: NDArray[Any]) -> Tensor:
    """A contiguous copy; by NumPy, because torch's threads cost more than they spare at this size."""
    return torch.from_numpy(array.T.copy(order="C"))


def _matrices(
    sequences: Any,
    pad_idx: int,
    extra: int,
    pad_to: int | None,
    pad_multiple: int | None,
    pad_side: PadSide,
    shift: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ids, rows = picked(sequences)
    longest = kernels.width_of(ids.offsets, rows)
    width = longest + extra
    if pad_to is not None:
        width = pad_to
        if longest > width:
            place = int(np.argmax(Picked(ids, rows).lengths > width))
            raise RowError(
                f"row {place} of the batch has {longest} ids, more than pad_to={pad_to}; raise pad_to, or leave long "
                "rows out (max_length, on_long='reject')",
                row=place,
                column="tokens",
                value=longest,
            )
    elif pad_multiple is not None:
        if pad_multiple < 1:
            raise ValueError(f"pad_multiple is {pad_multiple}; expected 1 or more")
        width = -(-width // pad_multiple) * pad_multiple
    if pad_side not in ("right", "left"):
        raise ValueError(f"pad_side is {pad_side!r}; expected 'right' or 'left'")
    return kernels.pad(ids.values, ids.offsets, rows, pad_idx, width, left=pad_side == "left", shifted=shift)
