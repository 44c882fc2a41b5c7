"""How many generated texts are molecules, different ones, and new ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from mrl.chem.molecule import Molecule, canon_smile, error_in_row, rows_of
from mrl.errors import MoleculeError
from mrl.ragged import Rejects

__all__ = ["CanonicalSet", "Screened", "screen"]


class CanonicalSet(frozenset[str]):
    """Canonical SMILES of molecules that are known: prepared once, used in every `screen`.

    Examples
    --------
    >>> known = CanonicalSet.of(["OCC", "C(O)C", "c1ccccc1"])
    >>> len(known), "CCO" in known
    (2, True)
    """

    __slots__ = ()

    @classmethod
    def of(cls, smiles: Iterable[Molecule]) -> Self:
        """From molecules in any spelling.

        Parameters
        ----------
        smiles : iterable of str or Mol
            Repeats are welcome; a CanonicalSet is returned as it is.

        Returns
        -------
        CanonicalSet

        Raises
        ------
        MoleculeError
            A row is not a molecule; `row` is its number. (A column that is no SMILES would make everything new.)
        ColumnError
            One molecule was given where a column is expected.

        Examples
        --------
        >>> CanonicalSet.of(["C(C)O", "CCO"])
        CanonicalSet({'CCO'})
        """
        if isinstance(smiles, cls):
            return smiles
        forms = []
        for row, x in enumerate(rows_of(smiles, "known")):
            try:
                forms.append(canon_smile(x))
            except MoleculeError as error:
                raise error_in_row(error, row) from None
        return cls(forms)


@dataclass(frozen=True, eq=False, repr=False)
class Screened:
    """What `screen` found, row by row, and the rates. Rates over nothing are NaN. Compare at equal `n` only.

    Attributes
    ----------
    smiles : tuple of str or None, n of them
        Canonical SMILES; None where the text is no molecule.
    valid : ndarray of bool, shape (n,)
        A molecule with at least one atom.
    unique : ndarray of bool, shape (n,)
        Valid, and the first row with this molecule.
    novel : ndarray of bool, shape (n,)
        Valid, and not among the known molecules.
    rejects : Rejects
        The rows that are not valid: (row, text, ``"parse"``, reason).
    known : int or None
        How many molecules were known; None if nothing was given to compare with.
    """

    smiles: tuple[str | None, ...]
    valid: NDArray[np.bool_]
    unique: NDArray[np.bool_]
    novel: NDArray[np.bool_]
    rejects: Rejects
    known: int | None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.smiles)

    @property
    def kept(self) -> NDArray[np.int64]:
        """Rows that are valid, unique and novel, int64, in their order."""
        return np.flatnonzero(self.unique & self.novel)

    @property
    def empty(self) -> int:
        """Rows without any text: never valid, and no sign that the grammar is wrong."""
        return self.reasons.get("empty", 0)

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows are not valid for each kind of reason (see `to_mol`), the most frequent first, ties by name."""
        counts = Counter(reject.reason.partition(":")[0] for reject in self.rejects)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def validity(self) -> float:
        """Valid rows among all."""
        return _rate(self.valid.sum(), self.n)

    @property
    def uniqueness(self) -> float:
        """Different molecules among the valid rows."""
        return _rate(self.unique.sum(), self.valid.sum())

    @property
    def novelty(self) -> float:
        """New molecules among the different ones; NaN if nothing was given to compare with."""
        return float("nan") if self.known is None else _rate(len(self.kept), self.unique.sum())

    @property
    def valid_unique_novel(self) -> float:
        """New, different molecules among all rows; NaN if nothing was given to compare with."""
        return float("nan") if self.known is None else _rate(len(self.kept), self.n)

    def summary(self) -> dict[str, int | float | str | None]:
        """The numbers as a dict that JSON can write, with None for NaN, and the version of RDKit.

        Examples
        --------
        >>> screen(["CCO"]).summary()["validity"]
        1.0
        """
        rates = {name: getattr(self, name) for name in ("validity", "uniqueness", "novelty", "valid_unique_novel")}
        return {
            "n": self.n,
            "empty": self.empty,
            **{name: None if np.isnan(rate) else rate for name, rate in rates.items()},
            "known": self.known,
            "rdkit": rdBase.rdkitVersion,
        }

    def __repr__(self) -> str:
        known = "" if self.known is None else f", {self.novelty:.1%} of these novel"
        return f"Screened({self.n:,} rows: {self.validity:.1%} valid, {self.uniqueness:.1%} of these unique{known})"


def screen(samples: Iterable[Molecule], known: Iterable[Molecule] | None = None) -> Screened:
    """Which of the generated texts are molecules (valid), different ones (unique), and new ones (novel).

    Both sides are canonicalised alike. A text that is partly ignored by RDKit (blanks, stray characters) is not valid,
    nor is the empty text. The numbers are those of the GuacaMol and MOSES benchmarks (doi:10.1021/acs.jcim.8b00839,
    doi:10.3389/fphar.2020.565644).

    Parameters
    ----------
    samples : iterable of str, n of them
        What is no text at all (None, a number) is a row that is not valid, like any other.
    known : iterable of str or Mol, or CanonicalSet, optional
        The training molecules, in any spelling. For many calls, prepare them once: ``CanonicalSet.of(smiles)``.

    Returns
    -------
    Screened

    Raises
    ------
    MoleculeError
        A known row is not a molecule; `row` is its number.
    ColumnError
        One molecule was given where a column is expected.

    Examples
    --------
    >>> result = screen(["OCC", "C(C)O", "c1ccccc1", "FC(F)(F)(F)F", ""], known=["C1=CC=CC=C1"])
    >>> result
    Screened(5 rows: 60.0% valid, 66.7% of these unique, 50.0% of these novel)
    >>> result.kept, result.smiles, result.empty
    (array([0]), ('CCO', 'CCO', 'c1ccccc1', None, None), 1)
    >>> result.reasons, result.rejects[0].reason
    ({'empty': 1, 'valence': 1}, 'valence: Explicit valence for atom # 1 C, 5, is greater than permitted')
    """
    reference = None if known is None else CanonicalSet.of(known)
    forms: list[str | None] = []
    rejected: list[tuple[int, str, str, str]] = []
    first: dict[str, int] = {}
    for row, x in enumerate(rows_of(samples, "samples")):
        try:
            form = canon_smile(x)
        except MoleculeError as error:
            rejected.append((row, error.text, "parse", error.reason))
            forms.append(None)
        else:
            first.setdefault(form, row)
            forms.append(form)
    valid = np.array([form is not None for form in forms], bool)
    unique = np.zeros(len(forms), bool)
    unique[list(first.values())] = True
    novel = (
        valid if reference is None else np.array([form is not None and form not in reference for form in forms], bool)
    )
    for array in (valid, unique, novel):
        array.flags.writeable = False
    known_molecules = None if reference is None else len(reference)
    return Screened(tuple(forms), valid, unique, novel, Rejects.of(rejected), known_molecules)


def _rate(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")
