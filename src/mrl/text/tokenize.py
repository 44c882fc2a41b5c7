"""The notebook's small functions, lossless: the readable specification of every tokenizer.

Joining the tokens of any of them gives the text back (for replacements: after undoing them, see `literal`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mrl.errors import VocabError
from mrl.text.constants import SPECIAL_TOKENS

__all__ = ["literal", "regex_tokenize", "test_reconstruction", "tokenize_by_character", "tokenize_with_replacements"]


def tokenize_by_character(input: str) -> list[str]:
    """Split `input` into single characters (Unicode code points).

    Examples
    --------
    >>> tokenize_by_character("CC[NH]")
    ['C', 'C', '[', 'N', 'H', ']']
    """
    return list(input)


def literal(character: str) -> str:
    r"""Spell the token of a replacement character that stands in the text itself.

    With ``{"Br": "R"}`` the token ``R`` means ``Br``; the ``R`` of ``[Ru]`` is another token, and this is its name.

    Examples
    --------
    >>> print(literal("R"))
    \R
    """
    return "\\" + character


def tokenize_with_replacements(input: str, replacement_dict: Mapping[str, str]) -> list[str]:
    r"""Split `input` by character after replacing longer strings by one character each.

    One pass from left to right; the longest key wins; what a replacement put in is never replaced again. A replacement
    character that stands in `input` itself becomes the token `literal` of it, so that nothing collides.

    Parameters
    ----------
    input : str
        Any text.
    replacement_dict : mapping of str to str
        ``{longer string: single character}``.

    Returns
    -------
    list of str
        The tokens.

    Examples
    --------
    >>> tokenize_with_replacements("CC[Br]", {"Br": "R", "Cl": "L"})
    ['C', 'C', '[', 'R', ']']
    >>> print(*tokenize_with_replacements("[Ru]", {"Br": "R", "Cl": "L"}))
    [ \R u ]
    """
    characters = set(replacement_dict.values())
    return [
        replacement_dict.get(piece) or (literal(piece) if piece in characters else piece)
        for piece in replacement_regex(replacement_dict).findall(input)
    ]


def replacement_regex(replacement_dict: Mapping[str, str]) -> re.Pattern[str]:
    """The pattern behind `tokenize_with_replacements`: any key, the longest first, or one code point."""
    keys = sorted(replacement_dict, key=lambda key: (-len(key), key))
    return re.compile("|".join([*map(re.escape, keys), r"[\s\S]"]))


def regex_tokenize(input: str, regex: re.Pattern[str]) -> list[str]:
    r"""Split `input` into the matches of `regex`, and single characters where it does not match.

    A token is the whole match, whatever groups the pattern has; an empty match is none; a match that spells a special
    token (``bos``, ``eos``, ``pad``, ``unk``) is cut into characters. Joined, the tokens are `input`.

    Parameters
    ----------
    input : str
        Any text.
    regex : re.Pattern
        A compiled pattern.

    Returns
    -------
    list of str
        The tokens.

    Examples
    --------
    >>> regex_tokenize("CC[Si]%(12)", re.compile(r"\[[^\]]+]|C"))
    ['C', 'C', '[Si]', '%', '(', '1', '2', ')']
    """
    tokens: list[str] = []
    at, end = 0, len(input)
    match = regex.match
    while at < end:
        found = match(input, at)
        piece = found.group() if found else ""
        if len(piece) > 1:
            if piece in SPECIAL_TOKENS:
                tokens.extend(piece)
            else:
                tokens.append(piece)
            at += len(piece)
        else:
            tokens.append(input[at])
            at += 1
    return tokens


def test_reconstruction(vocab: Any, inputs: Iterable[str]) -> list[tuple[str, str]]:
    """Find every text that `vocab` does not give back.

    Parameters
    ----------
    vocab : Vocab
        Or anything with ``tokenize``, ``numericalize`` and ``reconstruct``.
    inputs : iterable of str
        The texts to try.

    Returns
    -------
    list of (str, str)
        Each text that was not reconstructed, and what came instead; empty if all were.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> test_reconstruction(CharacterVocab(["C", "O"]), ["CCO", "CN"])
    [('CN', 'C\ufffd')]
    """
    pairs = ((text, vocab.reconstruct(vocab.numericalize(vocab.tokenize(text)))) for text in inputs)
    return [(text, back) for text, back in pairs if text != back]


test_reconstruction.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)  # lone surrogates fit no file


def check_replacements(replacement_dict: Mapping[str, str]) -> None:
    """Refuse replacements that cannot be undone: empty keys, several characters, two keys for one character."""
    seen: dict[str, str] = {}
    for key, character in replacement_dict.items():
        if not isinstance(key, str) or not key or not _is_unicode(key):
            raise VocabError(f"replace_dict has the key {key!r}; expected a text of one or more characters")
        if not isinstance(character, str) or len(character) != 1:
            raise VocabError(
                f"replace_dict maps {key!r} to {character!r}; expected a single character, because tokens are cut by "
                "character; choose one that the texts do not use"
            )
        if character in seen:
            raise VocabError(
                f"replace_dict maps both {seen[character]!r} and {key!r} to {character!r}, so that neither could be "
                "told from the other afterwards; give each its own character"
            )
        seen[character] = key
