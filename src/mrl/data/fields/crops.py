"""The field of rows that are too long: some of their ids, others in each epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import Rows64
from mrl.data.fields.field import Field
from mrl.data.fields.selection import RowSelection
from mrl.data.fields.tokens import AugmentedTokens, Tokens
from mrl.data.order.randomness import row_keys
from mrl.ragged import Ragged


class CroppedTokens(Field):
    """The token ids of a text column, of which a row has at most `max_length`: a run of them, another in each epoch.

    A run has ``bos`` only where the text begins, and ``eos`` only where it ends. Nothing is copied.

    Parameters
    ----------
    tokens : Tokens or AugmentedTokens
        The whole rows.
    max_length : int
        The largest number of ids of a row.
    seed : int
        With the epoch and the row it determines where a run begins.
    from_start : bool
        Whether a run always begins where the text does, as in rows to validate and test on.

    Examples
    --------
    >>> from mrl.ragged import Text
    >>> from mrl.text import CharacterVocab
    >>> field = CroppedTokens(Tokens(Text.of(["ACGT", "AC"]), CharacterVocab("ACGT")), max_length=4)
    >>> [field.sample(0, epoch)[0].tolist() for epoch in range(3)], field.sample(1)[0].tolist()
    ([[4, 5, 6, 7], [4, 5, 6, 7], [0, 4, 5, 6]], [0, 4, 5, 1])
    >>> field.without_augmentation().sample(0)[0].tolist(), field.lengths()
    ([0, 4, 5, 6], array([4, 4]))
    """

    def __init__(
        self, tokens: Tokens | AugmentedTokens, max_length: int, *, seed: int = 0, from_start: bool = False
    ) -> None:
        self.tokens = tokens
        self.max_length = max_length
        self.seed = seed
        self.from_start = from_start
        self.names = tokens.names
        self.vocab = tokens.vocab
        self.compiled = tokens.compiled
        self.random = tokens.random or not from_start

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[RowSelection]:
        (selection,) = self.tokens.gather(rows, epoch)
        begins, lengths = selection.offsets[selection.rows], selection.lengths
        spare = np.maximum(lengths - self.max_length, 0)
        if not self.from_start:
            # The upper 32 bits of a random number, scaled to 0 to `spare`.
            high = (row_keys(self.seed, epoch, rows, "crop") >> np.uint64(32)).astype(np.int64)
            begins = begins + (high * (spare + 1) >> 32)
        spans = np.stack([begins, begins + lengths - spare], axis=1).reshape(-1)
        return (RowSelection.of_spans(selection.values, spans, selection.width),)

    def lengths(self) -> NDArray[np.int64]:
        return np.minimum(self.tokens.lengths(), self.max_length)

    def prepare(self) -> None:
        self.tokens.prepare()

    def with_ids(self, column: Any, ids: Ragged) -> CroppedTokens:
        return self._over(self.tokens.with_ids(column, ids), self.from_start)

    def without_augmentation(self) -> CroppedTokens:
        return self if not self.random else self._over(self.tokens.without_augmentation(), True)

    def _over(self, tokens: Any, from_start: bool) -> CroppedTokens:
        return CroppedTokens(tokens, self.max_length, seed=self.seed, from_start=from_start)

    def fingerprint(self) -> str:
        return f"{super().fingerprint()} {self.tokens.fingerprint()} {self.max_length} {self.seed} {self.from_start}"
