"""Datasets: columns plus a task, and the tasks of the notebook and beyond as classes."""

from mrl.data.datasets.dataset import BaseDataset
from mrl.data.datasets.masked import MaskedDataset
from mrl.data.datasets.packed import PackedDataset
from mrl.data.datasets.pairs import ConditionalDataset, PairDataset
from mrl.data.datasets.task import NumberColumn, Task, TextColumn, WeightColumn
from mrl.data.datasets.text import TextDataset, TextPredictionDataset
from mrl.data.datasets.vectors import VecPredictionDataset, VecReconDataset, VectorDataset

__all__ = [
    "BaseDataset",
    "ConditionalDataset",
    "MaskedDataset",
    "NumberColumn",
    "PackedDataset",
    "PairDataset",
    "Task",
    "TextColumn",
    "TextDataset",
    "TextPredictionDataset",
    "VecPredictionDataset",
    "VecReconDataset",
    "VectorDataset",
    "WeightColumn",
]
