"""From files to tables, with what a person should know of them; loads neither torch nor RDKit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrl.cli.console import note, progress, success
from mrl.corpus import Table, load_sample, read
from mrl.ragged import Rejects, Text

__all__ = ["blocks", "count", "read_table", "tell_rejects"]

_BLOCK = 20_000


def count(n: int, what: str) -> str:
    """``1 row``, ``2 rows``, ``20,000 rows``."""
    return f"{n:,} {what if n == 1 else what + 's'}"


def read_table(file: Path | None, smiles_column: str | None) -> Table:
    """The table of a file, or the bundled sample."""
    table = load_sample() if file is None else read(file, smiles=smiles_column)
    success(f"read {count(len(table), 'row')} of {'the bundled sample' if file is None else file}")
    for reason, rows in table.notes.items():
        note(f"  {reason}: {count(rows, 'row')}")
    tell_rejects(table.rejects, "not read")
    return table


def tell_rejects(rejects: Rejects, what: str, rows: NDArray[np.int64] | None = None) -> None:
    """Say how many rows were refused for each kind of reason, with an example; `rows` are their numbers in the file."""
    kinds = Counter(_kind(reject.stage, reject.reason) for reject in rejects)
    for kind, n in kinds.most_common():
        example = next(reject for reject in rejects if _kind(reject.stage, reject.reason) == kind)
        row = example.row if rows is None else int(rows[example.row])
        note(f"  {what}, {kind}: {count(n, 'row')}, such as row {row}: {example.text[:60]!r}")


def _kind(stage: str, reason: str) -> str:
    return "duplicate" if stage == "duplicates" else reason.partition(":")[0]


def blocks(text: Text, what: str) -> Iterator[tuple[int, Text]]:
    """The number of the first row, and some ten thousand rows, until all are done; with a progress bar."""
    with progress() as bar:
        task = bar.add_task(what, total=len(text))
        for first in range(0, len(text), _BLOCK):
            yield first, text[first : first + _BLOCK]
            bar.advance(task, min(_BLOCK, len(text) - first))
