"""An ordered list of tokens with their ids: append-only, with an identity and a file."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np

from mrl.errors import DuplicateTokenError, VocabError, VocabFileError
from mrl.text.constants import SPECIAL_TOKENS
from mrl.text.file import VocabContent, read_vocab, write_vocab
from mrl.text.transforms import Transform

__all__ = ["TokenList"]


class TokenList:
    """The part of a vocabulary that does not depend on how text is cut; see `Vocab`."""

    kind: ClassVar[str | None] = None
    """The name of the class in vocabulary files; a subclass of your own chooses its own to be saved."""

    kinds: ClassVar[dict[str, type[TokenList]]] = {}

    _seen: Sequence[str] = ()  # the tokens at the last use

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind := cls.__dict__.get("kind"):
            known = TokenList.kinds.get(kind, cls)
            if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise VocabError(
                    f"the kind {kind!r} of {cls.__name__} is that of {known.__module__}.{known.__qualname__} already, "
                    "and files of that kind would be read as the wrong class; choose another name"
                )
            TokenList.kinds[kind] = cls

    def __init__(self, itos: Iterable[str]) -> None:
        self.special_tokens = list(SPECIAL_TOKENS)
        self.itos = list(SPECIAL_TOKENS)
        self.stoi = {token: i for i, token in enumerate(self.itos)}
        self.unks: Counter[str] = Counter()
        self._append(token for token in itos if token not in SPECIAL_TOKENS)

    def __len__(self) -> int:
        return len(self.itos)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} tokens)"

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned type that holds every id: uint8, uint16 or uint32."""
        return np.min_scalar_type(len(self.itos) - 1)

    def rounded(self, multiple: int = 8) -> int:
        """Number of tokens, rounded up to a multiple: a size for the embedding that suits the hardware.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> Vocab(["C"]).rounded(), Vocab(["C"]).rounded(64)
        (8, 64)
        """
        if multiple < 1:
            raise ValueError(f"multiple is {multiple}; expected 1 or more")
        return -(-len(self) // multiple) * multiple

    def _append(self, tokens: Iterable[str]) -> int:
        """Give the next ids to `tokens`; nothing changes if one of them is refused."""
        new: dict[str, int] = {}
        for token in tokens:
            if not isinstance(token, str) or not token:
                raise VocabError(f"token {len(new)} is {token!r}; expected a text of one or more characters")
            if token in self.stoi or token in new:
                raise DuplicateTokenError(
                    f"the token {token!r} is given twice; one of its two ids would never be used: give each token once",
                    token=token,
                )
            try:
                token.encode()
            except UnicodeEncodeError:
                raise VocabError(f"the token {token!r} is no valid Unicode text (a lone surrogate)") from None
            new[token] = len(self.itos) + len(new)
        self.itos.extend(new)
        self.stoi.update(new)
        return len(new)

    def _require_unchanged(self) -> None:
        """Refuse to go on where known ids have got other tokens, since what was written with them would change."""
        if self.itos == self._seen:
            return
        for i, token in enumerate(self._seen):
            now = self.itos[i] if i < len(self.itos) else None
            if now != token:
                raise VocabError(
                    f"the id {i} was the token {token!r} and is {'gone' if now is None else repr(now)} now; ids never "
                    "change their tokens, because whatever was written with them would be read as another text: leave "
                    "itos alone and add tokens by update_vocab or update_vocab_from_data"
                )
        for i, token in enumerate(self.itos):
            if self.stoi.get(token) != i:
                raise VocabError(
                    f"itos says that the id {i} is {token!r}, but stoi[{token!r}] is {self.stoi.get(token)}; leave "
                    "both alone and add tokens by update_vocab or update_vocab_from_data"
                )
        self._seen = list(self.itos)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_seen", "_made")}

    # --- identity ------------------------------------------------------------------------------------------------

    def rules(self) -> dict[str, Any]:
        """What the constructor takes besides `itos`, as plain JSON values; a subclass with arguments says its own."""
        return {}

    def fingerprint(self, n: int | None = None) -> str:
        """Digest of the rules and the first `n` tokens: what data and models keep of their vocabulary.

        Tokens are only ever appended, so whatever was written with the first n tokens is still read rightly by a
        vocabulary with the same ``fingerprint(n)``.

        Parameters
        ----------
        n : int, optional
            How many tokens, specials included; all by default.

        Returns
        -------
        str
            sha256, 64 hexadecimal digits.

        Raises
        ------
        ValueError
            If the vocabulary has fewer than `n` tokens.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> small, large = Vocab(["C"]), Vocab(["C", "O"])
        >>> small.fingerprint() == large.fingerprint(5), small.fingerprint() == large.fingerprint()
        (True, False)
        """
        self._require_unchanged()
        n = len(self) if n is None else n
        if not len(SPECIAL_TOKENS) <= n <= len(self):
            raise ValueError(
                f"n is {n}; this vocabulary has {len(self)} tokens, the {len(SPECIAL_TOKENS)} specials first"
            )
        kind = type(self).__dict__.get("kind") or type(self).__qualname__  # an inherited kind has other rules
        identity = [kind, self.rules(), self.itos[:n]]
        return hashlib.sha256(json.dumps(identity, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def accepts(self, n: int, digest: str) -> bool:
        """Whether this vocabulary reads what was written with `n` tokens and that fingerprint: by itself as it was.

        Parameters
        ----------
        n : int
            How many tokens there were.
        digest : str
            Their ``fingerprint()``.

        Returns
        -------
        bool

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> old, new = Vocab(["C"]), Vocab(["C", "O"])
        >>> new.accepts(len(old), old.fingerprint()), old.accepts(len(new), new.fingerprint())
        (True, False)
        """
        return len(SPECIAL_TOKENS) <= n <= len(self) and self.fingerprint(n) == digest

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TokenList):
            return NotImplemented
        return type(self) is type(other) and self.itos == other.itos and self.rules() == other.rules()

    __hash__ = None  # type: ignore[assignment]  # it grows

    def save(self, path: str | PathLike[str]) -> None:
        """Write the vocabulary to one JSON file, whole or not at all; the same vocabulary gives the same bytes.

        Parameters
        ----------
        path : str or path
            Where to.

        Raises
        ------
        VocabError
            If this is a subclass without a `kind` of its own, which could not be found again when loading.

        Examples
        --------
        >>> import tempfile, os
        >>> from mrl.text import CharacterVocab, Vocab
        >>> path = os.path.join(tempfile.mkdtemp(), "vocab.json")
        >>> CharacterVocab(["C", "O"]).save(path)
        >>> Vocab.load(path)
        CharacterVocab(6 tokens)
        """
        if (kind := type(self).__dict__.get("kind")) is None:
            raise VocabError(
                f"{type(self).__name__} has no `kind`, so that a file could not say which class to load; give the "
                "class an attribute `kind` with a name of its own"
            )
        self._require_unchanged()
        write_vocab(path, VocabContent(kind, self.rules(), self.itos[len(SPECIAL_TOKENS) :]))

    @classmethod
    def _restored(cls, tokens: list[str], rules: dict[str, Any], transforms: Mapping[str, Transform]) -> Self:
        """A vocabulary from what its file says; a class whose constructor does not take its tokens says how."""
        return cls(tokens, **rules)

    @classmethod
    def load(cls, path: str | PathLike[str], *, transforms: Mapping[str, Transform] = MappingProxyType({})) -> Self:
        """Read a vocabulary that `save` wrote, as the class that was saved.

        Parameters
        ----------
        path : str or path
            The JSON file.
        transforms : mapping of str to (function, inverse)
            Named transforms, in addition to those registered by `register_transform`.

        Returns
        -------
        Vocab
            Of the class that was saved, which is `cls` or a subclass of it.

        Raises
        ------
        VocabFileError
            (A ValueError.) If the file is damaged, was edited, or is no vocabulary file of a known version and kind.
        FileNotFoundError
            If there is no such file.
        """
        content = read_vocab(path)
        found = TokenList.kinds.get(content.kind)
        if found is None:
            raise VocabFileError(
                f"{path} holds a vocabulary of the kind {content.kind!r}, which is not known here (known: "
                f"{', '.join(sorted(TokenList.kinds))}); import the module that defines its class first",
                path=str(path),
            )
        if not issubclass(found, cls):
            raise VocabFileError(
                f"{path} holds a {found.__name__}, not a {cls.__name__}; load it with Vocab.load", path=str(path)
            )
        try:
            vocab = found._restored(content.tokens, content.rules, transforms)
        except Exception as error:  # a constructor may stumble in any way over what a file says
            raise VocabFileError(f"{path} holds no {found.__name__}: {error}", path=str(path)) from error
        if vocab.itos[len(SPECIAL_TOKENS) :] != content.tokens:
            raise VocabFileError(
                f"{path} holds a {found.__name__} whose tokens would get other ids than in the file, because special "
                "tokens are among them or others are missing; write it with vocab.save",
                path=str(path),
            )
        return vocab
