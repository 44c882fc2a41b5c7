"""Rows of different lengths in two flat arrays, texts as such rows, and the table of refused rows."""

from mrl.ragged._pieces import NotAscii, Pieces
from mrl.ragged._ragged import Ragged
from mrl.ragged._rejects import Reject, Rejects
from mrl.ragged._text import Text

__all__ = ["NotAscii", "Pieces", "Ragged", "Reject", "Rejects", "Text"]
