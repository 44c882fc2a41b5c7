"""Rows that were computed, in a folder that several processes and later runs share.

A folder holds one subfolder per key, named by its digest; that holds ``key.json`` and segments. Segments are only ever
added whole, or removed once another one holds what they hold, so nobody waits for anybody: who misses one computes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import threading
import time
import warnings
from collections.abc import Callable
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mrl.features.computing import Block, Part
from mrl.features.keys import Digests
from mrl.features.segment import Broken, Segment, write
from mrl.files import write_atomic

__all__ = ["Folder", "folder_of", "key_folders", "require_folder", "segments_of"]

LIMIT = 4 << 30  # bytes of a folder with all its keys: about 15 million fingerprints of 2048 bits
PENDING = 16 << 20  # bytes after which what was computed is written, and ...
PATIENCE = 30.0  # ... seconds: what a killed process loses
SMALL, MANY = 8 << 20, 16  # more than so many segments of less than so many bytes become one
ABANDONED = 3600.0  # seconds after which nobody is writing a temporary file any more

F = TypeVar("F", bound=Callable[..., Any])

_SEGMENT = re.compile(r"[0-9a-f]{24}\.rows")
_KEY = re.compile(r"[0-9a-f]{32}")


def _alone(method: F) -> F:
    """One thread at a time."""

    @wraps(method)
    def locked(self: Folder, *arguments: Any) -> Any:
        with self._lock:
            return method(self, *arguments)

    return locked  # type: ignore[return-value]


class Folder:
    """What a folder knows of one key."""

    def __init__(self, root: Path, key: str, limit: int = LIMIT) -> None:
        self.root, self.key, self.limit = root, key, limit
        self.path = root / hashlib.sha256(key.encode()).hexdigest()[:32]
        self._open: dict[Path, Segment] = {}
        self._unreadable: set[Path] = set()
        self._pending: list[tuple[Digests, Block]] = []
        self._size, self._since = 0, 0.0
        self._lock = threading.RLock()  # one folder serves all threads
        self._tidy()

    # --- reading -------------------------------------------------------------------------------------------------

    @_alone
    def find(self, keys: Digests) -> Block:
        """What is known of these texts."""
        self._look()
        parts: list[Part] = []
        refused: dict[int, str] = {}
        left = np.arange(len(keys))
        for segment in self._open.values():
            block = segment.find(keys[left]).moved(left)
            parts += block.parts
            refused |= block.refused
            left = np.setdiff1d(left, block.rows(), assume_unique=True)
            if not len(left):
                break
        return Block(parts, refused)

    def _look(self) -> None:
        """Open what was added since, and let go of what was removed."""
        there = segments_of(self.path)
        self._open = {path: self._open[path] for path in there if path in self._open}
        for path in there:
            if path not in self._open and path not in self._unreadable:
                self._take(path)

    def _take(self, path: Path) -> None:
        try:
            self._open[path] = Segment(path)
            with contextlib.suppress(OSError):  # may be someone else's
                os.utime(path)  # it is in use: others are older
        except FileNotFoundError:
            pass  # its rows are in another segment now, or were the oldest
        except Broken as fault:
            _warn(f"{path} is damaged: {fault}; it is left out, and its molecules are computed again")
            self._unreadable.add(path)
            with contextlib.suppress(OSError):
                path.unlink()
        except OSError as error:
            _warn(f"{path} cannot be read ({error}); its molecules are computed again")
            self._unreadable.add(path)

    # --- writing -------------------------------------------------------------------------------------------------

    @_alone
    def put(self, keys: Digests, block: Block) -> None:
        """Remember the rows and the refusals of a block; `keys` are those of all its rows. `flush` has them on disk."""
        if not self._pending:
            self._since = time.monotonic()
        self._pending.append((keys, block))
        self._size += sum(part.data.nbytes for part in block.parts)
        if self._size > PENDING or time.monotonic() - self._since > PATIENCE:
            self.flush()

    @_alone
    def flush(self) -> None:
        """Write what is not on disk yet; a warning says so if that cannot be done."""
        pending, self._pending, self._size = self._pending, [], 0
        pending = [(keys, block) for keys, block in pending if block.parts or block.refused]
        if not pending:
            return
        try:
            named = self.path / "key.json"
            if not named.exists():
                write_atomic(named, json.dumps({"key": self.key}, indent=1) + "\n")
            write(self._new(), pending)
            self._merge()
            self._evict()
        except OSError as error:
            _warn(f"what was computed cannot be kept in {self.root} ({error}); the results are there all the same")

    def _new(self) -> Path:
        return self.path / f"{time.time_ns():016x}{secrets.token_hex(4)}.rows"

    def _merge(self) -> None:
        """Make one segment of many small ones."""
        self._look()
        small = [segment for segment in self._open.values() if segment.size < SMALL]
        if len(small) <= MANY:
            return
        write(self._new(), ((keys, segment.find(keys)) for segment in small for keys in segment.texts()))
        for segment in small:
            segment.path.unlink(missing_ok=True)

    def _evict(self) -> None:
        """Remove the segments that were not used for longest, of any key, until the folder is small enough."""
        found = []
        for folder in key_folders(self.root):
            for path in segments_of(folder):
                with contextlib.suppress(FileNotFoundError):
                    status = path.stat()
                    found.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.limit:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _tidy(self) -> None:
        """Remove what processes that were killed while writing have left."""
        for path in self.path.glob(".*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED:
                    path.unlink()


@lru_cache(maxsize=16)
def folder_of(root: Path, key: str) -> Folder:
    """The folder's segments stay open from call to call: each is checked once."""
    return Folder(root, key)


def require_folder(root: Path) -> None:
    """Refuse a path that is a file, or is inside of one; it need not exist."""
    there = next((path for path in (root, *root.parents) if path.exists()), root)
    if there.exists() and not there.is_dir():
        raise NotADirectoryError(f"the cache {str(root)!r}: {str(there)!r} is no folder; give the path of a folder")


def key_folders(root: Path) -> list[Path]:
    """The subfolders of `root` that are ours."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if _KEY.fullmatch(path.name) and path.is_dir())


def segments_of(folder: Path) -> list[Path]:
    """The segments in a key's folder, in the order in which they were written."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if _SEGMENT.fullmatch(name))
    except FileNotFoundError:
        return []


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=4)
