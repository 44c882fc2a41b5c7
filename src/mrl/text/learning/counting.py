"""Counting the pieces of any number of texts, for a vocabulary to learn from; texts read block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from mrl.errors import RowError, UnknownTokenError
from mrl.kernels import UNK
from mrl.ragged import as_text
from mrl.text.compile.engine import CompiledEngine
from mrl.text.compile.segmentation import Segmentation, require_grammar
from mrl.text.constants import SPECIAL_TOKENS

T = TypeVar("T")

_BLOCK = 1 << 16  # texts that are read from an iterator at a time
_FEW = 0.01  # of all pieces, not worth another table
_RETRIES = 4  # with the pieces that a part begins with in the table


def map_blocks(function: Callable[[Any], T], column: Any) -> Iterator[T]:
    """Yield the result of a function for a column of str, or for each block of an iterator of any length.

    An error that names a row of a block names its number among all texts instead.
    """
    if not isinstance(column, Iterator) or type(column) is type(iter(set())):  # a set has no order: an error
        yield function(column)
        return
    start = 0
    while block := list(islice(column, _BLOCK)):
        try:
            result = function(block)
        except (RowError, UnknownTokenError) as error:
            if error.row is None or not start:
                raise
            facts = vars(error) | {"row": start + error.row}
            raise type(error)(f"in the texts from number {start} on, {error}", **facts) from error
        yield result
        start += len(block)


class PieceCounter:
    r"""Counts how often each piece occurs in texts that come block by block.

    A table counts the pieces that it has at full speed and reports all others, which is a hundred times slower. So the
    first rows run through an empty table, and their pieces are put into the table before many more rows follow. The
    counts are exact all the same, and do not depend on the order of the texts.

    `batch_sizes` are the rows that are counted before the table is compiled again: at first, next, ..., and from then
    on. The table has at most `max_known` pieces; others are counted one by one.

    Examples
    --------
    >>> counter = PieceCounter(Segmentation("Cl|Br"))
    >>> counter.add(["CClC", "BrN"])
    >>> counter.counts
    Counter({'C': 2, 'Cl': 1, 'Br': 1, 'N': 1})
    """

    def __init__(
        self,
        segmentation: Segmentation,
        *,
        batch_sizes: Sequence[int] = (1 << 8, 1 << 12, 1 << 16),
        max_known: int = 1 << 10,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._rule = segmentation
        self._whole = [name for name in SPECIAL_TOKENS if name not in segmentation.split_names]
        self._segmentation = Segmentation(
            segmentation.pattern, dict(zip(self._whole, self._whole, strict=True)), control=segmentation.control
        )
        self._sizes, self._max_known = [*batch_sizes][::-1], max_known
        self._engine = CompiledEngine(self._segmentation, [*SPECIAL_TOKENS, *self._whole])

    def add(self, column: Any) -> None:
        """Count the pieces of a column of str; UnknownTokenError if one is out of grammar."""
        text, row = as_text(column), 0
        while row < len(text):
            part, first = text[row : row + self._sizes[-1]], row
            row += len(part)
            if self._engine.kind == "re":
                for number, string in enumerate(part, first):
                    self._segmentation.require_length(string, number)
                    self.counts.update(self._segmentation.pieces(string))
                continue
            ids, unknown, n_unknown = self._engine.encode_pieces(part)
            seen = Counter[str]()
            for _ in range(_RETRIES):
                if n_unknown <= len(unknown):
                    break  # all of them are reported; otherwise those that are, once known, are most of the others
                seen.update(one.token for one in self._engine.located(part, unknown))
                self._learn(self.counts + seen)
                ids, unknown, n_unknown = self._engine.encode_pieces(part)
            found = np.bincount(ids.values, minlength=UNK + 1)[UNK + 1 :].tolist()
            known = self._engine.tokens[UNK + 1 :]
            self.counts.update({piece: n for piece, n in zip(known, found, strict=False) if n})
            if n_unknown > len(unknown):
                self.counts.update(piece for _, piece in self._engine.unknown_tokens(part))
            else:
                self.counts.update(one.token for one in self._engine.located(part, unknown))
            if n_unknown > _FEW * len(ids.values):
                self._learn(self.counts)
            if len(self._sizes) > 1:
                self._sizes.pop()
        if any(map(self._rule.out_of_grammar, self.counts)):
            for row, string in enumerate(text):
                require_grammar(self._rule, self._rule.pieces(string), string, row)

    def _learn(self, counts: Counter[str]) -> None:
        frequent = [piece for piece, _ in counts.most_common(self._max_known) if piece not in self._whole]
        engine = CompiledEngine(self._segmentation, [*SPECIAL_TOKENS, *self._whole, *frequent])
        if engine.kind == "table":  # otherwise the pieces are too long for a table
            self._engine = engine
