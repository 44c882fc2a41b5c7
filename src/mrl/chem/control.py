"""A generator that has learned nothing: a metric for generated molecules should tell it from one that has."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mrl.chem.molecule import Molecule, canon_smile, rows_of, to_mol
from mrl.chem.screening import CanonicalSet
from mrl.errors import MoleculeError

__all__ = ["add_carbon"]


def add_carbon(smiles: Iterable[Molecule], seed: int = 0) -> list[str]:
    """A carbon atom put into each molecule at random: the negative control for `evaluate`.

    The AddCarbon generator of Renz et al. 2019 (doi:10.1016/j.ddtec.2020.09.003): a ``C`` is inserted somewhere into
    the SMILES, so that the result is a molecule with one atom more that is not among `smiles`. Valid, unique, novel
    and close to the training distribution; a model whose numbers are no better has not shown that it learned anything.

    Parameters
    ----------
    smiles : iterable of str or Mol, n of them
    seed : int
        0 or more; with the number of a row it decides where its carbon goes.

    Returns
    -------
    list of str
        Canonical SMILES in the order of the rows; a molecule without a place for a carbon gives none.

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        One molecule was given where a column is expected.

    Examples
    --------
    >>> add_carbon(["CCO", "c1ccccc1"])
    ['CCOC', 'C1=CC=CCC=C1']
    """
    rows = rows_of(smiles, "smiles")
    known = CanonicalSet.of(rows)
    added = (_with_carbon(canon_smile(x), known, np.random.default_rng((seed, row))) for row, x in enumerate(rows))
    return [form for form in added if form is not None]


def _with_carbon(smiles: str, known: CanonicalSet, rng: np.random.Generator) -> str | None:
    atoms = to_mol(smiles).GetNumAtoms()
    for place in np.argsort(rng.random(len(smiles) + 1), kind="stable"):
        try:
            mol = to_mol(f"{smiles[:place]}C{smiles[place:]}")
        except MoleculeError:
            continue
        # [nH] becomes [CnH], which is copernicium and not one atom more
        if mol.GetNumAtoms() == atoms + 1 and (form := canon_smile(mol)) not in known:
            return form
    return None
