"""Molecules of a file that others are compared with, and the steps of cleaning by their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from mrl import chem
from mrl.chem import Step, clean
from mrl.cli.console import DATA, USAGE, note, stop
from mrl.cli.options import ReadingOptions
from mrl.cli.tables import in_file, read_table, report_rejects
from mrl.errors import ColumnError
from mrl.messages import did_you_mean
from mrl.ragged import Text


def read_molecules(file: Path, options: ReadingOptions, *, n_jobs: int = 1) -> Text:
    """Return the molecules of a file as they are written; rows that are none are reported and left out.

    The options are those of another file: of this one the column is recognised, unless it has the one they name.
    """
    try:
        table = read_table(file, options)
    except ColumnError as error:
        if options.smiles_column is None or error.column != options.smiles_column:
            raise
        table = read_table(file, replace(options, smiles_column=None))
        note(f"  {file} has no column {options.smiles_column!r}: its molecules are those of {table.smiles_column!r}")
    parsed = clean(table.smiles, n_jobs=n_jobs, progress=True)
    report_rejects(in_file(table, parsed.rejects), "left out")
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


def chosen_steps(preset: str | None, names: Sequence[str] | None) -> Sequence[Step]:
    """Return the steps of --preset, or those of --step."""
    if not names:
        try:
            return chem.preset(preset or "none")
        except ValueError as error:
            stop(f"--preset: {error}".removesuffix(", or pass a list of steps"), USAGE)
    known = _known_steps()
    for name in names:
        if name not in known:
            meant = did_you_mean(name, known)
            stop(f"--step is {name!r}{meant}; choose one of {', '.join(sorted(known))}", USAGE)
    return [known[name] for name in names]


def _known_steps() -> dict[str, Step]:
    """Return the steps that need no settings, by their name in small letters with hyphens."""
    found: dict[str, Step] = {}
    for name in chem.__all__:
        step = getattr(chem, name)
        if isinstance(step, type) and issubclass(step, Step) and step is not Step:
            try:
                found[re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()] = step()
            except (TypeError, ValueError):  # it needs settings
                continue
    return found
