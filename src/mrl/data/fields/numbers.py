"""Fields of numbers: targets, weights, conditions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mrl.data.columns import Rows64
from mrl.data.fields.field import Field


class Numbers(Field):
    """A column of numbers: (T,) in a sample, (B, T) in a batch; T = 1 for a column of one number per row.

    Parameters
    ----------
    column : column of numbers, shape (n,) or (n, T)
        The numbers; their dtype is kept.
    name : str
        The name of the part in a batch.

    Examples
    --------
    >>> import numpy as np
    >>> from mrl.data.columns import Values
    >>> Numbers(Values(np.array([0.5, 1.5])), "labels").gather(np.array([1, 0]))
    (tensor([[1.5000],
            [0.5000]], dtype=torch.float64),)
    """

    def __init__(self, column: Any, name: str) -> None:
        self.column = column
        self.names = (name,)

    def gather(self, rows: Rows64, epoch: int = 0) -> tuple[Tensor]:
        values = torch.from_numpy(self.column.take(rows))
        return (values.unsqueeze(-1) if values.ndim == 1 else values,)
