"""Transforms: from the value of a measure to a score between 0 and 1, each with a stated direction.

A transform is a frozen dataclass of plain numbers. Its `direction` says in words what a molecule is rewarded for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mrl.arguments import require_positive

Values = NDArray[np.float64]


class Transform:
    """A function from values of a measure to scores; NaN stays NaN.

    Examples
    --------
    >>> Linear(zero=0, one=2)([1.0, float("nan")])
    array([0.5, nan])
    """

    @property
    def direction(self) -> str:
        """What is rewarded, in words.

        Examples
        --------
        >>> Gaussian(mu=2, sigma=1).direction
        'reach 2'
        """
        raise NotImplementedError

    def __call__(self, values: Any) -> Values:
        """Return the score of each value.

        Parameters
        ----------
        values : array of numbers, any shape

        Returns
        -------
        ndarray of float64
            Of the same shape; NaN where a value is NaN.
        """
        values = np.asarray(values, np.float64)
        return np.where(np.isnan(values), math.nan, self._apply(values))

    def _apply(self, values: Values) -> Values:
        raise NotImplementedError


@dataclass(frozen=True)
class Identity(Transform):
    """The value itself: for measures between 0 and 1, of which more is better.

    Examples
    --------
    >>> Identity()([0.25, 1.0]), Identity().direction
    (array([0.25, 1.  ]), 'maximise')
    """

    @property
    def direction(self) -> str:
        """What is rewarded, in words."""
        return "maximise"

    def _apply(self, values: Values) -> Values:
        return values


@dataclass(frozen=True)
class Linear(Transform):
    """A straight line between two values, constant outside them.

    Parameters
    ----------
    zero, one : float
        The values whose scores are 0 and 1; with `zero` above `one`, less is better.

    Raises
    ------
    ValueError
        The two are equal, or not finite.

    Examples
    --------
    >>> Linear(zero=0, one=0.75)([0.0, 0.375, 0.9]), Linear(zero=5, one=1).direction
    (array([0. , 0.5, 1. ]), 'minimise (1 at 1 or less, 0 at 5)')
    """

    zero: float
    one: float

    def __post_init__(self) -> None:
        _require_different("zero", self.zero, "one", self.one)

    @property
    def direction(self) -> str:
        """What is rewarded, in words."""
        return _describe(self.zero, self.one, "0", "1")

    def _apply(self, values: Values) -> Values:
        return np.clip((values - self.zero) / (self.one - self.zero), 0.0, 1.0)


@dataclass(frozen=True)
class Sigmoid(Transform):
    """A smooth step: 0.05 at one value, 0.95 at the other.

    Parameters
    ----------
    low, high : float
        The values whose scores are 0.05 and 0.95; with `low` above `high`, less is better (a reverse sigmoid).

    Raises
    ------
    ValueError
        The two are equal, or not finite.

    Examples
    --------
    >>> Sigmoid(low=5, high=7)([5.0, 6.0, 7.0]).round(3), Sigmoid(low=7, high=5).direction
    (array([0.05, 0.5 , 0.95]), 'minimise (0.95 at 5 or less, 0.05 at 7)')
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _require_different("low", self.low, "high", self.high)

    @property
    def direction(self) -> str:
        """What is rewarded, in words."""
        return _describe(self.low, self.high, "0.05", "0.95")

    def _apply(self, values: Values) -> Values:
        return _sigmoid(values, self.low, self.high)


@dataclass(frozen=True)
class DoubleSigmoid(Transform):
    """A smooth window: near 1 between two values, and falling on both sides.

    Parameters
    ----------
    low, high : float
        The ends of the window, where the score is 0.95 (if the window is wider than the margins).
    margin : float
        How far outside an end the score is 0.05.

    Raises
    ------
    ValueError
        `low` is not below `high`, or `margin` is not positive.

    Examples
    --------
    >>> window = DoubleSigmoid(low=200, high=500, margin=50)
    >>> window([150.0, 350.0, 500.0]).round(2), window.direction
    (array([0.05, 1.  , 0.95]), 'reach 200 to 500')
    """

    low: float
    high: float
    margin: float

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"low={self.low}, high={self.high}: expected low below high")
        require_positive("margin", self.margin)

    @property
    def direction(self) -> str:
        """What is rewarded, in words."""
        return f"reach {_text(self.low)} to {_text(self.high)}"

    def _apply(self, values: Values) -> Values:
        return _sigmoid(values, self.low - self.margin, self.low) * _sigmoid(values, self.high + self.margin, self.high)


