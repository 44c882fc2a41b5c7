"""read: files of molecules as a table."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from mrl.corpus.reading.columns import ColumnRoles
from mrl.corpus.reading.convert import concat, convert
from mrl.corpus.reading.formats import open_table_file
from mrl.corpus.reading.table_file import TableFile
from mrl.corpus.table import Table
from mrl.errors import ColumnError, ReadError
from mrl.messages import format_names


def read(
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    smiles: str | None = None,
    targets: str | Iterable[str] = (),
    id: str | None = None,
    weight: str | None = None,
    split: str | None = None,
    others: bool = False,
    censored: Literal["raise", "keep"] = "raise",
    format: str | None = None,
) -> Table:
    """Read molecules from files, with their targets and identifiers.

    No molecule is changed: blanks around a SMILES are removed. A CXSMILES tail with coordinates, labels or properties
    (``CCO |$C1;C2;O$|``) becomes the column ``cxsmiles``; one that says something about the molecule, such as that it
    is a racemate (``C[C@H](N)O |&1:1|``), stays with its SMILES, and the step `mrl.chem.StripTail` of `mrl.clean`
    moves into the SMILES what it can. All are counted in ``notes``; a row that cannot be kept is in ``rejects``, with
    its reason. Whether a text is a molecule is not checked here.

    Parameters
    ----------
    path : path, or several
        Rows of several files follow each other; all need the same columns. The suffix of the name says the format:

        - ``.csv`` with a header; the delimiter (comma, tab or semicolon) is the most frequent one of the header.
          A file of one column needs no header: its first line is a molecule if it consists of SMILES symbols.
        - ``.tsv``, ``.tab`` with a header.
        - ``.smi``, ``.smiles``, ``.cxsmiles``, ``.ism``, ``.can``, ``.txt``: a SMILES per line, then after a blank or
          tab a name, which becomes the column ``name``. A first line whose first word contains smiles is a header;
          if it has delimiters as well, the file is a table.
        - ``.parquet``, ``.pq``; ``.arrow``, ``.feather``, ``.ipc``.

        Each may be compressed by gzip, xz, bzip2 or zstd (``.csv.gz``, ...). Text is UTF-8, with line ends of any
        system; blank lines at the beginning and end are not rows.
    smiles : str, optional
        The column with the molecules. By default the one whose name contains smiles, or is smi, mol, structure,
        sequence or selfies.
    targets : str or several
        Columns of numbers; blank, NA, N/A, NaN, null and None are missing values.
    id, split : str, optional
        Columns that are kept as text.
    weight : str, optional
        A column of numbers, none missing.
    others : bool
        Keep all other columns as well: cells of text files as Text, numbers of Parquet and Arrow files with their
        type, other values of these as Text; so `write_table` can write a changed table with everything in it.
    censored : {"raise", "keep"}
        What to do with a target such as ``>10`` or ``<5`` (also ``<=``, ``>=``): raise an error; or keep the number,
        and its sign in ``Table.signs``, which losses and property models know.
    format : str, optional
        ``"csv"``, ``"tsv"``, ``"smi"``, ``"parquet"`` or ``"arrow"``, whatever the suffix of the name.

    Returns
    -------
    Table
        The requested columns: the molecules, ``id`` and ``split`` as Text, targets and weight as float64. ``header``
        names all columns of the file.

    Raises
    ------
    FileNotFoundError
        There is no such file; the message suggests similar names.
    ReadError
        The file is a folder, empty, binary, damaged, not UTF-8, or has no rows; a ``ValueError``.
    ColumnError
        A column is missing or ambiguous, or files have different columns; a ``ValueError``.
    RowError
        A target or weight is not a finite number; a ``ValueError``.
    ValueError
        `censored` is unknown.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "some.csv"
    >>> _ = path.write_text("id,SMILES,logS\\n17,CCO ,-0.77\\n18,,1\\n19,c1ccccc1,NA\\n")
    >>> table = read(path, targets="logS", id="id")
    >>> table
    Table(2 rows: SMILES, logS, id; 1 rejected; 1 × blank around SMILES removed)
    >>> table.smiles.tolist(), table["logS"], table.rows
    (['CCO', 'c1ccccc1'], array([-0.77,   nan]), array([0, 2]))
    >>> table.rejects[0]
    Reject(row=1, text='', stage='read', reason='empty')
    """
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not paths:
        raise ReadError("no files to read: pass a path, or several", path="")
    roles = ColumnRoles(
        smiles, (targets,) if isinstance(targets, str) else tuple(targets), id, weight, split, others, censored
    )
    files: list[TableFile] = []
    tables: list[Table] = []
    start = 0
    for each in paths:
        file = open_table_file(Path(each), format, smiles)
        files.append(file)
        _require_same_columns(file, files[0])
        smiles_column = roles.resolve(file)
        rows = 0
        for block in file.blocks(roles.columns(file, smiles_column)):
            tables.append(convert(block, file, smiles_column, roles, start))
            rows += len(block.rows) + len(block.rejects)
        start += rows
    return concat(tables, roles)


def _require_same_columns(file: TableFile, first: TableFile) -> None:
    missing = [name for name in first.names if name not in file.names]
    added = [name for name in file.names if name not in first.names]
    if missing or added:
        facts = [f"lacks {format_names(missing)}"] if missing else []
        facts += [f"also has {format_names(added)}"] if added else []
        raise ColumnError(
            f"{file.path} {' and '.join(facts)}, compared with {first.path}: files that are read together need the "
            "same columns; read them one by one",
            column=[*missing, *added][0],
            path=file.path,
        )
