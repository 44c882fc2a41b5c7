"""Rows in the order of numbers or dates, which may stand as text."""

from __future__ import annotations

import datetime
import numbers
import re
from decimal import Decimal
from typing import Any

import numpy as np

from mrl.data.columns import Rows64
from mrl.errors import RowError
from mrl.ragged import is_missing


def rows_by_value(values: list[Any]) -> Rows64:
    """Return the rows by ascending value; equal values keep their order."""
    kinds: list[str] = []
    keys: list[Any] = []
    for row, value in enumerate(values):
        kind, key = _sort_key(value)
        if kind is None or (kinds and kind != kinds[0]):
            expected = f"{kinds[0]}, as in row 0" if kinds else "a number or a date (datetime, or text in ISO 8601)"
            raise RowError.of(
                row,
                "sort_by",
                value,
                f"{expected}; leave out rows without one, and convert others first, e.g. pandas.to_datetime(values, "
                "format='%m/%d/%Y')",
            )
        kinds.append(kind)
        keys.append(key)
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)


_ISO_DATE = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d.*)?)?|\d{4}-W\d\d(-\d)?")


def _sort_key(value: Any) -> tuple[str | None, Any]:
    """Return what a value is, and what to order it by; None for what has no order of its own."""
    if isinstance(value, str):
        value = _parsed(value.strip())
    if is_missing(value):
        return None, None
    if isinstance(value, datetime.datetime):
        return ("a date" if value.tzinfo is None else "a date with a time zone"), value
    if isinstance(value, datetime.date):
        return "a date", datetime.datetime(value.year, value.month, value.day)
    if isinstance(value, np.datetime64):
        return "a date", value
    if isinstance(value, numbers.Real | Decimal | np.bool_):
        return "a number", value
    return None, None


def _parsed(text: str) -> Any:
    """Return the number or date that a text is; None for other text."""
    if _ISO_DATE.fullmatch(text):
        try:
            return datetime.datetime.fromisoformat(text + "-01" if re.fullmatch(r"\d{4}-\d\d", text) else text)
        except ValueError:
            return None
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return None
