"""Labels: columns of numbers or classes of any library, of which some may be missing."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mrl.errors import ColumnError, RowError
from mrl.ragged.columns import as_list, is_missing
from mrl.ragged.intake import as_array

__all__ = ["IGNORED", "PART_NAMES", "PART_OF_NAME", "SPLIT_RULES", "as_labels", "class_codes", "part_of"]

IGNORED = -100
"""The class number of a missing label, which torch's losses leave out by default."""

PART_NAMES = {
    "train": ("train", "training", "trn", "tr"),
    "valid": ("valid", "validation", "val", "dev"),
    "test": ("test", "testing", "tst", "te", "ts"),
}
"""The parts of a split, and what they are called in columns, in any case."""

PART_OF_NAME = {name: part for part, names in PART_NAMES.items() for name in names}
"""The part that each of these names means."""

SPLIT_RULES = ("scaffold", "cluster", "random")
"""How a split can be made, apart from a column that says what stays together."""


def part_of(value: object) -> str | None:
    """Return the part of a split that a value of a column names: ``"train"``, ``"valid"``, ``"test"``, or None.

    Parameters
    ----------
    value : object
        Text in upper or lower case, with blanks around it; anything else names no part.

    Returns
    -------
    str or None

    Examples
    --------
    >>> part_of("Training"), part_of(" val "), part_of("fold 1"), part_of(None)
    ('train', 'valid', None, None)
    """
    return PART_OF_NAME.get(value.strip().casefold()) if isinstance(value, str) else None


def as_labels(values: Any, name: str, dtype: DTypeLike) -> NDArray[Any]:
    """Return targets, one or T per row, as numbers: missing is NaN, or -100 for integer classes.

    Parameters
    ----------
    values : column of numbers, shape (n,) or (n, T)
        See `as_column`; None, NaN and the missing values of pandas and Arrow are missing.
    name : str
        The name of the column in messages.
    dtype : dtype
        Of the result: floating, or integer for classes.

    Returns
    -------
    ndarray of `dtype`, shape (n,) or (n, T)
        A copy.

    Raises
    ------
    ColumnError
        If `values` is not a column of one or T numbers per row; a ``ValueError``.
    RowError
        If a value is not a number, not a whole number where classes are expected, or out of the range of `dtype`; a
        ``ValueError`` with ``row``, ``column`` and ``value``.

    Examples
    --------
    >>> as_labels([0.5, None, 2], "y", np.float32)
    array([0.5, nan, 2. ], dtype=float32)
    >>> as_labels([1, None], "y", np.int64)
    array([   1, -100])
    >>> as_labels([1, "high"], "y", np.float32)
    Traceback (most recent call last):
    ...
    mrl.errors.RowError: row 1 of y is 'high'; expected a number, or NaN where it is missing; convert the column first
    """
    dtype = np.dtype(dtype)
    given = as_array(values, name)
    if given.ndim not in (1, 2):
        raise ColumnError(
            f"{name} has the shape {given.shape}; expected (n,) for one target or (n, T) for T targets", column=name
        )
    array = given if given.dtype.kind in "fiub" else _numbers(given, name)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            labels = array.astype(dtype)
        invalid, expected = np.isinf(labels) & ~np.isinf(array), f"a number that {dtype} can hold"
    else:
        if array.dtype.kind == "f":
            array = np.where(np.isnan(array), IGNORED, array).astype(np.float64)
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        invalid = (array < low) | (array >= high + 1) | (array != np.floor(array))  # float(high) may be high + 1
        with np.errstate(invalid="ignore"):
            labels = array.astype(dtype)
        expected = (
            f"a whole number (a class) from {low} to {high}, or None or NaN where it is missing, which is stored as "
            f"{IGNORED}"
        )
    if invalid.any():
        row = int(np.argwhere(invalid)[0][0])
        raise RowError.of(row, name, _in_python(given[row]), expected)
    return labels


def class_codes(values: Any, name: str) -> tuple[NDArray[np.int64], list[Hashable]]:
    """Return each class as a number, counted in order of appearance, and the classes by that number.

    Parameters
    ----------
    values : column of texts, numbers or other hashable values, shape (n,)
        See `as_list`.
    name : str
        The name of the column in messages.

    Returns
    -------
    codes : ndarray of int64, shape (n,)
        From 0 to below the number of classes.
    classes : list
        The class of each code; None for all missing values (None, NaN, pandas' NA and NaT) together.

    Raises
    ------
    ColumnError
        If `values` is not a column of one value per row; a ``ValueError``.
    RowError
        If a value cannot be compared by its hash, such as a list; a ``ValueError`` with ``row``, ``column`` and
        ``value``.

    Examples
    --------
    >>> class_codes(["b", None, "a", "b", float("nan")], "labels")
    (array([0, 1, 2, 0, 1]), ['b', None, 'a'])
    """
    numbers: dict[Hashable, int] = {}  # of the values as they are: each NaN may have its own
    codes = []
    for row, value in enumerate(as_list(values, name)):
        try:
            codes.append(numbers.setdefault(value, len(numbers)))
        except TypeError:
            expected = "one text or number per row: choose one of several"
            raise RowError.of(row, name, value, expected) from None
    classes: dict[Hashable, int] = {}
    merged = [classes.setdefault(None if is_missing(value) else value, len(classes)) for value in numbers]
    return np.array(merged, np.int64)[np.array(codes, np.int64)], list(classes)


def _numbers(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Return an array of objects as float64, NaN where missing; one by one, so that a message can name the row."""
    flat = np.empty(array.size)
    for i, value in enumerate(array.flat):
        try:
            flat[i] = np.nan if is_missing(value) else _number(value)
        except (TypeError, ValueError, OverflowError):
            row = i // (array.size // len(array))
            expected = "a number, or NaN where it is missing; convert the column first"
            raise RowError.of(row, name, _in_python(value), expected) from None
    return flat.reshape(array.shape)


def _number(value: Any) -> float:
    """Return ``float(value)``; TypeError for text, dates and complex numbers, which ``float`` may convert too."""
    if isinstance(value, str | bytes | np.datetime64 | np.timedelta64 | np.complexfloating):
        raise TypeError
    return float(value)


def _in_python(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
