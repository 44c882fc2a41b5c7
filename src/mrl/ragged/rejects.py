"""Rejects: the table of rows that were rejected, and why."""

from __future__ import annotations

import csv
import operator
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TextIO

from mrl.errors import RowError
from mrl.files import atomic
from mrl.formatting import html_table
from mrl.messages import format_count, format_value

__all__ = ["Reject", "Rejects"]

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
        Why.

    Examples
    --------
    >>> Reject(4, "C(", "parse", "syntax").reason
    'syntax'
    """

    row: int
    text: str
    stage: str
    reason: str


class Rejects(Sequence[Reject]):
    """An immutable table of rejected rows, in the order in which they were rejected.

    ``polars.DataFrame`` and ``pandas.DataFrame`` take it as it is; ``pyarrow.table`` takes `to_dict`.

    Parameters
    ----------
    rows : iterable of (int, str, str, str)
        Row, text, stage and reason of each.

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

    __slots__ = ("_rows",)

    _rows: tuple[Reject, ...]

    def __init__(self, rows: Iterable[tuple[int, str, str, str]] = ()) -> None:
        self._rows = tuple(_check(i, row) for i, row in enumerate(rows))

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
        return cls(row for part in parts for row in part)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return Rejects(self._rows[index]) if isinstance(index, slice) else self._rows[index]

    def __iter__(self) -> Iterator[Reject]:
        return iter(self._rows)

    def __eq__(self, other: object) -> bool:
        return self._rows == other._rows if isinstance(other, Rejects) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return Rejects, (tuple(map(tuple, self._rows)),)

    def counts(self) -> dict[str, int]:
        """Return how many rows were rejected for each reason, the most frequent first, ties by name.

        Returns
        -------
        dict of str to int

        Examples
        --------
        >>> Rejects([(1, "", "read", "blank"), (4, "C(", "parse", "syntax"), (9, "", "read", "blank")]).counts()
        {'blank': 2, 'syntax': 1}
        """
        counts = Counter(row.reason for row in self._rows)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def to_dict(self) -> dict[str, list[Any]]:
        """Return the columns row, text, stage and reason as lists of equal length.

        Returns
        -------
        dict of str to list

        Examples
        --------
        >>> Rejects([(4, "C(", "parse", "syntax")]).to_dict()
        {'row': [4], 'text': ['C('], 'stage': ['parse'], 'reason': ['syntax']}
        """
        return {name: [row[k] for row in self._rows] for k, name in enumerate(Reject._fields)}

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
        "row","text","stage","reason"
        4,"C(,","parse","syntax"
        """
        if isinstance(target, str | os.PathLike):
            with (
                atomic(target) as temporary,
                open(temporary, "w", encoding="utf-8", errors="backslashreplace", newline="") as file,
            ):
                self.to_csv(file)
        else:
            writer = csv.writer(target, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # a bare \r would end a line
            writer.writerow(Reject._fields)
            writer.writerows(self._rows)

    def __repr__(self) -> str:
        if not self._rows:
            return "no rejects"
        counts = [f"{n:,} × {reason!r}" for reason, n in self.counts().items()]
        more = [f"{len(counts) - 5} more reasons"] if len(counts) > 6 else []
        shown = ", ".join(counts[: 5 if more else 6] + more)
        return f"Rejects({format_count(len(self), 'row')}: {shown})"

    def _repr_html_(self) -> str:
        if not self._rows:
            return "<p>no rejects</p>"
        more = f"<p>and {len(self) - _SHOWN:,} more</p>" if len(self) > _SHOWN else ""
        return html_table(self._rows[:_SHOWN], Reject._fields) + more


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
