"""How probable a model finds given rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from mrl.errors import RowError
from mrl.lm.model import SequenceModel
from mrl.ragged import Ragged
from mrl.text import BOS, PAD

_TOKENS = 1 << 15  # of one pass through the model, which bounds the memory of the logits


def log_likelihood(model: SequenceModel, ids: Any, *, condition: ArrayLike | Tensor | None = None) -> Tensor:
    """Return the log-probability of rows of ids: the sum over all ids after ``bos``, those of ``eos`` included.

    It is the sum of the log-probabilities that `sample` returned. Gradients flow to the model's weights, unless they
    are switched off (``torch.no_grad()``).

    Parameters
    ----------
    model : SequenceModel
        Used on the device where it is.
    ids : Ragged, list of rows, or Tensor of shape (n, L)
        n rows, ``bos`` first; a tensor is padded on the right.
    condition : array of numbers, shape (n, condition), optional
        What each text is generated from, for a model that has a condition.

    Returns
    -------
    Tensor, float64, shape (n,)
        In nats, on the model's device.

    Raises
    ------
    RowError
        A row does not begin with ``bos``, or has padding in front of other ids, or an id outside the model's
        vocabulary; a ValueError.
    ValueError
        A condition is missing or of another shape.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab(["C", "O"])
    >>> model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=8), seed=1)
    >>> values = log_likelihood(model, vocab.encode(["CCO", "C"]))
    >>> values.shape, values.requires_grad
    (torch.Size([2]), True)
    """
    padded = _padded(ids)
    lengths = (padded != PAD).sum(1)
    _check(padded, lengths, model.config.vocab_size)
    given = None
    if condition is not None:
        given = condition if isinstance(condition, Tensor) else torch.from_numpy(np.asarray(condition, np.float32))
        if given.shape[:1] != (len(padded),):
            raise ValueError(f"condition has the shape {tuple(given.shape)}; expected {len(padded)} rows")
    parts, rows, order = [], [], np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        width = int(lengths[order[start]])
        chunk = order[start : start + max(1, _TOKENS // width)]
        start += len(chunk)
        part = torch.from_numpy(padded[chunk, :width]).to(model.device)
        vectors = None if given is None else given[torch.from_numpy(chunk).to(given.device)].to(model.device)
        rows.append(chunk)
        parts.append(_chunk(model, part, vectors))
    if not parts:
        return torch.zeros(0, dtype=torch.float64, device=model.device)
    back = torch.from_numpy(np.argsort(np.concatenate(rows), kind="stable")).to(model.device)
    return torch.cat(parts)[back]


def _chunk(model: SequenceModel, ids: Tensor, condition: Tensor | None) -> Tensor:
    x, y = ids[:, :-1], ids[:, 1:]
    if not x.shape[1]:
        return torch.zeros(len(ids), dtype=torch.float64, device=ids.device)
    logits, _ = model(x, None, condition=condition)
    scores: Tensor = logits.double().log_softmax(-1).gather(2, y[:, :, None])[:, :, 0]
    return scores.masked_fill(y == PAD, 0.0).sum(1)


def _padded(ids: Any) -> Any:
    """Return int64 (n, L), padded on the right."""
    if isinstance(ids, Tensor):
        ids = ids.cpu().numpy()
    if isinstance(ids, np.ndarray) and ids.ndim == 2:
        return ids.astype(np.int64)
    rows = ids if isinstance(ids, Ragged) else Ragged.from_rows(ids, np.int64)
    return rows.to_padded(PAD)


def _check(padded: Any, lengths: Any, vocab_size: int) -> None:
    def stop(wrong: Any, expected: str) -> None:
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise RowError.of(row, "ids", padded[row][: max(1, lengths[row])].tolist(), expected)

    if not len(padded):
        return
    if not padded.shape[1]:
        padded = np.full((len(padded), 1), PAD)
    stop(padded[:, 0] != BOS, f"ids that begin with bos ({BOS})")
    stop(((np.arange(padded.shape[1]) < lengths[:, None]) & (padded == PAD)).any(1), "padding on the right only")
    stop(((padded < 0) | (padded >= vocab_size)).any(1), f"ids of the model's vocabulary, 0 to {vocab_size - 1}")
