"""Batches as dictionaries, with everything that is known of their rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mrl.data.columns import IGNORED
from mrl.data.padding import Picked, padded
from mrl.data.rows import Rows, takes_rows
from mrl.text import PAD

__all__ = ["dict_collate"]


@takes_rows
def dict_collate(batch: Any) -> dict[str, Tensor]:
    """Give a batch by names: the form that HuggingFace's models and Trainer take as it is.

    Parameters
    ----------
    batch : Rows
        What ``dataset.__getitems__`` returns.

    Returns
    -------
    dict of str to Tensor
        ``input_ids`` int64 (B, L), ``attention_mask`` int64 (B, L), ``lengths`` int64 (B,) where there are tokens;
        ``vectors`` float32 (B, D) where there are vectors; ``labels``: the targets (B,) or (B, T) where there are
        some, else ``input_ids`` with -100 at padding (the model shifts them itself); ``index`` int64 (B,), the rows.

    Raises
    ------
    TypeError
        If `batch` is a list of samples, which does not say what their parts are.

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
    made: dict[str, Tensor] = {}
    ids = fields.get("tokens")
    if isinstance(ids, Picked):
        lengths = torch.from_numpy(ids.lengths)
        input_ids = padded(ids, PAD)
        real = torch.arange(input_ids.shape[1], device="cpu") < lengths.unsqueeze(1)
        made |= {"input_ids": input_ids, "attention_mask": real.long(), "lengths": lengths}
        made["labels"] = input_ids.masked_fill(~real, IGNORED)
    if "vectors" in fields:
        made["vectors"] = fields["vectors"]
    if "labels" in fields:
        made["labels"] = fields["labels"].squeeze(-1)
    return made | {"index": torch.from_numpy(batch.rows.copy())}
