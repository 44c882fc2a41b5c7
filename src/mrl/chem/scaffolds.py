"""Molecular frameworks, and groups of molecules that share one, or that are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from mrl.chem.molecule import Molecule, canon_smile, error_in_row, rows_of, to_mol
from mrl.errors import MoleculeError

__all__ = ["canonical_groups", "flat_smile", "murcko_scaffold", "scaffold_groups"]


def murcko_scaffold(x: Molecule) -> str:
    """The Bemis-Murcko scaffold: ring systems, the linkers between them, and atoms double-bonded to either.

    Bemis and Murcko 1996, doi:10.1021/jm9602928, in RDKit's variant, which keeps atoms on double bonds. It is a
    framework in two dimensions, so stereo, isotopes and atom maps are left out.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    str
        Canonical SMILES of the scaffold; ``''`` if the molecule has no ring.

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> murcko_scaffold("CC(=O)Oc1ccccc1C(=O)O"), murcko_scaffold("O=C1CCN1Cc1ccncc1C"), murcko_scaffold("CCO")
    ('c1ccccc1', 'O=C1CCN1Cc1ccncc1', '')
    """
    scaffold = Chem.MurckoDecompose(to_mol(x))
    for atom in scaffold.GetAtoms():
        atom.SetAtomMapNum(0)
    scaffold.ClearComputedProps()  # those of the whole molecule
    scaffold.UpdatePropertyCache()
    return str(Chem.MolToSmiles(scaffold, isomericSmiles=False))


def scaffold_groups(smiles: Iterable[Molecule]) -> NDArray[np.int64]:
    """One number per molecule, equal where the scaffolds are equal: for splits that no scaffold crosses.

    Molecules without a ring have the empty scaffold in common and form one group, as in the published scaffold
    splits; it stays on one side, however large.

    Parameters
    ----------
    smiles : iterable of str or Mol, n of them

    Returns
    -------
    ndarray of int64, shape (n,)
        0, 1, 2, ... in the order in which the scaffolds first appear.

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        One molecule was given where a column is expected.

    Examples
    --------
    >>> scaffold_groups(["Cc1ccccc1", "CCO", "Oc1ccccc1", "C1CC1", "CC"])
    array([0, 1, 0, 2, 1])
    """
    return _groups(smiles, murcko_scaffold)


def canonical_groups(smiles: Iterable[Molecule], *, stereo: bool = True) -> NDArray[np.int64]:
    """One number per molecule, equal where the molecules are the same: for splits that no duplicate crosses.

    Parameters
    ----------
    smiles : iterable of str or Mol, n of them
        In any spelling: they are compared in canonical form. Salts and charges count as written.
    stereo : bool
        Whether stereoisomers, and isotopes, are different molecules. Fingerprints do not tell them apart, so a model
        that sees only these should have them on one side: False.

    Returns
    -------
    ndarray of int64, shape (n,)
        0, 1, 2, ... in the order in which the molecules first appear.

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        One molecule was given where a column is expected.

    Examples
    --------
    >>> canonical_groups(["CCO", "C[C@H](N)O", "OCC", "C[C@@H](N)O"])
    array([0, 1, 0, 2])
    >>> canonical_groups(["CCO", "C[C@H](N)O", "OCC", "C[C@@H](N)O"], stereo=False)
    array([0, 1, 0, 1])
    """
    return _groups(smiles, canon_smile if stereo else flat_smile)


def flat_smile(x: Molecule) -> str:
    """The canonical SMILES without stereo, isotopes and atom maps: one text for all stereoisomers of a molecule.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    str

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> flat_smile("C[C@H](N)O"), flat_smile("F/C=C/F"), flat_smile("[13CH3]O[2H]")
    ('CC(N)O', 'FC=CF', 'CO')
    """
    mol = Chem.Mol(to_mol(x))
    Chem.RemoveStereochemistry(mol)
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    with rdBase.BlockLogs():
        mol = Chem.RemoveHs(mol)  # some stand there for the sake of an isotope or of stereo
    return str(Chem.MolToSmiles(mol))


def _groups(smiles: Iterable[Molecule], form: Callable[[Molecule], str]) -> NDArray[np.int64]:
    """Numbers that are equal where the forms are."""
    numbers: dict[str, int] = {}
    rows = rows_of(smiles, "smiles")
    groups = np.empty(len(rows), np.int64)
    for row, x in enumerate(rows):
        try:
            text = form(x)
        except MoleculeError as error:
            raise error_in_row(error, row) from None
        groups[row] = numbers.setdefault(text, len(numbers))
    return groups
