"""`Loader`: the batches of a data set in the order of an `Order`, resumable at any batch."""

from __future__ import annotations

import multiprocessing
import operator
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from mrl.data.columns import Rows64
from mrl.data.device import get_device, to_device
from mrl.data.order import Order
from mrl.data.rows import EpochRows, collating
from mrl.errors import StateError

__all__ = ["Loader", "available_cpus", "share"]

VERSION = 1


def share(rows: Rows64, rank: int, world_size: int) -> Rows64:
    """Give what rank `rank` gets of a global batch: contiguous parts, as equal as can be.

    No rank is left without a row: a batch of fewer rows than ranks repeats some.

    Examples
    --------
    >>> import numpy as np
    >>> [share(np.arange(5), rank, 2).tolist() for rank in range(2)]
    [[0, 1], [2, 3, 4]]
    >>> [share(np.array([7]), rank, 2).tolist() for rank in range(2)]
    [[7], [7]]
    """
    n = len(rows)
    if world_size == 1:
        return rows
    if n < world_size:
        return rows[[rank % n]]
    return rows[rank * n // world_size : (rank + 1) * n // world_size]


def available_cpus() -> int:
    """Number of CPUs this process may use; the environment variable ``ncpus`` is an upper bound."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("ncpus", "").strip()  # noqa: SIM112  the notebook's name
    if limit and not limit.isdecimal():
        raise ValueError(f"the environment variable ncpus is {limit!r}; expected a number of processes, or nothing")
    return min(cpus, int(limit)) if limit else cpus


class Loader:
    """An iterable of batches; made by `BaseDataset.dataloader`.

    Each ``iter`` goes through one epoch; each one after the first begins the epoch that follows the one of the last
    batch given out. It is no ``torch.utils.data.DataLoader`` (frameworks take those apart), but owns one while it has
    workers.

    Parameters
    ----------
    dataset : torch Dataset with ``__getitems__``
        What gives the samples of some row numbers.
    order : Order
        The global batches of every epoch.
    collate : callable
        Samples to a batch, on the CPU.
    batch_size : int, optional
        Rows per batch of this process; None where batches are of different sizes.
    num_workers : int
        Processes that make batches; 0 makes them here.
    rank, world_size : int
        Which part of each global batch this process gets.
    device : torch.device or str, optional
        Where batches end up; torch's default device if not given.
    **torch_kwargs
        Passed on to the ``DataLoader`` that owns the workers (``prefetch_factor``, ``timeout``, ...).
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        order: Order,
        collate: Callable[[Any], Any],
        *,
        batch_size: int | None = None,
        num_workers: int = 0,
        rank: int = 0,
        world_size: int = 1,
        device: torch.device | str | None = None,
        **torch_kwargs: Any,
    ) -> None:
        if not 0 <= rank < world_size:
            raise ValueError(f"rank is {rank} and world_size {world_size}; expected 0 <= rank < world_size")
        if num_workers < 0:
            raise ValueError(f"num_workers is {num_workers}; expected 0 or more, or -1 in dataset.dataloader")
        self.dataset = dataset
        self.order = order
        self.collate = collate
        self.batch_size = None if batch_size is None else operator.index(batch_size)
        self.num_workers = operator.index(num_workers)
        self.rank = operator.index(rank)
        self.world_size = operator.index(world_size)
        self._device = None if device is None else torch.device(device)
        self._torch_kwargs = torch_kwargs
        self.epoch = 0
        self._position = 0
        self._begun = False
        self._resumed = False
        self._kept: DataLoader[Any] | None = None  # with persistent_workers, the one that owns them

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}

    @property
    def device(self) -> torch.device:
        """Where batches end up."""
        return get_device() if self._device is None else self._device

    def __len__(self) -> int:
        return len(self.order)

    def __repr__(self) -> str:
        size = "" if self.batch_size is None else f" of {self.batch_size} rows"
        return f"Loader({len(self)} batches{size}, {self.num_workers} workers, epoch {self.epoch})"

    def __iter__(self) -> Iterator[Any]:
        if self._begun:
            self._go(self.epoch + 1, 0)
        self._begun, self._resumed = True, False
        return self._batches(self.epoch, self._position)

    def _batches(self, epoch: int, start: int) -> Iterator[Any]:
        device = self.device
        ahead = device.type == "cuda"
        waiting: list[Any] = []
        k = start
        for batch in self._made(epoch, start):
            waiting.append(to_device(batch, device))
            if ahead and len(waiting) == 1:
                continue
            k += 1
            self.epoch, self._position = epoch, k
            yield waiting.pop(0)
        for batch in waiting:
            k += 1
            self.epoch, self._position = epoch, k
            yield batch

    def _rows(self, epoch: int, start: int) -> Iterator[Rows64]:
        for k in range(start, len(self.order)):
            yield EpochRows.of(share(self.order.batch(epoch, k), self.rank, self.world_size), epoch)

    def _made(self, epoch: int, start: int) -> Iterator[Any]:
        """The batches from `start` on, on the CPU."""
        if self.num_workers:
            batches: Any = iter(self._owner(epoch, start))
            try:
                yield from batches
            finally:  # now: an iterator that is left to the garbage collector waits 5 s for its workers
                if self._kept is None:
                    batches._shutdown_workers()
        else:
            samples, collate = samples_of(self.dataset), collating(self.collate)
            for rows in self._rows(epoch, start):
                yield collate(samples(rows))

    def _owner(self, epoch: int, start: int) -> DataLoader[Any]:
        """The owner of the workers: a new one for each epoch, unless they are to stay."""
        if not self._torch_kwargs.get("persistent_workers"):
            return self._torch(epoch, start)
        if self._kept is None:
            self._kept = self._torch(epoch, start)
        self._kept.batch_sampler.begin(epoch, start)  # type: ignore[union-attr]
        return self._kept

    def _torch(self, epoch: int, start: int) -> DataLoader[Any]:
        settings: dict[str, Any] = {
            "num_workers": self.num_workers,
            # torch draws the workers' seeds from its global generator unless it is given one.
            "generator": torch.Generator().manual_seed(epoch),
        }
        settings |= self._torch_kwargs
        if self.num_workers:
            prepare(self.dataset)
            settings.setdefault("multiprocessing_context", start_method())
        else:  # which torch refuses without workers, whose number may have been ours to decide
            for name in ("multiprocessing_context", "persistent_workers", "prefetch_factor", "timeout"):
                settings.pop(name, None)
        return _DataLoader(
            self.dataset,
            batch_sampler=_BatchSampler(self, epoch, start),  # type: ignore[arg-type]  # row numbers as an array
            collate_fn=collating(self.collate),
            **settings,
        )

    def as_torch(self) -> DataLoader[Any]:
        """Give a plain ``DataLoader`` over the epoch that comes next: same batches, on the CPU, no resuming.

        Returns
        -------
        torch.utils.data.DataLoader
        """
        return self._torch(self.epoch + 1 if self._begun else self.epoch, 0 if self._begun else self._position)

    def set_epoch(self, epoch: int) -> None:
        """Make the next ``iter`` begin epoch `epoch`, at its first batch.

        A loader that has just loaded a state keeps its place where `epoch` is the one that it is in, so that a loop may
        name its epochs and be resumed in the middle of one.
        """
        epoch = operator.index(epoch)
        if epoch < 0:
            raise ValueError(f"epoch is {epoch}; expected 0 or more")
        if not (self._resumed and epoch == self.epoch):
            self._go(epoch, 0)

    def _go(self, epoch: int, position: int) -> None:
        self.epoch, self._position, self._begun, self._resumed = epoch, position, False, False

    def state_dict(self) -> dict[str, Any]:
        """Say where this loader is, in under 1 kB of JSON values; save it with the model.

        Returns
        -------
        dict
            ``version``, ``epoch``, ``batches`` (given out in this epoch), ``global_batch_size``, ``rows``, ``digest``.
        """
        return {"version": VERSION, "epoch": self.epoch, "batches": self._position, **self._identity()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Make the next ``iter`` go on behind the last batch that was given out before `state` was saved.

        At the end of an epoch that is the first batch of the next one; ``loader.epoch`` says which epoch it is. The
        number of workers, the device and the number of ranks may be others; the global batch may not.

        Raises
        ------
        StateError
            (A ValueError.) If the rows, the global batch size or the order are not those of the state.
        """
        if state.get("version") != VERSION:
            raise StateError(
                f"the state has version {state.get('version')!r}, this mrl reads {VERSION}", differs=("version",)
            )
        self._require_same(state)
        epoch, position = state.get("epoch"), state.get("batches")
        if not (isinstance(epoch, int) and isinstance(position, int) and epoch >= 0 and 0 <= position <= len(self)):
            raise StateError(f"the state is at batch {position!r} of epoch {epoch!r}, of {len(self)} batches an epoch")
        if position == len(self) > 0:
            epoch, position = epoch + 1, 0
        self._go(epoch, position)
        self._resumed = True

    def _require_same(self, state: dict[str, Any]) -> None:
        """StateError names what is not as it was, and which `bs` would make it so."""
        mine = self._identity()
        differs = tuple(name for name in mine if state.get(name) != mine[name])
        if not differs:
            return
        facts = [name for name in differs if name != "digest"]
        said = [f"{name} is {mine[name]!r} here and {state.get(name)!r} in the state" for name in facts]
        hint = ""
        total = state.get("global_batch_size")
        if not facts:
            said = ["the order is another one (its kind, seed, drop_last, max_tokens or the lengths of the rows)"]
        elif "global_batch_size" in differs and isinstance(total, int):
            bs, rest = divmod(total, self.world_size)
            ranks = f"{self.world_size} rank{'s' if self.world_size > 1 else ''}"
            hint = f"; no bs makes that with {ranks}" if rest else f"; with {ranks} make the loader with bs={bs}"
        raise StateError(f"the state belongs to another loader: {'; '.join(said)}{hint}", differs=differs)

    def _identity(self) -> dict[str, Any]:
        size = None if self.batch_size is None else self.batch_size * self.world_size
        return {"global_batch_size": size, "rows": self.order.n, "digest": self.order.key()}


class _DataLoader(DataLoader[Any]):
    def __iter__(self) -> Any:
        with torch.device("cpu"):  # torch draws a seed on its default device, by our generator on the CPU
            return super().__iter__()


class _BatchSampler:
    """The row numbers of each batch, for torch's DataLoader."""

    def __init__(self, loader: Loader, epoch: int, start: int) -> None:
        self.loader = loader
        self.begin(epoch, start)

    def begin(self, epoch: int, start: int) -> None:
        """Give the batches from `start` on of epoch `epoch` next."""
        self.epoch, self.start = epoch, start

    def __len__(self) -> int:
        return len(self.loader.order) - self.start

    def __iter__(self) -> Iterator[Rows64]:
        return self.loader._rows(self.epoch, self.start)


def samples_of(dataset: Dataset[Any]) -> Callable[[Rows64], Any]:
    """How to get the samples of some rows of any data set."""
    many = getattr(dataset, "__getitems__", None)
    if many is not None:
        return many  # type: ignore[no-any-return]
    return lambda rows: [dataset[int(row)] for row in rows]


def prepare(dataset: Any) -> None:
    """Let a data set do what is done once, before it is copied into workers."""
    if hasattr(dataset, "prepare"):
        dataset.prepare()


def start_method() -> multiprocessing.context.BaseContext:
    """fork on Linux while CUDA is untouched (it cannot be used in a forked process), else forkserver or spawn."""
    methods = multiprocessing.get_all_start_methods()
    if sys.platform == "linux" and not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
