"""A pattern and its tokens, compiled to the one table that the kernels run.

`re` tries the choices of a pattern in order and takes the first that matches. An automaton that reads each byte once
does the same if it keeps, as RE2 does, the states it may be in as a list in order of priority, cut after the first
that completes a match (Cox 2010, https://swtch.com/~rsc/regexp/regexp3.html). Such a list is one state of a
deterministic automaton (DFA); paired with the node of the trie of tokens to which the same bytes lead, it has the id
of the token that was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mrl.kernels import SPLIT, UNK, TokenTable
from mrl.text.compile.merged_states import merged_states
from mrl.text.compile.nfa import MATCH, Byte, Nfa, UnsupportedPattern
from mrl.text.compile.outputs import BACKTRACK, CONTINUE, DEAD, EMIT, REJECT, States, outputs_of

Ints: TypeAlias = NDArray[np.int32]

_MAX_DFA_STATES = 1_000
_MAX_ENTRIES = 1 << 22  # of 8 bytes


def build_table(
    pattern: str | None,
    pieces: Mapping[str, int],
    *,
    split: Iterable[str] = (),
    byte_ids: Mapping[int, int] | None = None,
    merges: Mapping[str, int] = MappingProxyType({}),
) -> TokenTable:
    """Return the table of a pattern and the ids (4 or more) of the pieces of text that are tokens.

    `split` are ASCII texts that are cut into code points where the pattern makes them one piece. Where the ids of the
    256 bytes are given, a piece that is not a token is cut, from left to right, into the longest tokens that fit, and
    into single bytes where none does. `merges` are the tokens of several pieces (see `merges.py`). Raises
    UnsupportedPattern, also where the table would be too large.

    Examples
    --------
    >>> table = build_table("N|Cl?", {"C": 4, "Cl": 5, "N": 6})
    >>> table.n_states, len(table.entries)
    (10, 200)
    """
    nfa, trie = Nfa(pattern), _Trie()
    for piece, number in pieces.items():
        trie.add(piece.encode(), number)
    for piece in split:
        trie.add(piece.encode(), SPLIT)
    classes = byte_classes(nfa, trie.children)
    steps, matches = determinise(nfa, classes)
    next_state, dfa_states, codes = _product(steps, trie, classes)

    # A state that cannot read a byte has come to the end of its piece, and the next one begins with that byte.
    ends = matches[dfa_states]
    at_end = np.where(ends, np.where(codes > UNK, EMIT, BACKTRACK), REJECT).astype(np.uint8)
    dead = next_state == DEAD
    action = np.where(dead, at_end[:, None], np.uint8(CONTINUE))
    codes = np.where(ends, codes, (np.cumsum(~matches) - 1)[dfa_states])
    made, first = States(next_state, action, at_end, np.zeros_like(codes), codes, []), 0
    if merges:
        _check_size(len(next_state) + sum(map(len, merges)) // 2, next_state.shape[1])
        made = merged_states(made, {text.encode(): i for text, i in merges.items()}, classes)
        first = len(made.codes) - len(codes)
    else:
        made = replace(made, next_state=np.where(dead, next_state[0], next_state))
    found = outputs_of(made)
    next_state, outputs, codes = found.next_state, found.outputs, made.codes
    states = len(next_state)
    if byte_ids is not None:
        rows, tokens = _trie_rows(trie, classes, first=states)
        next_state = np.concatenate([next_state, np.pad(rows, ((0, 0), (0, 1)))])
        codes = np.concatenate([codes, tokens])
        outputs = np.pad(outputs, ((0, len(tokens)), (0, 0)))

    kept, kinds = _distinct_columns(next_state[:, :-1], outputs[:, :-1])
    states = len(codes)
    columns = [*kept, -1]
    entries = np.zeros((len(columns) + 1, states, 2), np.uint32)
    entries[:-1, :, 0], entries[:-1, :, 1] = 2 * next_state[:, columns].T, outputs[:, columns].T
    entries[-1, :, 0] = codes
    single = [trie.codes[trie.children[0].get(byte, 0)] for byte in range(256)]
    if byte_ids is not None:
        single = [code if code > UNK else byte_ids[byte] for byte, code in enumerate(single)]
    return TokenTable(
        columns=(2 * states * kinds[classes]).astype(np.uint32),
        entries=entries.ravel(),
        writes=np.array(found.writes, np.uint32),
        byte_ids=np.array(single, np.uint32),
        backtrack=found.backtrack,
        reject=found.reject,
        n_states=states,
        n_incomplete=int((~matches).sum()),
        trie_root=0 if byte_ids is None else 2 * len(made.codes),
        piece_root=2 * first,
    )


def _distinct_columns(next_state: Ints, outputs: Ints) -> tuple[list[int], NDArray[np.intp]]:
    """Return one class of each kind, and for each class the number of its kind."""
    kinds: dict[bytes, int] = {}
    columns = zip(next_state.T, outputs.T, strict=True)
    kind = np.array([kinds.setdefault(a.tobytes() + b.tobytes(), len(kinds)) for a, b in columns])
    return np.unique(kind, return_index=True)[1].tolist(), kind


class _Trie:
    """The tokens as a trie of bytes, node 0 its root; the code of a node that is not a token is UNK."""

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


def byte_classes(nfa: Nfa, trie: Iterable[Mapping[int, int]]) -> Ints:
    """Return a number for each byte, the same for bytes that neither the pattern nor the tokens distinguish."""
    begins = np.zeros(257, np.int32)
    for state in nfa.states:
        if isinstance(state, Byte):
            begins[[state.low, state.high + 1]] = 1
    for children in trie:
        for byte in children:
            begins[[byte, byte + 1]] = 1
    begins[0] = 0
    return np.cumsum(begins[:256], dtype=np.int32)


def determinise(nfa: Nfa, classes: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the next DFA state of each (0 is the start) by byte class, and whether a match ends in it."""
    number = classes.tolist()
    spans = [range(number[s.low], number[s.high] + 1) if isinstance(s, Byte) else range(0) for s in nfa.states]
    targets = [s.next if isinstance(s, Byte) else MATCH for s in nfa.states]
    # One code point of any kind ranks lowest; it takes the place of an empty match.
    start = tuple(_closure(nfa, (*_above_match(_closure(nfa, [nfa.start])), nfa.fallback)))
    numbers: dict[tuple[int, ...], int] = {start: 0, (): DEAD}  # a class without characters, [^\s\S], leads nowhere
    dfa_states = [start]
    steps: list[list[int]] = []
    closed: dict[tuple[int, ...], int] = {(): DEAD}
    for dfa_state in dfa_states:
        if len(dfa_states) > _MAX_DFA_STATES:
            raise UnsupportedPattern(f"the pattern needs a deterministic automaton of over {_MAX_DFA_STATES:,} states")
        reached: list[list[int]] = [[] for _ in range(number[-1] + 1)]
        for state in dfa_state:
            for c in spans[state]:
                reached[c].append(targets[state])
        row = []
        for key in map(tuple, reached):
            if key not in closed:
                states = _closure(nfa, key)
                following = (*_above_match(states), MATCH) if MATCH in states else tuple(states)
                closed[key] = numbers.setdefault(following, len(dfa_states))
                if closed[key] == len(dfa_states):
                    dfa_states.append(following)
            row.append(closed[key])
        steps.append(row)
    return np.array(steps, np.int32), np.array([dfa_state[-1] == MATCH for dfa_state in dfa_states])


