"""From values to places in a drawing: columns, limits, ticks, a coordinate system."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrl.report.drawing import Canvas

Values = NDArray[np.float64]
"""A column of numbers, shape (n,)."""


def as_values(values: ArrayLike) -> Values:
    """Return any array of numbers as float64 of shape (n,)."""
    return np.asarray(values, dtype=np.float64).reshape(-1)


def drawable(values: Values) -> NDArray[np.bool_]:
    """Return which values have a place in a figure, shape (n,): finite ones that arithmetic cannot overflow."""
    return np.abs(values) < 1e100


def limits(values: Values, margin: float) -> tuple[float, float]:
    """Return the limits of an axis that shows all of some values.

    Parameters
    ----------
    values : array of shape (n,), float64
        At least one, all of them `drawable`.
    margin : float
        What is added on both sides, as a share of the range.

    Returns
    -------
    tuple of float
        Never the same number twice, also where all values are equal.

    Examples
    --------
    >>> limits(as_values([2, 4]), 0.1), limits(as_values([3]), 0.1)
    ((1.8, 4.2), (2.5, 3.5))
    """
    low, high = float(values.min()), float(values.max())
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-100):
        return low - max(abs(low) / 20, 0.5), high + max(abs(high) / 20, 0.5)
    return low - margin * (high - low), high + margin * (high - low)


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> dict[float, str]:
    """Return round values between two limits, with their labels.

    Parameters
    ----------
    low, high : float
        The limits, ``low < high``.
    most : int
        The most intervals to divide the range into.
    whole : bool
        Whether only integers make sense.

    Returns
    -------
    dict of float to str
        Multiples of 1, 2, 2.5 or 5 times a power of ten, ascending; the labels have equally many decimal places.

    Examples
    --------
    >>> list(ticks(0.0, 0.9, 4).values()), list(ticks(0, 42000, 4, whole=True).values())
    (['0.00', '0.25', '0.50', '0.75'], ['0', '20,000', '40,000'])
    """
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    steps = [factor * scale for scale in (power, 10 * power) for factor in (1, 2, 2.5, 5)]
    if whole:
        steps = [1.0, 2.0, *(step for step in steps if step > 2 and step == round(step))]
    step = next(step for step in steps if step >= least * (1 - 1e-9))
    values = step * np.arange(math.ceil(low / step), math.floor(high / step) + 1) + 0.0  # no -0
    places = len(f"{step:.9f}".rstrip("0").partition(".")[2])
    style = f",.{places}f" if 1e-9 < step < 1e15 else ".4g"
    return {float(value): f"{value:{style}}".replace("-", "−") for value in values}


@dataclass(frozen=True)
class Axes:
    """A coordinate system on a canvas.

    Attributes
    ----------
    canvas : Canvas
        Where it draws.
    left, top, width, height : float
        The box in pixels.
    xlim, ylim : tuple of float
        The values at its sides.
    """

    canvas: Canvas
    left: float
    top: float
    width: float
    height: float
    xlim: tuple[float, float]
    ylim: tuple[float, float]

    def points(self, x: ArrayLike, y: ArrayLike) -> list[tuple[float, float]]:
        """Return the places of the points (x, y) in pixels."""
        (x0, x1), (y0, y1) = self.xlim, self.ylim
        across = self.left + self.width * (as_values(x) - x0) / (x1 - x0)
        down = self.top + self.height * (y1 - as_values(y)) / (y1 - y0)
        return list(zip(across.tolist(), down.tolist(), strict=True))

    def grid(self, xticks: Mapping[float, str], yticks: Mapping[float, str]) -> None:
        """Rule a thin line at each tick, with its label below or on the left."""
        bottom, right = self.top + self.height, self.left + self.width
        for (x, _), label in zip(self.points(list(xticks), [0] * len(xticks)), xticks.values(), strict=True):
            self.canvas.line([(x, self.top), (x, bottom)], color="rule", width=1)
            if label:
                self.canvas.text(x, bottom + 11, label, color="muted", align="middle", size=11)
        for (_, y), label in zip(self.points([0] * len(yticks), list(yticks)), yticks.values(), strict=True):
            self.canvas.line([(self.left, y), (right, y)], color="rule", width=1)
            self.canvas.text(self.left - 5, y, label, color="muted", align="end", size=11)

    def name_ends(self, ends: Sequence[tuple[str, float, str]]) -> None:
        """Write (text, y, color) beside the right ends of curves, moved apart where they would overlap."""
        places = [y for _, y in self.points([0] * len(ends), [y for _, y, _ in ends])]
        placed = sorted((place, text, color) for place, (text, _, color) in zip(places, ends, strict=True))
        ys = [y for y, _, _ in placed]
        for i in range(1, len(ys)):
            if (overlap := 15 - (ys[i] - ys[i - 1])) > 0:
                ys[:i] = [y - overlap / 2 for y in ys[:i]]
                ys[i:] = [y + overlap / 2 for y in ys[i:]]
        for (_, text, color), y in zip(placed, ys, strict=True):
            self.canvas.text(self.left + self.width + 9, y, text, color=color, bold=True)
