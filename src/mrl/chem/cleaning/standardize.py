"""Steps that change a molecule, or how it is written, by RDKit's MolStandardize.

Each leaves the text unchanged where it leaves the molecule unchanged, and keeps, and counts, a molecule that it cannot
process. `DisconnectMetals`, `RemoveSalts`, `LargestFragment`, `Normalize`, `Uncharge`, `Reionize` in this order are
the usual pipeline (Hähnke, Kim and Bolton 2018, doi:10.1186/s13321-018-0293-8, describe a similar one).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

from rdkit import Chem, rdBase

from mrl.chem.canonical import without
from mrl.chem.cleaning.edit import Edit, tool
from mrl.chem.cleaning.steps import Row, Step
from mrl.chem.notation.tails import strip_tail
from mrl.errors import MoleculeError

_STEREO_MARK = re.compile(r"[@/\\]")
_S_P_AS_SB = re.compile(r"[SPAspa]|\[\d*#")  # or an atom by its number; finds more than these elements
_CHARGE = re.compile(r"\[[^]]*[+-]")
_MORE_NORMAL_FORMS = """\
Azide to N=N+=N-\t[*:1][N-:2][N+:3]#[N+0:4]>>[*:1][N+0:2]=[N+:3]=[N-:4]
Diazo to C=N+=N-\t[C-:1][N+:2]#[N+0:3]>>[C+0:1]=[N+:2]=[N-:3]
"""


@dataclass(frozen=True)
class StripTail(Step):
    """Remove blanks around the SMILES and what follows after a blank: a name, or a CXSMILES tail.

    What a tail says about the molecule moves into the SMILES if SMILES can express it (radicals, dative bonds, double
    bonds); coordinates and labels are removed. Otherwise the row is rejected: two molecules that differ only in their
    tails must not become one. See `strip_tail`. Without this step every row with a tail is rejected.

    Parameters
    ----------
    stereo_groups : "reject" or "drop"
        What happens to a racemate or a molecule of relative stereo (``|&1:1|``, ``|o1:1|``). ``"drop"`` keeps the
        isomer that is drawn, as a different molecule than the pure isomer when duplicates are looked for, until
        `DropStereo` makes them equal.

    Raises
    ------
    ValueError
        Another value of `stereo_groups`.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CCO |c:1|", "C ", "N ammonia"], [StripTail()]).smiles.tolist()
    ['CCO', 'C', 'N']
    >>> clean(["C[C@H](N)O |&1:1|"], [StripTail()]).rejects[0].reason.partition(";")[0]
    "stereo groups: SMILES cannot express '|&1:1|'"
    """

    stereo_groups: Literal["reject", "drop"] = "reject"

    needs_molecule: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.stereo_groups not in ("reject", "drop"):
            raise ValueError(f"stereo_groups={self.stereo_groups!r}: expected 'reject' or 'drop'")

    def __call__(self, row: Row) -> str | None:
        if not any(character.isspace() for character in row.text):
            return None
        try:
            smiles, groups = strip_tail(row.text)
        except MoleculeError as error:
            return error.reason
        if groups and self.stereo_groups == "reject":
            return (
                f"stereo groups: SMILES cannot express {groups.partition(' ')[2]!r}; to keep the isomer that is drawn, "
                "use StripTail(stereo_groups='drop')"
            )
        if smiles:  # a text of blanks stays, for the reason
            row.text, row.stereo_groups = smiles, groups
        return None


@dataclass(frozen=True)
class Normalize(Edit):
    """Write functional groups one way, by RDKit's table of transformations.

    Sulfoxides become ``[S+][O-]``, N-oxides ``[n+][O-]``, azides ``N=[N+]=[N-]``, diazo compounds ``C=[N+]=[N-]``; two
    charges with one or three atoms between them are combined where a neutral form exists. Parsing a SMILES does a part
    of it, such as nitro groups ``N(=O)=O``; that is not a change of the molecule.

    Parameters
    ----------
    rdkit_only : bool
        Leave out what is not in RDKit's table: azides and diazo compounds written as ``[N-][N+]#N``, ``[C-][N+]#N``.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CS(C)=O", "C[N+](C)=CC=C[O-]", "C[N-][N+]#N"], [Normalize()]).smiles.tolist()
    ['C[S+](C)[O-]', 'CN(C)C=CC=O', 'CN=[N+]=[N-]']
    """

    rdkit_only: bool = False

    def _may_change(self, row: Row) -> bool:
        # All transformations of RDKit's table need a charge, but those of an atom of S, P, As or Sb with a double bond
        # to oxygen, and some of nitrogen with more than three bonds, which has charges once it is parsed.
        return _S_P_AS_SB.search(row.text) is not None or _has_charges(row.mol)

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        if not _has_charges(mol):
            tool("Normalizer").normalizeInPlace(mol)  # twice as fast
            return mol
        # normalizeInPlace leaves mesoionic molecules such as sydnones, which are charged, in an invalid state: 9 of
        # 15,762 charged molecules. On the others, and on 85,475 neutral ones, it equals `normalize`, as all other calls
        # in place equal their copying ones.
        normal: Chem.Mol = tool("Normalizer").normalize(mol)
        if not self.rdkit_only and normal.HasSubstructMatch(_charged_nitrogens()):
            normal = _more_normal_forms().normalize(normal)
        return normal


@dataclass(frozen=True)
class Uncharge(Edit):
    """Neutralise charges by adding or removing hydrogens, until the molecule as a whole is neutral.

    A charge that no hydrogen can neutralise, as in a quaternary ammonium, stays, and the opposite one that balances it.
    Ions whose neutral form would not be a molecule stay unchanged.

    Parameters
    ----------
    only_unbalanced : bool
        Leave molecules unchanged whose SMILES has as many plus as minus signs, such as zwitterions.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["[NH3+]CC(=O)[O-]", "C[N+](C)(C)C", "F[P-](F)(F)(F)(F)F"], [Uncharge()]).smiles.tolist()
    ['NCC(=O)O', 'C[N+](C)(C)C', 'F[P-](F)(F)(F)(F)F']
    """

    only_unbalanced: bool = False

    concerns = _CHARGE

    def _may_change(self, row: Row) -> bool:
        is_left = self.only_unbalanced and row.text.count("+") == row.text.count("-")
        return not is_left and super()._may_change(row)

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        tool("Uncharger").unchargeInPlace(mol)
        return mol


@dataclass(frozen=True)
class Reionize(Edit):
    """Where only some acids are ionised, ionise the strongest ones; charge isolated metal and halogen atoms.

    Metal atoms without a charge get theirs, and as many acids lose a proton, the weakest ones too where no others are
    left: ``CCO.[Mg]`` becomes ``[CH2-]C[O-].[Mg+2]``.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["O=C(O)CS(=O)(=O)O", "O=C([O-])CS(=O)(=O)O"], [Reionize()]).smiles.tolist()
    ['O=C(O)CS(=O)(=O)O', 'O=C(O)CS(=O)(=O)[O-]']
    """

    def _may_change(self, row: Row) -> bool:
        return "[" in row.text or _has_charges(row.mol)  # nitro groups are written without, and isolated atoms with [

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        tool("Reionizer").reionizeInPlace(mol)
        return mol


@dataclass(frozen=True)
class CanonicalTautomer(Edit):
    """Change to RDKit's canonical tautomer: one of those that it enumerates, not the most stable one.

    Some milliseconds per molecule. Stereo at the atoms and bonds involved is lost. A molecule with more than 1,000
    tautomers, or more than 1,000 transformations between them, stays unchanged, as a part of its tautomers would depend
    on how it is written.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["C=C(O)C", "CC(C)=O"], [CanonicalTautomer()]).smiles.tolist()
    ['CC(C)=O', 'CC(C)=O']
    """

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        tautomers = tool("TautomerEnumerator").Enumerate(mol)
        if tautomers.status.name != "Completed":
            raise RuntimeError(f"not all tautomers were enumerated ({tautomers.status.name})")
        tautomer: Chem.Mol = tool("TautomerEnumerator").PickCanonical(tautomers)
        return tautomer


@dataclass(frozen=True)
class DropStereo(Step):
    """Drop stereo at atoms and bonds.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["C[C@H](N)C(=O)O", "F/C=C/F"], [DropStereo()]).smiles.tolist()
    ['CC(N)C(=O)O', 'FC=CF']
    """

    def __call__(self, row: Row) -> str | None:
        if not _STEREO_MARK.search(row.text) or not _has_stereo(row.mol):
            return None
        row.stereo_groups = ""
        flat = Chem.Mol(row.mol)
        Chem.RemoveStereochemistry(flat)
        # An explicit hydrogen may have been kept only for the stereo: then parse again.
        row.replace(flat, as_parsed="[H]" not in row.text)
        return None


@dataclass(frozen=True)
class DropIsotopes(Edit):
    """Drop isotope numbers, and stereo that depends on them. The number of a wildcard, ``[1*]``, is not an isotope.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["[2H]OC([2H])C", "[13CH4]"], [DropIsotopes()]).smiles.tolist()
    ['CCO', 'C']
    """

    concerns = re.compile(r"\[\d")

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        return without(mol, isotopes=True)


@dataclass(frozen=True)
class DropAtomMaps(Edit):
    """Drop atom map numbers.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["[CH3:1][OH:2]", "*[CH3:12]"], [DropAtomMaps()]).smiles.tolist()
    ['CO', '*C']
    """

    concerns = re.compile(r":\d+\]")

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        for atom in mol.GetAtoms():
            atom.SetAtomMapNum(0)
        return mol


@dataclass(frozen=True)
class Canonical(Step):
    """Write the canonical isomeric SMILES; without this step a text stays unchanged until its molecule changes.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["OCC", "C1=CC=CC=C1"], [Canonical()]).smiles.tolist()
    ['CCO', 'c1ccccc1']
    """

    def __call__(self, row: Row) -> str | None:
        row.text = row.canonical
        return None


def _has_stereo(mol: Chem.Mol) -> bool:
    """Whether a molecule that was just parsed has any known stereo."""
    unknown = (Chem.BondStereo.STEREONONE, Chem.BondStereo.STEREOANY)
    return any(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in mol.GetAtoms()) or any(
        bond.GetStereo() not in unknown for bond in mol.GetBonds()
    )


@cache
def _more_normal_forms() -> Any:
    from rdkit.Chem.MolStandardize import rdMolStandardize

    with rdBase.BlockLogs():
        return rdMolStandardize.NormalizerFromData(_MORE_NORMAL_FORMS, rdMolStandardize.CleanupParameters())


def _has_charges(mol: Chem.Mol) -> bool:
    found: bool = mol.HasSubstructMatch(_charged_atom())
    return found


@cache
def _charged_atom() -> Chem.Mol:
    return Chem.MolFromSmarts("[!+0]")


@cache
def _charged_nitrogens() -> Chem.Mol:
    """What `_MORE_NORMAL_FORMS` apply to."""
    return Chem.MolFromSmarts("[N-,C-][N+]#N")
