"""Sampling texts from a language model, token by token."""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mrl.arguments import require_integer, require_positive
from mrl.errors import MrlError, RowError
from mrl.kernels import splitmix64
from mrl.lm.model import SequenceModel
from mrl.lm.samples import Samples
from mrl.ragged import Ragged
from mrl.text import BOS, EOS, PAD, UNK, Vocab

_BATCH_SIZE = 1024  # rows that are drawn together, which bounds the memory
_COMPACT = 0.8  # share of unfinished rows below which the finished ones are dropped from the state


def sample(
    model: SequenceModel,
    n: int,
    *,
    prompt: Any = None,
    condition: ArrayLike | None = None,
    max_length: int | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
) -> Samples:
    """Draw rows of token ids from a model.

    Each id is drawn from the model's distribution after the ids in front of it, ``bos``, ``pad`` and ``unk`` left out.
    The random numbers are those of (seed, row, position): the same seed gives the same rows on the same machine,
    versions and number of threads. torch's own generator is neither read nor advanced.

    Parameters
    ----------
    model : SequenceModel
        Sampled on the device where it is.
    n : int
        Number of rows.
    prompt : ids of one row, or of n rows, optional
        How all rows begin, or each one does; `encode_prompts` makes them of texts.
    condition : array of numbers, shape (condition,) or (n, condition), optional
        What the texts are generated from, for a model that has a condition.
    max_length : int, optional
        The most ids of a row, ``bos`` and ``eos`` included; a row that has not ended by then is cut there, and not
        `finished`. ``model.config.max_length`` if not given.
    temperature : float
        Divides the logits: below 1 likely rows become more frequent, above 1 less frequent.
    top_k : int, optional
        Draw among the k most likely ids only.
    top_p : float, optional
        Draw among the most likely ids only: the fewest whose probabilities add up to this share.
    seed : int
        Seed of the draws.

    Returns
    -------
    Samples
        Ids, which rows are finished, log-probabilities.

    Raises
    ------
    ValueError
        A number is out of its range; a prompt is not the beginning of a row, or as long as `max_length`; a condition is
        missing, not finite, or of another shape. Of rows, a RowError.
    MrlError
        The model's probabilities are not numbers.

    References
    ----------
    top-p: Holtzman et al., ICLR 2020, arXiv:1904.09751.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab(["C", "O"])
    >>> model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=8, max_length=10), seed=1)
    >>> samples = sample(model, 3, prompt=encode_prompts(model, vocab, "CO"), seed=5)
    >>> samples, [text[:2] for text in samples.decode(vocab)]
    (Samples(3 rows, 3 finished), ['CO', 'CO', 'CO'])
    """
    require_integer("n", n, 0)
    limit = model.config.max_length if max_length is None else require_integer("max_length", max_length, 2)
    draw = _Draw(operator.index(seed), temperature, top_k, top_p)
    prompts = _check_prompts(prompt, n, model.config.vocab_size, limit)
    vectors = _check_condition(condition, n, model.config.condition)
    dtype = np.min_scalar_type(model.config.vocab_size - 1)
    ids, log_probs = [Ragged(np.zeros(0, dtype), [0])], [Ragged(np.zeros(0), [0])]
    with torch.inference_mode():
        for start in range(0, n, _BATCH_SIZE):
            rows = np.arange(start, min(start + _BATCH_SIZE, n))
            part = None if vectors is None else torch.from_numpy(vectors[rows]).to(model.device)
            drawn, scores = _draw_rows(model, rows, prompts.take(rows % len(prompts)), part, limit, draw)
            lengths = (drawn != PAD).sum(1)
            ids.append(_without_padding(drawn.astype(dtype), lengths))
            log_probs.append(_without_padding(scores, lengths - 1))
    rows_of_ids = Ragged.concat(ids)
    finished = rows_of_ids.values[rows_of_ids.offsets[1:] - 1] == EOS if n else np.zeros(0, bool)
    finished.flags.writeable = False
    config = model.config
    return Samples(rows_of_ids, finished, Ragged.concat(log_probs), config.vocab_size, config.vocab_fingerprint)


