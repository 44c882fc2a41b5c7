"""The negative control: a generator that learned nothing, which a metric should tell from one that did."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mrl.chem.canonical import CanonicalSet
from mrl.chem.columns import map_molecules
from mrl.chem.molecule import Molecule, canon_smile, to_mol
from mrl.errors import MoleculeError


def add_carbon(smiles: Iterable[Molecule], seed: int = 0) -> list[str]:
    """Insert a carbon atom into each molecule at random: the negative control for `evaluate`.

    The AddCarbon generator of Renz et al. 2019 (doi:10.1016/j.ddtec.2020.09.003): a ``C`` is inserted somewhere into
    the SMILES, so that the result is a molecule with one atom more that is not among `smiles`. Valid, unique, novel
    and close to the training distribution; a model whose numbers are not better has not shown that it learned
    anything.

    Parameters
    ----------
    smiles : iterable of str or Mol, n of them
    seed : int
        0 or more; together with the number of a row it decides where the carbon goes.

    Returns
    -------
    list of str
        Canonical SMILES in the order of the rows; a molecule that has no place for a carbon is left out.

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        `smiles` is a single molecule.

    Examples
    --------
    >>> add_carbon(["CCO", "c1ccccc1"])
    ['CCOC', 'C1=CC=CCC=C1']
    """
    canonical = list(map_molecules(canon_smile, smiles, "smiles"))
    known = CanonicalSet(canonical)
    changed = (_with_carbon(text, known, np.random.default_rng((seed, row))) for row, text in enumerate(canonical))
    return [text for text in changed if text is not None]


def _with_carbon(smiles: str, known: CanonicalSet, rng: np.random.Generator) -> str | None:
    atoms = to_mol(smiles).GetNumAtoms()
    for place in np.argsort(rng.random(len(smiles) + 1), kind="stable"):
        try:
            mol = to_mol(f"{smiles[:place]}C{smiles[place:]}")
        except MoleculeError:
            continue
        # [nH] becomes [CnH], which is copernicium and not one atom more
        if mol.GetNumAtoms() == atoms + 1 and (canonical := canon_smile(mol)) not in known:
            return canonical
    return None
