"""MOL blocks (V2000, V3000) as SMILES: everything that they say about a molecule, or an error."""

from __future__ import annotations

import re
from contextlib import suppress

from rdkit import Chem, rdBase

from mrl.chem.molecule import MAX_ATOMS, MAX_DENSITY, MAX_NEIGHBOURS, MAX_RINGS, RDKIT_ERRORS, one_line
from mrl.errors import MoleculeError
from mrl.messages import format_value

_BONDS = frozenset({"SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE", "AROMATIC", "DATIVE"})
_GROUPS = frozenset({"SUP", "MUL", "DAT", "SRU", "MON", "MER", "COP", "CRO", "MOD", "GRA", "ANY", "GEN"})
_LINE_OF_NUMBERS = re.compile(r"(?m)^M  (CHG|ISO|RAD)(?: +\d+)((?: +\d+ +-?\d+)+)")
_NUMBER = re.compile(r"\b(CHG|MASS|RAD)=(-?\d+)")
_LIMITS = {"CHG": (-128, 127), "ISO": (0, 65535), "MASS": (0, 65535), "RAD": (0, 3)}
_COUNTS = re.compile(r"(?m)\A[^\n]*\n[^\n]*\n[^\n]*\n([ \d]{3})([ \d]{3})|^M  V30 COUNTS +(\d+) +(\d+)")
_FIELDS = Chem.CXSmilesFields
_TAIL = int(
    _FIELDS.CX_ENHANCEDSTEREO
    | _FIELDS.CX_ATOM_LABELS
    | _FIELDS.CX_SGROUPS
    | _FIELDS.CX_POLYMER
    | _FIELDS.CX_LINKNODES
    | _FIELDS.CX_BOND_ATROPISOMER
)


def mol_block_smiles(block: str) -> str:
    """Return the SMILES of a MOL block, with a CXSMILES tail where it says what SMILES cannot.

    Stereo as it is drawn, isotopes, charges, radicals, atom maps, stereo groups, atropisomers, R groups and polymers
    are kept; coordinates and names are not. The chiral flag of a V2000 block, which few programs write as it was meant,
    is not read.

    Parameters
    ----------
    block : str
        Of version V2000 or V3000, up to the line ``M  END``.

    Returns
    -------
    str
        Canonical SMILES; hydrogen atoms are counts, except where they carry information.

    Raises
    ------
    MoleculeError
        It is not a molecule, or says something that would be lost: it is a query, has bonds that SMILES does not have,
        or numbers that RDKit would store as others.

    Examples
    --------
    >>> from rdkit import Chem
    >>> mol_block_smiles(Chem.MolToMolBlock(Chem.MolFromSmiles("C[C@H](N)C(=O)[O-]")))
    'C[C@H](N)C(=O)[O-]'
    """
    if reason := _number_reason(block) or _size_reason(block):
        raise _error(block, reason)
    with rdBase.BlockLogs():
        try:
            mol = Chem.MolFromMolBlock(block, sanitize=True, removeHs=False, strictParsing=True)
        except RDKIT_ERRORS:
            mol = None
        if mol is None:
            raise _error(block, _parser_reason(block))
        if not mol.GetNumAtoms():
            raise _error(block, "empty: no atoms")
        if reason := _loss(mol):
            raise _error(block, reason)
        try:
            return _write(mol)
        except RDKIT_ERRORS as error:
            raise _error(block, f"RDKit: writing failed, {one_line(error):.200}") from error


