"""The notebook's three vocabularies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mrl.errors import UnknownTokenError, VocabError
from mrl.ragged import Text
from mrl.text.constants import SPECIAL_TOKENS
from mrl.text.tokenize import (
    check_replacements,
    literal,
    regex_tokenize,
    replacement_regex,
    tokenize_by_character,
    tokenize_with_replacements,
)
from mrl.text.vocab import Vocab

__all__ = ["CharacterReplaceVocab", "CharacterVocab", "GaplessVocab", "RegexVocab"]


class CharacterVocab(Vocab):
    """Tokens are single characters (Unicode code points).

    Parameters
    ----------
    itos : iterable of str
        The characters, in the order of their ids.

    Examples
    --------
    >>> vocab = CharacterVocab(["C", "l", "O"])
    >>> vocab.tokenize("CCl")
    ['bos', 'C', 'C', 'l', 'eos']
    """

    kind = "character"
    regroups = False

    def tokenize(self, input: str) -> list[str]:
        """Cut `input` into characters, ``bos`` before and ``eos`` behind."""
        return ["bos", *tokenize_by_character(input), "eos"]

    def _rule(self) -> None:
        return None


class CharacterReplaceVocab(Vocab):
    r"""Tokens are single characters, after longer strings were replaced by one character each.

    A replacement character that stands in the text itself is a token of its own, spelled with a backslash before it
    (``\R``), and learned like any other: ``[Ru]`` never becomes ``[Bru]``.

    Parameters
    ----------
    itos : iterable of str
        The characters, in the order of their ids; replacement characters that are not among them are appended.
    replace_dict : mapping of str to str
        ``{longer string: single character}``; it is copied.

    Raises
    ------
    VocabError
        If a replacement could not be undone: a value of several characters, or one value for two keys.

    Examples
    --------
    >>> vocab = CharacterReplaceVocab(["C", "[", "]"], {"Br": "R", "Cl": "L"})
    >>> vocab.tokenize("CC[Br]")
    ['bos', 'C', 'C', '[', 'R', ']', 'eos']
    >>> vocab.decode(vocab.encode(["ClCBr"]))
    ['ClCBr']
    """

    kind = "character-replace"
    regroups = False

    def __init__(self, itos: Iterable[str], replace_dict: Mapping[str, str]) -> None:
        check_replacements(replace_dict)
        self.replace_dict = dict(replace_dict)
        self.reverse_dict = {character: key for key, character in self.replace_dict.items()}
        self._spelled = self.reverse_dict | {literal(character): character for character in self.reverse_dict}
        itos = list(itos)
        super().__init__([*itos, *(character for character in self.reverse_dict if character not in itos)])

    def tokenize(self, smile: str) -> list[str]:
        """Replace, then cut `smile` into characters, ``bos`` before and ``eos`` behind."""
        return ["bos", *tokenize_with_replacements(smile, self.replace_dict), "eos"]

    def spelling(self, token: str) -> str:
        """Text that `token` stands for: the longer string of a replacement character."""
        return self._spelled.get(token, token)

    def rules(self) -> dict[str, Any]:
        """The replacements."""
        return {"replace_dict": dict(self.replace_dict)}

    def _token_of(self, piece: str) -> str:
        return self.replace_dict.get(piece) or (literal(piece) if piece in self.reverse_dict else piece)

    def _rule(self) -> str:
        return replacement_regex(self.replace_dict).pattern


class RegexVocab(Vocab):
    r"""Tokens are the matches of a pattern, and single characters where it does not match.

    Parameters
    ----------
    itos : iterable of str
        The tokens, in the order of their ids.
    pattern : str
        A regular expression of Python's ``re``; a token is the whole match.

    Raises
    ------
    VocabError
        If `pattern` is no text, or no regular expression.

    Examples
    --------
    >>> from mrl.text import SMILE_REGEX
    >>> vocab = RegexVocab(["C", "[Br]"], SMILE_REGEX)
    >>> vocab.tokenize("CC[Br]")
    ['bos', 'C', 'C', '[Br]', 'eos']
    """

    kind = "regex"
    regroups = False

    def __init__(self, itos: Iterable[str], pattern: str) -> None:
        super().__init__(itos)
        if not isinstance(pattern, str):
            raise VocabError(f"the pattern is {pattern!r}; expected a text (of a compiled pattern, its .pattern)")
        try:
            self.regex = re.compile(pattern)
            pattern.encode()
        except (re.error, UnicodeEncodeError) as error:
            raise VocabError(f"the pattern {pattern!r} is no regular expression: {error}") from None
        self.pattern = pattern

    def tokenize(self, smile: str) -> list[str]:
        """Cut `smile` by the pattern, ``bos`` before and ``eos`` behind."""
        return ["bos", *regex_tokenize(smile, self.regex), "eos"]

    def rules(self) -> dict[str, Any]:
        """The pattern."""
        return {"pattern": self.pattern}

    def _rule(self) -> str:
        return self.pattern


class GaplessVocab(RegexVocab):
    """A `RegexVocab` of texts that its pattern covers without a gap; any other text is refused with the position.

    Subclasses say in `language` what the texts are.
    """

    language: str

    def __init__(self, itos: Iterable[str], pattern: str) -> None:
        super().__init__([], pattern)
        self._append(token for token in itos if token not in SPECIAL_TOKENS)

    def tokenize(self, smile: str) -> list[str]:
        """Cut `smile` by the pattern, ``bos`` before and ``eos`` behind.

        Raises
        ------
        UnknownTokenError
            If the pattern leaves a gap: the first character of it, its position, and why.
        """
        tokens = super().tokenize(smile)
        self._require_no_gap(tokens[1:-1], smile)
        return tokens

    def _rule(self) -> str:
        return self.pattern

    def _append(self, tokens: Iterable[str]) -> int:
        tokens = list(tokens)
        for token in tokens:
            if isinstance(token, str) and self._is_foreign(token):
                raise VocabError(f"the token {token!r} is no token of {self.language}, and would never be used")
        return super()._append(tokens)

    def _is_foreign(self, piece: str) -> bool:
        return not self.regex.fullmatch(piece)

    def _refuse_foreign(self, text: Text) -> None:
        for row, piece in self._missing(text):
            if self._is_foreign(piece):
                self._require_no_gap(regex_tokenize(text[row], self.regex), text[row], row)

    def _require_no_gap(self, pieces: Iterable[str], text: str, row: int | None = None) -> None:
        at = 0
        for piece in pieces:
            if self._is_foreign(piece):
                raise UnknownTokenError(
                    f"{'' if row is None else f'row {row}: '}{piece!r} at position {at} of {text!r} is not part of "
                    f"{self.language}",
                    token=piece,
                    row=row,
                    position=at,
                )
            at += len(piece)
