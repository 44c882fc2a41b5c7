"""Fingerprints as arrays: one class with all parameters, and the notebook's names.

ECFP and FCFP are those of Rogers and Hahn 2010, doi:10.1021/ci100050t. The names follow the paper: the number is the
diameter, twice the radius. All bits are RDKit's own.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from mrl.chem.molecule import Molecule, function_of_molecule, to_mol
from mrl.errors import FeatureError
from mrl.messages import did_you_mean

Bits: TypeAlias = NDArray[np.uint8]
FingerprintFunction: TypeAlias = Callable[[Any], NDArray[Any]]
F = TypeVar("F", bound=FingerprintFunction)

_CIRCULAR = ("ecfp", "fcfp")
GENERATORS: dict[str, Callable[..., Any]] = {
    "ecfp": rdFingerprintGenerator.GetMorganGenerator,
    "fcfp": lambda **sizes: rdFingerprintGenerator.GetMorganGenerator(
        atomInvariantsGenerator=rdFingerprintGenerator.GetMorganFeatureAtomInvGen(), **sizes
    ),
    "rdkit": rdFingerprintGenerator.GetRDKitFPGenerator,
    "atom_pair": rdFingerprintGenerator.GetAtomPairGenerator,
    "torsion": rdFingerprintGenerator.GetTopologicalTorsionGenerator,
}
_OTHER_NAMES = {
    "morgan": "ecfp",
    "featmorgan": "fcfp",
    "feature_morgan": "fcfp",
    "atompair": "atom_pair",
    "atom_pairs": "atom_pair",
    "topological_torsion": "torsion",
    "torsions": "torsion",
    "rdk": "rdkit",
    "maccs_keys": "maccs",
}
_DIAMETER = re.compile(r"([ef]cfp)_?(\d+)")
_CHIRAL = (*_CIRCULAR, "torsion")  # RDKit's atom pairs of enantiomers are equal
_KINDS = ("ecfp", "fcfp", "maccs", "rdkit", "atom_pair", "torsion")
_MACCS_BITS = 167  # 166 keys, counted from 1; bit 0 is never set
_LONGEST = 1 << 24  # an unfolded fingerprint has 2**32 positions
_COUNT_VECTORS = (
    DataStructs.IntSparseIntVect,
    DataStructs.LongSparseIntVect,
    DataStructs.UIntSparseIntVect,
    DataStructs.ULongSparseIntVect,
)


@dataclass(frozen=True)
class Fingerprint:
    """A fingerprint with its parameters: a function of one molecule.

    It is compared, hashed and pickled by its parameters. Everything else is RDKit's default: bond orders count, and
    bits of atom pairs and torsions encode how often something occurs. Stereoisomers have equal fingerprints, unless
    `chirality` is True.

    Parameters
    ----------
    kind : str
        ``"ecfp"``, ``"fcfp"`` (Rogers and Hahn 2010, doi:10.1021/ci100050t); ``"maccs"`` (Durant et al. 2002,
        doi:10.1021/ci010132r); ``"rdkit"`` (paths and branches of 1 to 7 bonds); ``"atom_pair"`` (Carhart, Smith and
        Venkataraghavan 1985, doi:10.1021/ci00046a002); ``"torsion"`` (Nilakantan et al. 1987,
        doi:10.1021/ci00054a008). Upper and lower case are the same, ``"morgan"`` is ``"ecfp"``, and ``"ecfp4"``,
        ``"FCFP6"`` ... include the radius, half their number.
    n_bits : int, optional
        Length; 2048 by default. MACCS always has 167.
    radius : int, optional
        Bonds from the centre to the edge of the largest environment, for the circular kinds only; 2 by default, as in
        ECFP4.
    counts : bool
        Whether to count how often each feature occurs; not for MACCS.
    chirality : bool
        Whether tetrahedral stereo counts, so that enantiomers differ; only for the circular kinds and ``"torsion"``.

    Raises
    ------
    ValueError
        An unknown kind, or a parameter that does not apply to the kind. A call raises MoleculeError for an invalid
        molecule.

    Examples
    --------
    >>> ecfp6 = Fingerprint("ecfp", radius=3)
    >>> bool((ecfp6("CCO") == ECFP6("CCO")).all()), ecfp6.cache_key == ECFP6.cache_key
    (True, True)
    >>> Fingerprint("torsion", n_bits=8, counts=True)("CCCCCC")
    array([2, 0, 0, 0, 0, 0, 0, 1], dtype=uint32)
    >>> Fingerprint("ECFP6") == ecfp6, Fingerprint("morgan") == Fingerprint("ecfp4")
    (True, True)
    """

    checks_text: ClassVar[bool] = True

    kind: str
    n_bits: int | None = None
    radius: int | None = None
    counts: bool = False
    chirality: bool = False

    def __post_init__(self) -> None:
        self._read_name()
        maccs, circular = self.kind == "maccs", self.kind in _CIRCULAR
        if self.radius is not None and not circular:
            raise ValueError(f"radius={self.radius}: only {' and '.join(_CIRCULAR)} have a radius; leave it out")
        if maccs and (self.counts or self.n_bits not in (None, _MACCS_BITS)):
            raise ValueError(
                f"n_bits={self.n_bits}, counts={self.counts}: maccs is {_MACCS_BITS} bits without counts; omit both"
            )
        if self.chirality and self.kind not in _CHIRAL:
            raise ValueError(f"chirality=True: {self.kind} ignores stereo; choose one of {', '.join(_CHIRAL)}")
        n_bits = operator.index((_MACCS_BITS if maccs else 2048) if self.n_bits is None else self.n_bits)
        radius = operator.index(2 if self.radius is None else self.radius)
        if radius < 0 or not 1 <= n_bits <= _LONGEST:
            raise ValueError(f"radius={radius}, n_bits={n_bits}: expected radius >= 0 and 1 <= n_bits <= {_LONGEST}")
        object.__setattr__(self, "n_bits", n_bits)
        object.__setattr__(self, "radius", radius if circular else None)
        object.__setattr__(self, "counts", bool(self.counts))
        object.__setattr__(self, "chirality", bool(self.chirality))

    def _read_name(self) -> None:
        """Replace another name of a kind by its own, and a number in it by the radius."""
        name = re.sub(r"[\s-]+", "_", str(self.kind).strip().casefold())
        if named := _DIAMETER.fullmatch(name):
            name, diameter = named[1], int(named[2])
            if diameter % 2 or self.radius not in (None, diameter // 2):
                expected = f"{diameter // 2}, or leave it out" if not diameter % 2 else "an even diameter in the name"
                raise ValueError(f"{self.kind!r} with radius={self.radius}: expected {expected}")
            object.__setattr__(self, "radius", diameter // 2)
        name = _OTHER_NAMES.get(name, name)
        if name not in _KINDS:
            suggestion = did_you_mean(name, (*_KINDS, *_OTHER_NAMES))
            raise ValueError(
                f"{self.kind!r} is not a kind of fingerprint{suggestion}; choose one of {', '.join(_KINDS)}"
            )
        object.__setattr__(self, "kind", name)

    @property
    def cache_key(self) -> str:
        """Kind, all parameters and the version of RDKit: equal exactly where the results are."""
        parameters = repr(self).replace(", chirality=False", "")  # which was the only choice of earlier versions
        return f"{parameters} rdkit={rdBase.rdkitVersion}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the bits, such as ``"ecfp6_0"``.

        Examples
        --------
        >>> Fingerprint("ecfp6", n_bits=2).names, Fingerprint("maccs").names[-1]
        (('ecfp6_0', 'ecfp6_1'), 'maccs_166')
        """
        kind = f"{self.kind}{2 * self.radius}" if self.radius is not None and self.kind in _CIRCULAR else self.kind
        return tuple(f"{kind}_{bit}" for bit in range(self.n_bits or 0))

    def __call__(self, x: Molecule) -> NDArray[Any]:
        """Return the fingerprint of `x`, a new array of uint8 (0 or 1) or uint32 (counts), shape (n_bits,)."""
        return _array_function(self)(to_mol(x))


