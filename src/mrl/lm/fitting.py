"""Training: a number of steps of next-token prediction, checked, validated, and resumed where it was interrupted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Subset

from mrl.arguments import require_integer, require_positive
from mrl.data import BaseDataset, Loader
from mrl.errors import MrlError
from mrl.formatting import Html, html_table
from mrl.lm.batches import Batch, endless, finite_batches
from mrl.lm.checkpoints import Progress, load_checkpoint, save_checkpoint
from mrl.lm.model import SequenceModel
from mrl.lm.options import FitOptions
from mrl.ragged import Tabular, arrow_table
from mrl.text import PAD, Vocab

LossFunction: TypeAlias = Callable[[Tensor, Tensor], Tensor]
OptimizerFactory: TypeAlias = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]

_LR = 8e-3
_WARM_UP = 0.3  # share of the steps
_FEW = 20  # steps after which a loss above that of guessing means that nothing was learned
_DEFAULTS = FitOptions()


@dataclass(frozen=True)
class TrainingStep:
    """The progress of a training after one more step.

    Attributes
    ----------
    step, steps : int
        Steps done, and steps in all.
    loss : float
        The loss of this step's batch before the weights changed; by default in nats per token.
    molecules, tokens : int
        Rows, and tokens predicted, since this process began.
    seconds : float
        Time since this process began.
    valid : float
        The loss on the validation data after this step; NaN if it was not measured.

    Examples
    --------
    >>> step = TrainingStep(step=1, steps=100, loss=3.5, molecules=64, tokens=2000, seconds=0.1)
    >>> step.molecules / step.seconds
    640.0
    """

    step: int
    steps: int
    loss: float
    molecules: int
    tokens: int
    seconds: float
    valid: float = math.nan


@dataclass(frozen=True, eq=False, repr=False)
class History(Tabular):
    """The course of a training.

    Attributes
    ----------
    losses : ndarray of float64, shape (steps done,)
        The loss of each step's batch before the weights changed, those in front of a checkpoint included.
    valid : ndarray of float64, shape (steps done,)
        The loss on the validation data after each step; NaN where it was not measured.
    best_step : int or None
        The step after which the validation loss was lowest, from 1; the model has the weights of this step if
        ``patience`` was given, otherwise those of the last step. None without validation.

    Examples
    --------
    >>> History(np.array([3.1, 2.9]), np.array([np.nan, 3.0]), 2)
    History(2 steps, loss 2.9, validation loss 3 after step 2)
    """

    losses: NDArray[np.float64]
    valid: NDArray[np.float64]
    best_step: int | None

    def to_arrow(self) -> Any:
        """Return the losses as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of the steps: ``step``, from 1, ``loss``, and ``validation loss``, NaN where it was not measured.

        Examples
        --------
        >>> History(np.array([3.1, 2.9]), np.array([np.nan, 3.0]), 2).to_arrow()["loss"].to_pylist()
        [3.1, 2.9]
        """
        steps = np.arange(1, len(self.losses) + 1)
        return arrow_table({"step": steps, "loss": self.losses, "validation loss": self.valid})

    def _repr_html_(self) -> Html:
        n = len(self.losses)
        measured = np.flatnonzero(np.isfinite(self.valid))  # where the validation loss is known, else any
        some = measured if len(measured) else np.arange(n)
        shown = some[np.unique(np.linspace(0, len(some) - 1, min(len(some), 10)).astype(np.int64))]
        rows = ((int(i) + 1, self.losses[i], self.valid[i]) for i in shown)
        return html_table(rows, ["step", "loss", "validation loss"], caption=repr(self))

    def __repr__(self) -> str:
        loss = f", loss {self.losses[-1]:.4g}" if len(self.losses) else ""
        best = "" if self.best_step is None else self.best_step
        checked = f", validation loss {self.valid[int(best) - 1]:.4g} after step {best}" if best else ""
        return f"History({len(self.losses):,} steps{loss}{checked})"


def fit(
    model: SequenceModel,
    train: Iterable[object],
    valid: Iterable[object] | None = None,
    *,
    steps: int,
    lr: float | None = None,
    loss: LossFunction | None = None,
    optimizer: OptimizerFactory | None = None,
    options: FitOptions = _DEFAULTS,
    on_step: Callable[[TrainingStep], object] | None = None,
) -> History:
    """Train a model, in place, to predict the next token.

    On the CPU the same weights, batches, number of threads, machine and versions give the same result, also if it is
    interrupted (by ``kill -9`` too) and resumed from a checkpoint. An exception that ends it early, Ctrl-C included,
    leaves the weights as they were after a completed step. A model that was trained or loaded before is trained
    further.

    Parameters
    ----------
    model : SequenceModel
        Trained on the device where it is; on CUDA in mixed precision (bfloat16).
    train : Loader, or iterable of batches
        Pairs (x, y) of int64 Tensors of shape (B, L): token ids, and those one position later, padded on the right:
        the ``dataloader`` of a `TextDataset`, or of a `ConditionalDataset`, whose batches are ((x, condition), y). Each
        ``iter`` is an epoch, and there are as many as the steps take.
    valid : Loader, or iterable of batches, optional
        Data to measure the loss on, which the model is not trained on.
    steps : int
        Number of batches to train on.
    lr : float, optional
        Learning rate, the highest one if it changes; 0.008 if neither this nor `optimizer` is given.
    loss : callable (logits (B, L, V), y (B, L)) -> scalar Tensor, optional
        To be minimised; the mean cross entropy of the tokens, padding left out, if not given.
    optimizer : callable, parameters -> torch Optimizer, optional
        ``lambda parameters: torch.optim.SGD(parameters, lr=0.1)``. AdamW if not given.
    options : FitOptions
        Schedule, clipping, validation, early stop, checkpoints.
    on_step : callable, optional
        Called with a `TrainingStep` after each one.

    Returns
    -------
    History
        The losses of all steps.

    Raises
    ------
    ValueError
        A number is out of its range, both `lr` and `optimizer` are given, or checkpoints are wanted of batches that do
        not come from a `Loader`.
    DatasetError
        There is no batch, or a batch is not what the model takes: its form, its ids, the length of its rows.
    StateError
        The data belong to another vocabulary, or the checkpoint to another run.
    MrlError
        The loss or its gradient is not finite, or the training diverges.

    References
    ----------
    AdamW: Loshchilov & Hutter, arXiv:1711.05101.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["CCO", "CO"], CharacterVocab(["C", "O"]))
    >>> model = LanguageModel(ModelConfig.for_vocab(ds.vocab, hidden=8), seed=1)
    >>> history = fit(model, ds.dataloader(2), steps=30)
    >>> history.losses.shape, bool(history.losses[-1] < history.losses[0])
    ((30,), True)
    """
    require_integer("steps", steps, 0, 10**8)  # the loss of each is kept
    if lr is not None:
        require_positive("lr", lr)
        if optimizer is not None:
            raise ValueError("lr and optimizer are given; give the learning rate to the optimizer")
    if options.patience is not None and valid is None:
        raise ValueError("patience is given without validation data; give valid=, or leave it out")
    if options.checkpoint is not None and not isinstance(train, Loader):
        raise ValueError("a checkpoint keeps the place in the data: train must be a Loader, made by ds.dataloader(...)")
    for loader in (train, valid):
        _require_vocab(model, loader)
    run = _Run(model, steps, loss, _make_optimizer(model, lr, optimizer), options)
    run.resume(train)
    return run.history(run.train(train, valid, on_step))


def _make_optimizer(
    model: SequenceModel, lr: float | None, optimizer: OptimizerFactory | None
) -> torch.optim.Optimizer:
    if optimizer is not None:
        return optimizer(model.parameters())
    # fused: one call changes all weights, so that Ctrl-C cannot come in between
    rate = _LR if lr is None else lr
    return torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)


def _require_vocab(model: SequenceModel, loader: object) -> None:
    dataset = getattr(loader, "dataset", None)  # of torch's DataLoader as well
    while isinstance(dataset, Subset):
        dataset = dataset.dataset
    vocab = getattr(dataset, dataset.task.generated_vocab, None) if isinstance(dataset, BaseDataset) else None
    if isinstance(vocab, Vocab):
        model.require_vocab(vocab)


class _Run:
    """A training: the model, its optimizer, and how far they are."""

    def __init__(
        self,
        model: SequenceModel,
        steps: int,
        loss: LossFunction | None,
        optimizer: torch.optim.Optimizer,
        options: FitOptions,
    ) -> None:
        self.model, self.steps, self.loss, self.optimizer, self.options = model, steps, loss, optimizer, options
        self.rates = [group["lr"] for group in optimizer.param_groups]
        self.progress = Progress(np.zeros(steps), np.full(steps, math.nan))
        self.settings = {
            "steps": steps,
            "learning rates": [float(rate) for rate in self.rates],
            "optimizer": type(optimizer).__name__,
            **options.settings(),
        }

    def resume(self, train: Iterable[object]) -> None:
        """Go to the place of a checkpoint, if there is one."""
        path = self.options.checkpoint
        if path is not None and isinstance(train, Loader) and path.exists():
            self.progress = load_checkpoint(path, self.model, self.optimizer, self.settings, train)

    def history(self, done: int) -> History:
        progress = self.progress
        return History(progress.losses[:done], progress.valid[:done], progress.best_step)

    def train(
        self, train: Iterable[object], valid: Iterable[object] | None, on_step: Callable[[TrainingStep], object] | None
    ) -> int:
        """Train to the end, or until the validation loss stops falling; return the number of steps done."""
        progress, options, config = self.progress, self.options, self.model.config
        every = options.evaluate_every or max(1, math.ceil(self.steps / 10))
        start, molecules, tokens = time.perf_counter(), 0, 0
        remaining = range(progress.done, 0 if progress.stopped else self.steps)
        for step, batch in zip(remaining, endless(train, config), strict=False):
            for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
                group["lr"] = rate * one_cycle(step, self.steps) if options.schedule == "one-cycle" else rate
            progress.losses[step] = self._update(batch, step)
            progress.done = done = step + 1
            molecules += len(batch.y)
            tokens += int((batch.y != PAD).sum())
            if valid is not None and (done % every == 0 or done == self.steps):
                self._validate(valid, step)
            if on_step is not None:
                seconds = time.perf_counter() - start
                checked = float(progress.valid[step])
                loss = float(progress.losses[step])
                on_step(TrainingStep(done, self.steps, loss, molecules, tokens, seconds, checked))
            if progress.stopped or done == self.steps:
                break
            if options.checkpoint is not None and done % options.checkpoint_every == 0:
                self._save(train)
        if len(remaining):
            self._require_progress()
            if options.patience is not None and progress.best:
                self.model.load_state_dict(progress.best)
            if options.checkpoint is not None:
                self._save(train)
        return progress.done

    def _save(self, train: Iterable[object]) -> None:
        if self.options.checkpoint is not None and isinstance(train, Loader):
            save_checkpoint(
                self.options.checkpoint, self.progress, self.model, self.optimizer, self.settings, train.state_dict()
            )

    def _loss(self, batch: Batch) -> Tensor:
        device = self.model.device
        mixed = device.type == "cuda" and self.options.autocast and torch.cuda.is_bf16_supported()
        condition = None if batch.condition is None else batch.condition.to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
            logits, _ = self.model(batch.x.to(device), None, condition=condition)
        y = batch.y.to(device)
        if self.loss is not None:
            return self.loss(logits.float(), y)
        return nn.functional.cross_entropy(logits.float().flatten(0, 1), y.flatten(), ignore_index=PAD)

    def _update(self, batch: Batch, step: int) -> float:
        """Change the weights once; return the loss before the change."""
        loss = self._loss(batch)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        value = loss.item()
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip).item()
        if not (math.isfinite(value) and math.isfinite(norm)):
            what = f"the loss is {value} and the norm of its gradient {norm}"
            self._fail(step, value, f"{what}; the weights are those before this step; train again with a lower lr")
        if self.loss is None and value > 10 * self._guess():
            self._fail(step, value, f"the loss is {value:.4g} nats per token, {self._diverges('more than ten times')}")
        self.optimizer.step()
        return value

    def _validate(self, valid: Iterable[object], step: int) -> None:
        progress = self.progress
        if isinstance(valid, Loader):
            valid.set_epoch(0)
        total, tokens = 0.0, 0
        with torch.no_grad():
            for batch in finite_batches(valid, self.model.config):
                n = int((batch.y != PAD).sum())
                total, tokens = total + self._loss(batch).item() * n, tokens + n
        progress.valid[step] = value = total / tokens
        if not math.isfinite(value):
            self._fail(step, value, f"the loss on the validation data is {value}; train again with a lower lr")
        if value < progress.best_loss:
            progress.best_loss, progress.best_step, progress.worse = value, step + 1, 0
            if self.options.patience is not None:
                progress.best = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        else:
            progress.worse += 1
            progress.stopped = self.options.patience is not None and progress.worse >= self.options.patience

    def _require_progress(self) -> None:
        """Raise if the model ended worse than one that finds all tokens equally likely."""
        done = self.progress.done
        last = float(self.progress.losses[max(0, done - max(1, done // 20)) : done].mean())
        if self.loss is None and done >= _FEW and last > self._guess():
            self._fail(done - 1, last, f"the loss ended at {last:.4g} nats per token, {self._diverges('above')}")

    def _guess(self) -> float:
        """Return the loss of a model that finds all tokens equally likely."""
        return math.log(self.model.config.vocab_size)

    def _diverges(self, how: str) -> str:
        return f"{how} that of a guess ({self._guess():.3g}): the training diverges; start again with a lower lr"

    def _fail(self, step: int, loss: float, what: str) -> None:
        raise MrlError(f"step {step}: {what}", step=step, loss=loss)


def one_cycle(step: int, steps: int) -> float:
    """Return the share of the highest learning rate at a step: a linear rise from 1/25, then half a cosine to 0.

    Smith & Topin 2017, arXiv:1708.07120.

    Examples
    --------
    >>> [round(one_cycle(step, 100), 2) for step in (0, 30, 65, 99)]
    [0.04, 1.0, 0.5, 0.0]
    """
    top = _WARM_UP * steps
    if step < top:
        return 0.04 + 0.96 * step / top
    return 0.5 + 0.5 * math.cos(math.pi * (step - top) / (steps - top))
