"""A picture: cells that flow with the width of a page, or stand in a grid, as one file; or a table."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from mrl.files import write_atomic
from mrl.report.canvas import FONT, MONO, PALETTE
from mrl.report.html import page
from mrl.report.words import visible

__all__ = ["Cell", "Picture", "text_line"]

_GAP = 16  # pixels between cells, and around them
_HEAD = 46  # height of title and note
_COLOR = re.compile(r"var\(--(\w+),(#[0-9A-Fa-f]{3,6})\)")
_DARKER = {"S": "#8a6500", "F": "#0b7a80", "Cl": "#1c7d1c"}  # than RDKit's, which are weak on white
_TYPE = f'font-family="{FONT}" stroke-linejoin="round"'
_PANEL = f"padding:{_GAP}px;background:#fff;color:{PALETTE['ink']};font:14px/1.4 {escape(FONT)}"


@dataclass(frozen=True)
class Cell:
    """A drawing of a fixed size.

    Parameters
    ----------
    body : str
        Elements of SVG without their root; a colour is ``var(--role,#rrggbb)``.
    width, height : int
        Its size in pixels.
    label : str
        What it shows, in words; plain text.
    """

    body: str
    width: int
    height: int
    label: str

    @property
    def svg(self) -> str:
        """An element that is as wide as it is drawn, or as the page where that is less."""
        size = f"display:block;flex:none;width:{self.width}px;max-width:100%;height:auto"
        root = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" style="{size}"'
        return f"{root} {_described(self.label)} {_TYPE}>{self.body}</svg>"


@dataclass(frozen=True, repr=False, eq=False)
class Picture:
    """What a notebook shows as it is, and `save` writes to a file; the same input gives the same bytes.

    Attributes
    ----------
    title : str
        What is shown; plain text.
    note : str
        More about it; plain text.
    cells : tuple of Cell
        The drawings, in their order; none where the picture is a table.
    columns : int
        The most cells beside each other.
    table : str
        HTML of a table, or ``""``.

    Examples
    --------
    >>> from mrl.report import show
    >>> picture = show(["CCO", "c1ccccc1"])
    >>> picture
    Picture(2 molecules): a notebook draws it; elsewhere .save("picture.html") or .save("picture.svg")
    >>> picture.svg[:4], len(picture.cells)
    ('<svg', 2)
    """

    title: str
    note: str = ""
    cells: tuple[Cell, ...] = ()
    columns: int = 1
    table: str = ""

    @property
    def svg(self) -> str:
        """The cells in a grid, as an SVG of plain colours on white paper.

        Raises
        ------
        ValueError
            The picture is a table, which SVG has not.
        """
        if self.table:
            raise ValueError(f"{self.title} is a table, which SVG has not; save it as .html")
        rows = [self.cells[start : start + self.columns] for start in range(0, len(self.cells), self.columns)]
        cell = max((cell.width for cell in self.cells), default=0)
        width = max(max(map(len, rows), default=0) * (cell + _GAP) + _GAP, 360)
        y, parts = _GAP + (_HEAD if self.note else _HEAD // 2), []
        for row in rows:
            for x, one in enumerate(row):
                parts.append(
                    f'<g transform="translate({_GAP + x * (cell + _GAP)} {y})" {_described(one.label)}>{one.body}</g>'
                )
            y += max(one.height for one in row) + _GAP
        head = text_line(_GAP, _GAP + 6, self.title, size=14, bold=True, align="start", width=width - 2 * _GAP)
        if self.note:
            head += text_line(_GAP, _GAP + 27, self.note, role="muted", align="start", width=width - 2 * _GAP)
        size = f'width="{width}" height="{y}" viewBox="0 0 {width} {y}" style="max-width:100%;height:auto"'
        root = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {_described(self.title)} {_TYPE}>'
        paper = f'<rect width="{width}" height="{y}" rx="6" fill="#fff"/>'
        return _plain("\n".join([root, paper, head, *parts, "</svg>\n"]))

    @property
    def html(self) -> str:
        """The picture as a piece of a page, whose colours and width it takes."""
        if self.table:
            return self.table
        widest = max((cell.width for cell in self.cells), default=0)
        flow = f"display:flex;flex-wrap:wrap;gap:{_GAP}px;max-width:{self.columns * (widest + _GAP) - _GAP}px"
        cells = "\n".join(cell.svg for cell in self.cells)
        return f'<div class="gallery" style="{flow}">\n{cells}\n</div>\n'

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, whole or not at all.

        Parameters
        ----------
        path : str or path
            ``.html`` for a page of its own, in the light or dark of the reader's system; ``.svg`` for a drawing.

        Raises
        ------
        ValueError
            Another ending, or a table as ``.svg``.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.report import show
        >>> show(["CCO"]).save(Path(tempfile.mkdtemp()) / "ethanol.svg")
        """
        ending = Path(path).suffix.lower()
        if ending not in (".html", ".htm", ".svg"):
            raise ValueError(f"{os.fspath(path)!r} ends with {ending!r}; expected .html or .svg")
        if ending == ".svg":
            write_atomic(path, self.svg)
        else:
            body = f'<div class="table">{self.table}</div>' if self.table else self.html
            write_atomic(path, page(self.title, self.note, [], lead=body, kicker="mrl"))

    def _repr_html_(self) -> str:
        if self.table:  # in the notebook's own style
            return f"<p><b>{_text(self.title)}</b></p>{self.table}"
        note = f'<br/><span style="color:{PALETTE["muted"]}">{_text(self.note)}</span>' if self.note else ""
        head = f'<p style="margin:0 0 {_GAP}px"><b>{_text(self.title)}</b>{note}</p>'
        return f'<div style="{_PANEL}">{head}{_plain(self.html)}</div>'

    def _repr_svg_(self) -> str | None:
        return None if self.table else self.svg

    def __repr__(self) -> str:
        note = f"; {self.note}" if self.note else ""
        ways = '.save("picture.html")' if self.table else '.save("picture.html") or .save("picture.svg")'
        return f"Picture({self.title}{note}): a notebook draws it; elsewhere {ways}"


def text_line(
    x: float,
    y: float,
    text: str,
    *,
    width: float,
    role: str = "ink",
    size: float = 12,
    bold: bool = False,
    mono: bool = False,
    align: str = "middle",
) -> str:
    """Write one line of any text with its middle at `y`, cut to a width in pixels."""
    fits = max(1, int(width / (size * (0.61 if mono else 0.56))))
    words = visible(text if len(text) <= fits else text[: fits - 1] + "…")
    style = f'font-size="{size:g}" fill="{_ROLES[role]}" text-anchor="{align}"'
    style += (' font-weight="600"' if bold else "") + (f' font-family="{MONO}"' if mono else "")
    return f'<text x="{x:g}" y="{y + 0.36 * size:g}" {style}>{escape(words)}</text>'


_ROLES = {role: f"var(--{role},{color})" for role, color in (PALETTE | {"O": "#b42318"}).items()}


def _described(label: str) -> str:
    return f'role="img" aria-label="{_text(label)}"'


def _plain(html: str) -> str:
    """Colours as they are where no page has a say: not every program that draws SVG knows variables."""
    return re.sub(r"<[^<>]*>", lambda tag: _COLOR.sub(lambda color: _DARKER.get(color[1], color[2]), tag[0]), html)


def _text(text: str) -> str:
    return escape(visible(text))
