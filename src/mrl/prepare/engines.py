"""Engines: what runs the tasks of a preparation, in this process, in others, or on other machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

from mrl.arguments import MOST_PROCESSES, require_integer
from mrl.errors import MrlError, PrepareError
from mrl.processes import available_cpus, begin_worker, process_context
from mrl.ragged import arrow_table

Call: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]

READ_AHEAD = 10_000  # tasks that wait: inputs are read on while others work, so that the number of rows is soon known

_POLL_SECONDS = 0.01


class Engine(Protocol):
    """Anything that runs a function elsewhere: a pool of `concurrent.futures`, a client of Dask, `RayEngine`.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(1) as engine:
    ...     engine.submit(len, "CCO").result()
    3
    """

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Run a function elsewhere.

        Parameters
        ----------
        function : callable
            A function of a module.
        *args
            Its arguments, which can be pickled.

        Returns
        -------
        object
            A future, with ``done()`` and ``result()``.
        """


class ThisProcess:
    """The engine for one worker: runs each task at once."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Return a future that is done."""
        future: Future[Any] = Future()
        future.set_result(function(*args))
        return future


@contextmanager
def engine_of(workers: int | None, engine: Engine | None) -> Iterator[tuple[Engine, int]]:
    """Yield an engine, and how many tasks it should be given at once."""
    ahead = READ_AHEAD if workers is None else 4 * workers  # an engine may have more processors than this machine
    workers = max(available_cpus(), 1) if workers is None else workers
    require_integer("workers", workers, 1, MOST_PROCESSES if engine is None else None)
    if engine is not None:
        yield engine, ahead
    elif workers == 1:
        yield ThisProcess(), 1
    else:
        pool = ProcessPoolExecutor(workers, process_context(), begin_worker)
        try:
            yield pool, 2 * workers
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def start_processes(engine: Engine) -> None:
    """Run something, so that processes start before Arrow has threads."""
    arrow_table({"rows": [0]})  # for which Arrow imports pandas: once, and not in each process that is forked
    _ = [*run_calls(engine, [(len, ("",))], 1)]


def run_calls(engine: Engine, calls: Iterable[Call], most: int) -> Iterator[Any]:
    """Run calls on an engine, `most` of them at a time, and yield their results as they come.

    Raises
    ------
    PrepareError
        A process was ended from outside.
    """
    waiting: list[Any] = []
    try:
        for function, args in calls:
            waiting.append(engine.submit(function, *args))
            while len(waiting) >= most:
                yield from _done(waiting)
            yield from _done(waiting, wait=False)
        while waiting:
            yield from _done(waiting)
    except MrlError:  # such as inputs that cannot be read: when the caller hears of it, no task writes any more
        wait([future for future in waiting if isinstance(future, Future) and not future.cancel()])
        raise
    except BrokenExecutor as error:
        raise PrepareError(
            "a worker process was ended from outside, perhaps because memory was short: run the same command again, "
            "with fewer workers if so; what is finished is kept"
        ) from error
    finally:
        for future in waiting:
            if isinstance(future, Future):
                future.cancel()


def _done(waiting: list[Any], *, wait: bool = True) -> Iterator[Any]:
    """Yield the results of futures that are done, and remove them; with `wait`, of at least one."""
    while True:
        ready = [future for future in waiting if future.done()]
        for future in ready:
            waiting.remove(future)
            yield future.result()
        if ready or not wait:
            return
        time.sleep(_POLL_SECONDS)
