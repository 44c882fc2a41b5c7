"""Measures of a molecule against a goal: similarity to a target, substructures, a formula. Each is data.

A measure is a frozen dataclass of plain values, so that it can be written to a file, compared and sent to processes; it
is a function of one molecule, and what it needs of RDKit is prepared once per process.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdMolDescriptors

from mrl.chem.cleaning.filters import Alerts, find_alert
from mrl.chem.fingerprints import GENERATORS
from mrl.chem.molecule import RDKIT_ERRORS, Molecule, rdkit_error, to_mol
from mrl.errors import MrlError
from mrl.messages import did_you_mean

_ELEMENT = re.compile(r"([A-Z][a-z]*)(\d*)")
_FORMULA = re.compile(r"(?:[A-Z][a-z]?\d*)+")


class Measure:
    """A function of a molecule that returns a number; RDKit's failures become a `MoleculeError`.

    Examples
    --------
    >>> isinstance(SimilarityTo("CCO"), Measure)
    True
    """

    checks_text: ClassVar[bool] = True

    @property
    def takes_molecule(self) -> bool:
        """Whether a parsed molecule gives the same number as its text.

        Examples
        --------
        >>> SimilarityTo("CCO").takes_molecule
        True
        """
        return True

    def __call__(self, x: Molecule) -> float:
        """Return the number for a SMILES or a sanitized RDKit molecule.

        Parameters
        ----------
        x : str or Mol

        Returns
        -------
        float

        Raises
        ------
        MoleculeError
            `x` is not a molecule (see `to_mol`), or RDKit fails on it.
        """
        mol = to_mol(x)
        try:
            with rdBase.BlockLogs():
                return float(self._measure(mol))
        except MrlError:
            raise
        except RDKIT_ERRORS as error:
            raise rdkit_error(x, type(self).__name__, error) from error

    def _measure(self, mol: Chem.Mol) -> float:
        raise NotImplementedError


@dataclass(frozen=True)
class SimilarityTo(Measure):
    """The Tanimoto similarity to one molecule, from 0 to 1.

    Parameters
    ----------
    target : str
        SMILES of the molecule.
    fingerprint : {"ecfp4", "ecfp6", "fcfp4", "fcfp6", "atompair", "pharmacophore"}
        Of which features: circular environments; pairs of atoms up to 10 bonds apart; or the two- and three-point
        pharmacophores of Gobbi and Poppinger 1998 (doi:10.1002/(SICI)1097-0290(199824)61:1<47::AID-BIT9>3.0.CO;2-Z).
        All but the last count how often each feature occurs, and nothing is folded.

    Raises
    ------
    MoleculeError
        The target is not a molecule.
    ValueError
        An unknown fingerprint.

    Examples
    --------
    >>> similarity = SimilarityTo("CCO")
    >>> similarity("OCC"), round(similarity("CCN"), 3)
    (1.0, 0.333)
    """

    target: str
    fingerprint: str = "ecfp4"

    def __post_init__(self) -> None:
        if self.fingerprint not in _FINGERPRINTS:
            raise ValueError(
                f"fingerprint={self.fingerprint!r}{did_you_mean(self.fingerprint, _FINGERPRINTS)}; choose one of "
                f"{', '.join(_FINGERPRINTS)}"
            )
        to_mol(self.target)

    def _measure(self, mol: Chem.Mol) -> float:
        make = _FINGERPRINTS[self.fingerprint]()
        return float(DataStructs.TanimotoSimilarity(_target(self.target, self.fingerprint), make(mol)))


@dataclass(frozen=True)
class Substructure(Measure):
    """How often a substructure occurs, each set of atoms counted once.

    Parameters
    ----------
    smarts : str
        The pattern.

    Raises
    ------
    ValueError
        RDKit cannot read the SMARTS.

    Examples
    --------
    >>> Substructure("[OX2H]")("OCCO"), Substructure("c1ccccc1")("CCO")
    (2.0, 0.0)
    """

    smarts: str

    def __post_init__(self) -> None:
        _pattern(self.smarts)

    def _measure(self, mol: Chem.Mol) -> float:
        return len(mol.GetSubstructMatches(_pattern(self.smarts)))


@dataclass(frozen=True)
class ElementCount(Measure):
    """The number of atoms of an element; of hydrogen, the implicit ones included.

    Parameters
    ----------
    element : str
        A symbol, such as ``"F"``.

    Raises
    ------
    ValueError
        There is no such element.

    Examples
    --------
    >>> ElementCount("F")("FC(F)F"), ElementCount("H")("CCO")
    (3.0, 6.0)
    """

    element: str

    def __post_init__(self) -> None:
        try:
            Chem.GetPeriodicTable().GetAtomicNumber(self.element)
        except (RuntimeError, UnicodeError):
            raise ValueError(f"element={self.element!r} is not the symbol of an element; expected 'F', 'Cl'") from None

    def _measure(self, mol: Chem.Mol) -> float:
        return atom_counts(mol)[self.element]


@dataclass(frozen=True)
class HasAlert(Measure):
    """1 for a molecule with a structural alert, 0 for one without.

    Parameters
    ----------
    catalogue : str
        A catalogue of `Alerts`: ``"PAINS"``, ``"BRENK"``, ``"NIH"``, ``"MCF"``, ...

    Raises
    ------
    ValueError
        An unknown catalogue.

    Examples
    --------
    >>> HasAlert("BRENK")("CCCI"), HasAlert("BRENK")("CCCO")
    (1.0, 0.0)
    """

    catalogue: str = "PAINS"

    def __post_init__(self) -> None:
        Alerts(self.catalogue)

    def _measure(self, mol: Chem.Mol) -> float:
        return float(find_alert(mol, (self.catalogue,)) is not None)


@dataclass(frozen=True)
class FormulaMatch(Measure):
    """How close a molecule's formula is to a target formula: 1 for an isomer, towards 0 with each atom that differs.

    The geometric mean of one bell curve per element of the target (standard deviation 1 atom) and one for the number
    of all atoms (2 atoms), hydrogens included; the isomer benchmark of Brown et al. 2019 (doi:10.1021/acs.jcim.8b00839)
    as the Therapeutics Data Commons defines it since 2022.

    Parameters
    ----------
    formula : str
        Such as ``"C7H8N2O2"``.
    first : bool
        The definition before 2022, in which the number of all atoms was that of the capital letters, with the digits
        after them, in the *SMILES*; for comparisons with older publications only.

    Raises
    ------
    ValueError
        Not a formula.

    Examples
    --------
    >>> FormulaMatch("C2H6O")("COC"), round(FormulaMatch("C2H6O")("CCCO"), 3)
    (1.0, 0.404)
    """

    formula: str
    first: bool = False

    def __post_init__(self) -> None:
        if not _FORMULA.fullmatch(self.formula):
            raise ValueError(f"formula={self.formula!r} is not a molecular formula; expected one such as 'C7H8N2O2'")

    @property
    def takes_molecule(self) -> bool:
        """Whether a parsed molecule gives the same number as its text: not in the first definition.

        Examples
        --------
        >>> FormulaMatch("C2H6O", first=True).takes_molecule
        False
        """
        return not self.first

    def __call__(self, x: Molecule) -> float:
        """Return the match of a SMILES or a sanitized RDKit molecule."""
        if self.first and isinstance(x, str):
            return self._compare(atom_counts(to_mol(x)), sum(parse_formula(x).values()))
        return super().__call__(x)

    def _measure(self, mol: Chem.Mol) -> float:
        counts = atom_counts(mol)
        total = sum(parse_formula(Chem.MolToSmiles(mol)).values()) if self.first else sum(counts.values())
        return self._compare(counts, total)

    def _compare(self, counts: Counter[str], total: int) -> float:
        target = parse_formula(self.formula)
        exponents = [float(counts[element] - n) ** 2 for element, n in target.items()]
        exponents.append((total - sum(target.values())) ** 2 / 4)
        return float(np.exp(-0.5 * np.mean(exponents)))


def bertz_complexity(x: Molecule) -> float:
    """Return the complexity of a molecule by its bonds and elements.

    Bertz 1981, doi:10.1021/ja00402a001.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    float

    Raises
    ------
    MoleculeError
        `x` is not a molecule (see `to_mol`), or RDKit fails on it.

    Examples
    --------
    >>> round(bertz_complexity("c1ccccc1"), 2)
    71.96
    """
    from rdkit.Chem import GraphDescriptors  # for cost: at first use, not at import

    mol = to_mol(x)
    try:
        complexity: Callable[[Chem.Mol], float] = GraphDescriptors.BertzCT
        return float(complexity(mol))
    except RDKIT_ERRORS as error:
        raise rdkit_error(x, "bertz_complexity", error) from error


def parse_formula(text: str) -> Counter[str]:
    """Return how often each element occurs in a molecular formula."""
    counts: Counter[str] = Counter()
    for element, n in _ELEMENT.findall(text):
        counts[element] += int(n or 1)
    return counts


def atom_counts(mol: Chem.Mol) -> Counter[str]:
    """Return how many atoms of each element a molecule has, implicit hydrogens included."""
    return parse_formula(rdMolDescriptors.CalcMolFormula(mol))


def sparse_counts(mol: Chem.Mol, fingerprint: str) -> dict[int, int]:
    """Return how often each feature of a fingerprint occurs, by the feature's number."""
    counts: dict[int, int] = _FINGERPRINTS[fingerprint]()(mol).GetNonzeroElements()
    return counts


