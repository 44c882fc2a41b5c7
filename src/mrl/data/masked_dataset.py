"""Masked language modelling: some tokens are hidden, and are to be found again (Devlin 2019, arXiv:1810.04805)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.collate import fields_of
from mrl.data.columns import IGNORED, Rows64
from mrl.data.fields import Augment, Field, Tokens
from mrl.data.layouts import OnLong
from mrl.data.order import random_bits, row_keys
from mrl.data.padding import PadSide, Picked, padded, transposed
from mrl.data.rows import takes_rows
from mrl.data.text_datasets import TextDataset
from mrl.ragged import Ragged
from mrl.text import UNK, Vocab

__all__ = ["MaskedDataset", "masked_collate"]

Collate = Callable[[Any], Any]

SPECIALS = UNK + 1  # ids below are bos, eos, pad and unk
BITS = 21  # of the 64 of a random number, for each of the three draws that a position needs


@takes_rows
def masked_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
) -> tuple[Tensor, Tensor]:
    """Give rows with hidden tokens, and what was hidden.

    Parameters
    ----------
    batch : Rows, or sequence of B pairs (ids int64 (L,), targets int64 (L,))
        The samples.
    pad_idx : int
        The id of padding in ``x``.
    batch_first : bool
        Rows first, or positions first.
    pad_to, pad_multiple, pad_side
        As in `lm_collate`.

    Returns
    -------
    x, y : Tensor, int64, shape (B, L), or (L, B)
        ``y`` is -100, which torch's losses leave out, wherever nothing is to be predicted.

    Examples
    --------
    >>> masked_collate([(torch.tensor([0, 3, 1]), torch.tensor([-100, 4, -100])), (torch.tensor([0, 1]),) * 2], 2)
    (tensor([[0, 3, 1],
            [0, 1, 2]]), tensor([[-100,    4, -100],
            [   0,    1, -100]]))
    """
    sequences, targets = fields_of(batch, 2, "masked_collate")
    x = padded(sequences, pad_idx, pad_to=pad_to, pad_multiple=pad_multiple, pad_side=pad_side)
    y = padded(targets, IGNORED, pad_to=pad_to, pad_multiple=pad_multiple, pad_side=pad_side)
    return (x, y) if batch_first else (transposed(x), transposed(y))


class MaskedDataset(TextDataset):
    """Token ids of texts with some hidden, for masked language models.

    Of the tokens that are chosen, each with the probability `rate`, 80 % are replaced by `mask_idx`, 10 % by a random
    token, and 10 % stay. Which ones is a function of seed, epoch and row; special tokens are never chosen.

    Parameters
    ----------
    smiles : column of str
        n texts.
    vocab : Vocab
        Cuts and numbers them.
    rate : float
        The probability that a token is chosen, 0 < rate <= 1.
    seed : int
        Names the choice, and the augmentation.
    collate_function : callable, optional
        `masked_collate` if not given.
    mask_idx : int, optional
        What stands for a hidden token: id 3 (unk) if not given, which no known text has, so that a model needs no
        larger embedding.
    augment, max_length, on_long
        As in `TextDataset`.

    Raises
    ------
    ValueError
        If `rate` or `mask_idx` is not in its range.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = MaskedDataset(["CCOCC"], CharacterVocab(["C", "O"]), rate=0.5)
    >>> ds[0]
    (tensor([0, 4, 3, 3, 4, 4, 1]), tensor([-100, -100,    4,    5, -100,    4, -100]))
    """

    settled = (*TextDataset.settled, "rate", "mask_idx")

    def __init__(
        self,
        smiles: Any,
        vocab: Vocab,
        rate: float = 0.15,
        seed: int = 0,
        collate_function: Collate | None = None,
        *,
        mask_idx: int = UNK,
        augment: Augment | None = None,
        max_length: int | None = None,
        on_long: OnLong = "raise",
    ) -> None:
        if not 0 < rate <= 1:
            raise ValueError(f"rate is {rate}; expected a probability above 0, such as 0.15")
        collate = collate_function or partial(masked_collate, pad_idx=vocab.stoi["pad"])
        self._configure(vocab, collate, augment, seed, max_length, on_long)
        self.rate = float(rate)
        self.mask_idx = operator.index(mask_idx)
        if self.mask_idx < 0:
            raise ValueError(f"mask_idx is {mask_idx}; expected an id, 0 or more")
        self._set({"smiles": smiles})

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Tokens with some hidden, then what was hidden."""
        masks = _Masks(self._tokens(columns), self.rate, self.mask_idx)
        return _Masked(masks, "tokens"), _Masked(masks, "targets")


