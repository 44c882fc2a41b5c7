"""Fingerprints of many molecules as rows of 64-bit words, for comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.chem.columns import map_molecules
from mrl.chem.fingerprints import ECFP4, FingerprintFunction
from mrl.chem.molecule import Molecule
from mrl.errors import ColumnError, FeatureError
from mrl.kernels import pack_bits
from mrl.ragged import as_molecules

_BATCH = 1024  # rows packed at a time: one by one it would cost as much as a comparison of thousands


def pack_fingerprints(
    column: Any, fingerprint: FingerprintFunction = ECFP4, name: str = "molecules"
) -> NDArray[np.uint64]:
    """Return the fingerprints of many molecules as 64-bit words, an eighth of their size, for comparisons.

    Parameters
    ----------
    column : column of str or Mol, or array of bits; n rows
        Molecules, or their fingerprints: an array of 0 and 1, shape (n, bits). An array of uint64 is already packed
        and is returned unchanged.
    fingerprint : callable
        A molecule -> 0 or 1, shape (bits,). Not used for arrays.
    name : str
        The column in messages.

    Returns
    -------
    ndarray of uint64, shape (n, ceil(bits / 64))

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    FeatureError
        The fingerprint of a row has values other than 0 and 1, or another length than those of the rows above it.
    ColumnError
        The array has values other than 0 and 1, or `column` is a single molecule.

    Examples
    --------
    >>> pack_fingerprints(["CCO", "CCN"]).shape
    (2, 32)
    """
    if len(getattr(column, "shape", ())) == 2:
        return _pack_array(np.asarray(column), name)
    rows = as_molecules(column, name)
    return pack_rows(map_molecules(partial(bits_of, fingerprint=fingerprint), rows, name), rows, name)


def bits_of(x: Molecule, fingerprint: FingerprintFunction) -> NDArray[Any]:
    """Return the fingerprint of a molecule; a FeatureError if it is not a row of bits."""
    bits = np.asarray(fingerprint(x))
    if bits.ndim != 1:
        raise _no_bits(x, f"the shape {bits.shape}, expected one dimension")
    if (wrong := _first_not_bit(bits)) is not None:
        raise _no_bits(x, f"the value {bits[wrong]}, expected 0 or 1; similarities are those of bits, not of counts")
    return bits


def pack_rows(
    bits: Iterable[NDArray[Any]], column: Sequence[Any], name: str, rows: Sequence[int] | None = None
) -> NDArray[np.uint64]:
    """Return rows of bits as 64-bit words; a FeatureError if one has another length than the first.

    `rows` are their places in the column, if they are not all; it may grow as the bits are computed.
    """
    remaining, parts, length, row = iter(bits), [np.zeros((0, 0), np.uint64)], -1, 0
    while some := list(islice(remaining, _BATCH)):
        length = some[0].size if length < 0 else length
        for one in some:
            if one.size != length:
                place = row if rows is None else rows[row]
                error = _no_bits(column[place], f"the shape {one.shape}, expected ({length},)")
                raise FeatureError(f"{name}, row {place}: {error}", text=error.text, reason=error.reason, row=place)
            row += 1
        parts.append(pack_bits(np.stack(some)))
    return np.concatenate(parts[1:] or parts)


def _pack_array(array: NDArray[Any], name: str) -> NDArray[np.uint64]:
    if array.dtype == np.uint64:
        return np.ascontiguousarray(array)
    for start in range(0, len(array), _BATCH):
        if (wrong := _first_not_bit(array[start : start + _BATCH])) is not None:
            row, bit = divmod(wrong, array.shape[1])
            packed = array.dtype == np.uint8 and array.shape[1] % 8 == 0
            remedy = "; if these are packed bits, pass array.view(numpy.uint64)" if packed else ""
            raise ColumnError(
                f"{name}, row {start + row}: the value {array[start + row, bit]!s}, expected bits, 0 or 1{remedy}",
                column=name,
            )
    return pack_bits(array)


def _first_not_bit(array: NDArray[Any]) -> int | None:
    """Where, in a flat array, the first value is that is neither 0 nor 1."""
    if array.dtype == np.uint8 or array.dtype == bool:
        if array.max(initial=0) <= 1:
            return None
        wrong = array > 1
    else:
        wrong = (array != 0) & (array != 1)
    found = np.flatnonzero(wrong)
    return int(found[0]) if len(found) else None


def _no_bits(x: Molecule, reason: str) -> FeatureError:
    reason = f"its fingerprint has {reason}"
    return FeatureError(reason, text=x if isinstance(x, str) else "", reason=reason)
