"""Where tokens are in a text, and to which atom of a SMILES they belong."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mrl.errors import VocabError
from mrl.ragged import as_text

Span = tuple[int, int, int | tuple[int, ...] | None]

_ATOM = re.compile(r"\[[^\[\]]+]|Br|Cl|[BCNOPSFIbcnops*]")
_MOLECULE = re.compile(r"\s*(\S*)")


def token_spans(text: str, sizes: Iterable[int], vocab: str) -> list[Span]:
    """Return begin, end (in code points) and atom of each token, given their sizes in bytes and the vocabulary's name.

    Examples
    --------
    >>> token_spans("C=Cl", [1, 1, 2], "RegexVocab")
    [(0, 1, 0), (1, 2, None), (2, 4, 1)]
    >>> token_spans("CCO", [2, 1], "RegexVocab")
    [(0, 2, (0, 1)), (2, 3, 2)]
    """
    atoms = _atoms_by_character(text)
    characters = [i for i, character in enumerate(text) for _ in character.encode()]  # of each byte
    found: list[Span] = []
    at = 0
    for size in sizes:
        begin = characters[at] if at < len(characters) else len(text)
        end = characters[at + size - 1] + 1 if 0 < size <= len(characters) - at else begin
        inside = tuple(sorted({atom for atom in atoms[begin:end] if atom is not None}))
        found.append((begin, end, (inside if len(inside) > 1 else inside[0]) if inside else None))
        at += size
    if at != len(characters):
        raise VocabError(
            f"the tokens of {vocab} do not give {text!r}, so that they have no position in it; override token_text to "
            "return the text of each token"
        )
    return found


def valid_text(text: str) -> str:
    """Return `text`; a RowError where it is not a str, or one that UTF-8 cannot express."""
    if not (isinstance(text, str) and text.isascii()):
        as_text([text], "text")
    return text


def _atoms_by_character(smiles: str) -> list[int | None]:
    """Return for each code point the number of the atom it belongs to, in the order of the text; None outside atoms.

    A SMILES ends at the first blank; a name or a CXSMILES tail has no atoms. RDKit numbers atoms in the same way,
    explicit hydrogens among them.
    """
    found: list[int | None] = [None] * len(smiles)
    begin, end = _MOLECULE.match(smiles).span(1)  # type: ignore[union-attr]  # it matches everything
    for number, match in enumerate(_ATOM.finditer(smiles, begin, end)):
        found[match.start() : match.end()] = [number] * (match.end() - match.start())
    return found
