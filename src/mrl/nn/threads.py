"""The number of threads that torch computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on the CPU with one thread inside the block.

    The steps of a small network are short, and all threads wait for the slowest one after each of them: on two busy
    cores two threads were ten times slower than one. One thread also gives the same numbers on machines of any size.

    Yields
    ------
    None
        Afterwards torch has its former number of threads again.

    Examples
    --------
    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
