"""A pattern and its tokens, compiled to the one table that the kernels run.

`re` tries the choices of a pattern in order and takes the first that fits. An automaton that reads each byte once
does the same if it keeps, as RE2 does, the states it may be in as a list in order of priority, cut after the first
that completes a match (Cox 2010, https://swtch.com/~rsc/regexp/regexp3.html). Such a list is one *place* in the
pattern; paired with the node in the tree of tokens to which the same bytes lead, it knows the id of what was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels import BACKTRACK, CONTINUE, EMIT, REJECT, SPLIT, UNK, TokenTable
from mrl.text._pattern import MATCH, Byte, Nfa, Unsupported

__all__ = ["build"]

Ints: TypeAlias = NDArray[np.int32]

_MAX_PLACES = 1_000
_MAX_ENTRIES = 1 << 22  # of 5 bytes
_DEAD = -1


def build(
    pattern: str | None,
    pieces: Mapping[str, int],
    *,
    split: Iterable[str] = (),
    byte_ids: Mapping[int, int] | None = None,
) -> TokenTable:
    """Compile a pattern and its tokens.

    Parameters
    ----------
    pattern : str or None
        Where tokens end; None makes every code point one.
    pieces : mapping of str to int
        The id, 4 or more, of each text that is a token.
    split : iterable of str
        Texts in ASCII that are cut into code points where the pattern makes them one piece.
    byte_ids : mapping of int to int, optional
        The id of each of the 256 bytes. Where given, a piece that is no token is cut, from left to right, into the
        longest tokens that fit, and single bytes where none does.

    Returns
    -------
    TokenTable

    Raises
    ------
    Unsupported
        No table can be made of the pattern, or it would be too large.

    Examples
    --------
    >>> table = build("N|Cl?", {"C": 4, "Cl": 5, "N": 6})
    >>> len(table.transitions) // table.width, table.width
    (10, 10)
    """
    nfa, tree = Nfa(pattern), _Tree()
    for piece, number in pieces.items():
        tree.add(piece.encode("utf-8", "surrogatepass"), number)
    for piece in split:
        tree.add(piece.encode(), SPLIT)
    classes = _classes(nfa, tree)
    steps, matches = _determinise(nfa, classes)
    follow, places, codes = _product(steps, tree, classes)

    # A state that cannot read a byte has come to the end of its piece, and the next one begins with that byte.
    ends = matches[places]
    after = np.where(ends, np.where(codes > UNK, EMIT, BACKTRACK), REJECT).astype(np.uint8)
    dead = follow == _DEAD
    action = np.where(dead, after[:, None], np.uint8(CONTINUE))
    follow = np.where(dead, follow[0], follow)
    codes = np.where(ends, codes, (np.cumsum(~matches) - 1)[places])
    states = len(follow)
    if byte_ids is not None:
        branches, tokens = _branches(tree, classes, first=states)
        follow, codes = np.concatenate([follow, branches]), np.concatenate([codes, tokens])
        action, after = np.pad(action, ((0, len(tokens)), (0, 0))), np.pad(after, (0, len(tokens)))

    kinds: dict[bytes, int] = {}
    merged = [kinds.setdefault(a.tobytes() + b.tobytes(), len(kinds)) for a, b in zip(follow.T, action.T, strict=True)]
    keep = [merged.index(kind) for kind in kinds.values()]
    width = len(keep) + 2
    single = [tree.codes[tree.children[0].get(byte, 0)] for byte in range(256)]
    if byte_ids is not None:
        single = [code if code > UNK else byte_ids[byte] for byte, code in enumerate(single)]
    return TokenTable(
        byte_classes=np.array(merged, np.uint8)[classes],
        transitions=np.column_stack([follow[:, keep] * width, np.zeros_like(codes), codes]).astype(np.uint32).ravel(),
        actions=np.column_stack([action[:, keep], after, np.zeros_like(after)]).ravel(),
        byte_ids=np.array(single, np.uint32),
        width=width,
        n_incomplete=int((~matches).sum()),
        trie_root=0 if byte_ids is None else states * width,
    )


class _Tree:
    """The tokens as a tree of bytes, node 0 its root; the code of a node that is no token is UNK."""

    def __init__(self) -> None:
        self.children: list[dict[int, int]] = [{}]
        self.codes = [UNK]

    def add(self, token: bytes, code: int) -> None:
        node = 0
        for byte in token:
            children = self.children[node]
            node = children.setdefault(byte, len(self.codes))
            if node == len(self.codes):
                self.children.append({})
                self.codes.append(UNK)
        self.codes[node] = code


def _classes(nfa: Nfa, tree: _Tree) -> Ints:
    """A number for each byte, the same for bytes that neither the pattern nor the tokens tell apart."""
    begins = np.zeros(257, np.int32)
    for state in nfa.states:
        if isinstance(state, Byte):
            begins[[state.low, state.high + 1]] = 1
    for children in tree.children:
        for byte in children:
            begins[[byte, byte + 1]] = 1
    begins[0] = 0
    return np.cumsum(begins[:256], dtype=np.int32)


def _determinise(nfa: Nfa, classes: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """The next place from each place (0 is the start) by class of bytes, and whether a match ends at the place."""
    number = classes.tolist()
    spans = [range(number[s.low], number[s.high] + 1) if isinstance(s, Byte) else range(0) for s in nfa.states]
    targets = [s.next if isinstance(s, Byte) else MATCH for s in nfa.states]
    # One code point of any kind ranks lowest; it comes in place of an empty match, which is none.
    start = tuple(_closure(nfa, (*_above_match(_closure(nfa, [nfa.start])), nfa.fallback)))
    numbers: dict[tuple[int, ...], int] = {start: 0, (): _DEAD}  # a class without characters, [^\s\S], leads nowhere
    places = [start]
    steps: list[list[int]] = []
    closed: dict[tuple[int, ...], int] = {(): _DEAD}
    for place in places:
        if len(places) > _MAX_PLACES:
            raise Unsupported(f"the pattern has more than {_MAX_PLACES:,} places to be in at once")
        reached: list[list[int]] = [[] for _ in range(number[-1] + 1)]
        for state in place:
            for c in spans[state]:
                reached[c].append(targets[state])
        row = []
        for key in map(tuple, reached):
            if key not in closed:
                states = _closure(nfa, key)
                following = (*_above_match(states), MATCH) if MATCH in states else tuple(states)
                closed[key] = numbers.setdefault(following, len(places))
                if closed[key] == len(places):
                    places.append(following)
            row.append(closed[key])
        steps.append(row)
    return np.array(steps, np.int32), np.array([place[-1] == MATCH for place in places])


def _closure(nfa: Nfa, entries: Iterable[int]) -> list[int]:
    """The states that read a byte or are MATCH, reached by choices alone, in order of priority."""
    found: dict[int, None] = {}
    seen: set[int] = set()
    stack = list(entries)[::-1]
    while stack:
        state = stack.pop()
        if state not in seen:
            seen.add(state)
            choice = nfa.states[state]
            if isinstance(choice, list):
                stack.extend(reversed(choice))
            else:
                found[state] = None
    return list(found)


def _above_match(states: list[int]) -> list[int]:
    return states[: states.index(MATCH)] if MATCH in states else states


def _product(steps: Ints, tree: _Tree, classes: Ints) -> tuple[Ints, Ints, Ints]:
    """Pairs of a place and a node: the next state by class, and the place and code of each state.

    State 0 is the start, states 1, 2, ... are places 0, 1, ... off the tree: there a pair behaves as its place does,
    so that only the branches of the tree are left to go through one by one.
    """
    number, step = classes.tolist(), steps.tolist()
    pairs, states = [(0, 0)], {(0, 0): 0}
    changes: list[tuple[int, int, int]] = []
    for place, node in pairs:
        _require_room(len(step) + len(pairs), steps.shape[1])
        for byte, child in tree.children[node].items():
            target = step[place][number[byte]]
            if target != _DEAD:
                state = states.setdefault((target, child), len(step) + len(pairs))
                if state == len(step) + len(pairs):
                    pairs.append((target, child))
                changes.append((states[place, node], number[byte], state))
    off_tree = [(place, -1) for place in range(len(step))]
    places, nodes = np.array([pairs[0], *off_tree, *pairs[1:]], np.int32).T
    follow = np.where(steps == _DEAD, _DEAD, steps + 1)[places]
    if changes:
        row, column, state = np.array(changes, np.int32).T
        follow[row, column] = state
    return follow, places, np.where(nodes < 0, UNK, np.array(tree.codes, np.int32)[nodes])


def _branches(tree: _Tree, classes: Ints, first: int) -> tuple[Ints, Ints]:
    """The tree itself as rows from `first` on: the next node by class, or 0; the id of each node, or 0."""
    _require_room(first + len(tree.codes), int(classes[-1]) + 1)
    follow = np.zeros((len(tree.codes), int(classes[-1]) + 1), np.int32)
    for node, children in enumerate(tree.children):
        for byte, child in children.items():
            follow[node, classes[byte]] = first + child
    codes = np.array(tree.codes, np.int32)
    return follow, np.where(codes > UNK, codes, 0)


def _require_room(states: int, classes: int) -> None:
    if states * classes > _MAX_ENTRIES:
        raise Unsupported(f"the table would take more than {_MAX_ENTRIES:,} entries: too many or too long tokens")
