"""``mrl split``, ``featurize``, ``evaluate``, ``show``: every row is written or left out, with its reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from cli_command import facts, rows, run

from mrl.chem import ECFP6, scaffold_groups
from mrl.corpus import read

RINGS = [f"{'C' * n}C1CC1" for n in range(12)] + [f"{'C' * n}c1ccccc1" for n in range(6)] + ["CCO", "C1CCC1"]


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    """20 molecules of 4 scaffolds, one with a CXSMILES tail, and three rows that are no molecules."""
    lines = [f'{row},{text},{row % 2},"a, {row}"' for row, text in enumerate(RINGS)]
    lines[3:3] = ["x,C(,1,", "y,,1,"]
    path = tmp_path / "molecules.csv"
    path.write_text("\n".join(["id,smiles,y,note", *lines, "t,C/C=C/C |t:1|,0,tail", "z,xyz"]) + "\n")
    return path


def test_a_split_by_scaffold_keeps_every_row_as_it_is(molecules: Path, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    words = ["--sizes", "0.6,0.2,0.2", "--rejects", tmp_path / "r.csv"]
    found = facts("split", molecules, "-o", parts, *words)
    written = [line for name in ("train", "valid", "test") for line in (parts / f"{name}.csv").read_text().splitlines()]
    source = molecules.read_text().splitlines()
    assert sorted({*written}) == sorted({*source} - {"x,C(,1,", "y,,1,", "z,xyz"})
    assert [reject["row"] for reject in rows(tmp_path / "r.csv")] == ["3", "4", "23"]
    assert found["rows"] == 24
    assert found["rejects"] + sum(part["rows"] for part in found["parts"].values()) == 24
    smiles = [read(parts / f"{name}.csv").smiles.tolist() for name in ("train", "valid", "test")]
    groups = scaffold_groups([text.split()[0] for part in smiles for text in part]).tolist()
    ends = np.cumsum([len(part) for part in smiles])
    sets = [set(groups[: ends[0]]), set(groups[ends[0] : ends[1]]), set(groups[ends[1] :])]
    assert len(sets[0] | sets[1] | sets[2]) == sum(map(len, sets))


@pytest.mark.parametrize("by", ["cluster", "random", "y"])
def test_other_rules_split_too(molecules: Path, tmp_path: Path, by: str) -> None:
    words = ["--by", by, "--sizes", "0.5,0.5", "--seed", 3]
    once = facts("split", molecules, "-o", tmp_path / "a", *words)
    again = facts("split", molecules, "-o", tmp_path / "b", *words)
    assert [part["rows"] for part in once["parts"].values()] == [part["rows"] for part in again["parts"].values()]
    assert (tmp_path / "a" / "train.csv").read_bytes() == (tmp_path / "b" / "train.csv").read_bytes()
    assert once["rejects"] + sum(part["rows"] for part in once["parts"].values()) == 24


def test_classes_and_columns_that_name_the_parts(molecules: Path, tmp_path: Path) -> None:
    run("split", molecules, "-o", tmp_path / "a", "--by", "random", "--stratify", "y", "--sizes", "0.5,0.5")
    counts = [sum(row["y"] == "1" for row in rows(tmp_path / "a" / f"{name}.csv")) for name in ("train", "valid")]
    assert counts in ([5, 5], [6, 4])  # of 11 and 10 rows: 5.2 and 4.8, rounded up or down
    path = tmp_path / "named.smi"
    path.write_text("CCO train\nC test\nN Training\n")
    run("split", path, "-o", tmp_path / "b", "--by", "name")
    assert (tmp_path / "b" / "train.smi").read_text() == "CCO train\nN Training\n"
    assert (tmp_path / "b" / "test.smi").read_text() == "C test\n"
    path.write_text("CCO train\nC external\n")
    assert "row 0 is 'train', but row 1 is 'external'" in run("split", path, "-o", "c", "--by", "name", status=1)[1]


def test_an_empty_part_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_text("C\nCC\nCCC\nCCCC\nCCCCC\n")
    for by in ("random", "scaffold"):
        run("split", path, "-o", tmp_path / "parts", "--by", by, status=1)
    assert not (tmp_path / "parts").exists()


def test_a_part_of_another_split_does_not_stay_beside_the_new_ones(molecules: Path, tmp_path: Path) -> None:
    run("split", molecules, "-o", tmp_path / "parts", "--by", "random")
    error = run("split", molecules, "-o", tmp_path / "parts", "--by", "random", "--sizes", "0.5,0.5", status=2)[1]
    assert f"{tmp_path / 'parts' / 'test.csv'} is a part of another split" in error
    (tmp_path / "parts" / "test.csv").unlink()
    run("split", molecules, "-o", tmp_path / "parts", "--by", "random", "--sizes", "0.5,0.5")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["split", "x.csv", "-o", "parts", "--sizes", "8,1,1"], "together 10; they must add up to 1"),
        (["split", "x.csv", "-o", "parts", "--sizes", "half"], "expected two or three fractions such as 0.8,0.1,0.1"),
        (["split", "{file}", "-o", "parts", "--by", "scafold"], "--by is 'scafold' (did you mean 'scaffold'?)"),
        (["split", "{file}", "-o", "{file}"], "which is a file: choose the name of a folder"),
        (["featurize", "x.csv", "-o", "a.csv"], "expected the name of a file that ends in .npz or .parquet"),
        (["featurize", "x.csv", "-o", "a.npz", "--descriptors", "TSPA"], "did you mean 'TPSA'"),
        (
            ["featurize", "x.csv", "-o", "a.npz", "--descriptors", "qed", "--fingerprint", "maccs"],
            "give one of the two",
        ),
        (["featurize", "x.csv", "-o", "{file}/a.npz"], "Not a directory"),
        (["evaluate", "x.csv", "--rejects", "r.txt"], "--rejects is r.txt"),
        (["show", "x.csv", "-o", "page.pdf"], "expected the name of a file that ends in .html, .svg or .png"),
        (
            ["sample", "model", "-o", "x.pdf"],
            "expected the name of a file that ends in .csv, .tsv, .smi, .parquet or .arrow",
        ),
        (["sample", "model", "-o", "{file}/q.csv"], "Not a directory"),
        (["train", "x.csv", "-o", "{file}"], "which is a file: choose the name of a folder"),
        (["train", "x.csv", "-o", "{file}/model"], "Not a directory"),
        (["demo", "x.csv", "-o", "{file}"], "which is a file: choose the name of a folder"),
    ],
)
def test_wrong_options_and_outputs_are_noticed_before_any_work(words: list[str], message: str, molecules: Path) -> None:
    error = run(*(word.replace("{file}", str(molecules)) for word in words), status=2)[1]
    assert message in error
    assert "trained" not in error


def test_training_never_overwrites_a_model(molecules: Path, tmp_path: Path) -> None:
    model = tmp_path / "model" / "model.safetensors"
    model.parent.mkdir()
    model.write_bytes(b"precious")
    error = run("train", molecules, "-o", model.parent, "--steps", 1, status=2)[1]
    assert "has a model already: give --force to replace it, or choose another folder with -o" in error
    assert model.read_bytes() == b"precious"
    run("train", molecules, "-o", model.parent, "--steps", 1, "--hidden", 8, "--force")
    assert model.read_bytes() != b"precious"


def test_fingerprints_are_those_of_the_library(molecules: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.npz"
    found = facts("featurize", molecules, "-o", out, "--rejects", tmp_path / "r.csv")
    with np.load(out) as arrays:
        assert arrays["values"].dtype == np.uint8
        assert arrays["smiles"][:12].tolist() == RINGS[:12]
        assert arrays["rows"].tolist() == [row for row in range(23) if row not in (3, 4, 22)]  # the last one has a tail
        assert all((row == ECFP6(text)).all() for row, text in zip(arrays["values"], arrays["smiles"], strict=True))
        assert arrays["names"][:2].tolist() == ["ecfp6_0", "ecfp6_1"]
    assert (found["rows"], found["written"], found["rejects"]) == (24, 20, 4)
    assert len(rows(tmp_path / "r.csv")) == 4


def test_descriptors_are_named_columns_and_numbers_that_are_not_finite_are_rejects(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,smiles\n1,CCO\n2,[Na]Cl\n3,C(\n")
    words = ["--descriptors", "heavy_atoms, MaxPartialCharge", "--rejects", tmp_path / "r.csv"]
    run("featurize", path, "-o", tmp_path / "a.parquet", *words)
    table = parquet.read_table(tmp_path / "a.parquet").to_pydict()
    assert (table["id"], table["smiles"], table["heavy_atoms"]) == (["1"], ["CCO"], [3.0])
    rejects = rows(tmp_path / "r.csv")
    assert [reject["row"] for reject in rejects] == ["1", "2"]
    assert rejects[0]["reason"] == "not a finite number: MaxPartialCharge"


def test_evaluation_counts_rows_that_cannot_be_read_as_invalid_samples(molecules: Path, tmp_path: Path) -> None:
    (tmp_path / "train.smi").write_text("CCO\nnot(\n")
    words = ["--train", tmp_path / "train.smi", "--reference", molecules, "--rejects", tmp_path / "r.csv"]
    found = facts("evaluate", molecules, *words)
    assert (found["n"], found["train"], found["reference"]) == (24, 1, 20)
    assert found["metrics"]["validity"]["value"] == pytest.approx(20 / 24)
    assert [reject["row"] for reject in rows(tmp_path / "r.csv")] == ["3", "4", "22", "23"]
    output, _ = run("evaluate", molecules)
    assert "validity" in output
    assert "0.8333" in output


def test_a_page_shows_molecules_and_columns(molecules: Path, tmp_path: Path) -> None:
    found = facts("show", molecules, "-o", tmp_path / "page.html", "-n", 5, "--label", "note", "--seed", 1)
    page = (tmp_path / "page.html").read_text()
    assert found["shown"] == page.count("<svg") == 5
    assert "a, " in page


def test_evaluate_takes_the_column_of_each_file_and_adds_the_kl_divergence(molecules: Path, tmp_path: Path) -> None:
    samples, train = tmp_path / "samples.csv", tmp_path / "train.csv"
    samples.write_text("made,other\n" + "".join(f"{text},x\n" for text in ["CCO", "CCCN", "c1ccccc1O", "C("]))
    train.write_text("id,SMILES\n" + "".join(f"{i},{text}\n" for i, text in enumerate(["CCO", "CCN", "Cc1ccccc1O"])))
    words = ["--smiles-column", "made", "--train", train, "--reference", train, "--kl", "--rejects", tmp_path / "r.csv"]
    found = facts("evaluate", samples, *words)
    assert (found["n"], found["train"], found["reference"]) == (4, 3, 3)
    assert 0 < found["metrics"]["kl_divergence"]["value"] < 1
    assert [(one["row"], one["line"]) for one in rows(tmp_path / "r.csv")] == [("3", "5")]
    _, notes = run("evaluate", samples, *words)
    assert f"{train} has no column 'made': its molecules are those of 'SMILES'" in " ".join(notes.split())
    _, errors = run("evaluate", samples, "--smiles-column", "made", "--kl", status=2)
    assert "name their file with --train" in errors
