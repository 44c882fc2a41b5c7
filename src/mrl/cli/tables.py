"""From files to tables, with what a user should know about them; loads neither torch nor RDKit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrl.cli.console import DATA, note, print_grid, print_text, stop, success
from mrl.corpus import Table, load_sample, read
from mrl.errors import RowError, UnknownTokenError
from mrl.messages import format_count, format_value
from mrl.ragged import Rejects
from mrl.text import Unknown

_SHOWN = 10


def read_table(file: Path | None, smiles_column: str | None) -> Table:
    """Read a file, or the bundled sample, and report its rows and rejects."""
    table = load_sample() if file is None else read(file, smiles=smiles_column)
    success(f"read {format_count(len(table), 'row')} of {file or 'the bundled sample'}")
    for reason, rows in table.notes.items():
        note(f"  {reason}: {format_count(rows, 'row')}")
    report_rejects(table.rejects, "not read")
    return table


def report_rejects(rejects: Rejects, what: str, rows: NDArray[np.int64] | None = None) -> None:
    """Report how many rows were rejected for each kind of reason, with an example; `rows` has their file's numbers."""
    kinds = ["duplicate" if reject.stage == "duplicates" else reject.reason.partition(":")[0] for reject in rejects]
    for kind, count in Counter(kinds).most_common():
        example = rejects[kinds.index(kind)]
        row = example.row if rows is None else int(rows[example.row])
        example_text = format_value(example.text, most=50)
        note(f"  {what}, {kind}: {format_count(count, 'row')}, e.g. row {row}: {example_text}")


def print_tokens(unknown: Sequence[Unknown]) -> None:
    """Print the first of some unknown tokens, with the number of the row in the file."""
    rows = [(repr(one.token), f"{one.count:,}", f"{one.row:,}", format_value(one.text, most=40)) for one in unknown]
    print_grid(rows[:_SHOWN], ("token", "times", "first in row", "text"), numbers=(1, 2))
    if len(unknown) > _SHOWN:
        print_text(f"and {len(unknown) - _SHOWN:,} more; --json prints all")


@contextmanager
def rows_named(file: Path, table: Table) -> Iterator[None]:
    """Stop at an error about a row of the table, with the row of the file in the message."""
    try:
        yield
    except (RowError, UnknownTokenError) as error:
        row = "" if error.row is None else f", row {table.rows[error.row]}"
        stop(f"{file}{row}: {str(error).removeprefix(f'row {error.row}: ')}", DATA)
