"""`Records`: rows as declared columns plus configuration; views of them, and others of the same kind."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset

from mrl.data.columns import Rows64, row_numbers, select, values_of
from mrl.data.fields import Field
from mrl.data.order import shuffled_positions
from mrl.data.splitting import count_rows
from mrl.errors import ColumnError, DatasetError
from mrl.features import OnError, require_on_error
from mrl.ragged import Ragged, Rejects

__all__ = ["Records"]

_OWN = ("columns", "fields", "kept", "row_arguments", "_rejects", "_stored")


class Records(Dataset[Any]):
    """What `BaseDataset` is without batches: its rows."""

    row_arguments: tuple[str, ...] = ()
    """Names of the constructor's arguments that hold one value per row; `new` takes them in this order."""

    settled: ClassVar[tuple[str, ...]] = ()
    """Names of the settings that rows are made with: to change one, make another data set."""

    columns: dict[str, Any]
    fields: tuple[Field, ...]
    kept: Rows64

    def __init__(self, collate_function: Callable[[Any], Any]) -> None:
        self.collate_function = collate_function
        self._clear()

    def _clear(self) -> None:
        """Be a data set without rows."""
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

    def _set(self, columns: dict[str, Any], on_error: OnError | None = None, ids: Ragged | None = None) -> None:
        """Fill this data set, which has none yet, with rows; `ids` are their tokens where those are given."""
        if on_error is not None:
            require_on_error(on_error)
        self.columns = self.checked(columns)
        for name in self.columns:  # a subclass may have set it before the columns were there
            self.__dict__.pop(name, None)
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
        if ids is not None:
            for field in self.fields:
                if hasattr(field, "use"):
                    field.use(ids)
        self.kept = np.arange(n)
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

    def __setattr__(self, name: str, value: Any) -> None:
        # Setting these would change what is seen, and not what is batched.
        if name in self.__dict__.get("columns", ()):
            raise AttributeError(
                f"{name!r} is a column; make a data set of other values with ds.new(..., {name}=values)"
            )
        if name in self.settled and self.__dict__.get("fields") and self.__dict__.get(name, value) is not value:
            raise AttributeError(f"{name!r} is what the rows were made with; make another {type(self).__name__}")
        super().__setattr__(name, value)

    def __len__(self) -> int:
        return len(self.kept)

    def __repr__(self) -> str:
        rejected = f", {len(self._rejects)} rejected" if len(self._rejects) else ""
        return f"{type(self).__name__}({len(self)} rows of {', '.join(self.columns) or 'nothing'}{rejected})"

    def __getitem__(self, i: Any) -> Any:
        """Give one sample: a tensor, or a tuple of tensors."""
        try:
            n, i = len(self), operator.index(i)
        except TypeError:
            raise TypeError(
                f"row {i!r} is no whole number; for several rows use ds.view(rows) or ds.batch(rows)"
            ) from None
        if not -n <= i < n:
            raise IndexError(f"row {i} of a data set of {n} rows")
        if not self.fields:
            raise NotImplementedError(
                f"{type(self).__name__} does not say what a sample is; override declare or __getitem__"
            )
        return self.sample(i % n)

    def sample(self, i: int, epoch: int = 0) -> Any:
        """Give the sample of row `i`, 0 <= i < n, as it is in epoch `epoch`."""
        row = int(self.stored_rows(np.array([i]))[0])
        sample = tuple(field.sample(row, epoch) for field in self.fields)
        return sample[0] if len(sample) == 1 else sample

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
        if name in self.columns or name in self.__dict__ or hasattr(type(self), name):
            raise ColumnError(f"there is a column or attribute {name!r} already; choose another name", column=name)
        column = values_of(values, name)
        if not self.columns and not len(self.kept):  # the first one says how many rows there are
            self.kept = np.arange(len(column))
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
        return self._made(self._given(columns, named), on_error)

    def _given(self, columns: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """The columns that were given to `new`, by name."""
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
        return given

    def _made(self, given: dict[str, Any], on_error: OnError | None, ids: Ragged | None = None) -> Self:
        """A data set like this one with these columns."""
        made = self._copy()
        made._clear()
        made._set({name: given.get(name) for name in self.row_arguments}, on_error, ids)
        for name, values in given.items():
            if name not in self.row_arguments:
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
            if name in _OWN or not _looks_like_rows(value):
                continue
            if len(value) == len(self) > 0:
                raise DatasetError(
                    f"the attribute {name!r} has as many values as there are rows ({len(self)}) and is not declared: "
                    f"it would be paired with wrong rows; use ds.add_column({name!r}, values) instead (or hold what "
                    "belongs to no row in a dict)"
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
        rows = row_numbers(rows, len(self)).copy()  # the caller may go on to change them
        made = self._copy()
        if not self.columns:
            raise NotImplementedError(
                f"{type(self).__name__} declares no columns, so its rows are not known here; use ds.add_column, or "
                "override split_on_idxs"
            )
        made._choose(rows)
        return made

    def split(self, percent_valid: float, seed: int = 0) -> tuple[Self, Self]:
        """Split at random into a training and a validation view.

        Parameters
        ----------
        percent_valid : float
            The fraction for validation, 0 < p < 1; the training part has n * (1 - p) rows, rounded down, exactly.
        seed : int
            Names the split: the same seed gives the same one on any machine.

        Returns
        -------
        train, valid : BaseDataset
            Views; disjoint, and together every row; only the training rows are augmented where the data set is.

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
        train = count_rows(1 - percent_valid, n)
        rows = shuffled_positions(np.arange(n), n, f"split {operator.index(seed)}")
        return self.split_on_idxs(rows[:train], rows[train:])

    def split_on_idxs(self, train_idxs: Any, valid_idxs: Any) -> tuple[Self, Self]:
        """Give two views, of the rows `train_idxs` and, as they stand, of the rows `valid_idxs`."""
        return self.view(train_idxs), self.view(valid_idxs).plain()

    def plain(self) -> Self:
        """Give these rows as they stand: a view without augmentation, to validate and test on."""
        fields = tuple(field.plain() if hasattr(field, "plain") else field for field in self.fields)
        if all(field is own for field, own in zip(fields, self.fields, strict=True)):
            return self
        made = self._copy()
        made.fields = fields
        made.__dict__["augment"] = None  # for rows that `new` makes from it
        return made


def _looks_like_rows(value: Any) -> bool:
    """Whether it is a list, tuple, array, tensor, Series, frame or column."""
    if isinstance(value, (list, tuple)):
        return True
    listing = ("tolist", "to_list", "to_pylist", "iloc")
    return not isinstance(value, type) and getattr(value, "ndim", 1) > 0 and any(hasattr(value, n) for n in listing)
