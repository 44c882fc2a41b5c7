"""A pool of processes that applies a function to many items, of which some may hang or crash their process."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from types import TracebackType
from typing import Any, Self

from mrl.processes.start import process_context
from mrl.processes.worker import ChunkFunction, Job, Worker

__all__ = ["Lost", "WorkerPool", "next_chunk_size", "require_picklable"]

FIRST_CHUNK, LARGEST_CHUNK = 64, 1024  # items
TARGET_SECONDS, MAX_SECONDS = 0.1, 0.5  # for a chunk: long compared with a message, short compared with a run
POLL_SECONDS = 0.25  # between two checks of processes that do not answer


@dataclass(frozen=True)
class Lost:
    """The result of an item that took too long, or crashed its process.

    Attributes
    ----------
    reason : str
        Which of the two.

    Examples
    --------
    >>> Lost("took longer than 5 s").reason
    'took longer than 5 s'
    """

    reason: str


def next_chunk_size(size: int = 0, seconds: float = 0.0) -> int:
    """Return how many items to compute next, after `size` of them took `seconds`.

    Parameters
    ----------
    size : int
        The size of the last chunk, or 0 for the first one.
    seconds : float
        How long it took.

    Returns
    -------
    int
        1 to 1024.

    Examples
    --------
    >>> next_chunk_size(), next_chunk_size(64, 0.01), next_chunk_size(64, 2.0)
    (64, 128, 32)
    """
    if not size:
        return FIRST_CHUNK
    if seconds < TARGET_SECONDS:
        return min(2 * size, LARGEST_CHUNK)
    return max(size // 2, 1) if seconds > MAX_SECONDS else size


def require_picklable(value: object, name: str, remedy: str) -> None:
    """Raise a TypeError unless a value can be sent to another process.

    Parameters
    ----------
    value : object
        The value.
    name : str
        What it is called in the message.
    remedy : str
        What can be done, for the message.

    Raises
    ------
    TypeError
        It cannot be pickled.

    Examples
    --------
    >>> require_picklable(len, "function", "")
    >>> require_picklable(lambda x: x, "function", "use n_jobs=1")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    TypeError: the function <function <lambda> at ...> cannot be sent to another process (...); define it at the top \
