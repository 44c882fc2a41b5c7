"""Fine-tuning: hill climbing towards a property, round by round."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mrl.chem import CanonicalSet, Screened, screen
from mrl.data import TextDataset
from mrl.errors import FeatureError
from mrl.lm.model import LanguageModel
from mrl.lm.sample import sample
from mrl.lm.train import train
from mrl.text import UNK

__all__ = ["Round", "finetune"]


@dataclasses.dataclass(frozen=True, eq=False)
class Round:
    """What a model gave after so many rounds of fine-tuning, and what it learned from that.

    Attributes
    ----------
    number : int
        Rounds of training before these samples were drawn; 0 is the model as it was given.
    screened : Screened
        The n samples: canonical SMILES, valid, unique, novel.
    scores : ndarray of float64, shape (n,)
        The score of each valid sample; NaN for the others, and where the score was no finite number.
    trained_on : int
        The best molecules that the model learned from next; 0 after the last round.
    """

    number: int
    screened: Screened
    scores: NDArray[np.float64]
    trained_on: int

    @property
    def mean(self) -> float:
        """Mean score of the samples that have one; NaN if none has."""
        scored = self.scores[np.isfinite(self.scores)]
        return float(scored.mean()) if len(scored) else math.nan

    def best(self, count: int) -> list[tuple[str, float]]:
        """The `count` different molecules of the highest scores, with their scores, the best one first."""
        ...
