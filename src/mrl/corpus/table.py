"""Table: the columns that were read, and what happened to the other rows."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError
from mrl.formatting import Html, html_preview
from mrl.messages import did_you_mean, format_count, format_names
from mrl.ragged import (
    MoleculeTable,
    Ragged,
    Rejects,
    Tabular,
    Text,
    arrow_table,
    as_column,
    as_labels,
    as_list,
    as_text,
    is_missing,
    row_numbers,
)

_SHOWN_ROWS, _SHOWN_COLUMNS = 5, 8  # in a notebook

TableColumn: TypeAlias = Ragged | NDArray[Any]

TAIL_COLUMNS = ("cxsmiles", "cxsmiles_tail")
"""Where `read` puts the CXSMILES tails of molecules: into the second if the file has a column of the first name."""

_SHOWN = 8  # names of columns in a repr


class Table(MoleculeTable, Tabular):
    """Columns of equal length, with the rows that were rejected.

    Rows in = rows of the table + ``rejects``; ``rows`` and ``rejects`` number them alike.

    Parameters
    ----------
    columns : mapping of str to column, each of shape (n,)
        Of any library; kept as Text, or as an array: float64 with NaN for a missing target, objects where other values
        are missing.
    rejects : Rejects
        The rows that could not be kept, with stage ``"read"`` and a reason.
    rows : ndarray of int64, shape (n,), optional
        The position of each row in the input, from 0, over all files; ``0 .. n - 1`` by default.
    lines : ndarray of int64, shape (n,), optional
        The line of its file, from 1 as an editor counts, in which each row begins; 0 where the format has no lines.
    smiles_column : str
        Which column has the molecules.
    targets : tuple of str
        Which columns are targets.
    header : tuple of str, optional
        All columns of the file, read or not; those of `columns` by default.
    notes : dict of str to int, optional
        What was done to cells of rows that were kept, and how often.
    signs : dict of str to ndarray of int8, each of shape (n,), optional
        For targets with censored cells: 1 where the true value is above the number (``>10``), -1 where it is below
        (``<5``), else 0.

    Raises
    ------
    ColumnError
        The columns differ in length, or lack the molecules or a target; a ``ValueError``.

    Examples
    --------
    >>> table = Table({"smiles": ["CCO", "C"], "y": [0.5, 1.5]}, targets=("y",))
    >>> table
    Table(2 rows: smiles, y)
    >>> table.smiles[0], table["y"][0], len(table), table.y
    ('CCO', np.float64(0.5), 2, array([0.5, 1.5]))
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        rejects: Rejects | None = None,
        *,
        rows: NDArray[np.int64] | None = None,
        lines: NDArray[np.int64] | None = None,
        smiles_column: str = "smiles",
        targets: tuple[str, ...] = (),
        header: tuple[str, ...] | None = None,
        notes: dict[str, int] | None = None,
        signs: dict[str, NDArray[np.int8]] | None = None,
    ) -> None:
        self.columns: dict[str, TableColumn] = {name: _as_kept(column, name) for name, column in columns.items()}
        self.rejects = Rejects() if rejects is None else rejects
        self.smiles_column = smiles_column
        self.targets = targets
        self.header = tuple(columns) if header is None else header
        self.notes = dict(notes or {})
        self.signs = dict(signs or {})
        n = len(self[smiles_column])
        self.rows = np.arange(n) if rows is None else rows
        self.lines = lines
        given = [(name, self[name]) for name in targets]
        given += [("rows", self.rows)] if lines is None else [("rows", self.rows), ("lines", lines)]
        for name, column in [*self.columns.items(), *given, *self.signs.items()]:
            if len(column) != n:
                found = f"{format_count(len(column), 'value')} for {format_count(n, 'row')}"
                raise ColumnError(f"column {name!r} has {found}: pass one value per row", column=name)

    @property
    def smiles(self) -> Text:
        """The molecules, shape (n,); raises a ``ColumnError`` if that column is not text."""
        column = self[self.smiles_column]
        if not isinstance(column, Text):
            dtype = column.values.dtype if isinstance(column, Ragged) else column.dtype
            raise ColumnError(
                f"column {self.smiles_column!r} has dtype {dtype}, expected text: name the column of the "
                "molecules, Table(columns, smiles_column=...)",
                column=self.smiles_column,
            )
        return column

    @property
    def y(self) -> NDArray[np.float64]:
        """The targets, float64, NaN where missing: shape (n,) if there is one, else (n, T).

        Raises a ``ColumnError`` if there are none.
        """
        if not self.targets:
            raise ColumnError("this table has no targets: name their columns, read(path, targets=[...])", column="y")
        columns = [np.asarray(self[name], np.float64) for name in self.targets]
        return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)

    @overload
    def __getitem__(self, key: str) -> TableColumn: ...

    @overload
    def __getitem__(self, key: int | np.integer[Any]) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, key: slice | Sequence[int] | NDArray[Any]) -> Table: ...

    def __getitem__(self, key: Any) -> Any:
        """Return a column by its name, a row as a dict by its number, or a table of the rows of a slice or mask.

        Raises a ``ColumnError`` if the column was not read, an ``IndexError`` if there is no such row.

        Examples
        --------
        >>> table = Table({"smiles": ["C", "CC", "CCC"], "set": ["train", "test", "train"]})
        >>> table[1], table[1:].smiles.tolist(), table[table["set"] == "train"].smiles.tolist()
        ({'smiles': 'CC', 'set': 'test'}, ['CC', 'CCC'], ['C', 'CCC'])
        """
        if isinstance(key, str):
            return self._column(key)
        if isinstance(key, slice):
            return self.view(np.arange(len(self))[key])
        if isinstance(key, bool | np.bool_) or np.ndim(key):
            return self.view(key)
        row = range(len(self))[operator.index(key)]
        return {name: _value(column[row]) for name, column in self.columns.items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(len(self)))

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def _column(self, name: str) -> TableColumn:
        if name in self.columns:
            return self.columns[name]
        if name in self.header:
            problem = f"column {name!r} was not read: read(path, targets=[...], id=...) names the columns to read"
        else:
            suggestion = did_you_mean(str(name), self.header)
            problem = f"no column {name!r}{suggestion}; the file has {format_names(self.header)}"
        raise ColumnError(problem, column=name)

    @classmethod
    def from_pandas(cls, frame: Any, *, smiles: str | None = None, targets: str | Sequence[str] = ()) -> Self:
        """Return a pandas DataFrame, or one of another library with columns by name, as a table.

        Parameters
        ----------
        frame : pandas.DataFrame
            n rows; the index is ignored.
        smiles : str, optional
            The column with the molecules; by default the only one whose name contains smiles.
        targets : str or several
            Columns of numbers; missing ones are NaN.

        Returns
        -------
        Table
            All columns. Rows whose molecule is missing or blank are in ``rejects``.

        Raises
        ------
        ColumnError
            A column is missing or ambiguous, or has a name that is not a str; a ``ValueError``.
        RowError
            A molecule is not a str, or a target not a number; a ``ValueError``.

        Examples
        --------
        >>> import pandas as pd
        >>> frame = pd.DataFrame({"SMILES": ["CCO", None], "y": [1, 2]})
        >>> table = Table.from_pandas(frame, targets="y")
        >>> table, table.y, table.rejects[0]
        (Table(1 row: SMILES, y; 1 rejected), array([1.]), Reject(row=1, text='', stage='read', reason='empty'))
        """
        names = list(frame.columns)
        if wrong := [name for name in names if not isinstance(name, str) or names.count(name) > 1]:
            problem = f"the column {wrong[0]!r} does not have a name of its own: rename it, frame.columns = [...]"
            raise ColumnError(problem, column=str(wrong[0]))
        smiles = _molecules_of(names, smiles)
        targets = (targets,) if isinstance(targets, str) else tuple(targets)
        if missing := [name for name in targets if name not in names]:
            problem = f"no column {missing[0]!r}{did_you_mean(missing[0], names)}; there are {format_names(names)}"
            raise ColumnError(problem, column=missing[0])
        texts = ["" if is_missing(value) else value for value in as_list(frame[smiles], smiles)]
        molecules = as_text(texts, smiles)
        kept = np.flatnonzero([bool(text.strip()) for text in molecules])
        blank = np.setdiff1d(np.arange(len(texts)), kept).tolist()
        columns: dict[str, Any] = {}
        for name in names:
            values = as_labels(frame[name], name, np.float64) if name in targets else frame[name]
            columns[name] = molecules if name == smiles else values
        whole = cls(columns, smiles_column=smiles, targets=targets)
        rejects = Rejects((row, str(molecules[row]), "read", "empty") for row in blank)
        return whole._selected(kept, rejects)

    def to_arrow(self) -> Any:
        """Return the columns as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n rows; a target with censored values has a second column, ``"<name> sign"``: see ``signs``.

        Raises
        ------
        ColumnError
            A column has values of several types; a ``ValueError``.

        Examples
        --------
        >>> Table({"smiles": ["C", "CC"], "y": [0.5, None]}).to_arrow().to_pydict()
        {'smiles': ['C', 'CC'], 'y': [0.5, None]}
        """
        columns: dict[str, Any] = {}
        for name, column in self.columns.items():
            columns[name] = column
            if name in self.signs and self.signs[name].any():
                columns[f"{name} sign"] = self.signs[name]
        return arrow_table(columns)

    def view(self, rows: Any) -> Table:
        """Return some rows of this table; ``rejects`` and ``notes`` stay those of the whole.

        Parameters
        ----------
        rows : array of int, or mask
            Which rows, in any order.

        Returns
        -------
        Table

        Raises
        ------
        IndexError
            They are not rows of this table.

        Examples
        --------
        >>> Table({"smiles": Text.of(["C", "CC", "CCC"])}).view([2, 0]).smiles.tolist()
        ['CCC', 'C']
        """
        return self._selected(row_numbers(rows, len(self)), self.rejects)

    def with_columns(self, columns: Mapping[str, Any], *, signs: Mapping[str, NDArray[np.int8]] | None = None) -> Self:
        """Return this table with other columns, new ones and others in place of its own.

        Parameters
        ----------
        columns : mapping of str to column, each of shape (n,)
            Of any library; the signs of a column that is replaced are left out.
        signs : dict of str to ndarray of int8, optional
            Of those of the columns that are labels with limits, see `signs`.

        Returns
        -------
        Table

        Raises
        ------
        ColumnError
            A column has another length; a ``ValueError``.

        Examples
        --------
        >>> table = Table({"smiles": ["OCC", "C"], "y": [1.0, 2.0]})
        >>> table.with_columns({"smiles": ["CCO", "C"], "atoms": [3, 1]}).smiles.tolist()
        ['CCO', 'C']
        """
        return self._copy(
            self.columns | dict(columns),
            header=tuple(dict.fromkeys((*self.header, *columns))),
            signs={name: sides for name, sides in self.signs.items() if name not in columns} | dict(signs or {}),
        )

    @property
    def tail_column(self) -> str | None:
        """The column to which reading moved the CXSMILES tails of the molecules; None without one.

        Examples
        --------
        >>> Table({"smiles": ["C"], "cxsmiles": ["|r|"]}, header=("smiles",)).tail_column
        'cxsmiles'
        """
        names = (name for name in TAIL_COLUMNS[::-1] if name in self.columns and name not in self.header)
        return next(names, None)

    def with_tails(self) -> Self:
        """Return this table with the CXSMILES tails after the molecules again, as in the file that was read.

        Returns
        -------
        Table
            This one, if it has no tails.

        Examples
        --------
        >>> Table({"smiles": ["CC", "C"], "cxsmiles": ["|r|", ""]}, header=("smiles",)).with_tails().smiles.tolist()
        ['CC |r|', 'C']
        """
        if (tail := self.tail_column) is None:
            return self
        columns = {name: column for name, column in self.columns.items() if name != tail}
        return self._copy(columns | {self.smiles_column: join_tails(self.smiles, self.columns[tail])})

    def _selected(self, rows: NDArray[np.int64], rejects: Rejects) -> Self:
        return self._copy(
            {name: column[rows] for name, column in self.columns.items()},
            rejects=rejects,
            rows=self.rows[rows],
            lines=None if self.lines is None else self.lines[rows],
            signs={name: column[rows] for name, column in self.signs.items()},
        )

    def _copy(self, columns: Mapping[str, Any], **changed: Any) -> Self:
        names = ("rejects", "rows", "lines", "smiles_column", "targets", "header", "notes", "signs")
        return type(self)(columns, **({name: getattr(self, name) for name in names} | changed))

    def __len__(self) -> int:
        return len(self.rows)

    def _repr_html_(self) -> Html:
        names = [self.smiles_column, *(name for name in self.columns if name != self.smiles_column)]
        first = {name: self.columns[name][:_SHOWN_ROWS] for name in names[:_SHOWN_COLUMNS]}
        more = f" and {format_count(len(names) - len(first), 'more column')}" if len(names) > len(first) else ""
        caption = f"Table: {format_count(len(self), 'row')}, {', '.join(first)}{more}"
        rejected = f"; {len(self.rejects):,} rejected" if self.rejects else ""
        return html_preview(first, len(self), caption=caption + rejected)

    def __repr__(self) -> str:
        facts = [f"{len(self.rejects):,} rejected"] if self.rejects else []
        facts += [f"{count:,} × {note}" for note, count in self.notes.items()]
        names = list(self.columns)
        more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN + 1 else []
        shown = ", ".join(names[:_SHOWN] + more if more else names)
        head = f"Table({format_count(len(self), 'row')}: {shown}"
        return "; ".join([head, *facts]) + ")"


