"""How a vocabulary processes whole columns: `Engine`, and the compiled one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl import kernels
from mrl.kernels import BOS, EOS, UNK, TokenTable
from mrl.ragged import AsciiRows, NotAsciiError, Ragged, Text, as_text
from mrl.text.compile.decode import decode
from mrl.text.compile.merges import Joiner, PieceEnds, merged_pieces
from mrl.text.compile.nfa import UnsupportedPattern
from mrl.text.compile.segmentation import Segmentation, require_grammar
from mrl.text.compile.table import build_table
from mrl.text.coverage import Coverage, UnknownToken, coverage_of

Encoded: TypeAlias = tuple[Ragged, list[UnknownToken], int]
"""Ids, the first unknown tokens, and the number of all of them."""

Pieces: TypeAlias = tuple[Ragged, NDArray[np.int64], int]
"""Ids; row, first byte and end of the first pieces that are not tokens, int64 (k, 3); the number of all of them."""

_MAX_REPORTED = 4096  # unknown pieces that `encode` reports, for each thread
_LONG_LIST = 20_000  # rows of a list from which its text is made piece by piece
_BLOCK = 1 << 20  # bytes that `unknown_tokens` reads at a time


class Engine(Protocol):
    """How a vocabulary processes columns: by a compiled table or ``re``, or by methods in Python."""

    @property
    def kind(self) -> Literal["table", "re", "python"]:
        """How it runs."""

    @property
    def reason(self) -> str:
        """Why it runs that way."""

    def encode(self, column: Any, threads: int = 1) -> Encoded:
        """Return the ids of a column of str, with up to so many threads."""

    def decode(self, ids: Ragged, unk: str, control: bool = False) -> Sequence[str]:
        """Return the texts of rows of ids, with or without the names of control tokens."""

    def coverage(self, text: Text) -> Coverage:
        """Return how much of the texts is covered."""


class CompiledEngine:
    r"""A segmentation with its tokens: an `Engine` of kind ``table`` or, where the pattern needs it, ``re``.

    Parameters
    ----------
    segmentation : Segmentation
        How texts are cut into pieces.
    tokens : sequence of str
        The token of each id; the four special tokens come first. With byte fallback, one for each byte is among them.
    merging : bool
        Whether tokens that consist of several pieces are used: pieces are joined, from left to right, to the longest
        token that fits.

    Examples
    --------
    >>> engine = CompiledEngine(Segmentation(r"\[[^\]]+]|Cl"), ["bos", "eos", "pad", "unk", "C", "Cl", "[nH]"])
    >>> ids, unknown, n_unknown = engine.encode(["CCl[nH]", "C[Si]O"])
    >>> ids[1], unknown[0], n_unknown, engine.kind
    (array([0, 4, 3, 3, 1], dtype=uint8), UnknownToken(row=1, token='[Si]', position=1, text='C[Si]O'), 2, 'table')
    """

    def __init__(self, segmentation: Segmentation, tokens: Sequence[str], *, merging: bool = False) -> None:
        self.segmentation, self.tokens, self.merging = segmentation, list(tokens), merging
        self.dtype = np.min_scalar_type(len(self.tokens) - 1)
        texts = list(map(segmentation.token_text, self.tokens))
        control = set(segmentation.control)
        self.names = [text.encode(errors="surrogateescape") for text in texts]  # control tokens by name
        self.token_bytes = [
            b"" if token in control else name for token, name in zip(self.tokens, self.names, strict=True)
        ]
        # A token that `tokenize` never returns (the key of a replacement) must not take the place of one that it does.
        self._ids = {
            text: i
            for i, (text, token) in enumerate(zip(texts, self.tokens, strict=True))
            if i > UNK and token not in control and segmentation.token(text) == token
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(CompiledEngine, merging=self.merging), (self.segmentation, self.tokens)

    @property
    def kind(self) -> Literal["table", "re"]:
        return "re" if self.table is None else "table"

    @property
    def reason(self) -> str:
        return self._compiled[1]

    @cached_property
    def table(self) -> TokenTable | None:
        """The compiled table; None where the pattern needs `re`."""
        return self._compiled[0]

    @cached_property
    def _compiled(self) -> tuple[TokenTable | None, str]:
        rule, byte_ids = self.segmentation, None
        if rule.byte_fallback:
            byte_ids = {raw[0]: i for i, raw in enumerate(self.token_bytes) if i > UNK and len(raw) == 1}
        pieces = {text: i for text, i in self._ids.items() if len(self.token_bytes[i]) > 1 or text.isascii()}
        try:
            merges = {text: self._ids[text] for text in self.merges}
            table = build_table(rule.pattern, pieces, split=rule.split_names, byte_ids=byte_ids, merges=merges)
        except UnsupportedPattern as reason:
            return None, str(reason)
        return table, f"a table of {table.n_states:,} states"

    @cached_property
    def piece_ends(self) -> PieceEnds:
        """Where pieces end; UnsupportedPattern if the pattern needs `re`."""
        return PieceEnds(self.segmentation.pattern)

    def joins(self, piece: str) -> bool:
        """Return whether a `piece` can be part of a token of several pieces."""
        return piece in self._ids and self.piece_ends.decided(piece)

    @cached_property
    def merges(self) -> dict[str, list[str]]:
        """The pieces of each token of several pieces, by its text."""
        if not self.merging:
            return {}
        cut = partial(self.segmentation.pieces, whole_names=True)
        found = ((text, merged_pieces(text, cut, self.joins)) for text in self._ids)
        return {text: pieces for text, pieces in found if pieces}

    @cached_property
    def _joiner(self) -> Joiner:
        return Joiner(self.merges, self.joins)

    def pieces(self, text: str) -> list[str]:
        """Return what a text is cut into: pieces, and the texts of tokens of several pieces."""
        if not self.merging:
            return self.segmentation.pieces(text)
        found, names = (
            self._joiner.join(self.segmentation.pieces(text, whole_names=True)),
            self.segmentation.split_names,
        )
        return [one for piece in found for one in (piece if piece in names else [piece])]

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text, known or not; UnknownTokenError where a piece is out of grammar."""
        if not self.merging:
            return self.segmentation.tokens(text)
        self.segmentation.tokens(text)
        return list(map(self.segmentation.token, self.pieces(text)))

    @cached_property
    def _ids_of_bytes(self) -> tuple[dict[bytes, int], int]:
        """The ids of the tokens by their bytes, and the length of the longest."""
        ids = {raw: i for i, raw in enumerate(self.token_bytes) if i > UNK and raw}
        return ids, max(map(len, ids))

    def piece_ids(self, piece: str) -> list[int]:
        """Return the ids of a piece of text: one, or with byte fallback several."""
        if piece in self._ids or not self.segmentation.byte_fallback:
            return [self._ids.get(piece, UNK)]
        tokens, longest = self._ids_of_bytes
        ids, rest = [], piece.encode()
        while rest:
            token = next(head for n in range(longest, 0, -1) if (head := rest[:n]) in tokens)
            ids.append(tokens[token])
            rest = rest[len(token) :]
        return ids

    def encode(self, column: Any, threads: int = 1) -> Encoded:
        column = [*column] if isinstance(column, list) else as_text(column)  # it is read twice, and may change
        ids, pieces, count = self.encode_pieces(column, threads)
        if not count:
            return ids, [], 0
        text = as_text(column)
        self.require_grammar(text)
        return (ids, [], 0) if self.segmentation.byte_fallback else (ids, list(self.located(text, pieces)), count)

    def decode(self, ids: Ragged, unk: str, control: bool = False) -> Text:
        return decode(ids, self.names if control else self.token_bytes, unk.encode())

    def coverage(self, text: Text) -> Coverage:
        ids = self.encode(text)[0]
        return coverage_of(text, ids, self.unknown_tokens(text), self.segmentation.byte_fallback)

    def encode_pieces(self, column: Any, threads: int = 1) -> Pieces:
        """Return the ids of a column, and the first few thousand pieces that are not tokens, by their bytes."""
        if isinstance(column, list) and len(column) > _LONG_LIST and self.table is not None:
            with contextlib.suppress(NotAsciiError):
                rows = AsciiRows(column)
                return self._encode_by_table(self.table, rows.values, rows.offsets, _MAX_REPORTED, threads)
        return self._encode(column if isinstance(column, Text) else as_text(column), _MAX_REPORTED, threads)

    def unknown_tokens(self, text: Text) -> Iterator[tuple[int, str]]:
        """Yield row and token of each piece without an id, in order."""
        offsets = text.offsets
        cuts = np.searchsorted(offsets[1:], np.arange(offsets[0], offsets[-1], _BLOCK)).tolist()
        for first, last in pairwise(sorted({*cuts, len(text)})):
            part = text[first:last]
            raw, starts = part.flat.tobytes(), (part.offsets - part.offsets[0]).tolist()
            for row, begin, end in self._encode(part, len(raw), 1)[1].tolist():
                piece = raw[starts[row] + begin : starts[row] + end].decode(errors="replace")
                yield first + row, self.segmentation.token(piece)

    def require_grammar(self, text: Text) -> None:
        """Raise UnknownTokenError at the first row and piece that is out of grammar."""
        rule = self.segmentation
        if rule.grammar is not None:
            for row, token in self.unknown_tokens(text):
                if rule.out_of_grammar(token):
                    require_grammar(rule, rule.pieces(text[row]), text[row], row)

    def located(self, text: Text, pieces: NDArray[np.int64]) -> Iterator[UnknownToken]:
        """Yield the tokens and positions of pieces that are given by row, first byte and end, in order."""
        row, string, raw, at, position = -1, "", b"", 0, 0
        for next_row, begin, end in pieces.tolist():
            if next_row != row:
                row, string, at, position = next_row, text[next_row], 0, 0
                raw = string.encode()
            position += len(raw[at:begin].decode(errors="replace"))
            at = begin
            yield UnknownToken(row, self.segmentation.token(raw[begin:end].decode(errors="replace")), position, string)

    def _encode(self, text: Text, max_reported: int, threads: int) -> Pieces:
        if self.table is None:
            return self._encode_by_re(text, max_reported)
        return self._encode_by_table(self.table, text.values, text.offsets, max_reported, threads)

    def _encode_by_table(
        self, table: TokenTable, values: Any, offsets: NDArray[np.int64], max_reported: int, threads: int
    ) -> Pieces:
        ids, id_offsets, unknown, n_unknown = kernels.encode(
            values, offsets, table, self.dtype, max_reported=max_reported, threads=threads
        )
        return Ragged(ids, id_offsets), unknown, n_unknown

    def _encode_by_re(self, text: Text, max_reported: int) -> Pieces:
        rows: list[list[int]] = []
        unknown: list[tuple[int, int, int]] = []
        for row, string in enumerate(text):
            self.segmentation.require_length(string, row)
            ids, at = [BOS], 0
            for piece in self.pieces(string):
                ids += self.piece_ids(piece)
                size = len(piece.encode())
                if piece not in self._ids:
                    unknown.append((row, at, at + size))
                at += size
            rows.append([*ids, EOS])
        reported = np.array(unknown[:max_reported], np.int64).reshape(-1, 3)
        return Ragged.from_rows(rows, self.dtype), reported, len(unknown)