def _closure(nfa: Nfa, entries: Iterable[int]) -> list[int]:
    """Return the states that read a byte or are MATCH, reached by choices alone, in order of priority."""
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


def _product(steps: Ints, trie: _Trie, classes: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the next state of each pair of a DFA state and a node by byte class, its DFA state, and its code.

    State 0 is the start, states 1, 2, ... are the DFA states 0, 1, ... outside the trie: there a pair behaves as its
    DFA state does, so that only the branches of the trie are left to visit one by one.
    """
    number, step = classes.tolist(), steps.tolist()
    pairs, states = [(0, 0)], {(0, 0): 0}
    changes: list[tuple[int, int, int]] = []
    for dfa_state, node in pairs:
        _check_size(len(step) + len(pairs), steps.shape[1])
        for byte, child in trie.children[node].items():
            target = step[dfa_state][number[byte]]
            if target != DEAD:
                state = states.setdefault((target, child), len(step) + len(pairs))
                if state == len(step) + len(pairs):
                    pairs.append((target, child))
                changes.append((states[dfa_state, node], number[byte], state))
    outside = [(dfa_state, -1) for dfa_state in range(len(step))]
    dfa_states, nodes = np.array([pairs[0], *outside, *pairs[1:]], np.int32).T
    next_state = np.where(steps == DEAD, DEAD, steps + 1)[dfa_states]
    if changes:
        row, column, state = np.array(changes, np.int32).T
        next_state[row, column] = state
    return next_state, dfa_states, np.where(nodes < 0, UNK, np.array(trie.codes, np.int32)[nodes])


def _trie_rows(trie: _Trie, classes: Ints, first: int) -> tuple[Ints, Ints]:
    """Return the trie as rows from `first` on: the next node by byte class, or 0; the id of each node, or 0."""
    _check_size(first + len(trie.codes), int(classes[-1]) + 1)
    next_state = np.zeros((len(trie.codes), int(classes[-1]) + 1), np.int32)
    for node, children in enumerate(trie.children):
        for byte, child in children.items():
            next_state[node, classes[byte]] = first + child
    codes = np.array(trie.codes, np.int32)
    return next_state, np.where(codes > UNK, codes, 0)


def _check_size(states: int, classes: int) -> None:
    if states * classes > _MAX_ENTRIES:
        raise UnsupportedPattern(f"the table would have over {_MAX_ENTRIES:,} entries: too many or too long tokens")
