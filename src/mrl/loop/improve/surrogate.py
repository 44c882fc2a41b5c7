"""A Gaussian process over molecules that have a score, to choose among molecules that have none yet.

Its kernel is a weighted mean of four: Tanimoto kernels of three count fingerprints (Ralaivola et al. 2005,
doi:10.1016/j.neunet.2005.07.009) and a squared exponential of the profile (logP, TPSA, rings, elements). The weights
are those, of a fixed list, under which the scores are most likely, so the same surrogate follows similarities, formulas
and properties. Scores are seen through it only: nothing is known about how a score is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrl.chem import count_bits, profile, to_mol
from mrl.kernels import tanimoto

Array = NDArray[np.float64]

KINDS = (("ecfp4", 2048), ("fcfp4", 2048), ("atompair", 4096))
_WEIGHTS = np.array(
    [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [1, 0, 0, 1],
        [0, 1, 0, 1],
        [0, 0, 1, 1],
        [3, 0, 0, 1],
        [0, 3, 0, 1],
        [0, 0, 3, 1],
        [1, 1, 1, 1],
        [1, 1, 1, 0],
    ],
    np.float64,
)
_WEIGHTS /= _WEIGHTS.sum(1, keepdims=True)
_NOISE = 1e-3  # of the variance
_LENGTH = 2.0  # of the squared exponential, in standard deviations of each number
_SMALL = 400  # molecules on which weights are compared


@dataclass(frozen=True)
class Features:
    """What the surrogate sees of n molecules: packed count fingerprints, and profiles."""

    bits: tuple[NDArray[np.uint64], ...]
    profiles: Array

    def take(self, rows: NDArray[np.int64]) -> Features:
        """Return the features of some rows."""
        return Features(tuple(bits[rows] for bits in self.bits), self.profiles[rows])

    def __len__(self) -> int:
        return len(self.profiles)


def features_of(smiles: Sequence[str]) -> Features:
    """Return the features of molecules."""
    mols = [to_mol(text) for text in smiles]
    bits = tuple(np.stack([count_bits(mol, kind, size) for mol in mols]) for kind, size in KINDS)
    return Features(bits, np.stack([profile(mol) for mol in mols]))


def joined(parts: Sequence[Features]) -> Features:
    """Return the features of several sets of molecules, in their order."""
    bits = tuple(np.concatenate([part.bits[kind] for part in parts]) for kind in range(len(KINDS)))
    return Features(bits, np.concatenate([part.profiles for part in parts]))


class Surrogate:
    """A Gaussian process that is fitted to scores.

    Parameters
    ----------
    features : Features
        Of n molecules.
    scores : ndarray of float64, shape (n,)
        Finite.
    weights : ndarray of float64, shape (4,), optional
        Of the kernels; by default the most likely of a fixed list.
    """

    def __init__(self, features: Features, scores: Array, weights: Array | None = None) -> None:
        self.features = features
        self.mean, self.scale = float(scores.mean()), float(scores.std()) or 1.0
        self.centre, self.spread = features.profiles.mean(0), features.profiles.std(0)
        self.spread[self.spread == 0] = 1.0
        y = (scores - self.mean) / self.scale
        if weights is None:
            step = max(1, len(scores) // _SMALL)
            rows = np.arange(0, len(scores), step)
            some = self._kernels(features.take(rows), features.take(rows))
            weights = max(_WEIGHTS, key=lambda candidate: _evidence(_mixed(some, candidate), y[rows]))
        self.weights: Array = weights
        kernels = self._kernels(features, features, weights)
        matrix = _mixed(kernels, weights)
        matrix[np.diag_indices_from(matrix)] += _NOISE
        self.inverse: Array = np.linalg.inv(np.linalg.cholesky(matrix))
        self.alpha: Array = self.inverse.T @ (self.inverse @ y)

    def predict(self, features: Features) -> tuple[Array, Array]:
        """Return the mean and the standard deviation of the score of m molecules."""
        cross = _mixed(self._kernels(features, self.features, self.weights), self.weights)
        mean = self.mean + self.scale * (cross @ self.alpha)
        variance = 1 - ((cross @ self.inverse.T) ** 2).sum(1)
        return mean, self.scale * np.sqrt(np.maximum(variance, 1e-9))

    def _kernels(self, a: Features, b: Features, weights: Array | None = None) -> list[Array]:
        """Return the four kernels; those of weight 0 are left out as zeros."""
        used = [weights is None or bool(weights[kind]) for kind in range(len(KINDS) + 1)]
        found = [tanimoto(a.bits[kind], b.bits[kind]) if used[kind] else np.zeros((1, 1)) for kind in range(len(KINDS))]
        if used[-1]:
            x, z = ((part.profiles - self.centre) / self.spread for part in (a, b))
            square = (x**2).sum(1)[:, None] + (z**2).sum(1)[None] - 2 * x @ z.T
            found.append(np.exp(-np.maximum(square, 0) / (2 * _LENGTH**2)))
        else:
            found.append(np.zeros((1, 1)))
        return found


def _mixed(kernels: list[Array], weights: Array) -> Array:
    return sum(
        (weight * kernel for weight, kernel in zip(weights, kernels, strict=True) if weight), start=np.zeros((1, 1))
    ).copy()


def _evidence(matrix: Array, y: Array) -> float:
    """Return the logarithm of the marginal likelihood of scores of unit variance, but for a constant."""
    matrix[np.diag_indices_from(matrix)] += _NOISE
    lower = np.linalg.cholesky(matrix)
    z = np.linalg.solve(lower, y)
    variance = max(float(z @ z) / len(y), 1e-12)  # 0 if all scores are equal
    return float(-0.5 * len(y) * np.log(variance) - np.log(np.diag(lower)).sum())
