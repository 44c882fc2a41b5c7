"""The sample that comes with the package, and the script that makes it."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rdkit
from rdkit import Chem
from rdkit.Chem import QED, Crippen, Descriptors, rdMolDescriptors

from mrl.corpus import Table, load_sample

SCRIPTS = Path(__file__).parents[2] / "scripts"
RDKIT = re.findall(r'^RDKIT = "(.+?)"', (SCRIPTS / "make_sample.py").read_text(), re.MULTILINE)[0]


@pytest.fixture(scope="module")
def sample() -> Table:
    return load_sample()


def test_it_is_large_distinct_and_whole(sample: Table) -> None:
    smiles = sample.smiles.tolist()
    assert 20_000 <= len(smiles) <= 25_000
    assert len(set(smiles)) == len(smiles)
    assert len(sample.rejects) == 0
    assert sample.notes == {}
    assert list(sample.columns) == ["smiles", "mw", "logp", "tpsa", "qed", "name"]
    assert np.isfinite(sample.y).all()


def test_it_is_broad(sample: Table) -> None:
    mw, qed = (sample.y[:, sample.targets.index(name)] for name in ("mw", "qed"))
    assert np.quantile(mw, [0.05, 0.95])[0] < 200 < 400 < np.quantile(mw, [0.05, 0.95])[1]
    assert 0.65 <= qed.mean() <= 0.75
    assert (qed > 0.85).mean() > 0.1
    assert (qed < 0.5).mean() > 0.05
    text = "\n".join(sample.smiles)
    assert all(
        piece in text for piece in ["@", "/", "\\", "+]", "-]", "[nH]", "Br", "I", "P", "B", "[Si]", "[se]", "[n+]"]
    )
    assert np.quantile(sample.smiles.lengths, 0.99) < 80


def test_the_well_known_drugs_are_in(sample: Table) -> None:
    names = [name for name in sample["name"] if name]
    with open(SCRIPTS / "drugs.csv", encoding="utf-8", newline="") as file:
        drugs = {row["name"]: row for row in csv.DictReader(file)}
    assert len(names) == len(drugs) >= 300
    assert set(names) == set(drugs)
    place = sample["name"].tolist().index("aspirin")
    assert sample.smiles[place] == "CC(=O)Oc1ccccc1C(=O)O"
    assert abs(sample["mw"][place] - 180.16) < 0.01


def test_every_twentieth_row_is_canonical_and_rightly_labelled(sample: Table) -> None:
    for row in range(0, len(sample), 20):
        mol = Chem.MolFromSmiles(sample.smiles[row])
        assert mol is not None, sample.smiles[row]
        assert abs(Descriptors.MolWt(mol) - sample["mw"][row]) < 0.01  # type: ignore[attr-defined]
        assert abs(rdMolDescriptors.CalcTPSA(mol) - sample["tpsa"][row]) < 0.06
        if rdkit.__version__ == RDKIT:
            assert Chem.MolToSmiles(mol) == sample.smiles[row]
            assert abs(Crippen.MolLogP(mol) - sample["logp"][row]) < 0.006  # type: ignore[attr-defined]
    for row in range(0, len(sample), 400):
        qed = QED.qed(Chem.MolFromSmiles(sample.smiles[row]))  # type: ignore[no-untyped-call]
        assert abs(qed - sample["qed"][row]) < 0.01


@pytest.mark.slow
def test_all_rows_are_molecules(sample: Table) -> None:
    assert all(Chem.MolFromSmiles(smiles) is not None for smiles in sample.smiles)


@pytest.mark.slow
@pytest.mark.skipif(
    rdkit.__version__ != RDKIT, reason=f"the text is promised for RDKit {RDKIT}, this is {rdkit.__version__}"
)
def test_the_script_makes_the_same_text_under_any_hash_seed() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPTS / "make_sample.py", "--check"],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is the same text" in done.stdout
