"""Data sets for generating text from something: from another text, from numbers, from a prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.collate import fields_of, stacked, vector_reconstruction_collate
from mrl.data.columns import Rows64, Values, View, labels_of, values_of
from mrl.data.fields import Field, Labels, Tokens, parts_of
from mrl.data.layouts import Tokenized, text_of
from mrl.data.padding import PadSide, Picked, padded, picked, shifted, transposed
from mrl.data.rows import takes_rows
from mrl.ragged import Ragged, Text
from mrl.text import BOS, EOS, Vocab

__all__ = ["ConditionalDataset", "PairDataset", "pair_collate", "prompt_collate"]

Collate = Callable[[Any], Any]


@takes_rows
def pair_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Give sources, and inputs and targets of next-token prediction of the text that belongs to each.

    Parameters
    ----------
    batch : Rows, or sequence of B pairs (source ids int64, target ids int64)
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first.
    pad_to, pad_multiple, pad_side
        As in `lm_collate`, for the sources and for ``x`` alike.

    Returns
    -------
    (source, x), y : Tensors, int64
        Source (B, S); x and y (B, L) as in `lm_collate`; positions first if not `batch_first`.

    Examples
    --------
    >>> (source, x), y = pair_collate([(torch.tensor([0, 5, 1]), torch.tensor([0, 4, 4, 1]))], 2)
    >>> source, x, y
    (tensor([[0, 5, 1]]), tensor([[0, 4, 4, 1]]), tensor([[4, 4, 1, 2]]))
    """
    sources, targets = fields_of(batch, 2, "pair_collate")
    source = padded(sources, pad_idx, pad_to=pad_to, pad_multiple=pad_multiple, pad_side=pad_side)
    x, y = shifted(targets, pad_idx, batch_first, pad_to=pad_to, pad_multiple=pad_multiple, pad_side=pad_side)
    return (source if batch_first else transposed(source), x), y


