"""Random orders of n rows of which any part is computed by itself; nothing is stored."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike

from mrl.data.columns import Rows64
from mrl.kernels import SHUFFLE_KEYS, shuffle_positions

__all__ = ["SMALL", "shuffled_positions"]

# Up to this many rows random numbers are sorted: as fast, and unbiased, where a Feistel network of few bits is biased.
SMALL = 1 << 10


def shuffled_positions(positions: ArrayLike, n: int, key: str) -> Rows64:
    """Return the rows at some positions of a random order of ``range(n)``.

    Parameters
    ----------
    positions : array of int, shape (m,)
        From 0 to below `n`.
    n : int
        Number of rows.
    key : str
        Names the order; the same key gives the same order on any machine.

    Returns
    -------
    ndarray of int64, shape (m,)

    Examples
    --------
    >>> shuffled_positions(range(5), 5, "seed 0")
    array([2, 0, 3, 4, 1])
    >>> shuffled_positions([3], 5, "seed 0")
    array([4])
    """
    positions = np.asarray(positions, np.int64)
    stream = hashlib.shake_128(f"{n}:{key}".encode())
    if n <= SMALL:
        order = np.argsort(np.frombuffer(stream.digest(8 * n), "<u8"), kind="stable")
        return np.asarray(order[positions], np.int64)
    return shuffle_positions(positions, n, np.frombuffer(stream.digest(8 * SHUFFLE_KEYS), "<u8").astype(np.uint64))
