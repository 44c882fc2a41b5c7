"""The field of masked language modelling: tokens of which some are hidden, and what was hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import Rows64
from mrl.data.fields.crops import CroppedTokens
from mrl.data.fields.field import Field
from mrl.data.fields.selection import RowSelection
from mrl.data.fields.tokens import AugmentedTokens, Tokens
from mrl.data.fields.windows import WindowedTokens
from mrl.data.order.randomness import random_bits, row_keys
from mrl.ragged import IGNORED, Ragged
from mrl.text import UNK, Vocab

FIRST_TOKEN = UNK + 1  # ids below are bos, eos, pad and unk
BITS = 21  # of the 64 of a random number, for each of the three draws that a position needs


class MaskedTokens(Field):
    """Two parts: ``tokens``, of which some are hidden, and ``targets``, -100 where nothing was hidden.

    Parameters
    ----------
    tokens : Tokens, AugmentedTokens, CroppedTokens or WindowedTokens
        The rows before masking.
    rate : float
        The probability that a token is selected.
    mask_idx : int
        The id that replaces a hidden token.
    seed : int
        With the epoch and the row it determines which tokens are selected.
    span : int
        Tokens are selected in runs of so many (or more, where runs meet).
    whole_atoms : bool
        Whether the tokens of one atom, ``[`` to ``]`` or a halogen in two letters, are selected together.

    Examples
    --------
    >>> from mrl.ragged import Text
    >>> from mrl.text import CharacterVocab
    >>> MaskedTokens(Tokens(Text.of(["CO"]), CharacterVocab("CO")), rate=1.0, mask_idx=3, seed=1).sample(0)
    (tensor([0, 3, 3, 1]), tensor([-100,    4,    5, -100]))
    """

    names = ("tokens", "targets")
    random = True

    def __init__(
        self,
        tokens: Tokens | AugmentedTokens | CroppedTokens | WindowedTokens,
        *,
        rate: float,
        mask_idx: int,
        seed: int,
        span: int = 1,
        whole_atoms: bool = False,
    ) -> None:
        self.tokens = tokens
        self.rate = rate
        self.mask_idx = mask_idx
        self.seed = seed
        self.span = span
        self.whole_atoms = whole_atoms
        self.compiled = tokens.compiled

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[RowSelection, RowSelection]:
        (selection,) = self.tokens.gather(rows, epoch)
        ids = selection.take()
        values, lengths = ids.values.astype(np.int64), ids.lengths
        keys = np.repeat(row_keys(self.seed, epoch, rows, "masks"), lengths)
        places = np.arange(len(values)) - np.repeat(ids.offsets[:-1], lengths)
        chance, kind, other = _draws(random_bits(places.astype(np.uint64), keys))
        vocab = self.tokens.vocab
        ordinary = np.arange(FIRST_TOKEN, len(vocab))
        eligible = values >= FIRST_TOKEN
        if control := [*vocab.control.values()]:
            ordinary = np.setdiff1d(ordinary, control)
            eligible &= ~np.isin(values, control)
        if self.whole_atoms:
            first = _first_of_atom(values, ids.offsets, vocab)
            chance, kind = chance[first], kind[first]
        selected = eligible & _in_spans(chance, places, self.rate, self.span)
        lacking = _first_where_none(selected, eligible, chance, ids.offsets)
        selected[lacking] = True
        if self.whole_atoms:
            selected = eligible & np.isin(first, first[selected])
        drawn = ordinary[(other * len(ordinary)).astype(np.int64)] if len(ordinary) else values
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
        settings: dict[str, Any] = {"rate": self.rate, "mask_idx": self.mask_idx, "seed": self.seed, "span": self.span}
        return MaskedTokens(tokens, **settings, whole_atoms=self.whole_atoms)

    def fingerprint(self) -> str:
        how = "" if self.span == 1 and not self.whole_atoms else f" {self.span} {self.whole_atoms}"
        return f"{super().fingerprint()} {self.tokens.fingerprint()} {self.rate} {self.mask_idx} {self.seed}{how}"


def _in_spans(chance: NDArray[np.float64], places: NDArray[np.int64], rate: float, span: int) -> NDArray[np.bool_]:
    """Return what is selected: each position begins a run of `span`, so often that `rate` of all are in one."""
    begins = chance < 1 - (1 - rate) ** (1 / span) if span > 1 else chance < rate
    selected = begins.copy()
    for back in range(1, min(span, len(begins))):
        selected[back:] |= begins[:-back] & (places[back:] >= back)
    return selected


def _first_where_none(
    selected: NDArray[np.bool_], eligible: NDArray[np.bool_], chance: NDArray[np.float64], offsets: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return, for each row of which nothing is selected but could be, the position with the smallest chance."""
    selected_before = np.concatenate([[0], np.cumsum(selected)])[offsets]
    lacking = np.flatnonzero(np.diff(selected_before) == 0)
    if not len(lacking):  # in most batches
        return np.zeros(0, np.int64)
    lengths = np.diff(offsets)[lacking]
    starts = np.cumsum(lengths) - lengths
    places = np.arange(lengths.sum()) + np.repeat(offsets[lacking] - starts, lengths)
    rows = np.repeat(lacking, lengths)[eligible[places]]
    places = places[eligible[places]]
    order = np.lexsort((chance[places], rows))
    first: NDArray[np.int64] = places[order][np.flatnonzero(np.diff(rows[order], prepend=-1))]
    return first


def _first_of_atom(values: NDArray[np.int64], offsets: NDArray[np.int64], vocab: Vocab) -> NDArray[np.int64]:
    """Return for each position the first one of its atom, or itself outside atoms of several tokens."""
    at = np.arange(len(values))
    begins = np.repeat(offsets[:-1], np.diff(offsets))
    opening, closing = values == vocab.stoi.get("[", -1), values == vocab.stoi.get("]", -1)
    opened = np.maximum.accumulate(np.where(opening, at, -1))
    closed_before = np.concatenate([[-1], np.maximum.accumulate(np.where(closing, at, -1))[:-1]])
    ends = np.minimum.accumulate(np.where(closing, at, len(at))[::-1])[::-1]  # the next closing bracket
    last = np.repeat(offsets[1:], np.diff(offsets))
    inside = (opened >= begins) & (opened > closed_before) & (ends < last)
    inside &= np.concatenate([opened, [-1]])[np.minimum(ends, len(at))] == opened  # no other bracket opens before
    first = np.where(inside, opened, at)
    for head, tail in ("Cl", "Br"):
        after = np.flatnonzero((values[1:] == vocab.stoi.get(tail, -1)) & (values[:-1] == vocab.stoi.get(head, -2))) + 1
        after = after[~inside[after]]
        first[after] = first[after - 1]
    return first


def _draws(numbers: NDArray[np.uint64]) -> list[NDArray[np.float64]]:
    """Return three numbers in [0, 1) from each random number."""
    mask, scale = np.uint64((1 << BITS) - 1), 2.0**-BITS
    return [((numbers >> np.uint64(k * BITS)) & mask).astype(np.float64) * scale for k in range(3)]
