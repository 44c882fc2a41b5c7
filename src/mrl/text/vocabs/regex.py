"""Vocabularies whose tokens are the matches of a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mrl.errors import VocabError
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
        `pattern` is not a string, or not a regular expression.

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
        except (re.error, UnicodeEncodeError) as error:
            raise VocabError(f"the pattern {pattern!r} is not a regular expression: {error}") from None
        self.pattern = pattern
        self.segmentation = replace(self.segmentation, pattern=pattern)
        super().__init__(itos, control=control)

    def tokenize(self, smile: str) -> list[str]:
        """Return the tokens of `smile`, with ``bos`` in front and ``eos`` at the end."""
        return super().tokenize(smile)

    def rules(self) -> dict[str, Any]:
        """Return the pattern."""
        return {"pattern": self.pattern}
