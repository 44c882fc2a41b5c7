"""Call a featurizer for a few molecules, and pack its results into rows of numbers, or reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.errors import MoleculeError
from mrl.features.packing import Bytes, PackedFormat, inexact, pack

__all__ = ["AnyText", "Block", "Featurizer", "Part", "Transformer", "compute", "function_of", "takes_any_text"]


@runtime_checkable
class Transformer(Protocol):
    """An estimator in scikit-learn's convention."""

    def transform(self, X: list[str]) -> Any:
        """Return an array of shape (n, D) for n texts."""


LONGEST = 1 << 24  # numbers of a vector of counts; an unfolded fingerprint has 2**32 places


@dataclass(frozen=True)
class AnyText:
    """A featurizer of any texts: peptides, DNA, names. Texts of all others are checked to be SMILES first.

    Parameters
    ----------
    featurizer : callable or object with ``transform``
        Gets every text as it is, so it is its task to raise an error for a text that it is not made for.

    Examples
    --------
    >>> from mrl.features import featurize
    >>> featurize(["WHR", "GGX"], lambda peptide: peptide.count("G"), on_error="drop").rejects[0].reason
    "syntax: cannot be read near character 1 of 3, 'W'"
    >>> featurize(["WHR", "GGX"], AnyText(lambda peptide: peptide.count("G"))).values.tolist()
    [[0.0], [2.0]]
    """

    featurizer: Callable[[str], Any] | Transformer


Featurizer: TypeAlias = "Callable[[str], Any] | Transformer | AnyText"


def function_of(featurizer: Featurizer) -> Any:
    """Return the function or the object with ``transform`` inside a featurizer.

    Parameters
    ----------
    featurizer : callable, object with ``transform``, or AnyText

    Returns
    -------
    callable or object with ``transform``
        What `AnyText` was given; all others are returned unchanged.

    Examples
    --------
    >>> function_of(AnyText(len)) is len, function_of(len) is len
    (True, True)
    """
    return featurizer.featurizer if isinstance(featurizer, AnyText) else featurizer


def takes_any_text(featurizer: Featurizer) -> bool:
    """Whether texts are not checked before: for `AnyText`, and where ``checks_text`` says that the function does it."""
    return isinstance(featurizer, AnyText) or getattr(featurizer, "checks_text", False) is True


# Other errors (no memory, no file, no device) are not the molecule's, and are not remembered.
_LASTING = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


class Part(NamedTuple):
    """Some rows of one format."""

    rows: NDArray[np.int64]
    format: PackedFormat
    data: Bytes


@dataclass(frozen=True)
class Block:
    """Results for n molecules: rows of numbers, and reasons for those that have none.

    `rejected` are those that the featurizer rejects every time, `lost` those that had bad luck (too slow, no memory).
    """

    parts: Sequence[Part] = ()
    rejected: dict[int, str] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(len(part.rows) for part in self.parts) + len(self.rejected) + len(self.lost)

    @property
    def nbytes(self) -> int:
        return sum(part.data.nbytes for part in self.parts)

    def moved(self, rows: NDArray[np.int64]) -> Block:
        """Return the same results, for ``rows[i]`` instead of row ``i``."""
        return Block(
            [part._replace(rows=rows[part.rows]) for part in self.parts],
            {int(rows[row]): reason for row, reason in self.rejected.items()},
            {int(rows[row]): reason for row, reason in self.lost.items()},
        )


def compute(featurizer: Featurizer, texts: list[str], at: Callable[[int], None] = lambda row: None) -> Block:
    """Compute a few molecules; `at` is called with the position of each before, unless all are computed at once.

    Where the featurizer does not check its texts, it sees only those that are molecules.
    """
    function, any_text = function_of(featurizer), takes_any_text(featurizer)
    if isinstance(function, Transformer):
        return _transform(function, texts, at) if any_text else _transform_molecules(function, texts, at)
    return _one_by_one(function if any_text else partial(_call_for_molecule, function), texts, at)


def _call_for_molecule(function: Callable[[str], Any], text: str) -> Any:
    from mrl.chem import to_mol  # for cost: functions that check their texts need not load RDKit

    to_mol(text)
    return function(text)


def _transform_molecules(transformer: Transformer, texts: list[str], at: Callable[[int], None]) -> Block:
    from mrl.chem import to_mol  # for cost, as above

    rejected: dict[int, str] = {}
    for row, text in enumerate(texts):
        try:
            to_mol(text)
        except MoleculeError as error:
            rejected[row] = _reason(error)
    if not rejected:
        return _transform(transformer, texts, at)
    rows = [row for row in range(len(texts)) if row not in rejected]
    block = _transform(transformer, [texts[row] for row in rows], lambda place: at(rows[place])) if rows else Block()
    block = block.moved(np.array(rows, np.int64))
    return Block(block.parts, {**block.rejected, **rejected}, block.lost)


