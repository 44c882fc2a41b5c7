"""The loader: batches in the order of an `Order`, resumable at any batch."""

from mrl.data.loader.loader import BatchIterator, EpochPlan, Loader, prefetch
from mrl.data.loader.options import (
    OrderOptions,
    available_cpus,
    check_order,
    check_torch_options,
    choose_collate,
    choose_num_workers,
)
from mrl.data.loader.ranks import rank_slice
from mrl.data.loader.sharing import MIN_BYTES, Shared

__all__ = [
    "MIN_BYTES",
    "BatchIterator",
    "EpochPlan",
    "Loader",
    "OrderOptions",
    "Shared",
    "available_cpus",
    "check_order",
    "check_torch_options",
    "choose_collate",
    "choose_num_workers",
    "prefetch",
    "rank_slice",
]
