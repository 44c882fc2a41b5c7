"""Tables of molecules: read from files, and the sample that comes with the package."""

from mrl.corpus.reading import read
from mrl.corpus.sample import load_sample
from mrl.corpus.store import Shard, write_shard
from mrl.corpus.table import Table

__all__ = ["Shard", "Table", "load_sample", "read", "write_shard"]
