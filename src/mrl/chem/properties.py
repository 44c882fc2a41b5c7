"""Measured and modelled properties of a molecule, and the table of all scalar properties by name.

Each is a function of one SMILES or one RDKit molecule and returns a Python number. All are RDKit's values; the papers
are those of the methods.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType

from rdkit import Chem, RDConfig, rdBase
from rdkit.Chem import rdMolDescriptors

from mrl.chem.counts import aromatic_rings, formal_charge, hba, hbd, heavy_atoms, rings, rotbond
from mrl.chem.molecule import Molecule, to_mol
from mrl.errors import FeatureError

__all__ = [
    "PROPERTIES",
    "exact_mass",
    "logp",
    "molwt",
    "qed",
    "sa_score",
    "tpsa",
]


def molwt(x: Molecule) -> float:
    """Average molecular weight in g/mol, hydrogens included.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    float

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> round(molwt("CCO"), 3)
    46.069
    """
    return float(rdMolDescriptors._CalcMolWt(to_mol(x)))  # what Descriptors.MolWt calls, without 15 ms of imports


def exact_mass(x: Molecule) -> float:
    """Monoisotopic mass in Da: of the isotopes written down, else of the most common one of each element.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    float

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> round(exact_mass("CCO"), 4)
    46.0419
    """
    return float(rdMolDescriptors.CalcExactMolWt(to_mol(x)))


def logp(x: Molecule) -> float:
    """Octanol-water partition coefficient, as its decimal logarithm, by atom contributions.

    Wildman and Crippen 1999, doi:10.1021/ci990307l.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    float

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> round(logp("c1ccccc1"), 4)
    1.6866
    """
    return float(rdMolDescriptors.CalcCrippenDescriptors(to_mol(x))[0])


def tpsa(x: Molecule) -> float:
    """Topological polar surface area in square angstroms: nitrogen and oxygen count, sulfur and phosphorus do not.

    Ertl, Rohde and Selzer 2000, doi:10.1021/jm000942e.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    float

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> tpsa("CCO")
    20.23
    """
    return float(rdMolDescriptors.CalcTPSA(to_mol(x)))


def qed(x: Molecule) -> float:
    """Quantitative estimate of drug-likeness, from 0 to 1 (best), with the paper's average weights.

    Bickerton et al. 2012, doi:10.1038/nchem.1243.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    float

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> round(qed("CC(=O)Oc1ccccc1C(=O)O"), 4)
    0.5501
    """
    from rdkit.Chem import QED  # for cost: 10 ms at first use, not at import

    weighted_mean: Callable[[Chem.Mol], float] = QED.qed
    mol = to_mol(x)
    with rdBase.BlockLogs():  # it removes hydrogens, and talks about those that it cannot
        return float(weighted_mean(mol))


def sa_score(x: Molecule) -> float:
    """Synthetic accessibility, from 1 (easy) to 10 (hard), by RDKit's contributed implementation.

    Ertl and Schuffenhauer 2009, doi:10.1186/1758-2946-1-8. The first call reads a table of fragments (0.5 s).

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    float

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).
    FeatureError
        This installation of RDKit has no contributed SA score.

    Examples
    --------
    >>> round(sa_score("CC(=O)Oc1ccccc1C(=O)O"), 2)
    1.58
    """
    mol = Chem.Mol(to_mol(x))  # a copy: perceiving stereo centres leaves marks
    with rdBase.BlockLogs():  # in older versions it talks about its own deprecated parts
        return float(_sascorer(RDConfig.RDContribDir).calculateScore(mol))


VERSION = 1
"""Of the numbers here: another one where one of them changes, so that none is read from a cache that was before."""


class _ByName(Mapping[str, Callable[[Molecule], float]]):
    """Functions by name: immutable and, unlike a mappingproxy, picklable."""

    __slots__ = ("_functions",)

    def __init__(self, *functions: Callable[[Molecule], float]) -> None:
        self._functions = {function.__name__: function for function in functions}
        for name, function in self._functions.items():
            vars(function)["cache_key"] = f"property {name} version={VERSION} rdkit={rdBase.rdkitVersion}"

    def __getitem__(self, name: str) -> Callable[[Molecule], float]:
        try:
            return self._functions[name]
        except KeyError:
            raise KeyError(f"{name!r} is no property; choose one of {', '.join(self)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __repr__(self) -> str:
        return f"PROPERTIES({', '.join(self)})"


PROPERTIES: Mapping[str, Callable[[Molecule], float]] = _ByName(
    molwt,
    exact_mass,
    logp,
    tpsa,
    qed,
    sa_score,
    hbd,
    hba,
    rotbond,
    rings,
    aromatic_rings,
    heavy_atoms,
    formal_charge,
)
"""The scalar properties by name; read only."""


@cache
def _sascorer(contrib: str) -> ModuleType:
    """RDKit's contributed module, from its file: it is in no package."""
    path = Path(contrib, "SA_Score", "sascorer.py")
    spec = importlib.util.spec_from_file_location("sascorer", path)
    if spec is None or spec.loader is None or not path.is_file():
        reason = f"this RDKit has no contributed SA score: {path} is missing"
        raise FeatureError(f"{reason}; install rdkit from PyPI or conda-forge, which bring it", text="", reason=reason)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
