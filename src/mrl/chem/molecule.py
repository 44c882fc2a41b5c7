"""Text to molecule and back: lossless, or an error with the reason in one line.

RDKit's own parser cuts a text at the first blank and silently drops control and non-ASCII characters at its end
(``"CC−"`` becomes ``CC``). Here the whole text is a molecule, or it is rejected.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, TypeAlias, TypeVar, cast

from rdkit import Chem, rdBase

from mrl.errors import MoleculeError, MrlError
from mrl.messages import format_value

Molecule: TypeAlias = str | Chem.Mol
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

RDKIT_ERRORS: tuple[type[Exception], ...] = (RuntimeError, ValueError, ArithmeticError, LookupError)
"""What RDKit raises for a molecule that it cannot process.

RuntimeError for a failed precondition or invariant in C++; ValueError, ``Chem.MolSanitizeException`` and
`MoleculeError` among them; from its Python code also ZeroDivisionError, KeyError and IndexError.
"""

MAX_ATOMS = 1000
"""Larger molecules are invalid here: RDKit's functions recurse once per atom, up to the end of a thread's stack (which
ends the process), and take a time that grows with the square or cube of the size. Up to here a function takes
seconds."""

MAX_RINGS, MAX_NEIGHBOURS, MAX_DENSITY = 150, 16, 2
"""A SMILES of more than `LONG_TEXT` characters may not have more rings, more bonds at one atom, or more rings for each
atom: the time that RDKit needs to find rings and paths has no useful bound otherwise."""

LONG_TEXT = 200  # characters; in shorter ones no size can do harm

# What RDKit's atoms hold; a larger number would be stored modulo 256 or 65,536, as another atom.
_LIMITS = {
    "isotope": (0, 65535),
    "atomic number": (0, 118),
    "hydrogen count": (0, 127),
    "charge": (-128, 127),
    "map number": (0, 2147483639),
}
_LIMITS_IN_ORDER = [*_LIMITS.items()]  # the groups of _BRACKET
_OBJECT = re.compile(r"<.* object at 0x[0-9a-fA-F]+>")
_OBJECT_REASON = "syntax: the repr of a Python object, not a SMILES; for an RDKit Mol use mrl.chem.to_smile(mol)"
_MAPPED_HYDROGEN = re.compile(r"\[\d*H[+-]?\d*:")
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_BRACKET = re.compile(
    r"\[(\d*+)(?:#(\d++)|[A-Za-z*][a-z]?+)(?:@@?+(?:[A-Z]{2}\d++)?+)?+(?:H(\d*+))?+([+-]\d++)?+[^][:]*+(?::(\d++))?+[^][]*+\]"
)
_ATOM = re.compile(r"\[[^][]*\]|Cl|Br|[A-Za-z*]")
_RING_CLOSURE = re.compile(r"%\(\d+\)|%\d\d|\d")

_KINDS = {
    "AtomKekulizeException": "kekulization",
    "AtomValenceException": "valence",
    "KekulizeException": "kekulization",
}


def function_of_molecule(returns: str) -> Callable[[F], F]:
    """Complete the docstring of a function of one molecule: parameter and error are the same for all of them.

    `returns` is the section Returns, its type first. The docstring of the decorated function ends with an example.
    """

    def complete(function: F) -> F:
        text, prompt, example = inspect.cleandoc(function.__doc__ or "").partition(">>> ")
        function.__doc__ = (
            f"{text}Parameters\n----------\nx : str or Mol\n    A SMILES, or a sanitized RDKit molecule.\n\n"
            f"Returns\n-------\n{returns}\n\n"
            "Raises\n------\nMoleculeError\n    `x` is not a molecule (see `to_mol`), or RDKit fails on it.\n\n"
            f"Examples\n--------\n{prompt}{example}"
        )
        return cast(F, _with_rdkit_errors(function))

    return complete


def _with_rdkit_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(x: Molecule) -> Any:
        try:
            return function(x)
        except MrlError:
            raise
        except RDKIT_ERRORS as error:
            raise rdkit_error(x, function.__name__, error) from error

    vars(call)["checks_text"] = True  # for `mrl.featurize`, which would check it again
    return call


def rdkit_error(x: object, what: str, error: Exception) -> MoleculeError:
    """Return the MoleculeError of a valid molecule on which a function of RDKit failed.

    Parameters
    ----------
    x : object
        The molecule.
    what : str
        What was computed.
    error : Exception
        One of `RDKIT_ERRORS`.
    """
    reason = f"RDKit: {what} failed, {one_line(error):.200}"
    text = str(x) if isinstance(x, str) else describe(x)
    return MoleculeError(f"{describe(x)}: {reason}; leave this molecule out", text=text, reason=reason, row=None)


def to_mol(x: Molecule) -> Chem.Mol:
    """Return the RDKit molecule of a SMILES.

    RDKit turns explicit hydrogen atoms into hydrogen counts (``[H]O[H]`` is ``O``), except where they carry
    information (``[2H]``, ``[H][H]``, atom maps). Nothing else is lost: a text of which RDKit would ignore a part
    (blanks, a name, a CXSMILES tail, stray characters) is rejected.

    Parameters
    ----------
    x : str or Mol
        A SMILES, or a sanitized RDKit molecule, which is returned unchanged (not a copy).

    Returns
    -------
    Mol
        Sanitized, with at least one atom.

    Raises
    ------
    MoleculeError
        `x` is not a molecule; a ``ValueError``. Its attribute `reason` is one line that begins with the kind of
        problem: ``empty``, ``extra text``, ``character``, ``number`` (in brackets, more than RDKit holds), ``size``
        (more than `MAX_ATOMS` atoms or `MAX_RINGS` rings),
        ``syntax``, ``ring closure``, ``valence``, ``kekulization``, ``sanitization``,
        ``type``.

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
        with rdBase.BlockLogs():
            mol = parse_text(x)
        if mol is not None:
            return mol
        x = str.__str__(x)
        raise _invalid(x, _reason(x))
    if isinstance(x, Chem.Mol):
        if not x.GetNumAtoms():
            raise _invalid(x, "empty: no atoms")
        atoms, rings = x.GetNumAtoms(), x.GetNumBonds() - x.GetNumAtoms() + 1  # fewer if there are several components
        if atoms > MAX_ATOMS:
            raise _invalid(x, _too_large(f"{atoms:,} atoms", MAX_ATOMS, "MAX_ATOMS"))
        if rings > MAX_RINGS:
            raise _invalid(x, _too_large(f"{rings:,} rings", MAX_RINGS, "MAX_RINGS"))
        if not _is_sanitized(x):
            raise _invalid(x, "sanitization: not done yet; call Chem.SanitizeMol(mol) first")
        return x
    raise _invalid(x, type_reason(x))


