"""Columns of other libraries through the Arrow C data interface, without a copy where their layout is ours.

A producer hands over PyCapsules (``__arrow_c_array__``, ``__arrow_c_stream__``) around C structures; the arrays made
here keep what owns the memory alive. The interface tells no buffer sizes: the offsets of a producer are checked to be
monotone, but that its buffers are as long as they say has to be believed.
See https://arrow.apache.org/docs/format/CDataInterface.html.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from mrl.errors import ColumnError, RowError
from mrl.ragged._flat import Array, Int64s, checked_offsets, gather, offsets_of

_PRIMITIVES = {"c": "i1", "C": "u1", "s": "i2", "S": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8"}
_PRIMITIVES |= {"e": "f2", "f": "f4", "g": "f8"}

_pointer_of = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_FILL = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_LAST_ERROR = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)


class _Schema(ctypes.Structure):
    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_void_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class _Array(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.c_void_p),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


class _Stream(ctypes.Structure):
    _fields_ = (
        ("get_schema", ctypes.c_void_p),
        ("get_next", ctypes.c_void_p),
        ("get_last_error", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    )


def _release(self: Any, release: Any = _RELEASE, addressof: Any = ctypes.addressof) -> None:
    if self.release:
        release(self.release)(addressof(self))


class _OwnedSchema(_Schema):
    """A schema that is ours: released together with its Python object. One inside a capsule is the capsule's."""

    __del__ = _release


class _OwnedArray(_Array):
    """An array that is ours: released together with its Python object."""

    __del__ = _release


class Piece(NamedTuple):
    """One chunk of a column: values of a NumPy dtype, and int64 offsets that are monotone from 0 or above."""

    values: Array
    offsets: Int64s


def read(column: Any, text: bool) -> list[Piece]:
    """The chunks of an Arrow column of strings, or of lists of numbers; an unsuitable column is a ``ValueError``."""
    pieces: list[Piece] = []
    row = 0
    for schema, array, owner in _chunks(column):
        if array.length < 0 or array.offset < 0:
            raise ColumnError(f"the Arrow array has length {array.length} and offset {array.offset}", column="arrow")
        chunk = _Chunk(array, owner)
        chunk.refuse_nulls(row, text)
        pieces.append(_text_piece(schema, chunk) if text else _list_piece(schema, chunk, row))
        row += array.length
    return pieces


def _chunks(column: Any) -> Iterator[tuple[_Schema, _Array, Any]]:
    """Schema, array, and what keeps the array's memory alive, of each chunk."""
    if hasattr(column, "__arrow_c_array__"):
        owner = column.__arrow_c_array__()
        schema = _Schema.from_address(_pointer_of(owner[0], b"arrow_schema"))
        yield schema, _Array.from_address(_pointer_of(owner[1], b"arrow_array")), owner
    elif hasattr(column, "__arrow_c_stream__"):
        capsule = column.__arrow_c_stream__()  # its destructor releases the stream
        address = _pointer_of(capsule, b"arrow_array_stream")
        stream = _Stream.from_address(address)
        own = _OwnedSchema()
        _call(stream, address, stream.get_schema, own)
        while True:
            chunk = _OwnedArray()
            _call(stream, address, stream.get_next, chunk)
            if not chunk.release:
                return
            yield own, chunk, chunk
    else:
        raise ColumnError(
            f"a {type(column).__name__} offers no Arrow data (__arrow_c_array__ or __arrow_c_stream__): "
            "give an Arrow, polars or pandas column",
            column="arrow",
        )


def _call(stream: _Stream, address: int, function: int, out: ctypes.Structure) -> None:
    code = _FILL(function)(address, ctypes.addressof(out))
    if code:
        message = _LAST_ERROR(stream.get_last_error)(address) or b""
        raise ColumnError(
            f"the Arrow stream ended with error {code}: {message.decode(errors='replace')}", column="arrow"
        )


class _Memory:
    """Foreign memory in the form that NumPy takes; every array over it keeps the owner alive."""

    def __init__(self, owner: Any, address: int, dtype: np.dtype[Any], count: int) -> None:
        self.owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, True), "typestr": dtype.str, "shape": (count,)}


