"""The table of numbers for generated molecules, each with the n that it was computed on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, NamedTuple

import numpy as np

from mrl.chem.screening import Screened

__all__ = ["Metric", "Metrics"]

_COLUMNS = ("metric", "value", "n", "against", "")


class Metric(NamedTuple):
    """One number of the table."""

    name: str
    value: float
    """NaN where it was not computed; `note` says why."""
    n: int
    """How many molecules or texts it is of."""
    against: int | None
    """How many molecules these were compared with, None where with none."""
    note: str
    """What it says."""


@dataclass(frozen=True, eq=False, repr=False)
class Metrics(Mapping[str, float]):
    """The result of `evaluate`: a mapping of name to value, and a table when it is shown.

    Attributes
    ----------
    rows : tuple of Metric
        Every number with its n, what it was compared with, and what it says.
    screened : Screened
        Row by row what is valid, unique and novel, and the rejects.
    stereo : bool
        Whether stereoisomers were told apart.
    reference, train : int or None
        How many molecules were given to compare with.
    seed : int
        What drew the rows of the larger side.
    rdkit : str
        The version of RDKit, on which every number depends.
    """

    rows: tuple[Metric, ...]
    screened: Screened
    stereo: bool
    reference: int | None
    train: int | None
    seed: int
    rdkit: str

    @property
    def n(self) -> int:
        """How many samples there were."""
        return self.screened.n

    @property
    def empty(self) -> int:
        """How many of them were empty texts, which are not valid."""
        return self.screened.empty

    def __getitem__(self, name: str) -> float:
        for row in self.rows:
            if row.name == name:
                return row.value
        raise KeyError(f"{name!r} is no metric; there are {', '.join(self)}")

    def __iter__(self) -> Iterator[str]:
        return (row.name for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Everything in the table as a dict that JSON can write, with None for NaN.

        Examples
        --------
        >>> from mrl.chem import evaluate
        >>> evaluate(["CCO", ""]).to_dict()["metrics"]["validity"]
        {'value': 0.5, 'n': 2, 'against': None}
        """
        return {
            "n": self.n,
            "empty": self.empty,
            "reference": self.reference,
            "train": self.train,
            "stereo": self.stereo,
            "seed": self.seed,
            "rdkit": self.rdkit,
            "metrics": {
                row.name: {"value": None if np.isnan(row.value) else row.value, "n": row.n, "against": row.against}
                for row in self.rows
            },
        }

    def __repr__(self) -> str:
        cells = [list(_COLUMNS), *map(_cells, self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            f"{name:{widths[0]}}  {value:>{widths[1]}}  {n:>{widths[2]}}  {against:>{widths[3]}}  {note}".rstrip()
            for name, value, n, against, note in cells
        ]
        return "\n".join([self._head(), *lines])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        lines = ["".join(f"<td>{escape(cell)}</td>" for cell in _cells(row)) for row in self.rows]
        return f"<p>{escape(self._head())}</p><table>{''.join(f'<tr>{line}</tr>' for line in [head, *lines])}</table>"

    def _head(self) -> str:
        sizes = [f"{self.n:,} samples ({self.empty:,} empty)"]
        sizes += [f"{size:,} {name}" for name in ("reference", "train") if (size := getattr(self, name)) is not None]
        return f"{', '.join(sizes)}; stereo {'kept' if self.stereo else 'ignored'}; RDKit {self.rdkit}"


def _cells(row: Metric) -> list[str]:
    value = "–" if np.isnan(row.value) else f"{row.value:.4f}"
    return [row.name, value, f"{row.n:,}", "" if row.against is None else f"{row.against:,}", row.note]
