"""The reference language model: an LSTM over token ids, and its file."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any, Self, TypeAlias

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as format_tensors
from torch import Tensor, nn

from mrl.errors import ReadError, StateError
from mrl.files import AnyPath, content_digest, seal, unseal, write_atomic
from mrl.lm.options import require_integer
from mrl.text import SPECIAL_TOKENS, Vocab

_FORMAT, _VERSION = "mrl-language-model", 1
LSTMState: TypeAlias = tuple[Tensor, Tensor]


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The sizes of a language model, and its vocabulary.

    Parameters
    ----------
    vocab_size : int
        Number of tokens, the four special ones included.
    vocab_fingerprint : str
        ``vocab.fingerprint(vocab_size)``: a vocabulary that has grown since still fits.
    embedding, hidden, layers : int
        Numbers per token, numbers per layer, and LSTM layers.

    Raises
    ------
    ValueError
        A size is not a positive integer, there is no token besides the special ones, or the fingerprint is not a str.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=32).vocab_size
    6
    """

    vocab_size: int
    vocab_fingerprint: str
    embedding: int = 64
    hidden: int = 256
    layers: int = 1

    def __post_init__(self) -> None:
        for name, least in (("vocab_size", len(SPECIAL_TOKENS) + 1), ("embedding", 1), ("hidden", 1), ("layers", 1)):
            object.__setattr__(self, name, require_integer(name, getattr(self, name), least))
        if not isinstance(self.vocab_fingerprint, str):
            raise ValueError(f"vocab_fingerprint is {self.vocab_fingerprint!r}; expected vocab.fingerprint()")

    @classmethod
    def for_vocab(cls, vocab: Vocab, **sizes: int) -> Self:
        """Return the configuration of a model for a vocabulary.

        Parameters
        ----------
        vocab : Vocab
            The vocabulary whose ids the model reads and writes.
        **sizes : int
            `embedding`, `hidden` or `layers` other than the defaults.

        Returns
        -------
        ModelConfig
            The configuration.
        """
        return cls(len(vocab.itos), vocab.fingerprint(), **sizes)


