"""What a summary is made of: the rows of a table, or of anything like one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mrl.corpus import Corpus, ReadOptions, Table, TableColumn, open_corpus, read, recognise
from mrl.errors import NotationError
from mrl.ragged import Rejects, Text, as_text

_LOOKED_AT = 1000  # rows
_NUMBERS = frozenset(f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)) | {"bool"}
_OF_LISTS = ("name", "cxsmiles")  # columns that every list of SMILES has, most of them blank


@dataclass(frozen=True, eq=False)
class Source:
    """Rows to summarise, and those that were rejected before.

    Parameters
    ----------
    name : str
        What the rows are called, for instance the name of their file.
    smiles : Text
        n texts of molecules.
    smiles_column : str
        The name of their column.
    columns : mapping of str to Text or ndarray, each of n rows
        The other columns.
    rejects : Rejects
        The rows that were rejected when the others were read or prepared.
    rows : ndarray of int64, shape (n,), optional
        The number of each row in the file; 0 to n - 1 if not given.
    lines : ndarray of int64, shape (n,), optional
        The line of the file in which each row begins.
    notes : mapping of str to int
        What was done to cells of rows that were kept, and how often.
    parts : mapping of str to array of int, optional
        Name of a part, such as train -> its rows.

    Examples
    --------
    >>> source = Source.of(["CCO", "CC"])
    >>> len(source), source.smiles_column, source.total
    (2, 'smiles', 2)
    """

    name: str
    smiles: Text
    smiles_column: str = "smiles"
    columns: Mapping[str, TableColumn] = field(default_factory=dict)
    rejects: Rejects = field(default_factory=Rejects)
    rows: NDArray[np.int64] | None = None
    lines: NDArray[np.int64] | None = None
    notes: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Any, name: str = "") -> Self:
        """Return the rows of a file, a corpus, a table or a column of molecules.

        Parameters
        ----------
        data : path, Table, Corpus, Source or column of str
            A file is read with all its columns; a folder is that of a corpus.
        name : str
            What they are called; by default the name of the file.

        Returns
        -------
        Source

        Raises
        ------
        MrlError
            See `mrl.read`.
        ColumnError
            `data` is not a column.

        Examples
        --------
        >>> Source.of(Table({"smi": Text.of(["C"]), "y": np.array([0.5])}, smiles_column="smi")).columns
        {'y': array([0.5])}
        """
        if isinstance(data, cls):
            return data
        if isinstance(data, str | os.PathLike) and Path(data).is_dir():
            data = open_corpus(data)
        if isinstance(data, Corpus):
            return cls._of_corpus(data, name or str(data.path))
        if isinstance(data, os.PathLike) or (isinstance(data, str) and Path(data).is_file()):
            return cls.of(_read(data), name or os.fspath(data))
        if not isinstance(data, Table):
            return cls(name or "molecules", as_text(data))
        others = {
            name: column
            for name, column in data.columns.items()
            if name != data.smiles_column
            and not (name in _OF_LISTS and isinstance(column, Text) and not len(column.flat))
        }
        return cls(
            name or "table",
            data.smiles,
            data.smiles_column,
            others,
            data.rejects,
            data.rows,
            data.lines,
            {note: count for note, count in data.notes.items() if count},
        )

    @classmethod
    def _of_corpus(cls, corpus: Corpus, name: str) -> Self:
        """Return the texts and numbers of a corpus; features and token ids stay on the disk."""
        manifest, columns = corpus.manifest, corpus.columns
        taken = [
            column
            for column, kind in manifest.columns.items()
            if column != manifest.smiles_column and (kind == "text" or kind in _NUMBERS)
        ]
        parts: dict[str, list[NDArray[np.int64]]] = {}
        start = 0
        for entry in manifest.shards:
            if entry.split:
                parts.setdefault(entry.split, []).append(np.arange(start, start + entry.rows))
            start += entry.rows
        return cls(
            name,
            columns[manifest.smiles_column][:],
            manifest.smiles_column,
            {column: columns[column][:] for column in taken},
            corpus.rejects,
            parts={part: np.concatenate(rows) for part, rows in parts.items()} if len(parts) > 1 else {},
        )

    @property
    def notation(self) -> str:
        """What most texts are: "smiles" if nothing speaks against it, "selfies", "protein", "nucleotide" or "text".

        Examples
        --------
        >>> Source.of(["MKVL", "ACDE"]).notation
        'protein'
        """
        rows = np.unique(np.linspace(0, max(len(self) - 1, 0), min(len(self), _LOOKED_AT)).astype(np.int64))
        return recognise(self.smiles.take(rows).tolist()).notation

    @property
    def total(self) -> int:
        """The rows and the rejected ones."""
        return len(self) + len(self.rejects)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The number of each row in the file, shape (n,).

        Examples
        --------
        >>> Source.of(["CCO", "CC"]).numbers
        array([0, 1])
        """
        return np.arange(len(self)) if self.rows is None else self.rows

    def __len__(self) -> int:
        return len(self.smiles)


def _read(path: str | os.PathLike[str]) -> Table:
    """Read a file with all its columns; rows that are not SMILES as they stand."""
    try:
        return read(path, others=True)
    except NotationError as error:
        if error.notation not in ("selfies", "protein", "nucleotide"):
            raise
        held: Any = error.notation
        return read(path, others=True, options=ReadOptions(notation=held))
