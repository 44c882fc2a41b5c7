"""What `BaseDataset.dataloader` decides: the order, the collate function, the number of workers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.batch import Collate
from mrl.data.collate.named import dict_collate
from mrl.data.collate.padding import Padding
from mrl.data.columns import RowIndex
from mrl.data.order.base import Order
from mrl.data.order.batches import Sequential, Shuffled
from mrl.data.order.bucketed import Bucketed
from mrl.data.order.mixed import Mixed, Mixture
from mrl.data.order.token_budget import TokenBudget, require_budget
from mrl.errors import DatasetError
from mrl.processes import available_cpus

ROWS_PER_WORKER = 4096  # rows that have to be computed before one more process pays for its start


class Sized(Protocol):
    """A dataset as far as an order needs it."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of tokens of each row."""

    @property
    def mixture(self) -> Mixture | None:
        """How often its sources are drawn, if it is a mixture."""

    def rows_by_source(self) -> tuple[RowIndex, ...]:
        """Return the rows of each of its sources."""


@dataclass(frozen=True)
class OrderOptions:
    """The options of ``dataloader`` that make an order."""

    shuffle: bool = False
    seed: int = 0
    drop_last: bool = False
    max_tokens: int | None = None
    bucket: bool = False

    def __post_init__(self) -> None:
        if self.max_tokens is not None and (self.bucket or self.drop_last):
            raise TypeError(
                "max_tokens puts rows of similar length together and leaves none over; leave out bucket and drop_last"
            )

    def maker(self, ds: Sized, bs: int) -> Callable[[int], Order]:
        """Return a function of the world size that makes the order of global batches."""
        if ds.mixture is not None and self.max_tokens is not None:
            raise TypeError("max_tokens needs the rows of all batches at once, and a mixture goes on; use bucket=True")
        return partial(make_order, self, ds, bs)


def make_order(options: OrderOptions, ds: Sized, bs: int, world_size: int) -> Order:
    """Return the order of global batches that the options describe."""
    n, size, seed = len(ds), bs * world_size, options.seed
    if ds.mixture is not None:
        lengths = ds.lengths() if options.bucket else None
        shuffle = options.shuffle or options.bucket
        sources = ds.rows_by_source()
        return Mixed(ds.mixture, sources, size, seed, shuffle=shuffle, drop_last=options.drop_last, lengths=lengths)
    if options.max_tokens is not None:
        lengths = ds.lengths()
        require_budget(lengths, options.max_tokens)
        return TokenBudget(lengths, options.max_tokens * world_size, seed)
    if options.bucket:
        return Bucketed(ds.lengths(), size, seed, options.drop_last)
    return Shuffled(n, size, seed, options.drop_last) if options.shuffle else Sequential(n, size, options.drop_last)


def check_order(order: Order, options: OrderOptions, n: int, bs: int) -> Callable[[int], Order]:
    """Return a function of the world size that returns `order`, if it fits a dataset of n rows and `bs`."""
    if options.shuffle or options.drop_last or options.max_tokens is not None or options.bucket:
        raise TypeError("order replaces shuffle, drop_last, max_tokens and bucket; leave those out")
    return partial(_checked_order, order, n, bs)


def _checked_order(order: Order, n: int, bs: int, world_size: int) -> Order:
    if order.n != n:
        raise DatasetError(f"the order has {order.n} rows and the dataset {n}; make it for this dataset")
    size = getattr(order, "batch_size", None)
    if size not in (None, bs * world_size):
        raise DatasetError(
            f"the order has batches of {size} rows, but bs is {bs} and world_size {world_size}; the global batch has "
            "bs x world_size rows, so make them agree"
        )
    return order


def choose_collate(default: Collate, given: Collate | None, output: str, padding: Padding | None) -> Collate:
    """Return the collate function of a loader: the dict form, or the given one, with `padding` if some is given.

    Raises
    ------
    ValueError
        If `output` is neither "tuple" nor "dict".
    TypeError
        If the collate function has no argument ``padding``, or `given` conflicts with the dict form.
    """
    if output not in ("tuple", "dict"):
        raise ValueError(f"output is {output!r}; expected 'tuple' or 'dict'")
    if output == "dict" and given is not None:
        raise TypeError("output='dict' selects a collate function; give either output or collate_fn")
    collate: Collate = dict_collate if output == "dict" else given or default
    if padding is None:
        return collate
    parameters = inspect.signature(collate).parameters.values()
    if not any(each.name == "padding" or each.kind is each.VAR_KEYWORD for each in parameters):
        inner = collate.func if isinstance(collate, partial) else collate
        raise TypeError(
            f"{getattr(inner, '__name__', inner)} has no argument padding; leave that out, or give a collate_fn that "
            "has one"
        )
    return partial(collate, padding=padding)


def choose_num_workers(n: int, *, compiled: bool) -> int:
    """Return how many processes pay: only where Python code runs for each row, and nothing of it is cached here."""
    return 0 if compiled else min(available_cpus(), n // ROWS_PER_WORKER)


def check_torch_options(options: dict[str, Any]) -> None:
    """Raise a TypeError for options of torch's DataLoader that mrl decides itself, and for unknown ones."""
    replaced = {
        "dataset": "this one",
        "sampler": "order=",
        "batch_sampler": "order=",
        "batch_size": "bs",
        "generator": "seed=",
        "in_order": "order=",
    }
    known = set(inspect.signature(torch.utils.data.DataLoader.__init__).parameters) - {"self"}
    for name in options:
        if name in replaced:
            raise TypeError(f"dataloader does not take {name!r}; the order is data here: use {replaced[name]}")
        if name not in known:
            raise TypeError(f"dataloader got {name!r}, which is an option neither of mrl nor of torch's DataLoader")
