"""Worker processes: those of torch's DataLoader, and the datasets that they are started with."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from torch.utils.data._utils import MP_STATUS_CHECK_INTERVAL
from torch.utils.data._utils.signal_handling import _remove_worker_pids  # type: ignore[attr-defined]
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter, _SingleProcessDataLoaderIter

from mrl.data.batch import BatchRequest, Collate, RequestDataset
from mrl.data.loader.ending import context_without_finalization, run_postponing_signals
from mrl.data.loader.plan import EpochPlan
from mrl.data.loader.sharing import share_with_workers
from mrl.errors import DatasetError
from mrl.processes import process_context


class Workers:
    """Makes the batches of a plan in the processes of torch's DataLoader.

    Parameters
    ----------
    dataset : RequestDataset
        Where samples come from.
    collate : callable
        From samples to a batch.
    num_workers : int
        Processes; 0 only for `torch_loader`.
    torch_kwargs : dict
        Options of the DataLoader.
    """

    def __init__(
        self, dataset: RequestDataset, collate: Collate, num_workers: int, torch_kwargs: dict[str, Any]
    ) -> None:
        self.dataset = dataset
        self.collate = collate
        self.num_workers = num_workers
        self.torch_kwargs = torch_kwargs
        self._idle: DataLoader[Any] | None = None  # of persistent workers, while no iterator uses them

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_idle": None}

    def batches(self, plan: EpochPlan) -> Generator[Any]:
        """Yield the batches of `plan`."""
        # Persistent workers are lent to one iterator at a time; a second one gets its own.
        owner, self._idle = self._idle or self.torch_loader(plan), None
        owner.batch_sampler.plan = plan  # type: ignore[union-attr]
        batches: Any = iter(owner)
        persistent = bool(self.torch_kwargs.get("persistent_workers"))
        try:
            yield from batches
        except GeneratorExit:  # the loop was left, which is not a failure
            raise
        except BaseException as error:
            persistent = False
            if not isinstance(error, Exception):  # Ctrl-C: what the workers are doing is not waited for
                batches.kill()
            raise
        finally:
            if persistent and self._idle is None:
                self._idle = owner
            else:  # now: an iterator that is left to the garbage collector waits 5 s for its workers
                batches.end()

    def torch_loader(self, plan: EpochPlan) -> DataLoader[Any]:
        """Return a DataLoader over the batches of `plan`."""
        settings: dict[str, Any] = {
            "num_workers": self.num_workers,
            # torch draws the seeds of workers from its global generator unless it is given one.
            "generator": torch.Generator().manual_seed(plan.epoch),
        }
        settings |= self.torch_kwargs
        dataset: Dataset[Any] = self.dataset
        if self.num_workers:
            context = process_context(settings.get("multiprocessing_context"))
            settings["multiprocessing_context"] = context_without_finalization(context)
            dataset = share_with_workers(dataset, context)
        else:  # torch rejects these without workers, whose number may have been ours to decide
            for name in ("multiprocessing_context", "persistent_workers", "prefetch_factor", "timeout"):
                settings.pop(name, None)
        return _DataLoader(
            dataset,
            batch_sampler=_PlanSampler(plan),  # type: ignore[arg-type]  # requests, not lists of row numbers
            collate_fn=self.collate,
            **settings,
        )


class _PlanSampler:
    """A batch sampler whose plan changes with the epoch, as persistent workers need it."""

    def __init__(self, plan: EpochPlan) -> None:
        self.plan = plan

    def __len__(self) -> int:
        return len(self.plan)

    def __iter__(self) -> Iterator[BatchRequest]:
        return iter(self.plan)


class _DataLoader(DataLoader[Any]):
    def __iter__(self) -> Any:
        with torch.device("cpu"):  # torch draws a seed on its default device, by our generator on the CPU
            return super().__iter__()

    def _get_iterator(self) -> Any:
        return _WorkerIterator(self) if self.num_workers else _Iterator(self)


def ended_early(plan: EpochPlan, done: int) -> DatasetError:
    """Return the error for a StopIteration, which would end a loop over batches as if the epoch were complete."""
    return DatasetError(
        f"the batches of epoch {plan.epoch} ended after {done} of {len(plan)}: StopIteration was raised while a batch "
        "was made; look for next() in __getitem__ and in the collate function"
    )


class _CompleteIterator:
    """What both of torch's iterators get: they do not end before the epoch does."""

    _num_yielded: int
    _index_sampler: Any

    def __next__(self) -> Any:
        try:
            return super().__next__()  # type: ignore[misc]
        except StopIteration as error:
            sampler = self._index_sampler  # a framework may have put its own one there
            if isinstance(sampler, _PlanSampler) and self._num_yielded < len(sampler):
                raise ended_early(sampler.plan, self._num_yielded) from error
            raise


class _Iterator(_CompleteIterator, _SingleProcessDataLoaderIter):
    """Torch's iterator over batches that are made in this process."""


class _WorkerIterator(_CompleteIterator, _MultiProcessingDataLoaderIter):
    """Torch's iterator over the batches of workers, which may be left at any time."""

    _workers: Any = ()  # until torch has made some
    _index_queues: Any = ()
    _worker_pids_set = False
    _signals: list[object] | None = None

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._pid = os.getpid()
        super().__init__(loader)

    def end(self) -> None:
        """End the workers; that one of them dies now is not an error any more."""
        if self._signals is None and self._pid == os.getpid():  # forked workers have copies of this object
            signals = run_postponing_signals(self._end, self.kill)
            signals += run_postponing_signals(self._join_queue_threads, lambda: None)
            # The last attribute of this object, so that it dies last: then the signals that arrived are handled.
            self._signals = signals

    def __del__(self) -> None:
        self.end()

    def _end(self) -> None:
        try:
            self._shutdown_workers()
        except Exception:  # a worker died, or this object was never complete
            self.kill()

    def _join_queue_threads(self) -> None:
        # Torch closes these queues and leaves their threads. One that lets go of its semaphores while the process ends
        # is stopped between removing a semaphore and telling multiprocessing's tracker, which then reports a leak.
        for queue in self._index_queues:
            if queue._closed and queue._thread is not None:
                queue._thread.join(1)  # longer only where a killed worker left a full pipe

    def kill(self) -> None:
        """End the workers in the middle of what they are doing."""
        if self._worker_pids_set:
            self._worker_pids_set = False
            _remove_worker_pids(id(self))  # torch would report that they were killed
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.join(MP_STATUS_CHECK_INTERVAL)


class PlainDataset(RequestDataset):
    """Another library's dataset, which knows row numbers and no epochs."""

    def __init__(self, dataset: Dataset[Any]) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, i: Any) -> Any:
        return self.dataset[i]

    def __getitems__(self, request: BatchRequest) -> Any:
        many = getattr(self.dataset, "__getitems__", None)
        return many(request.rows) if many is not None else [self.dataset[row] for row in request.rows.tolist()]
