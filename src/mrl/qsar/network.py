"""An ensemble of small networks, computed side by side, and its training."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mrl.nn import MaskedLoss, one_thread
from mrl.qsar.options import FitOptions

_WARM_UP = 0.2  # share of the steps
_BLOCK = 64  # rows predicted at a time, always as many: sums are then added in the same order in any batch


class Ensemble(nn.Module):
    """Fully connected networks of equal sizes, each with weights and a scaling of targets of its own.

    Parameters
    ----------
    members : int
        Number of networks, E.
    sizes : sequence of int
        Inputs, the units of each hidden layer, and targets, T.
    dropout : float
        Share of the hidden units left out in training.
    seed : int, optional
        Seed of the initial weights; None creates the shapes only.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, members: int, sizes: tuple[int, ...], dropout: float = 0.0, seed: int | None = None) -> None:
        super().__init__()
        self.dropout = dropout
        device = "meta" if seed is None else "cpu"
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for place, (width, out) in enumerate(pairwise(sizes)):
            weight = torch.empty(members, width, out, device=device)
            if generator is not None:
                gain = 2.0 if place < len(sizes) - 2 else 0.5  # He et al. 2015; small first predictions
                weight.normal_(0, math.sqrt(gain / max(width, 1)), generator=generator)
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(torch.zeros(members, 1, out, device=device)))
        self.register_buffer("mean", torch.zeros(members, sizes[-1], device=device))
        self.register_buffer("scale", torch.ones(members, sizes[-1], device=device))

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Return the outputs (E, B, T) for inputs (B, width), standardised; with a generator, with dropout."""
        h = x.expand(len(self.mean), *x.shape)
        last = len(self.weights) - 1
        for place, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(bias, h, weight)
            if place < last:
                h = torch.relu(h)
                if generator is not None and self.dropout:
                    kept = torch.rand(h.shape, generator=generator) >= self.dropout
                    h = h * kept / (1 - self.dropout)
        return h

    @torch.no_grad()
    def predict(self, x: NDArray[np.float32], is_class: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the predictions of each network, (E, n, T): in the units of targets, or the probability of class 1."""
        found = np.empty((len(self.mean), len(x), self.mean.shape[1]))
        classes = torch.from_numpy(is_class)
        block = torch.zeros(_BLOCK, x.shape[1])
        for start in range(0, len(x), _BLOCK):
            n = min(_BLOCK, len(x) - start)
            block[:n] = torch.from_numpy(x[start : start + n])
            out = self(block)
            out = torch.where(classes, out.sigmoid(), out * self.scale[:, None] + self.mean[:, None])
            found[:, start : start + n] = out[:, :n].numpy()
        return found


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What networks are trained on, for all folds.

    Attributes
    ----------
    x : ndarray of float32, shape (n, width)
        Inputs.
    y : ndarray of float64, shape (n, T)
        Labels; NaN where missing.
    signs : ndarray of int8, shape (n, T)
        1 for a label ">10", -1 for "<5", else 0.
    is_class : ndarray of bool, shape (T,)
        Which targets are classes.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float64]
    signs: NDArray[np.int8]
    is_class: NDArray[np.bool_]


def train_fold(
    data: TrainingData,
    rows: NDArray[np.int64],
    fold: int,
    options: FitOptions,
    on_epoch: Callable[[], object] | None = None,
) -> Ensemble:
    """Return the networks of a fold, trained on `rows`; a pure function of its arguments, on one thread."""
    seed = (options.seed * 1_000_003 + fold) % 2**63  # torch takes 64 bits
    sizes = (data.x.shape[1], *[options.hidden] * options.layers, data.y.shape[1])
    ensemble = Ensemble(options.members, sizes, options.dropout, seed)
    mean, scale = _target_scaling(data, rows)
    ensemble.mean.copy_(torch.from_numpy(mean))
    ensemble.scale.copy_(torch.from_numpy(scale))
    x = torch.from_numpy(data.x[rows])
    y = torch.from_numpy((data.y[rows] - mean) / scale).float()
    signs = torch.from_numpy(data.signs[rows])
    classes = torch.from_numpy(data.is_class)
    losses = [
        (columns, MaskedLoss(loss))
        for columns, loss in ((~classes, nn.MSELoss()), (classes, nn.BCEWithLogitsLoss()))
        if columns.any()
    ]
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(ensemble.parameters(), lr=options.lr, weight_decay=0.01, fused=True)
    batches = -(-len(rows) // options.batch_size)
    steps = options.epochs * batches + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        options.lr,
        total_steps=steps,
        pct_start=max(_WARM_UP, 2 / steps),  # it divides by one step less
    )
    with one_thread():
        for _ in range(options.epochs):
            for batch in torch.randperm(len(rows), generator=generator).tensor_split(batches):
                out = ensemble(x[batch], generator).flatten(0, 1)
                targets, sides = y[batch].repeat(options.members, 1), signs[batch].repeat(options.members, 1)
                parts = [
                    loss(out[:, columns], targets[:, columns], signs=sides[:, columns]) * columns.sum()
                    for columns, loss in losses
                ]
                optimizer.zero_grad()
                torch.stack(parts).sum().backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            if on_epoch is not None:
                on_epoch()
    return ensemble


def _target_scaling(data: TrainingData, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each target in `rows`; 0 and 1 for classes."""
    y = data.y[rows]
    known = ~np.isnan(y)
    n = np.maximum(known.sum(0), 1)
    mean = np.where(known, y, 0).sum(0) / n
    scale = np.sqrt(np.where(known, (y - mean) ** 2, 0).sum(0) / n)
    scale[scale == 0] = 1
    return np.where(data.is_class, 0.0, mean), np.where(data.is_class, 1.0, scale)


def join(ensembles: list[Ensemble]) -> Ensemble:
    """Return one ensemble of the networks of several."""
    first = ensembles[0]
    sizes = (*(weight.shape[1] for weight in first.weights), first.mean.shape[1])
    whole = Ensemble(sum(len(one.mean) for one in ensembles), sizes)
    states = [one.state_dict() for one in ensembles]
    whole.load_state_dict({name: torch.cat([state[name] for state in states]) for name in states[0]}, assign=True)
    return whole
