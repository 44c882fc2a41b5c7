"""Notation: what a column holds if it does not hold SMILES, recognised in a sample of its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from mrl.errors import NotationError
from mrl.messages import format_value

Notation: TypeAlias = Literal["smiles", "selfies", "protein", "nucleotide", "text"]

NOTATIONS: tuple[str, ...] = get_args(Notation)
_SAMPLE = 1000  # rows
_MOST = 0.9  # of the rows say the same

_SYMBOLS = r"\[[^\[\]\s]+\]|Br|Cl|[BCNOPSFI]|[bcnops]|[-=#$:/\\.()~*>]|%\d\d|%\(\d+\)|\d"
_SMILES = re.compile(rf"(?:{_SYMBOLS})+")
# Every letter outside brackets is an element of the organic subset, or an aromatic atom.
_NO_FOREIGN_LETTER = r"^(?:\[[^\[\]]*\]?|Br|Cl|[^A-Za-z\[]|[BCNOPSFIbcnops])*$"  # for Arrow, which never backtracks
_NOT_FOREIGN = re.compile(r"\[[^\[\]]*\]?|Br|Cl|[^A-Za-z\[]+|[BCNOPSFIbcnops]")
_SELFIES = re.compile(r"(?:\[[^\[\]\s]+\]|\.)+")
_SELFIES_ONLY = re.compile(r"\[(?:[=#/\\-]?(?:[BCNOPSFI]|Br|Cl)|[=#/\\-]{0,2}(?:Branch|Ring)\d|nop|epsilon)\]")
_NUCLEOTIDE = re.compile(r"[ACGTUNacgtun]+")
_NUCLEOTIDE_ONLY = re.compile(r"[AGTUagtu]")
_PROTEIN = re.compile(r"[ACDEFGHIKLMNPQRSTVWYXBZUO]+\*?")
_PROTEIN_ONLY = re.compile(r"[ADEGHKLMQRTVWYXZU]")

_HELD: dict[str, str] = {
    "selfies": "SELFIES",
    "nucleotide": "nucleotide sequences",
    "protein": "protein sequences",
    "text": "names or other text",
}
COMMENT, FASTA_HEADER = "comment: a line that begins with #", "FASTA header: a line that begins with >"
FOREIGN = "not SMILES: a letter outside brackets that is no element or aromatic atom of SMILES"


class Found(NamedTuple):
    """What a sample of a column holds, with an example of it.

    Attributes
    ----------
    notation : str
        ``"smiles"`` if nothing speaks against it.
    example : str
        One of the rows.
    """

    notation: str
    example: str


def recognise(texts: Sequence[str]) -> Found:
    """Return the notation of a sample of cells.

    Parameters
    ----------
    texts : sequence of str
        Without blanks around them; blank ones say nothing.

    Returns
    -------
    notation : str
        "smiles" if nothing speaks against it, "selfies", "protein", "nucleotide" or "text".
    example : str
        One of the texts.

    Examples
    --------
    >>> recognise(["MKVL", "ACDE"]).notation, recognise(["CCO", "CCN"]).notation
    ('protein', 'smiles')
    """
    rows = [text for text in texts if text]
    if not rows:
        return Found("smiles", "")
    least = max(1, round(_MOST * len(rows)))
    for notation, pattern, mark in (
        ("selfies", _SELFIES, _SELFIES_ONLY),
        ("nucleotide", _NUCLEOTIDE, _NUCLEOTIDE_ONLY),
        ("protein", _PROTEIN, _PROTEIN_ONLY),
    ):
        fits = [row for row in rows if pattern.fullmatch(row)]
        marked = [row for row in fits if mark.search(row)]
        if len(fits) >= least and 2 * len(marked) >= len(fits):
            return Found(notation, marked[0])
    foreign = [row for row in rows if has_foreign_letter(row)]
    return Found("text", foreign[0]) if len(foreign) >= least else Found("smiles", rows[0])


def has_foreign_letter(text: str) -> bool:
    """Return whether the first word of a text has a letter outside brackets that no SMILES has."""
    return bool(text.strip()) and _NOT_FOREIGN.sub("", text.split(None, 1)[0]) != ""


def is_smiles_text(text: str) -> bool:
    """Return whether a text consists of SMILES symbols only, as names hardly ever do."""
    return _SMILES.fullmatch(text) is not None


def foreign_letters(smiles: Any, with_tail: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which cells of an Arrow column have, in their first word, a letter that no SMILES has.

    Of some cells (`with_tail`) the SMILES is the first word only.
    """
    found = ~np.array(pc.match_substring_regex(smiles, _NO_FOREIGN_LETTER).to_numpy(zero_copy_only=False), bool)
    places = np.flatnonzero(found & with_tail)
    found[places] = [has_foreign_letter(cell) for cell in pc.take(smiles, places).to_pylist()]
    return found


def sample_rows(n: int) -> NDArray[np.int64]:
    """Return at most a thousand row numbers of n, evenly spread."""
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, _SAMPLE)).astype(np.int64))


def require_smiles(texts: Sequence[str], path: str, column: str, of_format: Notation) -> None:
    """Raise a ``NotationError`` if a sample of a column does not hold SMILES, or the format of its file never does."""
    found = recognise(texts)
    if found.notation == "smiles" and of_format != "smiles":
        found = Found("protein", found.example)
    if found.notation != "smiles":
        raise NotationError(
            f"{path}: column {column!r} holds {_HELD[found.notation]}, not SMILES, e.g. "
            f'{format_value(found.example, most=40)}: choose the column of SMILES with smiles="..." '
            '(--smiles-column), or read the rows as they stand with options=ReadOptions(notation="text") '
            "(--notation text)",
            column=column,
            path=path,
            notation=found.notation,
        )
