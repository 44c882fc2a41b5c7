"""Randomised SMILES: the same molecule, written from another atom along other branches."""

from __future__ import annotations

import contextlib
import hashlib
import operator

import numpy as np
from rdkit import Chem

from mrl.chem.molecule import Molecule, to_mol
from mrl.errors import MoleculeError

TRIES = 4  # orders of the atoms


def randomize(x: Molecule, seed: int = 0) -> str:
    """Return a SMILES of a molecule that starts at a random atom and takes its branches in a random order.

    Training on such texts, another one each epoch, lets a model cover more of chemistry (Arús-Pous 2019,
    doi:10.1186/s13321-019-0393-0): ``TextDataset(smiles, vocab, augment=randomize)``.

    Parameters
    ----------
    x : str or Mol
        A SMILES, or a sanitized RDKit molecule.
    seed : int
        Selects the order of the atoms, the same on every machine.

    Returns
    -------
    str
        The same molecule, verified by its canonical form. In the rare case that RDKit writes every order that was
        tried as another molecule: `x` unchanged, or its canonical form if it is a Mol.

    Raises
    ------
    MoleculeError
        `x` is not a molecule (see `to_mol`).

    Examples
    --------
    >>> [randomize("CC(=O)Nc1ccccc1", seed) for seed in range(3)]
    ['O=C(C)Nc1ccccc1', 'CC(=O)Nc1ccccc1', 'c1cc(NC(=O)C)ccc1']
    """
    molecule = to_mol(x)
    canonical = Chem.MolToSmiles(molecule)
    n = molecule.GetNumAtoms()
    for attempt in range(TRIES):
        stream = hashlib.shake_128(f"atoms {operator.index(seed)} {attempt}".encode()).digest(8 * n)
        order = np.argsort(np.frombuffer(stream, "<u8"), kind="stable")
        text: str = Chem.MolToSmiles(Chem.RenumberAtoms(molecule, order.tolist()), canonical=False)
        with contextlib.suppress(MoleculeError):
            if Chem.MolToSmiles(to_mol(text)) == canonical:
                return text
    return x if isinstance(x, str) else canonical
