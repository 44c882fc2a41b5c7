"""Drawings: small SVG elements of plain colours, which the style sheet of a page maps to its own.

A drawing holds no ids, classes, styles or references, so that several of them fit into one page without meeting each
other. Text stays text, in the fonts of the reader's system. Coordinates are pixels from the left and from the top.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mrl.formatting import escape_html

COLORS: Mapping[str, str] = {
    "ink": "#1c2530",
    "muted": "#5b6672",
    "rule": "#dfe3e8",
    "data": "#68737f",
    "samples": "#0072b2",
    "fine-tuned": "#b85000",
    "fourth": "#007a5a",
    "fifth": "#a3487c",
    "error": "#d0211c",
}
"""Role -> colour: the hues of Okabe and Ito (2008), darkened until text in them is readable on white."""

WIDTH = 460
"""Width of a figure in pixels: its text stays readable on a phone, and two figures stand side by side on a screen."""

FONT = "system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
_MONOSPACE = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"

Align: TypeAlias = Literal["start", "middle", "end"]
Points: TypeAlias = Iterable[tuple[float, float]]


@dataclass(frozen=True)
class Drawing:
    """A drawing of a fixed size, which scales down with the width of a page.

    Attributes
    ----------
    body : str
        SVG elements without their root, in colours of `COLORS` or of `mrl.chem.ATOM_COLORS`.
    width, height : float
        Size in pixels.
    label : str
        What the drawing shows, in words, for those who cannot see it; plain text.

    Examples
    --------
    >>> from mrl.report import distributions
    >>> drawing = distributions("tokens per molecule", {"data": [5, 6, 9]})
    >>> drawing.width, drawing.svg[:4], drawing.label
    (460, '<svg', 'Distribution of tokens per molecule. data: 3 values, mean 6.67, from 5.00 to 9.00.')
    """

    body: str
    width: float
    height: float
    label: str

    @property
    def svg(self) -> str:
        """The drawing as an ``svg`` element."""
        width, height = f"{self.width:g}", f"{self.height:g}"
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'style="max-width:100%;height:auto" role="img" aria-label="{escape_html(self.label)}" '
            f'font-family="{FONT}" stroke-linejoin="round">{self.body}</svg>\n'
        )

    def _repr_svg_(self) -> str:
        return self.svg


class Canvas:
    """A drawing in the making.

    Examples
    --------
    >>> canvas = Canvas()
    >>> canvas.text(10, 20, "a < b")
    >>> canvas.drawing(100, 40, "a comparison").body
    '<text x="10" y="24.3" font-size="12" fill="#1c2530">a &lt; b</text>'
    """

    def __init__(self) -> None:
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        color: str = "ink",
        align: Align = "start",
        size: float = 12,
        bold: bool = False,
        mono: bool = False,
        width: float | None = None,
    ) -> None:
        """Write one line of any text with its middle at `y`, cut to `width` pixels if given."""
        if width is not None:
            fits = max(1, int(width / (size * (0.61 if mono else 0.56))))
            text = text if len(text) <= fits else text[: fits - 1] + "…"
        style = f'font-size="{size:g}" fill="{COLORS[color]}"'
        style += f' text-anchor="{align}"' if align != "start" else ""
        style += (' font-weight="600"' if bold else "") + (f' font-family="{_MONOSPACE}"' if mono else "")
        self._parts.append(f'<text x="{_round(x)}" y="{_round(y + 0.36 * size)}" {style}>{escape_html(text)}</text>')

    def line(self, points: Points, *, color: str = "ink", width: float = 1.5, dashes: str = "") -> None:
        """Draw a line through points."""
        style = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._path(points, f'fill="none" stroke="{COLORS[color]}" stroke-width="{width:g}"{style}')

    def area(self, points: Points, *, color: str, opacity: float) -> None:
        """Fill the area inside points."""
        self._path(points, f'fill="{COLORS[color]}" fill-opacity="{opacity:g}"')

    def dots(self, points: Points, *, color: str, size: float) -> None:
        """Draw dots of `size` pixels: lines of no length with round ends."""
        path = "".join(f"M{_round(x)} {_round(y)}h0" for x, y in points)
        if path:
            style = f'stroke="{COLORS[color]}" stroke-width="{size:g}" stroke-linecap="round"'
            self._parts.append(f'<path d="{path}" {style}/>')

    def frame(self, width: float, height: float) -> None:
        """Draw a dashed frame at the origin."""
        box = f'x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="6"'
        self._parts.append(f'<rect {box} fill="none" stroke="{COLORS["rule"]}" stroke-dasharray="4 3"/>')

    def place(self, body: str, x: float = 0, y: float = 0) -> None:
        """Put SVG elements at a place."""
        self._parts.append(f'<g transform="translate({_round(x)} {_round(y)})">{body}</g>' if x or y else body)

    def drawing(self, width: float, height: float, label: str) -> Drawing:
        """Return what was drawn."""
        return Drawing("".join(self._parts), width, height, label)

    def _path(self, points: Points, style: str) -> None:
        path = "L".join(f"{_round(x)} {_round(y)}" for x, y in points)
        if path:
            self._parts.append(f'<path d="M{path}" {style}/>')


def empty_figure(text: str) -> Drawing:
    """Return a figure that only says why there is nothing to draw."""
    canvas = Canvas()
    canvas.text(WIDTH / 2, 40, text, color="muted", align="middle")
    return canvas.drawing(WIDTH, 80, text)


def _round(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
