"""`Vocab`: a rule that says where tokens end, and an ordered list of tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mrl.errors import TokenIdError
from mrl.ragged import Ragged, Text
from mrl.text._engine import Engine
from mrl.text._engine import decode as decode_ids
from mrl.text.constants import SPECIAL_TOKENS, UNK, UNKNOWN
from mrl.text.coverage import Coverage
from mrl.text.huggingface import Exchangeable
from mrl.text.inputs import blocks_of, column_of, ids_of, texts_of
from mrl.text.learning import PieceCounter
from mrl.text.unknown import OnUnknown, by_count, raise_unknown, require_on_unknown, warn_unknown

__all__ = ["Vocab"]


class Vocab(Exchangeable):
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

    regroups: bool = True
    """Whether a new token can change the ids of a text whose tokens were all known; not where a pattern cuts it."""

    # --- many texts ----------------------------------------------------------------------------------------------

    def encode(self, strings: Any, *, on_unknown: OnUnknown = "warn", threads: int = 1) -> Ragged:
        """Turn many texts into ids; the vocabulary itself is never written to.

        Parameters
        ----------
        strings : column of str
            List, tuple, NumPy array, pandas or polars Series, Arrow array, or `Text`; n texts. An iterator is read
            piece by piece, so that only the ids of all of it are in memory.
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
        parts: list[Ragged] = []
        some: Counter[str] = Counter()
        total = start = 0
        for column in blocks_of(strings) if isinstance(strings, Iterator) else [column_of(strings)]:
            ids, missing, count = self._encode(column, threads)
            if count and on_unknown == "raise":
                row, token, position = missing[0]
                raise_unknown(token, start + row, position, texts_of(column)[row])
            parts.append(ids)
            some.update(token for _, token, _ in missing)
            total += count
            start += len(ids)
        if total and on_unknown == "warn":
            warn_unknown(total, some, stacklevel=2)
        return parts[0] if len(parts) == 1 else Ragged.concat([*parts, Ragged(np.zeros(0, self.dtype), [0])])

    def _encode(self, column: Any, threads: int) -> tuple[Ragged, list[tuple[int, str, int]], int]:
        """Ids of a column, the first tokens that are unknown (row, token, position), and how many are."""
        compiled = self._engine
        if compiled is None:
            return self._encode_by_methods(texts_of(column))
        ids, spans, total = compiled.encode(column, threads)
        if not total:
            return ids, [], 0
        text = texts_of(column)
        self._refuse_foreign(text)
        return (ids, [], 0) if self._closed() else (ids, self._pieces(text, spans), total)

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
        RowError, ColumnError
            (ValueErrors.) If the ids are no whole numbers.

        Examples
        --------
        >>> Vocab(["C", "O"]).decode([[0, 4, 1, 2], [0, 4, 5, 1]])
        ['C', 'CO']
        """
        if self._engine is not None:
            return self.decode_bytes(ids, unk=unk).tolist()
        texts = []
        for row, item in enumerate(ids_of(ids)):
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
        return decode_ids(ids_of(ids), self._token_bytes, unk.encode())

    def coverage(self, strings: Any) -> Coverage:
        """Count what this vocabulary does not cover in `strings`, with examples.

        Parameters
        ----------
        strings : column of str
            n texts.

        Returns
        -------
        Coverage
            Numbers of rows and tokens, the unknown tokens with their counts, and for each the first row that has it;
            in a closed alphabet the pieces that were cut instead.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> CharacterVocab(["C", "O"]).coverage(["CCO", "CN"])
        Coverage(1 of 2 rows and 1 of 5 tokens unknown: 'N' (1, first in row 1: 'CN'))
        """
        text = texts_of(strings)
        tokens = self.encode(text, on_unknown="unk").values.size - 2 * len(text)
        return Coverage.of(text, tokens, self._missing(text), closed=self._closed() is not None)

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
        self.unks.clear()
        return added

    def count_tokens(self, inputs: Any) -> Counter[str]:
        """Count the tokens that texts consist of, known or not: what `update_from_counts` learns from.

        Counts of parts add up to the counts of the whole, whatever the vocabulary knew at the time, so that a large
        corpus can be counted in shards, anywhere and in any order.

        Parameters
        ----------
        inputs : column or iterable of str
            Texts; an iterator may be of any length.

        Returns
        -------
        collections.Counter
            How often each token occurs. In a closed alphabet these are the pieces that could be tokens.

        Raises
        ------
        RowError
            If a row is no text.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab([])
        >>> vocab.count_tokens(["CCO"]) + vocab.count_tokens(["CN"])
        Counter({'C': 3, 'O': 1, 'N': 1})
        """
        if (engine := self._engine) is None:
            tokens = (token for text in blocks_of(inputs) for string in text for token in self.tokenize(string))
            return Counter(token for token in tokens if token not in SPECIAL_TOKENS)
        counter = PieceCounter(self._rule(), (piece for piece in SPECIAL_TOKENS if piece in engine.pieces))
        for text in blocks_of(inputs):
            counter.add(text)
            if any(map(self._is_foreign, counter.counts)):
                self._refuse_foreign(text)
        return Counter({self._token_of(piece): count for piece, count in counter.counts.items()})

    def update_from_counts(self, counts: Mapping[str, int], *, min_count: int = 1, max_size: int | None = None) -> int:
        """Add the counted tokens that are not known yet, the most frequent first, ties by text.

        Parameters
        ----------
        counts : mapping of str to int
            How often each token occurs; see `count_tokens`.
        min_count : int
            Tokens that occur less often are left out.
        max_size : int, optional
            The vocabulary grows to this many tokens at most, specials included.

        Returns
        -------
        int
            How many tokens were added.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> vocab = CharacterVocab(["C"])
        >>> vocab.update_from_counts({"N": 2, "O": 5, "C": 9, "F": 1}, min_count=2), vocab.itos[4:]
        (2, ['C', 'O', 'N'])
        """
        new = {token: count for token, count in counts.items() if count >= min_count and token not in self.stoi}
        room = None if max_size is None else max(max_size - len(self), 0)
        return self._append(by_count(new)[:room])

    def update_vocab_from_data(self, inputs: Any, *, min_count: int = 1, max_size: int | None = None) -> int:
        """Add every token of `inputs` that is not known yet, the most frequent first, ties by text.

        Counts `inputs` only: what `unks` held before stays there, less what was added.

        Parameters
        ----------
        inputs : column or iterable of str
            Texts; an iterator may be of any length.
        min_count : int
            Tokens that occur less often are left out.
        max_size : int, optional
            The vocabulary grows to this many tokens at most, specials included.

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
        added = self.update_from_counts(self.count_tokens(inputs), min_count=min_count, max_size=max_size)
        for token in self.itos[len(self) - added :]:
            self.unks.pop(token, None)
        return added

    # --- engine --------------------------------------------------------------------------------------------------

    def _rule(self) -> str | None:
        """The pattern that says where tokens end, None for every code point: what `tokenize` does, for the engine."""
        raise NotImplementedError

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
        self._require_unchanged()
        made: tuple[int, Engine | None, list[bytes]] | None = self.__dict__.get("_made")
        if made is None or made[0] != len(self.itos):
            engine = self._new_engine() if self._overridden() is None else None
            self._made = made = len(self.itos), engine, list(map(self._bytes_of, self.itos))
        return made

    def _new_engine(self) -> Engine:
        spelled = [(self.spelling(token), token) for token in self.itos]
        # A token that `tokenize` never gives (the key of a replacement) must not take the place of one.
        pieces = {piece: i for i, (piece, token) in enumerate(spelled) if i > UNK and self._token_of(piece) == token}
        return Engine(self._rule(), pieces, n_ids=len(self.itos), closed_bytes=self._closed())

    def _closed(self) -> dict[int, int] | None:
        """The id of each byte in a closed alphabet, which has no unknown tokens; None in an open one."""
        return None

    def _is_foreign(self, piece: str) -> bool:
        """Whether a piece makes a text none of this vocabulary's language, so that it may not even be unknown."""
        return False

    def _refuse_foreign(self, text: Text) -> None:
        """Name the first foreign piece, if there is one; asked where some pieces are no tokens."""

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
