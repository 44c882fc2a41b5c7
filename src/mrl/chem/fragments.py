"""Molecules cut into R-groups, linkers and scaffolds with numbered attachment points, and joined again.

An attachment point is an atom ``[isotope*:number]``. The two ends of cut 3 are ``[1*:3]`` and ``[2*:3]``: the number
is that of the cut, the isotope is 1 for the outer end and 2 for the inner one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

from rdkit import Chem, rdBase

from mrl.chem.columns import map_molecules
from mrl.chem.molecule import (
    RDKIT_ERRORS,
    Molecule,
    canon_smile,
    describe,
    function_of_molecule,
    one_line,
    to_mol,
)
from mrl.errors import MoleculeError
from mrl.ragged import as_list

_TETRAHEDRAL = {
    Chem.ChiralType.CHI_TETRAHEDRAL_CW: Chem.ChiralType.CHI_TETRAHEDRAL_CCW,
    Chem.ChiralType.CHI_TETRAHEDRAL_CCW: Chem.ChiralType.CHI_TETRAHEDRAL_CW,
}
_SAME_SIDE = {
    Chem.BondStereo.STEREOZ: Chem.BondStereo.STEREOCIS,
    Chem.BondStereo.STEREOCIS: Chem.BondStereo.STEREOCIS,
    Chem.BondStereo.STEREOE: Chem.BondStereo.STEREOTRANS,
    Chem.BondStereo.STEREOTRANS: Chem.BondStereo.STEREOTRANS,
}
_ORDERS = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)  # others have a direction, or a ring


@dataclass(frozen=True)
class Fragments:
    """The fragments of a molecule, as canonical SMILES: iterate over all of them, or ``str()`` for one text with dots.

    Attributes
    ----------
    scaffolds : tuple of str
        Fragments with a ring, or the molecule if it was not cut.
    linkers : tuple of str
        Fragments without a ring, with two or more attachment points.
    rgroups : tuple of str
        Fragments without a ring, with one attachment point.

    Examples
    --------
    >>> fragments = fragment("Cc1ccccc1")
    >>> list(fragments), str(fragments), len(fragments)
    (['c1ccc([2*:1])cc1', 'C[1*:1]'], 'c1ccc([2*:1])cc1.C[1*:1]', 2)
    """

    scaffolds: tuple[str, ...]
    linkers: tuple[str, ...]
    rgroups: tuple[str, ...]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scaffolds + self.linkers + self.rgroups)

    def __len__(self) -> int:
        return len(self.scaffolds) + len(self.linkers) + len(self.rgroups)

    def __str__(self) -> str:
        return ".".join(self)


def fragment(x: Molecule, method: str = "rings", *, max_cuts: int | None = None) -> Fragments:
    """Cut a molecule at acyclic single bonds into scaffolds, linkers and R-groups.

    Cuts are numbered from 1 (continuing the numbers that the molecule already has) along the canonical SMILES, so that
    every notation of a molecule gives the same fragments. Of the two ends the one at the scaffold has isotope 2, the
    one at the R-group 1; a linker counts as R-group next to a scaffold and as scaffold next to an R-group. Between
    equals, the first in the canonical SMILES has isotope 1. `fuse` restores the molecule.

    Parameters
    ----------
    x : str or Mol
        Its own attachment points stay unchanged; of a number that it has twice, `fuse` joins both ends.
    method : str
        Where to cut: ``"rings"``, all bonds around ring systems; ``"scaffold"``, the side chains of the Bemis-Murcko
        scaffold (see `murcko_scaffold`); ``"brics"``, the single bonds among the BRICS bonds (Degen et al. 2008,
        doi:10.1002/cmdc.200800178); ``"single"``, everywhere.
    max_cuts : int, optional
        The most cuts, the first ones in the canonical SMILES; `MAPPING_TOKENS` has tokens for 5.

    Returns
    -------
    Fragments

    Raises
    ------
    MoleculeError
        `x` is not a molecule (see `to_mol`), or several molecules in one text.
    ValueError
        An unknown method, or `max_cuts` is negative.

    Examples
    --------
    >>> fragment("CC(=O)Oc1ccccc1C(=O)O")
    Fragments(scaffolds=('c1ccc([2*:2])c([2*:1])c1',), linkers=(), rgroups=('CC(=O)O[1*:1]', 'O=C(O)[1*:2]'))
    >>> fragment("c1ccccc1CN1CC1", max_cuts=2).linkers
    ('C([1*:1])[1*:2]',)
    >>> print(fragment("CCO", "single"))
    C([2*:1])[2*:2].C[1*:1].O[1*:2]
    >>> fuse(fragment("C[C@H](N)C(=O)O", "single"))
    'C[C@H](N)C(=O)O'
    """
    if method not in _METHODS:
        raise ValueError(f"unknown method={method!r}; choose one of {', '.join(map(repr, _METHODS))}")
    if max_cuts is not None and max_cuts < 0:
        raise ValueError(f"max_cuts={max_cuts}: expected 0 or more, or None for all")
    smiles = canon_smile(x)
    mol = to_mol(smiles)
    _require_one(mol, smiles, "fragment them one by one, smiles.split('.')")
    cuts = [bond.GetIdx() for bond in mol.GetBonds() if _may_be_cut(bond)]
    cuts = sorted(_METHODS[method](mol).intersection(cuts))[:max_cuts]
    if not cuts:
        return Fragments((smiles,), (), ())
    return _cut(mol, cuts)


def fuse(fragments: str | Iterable[Molecule], *, partial: bool = False) -> str:
    """Join fragments at the attachment points that have the same map number.

    The two atoms next to the points are bonded and the points removed; isotopes are ignored. The sides of double bonds
    and tetrahedral centres are kept as they are in the fragments (RDKit's ``molzip`` drops or inverts some of them).

    Parameters
    ----------
    fragments : iterable of str or Mol, or str
        The fragments in any order; one text may contain several, with dots between them.
    partial : bool
        Keep points whose number occurs once; otherwise they are an error.

    Returns
    -------
    str
        Canonical SMILES of one molecule.

    Raises
    ------
    MoleculeError
        A fragment is not a molecule (`row` is its place); a map number occurs once, or more than twice; the ends of a
        number cannot be bonded (different bond types, atoms that are bonded already, a point without a neighbour); the
        result is not a molecule, or several.

    Examples
    --------
    >>> fuse(["[1*:1]C", "[2*:1]c1ccc([2*:2])cc1", "[1*:2]O"])
    'Cc1ccc(O)cc1'
    >>> fuse("[1*:1]C.[2*:1]c1ccc([2*:2])cc1", partial=True)
    'Cc1ccc([2*:2])cc1'
    >>> fuse(["[1*:1]C", "[2*:2]O"])
    Traceback (most recent call last):
    ...
    mrl.errors.MoleculeError: '[1*:1]C.[2*:2]O' cannot be fused; map numbers: 1, 2 occur once; add the missing \
fragments, or fuse with partial=True
    """
    texts = [fragments] if isinstance(fragments, str) else as_list(fragments, "fragments")
    pieces = list(map_molecules(to_mol, texts, "fragments"))
    whole = ".".join(x if isinstance(x, str) else canon_smile(x) for x in texts)
    if not pieces:
        raise MoleculeError("no fragments to fuse: expected one or more", text="", reason="empty: no fragments")
    mol = Chem.RWMol(reduce(Chem.CombineMols, pieces))
    points = _points(mol, whole)
    joints = [ends for ends in points.values() if len(ends) == 2]
    if crowded := [number for number, ends in points.items() if len(ends) > 2]:
        raise _cannot(whole, f"map numbers: {_occur(crowded)} more than twice; renumber them, two ends for each bond")
    if not partial and (single := [number for number, ends in points.items() if len(ends) == 1]):
        remedy = "add the missing fragments, or fuse with partial=True"
        raise _cannot(whole, f"map numbers: {_occur(single)} once; {remedy}")
    _join(mol, joints, whole)
    try:
        with rdBase.BlockLogs():
            Chem.SanitizeMol(mol)
            Chem.SetDoubleBondNeighborDirections(mol)
            fused = to_mol(str(Chem.MolToSmiles(mol)))
    except RDKIT_ERRORS as error:
        raise _cannot(whole, f"sanitization: {one_line(error)}") from None
    _require_one(fused, whole, "every fragment needs a point whose number another fragment has")
    return canon_smile(fused)


@function_of_molecule("tuple of str\n    Such as ``[2*:1]``.")
def attachment_points(x: Molecule) -> tuple[str, ...]:
    """Return the attachment points of a molecule as their tokens, by map number and then by isotope.

    >>> attachment_points("[1*:2]c1ccc([2*:1])cc1*")
    ('[2*:1]', '[1*:2]')
    """
    found = sorted((atom.GetAtomMapNum(), atom.GetIsotope()) for atom in to_mol(x).GetAtoms() if _is_point(atom))
    return tuple(f"[{isotope or ''}*:{number}]" for number, isotope in found)


def _is_point(atom: Chem.Atom) -> bool:
    """An atom ``*`` with a map number; without one it is a wildcard, and other atoms may have map numbers too."""
    return bool(atom.GetAtomicNum() == 0 and atom.GetAtomMapNum())


def _may_be_cut(bond: Chem.Bond) -> bool:
    """Acyclic single bonds between atoms that are neither hydrogen nor wildcard, and whose stereo can be kept."""
    return (
        bond.GetBondType() == Chem.BondType.SINGLE
        and not bond.IsInRing()
        and all(
            atom.GetAtomicNum() > 1 and atom.GetChiralTag() in {Chem.ChiralType.CHI_UNSPECIFIED, *_TETRAHEDRAL}
            for atom in (bond.GetBeginAtom(), bond.GetEndAtom())
        )
    )


def _around_rings(mol: Chem.Mol) -> set[int]:
    return {b.GetIdx() for b in mol.GetBonds() if b.GetBeginAtom().IsInRing() or b.GetEndAtom().IsInRing()}


def _around_scaffold(mol: Chem.Mol) -> set[int]:
    marked = Chem.Mol(mol)
    for atom in marked.GetAtoms():
        atom.SetIntProp("_index", atom.GetIdx())
    inside = {atom.GetIntProp("_index") for atom in Chem.MurckoDecompose(marked).GetAtoms()}
    return {b.GetIdx() for b in mol.GetBonds() if (b.GetBeginAtomIdx() in inside) != (b.GetEndAtomIdx() in inside)}


def brics_bonds(mol: Chem.Mol) -> set[int]:
    """Return the numbers of the BRICS bonds of a molecule."""
    with rdBase.BlockLogs():
        cut = Chem.FragmentOnBRICSBonds(mol)  # its first atoms are those of the molecule
    return {
        b.GetIdx() for b in mol.GetBonds() if cut.GetBondBetweenAtoms(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) is None
    }


def _all_bonds(mol: Chem.Mol) -> set[int]:
    return set(range(mol.GetNumBonds()))


_METHODS: dict[str, Callable[[Chem.Mol], set[int]]] = {
    "rings": _around_rings,
    "scaffold": _around_scaffold,
    "brics": brics_bonds,
    "single": _all_bonds,
}


def _cut(mol: Chem.Mol, cuts: list[int]) -> Fragments:
    """Cut bonds in their order, and number the ends."""
    first = 1 + max((atom.GetAtomMapNum() for atom in mol.GetAtoms() if _is_point(atom)), default=0)
    with rdBase.BlockLogs():
        cut = Chem.FragmentOnBonds(mol, cuts, dummyLabels=[(0, 0)] * len(cuts))
    new = range(mol.GetNumAtoms(), cut.GetNumAtoms())  # two in sequence for each cut
    for place, index in enumerate(new):
        cut.GetAtomWithIdx(index).SetAtomMapNum(first + place // 2)
    pieces = Chem.GetMolFrags(cut)
    kind_of = [0] * cut.GetNumAtoms()
    for piece in pieces:
        kind = _kind(mol, [cut.GetAtomWithIdx(index) for index in piece])
        for index in piece:
            kind_of[index] = kind
    for a in new[::2]:
        ends = sorted((kind_of[i], cut.GetAtomWithIdx(i).GetNeighbors()[0].GetIdx(), i) for i in (a, a + 1))
        for isotope, (_, _, index) in enumerate(ends, 1):
            cut.GetAtomWithIdx(index).SetIsotope(isotope)
    texts: tuple[list[str], list[str], list[str]] = ([], [], [])
    for piece, fragment_mol in zip(pieces, Chem.GetMolFrags(cut, asMols=True, sanitizeFrags=False), strict=True):
        texts[kind_of[piece[0]]].append(str(Chem.MolToSmiles(fragment_mol)))
    rgroups, linkers, scaffolds = map(tuple, texts)
    return Fragments(scaffolds, linkers, rgroups)


def _kind(mol: Chem.Mol, piece: list[Chem.Atom]) -> int:
    """0 for an R-group, 1 for a linker, 2 for a scaffold."""
    if any(a.GetIdx() < mol.GetNumAtoms() and mol.GetAtomWithIdx(a.GetIdx()).IsInRing() for a in piece):
        return 2
    return int(sum(map(_is_point, piece)) > 1)


def _points(mol: Chem.Mol, text: str) -> dict[int, list[int]]:
    """Map number -> its attachment points, each of which has one neighbour that is not an attachment point."""
    points: dict[int, list[int]] = {}
    for atom in mol.GetAtoms():
        if _is_point(atom):
            points.setdefault(atom.GetAtomMapNum(), []).append(atom.GetIdx())
            neighbours = atom.GetNeighbors()
            if len(neighbours) != 1 or _is_point(neighbours[0]):
                reason = f"map numbers: the point {atom.GetSmarts()} has {len(neighbours)} neighbours"
                if len(neighbours) == 1:
                    reason = f"map numbers: the point {atom.GetSmarts()} is bonded to another point"
                raise _cannot(text, f"{reason}; expected one bond, to an atom of the fragment")
    return dict(sorted(points.items()))


def _join(mol: Chem.RWMol, joints: list[list[int]], text: str) -> None:
    """Bond the neighbours of both ends of every joint, keep stereo as it was, and remove the ends."""
    instead: dict[int, int] = {}  # end -> the atom that takes its place next to its neighbour
    bonds: list[tuple[int, int, Chem.BondType]] = []
    for joint in joints:
        (one,), (other,) = (mol.GetAtomWithIdx(end).GetBonds() for end in joint)
        a, b = one.GetOtherAtomIdx(joint[0]), other.GetOtherAtomIdx(joint[1])
        number = mol.GetAtomWithIdx(joint[0]).GetAtomMapNum()
        if one.GetBondType() != other.GetBondType() or one.GetBondType() not in _ORDERS:
            kinds = " and ".join(str(bond.GetBondType()).lower() for bond in (one, other))
            expected = "expected two single, two double or two triple ones"
            raise _cannot(text, f"map numbers: the ends of {number} are {kinds} bonds; {expected}")
        if a == b or mol.GetBondBetweenAtoms(a, b) is not None or {a, b} in ({c, d} for c, d, _ in bonds):
            raise _cannot(text, f"map numbers: the ends of {number} are on one atom or on two that are bonded already")
        instead |= {joint[0]: b, joint[1]: a}
        bonds.append((a, b, one.GetBondType()))
    _replace_neighbours(mol, bonds, instead, text)
    mol.BeginBatchEdit()
    for end in instead:
        mol.RemoveAtom(end)
    mol.CommitBatchEdit()


def _replace_neighbours(
    mol: Chem.RWMol, bonds: list[tuple[int, int, Chem.BondType]], instead: dict[int, int], text: str
) -> None:
    """Make the bonds and remove those to the ends; stereo that refers to an end then refers to its replacement."""
    touched = [mol.GetAtomWithIdx(atom) for atom in sorted(set(instead.values()))]
    centres = []  # (atom, its neighbours in the order that its chiral tag refers to)
    for atom in touched:
        if atom.GetChiralTag() in _TETRAHEDRAL:
            centres.append((atom, [instead.get(other, other) for other in _neighbours(atom)]))
        elif atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED:
            raise _cannot(text, f"stereo: {atom.GetSmarts()} is not a tetrahedral centre, so its stereo would be lost")
    sides = [
        (bond, _SAME_SIDE[bond.GetStereo()], [instead.get(atom, atom) for atom in bond.GetStereoAtoms()])
        for bond in mol.GetBonds()
        if bond.GetStereo() in _SAME_SIDE
    ]
    for a, b, kind in bonds:
        mol.AddBond(a, b, kind)
    for end in instead:
        mol.RemoveBond(end, mol.GetAtomWithIdx(end).GetNeighbors()[0].GetIdx())
    for atom, order in centres:
        if _odd([order.index(other) for other in _neighbours(atom)]):
            atom.SetChiralTag(_TETRAHEDRAL[atom.GetChiralTag()])
    for bond, stereo, atoms in sides:
        bond.SetStereoAtoms(*atoms)
        bond.SetStereo(stereo)
    for bond in mol.GetBonds():
        bond.SetBondDir(Chem.BondDir.NONE)  # those of the fragments


def _neighbours(atom: Chem.Atom) -> list[int]:
    """In the order of the bonds, which is what a chiral tag refers to."""
    return [bond.GetOtherAtomIdx(atom.GetIdx()) for bond in atom.GetBonds()]


def _odd(permutation: list[int]) -> bool:
    pairs = ((a, b) for place, a in enumerate(permutation) for b in permutation[place + 1 :])
    return sum(a > b for a, b in pairs) % 2 == 1


def _require_one(mol: Chem.Mol, text: str, remedy: str) -> None:
    if (count := len(Chem.GetMolFrags(mol))) > 1:
        reason = f"several molecules: {count} in one text"
        raise MoleculeError(f"{describe(text)}: {reason}; {remedy}", text=text, reason=reason, row=None)


def _cannot(text: str, reason: str) -> MoleculeError:
    return MoleculeError(f"{describe(text)} cannot be fused; {reason}", text=text, reason=reason, row=None)


def _occur(numbers: list[int]) -> str:
    return f"{', '.join(map(str, numbers))} {'occurs' if len(numbers) == 1 else 'occur'}"
