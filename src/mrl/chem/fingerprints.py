"""Fingerprints as arrays: Morgan's by name, and every kind that RDKit has with its parameters.

ECFP and FCFP are those of Rogers and Hahn 2010, doi:10.1021/ci100050t. The names follow the paper: the number is the
diameter, twice the radius. All bits are RDKit's own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from mrl.chem.molecule import Molecule, to_mol
from mrl.errors import FeatureError

__all__ = ["ECFP4", "ECFP6", "FCFP4", "FCFP6", "Fingerprint", "fp_to_array", "morgan_fp"]

Bits: TypeAlias = NDArray[np.uint8]
F = TypeVar("F", bound=Callable[..., Any])

_COUNTS = (
    DataStructs.IntSparseIntVect,
    DataStructs.LongSparseIntVect,
    DataStructs.UIntSparseIntVect,
    DataStructs.ULongSparseIntVect,
)
_LONGEST = 1 << 24  # an unfolded fingerprint has 2**32 positions
_CIRCULAR = ("ecfp", "fcfp")
_MACCS_BITS = 167  # 166 keys, counted from 1; bit 0 is never set
_KINDS = (*_CIRCULAR, "maccs", "rdkit", "atom_pair", "torsion")


@dataclass(frozen=True)
class Fingerprint:
    """A fingerprint with its parameters: a function of one molecule.

    It is compared, hashed and pickled by its parameters. What is not said here is RDKit's default: bond orders count,
    stereo does not, and bits of atom pairs and torsions tell how often something occurs.

    Parameters
    ----------
    kind : str
        ``"ecfp"``, ``"fcfp"`` (Rogers and Hahn 2010, doi:10.1021/ci100050t); ``"maccs"`` (Durant et al. 2002,
        doi:10.1021/ci010132r); ``"rdkit"`` (paths and branches of 1 to 7 bonds); ``"atom_pair"`` (Carhart, Smith and
        Venkataraghavan 1985, doi:10.1021/ci00046a002); ``"torsion"`` (Nilakantan et al. 1987,
        doi:10.1021/ci00054a008).
    n_bits : int, optional
        Length; 2048, but 167 for MACCS, which has no other.
    radius : int, optional
        Of the circular kinds alone: bonds from the centre to the edge of the largest environment; 2, as in ECFP4.
    counts : bool
        How often each feature occurs, not whether it does; MACCS has no counts.

    Attributes
    ----------
    cache_key : str
        Kind, all parameters and the version of RDKit: equal where the results are.

    Raises
    ------
    ValueError
        No such kind, or a parameter that the kind has not.

    Examples
    --------
    >>> ecfp6 = Fingerprint("ecfp", radius=3)
    >>> bool((ecfp6("CCO") == ECFP6("CCO")).all())
    True
    >>> Fingerprint("torsion", n_bits=8, counts=True)("CCCCCC")
    array([2, 0, 0, 0, 0, 0, 0, 1], dtype=uint32)
    """

    kind: str
    n_bits: int | None = None
    radius: int | None = None
    counts: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"there is no fingerprint {self.kind!r}; choose one of {', '.join(_KINDS)}")
        maccs, circular = self.kind == "maccs", self.kind in _CIRCULAR
        if self.radius is not None and not circular:
            raise ValueError(f"radius={self.radius}: only {' and '.join(_CIRCULAR)} have a radius, {self.kind} has not")
        if maccs and (self.counts or self.n_bits not in (None, _MACCS_BITS)):
            raise ValueError(f"n_bits={self.n_bits}, counts={self.counts}: maccs is {_MACCS_BITS} bits, without counts")
        n_bits = (_MACCS_BITS if maccs else 2048) if self.n_bits is None else self.n_bits
        n_bits, radius = _sizes(n_bits, 2 if self.radius is None else self.radius)
        object.__setattr__(self, "n_bits", n_bits)
        object.__setattr__(self, "radius", radius if circular else None)
        object.__setattr__(self, "counts", bool(self.counts))

    @property
    def cache_key(self) -> str:
        return f"{self!r} rdkit={rdBase.rdkitVersion}"

    def __call__(self, x: Molecule) -> NDArray[Any]:
        """The fingerprint of a molecule.

        Parameters
        ----------
        x : str or Mol

        Returns
        -------
        ndarray of uint8 (0 or 1) or uint32 (counts), shape (n_bits,)
            In memory of its own.

        Raises
        ------
        MoleculeError
            Not a molecule (see `to_mol`).
        """
        return _function(self.kind, self.n_bits, self.radius, self.counts)(to_mol(x))


def _sizes(n_bits: int, radius: int) -> tuple[int, int]:
    n_bits, radius = operator.index(n_bits), operator.index(radius)
    if radius < 0 or not 1 <= n_bits <= _LONGEST:
        raise ValueError(f"radius={radius}, n_bits={n_bits}: expected radius >= 0 and 1 <= n_bits <= {_LONGEST}")
    return n_bits, radius


def _cached_as(fingerprint: Fingerprint) -> Callable[[F], F]:
    """Gives a function the `cache_key` of a fingerprint that returns the same."""

    def keyed(function: F) -> F:
        vars(function)["cache_key"] = fingerprint.cache_key
        return function

    return keyed


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
    return _function("fcfp" if features else "ecfp", n_bits, radius, False)(to_mol(x))


@_cached_as(Fingerprint("ecfp", radius=2))
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


@_cached_as(Fingerprint("ecfp", radius=3))
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


@_cached_as(Fingerprint("fcfp", radius=2))
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


@_cached_as(Fingerprint("fcfp", radius=3))
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


@lru_cache(maxsize=64)
def _function(kind: str, n_bits: int | None, radius: int | None, counts: bool) -> Callable[[Chem.Mol], NDArray[Any]]:
    """What makes the array of a molecule; generators are made once."""
    if kind == "maccs":
        return _maccs
    n_bits, radius = _sizes(2048 if n_bits is None else n_bits, 0 if radius is None else radius)
    generator: Any
    if kind in _CIRCULAR:
        roles = rdFingerprintGenerator.GetMorganFeatureAtomInvGen() if kind == "fcfp" else None
        generator = rdFingerprintGenerator.GetMorganGenerator(
            radius=radius, fpSize=n_bits, atomInvariantsGenerator=roles
        )
    else:
        make = {
            "rdkit": rdFingerprintGenerator.GetRDKitFPGenerator,
            "atom_pair": rdFingerprintGenerator.GetAtomPairGenerator,
            "torsion": rdFingerprintGenerator.GetTopologicalTorsionGenerator,
        }[kind]
        generator = make(fpSize=n_bits)
    made: Callable[[Chem.Mol], NDArray[Any]] = (
        generator.GetCountFingerprintAsNumPy if counts else generator.GetFingerprintAsNumPy
    )
    return made


def _maccs(mol: Chem.Mol) -> Bits:
    return fp_to_array(rdMolDescriptors.GetMACCSKeysFingerprint(mol))
