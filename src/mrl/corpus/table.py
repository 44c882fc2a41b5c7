"""Table: the columns that were read, and what happened to the other rows."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError
from mrl.messages import did_you_mean, format_count, format_names
from mrl.ragged import MoleculeTable, Rejects, Text, row_numbers

TableColumn: TypeAlias = Text | NDArray[Any]


class Table(MoleculeTable):
    """Columns of equal length, with the rows that were rejected.

    Rows in = rows of the table + ``rejects``; ``rows`` and ``rejects`` number them alike.

    Parameters
    ----------
    columns : dict of str to Text or ndarray, each of shape (n,)
        Text, or float64 with NaN for a missing target.
    rejects : Rejects
        The rows that could not be kept, with stage ``"read"`` and a reason.
    rows : ndarray of int64, shape (n,), optional
        The position of each row in the input, from 0, over all files; ``0 .. n - 1`` by default.
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
    >>> table = Table({"smiles": Text.of(["CCO", "C"]), "y": np.array([0.5, 1.5])}, targets=("y",))
    >>> table
    Table(2 rows: smiles, y)
    >>> table.smiles[0], table["y"][0], len(table), table.y
    ('CCO', np.float64(0.5), 2, array([0.5, 1.5]))
    """

    def __init__(
        self,
        columns: dict[str, TableColumn],
        rejects: Rejects | None = None,
        *,
        rows: NDArray[np.int64] | None = None,
        smiles_column: str = "smiles",
        targets: tuple[str, ...] = (),
        header: tuple[str, ...] | None = None,
        notes: dict[str, int] | None = None,
        signs: dict[str, NDArray[np.int8]] | None = None,
    ) -> None:
        self.columns = dict(columns)
        self.rejects = Rejects() if rejects is None else rejects
        self.smiles_column = smiles_column
        self.targets = targets
        self.header = tuple(columns) if header is None else header
        self.notes = dict(notes or {})
        self.signs = dict(signs or {})
        n = len(self[smiles_column])
        self.rows = np.arange(n) if rows is None else rows
        given = [(name, self[name]) for name in targets]
        for name, column in [*self.columns.items(), ("rows", self.rows), *given, *self.signs.items()]:
            if len(column) != n:
                found = f"{format_count(len(column), 'value')} for {format_count(n, 'row')}"
                raise ColumnError(f"column {name!r} has {found}: pass one value per row", column=name)

    @property
    def smiles(self) -> Text:
        """The molecules, shape (n,); raises a ``ColumnError`` if that column is not text."""
        column = self[self.smiles_column]
        if not isinstance(column, Text):
            raise ColumnError(
                f"column {self.smiles_column!r} has dtype {column.dtype}, expected text: name the column of the "
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

    def __getitem__(self, name: str) -> TableColumn:
        """Return the column `name`; raise a ``ColumnError`` if it was not read."""
        if isinstance(name, str) and name in self.columns:
            return self.columns[name]
        if name in self.header:
            problem = f"column {name!r} was not read: read(path, targets=[...], id=...) names the columns to read"
        else:
            suggestion = did_you_mean(str(name), self.header)
            problem = f"no column {name!r}{suggestion}; the file has {format_names(self.header)}"
        raise ColumnError(problem, column=name)

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
        rows = row_numbers(rows, len(self))
        columns = {n: c.take(rows) if isinstance(c, Text) else c[rows] for n, c in self.columns.items()}
        return Table(
            columns,
            self.rejects,
            rows=self.rows[rows],
            smiles_column=self.smiles_column,
            targets=self.targets,
            header=self.header,
            notes=self.notes,
            signs={name: column[rows] for name, column in self.signs.items()},
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        facts = [f"{len(self.rejects):,} rejected"] if self.rejects else []
        facts += [f"{count:,} × {note}" for note, count in self.notes.items()]
        head = f"Table({format_count(len(self), 'row')}: {', '.join(self.columns)}"
        return "; ".join([head, *facts]) + ")"
