"""`improve`: propose, choose, score, learn, round after round, within a budget of calls."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrl.arguments import require_integer
from mrl.chem import canon_smile
from mrl.files import AnyPath
from mrl.formatting import html_table
from mrl.lm import SequenceModel
from mrl.loop.improve.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from mrl.loop.improve.choosing import Chooser
from mrl.loop.improve.history import Call, History, Round
from mrl.loop.improve.islands import Islands
from mrl.loop.improve.options import ImproveOptions
from mrl.loop.improve.policy import Policy, frozen_copy
from mrl.loop.improve.proposing import Scaffolds, by_rank, children, memory
from mrl.loop.scores.files import identity_of
from mrl.loop.scores.score import Score
from mrl.messages import format_count, format_names, user_stacklevel
from mrl.text import Vocab

_DEFAULTS = ImproveOptions()
_REPLAYED = 64  # molecules per step of learning
_TOP = 10
_START = 3  # batches that the model alone proposes at first
_KEEP_SHARE = 0.1  # of the time, for writing states
_TIRED = 20  # rounds without a new molecule, after which a run ends
_FLAT = 4  # rounds with equal scores, after which a run warns


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """The result of `improve`.

    Attributes
    ----------
    history : History
        Every molecule that was scored, in the order of the calls.
    rounds : tuple of Round
        The course.
    budget : int
        Calls that were allowed.

    Examples
    --------
    >>> run = Run(History([Call("CCO", 0.4, "start", 0)]), (), 10)
    >>> run, run.calls, [call.smiles for call in run.best(5)], round(run.auc, 2)
    (Run(1 of 10 calls, best 0.400, top 10 0.400, AUC top 10 0.380), 1, ['CCO'], 0.38)
    """

    history: History
    rounds: tuple[Round, ...]
    budget: int

    @property
    def calls(self) -> int:
        """How often the score was called."""
        return len(self.history)

    @property
    def auc(self) -> float:
        """Area under the curve of the mean of the ten best scores; see `auc_top`."""
        return self.history.auc(self.budget)

    def best(self, count: int = 10) -> list[Call]:
        """Return the `count` molecules with the highest scores."""
        return self.history.best(count)

    def _repr_html_(self) -> str:
        best = [(call.smiles, call.score, call.source, call.round) for call in self.best(_TOP)]
        some = self.rounds[:: -max(1, len(self.rounds) // _TOP)][::-1]  # the last one among them
        course = [(one.number, one.calls, one.top, one.best, one.new, one.failed) for one in some]
        header = ("round", "calls", f"mean of the {_TOP} best", "best", "new molecules", "failed")
        return html_table(best, ("molecule", "score", "proposed by", "round"), caption=repr(self)) + html_table(
            course, header, caption="the course of the search"
        )

    def __repr__(self) -> str:
        best = self.best(_TOP)
        if not best:
            return f"Run({self.calls:,} of {format_count(self.budget, 'call')}, no score)"
        top = sum(call.score for call in best) / len(best)
        return (
            f"Run({self.calls:,} of {format_count(self.budget, 'call')}, best {best[0].score:.3f}, top 10 {top:.3f}, "
            f"AUC top 10 {self.auc:.3f})"
        )


def improve(
    model: SequenceModel | None,
    score: Score,
    *,
    vocab: Vocab | None = None,
    budget: int = 10000,
    seed: int = 0,
    start: Iterable[str] = (),
    out: AnyPath | None = None,
    options: ImproveOptions = _DEFAULTS,
    on_round: Callable[[Round], object] | None = None,
) -> Run:
    """Search molecules with a high score, with few calls of it.

    Each round a model (if there is one) and a genetic step on the molecules scored so far propose new molecules; a
    surrogate chooses some of them; these are scored; and the model learns from the best ones, anchored in the prior,
    which is the model as it was given. Texts that the model did not finish are never used.

    Parameters
    ----------
    model : SequenceModel or None
        Changed in place. None leaves everything to the genetic step, which then needs molecules to `start` from.
    score : Score
        More is better. Each molecule is scored once; a failure is a call as well, is counted, and is not learned from.
    vocab : Vocab, optional
        The model's.
    budget : int
        The most calls of the score: different molecules, by their canonical SMILES.
    seed : int
        Of everything that is random. The same seed gives the same run on the same machine, versions and number of
        threads.
    start : iterable of str
        Molecules to score first.
    out : path, optional
        A folder in which every round is kept. Called again with the same arguments, a run that was interrupted, killed
        even, goes on from there, and ends as if it had not been. A larger `budget` goes on with a run that is done.
    options : ImproveOptions
        Sizes and strategy.
    on_round : callable, optional
        Called with every `Round`, those of an earlier part of a resumed run left out.

    Returns
    -------
    Run
        History, best molecules, figure of merit.

    Raises
    ------
    ValueError
        Nothing to start from, a model without `vocab`, or a `budget` below 1.
    StateError
        `vocab` is not the model's, or `out` holds a run with other arguments.

    Examples
    --------
    >>> from mrl.loop import task
    >>> run = improve(
    ...     None, task("qed"), start=["CCOc1ccccc1", "CC(=O)NC1CCCCC1", "CCN1CCOCC1"], budget=60, seed=1,
    ...     options=ImproveOptions(batch=10, offspring=30, samples=0),
    ... )
    >>> run.calls, run.best(1)[0].score > 0.6
    (60, True)
    """
    budget = require_integer("budget", budget, 1)
    first = list(dict.fromkeys(canon_smile(text) for text in start))
    if len(first) >= budget:
        warnings.warn(
            f"there are {format_count(len(first), 'molecule')} to start from and a budget of "
            f"{format_count(budget, 'call')}, so nothing new is searched: give fewer of them (start=, "
            "--start) or a larger budget (budget=, --budget)",
            stacklevel=user_stacklevel(),
        )
    loop = _Loop(model, score, vocab, budget, seed, first, options)
    if out is not None:
        loop.resume(Path(out))
    for done in loop.rounds_until_done():
        if on_round is not None:
            try:
                on_round(done)
            except BaseException:
                loop.keep()
                raise
    return Run(loop.history, tuple(loop.rounds), budget)


class _Loop:
    """The state of a run."""

    def __init__(
        self,
        model: SequenceModel | None,
        score: Score,
        vocab: Vocab | None,
        budget: int,
        seed: int,
        start: list[str],
        options: ImproveOptions,
    ) -> None:
        self.score, self.budget, self.seed, self.start, self.options = score, budget, seed, start, options
        self.policy: Policy | None = None
        if model is not None and options.samples:
            if vocab is None:
                raise ValueError("a model needs its vocabulary: improve(model, score, vocab=vocab)")
            model.require_vocab(vocab)
            self.policy = Policy(model, frozen_copy(model), vocab, lr=options.lr, sigma=options.sigma)
        elif not start:
            raise ValueError("without a model there is nothing to start from; pass molecules, start=[...]")
        self.history = History()
        self.rounds: list[Round] = []
        self.chooser = Chooser()
        self.islands = Islands(seed, options.fresh_start)
        self.scaffolds = Scaffolds(options.scaffold_limit, options.scaffold_score)
        self.part_best = np.full(len(score.components), -1.0)  # the highest of each component, transformed; -1: none
        self.out: Path | None = None
        self.without_new = 0

    def resume(self, out: Path) -> None:
        """Go on from the last round that was kept in a folder; the folder keeps the following ones."""
        self.out = out
        found = load_checkpoint(out, self.policy, self._arguments(), len(self.part_best))
        if found is not None:
            for call in found.calls:
                self._record(call)
            self.rounds = list(found.rounds)
            self.chooser.weights = found.weights
            self.without_new = found.without_new
            self.part_best = np.ones_like(self.part_best) if found.part_best is None else found.part_best
            for number in range(len(self.rounds)):
                self.islands.update(self.history, number)

    def rounds_until_done(self) -> Iterable[Round]:
        """Yield each round as soon as it is done and kept."""
        self.began = self.kept = time.perf_counter()
        self.keeping = 0.0
        while not self._is_done():
            done = self._round(len(self.rounds))
            self.rounds.append(done)
            if done.number == _FLAT:
                self._warn_if_flat()
            if self._is_done() or self.keeping < _KEEP_SHARE * (time.perf_counter() - self.kept):
                self.keep()
            yield done
        if self.without_new >= _TIRED:
            warnings.warn(
                f"no new molecule in {_TIRED} rounds: the run ends after {len(self.history):,} of {self.budget:,} "
                "calls; raise samples or offspring, or lower sigma",
                stacklevel=3,
            )

    def _warn_if_flat(self) -> None:
        """Warn if no molecule is better than another one, so that the search is blind."""
        scores = self.history.scores
        scores = scores[~np.isnan(scores)]
        if len(scores) < 2 or np.ptp(scores):
            return
        zero = [part.name for part, best in zip(self.score.components, self.part_best, strict=True) if best == 0]
        why = f"; {format_names(zero)} gave 0 to each" if zero and self.score.aggregate == "geometric" else ""
        warnings.warn(
            f"all of {format_count(len(scores), 'molecule')} have the score {scores[0]:g}, so there is nothing to "
            f"follow{why}: start from molecules that score more (start=), or choose a transform that rises gradually",
            stacklevel=4,
        )

    def keep(self) -> None:
        """Write the state; what a killed run did since then is done again, with the same result."""
        began = time.perf_counter()
        if self.out is not None:
            calls, weights, best = list(self.history), self.chooser.weights, self.part_best
            state = Checkpoint(calls, self.rounds, weights, self.without_new, best)
            save_checkpoint(self.out, state, self.policy, self._arguments())
        self.kept = time.perf_counter()
        self.keeping = self.kept - began

    def _is_done(self) -> bool:
        if len(self.history) >= self.budget or self.without_new >= _TIRED:
            return True
        if self.options.stop_at is not None and self.rounds and self.rounds[-1].top >= self.options.stop_at:
            return True
        last = self.rounds[-self.options.patience - 1 :]
        return len(last) > self.options.patience and last[0].top == last[-1].top

    def _round(self, number: int) -> Round:
        rng = np.random.default_rng([self.seed, number])
        options = self.options
        left = self.budget - len(self.history)
        proposed: dict[str, str] = {}
        valid = math.nan
        if number == 0 and self.start:
            proposed = dict.fromkeys(self.start, "start")
            total, chosen = len(proposed), [*proposed][:left]
        else:
            total = 0
            if self.policy is not None:
                drawing = max(options.samples, 2 * min(options.batch, left) * (number < _START))
                texts, drawn = self.policy.propose(drawing, seed=(self.seed * 1_000_003 + number) % 2**62)
                valid, total = len(texts) / drawn, len(texts)
                proposed.update(dict.fromkeys(texts, "model"))
            self.islands.update(self.history, number)
            known = self.islands.mask(self.history)
            stale = self.islands.stale_rounds(self.history, number)
            if options.offspring and (self.policy is None or number >= _START):
                count = options.offspring * (4 if known.sum() < options.eager else 1)
                parents = [self.history[row].smiles for row in memory(self.history, self.scaffolds, known)]
                born = children(parents, count, options.mutation, self._greed(stale), options.max_atoms, rng)
                total += len(born)
                proposed = {**dict.fromkeys(born, "offspring"), **proposed}
            proposed = {
                text: source
                for text, source in proposed.items()
                if text not in self.history.known and not self.scaffolds.used_up(text)
            }
            chosen = self._choose([*proposed], min(options.batch, left), number, 1 + min(stale / 10, 4), rng, known)
        self._score(chosen, proposed, number)
        self.without_new = 0 if chosen else self.without_new + 1
        loss = self._learn(rng)
        best = self.history.best(_TOP)
        return Round(
            number=number,
            calls=len(self.history),
            proposed=total,
            new=len(proposed),
            scored=len(chosen),
            failed=sum(math.isnan(call.score) for call in self.history[len(self.history) - len(chosen) :]),
            valid=valid,
            best=best[0].score if best else math.nan,
            top=sum(call.score for call in best) / len(best) if best else math.nan,
            from_model=sum(call.source == "model" for call in best),
            loss=loss,
            seconds=time.perf_counter() - self.began,
        )

    def _greed(self, stale: int) -> float:
        """Return the greed with which parents are drawn: less and less while nothing better is found."""
        return min(self.options.greed * (1 + stale / 5), max(0.2, self.options.greed))

    def _choose(
        self,
        proposals: list[str],
        count: int,
        number: int,
        courage: float,
        rng: np.random.Generator,
        known: NDArray[np.bool_],
    ) -> list[str]:
        if self.options.surrogate:
            rows = self.chooser.choose(proposals, count, self.history, number, courage, rng, known)
        else:
            rows = sorted(rng.permutation(len(proposals))[:count].tolist())
        return [proposals[row] for row in rows]

    def _score(self, chosen: list[str], sources: dict[str, str], number: int) -> None:
        if not chosen:
            return
        scored = self.score(chosen)
        reasons = {reject.row: f"{reject.stage}: {reject.reason}" for reject in scored.rejects}
        for place, component in enumerate(self.score.components):
            parts = component.transform(scored.values[:, place])
            self.part_best[place] = np.fmax.reduce(parts, initial=self.part_best[place])
        for row, (text, value) in enumerate(zip(chosen, scored.scores.tolist(), strict=True)):
            self._record(Call(text, value, sources[text], number, reasons.get(row, "")))
        if np.isnan(scored.scores).all():
            first = next(iter(reasons.values()), "")
            warnings.warn(
                f"round {number}: none of {format_count(len(chosen), 'molecule')} has a score, so nothing is learned "
                f"({first})",
                stacklevel=5,
            )

    def _record(self, call: Call) -> None:
        self.history.add(call)
        self.scaffolds.add(call.smiles, call.score)

    def _learn(self, rng: np.random.Generator) -> float:
        """Let the model learn from the best molecules; return the mean loss, NaN if there was no step."""
        if self.policy is None or not self.options.replay:
            return math.nan
        rows = memory(self.history, self.scaffolds)
        losses = []
        for _ in range(self.options.replay if rows else 0):
            calls = [self.history[rows[rank]] for rank in by_rank(_REPLAYED, len(rows), self.options.greed, rng)]
            loss = self.policy.learn([call.smiles for call in calls], [call.score for call in calls], rng)
            if loss is not None:
                losses.append(loss)
        return sum(losses) / len(losses) if losses else math.nan

    def _arguments(self) -> dict[str, object]:
        """Return what must be the same when a run is resumed."""
        return {
            "seed": self.seed,
            "score": identity_of(self.score),
            "start": self.start,
            "options": repr(self.options),
            "model": self.policy is not None,
        }
