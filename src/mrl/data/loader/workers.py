"""Worker processes: those of torch's DataLoader, and the datasets that they are started with."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from mrl.data.batch import BatchRequest, RequestDataset
from mrl.data.loader.sharing import share_with_workers
from mrl.processes import process_context


class Plan(Protocol):
    """The batches of an epoch, as requests."""

    @property
    def epoch(self) -> int:
        """The epoch."""

    def __len__(self) -> int:
        """Return the number of batches."""

    def __iter__(self) -> Iterator[BatchRequest]:
        """Yield them."""


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
        self, dataset: RequestDataset, collate: Callable[[Any], Any], num_workers: int, torch_kwargs: dict[str, Any]
    ) -> None:
        self.dataset = dataset
        self.collate = collate
        self.num_workers = num_workers
        self.torch_kwargs = torch_kwargs
        self._idle: DataLoader[Any] | None = None  # of persistent workers, while no iterator uses them

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_idle": None}

    def batches(self, plan: Plan) -> Generator[Any]:
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
        except BaseException:
            persistent = False
            raise
        finally:
            if persistent and self._idle is None:
                self._idle = owner
            else:  # now: an iterator that is left to the garbage collector waits 5 s for its workers
                batches._shutdown_workers()

    def torch_loader(self, plan: Plan) -> DataLoader[Any]:
        """Return a DataLoader over the batches of `plan`."""
        settings: dict[str, Any] = {
            "num_workers": self.num_workers,
            # torch draws the seeds of workers from its global generator unless it is given one.
            "generator": torch.Generator().manual_seed(plan.epoch),
        }
        settings |= self.torch_kwargs
        dataset: Dataset[Any] = self.dataset
        if self.num_workers:
            settings["multiprocessing_context"] = context = process_context(settings.get("multiprocessing_context"))
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

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __len__(self) -> int:
        return len(self.plan)

    def __iter__(self) -> Iterator[BatchRequest]:
        return iter(self.plan)


class _DataLoader(DataLoader[Any]):
    def __iter__(self) -> Any:
        with torch.device("cpu"):  # torch draws a seed on its default device, by our generator on the CPU
            return super().__iter__()


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
