"""Similarities of molecules: RDKit's own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator as generators

from mrl.chem import ECFP4, ECFP6, Fingerprint, internal_diversity, nearest_neighbours, pack_fingerprints, tanimoto
from mrl.errors import ColumnError, FeatureError, MoleculeError

A = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "C[C@H]1CC[C@@H](O)CC1", "[Na+].[Cl-]", "CCO"]
B = [*A[::2], "OC(=O)c1ccccc1O", "CCCCO", "c1ccccc1", "CCN", "OCC"]


def rdkits(a: list[str], b: list[str], radius: int = 2) -> list[list[float]]:
    generator = generators.GetMorganGenerator(radius=radius, fpSize=2048)
    x, y = [[generator.GetFingerprint(Chem.MolFromSmiles(smiles)) for smiles in side] for side in (a, b)]
    return [list(DataStructs.BulkTanimotoSimilarity(one, y)) for one in x]


def test_tanimoto_is_rdkits_to_the_last_digit() -> None:
    assert tanimoto(A, B).tolist() == rdkits(A, B)
    assert tanimoto(A, B, fingerprint=ECFP6).tolist() == rdkits(A, B, radius=3)


def test_molecules_without_bits_are_similar_to_themselves_only() -> None:
    torsions = Fingerprint("torsion")
    assert tanimoto(["C", "CCCC"], ["C", "CCCC"], fingerprint=torsions).tolist() == [[1, 0], [0, 1]]


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    every = np.array(rdkits(B, B))
    apart = ~np.eye(len(B), dtype=bool)
    assert internal_diversity(B) == pytest.approx(1 - every[apart].mean(), abs=1e-12)
    assert internal_diversity(B, self_pairs=True) == pytest.approx(1 - every.mean(), abs=1e-12)
    assert internal_diversity(["CCO"], self_pairs=True) == 0
    assert np.isnan([internal_diversity(["CCO"]), internal_diversity([], self_pairs=True)]).all()


@pytest.mark.parametrize("k", [1, 3, len(B)])
def test_nearest_neighbours_are_the_first_of_all(k: int) -> None:
    rows, similarity = nearest_neighbours(A, B, k, threads=2)
    every = np.array(rdkits(A, B))
    order = np.argsort(-every, axis=1, kind="stable")[:, :k]
    assert rows.tolist() == order.tolist()
    np.testing.assert_array_equal(similarity, np.take_along_axis(every, order, axis=1))


def test_molecules_and_their_fingerprints_give_the_same() -> None:
    bits = np.stack([ECFP4(smiles) for smiles in A])
    expected = tanimoto(A, B)
    for column in (bits, bits.astype(bool), bits.astype(np.float32), pack_fingerprints(A), pack_fingerprints(bits)):
        np.testing.assert_array_equal(tanimoto(column, B), expected)
    packed = np.packbits(bits, axis=1).view(np.uint64)
    np.testing.assert_array_equal(tanimoto(packed, packed), tanimoto(A, A))


def test_any_column_of_molecules_is_accepted() -> None:
    for column in (np.array(A), iter(A), (Chem.MolFromSmiles(smiles) for smiles in A)):
        np.testing.assert_array_equal(pack_fingerprints(column), pack_fingerprints(A))


def test_more_molecules_than_are_packed_together() -> None:
    def number(text: str) -> NDArray[np.uint8]:
        return np.array([int(digit) for digit in f"{int(text):012b}"], np.uint8)

    words = pack_fingerprints([str(i) for i in range(2500)], number)
    np.testing.assert_array_equal(words, pack_fingerprints(np.stack([number(str(i)) for i in range(2500)])))
    assert len(np.unique(words)) == 2500


def test_no_rows() -> None:
    assert tanimoto([], A).shape == (0, 5)
    assert tanimoto(A, np.zeros((0, 2048), np.uint8)).shape == (5, 0)
    assert tanimoto([], []).shape == (0, 0)
    assert nearest_neighbours([], A)[0].shape == (0, 1)
    with pytest.raises(ValueError, match="k is 1; expected 1 to 0"):
        nearest_neighbours(A, [])


def test_a_bad_row_is_named_with_its_side() -> None:
    with pytest.raises(MoleculeError, match=r"^references, row 2: 'C1CC' is not a molecule; ") as caught:
        nearest_neighbours(A, ["C", "CC", "C1CC"])
    assert (caught.value.row, caught.value.text) == (2, "C1CC")


@pytest.mark.parametrize("one", ["CCO", b"CCO", Chem.MolFromSmiles("CCO")])
def test_one_molecule_is_not_a_column(one: Any) -> None:
    with pytest.raises(ColumnError, match=r"^column 'b' is .*: wrap .* in a list"):
        tanimoto(A, one)


def test_counts_are_rejected() -> None:
    counts = Fingerprint("ecfp", counts=True)
    with pytest.raises(
        FeatureError, match=r"^a, row 1: its fingerprint has the value \d+, expected 0 or 1; .* not of counts"
    ) as caught:
        tanimoto(["C", "CCCCCCC"], A, fingerprint=counts)
    assert (caught.value.row, caught.value.text) == (1, "CCCCCCC")
    with pytest.raises(ColumnError, match=r"^a, row 1: the value \d+, expected bits, 0 or 1$"):
        tanimoto(np.stack([counts("C"), counts("CCCCCCC")]), A)


@pytest.mark.parametrize("value", [np.nan, -1.0, 0.5])
def test_a_value_that_is_not_a_bit_is_found_in_any_row(value: float) -> None:
    bits = np.zeros((1500, 3), np.float32)
    bits[1400, 2] = value
    with pytest.raises(ColumnError, match=rf"^molecules, row 1400: the value {value}, expected bits"):
        pack_fingerprints(bits)


def test_packed_bytes_are_recognised() -> None:
    packed = np.packbits(np.ones((1, 64), np.uint8), axis=1)
    with pytest.raises(ColumnError, match=r"if these are packed bits, pass array.view\(numpy.uint64\)"):
        pack_fingerprints(packed)


def test_fingerprints_of_different_lengths_cannot_be_compared() -> None:
    with pytest.raises(ColumnError, match=r"^2048 bits in queries and 192 bits in references .* cannot be compared"):
        nearest_neighbours(A, np.zeros((2, 167), np.uint8))
    lengths = iter([8, 9])
    with pytest.raises(FeatureError, match=r"row 1: its fingerprint has the shape \(9,\), expected \(8,\)"):
        pack_fingerprints(["C", "CC"], lambda x: np.zeros(next(lengths), np.uint8))