class PairDataset(Tokenized):
    """Pairs of texts, for generating one from the other: reactions, translations between notations, edits.

    Parameters
    ----------
    source, target : column of str
        n texts each.
    vocab : Vocab
        Cuts and numbers the sources, and the targets if they have none of their own.
    target_vocab : Vocab, optional
        Cuts and numbers the targets.
    collate_function : callable, optional
        `pair_collate` if not given.

    Raises
    ------
    ColumnError
        If there are not as many sources as targets.
    RowError
        If a row is no text: row, column, value.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = PairDataset(["CO", "C"], ["C=O", "C"], CharacterVocab(["C", "O", "="]))
    >>> (source, x), y = ds.batch()
    >>> source, x
    (tensor([[0, 4, 5, 1],
            [0, 4, 1, 2]]), tensor([[0, 4, 6, 5, 1],
            [0, 4, 1, 2, 2]]))
    >>> ds.new(["OO"]).target.tolist()  # targets may be left out, to generate them
    ['']
    >>> ds.from_ids([[0, 4, 6, 5, 1]], source=["OO"]).target.tolist()  # targets that were sampled
    ['C=O']
    """

    row_arguments = ("source", "target")
    settled = ("vocab", "target_vocab")
    texts = ("source", "target")
    generated = "target"

    def __init__(
        self,
        source: Any,
        target: Any,
        vocab: Vocab,
        target_vocab: Vocab | None = None,
        collate_function: Collate | None = None,
    ) -> None:
        super().__init__(collate_function or partial(pair_collate, pad_idx=vocab.stoi["pad"]))
        self.vocab = vocab
        self.target_vocab = vocab if target_vocab is None else target_vocab
        self._set({"source": source, "target": target})

    def checked(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Both as flat text; targets that were left out are empty."""
        if columns["target"] is None:
            columns["target"] = [""] * len(columns["source"])
        return super().checked(columns)

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Tokens of the source, then of the target."""
        return (
            _Source(columns["source"], self.vocab, name="source"),
            Tokens(columns["target"], self.target_vocab),
        )

    def vocab_of_generated(self) -> Vocab:
        """The vocabulary of the targets."""
        return self.target_vocab

    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of the longer one of each pair, shape (n,)."""
        stored = self.stored_rows(np.arange(len(self)))
        source, target = (field.lengths() for field in self.fields if hasattr(field, "lengths"))
        longer: Rows64 = np.maximum(source, target)[stored]
        return longer


class _Source(Tokens):
    """Ids of what something is generated from."""

    def use(self, ids: Ragged) -> None:
        """Leave `ids` to the targets, whose they are."""


@takes_rows
def prompt_collate(
    batch: Any,
    pad_idx: int,
    batch_first: bool = True,
    *,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
) -> tuple[Tensor, Tensor]:
    """Give inputs and targets of next-token prediction behind a prompt.

    Parameters
    ----------
    batch : Rows, or sequence of B pairs (ids int64 of prompt and text, number of prompt ids (1,))
        The samples.
    pad_idx : int
        The id of padding.
    batch_first : bool
        Rows first, or positions first.
    pad_to, pad_multiple, pad_side
        As in `lm_collate`.

    Returns
    -------
    x, y : Tensor, int64, shape (B, L), or (L, B)
        As in `lm_collate`; ``y`` is padding where what follows belongs to the prompt.

    Examples
    --------
    >>> prompt_collate([(torch.tensor([0, 7, 7, 4, 1]), torch.tensor([2]))], 2)
    (tensor([[0, 7, 7, 4, 1]]), tensor([[2, 2, 4, 1, 2]]))
    """
    sequences, prompts = fields_of(batch, 2, "prompt_collate")
    ids = picked(sequences)
    x, y = shifted(ids, pad_idx, pad_to=pad_to, pad_multiple=pad_multiple, pad_side=pad_side)
    lengths = torch.from_numpy(ids.lengths).to(x.device).unsqueeze(1)
    first = x.shape[1] - lengths if pad_side == "left" else torch.zeros_like(lengths)
    places = torch.arange(x.shape[1], device=x.device) - first
    y.masked_fill_(places < stacked(prompts).view(-1, 1), pad_idx)  # what is before a row is padding already
    return (x, y) if batch_first else (transposed(x), transposed(y))


class ConditionalDataset(Tokenized):
    """Texts and what they are to be generated from: numbers (properties, a vector), or a prompt of tokens.

    Parameters
    ----------
    smiles : column of str
        n texts.
    condition : column of numbers, shape (n,) or (n, D), or of str
        Numbers are given to the model beside the tokens, NaN where missing; a prompt stands before the text, behind
        ``bos``, and is not predicted.
    vocab : Vocab
        Cuts and numbers the texts, and prompts, whose tokens it has to have.
    collate_function : callable, optional
        `vector_reconstruction_collate` for numbers, `prompt_collate` for prompts, if not given.

    Raises
    ------
    ColumnError
        If there are not as many conditions as texts.
    RowError
        If a row is no text, or a condition no number: row, column, value.

    Notes
    -----
    `new` takes rows without conditions: these are then missing (NaN), or empty. `from_ids` takes the ids of the text,
    without its prompt.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab(["C", "O", "+"])
    >>> ds = ConditionalDataset(["CO", "C"], [0.5, 1.5], vocab)
    >>> (x, condition), y = ds.batch()
    >>> x, condition
    (tensor([[0, 4, 5, 1],
            [0, 4, 1, 2]]), tensor([[0.5000],
            [1.5000]]))

    >>> ds = ConditionalDataset(["CO", "C"], ["++", "+"], vocab)
    >>> ds.batch()
    (tensor([[0, 6, 6, 4, 5, 1],
            [0, 6, 4, 1, 2, 2]]), tensor([[2, 2, 4, 5, 1, 2],
            [2, 4, 1, 2, 2, 2]]))
    """

    row_arguments = ("smiles", "condition")
    condition: Any

    def __init__(self, smiles: Any, condition: Any, vocab: Vocab, collate_function: Collate | None = None) -> None:
        condition = values_of(condition, "condition")
        self.prompted = _is_text(condition)
        collate = prompt_collate if self.prompted else vector_reconstruction_collate
        super().__init__(collate_function or partial(collate, pad_idx=vocab.stoi["pad"]))
        self.vocab = vocab
        self._set({"smiles": smiles, "condition": condition})

    def checked(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Numbers as float32, prompts as flat text; left out they are missing, or empty."""
        condition, n = columns["condition"], len(columns["smiles"])
        if self.prompted:
            condition = text_of([""] * n if condition is None else condition, "condition")
        else:
            if condition is None:
                condition = np.full(n if self._width is None else (n, self._width), np.nan)
            condition = labels_of(condition, "condition", np.dtype(np.float32))
            if len(condition):
                self._width = next(iter(np.shape(condition[0])), None)
        return super().checked(columns | {"condition": condition})

    _width: int | None = None  # D of conditions (n, D), for rows whose conditions are left out

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Numbers, then tokens; or tokens with their prompts, then how many of them are the prompt's."""
        if not self.prompted:
            return Labels(columns["condition"], "condition"), Tokens(columns["smiles"], self.vocab)
        tokens = _Prompted(Tokens(columns["condition"], self.vocab), Tokens(columns["smiles"], self.vocab))
        return tokens, _PromptLengths(tokens.prompts)


def _is_text(column: Any) -> bool:
    while isinstance(column, View):
        column = column.column
    if isinstance(column, Values):  # text with gaps, which `text_of` refuses by row
        return column.array.dtype == object and any(isinstance(value, str) for value in column.array.flat)
    return isinstance(column, Text) or (len(column) > 0 and isinstance(column[0], str))


class _Prompted:
    """Ids of a prompt and of the text that follows it, as one row."""

    name = "tokens"
    compiled = True

    def __init__(self, prompts: Tokens, tokens: Tokens) -> None:
        self.prompts = prompts
        self.tokens = tokens

    def use(self, ids: Ragged) -> None:
        """Take `ids` as they are for the tokens of the text."""
        self.tokens.use(ids)

    def prepare(self) -> None:
        """Encode what is in memory."""
        self.prompts.prepare()
        self.tokens.prepare()

    def gather(self, rows: Rows64, epoch: int = 0) -> Picked:
        """Ids of the rows `rows`: bos, prompt, text, eos."""
        both = Ragged.concat([_prompts(self.prompts, rows), _without(_taken(self.tokens, rows), BOS, last=False)])
        n = len(rows)
        woven = both.take(np.arange(2 * n).reshape(2, n).T.reshape(-1))
        return Picked(Ragged(woven.values, woven.offsets[::2]), np.arange(n))

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """Ids of one row, int64 (L,)."""
        return torch.from_numpy(self.gather(np.array([row])).ids[0].astype(np.int64))

    def lengths(self) -> NDArray[np.int64]:
        """Number of ids of every stored row."""
        return np.concatenate([self.gather(rows).lengths for rows in parts_of(len(self.tokens.text))])


class _PromptLengths:
    """How many ids of a row belong to its prompt, bos not counted: int64 (1,) in a sample, (B, 1) in a batch."""

    name = "prompt"
    compiled = True

    def __init__(self, prompts: Tokens) -> None:
        self.prompts = prompts

    def prepare(self) -> None:
        """Nothing to do."""

    def gather(self, rows: Rows64, epoch: int = 0) -> Tensor:
        """Numbers for the rows `rows`."""
        return torch.from_numpy(np.maximum(_prompts(self.prompts, rows).lengths - 1, 0)).unsqueeze(-1)

    def sample(self, row: int, epoch: int = 0) -> Tensor:
        """The number for one row."""
        return self.gather(np.array([row]))[0]


def _taken(field: Tokens, rows: Rows64) -> Ragged:
    ids, index = field.gather(rows)
    taken: Ragged = ids.take(index)
    return taken


def _prompts(field: Tokens, rows: Rows64) -> Ragged:
    return _without(_taken(field, rows), EOS, last=True)


def _without(ids: Ragged, special: int, *, last: bool) -> Ragged:
    """Rows without their last id, or their first one, where it is `special`."""
    places = (ids.offsets[1:] - 1 if last else ids.offsets[:-1])[ids.lengths > 0]
    keep = np.ones(len(ids.values), bool)
    keep[places[ids.values[places] == special]] = False
    return Ragged(ids.values[keep], np.concatenate([[0], np.cumsum(keep)])[ids.offsets])
