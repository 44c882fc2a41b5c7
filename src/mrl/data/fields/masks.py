"""The field of masked language modelling: tokens of which some are hidden, and what was hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import Rows64
from mrl.data.fields.field import Field
from mrl.data.fields.selection import RowSelection
from mrl.data.fields.tokens import AugmentedTokens, Tokens
from mrl.data.order.randomness import random_bits, row_keys
from mrl.ragged import IGNORED, Ragged
from mrl.text import UNK

FIRST_TOKEN = UNK + 1  # ids below are bos, eos, pad and unk
BITS = 21  # of the 64 of a random number, for each of the three draws that a position needs


class MaskedTokens(Field):
    """Two parts: ``tokens``, of which some are hidden, and ``targets``, -100 where nothing was hidden.

    Parameters
    ----------
    tokens : Tokens or AugmentedTokens
        The rows before masking.
    rate : float
        The probability that a token is selected.
    mask_idx : int
        The id that replaces a hidden token.
    seed : int
        With the epoch and the row it determines which tokens are selected.

    Examples
    --------
    >>> from mrl.ragged import Text
    >>> from mrl.text import CharacterVocab
    >>> MaskedTokens(Tokens(Text.of(["CO"]), CharacterVocab("CO")), rate=1.0, mask_idx=3, seed=1).sample(0)
    (tensor([0, 3, 3, 1]), tensor([-100,    4,    5, -100]))
    """

    names = ("tokens", "targets")
    random = True

    def __init__(self, tokens: Tokens | AugmentedTokens, *, rate: float, mask_idx: int, seed: int) -> None:
        self.tokens = tokens
        self.rate = rate
        self.mask_idx = mask_idx
        self.seed = seed
        self.compiled = tokens.compiled

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[RowSelection, RowSelection]:
        (selection,) = self.tokens.gather(rows, epoch)
        ids = selection.take()
        values, lengths = ids.values.astype(np.int64), ids.lengths
        keys = np.repeat(row_keys(self.seed, epoch, rows, "masks"), lengths)
        places = np.arange(len(values)) - np.repeat(ids.offsets[:-1], lengths)
        chance, kind, other = _draws(random_bits(places.astype(np.uint64), keys))
        selected = (values >= FIRST_TOKEN) & (chance < self.rate)
        drawn = FIRST_TOKEN + (other * (len(self.tokens.vocab) - FIRST_TOKEN)).astype(np.int64)
        shown = np.where(selected & (kind < 0.8), self.mask_idx, values)
        shown = np.where(selected & (kind >= 0.9), drawn, shown)
        hidden = np.where(selected, values, IGNORED)
        index = np.arange(len(rows))
        return RowSelection(shown, ids.offsets, index), RowSelection(hidden, ids.offsets, index)

    def prepare(self) -> None:
        self.tokens.prepare()

    def lengths(self) -> NDArray[np.int64]:
        return self.tokens.lengths()

    def with_ids(self, column: Any, ids: Ragged) -> MaskedTokens:
        return self._over(self.tokens.with_ids(column, ids))

    def without_augmentation(self) -> MaskedTokens:
        tokens = self.tokens.without_augmentation()
        return self if tokens is self.tokens else self._over(tokens)

    def _over(self, tokens: Any) -> MaskedTokens:
        return MaskedTokens(tokens, rate=self.rate, mask_idx=self.mask_idx, seed=self.seed)

    def fingerprint(self) -> str:
        return f"{super().fingerprint()} {self.tokens.fingerprint()} {self.rate} {self.mask_idx} {self.seed}"


def _draws(numbers: NDArray[np.uint64]) -> list[NDArray[np.float64]]:
    """Return three numbers in [0, 1) from each random number."""
    mask, scale = np.uint64((1 << BITS) - 1), 2.0**-BITS
    return [((numbers >> np.uint64(k * BITS)) & mask).astype(np.float64) * scale for k in range(3)]
