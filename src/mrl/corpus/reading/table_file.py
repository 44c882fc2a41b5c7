"""What the readers of single files have in common: a header, and blocks of rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl.corpus.reading.notation import Notation
from mrl.ragged import Reject


class Block(NamedTuple):
    """Some rows of a file, n of them with the cells of the header.

    Attributes
    ----------
    columns : dict of str to Arrow array of shape (n,)
        Cells of a text file are text, or bytes where the file is not UTF-8.
    rows : ndarray of int64, shape (n,)
        The positions of the n rows in the file, from 0.
    rejects : list of Reject
        Rows with other cells, by their position in the file; each is in one of the blocks.
    notes : dict of str to int
        What was left out of the rows, and how often.
    """

    columns: dict[str, Any]
    rows: NDArray[np.int64]
    rejects: list[Reject]
    notes: dict[str, int] = {}  # noqa: RUF012


class TableFile(ABC):
    """A file whose header has been read.

    Attributes
    ----------
    path : str
        The file, for messages.
    names : tuple of str
        The names of its columns.
    has_name_suffix : bool
        A row is one cell with a SMILES and perhaps a name after it; it is the first column, and the second one
        consists of the names.
    name_first : bool
        The names stood in front of the SMILES.
    has_nul : bool
        There is a NUL byte somewhere.
    molecules : str or None
        The column of molecules, where it is the only one that can be.
    notation : str
        What that column holds unless the user says otherwise.
    """

    path: str
    names: tuple[str, ...]
    has_name_suffix: bool = False
    name_first: bool = False
    has_nul: bool = False
    molecules: str | None = None
    notation: Notation = "smiles"

    @abstractmethod
    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read some of the columns, block by block, every row of the file in one of the blocks."""

    @abstractmethod
    def lines(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the line, from 1, in which each of some rows begins, which have been read; None without lines."""
