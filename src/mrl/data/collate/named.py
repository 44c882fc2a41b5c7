"""Batches as dictionaries of named tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from mrl.data.batch import LazyBatch, takes_lazy_batch
from mrl.data.collate.padding import Padding
from mrl.data.collate.sequences import pad_rows, parts_of
from mrl.data.collate.tasks import segment_numbers
from mrl.data.fields.selection import select_rows
from mrl.ragged import IGNORED
from mrl.text import BOS, PAD


@takes_lazy_batch
def dict_collate(batch: Any, *, padding: Padding = Padding(), only: Sequence[str] | None = None) -> dict[str, Tensor]:
    """Return a batch as named tensors: the form that HuggingFace's models and Trainer take as it is.

    A dataset and this function are what the Trainer needs (``train_dataset``, ``data_collator``, with
    ``remove_unused_columns=False``). Its own loader has no notion of epochs, so augmented or masked rows are then as
    in epoch 0; return our loader from ``get_train_dataloader`` to have them change.

    Parameters
    ----------
    batch : LazyBatch
        What ``dataset.__getitems__`` returns.
    padding : Padding
        The width and side of padding, as in `lm_collate`; packed blocks have their own width.
    only : sequence of str, optional
        The names to return, for models that reject unknown ones, such as ``lengths`` and ``index``.

    Returns
    -------
    dict of str to Tensor
        ``input_ids`` int64 (B, L), ``attention_mask`` int64 (B, L), ``lengths`` int64 (B,) where there are tokens (of
        the source, where there are two texts); ``labels``: the targets (B,) or (B, T) where there are some; the hidden
        tokens, of masked rows; the ids of the target, of pairs; else ``input_ids``: with -100 wherever nothing is to be
        predicted (the model shifts them itself). ``vectors`` float32 (B, D), ``condition`` float32 (B, D), ``weights``
        float32 (B,) where there are such; ``segments`` and ``position_ids`` int64 (B, L) of packed blocks; ``index``
        int64 (B,), the rows.

    Raises
    ------
    TypeError
        If `batch` is a list of samples, whose parts have no names.
    ValueError
        If `only` has a name that the batch does not have, or `padding` sets the width of packed blocks.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["C", "CC"], CharacterVocab(["C"]))
    >>> dict_collate(ds.__getitems__([0, 1]))["labels"]
    tensor([[   0,    4,    1, -100],
            [   0,    4,    4,    1]])
    """
    if not isinstance(batch, LazyBatch):
        raise TypeError(
            "output='dict' needs samples whose parts have names; a dataset that overrides __getitem__ needs its own "
            "collate_fn"
        )
    parts = dict(zip(batch.names, parts_of(batch, len(batch.names), "dict_collate"), strict=True))
    made: dict[str, Tensor] = {}
    sequences = next((parts[name] for name in ("source", "blocks", "tokens") if name in parts), None)
    if sequences is not None:
        ids = pad_rows(sequences, PAD, _padding_of(sequences.width, padding))
        lengths = torch.from_numpy(select_rows(sequences).lengths).to(ids.device)
        places = torch.arange(ids.shape[1], device=ids.device)
        if padding.side == "left":
            places = places - (ids.shape[1] - lengths.unsqueeze(1))
        real = (places >= 0) & (places < lengths.unsqueeze(1))
        made |= {"input_ids": ids, "attention_mask": real.long(), "lengths": lengths}
        made["labels"] = ids.masked_fill(~real, IGNORED)
        if "prompt" in parts:
            made["labels"].masked_fill_(places <= parts["prompt"], IGNORED)
        if "blocks" in parts:
            made |= _of_blocks(ids, made["labels"])
    if "source" in parts:
        made["labels"] = pad_rows(parts["tokens"], IGNORED, padding)
    if "targets" in parts:
        made["labels"] = pad_rows(parts["targets"], IGNORED, padding)
    made |= {name: parts[name] for name in ("vectors", "condition") if name in parts}
    made |= {name: parts[name].squeeze(-1) for name in ("labels", "weights") if name in parts}
    made["index"] = torch.from_numpy(batch.request.rows.copy())
    if only is None:
        return made
    if missing := [name for name in only if name not in made]:
        raise ValueError(f"only={missing!r} names tensors that this batch does not have; it has {list(made)}")
    return {name: made[name] for name in only}


def _padding_of(width: int | None, padding: Padding) -> Padding:
    """Return `padding` with the width that packed blocks have."""
    if width is None:
        return padding
    if padding.multiple is not None or padding.to not in (None, width):
        raise ValueError(f"packed blocks have {width} ids each; leave out Padding(to=...) and Padding(multiple=...)")
    return replace(padding, to=width)


def _of_blocks(ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return what separates the texts of a block; a bos is not predicted from the text in front of it."""
    begins = ids == BOS
    places = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    starts = torch.where(begins, places, 0).cummax(1).values
    return {
        "labels": labels.masked_fill(begins, IGNORED),
        "segments": segment_numbers(ids, PAD),
        "position_ids": places - starts,
    }
