"""Text: a column of strings as UTF-8 bytes in two flat arrays."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from numbers import Number
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError, RowError
from mrl.formatting import PREVIEW_ROWS, Html, html_preview
from mrl.messages import format_count, format_value
from mrl.ragged import arrow
from mrl.ragged.columns import MoleculeTable, as_list, is_missing
from mrl.ragged.flat import lengths_of, lengths_of_texts, offsets_of
from mrl.ragged.ragged import Ragged

__all__ = ["Text", "as_text"]

_BLOCK = 4096  # rows decoded at once when iterating
_REPR = re.compile(r"<.+ at 0x[0-9a-fA-F]+>", re.DOTALL)  # of an object without a text of its own


class Text(Ragged):
    """An immutable sequence of ``str``, held as UTF-8 bytes.

    ``text[i]`` is a ``str``; slices and selections are Text. Lengths and offsets count bytes. ``text == "CCO"`` says of
    each row whether it is that text.

    Parameters
    ----------
    values : array of uint8, shape (total,)
        UTF-8, one row after the other; bytes that are not UTF-8 are found when their row is read.
    offsets : array of integers, shape (n + 1,)
        Where each row begins and the last one ends, in bytes.

    Examples
    --------
    >>> text = Text.of(["CCO", "", "c1ccccc1"])
    >>> text[2], text.lengths, text[:2].tolist()
    ('c1ccccc1', array([3, 0, 8]), ['CCO', ''])
    """

    __slots__ = ()

    def __init__(self, values: Any, offsets: Any) -> None:
        super().__init__(values, offsets)
        if self.values.dtype != np.uint8:
            raise ColumnError(
                f"values are of dtype {self.values.dtype}, expected UTF-8 as uint8: Text.of takes strings",
                column="values",
            )

    @classmethod
    def of(cls, column: Any, name: str = "smiles") -> Text:
        """Return a column of strings of any library as Text; the same as `as_text`.

        Parameters
        ----------
        column : column of str, shape (n,)
            See `as_text`.
        name : str
            The name of the column in messages.

        Returns
        -------
        Text
            n rows; a Text is returned as it is.

        Raises
        ------
        RowError
            A value is not a string, or a string that UTF-8 cannot express; a ``ValueError``.
        ColumnError
            The column is a single string, a table, or has no order of rows; a ``ValueError``.

        Examples
        --------
        >>> Text.of(("C", "N≡N")).lengths
        array([1, 5])
        """
        return as_text(column, name)

    def __eq__(self, other: object) -> Any:
        """Compare with another column as a whole; with a str row by row, which gives a mask (n,)."""
        return self._rows_equal_to(other) if isinstance(other, str) else super().__eq__(other)

    def __ne__(self, other: object) -> Any:
        return ~self._rows_equal_to(other) if isinstance(other, str) else super().__ne__(other)

    __hash__ = Ragged.__hash__

    def _rows_equal_to(self, value: str) -> NDArray[np.bool_]:
        wanted = np.frombuffer(value.encode(errors="surrogatepass"), np.uint8)
        found: NDArray[np.bool_] = self.lengths == len(wanted)
        rows = np.flatnonzero(found)
        for start in range(0, len(rows), _BLOCK):
            some = rows[start : start + _BLOCK]
            found[some] = (self._values[self._offsets[some, None] + np.arange(len(wanted))] == wanted).all(axis=1)
        return found

    @classmethod
    def _of_list(cls, rows: list[Any], name: str) -> Self:
        rows = [*rows]  # another thread may go on to change the list
        try:
            joined = "".join(rows)
        except TypeError:
            row = next(i for i, value in enumerate(rows) if not isinstance(value, str))
            raise _not_a_string(row, name, rows[row]) from None
        if joined.isascii():
            lengths = lengths_of_texts(rows, len(joined))
            return cls._trusted(np.frombuffer(joined.encode(), np.uint8), offsets_of(lengths))
        try:
            encoded = list(map(str.encode, rows))  # not a method of a subclass
        except UnicodeEncodeError:
            raise _not_unicode(rows, name) from None
        return cls._trusted(np.frombuffer(b"".join(encoded), np.uint8), offsets_of(lengths_of(encoded)))

    @classmethod
    def concat(cls, parts: Iterable[Ragged]) -> Self:
        """Return the rows of all parts, one part after the other; without parts, no rows.

        Parameters
        ----------
        parts : iterable of Text

        Returns
        -------
        Text

        Raises
        ------
        ColumnError
            A part is not Text; a ``ValueError``.

        Examples
        --------
        >>> Text.concat([Text.of(["C"]), Text.of(["N", "O"])]).tolist()
        ['C', 'N', 'O']
        """
        parts = list(parts)
        return super().concat(parts) if parts else cls(np.zeros(0, np.uint8), [0])

    @classmethod
    def from_arrow(cls, column: Any) -> Self:
        """Return an Arrow column of strings as Text, without a copy where it is one chunk of large strings.

        Parameters
        ----------
        column : object with ``__arrow_c_array__`` or ``__arrow_c_stream__``
            string, large_string or string_view, e.g. of pyarrow, polars or pandas.

        Returns
        -------
        Text

        Raises
        ------
        RowError
            A row is null; a ``ValueError``.
        ColumnError
            The column is of another type, or damaged; a ``ValueError``.

        Examples
        --------
        >>> import pyarrow
        >>> Text.from_arrow(pyarrow.chunked_array([["CCO"], ["N"]]))
        Text(2 rows, 4 bytes: 'CCO', 'N')
        """
        return cls.concat([cls(*chunk) for chunk in arrow.read_strings(column)])

    def to_arrow(self) -> Any:
        """Return the rows as an Arrow array of large strings, without a copy.

        Returns
        -------
        pyarrow.LargeStringArray
            Of length n.

        Raises
        ------
        RowError
            A row is not UTF-8; a ``ValueError``.

        Examples
        --------
        >>> Text.of(["CCO", ""]).to_arrow().to_pylist()
        ['CCO', '']
        """
        try:
            return arrow.write_strings(self._values, self._offsets)
        except ValueError:
            self.tolist()  # names the row that is not UTF-8
            raise

    def _row(self, i: int) -> str:
        try:
            return str(super()._row(i).data, "utf-8")
        except UnicodeDecodeError as error:
            raw = bytes(super()._row(i))
            raise RowError(
                f"row {i} is {raw!r}, which is not UTF-8 ({error.reason} at byte {error.start}): "
                "read the file with its own encoding",
                row=i,
                column="text",
                value=raw,
            ) from None

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _BLOCK):
            block = self[start : start + _BLOCK]
            raw, ends = block.flat.tobytes(), (block.offsets - block.offsets[0]).tolist()
            if raw.isascii():
                whole = raw.decode()
                yield from [whole[a:b] for a, b in pairwise(ends)]
            else:
                yield from self._decoded(start, raw, ends)

    def _decoded(self, start: int, raw: bytes, ends: list[int]) -> list[str]:
        try:
            return [raw[a:b].decode() for a, b in pairwise(ends)]
        except UnicodeDecodeError:
            return [self._row(i) for i in range(start, start + len(ends) - 1)]  # names the row

    def tolist(self) -> list[str]:
        """Return all rows as a list of ``str``.

        Returns
        -------
        list of str

        Raises
        ------
        RowError
            A row is not UTF-8; a ``ValueError``.

        Examples
        --------
        >>> Text.of(("C", "N≡N")).tolist()
        ['C', 'N≡N']
        """
        return list(self)

    def _repr_html_(self) -> Html:
        return html_preview({"text": self._heads(PREVIEW_ROWS, 400)}, len(self), caption=f"Text: {self._size()}")

    def __repr__(self) -> str:
        shown = ", ".join([repr(head) for head in self._heads(3, 40)] + ["..."] * (len(self) > 3))
        return f"Text({self._size()}{': ' if shown else ''}{shown})"

    def _heads(self, rows: int, size: int) -> list[str]:
        """Return the first bytes of the first rows, at most so many, as text."""
        first = map(super()._row, range(min(rows, len(self))))
        return [bytes(raw[:size]).decode(errors="backslashreplace") for raw in first]

    def _size(self) -> str:
        return f"{format_count(len(self), 'row')}, {format_count(len(self.flat), 'byte')}"


def as_text(values: Any, name: str = "smiles") -> Text:
    """Return a column of strings of any library as Text.

    Parameters
    ----------
    values : column of str, shape (n,)
        `Text`, list, tuple or other sequence, NumPy array, pandas or polars Series, Arrow array or chunked array,
        `Column`, iterator; of a table of molecules, that column. Strings only, blank ones included; a pandas index is
        ignored.
    name : str
        The name of the column in messages.

    Returns
    -------
    Text
        n rows; a Text is returned as it is, and one chunk of Arrow's large strings without a copy.

    Raises
    ------
    RowError
        A value is not a string, a string that UTF-8 cannot express, or the ``repr`` of an object
        (``<Mol object at 0x...>``); a ``ValueError`` with ``row``, ``column`` and ``value``.
    ColumnError
        `values` is a single string, a table, or a set or mapping, which have no order of rows; a ``ValueError``.

    Examples
    --------
    >>> as_text(("C", "N≡N"))
    Text(2 rows, 6 bytes: 'C', 'N≡N')
    >>> as_text(["C", None])
    Traceback (most recent call last):
    ...
    mrl.errors.RowError: row 1 of column 'smiles' is None, expected a str; drop or fill missing rows first, e.g. \
