"""`Vocab`: a rule that says where tokens end, and an ordered list of tokens."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import index
from os import PathLike
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from mrl.errors import (
    DuplicateTokenError,
    RowError,
    TokenIdError,
    VocabError,
    VocabFileError,
)
from mrl.ragged import Ragged, Text
from mrl.text._engine import Engine
from mrl.text._engine import decode as decode_ids
from mrl.text.constants import SPECIAL_TOKENS
from mrl.text.coverage import Coverage
from mrl.text.file import VocabContent, read_vocab, write_vocab
from mrl.text.unknown import OnUnknown, by_count, raise_unknown, require_on_unknown, warn_unknown

__all__ = ["BOS", "EOS", "PAD", "UNK", "Vocab"]

BOS, EOS, PAD, UNK = range(4)
UNKNOWN = "\ufffd"

BLOCK = 1 << 16  # texts looked at together where an iterator of any length is read


class Vocab:
    """A vocabulary: turns text into token ids and back, losing nothing silently.

    This is the base class. `CharacterVocab`, `CharacterReplaceVocab` and `RegexVocab` are ready to use. For
    tokens of your own, subclass it and override `tokenize` (and `numericalize` and `reconstruct`, where needed);
    `test_reconstruction` tells whether text survives. A subclass that is to be saved sets `kind`.

    Parameters
    ----------
    itos : iterable of str
        The tokens, in the order of their ids. The four specials come first by themselves: ``bos`` 0, ``eos`` 1,
        ``pad`` 2, ``unk`` 3; they may stand in `itos` and are not repeated.

    Attributes
    ----------
    itos : list of str
        Token of each id, specials included. Append-only: an id never changes its token.
    stoi : dict of str to int
        Id of each token.
    unks : collections.Counter
        Tokens that `numericalize` did not know, with their counts.
    special_tokens : list of str
        ``['bos', 'eos', 'pad', 'unk']``.

    Raises
    ------
    DuplicateTokenError
        If a token stands twice in `itos`.
    VocabError
        If a token is no text, or an empty one.

    Examples
    --------
    >>> class ByBlanks(Vocab):
    ...     def tokenize(self, input):
    ...         return ["bos", *input.replace(" ", "\\n \\n").split("\\n"), "eos"]
    >>> vocab = ByBlanks(["CCO", " ", "N"])
    >>> vocab.numericalize(vocab.tokenize("CCO N"))
    [0, 4, 5, 6, 1]
    """

    kind: ClassVar[str | None] = None
    """The name of the class in vocabulary files; a subclass of your own chooses its own to be saved."""

    regroups: ClassVar[bool] = True
    """Whether a new token can change the ids of a text whose tokens were all known; not where a pattern cuts it."""

    kinds: ClassVar[dict[str, type[Vocab]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if kind := cls.__dict__.get("kind"):
            known = Vocab.kinds.get(kind, cls)
            if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise VocabError(
                    f"the kind {kind!r} of {cls.__name__} is that of {known.__module__}.{known.__qualname__} already, "
                    "and files of that kind would be read as the wrong class; choose another name"
                )
            Vocab.kinds[kind] = cls

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

    # --- one text ------------------------------------------------------------------------------------------------

    def tokenize(self, input: str) -> list[str]:
        """Cut `input` into tokens, ``bos`` before and ``eos`` behind.

        Parameters
        ----------
        input : str
            Any text; a subclass says where its tokens end.

        Returns
        -------
        list of str
            The tokens; those between ``bos`` and ``eos`` spell `input`.

        Raises
        ------
        NotImplementedError
            In this base class, which has no rule.
        """
        raise NotImplementedError(
            f"{type(self).__name__} does not say where tokens end; use CharacterVocab, CharacterReplaceVocab or "
            "RegexVocab, or override tokenize in a subclass"
        )

    def numericalize(self, input: Iterable[str]) -> list[int]:
        """Give the id of each token; a token that is not in the vocabulary gets 3 and is counted in `unks`.

        Parameters
        ----------
        input : iterable of str
            Tokens, as `tokenize` returns them.

        Returns
        -------
        list of int
            One id per token.

        Examples
        --------
        >>> vocab = Vocab(["C"])
        >>> vocab.numericalize(["bos", "C", "Si", "eos"]), vocab.unks
        ([0, 4, 3, 1], Counter({'Si': 1}))
        """
        stoi = self.stoi
        ids = []
        for token in input:
            i = stoi.get(token)
            if i is None:
                self.unks[token] += 1
                i = UNK
            ids.append(i)
        return ids

    def reconstruct(self, input: Iterable[int], *, unk: str = UNKNOWN) -> str:
        r"""Spell the text of `input`: stop at ``eos``, skip ``bos`` and ``pad``, write `unk` for id 3.

        Parameters
        ----------
        input : iterable of int
            Ids: a list, an array, a tensor of one dimension.
        unk : str
            What stands for an unknown token; U+FFFD by default, which no molecule contains.

        Returns
        -------
        str
            The text.

        Raises
        ------
        TokenIdError
            (An IndexError.) If an id is negative or not below the number of tokens.

        Examples
        --------
        >>> Vocab(["C", "O"]).reconstruct([0, 4, 4, 5, 1, 2, 2])
        'CCO'
        """
        itos, n = self.itos, len(self.itos)
        pieces = []
        for item in input:
            i = index(item)
            if not 0 <= i < n:
                raise TokenIdError(
                    f"id {i} is no id of this vocabulary, which has the ids 0 to {n - 1}; the ids were written with "
                    "another vocabulary, or by a model with more outputs than tokens",
                    id=i,
                )
            if i == EOS:
                break
            if i == UNK:
                pieces.append(unk)
            elif i > UNK:
                pieces.append(self.spelling(itos[i]))
        return "".join(pieces)

    def spelling(self, token: str) -> str:
        """Text that `token` stands for: itself, unless a subclass replaces some."""
        return token

    def prefixes(self, ids: Iterable[int]) -> list[str]:
        """Spell what had been written after each id, for a reward per step.

        Parameters
        ----------
        ids : iterable of int
            One sample.

        Returns
        -------
        list of str
            ``len(ids)`` texts; element i is the text of ``ids[:i + 1]``.

        Examples
        --------
        >>> Vocab(["C", "O"]).prefixes([0, 4, 5, 1])
        ['', 'C', 'CO', 'CO']
        """
        row = list(ids)
        return [self.reconstruct(row[: i + 1]) for i in range(len(row))]

    # --- many texts ----------------------------------------------------------------------------------------------

    def encode(self, strings: Any, *, on_unknown: OnUnknown = "warn", threads: int = 1) -> Ragged:
        """Turn many texts into ids; the vocabulary itself is never written to.

        Parameters
        ----------
        strings : column of str
            List, tuple, NumPy array, pandas or polars Series, Arrow array, or `Text`; n texts.
        on_unknown : {"warn", "unk", "raise"}
            What to do when a token is not in the vocabulary. It becomes id 3 in the first two; ``"warn"`` says so once
            per call.
        threads : int
            How many threads may work on it.

        Returns
        -------
        Ragged
            n rows of ids, ``bos`` and ``eos`` included; uint8 where every id fits, else uint16, else uint32.

        Raises
        ------
        UnknownTokenError
            With ``on_unknown="raise"``: the token, its row and its position.
        RowError
            If a row is no text.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> ids = CharacterVocab(["C", "O"]).encode(["CO", ""])
        >>> ids[0], ids[1]
        (array([0, 4, 5, 1], dtype=uint8), array([0, 1], dtype=uint8))
        """
        require_on_unknown(on_unknown)
        text = _texts(strings)
        compiled = self._engine
        if compiled is None:
            ids, missing, total = self._encode_by_methods(text)
        else:
            ids, spans, total = compiled.encode(text, threads)
            missing = self._pieces(text, spans) if total and on_unknown != "unk" else []
        if total and on_unknown == "raise":
            row, token, position = missing[0]
            raise_unknown(token, row, position, text[row])
        if total and on_unknown == "warn":
            warn_unknown(total, Counter(token for _, token, _ in missing), stacklevel=2)
        return ids

    def decode(self, ids: Any, *, unk: str = UNKNOWN) -> list[str]:
        """Spell the texts of many rows of ids; see `reconstruct`.

        Parameters
        ----------
        ids : Ragged, array or tensor (B, L), or sequence of sequences of int
            B rows of ids.
        unk : str
            What stands for id 3.

        Returns
        -------
        list of str
            B texts.

        Raises
        ------
        TokenIdError
            If an id is out of range; the message names the row.

        Examples
        --------
        >>> Vocab(["C", "O"]).decode([[0, 4, 1, 2], [0, 4, 5, 1]])
        ['C', 'CO']
        """
        if self._engine is not None:
            return self.decode_bytes(ids, unk=unk).tolist()
        texts = []
        for row, item in enumerate(_ids(ids)):
            try:
                # A reconstruct of a subclass need not know of `unk`.
                texts.append(self.reconstruct(item) if unk == UNKNOWN else self.reconstruct(item, unk=unk))
            except TokenIdError as error:
                raise TokenIdError(f"row {row}: {error}", row=row, id=error.id) from None
        return texts

    def decode_bytes(self, ids: Any, *, unk: str = UNKNOWN) -> Text:
        """Like `decode`, as one flat `Text`, without a Python string per row where the engine allows it.

        Examples
        --------
        >>> Vocab(["C"]).decode_bytes([[0, 4, 4, 1]])[0]
        'CC'
        """
        if self._engine is None:
            return Text.of(self.decode(ids, unk=unk))
        return decode_ids(_ids(ids), self._token_bytes, unk.encode())

    def coverage(self, strings: Any) -> Coverage:
        """Count what this vocabulary does not cover in `strings`, with examples.

        Parameters
        ----------
        strings : column of str
            n texts.

        Returns
        -------
        Coverage
            Numbers of rows and tokens, the unknown tokens with their counts, and for each the first row that has it.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> CharacterVocab(["C", "O"]).coverage(["CCO", "CN"])
        Coverage(1 of 2 rows and 1 of 5 tokens unknown: 'N' (1, first in row 1: 'CN'))
        """
        text = _texts(strings)
        return Coverage.of(text, self.encode(text, on_unknown="unk").values.size - 2 * len(text), self._missing(text))

    # --- growing -------------------------------------------------------------------------------------------------

    def update_vocab(self) -> int:
        """Add the tokens of `unks`, the most frequent first, ties by text; forget the counts.

        Returns
        -------
        int
            How many tokens were added.

        Examples
        --------
        >>> vocab = Vocab(["C"])
        >>> _ = vocab.numericalize(["N", "O", "O", "F"])
        >>> vocab.update_vocab(), vocab.itos[4:]
        (3, ['C', 'O', 'F', 'N'])
        """
        added = self._append(token for token in by_count(self.unks) if token not in self.stoi)
        self.unks = Counter()
        return added

    def update_vocab_from_data(self, inputs: Any) -> int:
        """Add every token of `inputs` that is not known yet, the most frequent first, ties by text.

        Counts `inputs` only: what `unks` held before stays there, less what was added.

        Parameters
        ----------
        inputs : column or iterable of str
            Texts.

        Returns
        -------
        int
            How many tokens were added.

        Raises
        ------
        RowError
            If a row is no text; nothing is added then.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab(["C"])
        >>> vocab.update_vocab_from_data(["CNO", "CN"]), vocab.itos[4:]
        (2, ['C', 'N', 'O'])
        """
        counts: Counter[str] = Counter()
        for text in _blocks(inputs):
            counts.update(token for _, token in self._missing(text))
        added = self._append(by_count(counts))
        for token in counts:
            self.unks.pop(token, None)
        return added

    def rounded(self, multiple: int = 8) -> int:
        """Number of tokens, rounded up to a multiple: a size for the embedding that suits the hardware.

        Examples
        --------
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
        >>> small, large = Vocab(["C"]), Vocab(["C", "O"])
        >>> small.fingerprint() == large.fingerprint(5), small.fingerprint() == large.fingerprint()
        (True, False)
        """
        n = len(self) if n is None else n
        if not len(SPECIAL_TOKENS) <= n <= len(self):
            raise ValueError(
                f"n is {n}; this vocabulary has {len(self)} tokens, the {len(SPECIAL_TOKENS)} specials first"
            )
        kind = type(self).__dict__.get("kind") or type(self).__qualname__  # an inherited kind has other rules
        identity = [kind, self.rules(), self.itos[:n]]
        return hashlib.sha256(json.dumps(identity, ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocab):
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
        >>> from mrl.text import CharacterVocab
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
        write_vocab(path, VocabContent(kind, self.rules(), self.itos[len(SPECIAL_TOKENS) :]))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a vocabulary that `save` wrote, as the class that was saved.

        Parameters
        ----------
        path : str or path
            The JSON file.

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
        found = Vocab.kinds.get(content.kind)
        if found is None:
            raise VocabFileError(
                f"{path} holds a vocabulary of the kind {content.kind!r}, which is not known here (known: "
                f"{', '.join(sorted(Vocab.kinds))}); import the module that defines its class first",
                path=str(path),
            )
        if not issubclass(found, cls):
            raise VocabFileError(
                f"{path} holds a {found.__name__}, not a {cls.__name__}; load it with Vocab.load", path=str(path)
            )
        try:
            vocab: Self = found(content.tokens, **content.rules)
        except (TypeError, ValueError) as error:
            raise VocabFileError(f"{path} holds no {found.__name__}: {error}", path=str(path)) from error
        if vocab.itos[len(SPECIAL_TOKENS) :] != content.tokens:
            raise VocabFileError(
                f"{path} holds a {found.__name__} whose tokens would get other ids than in the file, because special "
                "tokens are among them or others are missing; write it with vocab.save",
                path=str(path),
            )
        return vocab

    # --- engine --------------------------------------------------------------------------------------------------

    def _rule(self) -> str | None:
        """The pattern that says where tokens end, None for every code point: what `tokenize` does, for the engine."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype[Any]:
        """Smallest unsigned type that holds every id: uint8, uint16 or uint32."""
        return np.min_scalar_type(len(self.itos) - 1)

    @property
    def engine(self) -> Literal["table", "re", "python"]:
        """How `encode` runs: a compiled ``table``, Python's ``re``, or ``python`` methods of a subclass."""
        compiled = self._engine
        return "python" if compiled is None else compiled.kind

    @property
    def engine_reason(self) -> str:
        """Why `engine` is what it is."""
        compiled = self._engine
        return f"{type(self).__name__} overrides {self._overridden()}" if compiled is None else compiled.reason

    @classmethod
    def _overridden(cls) -> str | None:
        """The method that a class changed below the one that gave the rule, so that the rule no longer tells."""
        home = next(c for c in cls.__mro__ if "_rule" in c.__dict__)
        if home is Vocab:
            return "tokenize"
        names = ("tokenize", "numericalize", "reconstruct", "spelling")
        return next((name for name in names if getattr(cls, name) is not getattr(home, name)), None)

    @property
    def _engine(self) -> Engine | None:
        """The engine of the tokens as they are now; None where methods of a subclass say what happens."""
        return self._compiled()[1]

    @property
    def _token_bytes(self) -> list[bytes]:
        """What each token spells, as UTF-8."""
        return self._compiled()[2]

    def _compiled(self) -> tuple[int, Engine | None, list[bytes]]:
        made: tuple[int, Engine | None, list[bytes]] | None = self.__dict__.get("_made")
        if made is None or made[0] != len(self.itos):
            engine = None
            if self._overridden() is None:
                pieces = {self.spelling(token): i for i, token in enumerate(self.itos) if i > UNK}
                engine = Engine(self._rule(), pieces, n_ids=len(self.itos))
            self._made = made = len(self.itos), engine, [self.spelling(token).encode() for token in self.itos]
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_made"}

    def _missing(self, text: Text) -> Iterator[tuple[int, str]]:
        """Row and text of every piece that is no token, in order."""
        if (compiled := self._engine) is not None:
            return ((row, self._token_of(piece)) for row, piece in compiled.missing(text))
        return ((row, token) for row, string in enumerate(text) for token, _ in self._unknown(string))

    def _token_of(self, piece: str) -> str:
        """The token of a piece of text: itself, unless a subclass replaces some; the inverse of `spelling`."""
        return piece

    def _pieces(self, text: Text, spans: NDArray[np.int64]) -> list[tuple[int, str, int]]:
        """Pieces given by row and bytes: row, token, position in characters."""
        pieces = []
        for row, begin, end in spans.tolist():
            raw = text[row].encode()
            piece, before = raw[begin:end].decode(errors="replace"), raw[:begin].decode(errors="replace")
            pieces.append((row, self._token_of(piece), len(before)))
        return pieces

    def _unknown(self, string: str) -> Iterator[tuple[str, int]]:
        """Each token of a text that is none of the vocabulary, and its position in characters."""
        at = 0
        for token in self.tokenize(string):
            if token not in self.stoi:
                yield token, at
            at += len(self.spelling(token)) if token not in SPECIAL_TOKENS else 0

    def _encode_by_methods(self, text: Text) -> tuple[Ragged, list[tuple[int, str, int]], int]:
        """Row by row, by the methods of a subclass: ids, what is no token (row, token, position), and how many."""
        kept, self.unks = self.unks, Counter()  # encode writes nothing to the vocabulary
        try:
            rows = [self.numericalize(self.tokenize(string)) for string in text]
        finally:
            self.unks = kept
        missing = [
            (row, token, at) for row, ids in enumerate(rows) if UNK in ids for token, at in self._unknown(text[row])
        ]
        return Ragged.from_rows(rows, self.dtype), missing, len(missing)