def join_tails(smiles: Iterable[str], tails: Iterable[str]) -> Text:
    """Return molecules with their CXSMILES tails, a blank between them.

    Parameters
    ----------
    smiles, tails : iterable of str, n of them
        A tail is blank where a molecule has none.

    Returns
    -------
    Text

    Examples
    --------
    >>> join_tails(["CC", "C"], ["|r|", ""]).tolist()
    ['CC |r|', 'C']
    """
    return Text.of([f"{text} {tail}" if tail else text for text, tail in zip(smiles, tails, strict=True)])


def _as_kept(column: Any, name: str) -> TableColumn:
    if isinstance(column, Text | np.ndarray):
        return column
    kept = as_column(column, name)
    if isinstance(kept, np.ndarray) and kept.dtype == object and kept.ndim == 1:
        kept = np.array([None if is_missing(value) else value for value in kept], object)
    return kept if isinstance(kept, Ragged | np.ndarray) else np.asarray(kept.take(np.arange(len(kept))))


def _value(cell: Any) -> Any:
    """A cell as a value of Python, where Python has its type."""
    return cell.item() if isinstance(cell, np.number | np.bool_) else cell


def _molecules_of(names: Sequence[str], smiles: str | None) -> str:
    """The name of the column with the molecules."""
    if smiles is None:
        found = [name for name in names if "smiles" in name.casefold()]
        if len(found) != 1:
            problem = f"{format_names(found)} may all have the molecules" if found else "no column is called smiles"
            raise ColumnError(f"{problem}; there are {format_names(names)}: choose one, smiles=...", column="smiles")
        return found[0]
    if smiles not in names:
        suggestion = did_you_mean(smiles, names)
        raise ColumnError(f"no column {smiles!r}{suggestion}; there are {format_names(names)}", column=smiles)
    return smiles
