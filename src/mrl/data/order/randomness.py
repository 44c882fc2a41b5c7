"""Randomness that belongs to a row: a pure function of (seed, epoch, row), whoever computes it and when."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["mixed", "row_keys"]

_STEP = np.uint64(0x9E3779B97F4A7C15)


def row_keys(seed: int, epoch: int, rows: Any, purpose: str) -> NDArray[np.uint64]:
    """Give a random number for each row.

    Parameters
    ----------
    seed, epoch : int
        Any.
    rows : array of int, shape (B,)
        Row numbers.
    purpose : str
        Different purposes have independent numbers.

    Returns
    -------
    ndarray of uint64, shape (B,)

    Examples
    --------
    >>> keys = row_keys(0, 3, [7, 8], "doctest")
    >>> bool((keys == row_keys(0, 3, [8, 7], "doctest")[::-1]).all()), bool(keys[0] == keys[1])
    (True, False)
    """
    return mixed(np.asarray(rows).astype(np.uint64), _stream(seed, epoch, purpose))


def mixed(counters: NDArray[np.uint64], key: Any) -> NDArray[np.uint64]:
    """Give the numbers of the SplitMix64 generators `key` at `counters` (Steele 2014, doi:10.1145/2660193.2660195)."""
    value = counters * _STEP + np.asarray(key, np.uint64)  # wraps around, as it is meant to
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)), np.uint64)


@lru_cache(maxsize=64)
def _stream(seed: int, epoch: int, purpose: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(f"{purpose} {seed} {epoch}".encode()).digest()[:8], "little"))
