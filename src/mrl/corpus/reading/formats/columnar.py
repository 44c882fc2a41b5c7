"""Parquet and Arrow files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.corpus.reading.places import Source
from mrl.corpus.reading.sources import arrow_owned, drop_pages, read_bytes
from mrl.corpus.reading.table_file import Block, TableFile
from mrl.errors import ReadError
from mrl.messages import format_names

_ROWS = 1 << 16  # of a block


class ColumnarFile(TableFile):
    """A file of the kind ``"parquet"`` or ``"arrow"`` (Feather version 2, IPC file or stream)."""

    def __init__(self, source: Source, kind: str, max_bytes: int) -> None:
        self.path = source.name
        self._kind = kind
        self._data = read_bytes(source, max_bytes)
        data = pa.BufferReader(arrow_owned(self._data))
        with self._damage_reported():
            if kind == "parquet":
                import pyarrow.parquet as parquet  # 0.1 s, for this format only

                self._file = parquet.ParquetFile(data)
                self.names = tuple(self._file.schema_arrow.names)
            else:
                self._file = _open_arrow(data)
                self.names = tuple(self._file.schema.names)

    def blocks(self, names: tuple[str, ...]) -> Iterator[Block]:
        """Read some of the columns, a block for each batch of the file, or for parts of a large one."""
        start = 0
        with self._damage_reported():
            for batch in self._batches(list(names)):
                for part in (batch.slice(at, _ROWS) for at in range(0, len(batch), _ROWS)):
                    yield Block({name: part.column(name) for name in names}, np.arange(start, start + len(part)), [])
                    start += len(part)
                drop_pages(self._data)
        if not start:
            raise ReadError(
                f"{self.path} has no rows, only columns: {format_names(self.names)}; pass a file with molecules",
                path=self.path,
            )

    def lines(self, rows: NDArray[np.int64]) -> None:
        """Return None: such a file has no lines."""
        return

    def _batches(self, names: list[str]) -> Iterator[Any]:
        if self._kind == "parquet":
            yield from self._file.iter_batches(batch_size=_ROWS, columns=names, use_threads=False)
            return
        stream = isinstance(self._file, pa.ipc.RecordBatchStreamReader)
        for batch in self._file if stream else map(self._file.get_batch, range(self._file.num_record_batches)):
            columns = batch.select(names)
            columns.validate(full=True)  # offsets of a damaged file may point anywhere
            yield columns

    @contextmanager
    def _damage_reported(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last one of names
            raise ReadError(
                f"{self.path} is not in {self._kind} format, or is damaged or truncated ({error}): copy or download it "
                "again, or pass another format= (--format)",
                path=self.path,
            ) from error


def _open_arrow(data: Any) -> Any:
    try:
        return pa.ipc.open_file(data)
    except pa.ArrowInvalid:
        data.seek(0)
        return pa.ipc.open_stream(data)
