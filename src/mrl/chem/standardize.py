"""Steps that change a molecule, or how it is written, by RDKit's MolStandardize.

Each leaves the text alone where it leaves the molecule alone. `LargestFragment`, `Normalize`, `Uncharge`, `Reionize` in
this order are the usual pipeline (Hähnke, Kim and Bolton 2018, doi:10.1186/s13321-018-0293-8, describe one like it).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from rdkit import Chem, rdBase

from mrl.chem.steps import Row, Step
from mrl.errors import MoleculeError

__all__ = [
    "Canonical",
    "CanonicalTautomer",
    "DropAtomMaps",
    "DropIsotopes",
    "DropStereo",
    "LargestFragment",
    "Normalize",
    "Reionize",
    "StripTail",
    "Uncharge",
]


_STEREO_MARK = re.compile(r"[@/\\]")


@dataclass(frozen=True)
class StripTail(Step):
    """Take away blanks around the SMILES and what follows behind a blank: a name, or a CXSMILES tail.

    A tail such as ``|^1:0|`` (radicals), ``|o1:2|`` (stereo groups) or ``|C:1.0|`` (dative bonds) is part of the
    molecule: look at the examples in the counts if your file has any. Without this step such rows are refused.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CCO |c:1|", "C ", "N ammonia"], [StripTail()]).smiles.tolist()
    ['CCO', 'C', 'N']
    """

    needs_molecule: ClassVar[bool] = False

    def __call__(self, row: Row) -> str | None:
        words = row.text.split(None, 1)
        if words and words[0] != row.text:
            row.text = words[0]
        return None


class _Edit(Step):
    """A step that edits a molecule."""

    concerns: ClassVar[re.Pattern[str] | None] = None
    """A text without it spells no molecule that the step would change; None: no text tells."""

    lenient: ClassVar[bool] = False
    """Whether a molecule stays as it is where the step would make of it what is none."""

    @abstractmethod
    def edited(self, mol: Chem.Mol) -> Chem.Mol:
        """A molecule as it should be: itself after an edit in place, or another one."""

    def __call__(self, row: Row) -> str | None:
        if self.concerns is not None and self.concerns.search(row.text) is None:
            return None
        mol = row.mol
        before = mol.ToBinary()
        try:
            with rdBase.BlockLogs():  # it also tells what it does
                edited = self.edited(mol)
                # Writing a SMILES to see that nothing happened would take three times as long.
                if edited.ToBinary() == before:
                    return None
            row.forget()
            row.become(edited)
        except MoleculeError as error:
            return None if self.lenient else f"result: not a molecule, {error.reason}"
        except (RuntimeError, ValueError) as error:
            row.forget()
            return f"RDKit: {' '.join(str(error).split()) or type(error).__name__}"
        return None


@dataclass(frozen=True)
class LargestFragment(_Edit):
    """Keep the largest organic fragment: no salts, no solvents. The largest one of all if none has a carbon.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CC(=O)[O-].[Na+]", "[Na+].[Cl-]"], [LargestFragment()]).smiles.tolist()
    ['CC(=O)[O-]', '[Cl-]']
    """

    concerns = re.compile(r"\.")

    def edited(self, mol: Chem.Mol) -> Chem.Mol:
        _tool("LargestFragmentChooser", True).chooseInPlace(mol)
        return mol


@dataclass(frozen=True)
class Normalize(_Edit):
    """Write functional groups one way: nitro groups, sulfoxides, azides, ... by RDKit's table of transformations.

    Reading a SMILES does a part of it, the nitro groups ``N(=O)=O`` for one; that is no change of the molecule.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CS(C)=O", "C[N+](C)=CC=C[O-]"], [Normalize()]).smiles.tolist()
    ['C[S+](C)[O-]', 'CN(C)C=CC=O']
    """

    def edited(self, mol: Chem.Mol) -> Chem.Mol:
        _tool("Normalizer").normalizeInPlace(mol)
        return mol


@dataclass(frozen=True)
class Uncharge(_Edit):
    """Take away charges by adding or removing hydrogens, as far as the molecule as a whole becomes neutral.

    Ions of which that makes no molecule stay as they are.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["[NH3+]CC(=O)[O-]", "C[N+](C)(C)C", "F[P-](F)(F)(F)(F)F"], [Uncharge()]).smiles.tolist()
    ['NCC(=O)O', 'C[N+](C)(C)C', 'F[P-](F)(F)(F)(F)F']
    """

    concerns = re.compile(r"\[[^]]*[+-]")
    lenient = True

    def edited(self, mol: Chem.Mol) -> Chem.Mol:
        _tool("Uncharger").unchargeInPlace(mol)
        return mol


@dataclass(frozen=True)
class Reionize(_Edit):
    """Where only some acids are ionised, ionise the strongest ones; charge lone metal and halogen atoms.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["O=C(O)CS(=O)(=O)O", "O=C([O-])CS(=O)(=O)O"], [Reionize()]).smiles.tolist()
    ['O=C(O)CS(=O)(=O)O', 'O=C(O)CS(=O)(=O)[O-]']
    """

    def edited(self, mol: Chem.Mol) -> Chem.Mol:
        _tool("Reionizer").reionizeInPlace(mol)
        return mol


@dataclass(frozen=True)
class CanonicalTautomer(_Edit):
    """RDKit's canonical tautomer: one of all that it enumerates, not the most stable one.

    Some milliseconds per molecule. Stereo at the atoms and bonds that take part is lost.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["C=C(O)C", "CC(C)=O"], [CanonicalTautomer()]).smiles.tolist()
    ['CC(C)=O', 'CC(C)=O']
    """

    def edited(self, mol: Chem.Mol) -> Chem.Mol:
        return _tool("TautomerEnumerator").Canonicalize(mol)


@dataclass(frozen=True)
class DropStereo(Step):
    """Drop stereo at atoms and bonds; kept without this step.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["C[C@H](N)C(=O)O", "F/C=C/F"], [DropStereo()]).smiles.tolist()
    ['CC(N)C(=O)O', 'FC=CF']
    """

    def __call__(self, row: Row) -> str | None:
        if not _STEREO_MARK.search(row.text) or not _has_stereo(row.mol):
            return None
        flat = Chem.Mol(row.mol)
        Chem.RemoveStereochemistry(flat)
        if "[H]" in row.text:  # such an atom may have been kept for the stereo only
            row.become(flat)
        else:
            row.become_at_once(flat)
        return None


@dataclass(frozen=True)
class DropIsotopes(_Edit):
    """Drop isotope numbers, and stereo that rests on them; kept without this step.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["[2H]OC([2H])C", "[13CH4]"], [DropIsotopes()]).smiles.tolist()
    ['CCO', 'C']
    """

    concerns = re.compile(r"\[\d")

    def edited(self, mol: Chem.Mol) -> Chem.Mol:
        for atom in mol.GetAtoms():
            atom.SetIsotope(0)
        return mol


@dataclass(frozen=True)
class DropAtomMaps(_Edit):
    """Drop atom map numbers; kept without this step.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["[CH3:1][OH:2]", "*[CH3:12]"], [DropAtomMaps()]).smiles.tolist()
    ['CO', '*C']
    """

    concerns = re.compile(r":\d+\]")

    def edited(self, mol: Chem.Mol) -> Chem.Mol:
        for atom in mol.GetAtoms():
            atom.SetAtomMapNum(0)
        return mol


@dataclass(frozen=True)
class Canonical(Step):
    """Write the canonical isomeric SMILES; without this step a text stays as it is until its molecule changes.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["OCC", "C1=CC=CC=C1"], [Canonical()]).smiles.tolist()
    ['CCO', 'c1ccccc1']
    """

    def __call__(self, row: Row) -> str | None:
        row.text = row.form
        return None


def _has_stereo(mol: Chem.Mol) -> bool:
    """Whether a molecule as it was read has any stereo that is known."""
    unknown = (Chem.BondStereo.STEREONONE, Chem.BondStereo.STEREOANY)
    return any(atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for atom in mol.GetAtoms()) or any(
        bond.GetStereo() not in unknown for bond in mol.GetBonds()
    )


@cache
def _tool(name: str, *arguments: Any) -> Any:
    """An object of MolStandardize: made once per process, with RDKit's parameters; they do not pickle."""
    from rdkit.Chem.MolStandardize import rdMolStandardize  # for cost: 20 ms at first use, not at import

    with rdBase.BlockLogs():
        return getattr(rdMolStandardize, name)(*arguments)
