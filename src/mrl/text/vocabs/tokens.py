"""`TokenList`: an append-only list of tokens, with an identity and a file."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np

from mrl.errors import DuplicateTokenError, VocabError
from mrl.files import AnyPath
from mrl.formatting import Html, escape_html, html_preview
from mrl.kernels import UNK
from mrl.text.constants import SPECIAL_TOKENS
from mrl.text.coverage import by_count
from mrl.text.io.file import VocabContent, load_vocab, write_vocab

_LOCK = threading.RLock()  # of all vocabularies: tokens are appended and counted by one thread at a time
if hasattr(os, "register_at_fork"):  # a process that is forked meanwhile does not wait for ever
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


class TokenList:
    """Tokens with their ids: what is known of a vocabulary without its texts; see `Vocab`.

    Parameters
    ----------
    itos : iterable of str
        The tokens, in the order of their ids, after the four special ones.
    control : iterable of str
        The names of control tokens, which get the ids after them; see `add_control`.
    """

    kind: ClassVar[str | None] = None
    """The name of the class in vocabulary files; a subclass chooses its own name to be saved."""

    kinds: ClassVar[dict[str, type[TokenList]]] = {}
    """The classes by their kinds."""

    _caches: ClassVar[Sequence[str]] = ("_seen",)  # not pickled
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

    _merging_from: int | None = None

    def __init__(self, itos: Iterable[str], *, control: Iterable[str] = ()) -> None:
        self.special_tokens = list(SPECIAL_TOKENS)
        self.itos = list(SPECIAL_TOKENS)
        self.stoi = {token: i for i, token in enumerate(self.itos)}
        self.unks: Counter[str] = Counter()
        self.control: dict[str, int] = {}
        self._append(token for token in itos if token not in SPECIAL_TOKENS)
        self.add_control(control)

    def __len__(self) -> int:
        return len(self.itos)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} tokens)"

    def _repr_html_(self) -> str:
        texts = (token if token.isprintable() else ascii(token)[1:-1] for token in self.itos[:12])
        tokens = [Html(f"<code>{escape_html(text)}</code>") for text in texts]
        return html_preview({"token": tokens}, len(self), caption=repr(self), index="id")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TokenList):
            return NotImplemented
        if type(self) is not type(other) or self.rules() != other.rules():
            return False
        return (self.itos, self.control, self.merging_from) == (other.itos, other.control, other.merging_from)

    __hash__ = None  # type: ignore[assignment]  # it grows

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in self._caches}

    def numericalize(self, input: Iterable[str]) -> list[int]:
        """Return the ids of the tokens `input`; one that is not in the vocabulary gets 3 and is counted in `unks`.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> vocab = Vocab(["C"])
        >>> vocab.numericalize(["bos", "C", "Si", "eos"]), vocab.unks
        ([0, 4, 3, 1], Counter({'Si': 1}))
        """
        stoi = self.stoi
        ids = []
        for token in input:
            i = stoi.get(token)
            if i is None:
                with _LOCK:
                    self.unks[token] += 1
                i = UNK
            ids.append(i)
        return ids

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest unsigned type that holds every id: uint8, uint16 or uint32."""
        return np.min_scalar_type(len(self.itos) - 1)

    def rounded(self, multiple: int = 8) -> int:
        """Return the number of tokens, rounded up to a `multiple`: a size for the embedding that suits the hardware.

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
        """Append tokens, all of them or none, and return their number."""
        tokens = list(tokens)
        with _LOCK:
            return self._append_alone(tokens)

    def _append_alone(self, tokens: list[str]) -> int:
        new: dict[str, int] = {}
        for token in tokens:
            if not isinstance(token, str) or not token:
                raise VocabError(f"token {len(new)} is {token!r}; expected a string of one or more characters")
            if token in self.stoi or token in new:
                raise DuplicateTokenError(
                    f"the token {token!r} is given twice; one of its two ids would never be used: give each token once",
                    token=token,
                )
            try:
                token.encode()
            except UnicodeEncodeError:
                raise VocabError(f"the token {token!r} is not valid Unicode text (a lone surrogate)") from None
            new[token] = len(self.itos) + len(new)
        self.stoi.update(new)  # first: a thread that sees a token in `itos` finds its id
        self.itos.extend(new)
        return len(new)

    def add_control(self, names: Iterable[str]) -> list[int]:
        """Append control tokens: named ids that no text can spell, such as ``mask``, ``cls`` or a class to generate.

        Decoding leaves them out, or writes their names with ``control=True``. A piece of text that is spelled like a
        name is cut into its characters.

        Parameters
        ----------
        names : iterable of str
            Their names; ``mask``, ``cls`` and ``sep`` have these roles in a tokenizer of HuggingFace.

        Returns
        -------
        list of int
            Their ids.

        Raises
        ------
        VocabError
            A name is empty, not a string, or that of a token (DuplicateTokenError); then none is added.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab("CO", control=["mask"])
        >>> vocab.add_control(["<logp_high>"]), vocab.control
        ([7], {'mask': 6, '<logp_high>': 7})
        >>> vocab.decode([[0, 7, 4, 5, 1]]), vocab.decode([[0, 7, 4, 5, 1]], control=True)
        (['CO'], ['<logp_high>CO'])
        """
        names = [names] if isinstance(names, str) else list(names)
        first = len(self)
        TokenList._append(self, names)
        self._set_control(self.control | {name: i for i, name in enumerate(names, first)})
        return list(range(first, len(self)))

    def _set_control(self, control: Mapping[str, int]) -> None:
        self.control.update(control)

    def _insert_control(self, control: Mapping[str, int]) -> None:
        """Insert control tokens at their ids, among the tokens that a file holds."""
        for name, i in sorted(control.items(), key=lambda item: item[1]):
            self.itos.insert(i, name)
        self.stoi.update({token: i for i, token in enumerate(self.itos)})
        if len(self.stoi) != len(self.itos) or any(self.itos[i] != name for name, i in control.items()):
            raise VocabError("its control tokens do not have names of their own")
        self._set_control(control)

    @property
    def merging_from(self) -> int | None:
        """The number of tokens before the first of several pieces was learned; None if none was.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab("CO")
        >>> vocab.learn_merges(["CCO", "CCO"], 1), vocab.merging_from
        (1, 6)
        """
        return self._merging_from

    def _set_merging(self, merging_from: int | None) -> None:
        self._merging_from = merging_from

    def update_vocab(self) -> int:
        """Return the number of tokens added from `unks`, the most frequent first, ties by text; `unks` is emptied.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> vocab = Vocab(["C"])
        >>> _ = vocab.numericalize(["N", "O", "O", "F"])
        >>> vocab.update_vocab(), vocab.itos[4:]
        (3, ['C', 'O', 'F', 'N'])
        """
        with _LOCK:
            added = self._append(token for token in by_count(self.unks) if token not in self.stoi)
            self.unks.clear()
        return added

    def update_from_counts(self, counts: Mapping[str, int], *, min_count: int = 1, max_size: int | None = None) -> int:
        """Add counted tokens, the most frequent first, ties by text.

        Parameters
        ----------
        counts : mapping of str to int
            How often each token occurs; see `count_tokens`.
        min_count : int
            Rarer tokens are not added.
        max_size : int, optional
            The most tokens that the vocabulary grows to, special tokens included.

        Returns
        -------
        int
            The number of tokens added.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> vocab = Vocab(["C"])
        >>> vocab.update_from_counts({"N": 2, "O": 5, "C": 9, "F": 1}, min_count=2), vocab.itos[4:]
        (2, ['C', 'O', 'N'])
        """
        with _LOCK:
            new = {token: count for token, count in counts.items() if count >= min_count and token not in self.stoi}
            most = None if max_size is None else max(max_size - len(self), 0)
            return self._append(by_count(new)[:most])

    def _require_unchanged(self) -> None:
        """Raise a VocabError if ids got other tokens since the last use: what was written with them would change."""
        seen, itos = self._seen, list(self.itos)  # another thread may go on to append
        if itos == seen:
            return
        for i, token in enumerate(seen):
            now = itos[i] if i < len(itos) else None
            if now != token:
                raise VocabError(
                    f"the id {i} was the token {token!r} and is {'gone' if now is None else repr(now)} now; ids never "
                    "change their tokens, because all that was written with them would be read as other text: do not "
                    "change itos, add tokens by update_vocab or update_vocab_from_data"
                )
        for i, token in enumerate(itos):
            if self.stoi.get(token) != i:
                raise VocabError(
                    f"in itos the id {i} is {token!r}, but stoi[{token!r}] is {self.stoi.get(token)}; do not change "
                    "either, add tokens by update_vocab or update_vocab_from_data"
                )
        self._seen = itos

    def rules(self) -> dict[str, Any]:
        """Return the arguments of the constructor besides `itos`, as plain JSON values."""
        return {}

    def _content(self) -> VocabContent:
        kind = type(self).__dict__.get("kind") or ""  # an inherited kind may have other rules
        control = sorted(self.control.values())
        return VocabContent(kind, self.rules(), self.itos[len(SPECIAL_TOKENS) :], control, self.merging_from)

    def fingerprint(self, n: int | None = None) -> str:
        """Return a digest (sha256, 64 hexadecimal digits) of the rules and the first `n` tokens, by default of all.

        Data and models keep it to identify their vocabulary. Tokens are only ever appended, so whatever was written
        with the first n tokens is read correctly by any vocabulary with the same ``fingerprint(n)``.

        Raises
        ------
        ValueError
            The vocabulary has fewer than `n` tokens.

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
            raise ValueError(f"n is {n}; expected {len(SPECIAL_TOKENS)} to {len(self)}, the number of tokens")
        identity = [self._content().kind or type(self).__qualname__, self.rules(), self.itos[:n]]
        merging = self.merging_from if self.merging_from is not None and self.merging_from < n else None
        if (control := [i for i in sorted(self.control.values()) if i < n]) or merging is not None:
            identity.append({"control": control, "merging_from": merging})
        return hashlib.sha256(json.dumps(identity, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def accepts(self, n: int, digest: str) -> bool:
        """Return whether this vocabulary reads what was written with another one, which may have grown into it.

        Parameters
        ----------
        n : int
            The number of tokens of the other.
        digest : str
            Its fingerprint.

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

    def save(self, path: AnyPath) -> None:
        """Write the vocabulary to one JSON file, whole or not at all; the same vocabulary gives the same bytes.

        Parameters
        ----------
        path : str or path
            The file.

        Raises
        ------
        VocabError
            A subclass without a `kind` of its own could not be found again when loading.

        Examples
        --------
        >>> import tempfile, os
        >>> from mrl.text import CharacterVocab, Vocab
        >>> path = os.path.join(tempfile.mkdtemp(), "vocab.json")
        >>> CharacterVocab(["C", "O"]).save(path)
        >>> Vocab.load(path)
        CharacterVocab(6 tokens)
        """
        if not self._content().kind:
            raise VocabError(
                f"{type(self).__name__} has no `kind`, so that a file could not say which class to load; give the "
                "class an attribute `kind` with a name of its own"
            )
        self._require_unchanged()
        write_vocab(path, self._content())

    @classmethod
    def load(cls, path: AnyPath, *, transforms: Mapping[str, Any] = MappingProxyType({})) -> Self:
        """Return the vocabulary that `save` wrote, as the class that was saved.

        Parameters
        ----------
        path : str or path
            The file.
        transforms : mapping of str to (function, inverse)
            Named transforms, in addition to those registered by `register_transform`.

        Returns
        -------
        Vocab
            Of the class that was saved, which is `cls` or a subclass of it.

        Raises
        ------
        VocabFileError
            The file is damaged, was edited, or is not a vocabulary file of a known version and kind; a ``ValueError``.
        FileNotFoundError
            There is no such file.

        Examples
        --------
        >>> from mrl.text import Vocab
        >>> Vocab.load("molecules.csv")
        Traceback (most recent call last):
        ...
        FileNotFoundError: [Errno 2] No such file or directory: 'molecules.csv'
        """
        return load_vocab(path, cls, TokenList.kinds, lambda content: cls._from_content(content, transforms))

    @staticmethod
    def _from_content(content: VocabContent, transforms: Mapping[str, Any] = MappingProxyType({})) -> TokenList:
        """Return the vocabulary that a file or a tokenizer describes."""
        first, ids = len(SPECIAL_TOKENS), set(content.control)
        others = [token for i, token in enumerate(content.tokens, first) if i not in ids]
        vocab = TokenList.kinds[content.kind]._restored(others, content.rules, transforms)
        vocab._insert_control({content.tokens[i - first]: i for i in content.control})
        if content.merging_from is not None and not first <= content.merging_from < len(vocab):
            raise VocabError(f"merging_from is {content.merging_from}; expected {first} to {len(vocab) - 1}")
        vocab._set_merging(content.merging_from)
        return vocab

    @classmethod
    def _restored(cls, tokens: list[str], rules: dict[str, Any], transforms: Mapping[str, Any]) -> Self:
        """Return a vocabulary with these tokens; overridden where the constructor takes other arguments."""
        return cls(tokens, **rules)
