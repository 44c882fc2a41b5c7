"""Summary: what is in a table of molecules, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.chem import MoleculeFacts
from mrl.formatting import Html, format_number, format_percent, html_table
from mrl.messages import format_count
from mrl.ragged import Rejects
from mrl.summary.columns import ColumnFacts, spread
from mrl.summary.correlations import Correlations
from mrl.summary.duplicates import Conflicts, Duplicates
from mrl.summary.parts import Parts
from mrl.summary.rejections import RejectKind
from mrl.summary.tokens import TokenFacts

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Lengths:
    """How long texts are: the number of texts of each length.

    Parameters
    ----------
    counts : mapping of int to int
        Bytes of a text -> texts.

    Examples
    --------
    >>> lengths = Lengths({1: 2, 3: 1})
    >>> lengths.spread()["mean"], lengths.percentile(50), lengths.values().tolist()
    (1.6666666666666667, 1, [1, 1, 3])
    """

    counts: Mapping[int, int]

    def __len__(self) -> int:
        return sum(self.counts.values())

    def percentile(self, p: float) -> int:
        """Return a length that p percent of the texts have at most; 0 if there are none.

        Parameters
        ----------
        p : float
            0 to 100.

        Returns
        -------
        int

        Examples
        --------
        >>> Lengths({1: 99, 7: 1}).percentile(99)
        1
        """
        sizes = sorted(self.counts)
        ends = np.cumsum([self.counts[size] for size in sizes])
        return sizes[int(np.searchsorted(ends, p / 100 * len(self)))] if sizes else 0

    def values(self, most: int = 1_000_000) -> NDArray[np.int64]:
        """Return the lengths of all texts in ascending order, or of `most` of them, evenly spread.

        Examples
        --------
        >>> Lengths({2: 10, 5: 10}).values(most=4).tolist()
        [2, 2, 5, 5]
        """
        sizes, n = sorted(self.counts), len(self)
        ends = np.cumsum([self.counts[size] for size in sizes], dtype=np.int64)
        places = np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(np.int64)
        return np.array(sizes, np.int64)[np.searchsorted(ends, places, side="right")]

    def spread(self) -> dict[str, float | int | None]:
        """Return the number, mean and percentiles; see `mrl.summary.spread`.

        Examples
        --------
        >>> Lengths({}).spread()["mean"] is None
        True
        """
        facts = spread(self.values())
        if not len(self):
            return facts
        mean = sum(size * count for size, count in self.counts.items()) / len(self)
        return {**facts, "n": len(self), "mean": mean, "min": min(self.counts), "max": max(self.counts)}


@dataclass(frozen=True)
class Scaffolds:
    """The Bemis-Murcko scaffolds of some molecules.

    Attributes
    ----------
    molecules : int
        Molecules that were looked at.
    without_ring : int
        Those that have no scaffold.
    distinct, singletons : int
        Scaffolds, and those of one molecule only.
    largest : tuple of (str, int)
        The most frequent ones, with their molecules.

    Examples
    --------
    >>> Scaffolds(3, 1, 1, 0, (("c1ccccc1", 2),)).to_dict()["distinct"]
    1
    """

    molecules: int
    without_ring: int
    distinct: int
    singletons: int
    largest: tuple[tuple[str, int], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON.

        Examples
        --------
        >>> Scaffolds(1, 1, 0, 0).to_dict()
        {'molecules': 1, 'without_ring': 1, 'distinct': 0, 'singletons': 0, 'largest': []}
        """
        return {**vars(self), "largest": [{"scaffold": text, "molecules": n} for text, n in self.largest]}


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """What is in a table of molecules; made by `summarize`.

    Attributes
    ----------
    name : str
        The file or table.
    rows, kept : int
        All rows, and those that were read.
    smiles_column, notation : str
        The column that was taken, and what it holds: "smiles", "selfies", "protein", "nucleotide" or "text".
    notes : mapping of str to int
        What was done to cells of rows that were kept, and how often.
    rejects : tuple of RejectKind
        The rows that were rejected before, and those that are not molecules, by reason.
    looked_at : mapping of str to int
        Subject ("texts", "columns", "molecules", "duplicates", "properties") -> rows that were looked at.
    lengths : Lengths
        Characters of the rows (bytes, where a text is not ASCII).
    tokens : TokenFacts
    molecules : MoleculeFacts or None
        Of the rows that were parsed; None if they are not SMILES.
    invalid : Rejects
        Those of them that are not molecules, with their numbers in the file.
    properties : mapping of str to ndarray of float64
    scaffolds : Scaffolds or None
    same_text, same_molecule, same_flat : Duplicates or None
        Rows of equal text; of the same molecule; of the same molecule if stereo does not count.
    columns : tuple of ColumnFacts
        The other columns.
    conflicts : tuple of Conflicts
        For each column of labels.
    correlations : Correlations
        Between columns of labels.
    parts : Parts or None
        If a column names the parts of a split.
    some : tuple of (int, str)
        Rows drawn at random: number and text.
    seed : int
    first_rejects : Rejects
        The first 100 rows that were rejected before.

    Examples
    --------
    >>> from mrl.summary import summarize
    >>> summarize(["CCO", "OCC", "C("])
    Summary of molecules: 3 rows; 2 molecules; 1 row is not a molecule; 1 duplicate
    """

    name: str
    rows: int
    kept: int
    smiles_column: str
    notation: str
    notes: Mapping[str, int]
    rejects: tuple[RejectKind, ...]
    looked_at: Mapping[str, int]
    lengths: Lengths
    tokens: TokenFacts
    molecules: MoleculeFacts | None
    invalid: Rejects
    properties: Mapping[str, Values]
    scaffolds: Scaffolds | None
    same_text: Duplicates
    same_molecule: Duplicates | None
    same_flat: Duplicates | None
    columns: tuple[ColumnFacts, ...] = ()
    conflicts: tuple[Conflicts, ...] = ()
    correlations: Correlations = field(default_factory=Correlations.none)
    parts: Parts | None = None
    some: tuple[tuple[int, str], ...] = ()
    seed: int = 0
    first_rejects: Rejects = field(default_factory=Rejects)

    @property
    def n_invalid(self) -> int:
        """Of the rows that were parsed, those that are not molecules.

        Examples
        --------
        >>> from mrl.summary import summarize
        >>> summarize(["CCO", "C("]).n_invalid
        1
        """
        return len(self.invalid)

    @property
    def labels(self) -> tuple[ColumnFacts, ...]:
        """The columns of numbers or classes, without the one that names the parts.

        Examples
        --------
        >>> from mrl.summary import summarize
        >>> summarize(["CCO", "C("]).labels
        ()
        """
        split = None if self.parts is None else self.parts.column
        return tuple(one for one in self.columns if one.is_label and one.name != split)

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain values, for JSON.

        Examples
        --------
        >>> from mrl.summary import summarize
        >>> summarize(["CCO", "OCC", "C("]).to_dict()["same_molecule"]["extra"]
        1
        """
        facts: dict[str, Any] = {
            "name": self.name,
            "rows": self.rows,
            "kept": self.kept,
            "smiles_column": self.smiles_column,
            "notation": self.notation,
            "notes": dict(self.notes),
            "rejects": [kind.to_dict() for kind in self.rejects],
            "looked_at": dict(self.looked_at),
            "seed": self.seed,
            "lengths": self.lengths.spread(),
            "tokens": self.tokens.to_dict(),
            "same_text": self.same_text.to_dict(),
            "columns": {one.name: one.to_dict() for one in self.columns},
            "conflicts": {one.column: one.to_dict() for one in self.conflicts},
            "correlations": self.correlations.to_dict(),
            "parts": None if self.parts is None else self.parts.to_dict(),
        }
        if self.molecules is not None and self.scaffolds is not None:
            elements = self.molecules.elements.items()
            facts |= {
                "invalid": self.n_invalid,
                "canonical": self.molecules.canonical,
                "traits": dict(self.molecules.traits),
                "elements": {symbol: {"molecules": n, "atoms": atoms} for symbol, (n, atoms) in elements},
                "properties": {name: spread(values) for name, values in self.properties.items()},
                "scaffolds": self.scaffolds.to_dict(),
                "same_molecule": None if self.same_molecule is None else self.same_molecule.to_dict(),
                "same_molecule_without_stereo": None if self.same_flat is None else self.same_flat.to_dict(),
            }
        return facts

    def lines(self) -> list[tuple[str, str]]:
        """Return the most important facts as names and values, for a terminal or a table.

        Examples
        --------
        >>> from mrl.summary import summarize
        >>> summarize(["CCO", "OCC", "C("]).lines()[0]
        ('rows', '3')
        """
        before = self.rows - self.kept
        lines = [("rows", f"{self.rows:,}")]
        if before:
            lines.append(("rejected before", f"{before:,}"))
        if self.molecules is not None:
            lines.append(("not molecules", self._of("molecules", self.n_invalid)))
        same = self.same_molecule or self.same_text
        subject = "duplicates" if self.same_molecule is not None else "same_text"
        lines.append(("repeat an earlier row", self._of(subject, same.extra)))
        lines += [(one.name, self._label(one)) for one in self.labels[:20]]
        differ = [one for one in self.conflicts if one.different]
        if differ:
            found = ", ".join(f"{one.column} {one.different:,} of {one.repeated:,}" for one in differ[:5])
            lines.append(("repeated molecules with different labels", found))
        return lines

    def _of(self, subject: str, count: int) -> str:
        looked_at = self.looked_at.get(subject, self.kept)
        sample = f", of {looked_at:,} rows drawn at random" if looked_at < self.kept else ""
        return f"{count:,} ({format_percent(count, looked_at)}{sample})"

    @staticmethod
    def _label(one: ColumnFacts) -> str:
        if one.kind == "classes":
            held = ", ".join(f"{name!r} {count:,}" for name, count in list(one.classes.items())[:4])
        else:
            facts = spread(one.values)
            numbers = (facts["min"], facts["median"], facts["max"])
            held = " / ".join("–" if value is None else format_number(float(value)) for value in numbers)
        return f"{format_percent(one.filled, one.rows)} filled; {held}"

    def __repr__(self) -> str:
        what = f"Summary of {self.name}: {format_count(self.rows, 'row')}"
        if self.molecules is None or self.same_molecule is None:
            return f"{what}, {self.same_text.distinct:,} different texts"
        sample = "" if self.looked_at["molecules"] == self.kept else f" (of {self.looked_at['molecules']:,} looked at)"
        found = self.looked_at["molecules"] - self.n_invalid
        invalid = format_count(self.n_invalid, "row is not a molecule", "rows are not molecules")
        repeated = format_count(self.same_molecule.extra, "duplicate")
        return f"{what}; {format_count(found, 'molecule')}{sample}; {invalid}; {repeated}"

    def _repr_html_(self) -> Html:
        return html_table(self.lines(), caption=f"Summary of {self.name}")
