"""A warning about attributes of a dataset that look like row data."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from mrl.ragged import is_column


def warn_of_row_data(attributes: Mapping[str, Any], n: int) -> None:
    """Warn of each list, array, tensor, Series or column of n values: it would go to views as it is."""
    for name, value in attributes.items():
        is_listing = isinstance(value, list) or is_column(value) or (hasattr(value, "__array__") and np.ndim(value) > 0)
        if is_listing and len(value) == n:
            warnings.warn(
                f"the attribute {name!r} has as many values as there are rows ({n}), but it is not a column: all of it "
                f"goes to each view and to each new dataset. If it belongs to the rows, use "
                f"ds.add_column({name!r}, values); if not, keep it as a tuple",
                stacklevel=5,
            )
