"""Parquet and Arrow files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mrl.corpus._names import listed
from mrl.corpus._sheet import Part, Sheet
from mrl.corpus._sources import content
from mrl.errors import ReadError

__all__ = ["Columnar"]


class Columnar(Sheet):
    """A Parquet or Arrow file (Feather version 2, IPC file or stream). `kind` is "parquet" or "arrow"."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path = str(path)
        data = pa.BufferReader(content(path))
        try:
            self._file = _parquet(data) if kind == "parquet" else _arrow(data)
        except pa.ArrowException as error:
            raise ReadError(
                f"{path} is no {kind} file, or cut short ({error}): check it, or give another format=", path=self.path
            ) from error
        self.names = tuple(self._file.column_names)
        if not len(self._file):
            raise ReadError(f"{path} has no rows, only columns: {listed(self.names)}", path=self.path)

    def take(self, names: tuple[str, ...]) -> Part:
        """Give columns as they are."""
        rows = np.arange(len(self._file))
        return Part({name: _whole(self._file.column(name)) for name in names}, rows, len(rows), [])

    def line(self, row: int) -> None:
        """Give nothing: such a file has no lines."""
        return


def _parquet(data: Any) -> Any:
    import pyarrow.parquet as parquet  # 0.1 s, for this format only

    return parquet.read_table(data, use_threads=False)


def _arrow(data: Any) -> Any:
    try:
        return pa.ipc.open_file(data).read_all()
    except pa.ArrowInvalid:
        data.seek(0)
        return pa.ipc.open_stream(data).read_all()


def _whole(column: Any) -> Any:
    chunks = column.chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks) if chunks else pa.array([], column.type)
