"""Fields: what a sample is made of. Each turns a column into what a batch needs, lazily and once.

A field is over the rows that are *stored*; a data set that is a view says which of them are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.columns import Rows64
from mrl.errors import FeatureError
from mrl.features import Features, Featurizer, OnError, featurize
from mrl.ragged import Ragged, Reject, Rejects, Text
from mrl.text import UNK, Vocab

__all__ = ["Field", "Labels", "Tokens", "Vectors"]


class Field(Protocol):
    """One part of a sample."""

    name: str

    @property
    def compiled(self) -> bool:
        """Whether a batch costs no Python code per row."""

    def sample(self, row: int) -> Tensor:
        """The part of one sample, as the notebook has it."""

    def gather(self, rows: Rows64) -> Ragged | Tensor:
        """The same part of many samples at once."""

    def prepare(self) -> None:
        """Do now what is done once, before workers exist."""


class Tokens:
    """Ids of a text column: int64 (L,) in a sample, `Ragged` ids in a batch.

    Texts in memory are encoded once, at the first use; again when the vocabulary has grown and that could matter.
    Columns on disk are encoded batch by batch.
    """

    name = "tokens"
    compiled = True

    def __init__(self, text: Any, vocab: Vocab) -> None:
        self.text = text
        self.vocab = vocab
        self._given = False
        self._ids: Ragged | None = None
        self._known = len(vocab)
        self._incomplete = False

    def use(self, ids: Ragged) -> None:
        """Take `ids` as they are for the tokens of the text."""
        self._ids, self._given = ids, True

    @property
    def ids(self) -> Ragged | None:
        """Ids of every stored row, or None for a column that is not in memory."""
        if self._given or not isinstance(self.text, Text):
            return self._ids
        if self._ids is None or (self._known != len(self.vocab) and self._incomplete):
            self._ids = self.vocab.encode(self.text)
            # A row of known tokens is the same whatever was added since, unless the class says otherwise.
            self._incomplete = bool((self._ids.values == UNK).any()) or self.vocab.regroups
            self._known = len(self.vocab)
        return self._ids

    def prepare(self) -> None:
        """Encode what is in memory."""
        _ = self.ids

    def gather(self, rows: Rows64) -> Ragged:
        """Ids of the rows `rows`."""
        ids = self.ids
        return ids.take(rows) if ids is not None else self.vocab.encode(self.text.take(rows))

    def sample(self, row: int) -> Tensor:
        """Ids of one row, int64 (L,)."""
        return torch.from_numpy(self.gather(np.array([row]))[0].astype(np.int64))

    def lengths(self) -> NDArray[np.int64]:
        """Number of ids of every stored row."""
        ids = self.ids
        if ids is not None:
            return ids.lengths
        parts = [np.arange(start, min(start + 65_536, len(self.text))) for start in range(0, len(self.text), 65_536)]
        return np.concatenate([self.gather(part).lengths for part in parts] or [np.zeros(0, np.int64)])


class Labels:
    """Targets: (T,) in a sample, (B, T) in a batch; T = 1 for a plain column."""

    name = "labels"
    compiled = True

    def __init__(self, column: Any) -> None:
        self.column = column

    def prepare(self) -> None:
        """Nothing to do."""

    def gather(self, rows: Rows64) -> Tensor:
        """Targets of the rows `rows`."""
        values = torch.from_numpy(self.column.take(rows))
        return values.unsqueeze(-1) if values.ndim == 1 else values

    def sample(self, row: int) -> Tensor:
        """Targets of one row."""
        return self.gather(np.array([row]))[0]


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

    def gather(self, rows: Rows64) -> Tensor:
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

    def sample(self, row: int) -> Tensor:
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
