"""Writing a corpus: shards of a table, other files, and the manifest at the end."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mrl.corpus.store.kinds import kind_of
from mrl.corpus.store.manifest import MANIFEST, Manifest, ShardEntry, StoredFile
from mrl.corpus.store.shard import Values, write_shard
from mrl.corpus.table import Table
from mrl.errors import ColumnError, CorpusError
from mrl.files import AnyPath, atomic
from mrl.ragged import Ragged, Rejects, Text, arrow_table, as_column
from mrl.text import Vocab

REJECTS, VOCAB = "rejects.parquet", "vocab.json"
ROWS_PER_SHARD = 200_000


def save_corpus(
    table: Table, folder: AnyPath, *, vocab: Vocab | None = None, rows_per_shard: int = ROWS_PER_SHARD
) -> None:
    """Write a table in memory as a corpus, as it is; `prepare_corpus` makes one of files, of any size.

    Parameters
    ----------
    table : Table
        Its columns, its rejects, and which are the molecules and the labels.
    folder : path
        A new or empty folder.
    vocab : Vocab, optional
        The vocabulary to be kept with the rows.
    rows_per_shard : int
        Most rows of one file.

    Raises
    ------
    CorpusError
        The folder holds something already.
    ValueError
        `rows_per_shard` is not positive.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.corpus import open_corpus
    >>> from mrl.ragged import Text
    >>> from mrl.text import SmilesVocab
    >>> folder = tempfile.mkdtemp()
    >>> save_corpus(Table({"smiles": Text.of(["CCO", "C"])}), folder, vocab=SmilesVocab())
    >>> open_corpus(folder).vocab.decode(open_corpus(folder).vocab.encode(["CCO"]))
    ['CCO']
    """
    path = Path(folder)
    require_empty(path)
    if rows_per_shard < 1:
        raise ValueError(f"rows_per_shard is {rows_per_shard}; expected 1 or more")
    manifest = Manifest(
        {name: kind_of(as_stored(column, name)) for name, column in table.columns.items()},
        table.smiles_column,
        table.targets,
        tuple(write_shards(table.columns, len(table), path, rows_per_shard)),
        rejects=write_rejects([table.rejects], path),
        history=({"saved": "a table in memory", "rows": len(table), "rejects": len(table.rejects)},),
    )
    if vocab is not None:
        manifest = replace(manifest, vocab=write_vocab(vocab, path), vocab_fingerprint=vocab.fingerprint())
    manifest.save(path)


def require_empty(path: Path) -> None:
    """Raise a CorpusError if a folder holds something already."""
    if path.exists() and not path.is_dir():
        raise CorpusError(f"{path} is a file, expected a new or empty folder: choose another name", path=str(path))
    if path.is_dir() and (inside := sorted(child.name for child in path.iterdir())):
        raise CorpusError(
            f"{path} holds {'a corpus' if MANIFEST in inside else ', '.join(inside[:5])} already: choose a new or "
            "empty folder, or delete it",
            path=str(path),
        )


def write_shards(
    columns: Mapping[str, Any], n: int, folder: Path, rows_per_shard: int, *, split: str = "", first: int = 0
) -> Iterator[ShardEntry]:
    """Write n rows as shards, whose numbers begin at `first`."""
    for number, start in enumerate(range(0, n, rows_per_shard), first):
        rows = slice(start, start + rows_per_shard)
        yield write_entry(
            folder, number, {name: as_stored(column, name)[rows] for name, column in columns.items()}, split=split
        )


def write_entry(
    folder: Path, number: int, columns: Mapping[str, Values], *, split: str, about: Mapping[str, Any] | None = None
) -> ShardEntry:
    """Write rows as one shard, ``train-00000.arrow`` or, without a split, ``shard-00000.arrow``.

    Parameters
    ----------
    folder : Path
        The folder of the corpus.
    number : int
        The number of the shard, which is in its name.
    columns : mapping of str to Text, Ragged or ndarray
        The columns of the corpus.
    split : str
        The part of the split that all rows belong to; blank without a split.
    about : mapping of str to JSON values, optional
        What the shard says of itself.

    Returns
    -------
    ShardEntry
        For the manifest.

    Examples
    --------
    >>> import tempfile
    >>> entry = write_entry(Path(tempfile.mkdtemp()), 3, {"y": np.array([0.5, 1.5])}, split="train")
    >>> entry.rows, entry.files[0].name
    (2, 'train-00003.arrow')
    """
    file = write_stored(folder, f"{_file_stem(split)}-{number:05}.arrow", columns, about)
    return ShardEntry(split, len(next(iter(columns.values()))), (file,))


def _file_stem(split: str) -> str:
    """Return the name of a part of the split as it stands in names of files, which some characters cannot."""
    stem = re.sub(r"[^\w+=-]", "_", split)[:40]
    if stem == split and stem.isascii():
        return split or "shard"
    stem = re.sub("[^!-~]", "_", stem)
    return f"{stem}-{hashlib.sha256(split.encode(errors='surrogatepass')).hexdigest()[:8]}"


def write_stored(
    folder: Path, name: str, columns: Mapping[str, Values], about: Mapping[str, Any] | None = None
) -> StoredFile:
    """Write columns as a shard, and return its entry for the manifest."""
    digest = write_shard(folder / name, columns, about)
    return StoredFile(name, (folder / name).stat().st_size, digest, tuple(columns))


def next_shard_number(manifest: Manifest) -> int:
    """Return a number that no shard of a corpus has in its name, nor any higher one.

    Parameters
    ----------
    manifest : Manifest
        Of the corpus.

    Returns
    -------
    int

    Examples
    --------
    >>> file = StoredFile("train-00007.arrow", 1200, "9f86d081...", ("smiles",))
    >>> next_shard_number(Manifest({"smiles": "text"}, "smiles", shards=(ShardEntry("train", 3, (file,)),)))
    8
    """
    names = (file.name for entry in manifest.shards for file in entry.files)
    found = (re.search(r"-(\d+)\.arrow$", name) for name in names)
    return max((int(match[1]) + 1 for match in found if match), default=0)


def write_rejects(parts: Iterable[Rejects | Mapping[str, Any]], folder: Path, name: str = REJECTS) -> StoredFile:
    """Write rejects, part by part, as a Parquet file.

    Parameters
    ----------
    parts : iterable of Rejects, or of mapping
        In their order; or their columns row, text, stage, reason and line, which is 0 where there is none.
    folder : Path
        The folder of the corpus.
    name : str
        Of the file.

    Returns
    -------
    StoredFile
        For the manifest.

    Examples
    --------
    >>> import tempfile
    >>> write_rejects([Rejects([(4, "C(", "parse", "syntax")])], Path(tempfile.mkdtemp())).name
    'rejects.parquet'
    """
    import pyarrow.parquet as parquet

    kinds = {"row": pa.int64(), "text": pa.large_string(), "stage": pa.string(), "reason": pa.string()}
    schema = pa.schema([*kinds.items(), ("line", pa.int64())])
    with (
        atomic(folder / name) as temporary,
        parquet.ParquetWriter(temporary, schema, compression="zstd", write_statistics=False) as writer,
    ):
        for rejects in parts:
            if isinstance(rejects, Rejects):
                lines = rejects.lines  # a copy
                table = rejects.to_arrow()
                column = pa.array([lines.get(one.row) for one in rejects], pa.int64())
            else:
                table = arrow_table(rejects)
                column = pa.array(np.asarray(rejects["line"]), mask=np.asarray(rejects["line"]) == 0)
            if len(table):
                writer.write_table(table.select([*kinds]).append_column("line", column).cast(schema))
    return stored_file(folder, name)


def write_vocab(vocab: Vocab, folder: Path) -> StoredFile:
    """Write a vocabulary.

    Parameters
    ----------
    vocab : Vocab
        The vocabulary.
    folder : Path
        The folder of the corpus.

    Returns
    -------
    StoredFile
        For the manifest.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.text import SmilesVocab
    >>> write_vocab(SmilesVocab(), Path(tempfile.mkdtemp())).name
    'vocab.json'
    """
    vocab.save(folder / VOCAB)
    return stored_file(folder, VOCAB)


def stored_file(folder: Path, name: str) -> StoredFile:
    """Return the entry of a file that is not a shard."""
    data = (folder / name).read_bytes()
    return StoredFile(name, len(data), hashlib.sha256(data).hexdigest())


def as_stored(values: Any, name: str) -> Any:
    """Return a column as a shard can hold it; a ColumnError if it cannot."""
    column = as_column(values, name)
    if isinstance(column, Ragged):
        is_fine = isinstance(column, Text) or column.values.dtype.kind in "iuf"
        found = "text" if is_fine else f"ragged {column.values.dtype}"
    elif isinstance(column, np.ndarray):
        if column.dtype.kind in "iuf":
            column = column.astype(column.dtype.newbyteorder("="), copy=False)
        is_fine = (
            column.dtype.kind in "biuf"
            and column.dtype.itemsize <= 8
            and column.ndim in (1, 2)
            and 0 not in column.shape[1:]
        ) or (column.dtype.kind == "S" and column.ndim == 1)
        found = f"{column.ndim}-D {column.dtype}"
    else:  # a column on disk, or a view
        return column
    if not is_fine:
        raise ColumnError(
            f"column {name!r} is {found}; expected text, rows of numbers, or one or T numbers in each row (NaN where "
            "one is missing)",
            column=name,
        )
    return column


def append(folder: Path, manifest: Manifest, table: Table, split: str, vocab: Vocab | None) -> Manifest:
    """Write rows after those of a corpus, and return its new manifest, which is saved."""
    columns = {name: as_stored(column, name) for name, column in table.columns.items()}
    found = {name: kind_of(column) for name, column in columns.items()}
    expected = {name: kind for name, kind in manifest.columns.items() if name not in manifest.tokens.values()}
    if found != expected:
        raise ColumnError(
            f"the rows have the columns {_listed(found)}, the corpus has {_listed(expected)}: give all of them, of the "
            "same types",
            column=next(iter({*found} ^ {*expected}), table.smiles_column),
        )
    if vocab is not None:
        columns |= {ids: vocab.encode(columns[name]) for name, ids in manifest.tokens.items()}
    if split not in manifest.splits and (split or manifest.splits):
        known = ", ".join(map(repr, manifest.splits)) or "none"
        raise ValueError(f"split is {split!r}; the corpus has the parts {known}: name one of them")
    ordered = {name: columns[name] for name in manifest.columns}
    entries = write_shards(ordered, len(table), folder, ROWS_PER_SHARD, split=split, first=next_shard_number(manifest))
    new = replace(
        manifest,
        shards=(*manifest.shards, *entries),
        history=(*manifest.history, {"appended": len(table), "split": split}),
    )
    new.save(folder)
    return new


def _listed(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in columns.items())
