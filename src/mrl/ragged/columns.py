"""The protocol of columns, and columns of other libraries as Python lists."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeGuard, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mrl.errors import ColumnError
from mrl.messages import format_value

__all__ = [
    "Column",
    "MoleculeTable",
    "RaggedColumn",
    "TokenizedColumn",
    "as_list",
    "as_molecules",
    "concat_lines",
    "is_column",
    "is_missing",
]


@runtime_checkable
class Column(Protocol):
    """One value per row: a `Text`, a `Ragged`, a view of another column, or rows on disk.

    ``take`` is pure and safe to call from several threads and processes; ``digest`` is the same for equal content.

    Examples
    --------
    >>> from mrl.ragged import Text
    >>> isinstance(Text.of(["C"]), Column), isinstance(["C"], Column)
    (True, False)
    >>> Text.of(["C"]).digest == Text.of(("C",)).digest
    True
    """

    def __len__(self) -> int:
        """Return the number of rows."""

    def take(self, rows: Any) -> Any:
        """Return some rows.

        Parameters
        ----------
        rows : ndarray of int64, shape (k,)
            In any order, repeats allowed.

        Returns
        -------
        Ragged, Text or ndarray
            k rows.

        Examples
        --------
        >>> from mrl.ragged import Text
        >>> Text.of(["C", "N"]).take([1, 1]).tolist()
        ['N', 'N']
        """

    @property
    def digest(self) -> str:
        """A hash of the content."""


class RaggedColumn(Column, Protocol):
    """A column of rows of different lengths, such as a `Ragged`, that can be read where it lies.

    Examples
    --------
    >>> from mrl.ragged import Ragged
    >>> Ragged([5, 6, 7], [0, 2, 3]).spans([1, 0])
    (array([5, 6, 7]), array([2, 3, 0, 2]))
    """

    def spans(self, rows: Any) -> tuple[Any, Any]:
        """Return where some rows lie in memory.

        Parameters
        ----------
        rows : array of integers, shape (k,), or a boolean mask
            In any order, repeats allowed.

        Returns
        -------
        values : ndarray, 1-D
            Contains the rows, and must be read nowhere else.
        spans : ndarray of int64, shape (2 k,)
            Where each row begins in `values`, and where it ends.

        Examples
        --------
        See the class.

        >>> RaggedColumn.spans.__name__
        'spans'
        """


class MoleculeTable(ABC):
    """A table one of whose columns has the molecules; functions of molecules take it in place of that column.

    Examples
    --------
    >>> from mrl.ragged import Text
    >>> class Two(MoleculeTable):
    ...     smiles = Text.of(["CCO", "C"])
    >>> as_molecules(Two(), "smiles")
    ['CCO', 'C']
    """

    lines: Any = None
    """The line of the file in which each row begins, ndarray of int64, shape (n,); None for rows of another source."""

    @property
    @abstractmethod
    def smiles(self) -> Any:
        """The column of molecules, shape (n,).

        Examples
        --------
        >>> from mrl.corpus import Table
        >>> from mrl.ragged import Text
        >>> Table({"smiles": Text.of(["CCO"])}).smiles.tolist()
        ['CCO']
        """


class TokenizedColumn(ABC):
    """A column of text beside which the ids of its tokens may be kept; datasets then do not encode it again.

    Examples
    --------
    >>> from mrl.ragged import Ragged, Text
    >>> class Kept(TokenizedColumn):
    ...     def token_ids(self, fingerprint):
    ...         return Ragged([0, 4, 1], [0, 3]) if fingerprint == "9f86d081" else None
    >>> Kept().token_ids("another") is None
    True
    """

    @abstractmethod
    def token_ids(self, fingerprint: str) -> RaggedColumn | None:
        """Return the ids of each row under a vocabulary.

        Parameters
        ----------
        fingerprint : str
            That of the vocabulary.

        Returns
        -------
        RaggedColumn or None
            None if no ids are kept, or those of another vocabulary.

        Examples
        --------
        See the class.

        >>> TokenizedColumn.token_ids.__name__
        'token_ids'
        """


class _Located(Protocol):
    """Rows that may know the lines of their file."""

    @property
    def lines(self) -> Any: ...

    def __len__(self) -> int: ...


def concat_lines(parts: Sequence[_Located]) -> NDArray[np.int64] | None:
    """Return the lines of the rows of several tables, one table after the other.

    Parameters
    ----------
    parts : sequence of Table or other rows with ``lines``
        n rows in all; ``lines`` is None where they are not known.

    Returns
    -------
    ndarray of int64, shape (n,), or None
        0 for the rows of a part without lines; None if no part has any.

    Examples
    --------
    >>> from mrl.corpus import Table
    >>> concat_lines([Table({"smiles": ["C"]}, lines=np.array([2])), Table({"smiles": ["CC", "CCC"]})])
    array([2, 0, 0])
    """
    if all(part.lines is None for part in parts):
        return None
    return np.concatenate([np.zeros(len(part), np.int64) if part.lines is None else part.lines for part in parts])


def is_column(values: object) -> TypeGuard[Column]:
    """Return whether `values` is a `Column` already, such as one on disk, without computing its digest.

    Parameters
    ----------
    values : object

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> is_column(np.array([1.0]))
    False
    """
    # Not isinstance(values, Column), which would read the property, and so compute the digest.
    return hasattr(values, "take") and (hasattr(type(values), "digest") or "digest" in getattr(values, "__dict__", ()))


def is_missing(value: object) -> bool:
    """Return whether `value` stands for a missing value: None, NaN, pandas' NA or NaT, NumPy's NaT.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing(""), is_missing(0)
    (True, True, False, False)
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, float | np.floating | np.complexfloating | np.datetime64 | np.timedelta64):
        return bool(value != value)
    return False