def _transform(transformer: Transformer, texts: list[str], at: Callable[[int], None]) -> Block:
    try:
        rows = _table(transformer.transform(texts))
        if len(rows) != len(texts):
            raise ValueError(f"returned {len(rows)} rows for {len(texts)} molecules")
        return _block([_vector(row) for row in rows])
    except Exception as error:  # a user's code may raise anything; the rows are then computed one by one
        if len(texts) == 1:
            return _block([error])
    return _one_by_one(lambda text: _only(_table(transformer.transform([text]))), texts, at)


def _one_by_one(function: Callable[[str], Any], texts: list[str], at: Callable[[int], None]) -> Block:
    results: list[NDArray[Any] | Exception] = []
    for row, text in enumerate(texts):
        at(row)
        try:
            results.append(_vector(function(text)))
        except Exception as error:  # a user's function may raise anything, and RDKit does
            results.append(error)
    return _block(results)


def _block(results: Sequence[NDArray[Any] | Exception]) -> Block:
    groups: dict[tuple[int, np.dtype[Any]], list[int]] = {}
    vectors: dict[int, NDArray[Any]] = {}
    block = Block()
    for row, result in enumerate(results):
        if isinstance(result, Exception):
            (block.rejected if isinstance(result, _LASTING) else block.lost)[row] = _reason(result)
        else:
            vectors[row] = result
            groups.setdefault((len(result), result.dtype), []).append(row)
    parts = [Part(np.array(rows), *pack(np.stack([vectors[row] for row in rows]))) for rows in groups.values()]
    return Block(parts, block.rejected, block.lost)


def _table(made: Any) -> Any:
    """Return the result of ``transform`` as a sequence of rows, which sparse matrices and data frames are not."""
    if hasattr(made, "toarray"):
        return made.toarray()
    return np.asarray(made) if hasattr(made, "columns") else made


def _only(rows: Any) -> Any:
    if len(rows) != 1:
        raise ValueError(f"returned {len(rows)} rows for 1 molecules")
    return rows[0]


def _with(places: dict[int, int], size: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return zeros with other numbers at some places."""
    if size > LONGEST:
        raise ValueError(f"returned {size} counts, most of them 0; fold them, to {LONGEST} at most")
    if places and not 0 <= min(places.values()) <= max(places.values()) <= np.iinfo(dtype).max:
        raise ValueError(f"returned counts from {min(places.values())} to {max(places.values())}, expected {dtype}")
    made = np.zeros(size, dtype)
    made[list(places)] = list(places.values())
    return made


def _vector(value: Any) -> NDArray[Any]:
    """Return `value` as a row of numbers; a ValueError if it is not one."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    elif hasattr(value, "GetOnBits"):  # RDKit's bit vectors, which NumPy would read bit by bit
        value = _with(dict.fromkeys(value.GetOnBits(), 1), value.GetNumBits(), np.uint8)
    elif hasattr(value, "GetNonzeroElements"):  # and its counts
        value = _with(value.GetNonzeroElements(), value.GetLength(), np.uint32)
    array = np.asarray(value)
    if array.dtype == np.uint8 and array.ndim == 1:  # a fingerprint: the short way
        return array
    array = np.atleast_1d(array)
    if array.ndim != 1:
        raise ValueError(f"returned an array of shape {array.shape}, expected one dimension")
    if array.dtype == bool:
        return array.astype(np.uint8)
    if array.dtype.kind == "u":
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.kind not in "if":
        raise ValueError(f"returned {type(value).__name__} with the dtype {array.dtype}, expected numbers")
    with np.errstate(over="ignore"):
        vector = array.astype(np.float32)
    if array.dtype.kind == "i" and (wrong := inexact(array, vector)) is not None:
        raise ValueError(
            f"returned the integer {array[wrong]}, which float32 would round to {int(vector[wrong])}; return unsigned "
            "integers, which are kept exactly, or floating-point numbers to round them"
        )
    if (lost := np.isinf(vector) & ~np.isinf(array)).any():
        raise ValueError(f"returned {array[lost][0]}, which is more than float32 holds")
    return vector


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None) if isinstance(error, MoleculeError) else None
    return reason or f"{type(error).__name__}: {' '.join(str(error).split())}"