class _Masks:
    """Rows with some tokens hidden, computed once for both halves of their samples."""

    def __init__(self, tokens: Tokens, rate: float, mask_idx: int) -> None:
        self.tokens = tokens
        self.rate = rate
        self.mask_idx = mask_idx
        self._left: tuple[Rows64, int, Ragged] | None = None  # what was hidden in rows that were just shown

    @cached_property
    def plain(self) -> _Masks:
        """The same without augmentation."""
        plain = self.tokens.plain()
        return self if plain is self.tokens else _Masks(plain, self.rate, self.mask_idx)

    def shown(self, rows: Rows64, epoch: int) -> Ragged:
        """What is to be seen of the rows `rows`."""
        shown, hidden = self._made(rows, epoch)
        self._left = (rows, epoch, hidden)
        return shown

    def hidden(self, rows: Rows64, epoch: int) -> Ragged:
        """What is to be found in them: -100 where nothing was chosen."""
        left, self._left = self._left, None
        if left is not None and left[1] == epoch and np.array_equal(left[0], rows):
            return left[2]
        return self._made(rows, epoch)[1]

    def _made(self, rows: Rows64, epoch: int) -> tuple[Ragged, Ragged]:
        ids, index = self.tokens.gather(rows, epoch)
        ids = ids.take(index)
        values, lengths = ids.values.astype(np.int64), ids.lengths
        keys = np.repeat(row_keys(self.tokens.seed, epoch, rows, "masks"), lengths)
        places = np.arange(len(values)) - np.repeat(ids.offsets[:-1], lengths)
        chance, kind, other = _draws(random_bits(places.astype(np.uint64), keys))
        chosen = (values >= SPECIALS) & (chance < self.rate)
        drawn = SPECIALS + (other * (len(self.tokens.vocab) - SPECIALS)).astype(np.int64)
        shown = np.where(chosen & (kind < 0.8), self.mask_idx, values)
        shown = np.where(chosen & (kind >= 0.9), drawn, shown)
        return Ragged(shown, ids.offsets), Ragged(np.where(chosen, values, IGNORED), ids.offsets)


class _Masked:
    """One half of a masked row: ``tokens``, what is shown of it, or ``targets``, what was hidden."""

    random = True

    def __init__(self, masks: _Masks, name: str) -> None:
        self.masks = masks
        self.name = name

    @property
    def compiled(self) -> bool:
        """Whether a batch costs no Python code per row."""
        return self.masks.tokens.compiled

    def plain(self) -> _Masked:
        """The same without augmentation."""
        return self if self.masks.plain is self.masks else _Masked(self.masks.plain, self.name)

    def use(self, ids: Ragged) -> None:
        """Take `ids` as they are for the tokens of the text."""
        self.masks.tokens.use(ids)

    def prepare(self) -> None:
        """Encode what is in memory."""
        self.masks.tokens.prepare()

    def lengths(self) -> NDArray[np.int64]:
        """Number of ids of every stored row."""
        return self.masks.tokens.lengths()

    def gather(self, rows: Rows64, epoch: int = 0) -> Picked:
        """Rows of ids, or of targets."""
        half = self.masks.shown if self.name == "tokens" else self.masks.hidden
        return Picked(half(rows, epoch), np.arange(len(rows)))

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """One row, int64 (L,)."""
        return torch.from_numpy(self.gather(np.array([row]), epoch).ids[0].copy())


def _draws(numbers: NDArray[np.uint64]) -> list[NDArray[np.float64]]:
    """Three numbers, at least 0 and below 1, out of each."""
    mask, scale = np.uint64((1 << BITS) - 1), 2.0**-BITS
    return [((numbers >> np.uint64(k * BITS)) & mask).astype(np.float64) * scale for k in range(3)]
