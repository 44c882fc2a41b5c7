"""Columns of other libraries as the two kinds that mrl holds in memory: text and arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from mrl.errors import ColumnError
from mrl.messages import format_value
from mrl.ragged.columns import Column, as_list, is_column, require_rows
from mrl.ragged.flat import Array
from mrl.ragged.text import Text, arrow_text

__all__ = ["as_array", "as_column"]


def as_column(values: Any, name: str = "values") -> Column | Array:
    """Return a column of any library as text, as an array, or as it is.

    Parameters
    ----------
    values : column, shape (n,) or (n, T)
        List, tuple or other sequence, NumPy or masked array, tensor, pandas or polars Series or DataFrame, Arrow array
        or chunked array, iterator; or a `Column` already (`Text`, `Ragged`, a view, rows on disk).
    name : str
        The name of the column in messages.

    Returns
    -------
    Text, ndarray or Column
        Text where every value is a str; a `Column` as it is; otherwise an array: numbers in their own dtype, or
        objects where values are missing (None) or of several types.

    Raises
    ------
    RowError
        A str has a lone surrogate; a ``ValueError``.
    ColumnError
        `values` is a single value, a set or mapping, or has rows of different shapes; a ``ValueError``.

    Examples
    --------
    >>> as_column(["C", "CC"]), as_column([[1, 2], [3, 4]]), as_column(["C", None])
    (Text(2 rows, 3 bytes: 'C', 'CC'), array([[1, 2],
           [3, 4]]), array(['C', None], dtype=object))
    >>> as_column("CCO", "smiles")
    Traceback (most recent call last):
    ...
    mrl.errors.ColumnError: column 'smiles' is a single string, 'CCO': wrap it in a list, ['CCO']
    """
    if is_column(values):
        return values
    if (text := arrow_text(values)) is not None:
        return text
    if not hasattr(values, "__array__"):
        require_rows(values, name)
        values = values if isinstance(values, list) else list(values)
        if values and all(isinstance(value, str) for value in values):
            return Text.of(values, name)
    array = as_array(values, name)
    if array.dtype.kind in "OUT" and array.ndim == 1 and all(isinstance(value, str) for value in array):
        return Text.of(array, name)
    return array


def as_array(values: Any, name: str = "values") -> Array:
    """Return a column of any library as an array, whatever its values are.

    Parameters
    ----------
    values : column, shape (n,) or (n, T)
        See `as_column`; a `Column` is taken whole.
    name : str
        The name of the column in messages.

    Returns
    -------
    ndarray, shape (n,) or (n, T)
        Shares memory with `values` where NumPy can. Masked and null values are None, and the dtype then is object;
        so it is where text stands beside numbers.

    Raises
    ------
    ColumnError
        `values` is a single value, a set or mapping, or has rows of different shapes; a ``ValueError``.

    Examples
    --------
    >>> as_array([1.0, 2.5]), as_array(["C", 1])
    (array([1. , 2.5]), array(['C', 1], dtype=object))
    """
    if is_column(values):
        values = values.take(np.arange(len(values)))
        return np.asarray(values.tolist(), object) if isinstance(values, Text) else np.asarray(values)
    if isinstance(values, np.ma.MaskedArray):
        missing = np.full(values.shape, None)
        return np.where(np.ma.getmaskarray(values), missing, np.ma.getdata(values))
    if hasattr(values, "detach"):
        return np.asarray(values.detach().cpu())
    if not hasattr(values, "__array__"):
        require_rows(values, name)
        values = values if isinstance(values, list) else list(values)
    try:
        # Where one value is text, NumPy would turn all of them into text as wide as the widest.
        text = isinstance(values, list) and any(issubclass(kind, str | bytes) for kind in {*map(type, values)})
        array = np.asarray(values, object if text else None)
    except ValueError:
        raise ColumnError(
            f"column {name!r} has rows of different shapes: give one value, or equally many, for each row", column=name
        ) from None
    if array.ndim == 0:
        raise ColumnError(
            f"column {name!r} is {format_value(values)}, expected one value per row: wrap a single value in a list",
            column=name,
            value=values,
        )
    if array.dtype.kind in "US" and isinstance(values, list):  # text in rows of several values
        return np.asarray(values, object)
    kind = str(getattr(values, "dtype", getattr(values, "type", ""))).lower().removeprefix("u")
    if array.dtype.kind == "f" and kind.startswith("int"):  # whole numbers, some of them missing, stay exact
        return np.asarray(as_list(values, name), object)
    return array
