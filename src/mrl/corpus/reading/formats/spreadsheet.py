"""Sheets of workbooks: Excel (.xlsx, .xlsm, .xls) and OpenDocument (.ods)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.corpus.reading.places import Source
from mrl.corpus.reading.sources import read_bytes, require_size
from mrl.corpus.reading.table_file import Block, TableFile
from mrl.errors import ReadError
from mrl.messages import format_names
from mrl.ragged import Reject

_ROWS = 1 << 16  # of a block
_BLANK_CELLS = 10_000_000  # between filled cells, beside those that the size of the sheet makes likely
_LARGE, _MOST_RATIO = 1 << 26, 200  # bytes; a workbook of real rows shrinks to a tenth or so, a bomb to a thousandth
_CELL_COLUMN, _CELL_ROW = re.compile(rb'\sr="([A-Z]{1,9})\d'), re.compile(rb'\sr="[A-Z]{0,9}(\d{1,19})"')
_ODS_ROW = re.compile(rb"<table:table-row\b([^>]*[^>/])?>(.*?)</table:table-row>", re.DOTALL)
_FILLED = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*[^>/])>")
_REPEATED = re.compile(rb'number-(?:rows|columns)-repeated="(\d{1,19})"')


class SpreadsheetFile(TableFile):
    """The sheet of a workbook that has cells, or the one that was named; its first row with cells is the header.

    A workbook is read as a whole; a sheet has at most 1,048,576 rows. Numbers are cells as Python writes them, whole
    ones without a decimal point, and dates as ISO 8601 has them.
    """

    def __init__(self, source: Source, sheet: str | None, max_bytes: int) -> None:
        self.path = source.name
        rows = _rows_of(self.path, bytes(read_bytes(source, max_bytes)), sheet, max_bytes)
        filled = [place for place, row in enumerate(rows) if any(cell is not None for cell in row)]
        if not filled:
            raise ReadError(f"{self.path} is empty: pass a workbook with at least one molecule", path=self.path)
        header = rows[filled[0]]
        self._first = filled[0] + 1
        self._rows = rows[self._first : filled[-1] + 1]
        used = [any(row[i] is not None for row in rows) for i in range(len(header))]
        self._places = [place for place, is_used in enumerate(used) if is_used]
        self.names = tuple((header[i] or _letters(i)).strip() for i in self._places)
        self.has_nul = True
        if not self._rows:
            raise ReadError(
                f"{self.path} has a header and no rows: {format_names(self.names)}; pass a file with molecules",
                path=self.path,
            )

    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read some of the columns, 65,536 rows at once."""
        places = {name: place for name, place in zip(self.names, self._places, strict=True) if name in names}
        for start in range(0, len(self._rows), _ROWS):
            rows = self._rows[start : start + _ROWS]
            columns = {n: pa.array([row[i] for row in rows], pa.large_string()) for n, i in places.items()}
            yield Block(columns, np.arange(start, start + len(rows)), list[Reject]())

    def lines(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of the sheet, from 1."""
        return self._first + 1 + rows


def _rows_of(path: str, data: bytes, sheet: str | None, max_bytes: int) -> list[list[str | None]]:
    try:
        import python_calamine  # optional
    except ImportError as error:
        raise ReadError(
            f"{path} is a workbook, which needs the package python-calamine: pip install 'mrl[xlsx]', or save the "
            "sheet as CSV",
            path=path,
        ) from error
    try:
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                size = sum(part.file_size for part in archive.infolist())
            require_size(path, size, max_bytes)
            if size > max(_LARGE, _MOST_RATIO * len(data)):
                raise ReadError(
                    f"{path} has {len(data):,} bytes, and {size:,} after decompression, more than {_MOST_RATIO} times "
                    "as many, as no workbook of real rows has: if it is meant to, save the sheet as CSV",
                    path=path,
                )
            _require_dense(path, data)
        book = python_calamine.CalamineWorkbook.from_object(io.BytesIO(data))
        sheets = {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}
    except (ReadError, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ReadError(
            f"{path} is not a workbook, or is damaged, truncated or protected by a password ({error}): copy or "
            "download it again, or save the sheet as CSV",
            path=path,
        ) from error
    name = _choose(path, sheets, sheet)
    return [[_cell(value) for value in row] for row in sheets[name]]


def _require_dense(path: str, data: bytes) -> None:
    """Raise a ReadError if a few cells far apart span more blank ones than memory would hold."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                sheet = archive.read(name)
                rows = max(map(int, _CELL_ROW.findall(sheet)), default=0)
                spanned = rows * max(map(_number, set(_CELL_COLUMN.findall(sheet))), default=0)
            elif name == "content.xml":
                sheet = archive.read(name)
                filled = ((row[1] or b"", _FILLED.findall(row[2])) for row in _ODS_ROW.finditer(sheet))
                spanned = sum(_repeats(row) * sum(map(_repeats, cells)) for row, cells in filled)
            else:
                continue
            if spanned > _BLANK_CELLS + len(sheet):
                raise ReadError(
                    f"{path}: the filled cells of {name} span {spanned:,} cells, nearly all of them blank or repeated: "
                    "delete those far from the table, or save the sheet as CSV",
                    path=path,
                )


def _repeats(attributes: bytes) -> int:
    """How often a row or a cell of an OpenDocument sheet is repeated."""
    found = _REPEATED.search(attributes)
    return int(found[1]) if found else 1


def _choose(path: str, sheets: Mapping[str, Sequence[Any]], sheet: str | None) -> str:
    if not sheets:
        raise ReadError(f"{path} has no sheets, or is damaged: copy or download it again", path=path)
    filled = [name for name, rows in sheets.items() if rows]
    if sheet is not None and sheet in sheets:
        return sheet
    if sheet is None and len(filled) <= 1:
        return (filled or list(sheets))[0]
    problem = "has several sheets" if sheet is None else f"has no sheet {sheet!r}"
    raise ReadError(
        f"{path} {problem}: choose one of {format_names(filled or sheets)} with "
        "options=ReadOptions(sheet=...) (--sheet)",
        path=path,
    )


def _cell(value: Any) -> str | None:
    """Return a value as text, None if the cell is blank."""
    if value == "" or value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _letters(place: int) -> str:
    """Return the name of a column of a sheet, such as A or AB."""
    letters = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _number(letters: bytes) -> int:
    """Return the place of a column of a sheet from its name, A is 1: the inverse of `_letters`."""
    place = 0
    for letter in letters:
        place = 26 * place + letter - ord("A") + 1
    return place
