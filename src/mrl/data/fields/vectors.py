"""The field of vectors that are computed from molecules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.columns import Rows64, View
from mrl.data.fields.field import Field
from mrl.errors import FeatureError
from mrl.features import (
    Cache,
    Featurizer,
    OnNonfinite,
    VectorRefs,
    featurize,
    function_of,
    key_of,
    state_digest,
    stored_floats,
    vector_store,
)
from mrl.messages import format_value
from mrl.ragged import FeaturizedColumn, OnError, Rejects, StoredVectors


class Vectors(Field):
    """Vectors of molecules: float32 (D,) in a sample, (B, D) in a batch.

    With a cache, the vector of a molecule is computed at its first use, or the reason why there is none; with more than
    one process, a time limit or a folder, all are computed then. The field itself holds 8 bytes per row, references
    into the cache, so that datasets over the same molecules share their vectors. Vectors that a corpus keeps beside its
    molecules are read from there, and no row takes memory.

    Parameters
    ----------
    text : column of str
        n texts.
    function : callable or object with ``transform``
        See `mrl.features.featurize`; so for `n_jobs`, `cache` and `timeout`.
    n_jobs : int
        Number of processes.
    cache : {"memory", None} or path
        Where vectors are kept; None computes them at every use.
    timeout : float, optional
        Seconds for one molecule.
    on_nonfinite : {"reject", "keep"}
        Whether vectors with NaN or infinity fail.
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
    (array([ True, False]), "syntax: cannot be read near character 1 of 1, '?'")
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
        on_nonfinite: OnNonfinite = "reject",
    ) -> None:
        self.text = text
        self.function = function
        self.n_jobs = n_jobs
        self.cache = cache
        self.timeout = timeout
        self.on_error = on_error
        self.on_nonfinite = on_nonfinite
        self._kept = None if cache is None else kept_vectors(text, function)
        self._vectors = VectorRefs(0 if self._kept is not None else len(text))
        self._store: Any = None  # where the vectors are kept, once there are some
        self._state = self._digest()
        self._compute(np.zeros(0, np.int64))  # raises now if a setting is invalid

    @property
    def compiled(self) -> bool:  # type: ignore[override]
        """Whether rows are cached, so that a batch computes none or does so only once."""
        return self.cache is not None

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether a row may differ each time: a function whose vectors are not cached is random on purpose."""
        return self.cache is None

    @property
    def _at_once(self) -> bool:
        """Whether the first use computes all rows, since processes and files do not pay for a batch."""
        return self.n_jobs > 1 or self.timeout is not None or self.cache != "memory"

    def prepare(self) -> None:
        """Compute everything that is cached: what worker processes compute is lost with them."""
        if self.cache is not None and self._kept is None:
            self._fill()

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[Tensor]:
        if self.cache is None:
            vectors = self._compute(rows)
            return (self._floats(vectors, np.arange(len(rows)), rows),)
        if self._kept is not None:
            return (torch.from_numpy(stored_floats(self._kept, rows)),)
        self._follow()
        if len(missing := self._vectors.unknown(rows)):
            self._fill(None if self._at_once else np.unique(rows[missing]))
        if self._vectors.size is None and len(rows) and self.on_error == "mask":  # all failed, and D is still unknown
            self._fill()
        return (self._floats(self._vectors, rows, rows),)

    def _floats(self, vectors: VectorRefs, index: Rows64, rows: Rows64) -> Tensor:
        floats = vectors.floats(index)
        if vectors.reasons and self.on_error != "mask" and not (ok := vectors.ok[index]).all():
            place = int(np.flatnonzero(~ok)[0])
            text, reason = self.text.take(rows[place : place + 1])[0], vectors.reasons[int(index[place])]
            raise FeatureError(
                f"row {rows[place]}: no vector for {format_value(text)}: {reason}; remove the row, or create the "
                "dataset with on_error='drop' or on_error='mask'",
                text=text,
                reason=reason,
                row=int(rows[place]),
            )
        return torch.from_numpy(floats)

    def validity(self) -> tuple[NDArray[np.bool_], Rejects]:
        if self._kept is not None:  # rows without a vector were rejected when the corpus was prepared
            return np.ones(len(self.text), bool), Rejects()
        if self.cache is None:
            vectors = self._compute(np.arange(len(self.text)))
        else:
            self._fill()
            vectors = self._vectors
        failed = np.array(sorted(vectors.reasons), np.int64)
        texts = self.text.take(failed)
        rejects = (
            (row, text, "feature", vectors.reasons[row]) for row, text in zip(failed.tolist(), texts, strict=True)
        )
        return vectors.ok, Rejects(rejects)

    def fingerprint(self) -> str:
        self._follow()
        function = function_of(self.function)
        name = getattr(function, "__qualname__", type(function).__qualname__)
        return f"{super().fingerprint()} {name} {self._state} {self.on_nonfinite}"

    def _fill(self, rows: Rows64 | None = None) -> None:
        """Compute rows that are still unknown; all of them by default."""
        self._follow()
        rows = self._vectors.unknown() if rows is None else rows
        if len(rows):
            self._vectors.update(rows, self._compute(rows))

    def _follow(self) -> None:
        """Forget all vectors if the function is in another state than the one that computed them."""
        store = vector_store(self.cache, self.function)
        if store is not self._store and self._store is not None:
            self._vectors = VectorRefs(len(self.text))
            self._state = self._digest()
        self._store = store

    def _digest(self) -> str:
        return state_digest(function_of(self.function))

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_store": None}  # of this process

    def _compute(self, rows: Rows64) -> VectorRefs:
        # Rows that fail are kept as well, so that a row fails when it is used, whatever else is in its batch.
        vectors = featurize(
            self.text.take(rows),
            self.function,
            n_jobs=self.n_jobs,
            on_error="mask",
            cache=self.cache,
            timeout=self.timeout,
            size=self._vectors.size,
            on_nonfinite=self.on_nonfinite,
        ).vectors
        if self._vectors.size is None:
            self._vectors.size = vectors.size
        return vectors


def kept_vectors(text: Any, function: Featurizer) -> StoredVectors | None:
    """Return the vectors of a function that are kept beside a column of text on disk; None if there are none."""
    base = text.column if isinstance(text, View) else text
    if not isinstance(base, FeaturizedColumn):
        return None
    try:
        found = base.vectors(key_of(function))
    except TypeError:  # a function without an identity
        return None
    if found is None or not isinstance(text, View):
        return found
    return found._replace(column=View(found.column, text.rows))
