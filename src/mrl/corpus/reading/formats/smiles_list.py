"""Lists of SMILES with a name after each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.corpus.reading.columns import is_smiles_name, require_column_name
from mrl.corpus.reading.formats.text_file import BLOCK_BYTES, LINE, TextFile
from mrl.corpus.reading.notation import has_foreign_letter, is_smiles_text
from mrl.corpus.reading.sources import TextData, drop_pages, escape_invalid
from mrl.corpus.reading.table_file import Block
from mrl.errors import ReadError
from mrl.messages import format_value

_SAMPLE = 1000  # lines
_TAIL = re.compile(rb"\|[^|]*\|")


class SmilesList(TextFile):
    """Lines of a SMILES and perhaps a name; a first line whose first word says so is a header.

    A list with the name in front of each SMILES is recognised by its first lines.
    """

    has_name_suffix = True

    def __init__(self, path: str, text: TextData, smiles_column: str | None, notation: str) -> None:
        super().__init__(path, text)
        header = self._first(LINE)
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
            escape_invalid(line[0]) for line in islice(LINE.finditer(self._data, self._start, self._stop), _SAMPLE)
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
            found = LINE.match(self._data, min(at + BLOCK_BYTES, self._stop), self._stop)
            end = found.end() if found else self._stop
            lines = _lines(self._data[at:end])
            if self.name_first:
                lines = pa.array(map(_name_last, lines.to_pylist()), pa.large_binary())
            yield Block({self.names[0]: lines}, np.arange(row, row + len(lines)), [])
            drop_pages(self._data, at, end - at)
            at, row = end, row + len(lines)

    def lines(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the line, from 1, of each of some rows."""
        return self._count_lines(0, self._start) + 1 + rows


def _lines(text: bytes) -> Any:
    """Return the lines of a text, as ``splitlines`` does, as an Arrow array."""
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    ends -= np.arange(len(ends))
    lengths = [] if text.endswith(b"\n") else [len(text) - len(ends)]
    offsets = np.concatenate([[0], ends, lengths]).astype(np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text.replace(b"\n", b""))]
    return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


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
