"""A molecule as SVG, by RDKit's drawer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rdkit import Chem, rdBase

from mrl.chem.molecule import RDKIT_ERRORS, Molecule, canon_smile, describe, one_line, to_mol
from mrl.errors import MoleculeError

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
        return _draw(mol, size)
    except RDKIT_ERRORS as error:
        reason = f"drawing: RDKit cannot draw it, {one_line(error)}"
        text = molecule if isinstance(molecule, str) else canon_smile(mol)
        raise MoleculeError(f"{describe(molecule)}: {reason}", text=text, reason=reason) from error


def _palette() -> dict[int, tuple[float, ...]]:
    """Colours by atomic number, as RDKit takes them; -1 stands for all other elements."""
    table = Chem.GetPeriodicTable()
    colors = {symbol: tuple(byte / 255 for byte in bytes.fromhex(color[1:])) for symbol, color in ATOM_COLORS.items()}
    return {-1: colors["C"]} | {table.GetAtomicNumber(symbol): color for symbol, color in colors.items()}


def _draw(mol: Chem.Mol, size: tuple[int, int]) -> str:
    from rdkit.Chem import rdDepictor  # for cost, with the next: 85 ms at first use, not at import
    from rdkit.Chem.Draw import rdMolDraw2D

    mol = Chem.Mol(mol)
    with rdBase.BlockLogs():
        rdDepictor.Compute2DCoords(mol)
        rdDepictor.StraightenDepiction(mol)
        drawer = rdMolDraw2D.MolDraw2DSVG(*size)
        options: Any = drawer.drawOptions()
        options.clearBackground = False
        options.bondLineWidth = 1.4
        options.fixedBondLength = 24
        options.minFontSize = 8
        options.padding = 0.07
        options.flagCloseContactsDist = -1  # no red frames around the atoms of large molecules
        options.setAtomPalette(_palette())
        drawer.DrawMolecule(mol)
        drawer.FinishDrawing()
    _, _, body = drawer.GetDrawingText().partition("<!-- END OF HEADER -->")
    body = body.rpartition("</svg>")[0].replace("#000000", ATOM_COLORS["C"])  # radicals are black whatever the palette
    return _REDUNDANT.sub("", body).strip()
