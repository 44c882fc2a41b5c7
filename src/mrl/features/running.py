"""Run a featurizer over many molecules: in this process, or in several that may hang or die."""

from __future__ import annotations

import multiprocessing
import pickle
import time
import warnings
from collections import deque
from collections.abc import Generator, Iterator
from multiprocessing.connection import wait

import numpy as np

from mrl.features.computing import Block, Featurizer, Transformer, compute
from mrl.features.worker import Job, Worker, process_context
from mrl.ragged import Text

__all__ = ["FEW", "run"]

FEW = 512  # molecules up to which no process is started: a batch of reinforcement learning
CHUNK = 256  # molecules that a transformer is given at once, from the first row on, so that its sums are the same
FIRST, LARGEST = 64, 1024  # molecules that a process is given of a function, by the time that they take
BRISK, SLOW = 0.1, 0.5  # seconds a chunk should take: much against a message, little against a run
LOOK = 0.25  # seconds between two looks at processes that say nothing


def run(
    text: Text, featurizer: Featurizer, *, n_jobs: int, timeout: float | None, stop: bool
) -> Generator[tuple[int, Block], None, None]:
    """What is known of each row, in blocks with the number of their first row, in any order.

    With `stop`, rows after one that has no vector may be left out.
    """
    daemon = multiprocessing.current_process().daemon  # such as a loader's worker: may have no processes of its own
    if timeout is not None and daemon:
        warnings.warn(
            f"timeout={timeout:g} is not kept: this process is a daemon, such as a loader's worker, and may start no "
            "process that could be ended; compute before, or use num_workers=0",
            RuntimeWarning,
            stacklevel=4,
        )
    if daemon or (timeout is None and (n_jobs == 1 or len(text) <= FEW)):
        yield from _here(text, featurizer, stop)
    elif len(text):
        crew = _Crew(text, featurizer, n_jobs, timeout, stop)
        try:
            yield from crew.results()
        finally:
            crew.end()


def _here(text: Text, featurizer: Featurizer, stop: bool) -> Iterator[tuple[int, Block]]:
    together = isinstance(featurizer, Transformer)
    start, size = 0, CHUNK if together else FIRST
    while start < len(text):
        began = time.monotonic()
        block = compute(featurizer, text[start : start + size].tolist())
        start, size, first = start + size, size if together else _paced(size, time.monotonic() - began), start
        yield first, block
        if stop and (block.refused or block.lost):
            return


