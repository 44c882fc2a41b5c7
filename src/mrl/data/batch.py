"""What travels between an order and a collate function: a request for rows, and a lazy batch of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias, TypeVar, overload

import numpy as np
from torch.utils.data import Dataset

from mrl.data.columns import Rows64
from mrl.data.fields.field import Field

F = TypeVar("F", bound=Callable[..., Any])

Collate: TypeAlias = Callable[..., Any]
"""A function that makes tensors of a batch: of a list of samples, or of a `LazyBatch`."""


class BatchRequest(NamedTuple):
    """Which rows a batch has, and the epoch that their randomness belongs to.

    Attributes
    ----------
    epoch : int, or ndarray of int64, shape (B,)
        The epoch; that of each row where they differ, as in a mixture, each source of which has its own.
    rows : ndarray of int64, shape (B,)
        Row numbers of the dataset.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["CO", "C"], CharacterVocab("CO"), augment=lambda text, key: text * (1 + key % 3))
    >>> [ds.__getitems__(BatchRequest(epoch, np.array([0])))[0].tolist() for epoch in (0, 4)]
    [[0, 4, 5, 1], [0, 4, 5, 4, 5, 4, 5, 1]]
    """

    epoch: int | Rows64
    rows: Rows64


def epoch_of(epoch: int | Rows64, i: int) -> int:
    """Return the epoch of the i-th row of a request."""
    return epoch if isinstance(epoch, int) else int(epoch[i])


class RequestDataset(Dataset[Any]):
    """A torch dataset whose ``__getitems__`` takes a `BatchRequest`, as well as plain row numbers."""

    def prepare(self) -> None:
        """Do the work that is done once, before the dataset is copied into worker processes."""

    def fingerprint(self) -> str | None:
        """Return a digest of everything that samples depend on; None if there is none."""
        return None

    def __getitems__(self, rows: Any) -> Any:
        """Return the samples of a `BatchRequest`."""
        raise NotImplementedError(f"{type(self).__name__} does not implement __getitems__")


@dataclass(frozen=True, eq=False)
class LazyBatch(Sequence[Any]):
    """The samples of some rows, computed when they are read: what ``dataset.__getitems__(rows)`` returns.

    mrl's collate functions read each field of all rows at once; any other function is given the list of samples.

    Attributes
    ----------
    fields : tuple of Field
        The parts of a sample.
    storage_rows : ndarray of int64, shape (B,)
        The rows of the fields.
    request : BatchRequest
        The epoch, and the rows of the dataset.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> batch = TextDataset(["C", "CC"], CharacterVocab("C")).__getitems__([1, 0])
    >>> len(batch), batch[0], batch.names
    (2, tensor([0, 4, 4, 1]), ('tokens',))
    """

    fields: tuple[Field, ...]
    storage_rows: Rows64
    request: BatchRequest

    def __len__(self) -> int:
        return len(self.storage_rows)

    @overload
    def __getitem__(self, i: int) -> Any: ...
    @overload
    def __getitem__(self, i: slice) -> LazyBatch: ...
    def __getitem__(self, i: int | slice) -> Any:
        epoch, rows = self.request
        if isinstance(i, slice):
            epoch = epoch if isinstance(epoch, int) else epoch[i]
            return LazyBatch(self.fields, self.storage_rows[i], BatchRequest(epoch, rows[i]))
        return make_sample(self.fields, int(self.storage_rows[i]), epoch_of(epoch, i))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each part of a sample."""
        return tuple(name for field in self.fields for name in field.names)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray[Any, Any]:
        raise TypeError("a lazy batch holds samples, not numbers; collate it, or iterate over it")


def make_sample(fields: tuple[Field, ...], row: int, epoch: int) -> Any:
    """Return the sample of one stored row: a tuple of its parts, or the part itself if there is one only."""
    parts = tuple(part for field in fields for part in field.sample(row, epoch))
    return parts[0] if len(parts) == 1 else parts


def takes_lazy_batch(collate: F) -> F:
    """Mark a collate function that takes a `LazyBatch` as well as a list of samples, with the same result.

    Parameters
    ----------
    collate : callable
        Its first step is `parts_of`, which reads both.

    Returns
    -------
    callable
        The same function.

    Examples
    --------
    >>> from mrl.data import TextDataset, pad_rows, parts_of, takes_lazy_batch
    >>> from mrl.text import CharacterVocab
    >>> @takes_lazy_batch
    ... def ids_collate(batch):
    ...     (ids,) = parts_of(batch, 1, "ids_collate")
    ...     return pad_rows(ids, pad_idx=2)
    >>> TextDataset(["C", "CC"], CharacterVocab("C"), ids_collate).batch()
    tensor([[0, 4, 1, 2],
            [0, 4, 4, 1]])
    """
    collate.takes_lazy_batch = True  # type: ignore[attr-defined]
    return collate


def with_list_of_samples(collate: Collate) -> Collate:
    """Return `collate` itself if it takes a `LazyBatch`, else a function that passes it the list of samples."""
    inner: Any = collate
    while isinstance(inner, partial):
        inner = inner.func
    return collate if getattr(inner, "takes_lazy_batch", False) else partial(_collate_list, collate)


def _collate_list(collate: Collate, samples: Any) -> Any:
    return collate(list(samples))
