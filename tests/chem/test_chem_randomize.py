"""Randomised SMILES: another text for the same molecule, and the same text for the same seed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from mrl.chem import canon_smile, randomize
from mrl.errors import MoleculeError

MOLECULES = [
    "C",
    "[NH4+]",
    "CC(=O)Nc1ccccc1",
    "C[C@H](F)O",
    "C[C@@H]1CC[C@H](C)CC1",
    "F/C=C/C=C\\Cl",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "[Na+].[Cl-].O",
    "[13CH3][C@]([2H])(O)[N+](=O)[O-]",
    "CC[Pt@SP1](Cl)(N)Br",
    "C1CC2CCC1CC2",
    "[CH3:1][OH:2]",
    "O=C1N[C@@H](Cc2c[nH]c3ccccc23)C(=O)N1",
    "[H][H]",
    "N->[Pt](<-N)(Cl)Cl",
]

GOLDEN = ["O=C(C)Nc1ccccc1", "c1c(NC(=O)C)cccc1", "c1ccccc1NC(=O)C"]


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(MOLECULES), st.integers(-(2**70), 2**70))
def test_always_the_same_molecule(smiles: str, seed: int) -> None:
    made = randomize(smiles, seed)
    assert canon_smile(made) == canon_smile(smiles)
    assert randomize(smiles, seed) == made
    assert randomize(Chem.MolFromSmiles(smiles), seed) in (made, canon_smile(smiles))


def test_another_text_for_another_seed() -> None:
    texts = [randomize("CC(=O)Nc1ccccc1", seed) for seed in range(100)]
    assert len(set(texts)) > 20
    assert {text[0] for text in texts} == set("CONc")  # from each kind of atom


def test_golden_texts() -> None:
    assert [randomize("CC(=O)Nc1ccccc1", seed) for seed in (0, 2**63 - 1, -1)] == GOLDEN
    script = "from mrl.chem import canon_smile, randomize; print(randomize('CC(=O)Nc1ccccc1', -1))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == GOLDEN[2]


def test_a_molecule_that_rdkit_would_write_as_another_one_stays_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Chem, "RenumberAtoms", lambda molecule, order: Chem.MolFromSmiles("CC"))
    assert randomize("OC", 3) == "OC"
    assert randomize(Chem.MolFromSmiles("OC"), 3) == "CO"
    with_hydrogens = Chem.AddHs(Chem.MolFromSmiles("C"))
    assert randomize(with_hydrogens) == "[H]C([H])([H])[H]"


def test_invalid_molecules() -> None:
    for text in ("", "C(", "X"):
        with pytest.raises(MoleculeError, match=r"is not a molecule") as caught:
            randomize(text)
        assert caught.value.text == text
    with pytest.raises(TypeError):
        randomize("C", 0.5)  # type: ignore[arg-type]
