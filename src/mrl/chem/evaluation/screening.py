"""How many generated texts are molecules, distinct ones, and new ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rdkit import rdBase

from mrl.chem.canonical import CanonicalSet
from mrl.chem.columns import listing, map_molecules
from mrl.chem.molecule import Molecule, canon_smile
from mrl.errors import ColumnError, MoleculeError
from mrl.formatting import PREVIEW_ROWS, format_percent, html_preview
from mrl.progress import Progress, track
from mrl.ragged import Reject, Rejects, Tabular, arrow_table, as_molecules


@dataclass(frozen=True, eq=False, repr=False)
class Screened(Tabular):
    """The result of `screen`, row by row, and its rates.

    A rate over nothing is NaN. Compare rates at equal `n` only.

    Attributes
    ----------
    smiles : tuple of str or None, n of them
        Canonical SMILES; None where the text is not a molecule.
    valid : ndarray of bool, shape (n,)
        A molecule with at least one atom.
    unique : ndarray of bool, shape (n,)
        Valid, and the first row with this molecule.
    novel : ndarray of bool, shape (n,)
        Valid, and not among the known molecules.
    rejects : Rejects
        The rows that are not valid: (row, text, ``"parse"``, reason), or ``"length"`` for those that are not finished.
    known : int or None
        The number of known molecules; None if nothing was given to compare with.
    known_rejects : Rejects
        Known rows that are not molecules, so that no sample was compared with them.

    Examples
    --------
    >>> screened = screen(["OCC", "C(C)O", "C(", ""], known=["C"])
    >>> screened.n, screened.n_valid, screened.n_unique, screened.n_novel, screened.empty
    (4, 2, 1, 1, 1)
    >>> screened.validity, screened.uniqueness, screened.novelty, screened.valid_unique_novel
    (0.5, 0.5, 1.0, 0.25)
    >>> screened.kept, screened.unfinished, screened.reasons
    (array([0]), 0, {'empty': 1, 'syntax': 1})
    """

    smiles: tuple[str | None, ...]
    valid: NDArray[np.bool_]
    unique: NDArray[np.bool_]
    novel: NDArray[np.bool_]
    rejects: Rejects
    known: int | None
    known_rejects: Rejects = field(default_factory=Rejects)

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.smiles)

    @property
    def n_valid(self) -> int:
        """Number of valid rows."""
        return int(self.valid.sum())

    @property
    def n_unique(self) -> int:
        """Number of distinct molecules."""
        return int(self.unique.sum())

    @property
    def n_novel(self) -> int:
        """Number of distinct molecules that are not known."""
        return len(self.kept)

    @property
    def kept(self) -> NDArray[np.int64]:
        """Rows that are valid, unique and novel, int64, in their order."""
        return np.flatnonzero(self.unique & self.novel)

    @property
    def empty(self) -> int:
        """Number of rows without any text: never valid, but not a sign of wrong grammar either."""
        return self.reasons.get("empty", 0)

    @property
    def unfinished(self) -> int:
        """Number of rows that were cut at the length limit: never valid, whatever the text is so far."""
        return self.reasons.get("unfinished", 0)

    @property
    def reasons(self) -> dict[str, int]:
        """Number of invalid rows by kind of reason (see `to_mol`), the most frequent first, ties by name."""
        counts = Counter(reject.kind for reject in self.rejects)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def validity(self) -> float:
        """Valid rows among all."""
        return _rate(self.n_valid, self.n)

    @property
    def uniqueness(self) -> float:
        """Distinct molecules among the valid rows."""
        return _rate(self.n_unique, self.n_valid)

    @property
    def novelty(self) -> float:
        """New molecules among the distinct ones; NaN if nothing was given to compare with."""
        return float("nan") if self.known is None else _rate(self.n_novel, self.n_unique)

    @property
    def valid_unique_novel(self) -> float:
        """New, distinct molecules among all rows; NaN if nothing was given to compare with."""
        return float("nan") if self.known is None else _rate(self.n_novel, self.n)

    def to_arrow(self) -> Any:
        """Return the rows as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n rows: ``smiles``, ``valid``, ``unique``, ``novel``, and ``reason``, null in valid rows.

        Examples
        --------
        >>> screen(["OCC", "C("]).to_arrow().select(["smiles", "valid"]).to_pydict()
        {'smiles': ['CCO', None], 'valid': [True, False]}
        """
        reasons = {reject.row: reject.reason for reject in self.rejects}
        columns = {
            "smiles": list(self.smiles),
            "valid": self.valid,
            "unique": self.unique,
            "novel": self.novel,
            "reason": [reasons.get(row) for row in range(self.n)],
        }
        return arrow_table(columns)

    def summary(self) -> dict[str, int | float | str | None]:
        """Return the numbers for JSON, with None for NaN, and the version of RDKit.

        Examples
        --------
        >>> screen(["CCO"]).summary()["validity"]
        1.0
        """
        rates = {name: getattr(self, name) for name in ("validity", "uniqueness", "novelty", "valid_unique_novel")}
        return {
            "n": self.n,
            "empty": self.empty,
            "unfinished": self.unfinished,
            **{name: None if np.isnan(rate) else rate for name, rate in rates.items()},
            "known": self.known,
            **({"known_rejects": len(self.known_rejects)} if self.known_rejects else {}),
            "rdkit": rdBase.rdkitVersion,
        }

    def __repr__(self) -> str:
        known = "" if self.known is None else f", {format_percent(self.novelty, 1)} of these novel"
        valid, unique = format_percent(self.validity, 1), format_percent(self.uniqueness, 1)
        return f"Screened({self.n:,} rows: {valid} valid, {unique} of these unique{known})"

    def _repr_html_(self) -> str:
        marks = {"valid": self.valid, "unique": self.unique, **({} if self.known is None else {"novel": self.novel})}
        first = {name: ["yes" if mark else "no" for mark in values[:PREVIEW_ROWS]] for name, values in marks.items()}
        return html_preview({"molecule": self.smiles[:PREVIEW_ROWS], **first}, self.n, caption=repr(self))


def screen(
    samples: Iterable[object],
    known: Iterable[Molecule] | None = None,
    *,
    finished: ArrayLike | None = None,
    on_error: Literal["raise", "drop"] = "raise",
    n_jobs: int = 1,
    progress: Progress = None,
) -> Screened:
    """Find which generated texts are molecules (valid), distinct ones (unique), and new ones (novel).

    Both sides are canonicalised alike. A text of which RDKit would ignore a part (blanks, stray characters) is not
    valid, nor is the empty text. The numbers are those of the GuacaMol and MOSES benchmarks
    (doi:10.1021/acs.jcim.8b00839, doi:10.3389/fphar.2020.565644).

    Parameters
    ----------
    samples : iterable of str, n of them
        A value that is not a text (None, a number) is an invalid row like any other.
    known : iterable of str or Mol, or CanonicalSet, optional
        The training molecules, in any notation. For many calls, prepare them once: ``CanonicalSet.of(smiles)``.
    finished : array of bool, shape (n,), optional
        Rows that the model ended itself (`mrl.lm.Samples.finished`). The others were cut at a length limit: a beginning
        of a molecule is not the molecule, so they are not valid even where their text is.
    on_error : "raise" or "drop"
        For a known row that is not a molecule: raise, or compare with the others and list it in ``known_rejects``.
    n_jobs : int
        Number of processes, on which the result does not depend.
    progress : callable, bool or None
        See `featurize`; by default a bar on a terminal after two seconds.

    Returns
    -------
    Screened

    Raises
    ------
    MoleculeError
        A known row is not a molecule, with ``on_error="raise"``; `row` is its number.
    ValueError
        `on_error` is unknown.
    ColumnError
        `samples` or `known` is a single molecule, or `finished` has another length than `samples`.

    Examples
    --------
    >>> result = screen(["OCC", "C(C)O", "c1ccccc1", "FC(F)(F)(F)F", ""], known=["C1=CC=CC=C1"])
    >>> result
    Screened(5 rows: 60.0 % valid, 66.7 % of these unique, 50.0 % of these novel)
    >>> result.kept, result.smiles, result.rejects[0].reason
    (array([0]), ('CCO', 'CCO', 'c1ccccc1', None, None), 'valence: Explicit valence for atom # 1 C, 5, is greater than \
permitted')
    """
    if on_error not in ("raise", "drop"):
        raise ValueError(f"on_error is {on_error!r}; expected 'raise' or 'drop'")
    reference, unknown = (None, Rejects()) if known is None else _known(known, on_error, n_jobs, progress)
    rejected: list[Reject] = []
    rows = as_molecules(samples, "samples")
    cut: dict[int, str] = {}
    if finished is not None:
        whole = np.asarray(finished, bool)
        if whole.shape != (len(rows),):
            raise ColumnError(
                f"finished has the shape {whole.shape} for {len(rows)} samples; expected one value for each",
                column="finished",
            )
        cut = {int(row): str(rows[row]) for row in np.flatnonzero(~whole)}
        rows = [None if row in cut else text for row, text in enumerate(rows)]

    invalid = listing(rejected)

    def reject(row: int, error: MoleculeError) -> None:
        if row in cut:
            rejected.append(Reject(row, cut[row], "length", "unfinished: cut at the length limit"))
        else:
            invalid(row, error)

    with track(progress, len(rows), "samples") as advance:
        smiles: tuple[str | None, ...] = tuple(
            map_molecules(_canonical, rows, "samples", on_invalid=reject, on_row=lambda: advance(1), n_jobs=n_jobs)
        )
    first: dict[str, int] = {}
    for row, canonical in enumerate(smiles):
        if canonical is not None:
            first.setdefault(canonical, row)
    valid = np.array([canonical is not None for canonical in smiles], bool)
    unique = np.zeros(len(smiles), bool)
    unique[list(first.values())] = True
    novel = valid if reference is None else valid & ~np.array([text in reference for text in smiles], bool)
    for array in (valid, unique, novel):
        array.flags.writeable = False
    n_known = None if reference is None else len(reference)
    return Screened(smiles, valid, unique, novel, Rejects(rejected).of_table(samples), n_known, unknown)


def _known(known: Iterable[Molecule], on_error: str, n_jobs: int, progress: Progress) -> tuple[CanonicalSet, Rejects]:
    """The set of the known molecules, and the rows that are not molecules."""
    if isinstance(known, CanonicalSet) or on_error == "raise":
        return CanonicalSet.of(known, n_jobs=n_jobs), Rejects()
    rejected: list[Reject] = []
    rows = list(known) if isinstance(known, set | frozenset) else as_molecules(known, "known")
    with track(progress, len(rows), "known molecules") as advance:
        texts = map_molecules(
            _canonical,
            rows,
            "known",
            on_invalid=listing(rejected),
            on_row=lambda: advance(1),
            n_jobs=n_jobs,
        )
        found = CanonicalSet(text for text in texts if text is not None)
    return found, Rejects(rejected).of_table(known)


def _canonical(x: Molecule) -> str | None:
    return canon_smile(x)


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
