"""Many SMARTS patterns at once: most of them need atoms or bonds that a molecule does not have, and are not searched.

A pattern occurs in a molecule only if each of its atoms, and of its bonds, has one of its own in the molecule that may
stand for it. So the molecule has at least as many atoms of these elements, aromatic or not, and bonds of these orders
between them, as the pattern needs. What a query says beside that is not looked at: it can only exclude more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

Allowed: TypeAlias = frozenset[Any] | None  # None: anything

_AROMATIC = 1000  # what RDKit adds to an atomic number in a query for an aromatic atom
_ELEMENT, _TYPE = re.compile(r"AtomAtomicNum (\d+) = val"), re.compile(r"AtomType (\d+) = val")
_ORDER, _ORDERS = re.compile(r"BondOrder (\d+) = val"), {"1": 1.0, "2": 2.0, "3": 3.0, "12": 1.5}
_SINGLE_OR_AROMATIC = "SingleOrAromaticBond 1 = val"


class PatternSet:
    """Patterns, of which `candidates` says which may occur in a molecule.

    Parameters
    ----------
    patterns : sequence of Mol or None
        Made from SMARTS; None is always a candidate.
    """

    def __init__(self, patterns: Sequence[Chem.Mol | None]) -> None:
        needs = [Counter[Hashable]() if one is None else _needs(one) for one in patterns]
        self._features = list(dict.fromkeys(feature for need in needs for feature in need))
        self._needed = np.array([[need[one] for one in self._features] for need in needs], np.int16)
        self._vectors: dict[Hashable, NDArray[np.int16]] = {}  # of an atom's type or a bond's: the features it has

    def candidates(self, mol: Chem.Mol) -> list[int]:
        """Return the places of the patterns that a molecule has the atoms and bonds for."""
        atoms = map(mol.GetAtomWithIdx, range(mol.GetNumAtoms()))  # faster than GetAtoms()
        types = [atom.GetAtomicNum() + _AROMATIC * atom.GetIsAromatic() for atom in atoms]
        found: Counter[Hashable] = Counter(types)
        found.update(
            (types[bond.GetBeginAtomIdx()], types[bond.GetEndAtomIdx()], bond.GetBondTypeAsDouble())
            for bond in map(mol.GetBondWithIdx, range(mol.GetNumBonds()))
        )
        total = np.zeros(len(self._features), np.int16)
        for kind, count in found.items():
            vector = self._vectors.get(kind)
            if vector is None:
                vector = self._vectors[kind] = np.array([_has(kind, one) for one in self._features], np.int16)
            total += count * vector
        return [int(place) for place in np.flatnonzero((self._needed <= total).all(axis=1))]


def _needs(pattern: Chem.Mol) -> Counter[Hashable]:
    """How many atoms and bonds of each kind a pattern needs at least."""
    atoms = [_allowed(atom.DescribeQuery(), _atom_types) for atom in pattern.GetAtoms()]
    kinds = {one for one in atoms if one is not None}
    needs: Counter[Hashable] = Counter({one: sum(a is not None and a <= one for a in atoms) for one in kinds})
    for bond in pattern.GetBonds():
        ends = frozenset({atoms[bond.GetBeginAtomIdx()], atoms[bond.GetEndAtomIdx()]})
        orders = _allowed(bond.DescribeQuery(), _bond_orders)
        if orders is not None or ends != {None}:
            needs[ends, orders] += 1
    return needs


def _has(kind: Any, feature: Any) -> bool:
    """Whether an atom (its type) or a bond (the types of its ends, its order) is one of those that are needed."""
    if isinstance(feature, frozenset):
        return kind in feature
    if not isinstance(kind, tuple):
        return False
    (first, second, order), (ends, orders) = kind, feature
    one, other = ends if len(ends) == 2 else (*ends, *ends)
    fits = _is_in(first, one) and _is_in(second, other)
    return _is_in(order, orders) and (fits or (_is_in(first, other) and _is_in(second, one)))


def _is_in(value: Any, allowed: Allowed) -> bool:
    return allowed is None or value in allowed


def _allowed(query: str, leaf: Callable[[str], Allowed]) -> Allowed:
    """What may match a query, by RDKit's description of it: a tree, with its levels indented."""
    lines = [line for line in query.splitlines() if line.strip()]
    return _tree(lines, 0, leaf)[0] if lines else None


def _tree(lines: list[str], place: int, leaf: Callable[[str], Allowed]) -> tuple[Allowed, int]:
    words, level = lines[place].strip(), _level(lines[place])
    parts: list[Allowed] = []
    place += 1
    while place < len(lines) and _level(lines[place]) > level:
        part, place = _tree(lines, place, leaf)
        parts.append(part)
    known = [part for part in parts if part is not None]
    if words in ("AtomAnd", "BondAnd") and known:
        return reduce(frozenset.intersection, known), place
    if words in ("AtomOr", "BondOr") and parts and len(known) == len(parts):
        return reduce(frozenset.union, known), place
    return (None if parts else leaf(words)), place


def _level(line: str) -> int:
    return len(line) - len(line.lstrip())


def _atom_types(words: str) -> Allowed:
    if found := _ELEMENT.fullmatch(words):
        return frozenset({int(found[1]), int(found[1]) + _AROMATIC})
    return frozenset({int(found[1])}) if (found := _TYPE.fullmatch(words)) else None


def _bond_orders(words: str) -> Allowed:
    if words == _SINGLE_OR_AROMATIC:
        return frozenset({1.0, 1.5})
    found = _ORDER.fullmatch(words)
    return frozenset({_ORDERS[found[1]]}) if found and found[1] in _ORDERS else None
