"""The table of metrics of generated molecules, each with the n that it was computed on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from mrl.chem.evaluation.screening import Screened
from mrl.formatting import html_table
from mrl.messages import format_count
from mrl.ragged import Rejects

_REJECTS = ("reference_rejects", "train_rejects")
_COLUMNS = ("metric", "value", "n", "against", "")


class Metric(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    name : str
    value : float
        NaN where it was not computed; `note` says why.
    n : int
        How many molecules or texts it was computed on.
    against : int or None
        How many molecules these were compared with, if any.
    note : str
        What the number means, or why it was not computed.

    Examples
    --------
    >>> from mrl.chem import evaluate
    >>> evaluate(["CCO", "C("]).rows[0]
    Metric(name='validity', value=0.5, n=2, against=None, note='of the samples')
    """

    name: str
    value: float
    n: int
    against: int | None
    note: str


@dataclass(frozen=True, eq=False, repr=False)
class Metrics(Mapping[str, float]):
    """The result of `evaluate`: a mapping of name to value, displayed as a table.

    Attributes
    ----------
    rows : tuple of Metric
        Every number with its n, what it was compared with, and what it means.
    screened : Screened
        Row by row what is valid, unique and novel, and the rejects.
    stereo, isotopes : bool
        Whether molecules that differ in stereo, or in isotopes, count as different.
    reference, train : int or None
        How many molecules were given to compare with.
    seed : int
        What selected the rows of the larger side.
    rdkit : str
        The version of RDKit, on which every number depends.
    reference_rejects, train_rejects : Rejects
        The rows of these that are not molecules, with ``on_error="drop"``; `reference` and `train` do not count them.

    Examples
    --------
    >>> from mrl.chem import evaluate
    >>> metrics = evaluate(["CCO", "OCC", "C(", ""])
    >>> metrics["validity"], metrics["uniqueness"], metrics.n, metrics.empty, metrics.unfinished
    (0.5, 0.5, 4, 1, 0)
    """

    rows: tuple[Metric, ...]
    screened: Screened
    stereo: bool
    isotopes: bool
    reference: int | None
    train: int | None
    seed: int
    rdkit: str
    reference_rejects: Rejects = field(default_factory=Rejects)
    train_rejects: Rejects = field(default_factory=Rejects)

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.screened.n

    @property
    def empty(self) -> int:
        """Number of empty texts among the samples, which are not valid."""
        return self.screened.empty

    @property
    def unfinished(self) -> int:
        """Number of samples that were cut at a length limit, which are not valid."""
        return self.screened.unfinished

    def __getitem__(self, name: str) -> float:
        for row in self.rows:
            if row.name == name:
                return row.value
        raise KeyError(f"{name!r} is not a metric; choose one of {', '.join(self)}")

    def __iter__(self) -> Iterator[str]:
        return (row.name for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return everything in the table for JSON, with None for NaN.

        Examples
        --------
        >>> from mrl.chem import evaluate
        >>> evaluate(["CCO", ""]).to_dict()["metrics"]["validity"]
        {'value': 0.5, 'n': 2, 'against': None}
        """
        return {
            "n": self.n,
            "empty": self.empty,
            "unfinished": self.unfinished,
            "reference": self.reference,
            "train": self.train,
            "stereo": self.stereo,
            "isotopes": self.isotopes,
            **{name: len(found) for name in _REJECTS if (found := getattr(self, name))},
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
        rows = [(one.name, _value(one), one.n, one.against, one.note) for one in self.rows]
        return html_table(rows, _COLUMNS, caption=self._head())

    def _head(self) -> str:
        cut = f", {self.unfinished:,} cut at a length limit" if self.unfinished else ""
        sizes = [f"{self.n:,} samples ({self.empty:,} empty{cut})"]
        sizes += [f"{size:,} {name}" for name in ("reference", "train") if (size := getattr(self, name)) is not None]
        sizes += [
            f"{format_count(len(found), 'row')} of {name.removesuffix('_rejects')} rejected"
            for name in _REJECTS
            if (found := getattr(self, name))
        ]
        ignored = "" if self.isotopes else ", isotopes ignored"
        return f"{', '.join(sizes)}; stereo {'kept' if self.stereo else 'ignored'}{ignored}; RDKit {self.rdkit}"


def _cells(row: Metric) -> list[str]:
    return [row.name, _value(row), f"{row.n:,}", "" if row.against is None else f"{row.against:,}", row.note]


def _value(row: Metric) -> str:
    return "–" if np.isnan(row.value) else f"{row.value:.4f}"
