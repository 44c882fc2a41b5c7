"""`Rows`: samples of a data set that have not been looked at yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from mrl.data.columns import Rows64

if TYPE_CHECKING:
    from mrl.data.dataset import BaseDataset

__all__ = ["EpochRows", "Rows", "collating", "takes_rows"]

F = TypeVar("F", bound=Callable[..., Any])


class EpochRows(np.ndarray[Any, np.dtype[np.int64]]):
    """Row numbers that know the epoch they are asked for in, so that it travels with them into workers.

    Examples
    --------
    >>> rows = EpochRows.of(np.array([4, 2, 7]), epoch=3)
    >>> rows[:2].epoch
    3
    """

    epoch = 0

    @classmethod
    def of(cls, rows: Rows64, epoch: int) -> EpochRows:
        """Give `rows`, of epoch `epoch`; the same memory."""
        made = rows.view(cls)
        made.epoch = epoch
        return made

    def __array_finalize__(self, other: Any) -> None:
        self.epoch = getattr(other, "epoch", 0)

    def __reduce__(self) -> tuple[Any, ...]:
        return EpochRows.of, (np.asarray(self), self.epoch)


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
    epoch : int
        The epoch, which fields that are random (augmentation, masks) depend on.
    """

    def __init__(self, dataset: BaseDataset, rows: Rows64, epoch: int = 0) -> None:
        self.dataset = dataset
        self.rows = rows
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, i: int) -> Any: ...
    @overload
    def __getitem__(self, i: slice) -> Rows: ...
    def __getitem__(self, i: int | slice) -> Any:
        if isinstance(i, slice):
            return Rows(self.dataset, self.rows[i], self.epoch)
        return self.dataset.sample(int(self.rows[i]), self.epoch)

    def __iter__(self) -> Iterator[Any]:
        return (self.dataset.sample(int(row), self.epoch) for row in self.rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each field of a sample."""
        return tuple(field.name for field in self.dataset.fields)

    def gather(self) -> tuple[Any, ...]:
        """Give each field over all rows: ids as `Picked` rows of a `Ragged`, or a tensor (B, D)."""
        stored = self.dataset.stored_rows(self.rows)
        return tuple(field.gather(stored, self.epoch) for field in self.dataset.fields)

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
