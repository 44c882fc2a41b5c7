"""Vectors of molecules as a field: computed when they are first asked for, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.columns import Rows64
from mrl.errors import FeatureError
from mrl.features import Features, Featurizer, OnError, featurize
from mrl.ragged import Reject, Rejects

__all__ = ["Vectors"]


class Vectors:
    """Vectors of molecules: float32 (D,) in a sample, (B, D) in a batch.

    With ``cache="memory"`` a molecule is computed when it is first asked for, and kept, be it a vector or the reason
    why there is none; with more than one process, all are computed then.
    """

    name = "vectors"

    def __init__(
        self,
        text: Any,
        function: Featurizer,
        *,
        n_jobs: int = 1,
        cache: str | None = "memory",
        on_error: OnError = "raise",
    ) -> None:
        if cache not in ("memory", None):
            raise ValueError(f"cache is {cache!r}; expected 'memory', or None for a function that is random on purpose")
        self.text = text
        self.function = function
        self.n_jobs = n_jobs
        self.cache = cache
        self.on_error = on_error
        self._values: NDArray[Any] = np.zeros((len(text), 0), np.uint8)
        self._size: int | None = None  # D, once a vector has been seen
        self._done = np.zeros(len(text), bool)
        self._ok = np.ones(len(text), bool)
        self._rejected: dict[int, Reject] = {}

    @property
    def compiled(self) -> bool:
        """Whether everything is computed already."""
        return bool(self._done.all())

    def prepare(self) -> None:
        """Compute everything where several processes were asked for: workers could not start any."""
        if self.n_jobs > 1 and self.cache is not None:
            self._keep(np.flatnonzero(~self._done))

    def gather(self, rows: Rows64, epoch: int = 0) -> Tensor:
        """Vectors of the rows `rows`; NaN for those that failed under ``on_error="mask"``."""
        if self.cache is None:
            features = self._compute(rows)
            ok, values = features.ok, features.values
            rejected = {int(rows[reject.row]): reject for reject in features.rejects}
        else:
            missing = np.unique(rows[~self._done[rows]])
            if len(missing):
                self._keep(np.flatnonzero(~self._done) if self.n_jobs > 1 else missing)
            if self._size is None and len(rows) and self.on_error == "mask":  # all failed: how long is a vector?
                self._keep(np.flatnonzero(~self._done))
            ok, values, rejected = self._ok[rows], self._values[rows], self._rejected
        if self.on_error != "mask" and not ok.all():
            raise _failed(rejected, int(rows[np.flatnonzero(~ok)[0]]))
        dense = values.astype(np.float32, copy=False)
        dense[~ok] = np.nan
        return torch.from_numpy(dense)

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """Vector of one row."""
        return self.gather(np.array([row]))[0]

    def complete(self) -> tuple[NDArray[np.bool_], Rejects]:
        """Compute every stored row: which could be, and the rejects."""
        if self.cache is None:
            features = self._compute(np.arange(len(self.text)))
            return features.ok, features.rejects
        self._keep(np.flatnonzero(~self._done))
        return self._ok, Rejects.of(self._rejected[row] for row in sorted(self._rejected))

    def _compute(self, rows: Rows64) -> Features:
        # What failed is kept as well, so that a row fails when it is asked for, whatever else is in its batch.
        features = featurize(self.text.take(rows), self.function, n_jobs=self.n_jobs, on_error="mask", size=self._size)
        if self._size is None and features.ok.any():
            self._size = features.values.shape[1]
        return features

    def _keep(self, rows: Rows64) -> None:
        if not len(rows):
            return
        features = self._compute(rows)
        if features.ok.any():
            if not self._values.size:
                self._values = np.zeros((len(self.text), features.values.shape[1]), features.values.dtype)
            self._values = self._values.astype(np.result_type(self._values, features.values), copy=False)
            self._values[rows] = features.values
        self._done[rows] = True
        self._ok[rows] = features.ok
        for reject in features.rejects:
            row = int(rows[reject.row])
            self._rejected[row] = reject._replace(row=row)


def _failed(rejected: Mapping[int, Reject], row: int) -> FeatureError:
    text, reason = rejected[row].text, rejected[row].reason
    return FeatureError(
        f"row {row}: no vector for {text!r}: {reason}; remove the row, or make the data set with on_error='drop' or "
        "on_error='mask'",
        text=text,
        reason=reason,
        row=row,
    )
