"""A picture: drawings that flow with the width of a page, or stand in a grid as one SVG file; or a table."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrl.chem import draw_png
from mrl.files import write_atomic
from mrl.formatting import Html, escape_html
from mrl.report.drawing import COLORS, FONT, Canvas, Drawing
from mrl.report.html import page

_GAP = 16  # pixels between cells, and around them
_PANEL = f"padding:{_GAP}px;background:#fff;color:{COLORS['ink']};font:14px/1.4 {FONT}"


@dataclass(frozen=True, repr=False, eq=False)
class Picture:
    """Drawings or a table, which a notebook displays and `save` writes to a file.

    Attributes
    ----------
    title : str
        What is shown; plain text.
    note : str
        More about it; plain text.
    cells : tuple of Drawing
        The drawings, in their order; empty if the picture is a table.
    columns : int
        The most cells side by side.
    table : str
        HTML of a table, or ``""``.
    molecules : tuple of (str or Mol, str)
        The molecules that are drawn, each with its caption, for `png`; empty if there are none.

    Examples
    --------
    >>> from mrl.report import show
    >>> picture = show(["CCO", "c1ccccc1"])
    >>> picture
    Picture(2 molecules): a notebook draws it; elsewhere .save("picture.html") or .save("picture.svg")
    >>> picture.svg[:4], picture.html[:20], len(picture.cells)
    ('<svg', '<div class="gallery"', 2)
    """

    title: str
    note: str = ""
    cells: tuple[Drawing, ...] = ()
    columns: int = 1
    table: str = ""
    molecules: tuple[tuple[Any, str], ...] = ()

    @property
    def png(self) -> bytes:
        """The molecules in a grid on white, as a PNG image (see `mrl.chem.draw_png`).

        Raises
        ------
        ValueError
            The picture has no molecules: it is a table or has figures.

        Examples
        --------
        >>> from mrl.report import show
        >>> show(["CCO"]).png[:4]
        b'\x89PNG'
        """
        if not self.molecules:
            what = "is a table" if self.table else "has no molecules"
            raise ValueError(f"{self.title} {what}, which cannot be a PNG; save it as .html or .svg")
        per_cell = max(1, len(self.molecules) // max(1, len(self.cells)))
        texts, captions = zip(*self.molecules, strict=True)
        return draw_png(texts, captions, columns=self.columns * per_cell)

    @property
    def svg(self) -> str:
        """The cells in a grid on white, as one SVG.

        Raises
        ------
        ValueError
            The picture is a table.
        """
        if self.table:
            raise ValueError(f"{self.title} is a table, which cannot be an SVG; save it as .html")
        rows = [self.cells[start : start + self.columns] for start in range(0, len(self.cells), self.columns)]
        cell = max((cell.width for cell in self.cells), default=0)
        width = max(max(map(len, rows), default=0) * (cell + _GAP) + _GAP, 360)
        canvas, y = Canvas(), float(_GAP + 23)
        canvas.text(_GAP, _GAP + 6, self.title, size=14, bold=True, width=width - 2 * _GAP)
        if self.note:
            canvas.text(_GAP, _GAP + 27, self.note, color="muted", width=width - 2 * _GAP)
            y += 23
        for row in rows:
            for i, drawing in enumerate(row):
                described = f'<g role="img" aria-label="{escape_html(drawing.label)}">{drawing.body}</g>'
                canvas.place(described, _GAP + i * (cell + _GAP), y)
            y += max(drawing.height for drawing in row) + _GAP
        grid = canvas.drawing(width, y, self.title)
        paper = f'<rect width="{width:g}" height="{y:g}" rx="6" fill="#fff"/>'
        return Drawing(paper + grid.body, width, y, self.title).svg

    @property
    def html(self) -> Html:
        """The picture as a part of a page, with the page's colours and width."""
        if self.table:
            return Html(f'<div class="table">{self.table}</div>\n')
        widest = max((cell.width for cell in self.cells), default=0)
        columns = max(1, min(self.columns, len(self.cells)))
        gaps = (columns - 1) * _GAP
        # As many columns as fit, of three quarters of a drawing's width or more: on a phone, two of molecules.
        least = f"min(100%,max({0.75 * widest:g}px,(100% - {gaps}px)/{columns}))"
        style = f"display:grid;grid-template-columns:repeat(auto-fill,minmax({least},1fr));gap:{_GAP}px"
        style += f";justify-items:center;max-width:{columns * widest + gaps:g}px"
        cells = "".join(f"<div>{cell.svg}</div>" for cell in self.cells)
        return Html(f'<div class="gallery" style="{style}">\n{cells}</div>\n')

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, whole or not at all.

        Parameters
        ----------
        path : str or path
            ``.html`` for a page, light or dark as the reader's system; ``.svg`` or ``.png`` for a drawing on white.

        Raises
        ------
        ValueError
            Another suffix, a table as ``.svg``, or a picture without molecules as ``.png``.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.report import show
        >>> show(["CCO"]).save(Path(tempfile.mkdtemp()) / "ethanol.svg")
        """
        suffix = Path(path).suffix.lower()
        if suffix == ".png":
            return write_atomic(path, self.png)
        if suffix not in (".html", ".htm", ".svg"):
            raise ValueError(f"{os.fspath(path)!r} ends with {suffix!r}; expected .html, .svg or .png")
        html = suffix != ".svg"
        write_atomic(path, page(self.title, self.note, lead=self.html, kicker="mrl") if html else self.svg)

    def _repr_html_(self) -> str:
        if self.table:  # in the notebook's own style
            return f"<p><b>{escape_html(self.title)}</b></p>{self.table}"
        note = f'<br/><span style="color:{COLORS["muted"]}">{escape_html(self.note)}</span>' if self.note else ""
        head = f'<p style="margin:0 0 {_GAP}px"><b>{escape_html(self.title)}</b>{note}</p>'
        return f'<div style="{_PANEL}">{head}{self.html}</div>'

    def _repr_svg_(self) -> str | None:
        return None if self.table else self.svg

    def __repr__(self) -> str:
        note = f"; {self.note}" if self.note else ""
        ways = '.save("picture.html")' if self.table else '.save("picture.html") or .save("picture.svg")'
        return f"Picture({self.title}{note}): a notebook draws it; elsewhere {ways}"
