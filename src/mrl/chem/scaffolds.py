"""Molecular frameworks, and groups of molecules that share one."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from mrl.chem.canonical import equal_groups
from mrl.chem.molecule import Molecule, function_of_molecule, to_mol
from mrl.progress import Progress
from mrl.ragged import OnError


@function_of_molecule("str\n    Canonical SMILES of the scaffold; ``''`` if the molecule has no ring.")
def murcko_scaffold(x: Molecule) -> str:
    """Return the Bemis-Murcko scaffold: ring systems, the linkers between them, and atoms double-bonded to either.

    Bemis and Murcko 1996, doi:10.1021/jm9602928, in RDKit's variant, which keeps atoms on double bonds. It is a
    framework in two dimensions, so stereo, isotopes and atom maps are left out.

    >>> murcko_scaffold("CC(=O)Oc1ccccc1C(=O)O"), murcko_scaffold("O=C1CCN1Cc1ccncc1C"), murcko_scaffold("CCO")
    ('c1ccccc1', 'O=C1CCN1Cc1ccncc1', '')
    """
    mol = to_mol(x)
    if not mol.GetRingInfo().NumRings():
        return ""  # RDKit would look at a chain of 1,500 atoms for 20 s
    scaffold = Chem.MurckoDecompose(mol)
    scaffold.ClearComputedProps()  # those of the whole molecule
    scaffold.UpdatePropertyCache()
    text = str(Chem.MolToSmiles(scaffold, isomericSmiles=False))
    if ":" in text:  # atom maps; looking at every atom of every molecule would take as long as finding the scaffold
        for atom in scaffold.GetAtoms():
            atom.SetAtomMapNum(0)
        text = str(Chem.MolToSmiles(scaffold, isomericSmiles=False))
    return text


def scaffold_groups(
    smiles: Iterable[Molecule], *, on_error: OnError = "raise", n_jobs: int = 1, progress: Progress = None
) -> NDArray[np.int64]:
    """Return one number per molecule, equal for equal scaffolds: for splits that no scaffold crosses.

    Molecules without a ring have the empty scaffold in common and form one group, as in the published scaffold
    splits; it stays on one side, however large.

    Parameters
    ----------
    smiles : iterable of str or Mol, n of them
    on_error : "raise", "drop" or "mask"
        For a row that is not a molecule: raise; leave it out, so that there are fewer groups than rows; or give it the
        number -1, so that ``numpy.flatnonzero(groups >= 0)`` are the rows that "drop" keeps.
    n_jobs : int
        Number of processes, on which the result does not depend.
    progress : callable, bool or None
        See `featurize`; by default a bar on a terminal after two seconds.

    Returns
    -------
    ndarray of int64, shape (n,)
        0, 1, 2, ... in the order in which the scaffolds first appear.

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        `smiles` is a single molecule.

    Examples
    --------
    >>> scaffold_groups(["Cc1ccccc1", "CCO", "Oc1ccccc1", "C1CC1", "CC"])
    array([0, 1, 0, 2, 1])
    >>> scaffold_groups(["C1CC1", "C(", "CC1CC1"], on_error="mask")
    array([ 0, -1,  0])
    """
    return equal_groups(smiles, murcko_scaffold, on_error=on_error, n_jobs=n_jobs, progress=progress)
