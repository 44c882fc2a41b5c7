r"""Tokens of several pieces: which texts can be one, and how pieces are joined to the longest of them.

A token of several pieces consists of whole pieces, each of which is a token and ends where its next byte says so: of
``C``, an ``l`` makes another piece, and anything else begins the next one. An opening bracket ends only where no
closing one follows, so that no token of several pieces contains a part of a bracket atom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from mrl.text.compile.nfa import Nfa
from mrl.text.compile.table import byte_classes, determinise

IsPiece = Callable[[str], bool]


class PieceEnds:
    r"""Where the pieces of a pattern end.

    Examples
    --------
    >>> ends = PieceEnds(r"\[[^\]]+]|Cl")
    >>> ends.decided("C"), ends.followers("C"), ends.decided("[nH]"), ends.decided("[")
    (True, ['l'], True, False)
    """

    def __init__(self, pattern: str | None) -> None:
        nfa = Nfa(pattern)
        self._classes = byte_classes(nfa, [])
        self._steps, ends = determinise(nfa, self._classes)
        decided = ends.copy()
        while True:  # a state is not decided if one after it is not
            after = np.where(self._steps >= 0, decided[self._steps], True).all(axis=1) & decided
            if (after == decided).all():
                break
            decided = after
        self._decided: list[bool] = decided.tolist()

    def _state(self, piece: str) -> int:
        state = 0
        for byte in piece.encode(errors="surrogatepass"):
            if (state := int(self._steps[state, self._classes[byte]])) < 0:
                return -1
        return state

    def decided(self, piece: str) -> bool:
        """Return whether the byte after `piece` says whether it ends."""
        state = self._state(piece)
        return state >= 0 and self._decided[state]

    def followers(self, piece: str) -> list[str]:
        """Return the characters with which a decided `piece` becomes a longer one."""
        row = self._steps[self._state(piece)]
        return [chr(byte) for byte in range(128) if row[self._classes[byte]] >= 0]


def merged_pieces(text: str, cut: Callable[[str], list[str]], is_piece: IsPiece) -> list[str] | None:
    """Return the pieces of a token of several pieces; None if `text` is not one."""
    pieces = cut(text)
    return pieces if len(pieces) > 1 and all(map(is_piece, pieces)) else None


class Joiner:
    """Joins pieces, from left to right, to the longest tokens that fit: the reference implementation of the table.

    `tokens` are the pieces of each token of several pieces.

    Examples
    --------
    >>> Joiner({"CC": ["C", "C"], "CCO": ["C", "C", "O"]}, "CO".__contains__).join(["C", "C", "C", "O", "N", "C"])
    ['CC', 'C', 'O', 'N', 'C']
    """

    def __init__(self, tokens: Mapping[str, list[str]], is_piece: IsPiece) -> None:
        self._tokens, self._is_piece = tokens, is_piece
        self._beginnings = {"".join(pieces[:n]) for pieces in tokens.values() for n in range(1, len(pieces) + 1)}

    def join(self, pieces: Iterable[str]) -> list[str]:
        """Return the pieces, some of them joined."""
        rest, joined, at = list(pieces), [], 0
        while at < len(rest):
            text, end, best = "", at, at + 1
            while end < len(rest) and self._is_piece(rest[end]) and (text := text + rest[end]) in self._beginnings:
                end += 1
                if text in self._tokens:
                    best = end
            joined.append("".join(rest[at:best]))
            at = best
        return joined
