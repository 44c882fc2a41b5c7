"""Run a featurizer over many molecules: in this process, or in several."""

from __future__ import annotations

import multiprocessing
import time
import warnings
from collections import deque
from collections.abc import Generator
from functools import partial

from mrl.features.computing import Block, Featurizer, Transformer, compute, function_of
from mrl.processes import Lost, WorkerPool, next_chunk_size, require_picklable
from mrl.ragged import Text

__all__ = ["run"]

FEW = 512  # molecules up to which no process is started: a batch of reinforcement learning
BATCH = 256  # molecules that a transformer gets at once, counted from the first row, so that its sums are the same


def run(
    text: Text, featurizer: Featurizer, *, n_jobs: int, timeout: float | None, stop: bool
) -> Generator[tuple[int, Block], None, None]:
    """Yield the number of the first row of a block, and the block, until every row is computed; in any order.

    With `stop`, rows after one that failed may be left out.
    """
    is_daemon = multiprocessing.current_process().daemon  # such as a loader's worker: may not start processes
    if timeout is not None and is_daemon:
        warnings.warn(
            f"timeout={timeout:g} has no effect: this process is a daemon, such as a loader's worker, and may not "
            "start processes that could be terminated; compute the features before, or use num_workers=0",
            RuntimeWarning,
            stacklevel=4,
        )
    if is_daemon or (timeout is None and (n_jobs == 1 or len(text) <= FEW)):
        yield from _run_here(text, featurizer, stop)
        return
    require_picklable(featurizer, "featurizer", "use n_jobs=1" + ("" if timeout is None else " and no timeout"))
    deque(text, maxlen=0)  # a row that is not UTF-8 is named here, not blamed on a process
    chunk_size = BATCH if isinstance(function_of(featurizer), Transformer) else None
    function = partial(compute, featurizer)
    with WorkerPool(function, text, n_jobs=n_jobs, timeout=timeout, chunk_size=chunk_size) as pool:
        for start, result in pool:
            block = Block(lost={0: result.reason}) if isinstance(result, Lost) else result
            if stop and (failed := [*block.rejected, *block.lost]):
                pool.stop_at(start + min(failed))
            yield start, block


def _run_here(text: Text, featurizer: Featurizer, stop: bool) -> Generator[tuple[int, Block], None, None]:
    start, size = 0, next_chunk_size()
    while start < len(text):
        if isinstance(function_of(featurizer), Transformer):
            size = BATCH
        began = time.monotonic()
        block = compute(featurizer, text[start : start + size].tolist())
        first, start, size = start, start + size, next_chunk_size(size, time.monotonic() - began)
        yield first, block
        if stop and (block.rejected or block.lost):
            return
