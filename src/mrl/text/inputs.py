"""What users hand in, as the one structure: texts of any kind as `Text`, rows of ids of any kind as `Ragged`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError, RowError
from mrl.ragged import Ragged, Text

__all__ = ["blocks_of", "column_of", "ids_of", "texts_of"]

_BLOCK = 1 << 16  # texts looked at together where an iterator of any length is read


def texts_of(strings: Any) -> Text:
    """Texts of any kind as one column, which names a row that is none."""
    return Text.of(column_of(strings))


def column_of(strings: Any) -> Any:
    """Texts of any kind as something that `Text.of` takes."""
    column = isinstance(strings, Sequence) or hasattr(strings, "shape") or hasattr(strings, "to_pylist")
    return strings if column else list(strings)


def blocks_of(inputs: Any) -> Iterator[Text]:
    """A column at once; an iterator of any length piece by piece."""
    if not isinstance(inputs, Iterator):
        yield texts_of(inputs)
        return
    start = 0
    while block := list(islice(inputs, _BLOCK)):
        try:
            yield Text.of(block)
        except RowError as error:
            message = f"of the texts from number {start} on, {error}"
            raise RowError(message, row=start + error.row, column=error.column, value=error.value) from None
        start += len(block)


def ids_of(ids: Any) -> Ragged:
    """Rows of ids as one structure: a Ragged, an array or tensor (B, L), or a sequence of sequences."""
    if hasattr(ids, "detach"):
        ids = ids.detach().cpu().numpy()
    if isinstance(ids, np.ndarray) and ids.dtype != object:
        if ids.ndim != 2:
            raise ValueError(f"ids have the shape {ids.shape}; expected (B, L); for one row, use reconstruct")
        ids = Ragged(ids.reshape(-1), np.arange(ids.shape[0] + 1) * ids.shape[1])
    if not isinstance(ids, Ragged):
        return Ragged.from_rows([_row_of_ids(row, number) for number, row in enumerate(ids)], np.int64)
    if ids.values.dtype.kind not in "iu" and len(ids.flat):
        raise ColumnError(f"ids are of dtype {ids.values.dtype}, expected whole numbers", column="ids")
    return ids


def _row_of_ids(row: Any, number: int) -> NDArray[np.int64]:
    array = np.asarray(row.detach().cpu() if hasattr(row, "detach") else row)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise RowError(
            f"row {number} of the ids is {row!r}, expected whole numbers in a row; one row alone goes to reconstruct",
            row=number,
            column="ids",
            value=row,
        )
    return array.astype(np.int64)
