"""Columns that are added to a corpus, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mrl.corpus.store.column import StoredColumn
from mrl.corpus.store.kinds import kind_of
from mrl.corpus.store.manifest import Manifest, StoredFile
from mrl.corpus.store.saving import as_stored, write_stored
from mrl.corpus.table import Table
from mrl.errors import ColumnError
from mrl.progress import Progress, track
from mrl.ragged import Ragged


def add_column(
    folder: Path, manifest: Manifest, name: str, parts: Iterator[Any], progress: Progress = None
) -> tuple[Manifest, str]:
    """Write a column beside those of a corpus; return the manifest with it, which is not saved yet, and its type.

    `parts` yields the values of each shard. Files that were written are removed if there is an error.
    """
    if name in manifest.columns:
        raise ColumnError(f"there is a column {name!r} already; choose another name", column=name)
    number = max((len(entry.files) for entry in manifest.shards), default=1)
    entries, kind, written = [], "", list[StoredFile]()
    try:
        with track(progress, len(manifest.shards), f"writing {name}") as advance:
            for k, entry in enumerate(manifest.shards):
                part = as_stored(next(parts), name)
                if not isinstance(part, Ragged | np.ndarray):  # a column on disk
                    part = part.take(np.arange(len(part)))
                if len(part) != entry.rows:
                    raise _wrong_length(name, f"{len(part):,} values for the {entry.rows:,} rows of shard {k}")
                found = kind_of(part)
                if kind not in ("", found):
                    raise ColumnError(
                        f"{name} is {kind} in some rows and {found} in others; give one type", column=name
                    )
                kind = found
                written.append(write_stored(folder, f"column-{number:02}-{k:05}.arrow", {name: part}))
                entries.append(entry._replace(files=(*entry.files, written[-1])))
                advance(1)
        kind = kind or kind_of(as_stored(next(parts), name))
        if next(parts, None) is not None:
            raise _wrong_length(name, f"more values than the {manifest.rows:,} rows")
    except BaseException:
        for file in written:
            with suppress(OSError):
                (folder / file.name).unlink()
        raise
    return replace(manifest, columns={**manifest.columns, name: kind}, shards=tuple(entries)), kind


def parts_of(values: Any, name: str, columns: dict[str, StoredColumn], manifest: Manifest) -> Iterator[Any]:
    """Yield the values of each shard, and of a corpus without shards, those of no row."""
    if callable(values):
        yield from map(values, tables(columns, manifest))
    elif isinstance(values, Iterator):
        yield from _cut(values, name, [entry.rows for entry in manifest.shards])
    else:
        column, start = as_stored(values, name), 0
        if len(column) != manifest.rows:
            raise _wrong_length(name, f"{len(column):,} values for {manifest.rows:,} rows")
        for entry in manifest.shards or [None]:
            stop = start if entry is None else start + entry.rows
            yield column[start:stop]
            start = stop


def tables(columns: dict[str, StoredColumn], manifest: Manifest) -> Iterator[Table]:
    """Yield the rows of each shard as a table; of a corpus without shards, one without rows."""
    about: dict[str, Any] = {"smiles_column": manifest.smiles_column, "targets": tuple(manifest.targets)}
    start = 0
    for entry in manifest.shards:
        rows = np.arange(start, start + entry.rows)
        yield Table({name: column[start : start + entry.rows] for name, column in columns.items()}, rows=rows, **about)
        start += entry.rows
    if not manifest.shards:
        yield Table({name: column.take([]) for name, column in columns.items()}, **about)


def _cut(parts: Iterator[Any], name: str, sizes: list[int]) -> Iterator[Any]:
    """Yield columns of some sizes from columns of others, one after the other."""
    rest: list[Any] = []
    for size in sizes or [0]:
        while sum(map(len, rest)) < size or not rest:
            try:
                rest.append(as_stored(next(parts), name))
            except StopIteration:
                raise _wrong_length(name, f"only {sum(map(len, rest)):,} values for the last {size:,} rows") from None
        whole = _joined(rest)
        yield whole[:size]
        rest = [whole[size:]]
    if any(map(len, rest)) or next(parts, None) is not None:
        raise _wrong_length(name, f"more values than the {sum(sizes):,} rows")


def _joined(parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    parts = [part for part in parts if len(part)] or parts[:1]
    return parts[0].concat(parts) if isinstance(parts[0], Ragged) else np.concatenate(parts)


def _wrong_length(name: str, found: str) -> ColumnError:
    return ColumnError(f"{name} has {found}; give one for each", column=name)
