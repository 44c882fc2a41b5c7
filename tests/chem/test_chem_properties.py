"""Scalar properties against RDKit's own calls and the literature."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from rdkit import Chem, RDConfig
from rdkit.Chem import QED, Crippen, Descriptors, Lipinski, rdMolDescriptors

from mrl import chem
from mrl.chem import PROPERTIES, title_and_unit, to_mol
from mrl.errors import FeatureError, MoleculeError

ASPIRIN, IBUPROFEN = "CC(=O)Oc1ccccc1C(=O)O", "CC(C)Cc1ccc(cc1)C(C)C(=O)O"
ODD = [
    "[H][H]",
    "[H+]",
    "*",
    "[Fe]",
    "[Na+].[Cl-]",
    "N->[Pt]",
    "C~C",
    "[Og]",
    "[2H]C",
    "c1cc[se]c1",
    "F[As@TB15](Cl)(S)(Br)N",
]
DRUGS = [ASPIRIN, IBUPROFEN, "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "C[C@@H]1CC(F)(C)C1", "C1CC2CCC1CC2[N+](=O)[O-]"]

RDKIT = {
    "molwt": Descriptors.MolWt,  # type: ignore[attr-defined]
    "exact_mass": Descriptors.ExactMolWt,  # type: ignore[attr-defined]
    "logp": Crippen.MolLogP,  # type: ignore[attr-defined]
    "tpsa": Descriptors.TPSA,  # type: ignore[attr-defined]
    "qed": QED.qed,
    "hbd": Lipinski.NumHDonors,  # type: ignore[attr-defined]
    "hba": Lipinski.NumHAcceptors,  # type: ignore[attr-defined]
    "rotbond": Lipinski.NumRotatableBonds,  # type: ignore[attr-defined]
    "rings": Descriptors.RingCount,  # type: ignore[attr-defined]
    "aromatic_rings": Lipinski.NumAromaticRings,  # type: ignore[attr-defined]
    "heavy_atoms": Lipinski.HeavyAtomCount,
    "formal_charge": Chem.GetFormalCharge,
}
WHOLE = {"hbd", "hba", "rotbond", "rings", "aromatic_rings", "heavy_atoms", "formal_charge"}


@pytest.mark.parametrize("name", RDKIT)
@pytest.mark.parametrize("smiles", DRUGS + ODD)
def test_each_value_is_rdkits_for_a_smiles_and_for_a_mol(name: str, smiles: str) -> None:
    value = PROPERTIES[name](smiles)
    assert value == RDKIT[name](Chem.MolFromSmiles(smiles)) == PROPERTIES[name](Chem.MolFromSmiles(smiles))
    assert type(value) is (int if name in WHOLE else float)


@pytest.mark.parametrize(
    ("name", "smiles", "value"),
    [
        ("molwt", ASPIRIN, 180.159),
        ("molwt", IBUPROFEN, 206.285),
        ("molwt", "O", 18.015),
        ("exact_mass", ASPIRIN, 180.042),
        ("exact_mass", "[2H]O[2H]", 20.023),
        ("tpsa", ASPIRIN, 63.60),  # the sum of Ertl's fragment contributions, sulfur and phosphorus left out
        ("tpsa", IBUPROFEN, 37.30),
        ("tpsa", "CS(C)=O", 17.07),
        ("logp", "c1ccccc1", 1.687),  # six aromatic CH of 0.1581 and six H of 0.123 each
        ("qed", ASPIRIN, 0.550),
        ("sa_score", ASPIRIN, 1.580),
    ],
)
def test_values_of_the_literature(name: str, smiles: str, value: float) -> None:
    assert PROPERTIES[name](smiles) == pytest.approx(value, abs=1e-3)


def test_counts_of_aspirin() -> None:
    names = ("hbd", "hba", "rotbond", "rings", "aromatic_rings", "heavy_atoms", "formal_charge")
    assert [PROPERTIES[name](ASPIRIN) for name in names] == [1, 3, 2, 1, 1, 13, 0]


@pytest.mark.parametrize("smiles", DRUGS + ODD)
def test_sa_score_is_between_1_and_10(smiles: str) -> None:
    assert 1 <= chem.sa_score(smiles) <= 10


def test_harder_molecules_have_a_higher_sa_score() -> None:
    morphine = "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5"
    assert chem.sa_score(ASPIRIN) < chem.sa_score(IBUPROFEN) < chem.sa_score(morphine)


def test_sa_score_leaves_the_import_system_alone() -> None:
    before = list(sys.path)
    chem.sa_score("CCO")
    assert sys.path == before
    assert "sascorer" not in sys.modules


def test_an_rdkit_without_the_contributed_code_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(RDConfig, "RDContribDir", str(tmp_path))
    with pytest.raises(FeatureError, match=r"no contributed SA score: .*sascorer\.py is missing; install rdkit from"):
        chem.sa_score("CCO")


def marks(mol: Chem.Mol) -> object:
    """All that a function could leave on a molecule, except what RDKit computes once and keeps."""
    pieces = [atom.GetPropsAsDict(True, False) for atom in mol.GetAtoms()]
    pieces += [bond.GetPropsAsDict(True, False) for bond in mol.GetBonds()]
    for properties in pieces:
        properties.pop("__computedProps", None)
    return pieces, mol.ToBinary()


@pytest.mark.parametrize("name", PROPERTIES)
def test_no_function_changes_the_molecule_or_prints(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    for smiles in DRUGS + ODD:
        mol = to_mol(smiles)
        before = marks(mol)
        PROPERTIES[name](mol)
        assert marks(mol) == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("bad", ["", "C1CC", None])
def test_every_property_rejects_invalid_molecules(name: str, bad: Any) -> None:
    with pytest.raises(MoleculeError, match="is not a molecule"):
        PROPERTIES[name](bad)


def test_the_table_has_each_property_by_its_public_name() -> None:
    assert set(PROPERTIES) == {*RDKIT, "sa_score"}
    assert all(PROPERTIES[name] is getattr(chem, name) for name in PROPERTIES)
    assert repr(PROPERTIES).startswith("PROPERTIES(molwt, ")


def test_the_table_cannot_be_changed_and_pickles() -> None:
    with pytest.raises(TypeError):
        PROPERTIES["mine"] = len  # type: ignore[index]
    with pytest.raises(KeyError, match=r"'weight' is not a property; choose one of molwt, exact_mass"):
        PROPERTIES["weight"]
    assert "weight" not in PROPERTIES
    assert dict(pickle.loads(pickle.dumps(PROPERTIES))) == dict(PROPERTIES)


def test_tpsa_is_the_papers_not_the_extended_one() -> None:
    mol = Chem.MolFromSmiles("CS(C)=O")
    assert chem.tpsa(mol) < rdMolDescriptors.CalcTPSA(mol, includeSandP=True)


def test_titles_and_units_are_those_of_the_table_and_other_names_are_titles_themselves() -> None:
    assert {name: title_and_unit(name) for name in ("molwt", "tpsa", "aromatic_rings", "MolWt")} == {
        "molwt": ("weight", "g/mol"),
        "tpsa": ("TPSA", "Å²"),
        "aromatic_rings": ("aromatic rings", ""),
        "MolWt": ("MolWt", ""),
    }
    assert {unit for name in PROPERTIES if (unit := title_and_unit(name)[1])} == {"g/mol", "Da", "Å²"}
