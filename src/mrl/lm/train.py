"""Training: a fixed number of steps of next-token prediction."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrl.errors import DatasetError, MrlError
from mrl.lm.model import LanguageModel

__all__ = ["Step", "train"]

PAD = 2
CLIP = 1.0


@dataclasses.dataclass(frozen=True)
class Step:
    """Where a training stands after one more step.

    Attributes
    ----------
    step, steps : int
        Steps done, and steps in all.
    loss : float
        Mean cross entropy of this step's tokens, in nats.
    molecules, tokens : int
        Rows and predicted tokens seen so far.
    seconds : float
        Time since the training began.
    """

    step: int
    steps: int
    loss: float
    molecules: int
    tokens: int
    seconds: float


def train(
    model: LanguageModel,
    loader: Iterable[tuple[Tensor, Tensor]],
    *,
    steps: int,
    lr: float = 8e-3,
    schedule: Literal["one-cycle", "constant"] = "one-cycle",
    on_step: Callable[[Step], object] | None = None,
) -> NDArray[np.float64]:
    """Train a model in place, over as many epochs as the steps take.

    AdamW on the cross entropy of the next token, padding left out, gradients clipped to norm 1. The same weights,
    batches, number of threads, machine and versions give the same result. An exception in the middle, Ctrl-C
    included, leaves a model of finite weights.

    Parameters
    ----------
    model : LanguageModel
        Trained where it is: move it to an accelerator first.
    loader : iterable of (x, y), int64 tensors of shape (B, L)
        Ids and the ids that follow, padded with 2: a ``TextDataset``'s ``dataloader``. Each ``iter`` is an epoch.
    steps : int
        Batches to learn from.
    lr : float
        Learning rate, the highest one of a cycle.
    schedule : "one-cycle" or "constant"
        One cycle rises to `lr` and falls to nearly nothing (Smith and Topin 2018, arXiv:1708.07120).
    on_step : callable, optional
        Called with a :class:`Step` after each step.

    Returns
    -------
    ndarray of float64, shape (steps,)
        The loss of each step, in nats per token.

    Raises
    ------
    ValueError
        Steps below 0, a learning rate that is not a positive number, or an unknown schedule.
    DatasetError
        The loader has no batches, its batches are not (x, y) of ids, or an id is beyond the model's vocabulary.
    MrlError
        The loss is no longer a finite number; the weights stay those before that step.

    Examples
    --------
    >>> from mrl.lm import ModelConfig
    >>> from mrl.text import CharacterVocab
    >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=1)
    >>> ids = torch.tensor([[0, 4, 5, 1, 2]])  # bos C O eos pad
    >>> losses = train(model, [(ids[:, :-1], ids[:, 1:])], steps=20)
    >>> losses.shape, bool(losses[-1] < losses[0])
    ((20,), True)
    """
    if steps < 0:
        raise ValueError(f"steps={steps}: expected 0 or more")
    if not (lr > 0 and math.isfinite(lr)):
        raise ValueError(f"lr={lr}: expected a positive number")
    if schedule not in ("one-cycle", "constant"):
        raise ValueError(f"schedule={schedule!r}: expected 'one-cycle' or 'constant'")
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    losses = np.zeros(steps)
    molecules = tokens = 0
    start = time.perf_counter()
    batches = _epochs(loader, model.config.vocab_size)
    for step in range(steps):
        x, y = next(batches)
        for group in optimizer.param_groups:
            group["lr"] = lr * (one_cycle(step, steps) if schedule == "one-cycle" else 1.0)
        losses[step] = _step(model, x, y, optimizer, step)
        molecules += len(y)
        tokens += int((y != PAD).sum())
        if on_step is not None:
            on_step(Step(step + 1, steps, losses[step], molecules, tokens, time.perf_counter() - start))
    model.zero_grad()
    return losses


def one_cycle(step: int, steps: int, *, warm_up: float = 0.1) -> float:
    """Share of the learning rate at a step: a rise from 1/25 over `warm_up` of the steps, then a cosine to 0.

    Examples
    --------
    >>> [round(one_cycle(step, 100), 2) for step in (0, 10, 55, 99)]
    [0.04, 1.0, 0.5, 0.0]
    """
    rise = warm_up * steps
    if step < rise:
        return 0.04 + 0.96 * step / rise
    return 0.5 + 0.5 * math.cos(math.pi * (step - rise) / (steps - rise))


def _epochs(loader: Iterable[Any], vocab_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of one epoch after the other, each one checked."""
    while True:
        empty = True
        for batch in loader:
            empty = False
            x, y = _require_ids(batch)
            if x.device.type == "cpu" and x.numel() and int(x.max()) >= vocab_size:
                raise DatasetError(
                    f"token id {int(x.max())} in a batch, but the model speaks {vocab_size} tokens: make the model "
                    "from the data set's vocabulary as it is now"
                )
            yield x, y
        if empty:
            raise DatasetError(
                "the loader has no batches: with drop_last=True a data set smaller than bs has none; "
                "give a smaller bs or drop_last=False"
            )


def _require_ids(batch: Any) -> tuple[Tensor, Tensor]:
    match batch:
        case (Tensor() as x, Tensor() as y) if x.dtype == y.dtype == torch.int64 and x.ndim == 2 and x.shape == y.shape:
            return x, y
    raise DatasetError(
        "a batch is not (x, y) of int64 ids of one shape (B, L): give the dataloader of a TextDataset, "
        'with form="tuple" and batch_first=True'
    )


def _step(model: LanguageModel, x: Tensor, y: Tensor, optimizer: torch.optim.Optimizer, step: int) -> float:
    """One update of the weights; returns the loss before it."""
    device = model.device
    x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
    bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        logits, _ = model(x)
    loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), y.flatten(), ignore_index=PAD)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    value = float(loss.detach())
    if not (math.isfinite(value) and math.isfinite(norm)):
        raise MrlError(
            f"step {step}: the loss is {value}, its gradient's norm {float(norm)}; the weights are those before this step: "
            "train again with a lower lr",
            step=step,
            loss=value,
        )
    optimizer.step()
    return value
