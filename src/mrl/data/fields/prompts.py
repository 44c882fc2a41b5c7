"""The field of conditional generation: a prompt in front of a text, as one row of ids."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.columns import Rows64
from mrl.data.fields.field import Field, Part, row_blocks
from mrl.data.fields.selection import RowSelection, Selection
from mrl.data.fields.tokens import Tokens
from mrl.errors import RowError
from mrl.ragged import Ragged
from mrl.text import BOS, EOS, Vocab


class PromptedTokens(Field):
    """Two parts: ``tokens`` (bos, prompt, text, eos), and ``prompt``, the number of ids of the prompt.

    That number is int64 (B, 1), and does not count bos.

    Parameters
    ----------
    prompts, tokens : Tokens
        The prompts, and the texts that follow them.

    Examples
    --------
    >>> from mrl.ragged import Text
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab("CO+")
    >>> PromptedTokens(Tokens(Text.of(["++"]), vocab), Tokens(Text.of(["CO"]), vocab)).sample(0)
    (tensor([0, 6, 6, 4, 5, 1]), tensor([2]))
    """

    names = ("tokens", "prompt")

    def __init__(self, prompts: Tokens, tokens: Tokens) -> None:
        self.prompts = prompts
        self.tokens = tokens

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[Part, ...]:
        prompts = _without(self.prompts.gather(rows)[0].take(), EOS, at_end=True)
        texts = _without(self.tokens.gather(rows)[0].take(), BOS, at_end=False)
        n = len(rows)
        interleaved = Ragged.concat([prompts, texts]).take(np.arange(2 * n).reshape(2, n).T.reshape(-1))
        ids = RowSelection(interleaved.values, interleaved.offsets[::2], np.arange(n))
        return ids, torch.from_numpy(np.maximum(prompts.lengths - 1, 0)).unsqueeze(-1)

    def prepare(self) -> None:
        self.prompts.prepare()
        self.tokens.prepare()

    def lengths(self) -> NDArray[np.int64]:
        blocks = [self.gather(rows)[0] for rows in row_blocks(len(self.tokens.text))]
        return np.concatenate([block.lengths for block in blocks if isinstance(block, Selection)])

    def with_ids(self, column: Any, ids: Ragged) -> PromptedTokens:
        return PromptedTokens(self.prompts, self.tokens.with_ids(column, ids))

    def fingerprint(self) -> str:
        return f"{super().fingerprint()} {self.prompts.fingerprint()} {self.tokens.fingerprint()}"


def control_ids(column: Any, vocab: Vocab) -> Ragged:
    """Return the ids of prompts that consist of the names of control tokens, between bos and eos.

    Raises
    ------
    RowError
        A row contains something else.
    """
    names = "|".join(map(re.escape, sorted(vocab.control, key=len, reverse=True)))
    pattern = re.compile(names or r"(?!)")
    known: dict[str, list[int]] = {}

    def ids_of(row: int, prompt: str) -> list[int]:
        if prompt not in known:
            found = pattern.findall(prompt)
            if "".join(found) != prompt:
                there = ", ".join(map(repr, vocab.control)) or "none"
                raise RowError(
                    f"row {row} of column 'condition' is {prompt!r}, expected names of control tokens, one after the "
                    f"other (the vocabulary has: {there}); add the name by vocab.add_control, or leave out "
                    "prompts='control' to spell it as text",
                    row=row,
                    column="condition",
                    value=prompt,
                )
            known[prompt] = [BOS, *(vocab.control[name] for name in found), EOS]
        return known[prompt]

    blocks = (zip(rows.tolist(), column.take(rows).tolist(), strict=True) for rows in row_blocks(len(column)))
    return Ragged.from_rows([ids_of(*one) for block in blocks for one in block], np.int64)


def _without(ids: Ragged, special: int, *, at_end: bool) -> Ragged:
    """Return the rows without their last id, or their first, where it is `special`."""
    places = (ids.offsets[1:] - 1 if at_end else ids.offsets[:-1])[ids.lengths > 0]
    keep = np.ones(len(ids.values), bool)
    keep[places[ids.values[places] == special]] = False
    return Ragged(ids.values[keep], np.concatenate([[0], np.cumsum(keep)])[ids.offsets])
