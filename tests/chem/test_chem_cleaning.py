"""Cleaning: every step on literal molecules, every row kept or accounted for, parts equal to the whole."""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from mrl.chem import (
    Alerts,
    Canonical,
    CanonicalSet,
    CanonicalTautomer,
    Cleaned,
    DisconnectMetals,
    DropAtomMaps,
    DropIsotopes,
    DropStereo,
    HoldOut,
    LargestFragment,
    Neutral,
    Normalize,
    OnlyElements,
    Predicate,
    Reionize,
    RejectMixtures,
    RemoveSalts,
    RingSize,
    Step,
    StripTail,
    TextLength,
    Uncharge,
    Within,
    canon_smile,
    clean,
    clean_rows,
    deduplicate,
    elements,
    preset,
)
from mrl.errors import ColumnError, FeatureError, MoleculeError, RowError

PIPELINE = (StripTail(), LargestFragment(), Normalize(), Uncharge(), Reionize(), Canonical())
EVERY = (
    StripTail(),
    TextLength(400),
    DropAtomMaps(),
    DropIsotopes(),
    DisconnectMetals(),
    RemoveSalts(),
    LargestFragment(),
    Normalize(),
    Uncharge(),
    Reionize(),
    CanonicalTautomer(),
    DropStereo(),
    OnlyElements("H B C N O F Si P S Cl Se Br I *"),
    Neutral(),
    Within("molwt", 0, 1000),
    Within("molwt", most=900),
    RingSize(9),
    Alerts("PAINS", "BRENK", "NIH"),
    HoldOut(["c1ccccc1"]),
    Canonical(),
    TextLength(100, of=len),
)


def one(text: str, *steps: Step) -> str:
    """The text of a row after the steps."""
    cleaned = clean([text], steps)
    assert len(cleaned.smiles) == 1, cleaned.rejects
    return str(cleaned.smiles[0])


def rejected(text: str, *steps: Step) -> tuple[str, str]:
    """Stage and reason of a row that is removed."""
    (reject,) = clean([text], steps).rejects
    return reject.stage, reject.reason


def many_atoms(mol: Chem.Mol) -> bool:
    return mol.GetNumAtoms() > 2


def tokens(text: str) -> int:
    return len(text.replace("Cl", "R").replace("Br", "L"))


