"""`Loader`: the batches of a data set in the order of an `Order`, resumable at any batch."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mrl.data.columns import Rows64
from mrl.data.device import get_device, to_device
from mrl.data.order import Order
from mrl.data.rows import EpochRows, collating
from mrl.data.sharing import for_workers, start_method
from mrl.errors import StateError

__all__ = ["Loader", "share"]

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


class Loader:
    """An iterable of batches; made by `BaseDataset.dataloader`.

    Each ``iter`` goes through one epoch; each one after the first begins the epoch that follows the one of the last
    batch given out. It is no ``torch.utils.data.DataLoader`` (frameworks take those apart), but owns one while it has
    workers.

    Parameters
    ----------
    dataset : torch Dataset with ``__getitems__``
        What gives the samples of some row numbers.
    order : Order, or callable
        The global batches of every epoch; or a function of the world size that gives them, for a loader that is made
        before ``torch.distributed`` runs.
    collate : callable
        Samples to a batch, on the CPU.
    num_workers : int
        Processes that make batches; 0 makes them here.
    rank, world_size : int, optional
        Which part of each global batch this process gets; what ``torch.distributed`` says, where it runs, when an epoch
        begins, if not given.
    device : torch.device or str, optional
        Where batches end up; torch's default device if not given.
    **torch_kwargs
        Passed on to the ``DataLoader`` that owns the workers (``prefetch_factor``, ``timeout``, ...).
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        order: Order | Callable[[int], Order],
        collate: Callable[[Any], Any],
        *,
        num_workers: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        device: torch.device | str | None = None,
        **torch_kwargs: Any,
    ) -> None:
        if num_workers < 0:
            raise ValueError(f"num_workers is {num_workers}; expected 0 or more, or -1 in dataset.dataloader")
        self.dataset = dataset
        self._order = order
        self._made_for: tuple[int, Order] | None = None  # the world size that the order was last made for
        self._given_ranks = rank, world_size
        self.collate = collate
        self.num_workers = operator.index(num_workers)
        self._device = None if device is None else torch.device(device)
        self._torch_kwargs = torch_kwargs
        self.epoch = 0
        self._position = 0
        self._begun = False
        self._resumed = False
        self._kept: DataLoader[Any] | None = None  # with persistent_workers: their owner, while it is not in use
        _ = self.order  # what cannot be is refused now

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None}

    @property
    def device(self) -> torch.device:
        """Where batches end up."""
        return get_device() if self._device is None else self._device

    @property
    def rank(self) -> int:
        """Which part of each global batch this process gets."""
        return _ranks(*self._given_ranks)[0]

    @property
    def world_size(self) -> int:
        """In how many parts a global batch is shared out."""
        return _ranks(*self._given_ranks)[1]

    @property
    def batch_size(self) -> int | None:
        """Rows per batch of this process; None where batches are of different sizes."""
        size = getattr(self.order, "batch_size", None)
        return None if size is None else size // self.world_size

    @property
    def order(self) -> Order:
        """The global batches of every epoch."""
        size = self.world_size
        if not callable(self._order):
            return self._order
        if self._made_for is None or self._made_for[0] != size:
            self._made_for = size, self._order(size)
        return self._made_for[1]

    def __len__(self) -> int:
        return len(self.order)

    def __repr__(self) -> str:
        size = "" if self.batch_size is None else f" of {self.batch_size} rows"
        return f"Loader({len(self)} batches{size}, {self.num_workers} workers, epoch {self.epoch})"

    def __iter__(self) -> Iterator[Any]:
        self.epoch, self._position = self._following()
        self._begun = True
        return self._batches(self.epoch, self._position)

    def _following(self) -> tuple[int, int]:
        """Epoch and batch that the next ``iter`` begins with; a place that was loaded stays until a batch is taken."""
        return (self.epoch + 1, 0) if self._begun and not self._resumed else (self.epoch, self._position)

    def _batches(self, epoch: int, start: int) -> Iterator[Any]:
        device, k = self.device, start
        moved = (to_device(batch, device) for batch in self._made(epoch, start))
        for batch in one_ahead(moved) if device.type == "cuda" else moved:
            k += 1
            self.epoch, self._position, self._resumed = epoch, k, False
            yield batch

    def _made(self, epoch: int, start: int) -> Iterator[Any]:
        """The batches from `start` on, on the CPU."""
        if self.num_workers:
            yield from self._by_workers(epoch, start)
        else:
            samples, collate = samples_of(self.dataset), collating(self.collate)
            for rows in _BatchSampler(self, epoch, start):
                yield collate(samples(rows))

    def _by_workers(self, epoch: int, start: int) -> Iterator[Any]:
        # Workers that stay are lent to one iterator at a time; a second one gets its own.
        owner, self._kept = self._kept or self._torch(epoch, start), None
        owner.batch_sampler.begin(self, epoch, start)  # type: ignore[union-attr]
        batches: Any = iter(owner)
        stay = bool(self._torch_kwargs.get("persistent_workers"))
        try:
            yield from batches
        except GeneratorExit:  # the loop was left, which is no failure
            raise
        except BaseException:
            stay = False
            raise
        finally:
            if stay and self._kept is None:
                self._kept = owner
            else:  # now: an iterator that is left to the garbage collector waits 5 s for its workers
                batches._shutdown_workers()

    def _torch(self, epoch: int, start: int) -> DataLoader[Any]:
        settings: dict[str, Any] = {
            "num_workers": self.num_workers,
            # torch draws the workers' seeds from its global generator unless it is given one.
            "generator": torch.Generator().manual_seed(epoch),
        }
        settings |= self._torch_kwargs
        dataset = self.dataset
        if self.num_workers:
            settings["multiprocessing_context"] = context = start_method(settings.get("multiprocessing_context"))
            dataset = for_workers(dataset, context)
        else:  # which torch refuses without workers, whose number may have been ours to decide
            for name in ("multiprocessing_context", "persistent_workers", "prefetch_factor", "timeout"):
                settings.pop(name, None)
        return _DataLoader(
            dataset,
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
        return self._torch(*self._following())

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
        if not isinstance(state, dict):
            raise StateError(f"the state is {state!r}; expected what state_dict gave", differs=("version",))
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
        order = self.order
        size = getattr(order, "batch_size", None)
        return {"global_batch_size": size, "rows": order.n, "digest": order.fingerprint()}


class _DataLoader(DataLoader[Any]):
    def __iter__(self) -> Any:
        with torch.device("cpu"):  # torch draws a seed on its default device, by our generator on the CPU
            return super().__iter__()


class _BatchSampler:
    """The row numbers of each batch, for torch's DataLoader as well."""

    def __init__(self, loader: Loader, epoch: int, start: int) -> None:
        self.begin(loader, epoch, start)

    def begin(self, loader: Loader, epoch: int, start: int) -> None:
        """Give the batches from `start` on of epoch `epoch` next."""
        # Not the loader itself: were it kept alive by its workers, they would not end with it.
        self.order, self.rank, self.world_size = loader.order, loader.rank, loader.world_size
        self.epoch, self.start = epoch, start

    def __len__(self) -> int:
        return len(self.order) - self.start

    def __iter__(self) -> Iterator[Rows64]:
        order, rank, world_size, epoch = self.order, self.rank, self.world_size, self.epoch
        for k in range(self.start, len(order)):
            yield EpochRows.of(share(np.asarray(order.batch(epoch, k)), rank, world_size), epoch)


def samples_of(dataset: Dataset[Any]) -> Callable[[Rows64], Any]:
    """How to get the samples of some rows of any data set."""
    many = getattr(dataset, "__getitems__", None)
    if many is not None:
        return many  # type: ignore[no-any-return]
    return lambda rows: [dataset[int(row)] for row in rows]


def one_ahead(batches: Iterator[Any]) -> Iterator[Any]:
    """Ask for a batch before the one before it is given out: it is on its way while that one is used."""
    for batch in batches:
        for following in batches:
            yield batch
            batch = following
        yield batch


def _ranks(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """What was given, else what ``torch.distributed`` says where it runs, else one process."""
    running = torch.distributed.is_available() and torch.distributed.is_initialized()
    if world_size is None:
        world_size = torch.distributed.get_world_size() if running else 1
    if rank is None:
        if not running and world_size > 1:
            raise ValueError(
                f"world_size is {world_size}, no rank was given, and torch.distributed does not run; give rank too"
            )
        rank = torch.distributed.get_rank() if running else 0
    if not 0 <= rank < world_size:
        raise ValueError(f"rank is {rank} and world_size {world_size}; expected 0 <= rank < world_size")
    return operator.index(rank), operator.index(world_size)
