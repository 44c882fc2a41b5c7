"""A random order of n rows, computed where it is needed: nothing is stored, and 10^9 rows cost what ten do.

A counter-based bijection: a Feistel network (cf. Black and Rogaway 2002, doi:10.1007/3-540-45760-7_9) over the smallest
power of two that is at least n, repeated until the position is below n, with the finalizer of SplitMix64 as its rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.kernels.jit import compiled

SHUFFLE_KEYS = 8
"""The number of keys of `shuffle_positions`, one for each round of the Feistel network."""


def splitmix64(state: Any) -> Any:
    """Return the output of the generator SplitMix64 in a state (Steele 2014, doi:10.1145/2660193.2660195).

    Parameters
    ----------
    state : uint64, or ndarray of uint64
        The generator's successive states differ by 0x9E3779B97F4A7C15; any other distinct numbers serve as well.

    Returns
    -------
    uint64, or ndarray of uint64 of the same shape
        Distinct for distinct states.

    Examples
    --------
    >>> splitmix64(np.arange(3, dtype=np.uint64))
    array([                   0,  6238072747940578789, 15839785061582574730],
          dtype=uint64)
    """
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def shuffle_positions(positions: NDArray[np.int64], n: int, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the rows at some positions of a random order of ``range(n)``.

    Parameters
    ----------
    positions : ndarray of int64, shape (m,)
        From 0 to n - 1.
    n : int
        Number of rows, 2 or more.
    keys : ndarray of uint64, shape (SHUFFLE_KEYS,)
        Select the order.

    Returns
    -------
    ndarray of int64, shape (m,)
        Row numbers.

    Examples
    --------
    >>> sorted(shuffle_positions(np.arange(5), 5, np.arange(8, dtype=np.uint64)).tolist())
    [0, 1, 2, 3, 4]
    """
    bits = (n - 1).bit_length()
    low = bits // 2
    out = positions.astype(np.uint64)
    kernel = compiled(shuffle_kernel, len(out), fallback="numpy")
    masks = np.uint64((1 << low) - 1), np.uint64((1 << (bits - low)) - 1)
    if kernel is None:
        _shuffle_in_numpy(out, np.uint64(n), keys, np.uint64(low), *masks)
    else:
        kernel(out, np.arange(len(out), dtype=np.uint64), np.uint64(n), keys, np.uint64(low), *masks)
    return out.view(np.int64)


def shuffle_kernel(out: Any, todo: Any, n: Any, keys: Any, shift: Any, right_mask: Any, left_mask: Any) -> None:
    """Replace positions by rows, in place; all numbers are uint64: the kernel of `shuffle_positions`.

    `todo` holds 0, 1, 2 ... as far as `out` is long. Those whose row is not below `n`, fewer than half, go through the
    network again. They are listed without a branch, so that the processor computes several at a time.
    """
    one, none = np.uint64(1), np.uint64(0)
    left = np.uint64(len(out))
    while left > none:
        still = none
        for j in range(left):
            i = todo[j]
            value = out[i]
            low, high = value & right_mask, value >> shift
            for k in range(0, len(keys), 2):
                high ^= splitmix64(low ^ keys[k]) & left_mask
                low ^= splitmix64(high ^ keys[k + 1]) & right_mask
            value = (high << shift) | low
            out[i] = value
            todo[still] = i
            still += one if value >= n else none
        left = still


def _shuffle_in_numpy(
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
            left ^= splitmix64(right ^ keys[k]) & left_mask
            right ^= splitmix64(left ^ keys[k + 1]) & right_mask
        out[todo] = value = (left << shift) | right
        todo[todo] = value >= n
