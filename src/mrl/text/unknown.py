"""What is said of tokens that a vocabulary does not have."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from typing import Literal, TypeAlias

from mrl.errors import UnknownTokenError, UnknownTokenWarning

__all__ = ["OnUnknown", "by_count", "raise_unknown", "require_on_unknown", "warn_unknown"]

OnUnknown: TypeAlias = Literal["warn", "unk", "raise"]


def by_count(counts: Mapping[str, int]) -> list[str]:
    """The order in which tokens get their ids: the most frequent first, ties by text."""
    return sorted(counts, key=lambda token: (-counts[token], token))


def require_on_unknown(value: str) -> None:
    """Refuse what is no way to treat unknown tokens."""
    if value not in ("warn", "unk", "raise"):
        raise ValueError(f"on_unknown is {value!r}; expected 'warn', 'unk' or 'raise'")


def warn_unknown(total: int, some: Counter[str], stacklevel: int) -> None:
    """One warning for a whole call: how many, the most frequent of those looked at, and the way out."""
    tokens = by_count(some)
    counted = some.total() == total  # of very many, only the first are looked at
    shown = ", ".join(f"{token!r} ({some[token]})" if counted else repr(token) for token in tokens[:5])
    more = f" and {len(tokens) - 5} others" if len(tokens) > 5 else ""
    warnings.warn(
        f"{total} {'token is' if total == 1 else 'tokens are'} not in the vocabulary and became 'unk': {shown}{more}; "
        "these texts cannot be recovered from their ids. Learn the tokens first (vocab.update_vocab_from_data(texts)), "
        "or say on_unknown='unk' where this is meant, or on_unknown='raise' to find the row",
        UnknownTokenWarning,
        stacklevel=stacklevel + 1,
    )


def raise_unknown(token: str, row: int, position: int, text: str) -> None:
    """Name the first unknown token."""
    raise UnknownTokenError(
        f"row {row}: the token {token!r} at position {position} of {text!r} is not in the vocabulary; learn it "
        "(vocab.update_vocab_from_data) or say on_unknown='unk'",
        token=token,
        row=row,
        position=position,
    )
