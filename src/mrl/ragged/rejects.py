"""Rejects: the table of rows that were rejected, and why."""

from __future__ import annotations

import csv
import operator
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TextIO, TypeAlias, get_args

from mrl.errors import RowError
from mrl.files import atomic
from mrl.formatting import html_table
from mrl.messages import format_count, format_value
from mrl.ragged.columns import MoleculeTable
from mrl.ragged.tables import Tabular

__all__ = ["OnError", "Reject", "Rejects", "require_on_error"]

OnError: TypeAlias = Literal["raise", "drop", "mask"]

_SHOWN = 20  # rows of the table in a notebook


class Reject(NamedTuple):
    """One rejected row.

    Parameters
    ----------
    row : int
        Its position in the input, from 0.
    text : str
        Its text.
    stage : str
        The step that rejected it, e.g. "parse".
    reason : str
        Why: the kind of reason, and after a colon the details of this row.

    Examples
    --------
    >>> Reject(4, "C(", "parse", "syntax: a bracket is open").kind
    'syntax'
    """

    row: int
    text: str
    stage: str
    reason: str

    @property
    def kind(self) -> str:
        """The kind of reason, which many rows may share: the reason up to its first colon.

        Examples
        --------
        >>> Reject(4, "CCCC", "length", "too long: 6 tokens, more than max_length 5").kind
        'too long'
        """
        return self.reason.partition(":")[0]


