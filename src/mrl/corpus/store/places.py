"""Places: where a column lies in the memory of this process, and how rows are copied from there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.corpus.store.kinds import Kind
from mrl.corpus.store.shard import corrupt
from mrl.corpus.store.shards import StoredShards
from mrl.errors import CorruptShard
from mrl.kernels import copy_spans, locate
from mrl.ragged import Ragged, Text

Int64s: TypeAlias = NDArray[np.int64]

_START, _END = 64, 1 << 48  # of the addresses that a process may have


class Places:
    """Where a column lies in the memory of this process, shard by shard, and how rows are copied from there.

    Parameters
    ----------
    shards : StoredShards
        The files.
    name : str
        The name of the column.
    kind : Kind
        Its type.
    """

    def __init__(self, shards: StoredShards, name: str, kind: Kind) -> None:
        self._shards, self._name, self._kind = shards, name, kind
        self._width = kind.width[0] if kind.width else 1
        # Bytes of a fixed length are copied as bytes, and booleans, which are packed, as bits.
        self._unit = np.dtype(np.uint8) if kind.dtype.kind in "Sb" else kind.dtype
        n = len(shards.manifest.shards)
        self._is_open = np.zeros(n, bool)
        self._all_open = False
        self._offsets_at, self._values_at, self._sizes = (np.zeros(n, np.int64) for _ in range(3))
        self._kept: list[pa.Array] = []  # the memory that the addresses lead to
        self._values = memory(self._unit, self._kept)

    def take(self, rows: Int64s) -> Any:
        """Return some rows, whose numbers are valid, in memory of their own."""
        if self._kind.is_ragged:
            values, offsets = copy_spans(*self.spans(rows))
            return (Text if self._kind.is_text else Ragged)._trusted(values, offsets)
        starts = self._shards.starts
        self._require_open(rows)
        shard = np.searchsorted(starts, rows, side="right") - 1
        return self._take_numbers(self._values_at[shard], rows - starts[shard])

    def spans(self, rows: Int64s) -> tuple[NDArray[Any], Int64s]:
        """Return an array, and where in it some rows, whose numbers are valid, begin and end: see `RaggedColumn`."""
        self._require_open(rows)
        at = self._offsets_at, self._values_at, self._sizes
        try:
            return self._values, locate(rows, self._shards.starts, *at, _OFFSETS)
        except ValueError as error:
            raise self._corrupt(f"row {error}") from None

    def _take_numbers(self, begin: Int64s, rows: Int64s) -> NDArray[Any]:
        """Return rows of numbers: where the values of their shards begin, and their places in these shards."""
        dtype, shape = self._kind.dtype, (len(rows), *self._kind.width)
        if dtype.kind == "b" and self._width % 8:
            bit = (rows * self._width)[:, None] + np.arange(self._width)
            bytes_ = self._values[begin[:, None] + (bit >> 3)]
            flags: NDArray[Any] = (bytes_ >> (bit & 7).astype(np.uint8) & 1).astype(bool)
            return flags.reshape(shape)
        size = self._width // 8 if dtype.kind == "b" else self._width * (dtype.itemsize // self._unit.itemsize)
        if size == 1:
            values = self._values[begin + rows]
        else:
            first = begin + rows * size
            values, _ = copy_spans(self._values, np.stack([first, first + size], axis=1).reshape(-1))
        if dtype.kind == "b":
            values = np.unpackbits(values, bitorder="little")
        found: NDArray[Any] = values.view(dtype).reshape(shape)
        return found

    def _require_open(self, rows: Int64s) -> None:
        """Open the shards of some rows."""
        if self._all_open:
            return
        needed = np.unique(np.searchsorted(self._shards.starts, rows, side="right") - 1)
        with self._shards.lock:
            for k in needed[~self._is_open[needed]].tolist():
                self._add(k, self._shards.array(k, self._name))
                self._is_open[k] = True
            self._all_open = bool(self._is_open.all())

    def _add(self, k: int, array: pa.Array) -> None:
        """Check the type and the size of a column of shard `k`, and note where it lies."""
        kind, rows = self._kind, self._shards.manifest.shards[k].rows
        if array.type != kind.arrow_type or len(array) != rows:
            raise self._corrupt(f"shard {k} has {len(array)} rows of {array.type}, not what is listed")
        nested = array.values if isinstance(array, pa.LargeListArray | pa.FixedSizeListArray) else array
        if array.null_count or nested.null_count or array.offset or nested.offset:
            raise self._corrupt(f"shard {k} has nulls or an offset")
        buffers = array.buffers()
        data, size = buffers[-1], 0 if buffers[-1] is None else buffers[-1].size // self._unit.itemsize
        bits = 1 if kind.dtype.kind == "b" else 8 * kind.dtype.itemsize
        needed = (
            8 * (rows + 1) if kind.is_ragged and rows else 0 if kind.is_ragged else -(-rows * self._width * bits // 8)
        )
        if needed > (0 if (first := buffers[1] if kind.is_ragged else data) is None else first.size):
            raise self._corrupt(f"shard {k} has less memory than rows")
        try:
            if kind.is_ragged and rows:
                self._offsets_at[k] = _index(buffers[1].address, 8)
            self._values_at[k] = _index(data.address, self._unit.itemsize) if size else 0
        except ValueError as error:
            raise self._corrupt(f"shard {k}: {error}") from None
        self._sizes[k] = min(size, len(nested)) if not kind.is_text else size
        self._kept.append(array)

    def _corrupt(self, reason: str) -> CorruptShard:
        return corrupt(self._shards.folder, f"column {self._name!r}, {reason}")


def _index(address: int, size: int) -> int:
    """Return the index of an address in `memory` of values of some size."""
    place, rest = divmod(address - _START, size)
    if rest:
        raise ValueError(f"its values of {size} bytes are not aligned")
    return place


def memory(dtype: Any, kept: Any = None) -> NDArray[Any]:
    """Return all addresses of the process as one array, which never changes and costs nothing.

    Only places that are known to be mapped may be read: by what is `kept` as long as the array is. With it, rows of any
    number of files are read by one loop over one array.
    """
    dtype = np.dtype(dtype)
    shape = ((_END - _START) // dtype.itemsize,)
    interface = {"data": (_START, True), "shape": shape, "typestr": dtype.str, "version": 3}
    return np.asarray(SimpleNamespace(__array_interface__=interface, kept=kept))


_OFFSETS = memory(np.int64)
