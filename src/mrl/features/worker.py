"""One process that computes: started, given molecules, watched, ended."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Any, NamedTuple

from mrl.features.computing import Block, Featurizer, compute
from mrl.ragged import Text

__all__ = ["Job", "Worker", "process_context"]

TOGETHER = -1  # the position of a worker that asks for all its molecules at once


_PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>


class Job(NamedTuple):
    """Some rows to compute; `fresh` says that the process is to have done nothing before."""

    start: int
    stop: int
    fresh: bool = False


def process_context() -> Any:
    """fork on Linux while CUDA is untouched (it cannot be used in a forked process), else forkserver or spawn."""
    methods = multiprocessing.get_all_start_methods()
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if sys.platform == "linux" and "fork" in methods and not (cuda is not None and cuda.is_initialized()):
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")


class Worker:
    """A process with its pipe; `job` is what it is at, and `ready` that it has come up."""

    def __init__(self, context: BaseContext, featurizer: Featurizer) -> None:
        self.connection, theirs = context.Pipe()
        self._at: Any = context.RawValue("q", TOGETHER)
        self.process: Any = context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(featurizer, theirs, self._at), daemon=True
        )
        self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.ready = False
        self.used = False

    def give(self, job: Job, text: Text) -> None:
        """Have it compute these rows."""
        self._at.value = TOGETHER
        self.job, self.began = job, time.monotonic()
        self._seen, self._waited, self._looked = TOGETHER, 0.0, self.began
        with contextlib.suppress(OSError):  # it has died: that is noticed when it does not answer
            self.connection.send(text[job.start : job.stop])

    def answer(self) -> Block | None:
        """What it sent: nothing when it has come up, then what it computed; EOFError if it has died."""
        try:
            block: Block | None = self.connection.recv()
        except OSError as error:
            raise EOFError from error
        return block

    @property
    def position(self) -> int:
        """Which molecule of its job it is at, TOGETHER where it is at all of them, or their number when it is done."""
        return int(self._at.value)

    def stuck(self, timeout: float, step: float) -> bool:
        """Whether it has been at the same molecule for so many seconds, as seen by looking every `step` seconds."""
        now, position = time.monotonic(), self.position
        if position != self._seen:
            self._seen, self._waited = position, 0.0
        else:  # a pause of this process (Ctrl-Z, a slow callback) is not the molecule's
            self._waited += min(now - self._looked, 2 * step)
        self._looked = now
        assert self.job is not None
        return self._waited > timeout and position < self.job.stop - self.job.start

    def end(self, patience: float = 0) -> str:
        """Kill it if it has not ended within so many seconds, and say how it did."""
        self.process.join(patience)
        self.process.kill()
        self.process.join()
        status = self.process.exitcode
        self.connection.close()
        self.process.close()
        return f"signal {-status}" if status < 0 else f"exit status {status}"


def _serve(featurizer: Featurizer, connection: Connection, at: Any) -> None:
    """Compute what comes in, until nothing comes any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_parent()

    def tell(row: int) -> None:
        at.value = row

    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send(None)
        while True:
            texts = connection.recv().tolist()
            block = compute(featurizer, texts, tell)
            tell(len(texts))
            connection.send(block)


def _end_with_parent() -> None:
    """See to it that this process, which may be in the middle of a molecule, ends when its parent is killed."""
    if sys.platform == "linux":
        # Not by a thread: with two of them memory is allocated under locks, and RDKit takes 8 % longer. The signal
        # comes when the thread that started this process ends; that one waits for the results.
        with contextlib.suppress(OSError, AttributeError):
            if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) == 0:
                return
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
