"""Where the atoms of a SMILES stand in its text."""

from __future__ import annotations

import re

__all__ = ["atoms_by_character"]

_ATOM = re.compile(r"\[[^\[\]]+]|Br|Cl|[BCNOPSFIbcnops*]")
_MOLECULE = re.compile(r"\s*(\S*)")


def atoms_by_character(smiles: str) -> list[int | None]:
    """The atom to which each character belongs.

    Parameters
    ----------
    smiles : str
        A SMILES or anything else. What follows a blank is a name or a CXSMILES tail, which has no atoms.

    Returns
    -------
    list of int or None
        One per code point: the number of the atom, from 0 in the order of the text (as RDKit numbers atoms, explicit
        hydrogens among them), None where there is no atom.

    Examples
    --------
    >>> atoms_by_character("C(Cl)=[Si]")
    [0, None, 1, 1, None, None, 2, 2, 2, 2]
    """
    found: list[int | None] = [None] * len(smiles)
    begin, end = _MOLECULE.match(smiles).span(1)  # type: ignore[union-attr]  # it matches everything
    for number, match in enumerate(_ATOM.finditer(smiles, begin, end)):
        found[match.start() : match.end()] = [number] * (match.end() - match.start())
    return found
