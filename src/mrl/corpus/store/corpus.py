"""Corpus: rows on disk, opened without reading them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from mrl.corpus.store import adding, saving
from mrl.corpus.store.column import StoredColumn
from mrl.corpus.store.exporting import export
from mrl.corpus.store.manifest import Manifest
from mrl.corpus.store.shards import StoredShards
from mrl.corpus.store.stacked import StackedColumns
from mrl.corpus.store.verification import Verify, checked_stamps, other_files, problems
from mrl.corpus.table import Table
from mrl.errors import ColumnError, CorpusError, VocabError
from mrl.files import AnyPath
from mrl.messages import did_you_mean, format_count, format_names
from mrl.progress import Progress
from mrl.ragged import Rejects, Tabular, row_numbers
from mrl.text import Vocab


def open_corpus(folder: AnyPath, *, verify: Verify = "stamp", progress: Progress = None) -> Corpus:
    """Open a corpus, which `prepare_corpus` or ``mrl prepare`` has written; its rows stay on disk.

    Parameters
    ----------
    folder : path
        The folder with ``manifest.json``.
    verify : {"stamp", "full", "never"}
        Every file is always compared with its listed size. ``"stamp"`` computes the digests of files that are new or
        have changed since they were checked here; ``"full"`` computes all; ``"never"`` none.
    progress : callable, bool or None
        See `featurize`; of the files whose digests are computed.

    Returns
    -------
    Corpus

    Raises
    ------
    CorpusError, CorruptShard
        The folder is not a corpus or not complete; a file is missing, damaged, or not the one that is listed. They are
        of the class ``ValueError``.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.corpus import Table, save_corpus
    >>> from mrl.ragged import Text
    >>> save_corpus(Table({"smiles": Text.of(["CCO", "C"])}), folder := tempfile.mkdtemp())
    >>> corpus = open_corpus(folder)
    >>> corpus, corpus.smiles[0]
    (Corpus(2 rows: smiles), 'CCO')
    """
    if verify not in ("stamp", "full", "never"):
        raise ValueError(f"verify is {verify!r}; expected 'stamp', 'full' or 'never'")
    path = Path(folder)
    manifest = Manifest.load(path)
    return Corpus(StoredShards(path, manifest, checked_stamps(path, manifest, verify, progress)))


class Corpus(Tabular):
    """Rows on disk with their columns, vocabulary, splits and rejects; `open_corpus` opens one.

    Parameters
    ----------
    shards : StoredShards
        The files.

    Attributes
    ----------
    path : Path
        Its folder.
    manifest : Manifest
        What it holds and how it was made.
    columns : dict of str to StoredColumn
        By name; what a dataset takes: ``TextDataset(corpus["smiles"], corpus.vocab)``.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.corpus import Table, save_corpus
    >>> from mrl.ragged import Text
    >>> table = Table({"smiles": Text.of(["CCO", "C"]), "y": np.array([0.5, 1.5])}, targets=("y",))
    >>> save_corpus(table, folder := tempfile.mkdtemp())
    >>> corpus = open_corpus(folder)
    >>> len(corpus), corpus[0], corpus.y.take([1])
    (2, {'smiles': 'CCO', 'y': 0.5}, array([1.5]))
    >>> corpus[:1], corpus.smiles, corpus.rejects, dict(corpus.splits)
    (Table(1 row: smiles, y), StoredColumn(smiles: 2 rows of text), no rejects, {})
    >>> corpus.vocab
    Traceback (most recent call last):
    ...
    mrl.errors.CorpusError: ... has no vocabulary: prepare it with one, or learn one, \
