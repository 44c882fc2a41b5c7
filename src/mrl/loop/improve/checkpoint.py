"""The state of a run in one file, written after each round, completely or not at all."""

from __future__ import annotations

import dataclasses
import json
import math
import operator
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mrl.errors import StateError
from mrl.loop.improve.history import Call, Round
from mrl.loop.improve.policy import Policy
from mrl.loop.improve.surrogate import KINDS
from mrl.nn import (
    invalid_tensors,
    join_parts,
    load_optimizer_state,
    optimizer_state,
    read_tensors,
    split_parts,
    write_tensors,
)

_FORMAT, _VERSION = "mrl-improve-state", 2
STATE_FILE = "state.safetensors"


class Checkpoint(NamedTuple):
    """What a run knows after a round, besides the model."""

    calls: Sequence[Call]
    rounds: Sequence[Round]
    weights: NDArray[np.float64] | None
    without_new: int
    part_best: NDArray[np.float64] | None


def save_checkpoint(folder: Path, state: Checkpoint, policy: Policy | None, arguments: dict[str, object]) -> None:
    """Write the state of a run."""
    document: dict[str, Any] = {
        "arguments": arguments,
        "calls": [[None if _is_nan(value) else value for value in call] for call in state.calls],
        "rounds": [[None if _is_nan(value) else value for value in dataclasses.astuple(one)] for one in state.rounds],
        "weights": None if state.weights is None else state.weights.tolist(),
        "without_new": state.without_new,
        "part_best": None if state.part_best is None else state.part_best.tolist(),
    }
    tensors: dict[str, Tensor] = {}
    if policy is not None:
        found, document["optimizer"] = optimizer_state(policy.optimizer)
        parts = {"model": policy.model.state_dict(), "prior": policy.prior.state_dict(), "optimizer": found}
        tensors = join_parts(parts)
    write_tensors(folder / STATE_FILE, tensors, document, format=_FORMAT, version=_VERSION)


def load_checkpoint(
    folder: Path, policy: Policy | None, arguments: dict[str, object], components: int
) -> Checkpoint | None:
    """Return the state of a run of a score of `components`, None if there is none; put the model into that of the run.

    Raises
    ------
    ReadError
        The file is damaged, or its parts do not fit together.
    StateError
        The run has other arguments, or a model of other sizes.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return None
    document, tensors = read_tensors(path, format=_FORMAT, version=_VERSION)
    kept = document.get("arguments")
    differs = ["score"]
    if isinstance(kept, dict):
        differs = [name for name, value in json.loads(json.dumps(arguments)).items() if kept.get(name) != value]
    parts = split_parts(tensors)
    if not differs and policy is not None and _sizes(parts["model"]) != _sizes(policy.model.state_dict()):
        differs = ["model"]
    if differs:
        raise StateError(
            f"{folder} holds a run with another {' and '.join(differs)}; choose another folder, or pass the same "
            "arguments to go on with it",
            differs=tuple(differs),
        )
    try:
        state = _parse(document, components)
        if policy is not None:
            policy.model.load_state_dict(parts["model"])
            policy.prior.load_state_dict(parts["prior"])
            load_optimizer_state(policy.optimizer, parts["optimizer"], document["optimizer"])
    except (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = f"its parts do not fit together ({error}); remove it to start again"
        raise invalid_tensors(path, _FORMAT, reason) from None
    return state


def _parse(document: dict[str, Any], components: int) -> Checkpoint:
    calls = [Call(*_with_nan(row)) for row in document["calls"]]
    rounds = [Round(*_with_nan(row)) for row in document["rounds"]]
    texts = [text for call in calls for text in (call.smiles, call.source, call.reason)]
    numbers = [number for call in calls for number in (call.score, call.round)]
    numbers += [number for one in rounds for number in dataclasses.astuple(one)]
    if any(abs(number) > sys.float_info.max for number in numbers if type(number) is int):
        raise ValueError("a number is too large")
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(one, int | float) for one in numbers):
        raise TypeError("calls or rounds")
    if [one.number for one in rounds] != [*range(len(rounds))] or len(calls) != (rounds[-1].calls if rounds else 0):
        raise ValueError(f"{len(calls)} calls are not those of {len(rounds)} rounds")
    weights, best = document["weights"], document.get("part_best")  # earlier files do not have the latter
    return Checkpoint(
        calls,
        rounds,
        None if weights is None else _vector(weights, len(KINDS) + 1),
        operator.index(document["without_new"]),
        None if best is None else _vector(best, components),
    )


def _vector(values: list[float], n: int) -> NDArray[np.float64]:
    """Return numbers as an array (n,); a ValueError if there are not so many."""
    vector = np.array(values, np.float64)
    if vector.shape != (n,):
        raise ValueError(f"{vector.shape} numbers, expected ({n},)")
    return vector


def _sizes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _with_nan(row: list[Any]) -> list[Any]:
    return [math.nan if value is None else value for value in row]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
