"""The notebook's own text runs, unmodified, on the real molecules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import notebook_cells
import pytest


@pytest.fixture
def notebook() -> Path:
    if not os.environ.get("MRL_NOTEBOOK"):
        pytest.skip("MRL_NOTEBOOK (the notebook's text) is not set")
    return Path(os.environ["MRL_NOTEBOOK"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with ``files/smiles.csv``."""
    if not os.environ.get("MRL_DATA"):
        pytest.skip("MRL_DATA (the folder of smiles.csv) is not set")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "smiles.csv").symlink_to(Path(os.environ["MRL_DATA"], "smiles.csv").resolve())
    return tmp_path


@pytest.mark.parametrize("which", ["all", "contract"])
def test_every_assert_of_the_notebook_passes(which: str, notebook: Path, folder: Path) -> None:
    """Run "all" defines everything again; run "contract" has only ``from mrl.dataloaders import *``."""
    run = subprocess.run(
        [sys.executable, notebook_cells.__file__, str(notebook.resolve()), which],
        cwd=folder,
        env=os.environ | {"ncpus": "2"},  # the notebook starts a process per core
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    lines = notebook.read_text(encoding="utf-8").splitlines()
    asserts = sum(line.startswith("assert ") for line in lines)
    assert asserts > 0
    assert int(run.stdout.splitlines()[-1]) == asserts


def test_cells_are_parsed_completely(notebook: Path) -> None:
    found = notebook_cells.cells(notebook)
    assert sum(cell.exported for cell in found) == notebook.read_text(encoding="utf-8").count("# export")
    assert all(cell.code for cell in found if cell.exported)
    assert not any("nbdev" in cell.code or "\n%" in cell.code for cell in found)
