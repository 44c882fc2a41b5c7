"""Drawn molecules as a list that flows with the width of the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any, TypeAlias

from mrl.chem import draw
from mrl.errors import ColumnError
from mrl.report.html import inline
from mrl.report.words import visible

__all__ = ["drawn", "molecule_grid"]

Molecule: TypeAlias = Any  # a SMILES, or a molecule of RDKit, whose home is another room

# RDKit's colours are made for white paper, and yellow is weak even there: the page says how an element looks.
_ELEMENTS = {
    "#000000": "ink",
    "#191919": "ink",
    "#0000FF": "N",
    "#FF0000": "O",
    "#CCCC00": "S",
    "#33CCCC": "F",
    "#00CC00": "Cl",
    "#7F4C19": "Br",
    "#A01EEF": "I",
    "#FF7F00": "P",
    "#57606a": "muted",
    "#b42318": "O",
    "#cfd6dd": "rule",
    "#fff": "paper",
}


def molecule_grid(smiles: Sequence[str], captions: Sequence[str], *, label: str = "molecules") -> str:
    """Draw molecules, each with a caption and its SMILES.

    Parameters
    ----------
    smiles : sequence of str
        What is no molecule gets a cell with the reason.
    captions : sequence of str
        One for each, plain text.
    label : str
        What these molecules are, for those who cannot see them.

    Returns
    -------
    str
        HTML: a list, empty if there are no molecules.

    Raises
    ------
    mrl.errors.ColumnError
        If there are not as many captions as molecules.

    Examples
    --------
    >>> html = molecule_grid(["CCO"], ["ethanol"])
    >>> 'aria-label="structure of CCO"' in html, "<p>ethanol</p>" in html
    (True, True)
    """
    if len(smiles) != len(captions):
        raise ColumnError(f"{len(captions)} captions for {len(smiles)} molecules: give one each", column="captions")
    items = ""
    for text, caption in zip(smiles, captions, strict=True):
        shown = escape(visible(text))
        items += f"<li>{inline(drawn(text, (220, 160)), f'structure of {text}')}\n<p>{escape(visible(caption))}</p>"
        items += f'<code title="{shown}">{shown}</code></li>\n'
    return f'<ul class="molecules" aria-label="{escape(visible(label))}">\n{items}</ul>\n'


def drawn(molecule: Molecule, size: tuple[int, int]) -> str:
    """Draw one molecule as an ``svg`` whose colours a page may choose."""
    # Only inside tags: a SMILES stays as it is whatever it looks like.
    return re.sub(r"<[^<>]*>", _recolored, draw([molecule], columns=1, size=size))


def _recolored(tag: re.Match[str]) -> str:
    return re.sub(
        r"#(?:[0-9A-Fa-f]{6}|fff)\b",
        lambda color: f"var(--{_ELEMENTS[color[0]]},{color[0]})" if color[0] in _ELEMENTS else color[0],
        tag[0],
    )
