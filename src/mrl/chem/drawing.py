"""A molecule as SVG, by RDKit's drawer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from textwrap import wrap
from typing import Any

from rdkit import Chem, rdBase

from mrl.chem.molecule import RDKIT_ERRORS, Molecule, canon_smile, describe, one_line, to_mol
from mrl.errors import ColumnError, MoleculeError
from mrl.ragged import as_list

ATOM_COLORS: Mapping[str, str] = {
    "C": "#1C2530",
    "N": "#2A4FD0",
    "O": "#D0211C",
    "S": "#8A6500",
    "F": "#0B7A80",
    "Cl": "#1C7D1C",
    "Br": "#7F4C19",
    "I": "#8427C4",
    "P": "#B85000",
}
"""Colours by element, legible on white, as they are spelled in drawings; that of carbon is used for everything else."""

# Classes could meet the style sheet of a page; the other pieces are the defaults of SVG.
_REDUNDANT = re.compile(
    r" class='[^']*'|(?<=fill:none;)fill-rule:evenodd;|;stroke-linecap:butt;stroke-linejoin:miter;stroke-opacity:1"
)


def draw_molecule(molecule: Molecule, size: tuple[int, int] = (220, 160)) -> str:
    """Return the drawing of a molecule as SVG elements, to be put into an ``<svg>`` or ``<g>`` of that size.

    All drawings have the same bond length, as far as the molecules fit. `mrl.show` makes a whole picture of them.

    Parameters
    ----------
    molecule : str or Mol
        Drawn in two dimensions, whatever coordinates it has.
    size : (int, int)
        Width and height in pixels, 40 or more.

    Returns
    -------
    str
        Elements without ids, classes and style sheets, so that they may occur several times in a page. The colours
        are those of `ATOM_COLORS`; the background is transparent.

    Raises
    ------
    MoleculeError
        `molecule` is not a molecule (see `to_mol`), or RDKit cannot draw it (`reason` begins with ``drawing``).
    ValueError
        A size below 40 pixels.

    Examples
    --------
    >>> svg = draw_molecule("CCO")
    >>> svg[:5], ATOM_COLORS["O"] in svg, ATOM_COLORS["N"] in svg
    ('<path', True, False)
    """
    if min(size) < 40:
        raise ValueError(f"size={size}: expected a width and a height of 40 pixels or more")
    mol = to_mol(molecule)
    try:
        return _drawing(mol, *size, palette=_palette())
    except RDKIT_ERRORS as error:
        reason = f"drawing: RDKit cannot draw it, {one_line(error)}"
        text = molecule if isinstance(molecule, str) else canon_smile(mol)
        raise MoleculeError(f"{describe(molecule)}: {reason}", text=text, reason=reason) from error


def _palette() -> dict[int, tuple[float, ...]]:
    """Colours by atomic number, as RDKit takes them; -1 stands for all other elements."""
    table = Chem.GetPeriodicTable()
    colors = {symbol: tuple(byte / 255 for byte in bytes.fromhex(color[1:])) for symbol, color in ATOM_COLORS.items()}
    return {-1: colors["C"]} | {table.GetAtomicNumber(symbol): color for symbol, color in colors.items()}


def _drawing(mol: Chem.Mol, width: int, height: int, palette: dict[int, tuple[float, ...]] | None = None) -> str:
    from rdkit.Chem import rdDepictor  # for cost, with the next: 85 ms at first use, not at import
    from rdkit.Chem.Draw import rdMolDraw2D

    mol = Chem.Mol(mol)
    with rdBase.BlockLogs():
        rdDepictor.Compute2DCoords(mol)
        rdDepictor.StraightenDepiction(mol)
        drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
        options: Any = drawer.drawOptions()
        options.clearBackground = False
        options.bondLineWidth = 1.4
        options.fixedBondLength = 24
        options.minFontSize = 8
        options.padding = 0.07
        if palette is not None:
            options.setAtomPalette(palette)
        drawer.DrawMolecule(mol)
        drawer.FinishDrawing()
    svg = drawer.GetDrawingText()
    body = svg[svg.index("<!-- END OF HEADER -->") + len("<!-- END OF HEADER -->") : svg.rindex("</svg>")]
    return _REDUNDANT.sub("", body).strip()


_GAP = 8  # pixels between cells
_LINE = 18  # height of a line of text
_LEGEND = 24  # height of a legend
_SANS = 'font-family="system-ui,sans-serif" font-size="12"'
_MONO = 'font-family="ui-monospace,monospace" font-size="11"'
_CHARACTER = 6.7  # width of one, both fonts, in pixels


def draw(
    molecules: Iterable[Molecule],
    *,
    columns: int = 5,
    size: tuple[int, int] = (220, 160),
    legends: Sequence[str] | None = None,
) -> str:
    """A grid of molecules as SVG, to be written to a file or into a page, there as often as wanted.

    Bonds have one length in all cells, as far as the molecules fit. A tooltip has the whole text of each. What is no
    molecule gets a cell with its text and the reason.

    Parameters
    ----------
    molecules : iterable of str or Mol, n of them
    columns : int
        Cells per row, 1 or more.
    size : (int, int)
        Width and height of a drawing in pixels, without its legend.
    legends : sequence of str, optional, n of them
        A line below each drawing, cut to its width.

    Returns
    -------
    str
        One ``<svg>`` element, without XML declaration and ids.

    Raises
    ------
    ColumnError
        The legends are not as many as the molecules, or one molecule was given where a column is expected.
    ValueError
        No columns, or a size below 40 pixels.

    Examples
    --------
    >>> svg = draw(["CCO", "c1ccccc1", "C("], columns=2, legends=["ethanol", "benzene", "?"])
    >>> svg[:4], svg.count("<title>"), "syntax" in svg
    ('<svg', 3, True)
    """
    width, height = size
    if columns < 1 or min(size) < 40:
        raise ValueError(f"columns={columns}, size={size}: expected 1 column or more, and 40 pixels or more")
    rows = as_list(molecules, "molecules")
    texts = None if legends is None else [str(legend) for legend in legends]
    if texts is not None and len(texts) != len(rows):
        raise ColumnError(f"{len(texts)} legends for {len(rows)} molecules: give one each", column="legends")
    cell = height + (_LEGEND if texts is not None else 0)
    parts = []
    for i, x in enumerate(rows):
        left, top = _GAP // 2 + i % columns * (width + _GAP), _GAP // 2 + i // columns * (cell + _GAP)
        legend = "" if texts is None else _line(texts[i], width // 2, height + 10, width)
        parts.append(f'<g transform="translate({left} {top})">{_cell(x, width, height, cell)}{legend}</g>')
    across, down = min(columns, len(rows)) * (width + _GAP), -(-len(rows) // columns) * (cell + _GAP)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}" viewBox="0 0 {across} {down}"'
    return "\n".join([f'{head} style="max-width:100%;height:auto" role="img">', *parts, "</svg>"])


def _cell(x: Molecule, width: int, height: int, full_height: int) -> str:
    """Frame, tooltip and drawing."""
    try:
        mol = to_mol(x)
        text, reason = x if isinstance(x, str) else Chem.MolToSmiles(mol), ""
        try:
            drawing = _drawing(mol, width, height)
        except RDKIT_ERRORS:
            reason = "drawing: RDKit cannot draw it"
    except MoleculeError as error:
        text, reason = error.text, error.reason
    dashes, tooltip = "", text
    if reason:
        drawing = _refused(text, reason, width, height)
        dashes, tooltip = ' stroke-dasharray="4 3"', f"{text} ({reason})"
    frame = f'<rect width="{width}" height="{full_height}" rx="6" fill="#fff" stroke="#cfd6dd"{dashes}/>'
    return f"<title>{_xml(tooltip)}</title>{frame}{drawing}"


def _refused(text: str, reason: str, width: int, height: int) -> str:
    """The text, in as many lines as fit, and why it is no molecule."""
    per_line, room = max(3, int((width - 16) / _CHARACTER)), max(2, (height - 16) // _LINE)
    why = wrap(reason, per_line, max_lines=max(1, room // 2), placeholder=" …")
    what = wrap(text, per_line, max_lines=room - len(why), placeholder=" …", break_on_hyphens=False)
    what = what or ["(blank)" if text else "(empty)"]
    first = (height - (len(what) + len(why) - 1) * _LINE) // 2
    lines = [(line, _MONO, "#57606a") for line in what] + [(line, _SANS, "#b42318") for line in why]
    return "".join(_line(line, width // 2, first + i * _LINE, width, *style) for i, (line, *style) in enumerate(lines))


def _line(text: str, x: int, y: int, width: int, font: str = _SANS, fill: str = "#24292f") -> str:
    """One line of text around (x, y), cut to a width."""
    fits = max(1, int((width - 8) / _CHARACTER))
    text = text if len(text) <= fits else text[: fits - 1] + "…"
    style = f'{font} fill="{fill}" text-anchor="middle" dominant-baseline="middle"'
    return f'<text x="{x}" y="{y}" {style}>{_xml(text)}</text>'


def _xml(text: str) -> str:
    """Escaped; characters that XML cannot hold are spelled out."""
    return escape("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
