"""What follows a SMILES after a blank: a name, or a CXSMILES tail, which may be a part of the molecule."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import NamedTuple

from rdkit import Chem, rdBase

from mrl.chem.molecule import RDKIT_ERRORS, describe, to_mol
from mrl.errors import MoleculeError
from mrl.messages import format_count, format_names

_TAIL = re.compile(r"\|[^|]*\|")
_COORDINATES_AND_LABELS = re.compile(r"\([^)]*\)|\$[^$]*\$")
_NAME = re.compile(r"(?:&|o(?=\d)|\^|[A-Za-z]+)?")
_PAIRED = ("3", "6")  # of radicals: a singlet, a doublet of three electrons
_ELECTRONS = {"1": 1, "2": 2, "4": 2, "5": 3, "7": 3}
_BETWEEN = re.compile(r",+(?=\D|$)")
_STEREO_GROUPS = frozenset({"&", "o", "r"})
_WRITTEN_AS_SMILES = frozenset({"a", "atomProp", "C", "c", "ctu", "f", "lp", "t", "w", "wD", "wU", "^"})
# What RDKit reads of a feature; of anything else it would leave out a part.
_GRAMMAR = re.compile(
    r"[&o]\d*:(?P<centres>\d+(?:,\d+)*)|(?:a|\^(?P<radical>[1-7])):(?P<atoms>\d+(?:,\d+)*)"
    r"|(?:C|w[UD]?):(?P<pairs>\d+\.\d+(?:,\d+\.\d+)*)|(?:c|t|ctu):(?P<bonds>\d+(?:,\d+)*)"
    r"|lp:\d+:\d+(?:,\d+:\d+)*|f:\d+(?:[.,]\d+)*|r(?::\d+(?:,\d+)*)?|atomProp:.*",
    re.ASCII,
)
_NO_STEREO = (Chem.BondStereo.STEREONONE, Chem.BondStereo.STEREOANY)
_WEDGES = re.compile(r"w[UD]:((?:\d+\.\d+,?)+)")
_STEREO_MARK = re.compile(r"[@/\\]")


class Stripped(NamedTuple):
    """A SMILES without what followed it.

    Parameters
    ----------
    smiles : str
        Unchanged where the tail said nothing about the molecule, else canonical, with what SMILES can express.
    stereo_groups : str
        Canonical CXSMILES of the molecule if its stereo is relative or racemic, else ``""``.

    Examples
    --------
    >>> strip_tail("CCO ethanol").smiles
    'CCO'
    """

    smiles: str
    stereo_groups: str


def strip_tail(text: str) -> Stripped:
    """Separate a SMILES from what follows it, without losing a part of the molecule.

    A name is removed. Of a CXSMILES tail, coordinates, labels of atoms and properties are removed; radicals, dative
    bonds and stereo of double bonds are moved into the SMILES; stereo groups are returned apart.

    Parameters
    ----------
    text : str
        A SMILES, with blanks around it or text after it.

    Returns
    -------
    smiles : str
        Without blanks. If it is not a molecule it is returned as it is.
    stereo_groups : str
        ``""``, or if the stereo is relative (``|o1:1|``, ``|r|``) or racemic (``|&1:1|``), which SMILES cannot
        express: the canonical CXSMILES, equal for equal mixtures.

    Raises
    ------
    MoleculeError
        The tail says something else that SMILES cannot express, such as a polymer, a variable attachment or an R-group
        label; a ``ValueError``. Its `reason` begins with ``tail:``.

    Examples
    --------
    >>> strip_tail("CCO ethanol"), strip_tail("C[CH2] |^1:1|")
    (Stripped(smiles='CCO', stereo_groups=''), Stripped(smiles='C[CH2]', stereo_groups=''))
    >>> strip_tail("C[C@@H](N)O |&3:1|")
    Stripped(smiles='C[C@@H](N)O', stereo_groups='C[C@H](N)O |&1:1|')
    """
    smiles, *rest = str.__str__(text).split(None, 1) or [""]
    if not rest or not rest[0].startswith("|"):
        return Stripped(smiles, "")
    try:
        drawn = to_mol(smiles)
    except MoleculeError:
        return Stripped(smiles, "")
    found = _TAIL.match(rest[0])
    if found is None:
        raise _cannot(text, rest[0].rstrip(), "begins like a CXSMILES tail, but has no second '|'")
    tail = found[0]
    features = [part for part in _BETWEEN.split(_COORDINATES_AND_LABELS.sub("", tail)[1:-1]) if part]
    names = {_NAME.match(part)[0] for part in features}  # type: ignore[index]  # at least ""
    if other := sorted(names - _STEREO_GROUPS - _WRITTEN_AS_SMILES - {""}):
        raise _cannot(text, tail, f"has {format_names(other)}, which SMILES cannot express")
    if reason := _misread(features, smiles):
        raise _cannot(text, tail, reason)
    params = Chem.SmilesParserParams()
    params.strictCXSMILES = True  # type: ignore[assignment]
    params.parseName = False  # type: ignore[assignment]
    mol = None
    with rdBase.BlockLogs(), suppress(*RDKIT_ERRORS):  # a lone surrogate is a ValueError
        mol = Chem.MolFromSmiles(f"{smiles} {tail}", params)
    if mol is None:
        raise _cannot(text, tail, "cannot be read by RDKit")
    if reason := _other_radical(features, f"{smiles} {tail}", params):
        raise _cannot(text, tail, reason)
    if any(atom.GetAtomicNum() == 0 and atom.HasProp("atomLabel") for atom in mol.GetAtoms()):
        raise _cannot(text, tail, "labels a wildcard atom, which SMILES can only number, such as [*:1]")
    marked = [bond for bond in drawn.GetBonds() if bond.GetStereo() not in _NO_STEREO]
    if any(mol.GetBondWithIdx(bond.GetIdx()).GetStereo() != bond.GetStereo() for bond in marked):
        raise _cannot(text, tail, "contradicts the double bonds of the SMILES")
    centres = {atom.GetIdx() for atom in mol.GetAtoms() if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED}
    wedged = {int(bond.partition(".")[0]) for bonds in _WEDGES.findall(tail) for bond in bonds.strip(",").split(",")}
    if not wedged <= centres:
        raise _cannot(text, tail, "has wedged bonds that are not those of a stereo centre")
    whole = str(Chem.MolToSmiles(mol))
    return Stripped(
        smiles if whole == Chem.MolToSmiles(drawn) else whole, _stereo_groups(mol, whole, relative="r" in names)
    )


def _misread(features: list[str], smiles: str) -> str | None:
    """Why RDKit would pass over a part of a tail in silence; None if it would not."""
    written = Chem.MolFromSmiles(smiles, sanitize=False)  # with the atoms of the text, hydrogen atoms too
    n_atoms, n_bonds = written.GetNumAtoms(), written.GetNumBonds()
    for part in features:
        found = _GRAMMAR.fullmatch(part)
        if found is None:
            return f"cannot be read: {describe(part)} is not a feature of CXSMILES"
        pairs = [pair.split(".") for pair in (found["pairs"] or "").split(",") if pair]
        centres = [int(atom) for atom in (found["centres"] or "").split(",") if atom]
        atoms = [*centres, *(int(atom) for atom in (found["atoms"] or "").split(",") if atom)]
        atoms += [int(atom) for atom, _ in pairs]
        bonds = [int(bond) for bond in (found["bonds"] or "").split(",") if bond] + [int(bond) for _, bond in pairs]
        for number, n, noun in [*((one, n_atoms, "atom") for one in atoms), *((one, n_bonds, "bond") for one in bonds)]:
            if number >= n:
                return f"names {noun} {number}, and the SMILES has {format_count(n, noun)}, numbered from 0"
        if found["radical"] in _PAIRED:
            return f"has {describe(part)}, with paired electrons, which SMILES does not distinguish"
        for number in centres:
            if written.GetAtomWithIdx(number).GetDegree() < 3:
                return f"has atom {number} in a stereo group, which has fewer than three neighbours; atoms count from 0"
    return None


def _other_radical(features: list[str], text: str, params: Chem.SmilesParserParams) -> str | None:
    """Why RDKit would give an atom other unpaired electrons than a tail says; None if it would not."""
    radicals = [found for found in map(_GRAMMAR.fullmatch, features) if found is not None and found["radical"]]
    if not radicals:
        return None
    params.removeHs = False  # type: ignore[assignment]  # tails count the atoms of the text
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(text, params)
    for found in radicals:
        for number in map(int, found["atoms"].split(",")):
            electrons = mol.GetAtomWithIdx(number).GetNumRadicalElectrons()
            if electrons != _ELECTRONS[found["radical"]]:
                there = format_count(electrons, "unpaired electron")
                return f"has {describe(found[0])}, but the SMILES leaves atom {number} {there}; atoms count from 0"
    return None


def _stereo_groups(mol: Chem.Mol, smiles: str, relative: bool) -> str:
    """Canonical CXSMILES of a molecule with its relative and racemic stereo groups, ``""`` if it has none."""
    text = str(Chem.MolToCXSmiles(mol, Chem.SmilesWriteParams(), int(Chem.CXSmilesFields.CX_ENHANCEDSTEREO)))
    drawn, _, tail = text.partition(" ")
    groups = [group for group in re.split(r",(?=\D)", tail.strip("|")) if group and not group.startswith("a:")]
    if relative and _STEREO_MARK.search(smiles):
        groups.append("r")
    return f"{drawn} |{','.join(groups)}|" if groups else ""


def _cannot(text: str, tail: str, what: str) -> MoleculeError:
    reason = f"tail: {describe(tail)} {what}"
    return MoleculeError(f"{describe(text)}: {reason}", text=text, reason=reason, row=None)
