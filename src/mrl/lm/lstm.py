"""The LSTM: small, and fast on a CPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from mrl.lm.config import ModelConfig, SequenceConfig
from mrl.lm.model import SequenceModel, State


@dataclass(frozen=True)
class LSTMState(State):
    """The state of an LSTM after some positions.

    Parameters
    ----------
    hidden, cell : Tensor, float, shape (layers, B, hidden)
        Of torch's LSTM.
    shift : Tensor, float, shape (B, 1, embedding), optional
        What the condition adds to each embedding.

    Examples
    --------
    >>> state = LSTMState(torch.zeros(1, 3, 8), torch.zeros(1, 3, 8), None)
    >>> state.select(torch.tensor([True, False, True])).hidden.shape
    torch.Size([1, 2, 8])
    """

    hidden: Tensor
    cell: Tensor
    shift: Tensor | None

    def select(self, rows: Tensor) -> LSTMState:
        return LSTMState(self.hidden[:, rows], self.cell[:, rows], None if self.shift is None else self.shift[rows])


class LanguageModel(SequenceModel):
    """An LSTM that predicts the next token of a text.

    Parameters
    ----------
    config : ModelConfig
        Sizes and vocabulary.
    seed : int, optional
        Seed of the initial weights, which depend on nothing else; torch's own generator is neither read nor advanced.
        None creates the shapes only, without memory, on torch's meta device.

    References
    ----------
    Hochreiter & Schmidhuber, Neural Comput. 9, 1735 (1997), doi:10.1162/neco.1997.9.8.1735; for molecules: Segler
    et al., ACS Cent. Sci. 4, 120 (2018), doi:10.1021/acscentsci.7b00512.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=1)
    >>> logits, state = model(torch.tensor([[0, 4, 5]]))  # bos C O
    >>> logits.shape, model.device
    (torch.Size([1, 3, 6]), device(type='cpu'))
    >>> model(torch.tensor([[4]]), state)[0].shape  # the next position
    torch.Size([1, 1, 6])
    """

    kind = "lstm"
    config_class: ClassVar[type[SequenceConfig]] = ModelConfig
    config: ModelConfig

    def build(self) -> None:
        config = self.config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding)
        self.lstm = nn.LSTM(config.embedding, config.hidden, config.layers, batch_first=True)
        self.head = nn.Linear(config.hidden, config.vocab_size)
        self.shift = nn.Linear(config.condition, config.embedding) if config.condition else None

    def initialize(self, generator: torch.Generator) -> None:
        bound = self.config.hidden**-0.5
        self.embedding.weight.normal_(generator=generator)
        others = [self.lstm, self.head] if self.shift is None else [self.lstm, self.head, self.shift]
        for module in others:
            for parameter in module.parameters():
                parameter.uniform_(-bound, bound, generator=generator)

    def forward(
        self, x: Tensor, state: LSTMState | None = None, *, condition: Tensor | None = None
    ) -> tuple[Tensor, LSTMState]:
        inputs, shift = self._embed(x, state, condition)
        output, (hidden, cell) = self.lstm(inputs, None if state is None else (state.hidden, state.cell))
        return self.head(output), LSTMState(hidden, cell, shift)
