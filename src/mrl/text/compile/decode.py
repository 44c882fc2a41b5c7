"""Rows of ids of any kind to texts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl import kernels
from mrl.errors import ColumnError, RowError, TokenIdError
from mrl.ragged import Ragged, Text


def as_ids(ids: Any) -> Ragged:
    """Return rows of ids as Ragged: a Ragged, an array or tensor (B, L), or a sequence of sequences of int."""
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
            f"row {number} of the ids is {row!r}, expected whole numbers; for a single row, use reconstruct",
            row=number,
            column="ids",
            value=row,
        )
    return array.astype(np.int64)


def decode(ids: Ragged, token_bytes: Sequence[bytes], unk: bytes) -> Text:
    """Return the texts of rows of ids, each up to the first EOS, with `unk` for the id 3.

    `token_bytes` are the UTF-8 of the token of each id, or one byte of it; those of the ids 0 to 3 are ignored. Byte
    tokens that together are not UTF-8 become U+FFFD. Raises TokenIdError for an id that is not in the vocabulary.

    Examples
    --------
    >>> decode(Ragged([0, 4, 5, 4, 1, 0, 3, 2, 1], [0, 5, 9]), [b"", b"", b"", b"", b"C", b"[Si]"], b"?").tolist()
    ['C[Si]C', '?']
    """
    tokens = [b"", b"", b"", unk, *token_bytes[4:]]
    bounds = np.cumsum([0, *map(len, tokens)])
    joined = np.frombuffer(b"".join(tokens), np.uint8)
    values, offsets, wrong = kernels.decode(ids.values, ids.offsets, joined, bounds)
    if wrong >= 0:
        raise wrong_id(next(int(i) for i in ids[wrong] if not 0 <= i < len(tokens)), len(tokens), wrong)
    return Text(values, offsets) if all(map(_is_utf8, tokens)) else _repaired(values, offsets)


def wrong_id(number: int, n_tokens: int, row: int | None = None) -> TokenIdError:
    """Return the error for an id that is not in a vocabulary."""
    return TokenIdError(
        f"{'' if row is None else f'row {row}: '}id {number} is not in this vocabulary, whose ids are 0 to "
        f"{n_tokens - 1}; the ids were written with another vocabulary, or by a model with more outputs than tokens",
        id=number,
        row=row,
    )


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _repaired(values: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Text:
    """Return the text, with U+FFFD for bytes that are not UTF-8."""
    beyond_ascii = np.searchsorted(offsets, np.flatnonzero(values >= 0x80), side="right") - 1
    raw, ends = values.tobytes(), offsets.tolist()
    if all(_is_utf8(raw[ends[row] : ends[row + 1]]) for row in np.unique(beyond_ascii).tolist()):
        return Text(values, offsets)
    return Text.of([raw[a:b].decode(errors="replace") for a, b in pairwise(ends)])
