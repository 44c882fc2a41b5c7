"""The reference language model: an LSTM over token ids, its file, and the vocabulary it belongs to."""

from __future__ import annotations

import dataclasses
import hashlib
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
from mrl.files import write_atomic
from mrl.text import SPECIAL_TOKENS, Vocab

__all__ = ["LanguageModel", "ModelConfig", "accelerator"]

FORMAT, VERSION = "mrl-language-model", 1
AnyPath: TypeAlias = str | os.PathLike[str]
LSTMState: TypeAlias = tuple[Tensor, Tensor]


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The sizes of a language model, and the vocabulary whose ids it speaks.

    Parameters
    ----------
    vocab_size : int
        Number of tokens, the four specials included.
    vocab_fingerprint : str
        ``vocab.fingerprint(vocab_size)``: a vocabulary that has grown since still fits.
    embedding, hidden, layers : int
        Numbers per token, numbers per layer, and LSTM layers.

    Raises
    ------
    ValueError
        A size is not a positive integer, there is no token besides the specials, or the fingerprint is no text.

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
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise ValueError(f"{name} is {value!r}; expected an integer of {least} or more")
        if not isinstance(self.vocab_fingerprint, str):
            raise ValueError(f"vocab_fingerprint is {self.vocab_fingerprint!r}; expected vocab.fingerprint()")

    @classmethod
    def for_vocab(cls, vocab: Vocab, **sizes: int) -> Self:
        """Configure a model of a vocabulary.

        Parameters
        ----------
        vocab : Vocab
            Whose ids the model will read and write.
        **sizes : int
            `embedding`, `hidden` or `layers` other than the defaults.

        Returns
        -------
        ModelConfig
        """
        return cls(len(vocab.itos), vocab.fingerprint(), **sizes)


class LanguageModel(nn.Module):
    """An LSTM that predicts the next token of a text.

    Parameters
    ----------
    config : ModelConfig
        Sizes and vocabulary.
    seed : int, optional
        Of the initial weights, which it alone decides; torch's own generator is neither read nor advanced. None makes
        the shapes only, without memory, on torch's meta device.

    References
    ----------
    Hochreiter & Schmidhuber, Neural Comput. 9, 1735 (1997), doi:10.1162/neco.1997.9.8.1735; for molecules: Segler
    et al., ACS Cent. Sci. 4, 120 (2018), doi:10.1021/acscentsci.7b00512.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=1)
    >>> logits, state = model(torch.tensor([[0, 4, 5]]))  # bos C O
    >>> logits.shape
    torch.Size([1, 3, 6])
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
        """Score what may follow each position.

        Parameters
        ----------
        x : Tensor, int64, shape (B, L)
            Token ids.
        state : pair of Tensors, shape (layers, B, hidden), optional
            What an earlier call returned, to go on from there.

        Returns
        -------
        logits : Tensor, float, shape (B, L, vocab_size)
        state : pair of Tensors, float, shape (layers, B, hidden)
        """
        hidden, state = self.lstm(self.embedding(x), state)
        return self.head(hidden), state

    def require_vocab(self, vocab: Vocab) -> None:
        """Refuse a vocabulary whose ids are not this model's; one that has grown from the model's own is welcome.

        Parameters
        ----------
        vocab : Vocab
            To be used with this model.

        Raises
        ------
        StateError
            (A ValueError.) If its first ``config.vocab_size`` tokens, or its rules, are others.
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
        """Write weights, sizes and the vocabulary's fingerprint to one safetensors file, whole or not at all.

        An interrupted save leaves the old file, or none where there was none. The same weights give the same bytes.

        Parameters
        ----------
        path : str or path
            The file; missing folders are made.
        """
        tensors = {name: tensor.cpu().contiguous() for name, tensor in self.state_dict().items()}
        config = dataclasses.asdict(self.config)
        about = {"version": VERSION, "config": config, "sha256": _digest(config, tensors)}
        # One entry of metadata: several would be written in no fixed order.
        write_atomic(path, format_tensors(tensors, {FORMAT: json.dumps(about, sort_keys=True)}))

    @classmethod
    def load(cls, path: AnyPath, vocab: Vocab | None = None) -> Self:
        """Read a model that `save` wrote, onto the CPU.

        Parameters
        ----------
        path : str or path
            The file.
        vocab : Vocab, optional
            What it will be used with, checked as by `require_vocab`.

        Returns
        -------
        LanguageModel

        Raises
        ------
        ReadError
            (A ValueError.) If the file is damaged, or is of another program or version.
        StateError
            (A ValueError.) If the model belongs to another vocabulary.
        FileNotFoundError
            If there is no such file.
        """
        config, tensors = _parsed(Path(path).read_bytes(), path)
        model = cls(config, seed=None)
        if _shapes(tensors) != _shapes(model.state_dict()):
            raise _refused(path, "its tensors are not those of its configuration; save the model again")
        model.to_empty(device="cpu").load_state_dict(tensors)
        if vocab is not None:
            model.require_vocab(vocab)
        return model


def accelerator() -> torch.device:
    """Give the device to train and sample on: CUDA where there is one, else the CPU.

    Examples
    --------
    >>> accelerator().type in ("cuda", "cpu")
    True
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _parsed(data: bytes, path: AnyPath) -> tuple[ModelConfig, dict[str, Tensor]]:
    """Configuration and tensors of a file whose digest is right."""
    try:
        tensors = parse_tensors(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (SafetensorError, ValueError, KeyError) as error:  # KeyError: a dtype that torch has not
        raise _refused(
            path, f"it is not a whole safetensors file ({error}); train the model again, or restore it"
        ) from None
    try:
        about = json.loads(header["__metadata__"][FORMAT])
        version, config, sha256 = about["version"], about["config"], about["sha256"]
    except (ValueError, TypeError, KeyError):
        raise _refused(path, f"it has no {FORMAT!r} in its metadata; it is a file of another program") from None
    if version != VERSION:
        raise _refused(path, f"its format version is {version!r} and this mrl reads {VERSION}; update mrl")
    if sha256 != _digest(config, tensors):
        raise _refused(
            path, "its content does not fit its sha256, so it was damaged or edited; restore it, or train again"
        )
    try:
        return ModelConfig(**config), tensors
    except (TypeError, ValueError) as error:
        raise _refused(path, f"{error}; save the model again") from None


def _refused(path: AnyPath, why: str) -> ReadError:
    return ReadError(f"{os.fspath(path)} is no language model that can be used: {why}", path=os.fspath(path))


def _shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[Any, ...]]:
    return {name: (tensor.dtype, *tensor.shape) for name, tensor in tensors.items()}


def _digest(config: Any, tensors: dict[str, Tensor]) -> str:
    """SHA-256 of the configuration and of every tensor's name, dtype, shape and bytes."""
    sha = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        sha.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()
