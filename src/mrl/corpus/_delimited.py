"""Text files with one molecule per line: tables with a delimiter, and lists of SMILES with a name behind them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from mrl.corpus._names import is_smiles_name, listed, looks_like_smiles
from mrl.corpus._sheet import Part, Sheet
from mrl.corpus._sources import DAMAGED, text_of
from mrl.errors import ReadError

__all__ = ["Delimited"]

_DELIMITERS = (",", "\t", ";")
_WHOLE_LINE = "\x1f"  # a delimiter for lines that have none
_BLOCK = 1 << 24  # bytes read at once; a line has to fit
_QUOTED = '"[^"]*(?:""[^"]*)*'
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|\Z)")


class Delimited(Sheet):
    """A text file. `kind` is "csv" (delimiter from the header), "tsv", or "smi" (a list, unless it has a header)."""

    def __init__(self, path: Path, kind: str, asked: str | None) -> None:
        self.path = str(path)
        self._data = text_of(path)
        self._stop = len(self._data.rstrip(b"\r\n"))
        self._start = len(self._data) - len(self._data.lstrip(b"\r\n"))
        first = self._first_line()
        self._delimiter = "\t" if kind == "tsv" else _sniffed(first) or (_WHOLE_LINE if kind == "smi" else ",")
        if kind == "smi" and not any(is_smiles_name(name) or name == asked for name in first.split(self._delimiter)):
            self._delimiter = _WHOLE_LINE
        self.loose = self._delimiter == _WHOLE_LINE
        self._quotes = not self.loose and self._well_quoted(strict=kind != "tsv")
        self._header = self._parsed_header(asked)
        if self._start >= self._stop:
            raise ReadError(f"{self.path} has a header and no rows: {listed(self.names)}", path=self.path)

    def _first_line(self) -> str:
        return next(self._lines(), "").strip("\r\n")

    def _lines(self) -> Iterator[str]:
        """The lines from the start on, with their ends."""
        found = _LINE.finditer(self._data, self._start, self._stop)
        return (line[0].decode() for line in found if line[0])

    def _well_quoted(self, strict: bool) -> bool:
        """Whether quotes are meant as such: each is closed, and nothing follows before the next delimiter."""
        if b'"' not in self._data:
            return True
        delimiter = re.escape(self._delimiter)
        cell = re.compile(f'(?:^|[{delimiter}\r\n]){_QUOTED}(?:"(?P<more>[^{delimiter}\r\n"])?|(?P<open>\\Z))'.encode())
        wrong = next((found for found in cell.finditer(self._data) if found.lastgroup), None)
        if wrong is None or not strict:
            return wrong is None
        line = _line_ends(self._data[: wrong.end("more") if wrong["more"] else wrong.start() + 1]) + 1
        what = "text follows a closing quote" if wrong["more"] else "a quote is opened and never closed"
        raise ReadError(
            f'{self.path}, line {line}: {what}; write a quote inside a cell as ""', path=self.path, line=line
        )

    def _parsed_header(self, asked: str | None) -> int:
        """Set `names`, move the start behind the header, and tell how many lines come before the rows."""
        if self.loose:
            used = [next(self._lines(), "")]
            words = used[0].split()
            has_header = bool(words) and (is_smiles_name(words[0]) or words[0] == asked)
            self.names = ("smiles", "name")
            if has_header:
                self.names = (words[0], words[1] if len(words) == 2 else "name")
        else:
            used = []
            cells = [cell.strip() for cell in next(self._records(used))]
            alone = len(cells) == 1 and cells[0] != asked
            has_header = not (alone and looks_like_smiles(cells[0]) and not is_smiles_name(cells[0]))
            self.names = tuple(cells) if has_header else ("smiles",)
        if any(DAMAGED in name for name in self.names):
            raise ReadError(f"{self.path}: the header is no UTF-8: save the file as UTF-8", path=self.path)
        if has_header:
            self._start += len("".join(used).encode())
        return _line_ends(self._data[: self._start])

    def _records(self, used: list[str]) -> Iterator[list[str]]:
        """The cells of each row by Python's own reader, which counts lines; `used` are the lines read so far."""

        def lines() -> Iterator[str]:
            for line in self._lines():
                used.append(line)
                yield line

        try:
            yield from csv.reader(
                lines(), delimiter=self._delimiter, quoting=csv.QUOTE_MINIMAL if self._quotes else csv.QUOTE_NONE
            )
        except csv.Error as error:
            raise ReadError(
                f"{self.path}, line {_line_ends(self._data[: self._start]) + len(used)}: {error}", path=self.path
            ) from error

    def take(self, names: tuple[str, ...]) -> Part:
        """Read columns as text; `Part.broken` has the lines with a wrong number of cells."""
        width = 1 if self.loose else len(self.names)
        keys = {str(i): name for i, name in enumerate(self.names[:width]) if name in names}
        broken: list[tuple[int, str, str]] = []

        def refuse(line: Any) -> str:
            broken.append((line.number - 1, line.text, f"{line.actual_columns} cells instead of {width}"))
            return "skip"

        try:
            table = pacsv.read_csv(
                pa.py_buffer(memoryview(self._data)[self._start : self._stop]),
                # one thread: only then are the lines numbered
                read_options=pacsv.ReadOptions(
                    use_threads=False, block_size=_BLOCK, column_names=[*map(str, range(width))]
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=self._delimiter,
                    quote_char='"' if self._quotes else False,
                    newlines_in_values=self._quotes,
                    ignore_empty_lines=False,
                    invalid_row_handler=refuse,
                ),
                convert_options=pacsv.ConvertOptions(
                    include_columns=list(keys),
                    column_types={key: pa.large_string() for key in keys},
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
        except pa.ArrowException as error:
            raise ReadError(f"{self.path} cannot be read as a table: {error}", path=self.path) from error
        total = len(table) + len(broken)
        if broken and not len(table):
            raise ReadError(
                f"{self.path}: no line has the {width} cells of the header ({listed(self.names)}), the first has "
                f"{broken[0][2].split()[0]}: check the header, the delimiter {self._delimiter!r} and the format",
                path=self.path,
            )
        rows = np.delete(np.arange(total), [row for row, _, _ in broken])
        columns = {name: table.column(key).combine_chunks() for key, name in keys.items()}
        return Part(columns, rows, total, broken)

    def line(self, row: int) -> int:
        """The line in which data row `row` begins, from 1; a quoted cell may hold line ends."""
        if not self._quotes or b'"' not in self._data:
            return self._header + row + 1
        used: list[str] = []
        records = self._records(used)
        for _ in range(row):
            next(records)
        return self._header + len(used) + 1


def _line_ends(data: bytes) -> int:
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def _sniffed(header: str) -> str | None:
    """The delimiter of which a line has most outside of quotes, or None."""
    bare = re.sub(r'"[^"]*"', "", header)
    best = max(_DELIMITERS, key=bare.count)
    return best if best in bare else None
