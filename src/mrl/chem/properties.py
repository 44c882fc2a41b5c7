"""Scalar properties of a molecule, the table of all of them by name, and the elements of a molecule.

Each property is a function of one SMILES or one RDKit molecule and returns a Python number. All values are RDKit's;
the papers are those of the methods. A new property is one function with the decorator `_property`.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, TypeVar, cast

from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import rdMolDescriptors

from mrl.chem.molecule import Molecule, function_of_molecule, to_mol
from mrl.chem.notation.patterns import PatternSet
from mrl.errors import FeatureError

Property: TypeAlias = Callable[[Molecule], float]
P = TypeVar("P", bound=Property)

VERSION = 1
"""Version of the values, part of every cache key: raised when one of them changes, so that caches are recomputed."""

_functions: dict[str, Property] = {}
_titles: dict[str, tuple[str, str]] = {}


def _property(title: str = "", unit: str = "") -> Callable[[P], P]:
    """Enter a function into the table, with its title (by default its name) and unit, and complete its docstring."""

    def enter(function: P) -> P:
        name = function.__name__
        _titles[name] = title or name.replace("_", " "), unit
        vars(function)["cache_key"] = f"property {name} version={VERSION} rdkit={rdBase.rdkitVersion}"
        _functions[name] = complete = function_of_molecule(function.__annotations__["return"])(function)
        return complete

    return enter


@_property("weight", "g/mol")
def molwt(x: Molecule) -> float:
    """Return the average molecular weight in g/mol, hydrogens included.

    >>> round(molwt("CCO"), 3)
    46.069
    """
    return float(rdMolDescriptors._CalcMolWt(to_mol(x)))  # what Descriptors.MolWt calls, without 15 ms of imports


@_property(unit="Da")
def exact_mass(x: Molecule) -> float:
    """Return the monoisotopic mass in Da: of the isotopes in the SMILES, else of each element's most common one.

    >>> round(exact_mass("CCO"), 4)
    46.0419
    """
    return float(rdMolDescriptors.CalcExactMolWt(to_mol(x)))


@_property("logP")
def logp(x: Molecule) -> float:
    """Return the decimal logarithm of the octanol-water partition coefficient, by atom contributions.

    Wildman and Crippen 1999, doi:10.1021/ci990307l.

    >>> round(logp("c1ccccc1"), 4)
    1.6866
    """
    return float(rdMolDescriptors.CalcCrippenDescriptors(to_mol(x))[0])


@_property("TPSA", "Å²")
def tpsa(x: Molecule) -> float:
    """Return the topological polar surface area in Å²: nitrogen and oxygen count, sulfur and phosphorus do not.

    Ertl, Rohde and Selzer 2000, doi:10.1021/jm000942e.

    >>> tpsa("CCO")
    20.23
    """
    return float(rdMolDescriptors.CalcTPSA(to_mol(x)))


@_property("QED")
def qed(x: Molecule) -> float:
    """Return the quantitative estimate of drug-likeness, from 0 to 1 (best), with the paper's average weights.

    Bickerton et al. 2012, doi:10.1038/nchem.1243.

    >>> round(qed("CC(=O)Oc1ccccc1C(=O)O"), 4)
    0.5501
    """
    from rdkit.Chem import QED  # for cost: 10 ms at first use, not at import

    mol, weighted_mean = to_mol(x), cast(Callable[..., float], QED.qed)
    with rdBase.BlockLogs():  # it removes hydrogens, and logs those that it cannot remove
        return float(weighted_mean(mol, qedProperties=_qed_properties(mol)))


def _qed_properties(mol: Chem.Mol) -> Any:
    """Return what ``QED.properties`` does, but search only for patterns that can be there, and copy no molecule.

    The copy would compute once more what a molecule keeps, such as its logP.
    """
    from rdkit.Chem import QED

    if mol.GetNumHeavyAtoms() < mol.GetNumAtoms():  # hydrogen atoms, or wildcards
        mol = Chem.RemoveHs(mol)
    n, found = len(QED.StructuralAlerts), _qed_patterns().candidates(mol)
    strict = rdMolDescriptors.NumRotatableBondsOptions.Strict
    properties_of: Callable[..., Any] = QED.QEDproperties
    return properties_of(
        MW=rdMolDescriptors._CalcMolWt(mol),
        ALOGP=rdMolDescriptors.CalcCrippenDescriptors(mol)[0],
        HBA=sum(len(mol.GetSubstructMatches(QED.Acceptors[i - n])) for i in found if i >= n),
        HBD=rdMolDescriptors.CalcNumHBD(mol),
        PSA=rdMolDescriptors.CalcTPSA(mol),
        ROTB=rdMolDescriptors.CalcNumRotatableBonds(mol, strict),
        AROM=len(Chem.GetSSSR(Chem.DeleteSubstructs(Chem.Mol(mol), QED.AliphaticRings))),
        ALERTS=sum(mol.HasSubstructMatch(QED.StructuralAlerts[i]) for i in found if i < n),
    )


@cache
def _qed_patterns() -> PatternSet:
    from rdkit.Chem import QED

    return PatternSet([*QED.StructuralAlerts, *QED.Acceptors])


@_property("SA score")
def sa_score(x: Molecule) -> float:
    """Return the synthetic accessibility, from 1 (easy) to 10 (hard), by RDKit's contributed implementation.

    Ertl and Schuffenhauer 2009, doi:10.1186/1758-2946-1-8. The first call reads a table of fragments (0.5 s). A
    FeatureError is raised if this installation of RDKit has no contributed SA score.

    >>> round(sa_score("CC(=O)Oc1ccccc1C(=O)O"), 2)
    1.58
    """
    mol = Chem.Mol(to_mol(x))  # a copy: perceiving stereo centres leaves marks
    with rdBase.BlockLogs():  # older versions log their own deprecations
        return float(_sascorer(RDConfig.RDContribDir).calculateScore(mol))


@_property("H-bond donors")
def hbd(x: Molecule) -> int:
    """Return the number of hydrogen bond donors, by RDKit's patterns.

    >>> hbd("CC(=O)O")
    1
    """
    return int(rdMolDescriptors.CalcNumHBD(to_mol(x)))


@_property("H-bond acceptors")
def hba(x: Molecule) -> int:
    """Return the number of hydrogen bond acceptors, by RDKit's patterns.

    >>> hba("CC(=O)O")
    1
    """
    return int(rdMolDescriptors.CalcNumHBA(to_mol(x)))


@_property("rotatable bonds")
def rotbond(x: Molecule) -> int:
    """Return the number of rotatable bonds, by RDKit's strict definition (amides and the like do not count).

    >>> rotbond("CCCC")
    1
    """
    return int(rdMolDescriptors.CalcNumRotatableBonds(to_mol(x)))


@_property()
def rings(x: Molecule) -> int:
    """Return the number of rings in the smallest set of smallest rings.

    >>> rings("c1ccc2ccccc2c1")
    2
    """
    return int(rdMolDescriptors.CalcNumRings(to_mol(x)))


@_property()
def aromatic_rings(x: Molecule) -> int:
    """Return the number of aromatic rings in the smallest set of smallest rings.

    >>> aromatic_rings("c1ccccc1C1CC1")
    1
    """
    return int(rdMolDescriptors.CalcNumAromaticRings(to_mol(x)))


@_property()
def heavy_atoms(x: Molecule) -> int:
    """Return the number of atoms other than hydrogen.

    >>> heavy_atoms("CCO")
    3
    """
    return int(to_mol(x).GetNumHeavyAtoms())


@_property()
def formal_charge(x: Molecule) -> int:
    """Return the sum of the formal charges, in elementary charges.

    >>> formal_charge("CC(=O)[O-]"), formal_charge("[Na+].[Cl-]")
    (-1, 0)
    """
    return int(Chem.GetFormalCharge(to_mol(x)))


class PropertyTable(Mapping[str, Property]):
    """Property functions by name: immutable and, unlike a mappingproxy, picklable."""

    __slots__ = ("_functions",)

    def __init__(self, functions: Mapping[str, Property]) -> None:
        self._functions = dict(functions)

    def __getitem__(self, name: str) -> Property:
        try:
            return self._functions[name]
        except KeyError:
            raise KeyError(f"{name!r} is not a property; choose one of {', '.join(self)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"PROPERTIES({', '.join(self)})"


PROPERTIES = PropertyTable(_functions)
"""The scalar properties by name: ``PROPERTIES["heavy_atoms"]("CCO")`` is 3; read only."""


def title_and_unit(name: str) -> tuple[str, str]:
    """Return how a property is called in a figure or table, and its unit.

    Parameters
    ----------
    name : str
        One of `PROPERTIES`, or any other name of a number.

    Returns
    -------
    title : str
        By default the name with blanks for underscores.
    unit : str
        ``""`` for a number without a unit.

    Examples
    --------
    >>> title_and_unit("molwt"), title_and_unit("exact_mass"), title_and_unit("MolWt")
    (('weight', 'g/mol'), ('exact mass', 'Da'), ('MolWt', ''))
    """
    return _titles.get(name, (name.replace("_", " "), ""))


@function_of_molecule("dict of str to int\n    Symbol -> atoms, in alphabetical order; ``*`` for attachment points.")
def elements(x: Molecule) -> dict[str, int]:
    """Count the atoms of each element; hydrogens only where they are atoms, such as ``[2H]``.

    >>> elements("ClCCO")
    {'C': 2, 'Cl': 1, 'O': 1}
    """
    return dict(sorted(Counter(atom.GetSymbol() for atom in to_mol(x).GetAtoms()).items()))


@cache
def _sascorer(contrib: str) -> ModuleType:
    """RDKit's contributed module, loaded from its file: it belongs to no package."""
    path = Path(contrib, "SA_Score", "sascorer.py")
    spec = importlib.util.spec_from_file_location("sascorer", path)
    if spec is None or spec.loader is None or not path.is_file():
        reason = f"this RDKit has no contributed SA score: {path} is missing"
        raise FeatureError(f"{reason}; install rdkit from PyPI or conda-forge, which have it", text="", reason=reason)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