def parse_text(text: str) -> Chem.Mol | None:
    """Return the molecule of a SMILES; None if it is not one. For loops in which the logs of RDKit are blocked."""
    x = str.__str__(text)  # a subclass may have a length of its own
    if not _is_whole(x):
        return None
    try:
        mol = Chem.MolFromSmiles(x) if _has_no_mapped_hydrogens(x) else _with_mapped_hydrogens(x)
        return mol if mol is not None and mol.GetNumAtoms() else None
    except RDKIT_ERRORS:
        return None


def results_of(texts: Sequence[str], function: Callable[[Chem.Mol], T]) -> list[T | None]:
    """Apply a function to the molecule of each text; None where only `parse_text` can read it, or something fails.

    For loops in which the logs of RDKit are blocked. What is looked at beforehand is done for all texts first, and no
    molecule is kept until the next is made: RDKit alone fills the caches of the processor, and any code between two of
    its calls is ten times as slow as by itself.
    """
    is_plain = [_is_whole(text) and _has_no_mapped_hydrogens(text) for text in texts]
    found: list[T | None] = []
    for text, is_read in zip(texts, is_plain, strict=True):
        try:
            mol = Chem.MolFromSmiles(text) if is_read else None
            found.append(None if mol is None else function(mol))
        except RDKIT_ERRORS:
            found.append(None)
        mol = None
    return found


def _is_whole(x: str) -> bool:
    """Return whether RDKit would ignore no part of a text and overlook no number."""
    # The first conditions of a line are for speed: most texts have no brackets, and no numbers of three digits.
    return (
        x.isascii()
        and x.isprintable()
        and " " not in x
        and ("[" not in x or not _has_three_digits(x) or _number_reason(x) is None)
        and (len(x) <= LONG_TEXT or _size_reason(x) is None)
    )


def _has_no_mapped_hydrogens(x: str) -> bool:
    return ":" not in x or _MAPPED_HYDROGEN.search(x) is None


