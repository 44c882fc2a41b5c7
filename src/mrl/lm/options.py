"""The options of training and fine-tuning, and the checks that all options share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mrl.arguments import require_integer, require_positive


@dataclass(frozen=True)
class FitOptions:
    """The settings of `fit`, checked when they are made.

    Parameters
    ----------
    schedule : {"one-cycle", "constant"}
        The learning rate rises to its highest value in 30 % of the steps and falls to nearly zero (Smith & Topin 2017,
        arXiv:1708.07120), or is constant.
    clip : float
        Gradients are scaled down to this norm; infinity leaves them as they are.
    evaluate_every : int, optional
        Steps between validations; a tenth of all steps if not given.
    patience : int, optional
        Stop after this many validations in a row without a lower loss, and go back to the best weights; never, and stay
        with the last weights, if not given.
    checkpoint : str or path, optional
        File that the training is resumed from if it exists, and saved to.
    checkpoint_every : int
        Steps between checkpoints.
    autocast : bool
        Mixed precision (bfloat16) where the device has it: on CUDA.

    Raises
    ------
    ValueError
        A number is out of its range, or `schedule` unknown.

    Examples
    --------
    >>> FitOptions(patience=3).schedule
    'one-cycle'
    >>> FitOptions(clip=-1)
    Traceback (most recent call last):
    ...
    ValueError: clip is -1; expected a positive number
    """

    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    clip: float = 1.0
    evaluate_every: int | None = None
    patience: int | None = None
    checkpoint: Path | None = None
    checkpoint_every: int = 500
    autocast: bool = True

    def __post_init__(self) -> None:
        if self.schedule not in ("one-cycle", "constant"):
            raise ValueError(f"schedule is {self.schedule!r}; expected 'one-cycle' or 'constant'")
        if self.clip != math.inf:
            require_positive("clip", self.clip)
        for name in ("evaluate_every", "patience", "checkpoint_every"):
            if getattr(self, name) is not None:
                require_integer(name, getattr(self, name), 1)
        if self.checkpoint is not None:
            object.__setattr__(self, "checkpoint", Path(self.checkpoint))

    def settings(self) -> dict[str, Any]:
        """Return what a run resumed from a checkpoint must share with the one that wrote it.

        Returns
        -------
        dict of str to JSON values

        Examples
        --------
        >>> FitOptions(checkpoint="checkpoint.safetensors").settings()["schedule"]
        'one-cycle'
        """
        names = ("schedule", "clip", "evaluate_every", "patience", "autocast")
        return {name: str(value) if (value := getattr(self, name)) == math.inf else value for name in names}


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
    max_length : int, optional
        The most ids of a sample; that of the model if not given. Samples that were cut there are not learned from.
    min_uniqueness : float
        A round is undone if the share of unique molecules among the valid ones falls below this part of that share in
        round 0.
    seed : int
        Seed of the samples and of the order of the batches.

    Raises
    ------
    ValueError
        `keep` is not above 0 and at most 1, `min_uniqueness` is negative or not finite, `lr` not positive, or an
        integer smaller than sensible.

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
    max_length: int | None = None
    min_uniqueness: float = 0.87
    seed: int = 0

    def __post_init__(self) -> None:
        require_integer("rounds", self.rounds, 0)
        require_integer("samples", self.samples, 1)
        require_integer("epochs", self.epochs, 1)
        if self.max_length is not None:
            require_integer("max_length", self.max_length, 2)
        require_positive("lr", self.lr)
        if not 0 < self.keep <= 1:
            raise ValueError(f"keep is {self.keep}; expected a share above 0 and at most 1")
        if not 0 <= self.min_uniqueness < math.inf:
            raise ValueError(f"min_uniqueness is {self.min_uniqueness}; expected a number from 0, usually below 1")
