"""Tables with a delimiter (CSV, TSV), and lists of SMILES with a name after each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from mrl.corpus.reading.columns import is_smiles_name, require_column_name
from mrl.corpus.reading.notation import has_foreign_letter, is_smiles_text
from mrl.corpus.reading.sources import Data, arrow_owned, escape_invalid, is_utf8, is_utf8_data, line_count
from mrl.corpus.reading.table_file import Block, TableFile
from mrl.errors import ReadError
from mrl.messages import format_count, format_names, format_value
from mrl.ragged import Reject

_DELIMITERS = (",", "\t", ";")
_BLOCK_BYTES = 1 << 24  # read at once; a row has to fit
_QUOTED = r'"[^"]*(?:""[^"]*)*'  # without the closing quote
_LINE_END = r"(?:\r\n|\n|\r|\Z)"
_LINE = re.compile(rf"[^\r\n]*{_LINE_END}".encode())
_NOT_LINE_END = re.compile(rb"[^\r\n]")
_SAMPLE = 1000  # lines
_TAIL = re.compile(rb"\|[^|]*\|")


class _TextFile(TableFile):
    """A text file whose rows begin at byte `_start` and end at byte `_stop` of `_data`."""

    def __init__(self, path: str, data: Data, start: int) -> None:
        self.path = path
        self._data = data
        first, last = _NOT_LINE_END.search(data, start), len(data)
        self._start = first.start() if first else last
        while last > self._start and data[last - 1 : last] in (b"\r", b"\n"):
            last -= 1
        self._stop = last

    def _first(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self._data, self._start, self._stop)
        return found[0] if found else b""

    def _skip_header(self, size: int) -> None:
        self._start += size
        if self._start >= self._stop:
            raise ReadError(
                f"{self.path} has a header and no rows: {format_names(self.names)}; pass a file with molecules",
                path=self.path,
            )

    def _require_utf8(self, header: bytes) -> None:
        if not is_utf8(header):
            raise ReadError(
                f"{self.path}: the header is not UTF-8: pass its encoding, options=ReadOptions(encoding=...) "
                "(--encoding), or save the file as UTF-8",
                path=self.path,
            )


class SmilesList(_TextFile):
    """Lines of a SMILES and perhaps a name; a first line whose first word says so is a header.

    A list with the name in front of each SMILES is recognised by its first lines.
    """

    has_name_suffix = True

    def __init__(self, path: str, data: Data, start: int, smiles_column: str | None, notation: str) -> None:
        super().__init__(path, data, start)
        header = self._first(_LINE)
        words = escape_invalid(header).split()
        require_column_name(path, smiles_column, words[:1])
        self.names = ("smiles", "name")
        if words and (is_smiles_name(words[0]) or words[0] == smiles_column):
            self._require_utf8(header)
            self.names = (words[0], words[1] if len(words) == 2 else "name")
            self._skip_header(len(header))
        self.name_first = notation == "smiles" and self._look_at_lines()

    def _look_at_lines(self) -> bool:
        """Return whether the name is the first word of most lines; raise if the lines are rows of a table."""
        lines = [
            escape_invalid(line[0]) for line in islice(_LINE.finditer(self._data, self._start, self._stop), _SAMPLE)
        ]
        words = [found for line in lines if (found := line.split()) and not line.startswith("#")]
        least = max(1, round(0.9 * len(words)))
        tables = [line for line in words if _has_delimiter(line[0])]
        if len(tables) >= least:
            raise ReadError(
                f"{self.path}: lines such as {format_value(tables[0][0], most=60)} are rows of a table without a "
                "header, not a SMILES and a name: insert a first line with the names of the columns, such as "
                "smiles,name",
                path=self.path,
            )
        named = [line for line in words if len(line) > 1 and has_foreign_letter(line[0]) and is_smiles_text(line[1])]
        return len(named) >= least

    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read all lines, those of about 16 MB at once."""
        at, row = self._start, 0
        while at < self._stop:
            found = _LINE.match(self._data, min(at + _BLOCK_BYTES, self._stop), self._stop)
            end = found.end() if found else self._stop
            lines = self._data[at:end].splitlines()
            cells = map(_name_last, lines) if self.name_first else lines
            yield Block({self.names[0]: pa.array(cells, pa.large_binary())}, np.arange(row, row + len(lines)), [])
            at, row = end, row + len(lines)

    def line(self, row: int) -> int:
        """Return the line, from 1, of a row."""
        return line_count(self._data[: self._start]) + row + 1


def _has_delimiter(word: str) -> bool:
    """Return whether a SMILES of a word is followed, outside brackets, by a comma or semicolon."""
    first = re.split("[,;]", re.sub(r"\[[^\[\]]*\]|\|[^|]*\|", "", word), maxsplit=1)
    return len(first) == 2


def _name_last(line: bytes) -> bytes:
    """Return a line of a name and a SMILES with the name after the SMILES and its tail; others as they are."""
    words = line.split(None, 1)
    if len(words) < 2:
        return line
    name, (smiles, *rest) = words[0], words[1].split(None, 1)
    tail = _TAIL.match(rest[0]) if rest else None
    parts = [smiles, tail[0], name, rest[0][tail.end() :].strip()] if tail else [smiles, name, *rest]
    return b" ".join(filter(None, parts))


class DelimitedFile(_TextFile):
    """A table with a delimiter; one of a single column needs no header.

    Quotes enclose whole cells; in a file where they do not, they are characters, or an error if `strict`.
    """

    def __init__(
        self, path: str, data: Data, start: int, delimiter: str, *, strict: bool, smiles_column: str | None
    ) -> None:
        super().__init__(path, data, start)
        self._delimiter = delimiter
        self._has_quotes = data.find(b'"') >= 0 and self._is_well_quoted(strict)
        self._row = _row_pattern(delimiter) if self._has_quotes else _LINE
        header = self._first(self._row)
        cells = self._parse_header(header)
        require_column_name(path, smiles_column, cells)
        self.names = ("smiles",)
        if len(cells) > 1 or cells[0] == smiles_column or is_smiles_name(cells[0]) or not is_smiles_text(cells[0]):
            self.names = tuple(cells)
            self._skip_header(len(header))

    def _is_well_quoted(self, strict: bool) -> bool:
        """Return whether each quote that begins a cell is closed, at the end of that cell."""
        delimiter = re.escape(self._delimiter)
        end = rf'(?:"(?P<more>[^{delimiter}\r\n"])?|(?P<open>\Z))'
        cell = re.compile(rf"(?:^|[{delimiter}\r\n]){_QUOTED}{end}".encode())
        wrong = next((found for found in cell.finditer(self._data, self._start) if found.lastgroup), None)
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
        if not is_utf8_data(self._data):
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
                pacsv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES, column_names=[*map(str, range(width))]),
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

    def line(self, row: int) -> int:
        """Return the line, from 1, in which a row begins; a quoted cell may hold line ends."""
        if not self._has_quotes:
            return line_count(self._data[: self._start]) + row + 1
        found = next(islice(self._row.finditer(self._data, self._start, self._stop), row, None))
        return line_count(self._data[: found.start()]) + 1


def _row_pattern(delimiter: str) -> re.Pattern[bytes]:
    delimiter = re.escape(delimiter)
    cell = rf'(?:{_QUOTED}"|[^{delimiter}\r\n"][^{delimiter}\r\n]*)?'
    return re.compile(rf"(?:{cell}{delimiter})*{cell}{_LINE_END}".encode())


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
