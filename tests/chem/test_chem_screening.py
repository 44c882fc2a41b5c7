"""screen: which samples are valid, unique, novel."""

from __future__ import annotations

import json
import math
import pickle
import warnings
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem, rdBase

from mrl.chem import CanonicalSet, Screened, canon_smile, screen
from mrl.errors import ColumnError, MoleculeError
from mrl.ragged import Text

POOL = [
    "CCO",
    "OCC",
    "c1ccccc1",
    "C1=CC=CC=C1",
    "CC(=O)O",
    "F/C=C/F",
    "F/C=C\\F",
    "",
    " ",
    "C1CC",
    "CCO x",
    "CC\u2212",
    "C((",
]


def test_each_row_and_each_rate() -> None:
    samples = ["CCO", "OCC", "c1ccccc1", "CN", "", "C1CC", "CCO ethanol", "NC"]
    result = screen(samples, known=["C1=CC=CC=C1"])
    assert result.smiles == ("CCO", "CCO", "c1ccccc1", "CN", None, None, None, "CN")
    assert result.valid.tolist() == [True, True, True, True, False, False, False, True]
    assert result.unique.tolist() == [True, False, True, True, False, False, False, False]
    assert result.novel.tolist() == [True, True, False, True, False, False, False, True]
    assert result.kept.tolist() == [0, 3]
    assert result.kept.dtype == np.int64
    assert [(row, text, stage) for row, text, stage, _ in result.rejects] == [
        (4, "", "parse"),
        (5, "C1CC", "parse"),
        (6, "CCO ethanol", "parse"),
    ]
    assert (result.n, result.empty, result.known) == (8, 1, 1)
    assert (result.n_valid, result.n_unique, result.n_novel) == (5, 3, 2)
    assert (result.validity, result.uniqueness, result.novelty, result.valid_unique_novel) == (
        5 / 8,
        3 / 5,
        2 / 3,
        2 / 8,
    )
    assert repr(result) == "Screened(8 rows: 62.5 % valid, 60.0 % of these unique, 66.7 % of these novel)"
    assert json.loads(json.dumps(result.summary())) == {
        "n": 8,
        "empty": 1,
        "unfinished": 0,
        "validity": 0.625,
        "uniqueness": 0.6,
        "novelty": 2 / 3,
        "valid_unique_novel": 0.25,
        "known": 1,
        "rdkit": rdBase.rdkitVersion,
    }


def test_b24_empty_rows_are_never_valid_and_counted_apart() -> None:
    result = screen(["", "   ", "C", "C(("])
    assert (result.empty, result.validity) == (2, 0.25)
    assert [reason.partition(":")[0] for *_, reason in result.rejects] == ["empty", "empty", "syntax"]
    assert list(result.reasons.items()) == [("empty", 2), ("syntax", 1)]


def test_both_sides_are_canonicalised_alike() -> None:
    assert not screen(["C1=CC=CC=C1", "OCC"], known=["c1ccccc1", "C(O)C"]).novel.any()


@given(st.lists(st.sampled_from(POOL)), st.lists(st.sampled_from(POOL[:7])))
def test_screening_is_what_sets_say(samples: list[Any], known: list[str]) -> None:
    result = screen(samples, known)
    rows = [(i, form) for i, form in enumerate(result.smiles) if form is not None]
    reference = {canon_smile(x) for x in known}
    assert len(result.rejects) + result.valid.sum() == len(samples) == result.n
    assert np.flatnonzero(result.valid).tolist() == [i for i, _ in rows]
    assert result.unique.sum() == len({form for _, form in rows})
    assert np.flatnonzero(result.novel).tolist() == [i for i, form in rows if form not in reference]
    assert {result.smiles[i] for i in result.kept} == {form for _, form in rows} - reference
    assert list(result.kept) == sorted(result.kept)