# What each step does


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        (StripTail(), " CCO \t", "CCO"),
        (StripTail(), "CCO ethanol, dry", "CCO"),
        (StripTail(), "C1CCCCC1 |c:1|", "C1CCCCC1"),
        (LargestFragment(), "CC(=O)[O-].[Na+]", "CC(=O)[O-]"),
        (LargestFragment(), "O.O.O.CN.Cl", "CN"),
        (LargestFragment(), "C.O=[U]=O", "C"),
        (LargestFragment(), "[Na+].[Cl-]", "[Cl-]"),
        (LargestFragment(), "C1.C1", "C1.C1"),
        (LargestFragment(), "CC(=O)Oc1ccccc1C(=O)O.NCCCC[C@H](N)C(=O)O", "CC(=O)Oc1ccccc1C(=O)O"),
        (LargestFragment("atoms"), "CC(=O)Oc1ccccc1C(=O)O.NCCCC[C@H](N)C(=O)O", "NCCCC[C@H](N)C(=O)O"),
        (LargestFragment("text"), "CCCCCC.O=S(=O)(O)O", "O=S(=O)(O)O"),
        (LargestFragment("text"), "CCN.CCO", "CCN"),
        (RemoveSalts(), "CN(C)CCCN1c2ccccc2CCc2ccccc21.Cl", "CN(C)CCCN1c2ccccc2CCc2ccccc21"),
        (RemoveSalts(), "CCCCCCN.O=C(O)c1cc2ccccc2c(Cc2c(O)c(C(=O)[O-])cc3ccccc23)c1O", "CCCCCCN"),
        (RemoveSalts(), "CCCCCCN.[2H]C([2H])([2H])S(C)=O.O.O", "CCCCCCN"),
        (RemoveSalts(), "CC(=O)[O-].[Na+]", "CC(=O)[O-].[Na+]"),
        (RemoveSalts(), "CC(=O)Oc1ccccc1C(=O)O.NCCCC[C@H](N)C(=O)O", "CC(=O)Oc1ccccc1C(=O)O"),
        (RemoveSalts(["CCO"]), "CCCCN.OCC.[Na+].[Cl-]", "CCCCN.[Cl-].[Na+]"),
        (DisconnectMetals(), "CC(=O)O[Na]", "CC(=O)[O-].[Na+]"),
        (DisconnectMetals(), "[Na]Cl", "[Cl-].[Na+]"),
        (DisconnectMetals(), "C[Si](C)(C)C", "C[Si](C)(C)C"),
        (Normalize(), "C[n+]1cc([O-])on1", "C[n+]1cc([O-])on1"),
        (Normalize(), "C[N-][N+]#N", "CN=[N+]=[N-]"),
        (Normalize(), "CN=[N+]=[N-]", "CN=[N+]=[N-]"),
        (Normalize(), "CCOC(=O)[CH-][N+]#N", "CCOC(=O)C=[N+]=[N-]"),
        (Normalize(rdkit_only=True), "C[N-][N+]#N", "C[N-][N+]#N"),
        (Uncharge(only_unbalanced=True), "[NH3+]CC(=O)[O-]", "[NH3+]CC(=O)[O-]"),
        (Uncharge(only_unbalanced=True), "CC(=O)[O-]", "CC(=O)O"),
        (DropIsotopes(), "[1*:1][13CH3]", "C[1*:1]"),
        (Normalize(), "CS(C)=O", "C[S+](C)[O-]"),
        (Normalize(), "C[34#16](C)=O", "C[34S+](C)[O-]"),
        (Normalize(), "O=s1cccc1", "[O-][s+]1cccc1"),
        (Normalize(), "CP(=O)=O", "C[P+](=O)[O-]"),
        (Normalize(), "C[As](=O)=O", "C[As+](=O)[O-]"),
        (Normalize(), "C[N+](C)=CC=C[O-]", "CN(C)C=CC=O"),
        (Normalize(), "c1ccccc1N(=O)=O", "c1ccccc1N(=O)=O"),
        (Uncharge(), "CC(=O)[O-]", "CC(=O)O"),
        (Uncharge(), "C[NH3+]", "CN"),
        (Uncharge(), "[NH3+]CC(=O)[O-]", "NCC(=O)O"),
        (Uncharge(), "C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)[O-]"),
        (Uncharge(), "C[N+](=O)[O-]", "C[N+](=O)[O-]"),
        (Reionize(), "O=C([O-])CS(=O)(=O)O", "O=C(O)CS(=O)(=O)[O-]"),
        (CanonicalTautomer(), "C=C(O)C", "CC(C)=O"),
        (CanonicalTautomer(), "Oc1ccccn1", "O=c1cccc[nH]1"),
        (DropStereo(), "C[C@H](N)C(=O)O", "CC(N)C(=O)O"),
        (DropStereo(), "F/C=C\\F", "FC=CF"),
        (DropStereo(), "[H]/N=C(/C)CC", "CCC(C)=N"),
        (DropStereo(), "C[C@H](C)C", "C[C@H](C)C"),
        (DropIsotopes(), "[13CH3]O", "CO"),
        (DropIsotopes(), "[2H]O[2H]", "O"),
        (DropIsotopes(), "C[C@H]([2H])O", "CCO"),
        (DropAtomMaps(), "[CH3:1][CH2:12]O", "CCO"),
        (DropAtomMaps(), "[1*:1]C", "[1*]C"),
        (Canonical(), "C(O)C", "CCO"),
    ],
)
def test_what_a_step_writes(step: Step, before: str, after: str) -> None:
    cleaned = clean([before], [step])
    assert cleaned.smiles.tolist() == [after]
    count = cleaned.counts[step.stage]
    assert (count.rows, count.changed, count.removed) == (1, int(after != before), 0)
    assert [(e.before, e.after) for e in count.examples] == ([(before, after)] if after != before else [])


