"""From what was found and computed, in pieces, to one table of rows and its rejects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.errors import FeatureError
from mrl.features.computing import Block
from mrl.features.packing import Form, Packed
from mrl.ragged import Rejects, Text

__all__ = ["Features", "OnError", "assembled"]

OnError: TypeAlias = Literal["raise", "drop", "mask"]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Features:
    """Vectors of molecules; see `featurize`.

    Attributes
    ----------
    packed : Packed
        The rows, those of 0 and 1 eight to a byte.
    ok : ndarray of bool, shape (n,)
        Whether a row was computed.
    rejects : Rejects
        The rows that failed: row, text, stage ``"feature"``, reason.
    kept : ndarray of int64, shape (n,)
        The row of the input that each row here is; all of them, unless failed rows were dropped.
    """

    packed: Packed
    ok: NDArray[np.bool_]
    rejects: Rejects
    kept: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.packed)

    @property
    def values(self) -> NDArray[Any]:
        """The numbers, (n, D), as the function gave them: unsigned integers and bits stay so, all else is float32.

        Rows that failed are zero here and NaN in `dense`. Bits are unpacked each time.
        """
        return self.packed.values()

    def dense(self, rows: Any = None, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Give rows as floating-point numbers; rows that failed are NaN.

        Parameters
        ----------
        rows : array of int, shape (B,), optional
            Which rows; all by default.
        dtype : dtype
            A floating-point type.

        Returns
        -------
        ndarray, shape (B, D)
            Memory of its own.
        """
        ok = self.ok if rows is None else self.ok[rows]
        dense = self.packed.dense(rows, dtype)
        if not ok.all():
            dense[~ok] = np.nan
        return dense


def assembled(text: Text, blocks: Sequence[Block], of: Rows, size: int | None, on_error: OnError) -> Features:
    """The rows of all blocks, in the order of `text`; `of` says which row of the blocks each text is."""
    reasons: dict[int, str] = {}
    sizes = np.full(int(of.max(initial=-1)) + 1, -1)
    for block in blocks:
        reasons |= block.refused | block.lost
        for part in block.parts:
            sizes[part.rows] = part.form.size
    _require_none(text, reasons, of, on_error)
    size = _usual(sizes[of]) if size is None else size
    for row in np.flatnonzero((sizes >= 0) & (sizes != size)).tolist():
        reasons[row] = f"returned {sizes[row]} numbers, where others have {size}"
    _require_none(text, reasons, of, on_error)
    parts = [part for block in blocks for part in block.parts if part.form.size == size]
    packed = Packed(len(sizes), None if parts else Form(size, np.dtype(np.float32).str, False))
    packed.widen(part.form for part in parts)
    for part in parts:
        packed.put(*part)
    ok = (sizes == size)[of]
    rejects = Rejects.of((row, text[row], "feature", reasons[int(of[row])]) for row in np.flatnonzero(~ok).tolist())
    if on_error == "drop":
        kept = np.flatnonzero(ok)
        return Features(packed.take(of[kept]), np.ones(len(kept), bool), rejects, kept)
    return Features(packed if len(of) == len(sizes) else packed.take(of), ok, rejects, np.arange(len(text)))


def _require_none(text: Text, reasons: dict[int, str], of: Rows, on_error: OnError) -> None:
    """With ``on_error="raise"``: name the first row that failed."""
    if reasons and on_error == "raise":
        row = int(np.flatnonzero(np.isin(of, list(reasons)))[0])
        reason = reasons[int(of[row])]
        raise FeatureError(
            f"row {row}: no vector for {text[row]!r}: {reason}; remove the row, or say on_error='drop' or "
            "on_error='mask' to go on without it",
            text=text[row],
            reason=reason,
            row=row,
        )


def _usual(sizes: Rows) -> int:
    """The size that most rows have; of equally frequent ones the first."""
    known = sizes[sizes >= 0]
    if not len(known):
        return 0
    found, first, counts = np.unique(known, return_index=True, return_counts=True)
    return int(found[np.lexsort((first, -counts))[0]])
