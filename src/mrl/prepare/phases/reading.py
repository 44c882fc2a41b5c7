"""The first phase: the rows of all inputs, in parts of equally many input rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from mrl.corpus import Table
from mrl.errors import ColumnError, ReadError
from mrl.prepare.job import Job, concat, prefixed, rejects_columns
from mrl.ragged import Reject, Rejects, Text, concat_lines


class Part(NamedTuple):
    """A part that has been read.

    Attributes
    ----------
    number : int
        From 0.
    rows : int
        Rows that could be read.
    rejects : int
        Rows that could not.
    """

    number: int
    rows: int
    rejects: int


def read_parts(job: Job, *, limit: int | None = None) -> Iterator[Part]:
    """Write the rows of the inputs as parts, and yield each when it is there; at the end write what was found.

    With `limit`, only so many input rows are read.
    """
    size = job.recipe.rows_per_part
    waiting: list[Table] = []
    rejects: list[Reject] = []
    lines: dict[int, int] = {}  # of the rejects
    notes: Counter[str] = Counter()
    number = total = 0
    part_rows: list[int] = []
    blank: set[str] | None = None

    def write_next() -> Part:
        nonlocal blank, number
        part, without = _write_part(job, number, waiting, Rejects(rejects, lines=lines))
        blank = without if blank is None else blank & without
        part_rows.append(part.rows)
        number += 1
        return part

    for block in job.inputs.blocks():
        if taken := sorted(job.recipe.functions.keys() & block.columns.keys()):
            raise ColumnError(
                f"the files have a column {taken[0]!r} already: name the features otherwise, features={{name: "
                "function}",
                column=taken[0],
            )
        if job.base is not None:
            job.base.require_columns(block, job.recipe.functions)
        notes.update(block.notes)
        smiles_column, targets = block.smiles_column, block.targets
        rejects.extend(block.rejects)
        lines |= block.rejects.lines
        waiting.append(block)
        # Rejects are not in the order of rows: those of labels follow those of lines.
        total = max([total, *(int(row) + 1 for row in block.rows[-1:]), *(r.row + 1 for r in block.rejects)])
        if limit is not None and total >= limit:
            waiting = [table.view(np.flatnonzero(table.rows < limit)) for table in waiting]
            rejects, total = [reject for reject in rejects if reject.row < limit], limit
            break
        last = max((int(table.rows[-1]) for table in waiting if len(table)), default=-1)
        while last >= (number + 1) * size:
            yield write_next()
            end = number * size
            # The last table stays, even without rows, for its columns.
            waiting = [table for table in waiting if len(table) and table.rows[-1] >= end] or waiting[-1:]
            rejects = [reject for reject in rejects if reject.row >= end]
            lines = {row: line for row, line in lines.items() if row >= end}
    while number * size < total:
        yield write_next()
        rejects = [reject for reject in rejects if reject.row >= number * size]
    if not number:
        raise ReadError("the inputs have no rows: pass files with at least one", path=job.inputs.paths[0])
    job.write(
        job.path("read"),
        {"row": np.zeros(0, np.int64)},
        rows=total,
        parts=number,
        part_rows=part_rows,
        notes={note: count for note, count in sorted(notes.items()) if count},
        smiles_column=smiles_column,
        targets=list(targets),
        blank=sorted(blank or ()),
    )


def _kept_blank(job: Job, smiles_column: str, header: Sequence[str]) -> set[str]:
    """Return the columns that are kept even if they are blank."""
    return job.inputs.requested(smiles_column, header) | ({*job.base.columns} if job.base else set())


def _write_part(job: Job, number: int, waiting: list[Table], rejects: Rejects) -> tuple[Part, set[str]]:
    """Write one part, from tables and rejects that may go on after it; also return which of its columns are blank."""
    start, end = number * job.recipe.rows_per_part, (number + 1) * job.recipe.rows_per_part
    inside = [(table, *np.searchsorted(table.rows, [start, end]).tolist()) for table in waiting]
    inside = [(table, first, stop) for table, first, stop in inside if first < stop] or [(waiting[0], 0, 0)]
    columns = {
        name: concat([_as_stored(table.columns[name])[first:stop] for table, first, stop in inside])
        for name in inside[0][0].columns
    }
    if job.inputs.censored == "keep":
        for name in inside[0][0].targets:
            signs = [table.signs.get(name, np.zeros(len(table), np.int8))[first:stop] for table, first, stop in inside]
            columns[f"{name}_sign"] = np.concatenate(signs)
    before = job.start_row
    numbers = {"row": before + np.concatenate([table.rows[first:stop] for table, first, stop in inside])}
    if (lines := concat_lines([table[first:stop] for table, first, stop in inside])) is not None:
        numbers["line"] = lines
    left_out = [reject for reject in rejects if reject.row < end]
    path = job.path("raw", number)
    n, table = len(numbers["row"]), inside[0][0]
    empty = {name for name, column in columns.items() if isinstance(column, Text) and not len(column.flat)}
    blank = empty - _kept_blank(job, table.smiles_column, table.header)
    facts = {
        "rows": n,
        "rejects": len(left_out),
        "smiles_column": table.smiles_column,
        "tail": table.tail_column,
        "blank": sorted(blank),
    }
    if job.finished(path) != facts or job.finished(job.path("unread", number)) is None:
        moved = sorted(reject._replace(row=before + reject.row) for reject in left_out)
        numbered = {before + row: line for row, line in rejects.lines.items()}
        job.write(job.path("unread", number), rejects_columns(Rejects(moved, lines=numbered)))
        job.write(path, {**prefixed(columns), **numbers}, **facts)
    return Part(number, n, len(left_out)), blank


def _as_stored(column: Any) -> Any:
    return column if isinstance(column, Text) else np.ascontiguousarray(column)
