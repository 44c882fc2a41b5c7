"""Fine-tuning towards a property by hill climbing: sample, keep the best, learn from them, again."""

from __future__ import annotations

import copy
import dataclasses
import math
import warnings
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mrl.chem import CanonicalSet, Screened, screen
from mrl.data import TextDataset
from mrl.errors import FeatureError
from mrl.lm.model import LanguageModel
from mrl.lm.sampling import sample
from mrl.lm.training import train
from mrl.text import UNK

__all__ = ["Round", "finetune"]

BATCH_SIZE = 64
SEED_STEP = 1_000_003  # between rounds: other draws than those of the next seeds


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Round:
    """What a model gives after some rounds of fine-tuning, and how many molecules it learned from then.

    Attributes
    ----------
    number : int
        Rounds of learning that lie behind; 0 is the model as it was given.
    texts : tuple of str, n of them
        The samples.
    screened : Screened
        Which of them are molecules, different, and new.
    scores : ndarray of float64, shape (n,)
        Of each valid sample; NaN for the others, and where the score itself is no finite number.
    trained_on : int
        Molecules of this round that the model learned from; 0 in the last round.
    """

    number: int
    texts: tuple[str, ...]
    screened: Screened
    scores: NDArray[np.float64]
    trained_on: int

    @property
    def mean(self) -> float:
        """Mean score of the samples that have one; NaN if none has."""
        scored = self.scores[~np.isnan(self.scores)]
        return float(scored.mean()) if len(scored) else math.nan

    def best(self, count: int) -> list[tuple[str, float]]:
        """Give the molecules of the highest scores, each once.

        Parameters
        ----------
        count : int
            How many at most.

        Returns
        -------
        list of (str, float)
            Canonical SMILES and score, the highest first.
        """
        rows = self.ranked(self.screened.unique)[:count]
        return [(str(self.screened.smiles[row]), float(self.scores[row])) for row in rows]

    def ranked(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Rank those rows of a mask, shape (n,), that have a score, the highest first."""
        index = np.flatnonzero(rows & ~np.isnan(self.scores))
        return index[np.argsort(-self.scores[index], kind="stable")]

    def __repr__(self) -> str:
        return f"Round({self.number}: mean score {self.mean:.4g}, {self.screened!r}, trained on {self.trained_on:,})"


def finetune(
    model: LanguageModel,
    dataset: TextDataset,
    score: Callable[[str], float],
    *,
    rounds: int = 5,
    n: int = 1000,
    keep: float = 0.5,
    lr: float = 1e-3,
    epochs: int = 3,
    max_length: int = 128,
    seed: int = 0,
    known: Iterable[str] | None = None,
    min_uniqueness: float = 0.87,
    on_round: Callable[[Round], object] | None = None,
) -> list[Round]:
    """Make a model's molecules score higher.

    Each round draws samples, screens and scores them, and trains the model on the best of the molecules that are
    neither known nor learned from in an earlier round: to repeat the same few is what makes a model collapse onto them.
    If it collapses all the same (too few different molecules, or none at all), the last round is undone, with a
    warning, and the climb ends.

    Parameters
    ----------
    model : LanguageModel
        Changed in place.
    dataset : TextDataset
        Whose vocabulary the model speaks; the molecules to learn from become ``dataset.new(smiles)``.
    score : callable, str -> float
        Of a canonical SMILES; higher is better. ``lambda s: -logp(s)`` lowers a property, and
        ``lambda s: -abs(logp(s) - 2.5)`` brings it to a value. What is no finite number is left out.
    rounds : int
        Rounds of learning.
    n : int
        Samples per round.
    keep : float
        Share of the new molecules of a round to learn from, 0 < keep <= 1.
    lr : float
        Learning rate, constant.
    epochs : int
        How often the model sees each of them.
    max_length : int
        The most ids of a sample.
    seed : int
        Of the samples and of the order of the batches.
    known : iterable of str, or CanonicalSet, optional
        Molecules that count as not new, usually the training data.
    min_uniqueness : float
        A round is undone if the share of different molecules among the valid ones falls below this part of what it was
        in round 0.
    on_round : callable, optional
        Called with each `Round` as soon as it is known.

    Returns
    -------
    list of Round
        Round 0 is the model as it was given, and each further one the model after one more round of learning:
        ``rounds + 1`` of them, or fewer if a round was undone. The last one is the model as it is now.

    Raises
    ------
    ValueError
        If `keep` is not above 0 and at most 1, `n` or `epochs` is below 1, or `rounds` is negative.
    StateError
        If the model belongs to another vocabulary.
    FeatureError
        If `score` fails: the molecule and the reason.

    References
    ----------
    Segler et al., ACS Cent. Sci. 4, 120 (2018), doi:10.1021/acscentsci.7b00512; Brown et al., J. Chem. Inf. Model. 59,
    1096 (2019), doi:10.1021/acs.jcim.8b00839.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["CO", "CCO"], CharacterVocab(["C", "O"]))
    >>> model = LanguageModel(ModelConfig.for_vocab(ds.vocab, hidden=16), seed=1)
    >>> first, last = finetune(model, ds, len, rounds=1, n=50, max_length=12)
    >>> last.number, len(last.texts), last.trained_on
    (1, 50, 0)
    """
    if not 0 < keep <= 1:
        raise ValueError(f"keep is {keep}; expected a share above 0 and at most 1")
    for name, value, least in (("rounds", rounds, 0), ("n", n, 1), ("epochs", epochs, 1)):
        if value < least:
            raise ValueError(f"{name} is {value}; expected {least} or more")
    model.require_vocab(dataset.vocab)
    known = None if known is None else CanonicalSet.of(known)
    scores: dict[str, float] = {}
    learned: set[str] = set()
    every: list[Round] = []
    before: dict[str, Tensor] = {}
    for number in range(rounds + 1):
        round_seed = seed + SEED_STEP * number
        texts = dataset.vocab.decode(sample(model, n, max_length=max_length, seed=round_seed))
        screened = screen(texts, known)
        now = Round(number, tuple(texts), screened, _scores(screened, score, scores), 0)
        if every and every[-1].trained_on and (undone := _collapse(now, every[0], min_uniqueness)):
            warnings.warn(f"fine-tuning ended early, round {number} was undone: {undone}; try a lower lr", stacklevel=2)
            model.load_state_dict(before)
            every[-1] = dataclasses.replace(every[-1], trained_on=0)
            break
        chosen = _chosen(now, dataset, learned, keep) if number < rounds else []
        every.append(dataclasses.replace(now, trained_on=len(chosen)))
        if on_round is not None:
            on_round(every[-1])
        if chosen:
            learned.update(chosen)
            before = copy.deepcopy(model.state_dict())
            loader = dataset.new(chosen).dataloader(BATCH_SIZE, shuffle=True, seed=round_seed)
            train(model, loader, steps=epochs * len(loader), lr=lr, schedule="constant")
    return every


def _scores(screened: Screened, score: Callable[[str], float], cache: dict[str, float]) -> NDArray[np.float64]:
    """The score of each row, NaN where there is none; each molecule is scored once."""
    values = np.full(screened.n, np.nan)
    for row, smiles in enumerate(screened.smiles):
        if smiles is None:
            continue
        if smiles not in cache:
            try:
                cache[smiles] = float(score(smiles))
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise FeatureError(
                    f"the score of {smiles!r} failed ({reason}); return float('nan') for a molecule to leave out",
                    text=smiles,
                    reason=reason,
                ) from error
        values[row] = cache[smiles]
    values[~np.isfinite(values)] = np.nan
    return values


def _collapse(now: Round, first: Round, share: float) -> str | None:
    """Why a round is to be undone, if it is."""
    if not now.screened.valid.any():
        return "no sample is a valid molecule"
    least = share * first.screened.uniqueness
    if now.screened.uniqueness < least:
        return f"{now.screened.uniqueness:.1%} of the valid samples are unique, expected {least:.1%} or more"
    return None


def _chosen(now: Round, dataset: TextDataset, learned: set[str], keep: float) -> list[str]:
    """The molecules to learn from: the best `keep` of what is new and what the data set can spell."""
    screened = now.screened
    new = [str(screened.smiles[row]) for row in now.ranked(screened.unique & screened.novel)]
    new = [smiles for smiles in new if smiles not in learned]
    ids = dataset.vocab.encode(new, on_unknown="unk")
    longest = math.inf if dataset.max_length is None else dataset.max_length
    spelt = [smiles for smiles, row in zip(new, ids, strict=True) if len(row) <= longest and UNK not in row]
    return spelt[: math.ceil(keep * len(spelt))]
