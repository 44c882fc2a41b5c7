"""``mrl fit`` and ``mrl predict``: from measured values to predictions, with every row accounted for."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from cli_command import facts, rows, run

from mrl.chem import logp
from mrl.corpus import read
from mrl.qsar import PropertyModel, fit

QUICK = ["--folds", 2, "--members", 1, "--epochs", 3]
SMILES = [f"{'C' * n}{ring}" for n in range(8) for ring in ("c1ccccc1", "C1CC1", "c1ccncc1", "O")]


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    """32 molecules with two targets and a note; a row that is not a molecule, and one without a label."""
    lines = [f'{text},{logp(text):.3f},{"c1" in text:d},"a, {row}"' for row, text in enumerate(SMILES)]
    lines[2:2] = ["C(,1,0,x", "CCF,,,y"]
    path = tmp_path / "molecules.csv"
    path.write_text("\n".join(["smiles,log P,aromatic,note", *lines]) + "\n")
    return path


def test_from_measured_values_to_predictions(molecules: Path, tmp_path: Path) -> None:
    model, out = tmp_path / "model", tmp_path / "out.csv"
    targets = ["--target", "log P", "--target", "aromatic"]
    found = facts("fit", molecules, *targets, "-o", model, *QUICK, "--rejects", tmp_path / "r.csv")
    assert (found["rows"], found["trained_on"], found["rejects"]) == (34, 32, 2)
    assert found["targets"] == {"log P": "regression", "aromatic": "classification"}
    assert [one["metric"] for one in found["metrics"]] == ["rmse", "mae", "r2", "spearman", "roc_auc", "pr_auc"]
    assert sum(found["fold_sizes"]) == 32
    assert [(one["row"], one["stage"], one["text"]) for one in rows(tmp_path / "r.csv")] == [
        ("2", "feature", "C("),
        ("3", "label", "CCF"),
    ]
    assert sorted(path.name for path in model.iterdir()) == ["property_model.safetensors", "report.html"]

    made = facts("predict", model, molecules, "-o", out, "--rejects", tmp_path / "r2.csv")
    assert (made["rows"], made["written"], made["predicted"], made["rejects"]) == (34, 34, 33, 1)
    written = rows(out)
    assert list(written[0]) == [
        *("smiles", "log P", "aromatic", "note"),
        *("log P predicted", "log P uncertainty", "aromatic predicted", "aromatic uncertainty", "similarity"),
    ]
    source = rows(molecules)
    assert [{name: row[name] for name in source[0]} for row in written] == source
    assert [row["log P predicted"] == "" for row in written] == [text == "C(" for text in [r["smiles"] for r in source]]
    expected = PropertyModel.load(model).predict([row["smiles"] for row in source])
    assert [float(row["log P predicted"] or "nan") for row in written] == pytest.approx(
        expected["log P"].tolist(), nan_ok=True
    )
    assert written[0]["similarity"] == "1.0"
    assert [one["row"] for one in rows(tmp_path / "r2.csv")] == ["2"]


def test_the_command_trains_the_model_that_the_function_trains(molecules: Path, tmp_path: Path) -> None:
    run("fit", molecules, "--target", "log P", "-o", tmp_path / "a", *QUICK, "--split", "note", "--seed", 4)
    table = read(molecules, targets=["log P"], others=True)
    from mrl.qsar import FitOptions

    options = FitOptions(folds=2, members=1, epochs=3, seed=4)
    with pytest.warns(UserWarning, match="2 of 34 rows are left out"):
        fit(table, "log P", split=list(table["note"]), options=options).save(tmp_path / "b")
    names = [tmp_path / folder / "property_model.safetensors" for folder in "ab"]
    assert names[0].read_bytes() == names[1].read_bytes()


def test_the_terminal_shows_metrics_and_what_was_left_out(molecules: Path, tmp_path: Path) -> None:
    shown, notes = run("fit", molecules, "--target", "log P", "-o", tmp_path / "m", *QUICK)
    assert re.search(r"log P +rmse +[\d.]+ +[\d.]+ +32\n", shown)
    assert "left out, no label: 1 row, e.g. row 3, line 5: 'CCF'" in notes
    assert "trained 2 networks on 32 rows" in notes
    shown, notes = run("predict", tmp_path / "m", molecules, "-o", tmp_path / "o.parquet")
    assert "wrote 33 predictions" in notes
    assert len(read(tmp_path / "o.parquet", others=True)) == 34


def test_a_model_is_replaced_only_by_force(molecules: Path, tmp_path: Path) -> None:
    words = ["fit", molecules, "--target", "log P", "-o", tmp_path / "m", *QUICK]
    run(*words)
    before = (tmp_path / "m" / "property_model.safetensors").read_bytes()
    _, notes = run(*words, "--seed", 1, status=2)
    assert "has a model already: give --force to replace it, or choose another folder" in notes
    assert (tmp_path / "m" / "property_model.safetensors").read_bytes() == before
    run(*words, "--seed", 1, "--force")
    assert (tmp_path / "m" / "property_model.safetensors").read_bytes() != before


@pytest.mark.slow
def test_a_fit_that_was_killed_writes_the_same_files_when_it_is_run_again(molecules: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "mrl", "fit", molecules, "--target", "log P", "-o", "m", *QUICK[:-1], 200]
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    began = time.monotonic()
    subprocess.run([*map(str, words)], cwd=tmp_path / "whole", check=True, capture_output=True)
    process = subprocess.Popen([*map(str, words)], cwd=tmp_path / "killed", stderr=subprocess.DEVNULL)
    time.sleep(0.6 * (time.monotonic() - began))  # usually while it trains
    process.kill()
    process.wait()
    if not (tmp_path / "killed" / "m" / "property_model.safetensors").exists():
        subprocess.run([*map(str, words)], cwd=tmp_path / "killed", check=True, capture_output=True)
    for name in ("property_model.safetensors", "report.html"):
        assert (tmp_path / "killed" / "m" / name).read_bytes() == (tmp_path / "whole" / "m" / name).read_bytes()


@pytest.mark.parametrize(
    ("words", "message", "status"),
    [
        (["fit", "{file}", "--target", "logP", "-o", "{tmp}/m"], "no column 'logP'", 1),
        (["fit", "{file}", "--target", "log P", "-o", "{file}"], "which is a file", 2),
        (["fit", "{file}", "--target", "log P", "-o", "{file}/m"], "Not a directory", 2),
        (["fit", "{file}", "--target", "log P", "-o", "{tmp}/m", "--rejects", "r.txt"], "ends in .csv", 2),
        (["fit", "{file}", "--target", "log P", "-o", "{tmp}/m", "--split", "note2"], "did you mean 'note'", 2),
        (["fit", "{file}", "--target", "log P", "-o", "{tmp}/m", "--task", "classification"], "class 0 or 1", 1),
        (["fit", "{file}", "--target", "aromatic", "-o", "{tmp}/m", "--folds", "9"], "9 folds need as many", 1),
        (["predict", "{tmp}/none", "{file}", "-o", "{tmp}/o.csv"], "mrl fit FILE --target Y -o", 2),
        (["predict", "{file}", "{file}", "-o", "{tmp}/o.smi"], "expected the name of a file that ends in .csv", 2),
        (["predict", "{tmp}/none", "{file}", "-o", "{file}"], "is read, so it cannot be written", 2),
    ],
)
def test_usage(molecules: Path, tmp_path: Path, words: list[str], message: str, status: int) -> None:
    _, notes = run(*(word.format(file=molecules, tmp=tmp_path) for word in words), status=status)
    assert message in notes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["molecules.csv"]


def test_other_inputs(molecules: Path, tmp_path: Path) -> None:
    run("fit", molecules, "--target", "log P", "-o", tmp_path / "m", *QUICK)
    with gzip.open(tmp_path / "a.smi.gz", "wt") as file:
        file.write("CCO ethanol\nc1ccccc1 benzene\n")
    run("predict", tmp_path / "m", tmp_path / "a.smi.gz", "-o", tmp_path / "o.tsv")
    assert [row["name"] for row in rows(tmp_path / "o.tsv", "\t")] == ["ethanol", "benzene"]
    (tmp_path / "bad.smi").write_text("C(\nxyz\n")
    _, notes = run("predict", tmp_path / "m", tmp_path / "bad.smi", "-o", tmp_path / "p.csv", status=1)
    assert "has a prediction, so" in notes
    run("predict", tmp_path / "m", tmp_path / "o.tsv", "-o", tmp_path / "q.csv", status=1)  # has the columns already


def test_the_report(molecules: Path, tmp_path: Path) -> None:
    out = tmp_path / "a folder"
    shown, _ = run("fit", molecules, "--target", "log P", "--target", "aromatic", "-o", out, *QUICK, "--json")
    page = (out / "report.html").read_text()
    for words in (
        "log P: predicted",
        "area under the curve",
        "Worst residuals",
        'aria-label="structure of ',
        "RMSE",
        f"mrl fit {molecules} --target &#x27;log P&#x27; --target aromatic -o &#x27;{out}&#x27; --folds 2",
    ):
        assert words in page, words
    row = int(re.findall(r"<p>row (\d+): ", page)[0])
    assert rows(molecules)[row]["log P"]  # the number is that of the file, where row 2 is not a molecule
    assert np.isfinite(json.loads(shown)["metrics"][0]["mean"])
    run("fit", molecules, "--target", "log P", "--target", "aromatic", "-o", out, *QUICK, "--force")
    assert (out / "report.html").read_text() == page


def test_censored_labels_of_a_file_are_learned_with_their_signs(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = [f"{text},{'>' if logp(text) > 2 else ''}{min(logp(text), 2):.2f}" for text in SMILES]
    path.write_text("\n".join(["smiles,y", *lines]) + "\n")
    found = facts("fit", path, "--target", "y", "-o", tmp_path / "m", *QUICK)
    n = sum(logp(text) > 2 for text in SMILES)
    assert found["censored"] == {"y": n}
    assert found["metrics"][0]["labels"] == len(SMILES) - n
