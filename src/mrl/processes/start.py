"""How processes start, and how many of them are worth starting."""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.context import BaseContext

from mrl.arguments import MOST_PROCESSES

__all__ = ["available_cpus", "process_context", "require_n_jobs"]


def process_context(method: str | BaseContext | None = None) -> BaseContext:
    """Return the multiprocessing context in which mrl starts processes.

    Parameters
    ----------
    method : str or context, optional
        A start method, such as ``"spawn"``, or a context, which is returned as it is. By default ``"fork"`` on Linux
        while CUDA is not initialized (it cannot be used in a forked process), otherwise ``"forkserver"`` or, where
        there is none, ``"spawn"``.

    Returns
    -------
    multiprocessing context

    Raises
    ------
    ValueError
        The platform has no such start method.

    Examples
    --------
    >>> process_context("spawn").get_start_method()
    'spawn'
    """
    if isinstance(method, BaseContext):
        return method
    if method is None:
        methods = multiprocessing.get_all_start_methods()
        cuda = getattr(sys.modules.get("torch"), "cuda", None)  # torch is not imported for this
        if sys.platform == "linux" and "fork" in methods and not (cuda is not None and cuda.is_initialized()):
            method = "fork"
        else:
            method = "forkserver" if "forkserver" in methods else "spawn"
    return multiprocessing.get_context(method)


def available_cpus() -> int:
    """Return the number of CPUs that this process may use; the environment variable ``ncpus`` is an upper bound.

    Returns
    -------
    int
        0 or more.

    Raises
    ------
    ValueError
        ``ncpus`` is set and not a whole number.

    Examples
    --------
    >>> available_cpus() <= os.cpu_count()
    True
    """
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("ncpus", "").strip()  # noqa: SIM112  the notebook's name
    if limit and not limit.isdecimal():
        raise ValueError(
            f"the environment variable ncpus is {limit!r}; expected a number of processes: correct it, or unset it"
        )
    return min(cpus, int(limit)) if limit else cpus


def require_n_jobs(n_jobs: int) -> None:
    """Raise a ValueError unless `n_jobs` is a number of processes.

    Parameters
    ----------
    n_jobs : int
        1 to `MOST_PROCESSES`.

    Raises
    ------
    ValueError
        It is another number.

    Examples
    --------
    >>> require_n_jobs(2)
    """
    if not 1 <= n_jobs <= MOST_PROCESSES:
        raise ValueError(f"n_jobs is {n_jobs}; expected the number of processes, 1 to {MOST_PROCESSES:,}")
