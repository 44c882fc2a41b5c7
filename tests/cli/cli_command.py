"""Commands run in this process."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from mrl.cli.app import app


def run(*words: object, status: int = 0) -> tuple[str, str]:
    """Standard output and standard error of ``mrl words``."""
    result = CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}).invoke(
        app, [str(word) for word in words]
    )
    assert result.exit_code == status, (result.exit_code, result.output, result.exception)
    return result.stdout, re.sub(r"\x1b\[[0-9;]*m", "", result.stderr)


def facts(*words: object, status: int = 0) -> dict[str, Any]:
    """What ``mrl words --json`` prints."""
    result: dict[str, Any] = json.loads(run(*words, "--json", status=status)[0])
    return result


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))
