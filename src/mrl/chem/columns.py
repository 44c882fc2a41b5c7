"""The one loop over many molecules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from mrl.errors import FeatureError, MoleculeError
from mrl.ragged import as_list

T = TypeVar("T")
E = TypeVar("E", MoleculeError, FeatureError)


def map_molecules(
    function: Callable[[Any], T],
    column: Any,
    name: str,
    *,
    numbers: Iterable[int] | None = None,
    on_invalid: Callable[[int, MoleculeError], T] | None = None,
    on_row: Callable[[], object] | None = None,
) -> Iterator[T]:
    """Apply a function to each molecule of a column, in order.

    Every function of this package that takes a column walks over it here, so that errors name their row everywhere.

    Parameters
    ----------
    function : callable, molecule -> T
        Raises MoleculeError for an invalid molecule, and FeatureError if it fails.
    column : column of str or Mol, n rows
        A list, an iterator, a column of any library (see `mrl.ragged.as_list`); checked at once.
    name : str
        The column in messages.
    numbers : iterable of int, n of them, optional
        The numbers of the rows; 0 to n - 1 by default.
    on_invalid : callable, (row, MoleculeError) -> T, optional
        The result for an invalid molecule; by default the error is raised, with its row.
    on_row : callable, optional
        Called without arguments after each row, for a progress bar.

    Returns
    -------
    iterator of T, n of them
        Computed row by row as they are consumed.

    Examples
    --------
    >>> from mrl.chem import heavy_atoms
    >>> list(map_molecules(heavy_atoms, ["CCO", "C("], "smiles", on_invalid=lambda row, error: -1))
    [3, -1]
    """
    rows = as_list(column, name)
    numbered = zip(range(len(rows)) if numbers is None else numbers, rows, strict=True)
    return _map(function, numbered, name, on_invalid, on_row)


def _map(
    function: Callable[[Any], T],
    rows: Iterable[tuple[int, Any]],
    name: str,
    on_invalid: Callable[[int, MoleculeError], T] | None,
    on_row: Callable[[], object] | None,
) -> Iterator[T]:
    for row, x in rows:
        try:
            value = function(x)
        except MoleculeError as error:
            if on_invalid is None:
                raise _with_row(error, row, name) from None
            value = on_invalid(row, error)
        except FeatureError as error:
            raise _with_row(error, row, name) from error
        if on_row is not None:
            on_row()
        yield value


def _with_row(error: E, row: int, name: str) -> E:
    """The same error with the row of a column."""
    return type(error)(f"{name}, row {row}: {error}", text=error.text, reason=error.reason, row=row)
