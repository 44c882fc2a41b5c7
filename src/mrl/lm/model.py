"""What all language models have in common: the protocol of `sample` and `fit`, their file, and a growing vocabulary."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

import torch
from torch import Tensor, nn

from mrl.errors import StateError
from mrl.files import AnyPath
from mrl.formatting import html_table
from mrl.lm.config import SequenceConfig
from mrl.nn import invalid_tensors, read_tensors, write_tensors
from mrl.text import Vocab

_FORMAT, _VERSION = "mrl-language-model", 2


class State(Protocol):
    """What a model knows of the positions that it has seen; one row per row of the batch.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig
    >>> from mrl.text import CharacterVocab
    >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8))
    >>> _, state = model(torch.tensor([[0, 4], [0, 5]]))
    >>> model(torch.tensor([[5]]), state.select(torch.tensor([1])))[0].shape
    torch.Size([1, 1, 6])
    """

    def select(self, rows: Tensor) -> State:
        """Return the state of some rows.

        Parameters
        ----------
        rows : Tensor
            A mask, bool (B,), or row numbers, int64 (b,).

        Returns
        -------
        State
            This one stays valid.

        Examples
        --------
        >>> from mrl.lm import LSTMState
        >>> state = LSTMState(torch.zeros(1, 3, 8), torch.zeros(1, 3, 8), None)
        >>> state.select(torch.tensor([True, False, True])).hidden.shape
        torch.Size([1, 2, 8])
        """
        ...


class SequenceModel(nn.Module):
    """A model of the next token, for `fit`, `sample` and `log_likelihood`; `LanguageModel` and `Transformer` are two.

    Another one is a subclass with a `kind`, a `config_class`, a constructor that takes a configuration and a seed, an
    ``embedding`` and a ``head`` (`torch.nn.Embedding` and `torch.nn.Linear` of ``vocab_size`` rows, which grow with the
    vocabulary), a `shift` (of the condition, or None), and `forward`.

    Parameters
    ----------
    config : SequenceConfig
        Sizes, vocabulary, length limit.
    seed : int, optional
        Seed of the initial weights, which depend on nothing else. None creates the shapes only, without memory.

    Attributes
    ----------
    about : dict
        Facts that are saved with the weights as JSON, for instance what the model was trained on.

    Examples
    --------
    >>> from mrl.lm import LanguageModel, ModelConfig, SequenceModel
    >>> from mrl.text import CharacterVocab
    >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=1)
    >>> model.about["trained_on"] = "molecules.csv"
    >>> import tempfile
    >>> path = tempfile.mkdtemp() + "/model.safetensors"
    >>> model.save(path)
    >>> loaded = SequenceModel.load(path)
    >>> type(loaded).__name__, loaded.config == model.config, loaded.about
    ('LanguageModel', True, {'trained_on': 'molecules.csv'})
    """

    kind: ClassVar[str]
    config_class: ClassVar[type[SequenceConfig]]
    _kinds: ClassVar[dict[str, type[SequenceModel]]] = {}

    config: SequenceConfig
    about: dict[str, Any]
    embedding: nn.Embedding
    head: nn.Linear
    shift: nn.Linear | None  # what a condition adds to the embeddings

    def __init_subclass__(cls, **named: Any) -> None:
        super().__init_subclass__(**named)
        SequenceModel._kinds[cls.kind] = cls

    def __init__(self, config: SequenceConfig, *, seed: int | None = 0) -> None:
        super().__init__()
        self.config = config
        self.about = {}
        with torch.device("meta"):  # torch's own initialisation would advance its global generator
            self.build()
        if seed is not None:
            self.to_empty(device="cpu")
            with torch.no_grad():
                self.initialize(torch.Generator().manual_seed(operator.index(seed) % 2**64))

    def build(self) -> None:
        """Create the modules; weights are set afterwards, by `initialize` or from a file.

        Examples
        --------
        >>> from mrl.lm import LanguageModel, ModelConfig
        >>> from mrl.text import CharacterVocab
        >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=None)
        >>> model.build()  # called by the constructor, on torch's meta device
        """
        raise NotImplementedError

    def initialize(self, generator: torch.Generator) -> None:
        """Set all weights, from this generator alone.

        Parameters
        ----------
        generator : torch.Generator
            On the CPU.

        Examples
        --------
        >>> from mrl.lm import LanguageModel, ModelConfig
        >>> from mrl.text import CharacterVocab
        >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8), seed=1)
        >>> with torch.no_grad():
        ...     model.initialize(torch.Generator().manual_seed(2))  # called by the constructor
        """
        raise NotImplementedError

    def forward(self, x: Tensor, state: Any = None, *, condition: Tensor | None = None) -> tuple[Tensor, Any]:
        """Return the logits of the token after each position, and the state after the last one.

        Parameters
        ----------
        x : Tensor, int64, shape (B, L)
            Token ids; padding, if any, on the right.
        state : State, optional
            What an earlier call returned, to continue from there; it stays valid.
        condition : Tensor, float, shape (B, condition), optional
            With the first call only, of a model that has one: the state keeps it.

        Returns
        -------
        logits : Tensor, float, shape (B, L, vocab_size)
            Unnormalised log-probabilities.
        state : State
            The state after the last position; ``state.select(rows)`` keeps some rows.

        Raises
        ------
        ValueError
            A condition is missing, superfluous, or of another shape.

        Examples
        --------
        >>> from mrl.lm import LanguageModel, ModelConfig
        >>> from mrl.text import CharacterVocab
        >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8, condition=2))
        >>> _, state = model(torch.tensor([[0, 4]]), condition=torch.tensor([[0.5, -1.0]]))
        >>> model(torch.tensor([[5]]), state)[0].shape
        torch.Size([1, 1, 6])
        """
        raise NotImplementedError

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.head.weight.device

    def _embed(self, x: Tensor, state: Any, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the embeddings, float (B, L, D), shifted by the condition, and this shift, which the state keeps.

        Raises a ValueError unless a condition is given exactly where one is needed, in its shape.
        """
        expected = (len(x), self.config.condition)
        if state is not None:
            if condition is not None:
                raise ValueError("condition and state are given; give the condition with the first call only")
        elif condition is None:
            if self.config.condition:
                raise ValueError(f"the model needs a condition; expected condition= of shape {expected}")
        elif not self.config.condition or tuple(condition.shape) != expected:
            needs = f"shape {expected}" if self.config.condition else "none: the model was made with condition=0"
            raise ValueError(f"condition has the shape {tuple(condition.shape)}; expected {needs}")
        shift: Tensor | None = None if state is None else state.shift
        if self.shift is not None and condition is not None:
            shift = self.shift(condition.to(self.head.weight.dtype))[:, None]
        embedded: Tensor = self.embedding(x)
        return embedded if shift is None else embedded + shift, shift

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
        >>> from mrl.lm import LanguageModel, ModelConfig
        >>> from mrl.text import CharacterVocab
        >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"])))
        >>> model.require_vocab(CharacterVocab(["C", "O", "N"]))  # has grown
        """
        require_accepted(vocab, self.config.vocab_size, self.config.vocab_fingerprint, "the model was made")

    def resize(self, vocab: Vocab, *, seed: int = 0) -> Self:
        """Return this model for a vocabulary that has grown: the same weights, and new ones for the new tokens.

        The new tokens are at first as unlikely as the least likely of the others.

        Parameters
        ----------
        vocab : Vocab
            Has grown from the model's.
        seed : int
            Seed of the new weights.

        Returns
        -------
        SequenceModel
            Of the same class, on the same device; it shares no memory with this one.

        Raises
        ------
        StateError
            The vocabulary did not grow from the model's; a ValueError.

        Examples
        --------
        >>> from mrl.lm import LanguageModel, ModelConfig
        >>> from mrl.text import CharacterVocab
        >>> model = LanguageModel(ModelConfig.for_vocab(CharacterVocab(["C", "O"]), hidden=8))
        >>> model.resize(CharacterVocab(["C", "O", "N"])).config.vocab_size
        7
        """
        self.require_vocab(vocab)
        old = self.config.vocab_size
        sizes: dict[str, Any] = {"vocab_size": len(vocab.itos), "vocab_fingerprint": vocab.fingerprint()}
        larger = type(self)(dataclasses.replace(self.config, **sizes), seed=seed)
        weights = larger.state_dict()
        for name, tensor in self.state_dict().items():
            weights[name][tuple(slice(size) for size in tensor.shape)] = tensor.to(weights[name])
        if len(vocab.itos) > old:
            weights["head.weight"][old:] = 0
            weights["head.bias"][old:] = weights["head.bias"][:old].min()
        larger.about = dict(self.about)
        return larger.to(self.device, self.head.weight.dtype)

    def _repr_html_(self) -> str:
        parameters = sum(weight.numel() for weight in self.parameters())
        rows: list[tuple[str, object]] = [("parameters", parameters), ("device", str(self.device))]
        rows += [(name.replace("_", " "), _shown(value)) for name, value in dataclasses.asdict(self.config).items()]
        rows += [(name.replace("_", " "), _shown(value)) for name, value in self.about.items()]
        return html_table(rows, caption=f"{type(self).__name__} ({self.kind})")

    def save(self, path: AnyPath) -> None:
        """Write weights, sizes, fingerprint and `about` to a safetensors file, completely or not at all.

        An interrupted save leaves the old file, or none where there was none. The same weights give the same bytes.

        Parameters
        ----------
        path : str or path
            The file; missing folders are created.
        """
        facts = {"kind": self.kind, "config": dataclasses.asdict(self.config), "about": self.about}
        write_tensors(path, self.state_dict(), facts, format=_FORMAT, version=_VERSION)

    @classmethod
    def load(cls, path: AnyPath, vocab: Vocab | None = None) -> Self:
        """Return the model in a file that `save` wrote, of the class that was saved.

        Parameters
        ----------
        path : str or path
            The file.
        vocab : Vocab, optional
            The vocabulary to use the model with, checked by `require_vocab`.

        Returns
        -------
        SequenceModel
            The model, on the CPU.

        Raises
        ------
        ReadError
            The file is damaged, of another program, version or kind of model, or its sizes are not those of its
            weights; a ValueError.
        StateError
            The model belongs to another vocabulary; a ValueError.
        FileNotFoundError
            There is no such file.
        """
        facts, tensors = read_tensors(path, format=_FORMAT, version=_VERSION)
        kind = SequenceModel._kinds.get(str(facts.get("kind")))
        if kind is None or not issubclass(kind, cls):
            known = cls.kind if cls is not SequenceModel else ", ".join(sorted(SequenceModel._kinds))
            raise invalid_tensors(
                path, _FORMAT, f"it holds a model of the kind {facts.get('kind')!r}; expected {known}"
            )
        try:
            model = kind(kind.config_class(**facts.get("config", {})), seed=None)
            model.load_state_dict(tensors, assign=True)
            model.about = dict(facts.get("about", {}))
            kinds = {tensor.dtype for tensor in tensors.values()}
            if len(kinds) > 1 or not all(dtype.is_floating_point for dtype in kinds):
                raise TypeError(
                    f"its weights have the types {', '.join(sorted(map(str, kinds)))}; expected one of floats"
                )
        except (TypeError, ValueError, RuntimeError) as error:  # a RuntimeError names the tensors that do not fit
            raise invalid_tensors(path, _FORMAT, f"{error}; save the model again") from None
        if vocab is not None:
            model.require_vocab(vocab)
        return model


def _shown(value: object) -> object:
    """Return a value for a cell of a table."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return value if value is None or isinstance(value, str | int | float) else str(value)


def require_accepted(vocab: Vocab, n: int, fingerprint: str, what: str) -> None:
    """Raise a StateError unless a vocabulary has grown from the one of n tokens with this fingerprint."""
    if not vocab.accepts(n, fingerprint):
        raise StateError(
            f"{what} for a vocabulary of {n} tokens with the fingerprint {fingerprint[:12]}..., and this "
            f"{type(vocab).__name__} of {len(vocab.itos)} tokens did not grow from it; load the vocabulary that was "
            "saved with the model",
            differs=("vocab_fingerprint",),
        )


def accelerator() -> torch.device:
    """Return the device to train and sample on: CUDA where there is one, else the CPU.

    Examples
    --------
    >>> accelerator().type in ("cuda", "cpu")
    True
    """
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
