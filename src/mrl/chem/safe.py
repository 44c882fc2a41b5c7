"""SAFE (Noutahi et al. 2024, doi:10.1039/D4DD00019F): a molecule as its fragments, in SMILES that any parser reads.

The fragments stand one after the other with dots between them, and a bond between two fragments is a ring closure that
begins in one and ends in the other.
"""

from __future__ import annotations

import hashlib
import operator
import re
from collections.abc import Iterable

import numpy as np
from rdkit import Chem, rdBase

from mrl.chem.fragments import brics_bonds
from mrl.chem.molecule import RDKIT_ERRORS, Molecule, canon_smile, describe, one_line, to_mol
from mrl.errors import MoleculeError

_LABEL = 50_000  # isotope of the first point at which a bond was cut; isotopes have 16 bits
_TOKEN = re.compile(r"(?P<atom>\[[^\]]+]|Br|Cl|[A-Za-z*])|(?P<ring>[-=#:/\\$]?(?:%\([0-9]+\)|%[0-9]{2}|[0-9]))|.")
_POINT = re.compile(r"\[([56][0-9]{4})\*]")
_RING = re.compile(r"%\(([0-9]+)\)|%([0-9]{2})|([0-9])")
_OTHER_WAY = {"/": "\\", "\\": "/"}


def to_safe(x: Molecule, bonds: str | Iterable[tuple[int, int]] = "brics", *, seed: int | None = None) -> str:
    """Return the SAFE of a molecule: its fragments, joined by ring closures.

    The text is a SMILES of the molecule, ordinary text for every vocabulary. The closures of bonds that were cut have
    numbers that no ring of a fragment has, in the order of the canonical SMILES; from 100 on these are ``%(100)``.

    Parameters
    ----------
    x : str or Mol
        One molecule.
    bonds : "brics" or iterable of (int, int)
        The bonds to cut: those of BRICS (Degen et al. 2008, doi:10.1002/cmdc.200800178), or given by the numbers of
        their two atoms, which count from 0 in the order of the text.
    seed : int, optional
        Selects the order of the fragments; without it, they are sorted by size and text. See `shuffle_safe`.

    Returns
    -------
    str
        Its canonical SMILES is that of `x`: checked.

    Raises
    ------
    MoleculeError
        `x` is not a molecule (see `to_mol`), or several; a pair of atoms has no bond that can be cut; or the text would
        be another molecule, as may happen where a double bond with sides was cut off.

    Examples
    --------
    >>> to_safe("CC(=O)Nc1ccccc1")
    'c31ccccc1.C2(C)=O.N23'
    >>> to_safe("CCO", [(1, 2)])
    'C1C.O1'
    >>> from_safe("c31ccccc1.C2(C)=O.N23")
    'CC(=O)Nc1ccccc1'
    """
    mol = to_mol(x)
    text = x if isinstance(x, str) else canon_smile(x)
    if (count := len(Chem.GetMolFrags(mol))) > 1:
        raise _cannot(text, f"several molecules: {count} in one text; write them one by one, smiles.split('.')")
    if isinstance(bonds, str) and bonds != "brics":
        raise ValueError(f"bonds is {bonds!r}; expected 'brics' or pairs of atoms")
    if any(atom.GetIsotope() >= _LABEL for atom in mol.GetAtoms()):
        raise _cannot(text, f"isotopes: one is {_LABEL:,} or more, which stand for the ends of bonds here")
    canonical = canon_smile(mol)
    cuts = brics_bonds(mol) if isinstance(bonds, str) else {_bond(mol, text, pair) for pair in bonds}
    cuts = {cut for cut in cuts if mol.GetBondWithIdx(cut).GetBondType() == Chem.BondType.SINGLE}
    rank = list(Chem.CanonicalRankAtoms(mol))
    ordered = sorted(cuts, key=lambda cut: _place(mol.GetBondWithIdx(cut), rank))
    try:
        pieces = _pieces(mol, ordered)
        safe = _joined(pieces) if cuts else canonical
        safe = safe if seed is None else _reordered(safe, seed)
        same = canon_smile(safe) == canonical
    except MoleculeError as error:
        raise _cannot(text, f"safe: {error.reason}") from None
    except RDKIT_ERRORS as error:
        raise _cannot(text, f"safe: {one_line(error)}") from None
    if not same:
        raise _cannot(text, f"safe: {safe!r} is another molecule")
    return safe


def from_safe(text: str) -> str:
    """Return the canonical SMILES of the molecule `text`, a SAFE.

    Raises
    ------
    MoleculeError
        It is not a molecule, such as one in which a bond between fragments has one end only.

    Examples
    --------
    >>> from_safe("C1C.O1")
    'CCO'
    """
    return canon_smile(text)


