"""StoredColumn: a column of a corpus, read from the mapped files."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.corpus.store.kinds import parse_kind
from mrl.corpus.store.places import Places
from mrl.corpus.store.shard import corrupt, from_arrow
from mrl.corpus.store.shards import StoredShards
from mrl.errors import ColumnError
from mrl.messages import format_count
from mrl.ragged import FeaturizedColumn, StoredVectors, TokenizedColumn, row_numbers

FEW = 4  # rows, whose files are looked at each time that they are taken


class StoredColumn(TokenizedColumn, FeaturizedColumn):
    """A column of a corpus: rows are read from the mapped files when they are taken, and no row costs memory.

    Datasets take it as it is. NumPy, pandas and polars take it through ``numpy.asarray``, which reads all of it.

    Parameters
    ----------
    shards : StoredShards
        The files.
    name : str
        The name of the column.

    Attributes
    ----------
    name : str
        The name of the column.
    kind : str
        Its type, such as ``"text"``, ``"float64"``.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.corpus import Table, open_corpus, save_corpus
    >>> from mrl.ragged import Text
    >>> folder = tempfile.mkdtemp()
    >>> save_corpus(Table({"smiles": Text.of(["CCO", "C", "N"]), "y": np.array([0.5, 1.5, 2.5])}), folder)
    >>> corpus = open_corpus(folder)
    >>> column = corpus["smiles"]
    >>> column, len(column), column[0], column[-2:]
    (StoredColumn(smiles: 3 rows of text), 3, 'CCO', Text(2 rows, 2 bytes: 'C', 'N'))
    >>> column.take([2, 0]).tolist(), corpus["y"].take([2, 0])
    (['N', 'CCO'], array([2.5, 0.5]))
    >>> corpus["y"].dtype, corpus["y"].shape, [part.tolist() for part in corpus["y"].parts()]
    (dtype('float64'), (3,), [[0.5, 1.5, 2.5]])
    >>> column.arrow_type, column.arrow_part(0).to_pylist(), column.digest == corpus["y"].digest
    (DataType(large_string), ['CCO', 'C', 'N'], False)
    """

    def __init__(self, shards: StoredShards, name: str) -> None:
        self.name = name
        self.kind = shards.manifest.columns[name]
        self._shards = shards
        self._kind = parse_kind(self.kind)
        self._places = Places(shards, name, self._kind)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of its values; that of bytes for text."""
        return self._kind.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """(n,), or (n, T) for T numbers in each row."""
        return (len(self), *self._kind.width)

    def __len__(self) -> int:
        return int(self._shards.starts[-1])

    def take(self, rows: Any) -> Any:
        """Return some rows, in memory of their own.

        Parameters
        ----------
        rows : array of int, or mask
            Which rows, in any order, repeats allowed.

        Returns
        -------
        Text, Ragged or ndarray
            (k,), or (k, T).

        Raises
        ------
        IndexError
            They are not rows of this column.
        CorpusError
            A file is damaged, or has changed since the corpus was opened.

        Examples
        --------
        See the class.
        """
        return self._places.take(self._readable(rows))

    def spans(self, rows: Any) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Return where some rows of text or ids lie in memory, for loops that read them there; see `RaggedColumn`.

        Parameters
        ----------
        rows : array of int, or mask
            As in `take`.

        Returns
        -------
        values : ndarray, 1-D
            Contains the rows, and must be read nowhere else.
        spans : ndarray of int64, shape (2 k,)
            Where each row begins in `values`, and where it ends.

        Raises
        ------
        IndexError, CorpusError
            As in `take`.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> from mrl.ragged import Text
        >>> folder = tempfile.mkdtemp()
        >>> save_corpus(Table({"smiles": Text.of(["CCO", "N"])}), folder)
        >>> values, (begin, end) = open_corpus(folder).smiles.spans([0])
        >>> bytes(values[begin:end])
        b'CCO'
        """
        if not self._kind.is_ragged:
            raise ColumnError(f"column {self.name!r} is {self.kind}, expected text or ragged rows", column=self.name)
        return self._places.spans(self._readable(rows))

    def _readable(self, rows: Any) -> NDArray[np.int64]:
        """Return row numbers, after they and the files have been checked."""
        numbers = row_numbers(rows, len(self))
        few = np.searchsorted(self._shards.starts, numbers, side="right") - 1 if len(numbers) <= FEW else ()
        self._shards.require_unchanged(few)
        return numbers

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            first, stop, step = index.indices(len(self))
            if step == 1 and first < stop:
                return self._span(first, stop)
            return self.take(np.arange(first, stop, step))
        if np.ndim(index):
            return self.take(index)
        if not -len(self) <= (row := operator.index(index)) < len(self):
            raise IndexError(f"row {row} of column {self.name!r}, which has {len(self)} rows")
        return self.take(np.array([row % len(self)]))[0]

    def _span(self, first: int, stop: int) -> Any:
        """Return rows that follow each other, in the memory of the file where they lie in one."""
        starts = self._shards.starts
        k = int(np.searchsorted(starts, first, side="right")) - 1
        if stop > starts[k + 1]:
            return self.take(np.arange(first, stop))
        return self._part(k)[first - int(starts[k]) : stop - int(starts[k])]

    def _part(self, k: int) -> Any:
        self._shards.require_unchanged((k,))
        array = self._shards.array(k, self.name)
        try:
            if array.type != self._kind.arrow_type:
                raise ValueError(f"it is {array.type}, not {self.kind}")
            return from_arrow(array)
        except ValueError as error:
            raise corrupt(self._shards.folder, f"column {self.name!r} of shard {k} is invalid ({error})") from None

    def token_ids(self, fingerprint: str) -> StoredColumn | None:
        """Return the column of the ids of this text, which `Corpus.add_tokens` has written.

        Parameters
        ----------
        fingerprint : str
            That of the vocabulary.

        Returns
        -------
        StoredColumn or None
            None if there are none, or those of another vocabulary.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> from mrl.ragged import Text
        >>> from mrl.text import SmilesVocab
        >>> folder = tempfile.mkdtemp()
        >>> save_corpus(Table({"smiles": Text.of(["CCO"])}), folder, vocab=SmilesVocab())
        >>> corpus = open_corpus(folder).add_tokens()
        >>> corpus.smiles.token_ids(corpus.vocab.fingerprint()), corpus.smiles.token_ids("another")
        (StoredColumn(smiles_tokens: 1 row of ragged uint16), None)
        """
        manifest = self._shards.manifest
        if self.name not in manifest.tokens or fingerprint != manifest.vocab_fingerprint:
            return None
        return StoredColumn(self._shards, manifest.tokens[self.name])

    def vectors(self, key: str) -> StoredVectors | None:
        """Return the vectors of these molecules that are kept beside them.

        Parameters
        ----------
        key : str
            What identifies their computation; see `mrl.features.key_of`.

        Returns
        -------
        StoredVectors or None
            None if this is not the column of molecules, or there are none of that computation.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> from mrl.ragged import Text
        >>> folder = tempfile.mkdtemp()
        >>> save_corpus(Table({"smiles": Text.of(["CCO", "C"])}), folder)
        >>> open_corpus(folder).smiles.vectors("ecfp4") is None
        True
        """
        manifest = self._shards.manifest
        if self.name != manifest.smiles_column:
            return None
        name = next((name for name, entry in manifest.features.items() if entry.key == key), None)
        if name is None:
            return None
        entry = manifest.features[name]
        return StoredVectors(StoredColumn(self._shards, name), entry.size, entry.dtype, entry.bits)

    def parts(self) -> Iterator[Any]:
        """Yield the rows in their order, those of a shard at once, in the memory of the file.

        Yields
        ------
        Text, Ragged or ndarray
        """
        for k in range(len(self._shards.manifest.shards)):
            yield self._part(k)

    def __iter__(self) -> Iterator[Any]:
        for part in self.parts():
            yield from part

    def tolist(self) -> list[Any]:
        """Return all rows as Python values.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> from mrl.ragged import Text
        >>> folder = tempfile.mkdtemp()
        >>> save_corpus(Table({"smiles": Text.of(["CCO", "C"])}), folder)
        >>> open_corpus(folder).smiles.tolist()
        ['CCO', 'C']
        """
        return [value for part in self.parts() for value in part.tolist()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a column on disk cannot become an array without a copy")
        if self._kind.is_ragged:
            return np.fromiter(self if self._kind.is_text else self.tolist(), object, len(self)).astype(dtype or object)
        values = np.concatenate([np.zeros((0, *self._kind.width), self.dtype), *self.parts()])
        return values.astype(dtype or self.dtype, copy=False)

    @property
    def arrow_type(self) -> Any:
        """The type that Arrow has for it."""
        return self._kind.arrow_type

    def arrow_part(self, k: int) -> Any:
        """Return the rows of shard `k` as an Arrow array, in the memory of the file."""
        self._shards.require_unchanged((k,))
        array = self._shards.array(k, self.name)
        try:
            array.validate(full=True)
        except pa.ArrowException as error:
            raise corrupt(self._shards.folder, f"column {self.name!r} of shard {k} is invalid ({error})") from None
        return array

    def to_arrow(self) -> Any:
        """Return the column for Arrow, in the memory of the files.

        Returns
        -------
        pyarrow.ChunkedArray
            One chunk for each shard.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> from mrl.ragged import Text
        >>> folder = tempfile.mkdtemp()
        >>> save_corpus(Table({"smiles": Text.of(["CCO"])}), folder)
        >>> open_corpus(folder).smiles.to_arrow().to_pylist()
        ['CCO']
        """
        parts = [self.arrow_part(k) for k in range(len(self._shards.manifest.shards))]
        return pa.chunked_array(parts, self.arrow_type)

    @property
    def digest(self) -> str:
        """A hash of the name, the type and the digests of the files that hold the column."""
        files = (file for entry in self._shards.manifest.shards for file in entry.files if self.name in file.columns)
        text = "\n".join([self.name, self.kind, *(file.digest for file in files)])
        return hashlib.sha256(text.encode()).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredColumn, (self._shards, self.name)

    def __repr__(self) -> str:
        return f"StoredColumn({self.name}: {format_count(len(self), 'row')} of {self.kind})"
