"""``mrl clean``: rows in = rows out + rejects, other columns kept, unusable options noticed before any work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_command import facts, rows, run

from mrl.cli.options import WRITTEN
from mrl.corpus import Table, read, write_table
from mrl.ragged import Text

FILE = """id,smiles,y,note
1,OCC,1.0,"a, b"
2,C(,2,x
3,,3,x
4,CCO,3,later
5,CC(=O)[O-].[Na+],NA,salt
6,C/C=C/C |t:1|,1,tail
7,CCC
"""


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    """A file with seven rows: two of the same molecule, a salt, a tail, and three that are no molecules."""
    path = tmp_path / "molecules.csv"
    path.write_text(FILE)
    return path


def test_steps_duplicates_and_rejects(molecules: Path, tmp_path: Path) -> None:
    steps = [word for name in ("strip-tail", "largest-fragment", "uncharge", "canonical") for word in ("--step", name)]
    words = ["--duplicates", "mean", "--target", "y", "--rejects", tmp_path / "rejects.csv"]
    found = facts("clean", molecules, "-o", tmp_path / "out.csv", *steps, *words)
    assert (tmp_path / "out.csv").read_text() == (
        'id,smiles,y,note\n1,CCO,2.0,"a, b"\n5,CC(=O)O,,salt\n6,C/C=C/C,1.0,tail\n'
    )
    rejects = rows(tmp_path / "rejects.csv")
    assert [(reject["row"], reject["stage"]) for reject in rejects] == [
        ("1", "parse"),
        ("2", "read"),
        ("3", "duplicates"),
        ("6", "read"),
    ]
    assert rejects[2]["reason"] == "duplicate: the molecule of row 0"
    assert (found["rows"], found["written"], found["not_read"], found["removed"]) == (7, 3, 2, 2)
    examples = {step["step"]: step["examples"] for step in found["steps"]}
    assert examples["strip tail"][0]["row"] == 5


def test_numbers_of_duplicates_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_text("C\n\nC(\n\nOCC\nCCO\n")
    run("clean", path, "-o", tmp_path / "b.smi", "--duplicates", "first", "--rejects", tmp_path / "r.csv")
    assert [(reject["row"], reject["reason"]) for reject in rows(tmp_path / "r.csv")][-1] == (
        "5",
        "duplicate: the molecule of row 4",
    )


@pytest.mark.parametrize("preset", ["none", "moses", "guacamol", "reinvent", "molformer"])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_every_row_is_written_or_left_out(molecules: Path, tmp_path: Path, preset: str, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    status = 1 if preset == "moses" else 0  # nothing of it is in the range of weights
    run("clean", molecules, "-o", out, "--preset", preset, "--rejects", tmp_path / "r.csv", status=status)
    written = 0 if status else len(read(out))
    assert written + len(rows(tmp_path / "r.csv")) == 7
    assert out.exists() != bool(status)


@pytest.mark.parametrize("suffix", WRITTEN)
def test_every_format_is_written_and_read(tmp_path: Path, suffix: str) -> None:
    source, out = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    write_table(Table({"smiles": Text.of(["OCC", "C", "xyz"]), "name": Text.of(["a", "b c", "d"])}), source)
    run("clean", source, "-o", out, "--step", "canonical")
    table = read(out, others=True)
    assert (table.smiles.tolist(), table["name"].tolist()) == (["CCO", "C"], ["a", "b c"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "b.xlsx"], "--out is b.xlsx; expected the name of a file that ends in .csv, .tsv, .smi, .parquet or"),
        (["-o", "b.csv", "--rejects", "r.txt"], "--rejects is r.txt; expected the name of a file that ends in .csv"),
        (["-o", "b.csv", "--preset", "mose"], "--preset: 'mose' is not a preset; choose one of none, moses"),
        (["-o", "b.csv", "--step", "canonic"], "--step is 'canonic' (did you mean 'canonical'?); choose one of"),
        (["-o", "b.csv", "--step", "canonical", "--preset", "moses"], "give one of the two"),
        (["-o", "b.csv", "--duplicates", "mean"], "--duplicates mean needs labels: name their column with --target"),
        (["-o", "b.csv", "--target", "y"], "give --duplicates, or leave it out"),
    ],
)
def test_wrong_options_are_noticed_before_the_file_is_read(words: list[str], message: str) -> None:
    assert message in run("clean", "missing.csv", *words, status=2)[1]


def test_unusable_outputs_are_noticed_before_the_file_is_read(molecules: Path, tmp_path: Path) -> None:
    for words in (["-o", molecules], ["-o", tmp_path / "b.csv", "--rejects", molecules]):
        error = run("clean", molecules, *words, status=2)[1]
        assert f"{molecules} is read, so it cannot be written" in error
        assert "read 5 rows" not in error
    error = run("clean", molecules, "-o", molecules / "b.csv", status=2)[1]
    assert f"cannot be written: {molecules}: Not a directory; choose another folder" in error
    assert molecules.read_text() == FILE


def test_columns_that_a_list_of_smiles_cannot_hold_are_noticed_before_cleaning(molecules: Path, tmp_path: Path) -> None:
    error = run("clean", molecules, "-o", tmp_path / "b.smi", status=1)[1]
    assert "not the columns 'id', 'y', 'note': write .csv, .tsv or .parquet" in error
    assert "left out" not in error
    run("clean", molecules, "-o", tmp_path / "b.tsv")


def test_json_is_all_that_is_printed(molecules: Path, tmp_path: Path) -> None:
    json.loads(run("clean", molecules, "-o", tmp_path / "b.csv", "--json")[0])
    assert run("clean", molecules, "-o", tmp_path / "b.csv")[0] == ""


def test_limits_among_labels_are_kept_and_never_averaged(tmp_path: Path) -> None:
    path, out = tmp_path / "x.csv", tmp_path / "out.csv"
    path.write_text("smiles,y,z\nCCO,>6,1\nOCC,5,1\nCCC,<3,2\nC(C)C,<3,4\nCCN,9,\n")
    found = facts("clean", path, "-o", out, "--duplicates", "mean", "--target", "y", "--target", "z")
    assert (found["rows"], found["written"], found["removed"]) == (5, 2, 3)
    assert [(row["smiles"], row["y"], row["z"]) for row in rows(out)] == [("CCC", "<3.0", "3.0"), ("CCN", "9.0", "")]
    facts("clean", path, "-o", out, "--duplicates", "first", "--target", "y")
    assert [(row["smiles"], row["y"]) for row in rows(out)] == [("CCO", ">6.0"), ("CCC", "<3.0"), ("CCN", "9.0")]


def test_the_mean_of_classes_that_differ_is_reported(tmp_path: Path) -> None:
    path, out = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text("smiles,active,y\nCCO,0,1\nOCC,1,2\nCCN,1,3\nCCC,,4\n")
    words = ["--target", "active", "--target", "y"]
    _, messages = run("clean", path, "-o", out, "--duplicates", "mean", *words)
    assert (
        "  active was 0 or 1 and is 0.5, for instance, where labels differed: "
        "for classes, --duplicates drop leaves such molecules out" in " ".join(messages.split("\n"))
    )
    assert messages.count("was 0 or 1") == 1
    _, messages = run("clean", path, "-o", out, "--duplicates", "drop", *words)
    assert "was 0 or 1" not in messages
    assert [row["active"] for row in rows(out)] == ["1.0", ""]
