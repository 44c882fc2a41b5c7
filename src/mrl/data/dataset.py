"""`BaseDataset`: declared columns plus configuration. A task is a layout of fields over it, not code of its own."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mrl.data.collate_dict import dict_collate
from mrl.data.columns import Rows64, select, values_of
from mrl.data.device import to_device
from mrl.data.fields import Field
from mrl.data.loader import Loader, available_cpus
from mrl.data.order import Bucketed, Order, Sequential, Shuffled, TokenBudget, permuted
from mrl.data.rows import Rows
from mrl.errors import ColumnError, DatasetError
from mrl.features import OnError
from mrl.ragged import Rejects

__all__ = ["BaseDataset"]


class BaseDataset(Dataset[Any]):
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

    row_arguments: ClassVar[tuple[str, ...]] = ()
    """Names of the constructor's arguments that hold one value per row; `new` takes them in this order."""

    columns: dict[str, Any]
    fields: tuple[Field, ...]
    kept: Rows64

    def __init__(self, collate_function: Callable[[Any], Any]) -> None:
        self.collate_function = collate_function
        self.columns = {}
        self.fields = ()
        self._rejects = Rejects.of([])
        self.kept = np.zeros(0, np.int64)
        self._stored: Rows64 | None = None  # which rows of the fields are this view's; all of them where None

    # --- what a task says ----------------------------------------------------------------------------------------

    def declare(self, columns: Mapping[str, Any]) -> tuple[Field, ...]:
        """Say what a sample is made of, given the columns; a task overrides this one method.

        Parameters
        ----------
        columns : mapping of str to column
            The row arguments.

        Returns
        -------
        tuple of Field
            The parts of a sample, in their order.
        """
        return ()

    def checked(self, columns: dict[str, Any]) -> dict[str, Any]:
        """Turn row arguments as the user gave them into columns; a task with labels fills in missing ones here."""
        return {name: values_of(values, name) for name, values in columns.items()}

    def refused(self, on_error: OnError | None) -> tuple[NDArray[np.bool_], Rejects] | None:
        """Say which stored rows cannot stay (False), and why; None where rows are checked when they are used."""
        return None

    def _set(self, columns: dict[str, Any], on_error: OnError | None = None) -> None:
        """Fill this data set with rows."""
        self.columns = self.checked(columns)
        self._stored = None
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{name} has {n}" for name, n in lengths.items())
            raise ColumnError(
                f"the columns have different numbers of rows: {said}; give one value for each row (NaN where a label "
                "is missing)",
                column=list(lengths)[-1],
            )
        n = next(iter(lengths.values()), 0)
        self.fields = self.declare(self.columns)
        self.kept = np.arange(n)
        self._rejects = Rejects.of([])
        if (verdict := self.refused(on_error)) is not None:
            ok, self._rejects = verdict
            if not ok.all():
                self._choose(np.flatnonzero(ok))

    # --- rows ----------------------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        columns = self.__dict__.get("columns", {})
        if name in columns:
            return columns[name]
        raise AttributeError(f"{type(self).__name__} has no attribute or column {name!r}")

    def __len__(self) -> int:
        return len(self.kept)

    def __repr__(self) -> str:
        rejected = f", {len(self.rejects)} rejected" if len(self.rejects) else ""
        return f"{type(self).__name__}({len(self)} rows of {', '.join(self.columns) or 'nothing'}{rejected})"

    def __getitem__(self, i: Any) -> Any:
        """Give one sample: a tensor, or a tuple of tensors."""
        n, i = len(self), int(i)
        if not -n <= i < n:
            raise IndexError(f"row {i} of a data set of {n} rows")
        row = int(self.stored_rows(np.array([i % n]))[0])
        sample = tuple(field.sample(row) for field in self.fields)
        return sample[0] if len(sample) == 1 else sample

    def __getitems__(self, rows: Any) -> Any:
        """Give the samples of `rows`, lazily; one compiled gather where mrl's collate functions take them."""
        index = np.asarray(rows, np.int64).reshape(-1)
        if len(index) and (index.min() < 0 or index.max() >= len(self)):
            raise IndexError(f"rows {int(index.min())} to {int(index.max())} of a data set of {len(self)} rows")
        if type(self).__getitem__ is not BaseDataset.__getitem__:  # a subclass changed what a sample is
            return [self[int(row)] for row in index]
        return Rows(self, index)

    def stored_rows(self, rows: Rows64) -> Rows64:
        """Rows of the fields that stand behind rows of this data set."""
        return rows if self._stored is None else self._stored[rows]

    def prepare(self) -> None:
        """Do now what is done once (encoding), before the data set is copied into workers."""
        for field in self.fields:
            field.prepare()

    @property
    def rejects(self) -> Rejects:
        """Rows that were refused: row, text, stage, reason."""
        return self._rejects

    @property
    def ok(self) -> NDArray[np.bool_]:
        """For each row, whether all of it could be computed; False only under ``on_error="mask"``. Shape (n,)."""
        return np.ones(len(self), bool)

    def add_column(self, name: str, values: Any) -> None:
        """Give each row one more value, which views and splits carry along.

        Parameters
        ----------
        name : str
            A new name; the values are then ``ds.<name>`` too.
        values : column
            n values.

        Raises
        ------
        ColumnError
            If the name is taken, or the number of values is not the number of rows.
        """
        if name in self.columns or hasattr(type(self), name):
            raise ColumnError(f"there is a column or attribute {name!r} already; choose another name", column=name)
        column = values_of(values, name)
        if len(column) != len(self):
            raise ColumnError(f"{name} has {len(column)} values for {len(self)} rows; give one for each", column=name)
        self.columns = {**self.columns, name: column}

    # --- other data sets of the same kind ------------------------------------------------------------------------

    def new(self, *columns: Any, on_error: OnError | None = None, **named: Any) -> Self:
        """Make a data set from new rows, configured as this one: same vocabulary, functions, collate, settings.

        Parameters
        ----------
        *columns, **named
            The constructor's row arguments, in their order or by name; labels may be left out and are then missing
            (NaN, or -100 for integer classes). Columns that were added may be given by name.
        on_error : {"raise", "drop", "mask"}, optional
            Other than this data set's, for the new one.

        Returns
        -------
        BaseDataset
            Of the same class.

        Raises
        ------
        TypeError
            If there are too many columns, or one that this data set does not have.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C"], CharacterVocab(["C"]))
        >>> ds.new(["CC", "CCC"])
        TextDataset(2 rows of smiles)
        """
        if not self.row_arguments:
            raise NotImplementedError(f"{type(self).__name__} declares no row arguments; override new")
        if len(columns) > len(self.row_arguments):
            raise TypeError(
                f"new takes {len(self.row_arguments)} column(s) ({', '.join(self.row_arguments)}), got {len(columns)}; "
                "the rest of the configuration is this data set's own"
            )
        given = dict(zip(self.row_arguments, columns, strict=False))
        for name, values in named.items():
            if name in given:
                raise TypeError(f"new got the column {name!r} twice")
            if name not in self.row_arguments and name not in self.columns:
                raise TypeError(f"new got {name!r}, which is no column of this data set: {', '.join(self.columns)}")
            given[name] = values
        if self.row_arguments[0] not in given:
            raise TypeError(f"new needs the column {self.row_arguments[0]!r}")
        made = self._copy()
        made._set({name: given.pop(name, None) for name in self.row_arguments}, on_error)
        for name, values in given.items():
            made._add_all(name, values)
        return made

    def _add_all(self, name: str, values: Any) -> None:
        """Add a column given for all rows that came in, of which some may have been refused."""
        column = values_of(values, name)
        total = len(self.kept) + len(self._rejects)
        if len(column) != total:
            raise ColumnError(f"{name} has {len(column)} values for {total} rows; give one for each", column=name)
        self.add_column(name, column if total == len(self) else select(column, self.kept))

    def _copy(self) -> Self:
        """A shallow copy to be filled with other rows; refuses attributes that would then belong to wrong rows."""
        for name, value in vars(self).items():
            if name in ("columns", "fields", "kept", "_rejects", "_stored"):
                continue
            if isinstance(value, (list, tuple, np.ndarray, torch.Tensor)) or hasattr(value, "iloc"):
                length = len(value) if not (hasattr(value, "ndim") and value.ndim == 0) else -1
                if length == len(self) and length > 0:
                    raise DatasetError(
                        f"the attribute {name!r} has as many values as there are rows ({length}) and is not declared: "
                        f"it would be paired with wrong rows; use ds.add_column({name!r}, values) instead"
                    )
        return copy.copy(self)

    def _choose(self, rows: Rows64) -> None:
        """Keep the rows `rows` of this data set, in their order, copying none."""
        self.columns = {name: select(column, rows) for name, column in self.columns.items()}
        self._stored = self.stored_rows(rows)
        self.kept = self.kept[rows]

    def view(self, rows: Any) -> Self:
        """Give some rows, in their order, as a data set that copies none of them.

        Parameters
        ----------
        rows : array of int or bool
            Which rows.

        Returns
        -------
        BaseDataset
        """
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {int(rows.min())} to {int(rows.max())} of a data set of {len(self)} rows")
        made = self._copy()
        made._choose(rows)
        return made

    def split(self, percent_valid: float, seed: int = 0) -> tuple[Self, Self]:
        """Split at random into a training and a validation view.

        Parameters
        ----------
        percent_valid : float
            The fraction for validation, 0 < p < 1; the training part has ``floor(n * (1 - p))`` rows, exactly.
        seed : int
            Names the split: the same seed gives the same one on any machine.

        Returns
        -------
        train, valid : BaseDataset
            Views; disjoint, and together every row.

        Raises
        ------
        ValueError
            If `percent_valid` is not between 0 and 1.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C"] * 10, CharacterVocab(["C"]))
        >>> [len(part) for part in ds.split(0.9)]
        [1, 9]
        """
        if not 0 < percent_valid < 1:
            raise ValueError(f"percent_valid is {percent_valid}; expected a fraction between 0 and 1, such as 0.1")
        n = len(self)
        train = int(n * (1 - Fraction(repr(float(percent_valid)))))
        rows = permuted(range(n), n, f"split {seed}")
        return self.split_on_idxs(rows[:train], rows[train:])

    def split_on_idxs(self, train_idxs: Any, valid_idxs: Any) -> tuple[Self, Self]:
        """Give two views, of the rows `train_idxs` and of the rows `valid_idxs`."""
        return self.view(train_idxs), self.view(valid_idxs)

    # --- batches -------------------------------------------------------------------------------------------------

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
        return to_device(
            self.collate_function(self.__getitems__(np.arange(len(self)) if rows is None else rows)), device
        )

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
        rank: int | None = None,
        world_size: int | None = None,
        order: Order | None = None,
        collate_fn: Callable[[Any], Any] | None = None,
        form: str = "tuple",
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
            Instead of `bs` rows, as many rows of like length as have at most so many tokens with their padding.
        bucket : bool
            Shuffled, with rows of like length together.
        rank, world_size : int, optional
            Which part of each global batch is this process's; from ``torch.distributed`` where it runs.
        order : Order, optional
            An order of your own, of global batches.
        collate_fn : callable, optional
            Another collate function than the data set's.
        form : {"tuple", "dict"}
            ``"dict"`` gives ``input_ids``, ``attention_mask``, ``labels`` (-100 at padding), ``lengths``, ``index``.
        **torch_kwargs
            Passed on to the ``torch.utils.data.DataLoader`` that owns the workers.

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
        refuse_torch_options(torch_kwargs)
        if form not in ("tuple", "dict"):
            raise ValueError(f"form is {form!r}; expected 'tuple' or 'dict'")
        if form == "dict" and collate_fn is not None:
            raise TypeError("form='dict' is a collate function of its own; give either form or collate_fn")
        if rank is None or world_size is None:
            running = torch.distributed.is_available() and torch.distributed.is_initialized()
            rank = rank if rank is not None else torch.distributed.get_rank() if running else 0
            world_size = world_size if world_size is not None else torch.distributed.get_world_size() if running else 1
        if order is None:
            order = self._order(bs, world_size, shuffle, seed, drop_last, max_tokens, bucket)
        elif order.n != len(self):
            raise DatasetError(f"the order has {order.n} rows and the data set {len(self)}; make it for this data set")
        return Loader(
            self,
            order,
            dict_collate if form == "dict" else collate_fn or self.collate_function,
            batch_size=None if max_tokens is not None else bs,
            num_workers=self._workers() if num_workers == -1 else num_workers,
            rank=rank,
            world_size=world_size,
            device=device,
            **torch_kwargs,
        )

    def _order(
        self, bs: int, world_size: int, shuffle: bool, seed: int, drop_last: bool, max_tokens: int | None, bucket: bool
    ) -> Order:
        n, size = len(self), bs * world_size
        if max_tokens is not None:
            return TokenBudget(self.lengths(), max_tokens * world_size, seed)
        if bucket:
            return Bucketed(self.lengths(), size, seed, drop_last)
        return Shuffled(n, size, seed, drop_last) if shuffle else Sequential(n, size, drop_last)

    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each row, ``bos`` and ``eos`` included; shape (n,)."""
        for field in self.fields:
            if hasattr(field, "lengths"):
                lengths: NDArray[np.int64] = field.lengths()
                return lengths if self._stored is None else lengths[self._stored]
        raise DatasetError(f"{type(self).__name__} has no tokens, so its rows have no lengths to order them by")

    def _workers(self) -> int:
        """Processes pay only where Python code runs for each row, and keeps nothing that this process would need."""
        compiled = type(self).__getitem__ is BaseDataset.__getitem__ and all(
            field.compiled or getattr(field, "cache", None) is not None for field in self.fields
        )
        return 0 if compiled else min(available_cpus(), len(self) // 4096)


def refuse_torch_options(options: dict[str, Any]) -> None:
    """Say by name which options of torch's DataLoader mrl decides itself, and which do not exist."""
    ours = {"sampler": "order=", "batch_sampler": "order=", "batch_size": "bs", "generator": "seed="}
    known = set(inspect.signature(torch.utils.data.DataLoader.__init__).parameters) - {"self", "dataset"}
    for name in options:
        if name in ours:
            raise TypeError(f"dataloader takes no {name!r}; the order is data here: use {ours[name]}")
        if name not in known:
            raise TypeError(f"dataloader got {name!r}, which neither mrl nor torch's DataLoader knows")
