"""Cells: a column of SMILES cut into molecules, CXSMILES tails and names; a column of text as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mrl.corpus._sources import DAMAGED
from mrl.errors import ColumnError

__all__ = ["Cells", "as_text", "damaged", "molecules", "numbers"]

_TAIL = r"(?s)^(?P<smiles>\S+)\s+(?P<tail>\|.*\|)(?P<name>)$"
_TAIL_AND_NAME = r"(?s)^(?P<smiles>\S+)\s+(?:(?P<tail>\|[^|]*\|)(?:\s+|$))?(?P<name>.*)$"
_NO_MOLECULE = ("nan", "NaN", "null", "NULL", "none", "None", "n/a", "N/A", "#N/A", "<NA>")  # "NA" is a peptide
_NO_NUMBER = ("", "na", "nan", "null", "none", "n/a", "#n/a", "<na>")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TEXT = pa.large_string()


class Cells(NamedTuple):
    """A column of SMILES, n rows, each part an Arrow array of text."""

    smiles: Any
    tail: Any
    """The CXSMILES tail of each row, blank where it has none."""
    name: Any
    """The name behind each SMILES, likewise."""
    refused: dict[int, str]
    """Why some of the rows hold no molecule."""
    trimmed: NDArray[np.bool_]
    """Whether blanks around the SMILES were removed."""


def as_text(column: Any, name: str, path: str) -> Any:
    """A column as Arrow text, missing values as blanks; numbers become text only if they are integers."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        raise ColumnError(
            f"{path}: column {name!r} is {kind}, expected text: choose another column", column=name, path=path
        )
    try:
        return pc.fill_null(pc.cast(pc.cast(column, kind), _TEXT), "")
    except pa.ArrowInvalid as error:
        raise ColumnError(
            f"{path}: column {name!r} is no UTF-8 ({error}): write it as text", column=name, path=path
        ) from error


def damaged(column: Any) -> list[int]:
    """The rows of an Arrow column of text with bytes that are no UTF-8."""
    return _where(pc.match_substring(column, DAMAGED))


def molecules(raw: Any, loose: bool) -> Cells:
    """Cut cells into SMILES and what stands behind them, and tell which are no SMILES.

    Parameters
    ----------
    raw : Arrow array of text, n rows
    loose : bool
        A name may follow the SMILES after a blank; otherwise only a CXSMILES tail may.
    """
    text = pc.utf8_trim_whitespace(raw)
    trimmed = _flags(pc.not_equal(pc.binary_length(text), pc.binary_length(raw)))
    tail = name = pa.repeat(pa.scalar("", _TEXT), len(text))
    refused = dict.fromkeys(_where(pc.equal(text, "")), "empty")
    blanks = _flags(pc.match_substring_regex(text, r"[\s\p{Z}]"))
    if blanks.any():
        found = pc.extract_regex(pc.filter(text, pa.array(blanks)), _TAIL_AND_NAME if loose else _TAIL)
        matched = _flags(pc.is_valid(found))
        refused |= dict.fromkeys(np.flatnonzero(blanks)[~matched].tolist(), "blank inside SMILES")
        blanks[blanks] = matched
        parts = {
            part: pc.filter(pc.struct_field(found, part), pa.array(matched)) for part in ("smiles", "tail", "name")
        }
        text = pc.replace_with_mask(text, pa.array(blanks), parts["smiles"])
        tail = pc.replace_with_mask(tail, pa.array(blanks), parts["tail"])
        name = pc.replace_with_mask(name, pa.array(blanks), parts["name"])
    refused |= dict.fromkeys(_where(pc.is_in(text, value_set=pa.array(_NO_MOLECULE, _TEXT))), "missing")
    refused |= dict.fromkeys(damaged(text), "not UTF-8")
    return Cells(text, tail, name, refused, trimmed)


def numbers(column: Any, fail: Callable[[int, str, str], NoReturn]) -> NDArray[np.float64]:
    """A column as float64, NaN where it is missing; the first value that is no number goes to `fail`.

    Parameters
    ----------
    column : Arrow array of numbers, booleans or text, n rows
    fail : function of (place, value, what was expected)
        Raises.
    """
    kind = column.type
    if (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    ):
        values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        missing = _flags(pc.is_null(column, nan_is_null=True))
    else:
        text = pc.utf8_trim_whitespace(column)
        missing = _flags(pc.is_in(pc.utf8_lower(text), value_set=pa.array(_NO_NUMBER, _TEXT)))
        try:
            values = pc.cast(pc.if_else(pa.array(missing), None, text), pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:  # a plus sign, or no number at all
            cells = ((cell, gone) for cell, gone in zip(text.to_pylist(), missing.tolist(), strict=True))
            values = np.array([float(cell) if not gone and _NUMBER.fullmatch(cell) else np.nan for cell, gone in cells])
    wrong = ~np.isfinite(values) & ~missing
    if wrong.any():
        place = int(np.argmax(wrong))
        fail(place, str(column[place].as_py()), "a finite number")
    return np.asarray(values, np.float64)


def _is_text(kind: Any) -> bool:
    is_binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    return bool(is_binary or pa.types.is_string(kind) or pa.types.is_large_string(kind) or "string_view" in str(kind))


def _flags(mask: Any) -> NDArray[np.bool_]:
    return np.array(mask.to_numpy(zero_copy_only=False), bool)


def _where(mask: Any) -> list[int]:
    return [int(place) for place in np.flatnonzero(_flags(mask))]
