"""Which cache was asked for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from mrl.features.computing import Block, Featurizer
from mrl.features.folder import folder_of, require_folder
from mrl.features.keys import Digests, key_of
from mrl.features.memory import memory_of

__all__ = ["Cache", "Store", "store_for"]

Cache: TypeAlias = "Literal['memory'] | str | os.PathLike[str] | None"


class Store(Protocol):
    """What was computed, by digest of the text."""

    def find(self, keys: Digests) -> Block:
        """What is known of these texts."""

    def put(self, keys: Digests, block: Block) -> None:
        """Remember the rows and the refusals of a block; `keys` are those of all its rows."""

    def flush(self) -> None:
        """Have everything where it is to be."""


def store_for(cache: Cache, featurizer: Featurizer) -> Store | None:
    """The store that `cache` names; TypeError if a folder cannot keep what this featurizer computes.

    NotADirectoryError if the path is that of a file.
    """
    if cache is None:
        return None
    if not (isinstance(cache, str | os.PathLike) and os.fspath(cache)):
        raise TypeError(f"cache is {cache!r}; expected None, 'memory', or the path of a folder")
    if cache == "memory":
        return memory_of(featurizer)
    root = Path(cache).expanduser().absolute()
    require_folder(root)
    return folder_of(root, key_of(featurizer))
