"""Arrow columns of strings and of lists as flat arrays, and back; without copies where possible.

pyarrow is imported inside the functions, so that text can be tokenized without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mrl.errors import ColumnError, RowError
from mrl.ragged.flat import Array, Int64s, check_offsets

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_lists", "read_strings", "write_lists", "write_strings"]


def read_strings(column: Any) -> list[tuple[Array, Int64s]]:
    """Return the UTF-8 bytes and the offsets of each chunk of an Arrow column of strings."""
    import pyarrow as pa

    chunks = []
    row = 0
    for chunk in _chunks(column):
        if chunk.type not in (pa.string(), pa.large_string(), pa.string_view()):
            raise ColumnError(
                f"the Arrow column has the type {chunk.type}, expected strings (string, large_string or string_view): "
                "choose another column, or cast it to strings",
                column="arrow",
            )
        _reject_nulls(chunk, row, "a string")
        row += len(chunk)
        if chunk.type == pa.string_view():
            chunk = _copy_views(chunk)
        _, offsets, values = chunk.buffers()
        chunks.append((_array(values, np.dtype(np.uint8)), _offsets(chunk, offsets)))
    return chunks


def read_lists(column: Any) -> list[tuple[Array, Int64s]]:
    """Return the values and the offsets of each chunk of an Arrow column of lists of numbers."""
    import pyarrow as pa

    chunks = []
    row = 0
    for chunk in _chunks(column):
        kind = chunk.type
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
            raise ColumnError(
                f"the Arrow column has the type {kind}, expected lists of numbers (list, large_list or "
                "fixed_size_list): choose another column; Text.from_arrow reads strings",
                column="arrow",
            )
        item = kind.value_type
        if not (pa.types.is_integer(item) or pa.types.is_floating(item) or pa.types.is_boolean(item)):
            raise ColumnError(f"the Arrow lists have items of the type {item}, expected numbers", column="arrow")
        _reject_nulls(chunk, row, "a list")
        if pa.types.is_fixed_size_list(kind):
            offsets = np.arange(chunk.offset, chunk.offset + len(chunk) + 1) * kind.list_size
        else:
            offsets = _offsets(chunk, chunk.buffers()[1])
        values = chunk.values
        if values.null_count:
            offsets, values = offsets - offsets[0], values[int(offsets[0]) : int(offsets[-1])]
            _reject_null_items(values, offsets, row)
        chunks.append((values.to_numpy(zero_copy_only=False), offsets))
        row += len(chunk)
    return chunks


def write_strings(values: Array, offsets: Int64s) -> pa.LargeStringArray:
    """Return UTF-8 bytes and offsets as an Arrow array that shares their memory; a ValueError if it is not UTF-8."""
    import pyarrow as pa

    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(values)]
    column = pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
    column.validate(full=True)
    return column


def write_lists(values: Array, offsets: Int64s) -> pa.LargeListArray:
    """Return values and offsets as an Arrow array that shares their memory, but for booleans."""
    import pyarrow as pa

    if values.dtype.kind == "c":
        raise ColumnError(f"Arrow has no type for {values.dtype}: convert real and imaginary parts", column="values")
    return pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(values))


def _chunks(column: Any) -> list[pa.Array]:
    import pyarrow as pa

    try:
        if hasattr(column, "__arrow_c_array__"):
            return [pa.array(column)]
        if hasattr(column, "__arrow_c_stream__"):
            chunked = pa.chunked_array(column)
            return list(chunked.chunks) or [pa.array([], chunked.type)]
    except (pa.ArrowException, OSError) as error:
        raise ColumnError(f"the Arrow column cannot be read: {error}", column="arrow") from error
    raise ColumnError(
        f"a {type(column).__name__} offers no Arrow data (__arrow_c_array__ or __arrow_c_stream__): "
        "give an Arrow, polars or pandas column",
        column="arrow",
    )


def _array(buffer: pa.Buffer | None, dtype: np.dtype[Any]) -> Array:
    return np.frombuffer(buffer, dtype) if buffer is not None and buffer.size else np.zeros(0, dtype)


def _offsets(chunk: pa.Array, buffer: pa.Buffer | None) -> Int64s:
    """The checked offsets of the rows; a chunk without rows may lack the buffer."""
    if not len(chunk):
        return np.zeros(1, np.int64)
    narrow = str(chunk.type).startswith(("string", "list"))
    offsets = _array(buffer, np.dtype(np.int32 if narrow else np.int64))
    return check_offsets(offsets[chunk.offset : chunk.offset + len(chunk) + 1])


def _copy_views(chunk: pa.Array) -> pa.Array:
    import pyarrow as pa

    try:
        chunk.validate(full=True)
    except pa.ArrowException as error:
        raise ColumnError(f"the Arrow column is damaged: {error}", column="arrow") from error
    return chunk.cast(pa.large_string())


def _reject_nulls(chunk: pa.Array, start: int, expected: str) -> None:
    if chunk.null_count:
        row = start + int(np.argmax(chunk.is_null().to_numpy(zero_copy_only=False)))
        raise RowError(
            f"row {row} is null, expected {expected}; drop or fill missing rows first",
            row=row,
            column="arrow",
            value=None,
        )


def _reject_null_items(values: pa.Array, offsets: Int64s, start: int) -> None:
    if values.null_count:
        item = int(np.argmax(values.is_null().to_numpy(zero_copy_only=False)))
        row = start + int(np.searchsorted(offsets, item, side="right")) - 1
        raise RowError(
            f"row {row} has a null in its list, expected numbers; fill it first", row=row, column="arrow", value=None
        )