_ECFP4, _ECFP6 = Fingerprint("ecfp", radius=2), Fingerprint("ecfp", radius=3)
_FCFP4, _FCFP6 = Fingerprint("fcfp", radius=2), Fingerprint("fcfp", radius=3)


def _named(fingerprint: Fingerprint) -> Callable[[F], F]:
    """Give a function the `cache_key` of the fingerprint that it returns, and complete its docstring."""

    def name(function: F) -> F:
        vars(function)["cache_key"] = fingerprint.cache_key
        return function_of_molecule("ndarray of uint8, shape (2048,)\n    0 or 1; a new array.")(function)

    return name


@_named(_ECFP4)
def ECFP4(x: Molecule) -> Bits:
    """Return the Morgan fingerprint of radius 2, 2048 bits.

    >>> ECFP4("CCO").shape, int(ECFP4("CCO").sum())
    ((2048,), 6)
    """
    return _ECFP4(x)


@_named(_ECFP6)
def ECFP6(x: Molecule) -> Bits:
    """Return the Morgan fingerprint of radius 3, 2048 bits.

    >>> ECFP6("c1ccccc1").dtype, int(ECFP6("c1ccccc1").sum())
    (dtype('uint8'), 4)
    """
    return _ECFP6(x)


@_named(_FCFP4)
def FCFP4(x: Molecule) -> Bits:
    """Return the Morgan fingerprint of radius 2 over atom roles (donor, acceptor, aromatic, ...), 2048 bits.

    >>> bool((FCFP4("CCCl") == FCFP4("CCBr")).all()), bool((ECFP4("CCCl") == ECFP4("CCBr")).all())
    (True, False)
    """
    return _FCFP4(x)


