"""The transformer: decoder-only, with rotary positions, and a cache of keys and values for sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from mrl.lm.config import SequenceConfig, TransformerConfig
from mrl.lm.model import SequenceModel, State


@dataclass(frozen=True)
class KeyValueCache(State):
    """The state of a transformer after some positions: what each layer looks up of them.

    Parameters
    ----------
    layers : tuple of pairs of Tensors, float, shape (B, heads, positions, width / heads)
        Keys and values of each layer.
    shift : Tensor, float, shape (B, 1, width), optional
        What the condition adds to each embedding.

    Examples
    --------
    >>> cache = KeyValueCache(((torch.zeros(3, 2, 5, 4), torch.zeros(3, 2, 5, 4)),), None)
    >>> cache.positions, cache.select(torch.tensor([0, 2])).layers[0][0].shape
    (5, torch.Size([2, 2, 5, 4]))
    """

    layers: tuple[tuple[Tensor, Tensor], ...]
    shift: Tensor | None

    @property
    def positions(self) -> int:
        """Positions so far."""
        return int(self.layers[0][0].shape[2])

    def select(self, rows: Tensor) -> KeyValueCache:
        layers = tuple((keys[rows], values[rows]) for keys, values in self.layers)
        return KeyValueCache(layers, None if self.shift is None else self.shift[rows])


class Transformer(SequenceModel):
    """A decoder-only transformer that predicts the next token of a text.

    Normalisation in front of each part (root mean square), rotary positions, GELU, no dropout.

    Parameters
    ----------
    config : TransformerConfig
        Sizes and vocabulary.
    seed : int, optional
        Seed of the initial weights, which depend on nothing else; torch's own generator is neither read nor advanced.
        None creates the shapes only, without memory, on torch's meta device.

    References
    ----------
    Vaswani et al., NeurIPS 2017, arXiv:1706.03762; rotary positions: Su et al. 2021, arXiv:2104.09864.

    Examples
    --------
    >>> from mrl.lm import TransformerConfig
    >>> from mrl.text import CharacterVocab
    >>> config = TransformerConfig.for_vocab(CharacterVocab(["C", "O"]), width=16, heads=2, layers=1)
    >>> model = Transformer(config, seed=1)
    >>> logits, cache = model(torch.tensor([[0, 4, 5]]))  # bos C O
    >>> logits.shape, cache.positions
    (torch.Size([1, 3, 6]), 3)
    """

    kind = "transformer"
    config_class: ClassVar[type[SequenceConfig]] = TransformerConfig
    config: TransformerConfig

    def build(self) -> None:
        config = self.config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.blocks = nn.ModuleList(_Block(config.width, config.heads) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=1e-6)
        self.head = nn.Linear(config.width, config.vocab_size)
        self.shift = nn.Linear(config.condition, config.width) if config.condition else None

    def initialize(self, generator: torch.Generator) -> None:
        for name, parameter in self.named_parameters():
            if parameter.ndim == 1:
                parameter.fill_(1.0 if "norm" in name else 0.0)
            else:
                residual = name.endswith(("out.weight", "down.weight"))
                scale = 0.02 * ((2 * self.config.layers) ** -0.5 if residual else 1)
                parameter.normal_(std=scale, generator=generator)

    def forward(
        self, x: Tensor, state: KeyValueCache | None = None, *, condition: Tensor | None = None
    ) -> tuple[Tensor, KeyValueCache]:
        hidden, shift = self._embed(x, state, condition)
        past = 0 if state is None else state.positions
        rotation = _rotation(past, x.shape[1], self.config.width // self.config.heads, x.device)
        layers = []
        for i, block in enumerate(self.blocks):
            hidden, cache = block(hidden, None if state is None else state.layers[i], rotation)
            layers.append(cache)
        return self.head(self.norm(hidden)), KeyValueCache(tuple(layers), shift)


class _Block(nn.Module):
    """Attention to the positions so far, and a network for each position, both added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.RMSNorm(width, eps=1e-6)
        self.attention = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.network_norm = nn.RMSNorm(width, eps=1e-6)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, cache: tuple[Tensor, Tensor] | None, rotation: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        batch, length, width = x.shape
        parts = self.attention(self.attention_norm(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each (B, heads, L, width / heads)
        query, key = _rotate(query, rotation), _rotate(key, rotation)
        if cache is not None:
            key, value = torch.cat([cache[0], key], 2), torch.cat([cache[1], value], 2)
        past = key.shape[2] - length
        mask = None
        if past and length > 1:
            mask = torch.ones(length, past + length, dtype=torch.bool, device=x.device).tril(past)
        attended = scaled_dot_product_attention(query, key, value, mask, is_causal=not past and length > 1)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, length, width))
        network = self.down(nn.functional.gelu(self.up(self.network_norm(x))))
        return x + network, (key, value)


def _rotation(start: int, length: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return cosines and sines, float32 (length, size / 2), of the angles of positions from `start` on."""
    frequencies = 10_000.0 ** (-torch.arange(0, size, 2, device=device, dtype=torch.float32) / size)
    angles = torch.arange(start, start + length, device=device, dtype=torch.float32)[:, None] * frequencies
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Return queries or keys, (B, heads, L, size), with each pair of numbers turned by the angle of its position."""
    cos, sin = (part.to(x.dtype) for part in rotation)
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