class _Crew:
    """Processes, what is still to be done, and who does what."""

    def __init__(self, text: Text, featurizer: Featurizer, n_jobs: int, timeout: float | None, stop: bool) -> None:
        self.text, self.featurizer, self.timeout, self.stop = text, featurizer, timeout, stop
        self.n_jobs = min(n_jobs, len(text))
        self.context = process_context()
        self.workers: list[Worker] = []
        self.again: list[Job] = []
        self.next = 0  # the first row that nobody was given
        self.size = CHUNK if isinstance(featurizer, Transformer) else FIRST
        self.bound = len(text)  # rows from here on are not needed
        self.step = LOOK if timeout is None else min(LOOK, timeout / 4)
        try:
            pickle.dumps(featurizer)
        except Exception as error:  # pickle raises whatever the object does
            raise TypeError(
                f"the featurizer {featurizer!r} cannot be sent to {n_jobs} process{'es' if n_jobs > 1 else ''} "
                f"({error}); define it at the top of a module, or use n_jobs=1"
                + ("" if timeout is None else " and no timeout")
            ) from error
        deque(text, maxlen=0)  # what is no UTF-8 is named here, not blamed on a process

    def results(self) -> Iterator[tuple[int, Block]]:
        while True:
            self._hand_out()
            watched = [worker for worker in self.workers if worker.job is not None or not worker.ready]
            if not (self._left() or any(worker.job and worker.job.start < self.bound for worker in watched)):
                return
            answering = set(wait([worker.connection for worker in watched], self.step))
            for worker in watched:
                for start, block in self._look(worker, worker.connection in answering):
                    if self.stop and (failed := [*block.refused, *block.lost]):
                        self.bound = min(self.bound, start + min(failed))
                    yield start, block

    def end(self) -> None:
        for worker in self.workers:
            worker.process.kill()
        while self.workers:
            self._dismiss(self.workers[-1])

    # --- who does what -------------------------------------------------------------------------------------------

    def _left(self) -> bool:
        return self.next < self.bound or any(job.start < self.bound for job in self.again)

    def _hand_out(self) -> None:
        for worker in self.workers:
            if worker.ready and worker.job is None and (job := self._job(worker)) is not None:
                worker.give(job, self.text)
        if self._left() and all(worker.ready and worker.job is None for worker in self.workers):
            self.end()  # what is left wants a process that has done nothing
        while len(self.workers) < self.n_jobs and self._left():
            self.workers.append(Worker(self.context, self.featurizer))

    def _job(self, worker: Worker) -> Job | None:
        for place, again in enumerate(self.again):
            if again.start < self.bound and not (again.fresh and worker.used):
                return self.again.pop(place)
        left = self.bound - self.next
        if left <= 0:
            return None
        size = self.size
        if not isinstance(self.featurizer, Transformer):  # at the end nobody should wait long for another
            size = max(1, min(size, -(-left // (2 * self.n_jobs))))
        job = Job(self.next, min(self.next + size, len(self.text)))
        self.next = job.stop
        return job

    def _dismiss(self, worker: Worker, patience: float = 0) -> str:
        self.workers.remove(worker)
        return worker.end(patience)

    # --- what came of it -----------------------------------------------------------------------------------------

    def _look(self, worker: Worker, answering: bool) -> Iterator[tuple[int, Block]]:
        if answering:
            try:
                block = worker.answer()
            except EOFError:
                yield from self._died(worker)
                return
            worker.ready = True
            if block is not None and worker.job is not None:
                job, worker.job, worker.used = worker.job, None, True
                if not isinstance(self.featurizer, Transformer):
                    self.size = _paced(
                        self.size, (time.monotonic() - worker.began) * self.size / (job.stop - job.start)
                    )
                yield job.start, block
        elif not worker.process.is_alive() and not worker.connection.poll():
            yield from self._died(worker)
        elif worker.job is not None and self.timeout is not None and worker.stuck(self.timeout, self.step):
            yield from self._hung(worker, worker.job, worker.position, self.timeout)

    def _hung(self, worker: Worker, job: Job, position: int, timeout: float) -> Iterator[tuple[int, Block]]:
        self._dismiss(worker)
        reason = f"took longer than {timeout:g} s"
        if job.stop - job.start == 1:
            yield job.start, Block(lost={0: reason})
        elif position >= 0:
            row = job.start + position
            yield row, Block(lost={0: reason})
            self._again(Job(job.start, row), Job(row + 1, job.stop))
        else:
            self._again(*_halves(job))

    def _died(self, worker: Worker) -> Iterator[tuple[int, Block]]:
        job, position, used, came_up = worker.job, worker.position, worker.used, worker.ready
        how = self._dismiss(worker, patience=1)
        if not came_up:
            raise RuntimeError(
                f"a process for the featurizer ended as it started ({how}); what it wrote to standard error says why. "
                "A script that starts processes needs `if __name__ == '__main__':` around its own work; n_jobs=1 "
                "without timeout needs none"
            )
        if job is None:
            return  # it had nothing to do, so no molecule is to blame
        if job.stop - job.start == 1:
            if used:  # what it did before may be to blame
                self._again(job._replace(fresh=True))
            else:
                yield job.start, Block(lost={0: f"ended its process ({how})"})
        elif 0 <= position < job.stop - job.start:
            row = job.start + position
            self._again(Job(row, row + 1, fresh=True), Job(job.start, row), Job(row + 1, job.stop))
        else:
            self._again(*_halves(job))

    def _again(self, *jobs: Job) -> None:
        self.again[:0] = [job for job in jobs if job.start < job.stop]


def _paced(size: int, seconds: float) -> int:
    """The size of a next chunk, where one of `size` takes so long."""
    return min(2 * size, LARGEST) if seconds < BRISK else max(size // 2, 1) if seconds > SLOW else size


def _halves(job: Job) -> tuple[Job, Job]:
    middle = int(np.ceil((job.start + job.stop) / 2))
    return Job(job.start, middle), Job(middle, job.stop)
