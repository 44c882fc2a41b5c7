"""The documents are correct: their code runs, and the files, commands and links in them exist."""

from __future__ import annotations

import doctest
import importlib.util
import re
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import NamedTuple

import pytest
from source_tree import SOURCE

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
GENERATED = {"mrl-demo/"}
SLOW = {"formats.md", "toolboxes.md"}  # they train models; make docs runs them
every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


class Block(NamedTuple):
    """A block of code in a document: its first line, the code, and the package that it needs besides mrl's own."""

    line: int
    code: str
    needs: str | None


def blocks(text: str, language: str) -> list[Block]:
    """Return the code blocks of a document in one language; ``<!-- needs: duckdb -->`` stands in front of some."""
    pattern = rf"^(?:<!-- needs: (\w+) -->\n)?```{language}\n(.*?)^```"
    found = re.finditer(pattern, text, re.MULTILINE | re.DOTALL)
    return [Block(text.count("\n", 0, block.start(2)), block[2], block[1]) for block in found]


def run_examples(test: doctest.DocTest) -> None:
    report: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append, clear_globs=False)
    assert not report, "".join(report)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.slow] * (path.name in SLOW)) for path in DOCUMENTS],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_code_runs(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Blocks of one document share their names. One that does not begin with ``>>>`` is a part of a module.

    Blocks of packages that are not installed are left out; if there are any, the test skips at its end, and says so.
    """
    module = ModuleType("document")
    names = module.__dict__
    monkeypatch.setitem(sys.modules, "document", module)
    monkeypatch.chdir(tmp_path)
    missing = set()
    for line, code, needs in blocks(path.read_text(encoding="utf-8"), "python"):
        if needs is not None and importlib.util.find_spec(needs) is None:
            missing.add(needs)
        elif code.startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(code, names, path.name, str(path), line)
            run_examples(test)
            names.update(test.globs)
        else:
            exec(compile("\n" * line + code, path, "exec"), names)
    for test in doctest.DocTestFinder().find(module, "document", extraglobs=names):
        run_examples(test)
    for function in [value for value in names.values() if isinstance(value, FunctionType)]:
        if function.__module__ == "document" and function.__name__.startswith("test_"):
            function()
    if missing:
        pytest.skip(f"all other code ran; these packages are not installed: {', '.join(sorted(missing))}")


@every_document
def test_links_lead_to_files(path: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
        assert "://" in link or (path.parent / link).exists(), link


@every_document
def test_commands_exist(path: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for command in re.findall(r"^make (.+?)(?:  .*)?$|`make ([^`]+)`", path.read_text(encoding="utf-8"), re.MULTILINE):
        assert {*" ".join(command).split()} <= {*targets}, command


@every_document
def test_files_exist(path: Path) -> None:
    """Paths of Python files anywhere, and folders in backticks: in the repository, or in ``src/mrl``."""
    text = path.read_text(encoding="utf-8")
    names = re.findall(r"[\w.-]+(?:/[\w.-]+)+\.pyi?\b", text) + re.findall(r"`([\w./-]+(?:/|\.py))`", text)
    for name in names:
        assert any((folder / name).exists() for folder in (ROOT, SOURCE, path.parent)) or name in GENERATED, name


def test_the_example_of_a_task_is_the_module_that_is_tested() -> None:
    code = [block.code for block in blocks((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "python")]
    assert (ROOT / "tests" / "data" / "datasets" / "reactions.py").read_text(encoding="utf-8") in code
