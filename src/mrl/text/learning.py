"""Counting the pieces of texts of any number, for a vocabulary to learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from mrl.ragged import Text
from mrl.text._engine import Engine

__all__ = ["PieceCounter"]

_FIRST, _GROWTH, _MOST = 1 << 8, 1 << 4, 1 << 16  # rows looked at first, how many times more next, and at most
_KNOWN = 1 << 10  # pieces that the table may hold; others are counted one by one
_FEW = 0.01  # of all pieces, not worth another table


class PieceCounter:
    r"""Counts how often each piece occurs in texts that come block by block.

    A table counts what it knows at full speed, and reports the rest, which costs a hundred times more. So the first
    rows go through an empty table, and what they were made of is put into the table before many more follow. The
    counts are exact all the same, and nothing of them depends on the order of the texts.

    Parameters
    ----------
    pattern : str or None
        Where pieces end; None makes every code point one.
    whole : iterable of str
        Special tokens that are pieces where the pattern finds them, and not cut into code points.

    Attributes
    ----------
    counts : collections.Counter
        How often each piece occurred.

    Examples
    --------
    >>> counter = PieceCounter("Cl|Br")
    >>> counter.add(Text.of(["CClC", "BrN"]))
    >>> counter.counts
    Counter({'C': 2, 'Cl': 1, 'Br': 1, 'N': 1})
    """

    def __init__(self, pattern: str | None, whole: Iterable[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self._pattern, self._whole = pattern, list(whole)
        self._known, self._engine = self._whole, self._made(self._whole)
        self._step = _FIRST

    def add(self, text: Text) -> None:
        """Count the pieces of more texts."""
        row = 0
        while row < len(text):
            part = text[row : row + self._step]
            row += len(part)
            if self._engine.kind == "re":
                for string in part:
                    self.counts.update(self._engine.split(string))
                continue
            ids, missing, n_missing = self._engine.encode(part)
            found = np.bincount(ids.values, minlength=4)[4:].tolist()
            self.counts.update({piece: n for piece, n in zip(self._known, found, strict=False) if n})
            if n_missing > len(missing):
                self.counts.update(piece for _, piece in self._engine.missing(part))
            else:
                self.counts.update(part[i].encode()[a:b].decode(errors="replace") for i, a, b in missing.tolist())
            if n_missing > _FEW * len(ids.values):
                self._learn()
            self._step = min(self._step * _GROWTH, _MOST)

    def _learn(self) -> None:
        frequent = (piece for piece, _ in self.counts.most_common(_KNOWN))
        known = [*self._whole, *(piece for piece in frequent if piece not in self._whole)]
        engine = self._made(known)
        if engine.kind == "table":  # else the pieces are too long for one
            self._known, self._engine = known, engine

    def _made(self, pieces: list[str]) -> Engine:
        return Engine(self._pattern, {piece: i for i, piece in enumerate(pieces, 4)}, n_ids=4 + len(pieces))
