"""The names that the notebook imports by ``from mrl.torch_imports import *``."""

import torch
from torch.utils.data import DataLoader, Dataset

__all__ = ["DataLoader", "Dataset", "torch"]
