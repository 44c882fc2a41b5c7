"""``mrl improve``: from a model and a file of a score to molecules and a report."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_command import facts, rows, run

from mrl.chem import qed
from mrl.lm import LanguageModel, ModelConfig
from mrl.text import SMILES_PATTERN, RegexVocab

SCORE = '[[component]]\nname = "QED"\nfunction = "qed"\ntransform = { kind = "identity" }\n'
START = "smiles\nCCOc1ccccc1\nCC(=O)NC1CCCCC1\nCCN1CCOCC1\nCc1ccncc1C\nCC(C)Oc1ccc(F)cc1\nNC(=O)c1cccs1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    vocab = RegexVocab([], SMILES_PATTERN)
    vocab.update_vocab_from_data(["CCOc1ccccc1", "CC(=O)NC1CCCCC1", "FClBrS"])
    vocab.save(tmp_path / "model" / "vocab.json")
    LanguageModel(ModelConfig.for_vocab(vocab, hidden=8), seed=1).save(tmp_path / "model" / "model.safetensors")
    (tmp_path / "score.toml").write_text(SCORE)
    (tmp_path / "start.csv").write_text(START)
    return tmp_path


@pytest.mark.slow
def test_a_search_writes_molecules_and_a_report_and_goes_on(folder: Path) -> None:
    base = ["improve", folder / "model", "--score", folder / "score.toml", "--start", folder / "start.csv"]
    base += ["--known", folder / "start.csv", "-o", folder / "out"]
    result = facts(*base, "--budget", 60)
    assert result["calls"] == 60
    assert result["best"][0]["score"] == pytest.approx(qed(result["best"][0]["smiles"]))
    found = rows(folder / "out" / "molecules.csv")
    assert len(found) == 60
    assert [float(row["score"]) for row in found] == sorted((float(row["score"]) for row in found), reverse=True)
    assert sum(row["known"] == "1" for row in found) == 6 == sum(row["source"] == "start" for row in found)
    page = (folder / "out" / "report.html").read_text()
    assert ">rdkit<" in page  # the versions
    assert "Molecules with a high score" in page
    assert "The highest scores" in page
    more = facts(*base, "--budget", 80)
    assert more["calls"] == 80
    assert more["best"][0]["score"] >= result["best"][0]["score"]


def test_a_mistake_in_the_score_is_reported_before_any_work(folder: Path) -> None:
    (folder / "score.toml").write_text(SCORE.replace('"qed"', '"qeed"'))
    _, errors = run("improve", folder / "model", "--score", folder / "score.toml", "-o", folder / "out", status=1)
    assert "did you mean 'qed'" in errors
    assert not (folder / "out").exists()


def test_rows_that_are_no_molecules_are_reported_before_the_search(folder: Path) -> None:
    (folder / "start.csv").write_text("smiles\nCCO\nC(\nCCN\n")
    (folder / "known.csv").write_text("smiles\nnot a molecule\nOCC\n")
    base = ["improve", folder / "model", "--score", folder / "score.toml", "--start", folder / "start.csv"]
    _, messages = run(*base, "--known", folder / "known.csv", "-o", folder / "out", "--budget", 2)
    assert "left out, syntax: 1 row, e.g. row 1, line 3: 'C('" in messages
    found = rows(folder / "out" / "molecules.csv")
    assert {row["smiles"]: row["known"] for row in found} == {"CCO": "1", "CCN": "0"}


def test_the_folder_of_the_model_is_not_written_over(folder: Path) -> None:
    _, errors = run("improve", folder / "model", "--score", folder / "score.toml", "-o", folder / "model", status=2)
    assert "choose another one with -o" in errors


def test_a_batch_larger_than_the_budget_is_the_budget(folder: Path) -> None:
    base = ["improve", folder / "model", "--score", folder / "score.toml", "--start", folder / "start.csv"]
    assert facts(*base, "-o", folder / "out", "--budget", 9, "--batch", 10**12)["calls"] == 9
    assert len(rows(folder / "out" / "molecules.csv")) == 9
