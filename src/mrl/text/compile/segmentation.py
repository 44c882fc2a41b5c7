"""How texts are segmented into pieces, and which piece each token stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from mrl.errors import RowError, UnknownTokenError
from mrl.messages import format_value
from mrl.text.compile.backtracking import rescans
from mrl.text.compile.nfa import Nfa, UnsupportedPattern
from mrl.text.constants import SPECIAL_TOKENS
from mrl.text.tokenize import split_by_pattern

MOST_CHARACTERS = 10_000  # of a text, where `re` may need their square as time


@dataclass(frozen=True)
class Segmentation:
    r"""The rule by which a vocabulary cuts texts: a pattern, and the differences between tokens and pieces of text.

    A piece is what the pattern matches, as `re` does, at the end of the piece before it; where it matches nothing, or
    the empty text, one code point. A match that is the name of a special token is cut into code points, unless it is
    in `texts`.

    Parameters
    ----------
    pattern : str or None
        A regular expression; None makes every code point a piece.
    texts : mapping of str to str
        The text of each token that stands for another text than itself; of a byte above 0x7F the lone surrogate of
        ``surrogateescape``. Where several tokens have one text, the first is used for it.
    byte_fallback : bool
        Whether a piece that is not a token is cut, from left to right, into the longest tokens that fit, and into
        single bytes where none does. Otherwise it becomes the unknown token.
    grammar : str, optional
        What every text consists of, for messages; then a piece that is not a match of the whole pattern is an error.
    control : tuple of str
        The names of control tokens; a match that is one of them is cut into code points as well.

    Examples
    --------
    >>> rule = Segmentation(r"\[[^\]]+]|Cl", {"L": "Cl"})
    >>> rule.pieces("CCl[nH]"), rule.tokens("CCl[nH]"), rule.token("Cl"), rule.token_text("L")
    (['C', 'Cl', '[nH]'], ['C', 'L', '[nH]'], 'L', 'Cl')
    >>> Segmentation("[ACGT]+", grammar="DNA").out_of_grammar("N"), rule.split_names
    (True, ['bos', 'eos', 'pad', 'unk'])
    """

    pattern: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    byte_fallback: bool = False
    grammar: str | None = None
    control: tuple[str, ...] = ()

    @cached_property
    def _regex(self) -> re.Pattern[str] | None:
        return None if self.pattern is None else re.compile(self.pattern)

    @cached_property
    def split_names(self) -> list[str]:
        """The names that are cut into code points: of special and control tokens, but not the text of a token."""
        return [name for name in (*SPECIAL_TOKENS, *self.control) if name not in self.texts.values()]

    @cached_property
    def _tokens_of_texts(self) -> dict[str, str]:
        return {text: token for token, text in [*self.texts.items()][::-1]}

    @cached_property
    def _limit_reason(self) -> str | None:
        """Why `re` reads texts, if it may read one again from each of its characters; else None."""
        try:
            Nfa(self.pattern)
        except UnsupportedPattern as reason:
            return str(reason) if self.pattern is not None and rescans(self.pattern) else None
        return None

    def require_length(self, text: str, row: int = 0) -> None:
        """Raise a RowError if `re` may need far more time for a text than it has characters.

        Parameters
        ----------
        text : str
            One of any length up to 10,000 characters is read; longer ones where the pattern can be compiled, or has
            no repeat without a bound that may fail.
        row : int
            Its number, for the message.

        Raises
        ------
        RowError
            The text is too long for the pattern.

        Examples
        --------
        >>> Segmentation("a*b").require_length("a" * 10_001)
        >>> Segmentation("(?=a)a*b").require_length("a" * 10_000)
        """
        if len(text) > MOST_CHARACTERS and self._limit_reason is not None:
            raise RowError(
                f"row {row} has {len(text):,} characters; expected at most {MOST_CHARACTERS:,}: {self._limit_reason}, "
                f"so {format_value(self.pattern)} runs on re, which may read a text again from each of its "
                "characters; cut the text into shorter ones, or leave that out of the pattern",
                row=row,
                column="text",
                value=text,
            )

    def pieces(self, text: str, *, whole_names: bool = False) -> list[str]:
        """Return the pieces of a text; joined, they are the text.

        Parameters
        ----------
        text : str
            Any text.
        whole_names : bool
            Whether a piece with the name of a special or control token stays whole.

        Returns
        -------
        list of str

        Raises
        ------
        RowError
            The text is too long; see `require_length`.
        """
        self.require_length(text)
        names = () if whole_names else self.split_names
        return list(text) if self._regex is None else split_by_pattern(text, self._regex, names)

    def tokens(self, text: str) -> list[str]:
        """Return the token of each piece of `text`; UnknownTokenError where a piece is out of grammar."""
        pieces = self.pieces(text)
        require_grammar(self, pieces, text)
        return [self.token(piece) for piece in pieces] if self.texts else pieces

    def token(self, piece: str) -> str:
        """Return the token that stands for the text `piece`."""
        return self._tokens_of_texts.get(piece, piece)

    def token_text(self, token: str) -> str:
        """Return the text that `token` stands for."""
        return self.texts.get(token, token)

    def out_of_grammar(self, piece: str) -> bool:
        """Return whether no text of the grammar has the `piece`."""
        return self.grammar is not None and not (self._regex and self._regex.fullmatch(piece))


def require_grammar(rule: Segmentation, pieces: Iterable[str], text: str, row: int | None = None) -> None:
    """Raise UnknownTokenError at the first piece of a text that is out of grammar."""
    at = 0
    for piece in pieces if rule.grammar is not None else ():
        if rule.out_of_grammar(piece):
            raise UnknownTokenError(
                f"{'' if row is None else f'row {row}: '}{piece!r} at position {at} of {text!r} is not part of "
                f"{rule.grammar}",
                token=piece,
                row=row,
                position=at,
            )
        at += len(piece)
