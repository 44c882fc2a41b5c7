"""Blocks of rows of cells as columns and rejects, and those of all files as one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mrl.corpus.reading.cells import Bools, is_text, parse_numbers, parse_smiles, parse_text
from mrl.corpus.reading.columns import ColumnRoles
from mrl.corpus.reading.table_file import Block, TableFile
from mrl.corpus.table import Table, TableColumn
from mrl.errors import ColumnError, RowError
from mrl.messages import format_value
from mrl.ragged import Rejects, Text

__all__ = ["ConvertedBlock", "collect", "convert"]

_TRIMMED, _TAILS = "blank around SMILES removed", "CXSMILES tail moved to its own column"


class ConvertedBlock(NamedTuple):
    """A block of rows, n of them kept; rows are numbered over all files."""

    columns: dict[str, TableColumn]
    """The columns that were requested, each of shape (n,), the molecules first."""
    suffixes: dict[str, Text]
    """The name after each SMILES under the name of its column, in a list of SMILES."""
    tails: Text
    rows: NDArray[np.int64]
    rejects: list[tuple[int, str, str, str]]
    trimmed: int
    """How many of the n SMILES had blanks around them."""


def convert(block: Block, file: TableFile, smiles_column: str, roles: ColumnRoles, start: int) -> ConvertedBlock:
    """Return the columns and rejects of a block, a pure function of it; `start` is the number of the first row.

    Raises a ``ColumnError`` if a column to be kept as text is not text, and a ``RowError`` if in a row that is kept a
    number is not one.
    """
    source = dict(block.columns)
    raw, invalid = _parse_text(source[smiles_column], smiles_column, file)
    cells = parse_smiles(raw, file.has_name_suffix)
    rejected = cells.rejected | dict.fromkeys(np.flatnonzero(invalid).tolist(), "not UTF-8")
    if file.has_name_suffix:
        source[file.names[1]] = cells.name
    texts: dict[str, Any] = {}
    for name in roles.texts:
        texts[name], invalid = _parse_text(source[name], name, file)
        rejected |= dict.fromkeys(np.flatnonzero(invalid).tolist(), f"{name} is not UTF-8")

    keep = np.ones(len(raw), bool)
    keep[list(rejected)] = False
    mask = pa.array(keep)
    rows = block.rows[keep]

    def kept(column: Any) -> Text:
        return Text.from_arrow(pc.filter(column, mask))

    columns: dict[str, TableColumn] = {smiles_column: kept(cells.smiles)}
    for name in roles.numbers:
        column = pc.filter(source[name], mask)
        values, wrong = parse_numbers(column)
        expected = "a finite number"
        if name == roles.weight and not wrong.any():
            wrong, expected = np.isnan(values), "a number: a weight must not be missing"
        if wrong.any():
            place = int(np.argmax(wrong))
            raise _not_a_number(file, name, column[place : place + 1], int(rows[place]), start, expected)
        columns[name] = values
    columns |= {name: kept(column) for name, column in texts.items()}
    rejects = [*block.malformed, *((int(block.rows[i]), raw[i].as_py(), reason) for i, reason in rejected.items())]
    return ConvertedBlock(
        columns,
        {file.names[1]: kept(cells.name)} if file.has_name_suffix else {},
        kept(cells.tail),
        start + rows,
        [(start + row, text, "read", reason) for row, text, reason in sorted(rejects)],
        int(cells.trimmed[keep].sum()),
    )


def collect(
    parts: Sequence[ConvertedBlock], smiles_column: str, targets: tuple[str, ...], header: tuple[str, ...]
) -> Table:
    """Return all blocks as one table; names and CXSMILES tails are columns of it if some row has one."""
    columns: dict[str, TableColumn] = {}
    for name in parts[0].columns:
        pieces = [part.columns[name] for part in parts]
        texts = [piece for piece in pieces if isinstance(piece, Text)]
        columns[name] = Text.concat(texts) if texts else np.concatenate(pieces)
    for name in dict.fromkeys(name for part in parts for name in part.suffixes):
        suffixes = Text.concat(part.suffixes.get(name) or Text.of([""] * len(part.rows)) for part in parts)
        if len(suffixes.flat):
            columns.setdefault(name, suffixes)
    tails = Text.concat(part.tails for part in parts)
    if len(tails.flat):
        columns["cxsmiles_tail" if "cxsmiles" in columns else "cxsmiles"] = tails
    notes = {_TRIMMED: sum(part.trimmed for part in parts), _TAILS: int(np.count_nonzero(tails.lengths))}
    return Table(
        columns,
        Rejects.of(reject for part in parts for reject in part.rejects),
        rows=np.concatenate([part.rows for part in parts]),
        smiles_column=smiles_column,
        targets=targets,
        header=header,
        notes={note: count for note, count in notes.items() if count},
    )


def _parse_text(column: Any, name: str, file: TableFile) -> tuple[Any, Bools]:
    if not is_text(column.type):
        raise ColumnError(
            f"{file.path}: column {name!r} is {column.type}, expected text: choose another column",
            column=name,
            path=file.path,
        )
    return parse_text(column)


def _not_a_number(file: TableFile, name: str, cell: Any, row: int, start: int, expected: str) -> RowError:
    line = file.line(row)
    value = parse_text(cell)[0][0].as_py() if is_text(cell.type) else str(cell[0].as_py())
    return RowError(
        f"{file.path}{'' if line is None else f', line {line}'} (row {start + row}): column {name!r} is "
        f"{format_value(value)}, expected {expected}; correct the file, or choose another column",
        row=start + row,
        column=name,
        value=value,
        path=file.path,
        line=line,
    )
