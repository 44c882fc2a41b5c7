"""Every exception and warning of mrl.

An mrl exception subclasses the builtin that a caller would already catch (``ValueError``, ``IndexError``, ...), its
message ends with a way out, and the facts in it (row, column, value, ...) are attributes as well.
"""

from __future__ import annotations

from typing import Any, Self

__all__ = [
    "ColumnError",
    "CorpusError",
    "CorruptShard",
    "DatasetError",
    "DuplicateTokenError",
    "FeatureError",
    "FileFormatError",
    "MissingLabelsWarning",
    "MoleculeError",
    "MrlError",
    "NotationError",
    "PrepareError",
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
        What is wrong, with which value, what was expected, and the way out.
    **facts
        The facts in the message; each becomes an attribute. They are pickled.

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
    path: str | None = None
    line: int | None = None

    @classmethod
    def of(cls, row: int, column: str, value: object, expected: str) -> Self:
        """Return the error "row `row` of `column` is `value`; expected `expected`".

        Parameters
        ----------
        row : int
            Row number, from 0.
        column : str
            Name of the column.
        value : object
            The value; the message shows 80 characters of it at most.
        expected : str
            What is expected, and the way out.

        Returns
        -------
        RowError

        Examples
        --------
        >>> RowError.of(3, "y", "high", "a number")
        RowError("row 3 of y is 'high'; expected a number")
        """
        return cls(f"row {row} of {column} is {value!r:.80}; expected {expected}", row=row, column=column, value=value)


class ColumnError(MrlError, ValueError):
    """A column is missing, ambiguous, of a wrong kind or of a wrong length."""

    column: str
    path: str | None = None


class NotationError(ColumnError):
    """A column holds SELFIES, sequences or names where SMILES are expected."""

    notation: str


class ReadError(MrlError, ValueError):
    """A file cannot be read: as a table of molecules, as a model, or as a score."""

    path: str


class FileFormatError(MrlError, ValueError):
    """A file is damaged, was edited, or is of another format or version."""

    path: str


class CorruptShard(FileFormatError):
    """A shard, such as a file of a cache folder, is damaged, or of another program or version."""


class CorpusError(FileFormatError):
    """A corpus is incomplete, damaged or changed, or the folder holds something else."""


class PrepareError(MrlError, RuntimeError):
    """A corpus cannot be prepared here and now: a worker was ended, the disk is full, or an engine is missing."""


class MoleculeError(MrlError, ValueError):
    """A text is not a molecule."""

    text: str
    reason: str
    row: int | None = None


class FeatureError(MrlError, ValueError):
    """A function of a molecule failed, or returned something that is not a row of numbers."""

    text: str
    reason: str
    row: int | None = None


class VocabError(MrlError, ValueError):
    """A vocabulary cannot be built from these tokens or rules."""


class DuplicateTokenError(VocabError):
    """A token is given twice, so that one of its two ids would never be used."""

    token: str


class UnknownTokenError(MrlError, ValueError):
    """A text has a token that is not in the vocabulary, with ``on_unknown="raise"``, or one outside its grammar."""

    token: str
    row: int | None = None
    position: int | None = None


class TokenIdError(MrlError, IndexError):
    """An id is not an id of this vocabulary."""

    id: int
    row: int | None = None


class VocabFileError(FileFormatError):
    """A vocabulary file is damaged, was edited, or is of another program or version."""


class DatasetError(MrlError, ValueError):
    """An operation of a dataset is impossible with the rows that it has."""


class StateError(MrlError, ValueError):
    """A saved state does not belong to this loader, model or vocabulary."""

    differs: tuple[str, ...] = ()


class MissingLabelsWarning(UserWarning):
    """Most labels of a column are not numbers and were read as missing, as ``on_label="nan"`` requested."""


class UnknownTokenWarning(UserWarning):
    """Some tokens became ``unk``: the text cannot be recovered from these ids."""
