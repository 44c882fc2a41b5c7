"""`Rows`: samples of a data set that have not been looked at yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from mrl.data.columns import Rows64

if TYPE_CHECKING:
    from mrl.data.dataset import BaseDataset

__all__ = ["Rows", "collating", "takes_rows"]

F = TypeVar("F", bound=Callable[..., Any])


class Rows(Sequence[Any]):
    """Some rows of a data set, as a sequence of its samples.

    What ``dataset.__getitems__(rows)`` returns. mrl's collate functions call `gather` and get every field of all rows
    at once; any other function is given the list of samples.

    Parameters
    ----------
    dataset : BaseDataset
        The data set.
    rows : array of int64, shape (B,)
        Row numbers, from 0 to below ``len(dataset)``.
    """

    def __init__(self, dataset: BaseDataset, rows: Rows64) -> None:
        self.dataset = dataset
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, i: int) -> Any: ...
    @overload
    def __getitem__(self, i: slice) -> Rows: ...
    def __getitem__(self, i: int | slice) -> Any:
        if isinstance(i, slice):
            return Rows(self.dataset, self.rows[i])
        return self.dataset[int(self.rows[i])]

    def __iter__(self) -> Iterator[Any]:
        return (self.dataset[int(row)] for row in self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each field of a sample."""
        return tuple(field.name for field in self.dataset.fields)

    def gather(self) -> tuple[Any, ...]:
        """Give each field over all rows: `Ragged` ids, or a tensor (B, D)."""
        stored = self.dataset.stored_rows(self.rows)
        return tuple(field.gather(stored) for field in self.dataset.fields)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray[Any, Any]:
        raise TypeError("Rows are samples, not numbers; collate them, or iterate over them")


def takes_rows(collate: F) -> F:
    """Mark a collate function that takes `Rows` as they are (and lists of samples, with the same result)."""
    collate.takes_rows = True  # type: ignore[attr-defined]
    return collate


def collating(collate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Give `collate` itself if it takes `Rows`, else a function that gives it the list of samples."""
    inner: Any = collate
    while isinstance(inner, partial):
        inner = inner.func
    return collate if getattr(inner, "takes_rows", False) else partial(_collate_list, collate)


def _collate_list(collate: Callable[[Any], Any], samples: Any) -> Any:
    return collate(list(samples))
