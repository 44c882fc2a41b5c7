"""``mrl train`` and ``mrl sample`` with sequences, and labels that are not numbers at the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_command import facts, rows, run

from mrl.lm import SequenceModel
from mrl.text import AminoAcidVocab, Vocab

PEPTIDES = ["GLLDTFKNLALNAAK", "AKKPVAKK", "KWKLFKKIGAVLKVL", "GIGKFLHSAKKF", "AKKPVAKK"]
SCORE = '[[component]]\nname = "q"\nfunction = "qed"\ntransform = {kind = "identity"}\n'


@pytest.mark.slow
def test_a_model_of_peptides_is_trained_and_sampled_at_the_terminal(tmp_path: Path) -> None:
    file, out = tmp_path / "peptides.csv", tmp_path / "model"
    file.write_text("name,sequence\n" + "".join(f"p{i},{text}\n" for i, text in enumerate(PEPTIDES)))
    _, errors = run("train", file, "-o", out, "--steps", 2, status=1)
    assert "--notation" in errors
    trained = facts("train", file, "-o", out, "--steps", 2, "--hidden", 16, "--notation", "protein")
    assert (trained["rows"], trained["molecules"]) == (5, 4)
    vocab = Vocab.load(out / "vocab.json")
    assert isinstance(vocab, AminoAcidVocab)
    assert vocab.decode(vocab.encode(PEPTIDES, on_unknown="raise")) == PEPTIDES
    SequenceModel.load(out / "model.safetensors", vocab)

    sampled = facts("sample", out, "-n", 20, "-o", tmp_path / "new.csv")
    written = rows(tmp_path / "new.csv")
    assert sampled["n"] == len(written) == 20
    assert [row["sequence"] for row in written if row["finished"] == "1"] == sampled["sequences"]
    cut = facts("sample", out, "-n", 20, "--max-length", 4, "-o", tmp_path / "cut.csv")
    assert [row["sequence"] for row in rows(tmp_path / "cut.csv") if row["sequence"]] == cut["sequences"]
    assert cut["finished"] < 20
    assert {row["text"][-1:] for row in rows(tmp_path / "cut.csv") if not row["sequence"]} == {"…"}
    printed, notes = run("sample", out, "-n", 20)
    assert printed.splitlines() == sampled["sequences"]
    assert f"20 samples, {sampled['finished']} of them ended" in notes

    (tmp_path / "score.toml").write_text(SCORE)
    words = ["--score", tmp_path / "score.toml", "-o", tmp_path / "found"]
    assert "needs a model of SMILES" in run("improve", out, *words, status=2)[1]


def test_sequences_are_split_at_random_or_by_a_column(tmp_path: Path) -> None:
    file, out = tmp_path / "peptides.csv", tmp_path / "parts"
    file.write_text("name,sequence\n" + "".join(f"p{i},{text}\n" for i, text in enumerate(PEPTIDES)))
    words = ["split", file, "-o", out, "--sizes", "0.6,0.4"]
    assert "--by random or a column" in run(*words, "--notation", "protein", status=2)[1]
    for by in ("random", "sequence"):
        found = facts(*words, "--notation", "protein", "--by", by)
        parts = [rows(out / f"{name}.csv") for name in ("train", "valid")]
        assert [len(part) for part in parts] == [3, 2]
        assert (found["rows"], found["rejects"]) == (5, 0)
        assert sorted(row["sequence"] for part in parts for row in part) == sorted(PEPTIDES)
    assert not {row["sequence"] for row in parts[0]} & {row["sequence"] for row in parts[1]}


def test_the_way_out_of_a_label_that_is_not_a_number_works_at_the_terminal(tmp_path: Path) -> None:
    file, out = tmp_path / "assay.csv", tmp_path / "clean.csv"
    file.write_text("smiles,pIC50\nCCO,5\nOCC,6\nCCN,n.d.\n")
    words = ["clean", file, "-o", out, "--duplicates", "mean", "--target", "pIC50"]
    assert "(--on-label)" in run(*words, status=1)[1]
    run(*words, "--on-label", "nan")
    assert [(row["smiles"], row["pIC50"]) for row in rows(out)] == [("CCO", "5.5"), ("CCN", "")]
    run(*words, "--on-label", "reject")
    assert [(row["smiles"], row["pIC50"]) for row in rows(out)] == [("CCO", "5.5")]


def test_a_target_that_is_missing_is_named_with_the_option(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("smiles,y\nCCO,5\nC,6\n")
    assert "(--target)" in run("fit", tmp_path / "a.csv", "--target", "logS", "-o", tmp_path / "m", status=1)[1]
