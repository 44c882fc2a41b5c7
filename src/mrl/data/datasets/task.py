"""`Task`: what makes one kind of dataset different from another, as a value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from mrl.data.batch import Collate
from mrl.data.columns import Rows64, Values, is_stored, number_blocks, number_column
from mrl.data.fields.field import Field
from mrl.errors import ColumnError, RowError
from mrl.ragged import IGNORED, Ragged, Rejects, Text, as_text

Ok = NDArray[np.bool_]
FLOAT32: np.dtype[Any] = np.dtype(np.float32)


class ColumnKind(Protocol):
    """What a row argument of a dataset holds, for `Task`."""

    def validate(self, values: Any, name: str) -> Any:
        """Return the values of a row argument as a column.

        Parameters
        ----------
        values : column of n values
            What the user gave.
        name : str
            The name of the argument, for messages.

        Returns
        -------
        column of n values

        Raises
        ------
        ColumnError
            If `values` is not a column of this kind.
        RowError
            If a value is not of this kind: row, column, value.
        """

    def missing(self, n: int, like: Any) -> Any:
        """Return the column of rows that were given without it.

        Parameters
        ----------
        n : int
            Number of rows.
        like : column or None
            The column of the dataset that ``new`` was called on.

        Returns
        -------
        column of n values, or None
            None if the column cannot be left out.
        """


@dataclass(frozen=True)
class Task:
    """Columns, fields and a collate function: what a kind of dataset is, apart from its rows and settings.

    Parameters
    ----------
    columns : mapping of str to ColumnKind
        The row arguments, in the order of the constructor and of ``new``; the first one cannot be left out.
    make_fields : callable
        ``make_fields(ds)`` returns the fields of a sample from ``ds.columns`` and the settings of `ds`.
    collate : callable
        From samples to a batch, for a dataset that was given no collate function. Its argument ``pad_idx``, if it has
        one, gets the id of padding, and arguments named like settings of the dataset get their values.
    generates : str, optional
        The column that a model generates, for ``from_ids``.
    generated_vocab : str
        The setting that holds the vocabulary of that column.
    filter_rows : callable, optional
        ``filter_rows(ds)`` returns which stored rows stay, bool (n,), and `Rejects` of the others; None if all stay.
    divide_rows : callable, optional
        ``divide_rows(ds, columns, ids)`` returns columns that have several rows for one that was given, and of each the
        number of that one; None if each stays one. `ids` are those of the column that a model generates, if known.

    Notes
    -----
    Datasets are sent to worker processes, so the functions of a task should be picklable: functions of a module, not
    lambdas.

    Examples
    --------
    >>> from mrl.data import BaseDataset, vector_collate
    >>> from mrl.data import Numbers
    >>> def number_fields(ds):
    ...     return (Numbers(ds.columns["x"], "vectors"),)
    >>> task = Task({"x": NumberColumn()}, number_fields, vector_collate)
    >>> BaseDataset.from_task(task, {"x": [[1, 2], [3, 4]]}).batch([1])
    tensor([[3., 4.]])

    What the constructor and ``new`` do with their arguments:

    >>> task.validate_columns(task.name_columns(([[5, 6]],), {}, {}), {})
    {'x': Values(array([[5., 6.]], dtype=float32))}
    """

    columns: Mapping[str, ColumnKind] = field(default_factory=lambda: MappingProxyType({}))
    make_fields: Callable[[Any], tuple[Field, ...]] | None = None
    collate: Collate | None = None
    generates: str | None = None
    generated_vocab: str = "vocab"
    filter_rows: Callable[[Any], tuple[Ok, Rejects] | None] | None = None
    divide_rows: Callable[[Any, dict[str, Any], Ragged | None], tuple[dict[str, Any], Rows64] | None] | None = None

    def bind_collate(self, ds: Any) -> Callable[[Any], Any] | None:
        """Return the collate function for a dataset, with what it needs of its vocabulary and settings.

        Parameters
        ----------
        ds : BaseDataset
            Its settings are read.

        Returns
        -------
        callable or None
            From samples to a batch; None if the task has none.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> TextDataset.task.bind_collate(TextDataset(["C"], CharacterVocab("C"))).keywords
        {'pad_idx': 2}
        """
        if self.collate is None:
            return None
        names = inspect.signature(self.collate).parameters
        values = {name: getattr(ds, name) for name in names if name in ds.frozen_settings}
        if "pad_idx" in names:
            values["pad_idx"] = ds.vocab.stoi["pad"]
        return partial(self.collate, **values) if values else self.collate

    def validate_columns(self, given: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row arguments as columns of one length; those that were left out are filled in.

        Parameters
        ----------
        given : mapping of str to column
            What the user gave.
        like : mapping of str to column
            The columns of the dataset that ``new`` was called on, if any.

        Returns
        -------
        dict of str to column
            In the order of the task.

        Raises
        ------
        ColumnError
            If a column is missing that has no default, or is not as long as the others.
        RowError
            If a value is not what its column holds.
        """
        present = {
            name: kind.validate(given[name], name)
            for name, kind in self.columns.items()
            if given.get(name) is not None or (name in given and kind.missing(0, None) is None)
        }
        lengths = {name: len(column) for name, column in present.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{name} has {n}" for name, n in lengths.items())
            raise ColumnError(
                f"the columns have different numbers of rows: {listed}; give one value for each row (NaN where a label "
                "is missing)",
                column=list(lengths)[-1],
            )
        n = next(iter(lengths.values()), 0)
        made = {
            name: present[name] if name in present else kind.missing(n, like.get(name))
            for name, kind in self.columns.items()
        }
        if missing := [name for name, column in made.items() if column is None]:
            raise ColumnError(f"the column {missing[0]!r} is missing; give one value for each row", column=missing[0])
        return made

    def name_columns(
        self, given: tuple[Any, ...], named: Mapping[str, Any], known: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the columns that were given to ``new``, by name.

        Parameters
        ----------
        given : tuple of column
            In the order of the task.
        named : mapping of str to column
            Row arguments of the task, or added columns.
        known : mapping of str to column
            The columns of the dataset.

        Returns
        -------
        dict of str to column

        Raises
        ------
        TypeError
            If there are too many, or one that is not known, or the first one is missing.
        NotImplementedError
            If the task has no columns.
        """
        names = tuple(self.columns)
        if not names:
            raise NotImplementedError("this dataset has no row arguments; override new")
        if len(given) > len(names):
            raise TypeError(
                f"new takes {len(names)} column(s) ({', '.join(names)}), got {len(given)}; all other settings are "
                "those of this dataset"
            )
        made = dict(zip(names, given, strict=False))
        for name, values in named.items():
            if name in made:
                raise TypeError(f"new got the column {name!r} twice")
            if name not in names and name not in known:
                raise TypeError(f"new got {name!r}, which is not a column of this dataset: {', '.join(known)}")
            made[name] = values
        if names[0] not in made:
            raise TypeError(f"new needs the column {names[0]!r}")
        return made


@dataclass(frozen=True)
class TextColumn(ColumnKind):
    """A column of text.

    Parameters
    ----------
    default : str, optional
        The text of rows that are given without one; None if the column cannot be left out.

    Examples
    --------
    >>> TextColumn().validate(("C", "CO"), "smiles").tolist()
    ['C', 'CO']
    >>> TextColumn().missing(2, like=None), TextColumn(default="").missing(2, like=None).tolist()
    (None, ['', ''])
    """

    default: str | None = None

    def validate(self, values: Any, name: str) -> Any:
        return text_column(values, name)

    def missing(self, n: int, like: Any) -> Any:
        return None if self.default is None else Text.of([self.default] * n)


@dataclass(frozen=True)
class NumberColumn(ColumnKind):
    """A column of one or T numbers per row, of which some may be missing: NaN, or -100 for integer classes.

    If it is left out, all are missing, as many per row as in the dataset that ``new`` was called on.

    Parameters
    ----------
    dtype : dtype
        float16, float32, float64, or an integer type.

    Examples
    --------
    >>> NumberColumn().validate([1, None], "y_vals")
    Values(array([ 1., nan], dtype=float32))
    >>> NumberColumn(np.dtype("int64")).missing(2, like=None)
    Values(array([-100, -100]))
    """

    dtype: np.dtype[Any] = FLOAT32

    def validate(self, values: Any, name: str) -> Any:
        return number_column(values, name, self.dtype)

    def missing(self, n: int, like: Any) -> Any:
        shape = () if like is None else like.take(np.zeros(0, np.int64)).shape[1:]
        return Values(np.full((n, *shape), np.nan if self.dtype.kind == "f" else IGNORED, self.dtype))


@dataclass(frozen=True)
class WeightColumn(ColumnKind):
    """A column of one weight per row: a finite number, 0 or more; 1 if it is left out.

    Examples
    --------
    >>> WeightColumn().validate([0, 2.5], "weights")
    Values(array([0. , 2.5], dtype=float32))
    >>> WeightColumn().missing(2, like=None)
    Values(array([1., 1.], dtype=float32))
    """

    def validate(self, values: Any, name: str) -> Any:
        column = number_column(values, name, FLOAT32)
        start = 0
        for array in number_blocks(column):
            if array.ndim != 1:
                shape = (len(column), *array.shape[1:])
                raise ColumnError(f"{name} has the shape {shape}; expected (n,), one for each row", column=name)
            wrong = ~(np.isfinite(array) & (array >= 0))
            if wrong.any():
                place = int(np.argmax(wrong))
                raise RowError(
                    f"row {start + place} of {name} is {array[place]}; expected a finite number, 0 or more (0 leaves a "
                    "row out of a loss)",
                    row=start + place,
                    column=name,
                    value=float(array[place]),
                )
            start += len(array)
        return column

    def missing(self, n: int, like: Any) -> Any:
        return Values(np.ones(n, np.float32))


def text_column(values: Any, name: str) -> Any:
    """Return text in memory as `Text`, and a column that is not in memory as it is."""
    return values if is_stored(values) else as_text(values, name)


def drop_failed_rows(ds: Any) -> tuple[Ok, Rejects] | None:
    """Return which stored rows could be computed under ``on_error="drop"``, and the rejects: see `Task`."""
    if ds.on_error != "drop":
        return None
    fields: tuple[Field, ...] = ds.fields
    return next(found for each in fields if (found := each.validity()) is not None)


def numpy_dtype(dtype: torch.dtype) -> np.dtype[Any]:
    """Return NumPy's dtype for a torch dtype of targets; ValueError if it is neither a float nor an integer type."""
    try:
        found = torch.zeros(0, dtype=dtype, device="cpu").numpy().dtype
    except TypeError:
        found = np.dtype(object)
    if found.kind not in "fiu":
        raise ValueError(f"y_dtype is {dtype}; expected float16, float32 or float64, or an integer type for classes")
    return found
