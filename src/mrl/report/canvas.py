"""From matplotlib to a small, clean SVG that takes its colours from the page and shares no id with another one.

Everything is laid out in pixels of a drawing that is 460 wide: at that width the text stays readable on a phone, and
two drawings stand side by side on a screen. Text stays text, in the fonts of the reader's system. matplotlib never
sees words that come from the data: it would read ``$`` as mathematics and warn of glyphs that its own font lacks. It
lays out a placeholder, and the words are put in afterwards.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape
from typing import Literal

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mrl.report.words import visible

__all__ = ["FONT", "MONO", "PALETTE", "WIDTH", "Canvas", "canvas", "nothing"]

WIDTH = 460
"""Width of every drawing in pixels."""

PALETTE = {
    "ink": "#1c2530",
    "muted": "#5b6672",
    "rule": "#dfe3e8",
    "data": "#68737f",
    "samples": "#0072b2",
    "tuned": "#b85000",
    "fourth": "#007a5a",
    "fifth": "#a3487c",
}
"""Colour of each role: the hues of Okabe and Ito (2008), darkened until text in them is readable on white.

In the SVG a colour is ``var(--role, colour)``: a page may define ``--role`` anew, for instance for a dark screen.
"""

FONT = "system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
"""Of the reader's system."""

MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
"""Where all characters have one width."""


@contextmanager
def canvas(height: float) -> Iterator[Canvas]:
    """Open a drawing; inside the block matplotlib's settings are its own defaults, whatever the caller has set.

    Parameters
    ----------
    height : float
        Height of the drawing in pixels.

    Yields
    ------
    Canvas
        The empty drawing.
    """
    with style.context(["default", {"svg.fonttype": "none", "svg.hashsalt": "mrl"}], after_reset=True):
        yield Canvas(height)


