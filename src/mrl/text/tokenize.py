"""The notebook's small functions, lossless: the readable specification of every vocabulary.

Joining the tokens of any of them gives the text back (for replacements: after undoing them, see `literal`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mrl.text.constants import SPECIAL_TOKENS


def tokenize_by_character(input: str) -> list[str]:
    """Return the characters (Unicode code points) of `input`.

    Examples
    --------
    >>> tokenize_by_character("CC[NH]")
    ['C', 'C', '[', 'N', 'H', ']']
    """
    return list(input)


def literal(character: str) -> str:
    r"""Return the token of a replacement `character` that occurs in the text itself.

    With ``{"Br": "R"}`` the token ``R`` means ``Br``; the ``R`` of ``[Ru]`` is another token, and this is its name.

    Examples
    --------
    >>> print(literal("R"))
    \R
    """
    return "\\" + character


def tokenize_with_replacements(input: str, replacement_dict: Mapping[str, str]) -> list[str]:
    r"""Split a text into characters after replacing longer strings by one character each.

    One pass from left to right; the longest key wins; a replacement is never replaced again. A replacement character
    that occurs in the text itself becomes another token, with a backslash in front, so that nothing collides.

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
        for piece in re.findall(replacement_pattern(replacement_dict), input)
    ]


def replacement_pattern(replacement_dict: Mapping[str, str]) -> str:
    """Return the pattern of `tokenize_with_replacements`: any key, the longest first, or one code point."""
    keys = sorted(replacement_dict, key=lambda key: (-len(key), key))
    return "|".join([*map(re.escape, keys), r"[\s\S]"])


def regex_tokenize(input: str, regex: re.Pattern[str]) -> list[str]:
    r"""Split a text into the matches of a pattern, and single characters where it does not match.

    A token is the whole match, whatever groups the pattern has; an empty match is ignored; a match that is the name of
    a special token (``bos``, ``eos``, ``pad``, ``unk``) is cut into characters. Joined, the tokens are the text.

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
    return split_by_pattern(input, regex, SPECIAL_TOKENS)


def split_by_pattern(text: str, regex: re.Pattern[str], names: Collection[str]) -> list[str]:
    """Return the pieces that `regex_tokenize` describes; `names` are the matches that are cut into characters."""
    pieces: list[str] = []
    at, end = 0, len(text)
    match = regex.match
    while at < end:
        found = match(text, at)
        piece = (found and found.group()) or text[at]
        if piece in names:
            pieces.extend(piece)
        else:
            pieces.append(piece)
        at += len(piece)
    return pieces


def test_reconstruction(vocab: Any, inputs: Iterable[str]) -> list[tuple[str, str]]:
    """Return every text that a vocabulary does not give back.

    Parameters
    ----------
    vocab : Vocab
        Or anything with ``tokenize``, ``numericalize`` and ``reconstruct``.
    inputs : iterable of str
        The texts to test.

    Returns
    -------
    list of (str, str)
        Each text that was not reconstructed, and the text that came back instead; empty if all were.

    Examples
    --------
    >>> from mrl.text import CharacterVocab
    >>> test_reconstruction(CharacterVocab(["C", "O"]), ["CCO", "CN"])
    [('CN', 'C\ufffd')]
    """
    pairs = ((text, vocab.reconstruct(vocab.numericalize(vocab.tokenize(text)))) for text in inputs)
    return [(text, back) for text, back in pairs if text != back]


test_reconstruction.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test
