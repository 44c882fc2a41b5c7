"""Morgan fingerprints as arrays of 0 and 1.

Rogers and Hahn 2010, doi:10.1021/ci100050t. The names follow the paper: the number is the diameter, twice the radius.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rdkit import DataStructs
from rdkit.Chem import rdFingerprintGenerator

from mrl.chem.molecule import Molecule, to_mol
from mrl.errors import FeatureError

__all__ = ["ECFP4", "ECFP6", "FCFP4", "FCFP6", "fp_to_array", "morgan_fp"]

Bits: TypeAlias = NDArray[np.uint8]

_COUNTS = (
    DataStructs.IntSparseIntVect,
    DataStructs.LongSparseIntVect,
    DataStructs.UIntSparseIntVect,
    DataStructs.ULongSparseIntVect,
)
_LONGEST = 1 << 24  # an unfolded fingerprint has 2**32 positions


def morgan_fp(x: Molecule, radius: int = 3, n_bits: int = 2048, features: bool = False) -> Bits:
    """Which circular environments occur in a molecule, folded to a fixed number of bits.

    Bond orders count, stereo does not (RDKit's defaults); the bits are RDKit's own.

    Parameters
    ----------
    x : str or Mol
    radius : int
        Bonds from the centre to the edge of the largest environment, 0 or more.
    n_bits : int
        Length of the fingerprint, 1 or more.
    features : bool
        Atoms by their role (donor, acceptor, aromatic, ...) as in FCFP, not by element and surroundings.

    Returns
    -------
    ndarray of uint8, shape (n_bits,)
        0 or 1, in memory of its own.

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).
    ValueError
        The radius is negative, or there are no bits.

    Examples
    --------
    >>> morgan_fp("CCO", radius=1, n_bits=16)
    array([1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0], dtype=uint8)
    """
    array: Bits = _generator(radius, n_bits, features).GetFingerprintAsNumPy(to_mol(x))
    return array


def ECFP4(x: Molecule) -> Bits:
    """Morgan fingerprint of radius 2, 2048 bits.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    ndarray of uint8, shape (2048,)

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> ECFP4("CCO").shape, int(ECFP4("CCO").sum())
    ((2048,), 6)
    """
    return morgan_fp(x, radius=2)


def ECFP6(x: Molecule) -> Bits:
    """Morgan fingerprint of radius 3, 2048 bits.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    ndarray of uint8, shape (2048,)

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> ECFP6("c1ccccc1").dtype, int(ECFP6("c1ccccc1").sum())
    (dtype('uint8'), 4)
    """
    return morgan_fp(x, radius=3)


def FCFP4(x: Molecule) -> Bits:
    """Morgan fingerprint of radius 2 over atom roles (donor, acceptor, aromatic, ...), 2048 bits.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    ndarray of uint8, shape (2048,)

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> bool((FCFP4("CCCl") == FCFP4("CCBr")).all()), bool((ECFP4("CCCl") == ECFP4("CCBr")).all())
    (True, False)
    """
    return morgan_fp(x, radius=2, features=True)


def FCFP6(x: Molecule) -> Bits:
    """Morgan fingerprint of radius 3 over atom roles (donor, acceptor, aromatic, ...), 2048 bits.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    ndarray of uint8, shape (2048,)

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> FCFP6("CCO").shape
    (2048,)
    """
    return morgan_fp(x, radius=3, features=True)


def fp_to_array(fingerprint: Any) -> Bits:
    """A fingerprint object of RDKit as an array.

    Parameters
    ----------
    fingerprint : ExplicitBitVect or count vector (IntSparseIntVect, UIntSparseIntVect, ...)

    Returns
    -------
    ndarray of uint8, shape (number of bits,)
        0 or 1, or the counts.

    Raises
    ------
    FeatureError
        No fingerprint of RDKit, one that is not folded to a fixed length, or one with a count that uint8 cannot hold;
        a ``ValueError``.

    Examples
    --------
    >>> from rdkit.DataStructs import CreateFromBitString
    >>> fp_to_array(CreateFromBitString("01100000001"))
    array([0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1], dtype=uint8)
    """
    if isinstance(fingerprint, DataStructs.ExplicitBitVect):
        packed = np.frombuffer(DataStructs.BitVectToBinaryText(fingerprint), np.uint8)
        return np.unpackbits(packed, count=fingerprint.GetNumBits(), bitorder="little")
    kind = type(fingerprint).__name__
    if not isinstance(fingerprint, _COUNTS):
        raise _refused(kind, "expected RDKit's ExplicitBitVect or a count vector; a molecule goes to morgan_fp")
    length = int(fingerprint.GetLength())
    if not 0 <= length <= _LONGEST:
        raise _refused(kind, f"{length:,} positions are too many for an array; make it with a fixed fpSize")
    counts = fingerprint.GetNonzeroElements()
    unfit = [count for count in counts.values() if not 0 <= count <= 255]
    if unfit:
        raise _refused(kind, f"a count of {unfit[0]} does not fit uint8; use its GetNonzeroElements()")
    array = np.zeros(length, np.uint8)
    array[list(counts)] = list(counts.values())
    return array


def _refused(kind: str, reason: str) -> FeatureError:
    return FeatureError(f"cannot make an array of this {kind}: {reason}", text=kind, reason=reason)


@lru_cache(maxsize=16)
def _generator(radius: int, n_bits: int, features: bool) -> Any:
    radius, n_bits = operator.index(radius), operator.index(n_bits)
    if radius < 0 or not 1 <= n_bits <= _LONGEST:
        raise ValueError(f"radius={radius}, n_bits={n_bits}: expected radius >= 0 and 1 <= n_bits <= {_LONGEST}")
    roles = rdFingerprintGenerator.GetMorganFeatureAtomInvGen() if features else None
    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits, atomInvariantsGenerator=roles)
