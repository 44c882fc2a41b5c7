"""Vocabularies whose tokens are the matches of a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mrl.errors import VocabError
from mrl.messages import format_value
from mrl.text.compile.backtracking import ambiguous_repeat, shared_repeats
from mrl.text.compile.segmentation import Segmentation
from mrl.text.vocabs.vocab import Vocab


class RegexVocab(Vocab):
    r"""Tokens are the matches of a pattern, and single characters where it does not match.

    Parameters
    ----------
    itos : iterable of str
        The tokens, in the order of their ids.
    pattern : str
        A regular expression of Python's ``re``; a token is the whole match.
    control : iterable of str
        The names of control tokens; see `Vocab.add_control`.

    Attributes
    ----------
    pattern : str
        The pattern.
    regex : re.Pattern
        The pattern, compiled by ``re``.

    Raises
    ------
    VocabError
        `pattern` is not a string, not a regular expression, or one with a repeat that can read one text in two ways,
        although what follows may not match, such as ``(C+)+X``, or two repeats that can share one, such as ``C*C*X``:
        `re` would try all ways.

    Examples
    --------
    >>> from mrl.text import SMILE_REGEX
    >>> vocab = RegexVocab(["C", "[Br]"], SMILE_REGEX)
    >>> vocab.tokenize("CC[Br]"), vocab.engine
    (['bos', 'C', 'C', '[Br]', 'eos'], 'table')
    >>> RegexVocab([], "Br|Cl").rules()
    {'pattern': 'Br|Cl'}
    """

    kind = "regex"
    segmentation: Segmentation = Segmentation()

    def __init__(self, itos: Iterable[str], pattern: str, *, control: Iterable[str] = ()) -> None:
        if not isinstance(pattern, str):
            raise VocabError(f"the pattern is {pattern!r}; expected a string (of a compiled pattern, its .pattern)")
        try:
            self.regex = re.compile(pattern)
            pattern.encode()
        except (re.error, UnicodeEncodeError, OverflowError, RecursionError) as error:
            raise VocabError(f"the pattern {format_value(pattern)} is not a regular expression: {error}") from None
        if (text := ambiguous_repeat(pattern)) is not None:
            raise VocabError(
                f"the pattern {format_value(pattern)} may need a time that doubles with every character: a repeat in "
                f"it can read {format_value(text)} in two ways; write it so that there is one, such as 'C+X' for "
                "'(?:C+)+X'"
            )
        if (text := shared_repeats(pattern)) is not None:
            raise VocabError(
                f"the pattern {format_value(pattern)} may need a time that grows with the cube of the characters of a "
                f"text: two repeats in it, one after the other, can both read {format_value(text)}; write it so that "
                "one can, such as 'a*b' for 'a*a*b'"
            )
        self.pattern = pattern
        self.segmentation = replace(self.segmentation, pattern=pattern)
        super().__init__(itos, control=control)

    def tokenize(self, smile: str) -> list[str]:
        """Return the tokens of `smile`, with ``bos`` in front and ``eos`` at the end."""
        return super().tokenize(smile)

    def rules(self) -> dict[str, Any]:
        """Return the pattern."""
        return {"pattern": self.pattern}
