"""Run a function of a molecule over many: rows in order, shapes checked, failures kept with their reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.errors import FeatureError, MoleculeError
from mrl.ragged import Rejects, Text

__all__ = ["Features", "Featurizer", "OnError", "featurize"]

OnError: TypeAlias = Literal["raise", "drop", "mask"]
Result: TypeAlias = "NDArray[Any] | str"

CHUNK = 256  # molecules a process gets at once: large against the cost of a message, small against a run


@runtime_checkable
class Transformer(Protocol):
    """scikit-learn's convention: texts in, one row of numbers for each out."""

    def transform(self, X: list[str]) -> Any:
        """Give an array of shape (n, D) for n texts."""


Featurizer: TypeAlias = "Callable[[str], Any] | Transformer"


@dataclass(frozen=True)
class Features:
    """Vectors of molecules; see `featurize`.

    Attributes
    ----------
    values : ndarray, shape (n, D)
        As the function gave them: unsigned bits and counts stay small integers, all else is float32. Rows that failed
        are zero here and NaN in `dense`.
    ok : ndarray of bool, shape (n,)
        Whether a row was computed.
    rejects : Rejects
        The rows that failed: row, text, stage ``"feature"``, reason.
    kept : ndarray of int64, shape (n,)
        The row of the input that each row here is; all of them, unless failed rows were dropped.
    """

    values: NDArray[Any]
    ok: NDArray[np.bool_]
    rejects: Rejects
    kept: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.values)

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
        values, ok = (self.values, self.ok) if rows is None else (self.values[rows], self.ok[rows])
        dense = np.array(values, dtype=dtype)
        dense[~ok] = np.nan
        return dense


def featurize(smiles: Any, featurizer: Featurizer, *, n_jobs: int = 1, on_error: OnError = "raise") -> Features:
    """Compute a vector for each molecule.

    Parameters
    ----------
    smiles : column of str
        n texts: list, tuple, NumPy array, Series, Arrow array, or `Text`.
    featurizer : callable or object with ``transform``
        A function of one text that returns numbers (a list, an array, a tensor, a single number), always as many; or
        an estimator in scikit-learn's convention, such as those of scikit-fingerprints and molfeat.
    n_jobs : int
        Number of processes; with more than 1 the featurizer must be picklable. Results do not depend on it.
    on_error : {"raise", "drop", "mask"}
        For a molecule that the featurizer refuses: raise; leave the row out; or keep it, as NaN.

    Returns
    -------
    Features
        Values of shape (n, D), and what failed.

    Raises
    ------
    FeatureError
        (A ValueError.) With ``on_error="raise"``: the row, the text and the reason.

    Examples
    --------
    >>> features = featurize(["CCO", "C"], len)
    >>> features.dense()
    array([[3.],
           [1.]], dtype=float32)
    >>> featurize(["CCO", "?"], {"CCO": [1.0, 2.0]}.__getitem__, on_error="mask").rejects[0].reason
    "KeyError: '?'"
    """
    if on_error not in ("raise", "drop", "mask"):
        raise ValueError(f"on_error is {on_error!r}; expected 'raise', 'drop' or 'mask'")
    if n_jobs < 1:
        raise ValueError(f"n_jobs is {n_jobs}; expected the number of processes, 1 or more")
    text = Text.of(smiles)
    vectors: list[NDArray[Any] | None] = []
    rejected: list[tuple[int, str, str, str]] = []
    size: int | None = None
    for row, result in enumerate(_results(text, featurizer, n_jobs)):
        if not isinstance(result, str) and size is not None and len(result) != size:
            result = f"returned {len(result)} numbers, but {size} for the rows before"
        if isinstance(result, str):
            if on_error == "raise":
                raise FeatureError(
                    f"row {row}: no vector for {text[row]!r}: {result}; remove the row, or say on_error='drop' or "
                    "on_error='mask' to go on without it",
                    text=text[row],
                    reason=result,
                    row=row,
                )
            rejected.append((row, text[row], "feature", result))
            vectors.append(None)
        else:
            size = len(result)
            vectors.append(result)
    return _assembled(vectors, Rejects.of(rejected), drop=on_error == "drop")


def _assembled(vectors: list[NDArray[Any] | None], rejects: Rejects, *, drop: bool) -> Features:
    ok = np.array([vector is not None for vector in vectors], dtype=bool)
    good = [vector for vector in vectors if vector is not None]
    stacked = np.stack(good) if good else np.zeros((0, 0), np.float32)
    kept = np.flatnonzero(ok) if drop else np.arange(len(vectors))
    if drop or ok.all():
        return Features(stacked, np.ones(len(kept), bool), rejects, kept)
    values = np.zeros((len(vectors), stacked.shape[1]), stacked.dtype)
    values[ok] = stacked
    return Features(values, ok, rejects, kept)


def _results(text: Text, featurizer: Featurizer, n_jobs: int) -> Iterator[Result]:
    """A vector for each text, or the reason why there is none, in order."""
    chunks = (text[start : start + CHUNK].tolist() for start in range(0, len(text), CHUNK))
    run = partial(_run, featurizer)
    if n_jobs == 1 or len(text) <= CHUNK:
        yield from chain.from_iterable(map(run, chunks))
        return
    with ProcessPoolExecutor(n_jobs) as pool:
        try:
            yield from chain.from_iterable(pool.map(run, chunks))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run(featurizer: Featurizer, texts: list[str]) -> list[Result]:
    if isinstance(featurizer, Transformer):
        try:
            rows = list(featurizer.transform(texts))
            if len(rows) != len(texts):
                raise ValueError(f"returned {len(rows)} rows for {len(texts)} molecules")
            return [_vector(row) for row in rows]
        except Exception as error:  # a user's code may raise anything; the rows are then tried one by one
            if len(texts) == 1:
                return [_reason(error)]
            return [result for text in texts for result in _run(featurizer, [text])]
    results: list[Result] = []
    for text in texts:
        try:
            results.append(_vector(featurizer(text)))
        except Exception as error:  # a user's function may raise anything, and RDKit does
            results.append(_reason(error))
    return results


def _vector(value: Any) -> NDArray[Any]:
    """`value` as a row of numbers; ValueError says what it is instead."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    array = np.atleast_1d(np.asarray(value))
    if array.ndim != 1:
        raise ValueError(f"returned an array of shape {array.shape}, expected one dimension")
    if array.dtype == bool:
        return array.astype(np.uint8)
    if array.dtype.kind == "u":
        return array
    if array.dtype.kind not in "if":
        raise ValueError(f"returned {type(value).__name__} with the dtype {array.dtype}, expected numbers")
    return array.astype(np.float32)


def _reason(error: Exception) -> str:
    if isinstance(error, MoleculeError):
        return error.reason
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
