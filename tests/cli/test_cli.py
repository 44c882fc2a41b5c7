"""The commands as a user meets them: messages, files, exit statuses."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mrl.cli.app import app
from mrl.cli.commands.models.demo import Goal
from mrl.cli.options import DemoOptions
from mrl.corpus import read
from mrl.lm import LanguageModel, SequenceModel, Transformer
from mrl.text import CharacterVocab, Vocab

ALCOHOLS = ["C" * n + "O" for n in range(1, 13)]
SMILES = [*ALCOHOLS, *("N" + text for text in ALCOHOLS), *(f"c1ccccc1{text}" for text in ALCOHOLS)]


def run(*words: object, status: int = 0) -> tuple[str, str]:
    """Standard output and standard error of ``mrl words``."""
    result = CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}).invoke(
        app, [str(word) for word in words]
    )
    assert result.exit_code == status, (result.exit_code, result.output, result.exception)
    return result.stdout, re.sub(r"\x1b\[[0-9;]*m", "", result.stderr)


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    """A clean file."""
    path = tmp_path / "molecules.csv"
    path.write_text("smiles\n" + "\n".join(SMILES) + "\n")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of a few steps."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "molecules.smi").write_text("\n".join(SMILES) + "\n")
    run("train", folder / "molecules.smi", "-o", folder / "model", "--steps", 30, "--hidden", 16, "--max-length", 40)
    return folder / "model"


def test_help_names_every_command_and_status() -> None:
    output, _ = run("--help")
    for word in ("demo", "train", "sample", "inspect", "Exit status"):
        assert word in output


def test_version() -> None:
    import mrl

    assert run("--version")[0].strip() == mrl.__version__


def test_python_m_mrl_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "mrl", "--help"], capture_output=True, text=True, check=True)
    assert "Usage: mrl [OPTIONS] COMMAND" in done.stdout


COMMANDS = [
    "clean",
    "demo",
    "train",
    "sample",
    "inspect",
    "encode",
    "vocab learn",
    "vocab check",
    "cache show",
    "cache clear",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_explains_every_option(command: str) -> None:
    output, _ = run(*command.split(), "--help")
    for line in output.splitlines():
        if found := re.match(r"│ \*? +(--[a-z-]+)", line):
            assert re.search(r"[A-Z]\w+ .*\w", line[line.index(found[1]) + 30 :]), line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "x.csv", "-o", "model", "--lr", "0"], "--lr is 0.0; expected a positive number"),
        (["sample", "model", "--temperature", "nan"], "--temperature is nan; expected a positive number"),
        (["demo", "--property", "logg"], "--property is 'logg' (did you mean 'logp'?); choose one of"),
        (["inspect", "x.csv", "--smiles", "y"], "No such option"),
        (["train", "x.csv", "-o", "model", "--steps", "1000000000"], "to 100,000,000"),
        (["train", "x.csv", "-o", "model", "--max-length", "1000000"], "to 100,000"),
        (["train", "x.csv", "-o", "model", "--hidden", "65537"], "to 65,536"),
        (["fit", "x.csv", "--target", "y", "-o", "model", "--members", "1001"], "to 1,000"),
        (["fit", "x.csv", "--target", "y", "-o", "model", "--epochs", f"{10**9}"], "to 1,000,000"),
        (["fit", "x.csv", "--target", "y", "-o", "model", "--folds", "1001"], "to 1,000"),
        (["improve", "m", "--score", "s", "-o", "o", "--budget", f"{10**30}"], "to 1,000,000,000"),
        (["improve", "m", "--score", "s", "-o", "o", "--scaffold-limit", f"{10**30}"], "to 1,000,000,000"),
        (["demo", "--samples", f"{10**30}"], "to 100,000,000"),
        (["demo", "--rounds", f"{10**30}"], "to 1,000,000"),
        (
            ["demo", "--rounds", "1.5"],
            "for '--rounds': '1.5'; expected a whole number from 0 to 1,000,000",
        ),
        (["demo", "--seed", "-1"], "'-1'; expected a whole number of at least 0"),
        (
            ["fit", "x.csv", "--target", "y", "-o", "model", "--folds", "1"],
            "'1'; expected a whole number from 2 to 1,000",
        ),
        (["demo", "--target", "1e309"], "--target is inf; expected a number"),
    ],
)
def test_wrong_options_are_usage_errors(words: list[str], message: str) -> None:
    assert message in run(*words, status=2)[1]


def test_an_unknown_option_is_a_usage_error() -> None:
    assert "No such option" in run("inspect", "x.csv", "--smile", "y", status=2)[1]


# --- inspect ---------------------------------------------------------------------------------------------------------


def test_inspect_shows_what_is_in_a_clean_file(molecules: Path) -> None:
    output, _ = run("inspect", molecules)
    assert re.search(r"rows +36\b", output)
    assert re.search(r"invalid +0\b", output)
    assert re.search(r"molecules +36 ", output)


def test_inspect_shows_what_is_wrong_and_exits_with_1(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("id,smiles\n1,CCO\n2,OCC\n3,C(\n4,\n5,[Si]C\n")
    facts = json.loads(run("inspect", path, "--json", status=1)[0])
    assert (facts["rows"], facts["not_read"], facts["invalid"], facts["duplicates"], facts["molecules"]) == (
        5,
        1,
        1,
        1,
        2,
    )
    assert facts["elements"]["Si"] == {"molecules": 1, "atoms": 1}
    assert [problem["row"] for problem in facts["problems"]] == [2, 3]
    output, _ = run("inspect", path, status=1)
    assert re.search(r"2 +4 +'C\(' +syntax", output)  # row and line


def test_inspect_shows_what_a_vocabulary_does_not_cover(molecules: Path, trained: Path, tmp_path: Path) -> None:
    run("inspect", molecules, "--vocab", trained / "vocab.json")
    other = tmp_path / "other.smi"
    other.write_text("CCO\nCCF\n")
    output, _ = run("inspect", other, "--vocab", trained / "vocab.json", status=1)
    assert re.search(r"'F' +1 +1 +'CCF'", output)


@pytest.mark.parametrize(
    ("name", "content", "words", "status"),
    [
        ("missing.csv", None, "missing.csv", 2),
        ("empty.csv", b"", "empty", 1),
        ("binary.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary.csv", 1),
        ("wrong.csv", b"name,value\na,1\n", "smiles", 1),
        ("none.csv", b"smiles\nC(\nxyz\n", "is a molecule: choose the column", 1),
    ],
)
def test_wrong_files_are_reported_by_name_and_leave_nothing(
    tmp_path: Path, name: str, content: bytes | None, words: str, status: int
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    for command in ("demo", "train"):
        out = tmp_path / "out"
        _, messages = run(command, path, "-o", out, status=status)
        assert words in messages
        assert "Traceback" not in messages
        assert not out.exists()


def test_a_typo_in_the_column_offers_the_right_one(molecules: Path) -> None:
    _, messages = run("inspect", molecules, "--smiles-column", "smile", status=1)
    assert "'smile'" in messages
    assert "smiles" in messages


def test_crlf_blanks_tails_and_blank_rows_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "messy.csv"
    path.write_bytes(b"smiles,y\r\nCCO ,1\r\n,2\r\nC1CC1 |$a;b;c$|,3\r\nNaN,4\r\n")
    facts = json.loads(run("inspect", path, "--json", status=1)[0])
    assert facts["molecules"] == 2
    assert sum(facts["notes"].values()) == 2


# --- train and sample ------------------------------------------------------------------------------------------------


def test_train_leaves_a_model_and_its_vocabulary(trained: Path) -> None:
    assert sorted(path.name for path in trained.iterdir()) == ["model.safetensors", "vocab.json"]
    LanguageModel.load(trained / "model.safetensors", Vocab.load(trained / "vocab.json"))


def test_sample_prints_molecules_and_counts_the_rest(trained: Path) -> None:
    out, messages = run("sample", trained, "-n", 40)
    found = re.search(r"(\d+) valid molecules? among 40 samples", messages)
    assert found is not None
    assert len(out.splitlines()) == int(found[1])
    assert out == run("sample", trained, "-n", 40)[0]
    assert out != run("sample", trained, "-n", 40, "--seed", 1)[0]


def test_sample_writes_every_sample_with_its_reason(trained: Path, tmp_path: Path) -> None:
    run("sample", trained, "-n", 25, "-o", tmp_path / "samples.csv")
    rows = list(csv.DictReader((tmp_path / "samples.csv").open()))
    assert len(rows) == 25
    assert all((row["valid"] == "1") == bool(row["smiles"]) == (not row["reason"]) for row in rows)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".arrow", ".smi"])
def test_sample_writes_what_the_name_of_the_file_says(suffix: str, trained: Path, tmp_path: Path) -> None:
    path = tmp_path / f"samples{suffix}"
    printed = run("sample", trained, "-n", 40)[0].split()
    _, messages = run("sample", trained, "-n", 40, "-o", path)
    table = read(path, smiles="smiles" if suffix != ".smi" else None, others=True)
    if suffix == ".smi":
        assert table.smiles.tolist() == printed
        assert f"wrote {len(printed)} valid molecule" in messages
    else:
        assert len(table) + len(table.rejects) == 40
        assert [smiles for smiles in table.smiles if smiles] == printed
        assert {"text", "valid", "unique", "finished", "log_likelihood", "reason"} <= table.columns.keys()


def test_sample_counts_what_was_cut_at_the_limit(trained: Path, tmp_path: Path) -> None:
    out, messages = run("sample", trained, "-n", 60, "--max-length", 4, "-o", tmp_path / "s.csv", "--json")
    facts = json.loads(out)
    rows = list(csv.DictReader((tmp_path / "s.csv").open()))
    cut = [row for row in rows if row["finished"] == "0"]
    assert len(cut) == facts["unfinished"] > 10
    assert {(row["valid"], row["smiles"], row["reason"]) for row in cut} == {
        ("0", "", "unfinished: cut at the length limit")
    }
    assert f"{len(cut)} samples had not ended after 4 tokens, bos and eos included" in messages
    assert all(row["text"].endswith("…") == (row["finished"] == "0") for row in rows)
    evaluated = json.loads(run("evaluate", tmp_path / "s.csv", "--json")[0])
    assert evaluated["metrics"]["validity"]["value"] == facts["validity"]
    assert evaluated["empty"] == sum(row["text"] == "" for row in rows)  # not also the invalid ones
    words = ["--smiles-column", "text", "--json"]  # the beginnings, too, which are never taken for molecules
    assert json.loads(run("evaluate", tmp_path / "s.csv", *words)[0]) == evaluated
    run("clean", tmp_path / "s.csv", "-o", tmp_path / "clean.csv", "--smiles-column", "text", "--json")
    assert len(read(tmp_path / "clean.csv", smiles="text")) == len(facts["smiles"])
    assert json.loads(run("sample", trained, "-n", 1, "--json")[0])["max_length"] == 40  # that of the training


def test_sample_begins_with_a_prompt_and_takes_likely_tokens(trained: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    run("sample", trained, "-n", 30, "--prompt", "CC", "--top-p", "0.9", "--top-k", 5, "-o", path)
    assert all(row["text"].startswith("CC") for row in csv.DictReader(path.open()))
    assert "--prompt is 'C@': " in run("sample", trained, "--prompt", "C@", status=2)[1]
    assert "raise --max-length" in run("sample", trained, "--prompt", "CCCC", "--max-length", 4, status=2)[1]
    assert "--top-p is 1.5; expected a share" in run("sample", trained, "--top-p", 1.5, status=2)[1]
    assert (
        "--out is x.txt; expected the name of a file that ends in" in run("sample", trained, "-o", "x.txt", status=2)[1]
    )


def test_train_names_the_file_and_its_limit_in_the_model(trained: Path) -> None:
    model = SequenceModel.load(trained / "model.safetensors")
    assert model.config.max_length == 40
    assert model.about["trained_on"]["file"] == "molecules.smi"
    assert model.about["trained_on"]["molecules"] == len(SMILES)


def test_train_makes_a_transformer(molecules: Path, tmp_path: Path) -> None:
    run("train", molecules, "-o", tmp_path / "t", "--model", "transformer", "--hidden", 16, "--steps", 20)
    assert type(SequenceModel.load(tmp_path / "t" / "model.safetensors")) is Transformer
    run("sample", tmp_path / "t", "-n", 5)
    words = ("train", molecules, "-o", tmp_path / "u", "--model", "transformer", "--hidden", 17)
    assert "--hidden is 17: width is 17 and heads is 1; expected a width that is" in run(*words, status=2)[1]


def test_train_replaces_a_model_only_by_force_and_only_by_a_whole_one(
    molecules: Path, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    shutil.copytree(trained, out)
    words = ("train", molecules, "-o", out, "--steps", 4, "--hidden", 16)
    old = (out / "model.safetensors").read_bytes()
    assert "has a model already: give --force to replace it" in run(*words, status=2)[1]
    _, messages = run(*words, "--force", "--lr", 1e6, status=1)
    assert "start again with a lower lr" in messages
    assert "✓ trained" not in messages
    assert (out / "model.safetensors").read_bytes() == old
    assert sorted(path.name for path in out.iterdir()) == ["model.safetensors", "vocab.json"]
    run(*words, "--force")
    assert (out / "model.safetensors").read_bytes() != old
    assert sorted(path.name for path in out.iterdir()) == ["model.safetensors", "vocab.json"]


def test_a_model_whose_replacement_was_killed_half_way_is_still_there(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    shutil.copytree(trained, out)
    before = run("sample", out, "-n", 20)[0]
    (out / "vocab.json").rename(out / ".vocab.json.old")  # as `mrl train --force` does, in front of the model's file
    CharacterVocab("XYZ").save(out / "vocab.json")
    assert run("sample", out, "-n", 20)[0] == before


@pytest.mark.slow
def test_train_that_was_killed_goes_on_to_the_same_model(molecules: Path, tmp_path: Path) -> None:
    words = ("train", molecules, "--steps", 1100, "--hidden", 8)
    run(*words, "-o", tmp_path / "whole")
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "mrl", *map(str, words), "-o", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (out / "checkpoint.safetensors").exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (out / "model.safetensors").exists()
    _, messages = run(*words, "-o", out)
    assert "going on from" in messages
    assert (out / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()
    assert sorted(path.name for path in out.iterdir()) == ["model.safetensors", "vocab.json"]


def test_sample_json(trained: Path) -> None:
    facts = json.loads(run("sample", trained, "-n", 10, "--json")[0])
    assert facts["n"] == 10


def test_sample_without_a_model_explains_how_to_train_one(tmp_path: Path) -> None:
    assert "mrl train FILE" in run("sample", tmp_path, status=2)[1]


def test_sample_rejects_the_vocabulary_of_another_model(trained: Path, tmp_path: Path) -> None:
    from mrl.text import CharacterVocab

    (tmp_path / "model.safetensors").write_bytes((trained / "model.safetensors").read_bytes())
    CharacterVocab(["C"]).save(tmp_path / "vocab.json")
    assert "vocabulary" in run("sample", tmp_path, status=1)[1]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent as on POSIX")
def test_ctrl_c_while_training_leaves_a_usable_model(molecules: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    command = [sys.executable, "-c", "from mrl.cli import main; main()", "train", str(molecules), "-o", str(out)]
    process = subprocess.Popen(
        [*command, "--steps", "1000000", "--hidden", "8"], stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    while process.poll() is None and not (out / "checkpoint.safetensors").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 0, messages
    assert "interrupted after" in messages
    run("sample", out, "-n", 5)


# --- demo ------------------------------------------------------------------------------------------------------------


class Links(HTMLParser):
    """Collects what a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value or "" for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")
        ]


