"""TextFile: what the readers of text have in common."""

from __future__ import annotations

import re
from array import array

import numpy as np
from numpy.typing import NDArray

from mrl.corpus.reading.sources import TextData, is_utf8, line_count
from mrl.corpus.reading.table_file import TableFile
from mrl.errors import ReadError
from mrl.messages import format_names, format_value

BLOCK_BYTES = 1 << 24  # read at once; a row has to fit
LINE_END = r"(?:\r\n|\n|\r|\Z)"
LINE = re.compile(rf"[^\r\n]*{LINE_END}".encode())
_NOT_LINE_END = re.compile(rb"[^\r\n]")


class TextFile(TableFile):
    """A text file whose rows begin at byte `_start` and end at byte `_stop` of `_data`."""

    def __init__(self, path: str, text: TextData) -> None:
        self.path = path
        self.has_nul = text.has_nul
        self._data = data = text.data
        first, last = _NOT_LINE_END.search(data, text.start), len(data)
        self._start = first.start() if first else last
        while last > self._start and data[last - 1 : last] in (b"\r", b"\n"):
            last -= 1
        self._stop = last

    def _count_lines(self, start: int, end: int) -> int:
        """Return how many lines end between two places, neither of which is inside a line end."""
        return line_count(self._data[start:end])

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
            text = header.rstrip(b"\r\n").decode("cp1252", errors="replace")
            raise ReadError(
                f"{self.path}: the header is not UTF-8: pass its encoding, options=ReadOptions(encoding='cp1252') "
                f"(--encoding cp1252) if {format_value(text, most=80)} is right, or save the file as UTF-8",
                path=self.path,
            )


class RecordFile(TextFile):
    """A text file whose rows are records of several lines."""

    def __init__(self, path: str, text: TextData) -> None:
        super().__init__(path, text)
        self._begun = array("q")  # in which the records read so far begin
        self._counted = 0

    def _begin_record(self, start: int) -> None:
        """Note where the next record begins."""
        line = self._begun[-1] if self._begun else 1
        self._begun.append(line + self._count_lines(self._counted, start))
        self._counted = start

    def lines(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the line, from 1, in which each of some records begins."""
        return np.frombuffer(self._begun, np.int64)[rows]  # a copy: the buffer can grow again