def as_list(values: Any, name: str = "values") -> list[Any]:
    """Return a one-dimensional column of any library as a list of Python values.

    Parameters
    ----------
    values : column of anything, shape (n,)
        List, tuple or other sequence, NumPy or masked array, tensor, pandas or polars Series, Arrow array or chunked
        array, `Column`, iterator. Masked and null values become None.
    name : str
        The name of the column in messages.

    Returns
    -------
    list
        n values; a list is returned as it is.

    Raises
    ------
    ColumnError
        `values` is a single value, a table, or a set or mapping, which have no order of rows; a ``ValueError``.

    Examples
    --------
    >>> import numpy as np
    >>> as_list(np.array([1, 2])), as_list(x for x in "CN")
    ([1, 2], ['C', 'N'])
    >>> as_list({"C", "N"}, "smiles")
    Traceback (most recent call last):
    ...
    mrl.errors.ColumnError: column 'smiles' is a set, expected one value per row in an order: make it a list, \
e.g. sorted(smiles)
    """
    if isinstance(values, list):
        return values
    shape = getattr(values, "shape", (0,))
    if len(shape) != 1:
        raise ColumnError(
            f"column {name!r} is a {type(values).__name__} of shape {tuple(shape)}, expected one dimension: "
            f"{_one_dimension(values, name)}",
            column=name,
        )
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    if is_column(values):
        return as_list(values.take(np.arange(len(values))), name)
    require_rows(values, name)
    return list(values)


def _one_dimension(values: Any, name: str) -> str:
    """Return how to make one column of a table or array of other dimensions."""
    if not len(values.shape):
        return "make it a column of one row, values.reshape(1)"
    names = list(getattr(values, "column_names", getattr(values, "columns", ())))  # of pyarrow; of pandas and polars
    column = f"table[{(name if name in names else names[0])!r}]" if names else "values[:, 0]"
    return f"choose one column of it, e.g. {column}"


def as_molecules(values: Any, name: str = "smiles") -> list[Any]:
    """Return a column of molecules, or the molecules of a table, as a list of Python values.

    Parameters
    ----------
    values : column of str or Mol, shape (n,), or MoleculeTable
        See `as_list`.
    name : str
        The name of the column in messages.

    Returns
    -------
    list
        n values.

    Raises
    ------
    ColumnError
        See `as_list`; a ``ValueError``.

    Examples
    --------
    >>> as_molecules(("C", "N"))
    ['C', 'N']
    """
    return as_list(values.smiles if isinstance(values, MoleculeTable) else values, name)


_ITERATORS_OF_SETS: set[type] = {type(iter(set()))}


def require_rows(values: Any, name: str) -> None:
    """Raise a ColumnError where `values` is a single value or has no order of rows."""
    kind = type(values).__name__
    if isinstance(values, str | bytes):
        problem = f"a single string, {format_value(values)}: wrap it in a list, [{format_value(values)}]"
    elif isinstance(values, set | frozenset) or type(values) in _ITERATORS_OF_SETS:
        problem = f"a {kind}, expected one value per row in an order: make it a list, e.g. sorted({name})"
    elif isinstance(values, MoleculeTable):
        problem = f"a {kind}, expected one value per row: choose one of its columns, such as {kind.lower()}.smiles"
    elif isinstance(values, Mapping):
        problem = f"a {kind}, expected one value per row in an order: choose one of its columns"
    elif not _is_iterable(values) and hasattr(values, "decode"):
        problem = f"a {kind}, expected one value per row: decode it first, {kind.lower()}.decode(vocab)"
    elif not _is_iterable(values):
        problem = f"{format_value(values)} ({kind}), expected one value per row: wrap a single value in a list"
    else:
        return
    raise ColumnError(f"column {name!r} is {problem}", column=name, value=values)


def _is_iterable(values: Any) -> bool:
    try:
        iter(values)
    except TypeError:
        return False
    return True