def test_demo_does_the_whole_job(molecules: Path, tmp_path: Path) -> None:
    words = ("demo", molecules, "--steps", 60, "-n", 30, "--rounds", 2, "--property", "logp")
    facts = json.loads(run(*words, "-o", tmp_path / "a", "--json")[0])
    assert facts["molecules"] == len(SMILES)
    assert facts["trained"]["sampled"] == facts["fine_tuned"]["sampled"] == 30
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["fine-tuned.safetensors", "model.safetensors", "report.html", "samples.csv", "vocab.json"]
    rows = list(csv.DictReader((tmp_path / "a" / "samples.csv").open()))
    assert [row["model"] for row in rows] == ["trained"] * 30 + ["fine-tuned"] * 30
    links = Links()
    report = (tmp_path / "a" / "report.html").read_text()
    links.feed(report)
    assert links.found == []
    assert (
        "--maximize --property logp --seed 0 --steps 60 --samples 30 --rounds 2 --lr 0.012 --max-length 128</code>"
        in report
    )  # the command to repeat it
    assert facts["goal"] == "a higher logP"
    assert facts["trained"]["unfinished"] >= 0
    assert "given: give one of them" not in report
    assert "Valid samples drawn at random, not the best ones" in report
    assert "has a model already: give --force" in run(*words, "-o", tmp_path / "a", status=2)[1]
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "model.safetensors").write_bytes(b"")
    run(*words, "-o", tmp_path / "b", "--force")
    for name in ("samples.csv", "model.safetensors", "fine-tuned.safetensors", "vocab.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("chosen", "goal", "score"),
    [
        ({"property": "molwt"}, "a higher weight", 46.069),
        ({"property": "molwt", "minimize": True}, "a lower weight", -46.069),
        ({"property": "molwt", "target": 60.0}, "a weight of 60 g/mol", -13.931),
        ({"property": "sa_score"}, "a lower SA score", -1.98),
        ({"property": "sa_score", "minimize": False}, "a higher SA score", 1.98),
    ],
)
def test_a_direction_is_always_chosen(chosen: dict[str, Any], goal: str, score: float) -> None:
    one = Goal.of(DemoOptions(**chosen))
    assert str(one) == goal
    assert one("CCO") == pytest.approx(score, abs=0.01)
    assert one.values["CCO"] == pytest.approx(1.98 if "sa_score" in chosen.values() else 46.069, abs=0.01)


