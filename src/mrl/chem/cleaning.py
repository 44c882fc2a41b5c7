"""Cleaning: from texts as they were found to molecules to train on, every row kept or accounted for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.chem.molecule import canon_smile, rows_of
from mrl.errors import MoleculeError
from mrl.ragged import Rejects, Text

__all__ = ["STEPS", "Cleaned", "clean"]

STEPS = ("canonical", "duplicates")


@dataclass(frozen=True, eq=False)
class Cleaned:
    """What `clean` kept, and what it did with the rest.

    Attributes
    ----------
    smiles : Text, m rows
        The molecules that stay.
    kept : ndarray of int64, shape (m,)
        The row that each of them had.
    counts : dict of str to int
        What was done -> how many rows; rows taken out are in `rejects` too.
    rejects : Rejects
        The rows that were taken out: row, text, stage (``"parse"`` or ``"duplicates"``), reason.
    """

    smiles: Text
    kept: NDArray[np.int64]
    counts: dict[str, int]
    rejects: Rejects


def clean(smiles: Any, steps: Collection[str] = STEPS, *, on_row: Callable[[], object] | None = None) -> Cleaned:
    """Parse every text, and keep those that are molecules.

    Parameters
    ----------
    smiles : column of str
        n texts.
    steps : collection of str
        ``"canonical"`` writes molecules as canonical isomeric SMILES (their text stays as it is otherwise);
        ``"duplicates"`` keeps the first row of each molecule, compared by canonical SMILES.
    on_row : callable, optional
        Called without arguments after each row, for a progress bar.

    Returns
    -------
    Cleaned
        n rows in are m kept and n - m rejected.

    Raises
    ------
    ValueError
        If a step is not known.

    Examples
    --------
    >>> cleaned = clean(["OCC", "C(", "CCO", "N"])
    >>> cleaned.smiles.tolist(), cleaned.kept, cleaned.counts
    (['CCO', 'N'], array([0, 3]), {'not a molecule': 1, 'duplicate': 1, 'written in canonical form': 1})
    >>> cleaned.rejects[1].reason
    'the molecule of row 0'
    """
    if unknown := sorted(set(steps) - set(STEPS)):
        raise ValueError(f"the steps {unknown} are not known; there are {', '.join(STEPS)}")
    texts: list[str] = []
    kept: list[int] = []
    rejected: list[tuple[int, str, str, str]] = []
    first: dict[str, int] = {}
    rewritten = 0
    for row, text in enumerate(rows_of(smiles, "smiles")):
        try:
            form = canon_smile(text)
        except MoleculeError as error:
            rejected.append((row, error.text, "parse", error.reason))
        else:
            if "duplicates" in steps and first.setdefault(form, row) != row:
                rejected.append((row, text, "duplicates", f"the molecule of row {first[form]}"))
            else:
                kept.append(row)
                texts.append(form if "canonical" in steps else text)
                rewritten += texts[-1] != text
        if on_row is not None:
            on_row()
    invalid = sum(stage == "parse" for _, _, stage, _ in rejected)
    counts = {
        "not a molecule": invalid,
        "duplicate": len(rejected) - invalid,
        "written in canonical form": rewritten,
    }
    return Cleaned(Text.of(texts), np.array(kept, np.int64), counts, Rejects.of(rejected))
