"""Rank correlations between columns of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]

_LEAST = 10  # rows that have both values


@dataclass(frozen=True, eq=False)
class Correlations:
    """Spearman's rank correlation of each pair of columns, over the rows that have both.

    Attributes
    ----------
    names : tuple of str, k of them
    values : ndarray of float64, shape (k, k)
        From -1 to 1; NaN where fewer than 10 rows have both values, or one of the columns is constant there.
    rows : ndarray of int64, shape (k, k)
        The rows that have both.

    Examples
    --------
    >>> correlations({"a": np.arange(20.0), "b": -np.arange(20.0)}).strongest()
    [('a', 'b', -1.0, 20)]
    """

    names: tuple[str, ...]
    values: Values
    rows: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Return those of no columns.

        Examples
        --------
        >>> Correlations.none().names
        ()
        """
        return cls((), np.zeros((0, 0)), np.zeros((0, 0), np.int64))

    def strongest(self, most: int = 10) -> list[tuple[str, str, float, int]]:
        """Return the pairs of the largest correlations, positive or negative.

        Parameters
        ----------
        most : int
            How many pairs at most.

        Returns
        -------
        list of (str, str, float, int)
            The two columns, the correlation, and the rows that have both values.

        Examples
        --------
        >>> correlations({"a": np.arange(20.0)}).strongest()
        []
        """
        pairs = [
            (self.names[i], self.names[j], float(self.values[i, j]), int(self.rows[i, j]))
            for i, j in combinations(range(len(self.names)), 2)
            if not np.isnan(self.values[i, j])
        ]
        return sorted(pairs, key=lambda pair: -abs(pair[2]))[:most]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON: the names and the strongest pairs.

        Examples
        --------
        >>> correlations({"a": np.arange(20.0), "b": np.arange(20.0)}).to_dict()["strongest"][0]["value"]
        1.0
        """
        keys = ("a", "b", "value", "rows")
        return {"strongest": [dict(zip(keys, pair, strict=True)) for pair in self.strongest(50)]}


def correlations(columns: Mapping[str, ArrayLike]) -> Correlations:
    """Return the rank correlations between columns of equal length.

    Parameters
    ----------
    columns : mapping of str to array of numbers, each of shape (n,)
        Numbers, NaN where missing.

    Returns
    -------
    Correlations

    Examples
    --------
    >>> correlations({"a": np.arange(20.0), "b": np.arange(20.0) ** 3}).values[0, 1]
    np.float64(1.0)
    """
    names = tuple(columns)
    values = np.full((len(names), len(names)), np.nan)
    rows = np.zeros(values.shape, np.int64)
    np.fill_diagonal(values, 1.0)
    for i, j in combinations(range(len(names)), 2):
        a, b = np.asarray(columns[names[i]], np.float64), np.asarray(columns[names[j]], np.float64)
        both = ~(np.isnan(a) | np.isnan(b))
        rows[i, j] = rows[j, i] = n = int(both.sum())
        if n >= _LEAST:
            values[i, j] = values[j, i] = _pearson(_ranks(a[both]), _ranks(b[both]))
    return Correlations(names, values, rows)


def _ranks(values: Values) -> Values:
    """Return the rank of each value; equal values have the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Values = (ends - (counts - 1) / 2)[place]
    return ranks


def _pearson(a: Values, b: Values) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return round(float(a @ b) / size, 12) if size else float("nan")
