"""What a column beside the molecules holds: numbers, classes, identifiers or other text, and how full it is."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.ragged import Text

Kind: TypeAlias = Literal["numbers", "classes", "identifiers", "text", "empty"]
Values: TypeAlias = NDArray[np.float64]

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-nan"})
_CENSORED = re.compile(r"\s*[<>]=?\s*")
_MOST_CLASSES = 12
_MOSTLY = 0.8  # of the cells are numbers: a column of numbers in which some cells are wrong
_MANY = 0.5  # of them are enough where the cells are neither classes nor all different
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class ColumnFacts:
    """What was found in a column.

    Attributes
    ----------
    name : str
    kind : "numbers", "classes", "identifiers", "text" or "empty"
        Classes: two numbers or up to 12 texts that repeat. Identifiers: every value differs from all others.
    rows, filled, distinct : int
        The rows that were looked at, those with a value, and the number of values.
    values : ndarray of float64, shape (rows,)
        The numbers, NaN where there is none. Two classes are 0 and 1 unless they are numbers.
    classes : dict of str to int
        Rows of each class, the most frequent first.
    censored : int
        Cells such as ``>10``.
    unreadable : dict of str to int
        Cells of a column of numbers that are not numbers, the most frequent first, 5 at most.
    not_numbers : int
        How many such cells there are.
    example : str
        The first value.
    decimal : "." or ","
        The mark in front of the decimals of most of its numbers.

    Examples
    --------
    >>> facts = column_facts("active", Text.of(["1", "0", "", "1"]))
    >>> facts.kind, facts.filled, facts.classes
    ('classes', 3, {'1': 2, '0': 1})
    """

    name: str
    kind: Kind
    rows: int
    filled: int
    distinct: int
    values: Values = field(repr=False)
    classes: dict[str, int] = field(default_factory=dict)
    censored: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)
    not_numbers: int = 0
    example: str = ""
    decimal: str = "."

    @property
    def is_label(self) -> bool:
        """Whether it may be something to predict: numbers or classes.

        Examples
        --------
        >>> column_facts("y", Text.of(["0.5", "1.5", "4"])).is_label
        True
        """
        return self.kind in ("numbers", "classes")

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON.

        Examples
        --------
        >>> column_facts("y", Text.of(["0.5", "1.5", "4"])).to_dict()["numbers"]["mean"]
        2.0
        """
        facts: dict[str, Any] = {"kind": self.kind, "filled": self.filled, "distinct": self.distinct}
        if self.kind == "numbers":
            facts["numbers"] = spread(self.values)
        if self.kind == "classes":
            facts["classes"] = dict(self.classes)
        if self.censored:
            facts["censored"] = self.censored
        if self.decimal != ".":
            facts["decimal"] = self.decimal
        if self.unreadable:
            facts |= {"not_numbers": self.not_numbers, "not_numbers_examples": dict(self.unreadable)}
        return facts


