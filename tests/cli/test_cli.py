"""The commands as a user meets them: messages, files, exit statuses."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mrl.cli.app import app
from mrl.lm import LanguageModel
from mrl.text import Vocab

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
    run("train", folder / "molecules.smi", "-o", folder / "model", "--steps", 30, "--hidden", 16)
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
    assert "no molecule is changed" in output


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
    assert re.search(r"2 +'C\(' +syntax", output)


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
        ("none.csv", b"smiles\nC(\nxyz\n", "no row is a molecule", 1),
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
        [*command, "--steps", "1000000", "--hidden", "16"], stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "vocabulary" in line:
            break
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    messages = process.stderr.read()
    assert process.wait(30) in (0, 130), messages
    if out.exists():
        assert "interrupted after" in messages
        run("sample", out, "-n", 5)
    else:
        assert "interrupted" in messages


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
    assert "--property logp --seed 0 --steps 60 --samples 30 --rounds 2</code>" in report  # the command to repeat it
    run(*words, "-o", tmp_path / "b")
    for name in ("samples.csv", "model.safetensors", "fine-tuned.safetensors", "vocab.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_demo_rejects_an_unknown_property(molecules: Path) -> None:
    assert "qed" in run("demo", molecules, "--property", "beauty", status=2)[1]
