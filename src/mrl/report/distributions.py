"""Figures of what a set of molecules is like: lengths, properties, tokens.

One group of molecules has one colour everywhere: ``"data"`` is grey, ``"samples"`` blue, ``"fine-tuned"`` orange, any
other name the next free colour. Names stand beside what they name; there is no legend to look up. Values that are not
finite are left out and their number is stated. The same input gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mrl.errors import DatasetError
from mrl.report.canvas import PALETTE, WIDTH, canvas, nothing
from mrl.report.scales import Values, column, drawable, limits, ticks
from mrl.report.words import number, percent

__all__ = ["lengths", "property_distribution", "token_frequencies"]

_BINS = 40
_ROW = 74  # height of one group's histogram with the gap below it


def lengths(groups: Mapping[str, ArrayLike]) -> str:
    """Draw how long the molecules of some groups are, one histogram under the other.

    Parameters
    ----------
    groups : mapping of str to array of shape (n,)
        Tokens per molecule for each group, any numeric dtype. The first group's outline is repeated behind the others.

    Returns
    -------
    str
        The SVG.

    Examples
    --------
    >>> lengths({"data": [22, 30, 31], "samples": []}).startswith("<svg")
    True
    """
    return _distributions("length", "tokens per molecule", groups)


def property_distribution(name: str, unit: str, groups: Mapping[str, ArrayLike]) -> str:
    """Draw how a property is distributed in some groups of molecules, with each mean and n.

    Parameters
    ----------
    name : str
        Name of the property.
    unit : str
        Its unit, or ``""``.
    groups : mapping of str to array of shape (n,)
        Values for each group, any numeric dtype. The first group's outline is repeated behind the others, its mean is
        ruled through all of them.

    Returns
    -------
    str
        The SVG. All groups share both axes; a height is the share of the group's molecules in that bin.

    Examples
    --------
    >>> svg = property_distribution("weight", "g/mol", {"data": [180.2, 206.3], "samples": [float("nan")]})
    >>> "data: 2 values, mean 193.2" in svg, "samples: no values" in svg
    (True, True)
    """
    return _distributions(name, f"{name} ({unit})" if unit else name, groups)


def _distributions(name: str, label: str, groups: Mapping[str, ArrayLike]) -> str:
    columns = {group: column(values) for group, values in groups.items()}
    finite = {group: values[drawable(values)] for group, values in columns.items()}
    if not groups:
        return nothing("No group was given.")
    edges = _edges(np.concatenate([np.empty(0), *finite.values()]))
    shares = {group: np.histogram(values, edges)[0] / max(len(values), 1) for group, values in finite.items()}
    top = 1.05 * max(max(float(share.max()) for share in shares.values()), 1e-9)
    roles = _roles(groups)
    xlim = (float(edges[0]), float(edges[-1]))
    left, width = 112, WIDTH - 112 - 12
    height = _ROW * len(groups)
    alt = f"Distribution of {label}. "
    with canvas(height + 48) as drawing:
        # One empty coordinate system behind all rows carries the lines and numbers of the shared axis.
        numbers = ticks(*xlim, 6) if any(map(len, finite.values())) else {}
        drawing.axes((left, 8, width, height), xlim, (0, 1), numbers, {})
        first = next(iter(groups))
        for row, (group, values) in enumerate(finite.items()):
            y, color = 8 + row * _ROW, PALETTE[roles[group]]
            missing = len(columns[group]) - len(values)
            count = number(len(values)) + (f" + {number(missing)} n/a" if missing else "")
            drawing.write(0, y + 22, _shorten(group, 14), role=roles[group], bold=True, size=13)
            drawing.write(0, y + 40, f"n {count}", role="muted", size=11)
            ax = drawing.axes((left, y, width, _ROW - 8), xlim, (0, top), {}, {})
            ax.plot(xlim, (0, 0), color=PALETTE["muted"], linewidth=0.8)
            if len(values):
                mean = float(values.mean())
                drawing.write(0, y + 56, f"mean {number(mean)}", size=11)
                ax.stairs(shares[group], edges, fill=True, color=color, alpha=0.3, linewidth=0)
                ax.stairs(shares[group], edges, color=color, linewidth=1.5)
                if group != first and len(finite[first]):
                    ax.stairs(shares[first], edges, color=PALETTE[roles[first]], linewidth=1)
                ax.plot((mean, mean), (0, top), color=color, linewidth=2)
                alt += f"{group}: {number(len(values))} values, mean {number(mean)}, "
                alt += f"from {number(float(values.min()))} to {number(float(values.max()))}"
            else:
                drawing.write(left + width / 2, y + _ROW / 2, "no values", role="muted", align="center")
                alt += f"{group}: no values"
            alt += f", {number(missing)} without a value. " if missing else ". "
        drawing.write(left + width / 2, height + 38, label, role="muted", align="center", size=11)
        return drawing.svg(alt.strip())


def token_frequencies(tokens: Sequence[str], counts: ArrayLike, top: int = 30) -> str:
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
    str
        The SVG.

    Raises
    ------
    mrl.errors.DatasetError
        If there are not as many counts as tokens.

    Examples
    --------
    >>> "C 120, N 8." in token_frequencies(["N", "C", "B"], [8, 120, 0])
    True
    """
    counted = column(counts)
    if len(counted) != len(tokens):
        raise DatasetError(f"{len(tokens)} tokens have {len(counted)} counts: give one count for each token")
    order = [int(i) for i in np.argsort(-counted, kind="stable") if counted[i] > 0][:top]
    if not order:
        return nothing("No token occurs.")
    total = float(counted[counted > 0].sum())
    step, left, right = 15, 92, 66
    height = step * len(order)
    low = math.floor(math.log10(counted[order[-1]]))
    high = max(math.log10(counted[order[0]]), low + 1)
    decades = {float(power): f"{10**power:,}" for power in range(low, math.floor(high) + 1)}
    if len(decades) > 6:
        decades = {power: text for power, text in decades.items() if (power - low) % 2 == 0}
    with canvas(height + 52) as drawing:
        ax = drawing.axes((left, 6, WIDTH - left - right, height), (low, high), (len(order) - 0.5, -0.5), decades, {})
        sizes = [math.log10(counted[i]) for i in order]
        for row, (i, size) in enumerate(zip(order, sizes, strict=True)):
            ax.plot((low, size), (row, row), color=PALETTE["data"], linewidth=1.5, alpha=0.4)
            x, y = drawing.pixels(ax, size, row)
            drawing.write(left - 8, y, _shorten(tokens[i], 12), align="right", size=11, mono=True)
            drawing.write(x + 8, y, percent(float(counted[i]), total), role="muted", size=10)
        drawing.dots(ax, sizes, range(len(order)), "data", 6)
        drawing.write(
            left + (WIDTH - left - right) / 2,
            height + 40,
            "occurrences (share of all)",
            role="muted",
            align="center",
            size=11,
        )
        words = ", ".join(f"{tokens[i]} {number(int(counted[i]))}" for i in order)
        return drawing.svg(f"The {len(order)} most frequent tokens and how often they occur: {words}.")


def _roles(groups: Mapping[str, object]) -> dict[str, str]:
    """Give the known groups their colour, and the others those that are left."""
    fixed = {"data": "data", "samples": "samples", "fine-tuned": "tuned"}
    others = [group for group in groups if group not in fixed]
    return fixed | {group: ("fourth", "fifth", "ink")[i % 3] for i, group in enumerate(others)}


def _edges(values: Values) -> Values:
    """Choose equal bins over all values; whole numbers fall in the middle of theirs."""
    if not len(values):
        return np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if max(-low, high) < 1e9 and bool(np.all(values == np.round(values))):
        width = math.ceil((high - low + 1) / _BINS)
        return column(low - 0.5 + width * np.arange(max(math.ceil((high - low + 1) / width), 8) + 1))
    return column(np.linspace(*limits(values, 0.0), _BINS + 1))


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
