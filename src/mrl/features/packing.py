"""Rows of numbers as bytes: 0 and 1 take a bit each (2048 bits: 256 bytes instead of 8 kB as float32)."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.ragged import StoredVectors

__all__ = ["Bytes", "PackedFormat", "exact_floats", "inexact", "pack", "stored_floats", "unpack", "unpack_floats"]

Bytes: TypeAlias = NDArray[np.uint8]


class PackedFormat(NamedTuple):
    """How a row of numbers is stored in bytes."""

    size: int
    """Numbers of a row, D."""
    dtype: str
    """NumPy's name of their type, byte order included."""
    bits: bool
    """Whether they are 0 and 1, eight to a byte."""

    @property
    def width(self) -> int:
        """Bytes of a row."""
        return -(-self.size // 8) if self.bits else self.size * np.dtype(self.dtype).itemsize


def pack(values: NDArray[Any]) -> tuple[PackedFormat, Bytes]:
    """Return rows (m, D) as bytes (m, width): as bits where all are uint8 0 and 1."""
    bits = values.dtype == np.uint8 and int(values.max(initial=0)) <= 1
    format = PackedFormat(values.shape[1], values.dtype.str, bits)
    if bits:
        return format, np.packbits(values, axis=1)
    return format, np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8).reshape(len(values), format.width)


def unpack(format: PackedFormat, data: Bytes) -> NDArray[Any]:
    """Return bytes (m, width) as rows (m, D)."""
    if format.bits:
        return np.unpackbits(data, axis=1, count=format.size)
    if not format.size:
        return np.zeros((len(data), 0), format.dtype)
    return np.ascontiguousarray(data).view(format.dtype)


def unpack_floats(format: PackedFormat, data: Bytes, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return bytes (m, width) as rows (m, D) of floating-point numbers, copied."""
    if not (format.bits and np.dtype(dtype) == np.float32):
        return exact_floats(unpack(format, data), dtype)
    # One look-up of 32 bytes for each byte; unpacking first and converting then would pass over the numbers twice.
    wide = np.take(_floats_of_bytes(), data, axis=0).reshape(len(data), data.shape[1] * 8)
    return wide if wide.shape[1] == format.size else wide[:, : format.size].copy()


def stored_floats(stored: StoredVectors, rows: Any) -> NDArray[Any]:
    """Return vectors that are kept beside a column of text.

    Parameters
    ----------
    stored : StoredVectors
        The vectors of n rows.
    rows : ndarray of int64, shape (B,)
        Which rows.

    Returns
    -------
    ndarray of float32, shape (B, D)
        A copy.

    Examples
    --------
    >>> rows = np.array([[0b10100000], [0]], np.uint8)
    >>> class Kept:
    ...     def take(self, numbers):
    ...         return rows[numbers]
    >>> stored_floats(StoredVectors(Kept(), 3, "uint8", True), [0, 1])
    array([[1., 0., 1.],
           [0., 0., 0.]], dtype=float32)
    """
    data = stored.column.take(rows)
    if not stored.bits:
        return exact_floats(data, np.float32)
    return unpack_floats(PackedFormat(stored.size, "|u1", True), data)


def inexact(integers: NDArray[Any], floats: NDArray[Any]) -> Any:
    """Return the first place where `floats`, converted from `integers`, are other numbers; None where all are equal."""
    exact = 2 ** (np.finfo(floats.dtype).nmant + 1)
    large = integers > exact if integers.dtype.kind == "u" else (integers > exact) | (integers < -exact)
    if not large.any():  # nearly always
        return None
    places = (tuple(place.tolist()) for place in np.argwhere(large))
    return next((one for one in places if float(floats[one]) != int(integers[one])), None)


def exact_floats(values: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Return numbers as floating-point ones, copied; a ValueError for an integer that these would round."""
    with np.errstate(over="ignore"):
        floats = np.array(values, dtype=dtype)
    wrong = inexact(values, floats) if values.dtype.kind == "u" and floats.dtype.kind == "f" else None
    if wrong is not None:
        raise ValueError(
            f"a vector has the integer {values[wrong]}, which {floats.dtype} would round to {floats[wrong]:.0f}; "
            "take Features.values, or let the function return floating-point numbers to round it"
        )
    return floats


@cache
def _floats_of_bytes() -> NDArray[np.float32]:
    """Return the eight bits of each byte as float32, (256, 8)."""
    return np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)
