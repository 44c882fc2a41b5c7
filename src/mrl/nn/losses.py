"""`MaskedLoss`: any loss of torch, over the labels that are present.

A batch keeps its shape however many labels are missing: missing labels are replaced, not selected, so that nothing but
numbers depends on the data. They are replaced in predictions and targets, because a gradient of 0 times NaN is NaN.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from mrl.ragged import IGNORED

__all__ = ["MaskedLoss"]


class MaskedLoss(nn.Module):
    """Mean of a loss over the labels that are present: a missing label is NaN, a missing class -100.

    Without missing labels it equals the loss that it was made of. A missing label has no influence at all: the gradient
    of its prediction is exactly 0, even where the prediction is not finite. A batch of missing labels only (or of no
    rows) gives 0, with a gradient. Shapes and control flow do not depend on how many are missing, so it compiles to one
    graph. On several ranks, each takes the mean of its own labels.

    Parameters
    ----------
    loss : torch.nn.Module or callable
        A loss of torch with a ``reduction`` (``nn.MSELoss``, ``nn.L1Loss``, ``nn.HuberLoss``, ``nn.BCEWithLogitsLoss``,
        ``nn.CrossEntropyLoss``, ...), of which a copy is used; or any function of predictions and targets that
        returns one loss per label.
    per_task : bool
        Whether to take the mean of each column first, and then that of the columns with a label in this batch: each
        task counts the same, however many of its labels are missing. Otherwise each label counts the same.

    Raises
    ------
    ValueError
        If `loss` has a reduction other than ``"mean"`` or ``"none"``.

    Examples
    --------
    Two tasks with missing labels; ``(0.5 ** 2 + 1.0 ** 2) / 2``:

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
        if isinstance(loss, nn.Module) and (reduction := getattr(loss, "reduction", None)) is not None:
            if reduction not in ("mean", "none"):
                raise ValueError(
                    f"the loss has reduction={reduction!r}; expected 'mean', which MaskedLoss then takes over the "
                    "labels that are present"
                )
            loss = copy.deepcopy(loss)
            setattr(loss, "reduction", "none")  # noqa: B010  mypy takes attributes of modules for tensors
        self.loss = loss
        self.per_task = per_task

    def extra_repr(self) -> str:
        """Return the settings for ``repr``.

        Examples
        --------
        >>> MaskedLoss(nn.MSELoss()).extra_repr()
        'per_task=False'
        """
        return f"per_task={self.per_task}"

    def forward(
        self, predictions: Tensor, targets: Tensor, weights: Tensor | None = None, signs: Tensor | None = None
    ) -> Tensor:
        """Return the mean loss of the labels that are present.

        Parameters
        ----------
        predictions : Tensor, floating, shape of `targets`; (B, C) or (B, C, T) of C classes
            Half precision is converted to float32 first.
        targets : Tensor, shape (B,) or (B, T)
            Numbers (NaN where missing), or integer classes (-100 where missing, or the loss's ``ignore_index``).
        weights : Tensor, shape (B,) or the shape of `targets`, optional
            How much each row, or each label, counts, 0 or above; the result is the weighted mean.
        signs : Tensor of integers, shape of `targets`, optional
            Of censored numbers: 1 where the true value is above the label (">10"), -1 where it is below ("<5"), 0 for a
            plain one. A prediction on that side of a censored label is a loss of 0, which counts in the mean.

        Returns
        -------
        Tensor, float32 or float64, shape ()

        Raises
        ------
        ValueError
            If the shapes do not match: torch would broadcast (B,) against (B, 1) to (B, B), and train on it; or classes
            have signs.

        Examples
        --------
        >>> loss = MaskedLoss(nn.L1Loss())
        >>> loss(torch.tensor([1.0, 5.0]), torch.tensor([0.0, 2.0]), weights=torch.tensor([1.0, 3.0]))
        tensor(2.5000)

        Labels ">10" and ">10", of which only the second prediction is too low:

        >>> loss(torch.tensor([12.0, 9.0]), torch.tensor([10.0, 10.0]), signs=torch.tensor([1, 1]))
        tensor(0.5000)
        """
        dtype = torch.promote_types(predictions.dtype, torch.float32)
        of_classes = not targets.is_floating_point() and predictions.ndim == targets.ndim + 1
        _require_same_shape(predictions, targets, of_classes)
        if targets.is_floating_point():
            present = ~targets.isnan()
        else:
            targets = targets.long()
            present = (targets != IGNORED) & (targets != getattr(self.loss, "ignore_index", IGNORED))
        filled = torch.where(present, targets, 0)
        satisfied = _satisfied(predictions, targets, signs)
        if satisfied is not None:  # equal to the label, so that no loss of torch is NaN there
            predictions = torch.where(satisfied, targets.to(predictions.dtype), predictions)
        predictions = torch.where(present.unsqueeze(1) if of_classes else present, predictions, 0).to(dtype)
        losses = self.loss(predictions, filled if of_classes else filled.to(dtype))
        if losses.shape != targets.shape:
            raise ValueError(
                f"the loss returned the shape {tuple(losses.shape)} for targets of shape {tuple(targets.shape)}; "
                "expected one loss per label: use a module such as nn.MSELoss(), or a function with reduction='none'"
            )
        counts = present.to(dtype)
        if weights is not None:
            counts = counts * _label_weights(weights, targets).to(dtype)
        at_loss = present if satisfied is None else present & ~satisfied
        totals = torch.where(at_loss, losses, 0) * counts
        if isinstance(self.loss, nn.CrossEntropyLoss | nn.NLLLoss) and self.loss.weight is not None:
            counts = counts * self.loss.weight[filled].to(dtype)  # torch divides by the weights of the classes too
        if self.per_task:
            totals, counts = totals.sum(0), counts.sum(0)
            return _ratio(_ratio(totals, counts).sum(), (counts > 0).sum())
        return _ratio(totals.sum(), counts.sum())