class Canvas:
    """A drawing, ``WIDTH`` pixels wide, that :func:`canvas` opens.

    Parameters
    ----------
    height : float
        Height in pixels.
    """

    def __init__(self, height: float) -> None:
        self.height = height
        self._figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
        self._texts: list[str] = []

    def axes(
        self,
        box: tuple[float, float, float, float],
        xlim: tuple[float, float],
        ylim: tuple[float, float],
        xticks: Mapping[float, str],
        yticks: Mapping[float, str],
    ) -> Axes:
        """Add a coordinate system.

        Parameters
        ----------
        box : tuple of float
            Left, top, width and height in pixels.
        xlim, ylim : tuple of float
            Range of the data coordinates. What is drawn outside is not cut off.
        xticks, yticks : mapping of float to str
            Where a thin line is ruled and what number stands beside it, see :func:`ticks`.

        Returns
        -------
        matplotlib.axes.Axes
            Ready to draw on.
        """
        left, top, width, height = box
        ax = self._figure.add_axes(
            (left / WIDTH, 1 - (top + height) / self.height, width / WIDTH, height / self.height)
        )
        ax.set_frame_on(False)
        ax.set_axisbelow(True)
        ax.set_xlim(*xlim)
        ax.set_ylim(*ylim)
        ax.set_xticks(list(xticks), list(xticks.values()))
        ax.set_yticks(list(yticks), list(yticks.values()))
        ax.tick_params(bottom=False, left=False, labelsize=11, labelcolor=PALETTE["muted"])
        ax.grid(color=PALETTE["rule"], linewidth=1)
        return ax

    def pixels(self, ax: Axes, x: float, y: float) -> tuple[float, float]:
        """Return where a point in data coordinates lies, in pixels from the left and from the top."""
        right, up = ax.transData.transform((x, y))
        return float(right), self.height - float(up)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        *,
        role: str = "ink",
        align: Literal["left", "center", "right"] = "left",
        size: float = 12,
        bold: bool = False,
        mono: bool = False,
    ) -> None:
        """Write any text so that its ``align`` edge is at ``x`` and its middle at ``y`` pixels from the top."""
        self._figure.text(
            x / WIDTH,
            1 - (y + 0.36 * size) / self.height,
            f"@{len(self._texts)}@",
            color=PALETTE[role],
            horizontalalignment=align,
            verticalalignment="baseline",
            fontsize=size,
            fontweight="bold" if bold else "normal",
            fontfamily="monospace" if mono else "sans-serif",
        )
        self._texts.append(text)

    def dots(self, ax: Axes, x: Sequence[float], y: Sequence[float], role: str, size: float) -> None:
        """Draw dots of `size` pixels: lines of no length with round ends, for matplotlib's markers need ids."""
        xs = [value for each in x for value in (each, each, math.nan)]
        ys = [value for each in y for value in (each, each, math.nan)]
        ax.plot(xs, ys, color=PALETTE[role], linewidth=size, solid_capstyle="round", zorder=3)

    def name_ends(self, ax: Axes, x: float, ends: Sequence[tuple[str, float, str]]) -> None:
        """Write (text, y, role) beside the points (x, y), moved apart where they would overlap."""
        placed = sorted((self.pixels(ax, x, value)[1], text, role) for text, value, role in ends)
        ys = [y for y, _, _ in placed]
        for i in range(1, len(ys)):
            if (overlap := 15 - (ys[i] - ys[i - 1])) > 0:
                ys[:i] = [y - overlap / 2 for y in ys[:i]]
                ys[i:] = [y + overlap / 2 for y in ys[i:]]
        for (_, text, role), y in zip(placed, ys, strict=True):
            self.write(self.pixels(ax, x, 0)[0] + 9, y, text, role=role, bold=True)

    def svg(self, alt: str) -> str:
        """Return the drawing as an ``svg`` element.

        Parameters
        ----------
        alt : str
            What the drawing says, in words, for those who cannot see it.

        Returns
        -------
        str
            One element without ids, references, scripts and style sheets; the same for the same drawing.
        """
        out = io.StringIO()
        unsaid = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self._figure.savefig(out, format="svg", transparent=True, metadata=unsaid)
        drawing = out.getvalue()
        for pattern, replacement in _CLEANING:
            drawing = re.sub(pattern, replacement, drawing)
        drawing = re.sub(r' (?:d|x|y)="[^"]*"', lambda found: re.sub(r"-?\d+\.\d+", _tenths, found[0]), drawing)
        for role, color in PALETTE.items():
            drawing = drawing.replace(color, f"var(--{role},{color})")
        drawing = re.sub(r"@(\d+)@", lambda found: escape(visible(self._texts[int(found[1])])), drawing)
        root = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height:g}" role="img" '
            f'aria-label="{escape(visible(alt))}" font-family="{FONT}" stroke-linejoin="round">'
        )
        return f"{root}{drawing.strip()}</svg>\n"


def nothing(text: str) -> str:
    """Return a drawing that only says why there is nothing to see."""
    with canvas(80) as drawing:
        drawing.write(WIDTH / 2, 40, text, role="muted", align="center")
        return drawing.svg(text)


# What matplotlib writes and an element inside a page must not have: its own frame and style sheet (which would apply to
# the whole page), ids, the clipping that refers to them, the names of its own fonts.
_CLEANING = (
    (r"(?s)^.*?<svg[^>]*>|</svg>\s*$", ""),
    (r"(?s)<!--.*?-->|<defs>.*?</defs>", ""),
    (r'\s(?:id|clip-path)="[^"]*"', ""),
    (r"font-family: [^;\"]*monospace", f"font-family: {MONO}"),
    (r"font-family: 'DejaVu[^;\"]*; ?", ""),
    (r"font: (?:(?:normal|bold|[1-9]00) )?([\d.]+px) [^;\"]*monospace", rf"font: \1 {MONO}"),
    (r"font: (?:bold|700) ([\d.]+px) '[^;\"]*", r"font-weight: 700; font-size: \1"),
    (r"font: (?:[1-9]00 )?([\d.]+px) '[^;\"]*", r"font-size: \1"),
    (r' transform="rotate\(-?0(?: [^"]*)?\)"', ""),
    (r"; stroke-linejoin: miter", ""),
    (r"</?g>", ""),
    (r"\s+", " "),
    (r"(?<=>) | (?=<)", ""),
    (r"(?<=\w) \"", '"'),
)


def _tenths(found: re.Match[str]) -> str:
    return f"{float(found[0]):.1f}".removesuffix(".0")
