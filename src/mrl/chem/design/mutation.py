"""Mutation: a new molecule that differs from another one by one change of an atom, a bond, a ring or a substituent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import numpy as np
from rdkit import Chem, rdBase

from mrl.chem.design.crossover import editable, finished, free_valences
from mrl.chem.molecule import RDKIT_ERRORS, Molecule

_TRIES = 12
_SINGLE, _DOUBLE, _TRIPLE = Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE
_ORDER = {_SINGLE: 1, _DOUBLE: 2, _TRIPLE: 3}
_TYPE = {order: kind for kind, order in _ORDER.items()}
_ELEMENTS = ("C", "C", "C", "N", "N", "O", "O", "F", "S", "Cl", "Br")
_BRIDGES = ("C", "C", "N", "O", "S")
_GROUPS = (
    "*C(=O)*", "*C#N", "*C(F)(F)F", "*S(=O)(=O)*", "*C(=O)N*", "*N(C)C", "*[N+](=O)[O-]", "*C#C", "*C(C)(C)C",
    "*c1ccccc1", "*c1ccncc1", "*N1CCOCC1", "*N1CCNCC1", "*C1CC1", "*S(N)(=O)=O", "*C(=O)O", "*OC", "*C=C",
)  # fmt: skip

Edit = Callable[[Chem.RWMol, np.random.Generator], Chem.RWMol | None]


def mutate(x: Molecule, rng: np.random.Generator, *, max_atoms: int = 60) -> str | None:
    """Return a molecule that differs from another one by one change.

    One of: an atom appended, inserted, deleted or of another element; two atoms that exchange their elements; a bond
    of another order; a ring opened or closed; a substituent moved; a common group appended.

    Parameters
    ----------
    x : str or Mol
    rng : numpy.random.Generator
        Selects the change.
    max_atoms : int
        The most heavy atoms of the new molecule.

    Returns
    -------
    str or None
        Canonical SMILES, another than that of `x`; None if none of some attempts gave a molecule.

    Raises
    ------
    MoleculeError
        `x` is not a molecule (see `to_mol`).

    Examples
    --------
    >>> mutate("CC(=O)Nc1ccccc1", np.random.default_rng(1))
    'CC(=O)NC1=CC=CCSC1'
    """
    mol, before = editable(x)
    for _ in range(_TRIES):
        edit = _EDITS[rng.choice(len(_EDITS), p=_SHARES)]
        with rdBase.BlockLogs(), contextlib.suppress(*RDKIT_ERRORS):
            child = edit(Chem.RWMol(mol), rng)
            smiles = None if child is None else finished(child, max_atoms)
            if smiles not in (None, before):
                return smiles
    return None


def _any_atom(mol: Chem.RWMol, rng: np.random.Generator, least: int) -> int | None:
    """Return a random atom with `least` hydrogens or more."""
    atoms = [index for index in range(mol.GetNumAtoms()) if free_valences(mol, index) >= least]
    return atoms[rng.integers(len(atoms))] if atoms else None


def _append_atom(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    order = int(rng.choice([1, 2, 3], p=[0.75, 0.22, 0.03]))
    at = _any_atom(mol, rng, order)
    if at is None:
        return None
    elements = _ELEMENTS if order == 1 else ("C", "N", "O", "O", "S") if order == 2 else ("C", "N")
    new = mol.AddAtom(Chem.Atom(elements[rng.integers(len(elements))]))
    mol.AddBond(at, new, _TYPE[order])
    return mol


def _insert_atom(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    if not mol.GetNumBonds():
        return None
    bond = mol.GetBondWithIdx(int(rng.integers(mol.GetNumBonds())))
    a, b, order = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), bond.GetBondType()
    new = mol.AddAtom(Chem.Atom(_BRIDGES[rng.integers(len(_BRIDGES))]))
    mol.RemoveBond(a, b)
    mol.AddBond(a, new, order if rng.random() < 0.3 else _SINGLE)
    mol.AddBond(new, b, _SINGLE)
    return mol


def _delete_atom(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    atom = mol.GetAtomWithIdx(int(rng.integers(mol.GetNumAtoms())))
    neighbours = [other.GetIdx() for other in atom.GetNeighbors()]
    if len(neighbours) > 1:
        centre = neighbours.pop(int(rng.integers(len(neighbours))))
        for other in neighbours:
            if mol.GetBondBetweenAtoms(centre, other) is None:
                kind = mol.GetBondBetweenAtoms(atom.GetIdx(), other).GetBondType()
                mol.AddBond(centre, other, kind if rng.random() < 0.5 else _SINGLE)
    mol.RemoveAtom(atom.GetIdx())
    return mol


def _change_atom(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    atom = mol.GetAtomWithIdx(int(rng.integers(mol.GetNumAtoms())))
    symbols = [symbol for symbol in _ELEMENTS if symbol != atom.GetSymbol()]
    atom.SetAtomicNum(Chem.GetPeriodicTable().GetAtomicNumber(symbols[rng.integers(len(symbols))]))
    atom.SetFormalCharge(0)
    return mol


def _exchange_atoms(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    first = mol.GetAtomWithIdx(int(rng.integers(mol.GetNumAtoms())))
    others = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() != first.GetAtomicNum()]
    if not others:
        return None
    second = others[rng.integers(len(others))]
    a, b = first.GetAtomicNum(), second.GetAtomicNum()
    first.SetAtomicNum(b)
    second.SetAtomicNum(a)
    return mol


def _change_order(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    if not mol.GetNumBonds():
        return None
    bond = mol.GetBondWithIdx(int(rng.integers(mol.GetNumBonds())))
    order = _ORDER.get(bond.GetBondType())
    if order is None:
        return None
    most = order + min(free_valences(mol, bond.GetBeginAtomIdx()), free_valences(mol, bond.GetEndAtomIdx()))
    orders = [other for other in (1, 1, 2, 2, 3) if other != order and other <= most]
    if not orders:
        return None
    bond.SetBondType(_TYPE[orders[rng.integers(len(orders))]])
    return mol


def _open_ring(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    bonds = [bond for bond in mol.GetBonds() if bond.IsInRing()]
    if not bonds:
        return None
    bond = bonds[rng.integers(len(bonds))]
    mol.RemoveBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    return mol


def _close_ring(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    at = _any_atom(mol, rng, 1)
    if at is None:
        return None
    size = int(rng.choice([3, 4, 5, 6, 7], p=[0.07, 0.03, 0.4, 0.45, 0.05]))
    row = Chem.GetDistanceMatrix(mol)[at]
    others = [int(i) for i in np.flatnonzero(row == size - 1) if free_valences(mol, int(i)) >= 1]
    if not others:
        return None
    mol.AddBond(at, others[rng.integers(len(others))], _SINGLE)
    return mol


def _move_substituent(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    bonds = [bond for bond in mol.GetBonds() if bond.GetBondType() == _SINGLE and not bond.IsInRing()]
    if not bonds:
        return None
    bond = bonds[rng.integers(len(bonds))]
    stay, leave = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    if rng.random() < 0.5:
        stay, leave = leave, stay
    mol.RemoveBond(stay, leave)
    part = next(part for part in Chem.GetMolFrags(mol) if stay in part)
    places = [index for index in part if index != stay and free_valences(mol, index) >= 1]
    if not places:
        return None
    mol.AddBond(places[rng.integers(len(places))], leave, _SINGLE)
    return mol


def _append_group(mol: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    """Put a group in the place of a hydrogen; one with two ends in the place of a bond to a substituent."""
    group, _ = editable(_GROUPS[rng.integers(len(_GROUPS))])
    ends = [atom.GetIdx() for atom in group.GetAtoms() if not atom.GetAtomicNum()]
    shift = mol.GetNumAtoms()
    if len(ends) == 2:
        bonds = [bond for bond in mol.GetBonds() if bond.GetBondType() == _SINGLE and not bond.IsInRing()]
        if not bonds:
            return None
        bond = bonds[rng.integers(len(bonds))]
        places = [bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]
        mol.RemoveBond(*places)
    else:
        at = _any_atom(mol, rng, 1)
        if at is None:
            return None
        places = [at]
    both = Chem.RWMol(Chem.CombineMols(mol, group))
    for place, end in zip(places, ends, strict=True):
        inner = group.GetAtomWithIdx(end).GetNeighbors()[0].GetIdx()
        both.AddBond(place, inner + shift, _SINGLE)
    for end in sorted(ends, reverse=True):
        both.RemoveAtom(end + shift)
    return both


_EDITS: tuple[Edit, ...] = (
    _append_atom, _insert_atom, _delete_atom, _change_atom, _exchange_atoms, _change_order, _open_ring, _close_ring,
    _move_substituent, _append_group,
)  # fmt: skip
_SHARES = np.array([0.14, 0.12, 0.14, 0.14, 0.05, 0.09, 0.05, 0.09, 0.11, 0.07])