@_named(_FCFP6)
def FCFP6(x: Molecule) -> Bits:
    """Return the Morgan fingerprint of radius 3 over atom roles (donor, acceptor, aromatic, ...), 2048 bits.

    >>> FCFP6("CCO").shape
    (2048,)
    """
    return _FCFP6(x)


def morgan_fp(x: Molecule, radius: int = 3, n_bits: int = 2048, features: bool = False) -> Bits:
    """Return which circular environments occur in a molecule: `Fingerprint` of kind ``"ecfp"`` or ``"fcfp"``.

    Parameters
    ----------
    x : str or Mol
    radius : int
        Bonds from the centre to the edge of the largest environment, 0 or more.
    n_bits : int
        Length of the fingerprint, 1 or more.
    features : bool
        Describe atoms by their role (donor, acceptor, aromatic, ...) as in FCFP, not by element and surroundings.

    Returns
    -------
    ndarray of uint8, shape (n_bits,)
        0 or 1; a new array.

    Raises
    ------
    MoleculeError
        `x` is not a molecule (see `to_mol`).
    ValueError
        A negative radius, or less than one bit.

    Examples
    --------
    >>> morgan_fp("CCO", radius=1, n_bits=16)
    array([1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0], dtype=uint8)
    """
    return Fingerprint("fcfp" if features else "ecfp", n_bits, radius)(x)


def fp_to_array(fingerprint: Any) -> Bits:
    """Return a fingerprint object of RDKit as an array.

    Parameters
    ----------
    fingerprint : ExplicitBitVect or count vector (IntSparseIntVect, UIntSparseIntVect, ...)
        Or an array of them, shape (bits,), which is copied.

    Returns
    -------
    ndarray of uint8, shape (number of bits,)
        0 or 1, or the counts.

    Raises
    ------
    FeatureError
        Not a fingerprint of RDKit, one that is not folded to a fixed length, or one with a count that uint8 cannot
        hold; a ``ValueError``.

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
    if isinstance(fingerprint, np.ndarray):
        if fingerprint.ndim != 1 or fingerprint.dtype.kind not in "biuf":
            raise _no_array(
                kind, f"shape {fingerprint.shape}, dtype {fingerprint.dtype}; expected numbers, shape (bits,)"
            )
        array = fingerprint.astype(np.uint8)
        if (array != fingerprint).any():
            raise _no_array(
                kind, f"the value {fingerprint[array != fingerprint][0]} does not fit uint8; use it as it is"
            )
        return array
    if not isinstance(fingerprint, _COUNT_VECTORS):
        raise _no_array(kind, "expected RDKit's ExplicitBitVect or a count vector; for a molecule, use morgan_fp")
    length = int(fingerprint.GetLength())
    if not 0 <= length <= _LONGEST:
        raise _no_array(kind, f"{length:,} positions are too many for an array; make it with a fixed fpSize")
    counts = fingerprint.GetNonzeroElements()
    unfit = [count for count in counts.values() if not 0 <= count <= 255]
    if unfit:
        raise _no_array(kind, f"a count of {unfit[0]} does not fit uint8; use its GetNonzeroElements()")
    array = np.zeros(length, np.uint8)
    array[list(counts)] = list(counts.values())
    return array


def _no_array(kind: str, reason: str) -> FeatureError:
    return FeatureError(f"cannot make an array of this {kind}: {reason}", text=kind, reason=reason)


@lru_cache(maxsize=64)
def _array_function(fingerprint: Fingerprint) -> Callable[[Chem.Mol], NDArray[Any]]:
    """What makes the array of a molecule; RDKit's generators are made once."""
    kind, sizes = fingerprint.kind, {"fpSize": fingerprint.n_bits}
    if kind == "maccs":
        return lambda mol: fp_to_array(rdMolDescriptors.GetMACCSKeysFingerprint(mol))
    if kind in _CIRCULAR:
        sizes["radius"] = fingerprint.radius
    if kind in _CHIRAL:
        sizes["includeChirality"] = fingerprint.chirality
    generator = GENERATORS[kind](**sizes)
    function: Callable[[Chem.Mol], NDArray[Any]] = (
        generator.GetCountFingerprintAsNumPy if fingerprint.counts else generator.GetFingerprintAsNumPy
    )
    return function
