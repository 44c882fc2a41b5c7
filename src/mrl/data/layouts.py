"""What data sets of molecules have in common: texts, targets, tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.columns import Values, View, is_column, labels_of
from mrl.data.dataset import BaseDataset
from mrl.data.fields import Labels
from mrl.data.padding import ids_of
from mrl.errors import ColumnError, RowError
from mrl.features import OnError
from mrl.ragged import Ragged, Text
from mrl.text import BOS, EOS, PAD, Vocab

__all__ = ["Labelled", "OnLong", "Texts", "Tokenized", "text_of"]

OnLong = Literal["raise", "reject"]


class Texts(BaseDataset):
    """Those that have columns of text; one called ``smiles``, unless a class says otherwise."""

    row_arguments: tuple[str, ...] = ("smiles",)
    settled: ClassVar[tuple[str, ...]] = (
        "vocab",
        "mol_function",
        "n_jobs",
        "cache",
        "timeout",
        "on_error",
        "y_dtype",
        "augment",
        "seed",
    )
    texts: ClassVar[tuple[str, ...]] = ("smiles",)
    smiles: Any

    def checked(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Columns of text as flat text, unless they are on disk."""
        return super().checked(columns | {name: text_of(columns[name], name) for name in self.texts})


def text_of(column: Any, name: str) -> Any:
    """A column of text as flat text, unless it is on disk."""
    if isinstance(column, (View, Values)):
        column = column.take(np.arange(len(column)))
    if isinstance(column, Ragged) or not is_column(column):
        return Text.of(column, name)
    return column


class Labelled(Texts):
    """Those that have targets as well, and weights if they were given any."""

    row_arguments: tuple[str, ...] = ("smiles", "y_vals")
    y_vals: Any
    y_dtype: torch.dtype
    _targets: int | None = None  # T of targets (n, T), for rows whose labels are left out

    def _set_labelled(self, smiles: Any, y_vals: Any, weights: Any) -> None:
        """Fill this data set; weights are a row argument of those that have any."""
        columns = {"smiles": smiles, "y_vals": y_vals}
        if weights is not None:
            columns["weights"] = weights
            self.row_arguments = tuple(columns)
        self._set(columns)

    @staticmethod
    def _labels(columns: Mapping[str, Any]) -> tuple[Labels, ...]:
        """Targets, then weights if there are any."""
        names = {"y_vals": "labels", "weights": "weights"}
        return tuple(Labels(columns[column], name) for column, name in names.items() if column in columns)

    def checked(self, columns: dict[str, Any]) -> dict[str, Any]:
        """`y_vals` as numbers; missing ones where they were left out."""
        numbers = {name: columns[name] for name in columns if name in ("y_vals", "weights")}
        made = super().checked({name: column for name, column in columns.items() if name not in numbers})
        n = len(made["smiles"])
        if numbers["y_vals"] is None:
            numbers["y_vals"] = np.full(n if self._targets is None else (n, self._targets), np.nan)
        labels = numbers["y_vals"] = labels_of(numbers["y_vals"], "y_vals", _numpy_dtype(self.y_dtype))
        if len(labels):
            self._targets = next(iter(np.shape(labels[0])), None)
        if "weights" in numbers:
            numbers["weights"] = _weights(np.ones(n) if numbers["weights"] is None else numbers["weights"])
        made |= numbers
        return {name: made[name] for name in columns}


def _weights(values: Any) -> Values | View:
    column = labels_of(values, "weights", np.dtype(np.float32))
    array = column.take(np.arange(len(column)))
    if array.ndim != 1:
        raise ColumnError(f"weights has the shape {array.shape}; expected (n,), one for each row", column="weights")
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RowError(
            f"row {row} of weights is {array[row]}; expected a finite number, 0 or more (0 leaves a row out of a loss)",
            row=row,
            column="weights",
            value=float(array[row]),
        )
    return column


def _numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    try:
        found = torch.zeros(0, dtype=dtype, device="cpu").numpy().dtype
    except TypeError:
        found = np.dtype(object)
    if found.kind not in "fiu":
        raise ValueError(f"y_dtype is {dtype}; expected float16, float32 or float64, or an integer type for classes")
    return found


class Tokenized(Texts):
    """Those that have tokens: from a vocabulary, or as ids that were given."""

    generated: ClassVar[str] = "smiles"
    """The column that a model writes."""

    vocab: Vocab
    max_length: int | None = None
    on_long: OnLong = "raise"

    def from_ids(self, ids: Any, *, on_error: OnError | None = None, **named: Any) -> Self:
        """Make a data set like this one from ids, exactly as they are: train on what was sampled.

        A text can have more than one spelling in tokens; going through text would train on another than the model
        wrote. They are never augmented.

        Parameters
        ----------
        ids : Ragged, array or tensor (B, L), or sequence of sequences of int
            One row each. A row is cut behind its first ``eos``; padding before and behind it is dropped; ``bos`` is put
            before it where it does not stand there.
        on_error : {"raise", "drop", "mask"}, optional
            As in `new`.
        **named
            Other columns, as in `new`.

        Returns
        -------
        BaseDataset
            Of the same class, ``smiles`` (``target`` of pairs) being the decoded text.

        Raises
        ------
        TokenIdError
            (An IndexError.) If an id is no id of the vocabulary.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C"], CharacterVocab(["C", "O"]))
        >>> made = ds.from_ids([[0, 4, 5, 1, 2], [4, 4, 1, 5, 5]])
        >>> made.smiles.tolist(), made[1]
        (['CO', 'CC'], tensor([0, 4, 4, 1]))
        """
        rows = _cut(_matrix(ids))
        vocab = self.vocab_of_generated()
        text = vocab.decode_bytes(rows)  # which refuses ids that are none
        stored = Ragged(rows.values.astype(vocab.dtype), rows.offsets)
        return self._made(self._given((), {self.generated: text, **named}), on_error, stored).plain()

    def vocab_of_generated(self) -> Vocab:
        """The vocabulary of what a model writes."""
        return self.vocab


def _matrix(ids: Any) -> NDArray[Any]:
    """Rows of ids as (B, L) with L > 0, padded at their end."""
    if getattr(ids, "ndim", 1) == 2:
        matrix = ids_of(ids)
        return matrix if matrix.shape[1] else np.full((len(matrix), 1), PAD)
    rows = ids if isinstance(ids, Ragged) else Ragged.from_rows([ids_of(row) for row in ids], np.int64)
    return rows.to_padded(PAD, np.int64, max(int(rows.lengths.max(initial=0)), 1))


def _cut(ids: NDArray[Any]) -> Ragged:
    """Sampled rows: behind their first eos nothing, before them bos, no padding around them."""
    places, real, ends = np.arange(ids.shape[1]), ids != PAD, ids == EOS
    first = real.argmax(1)
    last = np.where(real.any(1), ids.shape[1] - real[:, ::-1].argmax(1), first)
    stop = np.where(ends.any(1), ends.argmax(1) + 1, last)
    keep = (first[:, None] <= places) & (places < stop[:, None])
    begun = (first < stop) & (ids[np.arange(len(ids)), first] == BOS)
    keep = np.concatenate([~begun[:, None], keep], axis=1)
    ids = np.concatenate([np.full((len(ids), 1), BOS, ids.dtype), ids], axis=1)
    return Ragged(ids[keep], np.concatenate([[0], np.cumsum(keep.sum(1))]))
