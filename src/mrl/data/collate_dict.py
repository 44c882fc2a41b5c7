"""Batches as dictionaries, with everything that is known of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mrl.data.blocks import segments_of
from mrl.data.columns import IGNORED
from mrl.data.padding import PadSide, padded, picked
from mrl.data.rows import Rows, takes_rows
from mrl.text import BOS, PAD

__all__ = ["dict_collate"]


@takes_rows
def dict_collate(
    batch: Any,
    *,
    pad_to: int | None = None,
    pad_multiple: int | None = None,
    pad_side: PadSide = "right",
    only: Sequence[str] | None = None,
) -> dict[str, Tensor]:
    """Give a batch by names: the form that HuggingFace's models and Trainer take as it is.

    A data set and this function are what the Trainer asks for (``train_dataset``, ``data_collator``, with
    ``remove_unused_columns=False``). Its own loader knows no epochs, so rows that are augmented or masked are then as
    in epoch 0; give it ours in ``get_train_dataloader`` to have them change.

    Parameters
    ----------
    batch : Rows
        What ``dataset.__getitems__`` returns.
    pad_to, pad_multiple, pad_side
        As in `lm_collate`; blocks have their own width.
    only : sequence of str, optional
        Names to give, for models that refuse what they do not know, such as ``lengths`` and ``index``.

    Returns
    -------
    dict of str to Tensor
        ``input_ids`` int64 (B, L), ``attention_mask`` int64 (B, L), ``lengths`` int64 (B,) where there are tokens (of
        the source, where there are two texts); ``labels``: the targets (B,) or (B, T) where there are some; what was
        hidden, of masked rows; the ids of the target, of pairs; else ``input_ids``: with -100 wherever nothing is to be
        predicted (the model shifts them itself). ``vectors`` float32 (B, D), ``condition`` float32 (B, D), ``weights``
        float32 (B,) where there are such; ``segments`` and ``position_ids`` int64 (B, L) of packed blocks; ``index``
        int64 (B,), the rows.

    Raises
    ------
    TypeError
        If `batch` is a list of samples, which does not say what their parts are.
    ValueError
        If `only` has a name that the batch has not, or blocks are to have another width.

    Examples
    --------
    >>> from mrl.data import TextDataset
    >>> from mrl.text import CharacterVocab
    >>> ds = TextDataset(["C", "CC"], CharacterVocab(["C"]))
    >>> dict_collate(ds.__getitems__([0, 1]))["labels"]
    tensor([[   0,    4,    1, -100],
            [   0,    4,    4,    1]])
    """
    if not isinstance(batch, Rows):
        raise TypeError(
            "form='dict' needs samples whose parts have names; a data set that overrides __getitem__ needs a "
            "collate_fn of its own"
        )
    fields = dict(zip(batch.names, batch.gather(), strict=True))
    padding: dict[str, Any] = {"pad_to": pad_to, "pad_multiple": pad_multiple, "pad_side": pad_side}
    made: dict[str, Tensor] = {}
    sequences = next((fields[name] for name in ("source", "blocks", "tokens") if name in fields), None)
    if sequences is not None:
        if "blocks" in fields:
            block = padding["pad_to"] = batch.dataset.block
            if pad_multiple is not None or pad_to not in (None, block):
                raise ValueError(f"blocks have {block} ids each; leave out pad_to and pad_multiple")
        ids = padded(sequences, PAD, **padding)
        lengths = torch.from_numpy(picked(sequences).lengths).to(ids.device)
        places = torch.arange(ids.shape[1], device=ids.device)
        if pad_side == "left":
            places = places - (ids.shape[1] - lengths.unsqueeze(1))
        real = (places >= 0) & (places < lengths.unsqueeze(1))
        made |= {"input_ids": ids, "attention_mask": real.long(), "lengths": lengths}
        made["labels"] = ids.masked_fill(~real, IGNORED)
        if "prompt" in fields:
            made["labels"].masked_fill_(places <= fields["prompt"], IGNORED)
        if "blocks" in fields:
            made |= _of_blocks(ids, made["labels"])
    if "source" in fields:
        made["labels"] = padded(fields["tokens"], IGNORED, **padding)
    if "targets" in fields:
        made["labels"] = padded(fields["targets"], IGNORED, **padding)
    made |= {name: fields[name] for name in ("vectors", "condition") if name in fields}
    made |= {name: fields[name].squeeze(-1) for name in ("labels", "weights") if name in fields}
    made["index"] = torch.from_numpy(batch.rows.copy())
    if only is None:
        return made
    if missing := [name for name in only if name not in made]:
        raise ValueError(f"only names {missing}, which this batch has not; it has {list(made)}")
    return {name: made[name] for name in only}


def _of_blocks(ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """What tells the texts of a block apart; a bos is not predicted from the text before it."""
    begins = ids == BOS
    places = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    starts = torch.where(begins, places, 0).cummax(1).values
    return {
        "labels": labels.masked_fill(begins, IGNORED),
        "segments": segments_of(ids, PAD),
        "position_ids": places - starts,
    }
