"""Text to molecule and back: what cannot be kept is refused, with the reason in one line.

RDKit's own parser cuts a text at the first blank and drops control and non-ASCII characters at its end without a word
(``"CC−"`` becomes ``CC``). Here a text is a molecule as a whole, or it is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeAlias

from rdkit import Chem, rdBase

from mrl.errors import ColumnError, MoleculeError

__all__ = ["Molecule", "canon_smile", "error_in_row", "rows_of", "shown", "to_mol", "to_smile"]

Molecule: TypeAlias = str | Chem.Mol

_KINDS = {
    "AtomKekulizeException": "kekulization",
    "AtomValenceException": "valence",
    "KekulizeException": "kekulization",
}


def to_mol(x: Molecule) -> Chem.Mol:
    """The RDKit molecule that a text spells.

    RDKit turns explicit hydrogen atoms into hydrogen counts (``[H]O[H]`` is ``O``), except where they carry
    information (``[2H]``, ``[H][H]``, atom maps). Nothing else is taken away: a text of which a part would be ignored
    (blanks, a name, a CXSMILES tail, stray characters) is refused.

    Parameters
    ----------
    x : str or Mol
        A SMILES, or a sanitized RDKit molecule, which is returned as it is (not a copy).

    Returns
    -------
    Mol
        Sanitized, with at least one atom.

    Raises
    ------
    MoleculeError
        Not a molecule. `reason` is one line that begins with its kind: ``empty``, ``extra text``, ``character``,
        ``syntax``, ``ring closure``, ``valence``, ``kekulization``, ``sanitization``, ``type``. A ``ValueError``.

    Examples
    --------
    >>> to_mol("c1ccccc1").GetNumAtoms()
    6
    >>> to_mol("CO(C)C")
    Traceback (most recent call last):
    ...
    mrl.errors.MoleculeError: 'CO(C)C' is not a molecule; valence: Explicit valence for atom # 1 O, 3, is greater than \
permitted
    """
    if isinstance(x, str):
        if x.isascii() and x.isprintable() and " " not in x:
            with rdBase.BlockLogs():
                mol = Chem.MolFromSmiles(x)
            if mol is not None and mol.GetNumAtoms():
                return mol
        raise _refused(x, _reason(x))
    if isinstance(x, Chem.Mol):
        if not x.GetNumAtoms():
            raise _refused(x, "empty: no atoms")
        if not _is_sanitized(x):
            raise _refused(x, "sanitization: not done yet; call Chem.SanitizeMol(mol) first")
        return x
    raise _refused(x, _reason_of_type(x))


def canon_smile(x: Molecule) -> str:
    """The canonical SMILES: one text for all ways to write a molecule.

    Stereo, isotopes, charges, radicals, dative bonds and atom maps are kept; a stereo mark where there is nothing to
    distinguish goes. The text depends on the version of RDKit.

    Parameters
    ----------
    x : str or Mol

    Returns
    -------
    str
        Isomeric canonical SMILES.

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> canon_smile("OCC"), canon_smile("C(O)C"), canon_smile("[H]OC([2H])C")
    ('CCO', 'CCO', '[2H]C(C)O')
    """
    return str(Chem.MolToSmiles(to_mol(x)))


def to_smile(x: Molecule) -> str:
    """The SMILES of a molecule: the way back from `to_mol`, and the same text as `canon_smile`.

    Parameters
    ----------
    x : Mol or str

    Returns
    -------
    str
        Isomeric canonical SMILES.

    Raises
    ------
    MoleculeError
        Not a molecule (see `to_mol`).

    Examples
    --------
    >>> to_smile(to_mol("C(=O)(O)C"))
    'CC(=O)O'
    """
    return canon_smile(x)


def rows_of(column: Iterable[Any], name: str) -> list[Any]:
    """A column of molecules as a list; neither a single molecule nor a table is a column."""
    if isinstance(column, str | bytes | Chem.Mol):
        raise ColumnError(f"{name} is one molecule, {shown(column)}: wrap it in a list", column=name)
    shape = getattr(column, "shape", (0,))
    if len(shape) != 1:  # a table would be read as the names of its columns
        kind = type(column).__name__
        raise ColumnError(f"{name} is a {kind} of shape {tuple(shape)}: choose one column of it", column=name)
    to_list = getattr(column, "to_pylist", None)  # the elements of Arrow's arrays are no str
    return list(column if to_list is None else to_list())


def error_in_row(error: MoleculeError, row: int) -> MoleculeError:
    """The same error for a table: with its row."""
    return MoleculeError(f"row {row}: {error}", text=error.text, reason=error.reason, row=row)


def shown(value: object) -> str:
    """``repr`` for a message, cut at 80 characters."""
    if isinstance(value, Chem.Mol):
        return f"<{type(value).__name__}>"  # its repr is an address
    text = repr(str(value[:200])) if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _refused(x: object, reason: str) -> MoleculeError:
    text = str(x) if isinstance(x, str) else shown(x)
    return MoleculeError(f"{shown(x)} is not a molecule; {reason}", text=text, reason=reason, row=None)


def _is_sanitized(mol: Chem.Mol) -> bool:
    try:
        with rdBase.BlockLogs():
            mol.GetRingInfo().NumRings()
    except RuntimeError:
        return False
    return not mol.NeedsUpdatePropertyCache()


def _reason_of_type(x: object) -> str:
    missing = " (a missing value)" if x is None or (isinstance(x, float) and x != x) else ""
    remedy = "; decode it first, x.decode()" if isinstance(x, bytes) else ""
    return f"type: {type(x).__name__}{missing}, expected a SMILES (str) or an RDKit Mol{remedy}"


def _reason(text: str) -> str:
    """Why a text is no molecule, in one line."""
    words = text.split(None, 1)
    if not words:
        return "empty: only blanks" if text else "empty: no atoms"
    if words[0] != text:
        if len(words) == 1:
            return "extra text: blanks around the SMILES; use text.strip()"
        return (
            f"extra text: {shown(words[1].rstrip())} after the SMILES {shown(words[0])}; "
            "use text.split()[0], or mrl.read, which keeps such tails"
        )
    for position, character in enumerate(text, 1):
        if not (character.isascii() and character.isprintable()):
            return (
                f"character: {character!r} (U+{ord(character):04X}) at {position} of {len(text)} is not used in SMILES"
            )
    with rdBase.BlockLogs():
        unchecked = Chem.MolFromSmiles(text, sanitize=False)
        try:
            if unchecked is not None:
                Chem.SanitizeMol(unchecked)
        except Chem.MolSanitizeException as error:
            return f"{_KINDS.get(type(error).__name__, 'sanitization')}: {' '.join(str(error).split())}"
    return _parser_reason(text)


def _parser_reason(text: str) -> str:
    """RDKit's log of a failed parse, in one line."""
    if not hasattr(rdBase, "CaptureErrorLog"):  # new in RDKit 2026.03
        return "syntax: RDKit cannot read it"
    with rdBase.CaptureErrorLog() as log:
        Chem.MolFromSmiles(text)
    found = re.search(r"SMILES Parse Error: (.+?)(?: while parsing: | for input: |\n|$)", log.messages)
    if found is None:
        return "sanitization: RDKit refuses it without a reason"
    what = found[1]
    if "ring" in what:
        return f"ring closure: {what}"
    near = re.search(r"around position (\d+)", log.messages)
    if near is None:
        return f"syntax: {what}"
    position = int(near[1])
    what = "cannot be read" if what == "syntax error" else what
    return f"syntax: {what} near character {position} of {len(text)}, {text[position - 1 : position]!r}"