@pytest.mark.slow
def test_demo_says_the_direction_and_shows_the_property_itself(molecules: Path, tmp_path: Path) -> None:
    words = ("demo", molecules, "--steps", 60, "-n", 30, "--rounds", 1, "--property", "sa_score", "-o", tmp_path)
    out, messages = run(*words, "--json")
    assert json.loads(out)["goal"] == "a lower SA score"
    assert "the goal of fine-tuning is a lower SA score; others with --minimize, --maximize or --target" in messages
    assert "fine-tuned towards a lower SA score" in (tmp_path / "report.html").read_text()
    rows = csv.DictReader((tmp_path / "samples.csv").open())
    assert all(float(row["sa_score"]) >= 1 for row in rows if row["sa_score"])


def test_demo_takes_one_goal(molecules: Path) -> None:
    words = ("demo", molecules, "--target", 2, "--minimize")
    assert "--target and --minimize or --maximize are given" in run(*words, status=2)[1]


def test_demo_rejects_an_unknown_property(molecules: Path) -> None:
    assert "qed" in run("demo", molecules, "--property", "beauty", status=2)[1]


@pytest.mark.slow
def test_a_process_that_ends_soon_after_reading_ends_by_its_own_status(tmp_path: Path) -> None:
    """Threads of Arrow that were given memory of Python ended one process of ten by an abort, under load."""
    (tmp_path / "head.csv").write_text("smiles,y\n")
    command = [sys.executable, "-m", "mrl", "train", f"{tmp_path}/head.csv", "-o", f"{tmp_path}/model"]
    for _ in range(6):
        together = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
        for process in together:
            _, message = process.communicate(timeout=300)
            assert (process.returncode, message.startswith("error: ")) == (1, True), message
