"""Random numbers and random orders that are computed where they are needed: pure functions, and nothing is stored."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrl.data.columns import Rows64
from mrl.kernels import SHUFFLE_KEYS, shuffle_positions, splitmix64

# Up to this many rows random numbers are sorted: as fast, and unbiased, where a Feistel network of few bits is biased.
SMALL = 1 << 10
STEP = np.uint64(0x9E3779B97F4A7C15)  # between the states of a SplitMix64 generator


def shuffled_positions(positions: ArrayLike, n: int, key: str) -> Rows64:
    """Return the rows at some positions of a random order of ``range(n)``.

    Parameters
    ----------
    positions : array of int, shape (m,)
        From 0 to below `n`.
    n : int
        Number of rows.
    key : str
        Key of the order: the same key gives the same order on any machine.

    Returns
    -------
    ndarray of int64, shape (m,)

    Examples
    --------
    >>> shuffled_positions(range(5), 5, "seed 0"), shuffled_positions([3], 5, "seed 0")
    (array([2, 0, 3, 4, 1]), array([4]))
    """
    positions = np.asarray(positions, np.int64)
    if n <= SMALL:
        return np.take(_small_order(n, key), positions)
    return shuffle_positions(positions, n, _shuffle_keys(n, key))


@lru_cache(maxsize=256)
def _small_order(n: int, key: str) -> Rows64:
    stream = hashlib.shake_128(f"{n}:{key}".encode()).digest(8 * n)
    return np.argsort(np.frombuffer(stream, "<u8"), kind="stable").astype(np.int64)


@lru_cache(maxsize=256)
def _shuffle_keys(n: int, key: str) -> NDArray[np.uint64]:
    stream = hashlib.shake_128(f"{n}:{key}".encode()).digest(8 * SHUFFLE_KEYS)
    return np.frombuffer(stream, "<u8").astype(np.uint64)


def row_keys(seed: int, epoch: int, rows: ArrayLike, purpose: str) -> NDArray[np.uint64]:
    """Return one random number per row, the same in any process and at any time.

    Parameters
    ----------
    seed, epoch : int
        Others give other random numbers.
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
    return random_bits(np.asarray(rows).astype(np.uint64), _purpose_key(seed, epoch, purpose))


def random_bits(counters: NDArray[np.uint64], keys: ArrayLike) -> NDArray[np.uint64]:
    """Return 64 random bits per counter: the number at that place of a SplitMix64 generator.

    Parameters
    ----------
    counters : ndarray of uint64, shape (n,)
        Places in the sequences of the generators.
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
    state = counters * STEP + np.asarray(keys, np.uint64)  # wraps around, as intended
    return np.asarray(splitmix64(state), np.uint64)


@lru_cache(maxsize=64)
def _purpose_key(seed: int, epoch: int, purpose: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(f"{purpose} {seed} {epoch}".encode()).digest()[:8], "little"))
