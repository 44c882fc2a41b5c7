"""Tables with a delimiter: CSV, TSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from mrl.corpus.reading.columns import is_smiles_name, require_column_name
from mrl.corpus.reading.formats.text_file import BLOCK_BYTES, LINE, LINE_END, TextFile
from mrl.corpus.reading.notation import is_smiles_text
from mrl.corpus.reading.sources import TextData, arrow_owned, drop_pages, escape_invalid, find_all, line_count
from mrl.corpus.reading.table_file import Block
from mrl.errors import ReadError
from mrl.messages import format_count, format_names
from mrl.ragged import Reject

_DELIMITERS = (",", "\t", ";")
_QUOTED = r'"[^"]*(?:""[^"]*)*'  # without the closing quote


class DelimitedFile(TextFile):
    """A table with a delimiter; one of a single column needs no header.

    Quotes enclose whole cells; in a file where they do not, they are characters, or an error if `strict`.
    """

    def __init__(self, path: str, text: TextData, delimiter: str, *, strict: bool, smiles_column: str | None) -> None:
        super().__init__(path, text)
        self._is_utf8 = text.is_utf8
        self._delimiter = delimiter
        self._breaks: list[tuple[int, int]] = []  # cells with line ends: where they begin, and how many
        self._has_quotes = text.has_quote and self._is_well_quoted(strict)
        self._row = _row_pattern(delimiter) if self._has_quotes else LINE
        header = self._first(self._row)
        cells = self._parse_header(header)
        require_column_name(path, smiles_column, cells)
        self.names = ("smiles",)
        if len(cells) > 1 or cells[0] == smiles_column or is_smiles_name(cells[0]) or not is_smiles_text(cells[0]):
            self.names = tuple(cells)
            self._skip_header(len(header))

    def _is_well_quoted(self, strict: bool) -> bool:
        """Return whether each quote that begins a cell is closed, at its end; note the cells with line ends."""
        delimiter = re.escape(self._delimiter)
        end = rf'(?:"(?P<more>[^{delimiter}\r\n"])?|(?P<open>\Z))'
        lines = r'"[^"\r\n]*(?:""[^"\r\n]*)*(?P<lines>[\r\n][^"]*(?:""[^"]*)*)?'
        cell = re.compile(rf"(?:^|[{delimiter}\r\n]){lines}{end}".encode())
        wrong = None
        for found in find_all(cell, self._data, self._start):
            if found.lastgroup is None:
                continue
            if found.lastgroup != "lines":
                wrong = found
                break
            self._breaks.append((found.start("lines"), line_count(found["lines"])))
        if wrong is None or not strict:
            return wrong is None
        line = line_count(self._data[: wrong.end("more") if wrong["more"] else wrong.start() + 1]) + 1
        problem = "text follows a closing quote" if wrong["more"] else "a quote is opened and never closed"
        raise ReadError(
            f'{self.path}, line {line}: {problem}; enclose the whole cell in quotes and write a quote inside it as ""',
            path=self.path,
            line=line,
        )

    def _parse_header(self, header: bytes) -> list[str]:
        self._require_utf8(header)
        line = header.rstrip(b"\r\n") + b"\n"
        try:
            table = pacsv.read_csv(
                arrow_owned(line), pacsv.ReadOptions(block_size=len(line) + 1), self._parse_options()
            )
        except pa.ArrowException as error:
            raise ReadError(f"{self.path}: the header cannot be read: {error}", path=self.path) from error
        return [name.strip() for name in table.column_names]

    def _parse_options(self, **options: Any) -> Any:
        quotes = self._has_quotes
        return pacsv.ParseOptions(
            delimiter=self._delimiter, quote_char='"' if quotes else False, newlines_in_values=quotes, **options
        )

    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read some of the columns as text; rows with a wrong number of cells are malformed."""
        body: Any = pa.BufferReader(arrow_owned(self._data).slice(self._start, self._stop - self._start))
        encoding = "utf-8"
        if not self._is_utf8:
            encoding = "latin-1"  # one character for each byte: lossless, and valid for Arrow
            body = pa.transcoding_input_stream(body, encoding, "utf-8")
        width = len(self.names)
        keys = {str(i): name for i, name in enumerate(self.names) if name in names}
        rejects: list[Reject] = []

        def reject(row: Any) -> str:
            reason = f"{format_count(row.actual_columns, 'cell')} instead of {width}"
            rejects.append(Reject(row.number - 1, escape_invalid(row.text.encode(encoding)), "read", reason))
            return "skip"

        start = reported = 0
        try:
            reader = pacsv.open_csv(
                body,  # by one thread: only then are the rows numbered
                pacsv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=[*map(str, range(width))]),
                self._parse_options(ignore_empty_lines=False, invalid_row_handler=reject),
                pacsv.ConvertOptions(
                    include_columns=list(keys),
                    column_types=dict.fromkeys(keys, pa.large_string()),
                    strings_can_be_null=False,
                    check_utf8=False,
                ),
            )
            for batch in reader:
                left_out = [row - start for row, *_ in rejects if row >= start]
                is_row = np.ones(len(batch) + len(left_out), bool)
                is_row[[place for place in left_out if place < len(is_row)]] = False
                rows = start + np.flatnonzero(is_row)[: len(batch)]
                columns = {name: _recode(batch.column(key), encoding) for key, name in keys.items()}
                drop_pages(self._data)
                yield Block(columns, rows, rejects[reported:])
                start, reported = int(rows[-1]) + 1 if len(rows) else start, len(rejects)
        except pa.ArrowException as error:
            raise ReadError(
                f"{self.path} cannot be read as a table ({error}): check its quotes and format; a row may have 16 MB",
                path=self.path,
            ) from error
        if not start:
            raise ReadError(
                f"{self.path}: no row fits the header ({format_names(self.names)}): the first has {rejects[0].reason}; "
                f"check the header, the delimiter {self._delimiter!r} and the format",
                path=self.path,
            )
        if len(rejects) > reported:
            empty = {name: pa.array([], pa.large_string()) for name in keys.values()}
            yield Block(empty, np.arange(0), rejects[reported:])

    def lines(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the line, from 1, in which each of some rows begins; a quoted cell may hold line ends."""
        lines = self._count_lines(0, self._start) + 1 + rows
        if self._has_quotes and self._breaks:
            broken, more = self._broken_rows
            lines += np.concatenate([[0], np.cumsum(more)])[np.searchsorted(broken, rows)]
        return lines

    @cached_property
    def _broken_rows(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows with line ends in their cells, one for each such cell, and how many there are in it."""
        rows: list[int] = []
        more: list[int] = []
        row, at = 0, self._start
        for begin, count in self._breaks:
            if begin < self._start:  # in the header
                continue
            row += self._count_lines(at, begin) - (more[-1] if more else 0)
            rows.append(row)
            more.append(count)
            at = begin
        return np.array(rows, np.int64), np.array(more, np.int64)


def _row_pattern(delimiter: str) -> re.Pattern[bytes]:
    delimiter = re.escape(delimiter)
    cell = rf'(?:{_QUOTED}"|[^{delimiter}\r\n"][^{delimiter}\r\n]*)?'
    return re.compile(rf"(?:{cell}{delimiter})*{cell}{LINE_END}".encode())


def guess_delimiter(header: str) -> str | None:
    """Return the delimiter that a line has most of outside quotes: comma, tab or semicolon; None if it has none."""
    bare = re.sub(r'"[^"]*"', "", header)
    best = max(_DELIMITERS, key=bare.count)
    return best if best in bare else None


def _recode(column: Any, encoding: str) -> Any:
    """Return the bytes of cells that were decoded by another encoding than UTF-8."""
    if encoding == "utf-8":
        return column
    return pa.array([cell.encode(encoding) for cell in column.to_pylist()], pa.large_binary())
