"""What a summary is made of: the rows of a table, or of anything like one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mrl.corpus import Corpus, ReadOptions, Table, TableColumn, open_corpus, read_blocks, recognise
from mrl.errors import NotationError
from mrl.ragged import Rejects, Text, as_text

_SEQUENCES = ("selfies", "protein", "nucleotide")
_LOOKED_AT = 1000  # rows
_ROWS = 200_000  # of a block
_NUMBERS = frozenset(f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)) | {"bool"}
_OF_LISTS = frozenset({"name", "cxsmiles"})  # columns that every list of SMILES has, most of them blank


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
        """Return the rows of a table or a column of molecules.

        Parameters
        ----------
        data : Table, Source or column of str
            Rows in memory; `Blocks` are those of files.
        name : str
            What they are called.

        Returns
        -------
        Source

        Raises
        ------
        ColumnError
            `data` is not a column.

        Examples
        --------
        >>> Source.of(Table({"smi": Text.of(["C"]), "y": np.array([0.5])}, smiles_column="smi")).columns
        {'y': array([0.5])}
        """
        if isinstance(data, cls):
            return data
        if not isinstance(data, Table):
            return cls(name or "molecules", as_text(data))
        return cls(
            name or "table",
            data.smiles,
            data.smiles_column,
            {name: column for name, column in data.columns.items() if name != data.smiles_column},
            data.rejects,
            data.rows,
            data.lines,
            {note: count for note, count in data.notes.items() if count},
        )

    def select(self, rows: NDArray[np.int64]) -> Source:
        """Return some rows, with their numbers and lines.

        Parameters
        ----------
        rows : ndarray of int64, shape (k,)

        Returns
        -------
        Source

        Examples
        --------
        >>> Source.of(["CCO", "CC"]).select(np.array([1])).numbers
        array([1])
        """
        columns = {name: column[rows] for name, column in self.columns.items()}
        lines = None if self.lines is None else self.lines[rows]
        return Source(self.name, self.smiles[rows], self.smiles_column, columns, rows=self.numbers[rows], lines=lines)

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


@dataclass(frozen=True, eq=False)
class Blocks:
    """Rows to summarise, block by block: those of files and corpora are never in memory together.

    Parameters
    ----------
    name : str
        What the rows are called.
    make : callable
        Returns an iterator over the blocks, the same ones each time.
    rows : int, optional
        How many there are, where that is known.
    optional : frozenset of str
        Columns that are no columns if all of their cells are blank.
    notation : str, optional
        What the texts are, where it is known; see `Source.notation`.

    Examples
    --------
    >>> blocks = Blocks.of(["CCO", "CC"])
    >>> blocks.name, [block.smiles.tolist() for block in blocks]
    ('molecules', [['CCO', 'CC']])
    """

    name: str
    make: Callable[[], Iterator[Source]]
    rows: int | None = None
    optional: frozenset[str] = frozenset()
    notation: str | None = None

    def __iter__(self) -> Iterator[Source]:
        return self.make()

    @classmethod
    def of(cls, data: Any, name: str = "") -> Self:
        """Return the rows of a file, a corpus, a table or a column of molecules.

        Parameters
        ----------
        data : path, Table, Corpus, Source, Blocks or column of str
            A file is read with all its columns; a folder is that of a corpus.
        name : str
            What they are called; by default the name of the file.

        Returns
        -------
        Blocks

        Raises
        ------
        MrlError
            See `mrl.read`.
        ColumnError
            `data` is not a column.

        Examples
        --------
        See the class.

        >>> Blocks.of(["C"], "some").name
        'some'
        """
        if isinstance(data, cls):
            return data
        if isinstance(data, str | os.PathLike) and Path(data).is_dir():
            data = open_corpus(data)
        if isinstance(data, Corpus):
            return cls(name or str(data.path), partial(_blocks_of_corpus, data), len(data))
        if isinstance(data, os.PathLike) or (isinstance(data, str) and Path(data).is_file()):
            return cls.read(data, name or os.fspath(data))
        source = Source.of(data, name)
        optional = _OF_LISTS if isinstance(data, Table) else frozenset[str]()
        return cls(source.name, lambda: iter([source]), len(source), optional)

    @classmethod
    def read(cls, path: Any, name: str, **reading: Any) -> Self:
        """Return the rows of files, with all columns; those that are not SMILES as they stand.

        Parameters
        ----------
        path : path, or several
            As `mrl.read` takes them.
        name : str
            What they are called.
        **reading
            Other arguments of `mrl.read`.

        Returns
        -------
        Blocks

        Raises
        ------
        MrlError
            See `mrl.read`.

        Examples
        --------
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp(), "a.smi")
        >>> _ = file.write_text("CCO\\n\\nC\\n")
        >>> [(block.smiles.tolist(), len(block.rejects)) for block in Blocks.read(file, "a")]
        [(['CCO', 'C'], 1)]
        """
        options = reading.pop("options", ReadOptions())
        arguments = {"others": True, **reading}
        held: Any = options.notation if options.notation in _SEQUENCES else None
        try:  # a FASTA file is sequences, whatever they look like
            next(read_blocks(path, options=replace(options, notation=options.notation or "smiles"), **arguments), None)
        except NotationError as error:
            if options.notation is not None or error.notation not in _SEQUENCES:
                raise
            held = error.notation
            options = replace(options, notation=held)

        def make() -> Iterator[Source]:
            return (Source.of(block, name) for block in read_blocks(path, options=options, **arguments))

        return cls(name, make, None, _OF_LISTS, held)


def _blocks_of_corpus(corpus: Corpus) -> Iterator[Source]:
    """Yield the texts and numbers of a corpus; features and token ids stay on the disk."""
    manifest, columns = corpus.manifest, corpus.columns
    taken = [
        column
        for column, kind in manifest.columns.items()
        if column in columns and column != manifest.smiles_column and (kind == "text" or kind in _NUMBERS)
    ]
    start = 0
    for entry in manifest.shards:
        end = start + entry.rows
        for first in range(start, end, _ROWS):
            rows = slice(first, min(first + _ROWS, end))
            yield Source(
                str(corpus.path),
                columns[manifest.smiles_column][rows],
                manifest.smiles_column,
                {name: columns[name][rows] for name in taken},
                rows=np.arange(rows.start, rows.stop),
                parts={entry.split: np.arange(rows.stop - rows.start)} if len(manifest.splits) > 1 else {},
            )
        start = end
    for rejects in corpus.reject_blocks():
        nothing: dict[str, TableColumn] = {name: columns[name].take(np.zeros(0, np.int64)) for name in taken}
        yield Source(
            str(corpus.path),
            Text.of([]),
            manifest.smiles_column,
            nothing,
            rejects,
            rows=np.zeros(0, np.int64),
        )
