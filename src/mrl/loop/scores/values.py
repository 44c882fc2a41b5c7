"""What a function of a score returns: a number, a number with a margin, or the reason why there is none."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from mrl.messages import format_value


class Failed(NamedTuple):
    """What stands in the place of a value that could not be computed.

    Parameters
    ----------
    reason : str
        Why.

    Examples
    --------
    >>> Failed("time-out").reason
    'time-out'
    """

    reason: str


class Estimate(NamedTuple):
    """A value that may be off by a margin: its score is the lowest of those at the value and at both ends.

    Parameters
    ----------
    value, margin : float
        The margin is 0 or more, in the unit of the value.

    Examples
    --------
    >>> from mrl.loop import Component, Identity, Score
    >>> score = Score([Component("assay", lambda smiles: Estimate(0.7, margin=0.2), Identity())])
    >>> scored = score(["CCO"])
    >>> scored.values, scored.scores
    (array([[0.7]]), array([0.5]))
    """

    value: float
    margin: float


def to_value(value: Any) -> float | Estimate | Failed:
    """Return a value with a finite number, and a finite margin of 0 or more if it has one; otherwise why it has not."""
    if isinstance(value, Failed):
        return value
    if not isinstance(value, Estimate):
        return to_number(value)
    number, margin = to_number(value.value), to_number(value.margin)
    if isinstance(number, Failed):
        return number
    if isinstance(margin, Failed) or margin < 0:
        return Failed(f"its margin is {format_value(value.margin)}; expected a number of 0 or more")
    return Estimate(number, margin)


def to_number(value: Any) -> float | Failed:
    """Return a finite number, or why a value is not one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return Failed(f"not a number: {format_value(value)}")
    return number if math.isfinite(number) else Failed(f"not a finite number: {number}")
