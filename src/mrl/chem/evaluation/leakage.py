"""What the two sides of a split have in common: molecules, scaffolds, near neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from mrl import kernels
from mrl.chem.canonical import identity
from mrl.chem.columns import listing, map_molecules
from mrl.chem.fingerprints import ECFP4, FingerprintFunction
from mrl.chem.molecule import Molecule, to_mol
from mrl.chem.packing import bits_of, pack_rows
from mrl.chem.scaffolds import murcko_scaffold
from mrl.formatting import PREVIEW_ROWS, format_percent, html_table
from mrl.messages import format_count
from mrl.progress import Progress, track
from mrl.ragged import Reject, Rejects, as_molecules

_PERCENTILES = (0, 5, 25, 50, 75, 95, 100)
_NAMED = {"p0": "min", "p50": "median", "p100": "max"}


class Shared(NamedTuple):
    """A row of the test side, the first row of the training side that is equal, and what they have in common."""

    test_row: int
    train_row: int
    smiles: str


@dataclass(frozen=True, eq=False, repr=False)
class Leaks:
    """The result of `leaks` for n training and m test rows; rows are positions in the arguments.

    Attributes
    ----------
    n_train, n_test : int
    molecules : tuple of Shared
        The test rows whose molecule is in the training side too; `smiles` is canonical.
    scaffolds : tuple of Shared
        The test rows whose Bemis-Murcko scaffold is in the training side too; `smiles` is the scaffold, ``''`` for
        molecules without a ring, which count as one scaffold as in `scaffold_groups`.
    neighbours : ndarray of int64, shape (m,)
        For each test row the most similar training row, -1 for a rejected one.
    similarity : ndarray of float64, shape (m,)
        Their Tanimoto similarity, 0 to 1, NaN for a rejected row.
    stereo, isotopes : bool
        Whether molecules that differ in stereo, or in isotopes, count as different.
    fingerprint : str
        The name of the fingerprint of the similarity.
    train_rejects, test_rejects : Rejects
        The rows that are not molecules, with ``on_error="drop"``; no other number counts them.

    Examples
    --------
    >>> found = leaks(["CCO", "Cc1ccccc1"], ["OCC"])
    >>> found.molecules, found.neighbours, found.similarity
    ((Shared(test_row=0, train_row=0, smiles='CCO'),), array([0]), array([1.]))
    """

    n_train: int
    n_test: int
    molecules: tuple[Shared, ...]
    scaffolds: tuple[Shared, ...]
    neighbours: NDArray[np.int64]
    similarity: NDArray[np.float64]
    stereo: bool
    isotopes: bool
    fingerprint: str
    train_rejects: Rejects = field(default_factory=Rejects)
    test_rejects: Rejects = field(default_factory=Rejects)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers for JSON: counts, percentiles of the similarity, the version of RDKit.

        Examples
        --------
        >>> leaks(["CCO"], ["OCC", "CCN"]).to_dict()["shared_molecules"]
        {'rows': 1, 'distinct': 1, 'share': 0.5}
        """
        found = self.similarity[self.neighbours >= 0]
        values = np.percentile(found, _PERCENTILES).tolist() if len(found) else [None] * len(_PERCENTILES)
        rejected = {"train_rejects": len(self.train_rejects), "test_rejects": len(self.test_rejects)}
        return {
            "n_train": self.n_train,
            "n_test": self.n_test,
            **(rejected if any(rejected.values()) else {}),
            "stereo": self.stereo,
            "isotopes": self.isotopes,
            "shared_molecules": self._count(self.molecules),
            "shared_scaffolds": self._count(self.scaffolds),
            "fingerprint": self.fingerprint,
            "similarity": {f"p{p}": value for p, value in zip(_PERCENTILES, values, strict=True)},
            "rdkit": rdBase.rdkitVersion,
        }

    def _count(self, shared: tuple[Shared, ...]) -> dict[str, Any]:
        share = len(shared) / self.n_test if self.n_test else None
        return {"rows": len(shared), "distinct": len({one.smiles for one in shared}), "share": share}

    def _lines(self) -> list[tuple[str, str]]:
        """Names and values to show."""
        facts = self.to_dict()
        stereo = "stereoisomers are different" if self.stereo else "stereoisomers are the same"
        stereo += "" if self.isotopes else ", isotopes too"
        rejected = f"{len(self.train_rejects):,} train, {len(self.test_rejects):,} test"
        similarity = facts["similarity"].items()
        values = ", ".join(f"{_NAMED.get(p, p)} {value:.2f}" for p, value in similarity if value is not None)
        return [
            ("rows", f"{self.n_train:,} train, {self.n_test:,} test"),
            *([("left out, not molecules", rejected)] if self.train_rejects or self.test_rejects else []),
            (f"test rows with a molecule of train ({stereo})", _describe(facts["shared_molecules"], "molecule")),
            ("test rows with a scaffold of train", _describe(facts["shared_scaffolds"], "scaffold")),
            (f"similarity to the nearest of train ({self.fingerprint})", values or "no rows"),
        ]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._lines())

    def _repr_html_(self) -> str:
        table = html_table(self._lines())
        if not self.molecules:
            return table
        more = f", the first {PREVIEW_ROWS} of {len(self.molecules):,}" if len(self.molecules) > PREVIEW_ROWS else ""
        columns = ("test row", "train row", "molecule")
        return table + html_table(self.molecules[:PREVIEW_ROWS], columns, caption=f"Molecules on both sides{more}")


