"""read: files of molecules as a table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Unpack

from mrl.corpus.reading.columns import ColumnRoles
from mrl.corpus.reading.convert import LostLabels, concat, convert, sample
from mrl.corpus.reading.formats import open_table_file
from mrl.corpus.reading.notation import require_smiles
from mrl.corpus.reading.options import ReadOptions, ReadSettings
from mrl.corpus.reading.places import find_sources
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
    censored: Literal["raise", "reject", "keep"] = "raise",
    format: str | None = None,
    options: ReadOptions = ReadOptions(),
    **settings: Unpack[ReadSettings],
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
        Rows of several files follow each other; all need the same columns. A path may be a pattern
        (``"data/*.csv"``), ``"-"`` for standard input, or a URL that fsspec knows (``s3://``, ``https://``; the extra
        ``fsspec``). The suffix of the name says the format:

        - ``.csv`` with a header; the delimiter (comma, tab or semicolon) is the most frequent one of the header, or
          that of a first line ``sep=;``.
          A file of one column needs no header: its first line is a molecule if it consists of SMILES symbols.
        - ``.tsv``, ``.tab`` with a header.
        - ``.smi``, ``.smiles``, ``.cxsmiles``, ``.ism``, ``.can``, ``.txt``: a SMILES per line, then after a blank or
          tab a name, which becomes the column ``name``. A first line whose first word contains smiles is a header;
          if it has delimiters as well, the file is a table.
        - ``.sdf``, ``.sd``, ``.mol``, ``.mdl``: the SMILES of each MOL block, with a CXSMILES tail where SMILES cannot
          say all of it (`mrl.chem.mol_block_smiles`), its title in the column ``name``, and the values of an SD file.
        - ``.fasta``, ``.fa``, ``.faa``, ``.fna``, ``.ffn``: the columns ``sequence``, ``name`` and ``description``.
        - ``.jsonl``, ``.ndjson``: an object in each line; its keys are the columns.
        - ``.xlsx``, ``.xlsm``, ``.xls``, ``.ods``: a sheet, with a header (the extra ``xlsx``).
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
    censored : {"raise", "reject", "keep"}
        What to do with a target such as ``>10`` or ``<5`` (also ``<=``, ``>=``): raise an error; reject the row; or
        keep the number, and its sign in ``Table.signs``, which losses and property models know.
    format : str, optional
        ``"csv"``, ``"tsv"``, ``"smi"``, ``"sdf"``, ``"fasta"``, ``"jsonl"``, ``"xlsx"``, ``"parquet"`` or ``"arrow"``,
        whatever the suffix of the name.
    options : ReadOptions
        How cells are read: labels that are not numbers, decimal commas, the encoding, the notation.
    **settings
        The same one by one: ``on_label``, ``label_map``, ``decimal``, ``encoding``, ``notation``, ``sheet``,
        ``max_bytes``.

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
        A column is missing or ambiguous, files have different columns, or none of a target's labels is a number,
        whatever ``on_label`` is; a ``ValueError``.
    NotationError
        The column of molecules holds SELFIES, sequences or names; a ``ColumnError``.
    RowError
        A target or weight is not a finite number, or a column has another mark of decimals than ``decimal``, whatever
        ``on_label`` is; a ``ValueError``.
    ValueError
        `censored` is unknown.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "some.csv"
    >>> _ = path.write_text("id,SMILES,logS\\n17,CCO ,-0.77\\n18,,1\\n19,c1ccccc1,NA\\n")
    >>> table = read(path, targets="logS", id="id")
    >>> table
    Table(2 rows: SMILES, logS, id; 1 rejected; 1 × blank around SMILES removed)
    >>> table.smiles.tolist(), table["logS"], table.rows
    (['CCO', 'c1ccccc1'], array([-0.77,   nan]), array([0, 2]))
    >>> table.rejects[0]
    Reject(row=1, text='', stage='read', reason='empty')
    >>> read(path, targets="logS", label_map={"NA": 0})["logS"]
    array([-0.77,  0.  ])
    """
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    roles = ColumnRoles(smiles, targets, id, weight, split, others, censored, options.changed(settings, "read"))
    return concat(list(_blocks(path, roles, format)), roles)


def read_blocks(
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    skip: int = 0,
    smiles: str | None = None,
    targets: str | Iterable[str] = (),
    id: str | None = None,
    weight: str | None = None,
    split: str | None = None,
    others: bool = False,
    censored: Literal["raise", "reject", "keep"] = "raise",
    format: str | None = None,
    options: ReadOptions = ReadOptions(),
    **settings: Unpack[ReadSettings],
) -> Iterator[Table]:
    """Read molecules from files block by block, in bounded memory: the rows of `read`, about 16 MB of text at once.

    Parameters
    ----------
    path, smiles, targets, id, weight, split, others, censored, format, options, **settings
        As for `read`.
    skip : int
        How many blocks to leave out at the beginning; rows keep their numbers. The blocks are a function of the files
        and of the other arguments, so that work that was interrupted goes on with the next block.

    Yields
    ------
    Table
        The rows and rejects of a block; ``rows`` and ``rejects`` number them over all files. All blocks have the same
        columns, those with names and CXSMILES tails even if all are blank.

    Raises
    ------
    ReadError
        A file cannot be read.
    ColumnError
        A column is missing or ambiguous, files have different columns, or, after the last block, none of a target's
        labels was a number; with `skip` that is a ``MissingLabelsWarning``, since the blocks before may have some.
    RowError
        A target is not a finite number.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "some.smi"
    >>> _ = path.write_text("CCO ethanol\\n\\nC\\n")
    >>> for block in read_blocks(path):
    ...     print(block.smiles.tolist(), block.rows, len(block.rejects))
    ['CCO', 'C'] [0 2] 1
    """
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    options = options.changed(settings, "read_blocks")
    return _blocks(path, ColumnRoles(smiles, targets, id, weight, split, others, censored, options), format, skip)


def _require_paths(path: object) -> None:
    """Raise a ``ReadError`` that says how a table in memory is used."""
    if isinstance(path, Table):
        remedy = "a Table is used as it is"
    elif isinstance(path, Mapping):
        remedy = "Table(columns) makes a Table of a mapping"
    elif type(path).__module__.partition(".")[0] in ("pandas", "polars", "pyarrow"):
        remedy = "Table.from_pandas(df) makes a Table of a DataFrame"
    else:
        return
    raise ReadError(f"read takes the path of a file, not a table in memory: {remedy}", path="")


def _blocks(
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    roles: ColumnRoles,
    format: str | None,
    skip: int = 0,
) -> Iterator[Table]:
    _require_paths(path)
    first: TableFile | None = None
    labels = LostLabels(roles)
    start = number = 0
    for source in find_sources(path):
        file = open_table_file(source, format, roles)
        first = file if first is None else first
        _require_same_columns(file, first)
        smiles_column = roles.resolve(file)
        rows, is_checked = 0, (roles.options.notation or file.notation) != "smiles"
        for block in file.blocks(roles.columns(file, smiles_column)):
            if not is_checked and len(block.rows):
                require_smiles(sample(block, smiles_column), file.path, smiles_column, file.notation)
                is_checked = True
            if number >= skip:
                table = convert(block, file, smiles_column, roles, start)
                labels.add(table)
                yield table
            number += 1
            rows += len(block.rows) + len(block.rejects)
        start += rows
    if first is not None:
        labels.report(first.path, is_whole=not skip)


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