def _texts(strings: Any) -> Text:
    """Texts of any kind as one column, which names a row that is none; generators and the like become a list first."""
    column = isinstance(strings, Sequence) or hasattr(strings, "shape") or hasattr(strings, "to_pylist")
    return Text.of(strings if column else list(strings))


def _blocks(inputs: Any) -> Iterator[Text]:
    """A column at once; an iterator of any length piece by piece."""
    if not isinstance(inputs, Iterator):
        yield _texts(inputs)
        return
    start = 0
    while block := list(islice(inputs, BLOCK)):
        try:
            yield Text.of(block)
        except RowError as error:
            message = f"of the texts from number {start} on, {error}"
            raise RowError(message, row=start + error.row, column=error.column, value=error.value) from None
        start += len(block)


def _ids(ids: Any) -> Ragged:
    """Rows of ids as one structure: a Ragged, an array or tensor (B, L), or a sequence of sequences."""
    if isinstance(ids, Ragged):
        return ids
    if hasattr(ids, "detach"):
        ids = ids.detach().cpu().numpy()
    if isinstance(ids, np.ndarray) and ids.dtype != object:
        if ids.ndim != 2:
            raise ValueError(f"ids have the shape {ids.shape}; expected (B, L); for one row, use reconstruct")
        return Ragged(ids.reshape(-1), np.arange(ids.shape[0] + 1) * ids.shape[1])
    return Ragged.from_rows([np.asarray(row.cpu() if hasattr(row, "cpu") else row, np.int64) for row in ids], np.int64)
