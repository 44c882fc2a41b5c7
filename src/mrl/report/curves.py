"""Figures of what happens over time: the loss of a training, the rounds of fine-tuning.

Curves are named at their right ends. Values that are not finite are left out. The same input gives the same bytes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from mrl.errors import DatasetError
from mrl.report.canvas import PALETTE, WIDTH, Canvas, canvas, nothing
from mrl.report.scales import Values, column, drawable, limits, ticks
from mrl.report.words import number

__all__ = ["loss", "rounds"]


def loss(steps: ArrayLike, train: ArrayLike, valid: ArrayLike | None = None, unit: str = "nats per token") -> str:
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
    str
        The SVG.

    Raises
    ------
    mrl.errors.DatasetError
        If the arrays differ in length.

    Examples
    --------
    >>> "from 3.10 at step 0 to 1.20 at step 2" in loss([0, 1, 2], [3.1, 2.0, 1.2])
    True
    """
    x, curve = column(steps), column(train)
    check = np.full(len(x), np.nan) if valid is None else column(valid)
    if not len(x) == len(curve) == len(check):
        raise DatasetError(
            f"{len(x)} steps have {len(curve)} training and {len(check)} validation losses: give one for each step "
            "(NaN where the validation loss was not measured)"
        )
    ok, measured = drawable(x) & drawable(curve), drawable(x) & drawable(check)
    if not ok.any():
        return nothing("No loss was recorded.")
    at, raw = x[ok], curve[ok]
    smooth = _running_mean(raw, max(1, len(raw) // 40))
    thin = slice(None, None, math.ceil(len(raw) / 1500))  # more points than pixels only make the file larger
    xlim, ylim = limits(x[ok | measured], 0.0), limits(np.concatenate([raw, check[measured]]), 0.04)
    box = (40.0, 30.0, WIDTH - 40.0 - 92.0, 220.0)
    alt = f"Training loss in {unit}, from {number(float(raw[0]))} at step {at[0]:.0f} "
    alt += f"to {number(float(smooth[-1]))} at step {at[-1]:.0f} (running mean)."
    with canvas(292) as drawing:
        ax = drawing.axes(box, xlim, ylim, ticks(*xlim, 6, whole=True), ticks(*ylim, 6))
        ax.plot(at[thin], raw[thin], color=PALETTE["data"], linewidth=0.8, alpha=0.4)
        ax.plot(at[thin], smooth[thin], color=PALETTE["ink"], linewidth=2)
        drawing.dots(ax, [float(at[-1])], [float(smooth[-1])], "ink", 6)
        ends = [("train", float(smooth[-1]), "ink")]
        if measured.any():
            ax.plot(x[measured], check[measured], color=PALETTE["fourth"], linewidth=1.5)
            drawing.dots(ax, x[measured].tolist(), check[measured].tolist(), "fourth", 5)
            ends.append(("valid", float(check[measured][-1]), "fourth"))
            alt += f" Validation loss {number(ends[1][1])} at the end."
        if missing := len(curve) - len(raw):
            alt += f" {number(missing)} steps have no finite loss."
        drawing.name_ends(ax, xlim[1], [(f"{name} {number(value)}", value, role) for name, value, role in ends])
        drawing.write(0, 12, unit, role="muted", size=11)
        drawing.write(box[0] + box[2] / 2, 282, "step", role="muted", align="center", size=11)
        return drawing.svg(alt)


def rounds(
    name: str,
    mean: ArrayLike,
    shares: Mapping[str, ArrayLike],
    *,
    unit: str = "",
    reference: float = math.nan,
) -> str:
    """Draw how fine-tuning went: the mean property of each round's samples, and below it shares such as validity.

    Parameters
    ----------
    name : str
        Name of the property.
    mean : array of shape (n,), float
        Mean property of the samples after each round; the first value is the one before fine-tuning.
    shares : mapping of str to array of shape (n,), float
        Shares between 0 and 1, for instance ``{"valid": ..., "unique": ...}``.
    unit : str
        Unit of the property, or ``""``.
    reference : float
        Mean property of the data; NaN where there is none.

    Returns
    -------
    str
        The SVG.

    Raises
    ------
    mrl.errors.DatasetError
        If the arrays differ in length.

    Examples
    --------
    >>> "Mean QED by round: 0.70, 0.80." in rounds("QED", [0.7, 0.8], {"valid": [0.94, 0.95]}, reference=0.69)
    True
    """
    level = column(mean)
    columns = {key: 100 * column(values) for key, values in shares.items()}
    for key, values in columns.items():
        if len(values) != len(level):
            raise DatasetError(
                f"{len(level)} rounds have {len(values)} values of {key!r}: give one for each round, NaN where unknown"
            )
    known = np.concatenate([level, [reference]])
    known = known[drawable(known)]
    if not len(level) or not len(known):
        return nothing("No round of fine-tuning was run.")
    x = np.arange(len(level), dtype=np.float64)
    xlim, ylim = limits(x, 0.0), limits(known, 0.1)
    xticks, left, width = ticks(*xlim, 8, whole=True), 40.0, WIDTH - 40.0 - 100.0
    label = f"{name} ({unit})" if unit else name
    with canvas(324) as drawing:
        drawing.write(0, 12, f"mean {label}", role="muted", size=11)
        ax = drawing.axes((left, 28, width, 106), xlim, ylim, dict.fromkeys(xticks, ""), ticks(*ylim, 4))
        ends = []
        if drawable(column(reference))[0]:
            ax.plot(xlim, (reference, reference), color=PALETTE["data"], linewidth=1.5, dashes=(4, 3))
            ends.append((f"data {number(reference)}", reference, "data"))
        ends += [(number(value), value, role) for value, role in _line(drawing, ax, x, level, "tuned")]
        if drawable(level)[0]:
            drawing.dots(ax, [0.0], [float(level[0])], "samples", 7)
        drawing.name_ends(ax, xlim[1], ends)
        drawing.write(0, 162, "share of the samples, %", role="muted", size=11)
        ax = drawing.axes((left, 178, width, 106), xlim, (0, 100), xticks, {0: "0", 50: "50", 100: "100"})
        ends = []
        for (key, values), role in zip(columns.items(), itertools.cycle(("fourth", "fifth", "ink"))):
            ends += [(f"{key} {value:.0f} %", value, role) for value, role in _line(drawing, ax, x, values, role)]
        drawing.name_ends(ax, xlim[1], ends)
        drawing.write(left + width / 2, 314, "round of fine-tuning", role="muted", align="center", size=11)
        alt = f"Mean {label} by round: {', '.join(map(number, level.tolist()))}."
        for key, values in columns.items():
            alt += f" {key} in %: {', '.join(map(number, values.tolist()))}."
        return drawing.svg(alt)


def _line(drawing: Canvas, ax: Axes, x: Values, y: Values, role: str) -> list[tuple[float, str]]:
    """Draw a line with a dot at each finite value; return the last one with its role, or nothing."""
    ok = drawable(y)
    ax.plot(x[ok], y[ok], color=PALETTE[role], linewidth=2)
    drawing.dots(ax, x[ok].tolist(), y[ok].tolist(), role, 6)
    return [(float(y[ok][-1]), role)] if ok.any() else []


def _running_mean(values: Values, width: int) -> Values:
    """Average over a window of `width` values around each one, cut off at both ends."""
    total, i = np.concatenate([[0.0], np.cumsum(values)]), np.arange(len(values))
    start, stop = np.maximum(i - width // 2, 0), np.minimum(i + width // 2 + 1, len(values))
    return column((total[stop] - total[start]) / (stop - start))
