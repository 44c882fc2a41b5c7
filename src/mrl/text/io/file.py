"""Vocabulary files: one sealed JSON file, with the same bytes for the same vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from mrl.errors import VocabFileError
from mrl.files import AnyPath, open_regular, seal, unseal, write_atomic
from mrl.text.constants import SPECIAL_TOKENS

_FORMAT = "mrl-vocabulary"
_VERSIONS = 1, 2  # 2 has control tokens and tokens of several pieces


class VocabContent(NamedTuple):
    """The content of a vocabulary file: the kind of class, its arguments, and the tokens after the special ones.

    `control` are the ids of the control tokens, and `merging_from` is the number of tokens before the first one of
    several pieces was learned.
    """

    kind: str
    rules: dict[str, Any]
    tokens: list[str]
    control: Sequence[int] = ()
    merging_from: int | None = None

    def entries(self) -> dict[str, Any]:
        """Return the entries of a file or a tokenizer; those of older versions are the same as they were."""
        new = {} if not self.control and self.merging_from is None else self._asdict()
        return {"kind": self.kind, "rules": self.rules, "tokens": self.tokens, **new}


class Restorable(Protocol):
    """What files need of a vocabulary."""

    itos: list[str]


V = TypeVar("V", bound=Restorable)


def write_vocab(path: AnyPath, content: VocabContent) -> None:
    """Write a vocabulary file, completely or not at all."""
    entries = content.entries()
    version = _VERSIONS["control" in entries]
    document = {"format": _FORMAT, "version": version, "specials": SPECIAL_TOKENS, **entries}
    write_atomic(path, seal(document))


def is_vocab_file(path: AnyPath) -> bool:
    """Return whether the file at `path` declares that it is a vocabulary, whatever its name; False if unreadable.

    Examples
    --------
    >>> is_vocab_file("molecules.csv")
    False
    """
    try:
        with open_regular(path) as opened:
            return f'"{_FORMAT}"'.encode() in opened.read(4096)
    except OSError:
        return False


def load_vocab(
    path: AnyPath, cls: type[V], kinds: Mapping[str, type[Restorable]], restore: Callable[[VocabContent], Restorable]
) -> V:
    """Return the vocabulary that `restore` makes of a file, if the class of its kind is `cls` or a subclass of it.

    Raises
    ------
    VocabFileError
        The file is damaged, was edited, is of another program, version or class, or of an unknown kind.
    OSError
        There is no such file (FileNotFoundError), or it is none: a folder, a pipe, a device.
    """

    def invalid(reason: str) -> VocabFileError:
        return VocabFileError(f"{path} {reason}", path=str(path))

    with open_regular(path) as opened:
        data = opened.read()
    document = unseal(data, path, format=_FORMAT, version=_VERSIONS, error=VocabFileError)
    types: dict[str, Any] = {"format": str, "version": int, "specials": list}
    types |= {"kind": str, "rules": dict, "tokens": list}
    if document["version"] > 1:
        types |= {"control": list, "merging_from": int | None}
    if document.keys() != types.keys():
        raise invalid(f"has the entries {sorted(document)}, expected {sorted(types)}")
    for name, expected in types.items():
        if not isinstance(document[name], expected):
            raise invalid(f"has {document[name]!r} as {name!r}, expected a {getattr(expected, '__name__', expected)}")
    if document["specials"] != SPECIAL_TOKENS:
        raise invalid(f"has the special tokens {document['specials']}, expected {SPECIAL_TOKENS}")
    content = VocabContent(**{name: document[name] for name in VocabContent._fields if name in document})
    n = len(SPECIAL_TOKENS) + len(content.tokens)
    if not all(type(i) is int and len(SPECIAL_TOKENS) <= i < n for i in content.control):
        raise invalid(f"has the control tokens {content.control}, expected ids from {len(SPECIAL_TOKENS)} to {n - 1}")
    found = kinds.get(content.kind)
    if found is None:
        raise invalid(
            f"holds a vocabulary of the kind {content.kind!r}, which is not known here (known: "
            f"{', '.join(sorted(kinds))}); import the module that defines its class first"
        )
    if not issubclass(found, cls):
        raise invalid(f"holds a {found.__name__}, not a {cls.__name__}; load it with Vocab.load")
    try:
        vocab = restore(content)
    except Exception as error:  # a constructor may fail in any way on the content of a file
        raise invalid(f"does not hold a valid {found.__name__}: {error}") from error
    if not isinstance(vocab, cls) or vocab.itos[len(SPECIAL_TOKENS) :] != content.tokens:
        raise invalid(
            f"holds a {found.__name__} whose tokens would get other ids than in the file, because special tokens are "
            "among them or others are missing; write it with vocab.save"
        )
    return vocab
