"""The states of a table in which tokens of several pieces are read.

They are the trie of these tokens. Where a text leaves it, the longest token that was read is written, and reading
continues in the state of what remains: all of this is known when the table is compiled, so that encoding stays one
look-up per byte (as in Song et al. 2021, doi:10.18653/v1/2021.emnlp-main.160).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mrl.kernels import UNK
from mrl.text.compile.outputs import BACKTRACK, CONTINUE, DEAD, EMIT, POP, States


class _Node:
    """What was read since the last token: its bytes, the state of its last piece alone, and where that piece begins."""

    def __init__(self, text: bytes, state: int, begin: int, last: tuple[int, int] | None) -> None:
        self.text, self.state, self.begin, self.last = text, state, begin, last  # last: length and id of a token
        self.children: dict[int, int] = {}
        self.token: int | None = None
        self.first = -1  # of the tokens that begin with the text: the one that was learned first


def merged_states(single: States, merges: Mapping[bytes, int], classes: NDArray[np.int32]) -> States:
    """Return the states in which tokens of several pieces are read, state 0 the first, and after them the others.

    `single` are those in which a single piece is read, with DEAD wherever it ends, and `merges` the ids of tokens.
    """
    number: list[int] = classes.tolist()
    steps: list[list[int]] = single.next_state.tolist()
    codes: list[int] = single.codes.tolist()
    nodes = _trie(steps, codes, merges, number)
    n = len(nodes)
    dead = single.next_state == DEAD
    # The state after the first byte of a piece: in the trie if a token of several pieces begins with it.
    entry = np.where(dead[0], DEAD, single.next_state[0] + n).astype(np.int32)
    for byte, child in nodes[0].children.items():
        entry[number[byte]] = child
    shifted = np.where(dead, entry, single.next_state + n).astype(np.int32)

    next_state = np.concatenate([shifted[[node.state for node in nodes]], shifted])
    action = np.concatenate([single.action[[node.state for node in nodes]], single.action])
    at_end = np.concatenate([single.at_end[[node.state for node in nodes]], single.at_end])
    all_codes = np.concatenate([single.codes[[node.state for node in nodes]], single.codes])
    end_pops = np.zeros(len(at_end), np.int32)
    pops: list[tuple[list[int], int, int]] = []
    walks = _Walks(next_state, action, all_codes, pops, number)
    next_state[0] = np.where(entry == DEAD, next_state[0], entry)
    for i in sorted(range(1, n), key=lambda i: len(nodes[i].text)):
        node = nodes[i]
        if node.begin > 0:
            assert node.last is not None
            ends = single.at_end[node.state] in (EMIT, BACKTRACK)
            size, code = node.last
            inside = walks.pop([code], node.text[size:])
            next_state[i], action[i] = np.where(dead[node.state], entry, inside), np.where(dead[node.state], EMIT, POP)
            all_codes[i], at_end[i], end_pops[i] = node.token or 0, EMIT, inside
            if not ends or node.token is None:
                outside = inside
                if ends:
                    size, code = _longest(node, codes[node.state])
                    outside = walks.pop([code], node.text[size:])
                next_state[i], action[i] = np.where(dead[node.state], outside, inside), POP
                at_end[i], end_pops[i] = POP, outside
        for byte, child in node.children.items():
            next_state[i, number[byte]], action[i, number[byte]] = child, CONTINUE
    return States(next_state, action, at_end, end_pops, all_codes, pops)


def _trie(steps: list[list[int]], codes: list[int], merges: Mapping[bytes, int], number: list[int]) -> list[_Node]:
    nodes = [_Node(b"", 0, 0, None)]
    for text, token in sorted(merges.items(), key=lambda item: len(item[0])):  # a node knows the tokens before it
        at = 0
        for i, byte in enumerate(text):
            node = nodes[at]
            if byte not in node.children:
                node.children[byte] = len(nodes)
                state = steps[node.state][number[byte]]
                if state != DEAD:
                    child = _Node(text[: i + 1], state, node.begin, node.last)
                else:
                    child = _Node(text[: i + 1], steps[0][number[byte]], i, _longest(node, codes[node.state]))
                nodes.append(child)
            at = node.children[byte]
            nodes[at].first = token if nodes[at].first < 0 else min(nodes[at].first, token)
        nodes[at].token = token
    return _neighbours(nodes)


def _neighbours(nodes: list[_Node]) -> list[_Node]:
    """Return the nodes, the root first, in an order in which those that the same byte follows are often side by side.

    These are nodes that end with the same byte, and of these the ones whose most frequent child, which was learned
    first, is by the same byte.
    """

    def key(i: int) -> tuple[int, int, int]:
        children = nodes[i].children
        likely = min(children, key=lambda byte: nodes[children[byte]].first, default=256)
        return nodes[i].text[-1], likely, nodes[i].first

    order = [0, *sorted(range(1, len(nodes)), key=key)]
    place = {old: new for new, old in enumerate(order)}
    for node in nodes:
        node.children = {byte: place[child] for byte, child in node.children.items()}
    return [nodes[old] for old in order]


def _longest(node: _Node, code: int) -> tuple[int, int]:
    """Return length and id of the longest token that a node begins with, if a piece ends there."""
    if node.begin == 0:
        assert code > UNK
        return len(node.text), code
    if node.token is not None:
        return len(node.text), node.token
    assert node.last is not None
    return node.last


class _Walks:
    """What reading the rest of a node's text leads to, by states that are complete: pops, each of them once."""

    def __init__(
        self,
        next_state: NDArray[np.int32],
        action: NDArray[np.uint8],
        codes: NDArray[np.int32],
        pops: list[tuple[list[int], int, int]],
        number: list[int],
    ) -> None:
        self._next, self._action, self._codes, self._pops, self._number = next_state, action, codes, pops, number
        self._known: dict[tuple[tuple[int, ...], bytes], int] = {}

    def pop(self, ids: list[int], rest: bytes) -> int:
        """Return the number of the pop that writes `ids`, and then what is complete in `rest`."""
        key = tuple(ids), rest
        if key not in self._known:
            ids, state, begin = list(ids), 0, 0
            for i, byte in enumerate(rest):
                column = self._number[byte]
                while self._action[state, column] == POP:
                    more, state, size = self._pops[self._next[state, column]]
                    ids, begin = [*ids, *more], i - size
                if self._action[state, column] == EMIT:
                    ids, begin = [*ids, int(self._codes[state])], i
                state = int(self._next[state, column])
            self._known[key] = len(self._pops)
            self._pops.append((ids, state, len(rest) - begin))
        return self._known[key]
