"""How many threads torch computes with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on the CPU with one thread, and give it back its number afterwards.

    The steps of a small LSTM are short. Several threads meet after each of them, and where another program uses one of
    the cores, all wait for it: on two busy cores two threads were ten times slower than one. One thread also gives the
    same numbers whatever the machine has.

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
