"""Names and values of added columns: a name that is taken, and attributes that look like row data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np

from mrl.errors import ColumnError
from mrl.ragged import is_column


def warn_of_row_data(attributes: Mapping[str, Any], n: int) -> None:
    """Warn of each list, array, tensor, Series or column of n values: it would go to views as it is."""
    for name, value in attributes.items():
        is_listing = isinstance(value, list) or is_column(value) or (hasattr(value, "__array__") and np.ndim(value) > 0)
        if is_listing and len(value) == n:
            warnings.warn(
                f"the attribute {name!r} has as many values as there are rows ({n}), but it is not a column: all of it "
                f"goes to each view and to each new dataset. If it belongs to the rows, make "
                f"it a column: del ds.{name}; ds.add_column({name!r}, values); if not, keep it as a tuple",
                stacklevel=5,
            )


def require_new_name(ds: Any, name: str) -> None:
    """Raise a ColumnError if a dataset has a column, or anything else, of this name."""
    if name in ds.columns:
        remedy = f"make a dataset with other values by ds.new(..., {name}=values), or choose another name"
        raise ColumnError(f"there is a column {name!r} already; {remedy}", column=name)
    if name in vars(ds) or hasattr(type(ds), name):
        other = next(new for k in count(2) if not hasattr(ds, new := f"{name}_{k}"))
        raise ColumnError(
            f"{name!r} is an attribute of a {type(ds).__name__}, so it cannot be a column; choose another name, "
            f"such as {other!r}",
            column=name,
        )
