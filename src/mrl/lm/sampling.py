"""Sampling texts from a language model, token by token."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from mrl.lm.model import LanguageModel
from mrl.lm.options import require_integer, require_positive
from mrl.ragged import Ragged
from mrl.text import BOS, EOS, PAD, UNK


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
    """Draw rows of token ids from a model.

    Each id is drawn from the model's distribution after the ids in front of it, ``bos``, ``pad`` and ``unk`` left out.
    The random numbers are those of (seed, row, position): the same seed gives the same rows on the same machine,
    versions and number of threads. torch's own generator is neither read nor advanced.

    Parameters
    ----------
    model : LanguageModel
        Sampled on the device where it is.
    n : int
        Number of rows.
    max_length : int
        The most ids of a row, ``bos`` and ``eos`` included; a row that has not ended by then is cut there.
    seed : int
        Seed of the draws.
    temperature : float
        Divides the logits: below 1 likely rows become more frequent, above 1 less frequent.
    batch_size : int
        Rows that are drawn together, which bounds the memory.

    Returns
    -------
    Ragged
        n rows of ids, ``bos`` first and ``eos`` last (not in a row that was cut), no padding; the smallest unsigned
        dtype. ``vocab.decode`` and ``dataset.from_ids`` take it as it is.

    Raises
    ------
    ValueError
        `n` is negative, `max_length` below 2, `batch_size` below 1, or `temperature` not positive.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig
    >>> from mrl.text import CharacterVocab
    >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=1)
    >>> ids = sample(model, 3, max_length=10, seed=5)
    >>> len(ids), [int(row[0]) for row in ids], bool(ids.lengths.max() <= 10)
    (3, [0, 0, 0], True)
    """
    for name, value, least in (("n", n, 0), ("max_length", max_length, 2), ("batch_size", batch_size, 1)):
        require_integer(name, value, least)
    require_positive("temperature", temperature)
    generator = torch.Generator().manual_seed(seed)
    dtype = np.min_scalar_type(model.config.vocab_size - 1)
    parts = [Ragged(np.zeros(0, dtype), [0])]
    for start in range(0, n, batch_size):
        noise = torch.rand(min(batch_size, n - start), max_length - 1, generator=generator, device="cpu")
        ids = _draw(model, noise.to(model.device), temperature).cpu().numpy()
        drawn = ids != PAD
        parts.append(Ragged(ids[drawn].astype(dtype), np.concatenate([[0], np.cumsum(drawn.sum(1))])))
    return Ragged.concat(parts)


def _draw(model: LanguageModel, noise: Tensor, temperature: float) -> Tensor:
    """Return ids, int64 (B, L + 1), padded, from uniform `noise` in [0, 1), float32 (B, L)."""
    ids = torch.full((len(noise), noise.shape[1] + 1), PAD, device=noise.device)
    ids[:, 0] = BOS
    rows, token, state = torch.arange(len(noise), device=noise.device), ids[:, :1], None  # unfinished rows
    for position in range(noise.shape[1]):
        logits, state = model(token, state)
        logits = logits[:, 0].double() / temperature
        logits[:, [BOS, PAD, UNK]] = -math.inf
        # In float64 a float32 below 1 stays below the end of the cumulative sum, so that no masked id is ever drawn.
        cumulative = logits.softmax(1).cumsum(1)
        token = torch.searchsorted(cumulative, noise[rows, position, None] * cumulative[:, -1:], right=True)
        ids[rows, position + 1] = token[:, 0]
        unfinished = token[:, 0] != EOS
        rows, token = rows[unfinished], token[unfinished]
        state = (state[0][:, unfinished], state[1][:, unfinished])
        if not len(rows):
            break
    return ids
