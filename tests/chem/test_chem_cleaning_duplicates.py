"""Duplicates: which row stays, with which labels, and how conflicts are counted."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from operator import itemgetter
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mrl.chem import Canonical, Duplicates, LargestFragment, Uncharge, clean, clean_rows, deduplicate
from mrl.chem.cleaning.duplicates import By, Rule
from mrl.errors import ColumnError

NAN = math.nan
THREE = ["CCO", "N", "OCC", "C(O)C"]  # rows 0, 2 and 3 are one molecule


def array(labels: NDArray[Any] | None) -> NDArray[Any]:
    assert labels is not None
    return labels


def labels_after(rule: Rule | Duplicates, labels: Any) -> Any:
    return array(clean(THREE, labels=labels, duplicates=rule).labels).tolist()


def test_all_rows_stay_by_default() -> None:
    assert clean(["C", "C"]).kept.tolist() == [0, 1]


def test_the_first_row_stays() -> None:
    cleaned = clean(THREE, duplicates="first", ids=[7, 8, 9, 10])
    assert (cleaned.smiles.tolist(), cleaned.kept.tolist(), cleaned.ids) == (["CCO", "N"], [0, 1], (7, 8))
    assert list(cleaned.rejects) == [
        (2, "OCC", "duplicates", "duplicate: the molecule of row 0"),
        (3, "C(O)C", "duplicates", "duplicate: the molecule of row 0"),
    ]
    count = cleaned.counts["duplicates"]
    assert (count.rows, count.changed, count.removed) == (4, 0, 2)
    assert "conflicts" not in cleaned.counts


def test_cleaned_molecules_are_compared() -> None:
    steps = [LargestFragment(), Uncharge(), Canonical()]
    assert clean(["C[O-].[Na+]", "CO", "CO.Cl"], steps, duplicates="first").kept.tolist() == [0]
    assert len(clean(["C[O-].[Na+]", "CO", "CO.Cl"], duplicates="first").smiles) == 3


@pytest.mark.parametrize(
    ("rule", "labels", "after"),
    [
        ("first", [1.0, 5.0, 2.0, 9.0], [1.0, 5.0]),
        ("mean", [1.0, 5.0, 2.0, 9.0], [4.0, 5.0]),
        ("median", [1.0, 5.0, 2.0, 9.0], [2.0, 5.0]),
        ("drop", [1.0, 5.0, 2.0, 9.0], [5.0]),
        ("drop", [1.0, 5.0, 1.0, 1.0], [1.0, 5.0]),
        (Duplicates("drop", tolerance=8), [1.0, 5.0, 2.0, 9.0], [1.0, 5.0]),
        (Duplicates("drop", tolerance=7.9), [1.0, 5.0, 2.0, 9.0], [5.0]),
        ("first", [NAN, 5.0, 2.0, 9.0], [2.0, 5.0]),
        ("mean", [None, 5.0, 2.0, 9.0], [5.5, 5.0]),
        ("median", [1, 5, 2, None], [1.5, 5.0]),
        ("drop", [None, 5.0, 2.0, None], [2.0, 5.0]),
        ("first", [1, 5, 2, 9], [1, 5]),
        ("mean", [1, 5, 2, 3], [2.0, 5.0]),
        ("median", [1, 5, 2, 2**53], [2.0, 5.0]),
        ("mean", [True, False, True, False], [2 / 3, 0.0]),
        ("drop", [True, False, True, True], [True, False]),
    ],
)
def test_labels_by_rule(rule: Rule | Duplicates, labels: Any, after: list[Any]) -> None:
    assert labels_after(rule, labels) == after


def test_several_columns_each_by_itself() -> None:
    labels = [[1.0, NAN, 4.0], [0, 0, 0], [3.0, 2.0, NAN], [NAN, NAN, NAN]]
    assert labels_after("mean", labels) == [[2.0, 2.0, 4.0], [0, 0, 0]]
    assert labels_after("first", labels) == [[1.0, 2.0, 4.0], [0, 0, 0]]
    assert labels_after("drop", labels) == [[0, 0, 0]]
    cleaned = clean(["C", "C"], labels=[[NAN, 1.0], [NAN, 1.0]], duplicates="median")
    assert np.isnan(array(cleaned.labels)[0, 0])
    assert array(cleaned.labels)[0, 1] == 1.0


def test_conflicts_are_counted() -> None:
    labels = [[0, 1.0], [0, 5.0], [0, 2.5], [0, 1.0]]
    dropped = clean(THREE, labels=labels, duplicates="drop")
    assert [tuple(reject) for reject in dropped.rejects] == [
        (row, THREE[row], "conflicts", "conflict: labels 1, 2.5, 1 in column 1") for row in (0, 2, 3)
    ]
    count = dropped.counts["conflicts"]
    assert (count.rows, count.changed, count.removed) == (4, 0, 3)
    assert (dropped.counts["duplicates"].rows, dropped.counts["duplicates"].removed) == (1, 0)
    merged = clean(THREE, labels=labels, duplicates="mean")
    count = merged.counts["conflicts"]
    assert (count.rows, count.changed, count.removed) == (4, 1, 0)
    assert [tuple(example) for example in count.examples] == [(0, "1, 2.5, 1", "1.5", "")]
    assert merged.counts["duplicates"].removed == 2
    calm = clean(THREE, labels=labels, duplicates=Duplicates("mean", tolerance=1.5)).counts["conflicts"]
    assert (calm.changed, calm.removed) == (0, 0)


def test_the_labels_of_the_caller_are_not_changed() -> None:
    labels = np.array([1.0, 5.0, 2.0, 9.0])
    labels_after("mean", labels)
    assert labels.tolist() == [1.0, 5.0, 2.0, 9.0]


def test_tautomers_by_inchikey() -> None:
    tautomers = ["Oc1ccccn1", "O=c1cccc[nH]1", "Oc1ccccn1"]
    assert clean(tautomers, duplicates=Duplicates(by="smiles")).kept.tolist() == [0, 1]
    assert clean(tautomers, duplicates=Duplicates(by="inchikey")).kept.tolist() == [0]
    assert list(clean_rows(["CCO"], key="inchikey").keys or ()) == ["LFQSCWFLJHTTHZ-UHFFFAOYSA-N"]


def test_molecules_without_an_inchi_are_not_all_the_same() -> None:
    assert clean(["*C", "*N", "C*"], duplicates=Duplicates(by="inchikey")).kept.tolist() == [0, 1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("CNOSP"), st.sampled_from([NAN, 0.0, 1.0, 2.5])), max_size=14))
def test_rules_against_a_reference_implementation(rows: list[tuple[str, float]]) -> None:
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    rules: dict[Rule, Callable[[list[float]], Any]] = {"mean": np.mean, "median": np.median, "first": itemgetter(0)}
    for rule, middle in rules.items():
        cleaned = clean(texts, labels=labels, duplicates=rule)
        want = {}
        for text in texts:
            known = [label for other, label in rows if other == text and label == label]
            want[text] = float(middle(known)) if known else NAN
        assert cleaned.smiles.tolist() == list(want)
        np.testing.assert_allclose(array(cleaned.labels), list(want.values()), rtol=1e-15)
        clashes = sum(len({a for t, a in rows if t == text and a == a}) > 1 for text in want)
        assert cleaned.counts["conflicts"].changed == clashes
    dropped = clean(texts, labels=labels, duplicates="drop")
    assert dropped.smiles.tolist() == [t for t in want if len({a for o, a in rows if o == t and a == a}) <= 1]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: Duplicates(cast(Rule, "max")),
            "'max' is not a rule for labels; choose one of 'first', 'mean', 'median', 'drop'; "
            "duplicates=None keeps all rows",
        ),
        (lambda: clean(["C"], duplicates=cast(Rule, "last")), "'last' is not a rule for labels"),
        (
            lambda: Duplicates(by=cast(By, "inchi")),
            "'inchi' is not an identity of molecules; choose one of 'smiles', 'inchikey'$",
        ),
        (lambda: Duplicates(tolerance=-1), "tolerance=-1, expected 0 or more"),
        (lambda: Duplicates(tolerance=NAN), "tolerance=nan, expected 0 or more"),
        (lambda: clean_rows(["C"], key=cast(By, "inchi")), "'inchi' is not an identity of molecules"),
        (
            lambda: deduplicate(clean_rows(["C"], key="inchikey")),
            "have the key 'inchikey', but the rule needs 'smiles'",
        ),
        (lambda: deduplicate(clean_rows(["C"])), r"clean_rows\(\.\.\., key='smiles'\)"),
    ],
)
def test_wrong_rules(make: Callable[[], object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_a_rule_is_a_value() -> None:
    rule = Duplicates("median", by="inchikey", tolerance=0.5)
    assert pickle.loads(pickle.dumps(rule)) == rule
    assert rule.to_dict() == {"step": "duplicates", "labels": "median", "by": "inchikey", "tolerance": 0.5}


@pytest.mark.parametrize(
    ("rule", "labels", "signs", "reasons"),
    [
        ("first", [6, 3, 9], [1, -1, 0], []),
        ("drop", [3, 9], [-1, 0], ["conflict: labels >6, 5"] * 2),
        ("mean", [3, 9], [-1, 0], ["conflict: labels >6, 5"] * 2),
        ("median", [3, 9], [-1, 0], ["conflict: labels >6, 5"] * 2),
    ],
)
def test_a_limit_is_merged_with_equal_ones_only(
    rule: Rule, labels: list[float], signs: list[int], reasons: list[str]
) -> None:
    smiles, values = ["CCO", "OCC", "CCC", "C(C)C", "CCN", "NCC"], [6, 5, 3, 3, 9, float("nan")]
    found = clean(smiles, labels=values, signs=[1, 0, -1, -1, 0, 0], duplicates=rule)
    assert found.labels is not None
    assert found.signs is not None
    assert (found.labels.tolist(), found.signs.tolist()) == (labels, signs)
    assert found.to_arrow()["sign"].to_pylist() == signs
    assert [one.reason for one in found.rejects if one.stage == "conflicts"] == reasons
    with pytest.raises(ColumnError, match=r"signs have the shape \(2,\); expected one for each label"):
        clean(smiles, labels=values, signs=[1, 0])


@pytest.mark.parametrize("rule", ["first", "mean", "median", "drop"])
def test_a_sign_of_a_missing_label_says_nothing(rule: Any) -> None:
    cleaned = clean(["CCO", "OCC"], labels=[np.nan, np.nan], signs=[1, 0], duplicates=rule)
    assert cleaned.signs is not None
    assert cleaned.kept.tolist() == [0]
    assert cleaned.signs.tolist() == [0]
