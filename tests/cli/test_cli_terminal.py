"""What is printed cannot act on the terminal, and any terminal can print it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_command import rows, run
from typer import Exit

from mrl.cli.console import reported

HOSTILE = "C\x1b[31m\x1b]0;title\x07\x9b2J\u202eO"


def test_control_characters_of_files_are_shown_as_escapes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"smiles,{HOSTILE}\n{HOSTILE},1\nCCO,2\n", encoding="utf-8")
    for words in ([], ["--json"], ["--smiles-column", "none"]):
        output, error = run("inspect", path, *words, status=1)
        assert not set("\x1b\x07\x9b\u202e") & set(output + error), words


@pytest.mark.parametrize("name", ["mols[v2].csv", "dir[/file].csv", "[red]x[/red].csv", "a[bold].csv"])
def test_file_names_are_not_read_as_markup(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("smiles\nCCO\nC(\n")
    assert name in run("inspect", path, status=1)[0].replace("\n", "")
    assert name in run("clean", path, "-o", path.with_suffix(".tsv"))[1]
    assert name in run("inspect", tmp_path / f"no-{name}", status=2)[1].replace("\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_output_to_any_terminal_does_not_raise(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "é漢.csv"
    path.write_text("smiles\nCCO\nC漢(\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    for words in (["inspect", str(path)], ["inspect", str(path), "--json"], ["clean", "--help"]):
        done = subprocess.run([sys.executable, "-m", "mrl", *words], capture_output=True, env=environment, check=False)
        assert b"Traceback" not in done.stderr, done.stderr
        assert done.returncode in (0, 1)
        assert done.stdout


@pytest.mark.slow
def test_a_result_that_cannot_be_printed_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles\nCCO\n")
    words = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "mrl", "inspect", str(path), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1][:40]) == (1, "error: standard output is closed, so the")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", [["--help"], ["--version"], [], ["vocab", "learn", "--help"], ["clean", "--help"]])
def test_help_that_cannot_be_printed_is_an_error_too(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "mrl", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: [Errno 28] No space left on device\n")


def test_inspect_exports_all_rows_with_problems(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,smiles\n" + "".join(f"{row},{'C(' if row % 2 else ''}\n" for row in range(60)) + "60,C\n")
    run("inspect", path, "--rejects", tmp_path / "problems.csv", status=1)
    found = rows(tmp_path / "problems.csv")
    assert [int(reject["row"]) for reject in found] == list(range(60))
    assert {reject["stage"] for reject in found} == {"read", "parse"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "error: out of memory: fewer rows or smaller sizes need less\n"),
        (MemoryError("Unable to allocate 8 PiB"), "error: out of memory: Unable to allocate 8 PiB\n"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "error: out of memory: DefaultCPUAll"),
        (RuntimeError("CUDA out of memory. Tried"), "error: out of memory: CUDA out of memory. Tried\n"),
    ],
)
def test_memory_that_is_not_enough_is_named(error: Exception, words: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit) as ended, reported():
        raise error
    assert ended.value.exit_code == 1
    assert words in capfd.readouterr().err.replace("\x1b[1;31m", "")


def test_other_errors_of_a_library_are_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="shapes"), reported():
        raise RuntimeError("the shapes differ")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_a_model_larger_than_the_memory_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("smiles\nCCO\nCCN\n")
    train = [sys.executable, "-m", "mrl", "train", str(tmp_path / "a.csv"), "-o", str(tmp_path / "m")]
    command = ["sh", "-c", 'ulimit -v 16000000; exec "$@"', "sh", *train, "--hidden", "60000", "--steps", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, "error: out of memory" in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "m").exists()


def test_numbers_beyond_what_a_machine_counts_are_taken_or_named(tmp_path: Path) -> None:
    path, huge = tmp_path / "a.csv", 10**40
    path.write_text("smiles\n" + "CCO\nCCOCC\n" * 5)
    run("vocab", "learn", path, "-o", tmp_path / "v.json", "--merges", huge, "--max-size", huge)
    run("report", path, "-o", tmp_path / "r.html", "--sample", huge, "--seed", huge)
    run("prepare", path, "-o", tmp_path / "c", "--vocab", "learn", "--merges", huge, "--workers", 1, "--seed", huge)
    errors = run("prepare", path, "-o", tmp_path / "d", "--workers", huge, status=2)[1]
    assert f"--workers is {huge}; expected at most 1,024 on this machine" in errors
    assert "'--n-jobs'" in run("clean", path, "-o", tmp_path / "o.csv", "--n-jobs", 1025, status=2)[1]
