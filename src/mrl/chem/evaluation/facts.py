"""Facts about many molecules at once, for a person who looks at a file: identity, scaffold, elements, traits."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.chem.canonical import identity
from mrl.chem.columns import listing, map_molecules
from mrl.chem.molecule import RDKIT_ERRORS, canon_smile, rdkit_error, to_mol
from mrl.chem.notation.tails import strip_tail
from mrl.chem.scaffolds import murcko_scaffold
from mrl.errors import MoleculeError
from mrl.progress import Progress, track
from mrl.ragged import Reject, Rejects, as_molecules

# Symbols of elements that are not metals; * is an attachment point.
_METALLOIDS = "B Si Ge As Sb Te At"
_NOT_METALS = {
    "*",
    *["H", "He", "C", "N", "O", "F", "Ne", "P", "S", "Cl", "Ar", "Se", "Br", "Kr", "I", "Xe", "Rn", "Ts", "Og"],
    *_METALLOIDS.split(),
}
# The traits are read off a canonical SMILES, ten times as fast as asking every atom.
_ATOM = re.compile(r"\[\d*([A-Z][a-z]?|[a-z]{1,2}|\*)[^]]*\]|(Cl|Br|[BCNOPSFIbcnops*])")
_PATTERNS = {
    "several components": re.compile(r"\."),
    "charged atoms": re.compile(r"\[[^]]*[+-]\d*(?::\d+)?\]"),
    "stereo centres": re.compile("@"),
    "stereo double bonds": re.compile(r"[/\\]"),
    "isotopes": re.compile(r"\[\d+[^\d*]"),
    "atom maps": re.compile(r":\d+\]"),
    "wildcard atoms": re.compile(r"\*"),
}
_MAYBE_RADICAL = re.compile(r"\[(?!C@@?H?\]|nH\])")
TRAITS = (*_PATTERNS, "radicals", "metals")
"""What a molecule may have that many models and programs treat in their own way."""


class _Facts(NamedTuple):
    identity: str
    flat: str
    scaffold: str
    elements: dict[str, int]
    traits: frozenset[str]
    is_canonical: bool


@dataclass(frozen=True, eq=False, repr=False)
class MoleculeFacts:
    """The result of `molecule_facts` for n rows.

    Attributes
    ----------
    identity : tuple of str or None, n of them
        Equal for equal molecules: canonical SMILES, or CXSMILES for relative and racemic stereo; None where a row is
        not a molecule.
    flat : tuple of str or None, n of them
        The same without stereo.
    scaffolds : tuple of str or None, n of them
        Bemis-Murcko scaffolds, ``''`` for a molecule without a ring.
    elements : dict of str to (int, int)
        Symbol -> molecules that have it, and atoms; the most frequent first.
    traits : dict of str to int
        How many molecules have several components, charged atoms, stereo centres ...
    canonical : int
        How many texts are RDKit's canonical SMILES already.
    rejects : Rejects
        The rows that are not molecules, with the reason.

    Examples
    --------
    >>> molecule_facts(["OCC", "C(", "[Na+].[Cl-]"])
    MoleculeFacts(2 of 3 rows are molecules; 1 with several components, 1 with charged atoms, 1 with metals)
    """

    identity: tuple[str | None, ...]
    flat: tuple[str | None, ...]
    scaffolds: tuple[str | None, ...]
    elements: dict[str, tuple[int, int]]
    traits: dict[str, int]
    canonical: int
    rejects: Rejects

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which rows are molecules, shape (n,).

        Examples
        --------
        >>> molecule_facts(["CCO", "C("]).ok
        array([ True, False])
        """
        return np.array([text is not None for text in self.identity], bool)

    def __repr__(self) -> str:
        n = len(self.identity)
        found = ", ".join(f"{count:,} with {trait}" for trait, count in self.traits.items() if count)
        return f"MoleculeFacts({n - len(self.rejects):,} of {n:,} rows are molecules{'; ' if found else ''}{found})"


def molecule_facts(smiles: Any, *, n_jobs: int = 1, progress: Progress = None) -> MoleculeFacts:
    """Return what a person wants to know about a column of molecules; about half a millisecond each.

    Parameters
    ----------
    smiles : column of str or Mol
        n rows; those that are not molecules are rejects. A CXSMILES tail is a part of the molecule.
    n_jobs : int
        Number of processes, on which the result does not depend.
    progress : callable or bool, optional
        A function, called with the rows done and their number; True: a bar; None: a bar on a terminal where it takes
        longer than two seconds.

    Returns
    -------
    MoleculeFacts

    Raises
    ------
    ColumnError
        `smiles` is a single molecule.

    Examples
    --------
    >>> facts = molecule_facts(["OCC", "CCO", "Cc1ccccc1", "C["])
    >>> facts.identity, facts.scaffolds[2], facts.elements["C"], facts.canonical
    (('CCO', 'CCO', 'Cc1ccccc1', None), 'c1ccccc1', (3, 11), 2)
    """
    rejected: list[Reject] = []
    texts = as_molecules(smiles)
    with track(progress, len(texts), "molecules") as advance:
        rows = list(
            map_molecules(
                _facts,
                texts,
                "smiles",
                on_invalid=listing(rejected),
                on_row=lambda: advance(1),
                n_jobs=n_jobs,
            )
        )
    found = [row for row in rows if row is not None]
    molecules: Counter[str] = Counter()
    atoms: Counter[str] = Counter()
    for row in found:
        molecules.update(row.elements.keys())
        atoms.update(row.elements)
    return MoleculeFacts(
        identity=tuple(None if row is None else row.identity for row in rows),
        flat=tuple(None if row is None else row.flat for row in rows),
        scaffolds=tuple(None if row is None else row.scaffold for row in rows),
        elements={symbol: (n, atoms[symbol]) for symbol, n in sorted(molecules.items(), key=lambda x: (-x[1], x[0]))},
        traits={trait: sum(trait in row.traits for row in found) for trait in TRAITS},
        canonical=sum(row.is_canonical for row in found),
        rejects=Rejects(rejected).of_table(smiles),
    )


def _facts(x: Any) -> _Facts | None:
    text, groups = x, ""
    if isinstance(x, str) and " |" in x:
        text, groups = strip_tail(x)
    mol = to_mol(text)
    try:
        canonical = canon_smile(mol)
        traits = {trait for trait, pattern in _PATTERNS.items() if pattern.search(canonical)}
        has_stereo = not traits.isdisjoint({"stereo centres", "stereo double bonds"})
        flat = identity(mol, stereo=False) if has_stereo else canonical
        symbols = Counter(map(_symbol, _ATOM.findall(canonical)))
        if not symbols.keys() <= _NOT_METALS:
            traits.add("metals")
        if _MAYBE_RADICAL.search(canonical) and any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
            traits.add("radicals")
        return _Facts(groups or canonical, flat, murcko_scaffold(mol), symbols, frozenset(traits), canonical == x)
    except MoleculeError:
        raise
    except RDKIT_ERRORS as error:
        raise rdkit_error(x, "molecule_facts", error) from error


def _symbol(found: tuple[str, str]) -> str:
    return (found[0] or found[1]).capitalize()
