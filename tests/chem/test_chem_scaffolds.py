"""Scaffolds and the groups of molecules that share one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold

from mrl.chem import murcko_scaffold, scaffold_groups
from mrl.errors import ColumnError, MoleculeError

SMILES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "Cc1ccccc1",
    "O=C1CCN1Cc1ccncc1C",
    "CCO",
    "CC(C)C",
    "Cn1cccc1",
    "C1CC1.CC",
    "CC=C1CC1",
    "O=S1(=O)CCCC1",
    "C1CC2(C1)CCC2CC",
    "c1ccc2c(c1)CCN2CCc1c[nH]cn1",
    "[O-][n+]1ccccc1",
]


@pytest.mark.parametrize("smiles", SMILES)
def test_a_scaffold_is_rdkits(smiles: str) -> None:
    expected = MurckoScaffold.MurckoScaffoldSmiles(mol=Chem.MolFromSmiles(smiles))  # type: ignore[no-untyped-call]
    assert murcko_scaffold(smiles) == murcko_scaffold(Chem.MolFromSmiles(smiles)) == expected


@pytest.mark.parametrize("smiles", [smiles for smiles in SMILES if "1" in smiles])
def test_the_scaffold_of_a_scaffold_is_itself(smiles: str) -> None:
    assert murcko_scaffold(murcko_scaffold(smiles)) == murcko_scaffold(smiles)


@pytest.mark.parametrize(
    "smiles",
    ["C[C@H]1CC[C@@H](O)CC1", "C[13CH]1CCCCC1", "[CH3:1][CH:2]1[CH2:3]CCCC1", "[2*:1]C1CCCCC1", "[2H]C1CCCCC1"],
)
def test_stereo_isotopes_and_atom_maps_are_not_part_of_a_framework(smiles: str) -> None:
    assert murcko_scaffold(smiles) == "C1CCCCC1"


def test_the_molecule_is_left_unchanged() -> None:
    mol = Chem.MolFromSmiles("[CH3:1][cH:2]1ccccc1") or Chem.MolFromSmiles("[CH3:1][c:2]1ccccc1")
    murcko_scaffold(mol)
    assert [atom.GetAtomMapNum() for atom in mol.GetAtoms()][:2] == [1, 2]


@given(st.lists(st.sampled_from(SMILES), max_size=30))
def test_groups_are_equal_where_scaffolds_are_and_numbered_by_first_appearance(smiles: list[str]) -> None:
    groups = scaffold_groups(smiles)
    assert (groups.shape, groups.dtype.name) == ((len(smiles),), "int64")
    first = list(dict.fromkeys(murcko_scaffold(x) for x in smiles))
    assert groups.tolist() == [first.index(murcko_scaffold(x)) for x in smiles]


def test_molecules_without_rings_are_one_group() -> None:
    assert scaffold_groups(["CCO", "c1ccccc1", "CCCCN", "O"]).tolist() == [0, 1, 0, 0]


def test_any_column_of_smiles_is_accepted() -> None:
    for column in (
        np.array(["CCO", "C1CC1"]),
        iter(["CCO", "C1CC1"]),
        (Chem.MolFromSmiles(x) for x in ("CCO", "C1CC1")),
    ):
        assert scaffold_groups(column).tolist() == [0, 1]


def test_a_bad_row_is_named() -> None:
    with pytest.raises(MoleculeError, match=r"^smiles, row 2: 'C1CC' is not a molecule; ") as caught:
        scaffold_groups(["CCO", "C1CC1", "C1CC"])
    assert (caught.value.row, caught.value.text) == (2, "C1CC")


@pytest.mark.parametrize("one", ["CCO", b"CCO", Chem.MolFromSmiles("CCO")])
def test_one_molecule_is_not_a_column(one: Any) -> None:
    with pytest.raises(ColumnError, match=r"^column 'smiles' is .*: wrap .* in a list"):
        scaffold_groups(one)
