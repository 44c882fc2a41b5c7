"""Orders: which rows make up batch k of an epoch, as pure functions of their configuration.

An order holds global batches and is independent of ranks, workers and resuming, which are written once against the four
members of `Order`. All that is random is computed from a seed where it is needed; nothing is stored.
"""

from mrl.data.order.base import BaseOrder, FixedSizeOrder, Order
from mrl.data.order.batches import Sequential, Shuffled
from mrl.data.order.block_shuffled import BlockShuffled
from mrl.data.order.bucketed import Bucketed
from mrl.data.order.randomness import random_bits, row_keys, shuffled_positions
from mrl.data.order.token_budget import TokenBudget, require_budget
from mrl.data.order.weighted import Weighted

__all__ = [
    "BaseOrder",
    "BlockShuffled",
    "Bucketed",
    "FixedSizeOrder",
    "Order",
    "Sequential",
    "Shuffled",
    "TokenBudget",
    "Weighted",
    "random_bits",
    "require_budget",
    "row_keys",
    "shuffled_positions",
]
