"""fragment and fuse: there and back, and fragments that cannot be joined."""

from __future__ import annotations

import csv
import gzip
import os
import pickle
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem

from mrl.chem import Fragments, attachment_points, canon_smile, fragment, fuse, murcko_scaffold, rings
from mrl.errors import ColumnError, MoleculeError
from mrl.text import RegexVocab
from mrl.text.constants import MAPPING_PATTERN, MAPPING_TOKENS

METHODS = ["rings", "scaffold", "brics", "single"]
MOLECULES = [
    "C",
    "CC",
    "CCO",
    "c1ccccc1",
    "CC(=O)Oc1ccccc1C(=O)O",
    "c1ccccc1CCN1CC1c1ccccc1",
    "C[C@H](N)C(=O)N[C@@H](Cc1ccccc1)C(=O)O",
    "C[C@H]1CC[C@@H](O)CC1",
    "C[C@H](O)C(F)[C@@H](C)O",
    "C[C@H](O)[C@H](F)[C@@H](C)O",
    "F/C(Cl)=C(\\Br)[C@H](N)O",
    "CC/C(C)=N\\O",
    "C/C=C/[C@@H](O)/C=C\\C",
    "C/C=C/C=C\\C(=O)NCC",
    "O/N=C1/CC[C@H](C)CC1",
    "CCN1C(=O)/C(=C/N(C)C)c2ccccc21",
    "CP(C)(=O)C[S@](=O)C",
    "C[Si](C)(C)OC[Se]C",
    "[2H]C([2H])([2H])[13CH2]O",
    "C[N+](C)(C)CC(=O)[O-]",
    "[CH3:7]CC[OH:3]",
    "C[C@@H](c1ccccc1)[*:3]",
    "[1*:2]CC(*)c1ccc([2*:4])cc1",
    "O=C=NCC#N",
    "C1CC2(C1)OCCO2",
    "N->[Pt](Cl)(Cl)<-N",
    "C[C@]12CC[C@H]3[C@@H](CCc4cc(O)ccc34)[C@@H]1CC[C@@H]2O",
]

molecules = st.sampled_from(MOLECULES)
methods = st.sampled_from(METHODS)


@given(molecules, methods, st.none() | st.integers(0, 4), st.randoms(use_true_random=False))
def test_there_and_back(smiles: str, method: str, max_cuts: int | None, random: random.Random) -> None:
    pieces = fragment(smiles, method, max_cuts=max_cuts)
    shuffled = list(pieces)
    random.shuffle(shuffled)
    assert fuse(shuffled, partial=True) == canon_smile(smiles)
    if not attachment_points(smiles):
        assert fuse(pieces) == fuse(str(pieces)) == canon_smile(smiles)


@given(molecules, methods)
def test_every_cut_leaves_two_points_and_one_piece_more(smiles: str, method: str) -> None:
    pieces = fragment(smiles, method)
    cuts = len(pieces) - 1
    points = Counter(attachment_points(str(pieces)))
    old = Counter(attachment_points(smiles))
    assert old <= points
    first = 1 + max((int(point[:-1].partition(":")[2]) for point in old), default=0)
    assert points - old == Counter(f"[{end}*:{number}]" for number in range(first, first + cuts) for end in (1, 2))
    assert len(attachment_points(smiles)) + 2 * cuts == sum(len(attachment_points(piece)) for piece in pieces)


@given(molecules, methods)
def test_pieces_are_canonical_and_of_their_kind(smiles: str, method: str) -> None:
    pieces = fragment(smiles, method)
    assert [canon_smile(piece) for piece in pieces] == list(pieces)
    for kind in ("scaffolds", "linkers", "rgroups"):
        for piece in getattr(pieces, kind) if len(pieces) > 1 else ():
            ring = rings(piece) > 0
            points = len(attachment_points(piece))
            assert kind == ("scaffolds" if ring else "linkers" if points > 1 else "rgroups")


@given(molecules, methods, st.integers(0, 30))
def test_the_notation_of_the_molecule_does_not_matter(smiles: str, method: str, seed: int) -> None:
    mol = Chem.MolFromSmiles(canon_smile(smiles))
    other = Chem.MolToSmiles(mol, canonical=False, rootedAtAtom=seed % mol.GetNumAtoms())
    assert fragment(other, method) == fragment(smiles, method) == fragment(mol, method)