def encode_prompts(model: SequenceModel, vocab: Vocab, texts: str | Sequence[str]) -> Ragged:
    """Return the ids of one beginning of texts, or of several, for `sample`.

    Parameters
    ----------
    model : SequenceModel
        To be sampled.
    vocab : Vocab
        Its vocabulary.
    texts : str or sequence of str
        How rows begin: ``"c1ccccc1C(=O)N"``.

    Returns
    -------
    Ragged
        Rows of ids: ``bos`` and the tokens, without ``eos``.

    Raises
    ------
    StateError
        It is another vocabulary than the model's; a ValueError.
    UnknownTokenError
        A text has a token that the vocabulary, or the model, does not have; a ValueError.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig
    >>> from mrl.text import CharacterVocab
    >>> vocab = CharacterVocab(["C", "O"])
    >>> encode_prompts(LanguageModel(ModelConfig.for_vocab(vocab)), vocab, "CO").tolist()
    [[0, 4, 5]]
    """
    model.require_vocab(vocab)
    ids = vocab.encode([texts] if isinstance(texts, str) else texts, on_unknown="raise")
    return Ragged.from_rows([row[:-1] for row in ids], ids.values.dtype)


@dataclass(frozen=True)
class _Draw:
    """How one id is drawn from a distribution."""

    seed: int
    temperature: float
    top_k: int | None
    top_p: float | None

    def __post_init__(self) -> None:
        require_positive("temperature", self.temperature)
        if self.top_k is not None:
            require_integer("top_k", self.top_k, 1)
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}; expected a share above 0 and at most 1")

    def keys(self, rows: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Return one random number per row."""
        key = int.from_bytes(hashlib.sha256(f"mrl.lm.sample {self.seed}".encode()).digest()[:8], "little")
        return np.asarray(splitmix64(rows.astype(np.uint64) ^ np.uint64(key)), np.uint64)

    def __call__(self, logits: Tensor, keys: NDArray[np.uint64], position: int) -> Tensor:
        """Return one id per row, int64 (B,), from logits, float64 (B, V)."""
        logits = logits.clone()
        logits[:, [BOS, PAD, UNK]] = -math.inf
        logits = (logits - logits.amax(1, keepdim=True)) / self.temperature  # the highest stays 0 however small this is
        if self.top_k is not None and self.top_k < logits.shape[1]:
            logits[logits < logits.topk(self.top_k, 1).values[:, -1:]] = -math.inf
        shares = logits.softmax(1)
        if self.top_p is not None:
            ordered, order = shares.sort(dim=1, descending=True, stable=True)
            shares.scatter_(1, order, ordered * (ordered.cumsum(1) - ordered < self.top_p))
        # Of 32 bits, so that a number below 1 stays below the end of the cumulative sum: no masked id is ever drawn.
        bits = np.asarray(splitmix64(keys ^ np.uint64(position)), np.uint64) >> np.uint64(32)
        noise = torch.from_numpy(bits.astype(np.float64) * 2.0**-32).to(logits.device)
        cumulative = shares.cumsum(1)
        if not cumulative[:, -1].isfinite().all():
            raise MrlError(
                f"the model's probabilities at position {position} are not numbers; its weights are damaged, or it was "
                "trained with too high a learning rate: train it again"
            )
        return torch.searchsorted(cumulative, noise[:, None] * cumulative[:, -1:], right=True)[:, 0]


def _draw_rows(
    model: SequenceModel,
    rows: NDArray[np.int64],
    prompts: Ragged,
    condition: Tensor | None,
    limit: int,
    draw: _Draw,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return ids, int64 (B, L), padded, and the log-probability of each one after the first, float64 (B, L - 1)."""
    known = torch.from_numpy(prompts.to_padded(PAD)).to(model.device)  # (B, longest prompt)
    shared = int(prompts.lengths.min())
    logits, state = model(known[:, :shared], None, condition=condition)
    seen = _log_softmax(logits[:, :-1]).gather(2, known[:, 1:shared, None])[:, :, 0]
    ids, scores = list(known[:, :shared].unbind(1)), list(seen.unbind(1))
    alive, keys = torch.arange(len(rows), device=model.device), draw.keys(rows)  # the rows that the state has
    for position in range(shared, limit):
        log_probs = _log_softmax(logits[:, -1])
        token = draw(log_probs, keys, position)
        if position < known.shape[1]:
            given = known[alive, position]
            token = torch.where(given == PAD, token, given)
        score = log_probs.gather(1, token[:, None])[:, 0]
        last = ids[-1][alive]
        token = torch.where((last == EOS) | (last == PAD), PAD, token)
        ids.append(torch.full((len(rows),), PAD, device=model.device).index_put((alive,), token))
        scores.append(torch.zeros(len(rows), dtype=torch.float64, device=model.device).index_put((alive,), score))
        unfinished = (token != EOS) & (token != PAD)
        count = int(unfinished.sum())
        if not count or position + 1 == limit:
            break
        if count < _COMPACT * len(alive):
            chosen = unfinished.nonzero()[:, 0]
            alive, token, state, keys = alive[chosen], token[chosen], state.select(chosen), keys[chosen.cpu().numpy()]
        logits, state = model(token[:, None], state)
    return torch.stack(ids, 1).cpu().numpy(), torch.stack(scores, 1).cpu().numpy()


def _log_softmax(logits: Tensor) -> Tensor:
    return logits.double().log_softmax(-1)


def _without_padding(padded: NDArray[Any], lengths: NDArray[np.int64]) -> Ragged:
    mask = np.arange(padded.shape[1]) < lengths[:, None]
    return Ragged(padded[mask], np.concatenate([[0], np.cumsum(lengths)]))


def _check_prompts(prompt: Any, n: int, vocab_size: int, limit: int) -> Ragged:
    """Return one row of ids, or n of them, each with ``bos`` in front."""
    if prompt is None:
        return Ragged.from_rows([[BOS]], np.int64)
    if isinstance(prompt, str):
        raise ValueError(f"prompt is the text {prompt!r}; expected ids: encode_prompts(model, vocab, {prompt!r})")
    rows = prompt.tolist() if isinstance(prompt, Ragged | np.ndarray | Tensor) else [*prompt]
    if not rows or np.ndim(rows[0]) == 0:
        rows = [rows]
    if len(rows) not in (1, n):
        raise ValueError(f"prompt has {len(rows)} rows; expected ids of one row, or n = {n} rows")
    rows = [row if len(row) and row[0] == BOS else [BOS, *row] for row in map(list, rows)]
    for i, row in enumerate(rows):
        wrong = next((token for token in row[1:] if not 3 <= token < vocab_size), None)
        if wrong is not None:
            raise RowError(
                f"row {i} of prompt has the id {wrong}; expected tokens, ids 3 to {vocab_size - 1}, without eos and "
                "padding: encode_prompts makes them",
                row=i,
                column="prompt",
                value=wrong,
            )
        if len(row) >= limit:
            raise RowError(
                f"row {i} of prompt has {len(row)} ids and max_length is {limit}: nothing is left to draw; raise "
                "max_length",
                row=i,
                column="prompt",
                value=len(row),
            )
    return Ragged.from_rows(rows, np.int64)


def _check_condition(condition: ArrayLike | None, n: int, size: int) -> NDArray[np.float32] | None:
    """Return the conditions, float32 (n, size), or None for a model without one."""
    if condition is None:
        if size:
            raise ValueError(f"the model needs a condition; expected condition= of shape ({size},) or ({n}, {size})")
        return None
    if not size:
        raise ValueError("condition is given, but the model was made without one (condition=0); leave it out")
    vectors = np.asarray(condition, np.float32)
    if vectors.shape not in ((size,), (n, size)):
        raise ValueError(f"condition has the shape {vectors.shape}; expected ({size},) or ({n}, {size})")
    vectors = np.array(np.broadcast_to(vectors, (n, size)))
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(1))[0])
        raise RowError.of(row, "condition", vectors[row].tolist(), "finite numbers")
    return vectors
