"""Molecules of a file that others are compared with: parsed, and what is not a molecule reported."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from mrl.chem import clean
from mrl.cli.console import DATA, stop
from mrl.cli.options import ReadingOptions
from mrl.cli.tables import read_table, report_rejects
from mrl.progress import track
from mrl.ragged import Text


def read_molecules(file: Path, options: ReadingOptions, *, n_jobs: int = 1) -> Text:
    """Return the molecules of a file as they are written; rows that are none are reported and left out."""
    table = read_table(file, options)
    with track(True, len(table), "parsing") as advance:
        parsed = clean(table.smiles, on_row=lambda: advance(1), n_jobs=n_jobs)
    report_rejects(parsed.rejects, "left out", table.rows)
    if not len(parsed.smiles):
        stop_without_molecules(file)
    return parsed.smiles


def stop_without_molecules(file: Path | None) -> NoReturn:
    """Stop, because no row of a file is a molecule."""
    stop(
        f"no row of {file or 'the file'} is a molecule: choose the column of the SMILES with --smiles-column; in a "
        "file of lines without column names the SMILES comes first, and then a blank",
        DATA,
    )
