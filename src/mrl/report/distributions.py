"""Figures of what sets of molecules are like: distributions of any values, frequencies of tokens.

A group of molecules has the same colour in all figures: "data" is grey, "samples" blue, "fine-tuned" orange, any other
name the next free colour. Names stand beside what they name instead of in a legend. Values that are not finite are left
out and counted. The same input gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mrl.errors import DatasetError
from mrl.formatting import format_number, format_percent
from mrl.messages import format_count
from mrl.report.axes import Axes, Values, as_values, drawable, limits, ticks
from mrl.report.drawing import WIDTH, Canvas, Drawing, empty_figure

_BINS = 40
_ROW = 74  # height of a group's histogram with the gap below it


def distributions(name: str, groups: Mapping[str, ArrayLike], *, unit: str = "", central: float = 1.0) -> Drawing:
    """Draw how values are distributed in some groups of molecules, one histogram below the other, with mean and n.

    Parameters
    ----------
    name : str
        What the values are, such as "logP" or "tokens per molecule".
    groups : mapping of str to array of shape (n,)
        Values for each group, any numeric dtype. The outline of the first group is repeated in the others.
    unit : str
        Unit of the values, or ``""``.
    central : float
        The share of the values, from the middle, whose range the axis shows if that of all is more than twice as wide;
        the outermost bins hold the values beyond it.

    Returns
    -------
    Drawing
        The figure. All groups share both axes; a height is the share of the group's molecules in that bin.

    Examples
    --------
    >>> distributions("weight", {"data": [180.2, 206.3], "samples": [float("nan")]}, unit="g/mol").label
    'Distribution of weight (g/mol). data: 2 values, mean 193.2, from 180.2 to 206.3. samples: no values, 1 without a \
value.'
    """
    label = f"{name} ({unit})" if unit else name
    columns = {group: as_values(values) for group, values in groups.items()}
    finite = {group: values[drawable(values)] for group, values in columns.items()}
    if not groups:
        return empty_figure("There are no groups to compare.")
    low, high = _ends(np.concatenate(list(finite.values())), central)
    clipped = {group: np.clip(values, low, high) for group, values in finite.items()}
    edges = _bin_edges(np.concatenate(list(clipped.values())))
    shares = {group: np.histogram(values, edges)[0] / max(len(values), 1) for group, values in clipped.items()}
    xlim = (float(edges[0]), float(edges[-1]))
    ylim = (0.0, 1.05 * max(1e-9, *(float(share.max()) for share in shares.values())))
    outline_x = np.repeat(edges, 2)
    outlines = {group: np.concatenate([[0], np.repeat(share, 2), [0]]) for group, share in shares.items()}
    colors, first = _colors(groups), next(iter(groups))
    left, width, height = 112, WIDTH - 112 - 12, _ROW * len(groups)
    canvas, alt = Canvas(), f"Distribution of {label}."
    shared = Axes(canvas, left, 8, width, height, xlim, (0, 1))
    shared.grid(ticks(*xlim, 6) if any(map(len, finite.values())) else {}, {})
    for row, (group, values) in enumerate(finite.items()):
        top, color, missing = 8 + row * _ROW, colors[group], len(columns[group]) - len(values)
        axes = Axes(canvas, left, top, width, _ROW - 8, xlim, ylim)
        count = f"n {len(values):,}" + (f" + {missing:,} n/a" if missing else "")
        canvas.text(0, top + 22, group, color=color, bold=True, size=13, width=left - 6)
        canvas.text(0, top + 40, count, color="muted", size=11)
        canvas.line(axes.points(xlim, (0, 0)), color="muted", width=0.8)
        if len(values):
            mean, least, most = (float(x) for x in (values.mean(), values.min(), values.max()))
            canvas.text(0, top + 56, f"mean {format_number(mean)}", size=11)
            canvas.area(axes.points(outline_x, outlines[group]), color=color, opacity=0.3)
            canvas.line(axes.points(outline_x, outlines[group]), color=color)
            if group != first and len(finite[first]):
                canvas.line(axes.points(outline_x, outlines[first]), color=colors[first], width=1)
            middle = min(max(mean, xlim[0]), xlim[1])
            canvas.line(axes.points((middle, middle), ylim), color=color, width=2)
            alt += f" {group}: {format_count(len(values), 'value')}, mean {format_number(mean)}, "
            alt += f"from {format_number(least)} to {format_number(most)}"
        else:
            canvas.text(left + width / 2, top + _ROW / 2, "no values", color="muted", align="middle")
            alt += f" {group}: no values"
        alt += f", {missing:,} without a value." if missing else "."
    canvas.text(left + width / 2, height + 38, label, color="muted", align="middle", size=11)
    return canvas.drawing(WIDTH, height + 48, alt)


def token_frequencies(tokens: Sequence[str], counts: ArrayLike, top: int = 30) -> Drawing:
    """Draw how often the most frequent tokens occur, on a logarithmic scale.

    Parameters
    ----------
    tokens : sequence of str
        The tokens; any text.
    counts : array of shape (n tokens,), integer
        How often each occurs. Tokens that never occur are not drawn.
    top : int
        How many are drawn, the most frequent first, ties in the order given.

    Returns
    -------
    Drawing
        The figure.

    Raises
    ------
    DatasetError
        The counts are not as many as the tokens.

    Examples
    --------
    >>> token_frequencies(["N", "C", "B"], [8, 120, 0]).label
    'Occurrences of the most frequent tokens: C 120, N 8.'
    """
    counted = as_values(counts)
    if len(counted) != len(tokens):
        raise DatasetError(
            f"{format_count(len(tokens), 'token')} with {format_count(len(counted), 'count')}: "
            "give one count for each token"
        )
    order = [int(i) for i in np.argsort(-counted, kind="stable") if counted[i] > 0][:top]
    if not order:
        return empty_figure("No token occurs.")
    total = float(counted[counted > 0].sum())
    left, width, height = 92, WIDTH - 92 - 66, 15 * len(order)
    sizes = np.log10(counted[order])
    low = math.floor(sizes[-1])
    high = max(float(sizes[0]), low + 1)
    powers = range(low, math.floor(high) + 1, 1 if high - low < 6 else 2)
    canvas = Canvas()
    axes = Axes(canvas, left, 6, width, height, (low, high), (len(order) - 0.5, -0.5))
    axes.grid({float(power): f"{10**power:,}" for power in powers}, {})
    ends = axes.points(sizes, np.arange(len(order)))
    for i, (x, y) in zip(order, ends, strict=True):
        canvas.line([(left, y), (x, y)], color="rule")
        canvas.text(left - 8, y, tokens[i], align="end", size=11, mono=True, width=left - 8)
        canvas.text(x + 8, y, format_percent(float(counted[i]), total), color="muted", size=10)
    canvas.dots(ends, color="data", size=6)
    canvas.text(left + width / 2, height + 40, "occurrences (share of all)", color="muted", align="middle", size=11)
    listed = ", ".join(f"{tokens[i]} {int(counted[i]):,}" for i in order)
    return canvas.drawing(WIDTH, height + 52, f"Occurrences of the most frequent tokens: {listed}.")


def _colors(groups: Mapping[str, object]) -> dict[str, str]:
    """Return the colour of each group: known groups have their own, others share the rest."""
    known = ("data", "samples", "fine-tuned")
    others = [group for group in groups if group not in known]
    return {group: group for group in known} | {
        group: ("fourth", "fifth", "ink")[i % 3] for i, group in enumerate(others)
    }


def _ends(values: Values, central: float) -> tuple[float, float]:
    """Return the range of the values to draw: of all, or of the central ones if a few are far away."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = np.quantile(values, [(1 - central) / 2, (1 + central) / 2]).tolist()
    return (inner_low, inner_high) if 2 * (inner_high - inner_low) < high - low else (low, high)


def _bin_edges(values: Values) -> Values:
    """Return equal bins over all values; integers are in the middle of theirs."""
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if max(-low, high) < 1e9 and bool(np.all(values == np.round(values))):
        width = math.ceil((high - low + 1) / _BINS)
        return as_values(low - 0.5 + width * np.arange(max(math.ceil((high - low + 1) / width), 8) + 1))
    return as_values(np.linspace(*limits(values, 0.0), _BINS + 1))