class Rejects(Sequence[Reject], Tabular):
    """An immutable table of rejected rows, in the order in which they were rejected.

    Parameters
    ----------
    rows : iterable of (int, str, str, str)
        Row, text, stage and reason of each.
    lines : mapping of int to int, optional
        For rows of a text file the line of the file, from 1, in which the row begins.

    Raises
    ------
    RowError
        An entry has other types; a ``ValueError``.

    Examples
    --------
    >>> rejects = Rejects([(4, "C(", "parse", "syntax"), (9, "CF5", "parse", "syntax")])
    >>> rejects
    Rejects(2 rows: 2 × 'syntax')
    >>> rejects[0]
    Reject(row=4, text='C(', stage='parse', reason='syntax')
    >>> Rejects()
    no rejects
    """

    __slots__ = ("_lines", "_rows")

    _rows: tuple[Reject, ...]
    _lines: dict[int, int]

    def __init__(
        self, rows: Iterable[tuple[int, str, str, str]] = (), *, lines: Mapping[int, int] | None = None
    ) -> None:
        self._rows = tuple(_check(i, row) for i, row in enumerate(rows))
        self._lines = {row.row: lines[row.row] for row in self._rows if row.row in lines} if lines else {}

    @classmethod
    def concat(cls, parts: Iterable[Rejects]) -> Rejects:
        """Return the rows of all parts, one part after the other.

        Parameters
        ----------
        parts : iterable of Rejects

        Returns
        -------
        Rejects

        Examples
        --------
        >>> Rejects.concat([Rejects(), Rejects([(4, "C(", "parse", "syntax")])])
        Rejects(1 row: 1 × 'syntax')
        """
        parts = list(parts)
        lines = {row: line for part in parts for row, line in part._lines.items()}
        return cls((row for part in parts for row in part), lines=lines)

    @classmethod
    def from_columns(cls, columns: Mapping[str, Iterable[Any]]) -> Rejects:
        """Return the rejects of the columns that `to_dict` returns.

        Parameters
        ----------
        columns : mapping of str to iterable
            row, text, stage and reason, and line where it is known; others are ignored.

        Returns
        -------
        Rejects

        Raises
        ------
        KeyError
            One of the first four is missing.
        ValueError
            They differ in length.
        RowError
            An entry has other types; a ``ValueError``.

        Examples
        --------
        >>> Rejects.from_columns({"row": [4], "text": ["C("], "stage": ["parse"], "reason": ["syntax"]})
        Rejects(1 row: 1 × 'syntax')
        """
        rows = [*zip(*(columns[name] for name in Reject._fields), strict=True)]
        lines = zip(rows, columns.get("line", ()), strict=False)
        return cls(rows, lines={row[0]: line for row, line in lines if line})

    def by_row(self) -> Rejects:
        """Return the same rejects in the order of their rows.

        Examples
        --------
        >>> [reject.row for reject in Rejects([(9, "", "read", "empty"), (4, "C(", "parse", "syntax")]).by_row()]
        [4, 9]
        """
        return Rejects(sorted(self._rows), lines=self._lines)

    def of_table(self, table: object) -> Rejects:
        """Return rejected rows of a table with the lines of the file that it was read from.

        Parameters
        ----------
        table : MoleculeTable or column
            What the rows are positions in; without known lines, such as a list, nothing changes.

        Returns
        -------
        Rejects

        Examples
        --------
        >>> import numpy as np
        >>> from mrl.corpus import Table
        >>> table = Table({"smiles": ["C", "C("]}, lines=np.array([2, 5]))
        >>> Rejects([(1, "C(", "parse", "syntax")]).of_table(table).lines
        {1: 5}
        """
        lines = table.lines if isinstance(table, MoleculeTable) else None
        return self if lines is None else self.renumbered(range(len(lines)), lines)

    def renumbered(self, rows: Any, lines: Any = None) -> Rejects:
        """Return the rejects of a part of some rows under the numbers that these have in the whole.

        Parameters
        ----------
        rows : sequence or array of int, shape (n,)
            The number of each row of the part.
        lines : sequence or array of int, shape (n,), optional
            The line of a file in which each begins, 0 where it has none.

        Returns
        -------
        Rejects

        Examples
        --------
        >>> part = Rejects([(1, "C(", "parse", "syntax")]).renumbered([7, 9], [8, 11])
        >>> part[0].row, part.lines
        (9, {9: 11})
        """
        found = () if lines is None else [(one.row, int(lines[one.row])) for one in self._rows]
        lines_of = {int(rows[row]): line for row, line in found if line}
        return Rejects((one._replace(row=int(rows[one.row])) for one in self._rows), lines=lines_of)

    @property
    def lines(self) -> dict[int, int]:
        """For rows of a text file the line of the file, from 1, in which each row begins; by the number of the row.

        Examples
        --------
        >>> Rejects([(4, "C(", "parse", "syntax")], lines={3: 5, 4: 6}).lines
        {4: 6}
        """
        return dict(self._lines)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return Rejects(self._rows[index], lines=self._lines) if isinstance(index, slice) else self._rows[index]

    def __iter__(self) -> Iterator[Reject]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return self._rows == other._rows if isinstance(other, Rejects) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (tuple(map(tuple, self._rows)), self._lines)

    def counts(self) -> dict[str, int]:
        """Return how many rows were rejected for each kind of reason, the most frequent first, ties by name.

        Returns
        -------
        dict of str to int

        Examples
        --------
        >>> rows = [(1, "C)", "parse", "syntax: ')'"), (4, "", "read", "blank"), (9, "C(", "parse", "syntax: '('")]
        >>> Rejects(rows).counts()
        {'syntax': 2, 'blank': 1}
        """
        counts = Counter(row.kind for row in self._rows)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns row, text, stage, reason, kind, and line if any is known, as lists of equal length.

        Returns
        -------
        dict of str to list

        Examples
        --------
        >>> Rejects([(4, "C(", "parse", "syntax: '('")], lines={4: 6}).to_dict()
        {'row': [4], 'text': ['C('], 'stage': ['parse'], 'reason': ["syntax: '('"], 'kind': ['syntax'], 'line': [6]}
        """
        columns: dict[str, list[Any]] = {name: [row[k] for row in self._rows] for k, name in enumerate(Reject._fields)}
        columns["kind"] = [row.kind for row in self._rows]
        return columns | ({"line": [self._lines.get(row.row) for row in self._rows]} if self._lines else {})

    def to_arrow(self) -> Any:
        """Return the columns of `to_dict` as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table

        Examples
        --------
        >>> Rejects([(4, "C(", "parse", "syntax")]).to_arrow().column_names
        ['row', 'text', 'stage', 'reason', 'kind']
        """
        import pyarrow as pa

        columns = self.to_dict()
        kinds = {name: pa.int64() if name in ("row", "line") else pa.large_string() for name in columns}
        return pa.table({name: pa.array(_valid(values), kinds[name]) for name, values in columns.items()})

    def to_csv(self, target: str | os.PathLike[str] | TextIO) -> None:
        """Write a CSV file with a header line.

        Parameters
        ----------
        target : path or open text file
            A path is written completely or not at all, as UTF-8; characters of a text that UTF-8 cannot express are
            written as escapes such as ``\\udcff``.

        Examples
        --------
        >>> import sys
        >>> Rejects([(4, "C(,", "parse", "syntax")]).to_csv(sys.stdout)
        "row","text","stage","reason","kind"
        4,"C(,","parse","syntax","syntax"
        """
        if isinstance(target, str | os.PathLike):
            with (
                atomic(target) as temporary,
                open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
            ):
                self.to_csv(file)
        else:
            writer = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # a bare \r would end a line
            columns = self.to_dict()
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))

    def __repr__(self) -> str:
        if not self._rows:
            return "no rejects"
        counts = [f"{n:,} × {kind!r}" for kind, n in self.counts().items()]
        more = [f"{len(counts) - 5} more reasons"] if len(counts) > 6 else []
        shown = ", ".join(counts[: 5 if more else 6] + more)
        return f"Rejects({format_count(len(self), 'row')}: {shown})"

    def _repr_html_(self) -> str:
        if not self._rows:
            return "<p>no rejects</p>"
        more = f"<p>and {len(self) - _SHOWN:,} more</p>" if len(self) > _SHOWN else ""
        return html_table(self._rows[:_SHOWN], Reject._fields) + more


def require_on_error(on_error: str) -> None:
    """Raise a ValueError unless `on_error` is one of the three.

    Parameters
    ----------
    on_error : str
        ``"raise"``, ``"drop"`` or ``"mask"``.

    Raises
    ------
    ValueError
        It is another.

    Examples
    --------
    >>> require_on_error("drop")
    """
    if on_error not in get_args(OnError):
        raise ValueError(f"on_error is {on_error!r}; expected 'raise', 'drop' or 'mask'")


def _restored(rows: Iterable[tuple[int, str, str, str]], lines: dict[int, int]) -> Rejects:
    return Rejects(rows, lines=lines)


def _valid(values: list[Any]) -> list[Any]:
    """Return values that Arrow holds: what UTF-8 cannot express becomes an escape such as ``\\udcff``, as in a file."""
    return [v.encode(errors="backslashreplace").decode() if isinstance(v, str) else v for v in values]


def _check(place: int, row: tuple[int, str, str, str]) -> Reject:
    if isinstance(row, Reject):
        return row
    try:
        number, text, stage, reason = row
        number = operator.index(number)
    except (TypeError, ValueError):
        raise RowError(
            f"reject {place} is {format_value(row)}, expected (row, text, stage, reason) with an integer row",
            row=place,
            column="row",
            value=row,
        ) from None
    texts: dict[str, object] = {"text": text, "stage": stage, "reason": reason}
    for column, value in texts.items():
        if not isinstance(value, str):
            problem = f"{column} {format_value(value)} ({type(value).__name__}), expected a str: convert it first"
            raise RowError(f"reject {place} has {problem}", row=place, column=column, value=value)
    return Reject(number, text, stage, reason)
