"""Rows to batches: datasets, collate functions, orders and the loader."""

from mrl.data.batch import BatchRequest, LazyBatch, takes_lazy_batch
from mrl.data.collate.named import dict_collate
from mrl.data.collate.padding import Padding
from mrl.data.collate.sequences import (
    batch_sequences,
    lm_collate,
    next_token_pairs,
    pad_rows,
    parts_of,
    sequence_prediction_collate,
    stack_numbers,
    vector_collate,
    vector_prediction_collate,
    vector_reconstruction_collate,
)
from mrl.data.collate.tasks import block_mask, masked_collate, packed_collate, pair_collate, prompt_collate
from mrl.data.datasets.dataset import BaseDataset
from mrl.data.datasets.masked import MaskedDataset
from mrl.data.datasets.mixing import concat, mix
from mrl.data.datasets.packed import PackedDataset
from mrl.data.datasets.pairs import ConditionalDataset, PairDataset
from mrl.data.datasets.task import NumberColumn, Task, TextColumn, WeightColumn
from mrl.data.datasets.text import TextDataset, TextPredictionDataset
from mrl.data.datasets.vectors import VecPredictionDataset, VecReconDataset, VectorDataset
from mrl.data.device import get_device, to_device
from mrl.data.fields.crops import CroppedTokens
from mrl.data.fields.field import Field
from mrl.data.fields.masks import MaskedTokens
from mrl.data.fields.numbers import Numbers
from mrl.data.fields.prompts import PromptedTokens
from mrl.data.fields.tokens import AugmentedTokens, Tokens
from mrl.data.fields.vectors import Vectors
from mrl.data.fields.windows import WindowedTokens
from mrl.data.loader.loader import BatchIterator, Loader
from mrl.data.order.base import FixedSizeOrder, Order
from mrl.data.order.batches import Sequential, Shuffled
from mrl.data.order.block_shuffled import BlockShuffled
from mrl.data.order.bucketed import Bucketed
from mrl.data.order.mixed import Mixed
from mrl.data.order.token_budget import TokenBudget
from mrl.data.order.weighted import Weighted
from mrl.data.splitting import split, split_rows
from mrl.data.windows import WindowMap, Windows

__all__ = [
    "AugmentedTokens",
    "BaseDataset",
    "BatchIterator",
    "BatchRequest",
    "BlockShuffled",
    "Bucketed",
    "ConditionalDataset",
    "CroppedTokens",
    "Field",
    "FixedSizeOrder",
    "LazyBatch",
    "Loader",
    "MaskedDataset",
    "MaskedTokens",
    "Mixed",
    "NumberColumn",
    "Numbers",
    "Order",
    "PackedDataset",
    "Padding",
    "PairDataset",
    "PromptedTokens",
    "Sequential",
    "Shuffled",
    "Task",
    "TextColumn",
    "TextDataset",
    "TextPredictionDataset",
    "TokenBudget",
    "Tokens",
    "VecPredictionDataset",
    "VecReconDataset",
    "VectorDataset",
    "Vectors",
    "WeightColumn",
    "Weighted",
    "WindowMap",
    "WindowedTokens",
    "Windows",
    "batch_sequences",
    "block_mask",
    "concat",
    "dict_collate",
    "get_device",
    "lm_collate",
    "masked_collate",
    "mix",
    "next_token_pairs",
    "packed_collate",
    "pad_rows",
    "pair_collate",
    "parts_of",
    "prompt_collate",
    "sequence_prediction_collate",
    "split",
    "split_rows",
    "stack_numbers",
    "takes_lazy_batch",
    "to_device",
    "vector_collate",
    "vector_prediction_collate",
    "vector_reconstruction_collate",
]
