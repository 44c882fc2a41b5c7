"""The result of cleaning: the kept rows, the rejects, and what each step did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from mrl.chem.cleaning.duplicates import By, Duplicates
from mrl.chem.cleaning.steps import Step
from mrl.formatting import Html, escape_html, html_table
from mrl.ragged import Rejects, Tabular, Text, arrow_table

_EXAMPLES = 3


class Example(NamedTuple):
    """What a step did to one row.

    Parameters
    ----------
    row : int
        Its position in the input, from 0.
    before : str
        The text before the step.
    after : str
        The text after the step; ``''`` if the row was removed.
    reason : str
        Why the row was removed, or why the step failed and the molecule stayed; else ``''``.

    Examples
    --------
    >>> from mrl.chem import Uncharge, clean
    >>> clean(["CC[O-]"], [Uncharge()]).counts["uncharge"].examples[0]
    Example(row=0, before='CC[O-]', after='CCO', reason='')
    """

    row: int
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class StepCount:
    """What one step did.

    Attributes
    ----------
    step : dict
        The kind of the step and its parameters.
    rows : int
        Rows that reached the step.
    changed : int
        Rows whose text it changed.
    removed : int
        Rows that it removed.
    failed : int
        Rows whose molecule it could not process, and that stayed as they were.
    examples : tuple of Example
        The first 3 rows that it changed, the first 3 that it removed and the first 3 that it failed on.

    Examples
    --------
    >>> both = StepCount({"step": "uncharge"}, rows=9, changed=2) + StepCount({"step": "uncharge"}, rows=1)
    >>> both.rows, both.changed
    (10, 2)
    """

    step: dict[str, Any]
    rows: int = 0
    changed: int = 0
    removed: int = 0
    failed: int = 0
    examples: tuple[Example, ...] = ()

    def __add__(self, other: StepCount) -> StepCount:
        if self.step != other.step:
            raise ValueError(f"cannot add the counts of different steps, {self.step} and {other.step}")
        return StepCount(
            self.step,
            self.rows + other.rows,
            self.changed + other.changed,
            self.removed + other.removed,
            self.failed + other.failed,
            _first_of_each_kind(self.examples + other.examples),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the counts for JSON.

        Examples
        --------
        >>> StepCount({"step": "uncharge"}, 9, changed=2).to_dict()
        {'step': 'uncharge', 'rows': 9, 'changed': 2, 'removed': 0, 'failed': 0, 'examples': []}
        """
        counts = {"rows": self.rows, "changed": self.changed, "removed": self.removed, "failed": self.failed}
        return {**self.step, **counts, "examples": [example._asdict() for example in self.examples]}


