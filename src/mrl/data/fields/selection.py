"""Rows of ids that are selected but not copied yet, in the memory of the host or of a device."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.columns import Rows64
from mrl.kernels import copy_spans
from mrl.ragged import Ragged


class RowSelection(NamedTuple):
    """Some rows of ids, not copied yet: what a field of tokens returns for a batch.

    Attributes
    ----------
    values : ndarray or Tensor, shape (total,)
        The ids of all rows; a tensor if they are on a device.
    offsets : ndarray of int64, shape (n + 1,)
        Where rows begin and end, in the memory of the host, so that no shape is read back from a device.
    rows : ndarray of int64, shape (B,)
        The selected rows.
    width : int or None
        The width that every batch of these rows has, such as that of packed blocks.
    device_offsets : Tensor of int64, shape (n + 1,), or None
        The offsets on the device of `values`.

    Examples
    --------
    >>> selection = RowSelection.of(Ragged.from_rows([[0, 4, 1], [0, 1]], np.uint8), np.array([1, 0]))
    >>> selection.lengths, selection.row(0)
    (array([2, 3]), tensor([0, 1]))
    """

    values: Any
    offsets: Rows64
    rows: Rows64
    width: int | None = None
    device_offsets: Tensor | None = None

    @classmethod
    def of(cls, ids: Ragged, rows: Rows64 | None = None, width: int | None = None) -> RowSelection:
        """Return the rows `rows` of `ids`, all of them by default."""
        return cls(ids.values, ids.offsets, np.arange(len(ids)) if rows is None else rows, width)

    @classmethod
    def of_spans(cls, values: Any, spans: Rows64, width: int | None = None) -> RowSelection:
        """Return rows that begin and end at `spans`, int64 (2 B,): the offsets of rows 0, 2, 4 ..."""
        return cls(values, spans, np.arange(0, len(spans), 2), width)

    @property
    def lengths(self) -> Rows64:
        """Number of ids of each selected row, int64 (B,)."""
        return self.offsets[self.rows + 1] - self.offsets[self.rows]

    def take(self) -> Ragged:
        """Return the selected rows, copied to the memory of the host."""
        values = self.values.cpu().numpy() if isinstance(self.values, Tensor) else self.values
        # Not Ragged(...).take, which would validate the offsets of all rows.
        spans = np.stack([self.offsets[self.rows], self.offsets[self.rows + 1]], axis=1)
        return Ragged(*copy_spans(values, spans.reshape(-1)))

    def row(self, k: int) -> Tensor:
        """Return the ids of the k-th selected row, int64 (L,), in memory of their own."""
        row = int(self.rows[k])
        values = self.values[int(self.offsets[row]) : int(self.offsets[row + 1])]
        return values.long() if isinstance(values, Tensor) else torch.from_numpy(values.astype(np.int64))


class JoinedSelection(NamedTuple):
    """Rows of ids that are selected in several arrays: what the field of a dataset of several sources returns.

    Attributes
    ----------
    parts : tuple of RowSelection
        The rows of each array.
    places : tuple of ndarray of int64
        For each part, the places of its rows among the B rows of the batch.
    width : int or None
        As that of the parts.

    Examples
    --------
    >>> one, two = (RowSelection.of(Ragged.from_rows([row], np.uint8)) for row in ([0, 4, 1], [0, 1]))
    >>> selection = JoinedSelection((one, two), (np.array([1]), np.array([0])))
    >>> selection.lengths, selection.row(0), selection.take().tolist()
    (array([2, 3]), tensor([0, 1]), [[0, 1], [0, 4, 1]])
    """

    parts: tuple[RowSelection, ...]
    places: tuple[Rows64, ...]
    width: int | None = None

    @property
    def lengths(self) -> Rows64:
        """Number of ids of each selected row, int64 (B,)."""
        lengths = np.empty(sum(map(len, self.places)), np.int64)
        for part, places in zip(self.parts, self.places, strict=True):
            lengths[places] = part.lengths
        return lengths

    def take(self) -> Ragged:
        """Return the selected rows, copied to the memory of the host."""
        order = np.argsort(np.concatenate(self.places), kind="stable")
        return Ragged.concat([part.take() for part in self.parts]).take(order)

    def row(self, k: int) -> Tensor:
        """Return the ids of the k-th selected row, int64 (L,), in memory of their own."""
        part, place = next(
            (part, int(np.flatnonzero(places == k)[0]))
            for part, places in zip(self.parts, self.places, strict=True)
            if (places == k).any()
        )
        return part.row(place)


Selection = RowSelection | JoinedSelection


def select_rows(sequences: Any) -> Selection:
    """Return a selection as it is, and all rows of a `Ragged` or a sequence of tensors, arrays or lists of ids."""
    if isinstance(sequences, Selection):
        return sequences
    if not isinstance(sequences, Ragged):
        sequences = Ragged.from_rows([id_array(row) for row in sequences], np.int64)
    return RowSelection.of(sequences)


def id_array(row: Any) -> NDArray[Any]:
    """Return one row of ids as an array; ValueError if they are not integers."""
    array = np.asarray(row.detach().cpu() if isinstance(row, Tensor) else row)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"a row of ids has the dtype {array.dtype}, expected integers: {array[:5]!r}")
    return array if array.size else array.astype(np.int64)
