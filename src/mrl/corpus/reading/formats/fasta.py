"""FASTA: sequences, each after a line with its name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from mrl.corpus.reading.formats.text_file import BLOCK_BYTES, RecordFile
from mrl.corpus.reading.sources import TextData, escape_invalid, find_all
from mrl.corpus.reading.table_file import Block
from mrl.errors import ReadError
from mrl.messages import format_value
from mrl.ragged import Reject

_HEADER = re.compile(rb"(?:\A|(?<=[\r\n]))>")
_SEQUENCE = re.compile(rb"[A-Za-z*.-]+")


class FastaFile(RecordFile):
    """Records of a line ``>name description`` and lines of a sequence, which are joined."""

    names = ("sequence", "name", "description")
    molecules = "sequence"
    notation = "text"

    def __init__(self, path: str, text: TextData) -> None:
        super().__init__(path, text)
        if _HEADER.search(self._data, self._start, self._stop) is None:
            first = escape_invalid(self._data[self._start : self._start + 80]).splitlines()[0]
            raise ReadError(
                f"{path}: no line begins with > as the name of a sequence does in FASTA; the first is "
                f"{format_value(first)}: pass another format= (--format)",
                path=path,
            )

    def _starts(self) -> Iterator[int]:
        """Yield where each record begins, and where the last one ends; text before the first one is a record too."""
        first = next(_HEADER.finditer(self._data, self._start, self._stop)).start()
        if self._data[self._start : first].strip():
            yield self._start
        for found in find_all(_HEADER, self._data, self._start, self._stop):
            yield found.start()
        yield self._stop

    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read all records, those of about 16 MB at once."""
        starts = self._starts()
        at, row = next(starts), 0
        while at < self._stop:
            begin, rows, rejects = at, list[int](), list[Reject]()
            cells: list[list[bytes]] = [[], [], []]
            for end in starts:
                self._begin_record(at)
                found = _parse(self._data[at:end])
                if isinstance(found, str):
                    rejects.append(Reject(row, escape_invalid(self._data[at:end]).strip(), "read", found))
                else:
                    rows.append(row)
                    for column, cell in zip(cells, found, strict=True):
                        column.append(cell)
                at, row = end, row + 1
                if at - begin >= BLOCK_BYTES:
                    break
            arrays = {name: pa.array(column, pa.large_binary()) for name, column in zip(self.names, cells, strict=True)}
            yield Block({name: arrays[name] for name in names}, np.array(rows, np.int64), rejects)


def _parse(record: bytes) -> tuple[bytes, bytes, bytes] | str:
    """Return sequence, name and description of a record, or why it has none."""
    if not record.startswith(b">"):
        return "no name: text in front of the first line that begins with >"
    header, *lines = record.splitlines()
    name, *rest = header[1:].split(None, 1) or [b""]
    sequence = b"".join(line.strip() for line in lines)
    if not sequence:
        return "no sequence: a line that begins with > and nothing after it"
    if _SEQUENCE.fullmatch(sequence) is None:
        return "not a sequence: a character that is not a letter, *, - or a point"
    return sequence, name, rest[0].strip() if rest else b""
