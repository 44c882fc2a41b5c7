"""`Field`: one or more parts of a sample, computed from columns; and the same parts in the memory of a device.

A field covers the rows that are *stored*; a dataset that is a view says which of them are its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.columns import RowIndex, Rows64, row_array, take_rows
from mrl.data.device import to_device
from mrl.data.fields.selection import RowSelection, Selection
from mrl.errors import DatasetError
from mrl.ragged import Ragged, Rejects

Part = Selection | Tensor

BLOCK = 65_536  # rows that are processed together


def row_blocks(n: int) -> list[Rows64]:
    """Return the row numbers 0 to n - 1 in blocks of bounded size, at least one block."""
    return [np.arange(start, min(start + BLOCK, n)) for start in range(0, max(n, 1), BLOCK)]


class Field:
    """One or more parts of a sample; a subclass implements `gather`, and every other member has a default.

    Whatever is random in a field (augmentation, masks) is a pure function of seed, epoch and stored row. A field is
    picklable, and holds no state that another field reads.

    Attributes
    ----------
    names : tuple of str
        The name of each part; `dict_collate` goes by them.
    compiled : bool
        Whether a batch runs no Python code per row, or only the first time.
    random : bool
        Whether a row differs between epochs.
    device : torch.device or None
        Where the data is; None for the memory of the host.
    source_rows : range, ndarray of int64, or None
        Rows of the original field, if this field is a copy of some of its rows; else None.

    Examples
    --------
    >>> class Lengths(Field):
    ...     names = ("length",)
    ...     def __init__(self, text):
    ...         self.text = text
    ...     def gather(self, rows, epoch=0):
    ...         return (torch.from_numpy(self.text.take(rows).lengths).unsqueeze(-1),)
    >>> from mrl.ragged import Text
    >>> field = Lengths(Text.of(["C", "CCO"]))
    >>> field.gather(np.array([1, 0]))
    (tensor([[3],
            [1]]),)
    >>> field.sample(1)
    (tensor([3]),)
    >>> field.to(torch.device("cpu"), np.array([1])).sample(0)
    (tensor([3]),)

    Its defaults: no ids, no augmentation, nothing to prepare, all rows valid.

    >>> field.lengths(), field.prepare(), field.validity()
    (None, None, None)
    >>> field.without_augmentation() is field.with_ids(field.text, None) is field
    True
    >>> field.fingerprint()
    "Lengths ('length',)"
    """

    names: tuple[str, ...] = ()
    compiled: bool = True
    random: bool = False
    device: torch.device | None = None
    source_rows: RowIndex | None = None

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[Part, ...]:
        """Return each part for many rows at once: ids as `RowSelection`, numbers as a tensor (B, D).

        Parameters
        ----------
        rows : ndarray of int64, shape (B,)
            Stored rows.
        epoch : int
            The epoch that their randomness belongs to.

        Returns
        -------
        tuple of RowSelection or Tensor
            One for each name.
        """
        raise NotImplementedError(f"{type(self).__name__} does not implement gather")

    def sample(self, row: int, epoch: int = 0) -> tuple[Tensor, ...]:
        """Return each part for one row, as the notebook has it.

        Parameters
        ----------
        row : int
            A stored row.
        epoch : int
            The epoch that its randomness belongs to.

        Returns
        -------
        tuple of Tensor
            Ids int64 (L,), numbers (D,).
        """
        parts = self.gather(np.array([row]), epoch)
        return tuple(part.row(0) if isinstance(part, Selection) else part[0] for part in parts)

    def lengths(self) -> NDArray[np.int64] | None:
        """Return the number of ids of every stored row, not augmented, int64 (n,); None for a field without ids."""
        return None

    def with_ids(self, column: Any, ids: Ragged) -> Field:
        """Return this field with known ids as the tokens of a column.

        Parameters
        ----------
        column : column of str
            Compared by identity with the columns that the field was made from.
        ids : Ragged
            The ids of its rows.

        Returns
        -------
        Field
            This field itself if it holds no tokens of that column.
        """
        return self

    def without_augmentation(self) -> Field:
        """Return this field without augmentation; itself if it has none."""
        return self

    def prepare(self) -> None:
        """Do the work that is done once (encoding, computing), before worker processes exist."""

    def validity(self) -> tuple[NDArray[np.bool_], Rejects] | None:
        """Return which stored rows can be computed.

        Returns
        -------
        tuple of (ndarray of bool, shape (n,), Rejects), or None
            The others are listed with their reasons. None if all can be computed.
        """
        return None

    def fingerprint(self) -> str:
        """Return a description of what batches depend on besides the columns: a subclass with settings adds them."""
        return f"{type(self).__qualname__} {self.names}"

    def to(self, device: torch.device, rows: RowIndex) -> Field:
        """Return this field over `rows` alone, in the memory of `device`.

        Parameters
        ----------
        device : torch.device
            Where to.
        rows : range, or ndarray of int64, shape (n,)
            Stored rows.

        Returns
        -------
        Field
            Of n stored rows.

        Raises
        ------
        DatasetError
            If the field differs between epochs (augmentation, masks, vectors that are not cached).
        """
        if self.random:
            raise DatasetError(
                f"{self.names[0]} changes with the epoch (augmentation, masks, cache=None), so it cannot be resident; "
                "leave out resident"
            )
        gathered = [self.gather(take_rows(rows, block)) for block in row_blocks(len(rows))]
        parts = [_on_device(list(blocks), device) for blocks in zip(*gathered, strict=True)]
        return DeviceField(self, parts, rows)


def _on_device(blocks: list[Any], device: torch.device) -> DeviceTokens | DeviceNumbers:
    """Copy one part, given block by block, to a device."""
    if isinstance(blocks[0], Selection):
        return DeviceTokens(Ragged.concat([block.take() for block in blocks]), device, blocks[0].width)
    bytes_ = [_as_bytes(block) for block in blocks]
    small = all(block is not None for block in bytes_)
    return DeviceNumbers(torch.cat(bytes_ if small else blocks).to(device), blocks[0].dtype)  # type: ignore[arg-type]


def _as_bytes(numbers: Tensor) -> Tensor | None:
    """Bits and small counts as bytes, a quarter of the memory; None if that would change a number."""
    small = numbers.to(torch.uint8)
    exact = torch.equal(small.to(numbers.dtype), numbers) and not numbers.signbit().any()  # -0.0 equals 0.0
    return small if exact else None


class DeviceTokens:
    """Rows of ids on a device."""

    def __init__(self, ids: Ragged, device: torch.device, width: int | None) -> None:
        values = ids.flat
        if values.dtype not in (np.uint8, np.int64):  # torch cannot index with unsigned types beyond uint8
            values = values.astype(np.int16 if values.max(initial=0) < 1 << 15 else np.int32)
        self.stored = torch.tensor(values, device=device)
        self.offsets = ids.offsets - ids.offsets[0]
        self.device_offsets = torch.tensor(self.offsets, device=device)
        self.width = width

    def take(self, rows: Rows64) -> RowSelection:
        """Return the rows `rows`."""
        return RowSelection(self.stored, self.offsets, rows, self.width, self.device_offsets)


class DeviceNumbers:
    """Numbers on a device, kept as bytes where that is exact."""

    def __init__(self, numbers: Tensor, dtype: torch.dtype) -> None:
        self.stored = numbers
        self.dtype = dtype

    def take(self, rows: Rows64) -> Tensor:
        """Return the rows `rows`, in memory of their own."""
        index = to_device(torch.tensor(rows, device="cpu"), self.stored.device)
        return self.stored[index].to(self.dtype)


class DeviceField(Field):
    """The parts of another field in the memory of a device."""

    def __init__(self, field: Field, parts: list[DeviceTokens | DeviceNumbers], rows: RowIndex) -> None:
        self.names = field.names
        self.parts = parts
        self.source_rows = take_rows(field.source_rows, rows)
        self._fingerprint = field.fingerprint()
        valid = field.validity()
        self._validity = None if valid is None else (valid[0][row_array(rows)], valid[1])
        self.device = parts[0].stored.device

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[Part, ...]:
        return tuple(part.take(rows) for part in self.parts)

    def lengths(self) -> NDArray[np.int64] | None:
        tokens = [part for part in self.parts if isinstance(part, DeviceTokens)]
        return np.diff(tokens[0].offsets) if tokens else None

    def fingerprint(self) -> str:
        return self._fingerprint

    def validity(self) -> tuple[NDArray[np.bool_], Rejects] | None:
        """Return that of the other field."""
        return self._validity
