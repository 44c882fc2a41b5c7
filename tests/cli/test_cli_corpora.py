"""``mrl prepare``, ``verify``, ``export``: every option, every message followed, every row kept or left out."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_command import facts, rows, run

from mrl.corpus import open_corpus, read
from mrl.text import SmilesVocab, Vocab

FILE = """key,smiles,y,w,set,note
1,OCC,1,0.5,train,a
2,C(,2,1,train,b
3,CCO,3,1,test,c
4,c1ccccc1,4,2,valid,d
5,CC(=O)[O-].[Na+],5,1,train,e
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Five rows: two of the same molecule, one that is no molecule, a salt."""
    path = tmp_path / "a.csv"
    path.write_text(FILE)
    return path


def test_prepare_with_every_option(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    SmilesVocab().save(tmp_path / "v.json")
    steps = [word for name in ("largest-fragment", "uncharge", "canonical") for word in ("--step", name)]
    columns = ["--smiles-column", "smiles", "--target-columns", "y", "--id-column", "key", "--weight-column", "w"]
    rest = ["--split-column", "set", "--others", "--on-label", "reject", "--format", "csv", "--encoding", "utf-8"]
    more = ["--vocab", tmp_path / "v.json", "--seed", 3, "--rows-per-part", 2, "--workers", 1, "--duplicates", "mean"]
    found = facts("prepare", table, "-o", out, *steps, *columns, *rest, *more)
    assert (found["rows"], found["written"], found["shards"]) == (5, 3, 3)
    assert found["splits"] == {"train": 2, "valid": 1}
    assert found["rejects"] == {"duplicates": 1, "parse": 1}
    corpus = open_corpus(out)
    assert corpus.smiles[:].tolist() == ["CCO", "CC(=O)O", "c1ccccc1"]
    assert {*corpus.columns} == {"key", "smiles", "y", "w", "set", "note", "input_row"}
    assert corpus[0] == {"key": "1", "smiles": "CCO", "y": 2.0, "w": 0.5, "set": "train", "note": "a", "input_row": 0}


def test_prepare_says_what_became_of_the_rows(table: Path, tmp_path: Path) -> None:
    out, err = run("prepare", table, "-o", tmp_path / "c", "--duplicates", "first", "--step", "canonical")
    assert out == ""
    assert [line.split(" in ")[0] for line in err.splitlines()] == [
        f"✓ read 5 rows of {table}",
        "  parse: 1 row left out, e.g. row 1: syntax: cannot be read near character 2 of 2, '('",
        "  canonical: 1 row changed, e.g. OCC -> CCO",
        "  duplicates: 1 row left out",
        f"✓ wrote 3 rows of 5 to {tmp_path / 'c'}",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--preset", "moses", "--step", "canonical"], "give one of the two"),
        (["--preset", "mosses"], "mosses"),
        (["--split", "weight"], "expected random or scaffold"),
        (["--split", "random", "--split-column", "set"], "give one of the two"),
        (["--shard", "1/1", "--phase", "clean"], "expected i/n with 0 <= i < n, such as 0/8"),
        (["--shard", "0/2"], "give --phase, read, clean, plan, write, finish"),
        (["--phase", "read", "--dry-run"], "leave out --dry-run and --engine"),
        (["--append", "--phase", "read"], "on several machines with --engine ray: leave out --phase"),
        (["--address", "auto"], "give --engine ray"),
        (["--duplicates", "mean"], "name their column with --target-columns"),
        (["--sizes", "0.5,0.4", "--split", "random"], "expected two or three fractions that add up to 1"),
        (["--no-parse", "--preset", "moses"], "steps needs molecules, but parse is False (--no-parse)"),
        (["--no-parse", "--split", "scaffold"], "split by scaffold needs molecules"),
        (["--vocab", "none", "--merges", "5"], "--merges are learned, but --vocab is 'none': leave out one of the two"),
        (["--merges", "-1"], "--merges"),
        (["--vocab", "lern"], "--vocab is 'lern' (did you mean 'learn'?)"),
        (["--rows-per-part", "0"], "--rows-per-part"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_options_that_cannot_be_are_noticed_before_any_work(
    table: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    _, err = run("prepare", table, "-o", tmp_path / "c", *words, status=2)
    assert message in " ".join(err.replace("│", " ").split())
    assert not (tmp_path / "c").exists()


def test_prepare_learns_merges_as_mrl_vocab_does(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_text("CC(=O)N\nCC(=O)O\nCC(=O)Cl\n")
    found = facts("prepare", path, "-o", tmp_path / "c", "--merges", 3, "--workers", 1)
    run("vocab", "learn", path, "-o", tmp_path / "v.json", "--merges", 3)
    assert open_corpus(tmp_path / "c").vocab == Vocab.load(tmp_path / "v.json")
    assert found["merges"] == 3
    _, err = run("prepare", path, "-o", tmp_path / "d", "--merges", 30, "--workers", 1)
    assert "  vocabulary: 5 of 30 tokens of several pieces learned" in err.splitlines()


def test_a_dry_run_writes_nothing(table: Path, tmp_path: Path) -> None:
    _, err = run("prepare", table, "-o", tmp_path / "c", "--dry-run")
    assert "would keep 4 rows of 5; nothing is written" in err
    assert facts("prepare", table, "-o", tmp_path / "c", "--dry-run")["path"] is None
    assert not (tmp_path / "c").exists()


def test_files_are_appended_by_the_same_command(table: Path, tmp_path: Path) -> None:
    more, words = tmp_path / "more.csv", ["-o", tmp_path / "c", "--duplicates", "first", "--workers", 1]
    more.write_text("smiles\nc1ccccc1\nBrCCCl\nC(\n")
    run("prepare", table, *words)
    err = run("prepare", more, *words, "--append", "--dry-run")[1]
    assert f"would append 1 of 3 rows to {tmp_path / 'c'}; nothing is written" in err
    assert len(open_corpus(tmp_path / "c")) == 3
    found = facts("prepare", more, *words, "--append")
    assert (found["rows"], found["written"], found["rejects"]) == (3, 4, {"duplicates": 1, "parse": 1})
    assert open_corpus(tmp_path / "c").smiles[:].tolist() == ["OCC", "c1ccccc1", "CC(=O)[O-].[Na+]", "BrCCCl"]
    err = run("prepare", more, *words, "--append")[1]
    assert f"appended 1 of 3 rows to {tmp_path / 'c'} in " in err
    assert "it has 4 rows" in err


def test_several_files_and_globs(table: Path, tmp_path: Path) -> None:
    shutil.copy(table, tmp_path / "b.csv")
    assert facts("prepare", table, tmp_path / "b.csv", "-o", tmp_path / "c")["rows"] == 10
    assert facts("prepare", tmp_path / "*.csv", "-o", tmp_path / "d")["rows"] == 10


def test_phases_and_shares_in_any_order_make_the_same_corpus(table: Path, tmp_path: Path) -> None:
    common = [table, "--duplicates", "first", "--rows-per-part", 2]
    run("prepare", *common, "-o", tmp_path / "whole")
    phased = [*common, "-o", tmp_path / "phased"]
    _, err = run("prepare", *phased, "--phase", "clean", status=1)
    assert "the phase before is not complete; run the phase before again" in err
    run("prepare", *phased, "--phase", "read")
    for phase in ("clean", "plan", "write"):
        for share in ("2/3", "0/3", "1/3"):
            assert f"finished the phase {phase}" in run("prepare", *phased, "--phase", phase, "--shard", share)[1]
    _, err = run("verify", tmp_path / "phased", status=1)
    assert "not finished: run the same mrl prepare again, which goes on" in err
    run("prepare", *phased, "--phase", "finish")
    for path in sorted((tmp_path / "whole").iterdir()):
        if path.name[0] != ".":
            assert (tmp_path / "phased" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_wrong_folder_is_refused_and_the_way_out_works(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    out.mkdir()
    (out / "notes.txt").touch()
    _, err = run("prepare", table, "-o", out, status=1)
    assert "holds notes.txt already: choose a new or empty folder" in err
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
    (out / "notes.txt").unlink()
    run("prepare", table, "-o", out)
    run("prepare", table, "-o", out)  # is there
    _, err = run("prepare", table, "-o", out, "--split", "random", status=1)
    assert "holds a corpus already, of other settings (split was None and is {'by': 'random'" in err
    assert "choose another folder, or delete it" in err
    shutil.rmtree(out)
    run("prepare", table, "-o", out, "--split", "random")
    _, err = run("prepare", table, "-o", table, status=1)
    assert "is a file, expected a new folder" in err
    _, err = run("prepare", tmp_path / "b.csv", "-o", tmp_path / "d", status=2)
    assert "does not exist (did you mean 'a.csv'?)" in err


def test_a_damaged_description_of_work_is_begun_again(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    run("prepare", table, "-o", out, "--phase", "read")
    (out / "work" / "job.json").write_text("{}")
    _, err = run("prepare", table, "-o", out, status=1)
    assert f"delete {out} to begin again" in " ".join(err.split())
    shutil.rmtree(out)
    run("prepare", table, "-o", out)


def test_no_row_left_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles\nC(\nC)\n")
    _, err = run("prepare", path, "-o", tmp_path / "c", status=1)
    assert "no row is left; choose the column of the molecules with --smiles-column" in err


def test_verify_finds_a_flipped_byte_and_names_the_way_out(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    run("prepare", table, "-o", out)
    assert run("verify", out)[0].startswith("Every byte is as it was written: 4 rows, 4 files, ")
    assert facts("verify", out)["problems"] == []
    for name in ("shard-00000.arrow", "vocab.json", "rejects.parquet"):
        path = out / name
        whole = path.read_bytes()
        path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
        text, err = run("verify", out, status=1)
        assert name in text
        assert f"delete {out} and prepare it again from its inputs" in err
        assert name in facts("verify", out, status=1)["problems"][0]
        _, err = run("prepare", table, "-o", out, status=1)
        assert f"delete {out} and prepare it again" in " ".join(err.split())
        path.write_bytes(whole)
    run("verify", out)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".arrow"])
def test_export_writes_each_format_and_one_part(table: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / "c"
    run("prepare", table, "-o", out, "--split-column", "set", "--target-columns", "y")
    whole = facts("export", out, tmp_path / f"all{suffix}")
    assert whole == {"path": str(tmp_path / f"all{suffix}"), "rows": 4}
    assert read(tmp_path / f"all{suffix}").smiles.tolist() == open_corpus(out).smiles[:].tolist()
    run("export", out, tmp_path / f"train{suffix}", "--split", "train")
    assert read(tmp_path / f"train{suffix}").smiles.tolist() == ["OCC", "CC(=O)[O-].[Na+]"]


def test_export_to_a_folder_and_mistakes(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "c"
    run("prepare", table, "-o", out, "--split-column", "set")
    run("export", out, tmp_path / "parts")
    assert sum(len(read(path)) for path in (tmp_path / "parts").rglob("*.parquet")) == 4
    _, err = run("export", out, tmp_path / "a.csv", "--split", "trian", status=2)
    assert "--split is 'trian' (did you mean 'train'?); it has train, valid, test" in err
    _, err = run("export", out, tmp_path / "a.xyz", status=2)
    assert "expected one of .parquet .csv .tsv .arrow, or a folder without a suffix" in err
    run("export", out, tmp_path / "a.csv", "--split", "test")
    assert [row["smiles"] for row in rows(tmp_path / "a.csv")] == ["CCO"]


def _mrl(*words: object) -> list[str]:
    return [sys.executable, "-m", "mrl", *map(str, words)]


@pytest.mark.slow
def test_standard_input(table: Path, tmp_path: Path) -> None:
    words = _mrl("prepare", "-", "--format", "csv", "-o", tmp_path / "c")
    for _ in range(2):
        subprocess.run(words, input=table.read_bytes(), check=True, capture_output=True)
    assert open_corpus(tmp_path / "c").manifest.history[0]["prepared"]["inputs"][0]["name"] == "-"
    assert len(open_corpus(tmp_path / "c")) == 4
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "notes.txt").touch()
    words[-1] = str(tmp_path / "d")
    done = subprocess.run(words, input=table.read_bytes(), check=False, capture_output=True)
    assert (done.returncode, [path.name for path in (tmp_path / "d").iterdir()]) == (1, ["notes.txt"])


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of a terminal")
@pytest.mark.parametrize("moment", ["job.json", "clean-*.arrow"], ids=["workers wait", "workers clean"])
def test_an_interruption_keeps_what_is_finished(tmp_path: Path, moment: str) -> None:
    path, out = tmp_path / "a.smi", tmp_path / "c"
    path.write_text("".join(f"{'C' * (k % 50 + 1)}c1ccccc1{'N' * (k % 7)} M{k}\n" for k in range(20_000)))
    words = _mrl("prepare", path, "-o", out, "--preset", "molformer", "--workers", 2, "--rows-per-part", 5_000)
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while process.poll() is None and not list((out / "work").glob(moment)):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in err) == (130, False), err
    assert "what is finished is kept: the same command goes on from there" in err
    subprocess.run(words, check=True, capture_output=True)
    assert len(open_corpus(out)) == 20_000