def leaks(
    train: Iterable[Molecule],
    test: Iterable[Molecule],
    *,
    stereo: bool = True,
    isotopes: bool = True,
    fingerprint: FingerprintFunction = ECFP4,
    on_error: Literal["raise", "drop"] = "raise",
    threads: int = 1,
    n_jobs: int = 1,
    progress: Progress = None,
) -> Leaks:
    """Find what a test side has in common with the training side.

    Parameters
    ----------
    train, test : column of str or Mol, n and m rows
    stereo : bool
        Whether stereoisomers are different molecules; scaffolds and most fingerprints do not distinguish them. A salt
        and its acid always are different: clean first (`LargestFragment`, `Uncharge`).
    isotopes : bool
        Whether molecules that differ in isotopes are different.
    fingerprint : callable
        An RDKit molecule -> 0 or 1, shape (bits,), as the fingerprints of this package do.
    on_error : "raise" or "drop"
        For a row of either side that is not a molecule: raise, or compare the others and list it in ``train_rejects``
        or ``test_rejects``.
    threads : int
        For the comparison of fingerprints.
    n_jobs : int
        Number of processes that parse molecules, on which the result does not depend; with more than 1 `fingerprint`
        must be picklable.
    progress : callable, bool or None
        See `featurize`; by default a bar on a terminal after two seconds.

    Returns
    -------
    Leaks

    Raises
    ------
    MoleculeError
        A row is not a molecule, with ``on_error="raise"``; `row` is its number.
    ColumnError
        `train` or `test` is a single molecule.
    ValueError
        There are no training molecules; `on_error` is unknown.

    Examples
    --------
    >>> leaks(["CCO", "Cc1ccccc1", "CCN"], ["OCC", "Oc1ccccc1"])
    rows: 3 train, 2 test
    test rows with a molecule of train (stereoisomers are different): 1 (50.0 %), 1 molecule
    test rows with a scaffold of train: 2 (100 %), 2 scaffolds
    similarity to the nearest of train (ECFP4): min 0.38, p5 0.41, p25 0.53, median 0.69, p75 0.84, p95 0.97, max 1.00
    """
    smiles_of = partial(identity, stereo=stereo, isotopes=isotopes)
    profile_of = partial(_profile_of, smiles_of=smiles_of, fingerprint=fingerprint)
    if on_error not in ("raise", "drop"):
        raise ValueError(f"on_error is {on_error!r}; expected 'raise' or 'drop'")
    old, new = (
        _side(column, name, profile_of, on_error == "drop", n_jobs, progress)
        for column, name in ((train, "train"), (test, "test"))
    )
    if not old.rows:
        raise ValueError("train has no molecules: expected at least one to compare the test side with")
    neighbours, similarity = np.full(new.n, -1, np.int64), np.full(new.n, np.nan)
    if new.rows:
        nearest, found = kernels.nearest(new.bits, old.bits, threads=threads)
        neighbours[new.rows], similarity[new.rows] = np.array(old.rows, np.int64)[nearest[:, 0]], found[:, 0]
    neighbours.flags.writeable = similarity.flags.writeable = False
    return Leaks(
        n_train=len(old.rows),
        n_test=len(new.rows),
        molecules=_shared(old.rows, old.smiles, new.rows, new.smiles),
        scaffolds=_shared(old.rows, old.scaffolds, new.rows, new.scaffolds),
        neighbours=neighbours,
        similarity=similarity,
        stereo=stereo,
        isotopes=isotopes,
        fingerprint=getattr(fingerprint, "__name__", repr(fingerprint)),
        train_rejects=old.rejects,
        test_rejects=new.rejects,
    )


class _Side(NamedTuple):
    """The molecules of a side: their rows of `n`, canonical SMILES, scaffolds and fingerprints."""

    n: int
    rows: list[int]
    smiles: list[str]
    scaffolds: list[str]
    bits: NDArray[np.uint64]
    rejects: Rejects


def _profile_of(
    x: Molecule, smiles_of: Callable[[Molecule], str], fingerprint: FingerprintFunction
) -> tuple[str, str, NDArray[Any]]:
    """Canonical SMILES, scaffold and fingerprint of a molecule, which is parsed once."""
    mol = to_mol(x)
    return smiles_of(mol), murcko_scaffold(mol), bits_of(mol, fingerprint)


def _side(
    column: Iterable[Molecule],
    name: str,
    profile_of: Callable[[Molecule], tuple[str, str, Any]],
    drops: bool,
    n_jobs: int,
    progress: Progress,
) -> _Side:
    """Canonical SMILES, scaffold and fingerprint of each row that is a molecule."""
    texts, rows, rejected = as_molecules(column, name), list[int](), list[Reject]()
    smiles, scaffolds = list[str](), list[str]()

    def bits() -> Iterator[NDArray[Any]]:
        found: Iterator[tuple[str, str, Any] | None] = map_molecules(
            profile_of,
            texts,
            name,
            on_invalid=listing(rejected) if drops else None,
            on_row=lambda: advance(1),
            n_jobs=n_jobs,
        )
        for row, one in enumerate(found):
            if one is not None:
                rows.append(row)
                smiles.append(one[0])
                scaffolds.append(one[1])
                yield one[2]

    with track(progress, len(texts), f"molecules of {name}") as advance:
        packed = pack_rows(bits(), texts, name, rows)
    return _Side(len(texts), rows, smiles, scaffolds, packed, Rejects(rejected).of_table(column))


def _shared(train_rows: list[int], train: list[str], test_rows: list[int], test: list[str]) -> tuple[Shared, ...]:
    first = dict(zip(reversed(train), reversed(train_rows), strict=True))
    return tuple(
        Shared(row, first[smiles], smiles) for row, smiles in zip(test_rows, test, strict=True) if smiles in first
    )


def _describe(count: dict[str, Any], noun: str) -> str:
    share = "" if count["share"] is None else f" ({format_percent(count['share'], 1)})"
    return f"{count['rows']:,}{share}, {format_count(count['distinct'], noun)}"
