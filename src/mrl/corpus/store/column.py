"""StoredColumn: a column of a corpus, read from the mapped files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.corpus.store.shard import Values, corrupt, from_arrow
from mrl.corpus.store.shards import StoredShards
from mrl.errors import CorpusError
from mrl.kernels import copy_slices, locate
from mrl.ragged import Ragged, Text, row_numbers

Int64s: TypeAlias = NDArray[np.int64]

_START, _END = 64, 1 << 48  # of the addresses that a process may have


def kind_of(values: Values) -> str:
    """Return the type of a column as a manifest has it.

    Parameters
    ----------
    values : Text, Ragged or ndarray
        The column, or some rows of it.

    Returns
    -------
    str
        ``"text"``, ``"ragged uint8"``, ``"float64"``, ``"float64 (12,)"`` for 12 numbers in each row, or ``"S16"``.

    Examples
    --------
    >>> kind_of(Text.of(["C"])), kind_of(np.zeros((3, 2), np.float32))
    ('text', 'float32 (2,)')
    """
    if isinstance(values, Text):
        return "text"
    if isinstance(values, Ragged):
        return f"ragged {values.values.dtype}"
    name = values.dtype.str[1:] if values.dtype.kind == "S" else str(values.dtype)
    return name if values.ndim == 1 else f"{name} ({values.shape[1]},)"


class StoredColumn:
    """A column of a corpus: rows are read from the mapped files when they are taken, and no row costs memory.

    Datasets take it as it is. NumPy, pandas and polars take it through ``numpy.asarray``, which reads all of it.

    Parameters
    ----------
    shards : StoredShards
        The files.
    name : str
        The name of the column.

    Attributes
    ----------
    name : str
        The name of the column.
    kind : str
        Its type, such as ``"text"``, ``"float64"``.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.corpus import Table, open_corpus, save_corpus
    >>> folder = tempfile.mkdtemp()
    >>> save_corpus(Table({"smiles": Text.of(["CCO", "C", "N"]), "y": np.array([0.5, 1.5, 2.5])}), folder)
    >>> corpus = open_corpus(folder)
    >>> column = corpus["smiles"]
    >>> column, len(column), column[0], column[-2:]
    (StoredColumn(smiles: 3 rows of text), 3, 'CCO', Text(2 rows, 2 bytes: 'C', 'N'))
    >>> column.take([2, 0]).tolist(), corpus["y"].take([2, 0])
    (['N', 'CCO'], array([2.5, 0.5]))
    >>> corpus["y"].dtype, corpus["y"].shape, [part.tolist() for part in corpus["y"].parts()]
    (dtype('float64'), (3,), [[0.5, 1.5, 2.5]])
    >>> column.arrow_type, column.arrow_part(0).to_pylist(), column.digest == corpus["y"].digest
    (DataType(large_string), ['CCO', 'C', 'N'], False)
    """

    def __init__(self, shards: StoredShards, name: str) -> None:
        self.name = name
        self.kind = shards.manifest.columns[name]
        self._shards = shards
        self._places = _Places(shards, name, self.kind)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of its values; that of bytes for text."""
        return self._places.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """(n,), or (n, T) for T numbers in each row."""
        return (len(self), *self._places.width)

    def __len__(self) -> int:
        return int(self._shards.starts[-1])

    def take(self, rows: Any) -> Any:
        """Return some rows, in memory of their own.

        Parameters
        ----------
        rows : array of int, or mask
            Which rows, in any order, repeats allowed.

        Returns
        -------
        Text, Ragged or ndarray
            (k,), or (k, T).

        Raises
        ------
        IndexError
            They are not rows of this column.
        CorpusError
            A file is damaged, or has changed since the corpus was opened.

        Examples
        --------
        See the class.
        """
        self._shards.require_unchanged()
        return self._places.take(row_numbers(rows, len(self)))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            first, stop, step = index.indices(len(self))
            if step == 1 and first < stop:
                return self._span(first, stop)
            return self.take(np.arange(first, stop, step))
        if np.ndim(index):
            return self.take(index)
        return self.take(np.array([range(len(self))[index]]))[0]

    def _span(self, first: int, stop: int) -> Any:
        """Return rows that follow each other, in the memory of the file where they lie in one."""
        self._shards.require_unchanged()
        starts = self._shards.starts
        k = int(np.searchsorted(starts, first, side="right")) - 1
        if stop > starts[k + 1]:
            return self.take(np.arange(first, stop))
        return self._part(k)[first - int(starts[k]) : stop - int(starts[k])]

    def _part(self, k: int) -> Any:
        try:
            return from_arrow(self._shards.array(k, self.name))
        except ValueError as error:
            raise corrupt(self._shards.folder, f"column {self.name!r} of shard {k} is invalid ({error})") from None

    def parts(self) -> Iterator[Any]:
        """Yield the rows in their order, those of a shard at once, in the memory of the file.

        Yields
        ------
        Text, Ragged or ndarray
        """
        for k in range(len(self._shards.manifest.shards)):
            self._shards.require_unchanged()
            yield self._part(k)

    def __iter__(self) -> Iterator[Any]:
        for part in self.parts():
            yield from part

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = [np.array(part.tolist(), object) if isinstance(part, Ragged) else part for part in self.parts()]
        if not values:
            return np.zeros(self.shape, dtype or self.dtype)
        return np.concatenate(values).astype(dtype or values[0].dtype, copy=False)

    @property
    def arrow_type(self) -> Any:
        """The type that Arrow has for it."""
        if self.kind == "text":
            return pa.large_string()
        number = pa.binary(self.dtype.itemsize) if self.dtype.kind == "S" else pa.from_numpy_dtype(self.dtype)
        if self.kind.startswith("ragged"):
            return pa.large_list(number)
        return pa.list_(number, self.shape[1]) if len(self.shape) == 2 else number

    def arrow_part(self, k: int) -> Any:
        """Return the rows of shard `k` as an Arrow array, in the memory of the file."""
        self._shards.require_unchanged()
        array = self._shards.array(k, self.name)
        array.validate(full=True)
        return array

    def to_arrow(self) -> Any:
        """Return the column for Arrow, in the memory of the files.

        Returns
        -------
        pyarrow.ChunkedArray
            One chunk for each shard.

        Examples
        --------
        >>> import tempfile
        >>> from mrl.corpus import Table, open_corpus, save_corpus
        >>> folder = tempfile.mkdtemp()
        >>> save_corpus(Table({"smiles": Text.of(["CCO"])}), folder)
        >>> open_corpus(folder).smiles.to_arrow().to_pylist()
        ['CCO']
        """
        parts = [self.arrow_part(k) for k in range(len(self._shards.manifest.shards))]
        return pa.chunked_array(parts, self.arrow_type)

    @property
    def digest(self) -> str:
        """A hash of the name, the type and the digests of the files that hold the column."""
        files = (file for entry in self._shards.manifest.shards for file in entry.files if self.name in file.columns)
        text = "\n".join([self.name, self.kind, *(file.digest for file in files)])
        return hashlib.sha256(text.encode()).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredColumn, (self._shards, self.name)

    def __repr__(self) -> str:
        return f"StoredColumn({self.name}: {len(self):,} rows of {self.kind})"


