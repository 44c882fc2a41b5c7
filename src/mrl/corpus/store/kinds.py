"""The types of columns on disk, by the names that a manifest has for them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from mrl.corpus.store.shard import Values
from mrl.ragged import Ragged, Text

_NUMBERS = "bool|u?int(?:8|16|32|64)|float(?:16|32|64)"
_KIND = re.compile(
    rf"(?P<text>text)|ragged (?P<ragged>(?!bool){_NUMBERS})|(?P<bytes>S[1-9]\d{{0,6}})"
    rf"|(?P<numbers>{_NUMBERS})(?: \((?P<width>[1-9]\d{{0,6}}),\))?"
)


class Kind(NamedTuple):
    """The type of a column.

    Attributes
    ----------
    dtype : dtype
        Of its values; that of bytes for text.
    is_text, is_ragged : bool
        Whether rows are texts, and whether they differ in length, as texts do.
    width : tuple of int
        ``(T,)`` for T numbers in each row, else ``()``.
    """

    dtype: np.dtype[Any]
    is_text: bool = False
    is_ragged: bool = False
    width: tuple[int, ...] = ()

    @property
    def arrow_type(self) -> pa.DataType:
        """The type that Arrow has for it."""
        if self.is_text:
            return pa.large_string()
        number = pa.binary(self.dtype.itemsize) if self.dtype.kind == "S" else pa.from_numpy_dtype(self.dtype)
        if self.is_ragged:
            return pa.large_list(number)
        return pa.list_(number, self.width[0]) if self.width else number


def kind_of(values: Values) -> str:
    """Return the type of a column as a manifest has it.

    Parameters
    ----------
    values : Text, Ragged or ndarray
        The column, or some rows of it.

    Returns
    -------
    str
        ``"text"``, ``"ragged uint8"``, ``"float64"``, ``"float64 (12,)"`` for 12 numbers in each row, or ``"S16"``.

    Examples
    --------
    >>> kind_of(Text.of(["C"])), kind_of(np.zeros((3, 2), np.float32))
    ('text', 'float32 (2,)')
    """
    if isinstance(values, Text):
        return "text"
    if isinstance(values, Ragged):
        return f"ragged {values.values.dtype}"
    name = values.dtype.str[1:] if values.dtype.kind == "S" else values.dtype.name
    return name if values.ndim == 1 else f"{name} ({values.shape[1]},)"


def parse_kind(kind: str) -> Kind:
    """Return what `kind_of` has written; ValueError if it is something else."""
    found = _KIND.fullmatch(kind)
    if found is None:
        raise ValueError(f"the type {kind!r}, which this mrl does not know")
    if found["text"]:
        return Kind(np.dtype(np.uint8), is_text=True, is_ragged=True)
    if found["ragged"]:
        return Kind(np.dtype(found["ragged"]), is_ragged=True)
    width = () if found["width"] is None else (int(found["width"]),)
    return Kind(np.dtype(found["bytes"] or found["numbers"]), width=width)