@given(molecules, methods)
def test_the_mapping_pattern_reads_every_point_as_one_token(smiles: str, method: str) -> None:
    vocab = RegexVocab(MAPPING_TOKENS, MAPPING_PATTERN)
    pieces = fragment(smiles, method)
    for piece in pieces:
        tokens = vocab.tokenize(piece)[1:-1]
        assert "".join(tokens) == piece
        points = attachment_points(piece)
        assert Counter(token for token in tokens if token in points) == Counter(points)


def test_several_digits_are_one_token() -> None:
    chain = "C".join(["c1ccccc1"] + ["N"] * 12)
    pieces = fragment(chain, "single")
    assert "[1*:10]" in attachment_points(str(pieces))
    tokens = RegexVocab([], MAPPING_PATTERN).tokenize(str(pieces))
    assert {"[1*:10]", "[2*:10]", "[2*:1]"} <= set(tokens)
    assert fuse(pieces) == canon_smile(chain)


@pytest.mark.parametrize("smiles", ["c1ccc(CCN2CC2)cc1Cl", "COc1ccc(C2CC2)cc1", "CC(=O)Oc1ccccc1C(=O)O"])
def test_isotope_2_is_at_the_scaffold_and_1_at_the_rgroup(smiles: str) -> None:
    pieces = fragment(smiles)
    for piece in pieces.rgroups:
        assert [point[:2] for point in attachment_points(piece)] == ["[1"]
    for piece in pieces.linkers:
        assert {point[:2] for point in attachment_points(piece)} == {"[1"}  # all its neighbours are scaffolds


def test_methods() -> None:
    smiles = "COc1ccc(CCN2CCNC2)cc1"
    assert fragment(smiles).linkers == ("C(C[1*:3])[1*:2]",)
    assert fragment(smiles).rgroups == ("CO[1*:1]",)
    whole = fragment(smiles, "scaffold")
    assert [len(kind) for kind in (whole.scaffolds, whole.linkers, whole.rgroups)] == [1, 0, 1]
    assert murcko_scaffold(smiles) == canon_smile(fuse([*whole.scaffolds, "[H][1*:1]"]))
    assert len(fragment("CCCCO", "single")) == 5
    assert fragment("CCCCO", "rings") == Fragments(("CCCCO",), (), ())
    amide = fragment("CC(=O)NCCc1ccccc1", "brics")
    assert amide.scaffolds == ("c1ccc([2*:3])cc1",)
    assert amide.linkers == ("N([2*:1])[1*:2]", "C(C[1*:3])[2*:2]")
    assert amide.rgroups == ("CC(=O)[1*:1]",)


def test_max_cuts_keeps_the_first_cuts() -> None:
    assert str(fragment("CCO", "single", max_cuts=1)) == "C[1*:1].OC[2*:1]"
    assert str(fragment("CCO", "single", max_cuts=0)) == "CCO"


def test_new_points_are_numbered_after_the_old_ones() -> None:
    assert str(fragment("[1*:4]CCO", "single", max_cuts=1)) == "C(C[2*:5])[1*:4].O[1*:5]"


def test_bonds_that_are_never_cut() -> None:
    for smiles in (
        "C=C",
        "C#N",
        "C1CC1",
        "C",
        "*C",
        "[1*:1]C",
        "N->[Pt]",
        "[2H]C",
        "C[Pt@SP1](F)(Cl)Br",
    ):
        assert fragment(smiles, "single") == Fragments((canon_smile(smiles),), (), ()), smiles


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (["[1*:1]C", "[1*:1]N"], "CN"),
        (["[*:1]C", "[10*:1]N"], "CN"),
        (["[1*:1]=C", "[2*:1]=O"], "C=O"),
        ("[1*:1]CCC[2*:1]", "C1CC1"),
        (["CCO"], "CCO"),
        (["[H][1*:1]", "C[2*:1]"], "C"),
        (["[1*:1][CH3:3]", "[2*:1][NH2:3]"], "[CH3:3][NH2:3]"),
        (["*C[1*:1]", "[2*:1]O"], "*CO"),
        (["[1*:12]c1ccccc1", "[2*:12]n1cccc1"], "c1ccc(-n2cccc2)cc1"),
    ],
)
def test_points_with_equal_numbers_are_joined(pieces: Any, whole: str) -> None:
    assert fuse(pieces) == whole
    assert fuse([Chem.MolFromSmiles(x) for x in pieces] if isinstance(pieces, list) else pieces) == whole


