"""Figures of the course of a run: the loss of a training, the rounds of fine-tuning.

Curves are named at their right ends. Values that are not finite are left out. The same input gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import cycle

import numpy as np
from numpy.typing import ArrayLike

from mrl.errors import DatasetError
from mrl.formatting import format_number
from mrl.messages import format_count
from mrl.report.axes import Axes, Values, as_values, drawable, limits, ticks
from mrl.report.drawing import WIDTH, Canvas, Drawing, empty_figure

_MOST_POINTS = 1500  # of a curve: more than pixels only make the file larger


def loss(steps: ArrayLike, train: ArrayLike, valid: ArrayLike | None = None, unit: str = "nats per token") -> Drawing:
    """Draw a training loss: each step faintly, their running mean on top, and the validation loss if there is one.

    Parameters
    ----------
    steps : array of shape (n,), integer
        Steps, ascending.
    train : array of shape (n,), float
        Loss at these steps.
    valid : array of shape (n,), float, optional
        Validation loss; NaN at steps where it was not measured.
    unit : str
        Unit of the losses.

    Returns
    -------
    Drawing
        The figure.

    Raises
    ------
    DatasetError
        The arrays differ in length.

    Examples
    --------
    >>> loss([0, 1, 2], [3.1, 2.0, 1.2]).label
    'Training loss in nats per token, from 3.10 at step 0 to 1.20 at step 2 (running mean).'
    """
    x, losses = as_values(steps), as_values(train)
    checks = np.full(len(x), np.nan) if valid is None else as_values(valid)
    if not len(x) == len(losses) == len(checks):
        raise DatasetError(
            f"{format_count(len(x), 'step')} with {format_count(len(losses), 'training loss', 'training losses')} and "
            f"{format_count(len(checks), 'validation loss', 'validation losses')}: give one of each for every step "
            "(NaN where the validation loss was not measured)"
        )
    known, checked = drawable(x) & drawable(losses), drawable(x) & drawable(checks)
    if not known.any():
        return empty_figure("No loss was recorded.")
    at, curve = x[known], losses[known]
    smooth = _running_mean(curve, max(1, len(curve) // 40))
    thin = slice(None, None, math.ceil(len(curve) / _MOST_POINTS))
    xlim, ylim = limits(x[known | checked], 0.0), limits(np.concatenate([curve, checks[checked]]), 0.04)
    canvas = Canvas()
    axes = Axes(canvas, 40, 30, WIDTH - 40 - 92, 220, xlim, ylim)
    axes.grid(ticks(*xlim, 6, whole=True), ticks(*ylim, 6))
    canvas.line(axes.points(at[thin], curve[thin]), color="data", width=0.6)
    canvas.line(axes.points(at[thin], smooth[thin]), width=2)
    canvas.dots(axes.points(at[-1:], smooth[-1:]), color="ink", size=6)
    first, last = format_number(float(curve[0])), format_number(float(smooth[-1]))
    alt = f"Training loss in {unit}, from {first} at step {at[0]:.0f} to {last} at step {at[-1]:.0f} (running mean)."
    ends = [(f"train {last}", float(smooth[-1]), "ink")]
    for end in _curve(axes, x[checked], checks[checked], "fourth"):
        ends.append((f"valid {format_number(end)}", end, "fourth"))
        alt += f" Validation loss {format_number(end)} at the end."
    if missing := len(losses) - len(curve):
        alt += f" {format_count(missing, 'step')} without a finite loss."
    axes.name_ends(ends)
    canvas.text(0, 12, unit, color="muted", size=11)
    canvas.text(axes.left + axes.width / 2, 282, "step", color="muted", align="middle", size=11)
    return canvas.drawing(WIDTH, 292, alt)


def rounds(
    name: str, mean: ArrayLike, shares: Mapping[str, ArrayLike], *, unit: str = "", reference: float = math.nan
) -> Drawing:
    """Draw the course of fine-tuning: the mean property of each round's samples, and below it shares such as validity.

    Parameters
    ----------
    name : str
        Name of the property.
    mean : array of shape (n,), float
        Mean property of the samples of each round; the first value is the one before fine-tuning.
    shares : mapping of str to array of shape (n,), float
        Shares between 0 and 1, for instance ``{"valid": ..., "unique": ...}``.
    unit : str
        Unit of the property, or ``""``.
    reference : float
        Mean property of the data; NaN where there is none.

    Returns
    -------
    Drawing
        The figure.

    Raises
    ------
    DatasetError
        The arrays differ in length.

    Examples
    --------
    >>> rounds("QED", [0.7, 0.8], {"valid": [0.94, 0.95]}, reference=0.69).label
    'Mean QED by round: 0.70, 0.80. valid in %: 94.0, 95.0.'
    """
    level = as_values(mean)
    columns = {key: 100 * as_values(values) for key, values in shares.items()}
    for key, values in columns.items():
        if len(values) != len(level):
            raise DatasetError(
                f"{format_count(len(level), 'round')} with {format_count(len(values), 'value')} of {key!r}: "
                "give one for each round, NaN where unknown"
            )
    known = np.concatenate([level, [reference]])
    known = known[drawable(known)]
    if not len(level) or not len(known):
        return empty_figure("There are no rounds of fine-tuning.")
    x = np.arange(len(level), dtype=np.float64)
    xlim, ylim = limits(x, 0.0), limits(known, 0.1)
    xticks, left, width = ticks(*xlim, 8, whole=True), 40, WIDTH - 40 - 100
    label = f"{name} ({unit})" if unit else name
    canvas = Canvas()

    canvas.text(0, 12, f"mean {label}", color="muted", size=11, width=WIDTH)
    axes = Axes(canvas, left, 28, width, 106, xlim, ylim)
    axes.grid(dict.fromkeys(xticks, ""), ticks(*ylim, 4))
    ends = []
    if drawable(as_values(reference))[0]:
        canvas.line(axes.points(xlim, (reference, reference)), color="data", dashes="6 4")
        ends.append((f"data {format_number(reference)}", reference, "data"))
    ends += [(format_number(end), end, "fine-tuned") for end in _curve(axes, x, level, "fine-tuned")]
    canvas.dots(axes.points(x[:1], level[:1])[: int(drawable(level)[0])], color="samples", size=7)
    axes.name_ends(ends)

    canvas.text(0, 162, "share of the samples, %", color="muted", size=11)
    axes = Axes(canvas, left, 178, width, 106, xlim, (0, 100))
    axes.grid(xticks, {0: "0", 50: "50", 100: "100"})
    ends = []
    for (key, values), color in zip(columns.items(), cycle(("fourth", "fifth", "ink"))):
        ends += [(f"{key} {end:.0f} %", end, color) for end in _curve(axes, x, values, color)]
    axes.name_ends(ends)
    canvas.text(left + width / 2, 314, "round of fine-tuning", color="muted", align="middle", size=11)

    alt = f"Mean {label} by round: {', '.join(map(format_number, level.tolist()))}."
    for key, values in columns.items():
        alt += f" {key} in %: {', '.join(map(format_number, values.tolist()))}."
    return canvas.drawing(WIDTH, 324, alt)


def _curve(axes: Axes, x: Values, y: Values, color: str) -> list[float]:
    """Draw a line with a dot at each finite value; return the last of these in a list, which is empty without any."""
    known = drawable(y)
    points = axes.points(x[known], y[known])
    axes.canvas.line(points, color=color, width=2)
    axes.canvas.dots(points, color=color, size=6)
    return [float(end) for end in y[known][-1:]]


def _running_mean(values: Values, width: int) -> Values:
    """Return the mean over a window of `width` values around each one, cut off at both ends."""
    total, i = np.concatenate([[0.0], np.cumsum(values)]), np.arange(len(values))
    start, stop = np.maximum(i - width // 2, 0), np.minimum(i + width // 2 + 1, len(values))
    return as_values((total[stop] - total[start]) / (stop - start))
