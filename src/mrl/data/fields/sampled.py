"""Ids that a model sampled, as rows to train on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.data.fields.selection import id_array
from mrl.ragged import Ragged
from mrl.text import BOS, EOS, PAD


def sampled_rows(ids: Any) -> Ragged:
    """Return sampled ids as rows: cut after the first eos, bos in front, no padding around them.

    Parameters
    ----------
    ids : Ragged, array or tensor (B, L), or sequence of sequences of int
        One row each.

    Returns
    -------
    Ragged
        B rows.

    Examples
    --------
    >>> sampled_rows([[0, 4, 5, 1, 2], [4, 4, 1, 5, 5]]).tolist()
    [[0, 4, 5, 1], [0, 4, 4, 1]]
    """
    matrix = _as_matrix(ids)
    places, real, ends = np.arange(matrix.shape[1]), matrix != PAD, matrix == EOS
    first = real.argmax(1)
    last = np.where(real.any(1), matrix.shape[1] - real[:, ::-1].argmax(1), first)
    stop = np.where(ends.any(1), ends.argmax(1) + 1, last)
    keep = (first[:, None] <= places) & (places < stop[:, None])
    has_bos = (first < stop) & (matrix[np.arange(len(matrix)), first] == BOS)
    keep = np.concatenate([~has_bos[:, None], keep], axis=1)
    matrix = np.concatenate([np.full((len(matrix), 1), BOS, matrix.dtype), matrix], axis=1)
    return Ragged(matrix[keep], np.concatenate([[0], np.cumsum(keep.sum(1))]))


def _as_matrix(ids: Any) -> NDArray[Any]:
    """Return rows of ids as (B, L) with L > 0, padded at their end."""
    if getattr(ids, "ndim", 1) == 2:
        matrix = id_array(ids)
        return matrix if matrix.shape[1] else np.full((len(matrix), 1), PAD)
    rows = ids if isinstance(ids, Ragged) else Ragged.from_rows([id_array(row) for row in ids], np.int64)
    return rows.to_padded(PAD, np.int64, max(int(rows.lengths.max(initial=0)), 1))
