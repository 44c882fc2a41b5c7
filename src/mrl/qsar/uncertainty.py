"""How large errors are to be expected: learned from the errors of the cross-validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression

Numbers = NDArray[np.float64]

_ROUNDS = 20  # of reweighting
_PARTS = 3  # a constant, the spread, the distance


def fit_error_sizes(errors: Numbers, spread: Numbers, similarity: Numbers, is_class: NDArray[np.bool_]) -> Numbers:
    """Return the numbers of `expected_errors` for each target, shape (T, 3).

    The expected square of an error is a + b x spread^2 + c x distance^2 with a, b, c of 0 or more: those under which
    normally distributed errors of molecules that the networks had not seen are most likely. Of a class it is the
    spread: a, b, c are 0, 1, 0.

    Parameters
    ----------
    errors, spread : ndarray of float64, shape (n, T)
        Label minus prediction, NaN where there is none; and the spread of the networks, NaN of a single one.
    similarity : ndarray of float64, shape (n,)
        To the nearest molecule that the networks have seen.
    is_class : ndarray of bool, shape (T,)
        Which targets are classes.
    """
    sizes = np.zeros((errors.shape[1], _PARTS))
    for place in range(len(sizes)):
        known = ~np.isnan(errors[:, place])
        if is_class[place] or not known.any():
            sizes[place] = 0, 1, 0
        else:
            parts = _parts(np.nan_to_num(spread[known, place]), similarity[known])
            sizes[place] = _fit(np.stack(parts, axis=1), errors[known, place] ** 2)
    return sizes


def expected_errors(sizes: Numbers, spread: Numbers, similarity: Numbers) -> Numbers:
    """Return the expected size (root mean square) of the errors of n predictions, shape (n, T).

    Parameters
    ----------
    sizes : ndarray of float64, shape (T, 3)
        Of `fit_error_sizes`.
    spread : ndarray of float64, shape (n, T)
        Of the networks.
    similarity : ndarray of float64, shape (n,)
        To the nearest molecule that the networks have seen.
    """
    constant, of_spread, of_distance = _parts(np.nan_to_num(spread), similarity[:, None])
    return np.sqrt(constant * sizes[:, 0] + of_spread * sizes[:, 1] + of_distance * sizes[:, 2])


def _parts(spread: Numbers, similarity: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    return np.ones_like(spread), spread**2, (1 - similarity) ** 2


def _fit(parts: Numbers, squares: Numbers) -> Numbers:
    """Return the most likely numbers of 0 or more: least squares, each square weighted by its own variance."""
    line = LinearRegression(positive=True, fit_intercept=False)
    least = 1e-3 * float(squares.mean()) or 1.0
    weights = np.ones(len(squares))
    for _ in range(_ROUNDS):
        found = np.asarray(line.fit(parts, squares, weights).coef_, np.float64)
        weights = np.maximum(parts @ found, least) ** -2.0
    return found
