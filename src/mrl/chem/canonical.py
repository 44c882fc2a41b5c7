"""Which molecules are the same: canonical forms, sets of known molecules, groups of equal ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from mrl.chem.columns import map_molecules
from mrl.chem.molecule import Molecule, canon_smile, to_mol
from mrl.progress import Progress, track
from mrl.ragged import OnError, as_molecules, require_on_error


class CanonicalSet(frozenset[str]):
    """Canonical SMILES of known molecules: computed once, used in every `screen`.

    Examples
    --------
    >>> known = CanonicalSet.of(["OCC", "C(O)C", "c1ccccc1"])
    >>> len(known), "CCO" in known
    (2, True)
    """

    __slots__ = ()

    @classmethod
    def of(cls, smiles: Iterable[Molecule], *, n_jobs: int = 1) -> Self:
        """Return the set of these molecules.

        Parameters
        ----------
        smiles : iterable of str or Mol
            In any notation, repeats allowed; a CanonicalSet is returned unchanged.
        n_jobs : int
            Number of processes, on which the result does not depend.

        Returns
        -------
        CanonicalSet

        Raises
        ------
        MoleculeError
            A row is not a molecule; `row` is its number. (A set of other texts would make every molecule novel.)
        ColumnError
            `smiles` is a single molecule.

        Examples
        --------
        >>> CanonicalSet.of(["C(C)O", "CCO"])
        CanonicalSet({'CCO'})
        """
        if isinstance(smiles, cls):
            return smiles
        rows = list(smiles) if isinstance(smiles, set | frozenset) else smiles
        return cls(map_molecules(canon_smile, rows, "known", n_jobs=n_jobs))


def without(mol: Chem.Mol, *, stereo: bool = False, isotopes: bool = False) -> Chem.Mol:
    """Return a molecule without its stereo, its isotopes or both; the molecule itself if there is nothing to remove.

    A number in front of a wildcard atom, ``[1*]``, is a label and not an isotope.
    """
    labelled = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetIsotope() and atom.GetAtomicNum()]
    if not stereo and not (isotopes and labelled):
        return mol
    bare = Chem.Mol(mol)
    if stereo:
        Chem.RemoveStereochemistry(bare)
    for index in labelled if isotopes else ():
        bare.GetAtomWithIdx(index).SetIsotope(0)
    if (isotopes and labelled) or any(atom.GetAtomicNum() == 1 for atom in bare.GetAtoms()):
        # Hydrogens may be atoms, and atoms stereo centres, only because of what was removed: parse again.
        return to_mol(str(Chem.MolToSmiles(bare)))
    return bare


def identity(x: Molecule, *, stereo: bool = True, isotopes: bool = True) -> str:
    """Return the canonical SMILES by which molecules are the same, with or without stereo and isotopes."""
    return canon_smile(without(to_mol(x), stereo=not stereo, isotopes=not isotopes))


def canonical_groups(
    smiles: Iterable[Molecule],
    *,
    stereo: bool = True,
    isotopes: bool = True,
    on_error: OnError = "raise",
    n_jobs: int = 1,
    progress: Progress = None,
) -> NDArray[np.int64]:
    """Return one number per molecule, equal for equal molecules: for splits that no duplicate crosses.

    Parameters
    ----------
    smiles : iterable of str or Mol, n of them
        In any notation: they are compared in canonical form. Salts, charges and atom maps count as written.
    stereo : bool
        Whether stereoisomers are different molecules. Most fingerprints do not distinguish them, so a model that sees
        only fingerprints should have them on one side: False.
    isotopes : bool
        Whether molecules that differ in isotopes are different.
    on_error : "raise", "drop" or "mask"
        For a row that is not a molecule: raise; leave it out, so that there are fewer groups than rows; or give it the
        number -1, so that ``numpy.flatnonzero(groups >= 0)`` are the rows that "drop" keeps.
    n_jobs : int
        Number of processes, on which the result does not depend.
    progress : callable, bool or None
        See `featurize`; by default a bar on a terminal after two seconds.

    Returns
    -------
    ndarray of int64, shape (n,)
        0, 1, 2, ... in the order in which the molecules first appear.

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        `smiles` is a single molecule.

    Examples
    --------
    >>> canonical_groups(["CCO", "C[C@H](N)O", "OCC", "C[C@@H](N)O"])
    array([0, 1, 0, 2])
    >>> canonical_groups(["CCO", "C[C@H](N)O", "OCC", "C[C@@H](N)O"], stereo=False)
    array([0, 1, 0, 1])
    >>> canonical_groups(["CCO", "CC[18OH]"], stereo=False), canonical_groups(["CCO", "CC[18OH]"], isotopes=False)
    (array([0, 1]), array([0, 0]))
    """
    text_of = partial(identity, stereo=stereo, isotopes=isotopes)
    return equal_groups(smiles, text_of, on_error=on_error, n_jobs=n_jobs, progress=progress)


def equal_groups(
    smiles: Iterable[Molecule],
    text_of: Callable[[Molecule], str],
    *,
    on_error: OnError = "raise",
    n_jobs: int = 1,
    progress: Progress = None,
) -> NDArray[np.int64]:
    """Return one number per molecule, 0, 1, 2, ..., equal where a text of the molecule is equal."""
    require_on_error(on_error)
    rows = as_molecules(smiles)
    numbers: dict[str | None, int] = {}
    with track(progress, len(rows), "molecules") as advance:
        texts: Iterator[str | None] = map_molecules(
            text_of,
            rows,
            "smiles",
            on_invalid=None if on_error == "raise" else lambda row, error: None,
            on_row=lambda: advance(1),
            n_jobs=n_jobs,
        )
        groups = [-1 if text is None else numbers.setdefault(text, len(numbers)) for text in texts]
    array = np.array(groups, np.int64)
    return array[array >= 0] if on_error == "drop" else array
