"""One process of a pool: started, given items, watched, terminated."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Any, TypeAlias

from mrl.messages import format_status

__all__ = ["ChunkFunction", "Job", "Worker"]

# Called with a list of items, and with a function to be called with the position of each item before it is computed.
ChunkFunction: TypeAlias = Callable[[list[Any], Callable[[int], None]], Any]

WHOLE_BATCH = -1  # the position of a worker that computes all items of its job at once

_PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>


@dataclass(frozen=True)
class Job:
    """Items to compute, from `start` up to `stop`; `fresh` jobs need a process that has computed nothing before."""

    start: int
    stop: int
    fresh: bool = False

    @property
    def size(self) -> int:
        return self.stop - self.start


class Worker:
    """A process with its pipe.

    Attributes
    ----------
    job : Job or None
        What it computes.
    ready : bool
        Whether it has started up.
    used : bool
        Whether it has completed a job.
    """

    def __init__(self, context: BaseContext, function: ChunkFunction) -> None:
        self.connection, theirs = context.Pipe()
        self._position: Any = context.RawValue("q", WHOLE_BATCH)
        self.process: Any = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(function, theirs, self._position), daemon=True
        )
        self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.ready = False
        self.used = False

    def send(self, job: Job, items: Sequence[Any]) -> None:
        """Assign a job to it."""
        self._position.value = WHOLE_BATCH
        self.job, self.began = job, time.monotonic()
        self._last_position, self._waited, self._polled = WHOLE_BATCH, 0.0, self.began
        with contextlib.suppress(OSError):  # it has crashed, which is noticed when it does not answer
            self.connection.send(list(items[job.start : job.stop]))

    def receive(self) -> Any:
        """Return what it sent: None once it has started up, then results; an EOFError if it has crashed."""
        try:
            return self.connection.recv()
        except OSError as error:
            raise EOFError from error

    @property
    def position(self) -> int:
        """The item of its job that it is computing, WHOLE_BATCH if all of them, their number when it is done."""
        return int(self._position.value)

    def is_stuck(self, timeout: float, poll_seconds: float) -> bool:
        """Return whether it has been computing one item for `timeout` seconds; called every `poll_seconds`."""
        now, position = time.monotonic(), self.position
        if position != self._last_position:
            self._last_position, self._waited = position, 0.0
        else:  # a pause of this process (Ctrl-Z, a slow callback) does not count
            self._waited += min(now - self._polled, 2 * poll_seconds)
        self._polled = now
        assert self.job is not None
        return self._waited > timeout and position < self.job.size

    def terminate(self, patience: float = 0) -> str:
        """Kill it if it has not ended within `patience` seconds, and return how it ended."""
        self.process.join(patience)
        self.process.kill()
        self.process.join()
        status = self.process.exitcode
        self.connection.close()
        self.process.close()
        return format_status(status)


def begin_worker() -> None:
    """Make this process, which was just started, one that ends at once on Ctrl-C and with its parent.

    For pools of `concurrent.futures` whose tasks write files completely or not at all.

    Examples
    --------
    >>> from concurrent.futures import ProcessPoolExecutor
    >>> with ProcessPoolExecutor(1, initializer=begin_worker) as pool:
    ...     pool.submit(len, "CCO").result()
    3
    """
    signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))  # it comes to the whole group
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()
    _have_one_thread()


def _serve(function: ChunkFunction, connection: Connection, position: Any) -> None:
    """Compute the lists of items that arrive, until the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent terminates this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()
    _have_one_thread()

    def report(at: int) -> None:
        position.value = at

    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(None)
        while True:
            items = connection.recv()
            result = function(items, report)
            report(len(items))
            connection.send(result)


def _end_with_parent() -> None:
    """Make this process, which may be in the middle of an item, end when its parent is killed."""
    if sys.platform == "linux":
        # Not by a thread: with two of them memory is allocated under locks, and RDKit takes 8 % longer. The signal
        # comes when the thread that started this process ends; that one waits for the results.
        with contextlib.suppress(OSError, AttributeError):
            if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) == 0:
                return
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _have_one_thread() -> None:
    """Tell the C library that this process has one thread, if it has; a thread that starts later unsays it.

    A process that is forked by one with several threads is taken for one with several: then memory is allocated and
    references are counted under locks, and RDKit takes a fifth longer.
    """
    with contextlib.suppress(OSError, ValueError):  # not Linux, or not glibc
        if len(os.listdir("/proc/self/task")) == 1:
            ctypes.c_char.in_dll(ctypes.CDLL(None), "__libc_single_threaded").value = b"\1"


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
