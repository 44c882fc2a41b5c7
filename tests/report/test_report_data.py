"""The page about a file of molecules: every section, hostile names, and tables of nothing."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from mrl.corpus import Table
from mrl.ragged import Rejects, Text
from mrl.report import DataReport, data_report
from mrl.summary import SampleSizes, Source, summarize

EVIL = "<script>alert('\"x\"')</script>&amp;"
MOLECULES = ["CCO", "OCC", "c1ccccc1", "Cc1ccccc1", "[Na+].[Cl-]", "C(", "CC(=O)Oc1ccccc1C(=O)O", "C[C@H](N)O"] * 2


class Reader(HTMLParser):
    """The text of a page, its tags, and the headings."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.headings: list[str] = []
        self.scopes: list[str | None] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "th":
            self.scopes.append(dict(attrs).get("scope"))

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.tags[-1:] == ["h2"]:
            self.headings.append(data.strip())


def read_page(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def full_table(**extra: list[str]) -> Table:
    n = len(MOLECULES)
    columns = {
        "smiles": MOLECULES,
        "y": [f"{i % 5}.5" for i in range(n)],
        "active": [str(i % 2) for i in range(n)],
        "set": ["train" if i % 3 else "test" for i in range(n)],
        **extra,
    }
    rejects = Rejects([(n, "", "read", "empty"), (n + 1, "CC C", "read", "extra text: C")])
    return Table({name: Text.of(cells) for name, cells in columns.items()}, rejects, notes={"blank removed": 3})


def test_the_sections_of_a_page() -> None:
    found = read_page(data_report(full_table()).html)
    assert [heading for heading in found.headings if heading] == [
        "What deserves a look",
        "What came in",
        "What was taken out, and why",
        "Duplicates and conflicts",
        "Labels",
        "Parts",
        "Lengths and tokens",
        "Properties",
        "Elements and notation",
        "Scaffolds",
        "How this page was made",
    ]
    assert set(found.scopes) == {"col", "row"}
    assert "script" not in found.tags
    for words in (
        "18 rows",
        "2 rows were rejected before (11.1 %).",
        "2 rows are not molecules (12.5 %).",
        "extra text",
        "blank removed",
        "test in train",
        "Bemis-Murcko",
    ):
        assert words in found.text


def test_numbers_of_the_page_are_those_of_json() -> None:
    report = data_report(full_table())
    facts = report.to_dict()
    assert (facts["rows"], facts["kept"], facts["invalid"]) == (18, 16, 2)
    assert facts["same_molecule"]["extra"] == 8
    assert facts["parts"]["rows"] == {"train": 10, "test": 6}
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_the_same_table_gives_the_same_bytes() -> None:
    assert data_report(full_table()).html == data_report(full_table()).html


def test_no_name_or_value_acts_as_markup() -> None:
    n = len(MOLECULES)
    table = full_table(**{EVIL: [str(i) for i in range(n)], "kind": [EVIL, "b"] * (n // 2), "note": [EVIL] * n})
    rejects = Rejects([(0, EVIL, "read", EVIL)])
    source = Source.of(table, EVIL)
    page = DataReport(
        summarize(Source(EVIL, source.smiles, EVIL, source.columns, rejects, notes={EVIL: 1}, parts={})),
        EVIL,
        {EVIL: 1},
    ).html
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 10


@pytest.mark.parametrize(
    "table",
    [
        Table({"smiles": Text.of([])}),
        Table({"smiles": Text.of([])}, Rejects([(0, "", "read", "empty")])),
        Table({"smiles": Text.of(["CCO"]), "y": np.array([1.0])}, targets=("y",)),
        Table({"smiles": Text.of(["C(", "nothing", ""]), "y": np.full(3, np.nan)}),
        Table({"smiles": Text.of(["CCO"] * 30), "y": Text.of([""] * 30)}),
        Table({"sequence": Text.of(["MKVLA", "ACDEF", "ACDEF"])}, smiles_column="sequence"),
        Table({"selfies": Text.of(["[C][C][O]", "[C][=O]"])}, smiles_column="selfies"),
    ],
)
def test_a_page_about_next_to_nothing(table: Table) -> None:
    report = data_report(table)
    found = read_page(report.html)
    assert "How this page was made" in found.text
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_sample_is_stated_on_the_page() -> None:
    text = read_page(data_report(["CCO", "CCN", "CCC"] * 40, sizes=SampleSizes(50, 10, 60)).html).text
    assert "50 rows, drawn at random, were parsed" in text
    assert "Tokens of 60 rows, drawn at random." in text
    assert "Of 10 molecules, drawn at random." in text


def test_a_page_of_many_columns_stays_small() -> None:
    values = {f"column {i} {'x' * 200}": Text.of([f"{(i * row) % 97}.5" for row in range(40)]) for i in range(300)}
    page = data_report(Table({"smiles": Text.of(["CCO"] * 40), **values})).html
    assert len(page) < 1_500_000
    assert "And 200 more columns." in page


def test_long_molecules_and_texts_are_cut(tmp_path: Path) -> None:
    report = data_report(["C" * 900, "C" * 900, "[" * 5000, "N" * 30_000])
    report.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 400_000
    assert repr(report).startswith("DataReport(Summary of molecules: 4 rows")
