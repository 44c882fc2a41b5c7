"""Randomness per row: a pure function of (seed, epoch, row), in any process and at any time."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrl.kernels import splitmix64

__all__ = ["random_bits", "row_keys"]

_STEP = np.uint64(0x9E3779B97F4A7C15)  # between the states of a SplitMix64 generator


def row_keys(seed: int, epoch: int, rows: ArrayLike, purpose: str) -> NDArray[np.uint64]:
    """Return one random number per row.

    Parameters
    ----------
    seed, epoch : int
        Any; other numbers give other random numbers.
    rows : array of int, shape (B,)
        Row numbers.
    purpose : str
        Different purposes have independent random numbers.

    Returns
    -------
    ndarray of uint64, shape (B,)

    Examples
    --------
    >>> keys = row_keys(0, 3, [7, 8], "doctest")
    >>> bool((keys == row_keys(0, 3, [8, 7], "doctest")[::-1]).all()), bool(keys[0] == keys[1])
    (True, False)
    """
    return random_bits(np.asarray(rows).astype(np.uint64), _stream(seed, epoch, purpose))


def random_bits(counters: NDArray[np.uint64], keys: ArrayLike) -> NDArray[np.uint64]:
    """Return 64 random bits for each counter: the number of the SplitMix64 generator `keys` at that counter.

    Steele et al. 2014, doi:10.1145/2660193.2660195.

    Parameters
    ----------
    counters : ndarray of uint64, shape (n,)
        Places in the generators' sequences.
    keys : array of uint64, shape (n,) or ()
        The generators, such as `row_keys`.

    Returns
    -------
    ndarray of uint64, shape (n,)

    Examples
    --------
    >>> random_bits(np.arange(2, dtype=np.uint64), np.uint64(7))
    array([1346066267577507604, 7191089600892374487], dtype=uint64)
    """
    return splitmix64(counters * _STEP + np.asarray(keys, np.uint64))  # wraps around, as intended


@lru_cache(maxsize=64)
def _stream(seed: int, epoch: int, purpose: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(f"{purpose} {seed} {epoch}".encode()).digest()[:8], "little"))
