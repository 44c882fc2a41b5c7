"""Where tokens stand in a text, and which atom of a SMILES they belong to."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from mrl.errors import VocabError
from mrl.text import (
    HALOGEN_REPLACE,
    MAPPING_PATTERN,
    SMILE_REGEX,
    CharacterReplaceVocab,
    CharacterVocab,
    RegexVocab,
    SmilesVocab,
    Vocab,
)

DATA = Path(os.environ.get("MRL_DATA", "no such folder"))
VOCABULARIES: dict[str, Vocab] = {
    "character": CharacterVocab([]),
    "halogens": CharacterReplaceVocab([], HALOGEN_REPLACE),
    "smile regex": RegexVocab([], SMILE_REGEX),
    "mapping": RegexVocab([], MAPPING_PATTERN),
    "smiles": SmilesVocab(["[13CH3]"]),
}
PIECES = [*"CNOcn12()=# \t]", "[nH]", "[Og]", "[", "Cl", "Br", "R", "é", "\U0001f9ea", "%(12)", "->", "bos", "[*:1]"]
TEXTS = st.text(max_size=12) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join)

each_vocabulary = pytest.mark.parametrize("kind", VOCABULARIES)


@each_vocabulary
@settings(deadline=None, max_examples=100)
@given(text=TEXTS)
def test_each_token_has_its_position(kind: str, text: str) -> None:
    vocab = VOCABULARIES[kind]
    tokens, spans = vocab.tokenize(text), vocab.spans(text)
    assert len(tokens) == len(spans)
    assert (spans[0], spans[-1]) == ((0, 0, None), (len(text), len(text), None))
    covered = 0
    for token, (begin, end, _) in list(zip(tokens, spans, strict=True))[1:-1]:
        assert begin in (covered, covered - 1)
        assert begin == covered or token.startswith("<0x")
        assert text[begin:end] == vocab.token_text(token) or token.startswith("<0x")
        covered = end
    assert covered == len(text)
    atoms = [
        atom for *_, found in spans if found is not None for atom in (found if isinstance(found, tuple) else (found,))
    ]
    assert atoms == sorted(atoms)


def test_spans_literally() -> None:
    vocab = VOCABULARIES["smiles"]
    assert vocab.spans("C[13CH3]")[1:-1] == [(0, 1, 0), (1, 8, 1)]
    assert vocab.spans("é[Og]Cl C")[1:-1] == [
        *[(0, 1, None), (0, 1, None), (1, 2, 0), (2, 4, 0), (4, 5, 0)],
        *[(5, 7, 1), (7, 8, None), (8, 9, None)],
    ]
    assert VOCABULARIES["halogens"].spans("BrC") == [(0, 0, None), (0, 2, 0), (2, 3, 1), (3, 3, None)]
    assert RegexVocab([], "CC|C=").spans("CCC=O")[1:-1] == [(0, 2, (0, 1)), (2, 4, 2), (4, 5, 3)]
    assert VOCABULARIES["character"].spans("") == [(0, 0, None), (0, 0, None)]


def test_tokens_of_another_text_have_no_position() -> None:
    class Canonical(CharacterVocab):
        def tokenize(self, input: str) -> list[str]:
            return ["bos", *input.strip(), "eos"]

    assert Canonical([]).spans("C")[1] == (0, 1, 0)
    with pytest.raises(VocabError, match="do not give ' C'"):
        Canonical([]).spans(" C")


def symbols_by_text(vocab: Vocab, smiles: str) -> list[str]:
    """The text of each atom, by the spans of its tokens."""
    texts: dict[int, str] = {}
    for begin, end, atom in vocab.spans(smiles):
        if isinstance(atom, int):
            texts[atom] = texts.get(atom, "") + smiles[begin:end]
    assert list(texts) == list(range(len(texts)))
    return list(texts.values())


def require_the_atoms_of_rdkit(vocab: Vocab, smiles: str) -> None:
    parameters: Any = Chem.SmilesParserParams()
    parameters.sanitize = False
    parameters.removeHs = False
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles, parameters)
    texts = symbols_by_text(vocab, smiles)
    assert len(texts) == mol.GetNumAtoms()
    for text, atom in zip(texts, mol.GetAtoms(), strict=True):
        symbol = atom.GetSymbol()
        assert (symbol in text) or (symbol.lower() in text)
        assert text.startswith("[") or text.capitalize() == symbol


@each_vocabulary
@pytest.mark.parametrize(
    "smiles",
    [
        "F[As@TB15](Cl)(S)(Br)N",
        "C1CC1C%(100)CCC%(100)C%12CCC%12",
        "[H]C([2H])=O",
        "[NH3]->[Pt]<-N",
        "Sc1ccccc1[Sc]",
        "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
        "*[10*:1]",
        "CC |$Cl;Br$|",
        "CCl Br",
        " CCl",
        "c1cc[se]c1.[Na+].[Cl-]",
        "C$C",
    ],
)
def test_atoms_are_numbered_as_rdkit_does(kind: str, smiles: str) -> None:
    require_the_atoms_of_rdkit(VOCABULARIES[kind], smiles)


@pytest.mark.skipif(not DATA.is_dir(), reason="MRL_DATA names no folder")
def test_atoms_of_real_molecules_are_numbered_as_rdkit_does() -> None:
    with open(DATA / "lipo.csv", encoding="utf-8") as file:
        smiles = [row["smiles"] for row in csv.DictReader(file)]
    for text in smiles[:1000]:
        require_the_atoms_of_rdkit(VOCABULARIES["smiles"], text)
