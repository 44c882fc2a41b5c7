"""Rows of numbers as bytes: 0 and 1 take a bit each (2048 bits: 256 bytes instead of 8 kB as float32)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Bytes", "Form", "Packed", "pack", "unpack"]

Bytes = NDArray[np.uint8]


class Form(NamedTuple):
    """How one row stands in bytes."""

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


def pack(values: NDArray[Any]) -> tuple[Form, Bytes]:
    """Rows (m, D) as bytes (m, width): bits where all are uint8 0 and 1."""
    bits = values.dtype == np.uint8 and int(values.max(initial=0)) <= 1
    form = Form(values.shape[1], values.dtype.str, bits)
    if bits:
        return form, np.packbits(values, axis=1)
    return form, np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8).reshape(len(values), form.width)


def unpack(form: Form, data: Bytes) -> NDArray[Any]:
    """Rows (m, D) of bytes (m, width)."""
    if form.bits:
        return np.unpackbits(data, axis=1, count=form.size)
    if not form.size:
        return np.zeros((len(data), 0), form.dtype)
    return np.ascontiguousarray(data).view(form.dtype)


class Packed:
    """n rows of D numbers, held in as few bytes as they need; all zero until they are put.

    The type grows with what is put: bits, then small integers, then floats.

    Parameters
    ----------
    n : int
        Rows.
    form : Form, optional
        How they stand in bytes; that of what is put first if not given.

    Examples
    --------
    >>> packed = Packed(3)
    >>> packed.put([2, 0], *pack(np.array([[1, 0, 1], [0, 1, 1]], np.uint8)))
    >>> packed, packed.data.nbytes
    (Packed(3 rows of 3 bits), 3)
    >>> packed.dense()
    array([[0., 1., 1.],
           [0., 0., 0.],
           [1., 0., 1.]], dtype=float32)
    """

    def __init__(self, n: int, form: Form | None = None) -> None:
        self.form = form or Form(0, np.dtype(np.float32).str, False)
        self.data: Bytes = np.zeros((n, self.form.width), np.uint8)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        kind = "bits" if self.form.bits else np.dtype(self.form.dtype).name
        return f"Packed({len(self):,} rows of {self.form.size:,} {kind})"

    def widen(self, forms: Iterable[Form]) -> None:
        """Take on a form that holds these forms, all of one size, as well; the first one said is taken as it is."""
        forms = {*forms, self.form} if self.form.size else set(forms)
        if not forms or forms == {self.form}:
            return
        size = next(iter(forms)).size
        bits = all(form.bits for form in forms)
        form = Form(size, np.result_type(*sorted({form.dtype for form in forms})).str, bits)
        self.data = (
            _as(form, self.form, self.data).copy() if self.form.size else np.zeros((len(self), form.width), np.uint8)
        )
        self.form = form

    def put(self, rows: Any, form: Form, data: Bytes) -> None:
        """Set rows from bytes in `form`."""
        self.widen([form])
        self.data[rows] = _as(self.form, form, data)

    def take(self, rows: Any) -> Packed:
        """Some rows, in memory of their own."""
        taken = Packed(0, self.form)
        taken.data = self.data[rows]
        return taken

    def values(self) -> NDArray[Any]:
        """All rows, (n, D), in the type that they have."""
        return unpack(self.form, self.data)

    def dense(self, rows: Any = None, dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """Rows (B, D) as floating-point numbers, in memory of their own."""
        data = self.data if rows is None else self.data[rows]
        if not (self.form.bits and np.dtype(dtype) == np.float32):
            return np.array(unpack(self.form, data), dtype=dtype)
        # One look-up of 32 bytes for each byte; unpacking first and converting then would pass over the numbers twice.
        wide = np.take(_eights(), data, axis=0).reshape(len(data), data.shape[1] * 8)
        return wide if wide.shape[1] == self.form.size else wide[:, : self.form.size].copy()


def _as(wanted: Form, form: Form, data: Bytes) -> Bytes:
    """The same numbers in another form."""
    if wanted == form:
        return data
    values = unpack(form, data).astype(wanted.dtype)
    return np.frombuffer(values.tobytes(), np.uint8).reshape(len(data), wanted.width)


@cache
def _eights() -> NDArray[np.float32]:
    """The eight bits of each byte as float32, (256, 8)."""
    return np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)
