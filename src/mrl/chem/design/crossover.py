"""Crossover: a new molecule of parts of two others, cut at a chain or through a ring; what children must be.

The operators of a graph-based genetic algorithm (Jensen 2019, doi:10.1039/C8SC05372C), on RDKit's editable molecules.
"""

from __future__ import annotations

import contextlib
from functools import lru_cache

import numpy as np
from rdkit import Chem, rdBase

from mrl.chem.molecule import RDKIT_ERRORS, Molecule, to_mol

MIN_ATOMS, MAX_RING = 5, 7
TRIES = 8


def crossover(a: Molecule, b: Molecule, rng: np.random.Generator, *, max_atoms: int = 60) -> str | None:
    """Return a molecule of a part of one molecule and a part of another.

    Half of the time both are cut at a single bond outside rings, else through a ring.

    Parameters
    ----------
    a, b : str or Mol
        The parents.
    rng : numpy.random.Generator
        Selects the cuts.
    max_atoms : int
        The most heavy atoms of the child.

    Returns
    -------
    str or None
        Canonical SMILES, another than the parents'; None if none of some attempts gave a molecule.

    Raises
    ------
    MoleculeError
        A parent is not a molecule (see `to_mol`).

    Examples
    --------
    >>> crossover("CCCCOc1ccccc1", "NCCCc1ccncc1", np.random.default_rng(2))
    'NCCCCOc1ccccc1'
    """
    (first, smiles_a), (second, smiles_b) = editable(a), editable(b)
    for _ in range(TRIES):
        join = _join_chains if rng.random() < 0.5 else _join_rings
        with rdBase.BlockLogs(), contextlib.suppress(*RDKIT_ERRORS):
            child = join(first, second, rng)
            smiles = None if child is None else finished(child, max_atoms)
            if smiles not in (None, smiles_a, smiles_b):
                return smiles
    return None


def editable(x: Molecule) -> tuple[Chem.RWMol, str]:
    """Return an editable copy without aromatic bonds, in which hydrogens follow from the bonds; and the SMILES."""
    mol, smiles = _prepared(x) if isinstance(x, str) else _prepare(x)
    return Chem.RWMol(mol), smiles


def _prepare(x: Molecule) -> tuple[Chem.RWMol, str]:
    whole = to_mol(x)
    mol = Chem.RWMol(whole)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    for atom in mol.GetAtoms():
        if not atom.GetNumRadicalElectrons():
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)
    mol.UpdatePropertyCache(strict=False)
    return mol, Chem.MolToSmiles(whole)


_prepared = lru_cache(maxsize=2000)(_prepare)  # parents are used many times


def finished(mol: Chem.RWMol, max_atoms: int) -> str | None:
    """Return the canonical SMILES of an edited molecule; None if it is none, or one that cannot be made."""
    if not MIN_ATOMS <= mol.GetNumAtoms() <= max_atoms:
        return None
    mol.UpdatePropertyCache(strict=False)
    text = Chem.MolToSmiles(mol, canonical=False)
    if "." in text:
        return None
    # Parsed, so that valences are checked, and aromaticity and stereo are as everybody who reads the text sees them.
    child = Chem.MolFromSmiles(text)
    return str(Chem.MolToSmiles(child)) if child is not None and _has_sound_rings(child) else None


def _has_sound_rings(mol: Chem.Mol) -> bool:
    """No ring of more than `MAX_RING` atoms, no cumulated double bonds in rings, no double bond in a small ring."""
    info = mol.GetRingInfo()
    if any(len(ring) > MAX_RING for ring in info.AtomRings()):
        return False
    in_ring: set[int] = set()
    for bond in mol.GetBonds():
        if bond.GetBondType() in (Chem.BondType.DOUBLE, Chem.BondType.TRIPLE) and info.NumBondRings(bond.GetIdx()):
            if bond.GetBondType() == Chem.BondType.TRIPLE or info.MinBondRingSize(bond.GetIdx()) < 5:
                return False
            ends = {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()}
            if ends & in_ring:
                return False
            in_ring |= ends
    return True


