"""Orders: which rows make up batch k of an epoch."""

from mrl.data.order.batches import Bucketed, Order, Sequential, Shuffled, TokenBudget, permuted
from mrl.data.order.block_shuffled import BlockShuffled
from mrl.data.order.randomness import mixed, row_keys
from mrl.data.order.weighted import Weighted

__all__ = [
    "BlockShuffled",
    "Bucketed",
    "Order",
    "Sequential",
    "Shuffled",
    "TokenBudget",
    "Weighted",
    "mixed",
    "permuted",
    "row_keys",
]
