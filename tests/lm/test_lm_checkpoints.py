"""Checkpoints: interrupted anywhere and resumed, a training ends with the same model, bit for bit."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mrl.data import TextDataset
from mrl.errors import ReadError, StateError
from mrl.lm import (
    FitOptions,
    History,
    LanguageModel,
    ModelConfig,
    SequenceModel,
    TrainingStep,
    Transformer,
    TransformerConfig,
    fit,
)
from mrl.nn import read_tensors, write_tensors
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CON=")
TEXTS = ["C" * n + x for n in range(1, 9) for x in "ON="]


def lstm(**sizes: int) -> SequenceModel:
    return LanguageModel(ModelConfig.for_vocab(VOCAB, **({"embedding": 4, "hidden": 8} | sizes)))


def transformer() -> SequenceModel:
    return Transformer(TransformerConfig.for_vocab(VOCAB, width=8, heads=2, layers=1))


def loader(seed: int = 0) -> Any:
    return TextDataset(TEXTS, VOCAB).dataloader(5, shuffle=True, seed=seed)


class Interrupted(Exception):
    pass


def train(model: SequenceModel, options: FitOptions, stop: int | None = None, **named: Any) -> History:
    """Train for 23 steps, four and a half epochs; be interrupted after step `stop`."""

    def on_step(step: TrainingStep) -> None:
        if step.step == stop:
            raise Interrupted

    valid = TextDataset(["NN", "CO"], VOCAB).dataloader(2)
    defaults: dict[str, Any] = {"steps": 23, "lr": 2e-2, "options": options, "on_step": on_step}
    return fit(model, loader(), valid, **(defaults | named))


def equal(a: SequenceModel, b: SequenceModel) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


@pytest.mark.parametrize("make", [lstm, transformer])
@pytest.mark.parametrize("patience", [None, 2])
def test_resumed_it_ends_as_if_it_had_not_been_interrupted(make: Any, patience: int | None, tmp_path: Path) -> None:
    def options(checkpoint: Path | None) -> FitOptions:
        return FitOptions(evaluate_every=3, patience=patience, checkpoint=checkpoint, checkpoint_every=4)

    whole = make()
    expected = train(whole, options(None))
    for stop in (3, 4, 9):
        path = tmp_path / f"{stop}.safetensors"
        with pytest.raises(Interrupted):
            train(make(), options(path), stop)
        resumed = make()
        reported: list[TrainingStep] = []
        history = train(resumed, options(path), on_step=reported.append)
        assert equal(resumed, whole)
        assert history.losses.tolist() == expected.losses.tolist()
        np.testing.assert_array_equal(history.valid, expected.valid)
        assert history.best_step == expected.best_step
        assert reported[0].step == (stop - 1) // 4 * 4 + 1
        again = make()  # it is done: nothing is trained any more
        assert train(again, options(path), 1).losses.tolist() == expected.losses.tolist()
        assert equal(again, whole)


def test_any_optimizer_is_resumed(tmp_path: Path) -> None:
    def momentum(parameters: Any) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, lr=0.3, momentum=0.9, nesterov=True)

    whole, resumed = lstm(), lstm()
    options = FitOptions(checkpoint=tmp_path / "c", checkpoint_every=5)
    train(whole, FitOptions(), optimizer=momentum, lr=None)
    with pytest.raises(Interrupted):
        train(lstm(), options, 13, optimizer=momentum, lr=None)
    train(resumed, options, optimizer=momentum, lr=None)
    assert equal(resumed, whole)


def _train_slowly(path: Path) -> None:
    def on_step(step: TrainingStep) -> None:
        time.sleep(0.01)

    torch.set_num_threads(1)
    options = FitOptions(checkpoint=path, checkpoint_every=2)
    fit(lstm(), loader(), steps=40, lr=2e-2, options=options, on_step=on_step)


@pytest.mark.slow
def test_killed_at_any_moment_and_run_again_it_ends_with_the_same_model(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    context = multiprocessing.get_context("spawn")
    for wait in (0.0, 0.05, 0.1):
        process = context.Process(target=_train_slowly, args=(path,))
        process.start()
        stamp = path.stat().st_mtime_ns if path.exists() else None
        while process.is_alive() and (not path.exists() or path.stat().st_mtime_ns == stamp):
            time.sleep(0.005)
        time.sleep(wait)
        process.kill()
        process.join()
    whole, resumed = lstm(), lstm()
    a = fit(whole, loader(), steps=40, lr=2e-2)
    b = fit(resumed, loader(), steps=40, lr=2e-2, options=FitOptions(checkpoint=path, checkpoint_every=2))
    assert a.losses.tolist() == b.losses.tolist()
    assert equal(whole, resumed)


def test_a_checkpoint_of_another_run_raises(tmp_path: Path) -> None:
    options = FitOptions(checkpoint=tmp_path / "c", checkpoint_every=2)
    with pytest.raises(Interrupted):
        train(lstm(), options, 5)
    for model, named, name in (
        (lstm(), {"steps": 24}, r"'steps' is not the same \(steps: 23 there, 24 here\)"),
        (lstm(), {"lr": 0.1}, "'learning rates' is not the same"),
        (lstm(), {"options": FitOptions("constant", checkpoint=tmp_path / "c")}, "'schedule' is not the same"),
        (lstm(hidden=9), {}, r"'hidden' is not the same \(hidden: 8 there, 9 here\)"),
        (lstm(), {"optimizer": torch.optim.Adam, "lr": None}, "'learning rates', 'optimizer' are not the same"),
    ):
        with pytest.raises(StateError, match=rf"checkpoint of another run: .*{name}.*remove the file to start again"):
            train(model, **({"options": options} | named))
    with pytest.raises(StateError, match=r"^.*c is a checkpoint of another run: .*the order differs.*remove the file"):
        fit(lstm(), loader(seed=1), steps=23, lr=2e-2, options=options)


CHECKPOINT: dict[str, Any] = {"format": "mrl-checkpoint", "version": 2}


def test_a_forged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    options = FitOptions(checkpoint=path, checkpoint_every=2)
    train(lstm(), options)
    document, tensors = read_tensors(path, **CHECKPOINT)
    counters = document["counters"]
    losses = tensors["progress/losses"]
    group = document["optimizer"]["groups"][0]
    forged: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"counters": counters | {"done": 10**9}}, {}),
        ({"counters": counters | {"worse": "x"}}, {}),
        ({"counters": 3}, {}),
        ({"optimizer": {"state": {}, "groups": -1}}, {}),
        ({"optimizer": {"state": {}, "groups": [{**group, "amsgrad": True}]}}, {}),
        ({"optimizer": {"state": {}, "groups": [{**group, "eps": 10**400}]}}, {}),
        ({}, {"optimizer/0/step": losses[:0]}),
        ({}, {"progress/losses": losses[:-1]}),
        ({}, {"progress/valid": losses.float()}),
        ({}, {"progress/best_loss": losses[:0]}),
        ({}, {"optimizer/0/exp_avg": tensors["optimizer/0/exp_avg"][None]}),
    ]
    for changed, replaced in forged:
        write_tensors(path, tensors | replaced, document | changed, **CHECKPOINT)
        with pytest.raises(ReadError, match=r"not a valid mrl-checkpoint file: .*; remove it to start again"):
            train(lstm(), options)
    for name in ("config", "settings"):
        write_tensors(path, tensors, document | {name: 3}, **CHECKPOINT)
        with pytest.raises(StateError, match=f"{path} is a checkpoint of another run"):
            train(lstm(), options)


def test_a_damaged_checkpoint_raises_and_batches_without_a_place_do(tmp_path: Path) -> None:
    options = FitOptions(checkpoint=tmp_path / "c", checkpoint_every=2)
    train(lstm(), options)
    data = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(ReadError, match="not a valid mrl-checkpoint file"):
        train(lstm(), options)
    with pytest.raises(ValueError, match=r"train must be a Loader, made by ds\.dataloader"):
        fit(lstm(), [*loader()], steps=2, options=options)
