"""What was computed in this process, by featurizer: bounded, and gone when the featurizer is."""

from __future__ import annotations

import hashlib
import pickle
import weakref
from typing import Any

import numpy as np

from mrl.features.computing import Block, Featurizer, Part, Transformer
from mrl.features.keys import Digests, fitted
from mrl.features.packing import Form

__all__ = ["Memory", "memory_of"]

LIMIT = 256 << 20  # bytes for one featurizer: about 600,000 fingerprints of 2048 bits
OVERHEAD = 180  # bytes that Python needs for an entry besides its row


class Memory:
    """Rows and reasons by digest of their text. What was not asked for longest is forgotten first.

    Entries go into the younger of two generations; when that is half of what may be kept, the older one is dropped.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._young: dict[bytes, tuple[Form, bytes] | str] = {}
        self._old: dict[bytes, tuple[Form, bytes] | str] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def find(self, keys: Digests) -> Block:
        """What is known of these texts."""
        groups: dict[Form, tuple[list[int], list[bytes]]] = {}
        refused: dict[int, str] = {}
        for row, key in enumerate(keys.tolist()):
            entry = self._young.get(key)
            if entry is None:
                if (entry := self._old.get(key)) is None:
                    continue
                self._add(key, entry)
            if isinstance(entry, str):
                refused[row] = entry
                continue
            rows, data = groups.setdefault(entry[0], ([], []))
            rows.append(row)
            data.append(entry[1])
        parts = [
            Part(np.array(rows), form, np.frombuffer(b"".join(data), np.uint8).reshape(len(rows), form.width))
            for form, (rows, data) in groups.items()
        ]
        return Block(parts, refused)

    def put(self, keys: Digests, block: Block) -> None:
        """Remember the rows and the refusals of a block; `keys` are those of all its rows."""
        for part in block.parts:
            for key, row in zip(keys[part.rows].tolist(), part.data, strict=True):
                self._add(key, (part.form, row.tobytes()))
        for row, reason in block.refused.items():
            self._add(bytes(keys[row]), reason)

    def flush(self) -> None:
        """Nothing to do."""

    def _add(self, key: bytes, entry: tuple[Form, bytes] | str) -> None:
        self._young[key] = entry
        self._size += OVERHEAD + len(entry if isinstance(entry, str) else entry[1])
        if self._size > self.limit // 2:
            self._old, self._young, self._size = self._young, {}, 0


# By identity: what is equal to a featurizer need not compute the same. An entry goes when its featurizer does.
_memories: dict[int, tuple[Any, bytes, Memory]] = {}


def memory_of(featurizer: Featurizer) -> Memory:
    """The memory of this very object, as it is now: an estimator with other parameters has another."""
    number, state = id(featurizer), _state(featurizer)
    kept = _memories.get(number)
    if kept is not None and kept[0]() is featurizer and kept[1] == state:
        return kept[2]
    try:
        held: Any = weakref.ref(featurizer, lambda _: _memories.pop(number, None))
    except TypeError:  # some kinds of objects cannot be held weakly

        def held() -> Featurizer:
            return featurizer

    memory = Memory()
    _memories[number] = held, state, memory
    return memory


def _state(featurizer: Featurizer) -> bytes:
    said = getattr(featurizer, "cache_key", None)
    if isinstance(said, str):
        return said.encode()
    if not (isinstance(featurizer, Transformer) and hasattr(featurizer, "get_params")):
        return b""
    try:
        state = pickle.dumps((featurizer.get_params(deep=True), fitted(featurizer)))
    except Exception:  # pickle raises whatever the object does
        return b""
    return hashlib.sha256(state).digest()
