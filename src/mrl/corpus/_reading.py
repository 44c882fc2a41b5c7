"""read: files of molecules as a table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from mrl.corpus._cells import as_text, damaged, molecules, numbers
from mrl.corpus._columnar import Columnar
from mrl.corpus._delimited import Delimited
from mrl.corpus._names import listed, require, smiles_name
from mrl.corpus._sheet import Sheet
from mrl.corpus._sources import require_file, visible
from mrl.corpus._table import Column, Table
from mrl.errors import ColumnError, ReadError, RowError
from mrl.ragged import Rejects, Text

__all__ = ["read"]

_FORMATS = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "smi": (".smi", ".smiles", ".cxsmiles", ".ism", ".can", ".txt"),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
}
_PACKED = (".gz", ".xz", ".bz2", ".zst")
_BLANKS, _TAILS = "blank around SMILES removed", "CXSMILES tail moved to its own column"


class _Wanted(NamedTuple):
    """What was asked for."""

    smiles: str | None
    targets: tuple[str, ...]
    id: str | None
    weight: str | None
    split: str | None

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(name for name in (self.id, self.split) if name is not None)

    @property
    def numbers(self) -> tuple[str, ...]:
        return self.targets if self.weight is None else (*self.targets, self.weight)

    def check(self, smiles: str, sheet: Sheet) -> None:
        """Refuse a column that the file has not, or that is asked for twice."""
        asked = [(name, "targets=[...] (--target-columns)") for name in self.targets]
        single = {"id": self.id, "weight": self.weight, "split": self.split}
        asked += [(name, f'{role}="..." (--{role}-column)') for role, name in single.items() if name is not None]
        seen = {smiles}
        for name, option in asked:
            require(name, sheet.names, sheet.path, option)
            if name in seen:
                raise ColumnError(
                    f"{sheet.path}: column {name!r} is asked for twice, here by {option}: name it once",
                    column=name,
                    path=sheet.path,
                )
            seen.add(name)


def read(
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    smiles: str | None = None,
    targets: str | Iterable[str] = (),
    id: str | None = None,
    weight: str | None = None,
    split: str | None = None,
    format: str | None = None,
) -> Table:
    """Read molecules from files, with their targets and identifiers.

    No molecule is changed: blanks around a SMILES are removed and a CXSMILES tail (``CCO |c:1|``) becomes the column
    ``cxsmiles``, both counted in ``notes``; a row that cannot be kept is in ``rejects``, with its reason. Whether a
    text is a molecule is not looked into here.

    Parameters
    ----------
    path : path, or several
        Rows of several files follow each other; all need the same columns. The end of the name tells the format:

        - ``.csv`` with a header; the delimiter (comma, tab or semicolon) is the most frequent one of the header.
          A file of one column may come without: its first line is a molecule if it consists of SMILES symbols.
        - ``.tsv``, ``.tab`` with a header.
        - ``.smi``, ``.smiles``, ``.cxsmiles``, ``.ism``, ``.can``, ``.txt``: a SMILES per line, then after a blank or
          tab a name, which becomes the column ``name``. A first line whose first word says smiles is a header, and one
          with delimiters, too, makes the file a table.
        - ``.parquet``, ``.pq``; ``.arrow``, ``.feather``, ``.ipc``.

        Each may be packed by gzip, xz, bzip2 or zstd (``.csv.gz``, ...). Text is UTF-8, line ends are those of any
        system; blank lines at the end are no rows.
    smiles : str, optional
        The column with the molecules. By default the one whose name says smiles, or is smi, mol, structure, sequence
        or selfies.
    targets : str or several
        Columns of numbers; blank, NA, N/A, NaN, null and None are missing values.
    id, split : str, optional
        Columns that are kept as text.
    weight : str, optional
        A column of numbers, none missing.
    format : str, optional
        ``"csv"``, ``"tsv"``, ``"smi"``, ``"parquet"`` or ``"arrow"``, whatever the name ends in.

    Returns
    -------
    Table
        The columns that were asked for: the molecules, ``id`` and ``split`` as Text, targets and weight as float64.
        ``header`` names all that the file has.

    Raises
    ------
    FileNotFoundError
        There is no such file; the message names those that are called alike.
    ReadError
        The file is a folder, empty, binary, damaged, not UTF-8, or has no rows; a ``ValueError``.
    ColumnError
        A column is missing or ambiguous, or files have different columns; a ``ValueError``.
    RowError
        A target or weight is no finite number; a ``ValueError``.

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
        raise ReadError("no files to read: give a path, or several", path="")
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    wanted = _Wanted(smiles, targets, id, weight, split)
    parts: list[Table] = []
    first: Sheet | None = None
    start = 0
    for each in paths:
        sheet = _opened(Path(each), format, smiles)
        first = first or sheet
        if set(sheet.names) != set(first.names):
            raise _differing(sheet, first)
        table, total = _table(sheet, wanted, start)
        parts.append(table)
        start += total
    return parts[0] if len(parts) == 1 else _joined(parts)


