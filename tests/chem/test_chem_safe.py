"""SAFE: fragments joined by ring closures; the molecule comes back, or the row is an error."""

from __future__ import annotations

import csv
import gzip
import os
from pathlib import Path

import pytest

from mrl.chem import canon_smile, from_safe, randomize, shuffle_safe, to_safe
from mrl.data import TextDataset
from mrl.errors import MoleculeError
from mrl.text import SmilesVocab

SMILES = [
    "CC(=O)Nc1ccccc1",
    "C[C@H](N)C(=O)N[C@@H](C)C(=O)O",
    "C[C@]12CC[C@H](OC(C)=O)C[C@@H]1CC[C@@H]1[C@@H]2CC[C@]2(C)C(=O)CC[C@@H]12",
    "O=C(/C=C/c1ccccc1)Nc1ccc(F)cc1",
    "F/C(=C\\\\Oc1ccccc1)N(C)C".replace("\\\\", "\\"),
    "C[S@](=O)c1ccccc1",
    "CC(C)(C)OC(=O)N1CC[C@@H](N(C)S(=O)(=O)c2ccc(Cl)cc2)C1",
    "[2*:1]c1ccc(OC[13CH3])cc1",
    "C",
    "[NH3+]CCOc1ccccc1",
]


@pytest.mark.parametrize("smiles", SMILES)
def test_the_molecule_comes_back_from_every_notation_and_order(smiles: str) -> None:
    for seed in range(12):
        text = to_safe(randomize(smiles, seed), seed=seed)
        assert from_safe(text) == canon_smile(smiles)
        assert from_safe(shuffle_safe(text, seed)) == canon_smile(smiles)


def test_texts_written_out() -> None:
    assert to_safe("c1ccccc1") == "c1ccccc1"
    assert to_safe("CCO", [(0, 1), (1, 2), (2, 1)]) == "C12.C1.O2"
    assert to_safe("N[C@@H](C)C(=O)O", [(1, 2)]) == to_safe("C[C@H](N)C(=O)O", [(0, 1)])
    assert {to_safe(randomize("CC(=O)Nc1ccccc1", seed)) for seed in range(20)} == {"c31ccccc1.C2(C)=O.N23"}


def test_numbers_beyond_99() -> None:
    chain = "C" * 230
    text = to_safe(chain, [(i, i + 1) for i in range(229)])
    assert "%(100)" in text
    assert "%(229)" in text
    assert from_safe(text) == chain
    vocab = SmilesVocab()
    assert vocab.decode(vocab.encode([text])) == [text]


@pytest.mark.parametrize(
    ("smiles", "bonds", "words"),
    [
        ("CCO.CC", "brics", "several molecules: 2 in one text"),
        ("CCO", [(0, 2)], "no acyclic single bond joins the atoms 0 and 2 of 0 to 2"),
        ("CCO", [(0, 9)], "no acyclic single bond joins the atoms 0 and 9"),
        ("C1CC1", [(0, 1)], "no acyclic single bond"),
        ("C=C", [(0, 1)], "no acyclic single bond"),
        ("[50001*]CC", "brics", "isotopes: one is 50,000 or more"),
    ],
)
def test_what_cannot_be_written_is_an_error_with_its_reason(smiles: str, bonds: object, words: str) -> None:
    with pytest.raises(MoleculeError, match=words) as error:
        to_safe(smiles, bonds)  # type: ignore[arg-type]
    assert error.value.text == smiles
    with pytest.raises(ValueError, match="bonds is 'rings'; expected 'brics' or pairs of atoms"):
        to_safe("CCO", "rings")


def test_half_a_bond_is_an_error() -> None:
    with pytest.raises(MoleculeError):
        from_safe("c31ccccc1.C2(C)=O")


def test_the_order_of_fragments_is_a_function_of_seed_epoch_and_row() -> None:
    safes = [to_safe(smiles) for smiles in SMILES]
    ds = TextDataset(safes, SmilesVocab(), augment=shuffle_safe, seed=3)
    loader = ds.dataloader(len(ds))
    first = ds.vocab.decode(next(iter(loader))[0])
    loader.set_epoch(1)
    second = ds.vocab.decode(next(iter(loader))[0])
    assert first != second
    loader.set_epoch(0)
    assert ds.vocab.decode(next(iter(loader))[0]) == first
    assert [from_safe(text) for text in first] == [from_safe(text) for text in second] == list(map(canon_smile, SMILES))


def test_molecules_of_muv() -> None:
    folder = os.environ.get("MRL_DATA")
    if not folder or not (path := Path(folder) / "muv.csv.gz").exists():
        pytest.skip("MRL_DATA is not set, or has no muv.csv.gz")
    with gzip.open(path, "rt") as opened:
        smiles = [row["smiles"] for row, _ in zip(csv.DictReader(opened), range(12_000), strict=False)][::40]
    assert [from_safe(to_safe(one, seed=i)) for i, one in enumerate(smiles)] == [canon_smile(one) for one in smiles]
