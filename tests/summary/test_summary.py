"""What a summary says of small tables, written out; and what holds for all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.chem import canon_smile, elements, molecule_facts, randomize, to_mol
from mrl.corpus import Table, load_sample
from mrl.errors import ColumnError
from mrl.ragged import Rejects, Text
from mrl.summary import (
    Blocks,
    SampleSizes,
    Source,
    column_facts,
    correlations,
    findings,
    reject_kinds,
    summarize,
    token_facts,
)
from mrl.text import CharacterVocab

MOLECULES = ["CCO", "OCC", "c1ccccc1", "C[C@H](N)O", "C[C@@H](N)O", "[Na+].[Cl-]", "C(", "CC(=O)Oc1ccccc1C(=O)O"]
SAMPLE = load_sample().smiles[:400].tolist()


def table(**columns: list[str]) -> Table:
    return Table({name: Text.of(cells) for name, cells in columns.items()})


# --- molecules --------------------------------------------------------------------------------------------------------


def test_facts_about_molecules() -> None:
    facts = molecule_facts([*MOLECULES, "C[CH2]", "[2H]C", "[CH3:1]C", "*C", "C/C=C/C"])
    assert facts.identity[:3] == ("CCO", "CCO", "c1ccccc1")
    assert facts.flat[3] == facts.flat[4] != facts.identity[3]
    assert facts.scaffolds[:3] == ("", "", "c1ccccc1")
    assert facts.ok.tolist() == [True] * 6 + [False] + [True] * 6
    assert facts.rejects[0].row == 6
    assert facts.traits == {
        "several components": 1,
        "charged atoms": 1,
        "stereo centres": 2,
        "stereo double bonds": 1,
        "isotopes": 1,
        "atom maps": 1,
        "wildcard atoms": 1,
        "radicals": 1,
        "metals": 1,
    }
    assert facts.elements["Na"] == (1, 1)
    assert facts.elements["*"] == (1, 1)


@given(
    st.sampled_from([*SAMPLE, "C[Si](C)(C)[C@@H]1CC[se]1", "[2H]C([2H])Cl", "[13CH3:2][nH]", "F[As@TB15](Cl)(S)(Br)N"])
)
def test_elements_read_off_the_text_are_those_of_the_molecule(smiles: str) -> None:
    try:
        to_mol(smiles)
    except ValueError:
        return
    found = molecule_facts([smiles]).elements
    assert {symbol: atoms for symbol, (_, atoms) in found.items()} == elements(canon_smile(smiles))


def test_enhanced_stereo_is_a_part_of_identity() -> None:
    facts = molecule_facts(["C[C@H](N)O", "C[C@H](N)O |&1:1|", "C[C@@H](N)O |&1:1|"])
    assert facts.identity[0] != facts.identity[1] == facts.identity[2]
    assert len(set(facts.flat)) == 1


@pytest.mark.slow
def test_facts_do_not_depend_on_processes() -> None:
    one, two = molecule_facts(SAMPLE * 2), molecule_facts(SAMPLE * 2, n_jobs=2)
    assert (one.identity, one.elements, one.traits) == (two.identity, two.elements, two.traits)


# --- samples ----------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(SAMPLE), st.integers(0, 99))
def test_all_spellings_of_a_molecule_are_looked_at_together(smiles: str, seed: int) -> None:
    others = [text for text in SAMPLE if text != smiles][:60]
    spellings = [str(randomize(smiles, seed + i)) for i in range(4)]
    source = Text.of([*others, *spellings, smiles])
    found = summarize(source, properties=(), sizes=SampleSizes(molecules=20), seed=seed)
    looked_at = found.looked_at["duplicates"]
    assert looked_at <= 45  # 20 texts, or more with the same letters; each of up to 5 rows
    assert found.same_molecule is not None
    assert found.same_molecule.extra in (0, 4)


def test_a_large_table_is_sampled_the_same_way_each_time_and_says_so() -> None:
    first, second = (summarize(SAMPLE, sizes=SampleSizes(50, 20, 100), seed=3) for _ in range(2))
    assert first.looked_at == {"texts": 100, "columns": 100, "molecules": 50, "duplicates": 50, "properties": 20}
    assert first.to_dict() == second.to_dict()
    assert first.to_dict() != summarize(SAMPLE, sizes=SampleSizes(50, 20, 100), seed=4).to_dict()
    assert len(first.lengths) == first.same_text.rows == 400


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(st.sampled_from([*MOLECULES, *SAMPLE[:30]]), st.sampled_from(["train", "test", ""])), max_size=60
    ),
    st.integers(1, 40),
    st.integers(1, 25),
)
def test_a_summary_does_not_depend_on_blocks(rows: list[tuple[str, str]], size: int, molecules: int) -> None:
    rejects = Rejects([(200 + i, "C(", "parse", f"syntax: {i}") for i in range(3)], lines={200: 7, 202: 9})
    smiles, parts = (Text.of([row[i] for row in rows]) for i in (0, 1))
    y = np.arange(len(rows)) % 7 / 2
    numbers = np.arange(len(rows)) * 2
    columns: dict[str, Any] = {"set": parts, "y": y}
    source = Source("all", smiles, "smiles", columns, rejects, rows=numbers, lines=numbers + 5, notes={"trimmed": 2})

    def blocks() -> Iterator[Source]:
        for start in range(0, len(rows), size):
            some = source.select(np.arange(start, min(start + size, len(rows))))
            yield replace(some, notes={"trimmed": 1} if start == 0 else {})
        yield replace(source.select(np.zeros(0, np.int64)), rejects=rejects, notes={"trimmed": 1 if rows else 2})

    options: dict[str, Any] = {"properties": (), "sizes": SampleSizes(molecules, 5, 30), "progress": False}
    whole, cut = summarize(source, **options), summarize(Blocks("all", blocks), **options)
    assert cut.to_dict() == whole.to_dict()
    assert cut.some == whole.some
    assert cut.first_rejects == rejects
    assert cut.first_rejects.lines == rejects.lines
    assert cut.invalid.lines == {one.row: one.row + 5 for one in cut.invalid}


def test_a_size_below_1_is_an_error() -> None:
    with pytest.raises(ValueError, match="molecules=0: expected the number of rows to look at, 1 or more"):
        SampleSizes(molecules=0)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=5)))
def test_equal_texts_are_counted_exactly(texts: list[str]) -> None:
    texts = [text.encode(errors="replace").decode() for text in texts]
    found = summarize(Text.of(texts), properties=()).same_text
    counts = Counter(texts)
    assert (found.rows, found.distinct, found.repeated) == (
        len(texts),
        len(counts),
        sum(count > 1 for count in counts.values()),
    )
    assert {one.text: one.count for one in found.examples}.items() <= counts.items()


# --- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "kind", "filled", "distinct"),
    [
        (["0.5", "1.5", "", "NA", "2"], "numbers", 3, 3),
        (["1", "0", "1", "NaN"], "classes", 3, 2),
        (["strong", "weak", "strong", "weak", "none"], "classes", 4, 2),
        ([f"mol{i}" for i in range(12)], "identifiers", 12, 12),
        ([str(i) for i in range(30)], "identifiers", 30, 30),
        (["a note", "another", "a third", "a note", "x", "y"], "text", 6, 5),
        (["", "null", "None"], "empty", 0, 0),
        ([], "empty", 0, 0),
        (["1_000", "2", "3", "4", "5", "6"], "numbers", 6, 6),
    ],
)
def test_what_a_column_holds(cells: list[str], kind: str, filled: int, distinct: int) -> None:
    facts = column_facts("c", Text.of(cells))
    assert (facts.kind, facts.filled, facts.distinct) == (kind, filled, distinct)


def test_cells_that_are_not_numbers_and_censored_ones_are_counted() -> None:
    cells = ["1", "2.5", ">10", "<= 3", "CI", "inactive", "CI", *map(str, range(20))]
    facts = column_facts("y", Text.of(cells))
    assert (facts.kind, facts.censored) == ("numbers", 2)
    assert (facts.not_numbers, facts.unreadable) == (3, {"CI": 2, "inactive": 1})
    assert facts.values[2:4].tolist() == [10.0, 3.0]


@pytest.mark.parametrize(
    ("cells", "kind", "not_numbers"),
    [
        (["inactive", "toxic", "inactive", "4.5", "6", "7.5"], "numbers", {"inactive": 2, "toxic": 1}),
        (["0,5", "0,7", "inactive", "inactive", "x", "1,5", "2"], "numbers", {"inactive": 2, "x": 1}),
        (["inactive", "toxic", "inactive", "n.d.", "6", "7.5"], "text", {}),
        (["1", "2", "1", "2", "1", "2", "low", "low", "low"], "classes", {}),  # codes of classes, not numbers
        ([*map(str, range(8)), "A1", "A2", "A3"], "identifiers", {}),
    ],
)
def test_words_among_numbers_are_named_where_half_of_the_cells_are_numbers(
    cells: list[str], kind: str, not_numbers: dict[str, int]
) -> None:
    facts = column_facts("y", Text.of(cells))
    assert (facts.kind, facts.unreadable, facts.not_numbers) == (kind, not_numbers, sum(not_numbers.values()))


def test_the_mark_of_decimals_is_the_one_that_reads_more() -> None:
    facts = column_facts("y", Text.of(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "0,5"]))
    assert (facts.decimal, facts.not_numbers, facts.values[-1]) == (",", 0, 0.5)


def test_columns_of_numbers_of_other_files() -> None:
    assert column_facts("y", np.array([1.5, np.nan, np.inf])).filled == 1
    assert column_facts("y", np.array([True, False, True])).classes == {"1": 2, "0": 1}


# --- duplicates, labels, parts ----------------------------------------------------------------------------------


def test_duplicates_and_conflicting_labels() -> None:
    found = summarize(
        table(
            smiles=["CCO", "OCC", "CCO", "CC", "C1CC1", "C1CC1"],
            y=["1.0", "2.5", "", "4", "7", "7.0"],
            kind=["yes", "no", "yes", "no", "yes", "yes"],
        )
    )
    assert found.same_molecule is not None
    assert (found.same_text.extra, found.same_molecule.extra) == (2, 3)
    assert found.same_molecule.examples[0] == ("CCO", 3, (0, 1, 2))
    y, kind = found.conflicts
    assert (y.column, y.repeated, y.different, y.largest_range) == ("y", 2, 1, 1.5)
    assert y.examples[0].labels == ("1.0", "2.5")
    assert (kind.repeated, kind.different) == (2, 1)


def test_the_same_number_computed_in_two_ways_is_no_conflict() -> None:
    found = summarize(table(smiles=["CCO", "OCC", "CC"], y=["226.27599999999998", "226.27599999999995", "1.5"]))
    assert (found.conflicts[0].repeated, found.conflicts[0].different) == (1, 0)


def test_parts_share_molecules_and_scaffolds() -> None:
    found = summarize(
        table(smiles=["Cc1ccccc1", "CCO", "OCC", "Oc1ccccc1", "C(C)O"], set=["train", "train", "test", "test", "valid"])
    )
    assert found.parts is not None
    assert found.parts.rows == {"train": 2, "test": 2, "valid": 1}
    shared = {(one.part, one.other): one.shared for one in found.parts.molecules}
    assert shared[("test", "train")] == 1
    assert shared[("valid", "test")] == 1
    scaffolds = {(one.part, one.other): (one.shared, one.rows) for one in found.parts.scaffolds}
    assert scaffolds[("test", "train")] == (1, 1)
    assert "1 row of 'test' have a molecule of 'train' (50.0 %)." in findings(found)
    assert not found.conflicts  # the column of parts is not a label


def test_parts_of_a_source() -> None:
    found = summarize(Source("corpus", Text.of(["CCO", "OCC"]), parts={"train": [0], "test": [1]}))
    assert found.parts is not None
    assert [one.shared for one in found.parts.molecules] == [1, 1]


def test_correlations_use_the_rows_that_have_both() -> None:
    a = np.arange(30.0)
    b = np.where(a < 20, a**3, np.nan)
    found = correlations({"a": a, "b": b, "constant": np.ones(30)})
    assert found.values[0, 1] == 1.0
    assert found.rows[0, 1] == 20
    assert np.isnan(found.values[0, 2])
    assert correlations({"a": a, "b": np.where(a < 5, a, np.nan)}).strongest() == []


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=10, max_size=40))
def test_correlations_are_those_of_scipy(pairs: list[tuple[int, int]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    a, b = np.array(pairs, float).T
    found = correlations({"a": a, "b": b}).values[0, 1]
    if len(set(a)) > 1 < len(set(b)):
        assert found == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-9)
    else:
        assert np.isnan(found)


# --- everything -------------------------------------------------------------------------------------------------------


def test_rejects_by_step_and_kind() -> None:
    kinds = reject_kinds(
        Rejects(
            [
                (0, "", "read", "empty"),
                (5, "C(", "parse", "syntax: a"),
                (6, "C((", "parse", "syntax: b"),
                (7, "C", "duplicates", "the molecule of row 1"),
                (8, "C", "duplicates", "the molecule of row 2"),
            ]
        )
    )
    assert [(one.stage, one.kind, one.count, len(one.examples)) for one in kinds] == [
        ("read", "empty", 1, 1),
        ("parse", "syntax", 2, 2),
        ("duplicates", "duplicate", 2, 1),
    ]


def test_tokens_and_a_vocabulary() -> None:
    facts = token_facts(Text.of(["CCO", "CC[Si]", ""]), "smiles", CharacterVocab(["C", "O", "[", "]", "S"]))
    assert facts.in_rows == {"C": 2, "O": 1, "[Si]": 1}
    assert (facts.missing, facts.missing_rows) == ({"i": 1}, 1)
    assert facts.lost[2] == (2, 2)


@pytest.mark.parametrize("smiles", [[], [""], ["C("], ["CCO"], ["C(", "not a molecule", ""]])
def test_tables_of_nothing_have_a_summary(smiles: list[str]) -> None:
    found = summarize(Table({"smiles": Text.of(smiles), "y": np.zeros(len(smiles))}))
    assert (found.rows, found.kept) == (len(smiles), len(smiles))
    json.dumps(found.to_dict(), allow_nan=False)
    repr(found)
    assert "Summary" in found._repr_html_()


def test_all_rows_rejected() -> None:
    rejects = Rejects([(row, "", "read", "empty") for row in range(3)])
    found = summarize(Table({"smiles": Text.of([])}, rejects))
    assert (found.rows, found.kept, found.rejects[0].count) == (3, 0, 3)
    assert findings(found)[0] == "3 rows were rejected before (100 %)."


def test_rows_are_numbered_as_in_the_file() -> None:
    found = summarize(Table({"smiles": Text.of(["C(", "CC", "CC"])}, rows=np.array([4, 7, 9])))
    assert found.invalid[0].row == 4
    assert found.same_text.examples[0].rows == (7, 9)


@pytest.mark.parametrize(
    ("texts", "notation"),
    [
        (["[C][C][O]", "[C][=O]"], "selfies"),
        (["MKVLAAGG", "ACDEFGH"], "protein"),
        (["GATTACA", "ACGT"], "nucleotide"),
        (["[H][H]", "CCO"], "smiles"),
        ([], "smiles"),
    ],
)
def test_texts_that_are_not_smiles_are_not_parsed(texts: list[str], notation: str) -> None:
    found = summarize(Text.of(texts))
    assert found.notation == notation
    assert (found.molecules is None) == (notation != "smiles")


def test_columns_that_are_not_there_are_errors() -> None:
    for options in ({"targets": ["logp"]}, {"split": "logp"}):
        with pytest.raises(ColumnError, match=r"no column 'logp' \(did you mean 'logP'\?\); there is 'logP'"):
            summarize(table(smiles=["C"], logP=["1"]), **options)


def test_every_row_is_accounted_for() -> None:
    found = summarize(MOLECULES)
    assert found.molecules is not None
    assert found.same_molecule is not None
    valid = sum(_is_molecule(text) for text in MOLECULES)
    assert found.kept == valid + found.n_invalid == len(MOLECULES)
    assert found.same_molecule.rows == valid


def _is_molecule(text: str) -> bool:
    try:
        return to_mol(text) is not None
    except ValueError:
        return False


def test_equal_texts_are_found_however_far_apart_they_are() -> None:
    """Keys are computed block by block of the bytes, of which there are several here."""
    texts = [f"C{'CO' * (n % 50)}N{'C' * n}" for n in range(1, 600)]
    found = summarize([*texts, *texts[:3], *texts[-2:]], properties=(), sizes=SampleSizes(5, 5, 5)).same_text
    assert sum(map(len, texts)) > 200_000
    assert (found.rows, found.distinct, found.repeated) == (604, 599, 5)
    assert {one.rows for one in found.examples} == {(0, 599), (1, 600), (2, 601), (597, 602), (598, 603)}
