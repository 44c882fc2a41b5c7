"""Numbers that a figure starts from: columns, limits, ticks."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

__all__ = ["Values", "column", "drawable", "limits", "ticks"]

Values = NDArray[np.float64]
"""A column of numbers, shape (n,)."""


def column(values: ArrayLike) -> Values:
    """Return any array of numbers as float64 of shape (n,)."""
    return np.asarray(values, dtype=np.float64).reshape(-1)


def drawable(values: Values) -> NDArray[np.bool_]:
    """Tell which values can have a place in a figure, shape (n,): finite ones, within what arithmetic on them bears."""
    return np.abs(values) < 1e100


def limits(values: Values, margin: float) -> tuple[float, float]:
    """Choose the limits of an axis that shows all of some values.

    Parameters
    ----------
    values : array of shape (n,), float64
        At least one, all of them :func:`drawable`.
    margin : float
        What is added on both sides, as a share of the range.

    Returns
    -------
    (float, float)
        Never the same number twice, also where all values are equal.

    Examples
    --------
    >>> limits(column([2, 4]), 0.1), limits(column([3]), 0.1)
    ((1.8, 4.2), (2.5, 3.5))
    """
    low, high = float(values.min()), float(values.max())
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-100):
        return low - max(abs(low) / 20, 0.5), high + max(abs(high) / 20, 0.5)
    return low - margin * (high - low), high + margin * (high - low)


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> dict[float, str]:
    """Choose round values between two limits, and write them as short as they can be told apart.

    Parameters
    ----------
    low, high : float
        The limits, ``low < high``.
    most : int
        About as many intervals, not many more.
    whole : bool
        Whether only whole numbers make sense.

    Returns
    -------
    dict of float to str
        The values with their labels, ascending.

    Examples
    --------
    >>> list(ticks(0.0, 0.9, 4).values()), list(ticks(0, 42000, 4, whole=True).values())
    (['0', '0.25', '0.5', '0.75'], ['0', '20,000', '40,000'])
    """
    found = MaxNLocator(nbins=most, integer=whole, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    values = np.unique(np.rint(found)) if whole else np.asarray(found)
    return {float(value): f"{value:,.6g}".replace("-", "−") for value in values if low <= value <= high}
