"""MDL files: one MOL block, or the records of an SD file, each a MOL block and named values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from mrl.corpus.reading.formats.text_file import RecordFile
from mrl.corpus.reading.sources import TextData, escape_invalid, find_all
from mrl.corpus.reading.table_file import Block
from mrl.errors import MoleculeError, ReadError
from mrl.ragged import Reject

_BLOCK_BYTES = 1 << 22
_SEPARATOR = re.compile(rb"(?:\A|(?<=[\r\n]))\$\$\$\$[^\r\n]*(?:\r\n|\r|\n|\Z)")
_END = re.compile(rb"(?:\A|(?<=\n))M  END[^\n]*(?:\n|\Z)")
_KEY = re.compile(rb"(?:\A|(?<=[\r\n]))>[^\r\n<]*<([^\r\n]*)>[^\r\n>]*(?=[\r\n]|\Z)")
_COORDINATES = "MOL block read as SMILES, without its coordinates"


class _Record(NamedTuple):
    title: bytes
    block: bytes
    values: dict[str, bytes]


class StructureFile(RecordFile):
    """MOL blocks as SMILES, their titles, and the values of SD files; a key that a record lacks is a blank cell."""

    def __init__(self, path: str, text: TextData) -> None:
        super().__init__(path, text)
        self._start = text.start  # a first line may be blank
        keys = dict.fromkeys(_text(found[1]) for found in find_all(_KEY, self._data, self._start, self._stop))
        self.molecules = next(name for name in ("smiles", "mol_smiles", "mol_block_smiles") if name not in keys)
        self._title = next(name for name in ("name", "title", "mol_title", "mol_block_title") if name not in keys)
        self.names = (self.molecules, self._title, *keys)
        if re.search(rb"M  END|\$\$\$\$", self._data) is None:
            raise ReadError(
                f"{path}: there is no line M  END as in a MOL block or SD file: pass another format= (--format)",
                path=path,
            )

    def _records(self) -> Iterator[tuple[int, int]]:
        """Yield where the text of each record begins and ends."""
        at = self._start
        for found in find_all(_SEPARATOR, self._data, self._start):
            yield at, found.start()
            at = found.end()
        if self._data[at : self._stop].strip():
            yield at, len(self._data)

    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read all records, those of about 4 MB at once; MOL blocks are parsed if their SMILES are among `names`."""
        rows, rejects = list[int](), list[Reject]()
        cells: dict[str, list[bytes]] = {name: [] for name in names}
        size = row = 0
        for row, (start, end) in enumerate(self._records()):
            self._begin_record(start)
            record = _parse(self._data[start:end])
            smiles = _smiles(record) if isinstance(record, _Record) and self.molecules in names else b""
            if isinstance(record, _Record) and isinstance(smiles, bytes):
                known = record.values | {str(self.molecules): smiles, self._title: record.title}
                for name, column in cells.items():
                    column.append(known.get(name, b""))
                rows.append(row)
            else:
                title = record.title if isinstance(record, _Record) else self._data[start:end].splitlines()[:1]
                text = escape_invalid(title if isinstance(title, bytes) else b"".join(title)).strip()
                rejects.append(Reject(row, text, "read", record if isinstance(record, str) else str(smiles)))
            size += end - start
            if size >= _BLOCK_BYTES:
                yield self._block(cells, rows, rejects)
                rows, rejects, size = [], [], 0
                cells = {name: [] for name in names}
        if rows or rejects:
            yield self._block(cells, rows, rejects)

    def _block(self, cells: dict[str, list[bytes]], rows: list[int], rejects: list[Reject]) -> Block:
        arrays = {name: pa.array(column, pa.large_binary()) for name, column in cells.items()}
        notes = {_COORDINATES: len(rows)} if self.molecules in cells else {}
        return Block(arrays, np.array(rows, np.int64), rejects, notes)


def _text(key: bytes) -> str:
    return escape_invalid(key).strip()


def _parse(record: bytes) -> _Record | str:
    """Return the parts of a record, or why it has none."""
    record = record.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    end = _END.search(record)
    if end is None:
        return "damaged: there is no line M  END"
    title = record.partition(b"\n")[0].strip()
    values: dict[str, bytes] = {}
    found = list(_KEY.finditer(record, end.end()))
    if record[end.end() : found[0].start() if found else len(record)].strip():
        return "damaged: text between the line M  END and the first value"
    ends = [*(key.start() for key in found[1:]), len(record)]
    for key, stop in zip(found, ends, strict=False):
        name = _text(key[1])
        if name in values:
            return f"damaged: two values are called {name}"
        values[name] = record[key.end() : stop].strip(b"\n")
    return _Record(title, record[: end.end()], values)


def _smiles(record: _Record) -> bytes | str:
    """Return the SMILES of a MOL block, or why it has none."""
    from mrl.chem import mol_block_smiles  # RDKit, for this format only

    try:
        return mol_block_smiles(escape_invalid(record.block)).encode()
    except MoleculeError as error:
        return error.reason
