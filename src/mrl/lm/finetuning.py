"""Fine-tuning towards a property by hill climbing: sample, keep the best, train on them, repeat."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mrl.chem import CanonicalSet, Screened, screen
from mrl.data import TextDataset
from mrl.errors import FeatureError
from mrl.formatting import format_percent
from mrl.lm.fitting import fit
from mrl.lm.model import SequenceModel
from mrl.lm.options import FinetuneOptions, FitOptions
from mrl.lm.sampling import sample
from mrl.text import UNK

_BATCH_SIZE = 64
_SEED_STEP = 1_000_003  # between rounds: other draws than those of the next seeds
_DEFAULTS = FinetuneOptions()


@dataclass(frozen=True, eq=False, repr=False)
class FinetuneRound:
    """The samples of a model after some rounds of fine-tuning.

    Attributes
    ----------
    number : int
        Rounds of training so far; 0 for the model as it was given.
    texts : tuple of str, n of them
        The samples.
    screened : Screened
        Which of them are valid, unique and novel molecules.
    scores : ndarray of float64, shape (n,)
        Score of each valid sample; NaN for the others, and where the score itself is not finite.
    trained_on : int
        Molecules of this round that the model was trained on next; 0 in the last round.

    Examples
    --------
    >>> one = FinetuneRound(0, ("CO", "C("), screen(["CO", "C("]), np.array([2.0, np.nan]), trained_on=1)
    >>> one
    FinetuneRound(0: mean score 2, Screened(2 rows: 50.0 % valid, 100 % of these unique), trained on 1)
    >>> one.mean, one.best(10), one.ranked(one.screened.valid).tolist()
    (2.0, [('CO', 2.0)], [0])
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
        """Return at most `count` unique molecules, the highest score first, as (canonical SMILES, score)."""
        rows = self.ranked(self.screened.unique)[:count]
        return [(str(self.screened.smiles[row]), float(self.scores[row])) for row in rows]

    def ranked(self, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the numbers of the rows in the mask `rows`, shape (n,), that have a score, the highest score first."""
        index = np.flatnonzero(rows & ~np.isnan(self.scores))
        return index[np.argsort(-self.scores[index], kind="stable")]

    def __repr__(self) -> str:
        score = f"{self.number}: mean score {self.mean:.4g}"
        return f"FinetuneRound({score}, {self.screened!r}, trained on {self.trained_on:,})"


def finetune(
    model: SequenceModel,
    dataset: TextDataset,
    score: Callable[[str], float],
    options: FinetuneOptions = _DEFAULTS,
    *,
    known: Iterable[str] | None = None,
    on_round: Callable[[FinetuneRound], object] | None = None,
) -> list[FinetuneRound]:
    """Fine-tune a model until its molecules score higher.

    Each round draws samples, screens and scores them, and trains the model on the best of the molecules that are
    neither known nor trained on in an earlier round: repeating the same few makes a model collapse onto them. Samples
    that were cut at the length limit are not molecules. If it collapses all the same (too few unique molecules, or
    none at all), the last round is undone, with a warning, and fine-tuning ends; so it does, with a warning, if a round
    has nothing to learn from.

    Parameters
    ----------
    model : SequenceModel
        Changed in place.
    dataset : TextDataset
        Its vocabulary is the model's; the molecules to train on become ``dataset.new(smiles)``.
    score : callable, str -> float
        Score of a canonical SMILES; higher is better. ``lambda s: -logp(s)`` lowers a property, and
        ``lambda s: -abs(logp(s) - 2.5)`` brings it to a value. Molecules whose score is not finite are left out.
    options : FinetuneOptions
        Rounds, samples, learning rate, ...
    known : iterable of str, or CanonicalSet, optional
        Molecules that do not count as novel, usually the training data.
    on_round : callable, optional
        Called with each `FinetuneRound` as soon as it is known.

    Returns
    -------
    list of FinetuneRound
        Round 0 is the model as it was given, and each further one the model after one more round of training:
        ``options.rounds + 1`` of them, or fewer if a round was undone or had nothing to learn from. The last one is the
        model as it is now.

    Raises
    ------
    StateError
        The model belongs to another vocabulary.
    ValueError
        The model has a condition.
    FeatureError
        `score` failed: the molecule and the reason.

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
    >>> first, last = finetune(model, ds, len, FinetuneOptions(rounds=1, samples=50, min_uniqueness=0))
    >>> last.number, len(last.texts), last.trained_on
    (1, 50, 0)
    """
    model.require_vocab(dataset.vocab)
    if model.config.condition:
        raise ValueError("the model has a condition, and fine-tuning has none to give it; sample with condition=")
    known = None if known is None else CanonicalSet.of(known)
    scores: dict[str, float] = {}
    learned: set[str] = set()
    rounds: list[FinetuneRound] = []
    weights: dict[str, Tensor] = {}
    for number in range(options.rounds + 1):
        seed = options.seed + _SEED_STEP * number
        samples = sample(model, options.samples, max_length=options.max_length, seed=seed)
        texts = samples.decode(dataset.vocab)
        screened = screen(texts, known, finished=samples.finished)
        now = FinetuneRound(number, tuple(texts), screened, _score_rows(screened, score, scores), 0)
        if rounds and rounds[-1].trained_on and (reason := _collapse(now, rounds[0], options.min_uniqueness)):
            warnings.warn(f"fine-tuning ended early, round {number} was undone: {reason}; try a lower lr", stacklevel=2)
            model.load_state_dict(weights)
            rounds[-1] = replace(rounds[-1], trained_on=0)
            break
        chosen = (
            _choose(now, dataset, learned, options.keep, model.config.max_length) if number < options.rounds else []
        )
        rounds.append(replace(now, trained_on=len(chosen)))
        if on_round is not None:
            on_round(rounds[-1])
        if number < options.rounds and not chosen:
            why = _nothing_to_learn(now)
            warnings.warn(f"fine-tuning ended early, round {number + 1} has nothing to learn from: {why}", stacklevel=2)
            break
        if chosen:
            learned.update(chosen)
            weights = copy.deepcopy(model.state_dict())
            loader = dataset.new(chosen).dataloader(_BATCH_SIZE, shuffle=True, seed=seed)
            fit(model, loader, steps=options.epochs * len(loader), lr=options.lr, options=FitOptions("constant"))
    return rounds


def _score_rows(screened: Screened, score: Callable[[str], float], cache: dict[str, float]) -> NDArray[np.float64]:
    """Return the score of each row, NaN where there is none; each molecule is scored once."""
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


def _collapse(now: FinetuneRound, first: FinetuneRound, share: float) -> str | None:
    """Return why a round must be undone, or None."""
    if not now.screened.valid.any():
        return "no sample is a valid molecule"
    least = share * first.screened.uniqueness
    if now.screened.uniqueness < least:
        unique, expected = format_percent(now.screened.uniqueness, 1), format_percent(least, 1)
        return f"{unique} of the valid samples are unique, expected {expected} or more"
    return None


def _nothing_to_learn(now: FinetuneRound) -> str:
    """Return why no molecule of a round can be trained on."""
    screened = now.screened
    if not screened.valid.any():
        if screened.unfinished:
            cut = f"{screened.unfinished:,} of {screened.n:,} were cut at the length limit"
            return f"no sample is a valid molecule, {cut}; raise max_length, or train the model for longer"
        return "no sample is a valid molecule; train the model for longer"
    if np.isnan(now.scores).all():
        return "no molecule has a score (all are NaN or infinite); check the score"
    if not len(screened.kept):
        return "all molecules are known; sample more, or give fewer known molecules"
    return "the new molecules were trained on in earlier rounds, have no score, or cannot be encoded; sample more"


def _choose(now: FinetuneRound, dataset: TextDataset, learned: set[str], keep: float, most: int) -> list[str]:
    """Return the molecules to train on: the best share `keep` of the new ones that dataset and model can read."""
    screened = now.screened
    new = [str(screened.smiles[row]) for row in now.ranked(screened.unique & screened.novel)]
    new = [smiles for smiles in new if smiles not in learned]
    ids = dataset.vocab.encode(new, on_unknown="unk")
    longest = most if dataset.max_length is None else min(most, dataset.max_length)
    encodable = [smiles for smiles, row in zip(new, ids, strict=True) if len(row) <= longest and UNK not in row]
    return encodable[: math.ceil(keep * len(encodable))]