class _Chunk:
    """One Arrow array as NumPy arrays."""

    def __init__(self, array: _Array, owner: Any) -> None:
        self.array, self.owner = array, owner
        self.n, self.start = int(array.length), int(array.offset)
        self.n_buffers = int(array.n_buffers)

    def buffer(self, k: int, dtype: str, start: int, stop: int) -> Array:
        """Items `start` to `stop` of buffer `k`, without a copy unless they are not aligned."""
        kind = np.dtype(dtype)
        if stop <= start:
            return np.zeros(0, kind)
        pointers = (ctypes.c_void_p * self.n_buffers).from_address(self.array.buffers)
        address = pointers[k]
        if not address:
            raise ColumnError(f"the Arrow array has no buffer {k}", column="arrow")
        memory = _Memory(self.owner, address + start * kind.itemsize, kind, stop - start)
        return np.require(np.asarray(memory), requirements="A")

    def bits(self, k: int, start: int, stop: int) -> Array:
        """Bits `start` to `stop` of buffer `k`, as uint8."""
        packed = self.buffer(k, "u1", start // 8, -(-stop // 8))
        return np.unpackbits(packed, bitorder="little")[start % 8 : start % 8 + stop - start]

    def offsets(self, dtype: str) -> Int64s:
        """The checked offsets of the rows; a chunk of no rows may lack the buffer."""
        if self.n == 0:
            return np.zeros(1, np.int64)
        return checked_offsets(self.buffer(1, dtype, self.start, self.start + self.n + 1))

    def first_null(self, start: int, stop: int) -> int | None:
        """The first null of the items `start` to `stop`, counted after the array's own offset."""
        if self.array.null_count == 0 or self.n == 0 or stop <= start:
            return None
        if not (ctypes.c_void_p * self.n_buffers).from_address(self.array.buffers)[0]:
            return None
        valid = self.bits(0, self.start + start, self.start + stop)
        return None if valid.all() else start + int(np.argmin(valid))

    def refuse_nulls(self, before: int, text: bool) -> None:
        null = self.first_null(0, self.n)
        if null is not None:
            row = before + null
            raise RowError(
                f"row {row} is null, expected {'a string' if text else 'a list'}; drop or fill missing rows first",
                row=row,
                column="arrow",
                value=None,
            )


def _format(schema: _Schema) -> str:
    return "dictionary" if schema.dictionary else (schema.format or b"").decode()


def _text_piece(schema: _Schema, chunk: _Chunk) -> Piece:
    form = _format(schema)
    if form == "vu":
        return _views_piece(chunk)
    if form not in ("u", "U"):
        raise ColumnError(
            f"the Arrow column has format {form!r}, expected strings ('u', 'U' or 'vu'): choose another column, "
            "or cast it to strings",
            column="arrow",
        )
    offsets = chunk.offsets("i4" if form == "u" else "i8")
    return Piece(chunk.buffer(2, "u1", 0, int(offsets[-1])), offsets)


def _views_piece(chunk: _Chunk) -> Piece:
    """String views: 16 bytes a row, with up to 12 bytes of text inside, or a buffer's number and a position in it."""
    stop = chunk.start + chunk.n
    raw = chunk.buffer(1, "u1", 16 * chunk.start, 16 * stop)
    fields = raw.view(np.int32).reshape(-1, 4).astype(np.int64)
    lengths, buffers, starts = fields[:, 0], fields[:, 2], fields[:, 3]
    offsets = checked_offsets(offsets_of(lengths))
    inside = lengths <= 12
    n_texts = chunk.n_buffers - 3
    sizes = chunk.buffer(chunk.n_buffers - 1, "i8", 0, n_texts)
    buffers = np.where(inside, n_texts, buffers)
    starts = np.where(inside, 16 * np.arange(chunk.n) + 4, starts)
    ends = np.append(sizes, len(raw))
    if chunk.n and (buffers.min() < 0 or buffers.max() > n_texts or starts.min() < 0):
        raise ColumnError("an Arrow string view points to no buffer: the column is damaged", column="arrow")
    if (starts + lengths > ends[buffers]).any():
        raise ColumnError("an Arrow string view points behind its buffer: the column is damaged", column="arrow")
    order = np.argsort(buffers, kind="stable")  # buffer by buffer: there may be thousands of small ones
    found, firsts = np.unique(buffers[order], return_index=True)
    parts = []
    for k, rows in zip(found.tolist(), np.split(order, firsts[1:]), strict=True):
        source = raw if k == n_texts else chunk.buffer(2 + k, "u1", 0, int(sizes[k]))
        parts.append(gather(source, starts[rows], offsets_of(lengths[rows])))
    values = np.concatenate([raw[:0], *parts])
    if (order[1:] < order[:-1]).any():
        places = np.empty_like(offsets[1:])
        places[order] = offsets_of(lengths[order])[:-1]
        values = gather(values, places, offsets)
    return Piece(values, offsets)


def _list_piece(schema: _Schema, chunk: _Chunk, before: int) -> Piece:
    form = _format(schema)
    if form in ("+l", "+L"):
        offsets = chunk.offsets("i4" if form == "+l" else "i8")
    elif form.startswith("+w:"):
        offsets = np.arange(chunk.start, chunk.start + chunk.n + 1) * int(form[3:])
    else:
        raise ColumnError(
            f"the Arrow column has format {form!r}, expected lists of numbers ('+l', '+L' or '+w'): "
            "choose another column; Text.from_arrow reads strings",
            column="arrow",
        )
    child_schema = _Schema.from_address(ctypes.c_void_p.from_address(schema.children).value or 0)
    child_array = _Array.from_address(ctypes.c_void_p.from_address(chunk.array.children).value or 0)
    child = _Chunk(child_array, chunk.owner)
    inner = _format(child_schema)
    if inner != "b" and inner not in _PRIMITIVES:
        raise ColumnError(f"the lists have items of Arrow format {inner!r}, expected numbers", column="arrow")
    start, stop = int(offsets[0]), int(offsets[-1])
    if stop > child.n:
        raise ColumnError(f"the lists end at item {stop}, but there are only {child.n} items", column="arrow")
    null = child.first_null(start, stop)
    if null is not None:
        row = before + int(np.searchsorted(offsets, null, side="right")) - 1
        raise RowError(
            f"row {row} has a null in its list, expected numbers; fill it first", row=row, column="arrow", value=None
        )
    if inner == "b":
        return Piece(child.bits(1, child.start, child.start + stop).astype(np.bool_), offsets)
    return Piece(child.buffer(1, _PRIMITIVES[inner], child.start, child.start + stop), offsets)