SmilesVocab.from_data(corpus.smiles)
    """

    def __init__(self, shards: StoredShards) -> None:
        self._shards = shards
        self.path = shards.folder
        self.manifest = shards.manifest
        ids = set(shards.manifest.tokens.values())
        self.columns: dict[str, StoredColumn] = {
            name: StoredColumn(shards, name) for name in shards.manifest.columns if name not in ids
        }

    def __len__(self) -> int:
        return int(self._shards.starts[-1])

    @property
    def smiles(self) -> StoredColumn:
        """The molecules."""
        return self.columns[self.manifest.smiles_column]

    @property
    def y(self) -> StoredColumn | StackedColumns:
        """The labels: the column if there is one, else all side by side; a ``ColumnError`` if there are none."""
        targets = [self.columns[name] for name in self.manifest.targets]
        if not targets:
            raise ColumnError("this corpus has no labels: prepare it with targets=[...] (--target-columns)", column="y")
        return targets[0] if len(targets) == 1 else StackedColumns(targets)

    @cached_property
    def vocab(self) -> Vocab:
        """The vocabulary; a ``CorpusError`` if there is none, or it is another one."""
        file = self.manifest.vocab
        if file is None:
            raise CorpusError(
                f"{self.path} has no vocabulary: prepare it with one, or learn one, "
                "SmilesVocab.from_data(corpus.smiles)",
                path=str(self.path),
            )
        vocab = Vocab.load(self.path / file.name)
        if vocab.fingerprint() != self.manifest.vocab_fingerprint:
            raise CorpusError(
                f"{self.path / file.name} is another vocabulary than the one that the corpus was prepared with: copy "
                "the whole folder again",
                path=str(self.path / file.name),
            )
        return vocab

    @cached_property
    def splits(self) -> Mapping[str, Corpus]:
        """The parts of the split by name, each a corpus; empty without a split."""
        shards = self._shards
        parts = {name: shards.select(self.manifest.select(name)) for name in self.manifest.splits}
        return MappingProxyType({name: Corpus(part) for name, part in parts.items()})

    @cached_property
    def rejects(self) -> Rejects:
        """The rows that were left out in preparation: row, text, stage, reason, line; read when first used."""
        return Rejects.concat(self.reject_blocks())

    def reject_blocks(self) -> Iterator[Rejects]:
        """Yield the rejects in their order, some thousands at once.

        Yields
        ------
        Rejects

        Raises
        ------
        CorpusError
            The file is damaged.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> from mrl.ragged import Text
        >>> table = Table({"smiles": Text.of(["C"])}, Rejects([(1, "C(", "parse", "syntax")]))
        >>> save_corpus(table, folder := tempfile.mkdtemp())
        >>> [len(rejects) for rejects in open_corpus(folder).reject_blocks()]
        [1]
        """
        if self.manifest.rejects is None:
            return
        import pyarrow.parquet as parquet

        path = self.path / self.manifest.rejects.name
        try:
            with parquet.ParquetFile(path) as file:
                for batch in file.iter_batches():
                    yield Rejects.from_columns(batch.to_pydict())
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise CorpusError(f"{path} is damaged ({error}): copy the whole folder again", path=str(path)) from None

    def __getitem__(self, index: Any) -> Any:
        """Return a column by its name, a row as a dict by its number, rows as a `Table` by a slice or an array."""
        if isinstance(index, str):
            if index not in self.columns:
                suggestion = did_you_mean(index, self.columns)
                raise ColumnError(
                    f"no column {index!r}{suggestion}; the corpus has {format_names(self.columns)}", column=index
                )
            return self.columns[index]
        if isinstance(index, slice) or np.ndim(index):
            rows = np.arange(len(self))[index] if isinstance(index, slice) else row_numbers(index, len(self))
            columns = {name: column[index] for name, column in self.columns.items()}
            return Table(
                columns, rows=rows, smiles_column=self.manifest.smiles_column, targets=tuple(self.manifest.targets)
            )
        return {name: _plain(column[index]) for name, column in self.columns.items()}

    def verify(self, progress: Progress = None) -> list[str]:
        """Compute the digests of all files, and look for files that do not belong here.

        Parameters
        ----------
        progress : callable, bool or None
            See `featurize`.

        Returns
        -------
        list of str
            The problems; empty if every byte is as it was written.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, save_corpus
        >>> from mrl.ragged import Text
        >>> save_corpus(Table({"smiles": Text.of(["CCO"])}), folder := tempfile.mkdtemp())
        >>> open_corpus(folder).verify()
        []
        """
        found = [str(error) for error in problems(self.path, self.manifest, self.manifest.files, progress)]
        others = other_files(self.path, self.manifest)
        return found + [f"{self.path / name} is not a part of the corpus: remove it" for name in others]

    def add_column(self, name: str, values: Any, progress: Progress = None) -> Corpus:
        """Write a column beside the others, whose files stay as they are.

        Parameters
        ----------
        name : str
            A new name.
        values : column of n values, function, or iterator of columns
            Text, one number in each row, or T numbers. A function is called with the rows of each shard as a `Table`,
            and returns their values; an iterator yields the values of some rows after the other. With both, no more
            than a shard is in memory.
        progress : callable, bool or None
            See `featurize`.

        Returns
        -------
        Corpus
            With the new column; this one stays without it.

        Raises
        ------
        ColumnError
            The name is taken, or it has another number of values, or they are neither text nor numbers.
        CorpusError
            This is a part of a corpus, or the corpus has changed.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, save_corpus
        >>> from mrl.ragged import Text
        >>> save_corpus(Table({"smiles": Text.of(["CCO", "C"])}), folder := tempfile.mkdtemp())
        >>> corpus = open_corpus(folder).add_column("atoms", [3, 1])
        >>> corpus = corpus.add_column("bytes", lambda table: table.smiles.lengths)
        >>> corpus["atoms"].take([1, 0]), corpus["bytes"].take([1, 0])
        (array([1, 3]), array([1, 3]))
        """
        self._require_whole()
        parts = adding.parts_of(values, name, self.columns, self.manifest)
        manifest, kind = adding.add_column(self.path, self.manifest, name, parts, progress)
        return self._saved(manifest, {"added column": name, "type": kind})

    def add_tokens(self, vocab: Vocab | None = None, column: str | None = None, progress: Progress = None) -> Corpus:
        """Encode the text once, and write the ids beside it: datasets with the vocabulary of the corpus use them.

        Parameters
        ----------
        vocab : Vocab, optional
            For a corpus without a vocabulary, which then has this one.
        column : str, optional
            A column of text; the molecules by default.
        progress : callable, bool or None
            See `featurize`.

        Returns
        -------
        Corpus
            With the ids, which are not among its columns; this one stays without them.

        Raises
        ------
        CorpusError
            The corpus has no vocabulary, or another one; or this is a part of a corpus.
        ColumnError
            The column is not text, or its ids are there already.
        VocabError
            The vocabulary runs code of its own, so that no ids can be kept for it.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, save_corpus
        >>> from mrl.data import TextDataset
        >>> from mrl.ragged import Text
        >>> from mrl.text import CharacterVocab
        >>> save_corpus(Table({"smiles": Text.of(["CCO", "C"])}), folder := tempfile.mkdtemp())
        >>> corpus = open_corpus(folder).add_tokens(CharacterVocab("CO"))
        >>> TextDataset(corpus.smiles, corpus.vocab)[0]
        tensor([0, 4, 4, 5, 1])
        """
        self._require_whole()
        name, manifest = self.manifest.smiles_column if column is None else column, self.manifest
        if self[name].kind != "text":
            raise ColumnError(f"column {name!r} is {self[name].kind}, expected text", column=name)
        if vocab is None or manifest.vocab is not None:
            if vocab is not None and vocab.fingerprint() != manifest.vocab_fingerprint:
                raise CorpusError(
                    f"{self.path} has another vocabulary: leave out vocab, to write the ids of its own; a dataset with "
                    "any other encodes the text when it is read",
                    path=str(self.path),
                )
            vocab = self.vocab
        if vocab.engine == "python":
            reason = vocab.engine_reason
            raise VocabError(f"ids of this vocabulary cannot be kept, because it runs its own code: {reason}")
        if manifest.vocab is None:
            stored = saving.write_vocab(vocab, self.path)
            manifest = replace(manifest, vocab=stored, vocab_fingerprint=vocab.fingerprint())
        encode = vocab.encode
        parts = (encode(table[name]) for table in adding.tables(self.columns, self.manifest))
        manifest, _ = adding.add_column(self.path, manifest, f"{name}_tokens", parts, progress)
        tokens = {**manifest.tokens, name: f"{name}_tokens"}
        return self._saved(replace(manifest, tokens=tokens), {"added tokens of": name, "vocab": vocab.fingerprint()})

    def append(self, table: Table, *, split: str = "") -> Corpus:
        """Write rows after the others, as they are; the files that are there stay as they are.

        Whether a molecule is there already is not looked at.

        Parameters
        ----------
        table : Table
            With the columns of the corpus, of the same types.
        split : str
            The part of the split that the rows belong to, in a corpus with a split.

        Returns
        -------
        Corpus
            With the new rows; this one stays without them.

        Raises
        ------
        ColumnError
            Columns are missing, or others, or of other types.
        ValueError
            There is no such part of the split.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, save_corpus
        >>> from mrl.ragged import Text
        >>> save_corpus(Table({"smiles": Text.of(["CCO", "C"])}), folder := tempfile.mkdtemp())
        >>> open_corpus(folder).append(Table({"smiles": Text.of(["N"])})).smiles[2]
        'N'
        """
        self._require_whole()
        saving.append(self.path, self.manifest, table, split, self.vocab if self.manifest.tokens else None)
        return open_corpus(self.path)

    def to_arrow(self) -> Any:
        """Return the columns as an Arrow table in the memory of the files, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n rows, in one chunk for each shard; nothing is copied. Bits of fingerprints are packed.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import load_sample, save_corpus
        >>> save_corpus(load_sample()[:2], folder := tempfile.mkdtemp())
        >>> open_corpus(folder).to_arrow().num_rows
        2
        """
        return pa.table({name: column.to_arrow() for name, column in self.columns.items()})

    def export(self, path: AnyPath, progress: Progress = None) -> None:
        """Write all rows for other programs, shard by shard.

        Parameters
        ----------
        path : path
            A ``.parquet``, ``.csv``, ``.tsv`` or ``.arrow`` file; or a new folder, for Parquet files with the names of
            the splits, which HuggingFace's ``datasets.load_dataset`` takes as a data set.
        progress : callable, bool or None
            See `featurize`.

        Raises
        ------
        ValueError
            Another suffix.
        CorpusError
            The folder holds something already.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, read, save_corpus
        >>> from mrl.ragged import Text
        >>> save_corpus(Table({"smiles": Text.of(["CCO", "C"])}), folder := tempfile.mkdtemp())
        >>> open_corpus(folder).export(f"{folder}/all.csv")
        >>> read(f"{folder}/all.csv").smiles.tolist()
        ['CCO', 'C']
        """
        export(self.columns, self.manifest, Path(path), progress)

    def _require_whole(self) -> None:
        if self.manifest != Manifest.load(self.path):
            raise CorpusError(
                f"this is a part of {self.path}, or it was opened before the corpus changed: open the whole corpus "
                "again, and add to that",
                path=str(self.path),
            )

    def _saved(self, manifest: Manifest, entry: dict[str, Any]) -> Corpus:
        replace(manifest, history=(*manifest.history, entry)).save(self.path)
        return open_corpus(self.path)

    def __repr__(self) -> str:
        splits = ", ".join(f"{name} {rows:,}" for name, rows in self.manifest.splits.items())
        parts = f" ({splits})" if len(self.manifest.splits) > 1 else ""
        return f"Corpus({format_count(len(self), 'row')}{parts}: {', '.join(self.columns)})"


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
