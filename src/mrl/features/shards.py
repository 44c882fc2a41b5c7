"""Shards of a cache folder: vectors in a file, and the reasons of texts that have none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrl.corpus import Shard, write_shard
from mrl.errors import CorruptShard
from mrl.features.keys import Digests
from mrl.features.packing import Bytes, PackedFormat, unpack
from mrl.features.tables import FixedTable
from mrl.files import Stamp

__all__ = ["CachedVectors", "read_vectors", "write_vectors"]


@dataclass(frozen=True, eq=False)
class CachedVectors:
    """An open shard of a cache: vectors, and the reasons of texts that have none, by digest."""

    path: Path
    table: FixedTable
    reasons: Mapping[bytes, str]
    stamp: Stamp = ()
    """What the file was when it was checked, see `stamp_of`."""

    @property
    def keys(self) -> Digests:
        return np.zeros(0, "S16") if self.table.keys is None else self.table.keys


def write_vectors(path: Path, format: PackedFormat, keys: Digests, data: Bytes, reasons: Mapping[bytes, str]) -> None:
    """Write vectors and reasons as a shard: columns ``key``, sorted, and ``vector``, bits packed or numbers."""
    keys, order = np.unique(keys, return_index=True)
    vectors = data[order] if format.bits else unpack(format, data[order])
    about = {
        "numbers": format.size,
        "dtype": format.dtype,
        "bits": format.bits,
        "reasons": {key.hex(): reasons[key] for key in sorted(reasons)},
    }
    write_shard(path, {"key": keys, "vector": vectors}, about)


def read_vectors(path: Path, *, verify: bool = True) -> CachedVectors:
    """Open a shard that `write_vectors` wrote; CorruptShard if it is not one, OSError if it cannot be read."""
    shard = Shard(path, verify=verify)
    try:
        about, keys, vectors = shard.about, shard["key"], shard["vector"]
        reasons = {bytes.fromhex(key): str(reason) for key, reason in about["reasons"].items()}
        if not (isinstance(keys, np.ndarray) and keys.dtype == "S16" and isinstance(vectors, np.ndarray)):
            raise ValueError("the columns are of other types")
        size, bits = about["numbers"], about["bits"]
        if type(size) is not int or type(bits) is not bool:
            raise TypeError(f"numbers is {size!r} and bits is {bits!r}")
        found = PackedFormat(size, vectors.dtype.str, bits)
        columns = -(-size // 8) if found.bits else size
        if found.dtype != about["dtype"] or vectors.shape != (len(keys), columns) or size < 0:
            raise ValueError(f"{vectors.dtype.str} {vectors.shape} is not what the file says: {about['dtype']}, {size}")
        data = vectors.view(np.uint8).reshape(len(keys), found.width)
        return CachedVectors(path, FixedTable(found, data, keys), reasons)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CorruptShard(f"{path} does not hold vectors ({error!r})", path=str(path)) from None
