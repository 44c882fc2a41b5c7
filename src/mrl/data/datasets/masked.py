"""The dataset of masked language modelling: some tokens are hidden, and are to be predicted."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

from torch import Tensor

from mrl.data.batch import Collate
from mrl.data.collate.tasks import masked_collate
from mrl.data.datasets.dataset import BaseDataset
from mrl.data.datasets.text import OnLong, TextDataset, check_text_settings, token_fields
from mrl.data.fields.field import Field
from mrl.data.fields.masks import MaskedTokens
from mrl.data.fields.tokens import Augment
from mrl.text import UNK, Vocab


def _masked_fields(ds: Any) -> tuple[Field, ...]:
    (tokens,) = token_fields(ds)
    masks = {"rate": ds.rate, "mask_idx": ds.mask_idx, "seed": ds.seed, "span": ds.span}
    return (MaskedTokens(tokens, **masks, whole_atoms=ds.whole_atoms),)


class MaskedDataset(BaseDataset[tuple[Tensor, Tensor]]):
    """Token ids of texts with some hidden, for masked language models.

    Of the tokens that are selected, each with the probability `rate`, 80 % are replaced by `mask_idx`, 10 % by a random
    token, and 10 % stay (Devlin et al. 2019, arXiv:1810.04805). The selection is a function of seed, epoch and row;
    special and control tokens are never selected. A row of which no token would be selected gets one target, so that
    every row has a loss.

    Parameters
    ----------
    smiles : column of str
        n texts.
    vocab : Vocab
        Tokenizes and numbers them.
    rate : float
        The probability that a token is selected, 0 < rate <= 1.
    seed : int
        Determines the selection, and the augmentation.
    collate_function : callable, optional
        `masked_collate` if not given.
    mask_idx : int, optional
        The id that replaces a hidden token. If not given, that of the control token ``mask``; in a vocabulary without
        it, id 3 (unk), which no known text has, so that a model needs no larger embedding.
    span : int
        Tokens are selected in runs of so many (or more, where runs meet); `rate` stays the share of all tokens.
    whole_atoms : bool
        Whether the tokens of one atom (``[`` to ``]``, ``C`` and ``l``) are selected together.
    augment, max_length, on_long
        As in `TextDataset`.

    Raises
    ------
    ValueError
        If `rate`, `mask_idx` or `span` is not in its range.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = MaskedDataset(["CCOCC"], CharacterVocab(["C", "O"]), rate=0.5)
    >>> ds[0]
    (tensor([0, 4, 3, 3, 4, 4, 1]), tensor([-100, -100,    4,    5, -100,    4, -100]))
    """

    task = replace(TextDataset.task, make_fields=_masked_fields, collate=masked_collate)

    smiles: Any
    vocab: Vocab
    augment: Augment | None
    seed: int
    rate: float
    mask_idx: int
    span: int
    whole_atoms: bool
    max_length: int | None
    on_long: OnLong = "raise"

    def __init__(
        self,
        smiles: Any,
        vocab: Vocab,
        rate: float = 0.15,
        seed: int = 0,
        collate_function: Collate | None = None,
        *,
        mask_idx: int | None = None,
        span: int = 1,
        whole_atoms: bool = False,
        augment: Augment | None = None,
        max_length: int | None = None,
        on_long: OnLong = "raise",
    ) -> None:
        if not 0 < rate <= 1:
            raise ValueError(f"rate is {rate}; expected a probability above 0 and at most 1, such as 0.15")
        if mask_idx is None:
            mask_idx = vocab.control.get("mask", UNK)
        if operator.index(span) < 1:
            raise ValueError(f"span is {span}; expected 1 or more tokens")
        if operator.index(mask_idx) < 0:
            raise ValueError(f"mask_idx is {mask_idx}; expected an id, 0 or more")
        seed = check_text_settings(augment, seed, on_long, max_length)
        super().__init__(
            collate_function,
            vocab=vocab,
            rate=float(rate),
            mask_idx=operator.index(mask_idx),
            span=operator.index(span),
            whole_atoms=bool(whole_atoms),
            augment=augment,
            seed=seed,
            max_length=max_length,
            on_long=on_long,
        )
        self.set_rows({"smiles": smiles})