def _has_three_digits(text: str) -> bool:
    """Return whether three digits follow each other in a text of ASCII.

    Without a regular expression, whose search takes memory in a size for which the C library first joins all that RDKit
    has freed: a tenth of the time of parsing.
    """
    return b"000" in text.encode().translate(_DIGITS_TO_ZERO)


@function_of_molecule("str\n    Isomeric canonical SMILES.")
def canon_smile(x: Molecule) -> str:
    """Return the canonical SMILES: the same text for every notation of a molecule.

    Stereo, isotopes, charges, radicals, dative bonds and atom maps are kept; a stereo mark that distinguishes nothing
    is dropped. An RDKit molecule with racemic or relative stereo groups (``|&1:1|``, ``|o1:1|``), which SMILES cannot
    express, is rejected. The text depends on the version of RDKit.

    >>> canon_smile("OCC"), canon_smile("C(O)C"), canon_smile("[H]OC([2H])C")
    ('CCO', 'CCO', '[2H]C(C)O')
    """
    mol = to_mol(x)
    if not isinstance(x, str):
        _require_no_stereo_groups(mol)
    return str(Chem.MolToSmiles(mol))


@function_of_molecule("str\n    Isomeric canonical SMILES.")
def to_smile(x: Molecule) -> str:
    """Return the SMILES of a molecule: the inverse of `to_mol`, and the same text as `canon_smile`.

    >>> to_smile(to_mol("C(=O)(O)C"))
    'CC(=O)O'
    """
    return canon_smile(x)


def _require_no_stereo_groups(mol: Chem.Mol) -> None:
    groups = [group for group in mol.GetStereoGroups() if group.GetGroupType().name != "STEREO_ABSOLUTE"]
    if any(group.GetAtoms() or group.GetBonds() for group in groups):
        text = Chem.MolToCXSmiles(mol, Chem.SmilesWriteParams(), int(Chem.CXSmilesFields.CX_ENHANCEDSTEREO))
        reason = (
            f"stereo groups: SMILES cannot express those of {format_value(text)}; Chem.MolToCXSmiles(mol) keeps them; "
            "for the isomer that is drawn: mol = Chem.RWMol(mol); mol.SetStereoGroups([])"
        )
        raise MoleculeError(f"{describe(mol)}: {reason}", text=text, reason=reason, row=None)


def describe(value: object) -> str:
    """Return the ``repr`` of a value for a message, cut at 80 characters; of a molecule only its type."""
    return f"<{type(value).__name__}>" if isinstance(value, Chem.Mol) else format_value(value)


def one_line(error: Exception) -> str:
    """Return the message of an exception in one line; its type if it has no message."""
    return " ".join(str(error).split()) or type(error).__name__


def type_reason(x: object) -> str:
    """Return why a value that is neither a text nor a molecule is rejected."""
    missing = " (a missing value)" if x is None or (isinstance(x, float) and x != x) else ""
    remedy = "; decode it first, x.decode()" if isinstance(x, bytes) else ""
    return f"type: {type(x).__name__}{missing}, expected a SMILES (str) or an RDKit Mol{remedy}"


def _invalid(x: object, reason: str) -> MoleculeError:
    text = str(x) if isinstance(x, str) else describe(x)
    return MoleculeError(f"{describe(x)} is not a molecule; {reason}", text=text, reason=reason, row=None)


def _is_sanitized(mol: Chem.Mol) -> bool:
    try:
        with rdBase.BlockLogs():
            mol.GetRingInfo().NumRings()
    except RDKIT_ERRORS:
        return False
    return not mol.NeedsUpdatePropertyCache()


def _reason(text: str) -> str:
    """Why a text is not a molecule, in one line."""
    if _OBJECT.fullmatch(text):
        return _OBJECT_REASON
    words = text.split(None, 1)
    if not words:
        return "empty: only blanks" if text else "empty: no atoms"
    if words[0] != text:
        if len(words) == 1:
            return "extra text: blanks around the SMILES; use text.strip()"
        extra = f"extra text: {describe(words[1].rstrip())} after the SMILES {describe(words[0])}"
        if words[1].startswith("|"):
            return f"{extra}, a part of the molecule; use mrl.clean with the step StripTail()"
        return f"{extra}; use text.split()[0]"
    if not (text.isascii() and text.isprintable()):
        position, character = next(
            (n, one) for n, one in enumerate(text, 1) if not (one.isascii() and one.isprintable())
        )
        return f"character: {character!r} (U+{ord(character):04X}) at {position} of {len(text)} is not used in SMILES"
    if found := _number_reason(text):
        return found
    if len(text) > LONG_TEXT and (found := _size_reason(text)):
        return found
    with rdBase.BlockLogs():
        try:
            unchecked = Chem.MolFromSmiles(text, sanitize=False)
            if unchecked is not None:
                Chem.SanitizeMol(unchecked)
        except RDKIT_ERRORS as error:
            return f"{_KINDS.get(type(error).__name__, 'sanitization')}: {one_line(error):.200}"
    return _parser_reason(text)