@lru_cache(maxsize=64)
def _target(smiles: str, fingerprint: str) -> Any:
    return _FINGERPRINTS[fingerprint]()(to_mol(smiles))


@lru_cache(maxsize=256)
def _pattern(smarts: str) -> Chem.Mol:
    pattern = None
    if smarts and smarts.isascii() and smarts.isprintable() and " " not in smarts:  # RDKit would read up to there
        with rdBase.BlockLogs():
            pattern = Chem.MolFromSmarts(smarts)
    if pattern is None:
        raise ValueError(f"smarts={smarts!r}: RDKit cannot read this SMARTS pattern")
    return pattern


@lru_cache(maxsize=16)
def _counter(kind: str, **sizes: int) -> Callable[[Chem.Mol], Any]:
    count: Callable[[Chem.Mol], Any] = GENERATORS[kind](**sizes).GetSparseCountFingerprint
    return count


def _pharmacophores() -> Callable[[Chem.Mol], Any]:
    from rdkit.Chem.Pharm2D import Generate, Gobbi_Pharm2D  # for cost: 100 ms at first use, not at import

    make: Callable[[Chem.Mol, Any], Any] = Generate.Gen2DFingerprint
    return lambda mol: make(mol, Gobbi_Pharm2D.factory)


_FINGERPRINTS: dict[str, Callable[[], Callable[[Chem.Mol], Any]]] = {
    "ecfp4": lambda: _counter("ecfp", radius=2),
    "ecfp6": lambda: _counter("ecfp", radius=3),
    "fcfp4": lambda: _counter("fcfp", radius=2),
    "fcfp6": lambda: _counter("fcfp", radius=3),
    "atompair": lambda: _counter("atom_pair", maxDistance=10),
    "pharmacophore": _pharmacophores,
}