@pytest.mark.parametrize(
    ("step", "text", "reason"),
    [
        (OnlyElements("C N O"), "C[Si](C)(C)Cl", "element: Cl, Si are not among C, N, O"),
        (OnlyElements("C O"), "[2H]C", "element: H is not among C, O"),
        (OnlyElements(["C"]), "*C", "element: * is not among C"),
        (Within("molwt", 250, 350), "CCO", "below 250: molwt is 46.069"),
        (Within("heavy_atoms", most=2), "CCO", "above 2: heavy_atoms is 3"),
        (Within("rotbond", most=1), "CCCCCC", "above 1: rotbond is 3"),
        (Within("logp", most=-1), "CCO", "above -1: logp is -0.0014"),
        (Within("rings", 1), "CCO", "below 1: rings is 0"),
        (Within("formal_charge", 0, 0), "C[NH3+]", "above 0: formal_charge is 1"),
        (RingSize(6), "C1CCCCCC1", "above 6: the largest ring has 7 atoms"),
        (Neutral(), "C[N+](=O)[O-]", "charge: N+1, O-1"),
        (Neutral(), "[Fe+3]", "charge: Fe+3"),
        (TextLength(3), "CCCO", "above 3: length is 4"),
        (TextLength(least=3), "CC", "below 3: length is 2"),
        (TextLength(3, of=tokens), "ClCBrC", "above 3: length is 4"),
        (Alerts("PAINS"), "O=C1NC(=S)SC1=Cc1ccccc1", "PAINS_A: ene_rhod_A(235)"),
        (Alerts("PAINS", "BRENK"), "CC(=O)Cl", "Brenk: acid_halide"),
        (HoldOut(["C(C)O"]), "OCC", "held out: CCO"),
        (Alerts("MCF"), "CC=O", "MCF: MCF7"),
        (Alerts("MCF"), "CCCBr", "MCF: MCF4"),
        (RejectMixtures(), "CCO.CCN", "mixture: 2 different components, CCN and CCO"),
        (RejectMixtures(), "C[C@H](N)O.C[C@@H](N)O", "mixture: 2 different components, C[C@@H](N)O and C[C@H](N)O"),
        (Predicate(many_atoms), "CC", "many_atoms: False"),
    ],
)
def test_the_reason_of_a_filter(step: Step, text: str, reason: str) -> None:
    stage, found = rejected(text, step)
    assert stage == step.stage
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (OnlyElements("C N O"), "C[NH2+]C(=O)[O-]"),
        (OnlyElements("H C"), "[2H]C"),
        (Within("heavy_atoms", 3, 3), "CCO"),
        (Within("formal_charge", 0, 0), "C[N+](=O)[O-]"),
        (RingSize(6), "c1ccccc1"),
        (RingSize(3), "CCO"),
        (Neutral(), "CC(=O)O"),
        (TextLength(3, of=tokens), "ClCBr"),
        (Alerts("PAINS", "NIH", "BRENK"), "CCO"),
        (HoldOut(CanonicalSet.of(["CCO"])), "CCN"),
        (RejectMixtures(), "CCN.CC[NH3+]"),
        (RejectMixtures(), "CCN"),
        (many_atoms, "CCO"),
    ],
)
def test_molecules_that_pass_a_filter(step: Step, text: str) -> None:
    assert clean([text], [step]).smiles.tolist() == [text]


# Order, notation, names


def test_a_text_stays_until_its_molecule_changes() -> None:
    texts = ["C1=CC=CC=C1", "OCC.Cl", "C(O)C"]
    assert clean(texts, [LargestFragment(), Uncharge()]).smiles.tolist() == ["C1=CC=CC=C1", "CCO", "C(O)C"]
    assert clean(texts, PIPELINE).smiles.tolist() == ["c1ccccc1", "CCO", "CCO"]


def test_steps_are_done_in_their_order() -> None:
    texts = ["CCO.CCCCCCCC(=O)O"]
    small = Within("heavy_atoms", most=10)
    assert len(clean(texts, [LargestFragment(), small]).smiles) == 1
    assert len(clean(texts, [small, LargestFragment()]).smiles) == 0


def test_a_tail_is_rejected_unless_a_step_removes_it() -> None:
    assert rejected("CCO |c:1|", Canonical())[0] == "parse"
    assert one("CCO |c:1|", StripTail(), Canonical()) == "CCO"
    assert rejected("  ", StripTail()) == ("parse", "empty: only blanks")


def test_lengths_in_front_of_parsing_are_those_of_the_text_as_it_was_found() -> None:
    cleaned = clean(["CC(", "C(O)(C)"], [TextLength(5), Canonical()])
    assert [reject.stage for reject in cleaned.rejects] == ["parse", "text length"]
    assert list(cleaned.counts) == ["text length", "parse", "canonical"]
    assert clean(["C(O)(C)"], [Canonical(), TextLength(5)]).smiles.tolist() == ["CCO"]


def test_two_steps_of_one_name_are_counted_apart() -> None:
    cleaned = clean(["CCO", "C" * 9], [Within("heavy_atoms", 2), Within("heavy_atoms", most=5), lambda mol: True])
    assert list(cleaned.counts) == ["parse", "heavy_atoms", "heavy_atoms (2)", "<lambda>"]
    assert cleaned.rejects[0].stage == "heavy_atoms (2)"
    assert list(clean(["C"], [Predicate(many_atoms, "parse")]).counts) == ["parse", "parse (2)"]


