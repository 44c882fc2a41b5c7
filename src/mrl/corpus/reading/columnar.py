"""Parquet and Arrow files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mrl.corpus.reading.sources import arrow_owned, read_bytes
from mrl.corpus.reading.table_file import Block, TableFile
from mrl.errors import ReadError
from mrl.messages import format_names


class ColumnarFile(TableFile):
    """A file of the kind ``"parquet"`` or ``"arrow"`` (Feather version 2, IPC file or stream)."""

    def __init__(self, path: Path, kind: str, max_bytes: int) -> None:
        self.path = str(path)
        self._kind = kind
        data = pa.BufferReader(arrow_owned(read_bytes(path, max_bytes)))
        with self._damage_reported():
            if kind == "parquet":
                import pyarrow.parquet as parquet  # 0.1 s, for this format only

                self._file = parquet.ParquetFile(data)
                names, n = self._file.schema_arrow.names, self._file.metadata.num_rows
            else:
                self._file = _read_arrow(data)
                names, n = self._file.column_names, len(self._file)
        self.names = tuple(names)
        if not n:
            raise ReadError(
                f"{path} has no rows, only columns: {format_names(names)}; pass a file with molecules", path=self.path
            )

    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read some of the columns, a block for each batch of the file."""
        start = 0
        with self._damage_reported():
            for batch in self._batches(list(names)):
                yield Block({name: batch.column(name) for name in names}, np.arange(start, start + len(batch)), [])
                start += len(batch)

    def line(self, row: int) -> None:
        """Return None: such a file has no lines."""
        return

    def _batches(self, names: list[str]) -> Any:
        if self._kind == "parquet":
            return self._file.iter_batches(columns=names, use_threads=False)
        table = self._file.select(names)
        table.validate(full=True)  # offsets of a damaged file may point anywhere
        return table.to_batches()

    @contextmanager
    def _damage_reported(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise ReadError(
                f"{self.path} is not in {self._kind} format, or is damaged or truncated ({error}): copy or download it "
                "again, or pass another format=",
                path=self.path,
            ) from error


def _read_arrow(data: Any) -> Any:
    try:
        return pa.ipc.open_file(data).read_all()
    except pa.ArrowInvalid:
        data.seek(0)
        return pa.ipc.open_stream(data).read_all()
