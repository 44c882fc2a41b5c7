"""Run a function of a molecule over many: rows in order, shapes checked, failures kept with their reasons."""

from __future__ import annotations

import multiprocessing
import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Literal, Protocol, TypeAlias, get_args, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.errors import FeatureError, MoleculeError
from mrl.ragged import Rejects, Text

__all__ = ["Features", "Featurizer", "OnError", "featurize", "require_on_error"]

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


def featurize(
    smiles: Any, featurizer: Featurizer, *, n_jobs: int = 1, on_error: OnError = "raise", size: int | None = None
) -> Features:
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
        For a molecule that the featurizer refuses: raise; leave the row out; or keep it, as NaN. A vector of another
        size than the others is refused as well.
    size : int, optional
        D, where it is known; what most molecules have if not given.

    Returns
    -------
    Features
        Values of shape (n, D), and what failed.

    Raises
    ------
    FeatureError
        (A ValueError.) With ``on_error="raise"``: the row, the text and the reason.
    TypeError
        If `featurizer` is no function, or cannot be sent to other processes.

    Examples
    --------
    >>> features = featurize(["CCO", "C"], len)
    >>> features.dense()
    array([[3.],
           [1.]], dtype=float32)
    >>> featurize(["CCO", "?"], {"CCO": [1.0, 2.0]}.__getitem__, on_error="mask").rejects[0].reason
    "KeyError: '?'"
    """
    require_on_error(on_error)
    if n_jobs < 1:
        raise ValueError(f"n_jobs is {n_jobs}; expected the number of processes, 1 or more")
    if not (callable(featurizer) or isinstance(featurizer, Transformer)):
        raise TypeError(
            f"the featurizer is {featurizer!r}; expected a function of one text, or an object with transform"
        )
    text = Text.of(smiles)
    results: list[Result] = []
    for result in _results(text, featurizer, n_jobs):
        if isinstance(result, str) and on_error == "raise":
            raise _refused(text, len(results), result)
        results.append(result)
    if size is None:
        sizes = Counter(len(result) for result in results if not isinstance(result, str))
        size = sizes.most_common(1)[0][0] if sizes else 0
    for row, result in enumerate(results):
        if not isinstance(result, str) and len(result) != size:
            results[row] = reason = f"returned {len(result)} numbers, where others have {size}"
            if on_error == "raise":
                raise _refused(text, row, reason)
    return _assembled(text, results, size, drop=on_error == "drop")


def require_on_error(on_error: str) -> None:
    """Refuse an `on_error` that is none of the three."""
    if on_error not in get_args(OnError):
        raise ValueError(f"on_error is {on_error!r}; expected 'raise', 'drop' or 'mask'")


def _refused(text: Text, row: int, reason: str) -> FeatureError:
    return FeatureError(
        f"row {row}: no vector for {text[row]!r}: {reason}; remove the row, or say on_error='drop' or on_error='mask' "
        "to go on without it",
        text=text[row],
        reason=reason,
        row=row,
    )


def _assembled(text: Text, results: list[Result], size: int, *, drop: bool) -> Features:
    ok = np.array([not isinstance(result, str) for result in results], dtype=bool)
    rejects = Rejects.of(
        (row, text[row], "feature", result) for row, result in enumerate(results) if isinstance(result, str)
    )
    good = [result for result in results if not isinstance(result, str)]
    stacked = np.stack(good) if good else np.zeros((0, size), np.float32)
    kept = np.flatnonzero(ok) if drop else np.arange(len(results))
    if drop or ok.all():
        return Features(stacked, np.ones(len(kept), bool), rejects, kept)
    values = np.zeros((len(results), size), stacked.dtype)
    values[ok] = stacked
    return Features(values, ok, rejects, kept)


def _results(text: Text, featurizer: Featurizer, n_jobs: int) -> Iterator[Result]:
    """A vector for each text, or the reason why there is none, in order."""
    chunks = (text[start : start + CHUNK].tolist() for start in range(0, len(text), CHUNK))
    run = partial(_run, featurizer)
    # A daemon, such as a loader's worker, may have no processes of its own.
    if n_jobs == 1 or len(text) <= CHUNK or multiprocessing.current_process().daemon:
        yield from chain.from_iterable(map(run, chunks))
        return
    try:
        pickle.dumps(run)
    except Exception as error:  # pickle raises whatever the object does
        raise TypeError(
            f"the featurizer {featurizer!r} cannot be sent to {n_jobs} processes ({error}); define it at the top of a "
            "module, or use n_jobs=1"
        ) from error
    with ProcessPoolExecutor(n_jobs) as pool:
        try:
            yield from chain.from_iterable(pool.map(run, chunks))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _run(featurizer: Featurizer, texts: list[str]) -> list[Result]:
    """A vector or a reason for each of a few texts."""
    if isinstance(featurizer, Transformer):
        try:
            rows = _table(featurizer.transform(texts))
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


def _table(made: Any) -> Any:
    """What ``transform`` gave, as a sequence of rows: sparse matrices and data frames are none."""
    if hasattr(made, "toarray"):
        return made.toarray()
    return np.asarray(made) if hasattr(made, "columns") else made


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
    with np.errstate(over="ignore"):
        vector = array.astype(np.float32)
    if (lost := np.isinf(vector) & ~np.isinf(array)).any():
        raise ValueError(f"returned {array[lost][0]}, which is more than float32 holds")
    return vector


def _reason(error: Exception) -> str:
    said = getattr(error, "reason", None) if isinstance(error, MoleculeError) else None
    return said or f"{type(error).__name__}: {' '.join(str(error).split())}"
