"""`RowDataset`: the rows of a dataset: columns, and other datasets of the same kind."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from mrl.data.batch import RequestDataset
from mrl.data.columns import RowIndex, Rows64, row_array, select, take_rows, values_of
from mrl.data.datasets.row_data import SetByInit, require_new_name, warn_of_row_data
from mrl.data.datasets.task import Task
from mrl.data.fields.field import Field
from mrl.data.fields.sampled import sampled_rows
from mrl.data.order.mixed import Mixture
from mrl.data.windows import WindowMap, windowed_text
from mrl.errors import ColumnError, DatasetError
from mrl.formatting import html_preview
from mrl.messages import format_names
from mrl.ragged import OnError, Ragged, Rejects, require_on_error


class RowDataset(RequestDataset):
    """What `BaseDataset` is without samples and batches; see there."""

    task: Task = Task()
    on_error: OnError | None = None
    frozen_settings: frozenset[str] = frozenset()
    """The names of the settings that the rows were made with."""

    mixture: Mixture | None = None
    """Which rows come from which source and how often each is drawn, if `mix` made this dataset."""
    differing_settings: tuple[str, ...] = ()
    """Settings in which the sources differ, if `concat` or `mix` made this dataset."""

    collate_function: Callable[[Any], Any] = cast(Any, SetByInit())
    columns: dict[str, Any] = cast(Any, SetByInit())
    fields: tuple[Field, ...] = ()
    _STATE: ClassVar = frozenset(
        {
            *("columns", "fields", "frozen_settings", "task", "_kept", "_storage_index", "_rejects"),
            *("mixture", "differing_settings"),
        }
    )
    _kept: RowIndex = range(0)  # numbers of the rows among those that the dataset was made from
    _storage_index: RowIndex | None = None  # numbers of the rows among those of the fields; all of them where None
    _rejects: Rejects = Rejects([])

    def __init__(self, collate_function: Callable[[Any], Any] | None = None, **settings: Any) -> None:
        self.columns = {}
        self.frozen_settings = frozenset(settings)
        self.__dict__.update(settings)
        if collate_function is None:
            collate_function = self.task.bind_collate(self)
        if collate_function is not None:
            self.collate_function = collate_function

    @classmethod
    def from_task(
        cls,
        task: Task,
        columns: Mapping[str, Any],
        collate_function: Callable[[Any], Any] | None = None,
        **settings: Any,
    ) -> Self:
        """Return a dataset for a task.

        Parameters
        ----------
        task : Task
            Which columns it takes, and what it makes of them.
        columns : mapping of str to column
            The row arguments of the task; those with a default may be left out.
        collate_function : callable, optional
            From samples to a batch; the task's if not given.
        **settings
            What the functions of the task read from the dataset, such as ``vocab``.

        Returns
        -------
        BaseDataset

        Raises
        ------
        ColumnError, RowError
            As `set_rows` does.

        Examples
        --------
        >>> from mrl.data import BaseDataset, NumberColumn, Task
        >>> BaseDataset.from_task(Task({"x": NumberColumn()}), {"x": [0.5, 1.5]})
        BaseDataset(2 rows of x)
        """
        made = cls.__new__(cls)
        made.task = task
        RowDataset.__init__(made, collate_function, **settings)
        made.set_rows(columns)
        return made

    def set_rows(
        self, columns: Mapping[str, Any], *, ids: Ragged | None = None, like: Mapping[str, Any] | None = None
    ) -> int:
        """Fill this dataset, which has no rows yet; the last step of a constructor.

        Parameters
        ----------
        columns : mapping of str to column
            The row arguments of the task, as the user gave them.
        ids : Ragged, optional
            The ids of the column that a model generates, if they are known already.
        like : mapping of str to column, optional
            Columns of another dataset of this kind, for the shape of those that were left out.

        Returns
        -------
        int
            The number of rows given; some of them may have been rejected.

        Raises
        ------
        ColumnError
            If a column is missing, or not as long as the others.
        RowError
            If a value is not what its column holds: row, column, value.
        """
        if self.on_error is not None:
            require_on_error(self.on_error)
        found = self.task.validate_columns(columns, like or {})
        n = len(next(iter(found.values()), ()))
        kept: RowIndex = range(n)
        if self.task.divide_rows is not None and (divided := self.task.divide_rows(self, found, ids)) is not None:
            found, kept = divided
        self._replace_columns(found)
        self.fields = () if self.task.make_fields is None else self.task.make_fields(self)
        if ids is not None and self.task.generates is not None:
            generated = self.columns[self.task.generates]
            self.fields = tuple(field.with_ids(generated, ids) for field in self.fields)
        self._kept, self._storage_index, self._rejects = kept, None, Rejects([])
        if self.task.filter_rows is not None and (filtered := self.task.filter_rows(self)) is not None:
            ok, self._rejects = filtered
            if not ok.all():
                self._choose(np.flatnonzero(ok))
        return n

    def _replace_columns(self, columns: dict[str, Any]) -> None:
        for name in self.columns:
            self.__dict__.pop(name, None)
        self.columns = columns
        self.__dict__.update(columns)

    def __len__(self) -> int:
        return len(self._kept)

    def __setattr__(self, name: str, value: Any) -> None:
        # A column or a setting that changed here would change what is seen, and not what is batched.
        if name in self.__dict__.get("columns", ()):
            raise AttributeError(
                f"{name!r} is a column; make a dataset with other values by ds.new(..., {name}=values)"
            )
        if name in self.frozen_settings and self.fields and self.__dict__[name] is not value:
            raise AttributeError(f"the rows were made with {name!r}; make another {type(self).__name__}")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        rejected = f", {len(self.rejects)} rejected" if self.on_error != "mask" and len(self._rejects) else ""
        mixed = "" if self.mixture is None else f"; a mixture of {', '.join(self.mixture.names)}"
        return f"{type(self).__name__}({len(self)} rows of {', '.join(self.columns) or 'nothing'}{rejected}{mixed})"

    def _repr_html_(self) -> str:
        shown = np.arange(min(len(self), 5))
        first = {name: column.take(shown) for name, column in self.columns.items()}
        return html_preview(first, len(self), caption=repr(self))

    @property
    def row_arguments(self) -> tuple[str, ...]:
        """The names of the constructor's arguments that hold one value per row; `new` takes them in this order."""
        return tuple(self.task.columns)

    @property
    def kept(self) -> Rows64:
        """For each row, its number among the rows that the dataset was made from, int64 (n,)."""
        return row_array(self._kept)

    @property
    def storage_rows(self) -> Rows64:
        """For each row, its number among the stored rows of the fields, int64 (n,)."""
        return row_array(self._storage_rows())

    def _storage_rows(self) -> RowIndex:
        return take_rows(self._storage_index, range(len(self)))  # type: ignore[no-any-return]

    def rows_by_source(self) -> tuple[RowIndex, ...]:
        """Return the rows of each source of a mixture; all rows, of a dataset that is not one.

        Returns
        -------
        tuple of range or ndarray of int64

        Examples
        --------
        >>> from mrl.data import TextDataset, mix
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C", "CC"], CharacterVocab("C"))
        >>> mix({"a": ds, "b": ds}).rows_by_source()
        (range(0, 2), range(2, 4))
        """
        return (range(len(self)),) if self.mixture is None else self.mixture.sources(self._kept)

    @property
    def windows(self) -> WindowMap | None:
        """Which part of which text each row is, under ``on_long=Windows(...)``; None for whole texts.

        Examples
        --------
        >>> from mrl.data import TextDataset, Windows
        >>> from mrl.text import NucleotideVocab
        >>> TextDataset(["ACGT", "A"], NucleotideVocab(), max_length=4, on_long=Windows()).windows.rows
        array([0, 0, 1])
        """
        column = windowed_text(self.columns.get(self.task.generates or ""))
        return None if column is None else column.windows

    @property
    def rejects(self) -> Rejects:
        """The rejected rows: row, text, stage, reason; under ``on_error="mask"`` this computes all rows first.

        Rows are counted as in `kept`; a view has the rejects of the dataset that it is a view of.
        """
        found = self._masked()
        return self._rejects if found is None else found[1]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """For each row, whether it could be computed, bool (n,); False only under ``on_error="mask"``."""
        found = self._masked()
        return np.ones(len(self), bool) if found is None else found[0][self.storage_rows]

    def _masked(self) -> tuple[NDArray[np.bool_], Rejects] | None:
        found = (field.validity() for field in self.fields) if self.on_error == "mask" else iter(())
        return next((each for each in found if each is not None), None)

    def add_column(self, name: str, values: Any) -> None:
        """Add a column, which views and splits carry along.

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

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C", "O"], CharacterVocab("CO"))
        >>> ds.add_column("name", ["methane", "water"])
        >>> ds.view([1]).name.tolist()
        ['water']
        """
        require_new_name(self, name)
        column = values_of(values.copy() if isinstance(values, np.ndarray) else values, name)
        if not self.columns and not len(self._kept):  # the first one sets the number of rows
            self._kept = range(len(column))
        if len(column) != len(self):
            raise ColumnError(f"{name} has {len(column)} values for {len(self)} rows; give one for each", column=name)
        self._replace_columns({**self.columns, name: column})

    def new(self, *columns: Any, on_error: OnError | None = None, **named: Any) -> Self:
        """Return a dataset of new rows, configured as this one: same vocabulary, functions, collate, settings.

        Parameters
        ----------
        *columns, **named
            The constructor's row arguments, in their order or by name; labels may be left out and are then missing
            (NaN, or -100 for integer classes). Columns that were added may be given by name.
        on_error : {"raise", "drop", "mask"}, optional
            A different policy for the new one: also for rows that are too long.

        Returns
        -------
        BaseDataset
            Of the same class.

        Raises
        ------
        TypeError
            If there are too many columns, or one that this dataset does not have.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C"], CharacterVocab(["C"]))
        >>> ds.new(["CC", "CCC"])
        TextDataset(2 rows of smiles)
        """
        return self._with_rows(self.task.name_columns(columns, named, self.columns), on_error)

    def from_ids(self, ids: Any, *, on_error: OnError | None = None, **named: Any) -> Self:
        """Return a dataset like this one of ids, exactly as they are: train on what was sampled.

        A text can have more than one tokenization; going through text would train on another than the model wrote.
        The ids are never augmented.

        Parameters
        ----------
        ids : Ragged, array or tensor (B, L), or sequence of sequences of int
            One row each. A row is cut after its first ``eos``; padding around it is dropped; ``bos`` is put in front
            where it is missing; ``eos`` is not: a row without it was cut, and is the beginning of a text. Give the rows
            of `mrl.lm.Samples` that are finished, ``samples.ids.take(samples.finished)``.
        on_error : {"raise", "drop", "mask"}, optional
            As in `new`.
        **named
            Other columns, as in `new`.

        Returns
        -------
        BaseDataset
            Of the same class, ``smiles`` (``target`` of pairs) being the decoded text.

        Raises
        ------
        TokenIdError
            (An IndexError.) If an id is outside the vocabulary.

        Examples
        --------
        >>> from mrl.data import TextDataset
        >>> from mrl.text import CharacterVocab
        >>> ds = TextDataset(["C"], CharacterVocab(["C", "O"]))
        >>> made = ds.from_ids([[0, 4, 5, 1, 2], [4, 4, 1, 5, 5]])
        >>> made.smiles.tolist(), made[1]
        (['CO', 'CC'], tensor([0, 4, 4, 1]))
        """
        if self.task.generates is None:
            raise DatasetError(f"{type(self).__name__} has no column that a model generates, so it takes no ids")
        vocab = getattr(self, self.task.generated_vocab)
        rows = sampled_rows(ids)
        text = vocab.decode_bytes(rows)  # rejects ids outside the vocabulary
        stored = Ragged(rows.values.astype(vocab.dtype), rows.offsets)
        columns = self.task.name_columns((), {self.task.generates: text, **named}, self.columns)
        return self._with_rows(columns, on_error, stored).without_augmentation()

    def _with_rows(self, given: dict[str, Any], on_error: OnError | None, ids: Ragged | None = None) -> Self:
        """Return a dataset like this one with these columns."""
        self._require_one_configuration()
        made = self._copy()
        made.mixture = None
        made.fields = ()
        made._replace_columns({})
        if on_error is not None:
            made.on_error = on_error
        names = self.row_arguments
        n = made.set_rows({name: given[name] for name in names if name in given}, ids=ids, like=self.columns)
        for name, values in given.items():
            if name not in names:
                column = values_of(values, name)  # one value for each row given, of which some may have been rejected
                if len(column) != n:
                    raise ColumnError(f"{name} has {len(column)} values for {n} rows; give one for each", column=name)
                made.add_column(name, column if n == len(made) else select(column, made._kept))
        return made

    def _require_one_configuration(self) -> None:
        """Raise a DatasetError if new rows could not be configured as all of these are."""
        if self.differing_settings:
            raise DatasetError(
                f"the datasets that this one was made of differ in {format_names(self.differing_settings)}, of which "
                "new rows could have but one; call this on one of those datasets"
            )

    def _copy(self) -> Self:
        """Return a shallow copy, to be filled with other rows; warn of attributes that look like row data."""
        known = {*self._STATE, *self.columns, *self.frozen_settings}
        warn_of_row_data({name: value for name, value in vars(self).items() if name not in known}, len(self))
        return copy.copy(self)

    def _choose(self, rows: RowIndex) -> None:
        """Keep the rows `rows` of this dataset, in their order, copying none."""
        self._replace_columns({name: select(column, rows) for name, column in self.columns.items()})
        self._storage_index = take_rows(self._storage_index, rows)
        self._kept = take_rows(self._kept, rows)

    def without_augmentation(self) -> Self:
        """Return these rows as they are, each once, to validate and test on; itself if it is that already."""
        fields = tuple(field.without_augmentation() for field in self.fields)
        same = all(field is own for field, own in zip(fields, self.fields, strict=True))
        if same and self.mixture is None:
            return self
        made = copy.copy(self)
        made.fields, made.mixture = fields, None
        if not same:
            made.__dict__["augment"] = None  # for rows that `new` makes from it
        return made
