"""Tables of molecules: read from files, and the sample that comes with the package."""

from mrl.corpus.reading import ReadOptions, read, read_blocks
from mrl.corpus.reading.notation import recognise
from mrl.corpus.sample import load_sample
from mrl.corpus.store import Shard, write_shard
from mrl.corpus.table import Table, TableColumn
from mrl.corpus.writing import require_writable_as, write_table

__all__ = [
    "ReadOptions",
    "Shard",
    "Table",
    "TableColumn",
    "load_sample",
    "read",
    "read_blocks",
    "recognise",
    "require_writable_as",
    "write_shard",
    "write_table",
]
