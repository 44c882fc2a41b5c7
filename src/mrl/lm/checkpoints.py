"""Checkpoints: everything that a training needs to go on exactly as if it had not been interrupted."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.arguments import require_integer
from mrl.data import Loader
from mrl.errors import StateError
from mrl.lm.model import SequenceModel
from mrl.messages import format_names
from mrl.nn import (
    invalid_tensors,
    join_parts,
    load_optimizer_state,
    optimizer_state,
    read_tensors,
    split_parts,
    write_tensors,
)

_FORMAT, _VERSION = "mrl-checkpoint", 2


@dataclass
class Progress:
    """How far a training is: steps, losses, and the best weights so far."""

    losses: NDArray[np.float64]
    valid: NDArray[np.float64]
    done: int = 0
    best_loss: float = math.inf
    best_step: int | None = None
    worse: int = 0  # validations since the best one
    stopped: bool = False
    best: dict[str, Tensor] = field(default_factory=dict)


_COUNTERS = ("done", "best_step", "worse", "stopped")


def save_checkpoint(
    path: Path,
    progress: Progress,
    model: SequenceModel,
    optimizer: torch.optim.Optimizer,
    settings: Mapping[str, Any],
    place: Mapping[str, Any],
) -> None:
    """Write a checkpoint, completely or not at all."""
    optimizer_tensors, optimizer_facts = optimizer_state(optimizer)
    numbers = {"losses": progress.losses, "valid": progress.valid, "best_loss": np.array([progress.best_loss])}
    parts = {
        "model": model.state_dict(),
        "best": progress.best,
        "progress": {name: torch.from_numpy(values) for name, values in numbers.items()},
        "optimizer": optimizer_tensors,
    }
    facts = {
        "config": dataclasses.asdict(model.config),
        "settings": dict(settings),
        "loader": dict(place),
        "counters": {name: getattr(progress, name) for name in _COUNTERS},
        "optimizer": optimizer_facts,
    }
    write_tensors(path, join_parts(parts), facts, format=_FORMAT, version=_VERSION)


def load_checkpoint(
    path: Path,
    model: SequenceModel,
    optimizer: torch.optim.Optimizer,
    settings: Mapping[str, Any],
    loader: Loader,
) -> Progress:
    """Set model, optimizer and loader to what they were, and return the progress; StateError for another run."""
    facts, tensors = read_tensors(path, format=_FORMAT, version=_VERSION)
    mine = {**dataclasses.asdict(model.config), **settings}
    theirs: dict[str, Any] = {}
    for part in (facts.get("config"), facts.get("settings")):
        theirs |= part if isinstance(part, dict) else {}
    if differs := [name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name)]:
        raise StateError(
            f"{path} is a checkpoint of another run: {format_names(differs)} {'is' if len(differs) == 1 else 'are'} "
            f"not the same ({differs[0]}: {theirs.get(differs[0])!r} there, {mine.get(differs[0])!r} here); go on with "
            "the settings of that run, or remove the file to start again",
            differs=tuple(differs),
        )
    parts = split_parts(tensors)
    try:
        loader.load_state_dict(facts["loader"])
        model.load_state_dict(parts["model"])
        load_optimizer_state(optimizer, parts["optimizer"], facts["optimizer"])
        numbers = {name: tensor.numpy() for name, tensor in parts["progress"].items()}
        best = {name: tensor.to(model.device) for name, tensor in parts["best"].items()}
        counters = {name: facts["counters"][name] for name in _COUNTERS}
        progress = Progress(
            numbers["losses"], numbers["valid"], best_loss=float(numbers["best_loss"][0]), best=best, **counters
        )
        _require_numbers(progress, settings["steps"])
    except StateError as error:
        raise StateError(
            f"{path} is a checkpoint of another run: {error}; give the data and order of that run, or remove the "
            "file to start again",
            differs=error.differs,
        ) from None
    except (ArithmeticError, AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise invalid_tensors(path, _FORMAT, f"{error}; remove it to start again") from None
    return progress


def _require_numbers(progress: Progress, steps: int) -> None:
    """Raise unless the numbers of a checkpoint are those of a training of so many steps."""
    for values in (progress.losses, progress.valid):
        if values.dtype != np.float64 or values.shape != (steps,):
            raise TypeError(f"losses are {values.dtype} {values.shape}, expected float64 ({steps},)")
    require_integer("done", progress.done, 0, steps)
    require_integer("worse", progress.worse, 0, steps)
    if progress.best_step is not None:
        require_integer("best_step", progress.best_step, 1, steps)
    if not isinstance(progress.stopped, bool):
        raise TypeError(f"stopped is {progress.stopped!r}; expected true or false")
