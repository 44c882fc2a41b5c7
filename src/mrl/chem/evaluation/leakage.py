"""What the two sides of a split have in common: molecules, scaffolds, near neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from mrl import kernels
from mrl.chem.canonical import identity
from mrl.chem.columns import map_molecules
from mrl.chem.fingerprints import ECFP4, FingerprintFunction
from mrl.chem.molecule import Molecule, to_mol
from mrl.chem.packing import bits_of, pack_rows
from mrl.chem.scaffolds import murcko_scaffold
from mrl.formatting import format_percent, html_table
from mrl.messages import format_count
from mrl.progress import Progress, track
from mrl.ragged import as_molecules

_SHOWN = 10
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
        For each test row the most similar training row.
    similarity : ndarray of float64, shape (m,)
        Their Tanimoto similarity, 0 to 1.
    stereo, isotopes : bool
        Whether molecules that differ in stereo, or in isotopes, count as different.
    fingerprint : str
        The name of the fingerprint of the similarity.

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

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers for JSON: counts, percentiles of the similarity, the version of RDKit.

        Examples
        --------
        >>> leaks(["CCO"], ["OCC", "CCN"]).to_dict()["shared_molecules"]
        {'rows': 1, 'distinct': 1, 'share': 0.5}
        """
        values = np.percentile(self.similarity, _PERCENTILES).tolist() if self.n_test else [None] * len(_PERCENTILES)
        return {
            "n_train": self.n_train,
            "n_test": self.n_test,
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
        similarity = facts["similarity"].items()
        values = ", ".join(f"{_NAMED.get(p, p)} {value:.2f}" for p, value in similarity if value is not None)
        return [
            ("rows", f"{self.n_train:,} train, {self.n_test:,} test"),
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
        more = f", the first {_SHOWN} of {len(self.molecules):,}" if len(self.molecules) > _SHOWN else ""
        columns = ("test row", "train row", "molecule")
        return table + html_table(self.molecules[:_SHOWN], columns, caption=f"Molecules on both sides{more}")


def leaks(
    train: Iterable[Molecule],
    test: Iterable[Molecule],
    *,
    stereo: bool = True,
    isotopes: bool = True,
    fingerprint: FingerprintFunction = ECFP4,
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
        A row is not a molecule; `row` is its number.
    ColumnError
        `train` or `test` is a single molecule.
    ValueError
        There are no training rows.

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
    sides = [
        _profile(column, name, profile_of, n_jobs, progress) for column, name in ((train, "train"), (test, "test"))
    ]
    (train_smiles, train_scaffolds, train_bits), (test_smiles, test_scaffolds, test_bits) = sides
    if not train_smiles:
        raise ValueError("train has no rows: expected at least one to compare the test side with")
    neighbours, similarity = (
        kernels.nearest(test_bits, train_bits, threads=threads)
        if test_smiles
        else (np.zeros((0, 1), np.int64), np.zeros((0, 1)))
    )
    neighbours.flags.writeable = similarity.flags.writeable = False
    return Leaks(
        n_train=len(train_smiles),
        n_test=len(test_smiles),
        molecules=_shared(train_smiles, test_smiles),
        scaffolds=_shared(train_scaffolds, test_scaffolds),
        neighbours=neighbours[:, 0],
        similarity=similarity[:, 0],
        stereo=stereo,
        isotopes=isotopes,
        fingerprint=getattr(fingerprint, "__name__", repr(fingerprint)),
    )


def _profile_of(
    x: Molecule, smiles_of: Callable[[Molecule], str], fingerprint: FingerprintFunction
) -> tuple[str, str, NDArray[Any]]:
    """Canonical SMILES, scaffold and fingerprint of a molecule, which is parsed once."""
    mol = to_mol(x)
    return smiles_of(mol), murcko_scaffold(mol), bits_of(mol, fingerprint)


def _profile(
    column: Iterable[Molecule],
    name: str,
    profile_of: Callable[[Molecule], tuple[str, str, Any]],
    n_jobs: int,
    progress: Progress,
) -> tuple[list[str], list[str], NDArray[np.uint64]]:
    """Canonical SMILES, scaffold and fingerprint of each row."""
    rows, smiles, scaffolds = as_molecules(column, name), list[str](), list[str]()

    def bits() -> Iterator[NDArray[Any]]:
        found = map_molecules(profile_of, rows, name, on_row=lambda: advance(1), n_jobs=n_jobs)
        for text, scaffold, one in found:
            smiles.append(text)
            scaffolds.append(scaffold)
            yield one

    with track(progress, len(rows), f"molecules of {name}") as advance:
        return smiles, scaffolds, pack_rows(bits(), rows, name)


def _shared(train: list[str], test: list[str]) -> tuple[Shared, ...]:
    first = dict(zip(reversed(train), range(len(train) - 1, -1, -1), strict=True))
    return tuple(Shared(row, first[smiles], smiles) for row, smiles in enumerate(test) if smiles in first)


def _describe(count: dict[str, Any], noun: str) -> str:
    share = "" if count["share"] is None else f" ({format_percent(count['share'], 1)})"
    return f"{count['rows']:,}{share}, {format_count(count['distinct'], noun)}"
