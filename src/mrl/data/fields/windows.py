"""The field of rows that are windows over longer ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.data.columns import Rows64
from mrl.data.fields.field import Field
from mrl.data.fields.selection import RowSelection
from mrl.data.fields.tokens import Tokens
from mrl.data.windows import WindowedText
from mrl.errors import DatasetError
from mrl.ragged import Ragged


class WindowedTokens(Field):
    """The token ids of windows over texts: each row a part of a text's ids, with ``bos`` and ``eos`` only at its ends.

    Nothing is copied of texts in memory.

    Parameters
    ----------
    tokens : Tokens
        The ids of the whole texts.
    column : WindowedText
        The texts, and the windows over them.

    Examples
    --------
    >>> from mrl.data.windows import Windows
    >>> from mrl.ragged import Text
    >>> from mrl.text import NucleotideVocab
    >>> text = Text.of(["ACGTA"])
    >>> tokens = Tokens(text, NucleotideVocab())
    >>> field = WindowedTokens(tokens, WindowedText(text, Windows(3).cut(tokens.lengths(), 4)))
    >>> [field.sample(row)[0].tolist() for row in range(2)], field.lengths()
    ([[0, 4, 5, 6], [6, 7, 4, 1]], array([4, 4]))
    """

    def __init__(self, tokens: Tokens, column: WindowedText) -> None:
        self.tokens = tokens
        self.column = column
        self.names = tokens.names
        self.vocab = tokens.vocab

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[RowSelection]:
        windows = self.column.windows
        texts = windows.rows[rows]
        (selection,) = self.tokens.gather(texts, epoch)
        if not np.array_equal(selection.lengths, windows.row_lengths[texts]):
            raise DatasetError(
                "the vocabulary has learned tokens since the windows were made, so that the texts have other ids now; "
                "make the dataset again: ds.new(texts)"
            )
        begins = selection.offsets[selection.rows] + windows.offsets[rows]
        spans = np.stack([begins, begins + windows.lengths[rows]], axis=1).reshape(-1)
        return (RowSelection.of_spans(selection.values, spans, selection.width),)

    def lengths(self) -> NDArray[np.int64]:
        return self.column.windows.lengths

    def prepare(self) -> None:
        self.tokens.prepare()

    def with_ids(self, column: Any, ids: Ragged) -> WindowedTokens:
        if column is not self.column:
            return self
        return WindowedTokens(self.tokens.with_ids(self.column.text, ids), self.column)

    def fingerprint(self) -> str:
        return f"{super().fingerprint()} {self.tokens.fingerprint()}"
