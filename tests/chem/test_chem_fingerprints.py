"""Fingerprints: the bits are RDKit's own."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator as generators
from rdkit.Chem import rdMolDescriptors

from mrl.chem import ECFP4, ECFP6, FCFP4, FCFP6, Fingerprint, canon_smile, fp_to_array, morgan_fp
from mrl.errors import FeatureError, MoleculeError

SMILES = ["C", "CCO", "CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "C[C@H]1CC[C@@H](O)CC1", "[Na+].[Cl-]"]


def rdkits(smiles: str, radius: int, n_bits: int = 2048, features: bool = False) -> list[int]:
    roles = generators.GetMorganFeatureAtomInvGen() if features else None
    generator = generators.GetMorganGenerator(radius=radius, fpSize=n_bits, atomInvariantsGenerator=roles)
    return list(generator.GetFingerprint(Chem.MolFromSmiles(smiles)).GetOnBits())


@pytest.mark.parametrize("smiles", SMILES)
@pytest.mark.parametrize(
    ("function", "radius", "features"), [(ECFP4, 2, False), (ECFP6, 3, False), (FCFP4, 2, True), (FCFP6, 3, True)]
)
def test_named_fingerprints(function: Any, radius: int, features: bool, smiles: str) -> None:
    array = function(smiles)
    assert (array.shape, array.dtype) == ((2048,), np.uint8)
    assert np.flatnonzero(array).tolist() == rdkits(smiles, radius, features=features)
    assert set(array.tolist()) <= {0, 1}
    np.testing.assert_array_equal(function(Chem.MolFromSmiles(smiles)), array)


@given(st.sampled_from(SMILES), st.integers(0, 5), st.integers(1, 300), st.booleans())
def test_morgan_fp_of_any_size(smiles: str, radius: int, n_bits: int, features: bool) -> None:
    array = morgan_fp(smiles, radius, n_bits, features)
    assert array.shape == (n_bits,)
    assert np.flatnonzero(array).tolist() == rdkits(smiles, radius, n_bits, features)


def test_each_call_returns_a_new_array() -> None:
    first = ECFP6("CCO")
    first[:] = 7
    assert ECFP6("CCO").max() == 1


def test_sizes_may_be_numpy_integers() -> None:
    np.testing.assert_array_equal(
        morgan_fp("CCO", cast(int, np.int64(2)), cast(int, np.int32(64))), morgan_fp("CCO", 2, 64)
    )


@pytest.mark.parametrize(("radius", "n_bits"), [(-1, 2048), (3, 0), (3, -5), (3, 1 << 40)])
def test_impossible_sizes(radius: int, n_bits: int) -> None:
    with pytest.raises(ValueError, match=rf"radius={radius}, n_bits={n_bits}: expected radius >= 0 and 1 <= n_bits"):
        morgan_fp("CCO", radius, n_bits)


def test_a_bad_molecule_is_the_molecules_error() -> None:
    with pytest.raises(MoleculeError, match="'C1CC' is not a molecule"):
        ECFP6("C1CC")


@given(st.lists(st.booleans(), min_size=1, max_size=100))
def test_fp_to_array_of_bits(bits: list[bool]) -> None:
    vector = DataStructs.CreateFromBitString("".join(str(int(bit)) for bit in bits))
    array = fp_to_array(vector)
    assert array.dtype == np.uint8
    assert array.tolist() == [int(bit) for bit in bits]


def test_fp_to_array_of_counts() -> None:
    generator = generators.GetMorganGenerator(radius=2, fpSize=512)
    mol = Chem.MolFromSmiles("CCCCCCO")
    array = fp_to_array(generator.GetCountFingerprint(mol))
    np.testing.assert_array_equal(array, generator.GetCountFingerprintAsNumPy(mol))
    assert array.max() > 1
    assert fp_to_array(DataStructs.UIntSparseIntVect(5)).tolist() == [0] * 5


def test_fp_to_array_rejects_values_that_it_cannot_hold() -> None:
    generator = generators.GetMorganGenerator(radius=0, fpSize=512)
    many = generator.GetCountFingerprint(Chem.MolFromSmiles("C" * 300))
    with pytest.raises(FeatureError, match=r"a count of 298 does not fit uint8; use its GetNonzeroElements"):
        fp_to_array(many)
    with pytest.raises(FeatureError, match=r"positions are too many for an array; make it with a fixed fpSize"):
        fp_to_array(generator.GetSparseCountFingerprint(Chem.MolFromSmiles("CCO")))
    with pytest.raises(FeatureError, match=r"array of this str: expected RDKit's .* for a molecule, use morgan_fp"):
        fp_to_array("CCO")


KINDS = {
    "ecfp": lambda n: generators.GetMorganGenerator(radius=2, fpSize=n),
    "fcfp": lambda n: generators.GetMorganGenerator(
        radius=2, fpSize=n, atomInvariantsGenerator=generators.GetMorganFeatureAtomInvGen()
    ),
    "rdkit": lambda n: generators.GetRDKitFPGenerator(fpSize=n),
    "atom_pair": lambda n: generators.GetAtomPairGenerator(fpSize=n),
    "torsion": lambda n: generators.GetTopologicalTorsionGenerator(fpSize=n),
}


@pytest.mark.parametrize("smiles", SMILES)
@pytest.mark.parametrize("n_bits", [2048, 60])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_rdkits(kind: str, n_bits: int, smiles: str) -> None:
    generator, mol = KINDS[kind](n_bits), Chem.MolFromSmiles(smiles)
    bits = Fingerprint(kind, n_bits)(smiles)
    assert (bits.shape, bits.dtype.name) == ((n_bits,), "uint8")
    assert np.flatnonzero(bits).tolist() == list(generator.GetFingerprint(mol).GetOnBits())
    counts = Fingerprint(kind, n_bits, counts=True)(mol)
    assert (counts.shape, counts.dtype.name) == ((n_bits,), "uint32")
    assert {int(i): int(counts[i]) for i in np.flatnonzero(counts)} == generator.GetCountFingerprint(
        mol
    ).GetNonzeroElements()


@pytest.mark.parametrize("smiles", SMILES)
def test_maccs_is_rdkits(smiles: str) -> None:
    bits = Fingerprint("maccs")(smiles)
    assert (bits.shape, bits.dtype.name) == ((167,), "uint8")
    assert np.flatnonzero(bits).tolist() == list(
        rdMolDescriptors.GetMACCSKeysFingerprint(Chem.MolFromSmiles(smiles)).GetOnBits()
    )


def test_parameters_have_the_usual_defaults_and_are_shown() -> None:
    assert repr(Fingerprint("ecfp")) == "Fingerprint(kind='ecfp', n_bits=2048, radius=2, counts=False, chirality=False)"
    assert (
        repr(Fingerprint("maccs"))
        == "Fingerprint(kind='maccs', n_bits=167, radius=None, counts=False, chirality=False)"
    )
    assert Fingerprint("ecfp", cast(int, np.int64(2048)), cast(int, np.int8(2))) == Fingerprint("ecfp")


EVERY = [
    *(Fingerprint(kind, n, counts=counts) for kind in KINDS for n in (64, 2048) for counts in (False, True)),
    *(Fingerprint("ecfp", radius=r) for r in (0, 3)),
    Fingerprint("fcfp", radius=3),
    Fingerprint("maccs"),
]


def test_keys_differ_where_results_may_and_name_the_version() -> None:
    keys = [fingerprint.cache_key for fingerprint in EVERY]
    assert len(set(keys)) == len(keys)
    assert all(rdBase.rdkitVersion in key for key in keys)


@pytest.mark.parametrize("fingerprint", EVERY, ids=str)
def test_a_fingerprint_goes_to_another_process(fingerprint: Fingerprint) -> None:
    copy = pickle.loads(pickle.dumps(fingerprint))
    assert copy == fingerprint
    assert copy.cache_key == fingerprint.cache_key
    np.testing.assert_array_equal(copy("CCOc1ccccc1"), fingerprint("CCOc1ccccc1"))


@pytest.mark.parametrize(
    ("function", "same"),
    [
        (ECFP4, Fingerprint("ecfp")),
        (ECFP6, Fingerprint("ecfp", radius=3)),
        (FCFP4, Fingerprint("fcfp")),
        (FCFP6, Fingerprint("fcfp", radius=3)),
    ],
)
def test_the_named_ones_have_the_key_of_what_they_are(function: Any, same: Fingerprint) -> None:
    assert function.cache_key == same.cache_key
    for smiles in SMILES:
        np.testing.assert_array_equal(function(smiles), same(smiles))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"kind": "torsoin"},
            r"'torsoin' is not a kind of fingerprint \(did you mean 'torsion'\?\); choose one of ecfp",
        ),
        ({"kind": "ecfp4", "radius": 3}, r"'ecfp4' with radius=3: expected 2, or leave it out"),
        ({"kind": "ECFP5"}, r"'ECFP5' with radius=None: expected an even diameter in the name"),
        ({"kind": "rdkit", "chirality": True}, r"chirality=True: rdkit ignores stereo; choose one of ecfp, fcfp, "),
        ({"kind": "rdkit", "radius": 2}, r"radius=2: only ecfp and fcfp have a radius; leave it out"),
        ({"kind": "maccs", "n_bits": 2048}, r"n_bits=2048, counts=False: maccs is 167 bits without counts; omit both"),
        ({"kind": "maccs", "counts": True}, r"counts=True: maccs is 167 bits"),
        ({"kind": "ecfp", "radius": -1}, r"radius=-1, n_bits=2048: expected radius >= 0"),
        ({"kind": "torsion", "n_bits": 0}, r"n_bits=0: expected radius >= 0 and 1 <= n_bits"),
    ],
)
def test_impossible_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fingerprint(**parameters)


def test_fingerprints_reject_invalid_molecules() -> None:
    with pytest.raises(MoleculeError, match="'C1CC' is not a molecule"):
        Fingerprint("maccs")("C1CC")


@pytest.mark.slow
@pytest.mark.skipif("MRL_DATA" not in os.environ, reason="MRL_DATA names no folder with smiles.csv")
def test_on_real_molecules() -> None:
    for smiles in Path(os.environ["MRL_DATA"], "smiles.csv").read_text().split()[1:]:
        assert np.flatnonzero(ECFP6(smiles)).tolist() == rdkits(smiles, 3)
        assert canon_smile(canon_smile(smiles)) == canon_smile(smiles)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("morgan", Fingerprint("ecfp", radius=2)),
        ("Morgan", Fingerprint("ecfp", radius=2)),
        ("ECFP", Fingerprint("ecfp")),
        ("ecfp4", Fingerprint("ecfp", radius=2)),
        ("ECFP6", Fingerprint("ecfp", radius=3)),
        ("FCFP_4", Fingerprint("fcfp", radius=2)),
        ("MACCS", Fingerprint("maccs")),
        ("RDK", Fingerprint("rdkit")),
        ("Atom-Pair", Fingerprint("atom_pair")),
        ("topological torsion", Fingerprint("torsion")),
    ],
)
def test_the_usual_names_are_accepted(name: str, same: Fingerprint) -> None:
    assert Fingerprint(name) == same
    assert Fingerprint(name).cache_key == same.cache_key


@pytest.mark.parametrize("kind", ["ecfp", "fcfp", "torsion"])
def test_enantiomers_differ_if_requested(kind: str) -> None:
    left, right = "CC[C@H](N)C(=O)O", "CC[C@@H](N)C(=O)O"
    flat, chiral = Fingerprint(kind), Fingerprint(kind, chirality=True)
    assert (flat(left) == flat(right)).all()
    assert (chiral(left) != chiral(right)).any()
    assert "chirality" not in flat.cache_key  # caches of earlier versions stay
    assert chiral.cache_key != flat.cache_key


def test_an_array_is_already_an_array() -> None:
    bits = ECFP4("CCO")
    again = fp_to_array(bits)
    assert again is not bits
    np.testing.assert_array_equal(again, bits)
    assert fp_to_array(np.array([True, False])).tolist() == [1, 0]
    with pytest.raises(FeatureError, match=r"cannot make an array of this ndarray: the value 300 does not fit uint8"):
        fp_to_array(np.array([1, 300]))
    with pytest.raises(FeatureError, match=r"shape \(1, 2\), dtype int64; expected numbers"):
        fp_to_array(np.array([[1, 0]]))
