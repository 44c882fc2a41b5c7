"""export: a corpus as files of other programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from mrl.corpus.store.column import StoredColumn
from mrl.corpus.store.manifest import Manifest
from mrl.corpus.store.saving import require_empty
from mrl.files import atomic
from mrl.progress import Progress, track

SUFFIXES = (".parquet", ".csv", ".tsv", ".arrow")


def export(columns: dict[str, StoredColumn], manifest: Manifest, path: Path, progress: Progress) -> None:
    """Write all rows, shard by shard, to one file, or to a folder of Parquet files; see `Corpus.export`."""
    suffix = path.suffix.lower()
    if suffix and suffix not in SUFFIXES:
        raise ValueError(
            f"{path} has the suffix {suffix!r}; expected one of {' '.join(SUFFIXES)}, or a folder without a suffix"
        )
    lists = [f"{name} ({column.kind})" for name, column in columns.items() if not _fits_a_cell(column)]
    if lists and suffix in (".csv", ".tsv"):
        raise ValueError(
            f"a {suffix} file has one value in each cell, which {', '.join(lists)} do not fit: export to a "
            ".parquet file"
        )
    tables = _tables(columns, manifest)
    with track(progress, len(manifest.shards), "exporting") as advance:
        if not suffix:
            require_empty(path)
            path.resolve().mkdir(parents=True, exist_ok=True)
            _write_folder(tables, manifest, path, advance)
            return
        with atomic(path) as temporary, _writer(suffix, temporary, _schema(columns)) as writer:
            for table in tables:
                writer.write_table(table)
                advance(1)


def _fits_a_cell(column: StoredColumn) -> bool:
    return column.kind == "text" or (" " not in column.kind and column.dtype.kind != "S")


def _write_folder(tables: Iterator[Any], manifest: Manifest, path: Path, advance: Any) -> None:
    """Write a Parquet file for each shard, under the names that HuggingFace's datasets knows as splits."""
    import pyarrow.parquet as parquet

    totals: dict[str, int] = {}
    for entry in manifest.shards:
        totals[entry.split] = totals.get(entry.split, 0) + (entry.rows > 0)
    numbers = dict.fromkeys(totals, 0)
    for entry, table in zip(manifest.shards, tables, strict=True):
        if not entry.rows:  # HuggingFace reads no file without rows
            continue
        number, total = numbers[entry.split], totals[entry.split]
        numbers[entry.split] += 1
        with atomic(path / f"{entry.split or 'train'}-{number:05}-of-{total:05}.parquet") as temporary:
            parquet.write_table(table, temporary, compression="zstd")
        advance(1)


def _tables(columns: dict[str, StoredColumn], manifest: Manifest) -> Iterator[Any]:
    for k in range(len(manifest.shards)):
        yield pa.table({name: column.arrow_part(k) for name, column in columns.items()})


def _schema(columns: dict[str, StoredColumn]) -> Any:
    return pa.schema([(name, column.arrow_type) for name, column in columns.items()])


def _writer(suffix: str, path: Path, schema: Any) -> Any:
    if suffix == ".parquet":
        import pyarrow.parquet as parquet

        return parquet.ParquetWriter(path, schema, compression="zstd")
    if suffix == ".arrow":
        return pa.ipc.new_file(str(path), schema)
    import pyarrow.csv as csv

    return csv.CSVWriter(str(path), schema, write_options=csv.WriteOptions(delimiter="\t" if suffix == ".tsv" else ","))
