"""The one loop over many molecules."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from mrl.chem.molecule import RDKIT_ERRORS, rdkit_error
from mrl.errors import FeatureError, MoleculeError
from mrl.processes import Lost, WorkerPool, require_n_jobs, require_picklable
from mrl.ragged import Reject, as_molecules

T = TypeVar("T")

FEW = 512  # rows up to which no process is started


@dataclass(frozen=True)
class _Failure:
    """The outcome of a row that failed."""

    error: MoleculeError | FeatureError


def listing(rejected: list[Reject]) -> Callable[[int, MoleculeError], None]:
    """Return an `on_invalid` of `map_molecules` that lists invalid rows.

    Examples
    --------
    >>> from mrl.chem import heavy_atoms
    >>> found = []
    >>> list(map_molecules(heavy_atoms, ["C("], "smiles", on_invalid=listing(found))), found[0].kind
    ([None], 'syntax')
    """

    def reject(row: int, error: MoleculeError) -> None:
        rejected.append(Reject(row, error.text, "parse", error.reason))

    return reject


def map_molecules(
    function: Callable[[Any], T],
    column: Any,
    name: str,
    *,
    numbers: Iterable[int] | None = None,
    on_invalid: Callable[[int, MoleculeError], T] | None = None,
    on_row: Callable[[], object] | None = None,
    n_jobs: int = 1,
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
    n_jobs : int
        Number of processes, on which results do not depend; with more than 1 the function must be picklable. Up to
        512 rows are computed in this process. A molecule that ends its process is an invalid one.

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
    rows = as_molecules(column, name)
    require_n_jobs(n_jobs)
    numbered = zip(range(len(rows)) if numbers is None else numbers, rows, strict=True)
    if n_jobs > 1 and len(rows) > FEW and not multiprocessing.current_process().daemon:
        require_picklable(function, "function", "use n_jobs=1")
        outcomes = _in_processes(function, rows, n_jobs)
    else:
        outcomes = (_outcome(function, x) for x in rows)
    return _map(outcomes, numbered, name, on_invalid, on_row)


def _outcome(function: Callable[[Any], T], x: Any) -> T | _Failure:
    """What the function returns for a molecule, or its error."""
    try:
        return function(x)
    except (MoleculeError, FeatureError) as error:
        return _Failure(error)
    except RDKIT_ERRORS as error:
        return _Failure(rdkit_error(x, getattr(function, "__name__", "a function"), error))


def _chunk(function: Callable[[Any], T], rows: list[Any], report: Callable[[int], None]) -> list[T | _Failure]:
    outcomes: list[T | _Failure] = []
    for place, x in enumerate(rows):
        report(place)
        outcomes.append(_outcome(function, x))
    return outcomes


def _in_processes(function: Callable[[Any], T], rows: list[Any], n_jobs: int) -> Iterator[T | _Failure]:
    """The outcomes of all rows, in order."""
    waiting: dict[int, list[T | _Failure]] = {}  # by their first row
    place = 0
    with WorkerPool(partial(_chunk, function), rows, n_jobs=n_jobs) as pool:
        for start, result in pool:
            if isinstance(result, Lost):
                result = [_Failure(rdkit_error(rows[start], "a process", RuntimeError(result.reason)))]
            waiting[start] = result
            while (some := waiting.pop(place, None)) is not None:
                place += len(some)
                yield from some


def _map(
    outcomes: Iterable[T | _Failure],
    rows: Iterable[tuple[int, Any]],
    name: str,
    on_invalid: Callable[[int, MoleculeError], T] | None,
    on_row: Callable[[], object] | None,
) -> Iterator[T]:
    for (row, _), outcome in zip(rows, outcomes, strict=True):
        if isinstance(outcome, _Failure):
            error = outcome.error
            if on_invalid is None or isinstance(error, FeatureError):
                raise _with_row(error, row, name) from error
            value = on_invalid(row, error)
        else:
            value = outcome
        if on_row is not None:
            on_row()
        yield value


def _with_row(error: MoleculeError | FeatureError, row: int, name: str) -> MoleculeError | FeatureError:
    """The same error with the row of a column."""
    return type(error)(f"{name}, row {row}: {error}", text=error.text, reason=error.reason, row=row)