def test_counts_and_examples() -> None:
    texts = ["CCO", "C(", "CC[O-]", "C[O-]", "[O-]CCC", "CCC[O-]", "", "C", None]
    cleaned = clean(texts, [Uncharge(), Within("heavy_atoms", 2)])
    parse, uncharge, size = cleaned.counts.values()
    assert (parse.rows, parse.changed, parse.removed) == (9, 0, 3)
    assert (uncharge.rows, uncharge.changed, uncharge.removed) == (6, 4, 0)
    assert (size.rows, size.changed, size.removed) == (6, 0, 1)
    assert [(e.row, e.before, e.after) for e in uncharge.examples] == [
        (2, "CC[O-]", "CCO"),
        (3, "C[O-]", "CO"),
        (4, "[O-]CCC", "CCCO"),
    ]
    assert [e.row for e in parse.examples] == [1, 6, 8]
    assert parse.examples[1].reason == "empty: no atoms"
    assert [(r.row, r.stage) for r in cleaned.rejects] == [(1, "parse"), (6, "parse"), (7, "heavy_atoms"), (8, "parse")]
    assert repr(cleaned) == "Cleaned(5 of 9 rows; parse: 3 removed; uncharge: 4 changed; heavy_atoms: 1 removed)"


def test_rejects_show_the_text_as_it_was_found() -> None:
    cleaned = clean(["C(O)C.Cl", "OCC"], [LargestFragment(), Canonical(), TextLength(2)])
    assert [reject.text for reject in cleaned.rejects] == ["C(O)C.Cl", "OCC"]
    cleaned = clean(["CCO", " OCC"], PIPELINE, duplicates="first")
    assert cleaned.rejects[0] == (1, " OCC", "duplicates", "duplicate: the molecule of row 0")


def test_a_value_that_is_not_a_text_is_a_rejected_row() -> None:
    mol = Chem.MolFromSmiles("C")
    cleaned = clean([None, float("nan"), 3, mol, b"C", "C"], PIPELINE)
    assert cleaned.kept.tolist() == [5]
    assert [reject.stage for reject in cleaned.rejects] == ["parse"] * 5
    assert "missing value" in cleaned.rejects[0].reason
    assert "to_smile(mol)" in cleaned.rejects[3].reason


def test_labels_and_ids_stay_with_their_rows() -> None:
    labels = np.arange(8, dtype=np.float32).reshape(4, 2)
    cleaned = clean(["C(", "CCO", "", "N"], labels=labels, ids=["a", "b", "c", "d"])
    assert cleaned.ids == ("b", "d")
    assert cleaned.labels is not None
    np.testing.assert_array_equal(cleaned.labels, labels[[1, 3]])
    assert cleaned.labels.dtype == np.float32
    assert clean([], labels=[], ids=[]).ids == ()


