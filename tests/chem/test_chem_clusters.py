"""Clusters: sphere exclusion as RDKit does it, row by row; groups of equal molecules."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.SimDivFilters import rdSimDivPickers

from mrl.chem import ECFP4, Fingerprint, canon_smile, canonical_groups, cluster_groups, pack_fingerprints, tanimoto
from mrl.errors import ColumnError, MoleculeError

CHAINS = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "Cl", "c1ccccc1")]


@pytest.mark.parametrize("cutoff", [0.0, 0.2, 0.4, 0.65, 0.9])
def test_leaders_are_those_of_rdkits_picker(cutoff: float) -> None:
    groups = cluster_groups(CHAINS, cutoff)
    leaders = np.unique(groups, return_index=True)[1]
    generator = Chem.rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    bits = [generator.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in CHAINS]
    # RDKit leaves out molecules exactly at the cutoff, up to rounding: use a slightly larger one.
    picked = rdSimDivPickers.LeaderPicker().LazyBitVectorPick(bits, len(bits), cutoff + 1e-6)
    assert leaders.tolist() == list(picked)


@given(st.lists(st.sampled_from(CHAINS), max_size=20), st.sampled_from([0.0, 0.3, 0.4, 0.7, 1.0]))
def test_members_are_within_the_cutoff_of_their_leader_and_leaders_are_not(smiles: list[str], cutoff: float) -> None:
    groups = cluster_groups(smiles, cutoff)
    assert (groups.shape, groups.dtype.name) == ((len(smiles),), "int64")
    leaders = np.unique(groups, return_index=True)[1]
    assert (np.diff(leaders) > 0).all()  # numbered by first appearance
    distance = 1 - tanimoto(smiles, smiles)
    assert all(distance[row, leaders[group]] <= cutoff + 1e-9 for row, group in enumerate(groups))
    assert all(distance[p, q] > cutoff for p in leaders for q in leaders if p != q)


def test_a_row_joins_the_first_leader_not_the_nearest() -> None:
    bits = np.array([[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1]], np.uint8)
    assert tanimoto(bits, bits)[2].round(2).tolist() == [0.5, 0.8, 1.0]
    assert cluster_groups(bits, 0.5).tolist() == [0, 1, 0]


def test_molecules_bits_and_words_give_the_same() -> None:
    expected = cluster_groups(CHAINS)
    assert 1 < expected.max() < len(CHAINS) - 1
    for column in (np.stack([ECFP4(smiles) for smiles in CHAINS]), pack_fingerprints(CHAINS), np.array(CHAINS)):
        np.testing.assert_array_equal(cluster_groups(column), expected)
    maccs = Fingerprint("maccs")
    np.testing.assert_array_equal(
        cluster_groups(CHAINS, fingerprint=maccs), cluster_groups(pack_fingerprints(CHAINS, maccs))
    )


def test_the_ends_of_the_cutoff() -> None:
    assert cluster_groups(["CCO", "CCN", "OCC"], 0).tolist() == [0, 1, 0]
    assert cluster_groups(["CCO", "CCN", "c1ccccc1"], 1).tolist() == [0, 0, 0]
    for cutoff in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match=rf"cutoff is {cutoff}; expected a Tanimoto distance, 0 to 1"):
            cluster_groups(["CCO"], cutoff)


def test_a_bad_row_is_named() -> None:
    with pytest.raises(MoleculeError, match=r"^smiles, row 1: 'C1CC' is not a molecule; "):
        cluster_groups(["CCO", "C1CC"])
    with pytest.raises(ColumnError, match="column 'smiles' is a single string, 'CCO': wrap it in a list"):
        cluster_groups("CCO")


SPELLED = ["OCC", "CCO", "C(C)O", "C[C@H](N)O", "C[C@@H](N)O", "CC(N)O", "F/C=C/F", "F/C=C\\F", "[13CH3]CO", "CCO[2H]"]


@given(st.lists(st.sampled_from(SPELLED), max_size=20))
def test_canonical_groups_are_equal_where_molecules_are(smiles: list[str]) -> None:
    groups = canonical_groups(smiles)
    assert (groups.shape, groups.dtype.name) == ((len(smiles),), "int64")
    first = list(dict.fromkeys(canon_smile(x) for x in smiles))
    assert groups.tolist() == [first.index(canon_smile(x)) for x in smiles]


def test_stereoisomers_and_isotopes_may_count_as_the_same() -> None:
    assert canonical_groups(SPELLED).tolist() == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]
    assert canonical_groups(SPELLED, stereo=False).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3, 4]
    assert canonical_groups(SPELLED, isotopes=False).tolist() == [0, 0, 0, 1, 2, 3, 4, 5, 0, 0]
    assert canonical_groups(SPELLED, stereo=False, isotopes=False).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 0, 0]
    assert canonical_groups(["[H]/N=C(/C)O", "CC(=N)O", "CC(O)=N"], stereo=False).tolist() == [0, 0, 0]


def test_a_molecule_is_left_unchanged() -> None:
    mol = Chem.MolFromSmiles("C[C@H](N)O[2H]")
    before = Chem.MolToSmiles(mol)
    canonical_groups([mol], stereo=False)
    assert Chem.MolToSmiles(mol) == before


def test_a_bad_row_of_canonical_groups_is_named() -> None:
    with pytest.raises(MoleculeError, match=r"^smiles, row 1: 'C1CC' is not a molecule; "):
        canonical_groups(["C", "C1CC"], stereo=False)


@pytest.mark.slow
@pytest.mark.skipif("MRL_DATA" not in os.environ, reason="MRL_DATA names no folder with smiles.csv")
def test_on_real_molecules() -> None:
    smiles = Path(os.environ["MRL_DATA"], "smiles.csv").read_text().split()[1:]
    groups = cluster_groups(smiles)
    leaders = np.unique(groups, return_index=True)[1]
    similarity = tanimoto([smiles[row] for row in leaders], [smiles[row] for row in leaders])
    assert (similarity[~np.eye(len(leaders), dtype=bool)] < 0.6).all()
    assert (tanimoto(smiles, [smiles[row] for row in leaders])[np.arange(len(smiles)), groups] >= 0.6).all()
