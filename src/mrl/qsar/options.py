"""The settings of a property model."""

from __future__ import annotations

from dataclasses import dataclass

from mrl.arguments import require_integer, require_positive

__all__ = ["FitOptions"]


@dataclass(frozen=True)
class FitOptions:
    """How a property model is validated and trained; the defaults suit data of some hundred to some ten thousand rows.

    Parameters
    ----------
    folds : int
        Parts of the data, 2 or more; the networks of each part are trained on all others.
    members : int
        Networks for each fold: the model is an ensemble of ``folds * members``.
    hidden, layers : int
        Units of a hidden layer, and hidden layers.
    dropout : float
        Share of the hidden units that are left out in a training step, 0 or more and below 1.
    epochs, batch_size : int
        Passes over the training rows, and rows of a training step.
    lr : float
        Highest learning rate of the cycle.
    seed : int
        Folds, initial weights, batches and dropout depend on it, and on nothing else that is random.

    Raises
    ------
    ValueError
        A value is out of its range.

    Examples
    --------
    >>> FitOptions(folds=3, members=1).networks
    3
    >>> FitOptions(folds=1)
    Traceback (most recent call last):
    ...
    ValueError: folds is 1; expected an integer of 2 or more
    """

    folds: int = 5
    members: int = 2
    hidden: int = 256
    layers: int = 2
    dropout: float = 0.2
    epochs: int = 30
    batch_size: int = 128
    lr: float = 2e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least, most in (
            ("folds", 2, None),
            ("members", 1, 1000),
            ("hidden", 1, 65_536),
            ("layers", 1, 100),
            ("epochs", 1, None),
            ("batch_size", 1, None),
            ("seed", 0, None),
        ):
            require_integer(name, getattr(self, name), least, most)
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; expected a share of 0 or more and below 1")
        require_positive("lr", self.lr)

    @property
    def networks(self) -> int:
        """The number of networks in the ensemble."""
        return self.folds * self.members
