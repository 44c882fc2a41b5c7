"""Sampling: molecules, token by token, from a language model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.lm.model import LanguageModel
from mrl.ragged import Ragged

__all__ = ["sample"]

BOS, EOS, PAD, UNK = range(4)


@torch.inference_mode()
def sample(
    model: LanguageModel,
    n: int,
    *,
    max_length: int = 128,
    seed: int = 0,
    temperature: float = 1.0,
    batch_size: int = 1024,
) -> Ragged:
    """Draw molecules from a model, as token ids.

    Each token is drawn from the model's distribution given those before it, without bos, pad and unk. The random
    numbers belong to (seed, row, position), so the same seed gives the same rows on the same machine, threads and versions,
    and torch's own generator is neither read nor advanced.

    Parameters
    ----------
    model : LanguageModel
        Sampled where it is.
    n : int
        Number of rows.
    max_length : int
        Largest number of ids of a row, bos and eos included; a row that has not ended by then is cut, without eos.
    seed : int
    temperature : float
        Above 1 flattens the distribution, below 1 sharpens it.
    batch_size : int
        Rows at a time: a matter of memory and speed.

    Returns
    -------
    Ragged
        n rows of ids (uint8, or uint16 for more than 256 tokens), each beginning with bos (0) and ending with eos (1) unless cut:
        for ``vocab.decode`` and ``dataset.from_ids``.

    Raises
    ------
    ValueError
        n below 0, `max_length` below 2, `batch_size` below 1, or a temperature that is not a positive number.

    Examples
    --------
    >>> from mrl.lm import ModelConfig
    >>> from mrl.text import CharacterVocab
    >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=1)
    >>> ids = sample(model, 3, max_length=10, seed=5)
    >>> len(ids), [int(row[0]) for row in ids]
    (3, [0, 0, 0])
    """
    for name, value, least in (("n", n, 0), ("max_length", max_length, 2), ("batch_size", batch_size, 1)):
        if value < least:
            raise ValueError(f"{name}={value}: expected {least} or more")
    if not (temperature > 0 and math.isfinite(temperature)):
        raise ValueError(f"temperature={temperature}: expected a positive number")
    generator = torch.Generator().manual_seed(seed)
    dtype = np.dtype(np.uint8 if model.config.vocab_size <= 256 else np.uint16)
    parts = [Ragged(np.zeros(0, dtype), [0])]
    for start in range(0, n, batch_size):
        noise = torch.rand(min(batch_size, n - start), max_length - 1, generator=generator)
        parts.append(_rows(_draw(model, noise.to(model.device), temperature).cpu().numpy(), dtype))
    return Ragged.concat(parts)


def _draw(model: LanguageModel, noise: Tensor, temperature: float) -> Tensor:
    """Ids, int64 (rows, max_length), padded: one row per row of `noise`, which is uniform in [0, 1)."""
    ids = noise.new_full((len(noise), noise.shape[1] + 1), PAD, dtype=torch.int64)
    ids[:, 0] = BOS
    rows = torch.arange(len(noise), device=noise.device)  # of `ids`, that have not ended
    token, state = ids[:, :1], None
    for position in range(noise.shape[1]):
        logits, state = model(token, state)
        logits = logits[:, 0].double() / temperature
        logits[:, [BOS, PAD, UNK]] = -math.inf
        # the inverse of the cumulated distribution, in float64: float32 noise below 1 never reaches its end
        cumulated = logits.softmax(-1).cumsum(-1)
        threshold = noise[rows, position, None].double() * cumulated[:, -1:]
        token = torch.searchsorted(cumulated, threshold, right=True)
        ids[rows, position + 1] = token[:, 0]
        alive = token[:, 0] != EOS
        if not alive.any():
            break
        rows, token, state = rows[alive], token[alive], (state[0][:, alive], state[1][:, alive])
    return ids


def _rows(ids: NDArray[np.int64], dtype: np.dtype[Any]) -> Ragged:
    lengths = (ids != PAD).sum(axis=1)
    return Ragged(ids[ids != PAD].astype(dtype), np.concatenate([[0], np.cumsum(lengths)]))
