"""Cache folders: where they are, what they hold, and how to remove it.

A folder holds one subfolder for each key, named by the digest of the key; that holds ``key.json`` and shards.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mrl.errors import FileFormatError
from mrl.files import open_regular, unseal

__all__ = [
    "KEY_FORMAT",
    "Cached",
    "cache_folder",
    "cached",
    "clear_cache",
    "key_folders",
    "require_folder",
    "shards_in",
]

KEY_FORMAT = "mrl-features-key"

_SHARD = re.compile(r"[0-9a-f]{24}\.arrow")
_KEY = re.compile(r"[0-9a-f]{32}")


class Cached(NamedTuple):
    """What a cache folder holds of one featurizer.

    Parameters
    ----------
    key : str
        What identifies the computation: the featurizer, its parameters, versions.
    molecules : int
        Number of molecules whose vector, or the reason why there is none, is known.
    bytes : int
        Size on disk.

    Examples
    --------
    >>> Cached("ECFP6", molecules=1000, bytes=272_000).bytes
    272000
    """

    key: str
    molecules: int
    bytes: int


def cache_folder() -> Path:
    """Return the folder for features that all projects of a user share, by the XDG base directory specification.

    Returns
    -------
    Path
        ``$XDG_CACHE_HOME/mrl/features``, or ``~/.cache/mrl/features``; it need not exist.

    Examples
    --------
    >>> cache_folder().parts[-2:]
    ('mrl', 'features')
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "mrl" / "features"


def cached(folder: str | os.PathLike[str]) -> list[Cached]:
    """Return what a cache folder holds.

    Parameters
    ----------
    folder : path
        As given to ``cache=``; it need not exist.

    Returns
    -------
    list of Cached
        One per featurizer, the largest first.

    Raises
    ------
    NotADirectoryError
        It is a file.

    Examples
    --------
    >>> cached("no such folder")
    []
    """
    require_folder(Path(folder))
    return sorted((_summary(path) for path in key_folders(Path(folder))), key=lambda one: (-one.bytes, one.key))


def clear_cache(folder: str | os.PathLike[str]) -> list[Cached]:
    """Remove everything that mrl keeps in a cache folder, and nothing else.

    Parameters
    ----------
    folder : path
        As given to ``cache=``; it need not exist.

    Returns
    -------
    list of Cached
        What was removed.

    Raises
    ------
    NotADirectoryError
        It is a file.

    Examples
    --------
    >>> clear_cache("no such folder")
    []
    """
    removed = cached(folder)
    for path in key_folders(Path(folder)):
        for file in (*shards_in(path), path / "key.json", *path.glob(".*.tmp")):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it holds other files, or is being written to
            path.rmdir()
    return removed


def require_folder(root: Path) -> None:
    """Raise a NotADirectoryError if a path is a file, or is inside one; it need not exist."""
    existing = next((path for path in (root, *root.parents) if path.exists()), root)
    if existing.exists() and not existing.is_dir():
        raise NotADirectoryError(
            f"the cache is {str(root)!r}, but {str(existing)!r} is not a folder; give the path of a folder"
        )


def key_folders(root: Path) -> list[Path]:
    """Return the subfolders of `root` that are ours."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if _KEY.fullmatch(path.name) and path.is_dir())


def shards_in(folder: Path) -> list[Path]:
    """Return the shards in the folder of a key, in the order in which they were written."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if _SHARD.fullmatch(name))
    except FileNotFoundError:
        return []


def _summary(path: Path) -> Cached:
    from mrl.corpus import Shard  # pyarrow is loaded only where a folder is used

    try:
        file = path / "key.json"
        with open_regular(file) as opened:
            data = opened.read()
        key = str(unseal(data, file, format=KEY_FORMAT, version=1)["key"])
    except (OSError, FileFormatError, KeyError):
        key = f"unknown ({path.name})"
    keys, reasons, size = [np.zeros(0, "S16")], set(), 0
    for file in shards_in(path):
        with contextlib.suppress(OSError, FileFormatError, KeyError, TypeError):  # removed, unreadable or damaged
            size += file.stat().st_size
            shard = Shard(file, verify=False)
            held, failed = np.asarray(shard["key"]), {*shard.about["reasons"]}
            if held.dtype == "S16" and held.ndim == 1:
                keys.append(held)
                reasons |= failed
    return Cached(key, len(np.unique(np.concatenate(keys))) + len(reasons), size)
