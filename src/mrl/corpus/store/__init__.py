"""Rows on disk: shards, and the corpora that they make."""

from mrl.corpus.store.column import StoredColumn
from mrl.corpus.store.corpus import Corpus, open_corpus
from mrl.corpus.store.kinds import kind_of
from mrl.corpus.store.manifest import MANIFEST, FeatureEntry, Manifest, ShardEntry, StoredFile
from mrl.corpus.store.saving import next_shard_number, save_corpus, write_entry, write_rejects, write_vocab
from mrl.corpus.store.shard import Shard, write_shard
from mrl.corpus.store.stacked import StackedColumns
from mrl.corpus.store.verification import write_stamps

__all__ = [
    "MANIFEST",
    "Corpus",
    "FeatureEntry",
    "Manifest",
    "Shard",
    "ShardEntry",
    "StackedColumns",
    "StoredColumn",
    "StoredFile",
    "kind_of",
    "next_shard_number",
    "open_corpus",
    "save_corpus",
    "write_entry",
    "write_rejects",
    "write_shard",
    "write_stamps",
    "write_vocab",
]