def test_progress_counts_every_row() -> None:
    calls = []
    clean(["C", "C(", None], progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_the_account_can_be_written_as_json() -> None:
    facts = clean(["CCO", "c1ccccc1", "C("], EVERY, duplicates="mean").to_dict()
    again = json.loads(json.dumps(facts))
    assert (again["rows"], again["kept"]) == (3, 1)
    steps = [step["step"] for step in again["steps"]]
    kinds = [step.to_dict()["step"] for step in EVERY]
    assert steps == [*kinds[:2], "parse", *kinds[2:], "duplicates"]
    assert TextLength(5, of=tokens).to_dict()["of"] == f"{__name__}.tokens"
    assert HoldOut(["C", "N"]).to_dict()["molecules"] == 2
    assert OnlyElements("C N").to_dict() == {"step": "only elements", "elements": ["C", "N"]}


# Laws


SMILES = [
    *("CCO", "OCC", "C(", "", " ", "CCO name", "CC(=O)[O-].[Na+]", "C[N+](=O)[O-]", "CN(=O)=O", "[2H]O", "[CH3:1]O"),
    *("C[C@H](N)C(=O)O", "F/C=C/F", "c1ccccc1", "c1cccc1", "C1CCCCCCC1", "[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1", "*C"),
    *("O=C1NC(=S)SC1=Cc1ccccc1", "[Na+].[Cl-]", "C−C", "C |^1:0|", "CS(C)=O", "N#[N+][N-]C", "[H][H]", "[Si]"),
]
rows = st.lists(st.one_of(st.sampled_from(SMILES), st.text("CNO()=[]+-.1@/ ", max_size=8), st.none()), max_size=12)
rules = st.sampled_from([None, "first", "mean", "median", "drop"])
plans = st.one_of(
    st.sampled_from(["none", "moses", "guacamol", "reinvent", "molformer"]),
    st.lists(st.sampled_from(EVERY), max_size=5),
)


@settings(max_examples=60, deadline=None)
@given(rows, plans, rules)
def test_rows_in_are_rows_kept_and_rows_rejected(texts: list[str | None], steps: Any, rule: Any) -> None:
    labels = [float(i % 3) for i in range(len(texts))]
    cleaned = clean(texts, steps, labels=labels, ids=range(len(texts)), duplicates=rule)
    removed = [reject.row for reject in cleaned.rejects]
    assert sorted([*cleaned.kept.tolist(), *removed]) == list(range(len(texts)))
    assert cleaned.ids == tuple(cleaned.kept.tolist())
    assert cleaned.labels is not None
    assert len(cleaned.smiles) == len(cleaned.labels) == len(cleaned.kept)
    assert all(reject.reason and reject.stage in cleaned.counts for reject in cleaned.rejects)
    assert sum(count.removed for count in cleaned.counts.values()) == len(removed)
    for stage, count in cleaned.counts.items():
        assert count.removed == sum(reject.stage == stage for reject in cleaned.rejects)
    for row, text in zip(cleaned.kept.tolist(), cleaned.smiles, strict=True):
        canon_smile(text)  # what is kept is a molecule
        if not any(count.changed for stage, count in cleaned.counts.items() if stage != "conflicts"):
            assert text == texts[row]
    if rule in ("first", "mean", "median"):
        forms = [canon_smile(text) for text in cleaned.smiles]
        assert len(set(forms)) == len(forms)


@settings(max_examples=40, deadline=None)
@given(rows, plans, st.integers(0, 12))
def test_parts_are_equal_to_the_whole(texts: list[str | None], steps: Any, cut: int) -> None:
    whole = clean_rows(texts, steps, key="smiles")
    cut = min(cut, len(texts))
    parts = [clean_rows(texts[:cut], steps, key="smiles"), clean_rows(texts[cut:], steps, key="smiles", start=cut)]
    both = Cleaned.concat(parts)
    assert same(both, whole)
    assert same(deduplicate(both), deduplicate(whole))


def same(one: Cleaned, other: Cleaned) -> bool:
    def contents(cleaned: Cleaned) -> tuple[object, ...]:
        return cleaned.smiles.tolist(), cleaned.kept.tolist(), cleaned.counts, cleaned.rejects, list(cleaned.keys or ())

    return contents(one) == contents(other)


@pytest.mark.parametrize("step", EVERY[2:12], ids=lambda step: step.stage)
@pytest.mark.parametrize("text", [text for text in SMILES if text.strip()])
def test_a_step_is_idempotent(step: Step, text: str) -> None:
    once = clean([text], [step])
    if len(once.smiles):
        assert clean(once.smiles, [step]).smiles.tolist() == once.smiles.tolist()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_parts_are_cleaned_in_processes(method: str) -> None:
    texts = ["CC(=O)[O-].[Na+]", "C(", "OCC", "O=C1NC(=S)SC1=Cc1ccccc1"]
    clean(texts, EVERY)  # the tools of this process must not be inherited
    steps = (*EVERY, many_atoms)
    with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
        parts = [pool.submit(clean_rows, texts[i : i + 2], steps, start=i, key="inchikey") for i in (0, 2)]
        there = Cleaned.concat(part.result() for part in parts)
    assert same(there, clean_rows(texts, steps, key="inchikey"))


@pytest.mark.parametrize("step", [*EVERY, Predicate(many_atoms)], ids=lambda step: step.stage)
def test_a_step_is_a_value(step: Step) -> None:
    assert pickle.loads(pickle.dumps(step)) == step
    assert isinstance(hash(step), int)
    with pytest.raises(AttributeError):
        step.stage = "other"  # type: ignore[misc]


def test_cleaning_prints_nothing() -> None:
    code = "from mrl.chem import *\nimport sys\nclean(sys.argv[1:], [LargestFragment(), Normalize(), Uncharge(),"
    code += "Reionize(), CanonicalTautomer(), DropStereo(), Alerts('NIH')], duplicates=Duplicates(by='inchikey'))"
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *SMILES, "[H+].C"], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


