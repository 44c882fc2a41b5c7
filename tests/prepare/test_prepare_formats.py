"""Every format through prepare: the rows of `read` and `clean`, and each row kept or left out once."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from molecule_files import FILES, ROWS, as_mol

from mrl.chem import clean
from mrl.corpus import ReadOptions, open_corpus, read
from mrl.prepare import Inputs, prepare_corpus

WITH_WRONG = [*ROWS[:5], ("C(", "wrong", 1.0), *ROWS[5:], ("", "none", 2.0), ("N", "last", 3.0)]
SAME_COLUMNS = ("t.csv", "t.tsv", "t.csv.gz", "t.jsonl", "t.xlsx", "t.parquet", "t.arrow", "t.csv.zst")


def require_prepared(inputs: Inputs, out: Path, expected: int, *, is_text: bool = False) -> None:
    """Raise unless the corpus has the rows of reading and cleaning, and each row is kept or left out once."""
    options: dict[str, Any] = {"targets": inputs.targets, "options": inputs.options, "others": inputs.others}
    table = read(list(inputs.paths), **options)
    steps = "none" if is_text else "molformer"
    arguments: dict[str, Any] = {"parse": False} if is_text else {"steps": steps}
    prepare_corpus(inputs, out, workers=1, vocab=None, rows_per_part=7, duplicates="first", **arguments)
    corpus = open_corpus(out)
    texts, kept = table.smiles, np.arange(len(table))
    left_out = {reject.row for reject in table.rejects}
    if is_text:
        _, firsts = np.unique(texts.tolist(), return_index=True)
        kept = np.sort(firsts)
        left_out |= set(table.rows.tolist()) - set(table.rows[kept].tolist())
        texts = texts[kept]
    else:
        cleaned = clean(texts, steps, duplicates="first")
        texts, kept = cleaned.smiles, cleaned.kept
        left_out |= {int(table.rows[reject.row]) for reject in cleaned.rejects}
    assert corpus.smiles[:].tolist() == texts.tolist()
    assert corpus["input_row"][:].tolist() == table.rows[kept].tolist()
    assert {reject.row for reject in corpus.rejects} == left_out
    assert sorted([*corpus["input_row"][:].tolist(), *(r.row for r in corpus.rejects)]) == list(range(expected))
    for name in set(table.columns) - {table.smiles_column} - set(inputs.targets):
        assert corpus[name][:].tolist() == table[name][kept].tolist(), name
    for name in inputs.targets:
        np.testing.assert_array_equal(corpus[name][:], table[name][kept])


@pytest.mark.parametrize("name", FILES)
def test_a_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name](WITH_WRONG))
    has_labels = name not in ("t.smi", "t.fasta")
    inputs = Inputs(path, targets=("y",) if has_labels else (), others=True)
    require_prepared(inputs, tmp_path / "c", len(WITH_WRONG), is_text=name == "t.fasta")


def test_mol_files_by_a_pattern(tmp_path: Path) -> None:
    for k in range(9):
        (tmp_path / f"{k}.mol").write_bytes(as_mol([WITH_WRONG[k]]))
    require_prepared(Inputs(str(tmp_path / "*.mol")), tmp_path / "c", 9)


def test_files_of_several_formats_with_the_same_columns(tmp_path: Path) -> None:
    for name in SAME_COLUMNS:
        (tmp_path / name).write_bytes(FILES[name](WITH_WRONG))
    paths = [
        tmp_path / "t.jsonl",
        tmp_path / "*.csv*",
        tmp_path / "t.xlsx",
        tmp_path / "t.parquet",
        tmp_path / "t.arrow",
    ]
    inputs = Inputs([str(path) for path in paths], targets=("y",), others=True)
    require_prepared(inputs, tmp_path / "c", len(WITH_WRONG) * 7)


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, format in (("t.csv", "csv"), ("t.sdf.gz", "sdf"), ("t.parquet", "parquet")):
        data = FILES[name](WITH_WRONG)
        out = tmp_path / name
        (tmp_path / f"in-{name}").write_bytes(data)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        prepare_corpus(Inputs("-", targets=("y",), format=format), out, workers=1, vocab=None)
        prepare_corpus(Inputs(tmp_path / f"in-{name}", targets=("y",)), tmp_path / f"f-{name}", workers=1, vocab=None)
        one, two = open_corpus(out), open_corpus(tmp_path / f"f-{name}")
        assert one[:].columns["smiles"].tolist() == two[:].columns["smiles"].tolist()
        assert one.rejects == two.rejects
        assert one.manifest.history[0]["prepared"]["inputs"][0]["name"] == "-"
    with pytest.raises(ValueError, match=r"the name of - does not say its format: pass Inputs\('-', format='csv'\)"):
        prepare_corpus("-", tmp_path / "d", workers=1)
    assert not (tmp_path / "d").exists()


def test_files_behind_urls(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec", reason="the extra fsspec is not installed")
    system = fsspec.filesystem("memory")
    for k, name in enumerate(("t.csv.gz", "t.csv.xz")):
        system.pipe(f"/mrl-prepare/{k}.{name.partition('.')[2]}", FILES[name](WITH_WRONG))
    inputs = Inputs("memory://mrl-prepare/*.csv.*", targets=("y",), options=ReadOptions(on_label="reject"))
    require_prepared(inputs, tmp_path / "c", 2 * len(WITH_WRONG))
