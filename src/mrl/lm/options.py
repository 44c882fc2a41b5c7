"""The options of fine-tuning, and the checks that all options share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral


@dataclass(frozen=True)
class FinetuneOptions:
    """The settings of `finetune`, checked when they are made.

    Parameters
    ----------
    rounds : int
        Rounds of training.
    samples : int
        Samples to draw per round.
    keep : float
        Share of the new molecules of a round to train on, 0 < keep <= 1.
    epochs : int
        How often the model sees each of them.
    lr : float
        Learning rate, constant.
    max_length : int
        The most ids of a sample.
    min_uniqueness : float
        A round is undone if the share of unique molecules among the valid ones falls below this part of that share in
        round 0.
    seed : int
        Seed of the samples and of the order of the batches.

    Raises
    ------
    ValueError
        `keep` is not above 0 and at most 1, `lr` is not positive, or an integer is smaller than sensible.

    Examples
    --------
    >>> FinetuneOptions(rounds=2, keep=0.25).samples
    1000
    >>> FinetuneOptions(keep=2)
    Traceback (most recent call last):
    ...
    ValueError: keep is 2; expected a share above 0 and at most 1
    """

    rounds: int = 5
    samples: int = 1000
    keep: float = 0.5
    epochs: int = 3
    lr: float = 1e-3
    max_length: int = 128
    min_uniqueness: float = 0.87
    seed: int = 0

    def __post_init__(self) -> None:
        require_integer("rounds", self.rounds, 0)
        require_integer("samples", self.samples, 1)
        require_integer("epochs", self.epochs, 1)
        require_integer("max_length", self.max_length, 2)
        require_positive("lr", self.lr)
        if not 0 < self.keep <= 1:
            raise ValueError(f"keep is {self.keep}; expected a share above 0 and at most 1")


def require_integer(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return `value` as an int; ValueError unless it is an integer of `least` or more, and of `most` or less."""
    if type(value) is bool or not isinstance(value, Integral) or int(value) < least:
        raise ValueError(f"{name} is {value!r}; expected an integer of {least} or more")
    if most is not None and int(value) > most:
        raise ValueError(f"{name} is {value!r}; expected an integer of at most {most:,}")
    return int(value)


def require_positive(name: str, value: float) -> None:
    """Raise a ValueError unless `value` is a positive, finite number."""
    if not 0 < value < math.inf:
        raise ValueError(f"{name} is {value}; expected a positive number")
