"""Which molecules are the same: canonical forms, sets of known molecules, groups of equal ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from mrl.chem.columns import map_molecules
from mrl.chem.molecule import Molecule, canon_smile, function_of_molecule, to_mol


class CanonicalSet(frozenset[str]):
    """Canonical SMILES of known molecules: computed once, used in every `screen`.

    Examples
    --------
    >>> known = CanonicalSet.of(["OCC", "C(O)C", "c1ccccc1"])
    >>> len(known), "CCO" in known
    (2, True)
    """

    __slots__ = ()

    @classmethod
    def of(cls, smiles: Iterable[Molecule]) -> Self:
        """Return the set of these molecules.

        Parameters
        ----------
        smiles : iterable of str or Mol
            In any notation, repeats allowed; a CanonicalSet is returned unchanged.

        Returns
        -------
        CanonicalSet

        Raises
        ------
        MoleculeError
            A row is not a molecule; `row` is its number. (A set of other texts would make every molecule novel.)
        ColumnError
            `smiles` is a single molecule.

        Examples
        --------
        >>> CanonicalSet.of(["C(C)O", "CCO"])
        CanonicalSet({'CCO'})
        """
        if isinstance(smiles, cls):
            return smiles
        rows = list(smiles) if isinstance(smiles, set | frozenset) else smiles
        return cls(map_molecules(canon_smile, rows, "known"))


@function_of_molecule("str\n    Canonical SMILES.")
def flat_smile(x: Molecule) -> str:
    """Return the canonical SMILES without stereo, isotopes and atom maps: the same text for all stereoisomers.

    >>> flat_smile("C[C@H](N)O"), flat_smile("F/C=C/F"), flat_smile("[13CH3]O[2H]")
    ('CC(N)O', 'FC=CF', 'CO')
    """
    mol = Chem.Mol(to_mol(x))
    Chem.RemoveStereochemistry(mol)
    for atom in mol.GetAtoms():
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    with rdBase.BlockLogs():
        mol = Chem.RemoveHs(mol)  # some are atoms only because of an isotope or of stereo
    return str(Chem.MolToSmiles(mol))


def canonical_groups(smiles: Iterable[Molecule], *, stereo: bool = True) -> NDArray[np.int64]:
    """Return one number per molecule, equal for equal molecules: for splits that no duplicate crosses.

    Parameters
    ----------
    smiles : iterable of str or Mol, n of them
        In any notation: they are compared in canonical form. Salts and charges count as written.
    stereo : bool
        Whether stereoisomers, and isotopes, are different molecules. Fingerprints do not distinguish them, so a model
        that sees only fingerprints should have them on one side: False.

    Returns
    -------
    ndarray of int64, shape (n,)
        0, 1, 2, ... in the order in which the molecules first appear.

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        `smiles` is a single molecule.

    Examples
    --------
    >>> canonical_groups(["CCO", "C[C@H](N)O", "OCC", "C[C@@H](N)O"])
    array([0, 1, 0, 2])
    >>> canonical_groups(["CCO", "C[C@H](N)O", "OCC", "C[C@@H](N)O"], stereo=False)
    array([0, 1, 0, 1])
    """
    return equal_groups(smiles, canon_smile if stereo else flat_smile)


def equal_groups(smiles: Iterable[Molecule], text_of: Callable[[Molecule], str]) -> NDArray[np.int64]:
    """Return one number per molecule, 0, 1, 2, ..., equal where a text of the molecule is equal."""
    numbers: dict[str, int] = {}
    texts = map_molecules(text_of, smiles, "smiles")
    return np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int64)
