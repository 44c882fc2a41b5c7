"""`Features`: the vectors of molecules, and the molecules that have none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.errors import FeatureError
from mrl.features.refs import VectorRefs
from mrl.formatting import html_table
from mrl.messages import format_count, format_value
from mrl.ragged import OnError, Rejects, Tabular, Text, arrow_table

__all__ = ["Features", "OnNonfinite", "features_of", "require_on_nonfinite"]

OnNonfinite: TypeAlias = Literal["reject", "keep"]


@dataclass(frozen=True, eq=False)
class Features(Tabular):
    """Vectors of molecules; see `featurize`.

    Parameters
    ----------
    vectors : VectorRefs
        The vectors, n rows; those of 0 and 1 are packed, eight to a byte.
    rejects : Rejects
        The rows that failed: row, text, stage ``"feature"``, reason.
    kept : ndarray of int64, shape (n,)
        The row of the input that each row here is; all of them, unless failed rows were dropped.
    names : tuple of str, optional
        The names of the D numbers, where the featurizer has them.

    Examples
    --------
    >>> from mrl.features import featurize
    >>> features = featurize(["CCO", "?"], {"CCO": [1.0, 2.0]}.__getitem__, on_error="mask")
    >>> features.ok, features.values.tolist(), features.kept, features.rejects
    (array([ True, False]), [[1.0, 2.0], [0.0, 0.0]], array([0, 1]), Rejects(1 row: 1 × 'syntax'))
    """

    vectors: VectorRefs
    rejects: Rejects
    kept: NDArray[np.int64]
    names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.vectors)

    def __repr__(self) -> str:
        size = "" if self.vectors.size is None else f" of {format_count(self.vectors.size, 'number')}"
        failed = f"; {self.rejects!r}" if self.rejects else ""
        return f"Features({format_count(len(self), 'vector')}{size}{failed})"

    def _repr_html_(self) -> str:
        shape = f"{len(self):,} x {self.vectors.size or 0:,}"  # no size where every row failed
        table = html_table([("vectors", shape), ("failed", len(self.rejects))], caption="Features")
        return table + self.rejects._repr_html_() if self.rejects else table

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which rows were computed, bool (n,)."""
        return self.vectors.ok

    @property
    def values(self) -> NDArray[Any]:
        """The numbers, (n, D), as the function returned them: unsigned integers and bits stay so, others are float32.

        Integers are exact: a function that returns a negative one, or one as a signed integer, which float32 would
        round, fails for that molecule.

        Rows that failed are zero here and NaN in `dense`. Bits are unpacked each time.
        """
        return self.vectors.values()

    def dense(self, rows: Any = None, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Return rows as floating-point numbers; rows that failed are NaN.

        Parameters
        ----------
        rows : array of int, shape (B,), optional
            Which rows; all by default.
        dtype : dtype
            A floating-point type.

        Returns
        -------
        ndarray of `dtype`, shape (B, D)
            A copy.

        Raises
        ------
        ValueError
            A vector has an unsigned integer that `dtype` would round.

        Examples
        --------
        >>> from mrl.features import featurize
        >>> featurize(["CCO", "?"], {"CCO": [1.0, 2.0]}.get, on_error="mask").dense([1, 0])
        array([[nan, nan],
               [ 1.,  2.]], dtype=float32)
        """
        return self.vectors.floats(slice(None) if rows is None else rows, dtype)

    def to_arrow(self) -> Any:
        """Return the vectors as an Arrow table with a column for each number, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n rows: ``row``, the row of the input, then the D numbers by their names, ``"0"``, ``"1"``, ... where
            they have none; null in rows that failed.

        Examples
        --------
        >>> from mrl.features import featurize
        >>> featurize(["CCO", "?"], {"CCO": [1.0, 2.0]}.get, on_error="mask").to_arrow().to_pydict()
        {'row': [0, 1], '0': [1.0, None], '1': [2.0, None]}
        """
        import pyarrow as pa

        values, failed = self.values, ~self.ok
        names = self.names or tuple(map(str, range(values.shape[1])))
        columns = {name: pa.array(values[:, place], mask=failed) for place, name in enumerate(names)}
        return arrow_table({"row": self.kept} | columns)


def features_of(
    text: Text, vectors: VectorRefs, on_error: OnError, size: int | None, names: tuple[str, ...] | None
) -> Features:
    """Return the vectors of texts, of one size, as Features; with ``"raise"`` a FeatureError where one failed."""
    _check(text, vectors, on_error)
    vectors.settle_size(size)
    _check(text, vectors, on_error)
    names = names if names is not None and len(names) == vectors.size else None
    failed = sorted(vectors.reasons)
    rejects = Rejects((row, text[row], "feature", vectors.reasons[row]) for row in failed)
    if on_error == "drop":
        kept = np.flatnonzero(vectors.ok)
        return Features(vectors.take(kept), rejects, kept, names)
    return Features(vectors, rejects, np.arange(len(text)), names)


def _check(text: Text, vectors: VectorRefs, on_error: OnError) -> None:
    if vectors.reasons and on_error == "raise":
        row = min(vectors.reasons)
        reason = vectors.reasons[row]
        raise FeatureError(
            f"row {row}: no vector for {format_value(text[row])}: {reason}; remove the row, or use on_error='drop' or "
            "on_error='mask' to go on without it",
            text=text[row],
            reason=reason,
            row=row,
        )


def require_on_nonfinite(on_nonfinite: str) -> None:
    """Raise a ValueError unless `on_nonfinite` is one of the two."""
    if on_nonfinite not in get_args(OnNonfinite):
        raise ValueError(f"on_nonfinite is {on_nonfinite!r}; expected 'reject' or 'keep'")
