"""Where a kernel runs as machine code: the policy for numba and for threads, in one place.

A kernel is a plain Python function of flat arrays that numba compiles: the caller allocates, the kernel fills. Besides
NumPy it calls only functions of its own file, because the cache of machine code notices changes of that file and of no
other; that is why short helpers (`splitmix64`, the popcount) live next to the kernels that call them.

One rule decides for each call. Importing numba and loading a kernel takes about half a second, in which the interpreter
processes 10,000 molecules and NumPy far more. So a call runs as machine code if numba is imported already, or if the
call is large enough to be worth the import; otherwise it runs the kernel's fallback, with the same result. Who knows of
many small calls to come says so by `expect_calls`.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import sys
import types
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

LARGE_CALL = {"python": 1 << 16, "numpy": 1 << 22}
"""The size (elements processed) from which a call is worth importing numba, by what its fallback is written in."""


@functools.cache
def numba_available() -> bool:
    """Return whether numba is installed and not switched off by ``NUMBA_DISABLE_JIT=1``; found out once.

    Examples
    --------
    >>> numba_available() in (True, False)
    True
    """
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return False
    return _numba_imported() or importlib.util.find_spec("numba") is not None


def _numba_imported() -> bool:
    return sys.modules.get("numba") is not None


def compiled(
    kernel: Callable[..., Any], size: int, *, fallback: Literal["python", "numpy"]
) -> Callable[..., Any] | None:
    """Return the machine code of a kernel, or None if this call should run its fallback.

    Parameters
    ----------
    kernel : callable
        A function of arrays; see the rules at the top of this file.
    size : int
        Elements that the call processes.
    fallback : {"python", "numpy"}
        What runs otherwise: a loop in the interpreter, or NumPy, which is about 64 times as fast.

    Returns
    -------
    callable or None
        It releases the interpreter lock and starts no threads: numba's own do not survive a fork.

    Warns
    -----
    RuntimeWarning
        A large call has to run in the interpreter because numba is not available.
    """
    large = size >= LARGE_CALL[fallback]
    if not large and not _numba_imported():
        return None
    machine_code = _compile(kernel) if numba_available() else None
    if machine_code is None and large and fallback == "python":
        warnings.warn(
            f"numba is not installed, or switched off: {size:,} elements go through slow loops; pip install numba",
            RuntimeWarning,
            stacklevel=5,
        )
    return machine_code


def expect_calls(size: int, *, fallback: Literal["python", "numpy"] = "numpy") -> None:
    """Import numba if it is worth that for many small calls to come.

    Parameters
    ----------
    size : int
        Elements that they process together.
    fallback : {"python", "numpy"}
        What runs otherwise; see `compiled`.

    Examples
    --------
    >>> expect_calls(1000)
    """
    if size >= LARGE_CALL[fallback] and not _numba_imported() and numba_available():
        with contextlib.suppress(ImportError):  # installed, but not for this version of NumPy
            importlib.import_module("numba")


@functools.cache
def _compile(kernel: Callable[..., Any]) -> Callable[..., Any] | None:
    try:
        import numba
    except ImportError:  # installed, but not for this version of NumPy
        return None
    code, namespace = kernel.__code__, kernel.__globals__
    helpers = {
        name: numba.njit(inline="always")(value)
        for name in code.co_names
        if isinstance(value := namespace.get(name), types.FunctionType) and value.__module__ == kernel.__module__
    }
    function = types.FunctionType(code, namespace | helpers)
    try:
        from mrl.kernels.cache import compile_kernel
    except ImportError:  # a numba whose cache works in another way
        machine_code: Callable[..., Any] = numba.njit(nogil=True)(function)
        return machine_code
    return compile_kernel(function, kernel)


def map_slices(work: Callable[[int, int], T], offsets: NDArray[np.int64], slices: int, threads: int) -> list[T]:
    """Return ``work(first row, last row)`` for slices of about equally many values, in the order of the rows."""
    if slices <= 1:
        return [work(0, len(offsets) - 1)]
    cuts = np.searchsorted(offsets[:-1], np.linspace(offsets[0], offsets[-1], max(slices, 1) + 1)[1:-1]).tolist()
    bounds = sorted({0, *cuts, len(offsets) - 1}) if len(offsets) > 1 else [0, 0]
    if threads <= 1 or len(bounds) == 2:
        return [work(first, last) for first, last in pairwise(bounds)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, bounds[:-1], bounds[1:]))
