"""What arguments must be: whole numbers within limits, positive numbers."""

from __future__ import annotations

import math
from numbers import Integral

__all__ = ["MOST_PROCESSES", "require_integer", "require_positive"]

MOST_PROCESSES = 1024
"""The most processes to start on one machine: a larger number is a mistake that would end it."""


def require_integer(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return a whole number within limits as an int.

    Parameters
    ----------
    name : str
        The name of the argument, for the message.
    value : object
        What was given; a bool is not a number.
    least, most : int
        The limits; no upper one if `most` is None.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it is not an integer, or beyond a limit.

    Examples
    --------
    >>> require_integer("epochs", 3, 1)
    3
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name} is {value!r}; expected an integer of {least} or more")
    if most is not None and int(value) > most:
        raise ValueError(f"{name} is {value!r}; expected an integer of at most {most:,}")
    return int(value)


def require_positive(name: str, value: float) -> None:
    """Raise an error unless a number is positive and finite.

    Parameters
    ----------
    name : str
        The name of the argument, for the message.
    value : float
        What was given.

    Raises
    ------
    ValueError
        If it is zero, negative, infinite or NaN.

    Examples
    --------
    >>> require_positive("lr", 0.001)
    """
    if not 0 < value < math.inf:
        raise ValueError(f"{name} is {value}; expected a positive number")
