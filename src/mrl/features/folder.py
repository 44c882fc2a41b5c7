"""The store of a cache folder, which several processes and later runs share.

Lock-free: shards are only added, or removed once another one holds their rows; a miss is computed again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from mrl.corpus import Shard, write_shard
from mrl.errors import CorruptShard
from mrl.features.caches import KEY_FORMAT, key_folders, shards_in
from mrl.features.computing import Block
from mrl.features.keys import Digests
from mrl.features.packing import Bytes, PackedFormat, unpack
from mrl.features.refs import VectorRefs
from mrl.features.store import Store, rows_by_format
from mrl.features.tables import FixedTable
from mrl.files import Stamp, remove_abandoned, seal, stamp_of, write_atomic

__all__ = ["FolderStore", "folder_store", "read_vectors", "write_vectors"]

LIMIT = 4 << 30  # bytes of a folder with all its keys: about 15 million fingerprints of 2048 bits
SMALL, MANY = 8 << 20, 16  # more than so many shards of less than so many bytes become one

RECENT = 60.0  # seconds for which a shard counts as used

NOTHING = PackedFormat(0, "<f4", False)


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


class FolderStore(Store):
    """The shards of one key in a folder; vectors stay in the mapped files."""

    flush_bytes, flush_seconds = 16 << 20, 30.0  # what a process that is killed loses

    def __init__(self, root: Path, key: str, limit: int = LIMIT) -> None:
        super().__init__()
        self.root, self.key, self.limit = root, key, limit
        self.path = root / hashlib.sha256(key.encode()).hexdigest()[:32]
        self._open: dict[Path, CachedVectors] = {}
        self._unreadable: set[Path] = set()
        remove_abandoned(self.path)

    # --- reading -------------------------------------------------------------------------------------------------

    def find(self, keys: Digests, refs: VectorRefs) -> None:
        self._refresh()
        left = np.arange(len(keys))
        for shard in self._open.values():
            rows = shard.table.find(keys[left])
            refs.refer(left[rows >= 0], shard.table, rows[rows >= 0])
            left = left[rows < 0]
            if shard.reasons:
                known = zip(left.tolist(), map(shard.reasons.get, keys[left].tolist()), strict=True)
                refs.fail((row, reason) for row, reason in known if reason is not None)

    def _refresh(self) -> None:
        """Open the shards that were added since, check those again that changed, and let go of those removed."""
        paths = shards_in(self.path)
        self._open = {path: self._open[path] for path in paths if path in self._open and self._is_unchanged(path)}
        for path in paths:
            if path not in self._open and path not in self._unreadable:
                self._open_shard(path)

    def is_changed(self) -> bool:
        """Whether somebody wrote to an open shard; one that was removed stays as it was for those who have it open."""
        with self.lock:
            return any(path.exists() and not self._is_unchanged(path) for path in self._open)

    def _is_unchanged(self, path: Path) -> bool:
        try:
            return stamp_of(path) == self._open[path].stamp
        except OSError:
            return False

    def _open_shard(self, path: Path) -> None:
        try:
            # It is in use: others are older. Other processes see this as a change, and check the file again, so that it
            # is not done at every opening.
            if time.time() - path.stat().st_mtime > RECENT:
                with contextlib.suppress(OSError):  # another user's file
                    os.utime(path)
            stamp = stamp_of(path)
            self._open[path] = replace(read_vectors(path), stamp=stamp)
        except FileNotFoundError:
            pass  # its rows are in another shard now, or were the oldest
        except CorruptShard as error:
            _warn(f"{error}; it is removed, and its molecules are computed again")
            self._unreadable.add(path)
            with contextlib.suppress(OSError):
                path.unlink()
        except OSError as error:
            _warn(f"{path} cannot be read ({error}); its molecules are computed again")
            self._unreadable.add(path)

    # --- writing -------------------------------------------------------------------------------------------------

    def put(self, keys: Digests, blocks: Sequence[Block], refs: VectorRefs, expected: int) -> None:
        reasons = {bytes(keys[row]): reason for block in blocks for row, reason in block.rejected.items()}
        parts = rows_by_format(blocks)
        if reasons and not parts:
            parts = [(NOTHING, np.zeros(0, np.int64), np.zeros((0, 0), np.uint8))]
        try:
            for format, rows, data in parts:
                shard = self._add(format, keys[rows], data, reasons)
                refs.refer(rows, shard.table, shard.table.find(keys[rows]))
                reasons = {}
            self._merge()
            self._evict()
        except OSError as error:
            _warn(f"computed vectors cannot be kept in {self.root} ({error}); they are used, but not cached")
            for format, rows, data in parts:
                left = refs.unknown(rows)
                refs.refer(rows[left], FixedTable(format, data[left]), np.arange(len(left)))

    def _add(self, format: PackedFormat, keys: Digests, data: Bytes, reasons: Mapping[bytes, str]) -> CachedVectors:
        if not (name := self.path / "key.json").exists():
            write_atomic(name, seal({"format": KEY_FORMAT, "version": 1, "key": self.key}))
        path = self.path / f"{time.time_ns():016x}{secrets.token_hex(4)}.arrow"
        write_vectors(path, format, keys, data, reasons)
        stamp = stamp_of(path)
        self._open[path] = shard = replace(read_vectors(path, verify=False), stamp=stamp)
        return shard

    def _merge(self) -> None:
        """Make one shard of many small ones of a format."""
        self._refresh()
        by_format: dict[PackedFormat, list[CachedVectors]] = {}
        for shard in self._open.values():
            if len(shard.table.data) * (shard.table.format.width + 16) < SMALL:
                by_format.setdefault(shard.table.format, []).append(shard)
        for format, small in by_format.items():
            if len(small) > MANY:
                keys = np.concatenate([shard.keys for shard in small])
                data = np.concatenate([shard.table.data for shard in small])
                self._add(format, keys, data, {key: why for shard in small for key, why in shard.reasons.items()})
                for shard in small:
                    shard.path.unlink(missing_ok=True)

    def _evict(self) -> None:
        """Remove the least recently used shards, of any key, until the folder is small enough."""
        found = []
        for folder in key_folders(self.root):
            for path in shards_in(folder):
                with contextlib.suppress(FileNotFoundError):
                    status = path.stat()
                    found.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.limit:
                return
            path.unlink(missing_ok=True)
            total -= size


def folder_store(root: Path, key: str) -> FolderStore:
    """Return the store of a key in a folder; its shards stay open from call to call, so that each is checked once.

    When somebody wrote to one of them it is another store, so that nothing goes on with vectors that may have changed.
    """
    store = opened_store(root, key)
    if store.is_changed():
        opened_store.cache_clear()
        store = opened_store(root, key)
    return store


@lru_cache(maxsize=16)
def opened_store(root: Path, key: str) -> FolderStore:
    return FolderStore(root, key)


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=4)
