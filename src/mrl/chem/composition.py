"""What a molecule is made of."""

from __future__ import annotations

from mrl.chem.molecule import Molecule, to_mol

__all__ = ["elements"]


def elements(x: Molecule) -> dict[str, int]:
    """Count the atoms of each element, hydrogens that are not written as atoms left out.

    Parameters
    ----------
    x : str or Mol
        A molecule.

    Returns
    -------
    dict of str to int
        Symbol -> atoms, in alphabetical order; ``*`` for attachment points.

    Raises
    ------
    MoleculeError
        If `x` is no molecule.

    Examples
    --------
    >>> elements("ClCCO")
    {'C': 2, 'Cl': 1, 'O': 1}
    """
    counts: dict[str, int] = {}
    for atom in to_mol(x).GetAtoms():
        symbol = atom.GetSymbol()
        counts[symbol] = counts.get(symbol, 0) + 1
    return dict(sorted(counts.items()))
