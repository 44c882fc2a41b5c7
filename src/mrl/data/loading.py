"""What `BaseDataset.dataloader` decides: the order, the number of workers, and which options are ours."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from mrl.data.order import Bucketed, Order, Sequential, Shuffled, TokenBudget
from mrl.errors import DatasetError

if TYPE_CHECKING:
    from mrl.data.dataset import BaseDataset

__all__ = ["available_cpus", "given_order", "order_for", "require_takes", "require_torch_options", "workers_for"]

PER_WORKER = 4096  # rows that have to be computed before one more process pays for its start


def order_for(
    ds: BaseDataset,
    bs: int,
    world_size: int,
    *,
    shuffle: bool,
    seed: int,
    drop_last: bool,
    max_tokens: int | None,
    bucket: bool,
) -> Order:
    """The order of global batches that these options name."""
    n, size = len(ds), bs * world_size
    if max_tokens is not None:
        if bucket or drop_last:
            raise TypeError(
                "max_tokens puts rows of like length together and leaves none over; leave out bucket and drop_last"
            )
        lengths = ds.lengths()
        TokenBudget.check(lengths, max_tokens)
        return TokenBudget(lengths, max_tokens * world_size, seed)
    if bucket:
        return Bucketed(ds.lengths(), size, seed, drop_last)
    return Shuffled(n, size, seed, drop_last) if shuffle else Sequential(n, size, drop_last)


def given_order(order: Order, n: int, bs: int, world_size: int) -> Order:
    """That order, unless it was made for another data set, or for other batches."""
    if order.n != n:
        raise DatasetError(f"the order has {order.n} rows and the data set {n}; make it for this data set")
    if hasattr(order, "batch_size") and order.batch_size != bs * world_size:
        raise DatasetError(
            f"the order has batches of {order.batch_size} rows, but bs is {bs} and world_size {world_size}; bs x "
            "world_size is the global batch, so let them agree"
        )
    return order


def available_cpus() -> int:
    """Number of CPUs this process may use; the environment variable ``ncpus`` is an upper bound."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("ncpus", "").strip()  # noqa: SIM112  the notebook's name
    if limit and not limit.isdecimal():
        raise ValueError(f"the environment variable ncpus is {limit!r}; expected a number of processes, or nothing")
    return min(cpus, int(limit)) if limit else cpus


def workers_for(ds: BaseDataset, *, compiled: bool) -> int:
    """Processes pay only where Python code runs for each row, and keeps nothing that this process would need."""
    return 0 if compiled else min(available_cpus(), len(ds) // PER_WORKER)


def require_torch_options(options: dict[str, Any]) -> None:
    """Say by name which options of torch's DataLoader mrl decides itself, and which do not exist."""
    ours = {
        "dataset": "this one",
        "sampler": "order=",
        "batch_sampler": "order=",
        "batch_size": "bs",
        "generator": "seed=",
        "in_order": "order=",
    }
    known = set(inspect.signature(torch.utils.data.DataLoader.__init__).parameters) - {"self"}
    for name in options:
        if name in ours:
            raise TypeError(f"dataloader takes no {name!r}; the order is data here: use {ours[name]}")
        if name not in known:
            raise TypeError(f"dataloader got {name!r}, which neither mrl nor torch's DataLoader knows")


def require_takes(collate: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Refuse options that a collate function does not take."""
    taken = inspect.signature(collate).parameters.values()
    names = {parameter.name for parameter in taken}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken):
        return
    if missing := [name for name in options if name not in names]:
        inner = collate.func if isinstance(collate, partial) else collate
        raise TypeError(
            f"{getattr(inner, '__name__', inner)} takes no {' and no '.join(missing)}; leave that out, or give a "
            "collate_fn that does"
        )