of a module, or use n_jobs=1
    """
    try:
        pickle.dumps(value)
    except Exception as error:  # pickle raises whatever the object does
        raise TypeError(
            f"the {name} {value!r} cannot be sent to another process ({error}); define it at the top of a module, or "
            f"{remedy}"
        ) from error


class WorkerPool:
    """Processes that apply a function to the items of a sequence, in chunks.

    An item that crashes its process, or takes longer than `timeout`, costs that process and no other item: the chunk is
    computed again without it. An item is reported as lost only when it crashes a process that computed nothing else.
    Iterating yields the first position of a chunk and the function's result for it, or the position of one item and a
    `Lost`, in any order.

    Parameters
    ----------
    function : callable
        Called with a list of items and a function, to be called with the position of each item in the list before it is
        computed (or not at all, where all items are computed at once). It must be picklable and not raise.
    items : sequence, of length n
        Sliced into chunks, whose items must be picklable.
    n_jobs : int
        Number of processes.
    timeout : float, optional
        Seconds that one item may take, start-up work at a process's first item included.
    chunk_size : int, optional
        Items of a chunk; adapted to the time that they take if not given.
    context : multiprocessing context, optional
        How processes start; `process_context` if not given.

    Raises
    ------
    RuntimeError
        While iterating: a process ended while it started up.

    Examples
    --------
    >>> def lengths(items, report):
    ...     return [len(item) for item in items]
    >>> with WorkerPool(lengths, ["C", "CC", "CCC"], n_jobs=2, chunk_size=2) as pool:
    ...     sorted(pool)
    [(0, [1, 2]), (2, [3])]
    """

    def __init__(
        self,
        function: ChunkFunction,
        items: Sequence[Any],
        *,
        n_jobs: int,
        timeout: float | None = None,
        chunk_size: int | None = None,
        context: BaseContext | None = None,
    ) -> None:
        self._function, self._items, self._timeout = function, items, timeout
        self._n_jobs = min(n_jobs, len(items))
        self._context = process_context(context)
        self._workers: list[Worker] = []
        self._retries: list[Job] = []
        self._next = 0  # the first item that is not assigned yet
        self._adaptive = chunk_size is None
        self._size = next_chunk_size() if chunk_size is None else chunk_size
        self._needed = len(items)
        self._poll_seconds = POLL_SECONDS if timeout is None else min(POLL_SECONDS, timeout / 4)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._terminate_all()

    def stop_at(self, item: int) -> None:
        """Skip the items from `item` on; those that are being computed may still be yielded.

        Parameters
        ----------
        item : int
            A position; never raised again by later calls.

        Examples
        --------
        >>> with WorkerPool(lambda items, report: len(items), ["C"] * 100, n_jobs=1, chunk_size=1) as pool:
        ...     for start, _ in pool:
        ...         pool.stop_at(1)
        >>> start
        0
        """
        self._needed = min(self._needed, item)

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        while True:
            self._dispatch()
            watched = [worker for worker in self._workers if worker.job is not None or not worker.ready]
            if not (self._has_work() or any(worker.job and worker.job.start < self._needed for worker in watched)):
                return
            answered = set(wait([worker.connection for worker in watched], self._poll_seconds))
            for worker in watched:
                yield from self._check(worker, worker.connection in answered)

    # --- assigning jobs ------------------------------------------------------------------------------------------

    def _has_work(self) -> bool:
        return self._next < self._needed or any(job.start < self._needed for job in self._retries)

    def _dispatch(self) -> None:
        for worker in self._workers:
            if worker.ready and worker.job is None and (job := self._next_job(worker)) is not None:
                worker.send(job, self._items)
        if self._has_work() and all(worker.ready and worker.job is None for worker in self._workers):
            self._terminate_all()  # what is left needs fresh processes
        while len(self._workers) < self._n_jobs and self._has_work():
            self._workers.append(Worker(self._context, self._function))

    def _next_job(self, worker: Worker) -> Job | None:
        for place, retry in enumerate(self._retries):
            if retry.start < self._needed and not (retry.fresh and worker.used):
                return self._retries.pop(place)
        left = self._needed - self._next
        if left <= 0:
            return None
        size = self._size
        if self._adaptive:  # chunks become small at the end, so that no process waits long for another
            size = max(1, min(size, -(-left // (2 * self._n_jobs))))
        job = Job(self._next, min(self._next + size, len(self._items)))
        self._next = job.stop
        return job

    def _retry(self, *jobs: Job) -> None:
        self._retries[:0] = [job for job in jobs if job.size]

    def _terminate(self, worker: Worker, patience: float = 0) -> str:
        self._workers.remove(worker)
        return worker.terminate(patience)

    def _terminate_all(self) -> None:
        for worker in self._workers:
            worker.process.kill()
        while self._workers:
            self._terminate(self._workers[-1])

    # --- their outcome -------------------------------------------------------------------------------------------

    def _check(self, worker: Worker, answered: bool) -> Iterator[tuple[int, Any]]:
        if answered:
            try:
                result = worker.receive()
            except EOFError:
                yield from self._crashed(worker)
                return
            worker.ready = True
            if (job := worker.job) is not None:
                worker.job, worker.used = None, True
                if self._adaptive:
                    seconds = (time.monotonic() - worker.began) * self._size / job.size
                    self._size = next_chunk_size(self._size, seconds)
                yield job.start, result
        elif not worker.process.is_alive() and not worker.connection.poll():
            yield from self._crashed(worker)
        elif (job := worker.job) and self._timeout is not None and worker.is_stuck(self._timeout, self._poll_seconds):
            yield from self._timed_out(worker, job, f"took longer than {self._timeout:g} s")

    def _timed_out(self, worker: Worker, job: Job, reason: str) -> Iterator[tuple[int, Lost]]:
        position = worker.position
        self._terminate(worker)
        if job.size == 1:
            yield job.start, Lost(reason)
        elif position >= 0:
            item = job.start + position
            yield item, Lost(reason)
            self._retry(Job(job.start, item), Job(item + 1, job.stop))
        else:
            self._retry(*_halves(job))

    def _crashed(self, worker: Worker) -> Iterator[tuple[int, Lost]]:
        job, position, used, ready = worker.job, worker.position, worker.used, worker.ready
        status = self._terminate(worker, patience=1)
        if not ready:
            raise RuntimeError(
                f"a worker process ended while it started up ({status}); its output on standard error says why. "
                "A script that starts processes needs `if __name__ == '__main__':` around its own work; n_jobs=1 "
                "without timeout needs no processes"
            )
        if job is None:
            return
        if job.size == 1:
            if used:  # an earlier item may be the cause
                self._retry(replace(job, fresh=True))
            else:
                yield job.start, Lost(f"ended its process ({status})")
        elif 0 <= position < job.size:
            item = job.start + position
            self._retry(Job(item, item + 1, fresh=True), Job(job.start, item), Job(item + 1, job.stop))
        else:
            self._retry(*_halves(job))


def _halves(job: Job) -> tuple[Job, Job]:
    middle = (job.start + job.stop + 1) // 2
    return Job(job.start, middle), Job(middle, job.stop)
