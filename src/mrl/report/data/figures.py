"""Figures about columns: a map of correlations, and bars of shares inside tables."""

from __future__ import annotations

import math

from mrl.formatting import Html, format_number, format_percent
from mrl.report.drawing import WIDTH, Canvas, Drawing, empty_figure
from mrl.summary import Correlations

CENTRAL = 0.99
"""The share of values whose range a figure shows: a few extreme ones would squeeze all others into one bar."""

MEAN_AND_ENDS = "The vertical line is the mean; the outermost bars hold all values beyond them."

MOST_MAPPED = 16
"""Columns of a map of correlations; the numbers of more could not be read."""

_LABEL_WIDTH = 150
_STRONGEST = 5  # pairs that the text alternative names


def correlation_map(found: Correlations) -> Drawing:
    """Draw the correlations of all pairs as a map of coloured cells, each with its number.

    Parameters
    ----------
    found : Correlations
        Of `MOST_MAPPED` columns or fewer.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> from mrl.summary import correlations
    >>> correlation_map(correlations({"a": range(20), "b": range(20)})).label
    'Rank correlations of 2 columns. The strongest: a and b 1.00.'
    """
    names = found.names[:MOST_MAPPED]
    if len(names) < 2:
        return empty_figure("There are no two columns to compare.")
    side = min((WIDTH - _LABEL_WIDTH - 4) / len(names), 46.0)
    height = min(side, 30.0)
    canvas = Canvas()
    for i, name in enumerate(names):
        top = 22 + i * height
        canvas.text(0, top + height / 2, f"{i + 1}", color="muted", size=11)
        canvas.text(20, top + height / 2, name, size=11, width=_LABEL_WIDTH - 26)
        canvas.text(_LABEL_WIDTH + (i + 0.5) * side, 10, f"{i + 1}", color="muted", align="middle", size=11)
        for j in range(len(names)):
            value = float(found.values[i, j])
            _cell(canvas, _LABEL_WIDTH + j * side, top, (side - 2, height - 2), value, is_diagonal=i == j)
    pairs = ", ".join(f"{a} and {b} {format_number(value)}" for a, b, value, _ in found.strongest(_STRONGEST))
    alt = f"Rank correlations of {len(names)} columns." + (f" The strongest: {pairs}." if pairs else "")
    return canvas.drawing(WIDTH, 24 + height * len(names), alt)


def _cell(canvas: Canvas, x: float, y: float, size: tuple[float, float], value: float, *, is_diagonal: bool) -> None:
    width, height = size
    box = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    if is_diagonal:
        canvas.area(box, color="rule", opacity=0.5)
    elif math.isnan(value):
        canvas.text(x + width / 2, y + height / 2, "–", color="muted", align="middle", size=10)
    else:
        color = "samples" if value >= 0 else "fine-tuned"
        canvas.area(box, color=color, opacity=round(0.04 + 0.5 * abs(value), 2))
        text = f"{value:.2f}".replace("0.", ".", 1).replace("-", "−") if abs(value) < 0.995 else f"{value:.0f}"
        canvas.text(x + width / 2, y + height / 2, text.replace("-", "−"), align="middle", size=10)


def share_bar(part: float, whole: float) -> Html:
    """Return a share as a percentage and a bar.

    Examples
    --------
    >>> share_bar(1, 4)
    '<span class="share"><span class="bar" style="--share:0.25" aria-hidden="true"></span>25.0 %</span>'
    """
    share = min(max(part / whole, 0.0), 1.0) if whole else 0.0
    bar = f'<span class="bar" style="--share:{share:.4g}" aria-hidden="true"></span>'
    return Html(f'<span class="share">{bar}{format_percent(part, whole)}</span>')
