"""JSON Lines: one object in each line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from mrl.corpus.reading.columns import ColumnRoles, is_smiles_name
from mrl.corpus.reading.formats.text_file import BLOCK_BYTES, RecordFile
from mrl.corpus.reading.sources import TextData, drop_pages, escape_invalid
from mrl.corpus.reading.table_file import Block
from mrl.errors import ReadError
from mrl.messages import format_value
from mrl.ragged import Reject

_SAMPLE = 1000  # lines


class JsonLines(RecordFile):
    """Lines of an object each, whose keys are the columns; a key that a line lacks is a blank cell.

    The columns are the keys of the first thousand lines, and those of all lines if all columns, or one that is not
    among these, are needed. Values other than text are cells as JSON writes them.
    """

    has_nul = True  # as \u0000

    def __init__(self, path: str, text: TextData, roles: ColumnRoles) -> None:
        super().__init__(path, text)
        self.has_nul = True
        names = self._keys(_SAMPLE)
        needed = {roles.smiles, *roles.numbers, *roles.texts} - {None}
        is_found = roles.smiles is not None or any(map(is_smiles_name, names))
        if roles.others or not is_found or needed - set(names):
            names = self._keys(None)
        if not names:
            first = next(self._lines(), [b""])[0]
            raise ReadError(
                f"{path}: no line is a JSON object with a key; the first is {format_value(escape_invalid(first))}: "
                "write one object in each line, or pass another format= (--format)",
                path=path,
            )
        self.names = tuple(names)

    def _lines(self) -> Iterator[list[bytes]]:
        """Yield the lines of about 16 MB at once."""
        at = self._start
        while at < self._stop:
            end = self._data.find(b"\n", min(at + BLOCK_BYTES, self._stop) - 1, self._stop)
            end = self._stop if end < 0 else end + 1
            yield self._data[at:end].removesuffix(b"\n").split(b"\n")
            drop_pages(self._data, at, end - at)
            at = end

    def _keys(self, most: int | None) -> list[str]:
        keys: dict[str, None] = {}
        for line in islice((line for lines in self._lines() for line in lines), most):
            found = parse_object(line)
            if isinstance(found, dict):
                keys |= dict.fromkeys(found)
        return list(keys)

    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read some of the keys of all lines, those of about 16 MB at once."""
        start, at = 0, self._start
        for lines in self._lines():
            rows: list[int] = []
            rejects: list[Reject] = []
            cells: list[tuple[str | None, ...]] = []
            for row, line in enumerate(lines, start):
                self._begin_record(at)
                at += len(line) + 1
                found = parse_object(line)
                if isinstance(found, dict):
                    try:
                        cells.append(tuple(_cell(found.get(name)) for name in names))
                        rows.append(row)
                        continue
                    except UnicodeEncodeError:
                        found = "not text: half of a surrogate pair"
                rejects.append(Reject(row, escape_invalid(line).strip(), "read", found))
            columns = list(zip(*cells, strict=True)) or [()] * len(names)
            arrays = {name: pa.array(column, pa.large_string()) for name, column in zip(names, columns, strict=True)}
            yield Block(arrays, np.array(rows, np.int64), rejects)
            start += len(lines)


def parse_object(line: bytes) -> dict[str, Any] | str:
    """Return the object of a line, or why it has none."""
    if not line.strip():
        return "empty"
    try:
        found = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        return "not UTF-8"
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError) as error:  # a key twice; a number of thousands of digits; nested too deeply
        return f"not JSON: {error}"
    return found if isinstance(found, dict) else "not a JSON object"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _cell(value: Any) -> str | None:
    """Return a value as text, None where it is missing."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value.isascii():
            value.encode()
        return value
    return json.dumps(value, ensure_ascii=False)
