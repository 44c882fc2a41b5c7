"""No text and no molecule is changed in silence, ends the process, or raises something else than a MoleculeError."""

from __future__ import annotations

import threading
from itertools import combinations
from typing import Any

import pytest
from rdkit import Chem

from mrl.chem import (
    PROPERTIES,
    canon_smile,
    canonical_groups,
    clean,
    draw_molecule,
    evaluate,
    fragment,
    murcko_scaffold,
    randomize,
    scaffold_groups,
    screen,
    to_mol,
    to_smile,
)
from mrl.chem.molecule import MAX_ATOMS, MAX_NEIGHBOURS, MAX_RINGS
from mrl.errors import MoleculeError

TOO_LARGE = {
    "chain": "C" * 20_000,
    "nested branches": "C(" * 50_000 + "C" + ")" * 50_000,
    "ring": "C1" + "C" * 50_000 + "C1",
    "ring closures": "C" + "1" * 1_000_000,
    "fragments": ".".join("C" * 20_000),
}


@pytest.mark.parametrize(
    ("text", "number", "position"),
    [
        ("[65536CH4]", "isotope 65536", 2),
        ("[65537CH4]", "isotope 65537", 2),
        ("[99999999999999999999C]", "isotope 99999999999999999999", 2),
        ("C[CH260]", "hydrogen count 260", 5),
        ("[CH999]", "hydrogen count 999", 4),
        ("[nH300]", "hydrogen count 300", 4),
        ("[13C@@H200:5]", "hydrogen count 200", 8),
        ("[#300]", "atomic number 300", 3),
        ("[#119]", "atomic number 119", 3),
        ("[C+128]", "charge +128", 3),
        ("[Fe-129]", "charge -129", 4),
        ("[#26+300]", "charge +300", 5),
        ("[C:2147483640]", "map number 2147483640", 4),
    ],
)
def test_a_number_that_rdkit_would_store_as_another_one_is_rejected(text: str, number: str, position: int) -> None:
    with pytest.raises(MoleculeError, match="which RDKit would store as another number") as caught:
        to_mol(text)
    assert caught.value.reason.startswith(f"number: {number} at {position} of {len(text)}, in [")


@pytest.mark.parametrize(
    "text", ["[65535CH4]", "[Fe+127]", "[Fe-128]", "[#118]", "[*H100]", "[C:2147483639]", "[CH3:1000]C", "[Fe@OH30]"]
)
def test_numbers_at_the_limit_are_kept(text: str) -> None:
    given, found = (Chem.MolFromSmiles(text, sanitize=False).GetAtomWithIdx(0), to_mol(text).GetAtomWithIdx(0))
    for number in ("GetIsotope", "GetAtomicNum", "GetFormalCharge", "GetAtomMapNum"):
        assert getattr(found, number)() == getattr(given, number)()


