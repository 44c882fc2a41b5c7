"""to_mol, to_smile, canon_smile: lossless or loud."""

from __future__ import annotations

import math
import pickle
import random
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem, RDLogger, rdBase

from mrl.chem import ECFP6, Canonical, DropAtomMaps, canon_smile, clean, heavy_atoms, to_mol, to_smile
from mrl.errors import MoleculeError, RowError
from mrl.ragged import Text

DRAWN = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",
    "F/C=C/F",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "c1cc[se]c1",
    "[O-][N+](=O)c1ccc2[nH]ccc2c1",
    "[Na+].[O-]C(=O)C",
    "[13CH3][C@H](N)C(=O)O",
    "N->[Pt](<-N)(Cl)Cl",
    "[10*:1]CC([2H])[CH2:7]O",
    "C[Si](C)(C)O[Cu++]",
    "C1CC2CCC1CC2C#N",
    "O=C1c2ccccc2C(=O)c2ccccc21",
    "C[S@](=O)CC",
]
LOGGED = hasattr(rdBase, "CaptureErrorLog")  # RDKit 2026.03 and later say where a syntax error is


def rejection(x: object) -> MoleculeError:
    with pytest.raises(MoleculeError) as caught:
        to_mol(x)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("smiles", DRAWN)
def test_a_smiles_becomes_rdkits_molecule(smiles: str) -> None:
    assert Chem.MolToSmiles(to_mol(smiles)) == Chem.MolToSmiles(Chem.MolFromSmiles(smiles))


def test_a_numpy_string_is_a_string() -> None:
    assert canon_smile(np.array(["OCC"])[0]) == "CCO"


class Labelled(Chem.Mol):
    """A user's subclass."""


@pytest.mark.parametrize("kind", [Chem.Mol, Chem.RWMol, Labelled])
def test_a_molecule_is_returned_unchanged(kind: type[Chem.Mol]) -> None:
    mol = kind(Chem.MolFromSmiles("OCC"))
    assert to_mol(mol) is mol
    assert canon_smile(mol) == to_smile(mol) == "CCO"


@pytest.mark.parametrize(
    ("smiles", "kept"),
    [
        ("[13CH4]", "[13CH4]"),
        ("C([2H])", "[2H]C"),
        ("[CH3:5][OH:1]", "[OH:1][CH3:5]"),
        ("[10*:1]CC", "CC[10*:1]"),
        ("F\\C=C\\F", "F/C=C/F"),
        ("Br[C@@](F)(Cl)C", "C[C@](F)(Cl)Br"),
        ("[Cu++]", "[Cu+2]"),
        ("[CH2]C", "[CH2]C"),
        ("C~C", "C~C"),
        ("C$C", "C$C"),
        ("[Cl-].[Na+]", "[Cl-].[Na+]"),
        ("[H][H]", "[H][H]"),
        ("[H+]", "[H+]"),
        ("*", "*"),
    ],
)
def test_canon_smile_keeps_what_distinguishes_molecules(smiles: str, kept: str) -> None:
    assert canon_smile(smiles) == kept


def test_canon_smile_keeps_dative_bonds() -> None:
    assert canon_smile("N->[Pt]") in {"N->[Pt]", "[NH3]->[Pt]"}  # brackets differ between versions of RDKit


def test_hydrogen_atoms_become_counts() -> None:
    assert canon_smile("[H]O[H]") == "O"
    assert to_mol("[H]C([H])([H])[H]").GetNumAtoms() == 1


@given(st.sampled_from(DRAWN), st.randoms(use_true_random=False))
def test_canon_smile_does_not_depend_on_the_order_of_atoms(smiles: str, random: random.Random) -> None:
    mol = to_mol(smiles)
    order = list(range(mol.GetNumAtoms()))
    random.shuffle(order)
    assert canon_smile(Chem.RenumberAtoms(mol, order)) == canon_smile(smiles)
    written = Chem.MolToRandomSmilesVect(mol, 1, randomSeed=random.randrange(1 << 30))[0]
    assert canon_smile(written) == canon_smile(smiles)


@pytest.mark.parametrize("smiles", DRAWN)
def test_canon_smile_of_itself_is_itself(smiles: str) -> None:
    assert canon_smile(canon_smile(smiles)) == canon_smile(smiles)
    assert to_smile(to_mol(smiles)) == canon_smile(smiles)


