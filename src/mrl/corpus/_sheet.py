"""What the readers of single files have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Part", "Sheet"]


class Part(NamedTuple):
    """Columns of one file as Arrow arrays, n rows of `total` in the file."""

    columns: dict[str, Any]
    rows: NDArray[np.int64]
    """The positions of the n rows in the file."""
    total: int
    broken: list[tuple[int, str, str]]
    """The other rows: position, text, and what is wrong."""


class Sheet(ABC):
    """One file, its header read."""

    path: str
    names: tuple[str, ...]
    loose: bool = False
    """Rows are a SMILES and a name in one text, which come as the first column."""

    @abstractmethod
    def take(self, names: tuple[str, ...]) -> Part:
        """Read these columns."""

    @abstractmethod
    def line(self, row: int) -> int | None:
        """The line of the file in which a row begins, from 1; None where there are no lines."""
