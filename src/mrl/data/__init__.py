"""Rows to batches: data sets, collate functions, orders and the loader."""

from mrl.data.blocks import block_mask, packed_collate
from mrl.data.collate import (
    batch_sequences,
    lm_collate,
    sequence_prediction_collate,
    vector_collate,
    vector_prediction_collate,
    vector_reconstruction_collate,
)
from mrl.data.collate_dict import dict_collate
from mrl.data.columns import Column
from mrl.data.dataset import BaseDataset
from mrl.data.device import get_device, to_device
from mrl.data.loader import Loader
from mrl.data.masked_dataset import MaskedDataset, masked_collate
from mrl.data.order import BlockShuffled, Bucketed, Order, Sequential, Shuffled, TokenBudget, Weighted
from mrl.data.packed_dataset import PackedDataset
from mrl.data.pair_datasets import ConditionalDataset, PairDataset, pair_collate, prompt_collate
from mrl.data.rows import Rows
from mrl.data.splitting import split
from mrl.data.text_datasets import TextDataset, TextPredictionDataset
from mrl.data.vector_datasets import VecPredictionDataset, VecReconDataset, VectorDataset

__all__ = [
    "BaseDataset",
    "BlockShuffled",
    "Bucketed",
    "Column",
    "ConditionalDataset",
    "Loader",
    "MaskedDataset",
    "Order",
    "PackedDataset",
    "PairDataset",
    "Rows",
    "Sequential",
    "Shuffled",
    "TextDataset",
    "TextPredictionDataset",
    "TokenBudget",
    "VecPredictionDataset",
    "VecReconDataset",
    "VectorDataset",
    "Weighted",
    "batch_sequences",
    "block_mask",
    "dict_collate",
    "get_device",
    "lm_collate",
    "masked_collate",
    "packed_collate",
    "pair_collate",
    "prompt_collate",
    "sequence_prediction_collate",
    "split",
    "to_device",
    "vector_collate",
    "vector_prediction_collate",
    "vector_reconstruction_collate",
]