@pytest.mark.parametrize(("text", "reason"), [("", "empty: no atoms"), ("  \t", "empty: only blanks")])
def test_b24_an_empty_text_is_not_a_molecule_and_has_its_own_reason(text: str, reason: str) -> None:
    error = rejection(text)
    assert (error.text, error.reason, error.row) == (text, reason, None)
    assert str(error) == f"{text!r} is not a molecule; {reason}"


def test_b24_a_molecule_without_atoms_is_empty() -> None:
    assert rejection(Chem.Mol()).reason == "empty: no atoms"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("C(C)(C)(C)(C)C", "valence: Explicit valence for atom # 0 C, 5, is greater than permitted"),
        ("c1cccc1", "kekulization: Can't kekulize mol. Unkekulized atoms: 0 1 2 3 4"),
        ("Cc", "kekulization: non-ring atom 1 marked aromatic"),
        (
            "CCO ethanol",
            "extra text: 'ethanol' after the SMILES 'CCO'; use text.split()[0]",
        ),
        (
            "CCO |c:1|",
            "extra text: '|c:1|' after the SMILES 'CCO', a part of the molecule; use mrl.clean with the step "
            "StripTail()",
        ),
        (
            "CC\tname",
            "extra text: 'name' after the SMILES 'CC'; use text.split()[0]",
        ),
        (" CCO", "extra text: blanks around the SMILES; use text.strip()"),
        ("CCO\r\n", "extra text: blanks around the SMILES; use text.strip()"),
        ("CC\xa0", "extra text: blanks around the SMILES; use text.strip()"),
        ("CC\u2212", "character: '\u2212' (U+2212) at 3 of 3 is not used in SMILES"),
        ("CC\x00", "character: '\\x00' (U+0000) at 3 of 3 is not used in SMILES"),
        ("C\ud800C", "character: '\\ud800' (U+D800) at 2 of 3 is not used in SMILES"),
    ],
)
def test_the_reason_is_one_line_with_its_kind(text: str, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert rejection(text).reason == reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("C1CC", "ring closure: unclosed ring"),
        ("C11", "ring closure: duplicated ring closure 1 bonds atom 0 to itself"),
        ("CC)C", "syntax: extra close parentheses near character 3 of 4, ')'"),
        ("C(C", "syntax: extra open parentheses near character 2 of 3, '('"),
        ("CC>>C", "syntax: cannot be read near character 3 of 5, '>'"),
        ("[Xx]", "syntax: cannot be read near character 2 of 4, 'X'"),
        ("C" * 300 + "}", "syntax: cannot be read near character 301 of 301, '}'"),
        ("<pad>C", "syntax: cannot be read near character 1 of 6, '<'"),
    ],
)
def test_the_reason_is_that_of_the_parser(text: str, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert rejection(text).reason == (reason if LOGGED else "syntax: RDKit cannot read it")
    assert capfd.readouterr() == ("", "")


def test_there_is_a_reason_without_a_captured_log_too(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(rdBase, "CaptureErrorLog", raising=False)
    assert rejection("C1CC").reason == "syntax: RDKit cannot read it"
    assert rejection("CO(C)C").reason.startswith("valence: ")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (None, "type: NoneType (a missing value), expected a SMILES (str) or an RDKit Mol"),
        (math.nan, "type: float (a missing value), expected a SMILES (str) or an RDKit Mol"),
        (np.nan, "type: float (a missing value), expected a SMILES (str) or an RDKit Mol"),
        (3, "type: int, expected a SMILES (str) or an RDKit Mol"),
        (["CCO"], "type: list, expected a SMILES (str) or an RDKit Mol"),
        (b"CCO", "type: bytes, expected a SMILES (str) or an RDKit Mol; decode it first, x.decode()"),
    ],
)
@pytest.mark.parametrize("function", [to_mol, canon_smile, to_smile, heavy_atoms, ECFP6])
def test_other_types_are_rejected(function: Callable[[Any], object], x: object, reason: str) -> None:
    with pytest.raises(MoleculeError, match=re.escape(f"{x!r} is not a molecule; {reason}")) as caught:
        function(x)
    assert (caught.value.text, caught.value.reason, caught.value.row) == (repr(x), reason, None)


