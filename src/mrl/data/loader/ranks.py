"""Ranks: how many processes share a global batch, and which part of it each gets."""

from __future__ import annotations

import operator

import torch

from mrl.data.columns import Rows64


def rank_slice(rows: Rows64, rank: int, world_size: int) -> Rows64:
    """Return the part of a global batch that rank `rank` gets: contiguous parts of nearly equal size.

    No rank is left without a row: a batch of fewer rows than ranks repeats some.

    Parameters
    ----------
    rows : ndarray of int64, shape (B,)
        The rows of the global batch.
    rank, world_size : int
        0 <= rank < world_size.

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> import numpy as np
    >>> [rank_slice(np.arange(5), rank, 2).tolist() for rank in range(2)]
    [[0, 1], [2, 3, 4]]
    >>> [rank_slice(np.array([7]), rank, 2).tolist() for rank in range(2)]
    [[7], [7]]
    """
    n = len(rows)
    if n < world_size:
        return rows[[rank % n]]
    return rows[rank * n // world_size : (rank + 1) * n // world_size]


def rank_and_world_size(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """Return what was given, else what ``torch.distributed`` reports where it runs, else one process."""
    running = torch.distributed.is_available() and torch.distributed.is_initialized()
    if world_size is None:
        world_size = torch.distributed.get_world_size() if running else 1
    if rank is None:
        if not running and world_size > 1:
            raise ValueError(
                f"world_size is {world_size}, no rank was given, and torch.distributed does not run; give rank too"
            )
        rank = torch.distributed.get_rank() if running else 0
    if not 0 <= rank < world_size:
        raise ValueError(f"rank is {rank} and world_size {world_size}; expected 0 <= rank < world_size")
    return operator.index(rank), operator.index(world_size)
