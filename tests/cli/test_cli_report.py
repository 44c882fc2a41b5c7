"""``mrl report``: a page and its numbers, from files as they come."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from cli_command import facts, run

from mrl.corpus import Table, TableColumn, save_corpus
from mrl.ragged import Rejects, Text

ROWS = ["CCO,1,a", "OCC,0,b", "C(,1,c", "c1ccccc1,0,d", "CCN,1,e"]


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "molecules.csv"
    path.write_text("\n".join(["smiles,active,name", *ROWS]) + "\n", encoding="utf-8")
    return path


def test_a_page_and_its_numbers(molecules: Path) -> None:
    out = molecules.parent / "report.html"
    found = facts("report", molecules, "-o", out)
    assert (found["rows"], found["invalid"], found["same_molecule"]["extra"]) == (5, 1, 1)
    assert found["conflicts"]["active"]["different"] == 1
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "1 of 1 repeated molecule has different values of &#x27;active&#x27;." in page


def test_a_sample_is_stated_and_the_command_repeats_it(molecules: Path) -> None:
    out = molecules.parent / "report.html"
    first = facts("report", molecules, "-o", out, "--sample", 3, "--seed", 2, "--target", "active")
    assert first["looked_at"]["molecules"] == 3
    before = out.read_bytes()
    assert b"--sample 3 --seed 2 --target active" in before
    run("report", molecules, "-o", out, "--sample", 3, "--seed", 2, "--target", "active")
    assert out.read_bytes() == before


def test_a_file_without_rows_gives_a_message_and_no_page(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    for name, content in (("empty.csv", ""), ("header.csv", "smiles,y\n")):
        (tmp_path / name).write_text(content)
        _, error = run("report", tmp_path / name, "-o", out, status=1)
        assert name in error
    assert not out.exists()


def test_all_rows_rejected(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "blank.csv.gz", "wt") as file:
        file.write("smiles,y\n ,1\n ,2\n")
    found = facts("report", tmp_path / "blank.csv.gz", "-o", tmp_path / "report.html")
    assert (found["rows"], found["kept"]) == (2, 0)
    assert found["rejects"][0]["count"] == 2


def test_each_kind_of_row_that_is_not_read_is_named_however_late_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_text("smiles,y\n" + ",1\n" * 150 + "C C,2\nC(,3\nCCO,4\n")
    _, error = run("report", path, "-o", tmp_path / "report.html")
    assert "not read, empty: 150 rows, e.g. row 0, line 2" in error
    assert "not read, blank inside SMILES: 1 row, e.g. row 150, line 152" in error
    assert "syntax" not in error


def test_wrong_options_are_named(molecules: Path) -> None:
    out = molecules.parent / "report.html"
    assert "expected the name of a file that ends in .html" in run("report", molecules, "-o", "x.pdf", status=2)[1]
    assert "no column 'activ' (did you mean 'active'?)" in run(
        "report", molecules, "-o", out, "--target", "activ", status=1
    )[1].replace("\n", " ")
    assert "is read, so it cannot be written" in run("report", out, "-o", out, status=2)[1] or not out.exists()


def test_sequences_are_summarised_without_parsing(tmp_path: Path) -> None:
    (tmp_path / "peptides.csv").write_text("sequence,label\nMKVLAAGG,1\nACDEFGHIK,0\nACDEFGHIK,1\n")
    found = facts("report", tmp_path / "peptides.csv", "-o", tmp_path / "report.html")
    assert (found["notation"], found["same_text"]["extra"]) == ("protein", 1)
    assert found["conflicts"]["label"]["different"] == 1


def test_a_corpus_is_reported_with_its_parts_and_rejects(tmp_path: Path) -> None:
    rejects = Rejects([(2, "C(", "parse", "syntax: C("), (3, "OCC", "duplicates", "the molecule of row 0")])
    columns: dict[str, TableColumn] = {"smiles": Text.of(["CCO", "CC", "OCC"]), "y": np.array([0.5, 1.5, 0.7])}
    save_corpus(Table(columns, rejects, targets=("y",)), tmp_path / "corpus")
    found = facts("report", tmp_path / "corpus", "-o", tmp_path / "report.html")
    assert (found["rows"], found["kept"], found["same_molecule"]["extra"]) == (5, 3, 1)
    assert [one["kind"] for one in found["rejects"]] == ["syntax", "duplicate"]
    assert found["conflicts"]["y"]["different"] == 1