def test_an_unsanitized_molecule_is_rejected_with_the_remedy(capfd: pytest.CaptureFixture[str]) -> None:
    unsanitized = Chem.MolFromSmiles("c1ccccc1O", sanitize=False)
    ringless = Chem.MolFromSmiles("CCO", sanitize=False)
    ringless.UpdatePropertyCache()
    for mol in (unsanitized, ringless, Chem.MolFromSmarts("[C,N]")):
        assert rejection(mol).reason == "sanitization: not done yet; call Chem.SanitizeMol(mol) first"
    assert str(rejection(ringless)).startswith("<Mol> is not a molecule; ")
    Chem.SanitizeMol(ringless)
    assert canon_smile(ringless) == "CCO"
    assert capfd.readouterr() == ("", "")


def test_a_long_text_is_cut_in_the_message_but_not_in_the_attribute() -> None:
    text = "C" * 100_000 + "?"
    error = rejection(text)
    assert len(str(error)) < 300
    assert error.text == text


def test_a_subclass_of_str_is_as_long_as_its_text() -> None:
    class Text(str):
        __slots__ = ()

        def __len__(self) -> int:
            return 3

    with pytest.raises(MoleculeError, match="size: 3,000 atoms"):
        to_mol(Text("C" * 3000))


def test_a_megabyte_of_brackets_is_rejected() -> None:
    assert rejection("[" * 1_000_000).reason.startswith("syntax: ")


def test_the_error_survives_pickling_and_is_a_value_error() -> None:
    error = pickle.loads(pickle.dumps(rejection("C1CC")))
    assert isinstance(error, ValueError)
    assert isinstance(error, MoleculeError)
    assert error.text == "C1CC"


@given(st.text(st.sampled_from("CNOcn()[]=#12%+-@/\\.$~: \t\n\x00\x1f\x7f\xa0é\u2212\u2028\ud800"), max_size=12))
def test_a_text_is_a_molecule_as_a_whole_or_not_at_all(text: str) -> None:
    try:
        atoms = to_mol(text).GetNumAtoms()
    except MoleculeError as caught:
        error = caught
    else:
        assert atoms > 0
        assert not re.search(r"[^!-~]", text)
        return
    kinds = "empty|extra text|character|syntax|ring closure|valence|kekulization|sanitization"
    assert re.fullmatch(rf"({kinds}): .+", error.reason)
    assert error.text == text


@given(st.sampled_from(DRAWN), st.characters().filter(lambda c: not "!" <= c <= "~"))
def test_nothing_at_either_end_is_dropped(smiles: str, junk: str) -> None:
    for text in (smiles + junk, junk + smiles, f"{smiles}{junk}x"):
        assert rejection(text).reason.startswith(("extra text: ", "character: "))


def test_the_users_own_log_settings_stay(capfd: pytest.CaptureFixture[str]) -> None:
    RDLogger.DisableLog("rdApp.error")  # type: ignore[attr-defined]
    try:
        rejection("C1CC")
        Chem.MolFromSmiles("C1CC")
        assert capfd.readouterr().err == ""
    finally:
        RDLogger.EnableLog("rdApp.error")  # type: ignore[attr-defined]
    rejection("C1CC")
    Chem.MolFromSmiles("C1CC")
    assert "unclosed ring" in capfd.readouterr().err


def test_a_molecule_in_a_column_of_texts_is_written_by_the_advice_of_the_message() -> None:
    mol = to_mol("OCC")
    with pytest.raises(RowError, match=r"row 1 .*: mrl\.chem\.to_smile\(value\)") as caught:
        Text.of(["CC", mol])
    value = caught.value.value
    assert isinstance(value, Chem.Mol)
    assert Text.of(["CC", to_smile(value)]).tolist() == ["CC", "CCO"]
    with pytest.raises(RowError, match="give its text, or choose another column"):
        Text.of([object()])


@pytest.mark.parametrize(
    ("smiles", "canonical", "without_maps"),
    [
        ("[H:3]CO", "OC[H:3]", "CO"),
        ("[2H:4]CO", "OC[2H:4]", "[2H]CO"),
        ("[H+:1].CO", "CO.[H+:1]", "CO.[H+]"),
        ("[H:1]C([H])([H])O", "OC[H:1]", "CO"),
        ("C[C@]([H:2])(O)F", "C[C@](O)(F)[H:2]", "C[C@H](O)F"),
    ],
)
def test_the_atom_map_of_a_hydrogen_is_kept_until_a_step_drops_it(
    smiles: str, canonical: str, without_maps: str
) -> None:
    assert canon_smile(smiles) == canonical == canon_smile(canonical)
    assert clean([smiles], [DropAtomMaps(), Canonical()]).smiles.tolist() == [without_maps]
