"""Patterns that are not searched are those that cannot occur: alerts and QED are RDKit's own, molecule by molecule."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, RDLogger
from rdkit.Chem import QED, FilterCatalog

from mrl.chem import Substructure, qed
from mrl.chem.cleaning.filters import find_alert
from mrl.chem.notation.patterns import PatternSet
from mrl.corpus import load_sample

DATA = Path(os.environ.get("MRL_DATA", "nowhere"))
ATOMS = [
    "C",
    "c",
    "N",
    "[#7]",
    "[O,S]",
    "[!#6]",
    "[C,N;!H0]",
    "*",
    "[$(CO)]",
    "[#6&!H0]",
    "[F,Cl,Br,I]",
    "[N+]",
    "[#1]",
]
SMARTS = st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(["", "-", "=", "~", ":", "-,=", "!@", "#", "!-"])),
                  min_size=1, max_size=5).map(
    lambda parts: "".join(f"{atom}{bond}" for atom, bond in parts[:-1]) + parts[-1][0]
)  # fmt: skip
MOLECULES = [Chem.MolFromSmiles(smiles) for smiles in load_sample().smiles[:200]]
MOLECULES += [Chem.MolFromSmiles(s) for s in ("[H][H]", "C[Pt](N)(N)Cl", "[NH3]->[Cu]", "*C#N", "[O-][N+](=O)c1ccsc1")]


@given(st.lists(SMARTS, min_size=1, max_size=20))
@settings(deadline=None, max_examples=60)
def test_a_pattern_that_occurs_is_a_candidate(smarts: list[str]) -> None:
    patterns = [Chem.MolFromSmarts(text) for text in smarts]
    found = PatternSet(patterns)
    for mol in MOLECULES[::7] + MOLECULES[-5:]:
        candidates = found.candidates(mol)
        assert {i for i, one in enumerate(patterns) if one is not None and mol.HasSubstructMatch(one)} <= {*candidates}
        assert candidates == sorted(candidates)


def test_most_patterns_are_not_candidates() -> None:
    patterns = PatternSet([*QED.StructuralAlerts])
    assert sum(len(patterns.candidates(mol)) for mol in MOLECULES) < len(MOLECULES) * len(QED.StructuralAlerts) / 3


def assert_as_rdkit(smiles: list[str]) -> None:
    catalogues = {}
    for name in ("PAINS", "BRENK", "NIH"):
        params = FilterCatalog.FilterCatalogParams()
        params.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.names[name])
        catalogues[name] = FilterCatalog.FilterCatalog(params)
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    for text in smiles:
        mol = Chem.MolFromSmiles(text)
        reference: Any = QED
        assert qed(mol) == reference.qed(Chem.MolFromSmiles(text)), text
        for name, catalogue in catalogues.items():
            expected, found = catalogue.GetFirstMatch(mol), find_alert(mol, (name,))
            assert (expected and expected.GetDescription()) == (found and found.GetDescription()), (name, text)


def test_alerts_and_qed_are_those_of_rdkit() -> None:
    assert_as_rdkit(
        [*load_sample().smiles[:150], "[2H]OC([2H])C", "C[Si](C)(C)Cl", "[H][H]", "CC[Hg]C", "O=[N+]([O-])C"]
    )


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="MRL_DATA is not set")
def test_alerts_and_qed_are_those_of_rdkit_for_many_molecules() -> None:
    with gzip.open(DATA / "zinc250k.smi.gz", "rt") as file:
        assert_as_rdkit([line.split()[0] for line in file][1::100])


@pytest.mark.parametrize("smarts", ["CC junk", "CC\u2212", "CC\n", "C\0C", "\ud800", "", "C("])
def test_a_pattern_is_read_as_a_whole_or_refused(smarts: str) -> None:
    with pytest.raises(ValueError, match="RDKit cannot read this SMARTS pattern"):
        Substructure(smarts)
