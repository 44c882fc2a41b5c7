"""A shard: columns of rows in one file, which is written once, sealed by a digest, and read where it lies.

The file is an uncompressed Arrow IPC file with one record batch, so that pyarrow, polars and pandas read it, too. The
metadata of its schema is a sealed document (see `mrl.files`), which holds the digest of the whole file.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.errors import CorruptShard
from mrl.files import AnyPath, atomic, open_regular, seal, unseal
from mrl.ragged import Ragged, Text

__all__ = ["Shard", "write_shard"]

FORMAT, VERSION = "mrl-shard", 1
METADATA = b"mrl"
UNKNOWN = "0" * 64  # in the place of the file's digest while it is computed

Values = Text | Ragged | NDArray[Any]


def write_shard(
    path: AnyPath, columns: Mapping[str, Values], about: Mapping[str, Any] | None = None, *, sync: bool = True
) -> str:
    """Write columns of equal length as a shard, completely or not at all.

    Parameters
    ----------
    path : str or path
        The file; missing folders are created. By convention it ends in ``.arrow``.
    columns : mapping of str to Text, Ragged or ndarray
        n rows each. Arrays are numbers, (n,) or (n, T), or n bytes of a fixed length.
    about : mapping of str to JSON values, optional
        What the shard says of itself.
    sync : bool
        As in `mrl.files.atomic`.

    Returns
    -------
    str
        Its digest, as `Shard.digest`.

    Raises
    ------
    ValueError
        The columns differ in length, or an array has another dtype or shape.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "shard.arrow"
    >>> digest = write_shard(path, {"smiles": Text.of(["CCO", "C"]), "y": np.array([0.5, 1.5])}, {"source": "a.csv"})
    >>> shard = Shard(path)
    >>> shard["smiles"], shard["y"], shard.about
    (Text(2 rows, 4 bytes: 'CCO', 'C'), array([0.5, 1.5]), {'source': 'a.csv'})
    """
    arrays = {name: _to_arrow(name, values) for name, values in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns have different lengths: {lengths}; give each one value per row")
    document = {
        "format": FORMAT,
        "version": VERSION,
        "rows": max(lengths.values(), default=0),
        "about": dict(about or {}),
        "file": UNKNOWN,
    }
    schema = pa.schema([(name, array.type) for name, array in arrays.items()], {METADATA: seal(document)})
    batch = pa.record_batch(list(arrays.values()), schema=schema)
    with atomic(path, sync=sync) as temporary:
        with pa.OSFile(str(temporary), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            writer.write_batch(batch)
        with open(temporary, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            digest = hashlib.sha256(memory).hexdigest()
            sealed = seal({**document, "file": digest})
            for place in _places(memory, seal(document)):
                memory[place : place + len(sealed)] = sealed
    return digest


class Shard(Mapping[str, Values]):
    """An open shard: its columns by name, in the memory of the mapped file.

    Parameters
    ----------
    path : str or path
        The file.
    verify : bool
        Compute the digest of the file, so that damage anywhere is found. Sizes, types and offsets are always checked,
        so that a damaged file can have other values, but cannot lead outside of its memory.

    Attributes
    ----------
    path : Path
        The file.
    about : dict
        What it says of itself.
    rows : int
        The number of rows.
    digest : str
        The SHA-256 of the file before it was entered into the file itself.

    Raises
    ------
    CorruptShard
        It is damaged, or a file of another program or version; a ``ValueError``.
    OSError
        It cannot be read.

    Examples
    --------
    See `write_shard`.

    >>> Shard("no such file")
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no such file'
    """

    def __init__(self, path: AnyPath, *, verify: bool = True) -> None:
        self.path = Path(path)
        mapped = map_shard(self.path, verify=verify)
        try:
            self._columns = {name: from_arrow(array) for name, array in mapped.arrays.items()}
        except ValueError as error:
            raise corrupt(self.path, f"its columns are invalid ({error})") from None
        self.rows, self.digest, self.about = mapped.rows, mapped.digest, mapped.about

    def __getitem__(self, name: str) -> Values:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Shard({self.rows:,} rows: {', '.join(self)})"


class MappedShard(NamedTuple):
    """The columns of a shard as they lie in memory of the mapped file; their offsets are not checked."""

    arrays: dict[str, pa.Array]
    rows: int
    digest: str
    about: dict[str, Any]


def map_shard(path: Path, *, verify: bool) -> MappedShard:
    """Map a shard into memory and check what it says of itself, with `verify` also its digest; see `Shard`."""
    with open_regular(path) as opened:
        if not opened.read(1):
            raise corrupt(path, "it is empty")
    # In memory of Arrow, which keeps no file open: there may be more shards than files that a process may open.
    with pa.memory_map(str(path)) as file:
        memory = file.read_buffer()
    try:
        reader = pa.ipc.open_file(memory)
        if reader.num_record_batches != 1:
            raise ValueError(f"{reader.num_record_batches} record batches, expected 1")
        batch = reader.get_batch(0)
        batch.validate()
        arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
        sealed = (batch.schema.metadata or {})[METADATA]
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise corrupt(path, f"it is not an Arrow file that mrl wrote ({error!r})") from None
    document = unseal(sealed, path, format=FORMAT, version=VERSION, error=CorruptShard)
    if (batch.num_rows, batch.num_columns) != (document.get("rows"), len(arrays)):
        raise corrupt(path, f"it has {batch.num_rows} rows, expected {document.get('rows')}")
    digest = str(document.get("file"))
    if verify and _computed_digest(path, sealed, seal({**document, "file": UNKNOWN})) != digest:
        raise corrupt(path, "it does not match its digest, so it was damaged or edited after it was written")
    return MappedShard(arrays, batch.num_rows, digest, dict(document.get("about", {})))


def corrupt(path: Path, reason: str) -> CorruptShard:
    """Return the error for a shard that is damaged."""
    return CorruptShard(f"{path} is not a valid {FORMAT} file: {reason}", path=str(path))


def _computed_digest(path: Path, sealed: bytes, unknown: bytes) -> str:
    """Return the SHA-256 of a file as it was before its digest was known."""
    sha, start = hashlib.sha256(), 0
    with (
        open_regular(path) as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as memory,
        memoryview(memory) as view,
    ):
        for place in _places(memory, sealed):
            with view[start:place] as part:
                sha.update(part)
            sha.update(unknown)
            start = place + len(sealed)
        with view[start:] as part:
            sha.update(part)
    return sha.hexdigest()


def _to_arrow(name: str, values: Values) -> pa.Array:
    if isinstance(values, Ragged):
        return values.to_arrow()
    if values.dtype.kind == "S" and values.ndim == 1:
        width = values.dtype.itemsize
        buffers = [None, pa.py_buffer(np.ascontiguousarray(values).view(np.uint8))]
        return pa.Array.from_buffers(pa.binary(width), len(values), buffers)
    if values.dtype.kind not in "biuf" or values.ndim not in (1, 2):
        raise ValueError(
            f"column {name!r} is {values.ndim}-D {values.dtype}; expected Text, Ragged, or numbers (n,) or (n, T)"
        )
    flat = pa.array(np.ascontiguousarray(values, values.dtype.newbyteorder("=")).reshape(-1))
    if values.ndim == 1:
        return flat
    # Not FixedSizeListArray.from_arrays, which divides by the size of the lists.
    return pa.Array.from_buffers(pa.list_(flat.type, values.shape[1]), len(values), [None], children=[flat])


def from_arrow(array: pa.Array) -> Values:
    """Return a column of a shard; ValueError if it has nulls, another type, or damaged offsets."""
    kind = array.type
    if array.null_count:
        raise ValueError(f"{array.null_count} nulls")
    if kind == pa.large_string():
        return Text.from_arrow(array)
    if pa.types.is_large_list(kind):
        return Ragged.from_arrow(array)
    if pa.types.is_fixed_size_binary(kind):
        dtype = np.dtype(f"S{kind.byte_width}")
        return np.frombuffer(array.buffers()[1], dtype, len(array)) if len(array) else np.zeros(0, dtype)
    if pa.types.is_fixed_size_list(kind):
        numbers = from_arrow(array.values)
        if isinstance(numbers, np.ndarray):
            return numbers[: len(array) * kind.list_size].reshape(len(array), kind.list_size)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    raise ValueError(f"a column of type {kind}")


def _places(memory: mmap.mmap, sealed: bytes) -> list[int]:
    """Where the document stands: in the schema in front of the columns, and in the footer after them."""
    return sorted({memory.find(sealed), memory.rfind(sealed)} - {-1})