# Errors


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("mosses", "'mosses' is not a preset; choose one of none, moses, guacamol, reinvent, molformer"),
        ([Canonical], r"steps\[0\] is Canonical, expected a step .*; write Canonical\(\)"),
        ([StripTail(), "canonical"], r"steps\[1\] is 'canonical', expected a step such as Canonical\(\)"),
        (Canonical(), "expected the name of a preset or a list of steps"),
        (None, "expected the name of a preset or a list of steps"),
    ],
)
def test_values_that_are_not_steps(steps: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        clean(["C"], steps)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: OnlyElements("C Xx"), "unknown elements: 'Xx'"),
        (lambda: OnlyElements(""), "no elements"),
        (lambda: Within("weight", 1), "'weight' is not a property; choose one of molwt"),
        (lambda: Within("molwt"), "molwt has no bounds"),
        (lambda: Within("molwt", 3, 2), "no molwt is at least 3 and at most 2"),
        (lambda: Within("molwt", math.nan), "no molwt is at least nan"),
        (lambda: RingSize(2), "expected 3 or more"),
        (lambda: LargestFragment(cast(Any, "weight")), "by='weight': expected one of 'heavy atoms', 'atoms', 'text'"),
        (lambda: StripTail(cast(Any, "keep")), "stereo_groups='keep': expected 'reject' or 'drop'"),
        (lambda: RemoveSalts(["C("]), "salts, row 0: 'C\\(' is not a molecule"),
        (lambda: TextLength(), "length has no bounds"),
        (lambda: Alerts("PAIN"), "unknown catalogues: 'PAIN'; choose from MCF and RDKit's .*PAINS"),
        (lambda: Alerts(), "no catalogues; choose"),
        (lambda: Cleaned.concat([]), "0 parts: expected one or more"),
        (lambda: Cleaned.concat([clean_rows(["C"]), clean_rows(["C"], PIPELINE)]), "cleaned by the same steps"),
        (
            lambda: Cleaned.concat([clean_rows(["C"], [RingSize(n)]) for n in (6, 7)]),
            "cannot add the counts of different steps",
        ),
    ],
)
def test_wrong_parameters(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_an_invalid_held_out_row() -> None:
    with pytest.raises(MoleculeError, match="known, row 1: 'C\\(' is not a molecule"):
        HoldOut(["C", "C("])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"labels": [1.0]}, r"labels have the shape \(1,\), but there are 2 rows"),
        ({"labels": [["a"], ["b"]]}, "row 0 of labels is 'a'; expected a number"),
        ({"labels": np.array([1.0, "2"], object)}, "row 1 of labels is '2'; expected a number"),
        ({"labels": np.zeros((2, 1, 1))}, "labels have the shape"),
        ({"ids": [1, 2, 3]}, "3 ids for 2 rows: pass one for each"),
        ({"ids": "ab"}, "column 'ids' is a single string"),
    ],
)
def test_labels_and_ids_that_do_not_match(given: dict[str, Any], words: str) -> None:
    with pytest.raises((ColumnError, RowError), match=words):
        clean(["C", "N"], **given)


def test_a_predicate_that_fails_names_its_row() -> None:
    def half(mol: Chem.Mol) -> bool:
        if mol.GetNumAtoms() > 1:
            raise KeyError("no such thing")
        return True

    with pytest.raises(FeatureError, match="smiles, row 2: half failed on 'CC': KeyError: 'no such thing'") as caught:
        clean(["C", "C(", "CC"], [half])
    assert (caught.value.row, caught.value.text) == (2, "CC")
    with pytest.raises(FeatureError, match="row 0: length failed on 'C': TypeError"):
        clean(["C"], [TextLength(3, of=cast(Any, sum))])
    with pytest.raises(FeatureError, match=r"row 0: nothing of 'C': it returned None \(NoneType\), expected True or"):
        clean(["C"], [Predicate(cast(Any, lambda mol: None), "nothing")])


# Presets


PASSES = "CC(=O)Nc1ccc(S(=O)(=O)N2CCCC2)cc1C"  # weight 282


@pytest.mark.parametrize(
    ("name", "text", "stage"),
    [
        ("moses", PASSES, ""),
        ("moses", "CCO", "molwt"),
        ("moses", PASSES + "CCCCCC", "molwt"),
        ("moses", "CCCCCCCCCCCCCCCCCC", "rotbond"),
        ("moses", "Clc1ccc(-c2ccc(Cl)c(Cl)c2)cc1", "logp"),
        ("moses", "CC(=O)Nc1ccc(S(=O)(=O)N2CCCC2)cc1P", "only elements"),
        ("moses", "CC(=O)Nc1ccc(S(=O)(=O)N2CCCC2)cc1[N+](=O)[O-]", "neutral"),
        ("moses", "CC(=O)Nc1ccc(S(=O)(=O)N2CCCCCCC2)cc1", "ring size"),
        ("guacamol", "C" * 101, "text length (2)"),
        ("guacamol", "C" * 100, ""),
        ("guacamol", "CCCC", "text length"),
        ("guacamol", "CCC.C" + "C" * 196, "text length"),
        ("guacamol", "CC[As]", "only elements"),
        ("guacamol", "C[Se]C", ""),
        ("reinvent", "C", "heavy_atoms"),
        ("reinvent", "C" * 91, "heavy_atoms"),
        ("reinvent", "CC", ""),
        ("reinvent", "IC(I)(I)C(I)(I)C(I)(I)C(I)(I)I", "weight without hydrogens"),
        ("reinvent", "CN", "two carbon atoms"),
        ("reinvent", "CCN.[Cl-]", "plain halogens"),
        ("reinvent", "CCN.Cl", ""),
        ("reinvent", "CC[IH2]", "plain halogens"),
        ("reinvent", "O=I(=O)c1ccccc1C(=O)O", ""),
        ("reinvent", "CCO.[Na+]", "only elements"),
        ("reinvent", "CCP", "only elements"),
        ("reinvent", ".".join(["C1CC1"] * 13).replace(".", ""), "rings"),
        ("reinvent", "C1CCCCCCC1", "ring size"),
        ("reinvent", "C1CCCCCC1", ""),
        ("molformer", "C" * 211, ""),
        ("molformer", "C" * 212, "text length"),
        ("none", "C" * 300, ""),
        ("none", "CCO |c:1|", "parse"),
    ],
)
def test_molecules_that_pass_the_presets(name: str, text: str, stage: str) -> None:
    assert [reject.stage for reject in clean([text], name).rejects] == ([stage] if stage else [])


