"""Attributes of a dataset: those its constructor sets, names that are taken, values that look like row data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import count
from typing import Any

import numpy as np

from mrl.errors import ColumnError
from mrl.ragged import is_column


class SetByInit:
    """An attribute that the constructor of every dataset sets; an AttributeError says so where it has not."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, ds: object, owner: type) -> Any:
        if ds is None:
            return self
        kind = type(ds).__name__
        raise AttributeError(
            f"this {kind} has no {self.name!r}: call super().__init__(...) in {kind}.__init__, with a collate_function "
            "if it needs one",
            name=self.name,
            obj=ds,
        )


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
