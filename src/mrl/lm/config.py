"""The sizes of the models, and the vocabulary that they belong to."""

from __future__ import annotations

import dataclasses
from typing import Any, Self

from mrl.arguments import require_integer
from mrl.text import SPECIAL_TOKENS, Vocab

# Least and most of every size. A file may claim anything: these are checked before any memory is used for it.
_LIMITS = {
    "vocab_size": (len(SPECIAL_TOKENS) + 1, 1 << 24),
    "max_length": (2, 100_000),
    "condition": (0, 1 << 16),
    "embedding": (1, 1 << 16),
    "hidden": (1, 1 << 16),
    "width": (2, 1 << 16),
    "heads": (1, 1 << 12),
    "layers": (1, 512),
}


@dataclasses.dataclass(frozen=True)
class SequenceConfig:
    """What every language model states about itself: its vocabulary, its length limit, its condition.

    Parameters
    ----------
    vocab_size : int
        Number of tokens, the four special ones included.
    vocab_fingerprint : str
        ``vocab.fingerprint(vocab_size)``: a vocabulary that has grown since still fits.
    max_length : int
        The most ids of a row, ``bos`` and ``eos`` included, that the model is trained on; samples that have not ended
        by then are cut there.
    condition : int
        Numbers in the vector that a text is generated from; 0 for a model without one.

    Raises
    ------
    ValueError
        A size is not an integer within its limits, or the fingerprint is not a str.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> SequenceConfig.for_vocab(CharacterVocab(["C", "O"]), max_length=40).vocab_size
    6
    """

    vocab_size: int
    vocab_fingerprint: str
    max_length: int = dataclasses.field(default=128, kw_only=True)
    condition: int = dataclasses.field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            if field.name in _LIMITS:
                value = require_integer(field.name, getattr(self, field.name), *_LIMITS[field.name])
                object.__setattr__(self, field.name, value)
        if not isinstance(self.vocab_fingerprint, str):
            raise ValueError(f"vocab_fingerprint is {self.vocab_fingerprint!r}; expected vocab.fingerprint()")

    @classmethod
    def for_vocab(cls, vocab: Vocab, **sizes: Any) -> Self:
        """Return the configuration of a model for a vocabulary.

        Parameters
        ----------
        vocab : Vocab
            The vocabulary whose ids the model reads and writes.
        **sizes : int
            Sizes other than the defaults.

        Returns
        -------
        SequenceConfig
            Of the class that it was called on.
        """
        return cls(len(vocab.itos), vocab.fingerprint(), **sizes)


@dataclasses.dataclass(frozen=True)
class ModelConfig(SequenceConfig):
    """The sizes of an LSTM, and its vocabulary.

    Parameters
    ----------
    vocab_size, vocab_fingerprint, max_length, condition : int, str, int, int
        As in `SequenceConfig`.
    embedding, hidden, layers : int
        Numbers per token, numbers per layer, and LSTM layers.

    Raises
    ------
    ValueError
        A size is not an integer within its limits, or the fingerprint is not a str.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=32).vocab_size
    6
    """

    embedding: int = 64
    hidden: int = 256
    layers: int = 1


@dataclasses.dataclass(frozen=True)
class TransformerConfig(SequenceConfig):
    """The sizes of a transformer, and its vocabulary.

    Parameters
    ----------
    vocab_size, vocab_fingerprint, max_length, condition : int, str, int, int
        As in `SequenceConfig`.
    width : int
        Numbers per position.
    heads : int
        Attention heads; ``width / heads`` must be an even integer.
    layers : int
        Blocks of attention and a two-layer network of ``4 * width`` numbers.

    Raises
    ------
    ValueError
        A size is not an integer within its limits, `heads` does not fit `width`, or the fingerprint is not a str.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> TransformerConfig.for_vocab(CharacterVocab(["C", "O"]), width=32, heads=4, layers=2).heads
    4
    """

    width: int = 192
    heads: int = 6
    layers: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width is {self.width} and heads is {self.heads}; expected a width that is a multiple of twice the "
                f"heads, such as {max(1, self.width // (2 * self.heads)) * 2 * self.heads}"
            )
