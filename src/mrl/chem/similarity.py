"""How similar molecules are: the Tanimoto coefficient of their fingerprints.

The share of bits that two fingerprints have in common among the bits of either (Jaccard 1901; for molecules Willett,
Barnard and Downs 1998, doi:10.1021/ci9800211). RDKit's numbers, digit for digit, except that two fingerprints without
any bit have the similarity 1 (there 0): a molecule is like itself, however small.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl import kernels
from mrl.chem.fingerprints import ECFP4
from mrl.chem.molecule import Molecule, rows_of
from mrl.errors import ColumnError, FeatureError, MoleculeError

__all__ = ["BitsOf", "nearest_neighbours", "packed_bits", "tanimoto"]

BitsOf: TypeAlias = Callable[[Any], NDArray[Any]]

_TOGETHER = 1024  # rows that are packed at a time: one by one it would cost as much as a comparison of thousands


def tanimoto(a: Any, b: Any, *, fingerprint: BitsOf = ECFP4) -> NDArray[np.float64]:
    """The similarity of each molecule of `a` to each of `b`.

    Parameters
    ----------
    a, b : column of str or Mol, or array of bits; n and m rows
        Molecules, or what `packed_bits` made of them, or an array of 0 and 1 of shape (rows, bits).
    fingerprint : callable
        A molecule -> 0 or 1, shape (bits,). Not used for arrays.

    Returns
    -------
    ndarray of float64, shape (n, m)
        0 to 1; 1 for two fingerprints without any bit.

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        An array holds something else than bits, or the two have not as many.

    Examples
    --------
    >>> tanimoto(["CCO"], ["OCC", "CCN", "c1ccccc1"]).round(3)
    array([[1.   , 0.333, 0.   ]])
    """
    return kernels.tanimoto(*_both(a, b, ("a", "b"), fingerprint))


def nearest_neighbours(
    queries: Any, references: Any, k: int = 1, *, fingerprint: BitsOf = ECFP4, threads: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The references that are most similar to each query, and how similar they are.

    Parameters
    ----------
    queries, references : column of str or Mol, or array of bits; n and m rows
        As in `tanimoto`.
    k : int
        How many, 1 to m.
    fingerprint : callable
        A molecule -> 0 or 1, shape (bits,). Not used for arrays.
    threads : int
        For the comparison, in which 10,000 x 10,000 fingerprints of 2048 bits take about a second on one; molecules
        are read and their fingerprints made on one alone.

    Returns
    -------
    rows : ndarray of int64, shape (n, k)
        Of the references, the most similar first; of equals the first.
    similarity : ndarray of float64, shape (n, k)

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        An array holds something else than bits, or the two have not as many.
    ValueError
        There are fewer than `k` references.

    Examples
    --------
    >>> rows, similarity = nearest_neighbours(["CCO", "Cc1ccccc1"], ["c1ccccc1", "CCCO", "CCN"])
    >>> rows, similarity.round(3)
    (array([[1],
           [0]]), array([[0.556],
           [0.273]]))
    """
    a, b = _both(queries, references, ("queries", "references"), fingerprint)
    return kernels.nearest(a, b, k, threads=threads)


def packed_bits(column: Any, fingerprint: BitsOf = ECFP4, name: str = "molecules") -> NDArray[np.uint64]:
    """The fingerprints of molecules as 64-bit words, an eighth of their size: for many comparisons.

    Parameters
    ----------
    column : column of str or Mol, or array of bits; n rows
        Molecules; or fingerprints that there are already: an array of 0 and 1, shape (n, bits). An array of uint64 is
        taken for packed and comes back as it is.
    fingerprint : callable
        A molecule -> 0 or 1, shape (bits,). Not used for arrays.
    name : str
        What the rows are called in messages.

    Returns
    -------
    ndarray of uint64, shape (n, ceil(bits / 64))

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    FeatureError
        The fingerprint of a row holds something else than bits, or another number of them than those before.
    ColumnError
        The array holds something else than bits, or one molecule was given where a column is expected.

    Examples
    --------
    >>> packed_bits(["CCO", "CCN"]).shape
    (2, 32)
    """
    if len(getattr(column, "shape", ())) == 2:
        return _packed_array(np.asarray(column), name)
    rows = rows_of(column, name)
    parts, some, width = [np.zeros((0, 0), np.uint64)], [], -1
    for row, x in enumerate(rows):
        try:
            bits = np.asarray(fingerprint(x))
        except MoleculeError as error:
            message = f"{name}, row {row}: {error}"
            raise MoleculeError(message, text=error.text, reason=error.reason, row=row) from None
        width = bits.size if width < 0 else width
        if bits.ndim != 1 or bits.size != width:
            raise _no_bits(name, row, x, f"its fingerprint has the shape {bits.shape}, expected ({width},)")
        some.append(bits)
        if len(some) == _TOGETHER or row == len(rows) - 1:
            stacked = np.stack(some)
            if (wrong := _not_bits(stacked)) is not None:
                at = row + 1 - len(some) + wrong[0]
                reason = f"its fingerprint has the value {stacked[wrong]}, expected 0 or 1"
                raise _no_bits(name, at, rows[at], f"{reason}; similarities are those of bits, not of counts")
            parts.append(kernels.pack_bits(stacked))
            some = []
    return np.concatenate(parts[1:] or parts)


def _packed_array(array: NDArray[Any], name: str) -> NDArray[np.uint64]:
    if array.dtype == np.uint64:
        return np.ascontiguousarray(array)
    for start in range(0, len(array), _TOGETHER):
        if (wrong := _not_bits(array[start : start + _TOGETHER])) is not None:
            row, value = start + wrong[0], array[start + wrong[0], wrong[1]]
            packed = array.dtype == np.uint8 and array.shape[1] % 8 == 0
            remedy = "; if these are packed bits, give array.view(numpy.uint64)" if packed else ""
            raise ColumnError(f"{name}, row {row}: the value {value!s}, expected bits, 0 or 1{remedy}", column=name)
    return kernels.pack_bits(array)


def _not_bits(array: NDArray[Any]) -> tuple[int, int] | None:
    """Where the first value is that is neither 0 nor 1."""
    if array.dtype == np.uint8 or array.dtype == bool:
        if array.max(initial=0) <= 1:
            return None
        wrong = array > 1
    else:
        wrong = (array != 0) & (array != 1)
    found = np.flatnonzero(wrong)
    return divmod(int(found[0]), array.shape[1]) if len(found) else None


def _both(a: Any, b: Any, names: tuple[str, str], fingerprint: BitsOf) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    packed = packed_bits(a, fingerprint, names[0]), packed_bits(b, fingerprint, names[1])
    widths = [some.shape[1] for some in packed if len(some)]
    if len(set(widths)) > 1:
        sizes = " and ".join(f"{64 * width} bits in {name}" for name, width in zip(names, widths, strict=True))
        reason = f"{sizes} (the last of 64 filled up) cannot be compared; make both with the same fingerprint"
        raise ColumnError(reason, column=names[1])
    width = max(widths, default=0)
    first, second = (some if len(some) else np.zeros((0, width), np.uint64) for some in packed)
    return first, second


def _no_bits(name: str, row: int, x: Molecule, reason: str) -> FeatureError:
    text = x if isinstance(x, str) else ""
    return FeatureError(f"{name}, row {row}: {reason}", text=text, reason=reason, row=row)
