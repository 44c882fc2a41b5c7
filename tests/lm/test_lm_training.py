"""Training: it learns, in the same way each time, and reports what is wrong with its input."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mrl.data import TextDataset, VecReconDataset
from mrl.errors import DatasetError, MrlError
from mrl.lm import LanguageModel, ModelConfig, Step, train
from mrl.lm.training import one_cycle
from mrl.text import CharacterVocab, Vocab

VOCAB = CharacterVocab("CON=")
ALCOHOLS = ["C" * n + "O" for n in range(1, 9)] * 4


def small(seed: int = 0, vocab: Vocab = VOCAB, **sizes: int) -> LanguageModel:
    return LanguageModel(ModelConfig.for_vocab(vocab, **({"embedding": 8, "hidden": 16} | sizes)), seed=seed)


def weights(model: LanguageModel) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def loader(bs: int = 8, **options: Any) -> Any:
    return TextDataset(ALCOHOLS, VOCAB).dataloader(bs, shuffle=True, **options)


def test_the_loss_falls_from_that_of_a_guess() -> None:
    losses = train(small(), loader(), steps=150, lr=2e-2)
    assert losses.shape == (150,)
    assert losses.dtype == np.float64
    assert losses[0] == pytest.approx(math.log(len(VOCAB)), rel=0.1)
    assert losses[-10:].mean() < 0.5


def test_the_same_seeds_give_the_same_model_and_others_do_not() -> None:
    def trained(model_seed: int, order_seed: int) -> tuple[np.ndarray, dict[str, torch.Tensor]]:
        model = small(model_seed)
        losses = train(model, loader(seed=order_seed), steps=12)
        return losses, weights(model)

    losses, first = trained(0, 0)
    again, second = trained(0, 0)
    assert losses.tolist() == again.tolist()
    assert same(first, second)
    assert not same(first, trained(1, 0)[1])
    assert not same(first, trained(0, 1)[1])


def test_the_global_random_states_threads_and_flags_are_left_alone() -> None:
    def state() -> Any:
        flags = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled()
        of_numpy = pickle.dumps(np.random.get_state())  # noqa: NPY002
        return torch.random.get_rng_state().tolist(), random.getstate(), of_numpy, flags

    before = state()
    train(small(), loader(), steps=3)
    assert state() == before


def test_steps_may_take_less_than_an_epoch_or_several_each_in_its_own_order() -> None:
    epochs = loader(bs=16)  # two batches an epoch
    seen = []

    def recorded() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for x, y in epochs:
            seen.append(x)
            yield x, y

    train(small(), recorded(), steps=1)
    assert len(seen) == 1
    epochs = loader(bs=16)
    train(small(), epochs, steps=5)
    assert epochs.state_dict()["epoch"] == 2
    assert epochs.state_dict()["batches"] == 1


def test_each_step_is_reported() -> None:
    reported: list[Step] = []
    losses = train(small(), loader(), steps=6, on_step=reported.append)
    assert [step.step for step in reported] == [1, 2, 3, 4, 5, 6]
    assert [step.loss for step in reported] == losses.tolist()
    assert [step.molecules for step in reported] == [8, 16, 24, 32, 40, 48]
    assert reported[3].tokens == sum(len(text) + 1 for text in ALCOHOLS)  # one epoch; eos is predicted too
    assert {step.steps for step in reported} == {6}
    assert all(a.seconds <= b.seconds for a, b in pairwise(reported))


def test_padding_neither_counts_nor_changes_anything() -> None:
    x = torch.tensor([[0, 4, 5]])
    y = torch.tensor([[4, 5, 1]])
    wide = nn.functional.pad(x, (0, 4), value=2), nn.functional.pad(y, (0, 4), value=2)
    narrow, padded = small(), small()
    a = train(narrow, [(x, y)], steps=3)
    b = train(padded, [wide], steps=3)
    np.testing.assert_allclose(a, b, rtol=1e-5)
    assert a[0] == pytest.approx(nn.functional.cross_entropy(small()(x)[0][0], y[0]).item(), rel=1e-5)


def test_no_steps_change_nothing() -> None:
    model = small()
    assert train(model, loader(), steps=0).shape == (0,)
    assert same(weights(model), weights(small()))


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [one_cycle(step, 50) for step in range(50)]
    top = rates.index(1.0)
    assert top == 15
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[0] == pytest.approx(0.04)
    assert 0 < rates[-1] < 0.01
    assert 0 < one_cycle(0, 1) <= 1


def test_ctrl_c_leaves_the_model_of_the_last_completed_step() -> None:
    whole = small()
    train(whole, loader(), steps=3, schedule="constant")
    model = small()

    def stop(step: Step) -> None:
        if step.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(model, loader(), steps=100, schedule="constant", on_step=stop)
    assert same(weights(model), weights(whole))
    assert np.isfinite(train(model, loader(), steps=2)).all()


def test_a_loss_that_is_not_finite_stops_it_and_keeps_the_weights() -> None:
    model = small()
    with torch.no_grad():
        model.head.bias[4] = math.inf
    before = weights(model)
    with pytest.raises(MrlError, match=r"step 0: the loss is nan.*lower lr") as caught:
        train(model, loader(), steps=5)
    facts = vars(caught.value)
    assert facts["step"] == 0
    assert math.isnan(facts["loss"])
    assert same(weights(model), before)


def test_a_loader_without_batches_raises() -> None:
    with pytest.raises(DatasetError, match=r"no batch.*smaller bs, or drop_last=False"):
        train(small(), loader(bs=100, drop_last=True), steps=1)


def test_ids_outside_the_vocabulary_raise() -> None:
    grown = CharacterVocab("CON=S")
    data = TextDataset(["CS"], grown)
    with pytest.raises(DatasetError, match=r"the id 8, outside the model's vocabulary \(0 to 7\)"):
        train(small(), data.dataloader(1), steps=1)


def test_batches_of_another_kind_raise() -> None:
    vectors = VecReconDataset(["CO"], VOCAB, lambda text: [1.0, 2.0])
    others: tuple[Any, ...] = (
        vectors.dataloader(1),
        loader(output="dict"),
        [(torch.zeros(2, 3), torch.zeros(2, 3))],
        [torch.zeros(2)],
    )
    for batches in others:
        with pytest.raises(DatasetError, match=r"not a pair \(x, y\) of int64 ids.*TextDataset"):
            train(small(), batches, steps=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": -1}, "steps is -1"),
        ({"lr": 0.0}, "lr is 0.0; expected a positive number"),
        ({"lr": math.nan}, "lr is nan"),
        ({"schedule": "cosine"}, "schedule is 'cosine'; expected 'one-cycle' or 'constant'"),
    ],
)
def test_invalid_arguments_raise(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        train(small(), loader(), **({"steps": 1} | options))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_learns_the_same() -> None:
    host, device = small(), small().to("cuda")
    a = train(host, loader(), steps=10)
    b = train(device, loader(), steps=10)
    np.testing.assert_allclose(a, b, rtol=1e-2)
