"""What the notebook's ``from mrl.torch_imports import *`` gives."""

import torch
from torch.utils.data import DataLoader, Dataset

__all__ = ["DataLoader", "Dataset", "torch"]
