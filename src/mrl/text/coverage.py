"""Tokens that a vocabulary does not have: warnings, errors, and how much of some texts it covers."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from mrl.errors import UnknownTokenError, UnknownTokenWarning
from mrl.formatting import PREVIEW_ROWS, Html, html_preview
from mrl.messages import format_count, user_stacklevel
from mrl.ragged import Ragged

OnUnknown: TypeAlias = Literal["warn", "unk", "raise"]


class UnknownToken(NamedTuple):
    """One occurrence of a token that is not in a vocabulary: in which row, where in code points, in which text."""

    row: int
    token: str
    position: int
    text: str


class Unknown(NamedTuple):
    """One token that is not in a vocabulary.

    Attributes
    ----------
    token : str
        The token.
    count : int
        How often it occurs.
    row : int
        The first row in which it occurs.
    text : str
        The text of that row.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> CharacterVocab(["C", "O"]).coverage(["CO", "CNN"]).unknown
    [Unknown(token='N', count=2, row=1, text='CNN')]
    """

    token: str
    count: int  # type: ignore[assignment]  # hides the method tuple.count
    row: int
    text: str


@dataclass(frozen=True)
class Coverage:
    """How much of some texts a vocabulary covers; see `Vocab.coverage`.

    Attributes
    ----------
    rows, tokens : int
        The number of texts, and of their tokens without ``bos`` and ``eos``.
    unknown_rows, unknown_tokens : int
        The number of texts with unknown tokens, and of unknown tokens.
    unknown : list of Unknown
        The unknown tokens, the most frequent first.
    cut : list of Unknown
        With byte fallback no token is unknown; these are the pieces, such as rare atoms, that are cut into several
        tokens because they are not tokens themselves.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> found = CharacterVocab(["C", "O"]).coverage(["CCO", "CN"])
    >>> found.unknown_tokens, found.complete, found.to_dict()["tokens"]
    (1, False, 5)
    """

    rows: int
    tokens: int
    unknown_rows: int
    unknown_tokens: int
    unknown: list[Unknown] = field(repr=False)
    cut: list[Unknown] = field(default_factory=list, repr=False)

    @property
    def complete(self) -> bool:
        """Whether every token is in the vocabulary, so that every text comes back exactly."""
        return not self.unknown

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        values = vars(self) | {name: [one._asdict() for one in vars(self)[name]] for name in ("unknown", "cut")}
        return {name: value for name, value in values.items() if name != "cut" or value}

    def _repr_html_(self) -> Html:
        found = self.unknown or self.cut
        what = "pieces that are cut into several tokens" if self.cut and not self.unknown else "unknown tokens"
        known = f"{self.tokens - self.unknown_tokens:,} of {format_count(self.tokens, 'token')} known"
        names = ("token", "count", "first row", "its text")
        shown = dict(zip(names, zip(*found[:PREVIEW_ROWS], strict=True), strict=True)) if found else {what: ()}
        caption = f"Coverage of {format_count(self.rows, 'row')}: {known}; {what}"
        return html_preview(shown, len(found), caption=caption, index="by count")

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
    return f"{what}: {shown}" + _and_more(len(found) - 5)


def _and_more(n: int) -> str:
    return f" and {n} more" if n > 0 else ""


def coverage_of(
    texts: Sequence[str], ids: Ragged, unknown: Iterable[tuple[int, str]], byte_fallback: bool = False
) -> Coverage:
    """Return the coverage of texts with these ids, given row and token of each piece without an id."""
    tokens = len(ids.values) - 2 * len(ids)
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    rows: set[int] = set()
    for row, token in unknown:
        counts[token] += 1
        first.setdefault(token, row)
        rows.add(row)
    found = [Unknown(token, counts[token], first[token], texts[first[token]]) for token in by_count(counts)]
    if byte_fallback:
        return Coverage(len(texts), tokens, 0, 0, [], cut=found)
    return Coverage(len(texts), tokens, len(rows), counts.total(), found)


def by_count(counts: Mapping[str, int]) -> list[str]:
    """Return tokens in the order in which they get their ids: the most frequent first, ties by text."""
    return sorted(counts, key=lambda token: (-counts[token], token))


def warn_unknown(total: int, some: Counter[str]) -> None:
    """Warn once for a whole call: how many tokens are unknown, the most frequent of those seen, and the way out.

    The same words serve callers of ``vocab.encode`` and those of a dataset, which has no ``on_unknown``.
    """
    tokens = by_count(some)
    counted = some.total() == total  # of very many, only the first are reported
    shown = ", ".join(f"{token!r} ({some[token]})" if counted else repr(token) for token in tokens[:5])
    warnings.warn(
        f"{total} {'token is' if total == 1 else 'tokens are'} not in the vocabulary and became 'unk': "
        f"{shown}{_and_more(len(tokens) - 5)}; these texts cannot be recovered from their ids. Learn the tokens first, "
        "vocab.update_vocab_from_data(texts); vocab.coverage(texts).unknown has their rows; if it is intended, "
        "vocab.encode(texts, on_unknown='unk') does not warn, nor does a dataset after "
        "warnings.simplefilter('ignore', mrl.errors.UnknownTokenWarning)",
        UnknownTokenWarning,
        stacklevel=user_stacklevel(),
    )


def unknown_error(found: UnknownToken, first_row: int) -> UnknownTokenError:
    """Return the error that names an unknown token in a block that begins at a row."""
    row, token, position = first_row + found.row, found.token, found.position
    return UnknownTokenError(
        f"row {row}: the token {token!r} at position {position} of {found.text!r} is not in the vocabulary; learn it "
        "(vocab.update_vocab_from_data) or pass on_unknown='unk'",
        token=token,
        row=row,
        position=position,
    )
