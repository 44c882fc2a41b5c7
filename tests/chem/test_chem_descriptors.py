"""Descriptors by name: RDKit's values, in order, and an error where one is not defined."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors as rdkits

from mrl.chem import PROPERTIES, Descriptors, logp, qed, tpsa
from mrl.errors import FeatureError, MoleculeError

SMILES = ["C", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H]1CC[C@@H](O)CC1", "O=S(=O)(N)c1ccc(Cl)cc1"]


def bonds(mol: Chem.Mol) -> int:
    return mol.GetNumBonds()


@pytest.mark.parametrize("smiles", SMILES)
def test_all_are_rdkits_by_default(smiles: str) -> None:
    every = Descriptors()
    listed = [(name, function) for name, function in rdkits.descList if name not in ("Ipc", "AvgIpc")]
    assert every.names == tuple(name for name, _ in listed)
    mol = Chem.MolFromSmiles(smiles)
    vector = every(smiles)
    assert (vector.shape, vector.dtype.name) == ((len(every),), "float32")
    np.testing.assert_array_equal(vector, np.array([function(mol) for _, function in listed], np.float32))


@pytest.mark.parametrize("smiles", SMILES)
def test_the_order_is_that_of_the_names(smiles: str) -> None:
    some = Descriptors(iter(["TPSA", "qed", "heavy_atoms", "MolLogP"]))
    mol = Chem.MolFromSmiles(smiles)
    expected = [tpsa(mol), qed(mol), mol.GetNumHeavyAtoms(), logp(mol)]
    np.testing.assert_array_equal(some(smiles), np.array(expected, np.float32))
    np.testing.assert_array_equal(some(mol), some(smiles))


def test_a_dictionary_of_functions() -> None:
    both = Descriptors({"bonds": bonds, "logp": logp})
    np.testing.assert_array_equal(both("CCO"), np.array([2, logp("CCO")], np.float32))
    assert both.names == ("bonds", "logp")


def test_the_key_contains_names_order_and_version() -> None:
    keys = [Descriptors(names).cache_key for names in (["TPSA"], ["qed"], ["TPSA", "qed"], ["qed", "TPSA"], None)]
    assert len(set(keys)) == len(keys)
    assert all(rdBase.rdkitVersion in str(key) for key in keys)


def test_functions_of_this_package_have_a_key_and_others_have_none() -> None:
    assert Descriptors(PROPERTIES).cache_key == Descriptors(list(PROPERTIES)).cache_key
    assert Descriptors({"qed": qed}).cache_key == Descriptors(["qed"]).cache_key
    assert Descriptors({"qed": bonds}).cache_key is None
    assert Descriptors({"drug": qed}).cache_key is None


@pytest.mark.parametrize("given", [None, ["qed", "TPSA"], {"bonds": bonds, "qed": qed}, PROPERTIES])
def test_it_goes_to_another_process(given: Any) -> None:
    one = Descriptors(given)
    copy = pickle.loads(pickle.dumps(one))
    assert (copy.names, copy.cache_key, repr(copy)) == (one.names, one.cache_key, repr(one))
    np.testing.assert_array_equal(copy("CCO"), one("CCO"))


def test_repr_is_short() -> None:
    assert repr(Descriptors(["qed", "TPSA"])) == "Descriptors(qed, TPSA)"
    assert len(repr(Descriptors())) < 200


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["qed", "MolWeigth"],
            r"'MolWeigth' is not a descriptor \(did you mean 'MolWt' or 'molwt'.*\?\); see mrl.chem.PROPERTIES",
        ),
        (["QED"], r"'QED' is not a descriptor \(did you mean 'qed'"),
        (["xyzzy"], r"'xyzzy' is not a descriptor; see mrl.chem.PROPERTIES and rdkit.Chem.Descriptors.descList"),
        (["qed", "TPSA", "qed"], r"repeated descriptors: \['qed'\]"),
        ("qed", r"names is one name, 'qed': wrap it in a list"),
        ([], r"there are no names"),
    ],
)
def test_names_that_do_not_work(names: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Descriptors(names)


def test_an_undefined_descriptor_is_nan() -> None:
    vector = Descriptors(["MaxPartialCharge", "heavy_atoms"])("[Pt](Cl)(Cl)(N)N")
    assert np.isnan(vector[0])
    assert vector[1] == 5


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda mol: 1 / 0, r"ZeroDivisionError: division by zero"),
        (lambda mol: "much", r"ValueError: could not convert string to float: 'much'"),
        (lambda mol: 1e39, r"1e\+39 is outside the range of float32"),
        (lambda mol: float("-inf"), r"-inf is outside the range of float32"),
    ],
)
def test_a_function_that_fails_is_named(function: Callable[[Chem.Mol], Any], reason: str) -> None:
    with pytest.raises(FeatureError, match=rf"^mine of 'CCO' failed: {reason}; leave mine out") as caught:
        Descriptors({"qed": qed, "mine": function})("CCO")
    assert caught.value.text == "CCO"
    assert caught.value.reason.startswith("mine: ")


def test_a_bad_molecule_is_the_molecules_error() -> None:
    with pytest.raises(MoleculeError, match="'C1CC' is not a molecule"):
        Descriptors(["qed"])("C1CC")


def test_nothing_is_printed_and_rdkits_module_is_loaded_when_needed() -> None:
    code = (
        "import sys\nfrom mrl.chem import Descriptors\n"
        "Descriptors(['tpsa', 'qed'])\nassert 'rdkit.Chem.Descriptors' not in sys.modules\n"
        "every = Descriptors()\n"
        "for smiles in ('[Na+].[Cl-]', '[He]', '[Fe]', 'CCO'): every(smiles)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_descriptors_that_are_slow_or_overflow_are_computed_on_request_only() -> None:
    assert not {"Ipc", "AvgIpc"} & set(Descriptors().names)
    assert Descriptors(["Ipc"])("CCO")[0] > 0
    assert "version=" in str(Descriptors(["qed"]).cache_key)
    assert all("version=" in function.cache_key for function in PROPERTIES.values())  # type: ignore[attr-defined]
