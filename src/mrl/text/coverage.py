"""What a vocabulary does not cover."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mrl.text.unknown import by_count

__all__ = ["Coverage", "Unknown"]


class Unknown(NamedTuple):
    """One unknown token: how often, and the first row that has it."""

    token: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here
    row: int
    text: str


@dataclass(frozen=True)
class Coverage:
    """How much of some texts a vocabulary knows; see `Vocab.coverage`.

    Attributes
    ----------
    rows, tokens : int
        How many texts, and how many tokens they have, ``bos`` and ``eos`` left out.
    unknown_rows, unknown_tokens : int
        How many of them have, or are, an unknown token.
    unknown : list of Unknown
        The unknown tokens (token, count, row, text), the most frequent first.
    cut : list of Unknown
        In a closed alphabet nothing is unknown; these are the pieces, such as rare atoms, that were cut into several
        tokens because they are none themselves.
    """

    rows: int
    tokens: int
    unknown_rows: int
    unknown_tokens: int
    unknown: list[Unknown] = field(repr=False)
    cut: list[Unknown] = field(default_factory=list, repr=False)

    @classmethod
    def of(
        cls, texts: Sequence[str], tokens: int, missing: Iterable[tuple[int, str]], *, closed: bool = False
    ) -> Coverage:
        """Count, given the texts, how many tokens they have, and row and text of each piece that is none.

        In a closed alphabet such a piece was cut; else it is unknown.
        """
        counts: Counter[str] = Counter()
        first: dict[str, int] = {}
        rows: set[int] = set()
        for row, token in missing:
            counts[token] += 1
            first.setdefault(token, row)
            rows.add(row)
        found = [Unknown(token, counts[token], first[token], texts[first[token]]) for token in by_count(counts)]
        if closed:
            return cls(len(texts), tokens, 0, 0, [], cut=found)
        return cls(len(texts), tokens, len(rows), counts.total(), found)

    @property
    def complete(self) -> bool:
        """Whether every token is known, so that every row comes back exactly."""
        return not self.unknown

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        facts = {
            "rows": self.rows,
            "tokens": self.tokens,
            "unknown_rows": self.unknown_rows,
            "unknown_tokens": self.unknown_tokens,
            "unknown": [item._asdict() for item in self.unknown],
        }
        return facts | ({"cut": [item._asdict() for item in self.cut]} if self.cut else {})

    def __repr__(self) -> str:
        if self.complete:
            cut = f", {_examples(self.cut, 'cut into several tokens')}" if self.cut else ""
            return f"Coverage(all of {self.rows} rows and {self.tokens} tokens known{cut})"
        return (
            f"Coverage({self.unknown_rows} of {self.rows} rows and {self.unknown_tokens} of {self.tokens} tokens "
            f"{_examples(self.unknown, 'unknown')})"
        )


def _examples(found: list[Unknown], what: str) -> str:
    shown = ", ".join(f"{u.token!r} ({u.count}, first in row {u.row}: {u.text!r})" for u in found[:5])
    return f"{what}: {shown}" + (f", and {len(found) - 5} others" if len(found) > 5 else "")
