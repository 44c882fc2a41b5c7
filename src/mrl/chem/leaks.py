"""What two sides of a split have in common: molecules, scaffolds, near neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from mrl import kernels
from mrl.chem.fingerprints import ECFP4
from mrl.chem.molecule import Molecule, canon_smile, rows_of, to_mol
from mrl.chem.scaffolds import flat_smile, murcko_scaffold
from mrl.chem.similarity import BitsOf, packed_bits

__all__ = ["Leaks", "Shared", "leaks"]

_SHOWN = 10
_PERCENTILES = (0, 5, 25, 50, 75, 95, 100)
_NAMED = {"p0": "min", "p50": "median", "p100": "max"}


class Shared(NamedTuple):
    """A row of the test side, the first row of the training side that is alike, and what they have in common."""

    test_row: int
    train_row: int
    form: str


@dataclass(frozen=True, eq=False, repr=False)
class Leaks:
    """What `leaks` found between n training and m test rows. Rows are positions in what was given.

    Attributes
    ----------
    n_train, n_test : int
    molecules : tuple of Shared
        The test rows whose molecule is in the training side too; `form` is the canonical SMILES.
    scaffolds : tuple of Shared
        The test rows whose Bemis-Murcko scaffold is in the training side too; `form` is the scaffold, ``''`` for
        molecules without a ring, which count as one scaffold as in `scaffold_groups`.
    neighbours : ndarray of int64, shape (m,)
        For each test row the training row that is most similar.
    similarity : ndarray of float64, shape (m,)
        Their Tanimoto similarity, 0 to 1.
    stereo : bool
        Whether stereoisomers and isotopes counted as different molecules.
    fingerprint : str
        The one that the similarity is of.
    """

    n_train: int
    n_test: int
    molecules: tuple[Shared, ...]
    scaffolds: tuple[Shared, ...]
    neighbours: NDArray[np.int64]
    similarity: NDArray[np.float64]
    stereo: bool
    fingerprint: str

    def to_dict(self) -> dict[str, Any]:
        """The numbers as a dict that JSON can write: counts, rows, percentiles of the similarity, RDKit's version.

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
            "shared_molecules": self._counted(self.molecules),
            "shared_scaffolds": self._counted(self.scaffolds),
            "fingerprint": self.fingerprint,
            "similarity": {f"p{p}": value for p, value in zip(_PERCENTILES, values, strict=True)},
            "rdkit": rdBase.rdkitVersion,
        }

    def _counted(self, shared: tuple[Shared, ...]) -> dict[str, Any]:
        share = len(shared) / self.n_test if self.n_test else None
        return {"rows": len(shared), "distinct": len({one.form for one in shared}), "share": share}

    def _lines(self) -> list[tuple[str, str]]:
        """What a person reads: names and values."""
        facts = self.to_dict()
        stereo = "stereoisomers are different" if self.stereo else "stereoisomers are the same"
        found = facts["similarity"]
        values = ", ".join(f"{_NAMED.get(p, p)} {value:.2f}" for p, value in found.items() if value is not None)
        return [
            ("rows", f"{self.n_train:,} train, {self.n_test:,} test"),
            (f"test rows with a molecule of train ({stereo})", _told(facts["shared_molecules"], "molecule")),
            ("test rows with a scaffold of train", _told(facts["shared_scaffolds"], "scaffold")),
            (f"similarity to the nearest of train ({self.fingerprint})", values or "no rows"),
        ]

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self._lines())

    def _repr_html_(self) -> str:
        table = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in self._lines())
        if not self.molecules:
            return f"<table>{table}</table>"
        head = "".join(f"<th>{name}</th>" for name in ("test row", "train row", "molecule"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in one) + "</tr>"
            for one in self.molecules[:_SHOWN]
        )
        more = f"<p>and {len(self.molecules) - _SHOWN:,} more</p>" if len(self.molecules) > _SHOWN else ""
        return f"<table>{table}</table><table><tr>{head}</tr>{rows}</table>{more}"


def leaks(
    train: Iterable[Molecule],
    test: Iterable[Molecule],
    *,
    stereo: bool = True,
    fingerprint: BitsOf = ECFP4,
    threads: int = 1,
) -> Leaks:
    """What a test side has in common with the training side.

    Parameters
    ----------
    train, test : column of str or Mol, n and m rows
    stereo : bool
        Whether molecules that differ in stereo, isotopes or atom maps alone are different ones; fingerprints and
        scaffolds do not tell them apart. A salt and its acid always are: clean before (`LargestFragment`, `Uncharge`).
    fingerprint : callable
        An RDKit molecule -> 0 or 1, shape (bits,), as the fingerprints of this room do.
    threads : int
        For the comparison of fingerprints.

    Returns
    -------
    Leaks

    Raises
    ------
    MoleculeError
        A row is not a molecule; `row` is its number.
    ColumnError
        One molecule was given where a column is expected.
    ValueError
        There is no training row.

    Examples
    --------
    >>> leaks(["CCO", "Cc1ccccc1", "CCN"], ["OCC", "Oc1ccccc1"])
    rows: 3 train, 2 test
    test rows with a molecule of train (stereoisomers are different): 1 (50.0%), 1 molecule
    test rows with a scaffold of train: 2 (100.0%), 2 scaffolds
    similarity to the nearest of train (ECFP4): min 0.38, p5 0.41, p25 0.53, median 0.69, p75 0.84, p95 0.97, max 1.00
    """
    form = canon_smile if stereo else flat_smile
    (train_forms, train_scaffolds, train_bits), (test_forms, test_scaffolds, test_bits) = (
        _described(rows_of(column, name), name, form, fingerprint)
        for column, name in ((train, "train"), (test, "test"))
    )
    if not train_forms:
        raise ValueError("train has no rows, so there is nothing that the test side could have in common with it")
    neighbours, similarity = (
        kernels.nearest(test_bits, train_bits, threads=threads)
        if test_forms
        else (np.zeros((0, 1), np.int64), np.zeros((0, 1)))
    )
    neighbours.flags.writeable = similarity.flags.writeable = False
    return Leaks(
        n_train=len(train_forms),
        n_test=len(test_forms),
        molecules=_shared(train_forms, test_forms),
        scaffolds=_shared(train_scaffolds, test_scaffolds),
        neighbours=neighbours[:, 0],
        similarity=similarity[:, 0],
        stereo=stereo,
        fingerprint=getattr(fingerprint, "__name__", repr(fingerprint)),
    )


def _described(
    rows: list[Any], name: str, form: Callable[[Molecule], str], fingerprint: BitsOf
) -> tuple[list[str], list[str], NDArray[np.uint64]]:
    """Canonical form, scaffold and fingerprint of each row, which is parsed once."""
    forms, scaffolds = [], []

    def bits_of(x: Molecule) -> NDArray[Any]:
        mol = to_mol(x)
        forms.append(form(mol))
        scaffolds.append(murcko_scaffold(mol))
        return fingerprint(mol)

    return forms, scaffolds, packed_bits(rows, bits_of, name)


def _shared(train: list[str], test: list[str]) -> tuple[Shared, ...]:
    first = dict(zip(reversed(train), range(len(train) - 1, -1, -1), strict=True))
    return tuple(Shared(row, first[form], form) for row, form in enumerate(test) if form in first)


def _told(counted: dict[str, Any], what: str) -> str:
    share = "" if counted["share"] is None else f" ({counted['share']:.1%})"
    return f"{counted['rows']:,}{share}, {counted['distinct']:,} {what}{'' if counted['distinct'] == 1 else 's'}"
