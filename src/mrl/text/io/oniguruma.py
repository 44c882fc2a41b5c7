r"""Patterns in the syntax that Python's `re` and Oniguruma, the regex engine of HuggingFace, read the same way.

They differ in ``[[`` and ``&&`` in a class, ``\xFF``, ``\Z``, ``{2}?``, flags, names of groups.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from typing import Any

from mrl.errors import VocabError
from mrl.text.compile.nfa import Nfa, UnsupportedPattern

ANY = r"[\s\S]"
"""One code point of any kind."""

_CHARACTER = r"\\[!-/:-@\[-`{-~nrt]"
_PORTABLE = re.compile(
    rf"(?:[^\\\[(){{}}|.*+?^$]|{_CHARACTER}|\[\^?\\s\\S]|\[\^?(?:[^\\\[\]&^]|{_CHARACTER})+]"
    r"|\((?:\?:|(?!\?))|[)|.]|[*+?]\??|\{[0-9]+,[0-9]*}\??|\{[0-9]+}(?!\?))*"
)
_SIGNS = {"{0,1}": "?", "{0,}": "*", "{1,}": "+"}


def portable_prefix(pattern: str) -> int:
    r"""Return the position up to which both engines are known to read a pattern the same way.

    Examples
    --------
    >>> portable_prefix(r"\[[^\]]+]|Br?"), portable_prefix(r"C|[[:alpha:]]")
    (13, 2)
    """
    found = _PORTABLE.match(pattern)
    return found.end() if found else 0


class _Parsed(Nfa):
    """The syntax tree of a pattern, if it needs no more than an automaton."""

    tree: Any = None
    dotall = False

    def _sequence(self, items: Iterable[tuple[Any, Any]], target: int, dotall: bool) -> int:
        if self.tree is None:  # the whole pattern comes first
            self.tree, self.dotall = items, dotall
        return super()._sequence(items, target, dotall)


def to_portable(pattern: str) -> str:
    r"""Return the same pattern in syntax that both engines read the same way.

    Raises
    ------
    VocabError
        There is none: look-around, anchors, flags, ``\w``, ``\d``, ``\s`` and all else that needs more than an
        automaton.

    Examples
    --------
    >>> print(to_portable(r"(?P<atom>\[[\w\W]{2}?])|\x43l??"))
    (?:\[[\s\S]{2}\]|Cl??)
    """
    try:
        parsed = _Parsed(pattern)
        text = _sequence(parsed.tree, parsed.dotall)
        text.encode()
    except UnsupportedPattern as reason:
        raise VocabError(f"HuggingFace cannot express the pattern {pattern!r} exactly: {reason}") from None
    except UnicodeEncodeError:
        raise VocabError(f"HuggingFace cannot express the pattern {pattern!r}: it contains a lone surrogate") from None
    return text


def _sequence(items: Iterable[tuple[Any, Any]], dotall: bool) -> str:
    return "".join(_item(str(op), argument, dotall) for op, argument in items)


def _item(op: str, argument: Any, dotall: bool) -> str:
    match op:
        case "LITERAL":
            return _character(argument)
        case "NOT_LITERAL":
            return f"[^{_character(argument)}]"
        case "ANY":
            return ANY if dotall else "."
        case "IN":
            return _class([(str(kind), value) for kind, value in argument])
        case "BRANCH":
            return f"(?:{'|'.join(_sequence(branch, dotall) for branch in argument[1])})"
        case "SUBPATTERN":
            _, added, removed, body = argument
            return _sequence(body, (dotall or bool(added & re.DOTALL)) and not removed & re.DOTALL)
    least, most, body = argument  # a repeat
    text = _sequence(body, dotall)
    if len(body) != 1 or str(body[0][0]) not in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
        text = f"(?:{text})"
    if least == most:
        return f"{text}{{{least}}}"
    times = f"{{{least},{'' if str(most) == 'MAXREPEAT' else most}}}"
    return text + _SIGNS.get(times, times) + ("?" if op == "MIN_REPEAT" else "")


def _class(items: list[tuple[str, Any]]) -> str:
    negated = "^" if ("NEGATE", None) in items else ""
    if any(kind == "CATEGORY" for kind, _ in items):  # with its opposite, as in [\s\S]
        return rf"[{negated}\s\S]"
    ranges = [(value, value) if kind == "LITERAL" else value for kind, value in items if kind != "NEGATE"]
    return f"[{negated}{''.join(_character(a) if a == b else f'{_character(a)}-{_character(b)}' for a, b in ranges)}]"


def _character(code: int) -> str:
    character = chr(code)
    return "\\" + character if character in string.punctuation else character
