"""How a dataset gets into worker processes when they do not inherit the memory of this process.

A forked worker has the pages of its parent. A spawned one is sent a copy of everything, each worker its own; here
the large arrays go into one anonymous file in memory instead, which every worker maps. However processes end, no file
remains.
"""

from __future__ import annotations

import io
import mmap
import os
import pickle
import tempfile
from multiprocessing import reduction
from multiprocessing.context import BaseContext, get_spawning_popen
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mrl.data.batch import RequestDataset

MIN_BYTES = 1 << 20  # of an array that goes into the file
ALIGNED = 64  # bytes


def share_with_workers(dataset: Dataset[Any], context: BaseContext) -> Dataset[Any]:
    """Return what to start processes with: the prepared dataset, shared if they would copy it."""
    if isinstance(dataset, RequestDataset):
        dataset.prepare()
    copied = context.get_start_method() != "fork" and hasattr(reduction, "DupFd")  # not on Windows
    return Shared(dataset) if copied else dataset


class Shared(Dataset[Any]):
    """Stands for a dataset until a process is started with it, and arrives there as that dataset.

    Its NumPy arrays of 1 MB and more are written once for all processes, into memory that they share. What a process
    changes in them stays its own, as in a forked one.

    Parameters
    ----------
    dataset : torch Dataset
        Any that can be pickled.
    """

    def __init__(self, dataset: Dataset[Any]) -> None:
        self.dataset = dataset
        self._file: IO[bytes] | None = None
        # Arrays are kept with their places, so that their addresses are not given to others.
        self._places: dict[tuple[Any, ...], tuple[int, NDArray[Any]]] = {}

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, i: Any) -> Any:
        return self.dataset[i]

    def __reduce__(self) -> tuple[Any, ...]:
        if get_spawning_popen() is None:  # it is pickled for something other than a new process
            return _identity, (self.dataset,)
        if self._file is None:
            self._file = _anonymous_file()
            self._file.write(bytes(ALIGNED))  # an empty file cannot be mapped
        rest = io.BytesIO()
        _Pickler(rest, self).dump(self.dataset)
        self._file.flush()
        return _restore, (reduction.DupFd(self._file.fileno()), rest.getvalue())

    def place(self, array: NDArray[Any]) -> int:
        """Return the position of `array` in the file, where it is written the first time."""
        key = array.ctypes.data, array.shape, array.strides, array.dtype
        if key not in self._places:
            assert self._file is not None
            place = self._file.tell()
            self._file.write(array.reshape(-1, order="A").view(np.uint8).data)
            self._file.write(bytes(-self._file.tell() % ALIGNED))
            self._places[key] = place, array
        return self._places[key][0]


class _Pickler(reduction.ForkingPickler):
    """Leaves large arrays out, and refers to their positions."""

    def __init__(self, out: IO[bytes], shared: Shared) -> None:
        super().__init__(out, pickle.HIGHEST_PROTOCOL)
        self.shared = shared

    def persistent_id(self, value: Any) -> tuple[Any, ...] | None:
        if type(value) is not np.ndarray or value.nbytes < MIN_BYTES or value.dtype.hasobject or not value.flags.forc:
            return None
        order = "C" if value.flags.c_contiguous else "F"
        return self.shared.place(value), value.shape, value.dtype, order, value.flags.writeable


class _Unpickler(pickle.Unpickler):
    """Maps them there."""

    def __init__(self, rest: IO[bytes], memory: mmap.mmap) -> None:
        super().__init__(rest)
        self.memory = memory

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        place, shape, dtype, order, writeable = pid
        array: NDArray[Any] = np.ndarray(shape, dtype, self.memory, place, order=order)
        array.flags.writeable = writeable
        return array


def _restore(file: Any, rest: bytes) -> Any:
    """Return the dataset, in the process that was started with it."""
    descriptor = file.detach()
    memory = mmap.mmap(descriptor, 0, access=mmap.ACCESS_COPY)
    os.close(descriptor)
    return _Unpickler(io.BytesIO(rest), memory).load()


def _identity(dataset: Any) -> Any:
    return dataset


def _anonymous_file() -> IO[bytes]:
    """Return a file without a name; in memory on Linux (not in /dev/shm, which containers keep small)."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("mrl"), "w+b")
    return tempfile.TemporaryFile()
