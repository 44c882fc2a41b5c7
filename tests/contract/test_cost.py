"""What it costs to begin."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

import pytest

HEAVY = {"torch", "rdkit", "numba", "pyarrow", "pandas", "matplotlib", "numpy", "typer", "rich", "safetensors"}


def loaded_after(code: str) -> set[str]:
    """The heavy packages that are loaded after `code` ran in a new process."""
    program = f"import sys, json\n{code}\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return HEAVY & set(json.loads(result.stdout.splitlines()[-1]))


def seconds(*command: str) -> float:
    """Median time of a process, of seven."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def test_import_mrl_loads_nothing_heavy() -> None:
    assert loaded_after("import mrl; dir(mrl); mrl.__version__") == set()


def test_import_mrl_is_cheap() -> None:
    assert seconds(sys.executable, "-c", "import mrl") - seconds(sys.executable, "-c", "pass") < 0.1


def test_help_loads_only_what_a_terminal_needs() -> None:
    code = (
        "import sys\nfrom mrl.cli.app import app\n"
        "try:\n    app(['--help'], prog_name='mrl')\nexcept SystemExit:\n    pass"
    )
    assert loaded_after(code) <= {"typer", "rich"}


def test_the_text_room_needs_neither_torch_nor_rdkit() -> None:
    assert loaded_after("import mrl; mrl.RegexVocab([], 'Br').encode([''])") == {"numpy"}


def test_every_name_of_the_top_level_resolves() -> None:
    import mrl

    for name in mrl.__all__:
        assert getattr(mrl, name) is not None
    assert set(mrl.__all__) <= set(dir(mrl))


def test_an_unknown_name_says_what_there_is() -> None:
    import mrl

    with pytest.raises(AttributeError, match="TextDataset"):
        mrl.TextDatset  # noqa: B018
