"""Batches of next-token prediction, each one checked before a model sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from mrl.errors import DatasetError
from mrl.lm.config import SequenceConfig
from mrl.text import PAD


class Batch(NamedTuple):
    """Token ids, int64 (B, L), those one position later, and the conditions, float (B, C), of a model that has one."""

    x: Tensor
    y: Tensor
    condition: Tensor | None


def endless(loader: Iterable[object], config: SequenceConfig) -> Iterator[Batch]:
    """Yield the batches of one epoch after the other."""
    while True:
        yield from finite_batches(loader, config)


def finite_batches(loader: Iterable[object], config: SequenceConfig) -> Iterator[Batch]:
    """Yield the batches of one epoch, of which there is at least one."""
    empty = True
    for batch in loader:
        empty = False
        yield check_batch(batch, config)
    if empty:
        raise DatasetError(
            "the loader has no batch: with drop_last=True, fewer rows than bs give none; choose a smaller bs, or "
            "drop_last=False"
        )


def check_batch(batch: object, config: SequenceConfig) -> Batch:
    """Return a batch in its parts; raise a DatasetError unless a model of this configuration can be trained on it."""
    match batch:
        case ((Tensor() as x, Tensor() as vectors), Tensor() as y):
            condition: Tensor | None = vectors
        case (Tensor() as x, Tensor() as y):
            condition = None
        case _:
            raise _not_a_pair()
    if not (x.dtype == y.dtype == torch.int64 and x.ndim == 2 and x.shape == y.shape):
        raise _not_a_pair()
    _check_condition(x, condition, config)
    if x.device.type == "cpu" and x.numel():  # where batches are usually made; on a GPU it would be waited for
        _check_ids(x, y, config)
    return Batch(x, y, condition)


def _check_ids(x: Tensor, y: Tensor, config: SequenceConfig) -> None:
    if (largest := int(torch.maximum(x.max(), y.max()))) >= config.vocab_size:
        # On a GPU an invalid id would end the process' use of it.
        raise DatasetError(
            f"a batch has the id {largest}, outside the model's vocabulary (0 to {config.vocab_size - 1}); make the "
            "model for the dataset's vocabulary as it is now, or model.resize(ds.vocab)"
        )
    if bool((x[:, 0] == PAD).any()):
        raise DatasetError("a batch is padded on the left, or has an empty row; models take Padding(side='right')")
    if x.shape[1] > config.max_length and bool((x[:, config.max_length :] != PAD).any()):
        raise DatasetError(
            f"a row of a batch has more than {config.max_length} ids, the model's max_length, at which samples are "
            "cut; make the model with a larger one, ModelConfig.for_vocab(vocab, max_length=...), or leave long rows "
            f"out of the dataset, TextDataset(..., max_length={config.max_length}, on_long='reject')"
        )


def _check_condition(x: Tensor, condition: Tensor | None, config: SequenceConfig) -> None:
    if condition is None:
        if config.condition:
            raise DatasetError(
                f"the model has a condition of {config.condition} numbers, but a batch has none; give the dataloader "
                "of a ConditionalDataset"
            )
        return
    if not config.condition:
        raise DatasetError(
            "a batch has conditions, but the model was made without one: ModelConfig.for_vocab(vocab, "
            f"condition={condition.shape[-1]})"
        )
    if condition.shape != (len(x), config.condition):
        raise DatasetError(
            f"a batch has conditions of the shape {tuple(condition.shape)}; expected {(len(x), config.condition)}"
        )
    if not bool(condition.isfinite().all()):
        raise DatasetError("a condition of a batch is NaN or infinite; leave out the rows without one")


def _not_a_pair() -> DatasetError:
    return DatasetError(
        "a batch is not a pair (x, y) of int64 ids of one shape (B, L), or ((x, condition), y); give the dataloader of "
        'a TextDataset or a ConditionalDataset, with output="tuple" and the rows first'
    )
