"""Masked language modelling: some tokens are hidden, and are to be found again (Devlin 2019, arXiv:1810.04805)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.collate import fields_of
from mrl.data.columns import IGNORED, Rows64
from mrl.data.fields import Augment, Field, Tokens
from mrl.data.layouts import OnLong
from mrl.data.padding import PadSide, Picked, padded, transposed
from mrl.data.randomness import mixed, row_keys
from mrl.data.rows import takes_rows
from mrl.data.text_datasets import TextDataset
from mrl.ragged import Ragged
from mrl.text import UNK, Vocab

__all__ = ["MaskedDataset", "masked_collate"]

Collate = Callable[[Any], Any]

SPECIALS = UNK + 1  # ids below are bos, eos, pad and unk
BITS = 24  # of a random number, for each of the three draws that a position needs


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
        If `rate` is not in its range.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = MaskedDataset(["CCOCC"], CharacterVocab(["C", "O"]), rate=0.5)
    >>> ds[0]
    (tensor([0, 3, 5, 3, 4, 3, 1]), tensor([-100,    4,    4,    5, -100,    4, -100]))
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
        self.mask_idx = mask_idx
        self._set({"smiles": smiles})

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Tokens with some hidden, then what was hidden."""
        tokens = self._tokens(columns)
        return tuple(_Masked(tokens, self.rate, self.mask_idx, name) for name in ("tokens", "targets"))


class _Masked:
    """One half of a masked row: what is shown of it, or what was hidden."""

    random = True

    def __init__(self, tokens: Tokens, rate: float, mask_idx: int, name: str) -> None:
        self.tokens = tokens
        self.rate = rate
        self.mask_idx = mask_idx
        self.name = name

    @property
    def compiled(self) -> bool:
        """Whether a batch costs no Python code per row."""
        return self.tokens.compiled

    def plain(self) -> _Masked:
        """The same without augmentation."""
        plain = self.tokens.plain()
        return self if plain is self.tokens else _Masked(plain, self.rate, self.mask_idx, self.name)

    def use(self, ids: Ragged) -> None:
        """Take `ids` as they are for the tokens of the text."""
        self.tokens.use(ids)

    def prepare(self) -> None:
        """Encode what is in memory."""
        self.tokens.prepare()

    def lengths(self) -> NDArray[np.int64]:
        """Number of ids of every stored row."""
        return self.tokens.lengths()

    def gather(self, rows: Rows64, epoch: int = 0) -> Picked:
        """Rows of ids, or of targets: -100 where nothing was chosen."""
        ids, index = self.tokens.gather(rows, epoch)
        ids = ids.take(index)
        values, lengths = ids.values.astype(np.int64), ids.lengths
        keys = np.repeat(row_keys(self.tokens.seed, epoch, rows, "masks"), lengths)
        places = np.arange(len(values)) - np.repeat(ids.offsets[:-1], lengths)
        chosen, kind, other = _draws(mixed(places.astype(np.uint64), keys))
        choose = (values >= SPECIALS) & (chosen < self.rate)
        if self.name == "targets":
            made = np.where(choose, values, IGNORED)
        else:
            others = len(self.tokens.vocab) - SPECIALS
            made = np.where(choose & (kind < 0.8), self.mask_idx, values)
            drawn = SPECIALS + (other * others).astype(np.int64)
            made = np.where(choose & (kind >= 0.9), drawn, made)
        return Picked(Ragged(made, ids.offsets), np.arange(len(rows)))

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """One row, int64 (L,)."""
        return torch.from_numpy(self.gather(np.array([row]), epoch).ids[0].copy())


def _draws(numbers: NDArray[np.uint64]) -> tuple[NDArray[np.float64], ...]:
    """Three numbers, at least 0 and below 1, out of each."""
    shifts, scale = (0, 20, 40), 2.0**-BITS
    return tuple(((numbers >> np.uint64(s)) & np.uint64((1 << BITS) - 1)).astype(np.float64) * scale for s in shifts)
