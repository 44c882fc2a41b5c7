"""Encoding and decoding of whole columns, behind every vocabulary."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrl import kernels
from mrl.errors import TokenIdError
from mrl.kernels import TokenTable
from mrl.ragged import AsciiRows, NotAsciiError, Ragged, Text
from mrl.text._pattern import Unsupported
from mrl.text._table import build
from mrl.text.constants import BOS, EOS, SPECIAL_TOKENS, UNK

__all__ = ["Encoded", "Engine", "decode"]

_ROOM = 4096  # missing pieces told by `encode`, for each thread
_MANY = 20_000  # rows of a list from which on its text is made piece by piece
_BLOCK = 1 << 20  # bytes looked through at once by `missing`


class Encoded(NamedTuple):
    """What `Engine.encode` gives.

    Attributes
    ----------
    ids : Ragged
        n rows, each from 0 to 1.
    missing : ndarray of int64, shape (k, 3)
        Row, first byte and end in the row of the first pieces that are no tokens, in order. Some thousands are told.
    n_missing : int
        How many there are in all.
    """

    ids: Ragged
    missing: NDArray[np.int64]
    n_missing: int


class Engine:
    r"""A pattern and its tokens, ready to encode.

    A token is what the pattern matches, as `re` does, where the token before it ended; where it matches nothing, or
    the empty text, one code point. A match that spells a special token is cut into code points.

    Parameters
    ----------
    pattern : str or None
        Where tokens end; None makes every code point one.
    pieces : mapping of str to int
        The id, 4 or more, of each text that is a token.
    n_ids : int
        How many ids there are, specials included.
    closed_bytes : mapping of int to int, optional
        The id of each of the 256 bytes. Where given, a piece that is no token is cut, from left to right, into the
        longest tokens that fit, and single bytes where none does; else it gets the id 3. (Characters that are frequent
        run faster if `pieces` has them too, with the same ids.)

    Attributes
    ----------
    kind : {"table", "re"}
        How it runs: as a compiled table, or by `re`.
    reason : str
        Why.
    dtype : numpy.dtype
        Of the ids: uint8, uint16 or uint32.

    Examples
    --------
    >>> engine = Engine(r"\[[^\]]+]|Cl", {"C": 4, "Cl": 5, "[nH]": 6}, n_ids=7)
    >>> engine.split("CCl[nH][Si]O")
    ['C', 'Cl', '[nH]', '[Si]', 'O']
    >>> ids, missing, n_missing = engine.encode(Text.of(["CCl[nH]", "C[Si]O"]))
    >>> ids[0], ids[1]
    (array([0, 4, 5, 6, 1], dtype=uint8), array([0, 4, 3, 3, 1], dtype=uint8))
    >>> missing.tolist(), n_missing, engine.kind
    ([[1, 1, 5], [1, 5, 6]], 2, 'table')
    """

    def __init__(
        self,
        pattern: str | None,
        pieces: Mapping[str, int],
        *,
        n_ids: int,
        closed_bytes: Mapping[int, int] | None = None,
    ) -> None:
        self.pattern, self.pieces, self.n_ids = pattern, dict(pieces), n_ids
        self.closed_bytes = None if closed_bytes is None else dict(closed_bytes)
        self.dtype = np.min_scalar_type(n_ids - 1)

    def __reduce__(self) -> tuple[Any, ...]:
        return _engine, (self.pattern, self.pieces, self.n_ids, self.closed_bytes)

    @property
    def kind(self) -> Literal["table", "re"]:
        return "re" if self._compiled[0] is None else "table"

    @property
    def reason(self) -> str:
        return self._compiled[1]

    @cached_property
    def _compiled(self) -> tuple[TokenTable | None, str]:
        try:
            table = build(self.pattern, self.pieces, split=self._specials, byte_ids=self.closed_bytes)
        except Unsupported as reason:
            return None, str(reason)
        return table, f"a table of {len(table.transitions) // table.width:,} states"

    @cached_property
    def _specials(self) -> list[str]:
        return [special for special in SPECIAL_TOKENS if special not in self.pieces]

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile(r"[\s\S]" if self.pattern is None else self.pattern)

    def _is_token(self, piece: str) -> bool:
        return piece in self.pieces or (self.closed_bytes is not None and len(piece) == 1 and piece.isascii())

    @cached_property
    def _tokens(self) -> tuple[dict[bytes, int], int]:
        """The tokens of a closed alphabet by their bytes, and the length of the longest."""
        tokens = {bytes([byte]): i for byte, i in (self.closed_bytes or {}).items()}
        tokens |= {piece.encode("utf-8", "surrogatepass"): i for piece, i in self.pieces.items()}
        return tokens, max(map(len, tokens))

    def split(self, text: str) -> list[str]:
        """Cut a text into its pieces, tokens or not: the specification of `encode`.

        Examples
        --------
        >>> Engine("bos|Cl", {}, n_ids=4).split("ClCbos")
        ['Cl', 'C', 'b', 'o', 's']
        """
        pieces: list[str] = []
        at = 0
        while at < len(text):
            match = self._regex.match(text, at)
            piece = (match and match.group()) or text[at]
            pieces.extend(piece if piece in self._specials else [piece])
            at += len(piece)
        return pieces

    def numbers(self, piece: str) -> list[int]:
        """The ids of a piece: one, or several in a closed alphabet.

        Examples
        --------
        >>> Engine(None, {"Si": 4}, n_ids=5).numbers("[Si]")
        [3]
        >>> Engine(None, {"Si": 4}, n_ids=261, closed_bytes={byte: 5 + byte for byte in range(256)}).numbers("[Si]")
        [96, 4, 98]
        """
        if piece in self.pieces or self.closed_bytes is None:
            return [self.pieces.get(piece, UNK)]
        tokens, longest = self._tokens
        numbers, rest = [], piece.encode()
        while rest:
            token = next(head for n in range(longest, 0, -1) if (head := rest[:n]) in tokens)
            numbers.append(tokens[token])
            rest = rest[len(token) :]
        return numbers

    def encode(self, column: Any, threads: int = 1) -> Encoded:
        """The ids of many texts.

        Parameters
        ----------
        column : Text, or column of str that `Text.of` takes
            n rows.
        threads : int
            How many threads may work on it; a pattern that runs by `re` uses one.

        Returns
        -------
        Encoded

        Raises
        ------
        RowError
            A row is no text.
        """
        if isinstance(column, list) and len(column) > _MANY and self.kind == "table":
            with contextlib.suppress(NotAsciiError):
                pieces = AsciiRows(column)
                return self._by_table(pieces.values, pieces.offsets, _ROOM, threads)
        return self._encode(Text.of(column), _ROOM, threads)

    def missing(self, text: Text) -> Iterator[tuple[int, str]]:
        """Row and text of each piece that is no token, in order.

        Examples
        --------
        >>> list(Engine(None, {"C": 4}, n_ids=5).missing(Text.of(["CO", "C", "NC"])))
        [(0, 'O'), (2, 'N')]
        """
        offsets = text.offsets
        cuts = np.searchsorted(offsets[1:], np.arange(offsets[0], offsets[-1], _BLOCK)).tolist()
        for first, last in pairwise(sorted({*cuts, len(text)})):
            part = text[first:last]
            raw, starts = part.flat.tobytes(), (part.offsets - part.offsets[0]).tolist()
            for row, begin, end in self._encode(part, len(raw), 1).missing.tolist():
                yield first + row, raw[starts[row] + begin : starts[row] + end].decode(errors="replace")

    def _encode(self, text: Text, room: int, threads: int) -> Encoded:
        if self.kind == "re":
            return self._encode_re(text, room)
        return self._by_table(text.values, text.offsets, room, threads)

    def _by_table(self, values: Any, offsets: NDArray[np.int64], room: int, threads: int) -> Encoded:
        table = self._compiled[0]
        assert table is not None
        ids, id_offsets, missing, count = kernels.encode(
            values, offsets, table, self.dtype, max_reported=room, threads=threads
        )
        return Encoded(Ragged(ids, id_offsets), missing, count)

    def _encode_re(self, text: Text, room: int) -> Encoded:
        rows: list[list[int]] = []
        missing: list[tuple[int, int, int]] = []
        count = 0
        for row, string in enumerate(text):
            ids, at = [BOS], 0
            for piece in self.split(string):
                ids += self.numbers(piece)
                size = len(piece.encode())
                if not self._is_token(piece):
                    count += 1
                    if len(missing) < room:
                        missing.append((row, at, at + size))
                at += size
            rows.append([*ids, EOS])
        return Encoded(Ragged.from_rows(rows, self.dtype), np.array(missing, np.int64).reshape(-1, 3), count)


def _engine(pattern: str | None, pieces: dict[str, int], n_ids: int, closed_bytes: dict[int, int] | None) -> Engine:
    return Engine(pattern, pieces, n_ids=n_ids, closed_bytes=closed_bytes)


def decode(ids: Ragged, token_bytes: Sequence[bytes], unk: bytes, threads: int = 1) -> Text:
    """The texts that rows of ids spell, each up to the first 1.

    Parameters
    ----------
    ids : Ragged of integers
        n rows.
    token_bytes : sequence of bytes
        UTF-8 of the token of each id, or one byte of it; those of the ids 0, 1, 2 and 3 play no part.
    unk : bytes
        What stands for the id 3.
    threads : int
        How many threads may work on it.

    Returns
    -------
    Text
        n rows. Byte tokens that together are no UTF-8 become U+FFFD.

    Raises
    ------
    TokenIdError
        A row has an id below 0 or not below the number of tokens; an ``IndexError``.

    Examples
    --------
    >>> decode(Ragged([0, 4, 5, 4, 1, 0, 3, 2, 1], [0, 5, 9]), [b"", b"", b"", b"", b"C", b"[Si]"], b"?").tolist()
    ['C[Si]C', '?']
    """
    tokens = [b"", b"", b"", unk, *token_bytes[4:]]
    bounds = np.cumsum([0, *map(len, tokens)])
    spelled = np.frombuffer(b"".join(tokens), np.uint8)
    values, offsets, wrong = kernels.decode(ids.values, ids.offsets, spelled, bounds, threads=threads)
    if wrong >= 0:
        number = next(int(i) for i in ids[wrong] if not 0 <= i < len(tokens))
        raise TokenIdError(
            f"row {wrong} has the id {number}, which is no id of this vocabulary; its ids are 0 to {len(tokens) - 1}. "
            "The ids were written with another vocabulary, or by a model with more outputs than tokens",
            id=number,
            row=wrong,
        )
    return Text(values, offsets) if all(map(_is_utf8, tokens)) else _repaired(values, offsets)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _repaired(values: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Text:
    """The text, with U+FFFD where its bytes make none."""
    beyond_ascii = np.searchsorted(offsets, np.flatnonzero(values >= 0x80), side="right") - 1
    raw, ends = values.tobytes(), offsets.tolist()
    if all(_is_utf8(raw[ends[row] : ends[row + 1]]) for row in np.unique(beyond_ascii).tolist()):
        return Text(values, offsets)
    return Text.of([raw[a:b].decode(errors="replace") for a, b in pairwise(ends)])
