"""Rows on disk: shards."""

from mrl.corpus.store.shard import Shard, write_shard

__all__ = ["Shard", "write_shard"]
