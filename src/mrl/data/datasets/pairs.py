"""Datasets for generating text from something: from another text, from numbers, from a prompt."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from torch import Tensor

from mrl.data.batch import Collate
from mrl.data.collate.sequences import vector_reconstruction_collate
from mrl.data.collate.tasks import pair_collate, prompt_collate
from mrl.data.columns import Values, View, values_of
from mrl.data.datasets.dataset import BaseDataset
from mrl.data.datasets.task import NumberColumn, Task, TextColumn
from mrl.data.fields.field import Field
from mrl.data.fields.numbers import Numbers
from mrl.data.fields.prompts import PromptedTokens, control_ids
from mrl.data.fields.tokens import Tokens
from mrl.ragged import Text
from mrl.text import Vocab


def _source_and_target(ds: Any) -> tuple[Field, ...]:
    return Tokens(ds.columns["source"], ds.vocab, name="source"), Tokens(ds.columns["target"], ds.target_vocab)


class PairDataset(BaseDataset[tuple[tuple[Tensor, Tensor], Tensor]]):
    """Pairs of texts, for generating one from the other: reactions, translations between notations, edits.

    Parameters
    ----------
    source, target : column of str
        n texts each.
    vocab : Vocab
        Tokenizes and numbers the sources, and the targets if `target_vocab` is not given.
    target_vocab : Vocab, optional
        Tokenizes and numbers the targets.
    collate_function : callable, optional
        `pair_collate` if not given.

    Raises
    ------
    ColumnError
        If there are not as many sources as targets.
    RowError
        If a row is not text: row, column, value.

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

    task = Task(
        {"source": TextColumn(), "target": TextColumn(default="")},
        _source_and_target,
        pair_collate,
        generates="target",
        generated_vocab="target_vocab",
    )

    source: Any
    target: Any
    vocab: Vocab
    target_vocab: Vocab

    def __init__(
        self,
        source: Any,
        target: Any,
        vocab: Vocab,
        target_vocab: Vocab | None = None,
        collate_function: Collate | None = None,
    ) -> None:
        super().__init__(collate_function, vocab=vocab, target_vocab=vocab if target_vocab is None else target_vocab)
        self.set_rows({"source": source, "target": target})


def _numbers_and_tokens(ds: Any) -> tuple[Field, ...]:
    return Numbers(ds.columns["condition"], "condition"), Tokens(ds.columns["smiles"], ds.vocab)


def _prompt_and_tokens(ds: Any) -> tuple[Field, ...]:
    column, ids = ds.columns["condition"], None
    if ds.prompts == "control":
        ids = control_ids(column, ds.vocab)
    return (PromptedTokens(Tokens(column, ds.vocab, ids=ids), Tokens(ds.columns["smiles"], ds.vocab)),)


class ConditionalDataset(BaseDataset[Any]):
    """Texts and what they are to be generated from: numbers (properties, a vector), or a prompt of tokens.

    Parameters
    ----------
    smiles : column of str
        n texts.
    condition : column of numbers, shape (n,) or (n, D), or of str
        Numbers go to the model beside the tokens, NaN where missing; a prompt stands between ``bos`` and the text, and
        is not predicted.
    vocab : Vocab
        Tokenizes and numbers the texts, and the prompts.
    collate_function : callable, optional
        `vector_reconstruction_collate` for numbers, `prompt_collate` for prompts, if not given.
    prompts : {"text", "control"}
        Whether prompts are spelled in the tokens of texts, or consist of the names of control tokens of the vocabulary.

    Raises
    ------
    ColumnError
        If there are not as many conditions as texts.
    ValueError
        If `prompts` is something else.
    RowError
        If a row is not text, or a condition is not a number: row, column, value.

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

    >>> vocab = CharacterVocab(["C", "O"], control=["<polar>", "<apolar>"])
    >>> ConditionalDataset(["CO", "C"], ["<polar>", "<apolar>"], vocab, prompts="control").batch()[0]
    tensor([[0, 6, 4, 5, 1],
            [0, 7, 4, 1, 2]])
    """

    numbers_task = Task(
        {"smiles": TextColumn(), "condition": NumberColumn()},
        _numbers_and_tokens,
        vector_reconstruction_collate,
        generates="smiles",
    )
    prompts_task = Task(
        {"smiles": TextColumn(), "condition": TextColumn(default="")},
        _prompt_and_tokens,
        prompt_collate,
        generates="smiles",
    )

    smiles: Any
    condition: Any
    vocab: Vocab

    prompts: Literal["text", "control"]

    def __init__(
        self,
        smiles: Any,
        condition: Any,
        vocab: Vocab,
        collate_function: Collate | None = None,
        *,
        prompts: Literal["text", "control"] = "text",
    ) -> None:
        if prompts not in ("text", "control"):
            raise ValueError(f"prompts is {prompts!r}; expected 'text' or 'control'")
        condition = values_of(condition, "condition")
        self.prompted = _is_text(condition)
        self.task = self.prompts_task if self.prompted else self.numbers_task
        super().__init__(collate_function, vocab=vocab, prompts=prompts)
        self.set_rows({"smiles": smiles, "condition": condition})


def _is_text(column: Any) -> bool:
    while isinstance(column, View):
        column = column.column
    if isinstance(column, Values):  # text with gaps, which `TextColumn` rejects by row
        return column.array.dtype == object and any(isinstance(value, str) for value in column.array.flat)
    return isinstance(column, Text) or (len(column) > 0 and isinstance(column.take(np.zeros(1, np.int64)), Text))