@pytest.mark.parametrize("samples", [[], ["", "C1CC", None]])
def test_rates_over_nothing_are_nan_and_none_without_a_warning(samples: list[Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = screen(samples, known=[])
        summary = result.summary()
    assert math.isnan(result.uniqueness)
    assert math.isnan(result.novelty)
    assert summary["uniqueness"] is summary["novelty"] is None
    assert summary["validity"] == (0.0 if samples else None)
    assert summary["valid_unique_novel"] == (0.0 if samples else None)
    assert result.kept.tolist() == []
    assert json.dumps(summary, allow_nan=False)


def test_without_known_molecules_there_is_no_novelty() -> None:
    result = screen(["CCO", "OCC"])
    assert result.kept.tolist() == [0]
    assert math.isnan(result.novelty)
    assert math.isnan(result.valid_unique_novel)
    assert result.known is None
    assert repr(result) == "Screened(2 rows: 100 % valid, 50.0 % of these unique)"
    assert screen(["CCO", "OCC"], known=[]).novelty == 1.0


def test_a_value_that_is_not_a_text_is_a_reject(capfd: pytest.CaptureFixture[str]) -> None:
    result = screen(["CCO", None, math.nan, 3, b"C", "C\ud800"])
    assert [(row, text) for row, text, _, _ in result.rejects] == [
        (1, "None"),
        (2, "nan"),
        (3, "3"),
        (4, "b'C'"),
        (5, "C\ud800"),
    ]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "column",
    [
        ("OCC", "C("),
        iter(["OCC", "C("]),
        np.array(["OCC", "C("]),
        pandas.Series(["OCC", "C("], index=[7, 7]),
        np.array(["OCC", "C("], object),
        Text.of(["OCC", "C("]),
        pyarrow.array(["OCC", "C("]),
        pyarrow.chunked_array([["OCC"], ["C("]]),
    ],
)
def test_any_column_is_accepted(column: Any) -> None:
    assert screen(column).smiles == ("CCO", None)


def test_a_missing_value_of_arrow_is_a_reject() -> None:
    assert screen(pyarrow.array(["OCC", None])).smiles == ("CCO", None)


def test_known_molecules_are_prepared_once() -> None:
    known = CanonicalSet.of(["OCC", "C(O)C", "c1ccccc1"])
    assert set(known) == {"CCO", "c1ccccc1"}
    assert CanonicalSet.of(known) is known
    not_parsed = CanonicalSet(["not a SMILES", "CCO"])
    assert screen(["CCO"], not_parsed).known == 2


def test_a_plain_set_is_canonicalised() -> None:
    assert not screen(["CCO"], known=frozenset({"OCC"})).novel.any()
    assert not screen(["CCO"], known=[Chem.MolFromSmiles("OCC")]).novel.any()


def test_an_invalid_known_row_is_an_error() -> None:
    with pytest.raises(MoleculeError, match=r"^known, row 1: 'ethanol' is not a molecule; ") as caught:
        screen(["CCO"], known=["CCO", "ethanol"])
    assert caught.value.row == 1


def test_one_molecule_is_not_a_column() -> None:
    with pytest.raises(ColumnError, match=r"^column 'samples' is a single string, 'CCO': wrap it in a list"):
        screen("CCO")
    with pytest.raises(ColumnError, match=r"^column 'known' is a single string, 'CCO': wrap it in a list"):
        screen(["CCO"], known="CCO")


@pytest.mark.parametrize("table", [np.array([["CCO", "C"]]), pandas.DataFrame({"smiles": ["CCO"]})])
def test_a_table_is_not_a_column(table: Any) -> None:
    with pytest.raises(ColumnError, match=r"^column 'samples' is a \w+ of shape \(.*\), .* choose one column of it"):
        screen(table)


def test_the_result_cannot_be_changed_and_pickles() -> None:
    result = screen(["CCO", "C("], known=["CC"])
    with pytest.raises(ValueError, match="read-only"):
        result.valid[0] = False
    with pytest.raises(AttributeError):
        result.known = 5  # type: ignore[misc]
    copy = pickle.loads(pickle.dumps(result))
    assert isinstance(copy, Screened)
    assert (copy.smiles, copy.summary(), list(copy.rejects)) == (result.smiles, result.summary(), list(result.rejects))
    assert type(pickle.loads(pickle.dumps(CanonicalSet.of(["OCC"])))) is CanonicalSet


def test_the_add_carbon_generator_shows_what_these_numbers_cannot_see() -> None:
    """Renz et al. 2019 (doi:10.1016/j.ddtec.2020.09.003): a carbon put into known molecules nearly maxes them all."""
    known = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CC(C)Cc1ccc(cc1)C(C)C(=O)O"]
    assert screen(["C" + smiles for smiles in known], known).valid_unique_novel == 1.0


def test_rows_that_were_cut_are_not_valid_even_where_their_text_is() -> None:
    texts = ["CCO", "CC", "C(", "CCO"]
    result = screen(iter(texts), known=["CC"], finished=[False, True, False, True])
    assert result.smiles == (None, "CC", None, "CCO")
    assert result.unique.tolist() == [False, True, False, True]
    assert (result.n_valid, result.n_novel, result.unfinished) == (2, 1, 2)
    assert [tuple(reject) for reject in result.rejects] == [
        (0, "CCO", "length", "unfinished: cut at the length limit"),
        (2, "C(", "length", "unfinished: cut at the length limit"),
    ]
    assert screen(texts, finished=[True] * 4).unfinished == 0
    with pytest.raises(ColumnError, match=r"finished has the shape \(2,\) for 4 samples; expected one value for each"):
        screen(texts, finished=[True, False])


def test_known_rows_that_are_not_molecules() -> None:
    known = ["CCO", "C(", "", "N"]
    with pytest.raises(MoleculeError, match="known, row 1"):
        screen(["OCC", "C"], known=known)
    screened = screen(["OCC", "C"], known=known, on_error="drop")
    assert [(reject.row, reject.kind) for reject in screened.known_rejects] == [(1, "syntax"), (2, "empty")]
    assert (screened.known, screened.novel.tolist()) == (2, [False, True])
    assert screened.summary()["known_rejects"] == 2
    with pytest.raises(ValueError, match="on_error is 'mask'; expected 'raise' or 'drop'"):
        screen(["C"], known=known, on_error="mask")  # type: ignore[arg-type]


def test_progress_of_a_screen() -> None:
    steps: list[tuple[int, int]] = []
    screen(["C", "C(", "N"], known=["C"], on_error="drop", progress=lambda done, total: steps.append((done, total)))
    assert (1, 1) in steps
    assert steps[-1] == (3, 3)
