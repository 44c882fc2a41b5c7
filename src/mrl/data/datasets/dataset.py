"""`BaseDataset`: columns plus a task. It makes samples, batches and loaders; its rows and views are base classes."""

from __future__ import annotations

import copy
import hashlib
import operator
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Generic, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import TypeVar

from mrl.data.batch import BatchRequest, Collate, LazyBatch, epoch_of, make_sample, with_list_of_samples
from mrl.data.collate.padding import Padding
from mrl.data.columns import Rows64, as_row_index, column_identity, index_digest, row_array, take_rows
from mrl.data.datasets.views import ViewDataset
from mrl.data.device import get_device, to_device
from mrl.data.loader.loader import Loader
from mrl.data.loader.options import OrderOptions, check_order, check_torch_options, choose_collate, choose_num_workers
from mrl.data.order.base import Order
from mrl.errors import DatasetError

Batch = TypeVar("Batch", default=Any)

_EPOCH: ContextVar[int] = ContextVar("epoch", default=0)  # for a subclass whose __getitem__ makes samples one by one


class BaseDataset(ViewDataset, Generic[Batch]):
    """A dataset that makes its own batches, and other datasets of its kind from new rows.

    Row data lives in `columns`; what a sample is, in its `task`; everything else is configuration. `new`, `split` and
    views carry or replace exactly the columns, so that a subclass keeps its settings without overriding anything.

    Parameters
    ----------
    collate_function : callable, optional
        From samples to a batch; the task's if not given.
    **settings
        What the rows are made with. Each is an attribute that cannot be changed once there are rows.

    Attributes
    ----------
    columns : dict of str to column
        The values of each row by name; each is an attribute as well (``ds.smiles``).
    task : Task
        Which columns it takes, and what it makes of them.
    fields : tuple of Field
        The parts of a sample.
    on_error : {"raise", "drop", "mask"} or None
        What to do with rows that cannot be computed.

    Examples
    --------
    What a dataset knows of its rows, of which one is too long:

    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab(["C", "O"])
    >>> reverse = lambda text, key: text[::-1]
    >>> ds = TextDataset(["CCC", "C", "CO"], vocab, augment=reverse, max_length=4, on_long="reject")
    >>> ds.row_arguments, ds.kept, ds.ok
    (('smiles',), array([1, 2]), array([ True,  True]))
    >>> ds.rejects[0]
    Reject(row=0, text='CCC', stage='length', reason='too long: 5 tokens, more than max_length 4')
    >>> ds.storage_rows, ds.fields[0].lengths()[ds.storage_rows]
    (array([1, 2]), array([3, 4]))
    >>> ds[1], ds.without_augmentation()[1]
    (tensor([0, 5, 4, 1]), tensor([0, 4, 5, 1]))
    >>> ds.fingerprint() == ds.view([1, 0]).fingerprint()
    False

    A new kind of dataset: a task, and a constructor whose last step is `set_rows`:

    >>> from mrl.data import NumberColumn, Task
    >>> class Measured(BaseDataset):
    ...     task = Task({"x": NumberColumn()})
    ...     def __init__(self, x):
    ...         super().__init__()
    ...         self.set_rows({"x": x})
    >>> Measured([0.5, 1.5]).new([2.5]).columns["x"].tolist()
    [2.5]

    A subclass with a setting and a column of its own; `new` and `split` keep both:

    >>> class Weighted(TextDataset):
    ...     def __init__(self, smiles, vocab, weights, power=1.0):
    ...         super().__init__(smiles, vocab)
    ...         self.add_column("weights", weights)
    ...         self.power = power
    ...     def __getitem__(self, i):
    ...         return super().__getitem__(i), self.weights[i] ** self.power
    >>> ds = Weighted(["C", "CC", "CCC"], vocab, [1.0, 2.0, 3.0], power=2.0)
    >>> ds.new(["CCCC"], weights=[4.0])[0]
    (tensor([0, 4, 4, 4, 4, 1]), np.float64(16.0))
    """

    def __getitem__(self, i: Any) -> Any:
        """Return one sample: a tensor, or a tuple of tensors."""
        try:
            n, i = len(self), operator.index(i)
        except TypeError:
            raise TypeError(
                f"row {i!r} is not an integer; for several rows use ds.view(rows) or ds.batch(rows)"
            ) from None
        if not -n <= i < n:
            raise IndexError(f"row {i} of a dataset of {n} rows")
        if not self.fields:
            raise NotImplementedError(f"{type(self).__name__} does not define a sample; override __getitem__")
        return make_sample(self.fields, int(take_rows(self._storage_index, i % n)), _EPOCH.get())

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __getitems__(self, rows: Any) -> Any:
        """Return the samples of `rows` (a `BatchRequest`, row numbers or a mask), computed when they are read."""
        epoch, rows = rows if isinstance(rows, BatchRequest) else (0, rows)
        # Rows of an order are valid, which one comparison shows: negative numbers are huge as unsigned ones.
        checked = type(rows) is np.ndarray and rows.dtype == np.int64 and len(rows) > 0
        if not (checked and rows.view(np.uint64).max() < len(self._kept)):
            rows = row_array(as_row_index(rows, len(self)))
        if self._samples_are_fields():
            index = self._storage_index
            storage_rows = rows if index is None else take_rows(index, rows)
            return LazyBatch(self.fields, storage_rows, BatchRequest(epoch, rows))
        return [self._sample_in(row, epoch_of(epoch, i)) for i, row in enumerate(row_array(rows).tolist())]

    def _sample_in(self, row: int, epoch: int) -> Any:
        token = _EPOCH.set(epoch)
        try:
            return self[row]
        finally:
            _EPOCH.reset(token)

    def _samples_are_fields(self) -> bool:
        """Whether samples are what the fields return: no subclass makes others."""
        return type(self).__getitem__ is BaseDataset.__getitem__

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of tokens of each row, ``bos`` and ``eos`` included, of its longest text; int64 (n,).

        Raises
        ------
        DatasetError
            If the dataset has no tokens.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> TextDataset(["C", "CCC"], CharacterVocab("C")).lengths()
        array([3, 5])
        """
        found = [lengths for field in self.fields if (lengths := field.lengths()) is not None]
        if not found:
            raise DatasetError(
                f"{type(self).__name__} has no tokens, so its rows have no lengths to order them by; leave out "
                "max_tokens and bucket"
            )
        longest: Rows64 = np.maximum.reduce(found)
        return longest if self._storage_index is None else longest[self.storage_rows]

    def fingerprint(self) -> str:
        """Return a digest of everything that samples depend on: rows, their order, vocabulary, settings.

        Where a subclass overrides ``__getitem__``, added columns count as well; its settings do not.
        """
        names = self.row_arguments if self._samples_are_fields() else tuple(self.columns)
        source = self.fields[0].source_rows if self.fields else None
        parts = [
            type(self).__qualname__,
            *(field.fingerprint() for field in self.fields),
            *(f"{name} {column_identity(self.columns[name])}" for name in names),
            index_digest(take_rows(source, self._storage_rows())),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def prepare(self) -> None:
        """Do the work that is done once (encoding, computing), before the dataset is copied into worker processes.

        Examples
        --------
        >>> from mrl.data import VectorDataset
        >>> ds = VectorDataset(["C", "CC"], lambda text: print("computing", text) or [len(text)])
        >>> ds.prepare()
        computing C
        computing CC
        >>> ds.batch()
        tensor([[1.],
                [2.]])
        """
        for field in self.fields:
            field.prepare()

    def resident(self, device: torch.device | str | None = None) -> Self:
        """Return a copy of these rows in the memory of a device, where its batches are then made.

        Parameters
        ----------
        device : torch.device or str, optional
            Torch's default device if not given.

        Returns
        -------
        BaseDataset
            The same rows and batches; tokens that the vocabulary learns later have no effect on it.

        Raises
        ------
        DatasetError
            If the rows change with the epoch (augmentation, masks, ``cache=None``), or a subclass overrides
            ``__getitem__``.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C", "CC"], CharacterVocab(["C"]))
        >>> next(iter(ds.dataloader(2, resident=True)))[0]
        tensor([[0, 4, 1, 2],
                [0, 4, 4, 1]])
        """
        if not self._samples_are_fields():
            raise DatasetError(
                f"{type(self).__name__} overrides __getitem__, so its samples are made one by one; leave out resident"
            )
        where = torch.empty(0, device=get_device() if device is None else device).device
        if all(field.device == where for field in self.fields):
            return self
        made = copy.copy(self)
        made.fields = tuple(field.to(where, self._storage_rows()) for field in self.fields)
        made._storage_index = None
        return made

    def batch(self, rows: Any = None, *, device: torch.device | str | None = None) -> Batch:
        """Return one batch of the rows `rows` (all by default), in their order.

        Parameters
        ----------
        rows : array of int, or mask, optional
            Which rows.
        device : torch.device or str, optional
            Where to; torch's default device if not given.

        Returns
        -------
        What the collate function returns.

        Raises
        ------
        IndexError
            If they are not rows of this dataset.

        Examples
        --------
        >>> from mrl.data import VectorDataset
        >>> VectorDataset(["C", "CC", "CCC"], len).batch([2, 0])
        tensor([[3.],
                [1.]])
        """
        samples = self.__getitems__(range(len(self)) if rows is None else rows)
        return cast(Batch, to_device(with_list_of_samples(self.collate_function)(samples), device))

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
        collate_fn: Collate | None = None,
        output: Literal["tuple", "dict"] = "tuple",
        padding: Padding | None = None,
        **torch_kwargs: Any,
    ) -> Loader:
        """Return the batches of this dataset.

        Parameters
        ----------
        bs : int
            Rows per batch of this process; the global batch is bs x world size.
        num_workers : int
            Processes that make batches. -1 decides: none where batches are compiled or the dataset is small, else at
            most one per CPU; the environment variable ``ncpus`` is an upper bound.
        shuffle : bool
            Whether the order is random, a different one in each epoch.
        seed : int
            Determines the order.
        device : torch.device or str, optional
            Where batches end up; torch's default device if not given.
        drop_last : bool
            Leave out the short batch at the end.
        max_tokens : int, optional
            Instead of `bs` rows, as many rows of similar length as have at most this many tokens with their padding, in
            random order; the additional column of `sequence_prediction_collate` is not counted. The limit holds for the
            global batch, `max_tokens` x world size; with several ranks the part of one may have up to one row more.
        bucket : bool
            Shuffled, with rows of similar length together.
        resident : bool
            Keep the data in the memory of `device` (ids in one or two bytes each), and make batches there; for datasets
            that do not change with the epoch.
        rank, world_size : int, optional
            Which part of each global batch this process gets; from ``torch.distributed`` where it runs by the time that
            an epoch begins.
        order : Order, optional
            Your own order of global batches, instead of what `shuffle`, `seed`, `drop_last`, `max_tokens` and `bucket`
            make; its batches have bs x world size rows where they are of one size.
        collate_fn : callable, optional
            A collate function other than the dataset's.
        output : {"tuple", "dict"}
            ``"dict"`` gives ``input_ids``, ``attention_mask``, ``labels`` (-100 at padding), ``lengths``, ``index``:
            see `dict_collate`.
        padding : Padding, optional
            The width and side of padding, for the collate function.
        **torch_kwargs
            Passed on to the ``torch.utils.data.DataLoader`` that owns the workers. How they start
            (``multiprocessing_context``) is chosen if not given: by fork on Linux while CUDA is unused, else by
            forkserver or spawn, and then with the large arrays in shared memory. ``persistent_workers`` see the dataset
            as it was when they started.

        Returns
        -------
        Loader

        Raises
        ------
        TypeError
            If options exclude each other, or are not known.
        DatasetError
            If `order` does not fit this dataset or `bs`, or `resident` is not possible.

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
        check_torch_options(torch_kwargs)
        options = OrderOptions(shuffle, seed, drop_last, max_tokens, bucket)
        make_order = options.maker(self, bs) if order is None else check_order(order, options, len(self), bs)
        collate = choose_collate(self.collate_function, collate_fn, output, padding)
        dataset = self
        if resident:
            dataset, num_workers, torch_kwargs = self.resident(device), 0, {}
        elif num_workers == -1:
            compiled = self._samples_are_fields() and all(field.compiled for field in self.fields)
            num_workers = choose_num_workers(len(self), compiled=compiled)
        return Loader(
            dataset,
            make_order,
            collate,
            num_workers=num_workers,
            rank=rank,
            world_size=world_size,
            device=device,
            **torch_kwargs,
        )
