"""What a cache folder holds, for a person who wants to know or to have the space back."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mrl.features.folder import key_folders, require_folder, segments_of
from mrl.features.segment import Broken, Segment

__all__ = ["Cached", "cache_folder", "cached", "clear_cache"]


class Cached(NamedTuple):
    """What a folder holds of one featurizer.

    Examples
    --------
    >>> Cached("ECFP6", molecules=1000, bytes=272_000).bytes
    272000
    """

    key: str
    """What says what was computed: the featurizer, its parameters, versions."""
    molecules: int
    """Molecules whose row, or the reason why there is none, is known."""
    bytes: int
    """Size on disk."""


def cache_folder() -> Path:
    """The folder for features that a person keeps for all projects, by the XDG base directory specification.

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
    """Say what a cache folder holds.

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
    return sorted((_of(path) for path in key_folders(Path(folder))), key=lambda one: (-one.bytes, one.key))


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
        for file in (*segments_of(path), path / "key.json", *path.glob(".*.tmp")):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # holds something of someone else's, or is being written to
            path.rmdir()
    return removed


def _of(path: Path) -> Cached:
    try:
        key = str(json.loads((path / "key.json").read_text())["key"])
    except (OSError, ValueError, KeyError, TypeError):
        key = f"unknown ({path.name})"
    keys, size = [np.zeros(0, "S16")], 0
    for file in segments_of(path):
        with contextlib.suppress(OSError, Broken):  # gone, unreadable, or damaged: told when it is used
            size += file.stat().st_size
            keys += Segment(file, verify=False).texts()
    return Cached(key, len(np.unique(np.concatenate(keys))), size)