@pytest.mark.parametrize(
    ("name", "text", "written"),
    [
        ("none", "C(O)C.Cl", "C(O)C.Cl"),
        ("molformer", "C[C@H]([O-])F.Cl x", "C[C@H]([O-])F.Cl"),
        ("guacamol", "C[C@H]([O-])F.[Na+]", "CC(O)F"),
        ("guacamol", "[NH3+]CC(=O)[O-]", "[NH3+]CC(=O)[O-]"),
        ("guacamol", "NCCCCCC.O=S(=O)(O)O", "O=S(=O)(O)O"),
        ("guacamol", "[13CH3][C@H](F)Cl |&1:1|", "CC(F)Cl"),
        ("reinvent", "C[C@H]([O-])CC", "C[C@H](O)CC"),
        ("reinvent", "C[13CH](C)C", "CC(C)C"),
        ("reinvent", "O=C([O-])CS(=O)(=O)O", "O=C(O)CS(=O)(=O)O"),
        ("reinvent", "CC(=O)Oc1ccccc1C(=O)O.NCCCC[C@H](N)C(=O)O", "NCCCC[C@H](N)C(=O)O"),
        ("reinvent", "[CH3:1]S(C)=O", "C[S+](C)[O-]"),
        ("moses", "C[C@@H]1CCN(S(=O)(=O)c2ccc(NC(C)=O)cc2)C1", "CC(=O)Nc1ccc(S(=O)(=O)N2CCC(C)C2)cc1"),
    ],
)
def test_what_the_presets_write(name: str, text: str, written: str) -> None:
    cleaned = clean([text], name)
    assert [canon_smile(one) for one in cleaned.smiles] == [canon_smile(written)]
    assert cleaned.smiles.tolist() == [written if name == "none" else canon_smile(written)]


def test_a_preset_is_a_tuple_of_steps_to_build_on() -> None:
    alerts = (*preset("moses"), Alerts("PAINS"))
    assert all(isinstance(step, Step) for step in alerts)
    assert preset("none") == ()


