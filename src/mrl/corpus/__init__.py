"""Tables of molecules: read from files, and the sample that comes with the package; corpora: rows on disk."""

from mrl.corpus.reading import ReadOptions, Source, find_sources, read, read_blocks
from mrl.corpus.reading.notation import recognise
from mrl.corpus.reading.sources import COMPRESSED_SUFFIXES
from mrl.corpus.sample import load_sample
from mrl.corpus.store import (
    MANIFEST,
    Corpus,
    FeatureEntry,
    Manifest,
    Shard,
    ShardEntry,
    StackedColumns,
    StoredColumn,
    StoredFile,
    kind_of,
    next_shard_number,
    open_corpus,
    save_corpus,
    write_entry,
    write_rejects,
    write_shard,
    write_stamps,
    write_vocab,
)
from mrl.corpus.table import Table, TableColumn, join_tails
from mrl.corpus.writing import require_writable_as, write_table

__all__ = [
    "COMPRESSED_SUFFIXES",
    "MANIFEST",
    "Corpus",
    "FeatureEntry",
    "Manifest",
    "ReadOptions",
    "Shard",
    "ShardEntry",
    "Source",
    "StackedColumns",
    "StoredColumn",
    "StoredFile",
    "Table",
    "TableColumn",
    "find_sources",
    "join_tails",
    "kind_of",
    "load_sample",
    "next_shard_number",
    "open_corpus",
    "read",
    "read_blocks",
    "recognise",
    "require_writable_as",
    "save_corpus",
    "write_entry",
    "write_rejects",
    "write_shard",
    "write_stamps",
    "write_table",
    "write_vocab",
]