def _number_reason(text: str) -> str | None:
    """Why a number in brackets is more than RDKit's atoms hold; None if all of them fit."""
    for bracket in _BRACKET.finditer(text):
        for group, (name, (least, most)) in enumerate(_LIMITS_IN_ORDER, 1):
            if (digits := bracket[group]) and not (len(digits) < 12 and least <= int(digits) <= most):
                return (
                    f"number: {name} {digits:.40} at {bracket.start(group) + 1} of {len(text)}, in {bracket[0]:.40}, "
                    f"is outside {least} to {most}, which RDKit would store as another number"
                )
    return None


def _size_reason(text: str) -> str | None:
    """Why a long text is too large a molecule for RDKit; None if it is not, or not a SMILES."""
    rest, atoms = _ATOM.subn(" ", text)
    if atoms > MAX_ATOMS:
        return _too_large(f"{atoms:,} atoms", MAX_ATOMS, "MAX_ATOMS")
    if (closures := len(_RING_CLOSURE.findall(rest)) // 2) > MAX_ATOMS:
        return _too_large(f"{closures:,} rings", MAX_RINGS, "MAX_RINGS")
    with rdBase.BlockLogs(), suppress(*RDKIT_ERRORS):
        unchecked = Chem.MolFromSmiles(text, sanitize=False)
        if unchecked is not None:
            bonds = max((atom.GetDegree() for atom in unchecked.GetAtoms()), default=0)
            if bonds > MAX_NEIGHBOURS:
                return _too_large(f"{bonds} bonds at one atom", MAX_NEIGHBOURS, "MAX_NEIGHBOURS")
            rings = unchecked.GetNumBonds() - unchecked.GetNumAtoms() + len(Chem.GetMolFrags(unchecked))
            if rings > MAX_RINGS:
                return _too_large(f"{rings:,} rings", MAX_RINGS, "MAX_RINGS")
            if rings > MAX_DENSITY * atoms:
                return _too_large(f"{rings} rings among {atoms} atoms", MAX_DENSITY, "MAX_DENSITY")
    return None


def _too_large(what: str, most: int, name: str) -> str:
    return (
        f"size: {what}, at most {most:,} ({name} of mrl.chem.molecule) are processed; leave this molecule out, or use "
        "RDKit itself in a thread with a large stack"
    )


def _with_mapped_hydrogens(text: str) -> Chem.Mol | None:
    """Return the molecule of a SMILES with hydrogen atoms that have atom maps, which RDKit's parser would remove."""
    parameters: Any = Chem.SmilesParserParams()
    parameters.removeHs = False
    mol: Chem.Mol | None = Chem.MolFromSmiles(text, parameters)
    if mol is None:
        return None
    removing: Any = Chem.RemoveHsParameters()
    removing.removeMapped = False
    return Chem.RemoveHs(mol, removing)


def _parser_reason(text: str) -> str:
    """RDKit's log of a failed parse, in one line."""
    if not hasattr(rdBase, "CaptureErrorLog"):  # new in RDKit 2026.03
        return "syntax: RDKit cannot read it"
    with rdBase.CaptureErrorLog() as log:
        Chem.MolFromSmiles(text)
    found = re.search(r"SMILES Parse Error: (.+?)(?: while parsing: | for input: |\n|$)", log.messages)
    if found is None:
        return "sanitization: RDKit rejects it without a reason"
    what = found[1]
    if "ring" in what:
        return f"ring closure: {what}"
    near = re.search(r"around position (\d+)", log.messages)
    if near is None:
        return f"syntax: {what}"
    position = int(near[1])
    what = "cannot be read" if what == "syntax error" else what
    return f"syntax: {what} near character {position} of {len(text)}, {text[position - 1 : position]!r}"