def _opened(path: Path, format: str | None, smiles: str | None) -> Sheet:
    require_file(path)
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = next((suffix for suffix in reversed(suffixes) if suffix not in _PACKED), "")
    kind = format or next((kind for kind, ends in _FORMATS.items() if suffix in ends), None)
    if kind not in _FORMATS:
        known = " ".join(end for ends in _FORMATS.values() for end in ends)
        unknown = f"there is no format {format!r}" if format else f"the name does not tell the format of {path}"
        raise ReadError(
            f"{unknown}: give format= one of {listed(_FORMATS)}, or a name ending in one of {known}, "
            f"packed ones also {' '.join(_PACKED)}",
            path=str(path),
        )
    return Columnar(path, kind) if kind in ("parquet", "arrow") else Delimited(path, kind, smiles)


def _differing(sheet: Sheet, first: Sheet) -> ColumnError:
    missing = [name for name in first.names if name not in sheet.names]
    added = [name for name in sheet.names if name not in first.names]
    facts = [f"lacks {listed(missing)}"] if missing else []
    facts += [f"has {listed(added)} besides"] if added else []
    return ColumnError(
        f"{sheet.path} {' and '.join(facts)}, compared with {first.path}: files that are read together need the same "
        "columns; read them one by one",
        column=[*missing, *added][0],
        path=sheet.path,
    )


def _table(sheet: Sheet, wanted: _Wanted, start: int) -> tuple[Table, int]:
    """The wanted columns of one file, its rows numbered from `start`, and how many rows it has."""
    name = smiles_name(wanted.smiles, sheet.names, sheet.path)
    wanted.check(name, sheet)
    part = sheet.take((name,) if sheet.loose else (name, *wanted.numbers, *wanted.texts))
    raw = as_text(part.columns[name], name, sheet.path)
    cells = molecules(raw, sheet.loose)
    if sheet.loose:
        part.columns[sheet.names[1]] = cells.name
    texts = {each: as_text(part.columns[each], each, sheet.path) for each in wanted.texts}

    refused = dict(cells.refused)
    for each, column in texts.items():
        refused |= dict.fromkeys(damaged(column), f"{each} is not UTF-8")
    keep = np.ones(len(raw), bool)
    keep[list(refused)] = False
    mask = pa.array(keep)
    rows = part.rows[keep] + start

    fail = partial(_refuse, sheet, rows, start)

    def text(column: Any) -> Text:
        return Text.from_arrow(pc.filter(column, mask))

    columns: dict[str, Column] = {name: text(cells.smiles)}
    for each in wanted.numbers:
        columns[each] = numbers(pc.filter(part.columns[each], mask), partial(fail, each))
    if wanted.weight is not None and np.isnan(weights := columns[wanted.weight]).any():
        fail(wanted.weight, int(np.argmax(np.isnan(weights))), "", "a number: a weight must not be missing")
    columns |= {each: text(column) for each, column in texts.items()}
    if sheet.loose and len((behind := text(cells.name)).flat):
        columns.setdefault(sheet.names[1], behind)
    tails = text(cells.tail)
    notes = {_BLANKS: int(cells.trimmed[keep].sum()), _TAILS: int(np.count_nonzero(tails.lengths))}
    if notes[_TAILS]:
        columns["cxsmiles_tail" if "cxsmiles" in columns else "cxsmiles"] = tails

    unkept = [*part.broken, *((int(part.rows[i]), raw[i].as_py(), reason) for i, reason in refused.items())]
    table = Table(
        columns,
        Rejects.of((start + row, visible(text), "read", reason) for row, text, reason in sorted(unkept)),
        rows=rows,
        smiles_column=name,
        targets=wanted.targets,
        header=sheet.names,
        notes={note: count for note, count in notes.items() if count},
    )
    return table, part.total


def _refuse(
    sheet: Sheet, rows: NDArray[np.int64], start: int, column: str, place: int, value: str, expected: str
) -> NoReturn:
    """Say which cell is no number; `rows` are those that were kept, numbered from `start`."""
    row = int(rows[place])
    line = sheet.line(row - start)
    where = sheet.path if line is None else f"{sheet.path}, line {line}"
    raise RowError(
        f"{where} (row {row}): column {column!r} is {visible(value)!r}, expected {expected}; "
        "correct the file, or choose another column",
        row=row,
        column=column,
        value=value,
        path=sheet.path,
        line=line,
    )


def _joined(parts: Sequence[Table]) -> Table:
    """Tables as one; a column of tails or names that some lack is blank there."""
    columns: dict[str, Column] = {}
    for name in dict.fromkeys(name for part in parts for name in part.columns):
        pieces = [part.columns.get(name, Text.of([""] * len(part))) for part in parts]
        texts = [piece for piece in pieces if isinstance(piece, Text)]
        columns[name] = Text.concat(texts) if texts else np.concatenate(pieces)
    notes: Counter[str] = Counter()
    for part in parts:
        notes.update(part.notes)
    return Table(
        columns,
        Rejects.concat(part.rejects for part in parts),
        rows=np.concatenate([part.rows for part in parts]),
        smiles_column=parts[0].smiles_column,
        targets=parts[0].targets,
        header=parts[0].header,
        notes=notes,
    )
