"""write_table: a table as a file that `read` reads back."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mrl.corpus.table import TAIL_COLUMNS, Table, TableColumn
from mrl.errors import ColumnError, RowError
from mrl.files import atomic
from mrl.messages import format_names, format_value
from mrl.ragged import Ragged, Text

_LINE_ENDS = ("\n", "\r")


def write_table(table: Table, path: str | os.PathLike[str]) -> None:
    """Write the columns of a table to a file, completely or not at all; the suffix of its name says the format.

    Parameters
    ----------
    table : Table
        Columns are written in the order of the file that they came from, then new ones; rejects are not written.
    path : path
        ``.csv``, ``.tsv``; ``.smi``, for the molecules, their CXSMILES tails and one column of names; ``.parquet``,
        ``.arrow``. A missing number (NaN) is blank in text. A column with censored labels is written as text, ``>10``.

    Raises
    ------
    ValueError
        Another suffix.
    ColumnError
        A ``.smi`` file cannot hold all columns.
    RowError
        A ``.smi`` file cannot hold a name, because it has a line end or begins like a CXSMILES tail.

    Examples
    --------
    >>> import tempfile
    >>> from mrl.corpus import read
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> write_table(Table({"smiles": Text.of(["CCO", "C"]), "name": Text.of(["a, b", ""])}), path)
    >>> path.read_text().splitlines()
    ['smiles,name', 'CCO,"a, b"', 'C,']
    >>> read(path, id="name")["name"].tolist()
    ['a, b', '']
    """
    columns = require_writable_as(table, path)
    with atomic(path) as temporary:
        _WRITERS[Path(path).suffix.lower()](columns, temporary)


def require_writable_as(table: Table, path: str | os.PathLike[str]) -> dict[str, TableColumn]:
    """Raise as `write_table` would, unless a table can be written to a file of this name.

    Parameters
    ----------
    table : Table
        The columns.
    path : path
        The name of a file.

    Returns
    -------
    dict of str to Text or ndarray
        The columns in the order in which they are written.

    Raises
    ------
    ValueError
        Another suffix.
    ColumnError
        A ``.smi`` file cannot hold all columns.
    RowError
        A ``.smi`` file cannot hold a name.

    Examples
    --------
    >>> list(require_writable_as(Table({"name": Text.of(["a"]), "smiles": Text.of(["C"])}), "a.smi"))
    ['smiles', 'name']
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise ValueError(f"{path} has the suffix {suffix!r}; expected one of {' '.join(_WRITERS)}")
    names = dict.fromkeys([name for name in table.header if name in table.columns] + list(table.columns))
    columns = {name: _with_signs(table.columns[name], table.signs.get(name)) for name in names}
    return _smiles_list(table, columns) if suffix == ".smi" else columns


def _with_signs(column: TableColumn, signs: NDArray[np.int8] | None) -> TableColumn:
    """Return a column of numbers as text if some have signs."""
    if signs is None or not signs.any():
        return column
    return Text.of([f"{('', '>', '<')[sign]}{cell}" for cell, sign in zip(_cells(column), signs.tolist(), strict=True)])


def _write_csv(columns: dict[str, TableColumn], path: Path, delimiter: str = ",") -> None:
    returns = any("\r" in name or (isinstance(col, Text) and b"\r" in bytes(col.flat)) for name, col in columns.items())
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(
            file,
            delimiter=delimiter,
            lineterminator="\n",
            quoting=csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL,  # which leaves a bare \r, a line end, unquoted
        )
        writer.writerow(columns)
        writer.writerows(zip(*map(_cells, columns.values()), strict=True))


def _write_tsv(columns: dict[str, TableColumn], path: Path) -> None:
    _write_csv(columns, path, "\t")


def _cells(column: TableColumn) -> Iterator[str]:
    if isinstance(column, Text):
        return iter(column)
    if isinstance(column, Ragged):
        return map(str, column.tolist())
    texts = map(str, column)  # of NumPy's numbers: the shortest that reads back, float32 as well
    return ("" if text == "nan" else text for text in texts) if column.dtype.kind == "f" else texts


def _write_smi(columns: dict[str, TableColumn], path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        for cells in zip(*map(_cells, columns.values()), strict=True):
            file.write(" ".join(filter(None, cells)) + "\n")


def _smiles_list(table: Table, columns: dict[str, TableColumn]) -> dict[str, TableColumn]:
    """Return the columns in the order SMILES, tail, name; raise unless a list of SMILES can hold them."""
    names = [name for name in columns if name not in (table.smiles_column, *TAIL_COLUMNS)]
    if len(names) > 1:
        raise ColumnError(
            f"a .smi file holds one name for each molecule, not the columns {format_names(names)}: write .csv, .tsv or "
            ".parquet",
            column=names[1],
        )
    tails = [name for name in columns if name in TAIL_COLUMNS and name != table.smiles_column]
    for name in names:
        for row, cell in enumerate(_cells(columns[name])):
            if cell.startswith("|") or cell != cell.strip() or any(end in cell for end in _LINE_ENDS):
                raise RowError(
                    f"row {row} of column {name!r} is {format_value(cell)}, which cannot follow a SMILES in a .smi "
                    "file: write .csv, .tsv or .parquet",
                    row=row,
                    column=name,
                    value=cell,
                )
    return {name: columns[name] for name in (table.smiles_column, *tails, *names)}


def _arrow(columns: dict[str, TableColumn]) -> Any:
    return pa.table(
        {name: col.to_arrow() if isinstance(col, Text) else pa.array(np.asarray(col)) for name, col in columns.items()}
    )


def _write_parquet(columns: dict[str, TableColumn], path: Path) -> None:
    import pyarrow.parquet as parquet  # 0.1 s, for this format only

    parquet.write_table(_arrow(columns), path)


def _write_arrow(columns: dict[str, TableColumn], path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, (table := _arrow(columns)).schema) as writer:
        writer.write_table(table)


_WRITERS: dict[str, Callable[[dict[str, TableColumn], Path], None]] = {
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".smi": _write_smi,
    ".parquet": _write_parquet,
    ".arrow": _write_arrow,
}
