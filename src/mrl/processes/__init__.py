"""Processes: how they start, how many there may be, and a pool of them that survives items which hang or crash."""

from mrl.processes.pool import Lost, WorkerPool, next_chunk_size, require_picklable
from mrl.processes.start import available_cpus, process_context, require_n_jobs
from mrl.processes.worker import begin_worker

__all__ = [
    "Lost",
    "WorkerPool",
    "available_cpus",
    "begin_worker",
    "next_chunk_size",
    "process_context",
    "require_n_jobs",
    "require_picklable",
]
