"""What is imported when: nothing else by ``import mrl``, and no heavy dependency before it is used."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {"torch", "rdkit", "numba", "pyarrow", "pandas", "numpy", "typer", "rich", "safetensors"}


def loaded_after(code: str) -> set[str]:
    """Return the modules that are loaded after `code` ran in a new process."""
    program = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def heavy_after(code: str) -> set[str]:
    return HEAVY & {name.partition(".")[0] for name in loaded_after(code)}


def test_import_mrl_loads_nothing_but_itself() -> None:
    assert loaded_after("import importlib; import mrl; dir(mrl); mrl.__version__") - loaded_after(
        "import importlib"
    ) == {"mrl"}


def test_help_loads_only_what_a_terminal_needs() -> None:
    code = (
        "import sys\nfrom mrl.cli.app import app\n"
        "try:\n    app(['--help'], prog_name='mrl')\nexcept SystemExit:\n    pass"
    )
    assert heavy_after(code) <= {"typer", "rich"}


def test_text_needs_neither_torch_nor_rdkit() -> None:
    assert heavy_after("import mrl; mrl.RegexVocab([], 'Br').encode([''])") == {"numpy"}
