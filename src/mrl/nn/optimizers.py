"""The state of an optimizer as tensors and JSON values, for files of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from mrl.messages import format_value

_LIKE_PARAMETER = frozenset({"exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer"})


def optimizer_state(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return all that an optimizer needs to go on, for `write_tensors`.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer

    Returns
    -------
    tensors : dict of str to Tensor
        Named ``"<parameter>/<entry>"``, such as ``"0/exp_avg"``.
    document : dict
        JSON values: the other entries, and the settings of the parameter groups.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> adam = torch.optim.Adam([weight])
    >>> weight.sum().backward()
    >>> adam.step()
    >>> tensors, document = optimizer_state(adam)
    >>> sorted(tensors), document["groups"][0]["lr"]
    (['0/exp_avg', '0/exp_avg_sq', '0/step'], 0.001)
    """
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    plain: dict[str, dict[str, Any]] = {}
    for key, entries in state["state"].items():
        for name, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{key}/{name}"] = value
            else:
                plain.setdefault(str(key), {})[name] = value
    return tensors, {"state": plain, "groups": state["param_groups"]}


def load_optimizer_state(
    optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor], document: Mapping[str, Any]
) -> None:
    """Put an optimizer into the state that `optimizer_state` returned.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Of parameters of the same number and shapes; changed in place.
    tensors, document : mapping
        As returned by `optimizer_state`; the document may have been JSON.

    Raises
    ------
    ValueError
        The state is of other parameters, or of an optimizer with other switches, such as `amsgrad`.

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> one, other = (torch.optim.SGD([weight], lr=lr, momentum=0.9) for lr in (0.5, 0.1))
    >>> load_optimizer_state(other, *optimizer_state(one))
    >>> other.param_groups[0]["lr"]
    0.5
    """
    state: dict[int, dict[str, Any]] = {int(key): dict(entries) for key, entries in document["state"].items()}
    for name, tensor in tensors.items():
        key, _, entry = name.partition("/")
        state.setdefault(int(key), {})[entry] = tensor
    for mine, theirs in zip(optimizer.param_groups, document["groups"], strict=True):
        for name, value in mine.items():
            if name != "params" and not _is_like(theirs[name], value):
                found = format_value(theirs[name])
                raise ValueError(f"{name} of a parameter group is {found}, expected one like {value!r}")
    if len({frozenset(entries) for entries in state.values()}) > 1:
        raise ValueError("the parameters have different entries")
    optimizer.load_state_dict({"state": state, "param_groups": document["groups"]})
    for group in optimizer.param_groups:
        for place, parameter in enumerate(group["params"]):
            for entry, value in optimizer.state.get(parameter, {}).items():
                if entry == "step" and torch.as_tensor(value).numel() != 1:
                    raise ValueError(f"step of parameter {place} is not a number")
                if entry in _LIKE_PARAMETER and value is not None and value.shape != parameter.shape:
                    shapes = f"{tuple(value.shape)}, expected {tuple(parameter.shape)}"
                    raise ValueError(f"{entry} of parameter {place} has the shape {shapes}")


def _is_like(theirs: Any, mine: Any) -> bool:
    """Whether a setting may replace another one while training goes on: a number a number, a switch only its equal."""
    if isinstance(mine, list | tuple):
        return isinstance(theirs, list | tuple) and len(theirs) == len(mine) and all(map(_is_like, theirs, mine))
    if _is_number(mine) and _is_number(theirs):
        return bool(theirs == mine or abs(theirs) <= 2**53)
    return type(theirs) is type(mine) and bool(theirs == mine)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
