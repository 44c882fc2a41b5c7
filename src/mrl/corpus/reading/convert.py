"""Blocks of rows of cells as columns and rejects, and those of all files as one table."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mrl.corpus.reading.cells import (
    Bools,
    decimal_mark_problem,
    is_text,
    parse_censored,
    parse_smiles,
    parse_text,
    prepare_labels,
    select,
)
from mrl.corpus.reading.columns import ColumnRoles
from mrl.corpus.reading.notation import sample_rows
from mrl.corpus.reading.table_file import Block, TableFile
from mrl.corpus.table import TAIL_COLUMNS, Table, TableColumn
from mrl.errors import ColumnError, MissingLabelsWarning, RowError
from mrl.messages import format_count, format_value, user_stacklevel
from mrl.ragged import Reject, Rejects, Text, concat_lines

_TRIMMED, _TAILS = "blank around SMILES removed", "CXSMILES tail moved to its own column"
_WITH_TAIL = "CXSMILES tail kept with its SMILES, as a part of the molecule"
_SIGNED = "censored label (<, >) kept with its sign"
_ESCAPED = "cell that is not UTF-8 kept with escapes such as \\xe9; ReadOptions(encoding=...) (--encoding) reads it"
_MISSING = "{} not a number, read as missing"
_REJECTED = "{} is not a number"
_NAME_FIRST = "name moved behind its SMILES"
_NOT_UTF8 = "not UTF-8"
_REMEDY = (
    "correct the file, or choose another column, or say what it means with options=ReadOptions(label_map=...) "
    "(--label-map), or pass options=ReadOptions(on_label=...) (--on-label)"
)
_KEEP_SIGNS = (
    "correct the file, or keep a label such as '>10' with its sign: read(..., censored='keep'), or leave out its row: "
    "options=ReadOptions(on_label='reject') (--on-label reject)"
)


def convert(block: Block, file: TableFile, smiles_column: str, roles: ColumnRoles, start: int) -> Table:
    """Return a block as a table, with names after the SMILES and CXSMILES tails even if all are blank.

    A pure function of the block; `start` is the number of the file's first row. Raises a ``ColumnError`` if a column
    to be kept as text is not text, and a ``RowError`` if a number in a row that is kept is not one.
    """
    source = dict(block.columns)
    raw, invalid = _parse_text(source[smiles_column], smiles_column, file)
    escaped = np.zeros(len(raw), bool)
    if file.has_name_suffix and invalid.any():  # a name that is not UTF-8 does not cost the molecule
        escaped = invalid & _is_in_name(raw)
        invalid = invalid & ~escaped
    is_smiles = (roles.options.notation or file.notation) == "smiles"
    cells = parse_smiles(raw, file.has_name_suffix, is_smiles)
    rejected = cells.rejected | dict.fromkeys(np.flatnonzero(invalid).tolist(), _NOT_UTF8)
    if file.has_name_suffix:
        source[file.names[1]] = cells.name
    texts: dict[str, Any] = {}
    for name in roles.texts:
        texts[name], invalid = _parse_text(source[name], name, file)
        if file.has_name_suffix:
            invalid, escaped = escaped, np.zeros(len(raw), bool)
        rejected |= dict.fromkeys(np.flatnonzero(invalid).tolist(), f"{name} is {_NOT_UTF8}")
    arrays: dict[str, Any] = {}
    for name in () if file.has_name_suffix else roles.rest(file, smiles_column):
        if _is_array(source[name]):
            arrays[name] = source[name]
            continue
        texts[name], invalid = _parse_text(_as_strings(source[name]), name, file)
        escaped |= invalid

    numbers = {name: _parse_labels(source[name], name, roles) for name in roles.numbers}
    for name, label in numbers.items():
        if label.misread is not None:  # whatever is done with other labels: nearly all would be lost
            raise _not_a_number(block, file, name, label.misread, start, label)
    if roles.options.on_label == "reject":
        for name, label in numbers.items():
            reason = _REJECTED.format(name) if name in roles.targets else f"{name} is missing or not a number"
            rejected = dict.fromkeys(np.flatnonzero(label.wrong).tolist(), reason) | rejected
    if roles.censored == "reject":
        for name in roles.targets:
            rejected = dict.fromkeys(np.flatnonzero(numbers[name].signs).tolist(), f"{name} is censored") | rejected
    if file.has_nul:
        used = {smiles_column, *numbers, *texts} & block.columns.keys()
        nul = np.any([_has_nul(source[name]) for name in used], axis=0)
        rejected = dict.fromkeys(np.flatnonzero(nul).tolist(), "NUL byte") | rejected
    keep = np.ones(len(raw), bool)
    keep[list(rejected)] = False
    rows = block.rows[keep]
    columns: dict[str, TableColumn] = {smiles_column: Text.from_arrow(select(cells.smiles, keep))}
    signs: dict[str, NDArray[np.int8]] = {}
    missing: dict[str, int] = {}
    for name, label in numbers.items():
        wrong = label.wrong & keep
        if wrong.any() and (name == roles.weight or roles.options.on_label != "nan"):
            raise _not_a_number(block, file, name, int(np.argmax(wrong)), start, label)
        missing[_MISSING.format(name)] = int(wrong.sum())
        columns[name] = np.where(wrong, np.nan, label.values)[keep]
        if (sides := np.where(wrong, 0, label.signs)[keep].astype(np.int8)).any():
            signs[name] = sides
    if file.has_name_suffix:
        texts.setdefault(file.names[1], cells.name)
    columns |= {name: np.array(select(column, keep)) for name, column in arrays.items()}
    tails = pc.binary_length(select(cells.tail, keep))
    if (tail_column := next((name for name in TAIL_COLUMNS if name not in (*file.names, *texts)), None)) is not None:
        texts[tail_column] = cells.tail
    elif np.count_nonzero(tails):
        raise ColumnError(
            f"{file.path}: molecules have CXSMILES tails, which get a column of their own, but the names "
            f"{' and '.join(map(repr, TAIL_COLUMNS))} are taken by other columns: rename one of these in the file",
            column=TAIL_COLUMNS[0],
            path=file.path,
        )
    columns |= {name: Text.from_arrow(select(column, keep)) for name, column in texts.items()}
    rejects = [
        *block.rejects,
        *(Reject(int(block.rows[i]), raw[i].as_py(), "read", reason) for i, reason in rejected.items()),
    ]
    return Table(
        columns,
        _located(rejects, file, start),
        rows=start + rows,
        lines=file.lines(rows),
        smiles_column=smiles_column,
        targets=roles.targets,
        header=file.names,
        notes=+Counter(
            block.notes
            | missing
            | {
                _TRIMMED: int(cells.trimmed[keep].sum()),
                _TAILS: int(np.count_nonzero(tails)),
                _WITH_TAIL: int(cells.with_tail[keep].sum()),
                _ESCAPED: int(escaped[keep].sum()),
                _NAME_FIRST: int(keep.sum()) if file.name_first else 0,
                _SIGNED: int(sum(np.count_nonzero(sides) for sides in signs.values())),
            }
        ),
        signs=signs,
    )


def _located(rejects: list[Reject], file: TableFile, start: int) -> Rejects:
    """Return rejects of a file with their lines, numbered over all files."""
    rows = np.array([reject.row for reject in rejects], np.int64)
    lines = file.lines(rows) if len(rows) else None
    found = {} if lines is None else dict(zip((start + rows).tolist(), lines.tolist(), strict=True))
    return Rejects((reject._replace(row=start + reject.row) for reject in rejects), lines=found)


def sample(block: Block, smiles_column: str) -> list[str]:
    """Return the first words of some cells of the column of molecules, evenly spread over a block."""
    column = block.columns[smiles_column]
    if not is_text(column.type):
        return []
    cells = parse_text(pc.take(column, pa.array(sample_rows(len(column)))))[0].to_pylist()
    return [cell.split(None, 1)[0] for cell in cells if cell.strip()]


class _Label(NamedTuple):
    """A column of numbers: the column, values, signs, which are not what is expected, and that, with the way out.

    `misread` is a cell that shows that the whole column has another decimal mark.
    """

    column: Any
    values: NDArray[np.float64]
    signs: NDArray[np.int8]
    wrong: Bools
    expected: str
    remedy: str
    misread: int | None


def _parse_labels(column: Any, name: str, roles: ColumnRoles) -> _Label:
    expected, remedy = "a finite number", _REMEDY
    values, sides, wrong = parse_censored(prepare_labels(column, roles.options))
    if sides.any() and (roles.censored == "raise" or name not in roles.targets):
        wrong = wrong | (sides != 0)
        remedy = remedy if name == roles.weight else _KEEP_SIGNS
    misread = None
    if wrong.any() and (found := decimal_mark_problem(column, roles.options.decimal)) is not None and wrong[found[0]]:
        misread, remedy = found
    if name == roles.weight:
        missing = np.isnan(values) & ~wrong
        if missing.any() and not wrong[: int(np.argmax(missing))].any():  # the first of both is reported
            expected = "a number: a weight must not be missing"
        wrong = wrong | missing
    return _Label(column, values, sides, wrong, expected, remedy, misread)


def _has_nul(column: Any) -> Bools:
    """Return which cells of a text file have a NUL byte."""
    return np.array(pc.match_substring(pc.cast(column, pa.large_binary()), "\0").to_numpy(zero_copy_only=False), bool)


def _is_in_name(raw: Any) -> Bools:
    """Return which cells, bytes that are not UTF-8 as escapes, have no such escape in their first word."""
    word = pc.struct_field(pc.extract_regex(raw, r"(?s)^\s*(?P<word>\S*)"), "word")
    return ~np.array(pc.match_substring_regex(word, r"\\x[89a-f][0-9a-f]").to_numpy(zero_copy_only=False), bool)


def concat(tables: Sequence[Table], roles: ColumnRoles) -> Table:
    """Return all rows as one table; names after the SMILES and tails are columns of it if some row has one."""
    first = tables[0]
    requested = {first.smiles_column, *roles.numbers, *roles.texts, *(first.header if roles.others else ())}
    columns: dict[str, TableColumn] = {}
    for name in dict.fromkeys(name for table in tables for name in table.columns):
        pieces = [table.columns[name] if name in table.columns else _blank(len(table)) for table in tables]
        if any(isinstance(piece, Text) for piece in pieces):  # an integer column with nulls in some of its blocks only
            texts = [_as_text(piece) for piece in pieces]
            if name in requested or any(len(text.flat) for text in texts):
                columns[name] = Text.concat(texts)
        else:
            columns[name] = np.concatenate(pieces)
    signs = {
        name: np.concatenate([table.signs.get(name, np.zeros(len(table), np.int8)) for table in tables])
        for name in roles.targets
        if any(name in table.signs for table in tables)
    }
    notes = sum((Counter(table.notes) for table in tables), Counter[str]())
    return Table(
        columns,
        Rejects.concat(table.rejects for table in tables).by_row(),
        rows=np.concatenate([table.rows for table in tables]),
        lines=concat_lines(tables),
        smiles_column=first.smiles_column,
        targets=first.targets,
        header=first.header,
        notes=notes,
        signs=signs,
    )


def _is_array(column: Any) -> bool:
    """Return whether a column can be kept as an array: floating point, or whole numbers and bools without nulls."""
    kind = column.type
    is_whole = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    return bool(pa.types.is_floating(kind) or (is_whole and not column.null_count))


def _as_strings(column: Any) -> Any:
    """Return dates, decimals and the like as text, written as Arrow writes them; other columns as they are."""
    if is_text(column.type):
        return column
    try:
        return pc.cast(column, pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return column


def _as_text(values: TableColumn) -> Text:
    return values if isinstance(values, Text) else Text.from_arrow(pc.cast(pa.array(values), pa.large_string()))


def _blank(n: int) -> Text:
    return Text(np.zeros(0, np.uint8), np.zeros(n + 1, np.int64))


def _parse_text(column: Any, name: str, file: TableFile) -> tuple[Any, Bools]:
    if not is_text(column.type):
        raise ColumnError(
            f"{file.path}: column {name!r} is {column.type}, expected text: choose another column",
            column=name,
            path=file.path,
        )
    return parse_text(column)


def _not_a_number(block: Block, file: TableFile, name: str, place: int, start: int, label: _Label) -> RowError:
    row, cell = int(block.rows[place]), label.column[place : place + 1]
    lines = file.lines(np.array([row]))
    line = None if lines is None else int(lines[0])
    value = parse_text(cell)[0][0].as_py() if is_text(cell.type) else str(cell[0].as_py())
    return RowError(
        f"{file.path}{'' if line is None else f', line {line}'} (row {start + row}): column {name!r} is "
        f"{format_value(value)}, expected {label.expected}; {label.remedy}",
        row=start + row,
        column=name,
        value=value,
        path=file.path,
        line=line,
    )


class LostLabels:
    """How many labels of each target are not numbers, over all blocks: if none is one, that is an error.

    Rows and cells that are lost are counted wherever `convert` says so: in the notes, or among the rejects.
    """

    def __init__(self, roles: ColumnRoles) -> None:
        self._numbers, self._lost = dict.fromkeys(roles.targets, 0), dict.fromkeys(roles.targets, 0)
        self._is_missing = roles.options.on_label == "nan"

    def add(self, table: Table) -> None:
        """Count the labels of a block."""
        if not self._lost:
            return
        reasons = Counter(reject.reason for reject in table.rejects)
        for name in self._lost:
            self._numbers[name] += int(np.isfinite(table[name]).sum())
            self._lost[name] += table.notes.get(_MISSING.format(name), 0) + reasons[_REJECTED.format(name)]

    def report(self, path: str, *, is_whole: bool = True) -> None:
        """Raise a ColumnError for a target without any number, and warn of one with few.

        Of a part of the blocks only warn: the others may have numbers.
        """
        for name, lost in self._lost.items():
            filled = lost + self._numbers[name]
            if is_whole and lost == filled > 0:
                raise ColumnError(
                    f"{path}: none of the {format_count(filled, 'label')} of column {name!r} is a number: choose "
                    "another column, or say what its words mean with options=ReadOptions(label_map=...) (--label-map)",
                    column=name,
                    path=path,
                )
            if self._is_missing and 2 * lost > filled:
                warnings.warn(
                    f"{path}: {lost:,} of {format_count(filled, 'label')} of column {name!r} are not numbers and were "
                    "read as missing; options=ReadOptions(label_map=...) (--label-map) says what they mean, and nan in "
                    "it that they are missing",
                    MissingLabelsWarning,
                    stacklevel=user_stacklevel(),
                )
