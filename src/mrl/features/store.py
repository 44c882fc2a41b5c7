"""The interface of a store of vectors, and the store that keeps none."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence

import numpy as np

from mrl.features.computing import Block
from mrl.features.keys import Digests
from mrl.features.packing import Bytes, PackedFormat
from mrl.features.refs import VectorRefs
from mrl.features.tables import FixedTable, RowNumbers

__all__ = ["Store", "rows_by_format"]


class Store:
    """The store of ``cache=None``, which keeps no vectors: only `refs` holds them.

    Attributes
    ----------
    lock : lock
        Held while the store is used: one store may serve several threads.
    flush_bytes, flush_seconds : float
        How much is computed, and how long, before it is put.
    """

    flush_bytes = flush_seconds = math.inf

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def find(self, keys: Digests, refs: VectorRefs) -> None:
        """Set the rows of `refs` whose keys are known: references to vectors, or reasons."""

    def put(self, keys: Digests, blocks: Sequence[Block], refs: VectorRefs, expected: int) -> None:
        """Keep the rows of blocks, the first of `expected` rows, and set these rows of `refs`."""
        for format, rows, data in rows_by_format(blocks):
            refs.refer(rows, FixedTable(format, data), np.arange(len(rows)))


def rows_by_format(blocks: Iterable[Block]) -> list[tuple[PackedFormat, RowNumbers, Bytes]]:
    """Return the rows and the packed vectors of blocks, joined by format."""
    rows: dict[PackedFormat, list[RowNumbers]] = {}
    data: dict[PackedFormat, list[Bytes]] = {}
    for block in blocks:
        for part in block.parts:
            rows.setdefault(part.format, []).append(part.rows)
            data.setdefault(part.format, []).append(part.data)
    return [(format, np.concatenate(rows[format]), np.concatenate(data[format])) for format in rows]
