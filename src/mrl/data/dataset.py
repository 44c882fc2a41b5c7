"""`BaseDataset`: rows that batch themselves. A task is a layout of fields over them, not code of its own."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.collate_dict import dict_collate
from mrl.data.columns import row_numbers
from mrl.data.device import get_device, to_device
from mrl.data.loader import Loader
from mrl.data.loading import given_order, order_for, require_takes, require_torch_options, workers_for
from mrl.data.order import Order
from mrl.data.padding import PadSide
from mrl.data.records import Records
from mrl.data.resident import resident_field
from mrl.data.rows import Rows, collating
from mrl.errors import DatasetError

__all__ = ["BaseDataset"]

_EPOCH: ContextVar[int] = ContextVar("epoch", default=0)


class BaseDataset(Records):
    """A data set that knows how to batch itself, and to make another of its kind from new rows.

    Row data lives in `columns`; everything else is configuration. `new`, `split` and views carry or replace exactly
    the columns, so a subclass keeps its own settings without overriding anything.

    Parameters
    ----------
    collate_function : callable
        Samples to a batch.

    Attributes
    ----------
    columns : dict of str to column
        The values of each row by name; each is an attribute as well (``ds.smiles``).
    kept : ndarray of int64, shape (n,)
        For each row here, its number among the rows that the data set was made from.

    Examples
    --------
    A subclass with a setting and a column of its own; `new` and `split` keep both:

    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> class Weighted(TextDataset):
    ...     def __init__(self, smiles, vocab, weights, power=1.0):
    ...         super().__init__(smiles, vocab)
    ...         self.add_column("weights", weights)
    ...         self.power = power
    ...     def __getitem__(self, i):
    ...         return super().__getitem__(i), self.weights[i] ** self.power
    >>> ds = Weighted(["C", "CC", "CCC"], CharacterVocab(["C"]), [1.0, 2.0, 3.0], power=2.0)
    >>> ds.new(["CCCC"], weights=[4.0])[0]
    (tensor([0, 4, 4, 4, 4, 1]), np.float64(16.0))
    """

    def __getitems__(self, rows: Any) -> Any:
        """Give the samples of `rows`, lazily; one compiled gather where mrl's collate functions take them."""
        index = row_numbers(rows, len(self))
        epoch = getattr(rows, "epoch", 0)
        if self._by_fields():
            return Rows(self, index, epoch)
        token = _EPOCH.set(epoch)  # a subclass changed what a sample is, and knows of no epochs
        try:
            return [self[int(row)] for row in index]
        finally:
            _EPOCH.reset(token)

    def sample(self, i: int, epoch: int | None = None) -> Any:
        """Give the sample of row `i`, 0 <= i < n, as it is in epoch `epoch`; that of the batch if it is not said."""
        return super().sample(i, _EPOCH.get() if epoch is None else epoch)

    def batch(self, rows: Any = None, *, device: torch.device | str | None = None) -> Any:
        """Give one batch of the rows `rows` (all by default), in their order.

        Parameters
        ----------
        rows : array of int, optional
            Which rows.
        device : torch.device or str, optional
            Where to; torch's default device if not given.

        Returns
        -------
        What the collate function returns.
        """
        samples = self.__getitems__(np.arange(len(self)) if rows is None else rows)
        return to_device(collating(self.collate_function)(samples), device)

    def dataloader(
        self,
        bs: int,
        num_workers: int = -1,
        *,
        shuffle: bool = False,
        seed: int = 0,
        device: torch.device | str | None = None,
        drop_last: bool = False,
        max_tokens: int | None = None,
        bucket: bool = False,
        resident: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
        order: Order | None = None,
        collate_fn: Callable[[Any], Any] | None = None,
        form: str = "tuple",
        pad_to: int | None = None,
        pad_multiple: int | None = None,
        pad_side: PadSide | None = None,
        **torch_kwargs: Any,
    ) -> Loader:
        """Give the batches of this data set.

        Parameters
        ----------
        bs : int
            Rows per batch of this process; the global batch is bs x world size.
        num_workers : int
            Processes that make batches. -1 decides: none where batches are compiled or the data set is small, else at
            most one per CPU; the environment variable ``ncpus`` is an upper bound.
        shuffle : bool
            Another random order every epoch.
        seed : int
            Names the order.
        device : torch.device or str, optional
            Where batches end up; torch's default device if not given.
        drop_last : bool
            Leave out the short batch at the end.
        max_tokens : int, optional
            Instead of `bs` rows, as many rows of like length as have at most so many tokens with their padding, in
            random order; the column more that `sequence_prediction_collate` gives is not counted. It is the global
            batch, `max_tokens` x world size, that keeps to it; with several ranks the part of one may have up to one
            row more.
        bucket : bool
            Shuffled, with rows of like length together.
        resident : bool
            Keep the data in the memory of `device` (ids in one or two bytes each), and make batches there; for data
            sets that do not change with the epoch.
        rank, world_size : int, optional
            Which part of each global batch is this process's; from ``torch.distributed`` where it runs by the time that
            an epoch begins.
        order : Order, optional
            An order of your own, of global batches, instead of what `shuffle`, `seed`, `drop_last`, `max_tokens` and
            `bucket` make; its batches have bs x world size rows where they are of one size.
        collate_fn : callable, optional
            Another collate function than the data set's.
        form : {"tuple", "dict"}
            ``"dict"`` gives ``input_ids``, ``attention_mask``, ``labels`` (-100 at padding), ``lengths``, ``index``:
            see `dict_collate`.
        pad_to, pad_multiple, pad_side
            Passed on to the collate function; see `lm_collate`.
        **torch_kwargs
            Passed on to the ``torch.utils.data.DataLoader`` that owns the workers. How they start
            (``multiprocessing_context``) is chosen if not given: by fork on Linux while CUDA is untouched, else by
            forkserver or spawn, and then with the large arrays in shared memory. ``persistent_workers`` see the data
            set as it was when they started.

        Returns
        -------
        Loader

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C", "CC", "CCC"], CharacterVocab(["C"]))
        >>> x, y = next(iter(ds.dataloader(2)))
        >>> x
        tensor([[0, 4, 1, 2],
                [0, 4, 4, 1]])
        """
        require_torch_options(torch_kwargs)
        if form not in ("tuple", "dict"):
            raise ValueError(f"form is {form!r}; expected 'tuple' or 'dict'")
        if form == "dict" and collate_fn is not None:
            raise TypeError("form='dict' is a collate function of its own; give either form or collate_fn")
        if order is None:
            made: Callable[[int], Order] = partial(
                order_for,
                self,
                bs,
                shuffle=shuffle,
                seed=seed,
                drop_last=drop_last,
                max_tokens=max_tokens,
                bucket=bucket,
            )
        elif shuffle or drop_last or max_tokens is not None or bucket:
            raise TypeError("order says all of shuffle, drop_last, max_tokens and bucket; leave those out")
        else:
            made = partial(given_order, order, len(self), bs)
        collate: Callable[..., Any] = dict_collate if form == "dict" else collate_fn or self.collate_function
        padding = {"pad_to": pad_to, "pad_multiple": pad_multiple, "pad_side": pad_side}
        if given := {name: value for name, value in padding.items() if value is not None}:
            require_takes(collate, given)
            collate = partial(collate, **given)
        if resident:
            dataset, num_workers, torch_kwargs = self.resident(device), 0, {}
        else:
            dataset = self
            if num_workers == -1:
                num_workers = workers_for(self, compiled=self._compiled())
        return Loader(
            dataset,
            made,
            collate,
            num_workers=num_workers,
            rank=rank,
            world_size=world_size,
            device=device,
            **torch_kwargs,
        )

    def resident(self, device: torch.device | str | None = None) -> Self:
        """Give a copy of these rows in the memory of a device, where its batches are then made.

        Parameters
        ----------
        device : torch.device or str, optional
            Torch's default device if not given.

        Returns
        -------
        BaseDataset
            The same rows and batches; what the vocabulary learns later is not noticed.

        Raises
        ------
        DatasetError
            If the rows change with the epoch (augmentation, masks, ``cache=None``), or a subclass overrides
            ``__getitem__`` or ``sample``.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C", "CC"], CharacterVocab(["C"]))
        >>> next(iter(ds.dataloader(2, resident=True)))[0]
        tensor([[0, 4, 1, 2],
                [0, 4, 4, 1]])
        """
        if not self._by_fields():
            raise DatasetError(
                f"{type(self).__name__} overrides __getitem__ or sample, so its samples are made one by one; leave out "
                "resident"
            )
        where = torch.empty(0, device=get_device() if device is None else device).device
        if all(getattr(field, "device", None) == where for field in self.fields):
            return self
        made = self._copy()
        rows = self.stored_rows(np.arange(len(self)))
        made.fields = tuple(resident_field(field, rows, where) for field in self.fields)
        made._stored = None
        return made

    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each row, ``bos`` and ``eos`` included; shape (n,)."""
        for field in self.fields:
            if hasattr(field, "lengths"):
                lengths: NDArray[np.int64] = field.lengths()
                return lengths if self._stored is None else lengths[self._stored]
        raise DatasetError(f"{type(self).__name__} has no tokens, so its rows have no lengths to order them by")

    def _by_fields(self) -> bool:
        """Whether samples are what the fields say: no subclass makes others."""
        return type(self).__getitem__ is Records.__getitem__ and type(self).sample is BaseDataset.sample

    def _compiled(self) -> bool:
        """Whether a batch costs no Python code per row, or only once."""
        return self._by_fields() and all(
            field.compiled or getattr(field, "cache", None) is not None for field in self.fields
        )