@dataclass(frozen=True)
class Step(Transform):
    """1 inside a range, its ends included, and 0 outside.

    Parameters
    ----------
    low, high : float, optional
        The ends; None is open.

    Raises
    ------
    ValueError
        Both are None, or `low` is above `high`.

    Examples
    --------
    >>> Step(high=0)([0.0, 1.0]), Step(low=1, high=3).direction
    (array([1., 0.]), 'reach 1 to 3')
    """

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise ValueError("a step needs low, high or both")
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise ValueError(f"low={self.low}, high={self.high}: expected low at most high")

    @property
    def direction(self) -> str:
        """What is rewarded, in words."""
        if self.low is None:
            return f"reach {_text(_known(self.high))} or less"
        if self.high is None:
            return f"reach {_text(self.low)} or more"
        return f"reach {_text(self.low)} to {_text(self.high)}"

    def _apply(self, values: Values) -> Values:
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return ((values >= low) & (values <= high)).astype(np.float64)


@dataclass(frozen=True)
class Gaussian(Transform):
    """A bell curve around a value, or half of one.

    Parameters
    ----------
    mu, sigma : float
        Where the score is 1, and the standard deviation.
    side : {"both", "below", "above"}
        On which sides of `mu` the score falls: ``"below"`` rewards values of `mu` and more, ``"above"`` values of `mu`
        and less.

    Raises
    ------
    ValueError
        `sigma` is not positive, or an unknown side.

    Examples
    --------
    >>> Gaussian(mu=2, sigma=1)([1.0, 2.0]).round(3), Gaussian(mu=2, sigma=1, side="above").direction
    (array([0.607, 1.   ]), 'reach 2 or less')
    """

    mu: float
    sigma: float
    side: Literal["both", "below", "above"] = "both"

    def __post_init__(self) -> None:
        require_positive("sigma", self.sigma)
        if self.side not in _SIDES:
            raise ValueError(f"side={self.side!r}; choose one of {', '.join(map(repr, _SIDES))}")

    @property
    def direction(self) -> str:
        """What is rewarded, in words."""
        return f"reach {_text(self.mu)}{_SIDES[self.side]}"

    def _apply(self, values: Values) -> Values:
        distance = values - self.mu
        if self.side == "below":
            distance = np.minimum(distance, 0.0)
        elif self.side == "above":
            distance = np.maximum(distance, 0.0)
        return np.exp(-0.5 * (distance / self.sigma) ** 2)


@dataclass(frozen=True)
class ValueMap(Transform):
    """A table of scores for measures with few values, such as counts or classes.

    Parameters
    ----------
    scores : mapping of number -> float
        The score of each value.
    other : float
        The score of all other values.

    Raises
    ------
    ValueError
        The table is empty, or a key is not a number.

    Examples
    --------
    >>> ValueMap({0: 1.0, 1: 0.5})([0, 1, 2]), ValueMap({0: 1.0, 1: 0.5}).direction
    (array([1. , 0.5, 0. ]), 'reach 0 (1), 1 (0.5)')
    """

    scores: Mapping[float, float]
    other: float = 0.0

    def __post_init__(self) -> None:
        if not self.scores:
            raise ValueError("scores is empty; expected a table such as {0: 1.0, 1: 0.5}")
        try:
            table = {float(value): float(score) for value, score in self.scores.items()}
        except ValueError as error:
            raise ValueError(f"scores={dict(self.scores)!r}: expected numbers ({error})") from None
        object.__setattr__(self, "scores", table)

    @property
    def direction(self) -> str:
        """What is rewarded, in words."""
        best = sorted(self.scores.items(), key=lambda item: (-item[1], item[0]))
        return "reach " + ", ".join(f"{_text(value)} ({_text(score)})" for value, score in best)

    def _apply(self, values: Values) -> Values:
        result = np.full(values.shape, self.other)
        for value, score in self.scores.items():
            result[values == value] = score
        return result


_SIDES = {"both": "", "below": " or more", "above": " or less"}

TRANSFORMS: dict[str, type[Transform]] = {
    "identity": Identity,
    "linear": Linear,
    "sigmoid": Sigmoid,
    "double_sigmoid": DoubleSigmoid,
    "step": Step,
    "gaussian": Gaussian,
    "value_map": ValueMap,
}
"""The transforms by their names in files."""


def _sigmoid(values: Values, low: float, high: float) -> Values:
    slope = 2 * math.log(19) / (high - low)  # from 1/20 to 19/20
    return 1 / (1 + np.exp(-np.clip(slope * (values - (low + high) / 2), -700, 700)))


def _describe(low: float, high: float, at_low: str, at_high: str) -> str:
    verb, which = ("maximise", "more") if high > low else ("minimise", "less")
    return f"{verb} ({at_high} at {_text(high)} or {which}, {at_low} at {_text(low)})"


def _text(value: float) -> str:
    return f"{value:g}"


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _require_different(name: str, value: float, other_name: str, other: float) -> None:
    if not (math.isfinite(value) and math.isfinite(other) and value != other):
        raise ValueError(f"{name}={value}, {other_name}={other}: expected two different numbers")
