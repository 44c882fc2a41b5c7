"""`Vocab`: a segmentation, which says where tokens end, and an ordered list of tokens."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from operator import index
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np

from mrl.errors import VocabError
from mrl.kernels import EOS, UNK
from mrl.ragged import Ragged, Text, as_text
from mrl.text.compile.decode import as_ids, wrong_id
from mrl.text.compile.engine import CompiledEngine, Engine
from mrl.text.compile.segmentation import Segmentation
from mrl.text.constants import SPECIAL_TOKENS, UNKNOWN
from mrl.text.coverage import Coverage, OnUnknown, unknown_error, warn_unknown
from mrl.text.io.huggingface import export_tokenizer, import_tokenizer
from mrl.text.learning.counting import map_blocks
from mrl.text.vocabs.growing import GrowingTokens
from mrl.text.vocabs.methods import MethodEngine
from mrl.text.vocabs.spans import Span, token_spans, valid_text

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class Vocab(GrowingTokens):
    """A vocabulary: turns text into token ids and back, and loses nothing silently.

    This is the base class; `SmilesVocab`, `RegexVocab`, `CharacterVocab` and others are ready to use. For other tokens,
    subclass it and override `tokenize` (and `numericalize`, `reconstruct` or `token_text` where needed);
    `test_reconstruction` checks that text survives. A subclass that is to be saved sets `kind`, and overrides `rules`
    if its constructor takes more than the tokens.

    Parameters
    ----------
    itos : iterable of str
        The tokens, in the order of their ids. The four special tokens always come first: ``bos`` 0, ``eos`` 1, ``pad``
        2, ``unk`` 3; where they occur in `itos`, they are skipped.
    control : iterable of str
        The names of control tokens, which get the ids after `itos`: ids that no text can spell; see `add_control`.

    Attributes
    ----------
    itos : list of str
        The token of each id, special tokens included. Append-only: an id never changes its token.
    stoi : dict of str to int
        The id of each token.
    unks : collections.Counter
        The tokens that `numericalize` did not know, with their counts.
    special_tokens : list of str
        ``['bos', 'eos', 'pad', 'unk']``.
    control : dict of str to int
        The ids of the control tokens.
    segmentation : Segmentation or None
        How the compiled engine cuts texts; None where only the method `tokenize` says so.

    Raises
    ------
    VocabError
        A token is empty or not a string, or occurs twice (DuplicateTokenError).

    Examples
    --------
    >>> class WordVocab(Vocab):
    ...     def tokenize(self, input):
    ...         return ["bos", *input.replace(" ", "\\n \\n").split("\\n"), "eos"]
    >>> vocab = WordVocab(["CCO", " ", "N"])
    >>> vocab.numericalize(vocab.tokenize("CCO N"))
    [0, 4, 5, 6, 1]
    >>> vocab.dtype, vocab.rules(), vocab.token_text("CCO"), vocab.resegments
    (dtype('uint8'), {}, 'CCO', True)
    >>> vocab.engine, vocab.engine_reason
    ('python', 'WordVocab overrides tokenize')
    """

    segmentation: Segmentation | None = None
    _compiled: CompiledEngine | None = None
    _caches = ("_seen", "_compiled")

    def tokenize(self, input: str) -> list[str]:
        """Return the tokens of `input`, with ``bos`` in front and ``eos`` at the end.

        Raises
        ------
        UnknownTokenError
            The text is out of grammar, for vocabularies that have one: k-mers and SELFIES.
        RowError
            `input` is not a str, or one that UTF-8 cannot express.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> CharacterVocab(["C"]).tokenize("CO")
        ['bos', 'C', 'O', 'eos']
        """
        if self.segmentation is None:
            raise NotImplementedError(
                f"{type(self).__name__} does not say where tokens end; use CharacterVocab, CharacterReplaceVocab or "
                "RegexVocab, or override tokenize in a subclass"
            )
        input = valid_text(input)
        tokens = self._compile().tokenize(input) if self.merging_from else self.segmentation.tokens(input)
        return ["bos", *tokens, "eos"]

    def reconstruct(self, input: Iterable[int], *, unk: str = UNKNOWN, control: bool = False) -> str:
        r"""Return the text of ids: stop at ``eos``, skip ``bos`` and ``pad``, write `unk` for id 3.

        Parameters
        ----------
        input : iterable of int
            One row of ids: a list, an array, a tensor of one dimension.
        unk : str
            The text of an unknown token; by default U+FFFD, which no molecule contains.
        control : bool
            Whether to write the names of control tokens, instead of leaving them out.

        Returns
        -------
        str
            Bytes that together are not UTF-8 become U+FFFD.

        Raises
        ------
        TokenIdError
            An id is negative or not below the number of tokens; an ``IndexError``.

        Examples
        --------
        >>> Vocab(["C", "O"]).reconstruct([0, 4, 4, 5, 1, 2, 2])
        'CCO'
        """
        texts, control_ids = [], set(self.control.values())
        for item in input:
            i = index(item)
            if not 0 <= i < len(self.itos):
                raise wrong_id(i, len(self.itos))
            if i == EOS:
                break
            if i in control_ids:
                texts += [self.itos[i]] * control
            elif i >= UNK:
                texts.append(unk if i == UNK else self.token_text(self.itos[i]))
        text = "".join(texts)
        return text.encode(errors="surrogateescape").decode(errors="replace") if self._byte_fallback else text

    def token_text(self, token: str) -> str:
        """Return the text of `token`; for a byte above 0x7F a lone surrogate, as of ``surrogateescape``."""
        return token if self.segmentation is None else self.segmentation.token_text(token)

    def prefixes(self, ids: Iterable[int]) -> list[str]:
        """Return for each of the `ids` of one sample the text up to it, for a reward per step.

        Examples
        --------
        >>> Vocab(["C", "O"]).prefixes([0, 4, 5, 1])
        ['', 'C', 'CO', 'CO']
        """
        row = list(ids)
        return [self.reconstruct(row[: i + 1]) for i in range(len(row))]

    def spans(self, string: str) -> list[Span]:
        """Return for each token of the text `string` its begin and end, in code points, and its atom of a SMILES.

        Atoms are numbered as RDKit numbers them; a token of several pieces has a tuple of its atoms if these are
        several, and a token outside atoms None. ``bos`` and ``eos`` are empty; a token that is one byte of a code point
        has the span of that code point.

        Raises
        ------
        VocabError
            The tokens of a subclass do not give the text.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> CharacterVocab([]).spans("C=Cl")
        [(0, 0, None), (0, 1, 0), (1, 2, None), (2, 3, 1), (3, 4, 1), (4, 4, None)]
        """
        sizes = [len(self._token_bytes(token)) for token in self.tokenize(valid_text(string))]
        return token_spans(string, sizes, type(self).__name__)

    def _token_bytes(self, token: str) -> bytes:
        return (
            b""
            if token in SPECIAL_TOKENS or token in self.control
            else self.token_text(token).encode(errors="surrogateescape")
        )

    def encode(self, strings: Any, *, on_unknown: OnUnknown = "warn", threads: int = 1) -> Ragged:
        """Return the ids of many texts; the vocabulary itself is never changed.

        Parameters
        ----------
        strings : column of str
            n texts: list, NumPy array, pandas or polars Series, Arrow array, `Text`. Iterators are read block by block.
        on_unknown : {"warn", "unk", "raise"}
            What to do about tokens that are not in the vocabulary: make them id 3, with one warning per call or
            without, or raise an error.
        threads : int
            The number of threads that work on it.

        Returns
        -------
        Ragged
            n rows of ids, ``bos`` and ``eos`` included; uint8 where every id fits, else uint16, else uint32.

        Raises
        ------
        UnknownTokenError
            With ``on_unknown="raise"``: the token, its row and its position.
        RowError
            A row is not a string.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> CharacterVocab(["C", "O"]).encode(["CO", ""])[0]
        array([0, 4, 5, 1], dtype=uint8)
        """
        if on_unknown not in ("warn", "unk", "raise"):
            raise ValueError(f"on_unknown is {on_unknown!r}; expected 'warn', 'unk' or 'raise'")
        parts: list[Ragged] = []
        unknown: Counter[str] = Counter()
        total = start = 0
        encode = partial(self._engine.encode, threads=threads)
        for ids, found, count in map_blocks(encode, strings) if isinstance(strings, Iterator) else [encode(strings)]:
            if count and on_unknown == "raise":
                raise unknown_error(found[0], start)
            parts.append(ids)
            unknown.update(one.token for one in found)
            total, start = total + count, start + len(ids)
        if total and on_unknown == "warn":
            warn_unknown(total, unknown)
        return parts[0] if len(parts) == 1 else Ragged.concat([*parts, Ragged(np.zeros(0, self.dtype), [0])])

    def decode(self, ids: Any, *, unk: str = UNKNOWN, control: bool = False) -> list[str]:
        """Return the texts of many rows of ids; see `reconstruct`.

        Parameters
        ----------
        ids : Ragged, array or tensor (B, L), or sequence of sequences of int
            B rows of ids.
        unk : str
            The text of id 3.
        control : bool
            Whether to write the names of control tokens, instead of leaving them out.

        Returns
        -------
        list of str
            B texts.

        Raises
        ------
        TokenIdError
            An id is out of range; the message names the row.
        ValueError
            The ids are not whole numbers.

        Examples
        --------
        >>> Vocab(["C", "O"]).decode([[0, 4, 1, 2], [0, 4, 5, 1]])
        ['C', 'CO']
        """
        return list(self._engine.decode(as_ids(ids), unk, control))

    def decode_bytes(self, ids: Any, *, unk: str = UNKNOWN, control: bool = False) -> Text:
        """Return what `decode` does as one flat `Text`, without a Python string per row where the engine allows it.

        Parameters
        ----------
        ids, unk, control
            See `decode`.

        Returns
        -------
        Text
            B rows.

        Examples
        --------
        >>> Vocab(["C", "O"]).decode_bytes([[4, 5]])
        Text(1 row, 2 bytes: 'CO')
        """
        return as_text(self._engine.decode(as_ids(ids), unk, control))

    def coverage(self, strings: Any) -> Coverage:
        """Return how much of the texts `strings` this vocabulary covers, with examples of what it does not.

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> CharacterVocab(["C", "O"]).coverage(["CCO", "CN"])
        Coverage(1 of 2 rows and 1 of 5 tokens unknown: 'N' (1, first in row 1: 'CN'))
        """
        return self._engine.coverage(as_text(strings))

    def _set_control(self, control: Mapping[str, int]) -> None:
        super()._set_control(control)
        if self.segmentation is not None:
            self.segmentation = replace(self.segmentation, control=tuple(self.control))
            self._compiled = None

    @property
    def resegments(self) -> bool:
        """Whether a new token may change the ids of a text whose tokens were all known."""
        return self.segmentation is None or self._byte_fallback or self.merging_from is not None

    @property
    def _byte_fallback(self) -> bool:
        return self.segmentation is not None and self.segmentation.byte_fallback

    @property
    def engine(self) -> Literal["table", "re", "python"]:
        """How `encode` runs: a compiled ``table``, Python's ``re``, or ``python`` methods of a subclass."""
        return self._engine.kind

    @property
    def engine_reason(self) -> str:
        """Why `engine` is what it is."""
        return self._engine.reason

    @property
    def _engine(self) -> Engine:
        """The engine for the present tokens."""
        if self.itos != self._seen:
            self._require_unchanged()
        if (name := self._overridden()) is None:
            return self._compile()
        reason = f"{type(self).__name__} overrides {name}"
        quiet = copy.copy(self)  # it counts unknown tokens apart: encoding changes no vocabulary
        quiet.unks = Counter()
        dtype = partial(getattr, self, "dtype")
        methods = quiet.tokenize, quiet.numericalize, quiet.reconstruct, quiet._token_bytes
        return MethodEngine(reason, dtype, *methods, self.control)

    @classmethod
    def _overridden(cls) -> str | None:
        """Return the method that differs from the class that set the segmentation, which then does not hold."""
        home = next(c for c in cls.__mro__ if "segmentation" in vars(c))
        names = ("tokenize", "numericalize", "reconstruct", "token_text")
        changed = (name for name in names if getattr(cls, name) is not getattr(home, name))
        return "tokenize" if vars(home)["segmentation"] is None else next(changed, None)

    def _compile(self) -> CompiledEngine:
        assert self.segmentation is not None
        engine, merging = self._compiled, self.merging_from is not None  # another thread may replace it
        if engine is None or (len(engine.tokens), engine.merging) != (len(self.itos), merging):
            engine = self._compiled = CompiledEngine(self.segmentation, self.itos, merging=merging)
        return engine

    def to_huggingface(self) -> PreTrainedTokenizerFast:
        r"""Return a tokenizer of HuggingFace that gives the same ids for every text; see docs/tokenizing.md.

        Raises
        ------
        VocabError
            HuggingFace cannot express it exactly: methods or transforms in Python, a pattern with look-around, anchors,
            flags, ``\w``, ``\d`` or ``\s``, two tokens with the same text.
        ImportError
            ``transformers`` is not installed (``pip install 'mrl[transformers]'``).

        Examples
        --------
        >>> from mrl.text import RegexVocab
        >>> RegexVocab(["C", "[nH]"], r"\[[^\]]+]").to_huggingface()("C[nH][Si]")["input_ids"]
        [0, 4, 5, 3, 1]
        """
        if not isinstance(self._engine, CompiledEngine):
            name = type(self).__name__
            raise VocabError(f"HuggingFace runs no Python, so that it cannot run a {name}: {self.engine_reason}")
        return export_tokenizer(self._engine, self._content())

    @classmethod
    def from_huggingface(cls, tokenizer: PreTrainedTokenizerFast) -> Self:
        """Return the vocabulary with the same ids as a `tokenizer` of HuggingFace.

        One that `to_huggingface` returned becomes an equal vocabulary; any other has to be word-level, and becomes a
        `RegexVocab`.

        Raises
        ------
        VocabError
            No vocabulary gives the same ids, for the reason in the message; or it is not a `cls`.
        ImportError
            ``transformers`` is not installed (``pip install 'mrl[transformers]'``).

        Examples
        --------
        >>> from mrl.text import CharacterVocab
        >>> Vocab.from_huggingface(CharacterVocab(["C", "O"]).to_huggingface())
        CharacterVocab(6 tokens)
        """
        vocab = import_tokenizer(tokenizer, lambda content: cast(Vocab, cls._from_content(content)))
        if not isinstance(vocab, cls):
            found = type(vocab).__name__
            raise VocabError(f"the tokenizer is that of a {found}, not {cls.__name__}; use Vocab.from_huggingface")
        return vocab
