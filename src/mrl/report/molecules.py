"""Drawn molecules: one in a box of a given size, or a list that flows with the width of a page."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from mrl.chem import draw_molecule, to_mol, to_smile
from mrl.errors import ColumnError, MoleculeError
from mrl.formatting import Html, escape_html
from mrl.messages import format_count
from mrl.report.drawing import Canvas, Drawing
from mrl.report.html import code

_MOST_ATOMS = 200  # a small drawing of more shows nothing, and RDKit needs seconds for 1,000

Size = tuple[int, int]


def molecule_grid(smiles: Sequence[str], captions: Sequence[str], *, title: str = "") -> Html:
    """Return drawings of molecules, each with a caption and its SMILES.

    Parameters
    ----------
    smiles : sequence of str
        SMILES; an invalid one gets a cell with the reason.
    captions : sequence of str
        One for each, plain text.
    title : str
        Plain text of a heading, or ``""``.

    Returns
    -------
    Html
        The heading, and a list with one item for each molecule.

    Raises
    ------
    ColumnError
        The captions are not as many as the molecules.

    Examples
    --------
    >>> html = molecule_grid(["CCO"], ["ethanol"])
    >>> 'aria-label="structure of CCO"' in html, "<p>ethanol</p>" in html
    (True, True)
    """
    if len(smiles) != len(captions):
        found, expected = format_count(len(captions), "caption"), format_count(len(smiles), "molecule")
        raise ColumnError(f"{found} for {expected}: give one each", column="captions")
    items = ""
    for text, caption in zip(smiles, captions, strict=True):
        size = (220, 160)
        drawing = Drawing(draw_or_write(text, size), *size, f"structure of {text}")
        items += f"<li>{drawing.svg}<p>{escape_html(caption)}</p>"
        items += f'<p class="smiles" title="{escape_html(text)}">{code(text)}</p></li>\n'
    heading = f"<h3>{escape_html(title)}</h3>\n" if title else ""
    return Html(f'{heading}<ul class="molecules" aria-label="{escape_html(title or "molecules")}">\n{items}</ul>\n')


def draw_or_write(molecule: Any, size: Size, *, grammar: str = "", with_reason: bool = True) -> str:
    """Return SVG elements: the drawing of a molecule, or its text and why it is not drawn.

    Parameters
    ----------
    molecule : str or Mol
        SMILES or molecule, or text in another `grammar`.
    size : tuple of int
        Width and height in pixels.
    grammar : str
        What the text is if it is not a SMILES, such as "SELFIES"; it is then written, not drawn.
    with_reason : bool
        Whether to write why an invalid molecule is not drawn.
    """
    if grammar:
        return _written(smiles_or_empty(molecule), grammar, "muted", size)
    try:
        n_atoms = to_mol(molecule).GetNumAtoms()
        if n_atoms > _MOST_ATOMS:
            return _written(smiles_or_empty(molecule), f"{n_atoms:,} atoms: too many to draw", "muted", size)
        return f"<title>{escape_html(smiles_or_empty(molecule))}</title>{draw_molecule(molecule, size)}"
    except MoleculeError as error:
        return _written(error.text, error.reason if with_reason else "", "error", size)


def smiles_or_empty(molecule: Any) -> str:
    """Return a text as it is, or the SMILES of a molecule, ``""`` if it has none."""
    try:
        return molecule if isinstance(molecule, str) else to_smile(molecule)
    except MoleculeError:
        return ""


def _written(text: str, note: str, color: str, size: Size) -> str:
    """Return a frame with a text, cut where it is too long, and a note below."""
    width, height = size
    per_line, n_lines = (width - 16) // 7, (height - 12) // 15
    notes = wrap(note, int((width - 16) / 6.4), max_lines=max(1, n_lines // 2), placeholder=" …")
    lines = [text[start : start + per_line] for start in range(0, len(text), per_line)] or ["(empty)"]
    most = n_lines - len(notes) - bool(notes)
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1][: per_line - 1]}…"]
    canvas = Canvas()
    canvas.frame(width, height)
    y = (height - 15 * (len(lines) + len(notes) + bool(notes) - 1)) / 2
    for line in lines:
        if len(lines) > 1:
            canvas.text(8, y, line, size=11, mono=True)
        else:
            canvas.text(width / 2, y, line, size=11, mono=True, align="middle")
        y += 15
    for line in notes:
        canvas.text(width / 2, y + 15, line, color=color, size=11, align="middle")
        y += 15
    return canvas.drawing(width, height, text).body
