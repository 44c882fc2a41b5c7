"""Steps for texts of several components: metals, salts, solvents, mixtures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, Literal, TypeAlias, get_args

from rdkit import Chem, rdBase

from mrl.chem.canonical import without
from mrl.chem.cleaning.edit import Edit, tool
from mrl.chem.cleaning.salts import SALTS
from mrl.chem.cleaning.steps import Row, Step
from mrl.chem.columns import map_molecules
from mrl.chem.molecule import to_mol
from mrl.errors import MoleculeError
from mrl.messages import format_names

Largest: TypeAlias = Literal["heavy atoms", "atoms", "text"]

_MORE_IONIC_BONDS = "[Li,Na,K,Rb,Cs,Ca,Sr,Ba]~[S,Se,Cl,Br,I]"


@dataclass(frozen=True)
class DisconnectMetals(Edit):
    """Cut the bonds of metals that are ionic by convention, and charge both ends.

    RDKit's rules: bonds of metals to N, O and F, and those of most transition metals to any non-metal except halogens
    on mercury; here also those of alkali and alkaline earth metals to S, Se, Cl, Br and I. Organometallic compounds of
    magnesium, mercury and tin stay. Complexes lose their ligands: reject the metals (`OnlyElements`) to avoid that.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CC(=O)O[Na]", "CCS[K]", "C[Si](C)(C)C"], [DisconnectMetals()]).smiles.tolist()
    ['CC(=O)[O-].[Na+]', 'CC[S-].[K+]', 'C[Si](C)(C)C']
    """

    concerns = re.compile(r"\[")

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        tool("MetalDisconnector").DisconnectInPlace(mol)
        _ionic_bonds().DisconnectInPlace(mol)
        return mol


@dataclass(frozen=True, init=False)
class RemoveSalts(Edit):
    """Remove counter-ions and solvents by name: components that are on a list, whatever their size.

    Unlike `LargestFragment` it keeps a small drug and removes a large counter-ion such as pamoate. If all components
    are on the list, as in sodium acetate, none is removed. Several components may be left: `RejectMixtures`, or
    `LargestFragment`, come after it.

    Parameters
    ----------
    salts : iterable of str, optional
        SMILES, compared without stereo, isotopes and charges; one atom stands for all its ions and hydrides. By
        default `SALTS`, some 230 acids, bases, metals and solvents of pharmaceutical salts.

    Raises
    ------
    MoleculeError
        An entry is not a molecule; `row` is its place.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CN.OC(=O)C(F)(F)F", "CCCN.O.[Cl-]", "CC(=O)[O-].[Na+]"], [RemoveSalts()]).smiles.tolist()
    ['CN.OC(=O)C(F)(F)F', 'CCCN', 'CC(=O)[O-].[Na+]']
    >>> clean(["CN.OC(=O)C(F)(F)F"], [RemoveSalts(["OC(=O)C(F)(F)F"])]).smiles.tolist()
    ['CN']
    """

    salts: tuple[str, ...]

    concerns = re.compile(r"\.")

    def __init__(self, salts: Iterable[str] | None = None) -> None:
        object.__setattr__(self, "salts", SALTS if salts is None else tuple(salts))
        _salt_forms(self.salts)

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        components = Chem.GetMolFrags(mol, asMols=True)
        known = _salt_forms(self.salts)
        kept = [component for component in components if _salt_form(component) not in known]
        return reduce(Chem.CombineMols, kept) if 0 < len(kept) < len(components) else mol


@dataclass(frozen=True)
class LargestFragment(Edit):
    """Keep the largest component with a carbon atom; the largest of all if none has one.

    Size is the number of heavy atoms, then the mass, then the SMILES. (RDKit's `LargestFragmentChooser` counts
    hydrogens by default, by which lysine is larger than aspirin.) A counter-ion can be larger than the drug: put
    `RemoveSalts` in front.

    Parameters
    ----------
    by : "heavy atoms", "atoms" or "text"
        What size is: heavy atoms; all atoms, hydrogens included; or the length of the component in the text, the first
        one of several, without preference for carbon.

    Raises
    ------
    ValueError
        Another value of `by`.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> clean(["CC(=O)[O-].[Na+]", "[Na+].[Cl-]"], [LargestFragment()]).smiles.tolist()
    ['CC(=O)[O-]', '[Cl-]']
    """

    by: Largest = "heavy atoms"

    concerns = re.compile(r"\.")

    def __post_init__(self) -> None:
        if self.by not in get_args(Largest):
            raise ValueError(f"by={self.by!r}: expected one of {format_names(get_args(Largest))}")

    def __call__(self, row: Row) -> str | None:
        if self.by != "text":
            return super().__call__(row)
        if "." in row.text:
            try:
                row.replace(to_mol(max(row.text.split("."), key=len)))
            except MoleculeError as error:
                row.fail(f"result: not a molecule, {error.reason}")
        return None

    def _edit(self, mol: Chem.Mol) -> Chem.Mol:
        _fragment_chooser(self.by == "heavy atoms").chooseInPlace(mol)
        return mol


@dataclass(frozen=True)
class RejectMixtures(Step):
    """Reject rows with several different components; charges, isotopes and stereo of the whole are kept as they are.

    Equal components, compared after `Uncharge`, are not a mixture: `LargestFragment` reduces them to one. Salts and
    solvates are mixtures too, unless `RemoveSalts` is in front.

    Examples
    --------
    >>> from mrl.chem import clean
    >>> cleaned = clean(["CCO.CCN", "CCN.CC[NH3+]", "CCN.Cl"], [RemoveSalts(), RejectMixtures()])
    >>> cleaned.smiles.tolist(), cleaned.rejects[0].reason
    (['CCN.CC[NH3+]'], 'mixture: 2 different components, CCN and CCO')
    """

    def __call__(self, row: Row) -> str | None:
        if "." not in row.text:
            return None
        forms = {_neutral_smiles(component): None for component in Chem.GetMolFrags(row.mol, asMols=True)}
        if len(forms) < 2:
            return None
        shown = sorted(forms)[:4]
        return f"mixture: {len(forms)} different components, {', '.join(shown[:-1])} and {shown[-1]}"


@cache
def _fragment_chooser(heavy_atoms_only: bool) -> Any:
    from rdkit.Chem.MolStandardize import rdMolStandardize

    params = rdMolStandardize.CleanupParameters()
    params.preferOrganic = True  # type: ignore[assignment]
    params.largestFragmentChooserCountHeavyAtomsOnly = heavy_atoms_only  # type: ignore[assignment]
    return rdMolStandardize.LargestFragmentChooser(params)


@cache
def _ionic_bonds() -> Any:
    from rdkit.Chem.MolStandardize import rdMolStandardize

    disconnector = rdMolStandardize.MetalDisconnector()
    disconnector.SetMetalNof(Chem.MolFromSmarts(_MORE_IONIC_BONDS))
    return disconnector


@cache
def _salt_forms(salts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map_molecules(lambda x: _salt_form(to_mol(x)), salts, "salts"))


def _salt_form(component: Chem.Mol) -> str:
    """The text that is equal for a salt former and its ions, stereoisomers and isotopes."""
    heavy = [atom.GetSymbol() for atom in component.GetAtoms() if atom.GetAtomicNum() != 1]
    if len(heavy) == 1:
        return f"[{heavy[0]}]"
    return _neutral_smiles(without(component, stereo=True, isotopes=True))


def _neutral_smiles(component: Chem.Mol) -> str:
    with rdBase.BlockLogs():
        return str(Chem.MolToSmiles(tool("Uncharger").uncharge(component)))
