"""What `BaseDataset.dataloader` decides: the order, the rank, the number of workers, and which options are ours."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch

from mrl.data.loader import available_cpus
from mrl.data.order import Bucketed, Order, Sequential, Shuffled, TokenBudget
from mrl.errors import DatasetError

if TYPE_CHECKING:
    from mrl.data.dataset import BaseDataset

__all__ = ["order_for", "rank_and_world_size", "require_order", "require_torch_options", "workers_for"]

PER_WORKER = 4096  # rows that have to be computed before one more process pays for its start


def rank_and_world_size(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """What was given, else what ``torch.distributed`` says where it runs, else one process."""
    running = torch.distributed.is_available() and torch.distributed.is_initialized()
    if rank is None:
        rank = torch.distributed.get_rank() if running else 0
    if world_size is None:
        world_size = torch.distributed.get_world_size() if running else 1
    return rank, world_size


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


def require_order(order: Order, n: int, bs: int, world_size: int) -> None:
    """Refuse an order that was made for another data set, or for other batches."""
    if order.n != n:
        raise DatasetError(f"the order has {order.n} rows and the data set {n}; make it for this data set")
    if hasattr(order, "batch_size") and order.batch_size != bs * world_size:
        raise DatasetError(
            f"the order has batches of {order.batch_size} rows, but bs is {bs} and world_size {world_size}; bs x "
            "world_size is the global batch, so let them agree"
        )


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
    }
    known = set(inspect.signature(torch.utils.data.DataLoader.__init__).parameters) - {"self"}
    for name in options:
        if name in ours:
            raise TypeError(f"dataloader takes no {name!r}; the order is data here: use {ours[name]}")
        if name not in known:
            raise TypeError(f"dataloader got {name!r}, which neither mrl nor torch's DataLoader knows")
