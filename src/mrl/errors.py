"""Every exception and warning of mrl.

An mrl exception subclasses the builtin that a caller would already catch (``ValueError``, ``IndexError``, ...), its
message ends with a way out, and the facts of the message (row, column, value, ...) are attributes as well.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "ColumnError",
    "DatasetError",
    "DuplicateTokenError",
    "FeatureError",
    "MoleculeError",
    "MrlError",
    "ReadError",
    "RowError",
    "StateError",
    "TokenIdError",
    "UnknownTokenError",
    "UnknownTokenWarning",
    "VocabError",
    "VocabFileError",
]


class MrlError(Exception):
    """Base of everything that mrl raises on purpose.

    Parameters
    ----------
    message : str
        What was wrong, with which value, what was expected, and the way out.
    **facts
        The same facts for a program; each becomes an attribute. They survive pickling.

    Examples
    --------
    >>> error = MoleculeError("row 3: 'C(' is not a molecule", text="C(", row=3)
    >>> error.row, error.text, isinstance(error, ValueError)
    (3, 'C(', True)
    """

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.__dict__.update(facts)


class RowError(MrlError, ValueError):
    """A value of one row is not what its column needs."""

    row: int
    column: str
    value: object


class ColumnError(MrlError, ValueError):
    """A column is missing, ambiguous, of a wrong kind or of a wrong length."""

    column: str


class ReadError(MrlError, ValueError):
    """A file cannot be read as a table of molecules."""

    path: str


class MoleculeError(MrlError, ValueError):
    """A text is not a molecule."""

    text: str
    reason: str
    row: int | None = None


class FeatureError(MrlError, ValueError):
    """A function of a molecule failed, or returned what cannot be put into a row of numbers."""

    text: str
    reason: str
    row: int | None = None


class VocabError(MrlError, ValueError):
    """A vocabulary cannot be made from these tokens or rules."""


class DuplicateTokenError(VocabError):
    """The same token was given twice, so that one of its two ids would never be used."""

    token: str


class UnknownTokenError(MrlError, ValueError):
    """A text has a token that the vocabulary has not, and ``on_unknown="raise"`` was asked for."""

    token: str
    row: int | None = None
    position: int | None = None


class TokenIdError(MrlError, IndexError):
    """An id is no id of this vocabulary."""

    id: int
    row: int | None = None


class VocabFileError(MrlError, ValueError):
    """A vocabulary file is damaged, foreign, or from another version."""

    path: str


class DatasetError(MrlError, ValueError):
    """A data set cannot do what was asked of it with the rows it has."""


class StateError(MrlError, ValueError):
    """A saved state does not belong to this loader."""

    differs: tuple[str, ...] = ()


class UnknownTokenWarning(UserWarning):
    """Some tokens became ``unk``: the text cannot be recovered from these ids."""
