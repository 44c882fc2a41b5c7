"""``mrl cache``: what a folder of features contains, and how to clear it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mrl.cli.app import app
from mrl.features import featurize


class Letters:
    """Two numbers of a text, under a key."""

    def __init__(self, name: str) -> None:
        self.cache_key = name

    def __call__(self, text: str) -> list[int]:
        if "?" in text:
            raise ValueError("a question mark")
        return [len(text), text.count("O")]


def run(*words: object, **environment: str) -> tuple[str, str]:
    settings = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1", **environment}
    result = CliRunner(env=settings).invoke(app, ["cache", *map(str, words)])
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout, result.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two featurizers' features, in the folder that is the default where XDG_CACHE_HOME is `tmp_path`."""
    path = tmp_path / "mrl" / "features"
    featurize(["C", "CO", "?"], Letters("[red] letters 1"), cache=path, on_error="drop")
    featurize(["C"], Letters("letters 2"), cache=path)
    return path


def test_show_counts_molecules_per_featurizer(folder: Path, tmp_path: Path) -> None:
    for output, noted in (run("show", folder), run("show", XDG_CACHE_HOME=str(tmp_path))):
        assert "[red] letters 1" in output
        assert [line.split()[-3] for line in output.splitlines() if "rows 2" in line] == ["3", "1"]
        assert "rdkit" in output
        assert str(folder) in noted.replace("\n", "")


def test_show_as_json(folder: Path) -> None:
    facts = json.loads(run("show", folder, "--json")[0])
    assert facts["folder"] == str(folder)
    assert [(one["key"].split(" | ")[0], one["molecules"]) for one in facts["featurizers"]] == [
        ("[red] letters 1", 3),
        ("letters 2", 1),
    ]
    assert sum(one["bytes"] for one in facts["featurizers"]) == sum(f.stat().st_size for f in folder.rglob("*.arrow"))


def test_clear_removes_features_and_nothing_else(folder: Path) -> None:
    (folder / "mine.txt").write_text("mine")
    assert "removed 4 molecules" in run("clear", folder)[1]
    assert [path.name for path in folder.rglob("*")] == ["mine.txt"]
    assert "contains no features" in run("clear", folder)[1]
    assert "contains no features" in run("show", folder)[1]
    assert json.loads(run("show", folder, "--json")[0])["featurizers"] == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "contains no features" in run("show", tmp_path / "nowhere")[1]
    assert "contains no features" in run("clear", tmp_path / "nowhere")[1]
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", ["show", "clear"])
def test_a_file_is_not_a_folder(command: str, tmp_path: Path) -> None:
    file = tmp_path / "features"
    file.write_text("kept")
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app, ["cache", command, str(file)])
    assert result.exit_code == 2
    assert "is not a folder; give the path of a folder" in result.stderr
    assert file.read_text() == "kept"
