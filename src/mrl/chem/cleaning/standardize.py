"""Steps that change a molecule, or how it is written, by RDKit's MolStandardize.

Each leaves the text unchanged where it leaves the molecule unchanged. `LargestFragment`, `Normalize`, `Uncharge`,
`Reionize` in this order are the usual pipeline (Hähnke, Kim and Bolton 2018, doi:10.1186/s13321-018-0293-8, describe a
similar one).
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from rdkit import Chem, rdBase

from mrl.chem.cleaning.steps import Row, Step
from mrl.chem.molecule import RDKIT_ERRORS, one_line
from mrl.errors import MoleculeError

_STEREO_MARK = re.compile(r"[@/\\]")


@dataclass(frozen=True)
class StripTail(Step):
    """Remove blanks around the SMILES and what follows after a blank: a name, or a CXSMILES tail.

    A tail such as ``|^1:0|`` (radicals), ``|o1:2|`` (stereo groups) or ``|C:1.0|`` (dative bonds) is part of the
    molecule: look at the examples in the counts if your file has any. Without this step such rows are rejected.

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
    """A step that edits a molecule: a subclass says how, in `_edit`."""

    concerns: ClassVar[re.Pattern[str] | None] = None
    """The step changes no molecule whose text does not match; None: the text does not tell."""

    keep_if_invalid: ClassVar[bool] = False
    """Whether a molecule stays unchanged where the edited one would be invalid; otherwise the row is rejected."""

    @abstractmethod
    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        """Return the molecule after an edit in place, or another molecule."""

    def __call__(self, row: Row) -> str | None:
        if self.concerns is not None and self.concerns.search(row.text) is None:
            return None
        mol = row.mol
        before = mol.ToBinary()
        try:
            with rdBase.BlockLogs():  # MolStandardize logs what it does
                edited = self._edit(mol)
                # Writing a SMILES to see that nothing happened would take three times as long.
                if edited.ToBinary() == before:
                    return None
            row.drop_mol()
            row.replace(edited)
        except MoleculeError as error:
            return None if self.keep_if_invalid else f"result: not a molecule, {error.reason}"
        except RDKIT_ERRORS as error:
            row.drop_mol()
            return f"RDKit: {one_line(error)}"
        return None


@dataclass(frozen=True)
class LargestFragment(_Edit):
    """Keep the largest organic fragment, without salts and solvents; the largest of all if none has a carbon.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CC(=O)[O-].[Na+]", "[Na+].[Cl-]"], [LargestFragment()]).smiles.tolist()
    ['CC(=O)[O-]', '[Cl-]']
    """

    concerns = re.compile(r"\.")

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        _tool("LargestFragmentChooser", True).chooseInPlace(mol)
        return mol


@dataclass(frozen=True)
class Normalize(_Edit):
    """Write functional groups one way: nitro groups, sulfoxides, azides, ... by RDKit's table of transformations.

    Parsing a SMILES does a part of it, such as nitro groups ``N(=O)=O``; that is not a change of the molecule.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CS(C)=O", "C[N+](C)=CC=C[O-]"], [Normalize()]).smiles.tolist()
    ['C[S+](C)[O-]', 'CN(C)C=CC=O']
    """

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        _tool("Normalizer").normalizeInPlace(mol)
        return mol


@dataclass(frozen=True)
class Uncharge(_Edit):
    """Neutralise charges by adding or removing hydrogens, until the molecule as a whole is neutral.

    Ions whose neutral form would not be a molecule stay unchanged.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["[NH3+]CC(=O)[O-]", "C[N+](C)(C)C", "F[P-](F)(F)(F)(F)F"], [Uncharge()]).smiles.tolist()
    ['NCC(=O)O', 'C[N+](C)(C)C', 'F[P-](F)(F)(F)(F)F']
    """

    concerns = re.compile(r"\[[^]]*[+-]")
    keep_if_invalid = True

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        _tool("Uncharger").unchargeInPlace(mol)
        return mol


@dataclass(frozen=True)
class Reionize(_Edit):
    """Where only some acids are ionised, ionise the strongest ones; charge isolated metal and halogen atoms.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["O=C(O)CS(=O)(=O)O", "O=C([O-])CS(=O)(=O)O"], [Reionize()]).smiles.tolist()
    ['O=C(O)CS(=O)(=O)O', 'O=C(O)CS(=O)(=O)[O-]']
    """

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        _tool("Reionizer").reionizeInPlace(mol)
        return mol


@dataclass(frozen=True)
class CanonicalTautomer(_Edit):
    """Change to RDKit's canonical tautomer: one of those that it enumerates, not the most stable one.

    Some milliseconds per molecule. Stereo at the atoms and bonds involved is lost.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["C=C(O)C", "CC(C)=O"], [CanonicalTautomer()]).smiles.tolist()
    ['CC(C)=O', 'CC(C)=O']
    """

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        tautomer: Chem.Mol = _tool("TautomerEnumerator").Canonicalize(mol)
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
        flat = Chem.Mol(row.mol)
        Chem.RemoveStereochemistry(flat)
        # An explicit hydrogen may have been kept only for the stereo: then parse again.
        row.replace(flat, as_parsed="[H]" not in row.text)
        return None


@dataclass(frozen=True)
class DropIsotopes(_Edit):
    """Drop isotope numbers, and stereo that depends on them.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["[2H]OC([2H])C", "[13CH4]"], [DropIsotopes()]).smiles.tolist()
    ['CCO', 'C']
    """

    concerns = re.compile(r"\[\d")

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        for atom in mol.GetAtoms():
            atom.SetIsotope(0)
        return mol


@dataclass(frozen=True)
class DropAtomMaps(_Edit):
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
def _tool(name: str, *arguments: Any) -> Any:
    """A tool of MolStandardize with RDKit's parameters, made once per process: they do not pickle."""
    from rdkit.Chem.MolStandardize import rdMolStandardize  # for cost: 20 ms at first use, not at import

    with rdBase.BlockLogs():
        return getattr(rdMolStandardize, name)(*arguments)
