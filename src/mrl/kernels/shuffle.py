"""A random order of n rows that is computed where it is needed: nothing is stored, and 10^9 rows cost what ten do.

A counter-based bijection: a Feistel network (cf. Black and Rogaway 2002, doi:10.1007/3-540-45760-7_9) over the smallest
power of two that holds n, walked until the place is inside again, with the finalizer of SplitMix64 (Steele 2014,
doi:10.1145/2660193.2660195) as its rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.kernels._jit import compiled

__all__ = ["ROUNDS", "feistel", "shuffled"]

ROUNDS = 8

_WORDS = np.dtype(np.uint64)


def shuffled(positions: NDArray[np.int64], n: int, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Give what stands at some positions of a random order of ``range(n)``.

    Parameters
    ----------
    positions : ndarray of int64, shape (m,)
        From 0 to below `n`.
    n : int
        Number of rows, 2 or more.
    keys : ndarray of uint64, shape (8,)
        They name the order.

    Returns
    -------
    ndarray of int64, shape (m,)

    Examples
    --------
    >>> sorted(shuffled(np.arange(5), 5, np.arange(8, dtype=np.uint64)).tolist())
    [0, 1, 2, 3, 4]
    """
    bits = (n - 1).bit_length()
    low = bits // 2
    out = positions.astype(np.uint64)
    kernel = compiled(feistel, _WORDS, len(out), 0, ahead=n, slow=False)
    (kernel or _feistel)(
        out, np.uint64(n), keys, np.uint64(low), np.uint64((1 << low) - 1), np.uint64((1 << (bits - low)) - 1)
    )
    return out.view(np.int64)


def feistel(out: Any, n: Any, keys: Any, shift: Any, right_mask: Any, left_mask: Any) -> None:
    """The kernel of `shuffled`: positions in, rows out, in place; all numbers are uint64."""
    for i in range(len(out)):
        value = out[i]
        while True:  # fewer than two steps on average
            right, left = value & right_mask, value >> shift
            for k in range(0, len(keys), 2):
                mixed = right ^ keys[k]
                mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                left ^= (mixed ^ (mixed >> np.uint64(31))) & left_mask
                mixed = left ^ keys[k + 1]
                mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
                mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
                right ^= (mixed ^ (mixed >> np.uint64(31))) & right_mask
            value = (left << shift) | right
            if value < n:
                break
        out[i] = value


def _feistel(
    out: NDArray[np.uint64],
    n: np.uint64,
    keys: NDArray[np.uint64],
    shift: np.uint64,
    right_mask: np.uint64,
    left_mask: np.uint64,
) -> None:
    todo = np.ones(len(out), bool)
    while todo.any():
        value = out[todo]
        right, left = value & right_mask, value >> shift
        for k in range(0, len(keys), 2):
            left ^= _mixed(right, keys[k]) & left_mask
            right ^= _mixed(left, keys[k + 1]) & right_mask
        out[todo] = value = (left << shift) | right
        todo[todo] = value >= n


def _mixed(value: NDArray[np.uint64], key: np.uint64) -> NDArray[np.uint64]:
    mixed = value ^ key
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
