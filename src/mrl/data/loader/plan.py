"""`EpochPlan`: the batches of one epoch, as requests for rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mrl.data.batch import BatchRequest
from mrl.data.loader.ranks import rank_slice
from mrl.data.order.base import BaseOrder, Order
from mrl.ragged import row_numbers


@dataclass(frozen=True)
class EpochPlan:
    """The batches of one epoch from batch `start` on, as requests; also the ``batch_sampler`` of torch's DataLoader.

    It refers to no loader: one that its workers kept alive would never be closed.
    """

    order: Order
    epoch: int
    start: int
    rank: int
    world_size: int

    def __len__(self) -> int:
        return len(self.order) - self.start

    def __iter__(self) -> Iterator[BatchRequest]:
        order, epoch, rank, world_size = self.order, self.epoch, self.rank, self.world_size
        for k in range(self.start, len(order)):
            rows = order.batch(epoch, k)
            if type(rows) is not np.ndarray or rows.dtype != np.int64:  # an order may be a user's
                rows = row_numbers(rows, order.n)
            epochs = order.row_epochs(epoch, k) if isinstance(order, BaseOrder) else epoch
            if world_size > 1:
                rows = rank_slice(rows, rank, world_size)
                epochs = epochs if isinstance(epochs, int) else rank_slice(epochs, rank, world_size)
            yield BatchRequest(epochs, rows)
