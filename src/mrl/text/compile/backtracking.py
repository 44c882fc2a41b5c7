"""Patterns for which `re` may need far more time than a text has characters, found before one is used.

`re` tries one way after the other in which a text can be divided among repeats, until one of them leads to a match. A
repeat that can read one text in two ways, such as ``(a+)+``, has 2 ** n ways to read n of these texts; k repeats that
can read the same text one after the other, such as ``a*a*``, have about n ** (k - 1). They are all tried where what
follows does not match. A single repeat that can fail is read again from each character: n ** 2 steps.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from mrl.text.compile.nfa import parse_pattern

Characters: TypeAlias = frozenset[str]
Ways: TypeAlias = Counter[int]
"""A number of ways for each position."""

_UNBOUNDED = 8  # repeats; a bound beyond is as bad as none
_MOST_POSITIONS = 2_000
_MOST_TRIPLES = 100_000
_LONG = 1_000  # characters that a repeat reads again in no time
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "DIGIT": str.isdecimal,
    "SPACE": str.isspace,
    "WORD": lambda c: c.isalnum() or c == "_",
}
# One of each kind that categories tell apart; the characters of the pattern are added.
_KINDS = [*map(chr, range(128)), "\xe9", "\u0661", "\u2003", "\u2212", "\u4e2d", "\U0001f600"]


class Part(NamedTuple):
    """A part of a pattern: where it begins and ends, and the ways to match nothing."""

    first: Ways
    last: Ways
    empty: int


class TooComplex(Exception):
    """A pattern with more positions than are looked at."""


def ambiguous_repeat(pattern: str) -> str | None:
    """Return a text that a repeat of the pattern reads in two ways, although what follows may fail; None without one.

    Look-around, back-references and atomic groups are taken to match nothing, or not to be repeated in themselves:
    no pattern is suspected because of them.

    Parameters
    ----------
    pattern : str
        A regular expression that `re` accepts.

    Examples
    --------
    >>> ambiguous_repeat("(?:C+)+X"), ambiguous_repeat("(?:CO|C|O)*N")
    ('C', 'COC')
    >>> ambiguous_repeat(r"\\[[^]]+]|(?:C+O)+X|Br?"), ambiguous_repeat("(?:C+)+")
    (None, None)
    """
    return _find(pattern, lambda finder, items: finder.in_sequence(items, may_fail=False))


def shared_repeats(pattern: str) -> str | None:
    """Return a text that two repeats of the pattern, one after the other, can divide between them; None without one.

    Only where what follows may fail; look-around, back-references and atomic groups as in `ambiguous_repeat`.

    Parameters
    ----------
    pattern : str
        A regular expression that `re` accepts, without an ambiguous repeat.

    Examples
    --------
    >>> shared_repeats("a*a*b"), shared_repeats(r"\\d+(?:ab)*a(?:ba)*x")
    ('a', 'baba')
    >>> shared_repeats("a*b*c"), shared_repeats(r"\\d+\\.?\\d*")
    (None, None)
    """
    return _find(pattern, lambda finder, items: finder.shared(items))


def _find(pattern: str, look: Callable[[_Finder, Any], str | None]) -> str | None:
    """Return what is found in a pattern; None in one that cannot be taken apart, or is too large to look at."""
    items = parse_pattern(pattern)
    if items is None:
        return None
    flags = re.compile(pattern).flags
    try:
        return look(_Finder(bool(flags & re.IGNORECASE), bool(flags & re.DOTALL), {*pattern, *_KINDS}), items)
    except TooComplex:
        return None


def rescans(pattern: str) -> bool:
    """Return whether `re` may read a text as often as it has characters: a repeat without a bound may fail.

    Parameters
    ----------
    pattern : str
        A regular expression that `re` accepts.

    Examples
    --------
    >>> rescans("a*b"), rescans("(?=.*x)a"), rescans("a*"), rescans("Cl|Br")
    (True, True, False, False)
    """
    items = parse_pattern(pattern)
    return items is None or _rescans(items, may_fail=False)


class _Finder:
    """The positions of a pattern that read a character, as in an automaton of Glushkov, and what follows each."""

    def __init__(self, ignore_case: bool, dotall: bool, alphabet: Iterable[str]) -> None:
        self.ignore_case, self.dotall, self.alphabet = ignore_case, dotall, sorted(set(alphabet))
        self._clear()

    def _clear(self) -> None:
        self.reads: list[Characters] = []
        self.follow: list[Ways] = []
        self.fails: list[bool] = []  # whether what follows the item of a position may not match
        self.may_fail = False

    def in_sequence(self, items: Iterable[tuple[Any, Any]], may_fail: bool) -> str | None:
        """Return what an ambiguous repeat reads; `may_fail` says whether what follows the items may."""
        for op, argument in reversed(list(items)):
            if (found := self._in_item(str(op), argument, may_fail)) is not None:
                return found
            may_fail = may_fail or _may_fail(str(op), argument)
        return None

    def _in_item(self, op: str, argument: Any, may_fail: bool) -> str | None:
        match op:
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, body = argument
                if may_fail and most > _UNBOUNDED and (found := self._ambiguity(op, argument)) is not None:
                    return found
                return self.in_sequence(body, may_fail or least > 1)
            case "BRANCH":
                texts = (self.in_sequence(branch, may_fail) for branch in argument[1])
                return next((text for text in texts if text is not None), None)
            case "SUBPATTERN":
                return self.in_sequence(argument[3], may_fail)
            case "ATOMIC_GROUP":
                return self.in_sequence(argument, False)
            case "POSSESSIVE_REPEAT":
                return self.in_sequence(argument[2], argument[0] > 1)
            case "ASSERT" | "ASSERT_NOT":
                return self.in_sequence(argument[1], False)
        return None

    def _ambiguity(self, op: str, argument: Any) -> str | None:
        """Return a text that a repeat reads in two ways.

        Two walkers go from the same position, reading the same text, apart or by two ways of one step, and meet. From
        any position of a repeat one comes to any other, so that they may do it again.
        """
        self._clear()
        self._item(op, argument)
        alike = [{y for y, other in enumerate(self.reads) if reads & other} for reads in self.reads]
        came: dict[tuple[int, int], tuple[tuple[int, int], str]] = {}
        todo = deque((place, place) for place in range(len(self.reads)))
        while todo:
            a, b = todo.popleft()
            for x, ways in self.follow[a].items():
                for y in alike[x] & self.follow[b].keys():
                    character = min(self.reads[x] & self.reads[y], key=lambda c: (not c.isalnum(), c))
                    if x == y and (a != b or ways > 1):
                        return _text(came, (a, b)) + character
                    if x != y and (x, y) not in came:
                        came[x, y] = (a, b), character
                        todo.append((x, y))
        return None

    def shared(self, items: Iterable[tuple[Any, Any]]) -> str | None:
        """Return a text that two repeats of a pattern can divide between them.

        Three walkers read the same text: in the first repeat, from it to the second, and in the second.
        """
        self._clear()
        self._sequence(items)
        reached = [self._reached(place) for place in range(len(self.reads))]
        loops = [place for place, others in enumerate(reached) if place in others]
        for p in loops:
            for q in loops:
                is_after = q in reached[p] and p not in reached[q]
                if is_after and self.fails[q] and (text := self._divided(p, q, reached)) is not None:
                    return text
        return None

    def _reached(self, place: int) -> set[int]:
        found: set[int] = set()
        todo = [place]
        while todo:
            todo += (new := self.follow[todo.pop()].keys() - found)
            found |= new
        return found

    def _divided(self, p: int, q: int, reached: Sequence[set[int]]) -> str | None:
        came: dict[Any, tuple[Any, str]] = {}
        todo = deque([(p, p, q)])
        while todo:
            at = todo.popleft()
            a, b, c = (self.follow[place].keys() for place in at)
            for x in (x for x in a if p in reached[x]):
                for z in (z for z in c if q in reached[z]):
                    for y in (y for y in b if y == q or q in reached[y]):
                        both = self.reads[x] & self.reads[y] & self.reads[z]
                        if not both or (x, y, z) in came:
                            continue
                        came[x, y, z] = at, min(both, key=lambda c: (not c.isalnum(), c))
                        if (x, y, z) == (p, q, q):
                            return _text(came, (x, y, z), (p, p, q))
                        if len(came) > _MOST_TRIPLES:
                            raise TooComplex
                        todo.append((x, y, z))
        return None

    def _sequence(self, items: Iterable[tuple[Any, Any]]) -> Part:
        whole, outer, items = Part(Counter(), Counter(), 1), self.may_fail, list(items)
        for i, (op, argument) in enumerate(items):
            self.may_fail = outer or _any_may_fail(items[i + 1 :])
            whole = self._then(whole, self._item(str(op), argument))
        self.may_fail = outer
        return whole

    def _then(self, a: Part, b: Part) -> Part:
        self._link(a.last, b.first)
        return Part(
            _sum(a.first, _times(b.first, a.empty)), _sum(b.last, _times(a.last, b.empty)), min(2, a.empty * b.empty)
        )

    def _link(self, last: Ways, first: Ways) -> None:
        for position, ways in last.items():
            self.follow[position] = _sum(self.follow[position], _times(first, ways))

    def _item(self, op: str, argument: Any) -> Part:
        match op:
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                return self._position(self._characters(op, argument))
            case "BRANCH":
                parts = [self._sequence(branch) for branch in argument[1]]
                return Part(
                    _sum(*(p.first for p in parts)), _sum(*(p.last for p in parts)), min(2, sum(p.empty for p in parts))
                )
            case "SUBPATTERN":
                return self._sequence(argument[3])
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeat(*argument)
        return Part(Counter(), Counter(), 1)

    def _repeat(self, least: int, most: int, body: Any) -> Part:
        if most <= _UNBOUNDED:
            whole = Part(Counter(), Counter(), 1)
            for number in range(most):
                part = self._sequence(body)
                whole = self._then(whole, part if number < least else part._replace(empty=min(2, part.empty + 1)))
            return whole
        part = self._sequence(body)
        self._link(part.last, part.first)
        return part if least else part._replace(empty=1)  # `re` does not repeat what read nothing

    def _position(self, characters: Characters) -> Part:
        if len(self.reads) >= _MOST_POSITIONS:
            raise TooComplex
        self.reads.append(characters)
        self.follow.append(Counter())
        self.fails.append(self.may_fail)
        place = len(self.reads) - 1
        return Part(Counter({place: 1}), Counter({place: 1}), 0)

    def _characters(self, op: str, argument: Any) -> Characters:
        match op:
            case "ANY":
                return frozenset(c for c in self.alphabet if self.dotall or c != "\n")
            case "IN":
                return frozenset(c for c in self.alphabet if self._is_in(c, argument))
        given = self._cases(chr(argument))
        return frozenset(c for c in self.alphabet if (c in given) == (op == "LITERAL"))

    def _is_in(self, character: str, items: Sequence[tuple[Any, Any]]) -> bool:
        found = negate = False
        for op, argument in items:
            match str(op):
                case "NEGATE":
                    negate = True
                case "LITERAL":
                    found |= chr(argument) in self._cases(character)
                case "RANGE":
                    found |= any(argument[0] <= ord(c) <= argument[1] for c in self._cases(character))
                case "CATEGORY":
                    name = str(argument).removeprefix("CATEGORY_").removeprefix("UNI_")
                    found |= _CATEGORIES[name.removeprefix("NOT_")](character) != name.startswith("NOT_")
        return found != negate

    def _cases(self, character: str) -> set[str]:
        return {character, character.lower(), character.upper()} if self.ignore_case else {character}


def _may_fail(op: str, argument: Any) -> bool:
    """Return whether a part of a pattern may not match, wherever it stands."""
    match op:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return bool(argument[0]) and _any_may_fail(argument[2])
        case "BRANCH":
            return all(map(_any_may_fail, argument[1]))
        case "SUBPATTERN":
            return _any_may_fail(argument[3])
        case "ATOMIC_GROUP":
            return _any_may_fail(argument)
    return True


def _any_may_fail(items: Iterable[tuple[Any, Any]]) -> bool:
    return any(_may_fail(str(op), argument) for op, argument in items)


def _rescans(items: Iterable[tuple[Any, Any]], may_fail: bool) -> bool:
    for op, argument in reversed(list(items)):
        match str(op):
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                _, most, body = argument
                if (most > _LONG and may_fail) or _rescans(body, may_fail or most > 1):
                    return True
            case "BRANCH":
                if any(_rescans(branch, may_fail) for branch in argument[1]):
                    return True
            case "SUBPATTERN":
                if _rescans(argument[3], may_fail):
                    return True
            case "ATOMIC_GROUP":
                if _rescans(argument, may_fail):
                    return True
            case "ASSERT" | "ASSERT_NOT":
                if _rescans(argument[1], may_fail=True):
                    return True
            case "GROUPREF" | "GROUPREF_EXISTS":
                return True
        may_fail = may_fail or _may_fail(str(op), argument)
    return False


def _sum(*parts: Ways) -> Ways:
    total: Ways = Counter()
    for part in parts:
        for position, ways in part.items():
            total[position] = min(2, total[position] + ways)
    return total


def _times(ways: Ways, factor: int) -> Ways:
    return Counter({position: min(2, number * factor) for position, number in ways.items() if factor})


def _text(came: Mapping[Any, tuple[Any, str]], at: Any, start: Any = None) -> str:
    """Return what was read on the way to some positions."""
    characters: list[str] = []
    while at in came:
        at, character = came[at]
        characters.append(character)
        if at == start:
            break
    return "".join(reversed(characters))