df.dropna(subset=['smiles'])
    """
    if isinstance(values, Text):
        return values
    if isinstance(values, MoleculeTable):
        return as_text(values.smiles, name)
    text = arrow_text(values)
    text = Text._of_list(as_list(values, name), name) if text is None else text
    _require_content(text, name)
    return text


def arrow_text(values: Any) -> Text | None:
    """Return a column that offers Arrow strings, without nulls, as Text; None for every other one."""
    if not (hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__")):
        return None
    # Columns of Python objects are read one by one: their library may convert what is not a string, or fail on it.
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) or str(dtype) == "Object" or len(getattr(values, "shape", (0,))) != 1:
        return None
    with contextlib.suppress(ValueError, TypeError, NotImplementedError, ImportError):
        return Text.from_arrow(values)
    return None


def _require_content(text: Text, name: str) -> None:
    """Raise a RowError where a text is what Python writes for an object that has no text, such as ``str(mol)``."""
    for start in range(0, len(text), _BLOCK):
        block = text[start : start + _BLOCK]
        raw = block.flat.tobytes()
        if b" " not in raw or b" at 0x" not in raw:  # a single byte is found much faster
            continue
        for row, value in enumerate(block, start):
            if not _REPR.fullmatch(value):
                continue
            raise RowError(
                f"row {row} of column {name!r} is {format_value(value)}, which names an object and has nothing of its "
                "content: write molecules as text by mrl.chem.to_smile(mol), not str(mol)",
                row=row,
                column=name,
                value=value,
            )


def _not_a_string(row: int, name: str, value: Any) -> RowError:
    if is_missing(value):
        remedy = f"drop or fill missing rows first, e.g. df.dropna(subset=[{name!r}])"
    elif isinstance(value, bytes):
        remedy = "decode bytes first, e.g. value.decode()"
    elif type(value).__module__.startswith("rdkit."):  # str() would be its address
        remedy = "write molecules as text first: mrl.chem.to_smile(value)"
    elif isinstance(value, Number):
        remedy = "convert it with str() if it is meant as text, or choose another column"
    else:
        remedy = "give its text, or choose another column"
    kind = "" if value is None else f" ({type(value).__name__})"
    return RowError(
        f"row {row} of column {name!r} is {format_value(value)}{kind}, expected a str; {remedy}",
        row=row,
        column=name,
        value=value,
    )


def _not_unicode(rows: list[str], name: str) -> RowError:
    for row, value in enumerate(rows):
        try:
            str.encode(value)
        except UnicodeEncodeError as error:
            return RowError(
                f"row {row} of column {name!r} is {format_value(value)}, which has a lone surrogate at {error.start}: "
                "read the file with its own encoding, without errors='surrogateescape'",
                row=row,
                column=name,
                value=value,
            )
    raise AssertionError("every row could be encoded")
