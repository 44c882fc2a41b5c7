"""`MaskedLoss`: any loss of torch, over the labels that are there.

A batch has a fixed shape whatever is missing in it: missing labels are replaced, not selected, so that nothing depends
on the data but the numbers. They are replaced on both sides of the loss, because a gradient of 0 times NaN is NaN.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mrl.data.columns import IGNORED

__all__ = ["MaskedLoss"]


class MaskedLoss(nn.Module):
    """Mean of a loss over the labels that are there: a missing one is NaN, a missing class -100.

    On a batch without gaps it equals the loss that it was made of. A missing label has no influence at all: the
    gradient of its prediction is exactly 0, even where the prediction is not finite. A batch of missing labels only
    (or of no rows) gives 0, with a gradient. Nothing depends on how many are missing but the result, so it compiles.
    Each rank takes the mean of its own labels.

    Parameters
    ----------
    loss : torch.nn.Module or callable
        A loss of torch with a ``reduction`` (``nn.MSELoss``, ``nn.L1Loss``, ``nn.HuberLoss``, ``nn.BCEWithLogitsLoss``,
        ``nn.CrossEntropyLoss``, ...), of which a copy is used; or any function of predictions and targets that
        returns one loss per label.
    per_task : bool
        Take the mean of each column first, then that of the columns which have a label in this batch: each task counts
        the same, however many of its labels are missing. Otherwise each label counts the same.

    Raises
    ------
    ValueError
        If `loss` has another reduction than a mean.

    Examples
    --------
    Two tasks with gaps; ``(0.5 ** 2 + 1.0 ** 2) / 2``:

    >>> loss = MaskedLoss(nn.MSELoss())
    >>> nan = float("nan")
    >>> loss(torch.tensor([[0.5, 7.0], [3.0, 2.0]]), torch.tensor([[0.0, nan], [nan, 1.0]]))
    tensor(0.6250)

    Classes, with weights of the rows:

    >>> loss = MaskedLoss(nn.CrossEntropyLoss())
    >>> loss(torch.zeros(3, 4), torch.tensor([1, -100, 0]), weights=torch.tensor([1.0, 1.0, 2.0]))
    tensor(1.3863)
    """

    def __init__(self, loss: Callable[[Tensor, Tensor], Tensor], *, per_task: bool = False) -> None:
        super().__init__()
        if isinstance(loss, nn.Module) and hasattr(loss, "reduction"):
            if loss.reduction not in ("mean", "none"):
                raise ValueError(
                    f"the loss has reduction={loss.reduction!r}; expected 'mean', which is what MaskedLoss takes over "
                    "the labels that are there"
                )
            loss = copy.deepcopy(loss)
            setattr(loss, "reduction", "none")  # noqa: B010  mypy takes attributes of modules for tensors
        self.loss = loss
        self.per_task = per_task

    def extra_repr(self) -> str:
        """What is not a module of its own."""
        return f"per_task={self.per_task}"

    def forward(self, predictions: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Give the mean loss of the labels that are there.

        Parameters
        ----------
        predictions : Tensor, floating, shape of `targets`; (B, C) or (B, C, T) of C classes
            Half precision is taken to float32 first.
        targets : Tensor, shape (B,) or (B, T)
            Numbers (NaN where missing), or int64 classes (-100 where missing, or the loss's ``ignore_index``).
        weights : Tensor, shape (B,) or the shape of `targets`, optional
            How much each row, or each label, counts; the result is the weighted mean. Not negative.

        Returns
        -------
        Tensor, float32 or float64, shape ()

        Raises
        ------
        ValueError
            If the shapes do not fit: torch would stretch (B,) against (B, 1) to (B, B), and train on it.
        """
        dtype = torch.promote_types(predictions.dtype, torch.float32)
        classes = not targets.is_floating_point() and predictions.ndim == targets.ndim + 1
        _require_fit(predictions, targets, classes)
        if targets.is_floating_point():
            present = ~targets.isnan()
        else:
            targets = targets.long()
            present = (targets != IGNORED) & (targets != getattr(self.loss, "ignore_index", IGNORED))
        known = present.unsqueeze(1) if classes else present
        filled = torch.where(present, targets, 0)
        losses = self.loss(torch.where(known, predictions, 0).to(dtype), filled if classes else filled.to(dtype))
        if losses.shape != targets.shape:
            raise ValueError(
                f"the loss returned the shape {tuple(losses.shape)} for targets of shape {tuple(targets.shape)}; "
                "expected one loss per label: give a module such as nn.MSELoss(), or a function with reduction='none'"
            )
        counts = present.to(dtype)
        if weights is not None:
            counts = counts * _spread(weights, targets).to(dtype)
        totals = torch.where(present, losses, 0) * counts
        if isinstance(self.loss, nn.CrossEntropyLoss | nn.NLLLoss) and self.loss.weight is not None:
            counts = counts * self.loss.weight[filled].to(dtype)  # torch divides by the weights of the classes too
        if self.per_task:
            totals, counts = totals.sum(0), counts.sum(0)
            return _ratio(_ratio(totals, counts).sum(), (counts > 0).sum())
        return _ratio(totals.sum(), counts.sum())


def _ratio(totals: Tensor, counts: Tensor) -> Tensor:
    """Totals over counts; 0 where nothing was counted."""
    return totals / torch.where(counts > 0, counts, 1)


def _spread(weights: Tensor, targets: Tensor) -> Tensor:
    """Weights of rows, or of labels, as weights of labels."""
    if weights.shape == targets.shape:
        return weights
    if weights.shape == targets.shape[:1]:
        return weights.view(-1, *[1] * (targets.ndim - 1))
    raise ValueError(
        f"weights have the shape {tuple(weights.shape)} and targets {tuple(targets.shape)}; expected one weight per "
        "row, or one per label"
    )


def _require_fit(predictions: Tensor, targets: Tensor, classes: bool) -> None:
    """Refuse shapes that torch would broadcast."""
    shape: Any = tuple(predictions.shape)
    if (shape[:1] + shape[2:] if classes else shape) == tuple(targets.shape) and targets.ndim:
        return
    hint = ""
    if shape == (*targets.shape, 1):
        hint = ": for one target use predictions.squeeze(-1)"
    raise ValueError(
        f"predictions have the shape {shape} and targets {tuple(targets.shape)} ({targets.dtype}); expected the same "
        f"shape, or (B, C) and (B,) for whole-numbered classes{hint}"
    )
