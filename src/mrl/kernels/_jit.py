"""The policy of compiling and of threads, in one place."""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["available", "compiled", "in_slices"]

T = TypeVar("T")

_SMALL_ROWS, _SMALL_VALUES = 2_000, 1 << 18
"""Below both, the interpreter is done before numba is imported."""

_BY_NUMPY = 64  # times as much is done by NumPy in that time
_OFTEN = 20  # times so much, in many small calls, has cost what waiting would have cost
_THERE = 0.25  # of all that, where numba is imported already

_done: dict[tuple[Callable[..., Any], str], int] = {}
_loaded: dict[tuple[Callable[..., Any], str], Callable[..., Any]] = {}


def available() -> bool:
    """Whether numba is installed and not switched off by ``NUMBA_DISABLE_JIT=1``.

    Examples
    --------
    >>> available() in (True, False)
    True
    """
    return os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0") and importlib.util.find_spec("numba") is not None


def compiled(
    function: Callable[..., Any], dtype: np.dtype[Any], rows: int, values: int, *, ahead: int = 0, slow: bool = True
) -> Callable[..., Any] | None:
    """The machine code of a kernel, or None where it is not worth waiting for.

    To import numba and load a first kernel from its cache takes most of a second, in which the interpreter does
    thousands of rows. So only bulk work begins to compile, or small work once it has cost as much; what is loaded then
    serves both.

    Parameters
    ----------
    function : callable
        A kernel: arrays in, arrays out, no call of another kernel (a cache does not see that the other one changed).
    dtype : dtype
        Of the one argument whose dtype differs from call to call; each is compiled by itself.
    rows, values : int
        The size of the work.
    ahead : int
        Rows that are likely to follow, in small calls.
    slow : bool
        Whether what runs instead is slow enough to be told; NumPy's loops are not.

    Returns
    -------
    callable or None
        It releases the interpreter lock, and starts no threads: those of numba do not survive a fork.
    """
    key = function, dtype.str
    if (kernel := _loaded.get(key)) is not None:
        return kernel
    patience = _THERE if "numba" in sys.modules else 1
    once, often = (patience, _OFTEN * patience) if slow else (_BY_NUMPY * patience,) * 2
    _done[key] = done = _done.get(key, 0) + max(rows, values * _SMALL_ROWS // _SMALL_VALUES)
    if max(rows, ahead) >= once * _SMALL_ROWS or values >= once * _SMALL_VALUES or done >= often * _SMALL_ROWS:
        kernel = _compile(function) if available() else None
        if kernel is None and slow:
            warnings.warn(
                f"numba is not installed, or switched off: {rows:,} rows go through slow loops; pip install numba",
                RuntimeWarning,
                stacklevel=5,
            )
        elif kernel is not None:
            _loaded[key] = kernel
    return _loaded.get(key)


def _compile(function: Callable[..., Any]) -> Callable[..., Any] | None:
    try:
        import numba
    except ImportError:  # it is there, but not for this version of NumPy
        return None
    try:
        kernel: Callable[..., Any] = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # there is no folder that numba may keep its cache in
        kernel = numba.njit(nogil=True)(function)
    return kernel


def in_slices(work: Callable[[int, int], T], offsets: NDArray[np.int64], slices: int, threads: int) -> list[T]:
    """``work(first row, last row)`` for slices of about as many values each, in the order of rows."""
    cuts = np.searchsorted(offsets[:-1], np.linspace(offsets[0], offsets[-1], max(slices, 1) + 1)[1:-1]).tolist()
    bounds = sorted({0, *cuts, len(offsets) - 1}) if len(offsets) > 1 else [0, 0]
    if threads <= 1 or len(bounds) == 2:
        return [work(first, last) for first, last in pairwise(bounds)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, bounds[:-1], bounds[1:]))