def shuffle_safe(text: str, seed: int = 0) -> str:
    """Return a SAFE with its fragments in another order: ``TextDataset(safes, vocab, augment=shuffle_safe)``.

    Parameters
    ----------
    text : str
        A SAFE.
    seed : int
        Selects the order, the same on every machine.

    Returns
    -------
    str
        The same molecule, verified by its canonical form; `text` unchanged where the order would change it.

    Raises
    ------
    MoleculeError
        `text` is not a molecule.

    Examples
    --------
    >>> [shuffle_safe("c12ccccc1.N23.C3(C)=O", seed) for seed in range(2)]
    ['N23.C3(C)=O.c12ccccc1', 'c12ccccc1.N23.C3(C)=O']
    """
    canonical, shuffled = canon_smile(text), _reordered(text, seed)
    return shuffled if canon_smile(shuffled) == canonical else text


def _reordered(text: str, seed: int) -> str:
    parts = text.split(".")
    stream = hashlib.shake_128(f"fragments {operator.index(seed)}".encode()).digest(8 * len(parts))
    order = np.argsort(np.frombuffer(stream, "<u8"), kind="stable")
    return ".".join(parts[i] for i in order.tolist())


def _bond(mol: Chem.Mol, text: str, pair: tuple[int, int]) -> int:
    a, b = map(operator.index, pair)
    n = mol.GetNumAtoms()
    bond = mol.GetBondBetweenAtoms(a, b) if 0 <= a < n and 0 <= b < n else None
    if bond is None or bond.GetBondType() != Chem.BondType.SINGLE or bond.IsInRing():
        raise _cannot(text, f"bonds: no acyclic single bond joins the atoms {a} and {b} of 0 to {n - 1}")
    return int(bond.GetIdx())


def _place(bond: Chem.Bond, rank: list[int]) -> list[int]:
    return sorted((rank[bond.GetBeginAtomIdx()], rank[bond.GetEndAtomIdx()]))


def _pieces(mol: Chem.Mol, cuts: list[int]) -> list[str]:
    """Return the SMILES of the fragments, the largest first, in which cut ``i`` ends in points ``_LABEL + i``."""
    if not cuts:
        return [canon_smile(mol)]
    labels = [(_LABEL + i, _LABEL + i) for i in range(len(cuts))]
    with rdBase.BlockLogs():
        cut = Chem.FragmentOnBonds(mol, cuts, dummyLabels=labels)
        fragments = Chem.GetMolFrags(cut, asMols=True, sanitizeFrags=False)
        texts = [(-piece.GetNumAtoms(), str(Chem.MolToSmiles(piece))) for piece in fragments]
    return [text for _, text in sorted(texts)]


def _joined(pieces: list[str]) -> str:
    """Return the fragments with a ring closure in place of each point."""
    rings = [int("".join(found)) for piece in pieces for found in _RING.findall(re.sub(r"\[[^\]]+]", "", piece))]
    first = 1 + max(rings, default=0)
    return ".".join(_closed(piece, first) for piece in pieces)


class _Atom:
    """An atom as it is written: its symbol, its ring closures in order, and the branches that came after it."""

    def __init__(self, text: str) -> None:
        self.text, self.rings, self.branches = text, [""], 0

    def __str__(self) -> str:
        return self.text + "".join(self.rings)

    def turn(self) -> None:
        """Write the opposite chirality, for an odd permutation of the neighbours."""
        if "@@" in self.text:
            self.text = self.text.replace("@@", "@")
        else:
            self.text = self.text.replace("@", "@@")


def _closed(piece: str, first: int) -> str:
    """Return a fragment in which each point is a ring closure of its neighbour, from number `first` on.

    A closure stands in front of the branches: where it passes an odd number of neighbours, a tetrahedral centre is
    written the other way round.
    """
    out: list[_Atom | str] = []
    stack: list[_Atom] = []
    atom: _Atom | None = None
    leading: str | None = None
    bond = ""
    for found in _TOKEN.finditer(piece):
        token = found.group()
        if found["ring"] and atom is not None:
            atom.rings.append(token)
        elif found["atom"]:
            if point := _POINT.fullmatch(token):
                closure = _ring(first + int(point[1]) - _LABEL)
                if atom is None:
                    leading = closure
                else:
                    atom.rings.append(bond + closure)
                    if atom.branches % 2:
                        atom.turn()
                bond = ""
                continue
            new = _Atom(token)
            if leading is not None:
                new.rings[0] = _OTHER_WAY.get(bond, bond) + leading
                if "@H" in token:
                    new.turn()
                leading, bond = None, ""
            out += [bond, new]
            atom, bond = new, ""
        elif token == "(":
            assert atom is not None
            stack.append(atom)
            out.append(token)
        elif token == ")":
            atom = stack.pop()
            if out[-1] == "(":  # the branch was a point
                out.pop()
            else:
                atom.branches += 1
                out.append(token)
        else:
            bond = token
    return "".join(map(str, out))


def _ring(number: int) -> str:
    return str(number) if number < 10 else f"%{number}" if number < 100 else f"%({number})"


def _cannot(text: str, reason: str) -> MoleculeError:
    return MoleculeError(f"{describe(text)} cannot be written as SAFE; {reason}", text=text, reason=reason, row=None)
