"""Rows in = rows out + rejects, on files made wrong on purpose, whatever the size of the parts is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrl.corpus import ReadOptions, open_corpus, read
from mrl.errors import CorpusError
from mrl.prepare import Inputs, Recipe, prepare_corpus, prepare_phase

A = 'smiles,y\nC,1\n"C\nC",2\n\nC(,4\nCC,nan\n,\n,3\n'
B = "smiles,y\n,\nC,5\n,\n,\n"
ONLY_REJECTS = "smiles,y\n,\n,\n,\n"


def accounted(inputs: Any, out: Path, **arguments: Any) -> list[tuple[int, str]]:
    """The number and the fate of each input row: its text, or the stage of its reject."""
    manifest = prepare_corpus(inputs, out, workers=1, **arguments)
    corpus = open_corpus(out)
    kept = zip(np.asarray(corpus["input_row"][:]).tolist(), corpus.smiles[:].tolist(), strict=True)
    rows = sorted([*kept, *((reject.row, f"<{reject.stage}>") for reject in corpus.rejects)])
    assert [row for row, _ in rows] == list(range(manifest.history[0]["read"]["rows"]))
    return rows


@pytest.mark.parametrize("rows_per_part", [1, 2, 3, 7, 100])
def test_every_row_of_wrong_files_is_kept_or_left_out_once(tmp_path: Path, rows_per_part: int) -> None:
    paths = []
    for k, text in enumerate([ONLY_REJECTS, A, B, ONLY_REJECTS, A, ONLY_REJECTS]):
        paths.append(tmp_path / f"{k}.csv")
        paths[-1].write_text(text)
    inputs = Inputs(paths, targets="y")  # type: ignore[arg-type]
    rows = accounted(inputs, tmp_path / "c", rows_per_part=rows_per_part, duplicates="mean")
    table = read(paths, targets="y")
    assert len(rows) == len(table) + len(table.rejects)
    stages = [text for _, text in rows]
    assert (stages.count("<duplicates>"), stages.count("<parse>")) == (3, 2)
    corpus = open_corpus(tmp_path / "c")
    assert corpus.smiles[:].tolist() == ["C", "CC"]
    assert np.asarray(corpus["y"][:])[0] == np.mean([1, 5, 1])


def test_files_of_rejects_only(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles\nC(\nXx\n\nC(\n")
    for rows_per_part in (1, 2, 9):
        rows = accounted(path, tmp_path / str(rows_per_part), rows_per_part=rows_per_part, duplicates="first")
        assert not [text for _, text in rows if text[0] != "<"]


def test_tails_do_not_stay_beside_molecules_whose_atoms_were_renumbered(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\nOCC |$foo;;$|,1\nCCN,2\n")
    prepare_corpus(path, tmp_path / "none", workers=1)
    assert open_corpus(tmp_path / "none")["cxsmiles"][:].tolist() == ["|$foo;;$|", ""]
    prepare_corpus(path, tmp_path / "preset", steps="molformer", workers=1)
    corpus = open_corpus(tmp_path / "preset")
    assert ("cxsmiles" in corpus.columns, corpus.smiles[:].tolist()) == (False, ["CCO", "CCN"])
    (stage,) = [step for step in corpus.manifest.history[0]["steps"] if step["stage"] == "strip tail"]
    assert stage["changed"] == 1


def test_names_that_are_not_utf8_are_kept_with_escapes_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_bytes(b"C caf\xe9\nCC ok\n")
    assert accounted(path, tmp_path / "kept") == [(0, "C"), (1, "CC")]
    assert open_corpus(tmp_path / "kept")["name"][:].tolist() == ["caf\\xe9", "ok"]
    assert accounted(Inputs(path, id="name"), tmp_path / "asked") == [(0, "<read>"), (1, "CC")]
    latin = Inputs(path, id="name", options=ReadOptions(encoding="latin-1"))
    assert accounted(latin, tmp_path / "latin") == [(0, "C"), (1, "CC")]


def test_censored_labels_keep_their_signs_and_are_not_merged(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\nC,>10\nCC,5\nC,<3\n")
    inputs = Inputs(path, targets=("y",), censored="keep")
    prepare_corpus(inputs, tmp_path / "c", workers=1)
    assert open_corpus(tmp_path / "c")["y_sign"][:].tolist() == [1, 0, -1]
    for labels in ("first", "mean", "drop"):
        with pytest.raises(ValueError, match="labels with a sign such as '>10' cannot be merged: leave out duplicates"):
            prepare_corpus(inputs, tmp_path / "d", duplicates=labels, workers=1)
    followed = Inputs(path, targets=("y",), options=ReadOptions(on_label="reject"))
    assert accounted(followed, tmp_path / "d", duplicates="mean") == [(0, "<read>"), (1, "CC"), (2, "<read>")]


def test_two_splits_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,set\nC,train\n")
    with pytest.raises(ValueError, match="the split is given twice: by random, and by the column set"):
        prepare_corpus(Inputs(path, split="set"), tmp_path / "c", split="random")


def test_a_folder_of_the_user_that_is_called_work_stays(tmp_path: Path) -> None:
    path, out = tmp_path / "a.smi", tmp_path / "project"
    path.write_text("C\n")
    thesis = out / "work" / "thesis.tex"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("years of it")
    with pytest.raises(CorpusError, match="holds work already: choose a new or empty folder"):
        prepare_corpus(path, out, workers=1)
    with pytest.raises(CorpusError, match="holds work already: choose a new or empty folder"):
        prepare_phase(path, out, Recipe(), "read")
    assert thesis.read_text() == "years of it"