def _ratio(totals: Tensor, counts: Tensor) -> Tensor:
    """Return totals / counts, 0 where nothing was counted."""
    return totals / torch.where(counts > 0, counts, 1)


def _satisfied(predictions: Tensor, targets: Tensor, signs: Tensor | None) -> Tensor | None:
    """Return which predictions are on the right side of a censored label."""
    if signs is None:
        return None
    if signs.shape != targets.shape or signs.is_floating_point() or not targets.is_floating_point():
        raise ValueError(
            f"signs have the shape {tuple(signs.shape)} ({signs.dtype}) and targets {tuple(targets.shape)} "
            f"({targets.dtype}); expected one integer, -1, 0 or 1, per number; classes have no signs"
        )
    return (signs != 0) & (torch.sign(predictions - targets) == torch.sign(signs))


def _label_weights(weights: Tensor, targets: Tensor) -> Tensor:
    """Return weights of rows, or of labels, as weights of labels."""
    if weights.shape == targets.shape:
        return weights
    if weights.shape == targets.shape[:1]:
        return weights.view(-1, *[1] * (targets.ndim - 1))
    raise ValueError(
        f"weights have the shape {tuple(weights.shape)} and targets {tuple(targets.shape)}; expected one weight per "
        "row, or one per label"
    )


def _require_same_shape(predictions: Tensor, targets: Tensor, of_classes: bool) -> None:
    """Raise a ValueError for shapes that torch would broadcast."""
    shape, expected = tuple(predictions.shape), tuple(targets.shape)
    if targets.ndim and (shape[:1] + shape[2:] if of_classes else shape) == expected:
        return
    hint = ": for one target use predictions.squeeze(-1)" if shape == (*expected, 1) else ""
    raise ValueError(
        f"predictions have the shape {shape} and targets {expected} ({targets.dtype}); expected the same shape, or "
        f"(B, C) and (B,) for integer classes{hint}"
    )
