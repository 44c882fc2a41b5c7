"""What a table writes at each byte: from what to do in each state to ids, before and after which nothing is decided."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrl.kernels import NO_BYTES

CONTINUE, EMIT, BACKTRACK, REJECT, POP = range(5)
"""What to do at a byte: read on; write an id first; a piece without an id has ended; return to the last end; write the
ids of the longest tokens of several pieces that fit, and read the byte again in another state."""

DEAD = -1
"""No next state."""


@dataclass(frozen=True)
class States:
    """States, by number, before they are written as a table.

    `next_state` is int32 (states, classes), with the number of a pop where `action` is POP, and DEAD where a single
    piece ends; `action` uint8 (states, classes); `at_end`, `end_pops` and `codes` (states,) are the action at the end
    of a text, its pop, and the id of the piece that ends in a state; `pops` are (ids, next state, bytes it has read).
    """

    next_state: NDArray[np.int32]
    action: NDArray[np.uint8]
    at_end: NDArray[np.uint8]
    end_pops: NDArray[np.int32]
    codes: NDArray[np.int32]
    pops: list[tuple[list[int], int, int]]


@dataclass(frozen=True)
class Outputs:
    """What is written in each state (states, classes and the end), and the next state; see `TokenTable`."""

    next_state: NDArray[np.int32]
    outputs: NDArray[np.int32]
    writes: list[int]
    backtrack: int
    reject: int


class _Writes:
    """What can be written: ids, the bytes read since the last of them ended, and whether reading goes on or stops."""

    def __init__(self) -> None:
        self.known: dict[tuple[tuple[int, ...], int, int], int] = {((), 0, CONTINUE): 0}

    def add(self, ids: tuple[int, ...], back: int, then: int) -> int:
        return self.known.setdefault((ids, back, then), len(self.known))


def outputs_of(states: States) -> Outputs:
    """Return what is written at each byte, so that no byte is read twice.

    A pop leads to a state which may pop again before it reads the byte; what is written in all is known here.

    Examples
    --------
    Two states, of one class of bytes: the second one writes the id 7, or at the end 5, and then one byte is left.

    >>> made = outputs_of(
    ...     States(
    ...         np.array([[1], [1]], np.int32),
    ...         np.array([[CONTINUE], [EMIT]], np.uint8),
    ...         np.array([REJECT, POP], np.uint8),
    ...         np.array([0, 0]),
    ...         np.array([0, 7]),
    ...         [([5], 0, 1)],
    ...     )
    ... )
    >>> made.outputs.tolist(), [made.writes[i : i + 4] for i in (4, 16)]
    ([[0, 12], [4, 16]], [[1, 0, 7, 0], [1, 1, 5, 0]])
    """
    n, classes = states.next_state.shape
    action = np.column_stack([states.action, states.at_end])
    target = np.column_stack([states.next_state, np.where(states.at_end == POP, states.end_pops, 0)])
    writes = _Writes()
    outputs = np.zeros((n, classes + 1), np.int32)
    next_state = target.copy()
    rows = np.arange(n)[:, None]
    for kind in (BACKTRACK, REJECT):
        outputs[action == kind] = writes.add((), 0, kind)
        next_state = np.where(action == kind, rows, next_state)
    emits = action == EMIT
    by_code = {code: writes.add((code,), 0, CONTINUE) for code in np.unique(states.codes[emits.any(axis=1)]).tolist()}
    numbers = np.zeros(max(by_code, default=0) + 1, np.int32)
    numbers[list(by_code)] = list(by_code.values())
    outputs = np.where(emits, numbers[np.where(emits, states.codes[:, None], 0)], outputs)
    if (action == POP).any():
        _pop(states, action, target, (next_state, outputs), writes)
    kinds = np.array([then for _, _, then in writes.known])
    order = np.argsort(kinds, kind="stable")
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order))
    first = [4 * int((kinds < kind).sum()) for kind in (BACKTRACK, REJECT)]
    return Outputs(next_state, 4 * place[outputs], _flat([*writes.known], order.tolist()), *first)


def _pop(
    states: States,
    action: NDArray[np.uint8],
    target: NDArray[np.int32],
    made: tuple[NDArray[np.int32], NDArray[np.int32]],
    writes: _Writes,
) -> None:
    """Set next states and outputs of all entries that pop: those first that lead to one which does not."""
    next_state, outputs = made
    known = [*writes.known]
    is_pop = action == POP
    pairs = np.unique(target[is_pop].astype(np.int64) * action.shape[1] + np.nonzero(is_pop)[1])
    pop, column = np.divmod(pairs, action.shape[1])
    after = np.array([state for _, state, _ in states.pops])[pop]
    then = action[after, column]
    found = np.full(len(pairs), -1)
    following = np.where(then == POP, target[after, column].astype(np.int64) * action.shape[1] + column, -1)
    following = np.searchsorted(pairs, following)
    next_of = np.where(then == POP, 0, next_state[after, column])
    ready = then != POP
    tail = np.where(ready, outputs[after, column], 0)
    while ready.any():
        keys, inverse = np.unique(np.stack([pop[ready], tail[ready]]), axis=1, return_inverse=True)
        numbers = []
        for number, write in keys.T.tolist():
            ids, _, size = states.pops[number]
            more, back, stop = known[write]
            numbers.append(writes.add((*ids, *more), back if more else size, stop))
        found[ready] = np.array(numbers)[inverse.reshape(-1)]
        known = [*writes.known]
        ready = (found < 0) & (found[following] >= 0) & (then == POP)
        tail = np.where(ready, found[following], 0)
        next_of = np.where(ready, next_of[following], next_of)
    entries = np.searchsorted(pairs, target[is_pop].astype(np.int64) * action.shape[1] + np.nonzero(is_pop)[1])
    next_state[is_pop] = next_of[entries]
    outputs[is_pop] = found[entries]


def _flat(writes: list[tuple[tuple[int, ...], int, int]], order: list[int]) -> list[int]:
    """Return the writes, in an order, as rows of four numbers, and then the ids of those that have more than two."""
    flat: list[int] = []
    more: list[int] = []
    for number in order:
        ids, back, _ = writes[number]
        if len(ids) <= 2:
            flat += [len(ids), back if ids else NO_BYTES, *ids, *[0] * (2 - len(ids))]
        else:
            flat += [len(ids), back, 4 * len(order) + len(more), 0]
            more += ids
    return flat + more
