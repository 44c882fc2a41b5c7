"""Parts of a table, such as train and test: how large they are, and what they have in common."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.ragged import PART_OF_NAME, Text

_OTHER_PARTS = {"develop", "tune", "holdout", "hold-out", "hold_out", "heldout", "external", "unused"}
_NAMES = ("split", "set", "subset", "fold", "partition", "part")
_MOST_PARTS = 12


@dataclass(frozen=True)
class Overlap:
    """What the rows of one part have in common with another part.

    Attributes
    ----------
    part, other : str
    rows : int
        Rows of `part` that were compared.
    shared : int
        Those whose molecule (or scaffold) is in `other` too.
    example : str
        The first of these molecules or scaffolds, ``""`` if there is none.

    Examples
    --------
    >>> Overlap("test", "train", 4, 1, "CCO").share
    0.25
    """

    part: str
    other: str
    rows: int
    shared: int
    example: str = ""

    @property
    def share(self) -> float:
        """Shared rows among all; NaN if there are none."""
        return self.shared / self.rows if self.rows else float("nan")


@dataclass(frozen=True)
class Parts:
    """The parts that a column names.

    Attributes
    ----------
    column : str
    rows : dict of str to int
        Part -> its rows in the whole table.
    molecules, scaffolds : tuple of Overlap
        For each ordered pair of parts.

    Examples
    --------
    >>> Parts("set", {"train": 8, "test": 2}).to_dict()["rows"]
    {'train': 8, 'test': 2}
    """

    column: str
    rows: dict[str, int]
    molecules: tuple[Overlap, ...] = ()
    scaffolds: tuple[Overlap, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON.

        Examples
        --------
        >>> Parts("set", {"a": 1}).to_dict()
        {'column': 'set', 'rows': {'a': 1}, 'shared_molecules': [], 'shared_scaffolds': []}
        """
        shared = {
            "shared_molecules": [vars(one) for one in self.molecules],
            "shared_scaffolds": [vars(one) for one in self.scaffolds],
        }
        return {"column": self.column, "rows": dict(self.rows), **shared}


def find_split_column(columns: Mapping[str, Text | NDArray[Any]], sample: NDArray[np.int64]) -> str | None:
    """Return the column that names a part for each row, by what it says or what it is called.

    Parameters
    ----------
    columns : mapping of str to Text or ndarray
    sample : ndarray of int64
        Rows to look at.

    Returns
    -------
    str or None

    Examples
    --------
    >>> columns = {"y": Text.of(["1", "0"]), "dataset": Text.of(["train", "Test"])}
    >>> find_split_column(columns, np.arange(2))
    'dataset'
    """
    by_name = None
    for name, column in columns.items():
        if not isinstance(column, Text) and column.ndim != 1:
            continue
        words = {str(value).strip().lower() for value in column[sample]} - {""}
        if 2 <= len(words) <= _MOST_PARTS:
            if words <= PART_OF_NAME.keys() | _OTHER_PARTS:
                return name
            if name.strip().lower() in _NAMES and by_name is None:
                by_name = name
    return by_name


def overlaps(
    parts: Sequence[str], keys: Sequence[Hashable | None], texts: Sequence[str], names: Sequence[str]
) -> tuple[Overlap, ...]:
    """Return what each part has in common with each other one.

    Parameters
    ----------
    parts : sequence of str, n of them
        The part of each row.
    keys : sequence, n of them
        Equal for rows that have the same molecule or scaffold; None for a row that is left out.
    texts : sequence of str, n of them
        The molecules or scaffolds, for the example.
    names : sequence of str
        The parts to compare.

    Returns
    -------
    tuple of Overlap

    Examples
    --------
    >>> found = overlaps(["train", "test", "train"], ["a", "a", "b"], ["CCO", "OCC", "N"], ["train", "test"])
    >>> found[0].shared, found[1].shared, found[1].share
    (1, 1, 1.0)
    """
    known = {name: {key for part, key in zip(parts, keys, strict=True) if part == name} - {None} for name in names}
    found = []
    for name in names:
        mine = [(key, text) for part, key, text in zip(parts, keys, texts, strict=True) if part == name and key]
        for other in names:
            if other != name:
                shared = [text for key, text in mine if key in known[other]]
                found.append(Overlap(name, other, len(mine), len(shared), shared[0] if shared else ""))
    return tuple(found)