@pytest.mark.parametrize("text", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_molecule_that_is_too_large_is_an_invalid_row(text: str) -> None:
    assert screen([text, "CCO"]).reasons == {"size": 1}
    assert clean([text, "CCO"]).kept.tolist() == [1]
    assert evaluate([text, "CCO"])["validity"] == 0.5
    functions: list[Any] = [canon_smile, murcko_scaffold, fragment, randomize, draw_molecule, *PROPERTIES.values()]
    for function in functions:
        with pytest.raises(MoleculeError, match=r"size: .*, at most .* are processed; leave this molecule out"):
            function(text)


def test_the_limits_of_size_are_those_that_the_message_names() -> None:
    assert len(canon_smile("C" * MAX_ATOMS)) == MAX_ATOMS
    with pytest.raises(MoleculeError, match=f"{MAX_ATOMS + 1:,} atoms, at most {MAX_ATOMS:,}"):
        to_mol("C" * (MAX_ATOMS + 1))
    with pytest.raises(MoleculeError, match=f"{MAX_RINGS + 1} rings, at most {MAX_RINGS}"):
        to_mol("C1CC1" * (MAX_RINGS + 1))
    star = "[U]" + f"({'C' * 40})" * (MAX_NEIGHBOURS + 1)
    with pytest.raises(MoleculeError, match=f"{MAX_NEIGHBOURS + 1} bonds at one atom, at most {MAX_NEIGHBOURS}"):
        to_mol(star)


def test_dense_rings_are_a_matter_of_size() -> None:
    pairs = [(i, j) for i, j in combinations(range(14), 2) if j > i + 1]
    labels = {pair: f"%({100 + number})" for number, pair in enumerate(pairs)}
    complete = "".join("[U]" + "".join(labels[pair] for pair in labels if i in pair) for i in range(14))
    with pytest.raises(MoleculeError, match="size: 78 rings among 14 atoms, at most 2 "):
        to_mol(complete)  # each atom bonded to each: RDKit's fingerprint of paths would need minutes


def test_a_molecule_object_that_is_too_large_is_rejected_and_rdkit_itself_takes_it_in_a_large_stack() -> None:
    mol = Chem.MolFromSmiles("C" * 20_000)
    with pytest.raises(MoleculeError, match="RDKit itself in a thread with a large stack"):
        canon_smile(mol)
    before = threading.stack_size(64 << 20)
    try:
        written: list[str] = []
        thread = threading.Thread(target=lambda: written.append(Chem.MolToSmiles(Chem.MolFromSmiles("C" * 3_000))))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert written == ["C" * 3_000]


@pytest.mark.parametrize("character", ["[", "(", "%", "=", ")", ".", "\u2028", "[C1234"])
def test_a_million_characters_of_nonsense_are_an_invalid_row(character: str) -> None:
    assert screen([character * (1_000_000 // len(character))]).n_valid == 0


@pytest.mark.parametrize(
    "text", ["C\u2028 |c:1|", "C\u2028", "C\udcff", "\ud800", "CC\u2212", "C\x00", "C\x7f", "C\u200b"]
)
def test_other_characters_are_a_typed_error_that_shows_them(text: str) -> None:
    with pytest.raises(MoleculeError, match=r"extra text|character"):
        to_mol(text)
    assert screen([text]).n_valid == 0


def test_the_repr_of_a_molecule_object_is_recognised_and_the_advice_works() -> None:
    mol = Chem.MolFromSmiles("OCC")
    with pytest.raises(MoleculeError, match=r"the repr of a Python object, not a SMILES; .*mrl.chem.to_smile\(mol\)"):
        to_mol(repr(mol))
    assert to_smile(mol) == "CCO"


def test_what_rdkit_raises_in_a_function_is_a_molecule_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(mol: Chem.Mol) -> float:
        raise RuntimeError("Pre-condition Violation\n\tbad atom")

    monkeypatch.setattr("rdkit.Chem.rdMolDescriptors.CalcTPSA", fail)
    with pytest.raises(MoleculeError, match="'CCO': RDKit: tpsa failed, Pre-condition Violation bad atom"):
        PROPERTIES["tpsa"]("CCO")


DATIVE = "O=C(c1cccc(-c2cccc(O)~c2)c1)N1CCc2ccccc2C1"  # valid, but RDKit's QED fails on it


def test_a_valid_molecule_on_which_rdkit_fails_is_left_out_of_what_cannot_be_computed() -> None:
    metrics = evaluate([DATIVE, "CCO"])
    assert metrics["validity"] == 1.0
    assert metrics["filters"] == evaluate(["CCO"])["filters"]


def test_groups_of_invalid_rows_are_masked_or_dropped() -> None:
    smiles: list[Any] = ["C1CC1", "C(", "CC1CC1", None, "CCO"]
    for groups in (scaffold_groups, canonical_groups):
        masked = groups(smiles, on_error="mask")
        assert (masked >= 0).tolist() == [True, False, True, False, True]
        assert groups(smiles, on_error="drop").tolist() == masked[masked >= 0].tolist()
        with pytest.raises(MoleculeError, match="smiles, row 1: "):
            groups(smiles)
        with pytest.raises(ValueError, match="expected 'raise', 'drop' or 'mask'"):
            groups(smiles, on_error="skip")  # type: ignore[arg-type]


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes() -> None:
    smiles = [
        "C" * n + end
        for n in range(1, 61)
        for end in ("O", "N", "c1ccccc1", "[C@H](F)Cl", "C(", "CC1CC1", "S", "#N", "I")
    ]
    assert len(smiles) > 512
    one, two = (scaffold_groups(smiles, on_error="mask", n_jobs=n) for n in (1, 2))
    assert one.tolist() == two.tolist()
    first, second = (evaluate(smiles, smiles[:4], k=[10], n_jobs=n).to_dict() for n in (1, 2))
    assert str(first) == str(second)