def test_a_preset_without_alerts_makes_no_patterns_of_alerts() -> None:
    script = """
from mrl.chem import Alerts, clean
from mrl.chem.cleaning.filters import _catalogue
for steps in ("molformer", [Alerts("MCF")]):
    clean(["OCC"], steps)
    print(_catalogue.cache_info().currsize)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "1"]


@pytest.mark.parametrize("key", [None, "smiles", "inchikey"])
def test_rows_of_all_kinds_are_parsed_as_each_by_itself(key: Any) -> None:
    kinds = [
        "OCC",
        "",
        "C(",
        None,
        np.str_("C[OH]"),
        "[H:1]C",
        "[H]",
        "C C",
        "[999C]",
        "[70000C]",
        3,
        "C\u2212",
        "[2H]",
    ]
    rows = [kinds[i % len(kinds)] if i % 5 else "C" * (1 + i % 7) for i in range(600)]
    together, alone = clean_rows(rows, key=key), [clean_rows([x], start=i, key=key) for i, x in enumerate(rows)]
    assert together.smiles.tolist() == [text for one in alone for text in one.smiles]
    assert together.kept.tolist() == [int(row) for one in alone for row in one.kept]
    assert [*together.rejects] == [reject for one in alone for reject in one.rejects]
    assert [*(together.keys or ())] == [text for one in alone for text in one.keys or ()]
    assert {reject.kind for reject in together.rejects} == {
        "empty",
        "syntax",
        "type",
        "extra text",
        "number",
        "character",
    }


# Real data


DATA = Path(os.environ.get("MRL_DATA", "no such folder"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="MRL_DATA names no folder of datasets")


@needs_data
def test_esol_has_blanks_after_its_smiles() -> None:
    with open(DATA / "esol.csv") as file:
        texts = [row["smiles"] for row in csv.DictReader(file)]
    blanks = sum(text != text.strip() for text in texts)
    assert blanks
    assert clean(texts).counts["parse"].removed >= blanks
    cleaned = clean(texts, [StripTail()])
    assert cleaned.counts["strip tail"].changed == blanks
    assert cleaned.smiles.tolist() == [text.strip() for text in texts]


@pytest.mark.slow
@needs_data
def test_tox21_has_salts_and_missing_labels() -> None:
    with gzip.open(DATA / "tox21.csv.gz", "rt") as file:
        table = list(csv.DictReader(file))[:2000]
    texts = [row.pop("smiles") for row in table]
    ids = [row.pop("mol_id") for row in table]
    labels = [[float(value) if value else None for value in row.values()] for row in table]
    cleaned = clean(texts, PIPELINE, labels=labels, ids=ids, duplicates="drop")
    unread = {reject.row for reject in cleaned.rejects if reject.stage == "parse"}
    salts = sum("." in text and row not in unread for row, text in enumerate(texts))
    assert cleaned.counts["largest fragment"].changed == salts > 0
    assert not any("." in text for text in cleaned.smiles)
    assert cleaned.labels is not None
    assert cleaned.ids is not None
    assert cleaned.labels.shape == (len(cleaned.smiles), 12)
    assert np.isnan(cleaned.labels).any()
    assert [texts[row] for row in cleaned.kept] == [texts[ids.index(one)] for one in cleaned.ids]
    for text, row in zip(cleaned.smiles, cleaned.kept.tolist(), strict=True):
        assert canon_smile(text) == text
        assert set(elements(text)) <= set(elements(texts[row]))


@pytest.mark.slow
@needs_data
def test_shortcuts_change_nothing() -> None:
    """Texts without a dot, a charge or a mark are skipped unparsed: the result is that of all molecules edited."""
    from rdkit.Chem.MolStandardize import rdMolStandardize

    with gzip.open(DATA / "tox21.csv.gz", "rt") as file:
        texts = [row["smiles"] for row in csv.DictReader(file)][2000:3000]
    tools = {
        LargestFragment("atoms"): rdMolStandardize.LargestFragmentChooser(True).choose,
        Uncharge(): rdMolStandardize.Uncharger().uncharge,
        Normalize(): rdMolStandardize.Normalizer().normalize,
        Reionize(): rdMolStandardize.Reionizer().reionize,
    }
    for step, tool in tools.items():
        cleaned = clean(texts, [step, Canonical()])
        for text, row in zip(cleaned.smiles, cleaned.kept.tolist(), strict=True):
            assert text == canon_smile(Chem.MolToSmiles(tool(Chem.MolFromSmiles(texts[row]))))
    flat = clean(texts, [DropStereo(), Canonical()])
    for text, row in zip(flat.smiles, flat.kept.tolist(), strict=True):
        mol = Chem.MolFromSmiles(texts[row])
        Chem.RemoveStereochemistry(mol)
        assert text == canon_smile(Chem.MolToSmiles(mol))


@pytest.mark.parametrize("text", ["c1cc[cH-]c1", "F[P-](F)(F)(F)(F)F"])
def test_ions_without_a_neutral_form_stay(text: str) -> None:
    assert clean([text], [Uncharge()]).smiles.tolist() == [text]


def test_a_step_that_fails_keeps_the_molecule_and_counts_it() -> None:
    cleaned = clean(["c1cc[cH-]c1", "C[NH3+]", "C=C(O[2H])C"], [Uncharge(), CanonicalTautomer()])
    assert cleaned.smiles.tolist() == ["c1cc[cH-]c1", "CN", "C=C(O[2H])C"]
    uncharge, tautomer = cleaned.counts["uncharge"], cleaned.counts["canonical tautomer"]
    assert (uncharge.changed, uncharge.removed, uncharge.failed) == (1, 0, 1)
    assert uncharge.examples[-1][:3] == (0, "c1cc[cH-]c1", "c1cc[cH-]c1")
    assert uncharge.examples[-1].reason.startswith("result: not a molecule, kekulization: ")
    assert tautomer.failed == 1
    assert "uncharge: 1 changed and 1 failed" in repr(cleaned)
    assert "(stays; result: not a molecule" in cleaned._repr_html_()
    assert (uncharge + uncharge).failed == 2
    assert uncharge.to_dict()["failed"] == 1


def test_a_molecule_with_too_many_tautomers_stays() -> None:
    text = "NC(=N)NC(=N)NC(=N)NC(=N)NC(=N)NC(=N)NC(=N)NC(=O)CC(=O)CC(=O)C"
    count = clean([text], [CanonicalTautomer()]).counts["canonical tautomer"]
    assert (count.changed, count.failed) == (0, 1)
    assert "RDKit: not all tautomers were enumerated (Max" in count.examples[0].reason
