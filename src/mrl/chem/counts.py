"""Whole numbers that describe a molecule, by RDKit's definitions."""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from mrl.chem.molecule import Molecule, to_mol

__all__ = ["aromatic_rings", "formal_charge", "hba", "hbd", "heavy_atoms", "rings", "rotbond"]


def hbd(x: Molecule) -> int:
    """Number of hydrogen bond donors, by RDKit's patterns.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    int

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> hbd("CC(=O)O")
    1
    """
    return int(rdMolDescriptors.CalcNumHBD(to_mol(x)))


def hba(x: Molecule) -> int:
    """Number of hydrogen bond acceptors, by RDKit's patterns.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    int

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> hba("CC(=O)O")
    1
    """
    return int(rdMolDescriptors.CalcNumHBA(to_mol(x)))


def rotbond(x: Molecule) -> int:
    """Number of rotatable bonds, by RDKit's strict definition (amides and the like do not count).

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    int

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> rotbond("CCCC")
    1
    """
    return int(rdMolDescriptors.CalcNumRotatableBonds(to_mol(x)))


def rings(x: Molecule) -> int:
    """Number of rings in the smallest set of smallest rings.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    int

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> rings("c1ccc2ccccc2c1")
    2
    """
    return int(rdMolDescriptors.CalcNumRings(to_mol(x)))


def aromatic_rings(x: Molecule) -> int:
    """Number of aromatic rings in the smallest set of smallest rings.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    int

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> aromatic_rings("c1ccccc1C1CC1")
    1
    """
    return int(rdMolDescriptors.CalcNumAromaticRings(to_mol(x)))


def heavy_atoms(x: Molecule) -> int:
    """Number of atoms other than hydrogen.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    int

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> heavy_atoms("CCO")
    3
    """
    return int(to_mol(x).GetNumHeavyAtoms())


def formal_charge(x: Molecule) -> int:
    """Sum of the formal charges, in elementary charges.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    int

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> formal_charge("CC(=O)[O-]"), formal_charge("[Na+].[Cl-]")
    (-1, 0)
    """
    return int(Chem.GetFormalCharge(to_mol(x)))
