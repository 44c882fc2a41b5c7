"""StoredShards: the shards of a corpus, mapped into memory when they are first used, and watched for changes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.corpus.store.manifest import Manifest, StoredFile
from mrl.corpus.store.shard import MappedShard, map_shard
from mrl.errors import CorpusError, CorruptShard, FileFormatError
from mrl.files import Stamp, stamp_of

_LOOK_SECONDS = 0.05  # between two looks at many files, or a hundred times as long as a look takes
_FEW = 4  # files, which are looked at whenever rows are taken
_CLOCK_NS = 20_000_000


def wait_for_clock(stamps: Iterable[Stamp]) -> None:
    """Wait until a change of files would show in their stamps: file systems count time in steps of some ms."""
    newest = max((max(stamp[2:]) for stamp in stamps), default=0)
    past = time.time_ns() - newest
    if 0 <= past < _CLOCK_NS:
        time.sleep((_CLOCK_NS - past) / 1e9)


class StoredShards:
    """The shards of a corpus, mapped into memory when they are first used, and watched for changes.

    Parameters
    ----------
    folder : Path
        The folder of the corpus.
    manifest : Manifest
        Its rows and files.
    stamps : dict of str to Stamp
        What the files were when they were checked.
    """

    def __init__(self, folder: Path, manifest: Manifest, stamps: dict[str, Stamp]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.starts: NDArray[np.int64] = np.cumsum([0, *(entry.rows for entry in manifest.shards)])
        self.lock = threading.RLock()
        self._stamps = stamps
        self._mapped: dict[str, MappedShard] = {}
        self._looked = self._took = 0.0

    def select(self, manifest: Manifest) -> StoredShards:
        """Return some of the shards, those of another manifest."""
        return StoredShards(self.folder, manifest, self._stamps)

    def array(self, k: int, column: str) -> pa.Array:
        """Return a column of shard `k` as it lies in memory; its offsets are not checked."""
        entry = self.manifest.shards[k]
        file = next(file for file in entry.files if column in file.columns)
        with self.lock:
            if file.name not in self._mapped:
                self._mapped[file.name] = self._map(file, entry.rows)
        return self._mapped[file.name].arrays[column]

    def require_unchanged(self, shards: Iterable[int] = ()) -> None:
        """Raise a CorpusError if somebody has written to a file that is mapped.

        The files of `shards` are looked at in each call, and all of them where they are few; many files every 50 ms at
        most, because a look at a hundred takes longer than it takes to read a batch from them.
        """
        now = time.monotonic()
        if len(self._mapped) <= _FEW or now - self._looked >= max(_LOOK_SECONDS, 100 * self._took):
            with self.lock:
                self._look(list(self._mapped))
                self._looked, self._took = time.monotonic(), time.monotonic() - now
        else:
            entries = (self.manifest.shards[k] for k in set(shards))
            self._look([file.name for entry in entries for file in entry.files if file.name in self._mapped])

    def _look(self, names: list[str]) -> None:
        for name in names:
            try:
                found = stamp_of(self.folder / name)
            except FileNotFoundError:  # what is mapped stays as it was
                continue
            if found != self._stamps[name]:
                self._check_again(name, found)

    def _check_again(self, name: str, found: Stamp) -> None:
        """Raise a CorpusError unless it is the same file with the same bytes: it was touched, or linked to."""
        with self.lock:
            if found[:2] == self._stamps[name][:2]:
                wait_for_clock([found])
                with contextlib.suppress(FileFormatError, OSError):
                    if map_shard(self.folder / name, verify=True).digest == self._mapped[name].digest:
                        self._stamps[name] = found
                        return
        raise self._changed(name)

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredShards, (self.folder, self.manifest, self._stamps)

    def _map(self, file: StoredFile, rows: int) -> MappedShard:
        path = self.folder / file.name
        try:
            if stamp_of(path) != self._stamps[file.name]:
                raise self._changed(file.name)
            mapped = map_shard(path, verify=False)
        except FileNotFoundError:
            raise CorpusError(f"{path} is missing: copy the whole folder again", path=str(path)) from None
        require_listed(path, mapped, file, rows)
        return mapped

    def _changed(self, name: str) -> CorpusError:
        path = str(self.folder / name)
        return CorpusError(
            f"{path} has changed since the corpus was opened: nothing more is read from it. mrl verify {self.folder} "
            "says whether it is damaged; if it is not, open the corpus again",
            path=path,
        )


def require_listed(path: Path, mapped: MappedShard, file: StoredFile, rows: int) -> None:
    """Raise a CorruptShard unless a shard is the one that the manifest lists."""
    if mapped.digest != file.digest or mapped.rows != rows or set(mapped.arrays) != set(file.columns):
        raise CorruptShard(
            f"{path} is a shard of another corpus, or of another version of this one: copy the whole folder again",
            path=str(path),
        )
