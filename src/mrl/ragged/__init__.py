"""Rows of different lengths in two flat arrays, texts as such rows, columns of other libraries, and rejected rows."""

from mrl.ragged._pieces import NotAscii, Pieces
from mrl.ragged._ragged import Ragged
from mrl.ragged._rejects import Reject, Rejects
from mrl.ragged._text import Text, as_text
from mrl.ragged.columns import Column, as_list, is_column, is_missing
from mrl.ragged.intake import as_array, as_column

__all__ = [
    "Column",
    "NotAscii",
    "Pieces",
    "Ragged",
    "Reject",
    "Rejects",
    "Text",
    "as_array",
    "as_column",
    "as_list",
    "as_text",
    "is_column",
    "is_missing",
]
