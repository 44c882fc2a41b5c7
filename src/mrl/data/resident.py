"""Data that lives where it is used: flat arrays on the accelerator, gathered and padded there."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mrl.data.columns import Rows64
from mrl.data.device import to_device
from mrl.data.fields import Field, parts_of
from mrl.data.padding import OnDevice, Picked
from mrl.errors import DatasetError
from mrl.ragged import Ragged

__all__ = ["resident_field"]


def resident_field(field: Field, rows: Rows64, device: torch.device) -> Field:
    """Give `field` over the rows `rows` alone, in the memory of `device`.

    Raises
    ------
    DatasetError
        If the field is another one in each epoch (augmentation, masks, vectors that are not kept).
    """
    if getattr(field, "random", False):
        raise DatasetError(
            f"{field.name} changes with the epoch (augmentation, masks, cache=None), so it cannot be resident; leave "
            "out resident"
        )
    parts: list[Any] = [field.gather(rows[part]) for part in parts_of(len(rows))]
    if isinstance(parts[0], Picked):
        return _Ids(field.name, OnDevice.of(Ragged.concat([ids.take(at) for ids, at in parts]), device))
    dtype = parts[0].dtype
    smaller = [_small(part) for part in parts]
    fits = all(part.dtype == torch.uint8 for part in smaller)
    return _Numbers(field.name, torch.cat(smaller if fits else parts).to(device), dtype)


def _small(numbers: Tensor) -> Tensor:
    """Bits and small counts as bytes, which take a quarter of the memory."""
    small = numbers.to(torch.uint8)
    exact = torch.equal(small.to(numbers.dtype), numbers) and not numbers.signbit().any()  # -0.0 equals 0.0
    return small if exact else numbers


class _Ids:
    """Ids on a device."""

    compiled = True

    @property
    def device(self) -> torch.device:
        """Which one."""
        return self.ids.values.device

    def __init__(self, name: str, ids: OnDevice) -> None:
        self.name = name
        self.ids = ids

    def prepare(self) -> None:
        """Nothing to do."""

    def gather(self, rows: Rows64, epoch: int = 0) -> Picked:
        """The rows `rows`."""
        return Picked(self.ids, rows)

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """Ids of one row, int64 (L,)."""
        begin, end = self.ids.offsets[row], self.ids.offsets[row + 1]
        return self.ids.values[begin:end].long()

    def lengths(self) -> Rows64:
        """Number of ids of every row."""
        return np.diff(self.ids.offsets)


class _Numbers:
    """A tensor on a device."""

    compiled = True

    @property
    def device(self) -> torch.device:
        """Which one."""
        return self.numbers.device

    def __init__(self, name: str, numbers: Tensor, dtype: torch.dtype) -> None:
        self.name = name
        self.numbers = numbers
        self.dtype = dtype

    def prepare(self) -> None:
        """Nothing to do."""

    def gather(self, rows: Rows64, epoch: int = 0) -> Tensor:
        """The rows `rows`."""
        return self.numbers[to_device(torch.tensor(rows, device="cpu"), self.device)].to(self.dtype)

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """One row."""
        return self.numbers[row].to(self.dtype)
