"""What cleaning kept, what it took out, and what each step did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from mrl.chem.duplicates import By, Duplicates
from mrl.chem.steps import Step
from mrl.ragged import Rejects, Text

__all__ = ["Cleaned", "Example", "StepCount", "Tally"]

_EXAMPLES = 3


class Example(NamedTuple):
    """What a step did to one row."""

    row: int
    """Its position in the input, from 0."""
    before: str
    """The text that came to the step."""
    after: str
    """The text that left it; ``''`` if it was refused."""
    reason: str
    """Why it was refused; ``''`` if it was not."""


@dataclass(frozen=True)
class StepCount:
    """What one step did.

    Attributes
    ----------
    step : dict
        The kind of the step and its parameters.
    rows : int
        How many rows came to it.
    changed : int
        How many texts left it different.
    removed : int
        How many rows it refused.
    examples : tuple of Example
        The first 3 rows that it changed and the first 3 that it refused.
    """

    step: dict[str, Any]
    rows: int = 0
    changed: int = 0
    removed: int = 0
    examples: tuple[Example, ...] = ()

    def __add__(self, other: StepCount) -> StepCount:
        if self.step != other.step:
            raise ValueError(f"counts of {self.step} and of {other.step} do not add up: they are of different steps")
        examples = self.examples + other.examples
        return StepCount(
            self.step,
            self.rows + other.rows,
            self.changed + other.changed,
            self.removed + other.removed,
            (*[e for e in examples if not e.reason][:_EXAMPLES], *[e for e in examples if e.reason][:_EXAMPLES]),
        )

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON can write it.

        Examples
        --------
        >>> StepCount({"step": "uncharge"}, 9, changed=2).to_dict()
        {'step': 'uncharge', 'rows': 9, 'changed': 2, 'removed': 0, 'examples': []}
        """
        counts = {"rows": self.rows, "changed": self.changed, "removed": self.removed}
        return {**self.step, **counts, "examples": [example._asdict() for example in self.examples]}


@dataclass(frozen=True, eq=False, repr=False)
class Cleaned:
    """What cleaning kept, and what it did with the rest.

    Attributes
    ----------
    smiles : Text, m rows
        The molecules that stay.
    kept : ndarray of int64, shape (m,)
        The row that each of them had.
    counts : dict of str to StepCount
        What each step did, by its name, in their order; a second step of the same name is ``"name (2)"``. ``"parse"``
        is always there; ``"conflicts"`` and ``"duplicates"`` are about duplicates.
    rejects : Rejects
        The rows that were taken out: row, text as it was found, stage (the name of the step), reason.
    labels : ndarray, shape (m,) or (m, T), optional
        Of the rows that stay.
    ids : tuple, m of them, optional
        Of the rows that stay.
    keys : Text, m rows, optional
        What duplicates are found by, where `clean_rows` was asked for it.
    key : "smiles" or "inchikey", optional
        What `keys` are.
    """

    smiles: Text
    kept: NDArray[np.int64]
    counts: dict[str, StepCount]
    rejects: Rejects
    labels: NDArray[Any] | None = None
    ids: tuple[Any, ...] | None = None
    keys: Text | None = None
    key: By | None = None

    @classmethod
    def concat(cls, parts: Iterable[Cleaned]) -> Self:
        """What `clean_rows` gave for the parts of a column, as one.

        Parameters
        ----------
        parts : iterable of Cleaned
            At least one, in the order of their rows, cleaned by the same steps; without labels and ids.

        Raises
        ------
        ValueError
            No parts, or parts cleaned in different ways.

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
        """What was done, as JSON can write it: rows, kept, the version of RDKit, every step with its counts.

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

    def __repr__(self) -> str:
        done = [f"Cleaned({len(self.kept):,} of {len(self.kept) + len(self.rejects):,} rows"]
        for stage, count in self.counts.items():
            said = [f"{n:,} {what}" for n, what in ((count.changed, "changed"), (count.removed, "removed")) if n]
            done += [f"{stage}: {' and '.join(said)}"] if said else []
        return "; ".join(done) + ")"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("step", "rows", "changed", "removed", "examples"))
        lines = []
        for stage, count in self.counts.items():
            examples = "<br/>".join(map(_told, count.examples))
            cells = [escape(stage), *(f"{n:,}" for n in (count.rows, count.changed, count.removed)), examples]
            lines.append("".join(f"<td>{cell}</td>" for cell in cells))
        kept = f"{len(self.kept):,} of {len(self.kept) + len(self.rejects):,} rows kept; RDKit {rdBase.rdkitVersion}"
        return f"<p>{kept}</p><table>{''.join(f'<tr>{line}</tr>' for line in [head, *lines])}</table>"


def _told(example: Example) -> str:
    """An example as HTML."""
    before, after = (f"<code>{escape(text)}</code>" for text in (example.before, example.after))
    return f"row {example.row}: {before} " + (f"({escape(example.reason)})" if example.reason else f"→ {after}")


@dataclass
class Tally:
    """A StepCount in the making."""

    step: Step | Duplicates
    rows: int = 0
    changed: int = 0
    removed: int = 0
    examples: list[Example] = field(default_factory=list)

    def change(self, row: int, before: str, after: str) -> None:
        self.changed += 1
        if self.changed <= _EXAMPLES:
            self.examples.append(Example(row, before, after, ""))

    def remove(self, row: int, before: str, reason: str) -> None:
        self.removed += 1
        if self.removed <= _EXAMPLES:
            self.examples.append(Example(row, before, "", reason))

    def count(self) -> StepCount:
        examples = sorted(self.examples, key=lambda example: bool(example.reason))
        return StepCount(self.step.to_dict(), self.rows, self.changed, self.removed, tuple(examples))
