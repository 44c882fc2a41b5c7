"""Whether the files of a corpus are those that its manifest lists."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeAlias

from mrl.corpus.store.manifest import MANIFEST, Manifest, StoredFile
from mrl.corpus.store.shard import map_shard
from mrl.corpus.store.shards import require_listed, wait_for_clock
from mrl.errors import CorpusError, CorruptShard, FileFormatError
from mrl.files import Stamp, open_regular, stamp_of, write_atomic
from mrl.processes import available_cpus
from mrl.progress import Progress, track

Verify: TypeAlias = Literal["stamp", "full", "never"]

STAMPS = ".stamps.json"


def checked_stamps(folder: Path, manifest: Manifest, verify: Verify, progress: Progress = None) -> dict[str, Stamp]:
    """Return what the files are, after their sizes and, unless they were before, their digests have been checked.

    Raises
    ------
    CorpusError, CorruptShard
        A file is missing, damaged, or not the one that is listed.
    """
    stamps = {file.name: _stamp(folder, file) for file in manifest.files}
    wait_for_clock(stamps.values())
    known = {} if verify == "full" else _read_stamps(folder)
    new = [file for file in manifest.files if known.get(file.name) != stamps[file.name]]
    if verify != "never" and new:
        problem = next(problems(folder, manifest, new, progress), None)
        if problem is not None:
            raise problem
        write_stamps(folder, stamps)
    return stamps


def problems(
    folder: Path, manifest: Manifest, files: Iterable[StoredFile], progress: Progress = None
) -> Iterator[FileFormatError]:
    """Compute the digests of files, and yield an error for each that is not as it was written."""
    files = list(files)
    rows = {file.name: entry.rows for entry in manifest.shards for file in entry.files}

    def check(file: StoredFile) -> FileFormatError | None:
        path = folder / file.name
        try:
            _stamp(folder, file)
            if file.name in rows:
                require_listed(path, map_shard(path, verify=True), file, rows[file.name])
            elif file_digest(path) != file.digest:
                raise CorpusError(
                    f"{path} is damaged, or of another corpus: copy the whole folder again", path=str(path)
                )
        except FileFormatError as error:
            return error
        return None

    with ThreadPoolExecutor(max(available_cpus(), 1)) as pool, track(progress, len(files), "verifying") as advance:
        for found in pool.map(check, files):
            advance(1)
            if found is not None:
                yield found


def other_files(folder: Path, manifest: Manifest) -> list[str]:
    """Return the names of files in a folder that are not part of its corpus."""
    known = {MANIFEST, STAMPS, *(file.name for file in manifest.files)}
    return sorted(path.name for path in folder.iterdir() if path.name not in known)


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> path.write_text("smiles")
    6
    >>> file_digest(path)[:8]
    '65083d8b'
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_stamps(folder: Path, stamps: dict[str, Stamp]) -> None:
    """Remember what the files were when they were checked; without effect in a folder that cannot be written to.

    Parameters
    ----------
    folder : Path
        The folder of the corpus.
    stamps : dict of str to Stamp
        By the name of the file, what `stamp_of` returned before its digest was computed or after it was written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_stamps(folder, {"shard-00000.arrow": (1, 2, 3)})
    >>> (folder / ".stamps.json").read_text()
    '{"shard-00000.arrow": [1, 2, 3]}'
    """
    with contextlib.suppress(OSError):
        write_atomic(folder / STAMPS, json.dumps(stamps, sort_keys=True))


def _read_stamps(folder: Path) -> dict[str, Stamp]:
    try:
        with open_regular(folder / STAMPS) as file:
            found = json.loads(file.read())
        return {str(name): tuple(stamp) for name, stamp in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):  # it is only a short cut
        return {}


def _stamp(folder: Path, file: StoredFile) -> Stamp:
    path = folder / file.name
    try:
        stamp = stamp_of(path)
    except FileNotFoundError:
        raise CorpusError(
            f"{path} is missing, which {MANIFEST} lists: copy the whole folder again", path=str(path)
        ) from None
    if stamp[1] != file.bytes:
        raise CorruptShard(
            f"{path} has {stamp[1]:,} bytes, expected {file.bytes:,}: it is truncated or was replaced; copy the whole "
            "folder again",
            path=str(path),
        )
    return stamp
