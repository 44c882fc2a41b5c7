"""An optimizer that is loaded goes on as the one that was saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mrl.nn import load_optimizer_state, optimizer_state, read_tensors, write_tensors

KIND: dict[str, Any] = {"format": "mrl-example", "version": 1}


def step(model: nn.Module, optimizer: torch.optim.Optimizer, times: int) -> None:
    for _ in range(times):
        optimizer.zero_grad()
        (model(torch.ones(2, 3)) ** 2).sum().backward()
        optimizer.step()


@pytest.mark.parametrize(
    "make",
    [
        lambda parameters: torch.optim.AdamW(parameters, lr=0.1, fused=True),
        lambda parameters: torch.optim.Adam(parameters, lr=0.1, amsgrad=True),
        lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9),
        lambda parameters: torch.optim.Rprop(parameters),
        lambda parameters: torch.optim.ASGD(parameters, lr=0.1),
    ],
)
def test_training_goes_on_as_if_it_had_not_been_interrupted(
    make: Callable[..., torch.optim.Optimizer], tmp_path: Path
) -> None:
    model = nn.Linear(3, 2)
    optimizer = make(model.parameters())
    step(model, optimizer, 3)
    optimizer.param_groups[0]["lr"] = 0.05  # as a schedule does
    tensors, document = optimizer_state(optimizer)
    write_tensors(tmp_path / "a.safetensors", tensors, {"optimizer": document}, **KIND)
    copy = nn.Linear(3, 2)
    copy.load_state_dict(model.state_dict())
    resumed = make(copy.parameters())
    facts, tensors = read_tensors(tmp_path / "a.safetensors", **KIND)
    load_optimizer_state(resumed, tensors, facts["optimizer"])
    step(model, optimizer, 3)
    step(copy, resumed, 3)
    assert torch.equal(model.weight, copy.weight)
    assert torch.equal(model.bias, copy.bias)


def test_the_state_of_other_parameters_is_an_error() -> None:
    state = optimizer_state(torch.optim.SGD(nn.Linear(3, 2).parameters(), lr=0.1))
    with pytest.raises(ValueError, match="doesn't match the size"):
        load_optimizer_state(torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=0.1), *state)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"amsgrad": True}, "amsgrad of a parameter group is True, expected one like False"),
        ({"maximize": 7}, "maximize of a parameter group is 7, expected one like False"),
        ({"betas": 0.9}, r"betas of a parameter group is 0.9, expected one like \(0.9, 0.999\)"),
        ({"lr": None}, "lr of a parameter group is None, expected one like 0.1"),
        ({"lr": 10**400}, "lr of a parameter group is 1000+.*, expected one like 0.1"),
        ({"eps": [1]}, r"eps of a parameter group is \[1\], expected one like 1e-08"),
    ],
)
def test_the_settings_of_another_optimizer_are_an_error(changed: dict[str, Any], message: str) -> None:
    optimizer = torch.optim.Adam(nn.Linear(3, 2).parameters(), lr=0.1)
    tensors, document = optimizer_state(optimizer)
    with pytest.raises(ValueError, match=message):
        load_optimizer_state(optimizer, tensors, {**document, "groups": [document["groups"][0] | changed]})


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ("1/step", torch.zeros(0), "step of parameter 1 is not a number"),
        ("0/step", torch.zeros(3, 3), "step of parameter 0 is not a number"),
        ("1/exp_avg", None, "the parameters have different entries"),
    ],
)
def test_entries_that_an_optimizer_cannot_go_on_with_are_an_error(
    entry: str, value: torch.Tensor | None, message: str
) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    step(model, optimizer, 1)
    tensors, document = optimizer_state(optimizer)
    forged = {name: tensor for name, tensor in tensors.items() if name != entry}
    with pytest.raises(ValueError, match=message):
        load_optimizer_state(optimizer, forged if value is None else forged | {entry: value}, document)
