"""Training: a fixed number of steps of next-token prediction."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrl.errors import DatasetError, MrlError
from mrl.lm.model import SequenceModel
from mrl.lm.options import require_integer, require_positive
from mrl.text import PAD

_WARM_UP = 0.3  # share of the steps


@dataclass(frozen=True)
class Step:
    """The progress of a training after one more step.

    Attributes
    ----------
    step, steps : int
        Steps done, and steps in all.
    loss : float
        Mean cross entropy of the tokens of this step's batch, in nats, before the weights changed.
    molecules, tokens : int
        Rows, and tokens predicted, so far.
    seconds : float
        Time since the training began.

    Examples
    --------
    >>> step = Step(step=1, steps=100, loss=3.5, molecules=64, tokens=2000, seconds=0.1)
    >>> step.molecules / step.seconds
    640.0
    """

    step: int
    steps: int
    loss: float
    molecules: int
    tokens: int
    seconds: float


def train(
    model: SequenceModel,
    loader: Iterable[tuple[Tensor, Tensor]],
    *,
    steps: int,
    lr: float = 8e-3,
    schedule: Literal["one-cycle", "constant"] = "one-cycle",
    on_step: Callable[[Step], object] | None = None,
) -> NDArray[np.float64]:
    """Train a model, in place, to predict the next token.

    AdamW (arXiv:1711.05101) on the mean cross entropy, padding left out, with gradients clipped to norm 1. On the CPU
    the same weights, batches, number of threads, machine and versions give the same result. An exception that ends it
    early, Ctrl-C included, leaves the weights as they were after a completed step.

    Parameters
    ----------
    model : SequenceModel
        Trained on the device where it is.
    loader : iterable of (x, y), int64 Tensors of shape (B, L)
        Token ids, and those one position later, padded: the ``dataloader`` of a `TextDataset`. Each ``iter`` is an
        epoch, and there are as many as the steps take.
    steps : int
        Number of batches to train on.
    lr : float
        Learning rate; the highest one, if it changes.
    schedule : {"one-cycle", "constant"}
        Rise to `lr` and fall to nearly zero (Smith & Topin 2017, arXiv:1708.07120), or constant.
    on_step : callable, optional
        Called with a `Step` after each one.

    Returns
    -------
    ndarray of float64, shape (steps,)
        The loss of each step, in nats per token.

    Raises
    ------
    ValueError
        `steps` is negative, `lr` not positive, or `schedule` unknown.
    DatasetError
        The loader has no batch, a batch is not a pair (x, y), or it has an id outside the model's vocabulary.
    MrlError
        The loss or its gradient is not finite.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["CCO", "CO"], CharacterVocab(["C", "O"]))
    >>> model = LanguageModel(ModelConfig.for_vocab(ds.vocab, hidden=8), seed=1)
    >>> losses = train(model, ds.dataloader(2), steps=30)
    >>> losses.shape, bool(losses[-1] < losses[0])
    ((30,), True)
    """
    require_integer("steps", steps, 0)
    require_positive("lr", lr)
    if schedule not in ("one-cycle", "constant"):
        raise ValueError(f"schedule is {schedule!r}; expected 'one-cycle' or 'constant'")
    # fused: one call changes all weights, so that Ctrl-C cannot come in between
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    losses = np.zeros(steps)
    molecules = tokens = 0
    start = time.perf_counter()
    for step, (x, y) in zip(range(steps), _endless(loader, model.config.vocab_size), strict=False):
        for group in optimizer.param_groups:
            group["lr"] = lr * one_cycle(step, steps) if schedule == "one-cycle" else lr
        losses[step] = loss = _update(model, optimizer, x.to(model.device), y.to(model.device), step)
        molecules += len(y)
        tokens += int((y != PAD).sum())
        if on_step is not None:
            on_step(Step(step + 1, steps, loss, molecules, tokens, time.perf_counter() - start))
    return losses


def one_cycle(step: int, steps: int) -> float:
    """Return the share of the highest learning rate at a step: a linear rise from 1/25, then half a cosine to 0.

    Examples
    --------
    >>> [round(one_cycle(step, 100), 2) for step in (0, 30, 65, 99)]
    [0.04, 1.0, 0.5, 0.0]
    """
    top = _WARM_UP * steps
    if step < top:
        return 0.04 + 0.96 * step / top
    return 0.5 + 0.5 * math.cos(math.pi * (step - top) / (steps - top))


def _update(model: SequenceModel, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, step: int) -> float:
    """Change the weights once; return the loss before the change."""
    logits, _ = model(x)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=PAD)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    value, norm = loss.item(), nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
    if not (math.isfinite(value) and math.isfinite(norm)):
        raise MrlError(
            f"step {step}: the loss is {value} and the norm of its gradient {norm}; the weights are those before this "
            "step; train again with a lower lr",
            step=step,
            loss=value,
        )
    optimizer.step()
    return value


def _endless(loader: Iterable[object], vocab_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches of one epoch after the other, each one checked."""
    while True:
        empty = True
        for batch in loader:
            empty = False
            yield _check_batch(batch, vocab_size)
        if empty:
            raise DatasetError(
                "the loader has no batch: with drop_last=True, fewer rows than bs give none; choose a smaller bs, or "
                "drop_last=False"
            )


def _check_batch(batch: object, vocab_size: int) -> tuple[Tensor, Tensor]:
    match batch:
        case (Tensor() as x, Tensor() as y) if x.dtype == y.dtype == torch.int64 and x.ndim == 2 and x.shape == y.shape:
            # On a GPU an invalid id would end the process' use of it; batches are usually made on the CPU.
            if x.device.type == "cpu" and x.numel() and (largest := int(torch.maximum(x.max(), y.max()))) >= vocab_size:
                raise DatasetError(
                    f"a batch has the id {largest}, outside the model's vocabulary (0 to {vocab_size - 1}); make the "
                    "model for the dataset's vocabulary as it is now"
                )
            return x, y
    raise DatasetError(
        "a batch is not a pair (x, y) of int64 ids of one shape (B, L); give the dataloader of a TextDataset, with "
        'output="tuple" and the rows first'
    )
