"""A molecule as SVG, by RDKit's drawer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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

_MOST_ATOMS = 200  # of a molecule in a grid

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


def draw_png(
    molecules: Sequence[Molecule], captions: Sequence[str], *, columns: int = 4, size: tuple[int, int] = (220, 190)
) -> bytes:
    """Return drawings of molecules in a grid, on white, as a PNG image of twice the size, for sharp prints and screens.

    Parameters
    ----------
    molecules : sequence of str or Mol
        One or more. The place of a text that is not a molecule, or is larger than 200 atoms, has its caption only.
    captions : sequence of str
        The lines below each drawing.
    columns : int
        Drawings side by side.
    size : (int, int)
        Width and height of a drawing with its caption, in pixels.

    Returns
    -------
    bytes
        The image, by RDKit's Cairo drawer; its fonts may differ from one version of RDKit to another.

    Raises
    ------
    ValueError
        No molecules, captions that are not as many, or no columns.

    Examples
    --------
    >>> draw_png(["CCO", "C("], ["ethanol", "C("])[:4]
    b'\x89PNG'
    """
    from rdkit.Chem.Draw import rdMolDraw2D  # for cost, as below

    if not molecules or len(molecules) != len(captions) or columns < 1:
        raise ValueError(
            f"{len(molecules)} molecules, {len(captions)} captions, columns={columns}: expected one or more molecules "
            "with a caption each, and 1 column or more"
        )
    across = min(columns, len(molecules))
    down = -(-len(molecules) // across)
    width, height = 2 * size[0], 2 * size[1]
    lines = max(caption.count("\n") + 1 for caption in captions)
    drawer = rdMolDraw2D.MolDraw2DCairo(across * width, down * height, width, height)
    options: Any = drawer.drawOptions()
    options.bondLineWidth = 2.8
    options.fixedBondLength = 48
    options.minFontSize = 16
    options.padding = 0.07
    options.legendFontSize = 22
    options.legendFraction = min(24 * lines / height + 0.02, 0.7)
    options.flagCloseContactsDist = -1
    options.setAtomPalette(_palette())
    with rdBase.BlockLogs():
        drawer.DrawMolecules([_drawable(one) for one in molecules], legends=list(map(_legend, captions)))
        drawer.FinishDrawing()
    return bytes(drawer.GetDrawingText())


def _drawable(molecule: Molecule) -> Chem.Mol:
    """Return a molecule with coordinates; of what is not drawn an invisible atom, without which no caption shows."""
    from rdkit.Chem import rdDepictor

    try:
        mol = Chem.Mol(to_mol(molecule))
        if mol.GetNumAtoms() > _MOST_ATOMS:
            return _nothing()
        rdDepictor.Compute2DCoords(mol)
        rdDepictor.StraightenDepiction(mol)
        return mol
    except RDKIT_ERRORS:  # MoleculeError among them
        return _nothing()


def _nothing() -> Chem.Mol:
    mol = Chem.MolFromSmiles("*")
    mol.GetAtomWithIdx(0).SetProp("_displayLabel", " ")
    return mol


def _legend(caption: str) -> str:
    """Return a caption in the characters that the drawer's font surely has."""
    return "".join(c if c == "\n" or c.isprintable() else "\ufffd" for c in caption)


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