def _join_chains(a: Chem.RWMol, b: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    cuts = [_chain_cut(mol, rng) for mol in (a, b)]
    if None in cuts:
        return None
    (keep_a, drop_a), (keep_b, drop_b) = [cut for cut in cuts if cut is not None]
    shift = a.GetNumAtoms()
    both = Chem.RWMol(Chem.CombineMols(a, b))
    both.RemoveBond(keep_a, drop_a)
    both.RemoveBond(keep_b + shift, drop_b + shift)
    both.AddBond(keep_a, keep_b + shift, Chem.BondType.SINGLE)
    return _part_with(both, keep_a)


def _chain_cut(mol: Chem.RWMol, rng: np.random.Generator) -> tuple[int, int] | None:
    """Return the atom to keep and the one to leave, of a random single bond outside rings."""
    bonds = [bond for bond in mol.GetBonds() if bond.GetBondType() == Chem.BondType.SINGLE and not bond.IsInRing()]
    if not bonds:
        return None
    bond = bonds[rng.integers(len(bonds))]
    ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    return ends if rng.random() < 0.5 else ends[::-1]


def _join_rings(a: Chem.RWMol, b: Chem.RWMol, rng: np.random.Generator) -> Chem.RWMol | None:
    cuts = [_ring_cut(mol, rng) for mol in (a, b)]
    if None in cuts:
        return None
    first, second = [cut for cut in cuts if cut is not None]
    shift = a.GetNumAtoms()
    both = Chem.RWMol(Chem.CombineMols(a, b))
    for (keep, drop), offset in [(pair, 0) for pair in first] + [(pair, shift) for pair in second]:
        both.RemoveBond(keep + offset, drop + offset)
    order = [0, 1] if rng.random() < 0.5 else [1, 0]
    for (keep, _), (other, _) in zip(first, [second[i] for i in order], strict=True):
        if keep == other + shift or both.GetBondBetweenAtoms(keep, other + shift) is not None:
            return None
        both.UpdatePropertyCache(strict=False)
        double = rng.random() < 0.3 and free_valences(both, keep) > 1 and free_valences(both, other + shift) > 1
        both.AddBond(keep, other + shift, Chem.BondType.DOUBLE if double else Chem.BondType.SINGLE)
    return _part_with(both, first[0][0])


def _ring_cut(mol: Chem.RWMol, rng: np.random.Generator) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Return (atom to keep, atom to leave) of two bonds of a ring that together cut the molecule in two."""
    rings = mol.GetRingInfo().AtomRings()
    if not rings:
        return None
    for _ in range(TRIES):
        ring = rings[rng.integers(len(rings))]
        i, j = sorted(rng.choice(len(ring), 2, replace=False).tolist())
        bonds = [(ring[k], ring[(k + 1) % len(ring)]) for k in (i, j)]
        trial = Chem.RWMol(mol)
        for bond in bonds:
            trial.RemoveBond(*bond)
        parts = Chem.GetMolFrags(trial)
        if len(parts) != 2:
            continue
        kept = set(parts[rng.integers(2)])
        pairs = [bond if bond[0] in kept else bond[::-1] for bond in bonds]
        if all(keep in kept and drop not in kept for keep, drop in pairs):
            return pairs[0], pairs[1]
    return None


def _part_with(mol: Chem.RWMol, atom: int) -> Chem.RWMol:
    """Return the connected part of a molecule that has an atom."""
    part = next(part for part in Chem.GetMolFrags(mol) if atom in part)
    keep = set(part)
    mol.BeginBatchEdit()
    for index in range(mol.GetNumAtoms()):
        if index not in keep:
            mol.RemoveAtom(index)
    mol.CommitBatchEdit()
    return mol


def free_valences(mol: Chem.RWMol, atom: int) -> int:
    """Return how many hydrogens an atom has."""
    return int(mol.GetAtomWithIdx(atom).GetTotalNumHs())