def column_facts(name: str, column: Text | NDArray[Any]) -> ColumnFacts:
    """Return what a column holds.

    Parameters
    ----------
    name : str
        The name of the column.
    column : Text or ndarray, shape (n,)
        Cells of a text file, or values of another one. Blank, NA, N/A, NaN, null and None are missing.

    Returns
    -------
    ColumnFacts

    Examples
    --------
    >>> column_facts("y", Text.of(["0.5", ">10", "CI", "2", "3", "4", "5"])).unreadable
    {'CI': 1}
    >>> column_facts("set", Text.of(["train", "test", "train", "train", "train", "test"])).kind
    'classes'
    """
    if not isinstance(column, Text) and column.ndim == 1 and column.dtype.kind in "fiub":
        return _of_numbers(name, column.astype(np.float64))
    texts = [str(value).strip() for value in column]
    filled = [text for text in texts if text.lower() not in _MISSING]
    counts = Counter(filled)
    head: dict[str, Any] = {"name": name, "rows": len(texts), "filled": len(filled), "distinct": len(counts)}
    nothing = np.full(len(texts), np.nan)
    if not filled:
        return ColumnFacts(kind="empty", values=nothing, **head)
    head["example"], decimal = filled[0], "."
    repeats = len(counts) < len(filled) and len(counts) <= max(2, min(_MOST_CLASSES, len(filled) / 3))
    numbers, readable = _numbers(counts)
    if any("," in text for text in counts):
        with_commas, more = _numbers(counts, decimal=",")
        if more > readable:
            numbers, readable, decimal = with_commas, more, ","
    is_mostly_numbers = readable >= _MOSTLY * len(filled)
    differ = len(counts) == len(filled) > 10
    if is_mostly_numbers or (not repeats and not differ and readable >= _MANY * len(filled)):
        wrong = {text: count for text, count in counts.most_common() if math.isnan(numbers[text])}
        values = np.array([numbers.get(text, math.nan) for text in texts], np.float64)
        censored = sum(count for text, count in counts.items() if _CENSORED.match(text) and text not in wrong)
        kind: Kind = "numbers" if wrong or censored else _kind_of_numbers(values)
        classes = _ordered(counts) if kind == "classes" else {}
        some = dict(list(wrong.items())[:_SHOWN])
        head |= {"censored": censored, "unreadable": some, "not_numbers": sum(wrong.values()), "decimal": decimal}
        return ColumnFacts(kind=kind, values=values, classes=classes, **head)
    if repeats:
        values = nothing
        if len(counts) == 2:
            codes = {text: float(code) for code, text in enumerate(sorted(counts))}
            values = np.array([codes.get(text, math.nan) for text in texts], np.float64)
        return ColumnFacts(kind="classes", values=values, classes=_ordered(counts), **head)
    kind = "identifiers" if differ else "text"
    return ColumnFacts(kind=kind, values=nothing, **head)


def _of_numbers(name: str, values: Values) -> ColumnFacts:
    finite = values[np.isfinite(values)]
    distinct = np.unique(finite)
    kind = _kind_of_numbers(values)
    classes = _ordered(Counter(f"{value:g}" for value in finite.tolist())) if kind == "classes" else {}
    example = f"{finite[0]:g}" if len(finite) else ""
    return ColumnFacts(
        name, kind, len(values), len(finite), len(distinct), np.where(np.isfinite(values), values, np.nan), classes,
        example=example,
    )  # fmt: skip


def _kind_of_numbers(values: Values) -> Kind:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return "empty"
    distinct = np.unique(finite)
    if len(distinct) <= 2 < len(finite):
        return "classes"
    whole = bool(np.all(finite == np.round(finite)))
    return "identifiers" if whole and len(distinct) == len(finite) > 20 else "numbers"


def _ordered(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _numbers(counts: Counter[str], decimal: str = ".") -> tuple[dict[str, float], int]:
    """Return the number of each value, NaN where there is none, and how many cells are numbers."""
    if decimal == ",":  # a point is not taken for one: 1.234 may be a thousand
        numbers = {text: math.nan if "." in text else _number(text.replace(",", ".")) for text in counts}
    else:
        numbers = {text: _number(text) for text in counts}
    return numbers, sum(count for text, count in counts.items() if not math.isnan(numbers[text]))


def _number(text: str) -> float:
    """Return the number of a cell, also of a censored one; NaN if it is not a finite number."""
    try:
        value = float(_CENSORED.sub("", text, count=1)) if "_" not in text else math.nan
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def spread(values: Sequence[float] | NDArray[Any]) -> dict[str, float | int | None]:
    """Return the number, mean and percentiles of some values, for JSON; values that are not finite are left out.

    Parameters
    ----------
    values : array of shape (n,)

    Returns
    -------
    dict of str to number
        n, mean, min, p5, median, p95, max; None for these where there are no values.

    Examples
    --------
    >>> spread([1.0, 2.0, 6.0])["median"], spread([])["mean"]
    (2.0, None)
    """
    array = np.asarray(values, np.float64)
    array = array[np.isfinite(array)]
    names = ("min", "p5", "median", "p95", "max")
    if not len(array):
        return {"n": 0, "mean": None, **dict.fromkeys(names)}
    percentiles = np.percentile(array, (0, 5, 50, 95, 100)).tolist()
    return {"n": len(array), "mean": float(array.mean()), **dict(zip(names, percentiles, strict=True))}
