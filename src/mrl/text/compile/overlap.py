"""Overlapping words of k letters: what is written once for each word is cut and joined here, beside the table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mrl.errors import UnknownTokenError, VocabError
from mrl.kernels import EOS, UNK
from mrl.ragged import Ragged, Text, as_text
from mrl.text.compile.decode import decode, wrong_id
from mrl.text.compile.engine import CompiledEngine, Encoded
from mrl.text.coverage import Coverage, UnknownToken, coverage_of


@dataclass(frozen=True)
class Overlap:
    """Words of `k` letters that begin `stride` letters after each other, stride < k.

    A run of letters is cut into words as long as whole ones fit; what is left is a shorter word, which begins like one
    more. Each word but the first of a run repeats the last ``k - stride`` letters of the one before it.

    Examples
    --------
    >>> rule = Overlap(3, 1, "ACGT")
    >>> rule.words("ACGTNAC"), Overlap(3, 2, "ACGT").words("ACGTAC")
    (['ACG', 'CGT', 'N', 'AC'], ['ACG', 'GTA', 'AC'])
    >>> rule.written(Text.of(["ACGTNAC"])).tolist()
    ['ACGCGTNAC']
    """

    k: int
    stride: int
    alphabet: str

    @cached_property
    def _letters(self) -> re.Pattern[str]:
        letters = "".join(map(re.escape, self.alphabet))
        return re.compile(f"[{letters}]+|.", re.DOTALL)

    def words(self, text: str) -> list[str]:
        """Return the words of a text, and each character outside the alphabet as one of its own."""
        return [text[begin:end] for begin, end in self.spans(text)]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where each word of a text begins and ends."""
        return [
            (run.start() + begin, min(run.start() + begin + self.k, run.end()))
            for run in self._letters.finditer(text)
            for begin in range(0, max(len(run.group()) - self.k + self.stride, 1), self.stride)
        ]

    def written(self, text: Text) -> Text:
        """Return the texts with every word written out, so that they are cut like words that do not overlap."""
        values, offsets = text.flat, text.offsets - text.offsets[0]
        run_of, at, size = self._runs(values, offsets)
        # Of each letter of a run: the number of words that have it. Words begin at multiples of `stride`.
        words = np.maximum(-(-(size - self.k) // self.stride), 0) + 1
        first = np.maximum(-(-(at - self.k + 1) // self.stride), 0)
        last = np.minimum(at // self.stride, words - 1)
        copies = np.where(run_of >= 0, last - first + 1, 1)
        # Letter `at` of a run stands in word w at the place k * w + (at - stride * w) of what is written.
        number = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)
        source = np.repeat(np.arange(len(values)), copies)
        begins = np.cumsum(copies) - copies  # of what is written for the letters before each
        word = first[source] + number
        start = begins[np.maximum(source - at[source], 0)]
        place = np.where(run_of[source] >= 0, start + word * (self.k - self.stride) + at[source], begins[source])
        made = np.empty(len(source), np.uint8)
        made[place] = values[source]
        return Text(made, np.concatenate([[0], np.cumsum(copies)])[offsets])

    def _runs(
        self, values: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return for each byte the number of its run of letters (-1: none), its place in it, and the run's size."""
        known = np.zeros(256, bool)
        known[np.frombuffer(self.alphabet.encode(), np.uint8)] = True
        letter = known[values]
        begins = letter.copy()
        begins[1:] &= ~letter[:-1]
        inside = offsets[:-1][offsets[:-1] < len(values)]
        begins[inside] = letter[inside]
        run = np.where(letter, np.cumsum(begins) - 1, -1)
        where = np.flatnonzero(begins)
        sizes = np.bincount(run[letter], minlength=max(len(where), 1))
        where = where if len(where) else np.zeros(1, np.int64)
        return run, np.where(letter, np.arange(len(values)) - where[run], 0), np.where(letter, sizes[run], 1)


@dataclass(frozen=True)
class OverlapEngine:
    """An `Engine` that writes overlapping words out before another one cuts them, and joins them again."""

    engine: CompiledEngine
    rule: Overlap

    @property
    def kind(self) -> Literal["table", "re"]:
        return self.engine.kind

    @property
    def reason(self) -> str:
        return f"words that overlap are written out, then {self.engine.reason}"

    def encode(self, column: Any, threads: int = 1) -> Encoded:
        text = as_text(column)
        ids, pieces, count = self.engine.encode_pieces(self.rule.written(text), threads)
        unknown = [one for row in np.unique(pieces[:, 0]).tolist() for one in self._unknown(text[row], row)]
        return ids, unknown, count

    def _unknown(self, text: str, row: int) -> Iterator[UnknownToken]:
        self.require_grammar(text, row)
        for begin, end in self.rule.spans(text):
            if self.engine.piece_ids(text[begin:end]) == [UNK]:
                yield UnknownToken(row, text[begin:end], begin, text)

    def require_grammar(self, text: str, row: int | None = None) -> None:
        """Raise UnknownTokenError at the first word of a text that is out of grammar."""
        segmentation = self.engine.segmentation
        for begin, end in self.rule.spans(text) if segmentation.grammar is not None else ():
            if segmentation.out_of_grammar(word := text[begin:end]):
                raise UnknownTokenError(
                    f"{'' if row is None else f'row {row}: '}{word!r} at position {begin} of {text!r} is not part of "
                    f"{segmentation.grammar}",
                    token=word,
                    row=row,
                    position=begin,
                )

    def coverage(self, text: Text) -> Coverage:
        return coverage_of(text, self.encode(text)[0], self.engine.unknown_tokens(self.rule.written(text)))

    def decode(self, ids: Ragged, unk: str, control: bool = False) -> Text:
        names = self.engine.names if control else self.engine.token_bytes
        flat, continues, wrong = self._joined(ids)
        if len(wrong):
            place = int(wrong[0])
            row = int(np.searchsorted(ids.offsets - ids.offsets[0], place, side="right")) - 1
            before = int(np.flatnonzero(self._is_word[flat[:place]])[-1])
            raise VocabError(
                f"row {row}: the word {self.engine.tokens[flat[place]]!r} does not continue "
                f"{self.engine.tokens[flat[before]]!r}: expected the last {self._shared} letters of the one at the "
                f"beginning of the other (words of {self.rule.k} letters overlap), so that these ids are not a text; "
                "ids[vocab.consistent(ids)] are the rows that are"
            )
        rest = [name[self._shared :] if word else b"" for name, word in zip(names, self._is_word, strict=True)]
        return decode(
            Ragged(flat + continues * len(names), ids.offsets - ids.offsets[0]), [*names, *rest], unk.encode()
        )

    def consistent(self, ids: Ragged) -> NDArray[np.bool_]:
        """Return which rows of ids are texts: each word continues the one before it."""
        offsets = ids.offsets - ids.offsets[0]
        ok = np.ones(len(ids), bool)
        ok[np.searchsorted(offsets, self._joined(ids)[2], side="right") - 1] = False
        return ok

    @property
    def _shared(self) -> int:
        return self.rule.k - self.rule.stride

    @cached_property
    def _is_word(self) -> NDArray[np.bool_]:
        letters, control = set(self.rule.alphabet), set(self.engine.segmentation.control)
        words = (
            i > UNK and token not in control and set(token) <= letters for i, token in enumerate(self.engine.tokens)
        )
        return np.fromiter(words, bool)

    @cached_property
    def _ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers for the letters that each word shares with the next one, and with the one before; below 0: none."""
        numbers: dict[str, int] = {}
        first, last = np.full(len(self._is_word), -2), np.full(len(self._is_word), -1)
        for i in np.flatnonzero(self._is_word).tolist():
            word = self.engine.tokens[i]
            if len(word) == self.rule.k:
                last[i] = numbers.setdefault(word[self.rule.stride :], len(numbers))
            if len(word) > self._shared:
                first[i] = numbers.setdefault(word[: self._shared], len(numbers))
        return last, first

    def _joined(self, ids: Ragged) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
        """Return all ids (0 after the end of a row), which of them continue a word, and where one cannot."""
        offsets, n = ids.offsets - ids.offsets[0], len(self.engine.tokens)
        flat = ids.flat.astype(np.int64)
        ended = np.cumsum(flat == EOS)
        row = np.repeat(np.arange(len(ids)), np.diff(offsets))
        alive = ended == np.concatenate([[0], ended])[offsets[:-1]][row]
        flat = np.where(alive, flat, 0)
        if len(bad := np.flatnonzero((flat < 0) | (flat >= n))):
            raise wrong_id(int(flat[bad[0]]), n, int(row[bad[0]]))
        written = np.array([len(raw) > 0 for raw in self.engine.token_bytes])
        written[:UNK] = False
        written[UNK] = True  # an unknown character stands between words
        places = np.flatnonzero(written[flat])
        is_word = self._is_word[flat[places]]
        follows = np.zeros(len(places), bool)
        follows[1:] = is_word[1:] & is_word[:-1] & (row[places[1:]] == row[places[:-1]])
        continues = np.zeros(len(flat), bool)
        continues[places[follows]] = True
        last, first = self._ends
        after = np.flatnonzero(follows)
        wrong = places[after][last[flat[places[after - 1]]] != first[flat[places[after]]]]
        return flat, continues, wrong
