r"""A regular expression as an automaton over UTF-8 bytes whose choices are in order of priority.

Only this file touches Python's private pattern parser. What the automaton cannot express exactly as `re` does
(``\b``, look-around, ``\w``, ...) raises `UnsupportedPattern`; the vocabulary then runs by `re`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

try:
    from re import _parser  # type: ignore[attr-defined]
except ImportError:  # a Python without it runs every pattern through `re`
    _parser = None

MATCH = 0
"""The state in which a match is complete."""

_MAX_STATES = 10_000
_LAST = 0x10FFFF
# Lead byte, first and last code point of the UTF-8 sequences with 0, 1, 2 and 3 further bytes.
_UTF8_FORMS = ((0x00, 0x0, 0x7F), (0xC0, 0x80, 0x7FF), (0xE0, 0x800, 0xFFFF), (0xF0, 0x10000, _LAST))
_REASONS = {
    "AT": r"anchors or \b",
    "ASSERT": "look-around",
    "ASSERT_NOT": "look-around",
    "FAILURE": "look-around",
    "GROUPREF": "back-references",
    "GROUPREF_EXISTS": "conditional groups",
    "ATOMIC_GROUP": "atomic groups",
    "POSSESSIVE_REPEAT": "possessive repeats",
    "CATEGORY": r"\w, \d or \s, whose meaning changes with the version of Unicode",
}


def parse_pattern(pattern: str) -> Any:
    """Return what Python's parser makes of a pattern: a sequence of operations; None if this Python has none.

    Examples
    --------
    >>> list(parse_pattern("Cl"))
    [(LITERAL, 67), (LITERAL, 108)]
    """
    return None if _parser is None else _parser.parse(pattern)


class UnsupportedPattern(Exception):
    """A pattern that cannot be compiled to a table; the message says why."""


class Byte(NamedTuple):
    """A state that reads one byte from `low` to `high` and continues at `next`."""

    low: int
    high: int
    next: int


class Nfa:
    r"""The states of a pattern that `re` accepts, built from its end to its beginning; None is one that never matches.

    ``states[i]`` is a `Byte`, or a list of states to try, the best first; ``states[MATCH]`` is None. The pattern begins
    in the state `start`, and one code point of any kind (or a byte that does not begin one) in `fallback`. Raises
    UnsupportedPattern if the pattern needs more than a finite automaton, or too many states.

    Examples
    --------
    >>> nfa = Nfa("N|Cl?")
    >>> nitrogen, carbon = nfa.states[nfa.start]
    >>> nfa.states[nitrogen]
    Byte(low=78, high=78, next=0)
    >>> nfa.states[nfa.states[carbon].next]  # an 'l' if there is one, else nothing
    [12, 0]
    """

    def __init__(self, pattern: str | None) -> None:
        self.states: list[Byte | list[int] | None] = [None]
        self._shared: dict[Byte, int] = {}
        stray = [self._byte(Byte(low, high, MATCH)) for low, high in ((0x80, 0xBF), (0xF8, 0xFF))]
        self.fallback = self._choice([self._code_points([(0, _LAST)], MATCH), *stray])
        self.start = self._choice([]) if pattern is None else self._pattern(pattern)

    def _pattern(self, pattern: str) -> int:
        flags = re.compile(pattern).flags
        if flags & re.IGNORECASE:
            raise UnsupportedPattern("the pattern ignores case")
        if (parsed := parse_pattern(pattern)) is None:
            raise UnsupportedPattern("this Python has no pattern parser that mrl knows")
        return self._sequence(parsed, MATCH, bool(flags & re.DOTALL))

    def _add(self, state: Byte | list[int]) -> int:
        if len(self.states) >= _MAX_STATES:
            raise UnsupportedPattern(f"the pattern needs over {_MAX_STATES:,} states: its repeats are too large")
        self.states.append(state)
        return len(self.states) - 1

    def _byte(self, state: Byte) -> int:
        if state not in self._shared:
            self._shared[state] = self._add(state)
        return self._shared[state]

    def _choice(self, targets: Iterable[int]) -> int:
        return self._add(list(targets))

    def _sequence(self, items: Iterable[tuple[Any, Any]], target: int, dotall: bool) -> int:
        for op, argument in reversed(list(items)):
            target = self._item(str(op), argument, target, dotall)
        return target

    def _item(self, op: str, argument: Any, target: int, dotall: bool) -> int:
        """Return the state from which `op` leads to `target`."""
        match op:
            case "LITERAL":
                return self._code_points([(argument, argument)], target)
            case "NOT_LITERAL":
                return self._code_points(_complement([(argument, argument)]), target)
            case "ANY":
                return self._code_points([(0, _LAST)] if dotall else _complement([(10, 10)]), target)
            case "IN":
                return self._code_points(_ranges(argument), target)
            case "BRANCH":
                return self._choice([self._sequence(branch, target, dotall) for branch in argument[1]])
            case "SUBPATTERN":
                _, added, removed, body = argument
                if added & re.IGNORECASE:
                    raise UnsupportedPattern("the pattern ignores case")
                return self._sequence(body, target, (dotall or bool(added & re.DOTALL)) and not removed & re.DOTALL)
            case "MAX_REPEAT" | "MIN_REPEAT":
                least, most, body = argument
                return self._repeat(least, most, body, target, dotall, lazy=op == "MIN_REPEAT")
        raise UnsupportedPattern(f"the pattern has {_REASONS.get(op, f'the operation {op}')}")

    def _repeat(self, least: int, most: int, body: Any, target: int, dotall: bool, lazy: bool) -> int:
        if most > 1 and body.getwidth()[0] == 0:
            raise UnsupportedPattern("the pattern repeats a group that can be empty")

        def optional(repeated: int) -> list[int]:
            return [target, repeated] if lazy else [repeated, target]

        if most == _parser.MAXREPEAT:
            entry = self._choice([])
            self.states[entry] = optional(self._sequence(body, entry, dotall))
        else:
            entry = target
            for _ in range(most - least):
                entry = self._choice(optional(self._sequence(body, entry, dotall)))
        for _ in range(least):
            entry = self._sequence(body, entry, dotall)
        return entry

    def _code_points(self, ranges: Iterable[tuple[int, int]], target: int) -> int:
        """Return the state that reads one code point of the ranges, as its UTF-8 bytes."""
        entries = []
        for low, high in ranges:
            for sequence in _utf8(low, high):
                entry = target
                for first, last in reversed(sequence):
                    entry = self._byte(Byte(first, last, entry))
                entries.append(entry)
        return entries[0] if len(entries) == 1 else self._choice(entries)


def _ranges(items: Sequence[tuple[Any, Any]]) -> list[tuple[int, int]]:
    """Return the code points of a character class, as disjoint ranges in order."""
    found, negate, categories = [], False, set()
    for op, argument in items:
        match str(op):
            case "NEGATE":
                negate = True
            case "LITERAL":
                found.append((argument, argument))
            case "RANGE":
                found.append(argument)
            case "CATEGORY":
                categories.add(str(argument))
            case other:
                raise UnsupportedPattern(f"the pattern has the operation {other}")
    if any(name.replace("CATEGORY_", "CATEGORY_NOT_") in categories for name in categories):  # such as [\s\S]
        found, categories = [(0, _LAST)], set()
    if categories:
        raise UnsupportedPattern(f"the pattern has {_REASONS['CATEGORY']}")
    outside = _complement(found)
    return outside if negate else _complement(outside)


def _complement(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    outside, begin = [], 0
    for low, high in sorted(ranges):
        if low > begin:
            outside.append((begin, low - 1))
        begin = max(begin, high + 1)
    return [*outside, (begin, _LAST)] if begin <= _LAST else outside


def _utf8(low: int, high: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield the sequences of byte ranges that encode the code points from `low` to `high`.

    Byte sequences that no text contains (overlong forms, beyond the last code point) may be among them, which keeps
    the automaton small: "everything but ]" takes 10 ranges instead of 25.
    """
    for size, (lead, first, last) in enumerate(_UTF8_FORMS):
        begin, end = max(low, first), min(high, last)
        if begin <= end:
            begin = 0 if size and begin == first else begin
            end = (0x80 if not size else 0x40 >> size) * 64**size - 1 if end == last else end
            yield from _split(begin, end, size, lead)


def _split(begin: int, end: int, size: int, lead: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield ranges for the numbers from `begin` to `end`, written as a lead digit and `size` digits of base 64."""
    span = 64**size
    (low, left), (high, right) = divmod(begin, span), divmod(end, span)
    if low == high and size:
        for tail in _split(left, right, size - 1, 0x80):
            yield (lead + low, lead + low), *tail
        return
    if left:
        yield from _split(begin, low * span + span - 1, size, lead)
        low += 1
    if right < span - 1:
        yield from _split(high * span, end, size, lead)
        high -= 1
    if low <= high:
        yield (lead + low, lead + high), *[(0x80, 0xBF)] * size