@dataclass(frozen=True, eq=False, repr=False)
class Cleaned(Tabular):
    """The result of cleaning n rows: m are kept, n - m rejected.

    Attributes
    ----------
    smiles : Text, m rows
        The molecules that are kept.
    kept : ndarray of int64, shape (m,)
        Their rows in the input.
    counts : dict of str to StepCount
        What each step did, by its name, in their order; a second step of the same name is ``"name (2)"``. ``"parse"``
        is always there; ``"conflicts"`` and ``"duplicates"`` are about duplicates.
    rejects : Rejects
        The rows that were removed: row, text as it was found, stage (the name of the step), reason.
    labels : ndarray, shape (m,) or (m, T), optional
        Of the rows that are kept.
    signs : ndarray of int8, of the shape of `labels`, optional
        1 where a label is a lower limit, -1 where it is an upper one.
    ids : tuple, m of them, optional
        Of the rows that are kept.
    keys : Text, m rows, optional
        What duplicates are found by, if `clean_rows` was called with a key.
    key : "smiles" or "inchikey", optional
        What `keys` are.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> cleaned = clean(["CCO", "C("], labels=[1.0, 2.0])
    >>> cleaned.smiles.tolist(), cleaned.kept, cleaned.labels, cleaned.counts["parse"].removed
    (['CCO'], array([0]), array([1.]), 1)
    """

    smiles: Text
    kept: NDArray[np.int64]
    counts: dict[str, StepCount]
    rejects: Rejects
    labels: NDArray[Any] | None = None
    ids: tuple[Any, ...] | None = None
    keys: Text | None = None
    key: By | None = None
    signs: NDArray[np.int8] | None = None

    @classmethod
    def concat(cls, parts: Iterable[Cleaned]) -> Self:
        """Join the results of `clean_rows` for the parts of a column.

        Parameters
        ----------
        parts : iterable of Cleaned
            At least one, in the order of their rows, cleaned by the same steps; without labels and ids.

        Returns
        -------
        Cleaned

        Raises
        ------
        ValueError
            No parts, or parts cleaned by different steps or with different keys.

        Examples
        --------
        >>> from mrl.chem import clean_rows
        >>> parts = [clean_rows(["CCO", "C("], start=0), clean_rows(["N"], start=2)]
        >>> both = Cleaned.concat(parts)
        >>> both.smiles.tolist(), both.kept, both.counts["parse"].rows
        (['CCO', 'N'], array([0, 2]), 3)
        """
        parts = list(parts)
        if not parts or len({(tuple(part.counts), part.key) for part in parts}) > 1:
            raise ValueError(f"{len(parts)} parts: expected one or more, cleaned by the same steps with the same key")
        keys = [part.keys for part in parts if part.keys is not None]
        return cls(
            Text.concat(part.smiles for part in parts),
            np.concatenate([part.kept for part in parts]),
            {stage: sum((p.counts[stage] for p in parts[1:]), parts[0].counts[stage]) for stage in parts[0].counts},
            Rejects.concat(part.rejects for part in parts),
            keys=Text.concat(keys) if keys else None,
            key=parts[0].key,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what was done, for JSON: rows, kept, the version of RDKit, every step with its counts.

        Examples
        --------
        >>> from mrl.chem import clean
        >>> clean(["CCO", "C("]).to_dict()["steps"][0]["removed"]
        1
        """
        return {
            "rows": len(self.kept) + len(self.rejects),
            "kept": len(self.kept),
            "rdkit": rdBase.rdkitVersion,
            "steps": [count.to_dict() for count in self.counts.values()],
        }

    def to_arrow(self) -> Any:
        """Return the rows that are kept as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of m rows: ``row`` and ``smiles``; ``id`` if there are ids, ``y`` if there are labels (``y_0``, ``y_1``, ...
            of several), ``sign`` likewise if there are signs, and ``key`` if there are keys.

        Raises
        ------
        ColumnError
            The ids or labels are of several types; a ``ValueError``.

        Examples
        --------
        >>> from mrl.chem import clean
        >>> clean(["CCO", "C("], labels=[1.0, 2.0]).to_arrow().to_pydict()
        {'row': [0], 'smiles': ['CCO'], 'y': [1.0]}
        """
        columns: dict[str, Any] = {"row": self.kept, "smiles": self.smiles}
        columns |= {} if self.ids is None else {"id": list(self.ids)}
        for name, values in (("y", self.labels), ("sign", self.signs)):
            if values is not None and values.ndim == 2:
                columns |= {f"{name}_{place}": column for place, column in enumerate(values.T)}
            elif values is not None:
                columns[name] = values
        return arrow_table(columns | ({} if self.keys is None else {"key": self.keys}))

    def __repr__(self) -> str:
        parts = [f"Cleaned({len(self.kept):,} of {len(self.kept) + len(self.rejects):,} rows"]
        for stage, count in self.counts.items():
            outcomes = ((count.changed, "changed"), (count.removed, "removed"), (count.failed, "failed"))
            numbers = [f"{n:,} {what}" for n, what in outcomes if n]
            parts += [f"{stage}: {' and '.join(numbers)}"] if numbers else []
        return "; ".join(parts) + ")"

    def _repr_html_(self) -> str:
        rows = [
            (
                *(stage, count.rows, count.changed, count.removed, count.failed),
                Html("<br/>".join(map(_example_html, count.examples))),
            )
            for stage, count in self.counts.items()
        ]
        kept = f"{len(self.kept):,} of {len(self.kept) + len(self.rejects):,} rows kept; RDKit {rdBase.rdkitVersion}"
        return html_table(rows, ("step", "rows", "changed", "removed", "failed", "examples"), caption=kept)


def _example_html(example: Example) -> str:
    before, after = (f"<code>{escape_html(text)}</code>" for text in (example.before, example.after))
    kept = "stays; " if example.reason and example.after else ""
    outcome = f"({kept}{escape_html(example.reason)})" if example.reason else f"→ {after}"
    return f"row {example.row}: {before} {outcome}"


@dataclass
class Tally:
    """A StepCount while rows are cleaned."""

    step: Step | Duplicates
    rows: int = 0
    changed: int = 0
    removed: int = 0
    failed: int = 0
    examples: list[Example] = field(default_factory=list)

    def change(self, row: int, before: str, after: str) -> None:
        """Count a row whose text was changed."""
        self.changed += 1
        self._keep(self.changed, Example(row, before, after, ""))

    def remove(self, row: int, before: str, reason: str) -> None:
        """Count a row that was removed."""
        self.removed += 1
        self._keep(self.removed, Example(row, before, "", reason))

    def fail(self, row: int, text: str, reason: str) -> None:
        """Count a row that stayed as it was because the step failed."""
        self.failed += 1
        self._keep(self.failed, Example(row, text, text, reason))

    def _keep(self, place: int, example: Example) -> None:
        if place <= _EXAMPLES:
            self.examples.append(example)

    def count(self) -> StepCount:
        """Return what was counted."""
        examples = _first_of_each_kind(self.examples)
        return StepCount(self.step.to_dict(), self.rows, self.changed, self.removed, self.failed, examples)


def _first_of_each_kind(examples: Iterable[Example]) -> tuple[Example, ...]:
    """Return the first rows that were changed, then those that were removed, then those that failed."""
    kinds: tuple[list[Example], list[Example], list[Example]] = ([], [], [])
    for example in examples:
        kinds[0 if not example.reason else 1 if not example.after else 2].append(example)
    return tuple(example for kind in kinds for example in kind[:_EXAMPLES])