class LanguageModel(nn.Module):
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
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "model.safetensors"
    >>> model.save(path)
    >>> LanguageModel.load(path).config == model.config
    True
    """

    def __init__(self, config: ModelConfig, *, seed: int | None = 0) -> None:
        super().__init__()
        self.config = config
        with torch.device("meta"):  # torch's own initialisation would advance its global generator
            self.embedding = nn.Embedding(config.vocab_size, config.embedding)
            self.lstm = nn.LSTM(config.embedding, config.hidden, config.layers, batch_first=True)
            self.head = nn.Linear(config.hidden, config.vocab_size)
        if seed is not None:
            self.to_empty(device="cpu")
            generator = torch.Generator().manual_seed(seed)
            bound = config.hidden**-0.5
            with torch.no_grad():
                self.embedding.weight.normal_(generator=generator)
                for parameter in (*self.lstm.parameters(), *self.head.parameters()):
                    parameter.uniform_(-bound, bound, generator=generator)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.head.weight.device

    def forward(self, x: Tensor, state: LSTMState | None = None) -> tuple[Tensor, LSTMState]:
        """Return the logits of the token after each position.

        Parameters
        ----------
        x : Tensor, int64, shape (B, L)
            Token ids.
        state : pair of Tensors, shape (layers, B, hidden), optional
            The state that an earlier call returned, to continue from there.

        Returns
        -------
        logits : Tensor, float, shape (B, L, vocab_size)
            Unnormalised log-probabilities.
        state : pair of Tensors, float, shape (layers, B, hidden)
            The state after the last position.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8))
        >>> _, state = model(torch.tensor([[0, 4]]))
        >>> model(torch.tensor([[5]]), state)[0].shape
        torch.Size([1, 1, 6])
        """
        hidden, state = self.lstm(self.embedding(x), state)
        return self.head(hidden), state

    def require_vocab(self, vocab: Vocab) -> None:
        """Raise an error unless a vocabulary is this model's, or has grown from it.

        Parameters
        ----------
        vocab : Vocab
            To be used with this model.

        Raises
        ------
        StateError
            Its first ``config.vocab_size`` tokens, or its rules, are others; a ValueError.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"])))
        >>> model.require_vocab(CharacterVocab(["C", "O", "N"]))  # has grown
        """
        n = self.config.vocab_size
        if not vocab.accepts(n, self.config.vocab_fingerprint):
            raise StateError(
                f"the model was made for a vocabulary of {n} tokens with the fingerprint "
                f"{self.config.vocab_fingerprint[:12]}..., and this {type(vocab).__name__} of {len(vocab.itos)} tokens "
                "did not grow from it; load the vocabulary that was saved with the model",
                differs=("vocab_fingerprint",),
            )

    def save(self, path: AnyPath) -> None:
        """Write weights, sizes and the vocabulary's fingerprint to a safetensors file, completely or not at all.

        An interrupted save leaves the old file, or none where there was none. The same weights give the same bytes.

        Parameters
        ----------
        path : str or path
            The file; missing folders are created.
        """
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.state_dict().items()}
        document = {"format": _FORMAT, "version": _VERSION, "config": dataclasses.asdict(self.config)}
        sealed = seal({**document, "tensors": _digest(tensors)}).decode()
        write_atomic(path, format_tensors(tensors, {_FORMAT: sealed}))  # of several entries the order would vary

    @classmethod
    def load(cls, path: AnyPath, vocab: Vocab | None = None) -> Self:
        """Return the model in a file that `save` wrote.

        Parameters
        ----------
        path : str or path
            The file.
        vocab : Vocab, optional
            The vocabulary to use the model with, checked by `require_vocab`.

        Returns
        -------
        LanguageModel
            The model, on the CPU.

        Raises
        ------
        ReadError
            The file is damaged, or is of another program or version; a ValueError.
        StateError
            The model belongs to another vocabulary; a ValueError.
        FileNotFoundError
            There is no such file.
        """
        config, tensors = _parse(Path(path).read_bytes(), path)
        try:
            model = cls(ModelConfig(**config), seed=None)
            model.load_state_dict(tensors, assign=True)
        except (TypeError, ValueError, RuntimeError) as error:  # a RuntimeError names the tensors that do not fit
            raise _invalid(path, f"{error}; save the model again") from None
        if vocab is not None:
            model.require_vocab(vocab)
        return model


def accelerator() -> torch.device:
    """Return the device to train and sample on: CUDA where there is one, else the CPU.

    Examples
    --------
    >>> accelerator().type in ("cuda", "cpu")
    True
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _parse(data: bytes, path: AnyPath) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the configuration and the tensors of an undamaged file."""
    try:
        tensors = parse_tensors(data)
        metadata = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError) as error:  # KeyError: a dtype that torch does not have
        raise _invalid(path, f"it is not a complete safetensors file ({error}); restore it, or train again") from None
    if _FORMAT not in metadata:
        raise _invalid(path, f"it has no {_FORMAT!r} in its metadata, so another program wrote it")
    document = unseal(metadata[_FORMAT], path, format=_FORMAT, version=_VERSION, error=ReadError)
    if document.get("tensors") != _digest(tensors):
        raise _invalid(path, "its tensors do not match their sha256, so they were damaged or edited; restore it")
    return document.get("config", {}), tensors


def _invalid(path: AnyPath, reason: str) -> ReadError:
    return ReadError(f"{os.fspath(path)} is not a valid {_FORMAT} file: {reason}", path=os.fspath(path))


def _digest(tensors: dict[str, Tensor]) -> str:
    """Return the SHA-256 of every tensor's name, dtype, shape and bytes."""
    return content_digest(
        (f"{name} {tensor.dtype} {tuple(tensor.shape)}", tensor.contiguous().flatten().view(torch.uint8).numpy())
        for name, tensor in sorted(tensors.items())
    )