class _Places:
    """Where a column lies in the memory of this process, shard by shard, and how rows are copied from there."""

    def __init__(self, shards: StoredShards, name: str, kind: str) -> None:
        self._shards, self._name = shards, name
        self._is_text = kind == "text"
        self._is_ragged = self._is_text or kind.startswith("ragged ")
        matched = re.fullmatch(r"(?:ragged )?(\w+)(?: \((\d+),\))?", "uint8" if self._is_text else kind)
        if matched is None:
            raise CorpusError(f"column {name!r} has an unknown type, {kind!r}: update mrl", path=str(shards.folder))
        self.dtype = np.dtype(matched[1])
        self.width = () if matched[2] is None else (int(matched[2]),)
        n = len(shards.manifest.shards)
        self._is_open = np.zeros(n, bool)
        self._all_open = False
        self._offsets_at, self._values_at, self._sizes = (np.zeros(n, np.int64) for _ in range(3))
        self._kept: list[Any] = []  # the memory that the addresses lead to

    def take(self, rows: Int64s) -> Any:
        starts = self._shards.starts
        if not self._all_open:
            self._open(np.unique(np.searchsorted(starts, rows, side="right") - 1))
        if self._is_ragged:
            try:
                at, offsets = locate(rows, starts, self._offsets_at, self._values_at, self._sizes, _memory(np.int64))
            except ValueError as error:
                raise corrupt(self._shards.folder, f"column {self._name!r}, row {error}") from None
            values = copy_slices(_memory(self.dtype), at, offsets)
            return (Text if self._is_text else Ragged)._trusted(values, offsets)
        shard = np.searchsorted(starts, rows, side="right") - 1
        width = self.width[0] if self.width else 1
        at = self._values_at[shard] + (rows - starts[shard]) * width
        if not self.width:
            return _memory(self.dtype)[at]
        return copy_slices(_memory(self.dtype), at, np.arange(len(rows) + 1) * width).reshape(len(rows), width)

    def _open(self, needed: Int64s) -> None:
        with self._shards.lock:
            for k in needed[~self._is_open[needed]].tolist():
                self._add(k, self._shards.array(k, self._name))
                self._is_open[k] = True
            self._all_open = bool(self._is_open.all())

    def _add(self, k: int, array: pa.Array) -> None:
        rows = self._shards.manifest.shards[k].rows
        if array.null_count or array.offset:
            raise corrupt(self._shards.folder, f"column {self._name!r} of shard {k} has nulls or an offset")
        if self._is_ragged:
            expected = pa.large_string() if self._is_text else pa.large_list(pa.from_numpy_dtype(self.dtype))
            values = array.values if not self._is_text and array.type == expected else array
            is_fine = array.type == expected and not values.null_count and not values.offset
            offsets, data = (array.buffers()[1], values.buffers()[-1]) if is_fine else (None, None)
            is_fine = is_fine and (not rows or (offsets is not None and offsets.size >= 8 * (rows + 1)))
            size = 0 if data is None or not is_fine else data.size // self.dtype.itemsize
            self._offsets_at[k] = 0 if offsets is None else _index(offsets.address, 8)
            self._sizes[k] = size
            self._values_at[k] = 0 if data is None else _index(data.address, self.dtype.itemsize)
            self._kept.append(array)
        else:
            values = from_arrow(array)
            is_fine = isinstance(values, np.ndarray) and (values.dtype, values.shape) == (
                self.dtype,
                (rows, *self.width),
            )
            if is_fine:
                values = np.ascontiguousarray(values)
                self._values_at[k] = _index(values.ctypes.data, self.dtype.itemsize)
            self._kept.append(values)
        if not is_fine:
            raise corrupt(self._shards.folder, f"column {self._name!r} of shard {k} is {array.type}, not as listed")


def _index(address: int, size: int) -> int:
    """Return the index of an address in `_memory` of values of some size."""
    place, rest = divmod(address - _START, size)
    if rest:
        raise ValueError(f"the address of values of {size} bytes is {address}")
    return place


_WINDOWS: dict[Any, NDArray[Any]] = {}


def _memory(dtype: Any) -> NDArray[Any]:
    """Return all addresses of the process as one array, which never changes and costs nothing.

    Only places that are known to be mapped may be read. With it, rows of any number of files are gathered by one loop
    over one array.
    """
    dtype = np.dtype(dtype)
    if dtype not in _WINDOWS:
        shape = ((_END - _START) // dtype.itemsize,)
        interface = {"data": (_START, True), "shape": shape, "typestr": dtype.str, "version": 3}
        _WINDOWS[dtype] = np.asarray(SimpleNamespace(__array_interface__=interface))
    return _WINDOWS[dtype]
