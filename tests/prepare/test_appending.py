"""Files that are appended to a corpus: the rows, splits and rejects of a preparation of all files."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrl.chem import Canonical, LargestFragment
from mrl.corpus import Corpus, Table, open_corpus, save_corpus
from mrl.errors import ColumnError, CorpusError
from mrl.prepare import Inputs, prepare_corpus
from mrl.ragged import Text

SMILES = ["CCO", "OCC", "C(", "c1ccccc1", "C1=CC=CC=C1", "CC[O-].[Na+]", "C[C@H](N)O", "N", "", "Cc1ccccc1", "CCCCC"]


def write(path: Path, texts: list[str]) -> Path:
    lines = [f"{text},{k % 3}" for k, text in enumerate(texts)]
    path.write_text("\n".join(["smiles,y", *lines]) + "\n")
    return path


def rows(corpus: Corpus) -> list[tuple[Any, ...]]:
    """Every row with its part of the split, in the order of the inputs."""
    parts = corpus.splits or {"": corpus}
    found = [
        (row, text, split)
        for split, part in parts.items()
        for row, text in zip(part["input_row"][:].tolist(), part.smiles[:].tolist(), strict=True)
    ]
    return sorted(found)


def left_out(corpus: Corpus) -> list[tuple[Any, ...]]:
    return sorted((reject.row, reject.text, reject.stage, reject.reason) for reject in corpus.rejects)


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in folder.iterdir() if path.name != ".stamps.json")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.lists(st.sampled_from(SMILES), max_size=10), min_size=2, max_size=3),
    steps=st.sampled_from(["none", (LargestFragment(), Canonical())]),
    rule=st.sampled_from([None, "first"]),
    split=st.sampled_from([None, "random", "scaffold"]),
    size=st.integers(4, 9),
)
def test_appended_rows_are_those_of_a_preparation_of_all_files(
    tmp_path: Path, texts: list[list[str]], steps: Any, rule: Any, split: Any, size: int
) -> None:
    for name in ("whole", "grown"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    files = [write(tmp_path / f"{k}.csv", ["C", *some, "C"]) for k, some in enumerate(texts)]
    arguments: dict[str, Any] = {
        "steps": steps,
        "duplicates": rule,
        "split": split,
        "rows_per_part": size,
        "workers": 1,
    }
    prepare_corpus(files, tmp_path / "whole", **arguments)
    prepare_corpus(files[0], tmp_path / "grown", **arguments)
    before = {path.name: path.read_bytes() for path in (tmp_path / "grown").glob("*.arrow")}
    for file in files[1:]:
        prepare_corpus(file, tmp_path / "grown", append=True, **arguments)
    whole, grown = open_corpus(tmp_path / "whole"), open_corpus(tmp_path / "grown", verify="full")
    assert rows(grown) == rows(whole)
    assert left_out(grown) == left_out(whole)
    assert grown.verify() == []
    assert {name: (tmp_path / "grown" / name).read_bytes() for name in before} == before
    entries = grown.manifest.history
    assert sum(entry["read"]["rows"] for entry in entries) == whole.manifest.history[0]["read"]["rows"]
    assert sum(entry["rows"] for entry in entries) == len(grown)


def test_appending_twice_is_appending_once_and_the_first_preparation_is_still_known(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.csv", ["C", "CC", "N"]), write(tmp_path / "b.csv", ["O", "CC"])
    prepare_corpus(a, tmp_path / "c", workers=1)
    manifest = prepare_corpus(b, tmp_path / "c", workers=1, append=True)
    assert manifest.history[-1]["appended"] == 2
    assert prepare_corpus(b, tmp_path / "c", workers=1, append=True) == manifest
    assert prepare_corpus(a, tmp_path / "c", workers=1) == manifest
    assert open_corpus(tmp_path / "c").smiles[:].tolist() == ["C", "CC", "N", "O", "CC"]


def test_texts_vectors_and_ids_are_appended_and_labels_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("smiles,y\nOCC,\nN,1\n")
    (tmp_path / "b.csv").write_text("smiles,y\nCCO,7\nCN,2\n")
    arguments: dict[str, Any] = {"duplicates": "first", "features": ["maccs"], "workers": 1}
    prepare_corpus(Inputs(tmp_path / "a.csv", targets=("y",)), tmp_path / "c", **arguments)
    open_corpus(tmp_path / "c").add_tokens()
    prepare_corpus(Inputs(tmp_path / "b.csv", targets=("y",)), tmp_path / "c", append=True, **arguments)
    corpus = open_corpus(tmp_path / "c")
    np.testing.assert_array_equal(np.asarray(corpus.y[:]), [np.nan, 1, 2])
    assert [(reject.row, reject.reason) for reject in corpus.rejects] == [
        (2, "the molecule of row 0, which keeps its labels")
    ]
    assert corpus["maccs"].shape == (3, 21)
    assert corpus.verify() == []


def test_a_dry_run_says_what_appending_would_do_and_writes_nothing(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.csv", ["OCC", "N"]), write(tmp_path / "b.csv", ["CCO", "C(", "CN"])
    arguments: dict[str, Any] = {"duplicates": "first", "workers": 1}
    prepare_corpus(a, tmp_path / "c", **arguments)
    before = digests(tmp_path / "c")
    would = prepare_corpus(b, tmp_path / "c", append=True, dry_run=True, **arguments)
    assert (digests(tmp_path / "c"), sorted(path.name for path in (tmp_path / "c").glob("append*"))) == (before, [])
    manifest = prepare_corpus(b, tmp_path / "c", append=True, **arguments)
    assert would.history[-1]["rejects"] == manifest.history[-1]["rejects"] == {"duplicates": 1, "parse": 1}
    assert (would.rows, would.history[-1]["rows"]) == (manifest.rows, 1)
    with pytest.raises(CorpusError, match="has the rows of these files already"):
        prepare_corpus(b, tmp_path / "c", append=True, dry_run=True, **arguments)


def test_mistakes_are_named_and_change_nothing(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.csv", ["C", "CC"]), write(tmp_path / "b.csv", ["O"])
    prepare_corpus(Inputs(a, targets=("y",)), tmp_path / "c", duplicates="first", workers=1)
    before = digests(tmp_path / "c")

    def append(inputs: Any, out: str = "c", **arguments: Any) -> None:
        prepare_corpus(inputs, tmp_path / out, append=True, workers=1, **{"duplicates": "first", **arguments})

    with pytest.raises(CorpusError, match=r"other settings \(seed was 0 and is 1\): append with those"):
        append(Inputs(b, targets=("y",)), seed=1)
    with pytest.raises(CorpusError, match=r"targets was \['y'\] and is \[\]"):
        append(b)
    with pytest.raises(CorpusError, match="not a folder"):
        append(b, "no folder")
    assert digests(tmp_path / "c") == before
    open_corpus(tmp_path / "c").add_column("z", [1, 2])
    with pytest.raises(ColumnError, match=r"the files lack 'z' of .*c: append files with the columns"):
        append(Inputs(b, targets=("y",)))
    save_corpus(Table({"smiles": Text.of(["C"])}), tmp_path / "table")
    with pytest.raises(CorpusError, match=r"was not prepared from files: write the rows of a table .* Corpus\.append"):
        append(b, "table")
    prepare_corpus(Inputs(a, targets=("y",)), tmp_path / "mean", duplicates="mean", workers=1)
    with pytest.raises(CorpusError, match=r"merges labels of a molecule \(duplicates mean\)"):
        append(Inputs(b, targets=("y",)), "mean", duplicates="mean")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_at_any_moment_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    texts = [f"{'C' * (k % 40 + 1)}c1ccccc1{'O' * (k % 7)}" for k in range(400)]
    a, b = write(tmp_path / "a.csv", texts[:200]), write(tmp_path / "b.csv", texts[100:])
    words = [sys.executable, "-m", "mrl", "prepare", "--duplicates", "first", "--split", "random"]
    words += ["--rows-per-part", "100", "--workers", "2", "-o"]
    subprocess.run([*words, str(tmp_path / "whole"), str(a)], check=True, capture_output=True)
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    whole, killed = ([*words, str(tmp_path / name), str(b), "--append"] for name in ("whole", "killed"))
    subprocess.run(whole, check=True, capture_output=True)
    work, before = tmp_path / "killed" / "appending", open_corpus(tmp_path / "killed").manifest
    for files in (1, 12):
        process = subprocess.Popen(killed, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None and len(list(work.rglob("*.arrow"))) < files:
            time.sleep(0.002)
        assert process.poll() is None
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert open_corpus(tmp_path / "killed").manifest == before
    subprocess.run(killed, check=True, capture_output=True)
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")
