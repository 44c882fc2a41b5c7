"""Rows to batches: data sets, collate functions, orders and the loader."""

from mrl.data.block_shuffle import BlockShuffled
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
from mrl.data.losses import MaskedLoss
from mrl.data.order import Bucketed, Order, Sequential, Shuffled, TokenBudget
from mrl.data.rows import Rows
from mrl.data.scalers import Scaler
from mrl.data.splitting import split
from mrl.data.text_datasets import TextDataset, TextPredictionDataset
from mrl.data.vector_datasets import VecPredictionDataset, VecReconDataset, VectorDataset
from mrl.data.weighted import Weighted

__all__ = [
    "BaseDataset",
    "BlockShuffled",
    "Bucketed",
    "Column",
    "Loader",
    "MaskedLoss",
    "Order",
    "Rows",
    "Scaler",
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
    "dict_collate",
    "get_device",
    "lm_collate",
    "sequence_prediction_collate",
    "split",
    "to_device",
    "vector_collate",
    "vector_prediction_collate",
    "vector_reconstruction_collate",
]
