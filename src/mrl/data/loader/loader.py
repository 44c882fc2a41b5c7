"""`Loader`: the configuration of batches; `BatchIterator`: a place among them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from mrl.data.batch import Collate, RequestDataset, with_list_of_samples
from mrl.data.device import get_device, to_device
from mrl.data.loader.plan import EpochPlan
from mrl.data.loader.ranks import rank_and_world_size
from mrl.data.loader.state import check_state, make_state
from mrl.data.loader.workers import PlainDataset, Workers, ended_early
from mrl.data.order.base import Order
from mrl.errors import DatasetError, StateError
from mrl.formatting import html_table


@dataclass(frozen=True)
class Place:
    """An epoch, and how many of its batches were yielded."""

    epoch: int = 0
    batches: int = 0


class Loader:
    """An iterable of batches; made by `BaseDataset.dataloader`.

    A loader is configuration; each ``iter`` returns an iterator that goes through one epoch. The first begins with
    epoch 0 (or with what `set_epoch` or `load_state_dict` set), each later one with the epoch after that of the last
    batch. A loader is not a ``torch.utils.data.DataLoader`` (frameworks take those apart), but owns one while it has
    workers.

    Parameters
    ----------
    dataset : torch Dataset
        Where samples come from.
    order : Order, or callable
        The global batches of every epoch; or a function of the world size that returns them, for a loader that is made
        before ``torch.distributed`` runs.
    collate : callable
        From samples to a batch, on the CPU.
    num_workers : int
        Processes that make batches; 0 makes them here.
    rank, world_size : int, optional
        Which part of each global batch this process gets; by default what ``torch.distributed`` reports, where it
        runs, when an epoch begins.
    device : torch.device or str, optional
        Where batches end up; torch's default device if not given.
    **torch_kwargs
        Passed on to the ``DataLoader`` that owns the workers (``prefetch_factor``, ``timeout``, ...).

    Raises
    ------
    ValueError
        If `num_workers` is negative, or rank and world size do not fit each other.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["C", "CC", "CCC", "CO", "O"], CharacterVocab("CO"))
    >>> loader = ds.dataloader(2, shuffle=True, seed=1)
    >>> loader
    Loader(3 batches of 2 rows, 0 workers, epoch 0)
    >>> loader.batch_size, loader.order.n, loader.rank, loader.world_size, loader.device
    (2, 5, 0, 1, device(type='cpu'))

    Stopped in the middle of an epoch, and continued by another loader:

    >>> whole = [x.tolist() for x, y in ds.dataloader(2, shuffle=True, seed=1)]
    >>> x, y = next(iter(loader))
    >>> state = loader.state_dict()
    >>> resumed = ds.dataloader(2, shuffle=True, seed=1)
    >>> resumed.load_state_dict(state)
    >>> [x.tolist()] + [x.tolist() for x, y in resumed] == whole
    True
    >>> resumed.set_epoch(7)
    >>> resumed.epoch
    7

    Any dataset of torch will do:

    >>> from mrl.data import Shuffled
    >>> list(Loader(torch.utils.data.TensorDataset(torch.arange(5)), Shuffled(5, 2), len))
    [2, 2, 1]
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        order: Order | Callable[[int], Order],
        collate: Collate,
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
        self.collate = collate
        self.num_workers = operator.index(num_workers)
        self._order = order
        self._orders: dict[int, Order] = {}  # by world size
        self._given_ranks = rank, world_size
        self._device = None if device is None else torch.device(device)
        source = dataset if isinstance(dataset, RequestDataset) else PlainDataset(dataset)
        self._workers = Workers(source, with_list_of_samples(collate), self.num_workers, torch_kwargs)
        self._next = Place()  # where the next iterator begins
        self._last = Place()  # of the last batch; what `state_dict` returns
        self._loaded = False  # whether `_next` was loaded, and no batch was yielded since
        self._ticket = object()  # iterators with another one were made before a state was loaded
        _ = self.order  # validate eagerly

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_ticket": None}

    @property
    def device(self) -> torch.device:
        """Where batches end up."""
        return get_device() if self._device is None else self._device

    @property
    def rank(self) -> int:
        """Which part of each global batch this process gets."""
        return rank_and_world_size(*self._given_ranks)[0]

    @property
    def world_size(self) -> int:
        """How many parts a global batch has."""
        return rank_and_world_size(*self._given_ranks)[1]

    @property
    def batch_size(self) -> int | None:
        """Rows per batch of this process; None where batches are of different sizes."""
        size = getattr(self.order, "batch_size", None)
        return None if size is None else size // self.world_size

    @property
    def order(self) -> Order:
        """The global batches of every epoch."""
        if not callable(self._order):
            return self._order
        size = self.world_size
        if size not in self._orders:
            self._orders = {size: self._order(size)}
        return self._orders[size]

    @property
    def epoch(self) -> int:
        """The epoch of the last batch; before the first one, the epoch that comes next."""
        return self._last.epoch

    def __len__(self) -> int:
        return len(self.order)

    def __repr__(self) -> str:
        size = "" if self.batch_size is None else f" of {self.batch_size} rows"
        return f"Loader({len(self)} batches{size}, {self.num_workers} workers, epoch {self.epoch})"

    def _repr_html_(self) -> str:
        facts = {
            "dataset": repr(self.dataset),
            "batches": len(self),
            "rows in a batch": self.batch_size,
            "order": repr(self.order),
            "workers": self.num_workers,
            "device": str(self.device),
            "epoch": self.epoch,
        }
        return html_table(facts.items(), caption=type(self).__name__)

    def __iter__(self) -> BatchIterator:
        start = self._last = self._next
        if not self._loaded:
            self._next = Place(start.epoch + 1)
        return BatchIterator(self, self._plan(start), self._ticket)

    def _plan(self, start: Place) -> EpochPlan:
        return EpochPlan(self.order, start.epoch, start.batches, self.rank, self.world_size)

    def as_torch(self) -> DataLoader[Any]:
        """Return a plain ``DataLoader`` over the epoch that comes next: same batches, on the CPU, no resuming.

        Returns
        -------
        torch.utils.data.DataLoader

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> len(TextDataset(["C", "CC"], CharacterVocab("C")).dataloader(1).as_torch())
        2
        """
        return self._workers.torch_loader(self._plan(self._next))

    def set_epoch(self, epoch: int) -> None:
        """Make the next ``iter`` begin with epoch `epoch`, at its first batch.

        A loader that has just loaded a state keeps its place where `epoch` is the one that it is in, so that a loop may
        name its epochs and be resumed in the middle of one.

        Parameters
        ----------
        epoch : int
            0 or more.

        Raises
        ------
        ValueError
            If `epoch` is negative.
        """
        epoch = operator.index(epoch)
        if epoch < 0:
            raise ValueError(f"epoch is {epoch}; expected 0 or more")
        if not (self._loaded and epoch == self._next.epoch):
            self._go_to(Place(epoch), loaded=False)

    def state_dict(self) -> dict[str, Any]:
        """Return the place of this loader, in under 1 kB of JSON values; save it with the model.

        Returns
        -------
        dict
            ``version``, ``epoch``, ``batches`` (yielded in this epoch), ``global_batch_size``, ``rows``, ``order`` and
            ``data`` (digests).
        """
        return make_state(self.order, self._data(), self._last.epoch, self._last.batches)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Make the next ``iter`` continue after the last batch that was yielded before `state` was saved.

        At the end of an epoch that is the first batch of the next one; ``loader.epoch`` tells which epoch it is. The
        number of workers, the device and the number of ranks may differ; the global batch may not. Iterators that were
        made before raise a StateError.

        Parameters
        ----------
        state : dict
            What `state_dict` returned.

        Raises
        ------
        StateError
            (A ValueError.) If the rows, the global batch size, the order or the data are not those of the state.
        """
        epoch, batches = check_state(state, self.order, self._data(), self.world_size)
        self._go_to(Place(epoch, batches), loaded=True)
        self._ticket = object()

    def _data(self) -> str | None:
        return self.dataset.fingerprint() if isinstance(self.dataset, RequestDataset) else None

    def _go_to(self, place: Place, *, loaded: bool) -> None:
        self._next = self._last = place
        self._loaded = loaded

    def _yielded(self, place: Place) -> None:
        """Note that an iterator has yielded the batch in front of `place`."""
        self._last, self._next, self._loaded = place, Place(place.epoch + 1), False


class BatchIterator(Iterator[Any]):
    """The batches of one epoch; made by ``iter(loader)``.

    It holds the place in the epoch, which `Loader.state_dict` saves.

    Parameters
    ----------
    loader : Loader
        Its configuration, which is updated with the place after each batch.
    plan : EpochPlan
        The batches.
    ticket : object
        That of the loader when this iterator was made; the loader gets another one when it loads a state.

    Raises
    ------
    StateError
        From ``next``, if the loader has loaded a state since this iterator was made.
    DatasetError
        From ``next``, if StopIteration was raised while a batch was made, or after another error.

    Examples
    --------
    >>> from mrl.data import VectorDataset
    >>> batches = iter(VectorDataset(["C", "CC", "CCC"], len).dataloader(2))
    >>> next(batches)
    tensor([[1.],
            [2.]])
    >>> batches.close()
    >>> list(batches)
    []
    """

    def __init__(self, loader: Loader, plan: EpochPlan, ticket: object) -> None:
        self._loader = loader
        self._ticket = ticket
        self._place = Place(plan.epoch, plan.start)
        self._end = len(plan.order)
        device = loader.device
        workers = loader._workers
        batches = workers.batches(plan) if workers.num_workers else make_batches(workers.dataset, workers.collate, plan)
        if device.type != "cpu":  # where collate functions leave batches
            batches = prefetch(to_device(batch, device) for batch in batches)
        self._batches: Generator[Any] = batches

    def __next__(self) -> Any:
        if self._loader._ticket is not self._ticket:
            raise StateError("this iterator was made before a state was loaded; make a new one: iter(loader)")
        try:
            batch = next(self._batches)
        except StopIteration:
            if self._place.batches < self._end:
                raise DatasetError(
                    f"this iterator failed at batch {self._place.batches} of {self._end} and has no more; "
                    "loader.load_state_dict(loader.state_dict()) goes back to that batch"
                ) from None
            raise
        self._place = replace(self._place, batches=self._place.batches + 1)
        self._loader._yielded(self._place)
        return batch

    def close(self) -> None:
        """End the workers of this iterator now; the place of the loader stays."""
        self._batches.close()
        self._end = self._place.batches


def make_batches(dataset: RequestDataset, collate: Collate, plan: EpochPlan) -> Generator[Any]:
    """Yield the batches of `plan`, made in this process."""
    samples = dataset.__getitems__
    for done, request in enumerate(plan):
        try:
            batch = collate(samples(request))
        except StopIteration as error:
            raise ended_early(plan, done) from error
        yield batch


def prefetch(batches: Iterator[Any]) -> Generator[Any]:
    """Yield batches, each after the next one was requested, so that it is copied while this one is used.

    Examples
    --------
    >>> list(prefetch(iter("abc")))
    ['a', 'b', 'c']
    """
    for batch in batches:
        for following in batches:
            yield batch
            batch = following
        yield batch
