"""Datasets of token ids: for language models, and for predicting from text."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.data.batch import Collate
from mrl.data.collate.sequences import lm_collate, sequence_prediction_collate
from mrl.data.columns import Rows64
from mrl.data.datasets.dataset import BaseDataset
from mrl.data.datasets.task import NumberColumn, Task, TextColumn, WeightColumn, numpy_dtype
from mrl.data.fields.crops import CroppedTokens
from mrl.data.fields.field import Field
from mrl.data.fields.numbers import Numbers
from mrl.data.fields.tokens import Augment, AugmentedTokens, Tokens, token_field
from mrl.data.fields.windows import WindowedTokens
from mrl.data.windows import Windows, repeat_rows, require_width, windowed_text
from mrl.errors import DatasetError, RowError
from mrl.ragged import Ragged, Rejects
from mrl.text import Vocab

OnLong = Literal["raise", "reject", "crop"] | Windows


def token_fields(ds: Any) -> tuple[Tokens | AugmentedTokens | CroppedTokens | WindowedTokens]:
    """Return the field of the column ``smiles``, augmented, cropped or in windows if the dataset is."""
    if (column := windowed_text(ds.columns["smiles"])) is not None:
        return (WindowedTokens(Tokens(column.text, ds.vocab), column),)
    if ds.on_long == "crop":
        tokens = token_field(ds.columns["smiles"], ds.vocab, augment=ds.augment, seed=ds.seed)
        return (CroppedTokens(tokens, ds.max_length, seed=ds.seed),)
    return (token_field(ds.columns["smiles"], ds.vocab, augment=ds.augment, seed=ds.seed, max_length=ds.max_length),)


def reject_long_rows(ds: Any) -> tuple[NDArray[np.bool_], Rejects] | None:
    """Return which rows have at most ``max_length`` ids, and the others as rejects; see `Task.filter_rows`."""
    if ds.max_length is None or ds.on_long not in ("raise", "reject"):
        return None
    return split_by_length(ds, ds.columns["smiles"], ds.lengths(), ("max_length", ds.max_length))


def cut_long_rows(ds: Any, columns: dict[str, Any], ids: Ragged | None) -> tuple[dict[str, Any], Rows64] | None:
    """Return columns with a row for each window, under ``on_long=Windows(...)``; see `Task.divide_rows`."""
    column = windowed_text(columns["smiles"])
    if column is not None:
        if not isinstance(ds.on_long, Windows):
            raise DatasetError("smiles are windows over texts; give the texts themselves, or on_long=Windows(...)")
        require_width(column, "smiles", ds.max_length)
        return columns | {"smiles": column}, np.arange(len(column))
    if not isinstance(ds.on_long, Windows):
        return None
    lengths = Tokens(columns["smiles"], ds.vocab).lengths() if ids is None else ids.lengths
    return repeat_rows(columns, "smiles", ds.on_long, ds.max_length, lengths)


def split_by_length(
    ds: Any, texts: Any, lengths: NDArray[np.int64], limit: tuple[str, int]
) -> tuple[NDArray[np.bool_], Rejects]:
    """Return which texts are not longer than a limit (its name and value), and the others as rejects.

    Raises
    ------
    RowError
        If one is longer, and ``ds.on_long`` is "raise" or ``on_error="raise"`` was given to ``new``.
    """
    on_long = {"drop": "reject", "raise": "raise"}.get(ds.on_error or "", ds.on_long)
    name, most = limit
    ok: NDArray[np.bool_] = lengths <= most
    long = np.flatnonzero(~ok)
    if len(long) and on_long == "raise":
        row = int(long[0])
        raise RowError(
            f"row {row}: {texts[row]!r} has {lengths[row]} tokens, more than {name} {most}; raise {name}, or use "
            "on_long='reject' (on_error='drop' in new) to drop such rows (nothing is truncated)",
            row=row,
            column="smiles",
            value=texts[row],
        )
    rejects = (
        (int(row), texts[int(row)], "length", f"too long: {lengths[row]} tokens, more than {name} {most}")
        for row in long
    )
    return ok, Rejects(rejects)


def check_text_settings(augment: Augment | None, seed: int, on_long: OnLong, max_length: int | None) -> int:
    """Validate settings of datasets of text; return the seed as an int."""
    if augment is not None and not callable(augment):
        raise TypeError(f"augment is {augment!r}; expected a function of (text, key) that returns a text")
    if isinstance(on_long, Windows):
        if augment is not None:
            raise ValueError(
                "on_long is Windows(...), over texts as they are: leave out augment, or take on_long='crop'"
            )
        if max_length is None or operator.index(max_length) < 1:
            raise ValueError(f"on_long is {on_long} and max_length {max_length}; give the number of ids of a window")
        on_long.cut(np.zeros(0, np.int64), max_length)
        return operator.index(seed)
    if on_long not in ("raise", "reject", "crop"):
        raise ValueError(f"on_long is {on_long!r}; expected 'raise', 'reject', 'crop' or Windows(...)")
    if on_long == "crop" and (max_length is None or operator.index(max_length) < 1):
        raise ValueError(f"on_long is 'crop' and max_length {max_length}; give the number of ids of a crop, 1 or more")
    return operator.index(seed)


class TextDataset(BaseDataset[tuple[Tensor, Tensor]]):
    """Token ids of texts, for language models.

    Parameters
    ----------
    smiles : column of str
        n texts: list, tuple, NumPy array, pandas or polars Series, Arrow array, or a column on disk.
    vocab : Vocab
        Tokenizes and numbers them, once, when they are first used.
    collate_function : callable, optional
        `lm_collate` if not given.
    augment : callable, optional
        ``augment(text, key)`` returns a text in another notation each epoch (such as randomised SMILES, by
        `mrl.randomize`); `key` is an integer that depends on `seed`, epoch and row alone. Validation and test parts of
        a split are never augmented, nor is what `from_ids` makes. ``ds.smiles`` are the texts as they are, and orders
        by length go by them; ``ds[i]`` and ``ds.batch()`` are as in epoch 0.
    seed : int
        Determines the augmentation.
    max_length : int, optional
        The largest number of ids of a row, ``bos`` and ``eos`` included; nothing is truncated unless `on_long` is
        "crop". A text that augmentation makes longer stays as it is.
    on_long : {"raise", "reject", "crop"} or Windows
        What to do with longer rows: raise; drop them and list them in `rejects`; take `max_length` consecutive ids,
        others in each epoch (a function of `seed`, epoch and row), for long sequences such as DNA; or make each window
        over a text a row of its own (see `Windows`): ``ds.windows`` says of which text, and from where, and a split
        keeps the windows of a text together. A crop or window has ``bos`` only where the text begins, and ``eos`` only
        where it ends; validation and test parts of a split have the first ids of a text that is cropped.

    Raises
    ------
    RowError
        If a row is not text, or too long: row, column, value.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["CCO", "C"], CharacterVocab(["C", "O"]))
    >>> ds[0]
    tensor([0, 4, 4, 5, 1])
    >>> x, y = ds.batch()
    >>> y
    tensor([[4, 4, 5, 1, 2],
            [4, 1, 2, 2, 2]])
    """

    task = Task(
        {"smiles": TextColumn()},
        token_fields,
        lm_collate,
        "smiles",
        filter_rows=reject_long_rows,
        divide_rows=cut_long_rows,
    )

    smiles: Any
    vocab: Vocab
    augment: Augment | None
    seed: int
    max_length: int | None
    on_long: OnLong = "raise"

    def __init__(
        self,
        smiles: Any,
        vocab: Vocab,
        collate_function: Collate | None = None,
        *,
        augment: Augment | None = None,
        seed: int = 0,
        max_length: int | None = None,
        on_long: OnLong = "raise",
    ) -> None:
        seed = check_text_settings(augment, seed, on_long, max_length)
        super().__init__(
            collate_function, vocab=vocab, augment=augment, seed=seed, max_length=max_length, on_long=on_long
        )
        self.set_rows({"smiles": smiles})


def label_columns(y_dtype: torch.dtype, weights: Any) -> dict[str, Any]:
    """Return the kinds of the columns ``smiles`` and ``y_vals``, and of ``weights`` if some are given."""
    columns: dict[str, Any] = {"smiles": TextColumn(), "y_vals": NumberColumn(numpy_dtype(y_dtype))}
    return columns if weights is None else columns | {"weights": WeightColumn()}


def label_fields(ds: Any) -> tuple[Field, ...]:
    """Return the field of the targets, then that of the weights if there are some."""
    names = {"y_vals": "labels", "weights": "weights"}
    return tuple(Numbers(ds.columns[column], name) for column, name in names.items() if column in ds.task.columns)


def _text_and_labels(ds: Any) -> tuple[Field, ...]:
    return *token_fields(ds), *label_fields(ds)


class TextPredictionDataset(BaseDataset[tuple[Tensor, ...]]):
    """Token ids and targets, for predicting properties from text.

    Parameters
    ----------
    smiles : column of str
        n texts.
    y_vals : column of numbers
        Targets, (n,) or (n, T): list, array, Series, DataFrame, tensor. Missing ones (None, NaN) stay missing: NaN, or
        -100 for integer classes.
    vocab : Vocab
        Tokenizes and numbers the texts.
    collate_function : callable, optional
        `sequence_prediction_collate` if not given.
    y_dtype : torch.dtype
        float32, or an integer type for classes.
    weights : column of n numbers, optional
        How much each row counts, 0 or more; batches are then ``(x, y, weights)``. Rows that `new` makes without
        weights count 1.
    augment, seed, max_length, on_long
        As in `TextDataset`.

    Raises
    ------
    ColumnError
        If there are not as many targets as texts.
    RowError
        If a text is not text, a target is not a number, or a weight is less than 0: row, column, value.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ds = TextPredictionDataset(["CO", "C"], [0.5, None], CharacterVocab(["C", "O"]))
    >>> ds.batch()
    (tensor([[0, 4, 5, 1, 2],
            [0, 4, 1, 2, 2]]), tensor([0.5000,    nan]))
    """

    task = replace(TextDataset.task, make_fields=_text_and_labels, collate=sequence_prediction_collate)

    smiles: Any
    y_vals: Any
    weights: Any
    vocab: Vocab
    y_dtype: torch.dtype
    augment: Augment | None
    seed: int
    max_length: int | None
    on_long: OnLong = "raise"

    def __init__(
        self,
        smiles: Any,
        y_vals: Any,
        vocab: Vocab,
        collate_function: Collate | None = None,
        *,
        y_dtype: torch.dtype = torch.float32,
        weights: Any = None,
        augment: Augment | None = None,
        seed: int = 0,
        max_length: int | None = None,
        on_long: OnLong = "raise",
    ) -> None:
        seed = check_text_settings(augment, seed, on_long, max_length)
        self.task = replace(self.task, columns=label_columns(y_dtype, weights))
        super().__init__(
            collate_function,
            vocab=vocab,
            y_dtype=y_dtype,
            augment=augment,
            seed=seed,
            max_length=max_length,
            on_long=on_long,
        )
        self.set_rows({"smiles": smiles, "y_vals": y_vals, "weights": weights})
