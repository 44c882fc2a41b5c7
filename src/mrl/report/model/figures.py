"""Figures of predictions beside what was measured: numbers, and classes. The same input gives the same bytes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrl.errors import DatasetError
from mrl.formatting import format_number
from mrl.messages import format_count
from mrl.report.axes import Axes, Values, as_values, drawable, limits, ticks
from mrl.report.drawing import WIDTH, Canvas, Drawing, empty_figure

_SIDE = 320  # of the box
_MOST_POINTS = 3000  # more dots only make the file larger


def parity(name: str, measured: ArrayLike, predicted: ArrayLike, *, unit: str = "") -> Drawing:
    """Draw predicted values over measured ones, with the diagonal on which both are equal.

    Parameters
    ----------
    name : str
        Name of the property.
    measured, predicted : array of shape (n,), float
        Rows with a value that is not finite are left out and counted.
    unit : str
        Unit of the property, or ``""``.

    Returns
    -------
    Drawing
        The figure; of more than 3,000 rows every second, third ... one is drawn.

    Raises
    ------
    DatasetError
        The arrays differ in length.

    Examples
    --------
    >>> parity("logS", [-1.0, -2.0], [-1.5, -2.0]).label
    'logS: 2 predictions over measured values; mean absolute error 0.25.'
    """
    x, y = _pair(measured, predicted)
    known = drawable(x) & drawable(y)
    if not known.any():
        return empty_figure(f"{name} has no measured values to compare with.")
    x, y = x[known], y[known]
    error = float(np.abs(x - y).mean())
    lim = limits(np.concatenate([x, y]), 0.04)
    canvas = Canvas()
    axes = Axes(canvas, 54, 30, _SIDE, _SIDE, lim, lim)
    axes.grid(ticks(*lim, 6), ticks(*lim, 6))
    canvas.line(axes.points(lim, lim), color="muted", width=1, dashes="6 4")
    thin = slice(None, None, math.ceil(len(x) / _MOST_POINTS))
    canvas.dots(axes.points(x[thin], y[thin]), color="samples", size=3)
    label = f"{name} ({unit})" if unit else name
    _name_axes(canvas, axes, f"{label}: measured", f"{label}: predicted")
    alt = f"{label}: {format_count(len(x), 'prediction')} over measured values; mean absolute error "
    alt += f"{format_number(error)}."
    if missing := len(known) - len(x):
        alt += f" {format_count(missing, 'row')} without both."
    return canvas.drawing(WIDTH, _SIDE + 72, alt)


def roc(name: str, truth: ArrayLike, scores: ArrayLike) -> Drawing:
    """Draw the receiver operating characteristic: true positives found over false ones, from the highest score down.

    Parameters
    ----------
    name : str
        Name of the class.
    truth : array of shape (n,)
        0 or 1; NaN where unknown.
    scores : array of shape (n,), float
        Larger for class 1, such as its probability.

    Returns
    -------
    Drawing
        The figure, with the area under the curve.

    Raises
    ------
    DatasetError
        The arrays differ in length.

    Examples
    --------
    >>> roc("toxic", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).label
    'toxic: receiver operating characteristic of 4 predictions, 2 of class 1; area under the curve 0.75.'
    """
    x, y = _pair(truth, scores)
    known = drawable(x) & drawable(y)
    classes, scored = x[known] == 1, y[known]
    if not classes.any() or classes.all():
        return empty_figure(f"{name} has labels of one class only.")
    false, true = _curve(classes, scored)
    area = float((np.diff(false) * (true[1:] + true[:-1])).sum() / 2)  # trapezoids
    canvas = Canvas()
    axes = Axes(canvas, 54, 30, _SIDE, _SIDE, (0.0, 1.0), (0.0, 1.0))
    axes.grid(ticks(0, 1, 5), ticks(0, 1, 5))
    canvas.line(axes.points((0, 1), (0, 1)), color="muted", width=1, dashes="6 4")
    thin = np.unique(np.linspace(0, len(false) - 1, min(len(false), _MOST_POINTS)).astype(np.int64))
    canvas.line(axes.points(false[thin], true[thin]), color="samples", width=2)
    _name_axes(canvas, axes, "share of class 0 above the threshold", "share of class 1 above the threshold")
    canvas.text(axes.left + _SIDE - 8, axes.top + _SIDE - 16, f"area {area:.3f}", align="end", bold=True)
    alt = f"{name}: receiver operating characteristic of {format_count(len(classes), 'prediction')}, "
    alt += f"{classes.sum():,} of class 1; area under the curve {format_number(area)}."
    return canvas.drawing(WIDTH, _SIDE + 72, alt)


def _curve(classes: NDArray[np.bool_], scores: Values) -> tuple[Values, Values]:
    """Return the shares of class 0 and of class 1 at or above each distinct score, from none to all."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    true = np.cumsum(classes[order])[ends]
    false = ends + 1 - true
    return as_values([0, *(false / (~classes).sum())]), as_values([0, *(true / classes.sum())])


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[Values, Values]:
    x, y = as_values(first), as_values(second)
    if len(x) != len(y):
        found = f"{format_count(len(x), 'label')} and {format_count(len(y), 'prediction')}"
        raise DatasetError(f"{found}; expected one prediction for each label")
    return x, y


def _name_axes(canvas: Canvas, axes: Axes, below: str, above: str) -> None:
    canvas.text(0, 12, above, color="muted", size=11, width=WIDTH)
    canvas.text(
        axes.left + _SIDE / 2, axes.top + _SIDE + 32, below, color="muted", align="middle", size=11, width=_SIDE
    )