def _write(mol: Chem.Mol) -> str:
    params = Chem.RemoveHsParameters()
    for name in ("removeMapped", "removeInSGroups", "showWarnings"):
        setattr(params, name, False)
    mol = Chem.RemoveHs(mol, params)
    smiles, fields = str(Chem.MolToSmiles(mol)), _TAIL
    if electrons := sum(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        plain = Chem.MolFromSmiles(smiles)
        if plain is None or sum(atom.GetNumRadicalElectrons() for atom in plain.GetAtoms()) != electrons:
            fields |= int(_FIELDS.CX_RADICALS)
    whole = str(Chem.MolToCXSmiles(mol, Chem.SmilesWriteParams(), fields))
    if "|" not in whole:
        return smiles
    if "->" in smiles or "<-" in smiles:  # which CXSMILES has in its tail
        fields |= int(_FIELDS.CX_COORDINATE_BONDS)
    return str(Chem.MolToCXSmiles(mol, Chem.SmilesWriteParams(), fields))


def _error(block: str, reason: str) -> MoleculeError:
    title = block.partition("\n")[0].strip()
    return MoleculeError(f"the MOL block {format_value(title)}: {reason}", text=title, reason=reason, row=None)


def _number_reason(block: str) -> str | None:
    found = [
        (kind, int(number[:12]))
        for kind, numbers in _LINE_OF_NUMBERS.findall(block)
        for number in numbers.split()[1::2]
    ]
    for kind, number in [*found, *((kind, int(number[:12])) for kind, number in _NUMBER.findall(block))]:
        least, most = _LIMITS[kind]
        if not least <= number <= most:
            return f"number: {kind} {number} is outside {least} to {most}, which RDKit would store as another number"
        if kind == "RAD" and number == 1:
            return "singlet: a diradical of paired electrons, which SMILES does not distinguish"
    return None


def _size_reason(block: str) -> str | None:
    """Return why a block is too large a molecule for RDKit (see `mrl.chem.molecule`); None if it is not."""
    counts = [[text.strip()[:9] for text in found] for found in _COUNTS.findall(block)]
    counts = [found for found in counts if all(text.isdigit() or not text for text in found)]
    atoms = max((int(old or new or 0) for old, _, new, _ in counts), default=0)
    bonds = max((int(old or new or 0) for _, old, _, new in counts), default=0)
    if atoms > MAX_ATOMS:
        return f"size: {atoms:,} atoms, at most {MAX_ATOMS:,} are processed"
    if bonds - atoms + 1 > MAX_RINGS:
        return f"size: {bonds - atoms + 1:,} rings, at most {MAX_RINGS:,} are processed"
    if bonds - atoms + 1 > max(MAX_DENSITY * atoms, 30):
        return f"size: {bonds - atoms + 1} rings among {atoms} atoms"
    if bonds > atoms + 20:
        with rdBase.BlockLogs(), suppress(*RDKIT_ERRORS):
            unchecked = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False, strictParsing=True)
            degrees = [] if unchecked is None else [atom.GetDegree() for atom in unchecked.GetAtoms()]
            if max(degrees, default=0) > MAX_NEIGHBOURS:
                return f"size: more than {MAX_NEIGHBOURS} bonds at one atom"
    return None


def _parser_reason(block: str) -> str:
    try:
        unchecked: Chem.Mol | None = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False, strictParsing=True)
        if unchecked is None:
            return "syntax: RDKit cannot read the MOL block"
        Chem.SanitizeMol(unchecked)
    except RDKIT_ERRORS as error:
        return f"sanitization: {one_line(error):.200}"
    return "sanitization: RDKit rejects it without a reason"


def _loss(mol: Chem.Mol) -> str | None:
    """Return what of a molecule SMILES would not keep; None if nothing."""
    for atom in mol.GetAtoms():
        if atom.HasQuery() and atom.GetAtomicNum():
            return f"query: atom {atom.GetIdx() + 1} is not one element"
        if atom.HasQuery() and atom.GetSmarts() not in ("*", f"[{atom.GetIsotope()}*]"):
            return f"query: atom {atom.GetIdx() + 1} is {atom.GetSmarts():.40}"
    for bond in mol.GetBonds():
        if bond.HasQuery() or bond.GetBondType().name not in _BONDS:
            return f"query: bond {bond.GetIdx() + 1} is of a type that SMILES does not have"
    for group in Chem.GetMolSubstanceGroups(mol):
        kind = group.GetProp("TYPE") if group.HasProp("TYPE") else "?"
        if kind not in _GROUPS:
            return f"substance group: of the type {kind:.20}, which CXSMILES does not have"
    return None
