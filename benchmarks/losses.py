"""Losses over labels of which some are missing."""

from __future__ import annotations

from functools import partial

import torch
from measuring import Contestant, compare
from torch import Tensor, nn

from mrl.nn import MaskedLoss

ROWS, TASKS, STEPS = 256, 12, 200


def losses(smiles: list[str]) -> None:
    """Measure twelve tasks, a fifth of their labels missing, forward and backward."""
    generator = torch.Generator().manual_seed(0)
    targets = (torch.rand(ROWS, TASKS, generator=generator) < 0.1).float()
    targets[torch.rand(ROWS, TASKS, generator=generator) < 0.2] = float("nan")
    start = torch.randn(ROWS, TASKS, generator=generator)
    masked, plain = MaskedLoss(nn.BCEWithLogitsLoss(), per_task=True), nn.BCEWithLogitsLoss()

    def by_task(predictions: Tensor, targets: Tensor) -> Tensor:
        found = []
        for task in range(TASKS):
            there = ~targets[:, task].isnan()
            if there.any():
                found.append(plain(predictions[there, task], targets[there, task]))
        return torch.stack(found).mean()

    def gradient(loss: nn.Module) -> tuple[Tensor, Tensor]:
        predictions = start.clone().requires_grad_()
        value = loss(predictions, targets)
        value.backward()
        assert predictions.grad is not None
        return value.detach(), predictions.grad

    for a, b in zip(gradient(masked), gradient(by_task), strict=True):  # type: ignore[arg-type]
        torch.testing.assert_close(a, b)

    def steps(loss: nn.Module) -> None:
        for _ in range(STEPS):
            gradient(loss)

    compare(
        f"A masked loss, ({ROWS}, {TASKS}), forward and backward",
        [
            Contestant("mrl, MaskedLoss", partial(steps, masked), STEPS * ROWS),
            Contestant("a loop over the tasks", partial(steps, by_task), STEPS * ROWS),
        ],
    )
