"""Tokens of texts: how many there are, which are rare, and what leaving out rare ones would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mrl.ragged import Text
from mrl.text import SMILES_PATTERN, SPECIAL_TOKENS, CharacterVocab, RegexVocab, Vocab

_MIN_COUNTS = (2, 5, 10, 100)
_KINDS = {
    "smiles": "atoms, bonds, brackets and ring numbers of SMILES, bracket atoms as one token each",
    "selfies": "SELFIES symbols",
}


@dataclass(frozen=True)
class TokenFacts:
    """The tokens of some texts.

    Attributes
    ----------
    kind : str
        What a token is, in words.
    rows, total : int
        Texts that were looked at, and their tokens.
    counts : dict of str to int
        Token -> occurrences, the most frequent first.
    in_rows : dict of str to int
        Token -> texts that have it, in the same order.
    lost : dict of int to (int, int)
        Least occurrences -> tokens that occur less often, and texts that have such a token.
    missing : dict of str to int, optional
        Of a vocabulary that was given: tokens that it lacks -> occurrences; None if none was given.
    missing_rows : int
        Texts that have such a token.

    Examples
    --------
    >>> facts = token_facts(Text.of(["CCO", "CC[Si]"]), "smiles")
    >>> facts.total, facts.counts, facts.lost[2]
    (6, {'C': 4, 'O': 1, '[Si]': 1}, (2, 2))
    """

    kind: str
    rows: int
    total: int
    counts: dict[str, int]
    in_rows: dict[str, int]
    lost: dict[int, tuple[int, int]]
    missing: dict[str, int] | None = None
    missing_rows: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON; the 200 most frequent tokens and the 100 rarest.

        Examples
        --------
        >>> token_facts(Text.of(["CCO"]), "smiles").to_dict()["distinct"]
        2
        """
        counts = list(self.counts.items())
        facts: dict[str, Any] = {
            "kind": self.kind,
            "rows": self.rows,
            "total": self.total,
            "distinct": len(counts),
            "counts": dict(counts[:200]),
            "rarest": dict(counts[-100:]),
            "below": {str(least): {"tokens": n, "rows": rows} for least, (n, rows) in self.lost.items()},
        }
        if self.missing is not None:
            facts["missing"] = {"tokens": self.missing, "rows": self.missing_rows}
        return facts


def token_facts(texts: Text, notation: str, vocab: Vocab | None = None) -> TokenFacts:
    """Return what the tokens of some texts are like.

    Parameters
    ----------
    texts : Text, n rows
    notation : str
        ``"smiles"``, ``"selfies"``, or anything else for single characters.
    vocab : Vocab, optional
        A vocabulary to compare the texts with.

    Returns
    -------
    TokenFacts

    Examples
    --------
    >>> token_facts(Text.of(["MKV", "MK"]), "protein").counts
    {'K': 2, 'M': 2, 'V': 1}
    >>> token_facts(Text.of(["CCO", "CN"]), "smiles", CharacterVocab(["C", "O"])).missing
    {'N': 1}
    """
    found = _vocab_of(texts, notation)
    ids = found.encode(texts)
    n = len(found)
    values, lengths = ids.values.astype(np.int64), ids.lengths
    counts = np.bincount(values, minlength=n)
    row_of = np.repeat(np.arange(len(ids)), lengths)
    pairs = np.unique(row_of * n + values)  # a token counts once in a row
    in_rows = np.bincount(pairs % n, minlength=n)
    first = len(SPECIAL_TOKENS)
    order = [int(i) for i in np.argsort(-counts, kind="stable") if i >= first and counts[i]]
    lost = {}
    for least in _MIN_COUNTS:
        rare = counts < least
        rare[:first] = False
        lost[least] = int(np.count_nonzero(rare & (counts > 0))), len(np.unique(row_of[rare[values]]))
    coverage = None if vocab is None else vocab.coverage(texts)
    return TokenFacts(
        _KINDS.get(notation, "single characters"),
        len(texts),
        int(counts[first:].sum()),
        {found.itos[i]: int(counts[i]) for i in order},
        {found.itos[i]: int(in_rows[i]) for i in order},
        lost,
        None if coverage is None else {one.token: one.count for one in coverage.unknown},
        0 if coverage is None else coverage.unknown_rows,
    )


def _vocab_of(texts: Text, notation: str) -> Vocab:
    """Return a vocabulary of every token of the texts."""
    patterns = {"smiles": SMILES_PATTERN, "selfies": r"\[[^\]]*\]"}
    vocab: Vocab = RegexVocab([], patterns[notation]) if notation in patterns else CharacterVocab([])
    vocab.update_vocab_from_data(texts)
    return vocab
