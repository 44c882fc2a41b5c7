"""The store of ``cache="memory"``: one for each featurizer, bounded, and freed with the featurizer."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from mrl.features.computing import Block, Featurizer, function_of, takes_any_text
from mrl.features.keys import Digests
from mrl.features.packing import PackedFormat
from mrl.features.refs import VectorRefs
from mrl.features.state import state_digest
from mrl.features.store import Store, rows_by_format
from mrl.features.tables import MemoryTable

__all__ = ["MemoryStore", "keep_store", "memory_store"]

LIMIT = 256 << 20  # bytes of one featurizer: about 900,000 fingerprints of 2048 bits
PARTS = 8  # into which the limit is divided: a table is dropped as a whole
MOST_TABLES = 64  # a function may return vectors of many sizes
MOST_REASONS = 100_000
OVERHEAD = 24  # bytes of a row besides its vector, about


class MemoryStore(Store):
    """Vectors and reasons in this process, up to a limit; the least recently used table is dropped first.

    A table that was dropped is still found for as long as a dataset refers to it.
    """

    flush_bytes = 1 << 20

    def __init__(self, limit: int = LIMIT) -> None:
        super().__init__()
        self.limit = limit
        self._tables: list[MemoryTable] = []  # the least recently used first
        self._alive: weakref.WeakSet[MemoryTable] = weakref.WeakSet()
        self._reasons: dict[bytes, str] = {}

    def find(self, keys: Digests, refs: VectorRefs) -> None:
        left = np.arange(len(keys))
        dropped = [table for table in self._alive if table not in self._tables]
        for table in [*reversed(self._tables), *dropped]:
            rows = table.find(keys[left])
            hit = rows >= 0
            if hit.any():
                refs.refer(left[hit], table, rows[hit])
                self._use(table)
                left = left[~hit]
        if self._reasons:
            known = zip(left.tolist(), map(self._reasons.get, keys[left].tolist()), strict=True)
            refs.fail((row, reason) for row, reason in known if reason is not None)

    def put(self, keys: Digests, blocks: Sequence[Block], refs: VectorRefs, expected: int) -> None:
        for format, rows, data in rows_by_format(blocks):
            most = max(self.limit // PARTS // (format.width + OVERHEAD), 1)
            start = 0
            while start < len(rows):
                table = self._open_table(format, most)
                room = most - len(table)
                here = rows[start : start + room]
                added = table.append(keys[here], data[start : start + room], min(expected - start, room))
                refs.refer(here, table, added)
                self._use(table)
                start += room
        for block in blocks:
            self._reasons |= {bytes(keys[row]): reason for row, reason in block.rejected.items()}
        while len(self._reasons) > MOST_REASONS:
            del self._reasons[next(iter(self._reasons))]

    def _open_table(self, format: PackedFormat, most: int) -> MemoryTable:
        found = next((table for table in self._tables if table.format == format and len(table) < most), None)
        if found is None:
            found = MemoryTable(format)
            self._alive.add(found)
        return found

    def _use(self, table: MemoryTable) -> None:
        """Make a table the most recently used one, and drop others beyond the limit."""
        self._tables = [*(other for other in self._tables if other is not table), table]
        while len(self._tables) > 1 and (
            len(self._tables) > MOST_TABLES or sum(one.nbytes for one in self._tables) > self.limit
        ):
            del self._tables[0]


class _Entry(NamedTuple):
    """The store of a function, and the state that the function had when it was last used."""

    reference: Callable[[], Any]
    state: str
    opaque: list[Any]
    store: MemoryStore


# By identity: an equal featurizer need not compute the same. An entry goes when its featurizer does.
_stores: dict[int, _Entry] = {}


def memory_store(featurizer: Featurizer) -> MemoryStore:
    """Return the store of this very object in its present state: after a change of it there is another one."""
    function = function_of(featurizer)
    number, opaque = id(function), list[Any]()
    state = _state(featurizer, opaque)
    known = _stores.get(number)
    if known is not None and known.reference() is function and known.state == state:
        return known.store
    try:
        reference: Callable[[], Any] = weakref.ref(function, lambda _: _stores.pop(number, None))
    except TypeError:  # some kinds of objects have no weak references

        def reference() -> Any:
            return function

    store = MemoryStore()
    _stores[number] = _Entry(reference, state, opaque, store)
    return store


def keep_store(featurizer: Featurizer, store: Store) -> None:
    """Keep a store after vectors were computed: what the calls changed, such as a counter or a memo, does not count."""
    known = _stores.get(number := id(function_of(featurizer)))
    if known is not None and known.store is store:
        opaque = list[Any]()
        _stores[number] = known._replace(state=_state(featurizer, opaque), opaque=opaque)


def _state(featurizer: Featurizer, opaque: list[Any]) -> str:
    """Return the state of a featurizer; objects that count by their identity are appended to `opaque`."""
    return f"{state_digest(function_of(featurizer), opaque)} {takes_any_text(featurizer)}"
