"""Vectors of molecules as a field: computed when they are first needed, and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.columns import Rows64
from mrl.data.fields.field import Field
from mrl.errors import FeatureError
from mrl.features import Cache, Features, Featurizer, OnError, Packed, featurize
from mrl.ragged import Reject, Rejects


class Vectors(Field):
    """Vectors of molecules: float32 (D,) in a sample, (B, D) in a batch.

    With a cache, a molecule is computed when it is first needed, and its vector, or the reason why it failed, is kept;
    with more than one process, a time limit or a folder, all are computed then. Vectors of 0 and 1 are kept as bits.

    Parameters
    ----------
    text : column of str
        n texts.
    function : callable or object with ``transform``
        As in `mrl.featurize`, like all other options.
    n_jobs : int
        Number of processes.
    cache : {"memory", None} or path
        Where to keep what is computed; None computes again each time, for a function that is random on purpose.
    timeout : float, optional
        Seconds that one molecule may take.
    on_error : {"raise", "drop", "mask"}
        For a molecule that fails: `gather` raises a FeatureError, or returns NaN if this is "mask".

    Raises
    ------
    TypeError
        If `function` cannot be called, sent to other processes, or kept in a folder, where that is required.
    ValueError
        If an option has a value that it cannot have.

    Examples
    --------
    >>> from mrl.ragged import Text
    >>> field = Vectors(Text.of(["CCO", "?"]), {"CCO": [1.0, 2.0]}.__getitem__, on_error="mask")
    >>> field.sample(0), field.sample(1)
    ((tensor([1., 2.]),), (tensor([nan, nan]),))
    >>> ok, rejects = field.validity()
    >>> ok, rejects[0].reason
    (array([ True, False]), "KeyError: '?'")
    >>> field.compiled, field.random
    (True, False)
    """

    names = ("vectors",)

    def __init__(
        self,
        text: Any,
        function: Featurizer,
        *,
        n_jobs: int = 1,
        cache: Cache = "memory",
        timeout: float | None = None,
        on_error: OnError = "raise",
    ) -> None:
        self.text = text
        self.function = function
        self.n_jobs = n_jobs
        self.cache = cache
        self.timeout = timeout
        self.on_error = on_error
        self._packed = Packed(len(text))
        self._size: int | None = None  # D, once a vector has been seen
        self._done = np.zeros(len(text), bool)
        self._ok = np.ones(len(text), bool)
        self._rejected: dict[int, Reject] = {}
        self._compute(np.zeros(0, np.int64))  # validate eagerly

    @property
    def compiled(self) -> bool:  # type: ignore[override]
        """Whether rows are kept, so that each is computed only once."""
        return self.cache is not None

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether a row may differ each time, which it may if it is not kept."""
        return self.cache is None

    @property
    def _at_once(self) -> bool:
        """Whether all rows are computed when the first one is: processes and files do not pay for a single batch."""
        return self.cache is not None and (self.n_jobs > 1 or self.timeout is not None or self.cache != "memory")

    def prepare(self) -> None:
        """Compute all rows that are kept, since what a worker process computes ends with it."""
        if self.cache is not None:
            self._keep(np.flatnonzero(~self._done))

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[Tensor]:
        if self.cache is None:
            features = self._compute(rows)
            ok, dense = features.ok, features.packed.dense()
            rejected = {int(rows[reject.row]): reject for reject in features.rejects}
        else:
            missing = np.unique(rows[~self._done[rows]])
            if len(missing):
                self._keep(np.flatnonzero(~self._done) if self._at_once else missing)
            if self._size is None and len(rows) and self.on_error == "mask":  # all failed, so D is not known yet
                self._keep(np.flatnonzero(~self._done))
            ok, dense, rejected = self._ok[rows], self._packed.dense(rows), self._rejected
        if self.on_error != "mask" and not ok.all():
            raise _failed(rejected, int(rows[np.flatnonzero(~ok)[0]]))
        if not ok.all():
            dense[~ok] = np.nan
        return (torch.from_numpy(dense),)

    def validity(self) -> tuple[NDArray[np.bool_], Rejects]:
        if self.cache is None:
            features = self._compute(np.arange(len(self.text)))
            return features.ok, features.rejects
        self._keep(np.flatnonzero(~self._done))
        return self._ok, Rejects.of(self._rejected[row] for row in sorted(self._rejected))

    def fingerprint(self) -> str:
        function = getattr(self.function, "__qualname__", type(self.function).__qualname__)
        return f"{super().fingerprint()} {self.text.digest} {function}"

    def _compute(self, rows: Rows64) -> Features:
        # Failures are kept as well, so that a row fails when it is needed, whatever else is in its batch.
        features = featurize(
            self.text.take(rows),
            self.function,
            n_jobs=self.n_jobs,
            on_error="mask",
            cache=self.cache,
            timeout=self.timeout,
            size=self._size,
        )
        if self._size is None and features.ok.any():
            self._size = features.packed.form.size
        return features

    def _keep(self, rows: Rows64) -> None:
        if not len(rows):
            return
        features = self._compute(rows)
        if features.ok.any():
            self._packed.put(rows, features.packed.form, features.packed.data)
        self._done[rows] = True
        self._ok[rows] = features.ok
        for reject in features.rejects:
            row = int(rows[reject.row])
            self._rejected[row] = reject._replace(row=row)


def _failed(rejected: Mapping[int, Reject], row: int) -> FeatureError:
    text, reason = rejected[row].text, rejected[row].reason
    return FeatureError(
        f"row {row}: no vector for {text!r}: {reason}; remove the row, or make the dataset with on_error='drop' or "
        "on_error='mask'",
        text=text,
        reason=reason,
        row=row,
    )