def test_partial_keeps_open_points() -> None:
    assert fuse(["[1*:1]C", "[2*:1]CC[1*:2]"], partial=True) == "CCC[1*:2]"
    assert attachment_points(fuse("[1*:1]C.[2*:1]C([1*:2])[2*:3]", partial=True)) == ("[1*:2]", "[2*:3]")


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        (["[1*:1]C", "[2*:2]O"], r"map numbers: 1, 2 occur once; add the missing fragments, or fuse with partial=True"),
        (["[1*:1]C"], "map numbers: 1 occurs once"),
        (["[1*:1]C", "[2*:1]O", "[3*:1]N"], "map numbers: 1 occurs more than twice; renumber them"),
        (["[1*:1]C", "[2*:1]O", "N"], r"several molecules: 2 in one text"),
        (["[1*:1]C", "[2*:1]O", "[1*:2]N", "[2*:2]F"], "several molecules: 2 in one text"),
        (["[1*:1]=C", "[2*:1]O"], "the ends of 1 are double and single bonds; expected two single, two double or two"),
        (["N->[1*:1]", "[2*:1]->[Pt]"], "the ends of 1 are dative and dative bonds; expected two single"),
        (["[1*:1]C[2*:1]"], "the ends of 1 are on one atom or on two that are bonded already"),
        (["[1*:1]CC[2*:1]"], "the ends of 1 are on one atom or on two that are bonded already"),
        (["[1*:1]C[1*:2]", "[2*:1]C[2*:2]"], "the ends of 2 are on one atom or on two that are bonded already"),
        (["[1*:1]", "[2*:1]C"], r"the point \[1\*:1\] has 0 neighbours; expected one bond"),
        (["C[1*:1]C", "[2*:1]C"], r"the point \[1\*:1\] has 2 neighbours; expected one bond"),
        (["[1*:1][2*:2]", "C[2*:1]", "C[1*:2]"], r"is bonded to another point; expected one bond"),
        (["[1*:1][Pt@SP1](F)(Cl)Br", "C[2*:1]"], "stereo: .* is not a tetrahedral centre"),
    ],
)
def test_fragments_that_cannot_be_joined(pieces: Any, reason: str) -> None:
    with pytest.raises(MoleculeError, match=reason) as caught:
        fuse(pieces)
    assert caught.value.text == ".".join(pieces)
    assert caught.value.reason


def test_errors_of_input() -> None:
    with pytest.raises(MoleculeError, match=r"^fragments, row 1: 'C\(' is not a molecule") as caught:
        fuse(["C", "C("])
    assert caught.value.row == 1
    with pytest.raises(MoleculeError, match=r"^no fragments to fuse"):
        fuse([])
    with pytest.raises(ColumnError):
        fuse(Chem.MolFromSmiles("C"))
    with pytest.raises(MoleculeError, match=r"^'CC\.O': several molecules: 2 in one text; fragment them one by one"):
        fragment("O.CC")
    with pytest.raises(ValueError, match=r"^unknown method='murcko'; choose one of 'rings', 'scaffold'"):
        fragment("CC", "murcko")
    with pytest.raises(ValueError, match=r"^max_cuts=-1: expected 0 or more"):
        fragment("CC", max_cuts=-1)
    with pytest.raises(MoleculeError):
        attachment_points("C(")


def test_fragments_are_a_value() -> None:
    pieces = fragment("CC(=O)Oc1ccccc1C(=O)O")
    assert pickle.loads(pickle.dumps(pieces)) == pieces
    assert len({pieces, fragment("OC(=O)c1ccccc1OC(C)=O")}) == 1
    assert len(pieces) == len(list(pieces)) == 3


@pytest.mark.slow
def test_there_and_back_on_real_molecules() -> None:
    path = Path(os.environ.get("MRL_DATA", ""), "muv.csv.gz")
    if not path.is_file():
        pytest.skip("MRL_DATA names no folder with muv.csv.gz")
    with gzip.open(path, "rt") as file:
        smiles = [row["smiles"] for row in csv.DictReader(file)][::500]
    for x in smiles:
        if "." not in x:
            for method in METHODS:
                assert fuse(fragment(x, method)) == canon_smile(x)
