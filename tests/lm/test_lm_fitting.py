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
from torch.utils.data import DataLoader, Subset

from mrl.data import ConditionalDataset, Padding, TextDataset
from mrl.errors import DatasetError, MrlError, StateError
from mrl.lm import (
    FitOptions,
    LanguageModel,
    ModelConfig,
    SequenceModel,
    TrainingStep,
    Transformer,
    TransformerConfig,
    fit,
    log_likelihood,
    sample,
)
from mrl.lm.fitting import one_cycle
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
    losses = fit(small(), loader(), steps=150, lr=2e-2).losses
    assert losses.shape == (150,)
    assert losses.dtype == np.float64
    assert losses[0] == pytest.approx(math.log(len(VOCAB)), rel=0.1)
    assert losses[-10:].mean() < 0.5


def test_the_same_seeds_give_the_same_model_and_others_do_not() -> None:
    def trained(model_seed: int, order_seed: int) -> tuple[np.ndarray, dict[str, torch.Tensor]]:
        model = small(model_seed)
        losses = fit(model, loader(seed=order_seed), steps=12).losses
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
    fit(small(), loader(), steps=3)
    assert state() == before


def test_steps_may_take_less_than_an_epoch_or_several_each_in_its_own_order() -> None:
    epochs = loader(bs=16)  # two batches an epoch
    seen = []

    def recorded() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for x, y in epochs:
            seen.append(x)
            yield x, y

    fit(small(), recorded(), steps=1)
    assert len(seen) == 1
    epochs = loader(bs=16)
    fit(small(), epochs, steps=5)
    assert epochs.state_dict()["epoch"] == 2
    assert epochs.state_dict()["batches"] == 1


def test_each_step_is_reported() -> None:
    reported: list[TrainingStep] = []
    losses = fit(small(), loader(), steps=6, on_step=reported.append).losses
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
    a = fit(narrow, [(x, y)], steps=3).losses
    b = fit(padded, [wide], steps=3).losses
    np.testing.assert_allclose(a, b, rtol=1e-5)
    assert a[0] == pytest.approx(nn.functional.cross_entropy(small()(x)[0][0], y[0]).item(), rel=1e-5)


def test_no_steps_change_nothing() -> None:
    model = small()
    assert fit(model, loader(), steps=0).losses.shape == (0,)
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
    fit(whole, loader(), steps=3, options=FitOptions("constant"))
    model = small()

    def stop(step: TrainingStep) -> None:
        if step.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, loader(), steps=100, options=FitOptions("constant"), on_step=stop)
    assert same(weights(model), weights(whole))
    assert np.isfinite(fit(model, loader(), steps=2).losses).all()


def test_a_loss_that_is_not_finite_stops_it_and_keeps_the_weights() -> None:
    model = small()
    with torch.no_grad():
        model.head.bias[4] = math.inf
    before = weights(model)
    with pytest.raises(MrlError, match=r"step 0: the loss is nan.*lower lr") as caught:
        fit(model, loader(), steps=5)
    facts = vars(caught.value)
    assert facts["step"] == 0
    assert math.isnan(facts["loss"])
    assert same(weights(model), before)


def test_a_loader_without_batches_raises() -> None:
    with pytest.raises(DatasetError, match=r"no batch.*smaller bs, or drop_last=False"):
        fit(small(), loader(bs=100, drop_last=True), steps=1)


def test_ids_outside_the_vocabulary_raise() -> None:
    grown = CharacterVocab("CON=S")
    data = TextDataset(["CS"], grown)
    with pytest.raises(DatasetError, match=r"the id 8, outside the model's vocabulary \(0 to 7\)"):
        fit(small(), data.dataloader(1), steps=1)


def test_batches_of_another_kind_raise() -> None:
    others: tuple[Any, ...] = (
        loader(output="dict"),
        [(torch.zeros(2, 3), torch.zeros(2, 3))],
        [torch.zeros(2)],
    )
    for batches in others:
        with pytest.raises(DatasetError, match=r"not a pair \(x, y\) of int64 ids.*TextDataset"):
            fit(small(), batches, steps=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": -1}, "steps is -1"),
        ({"lr": 0.0}, "lr is 0.0; expected a positive number"),
        ({"lr": math.nan}, "lr is nan"),
    ],
)
def test_invalid_arguments_raise(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit(small(), loader(), **({"steps": 1} | options))


# --- what belongs to the model ---------------------------------------------------------------------------------------


def test_data_of_another_vocabulary_raise() -> None:
    others = TextDataset(["CO"], CharacterVocab("OCN="))
    with pytest.raises(StateError, match="did not grow from it"):
        fit(small(), others.dataloader(1), steps=1)
    with pytest.raises(StateError, match="did not grow from it"):
        fit(small(), loader(), others.dataloader(1), steps=1)
    parts: Any = Subset(Subset(others, [0]), [0])
    for data in (others, parts):
        torch_loader: Any = DataLoader(data, batch_size=1, collate_fn=others.collate_function)
        with pytest.raises(StateError, match="did not grow from it"):
            fit(small(), torch_loader, steps=1)


def test_rows_beyond_the_limit_of_the_model_raise() -> None:
    model = small(max_length=10)  # bos, eos, and 8 characters
    fit(model, TextDataset(["C" * 8], VOCAB).dataloader(1, padding=Padding(multiple=16)), steps=1)
    with pytest.raises(
        DatasetError, match="more than 10 ids, the model's max_length, at which samples are cut"
    ) as error:
        fit(model, TextDataset(["C" * 9], VOCAB).dataloader(1), steps=1)
    assert "TextDataset(..., max_length=10, on_long='reject')" in str(error.value)
    left = TextDataset(["C" * 8, "C" * 9], VOCAB, max_length=10, on_long="reject")
    assert len(left) == 1
    fit(model, left.dataloader(1), steps=1)


def test_padding_on_the_left_raises() -> None:
    data = TextDataset(["C", "CCC"], VOCAB)
    with pytest.raises(DatasetError, match=r"padded on the left.*Padding\(side='right'\)"):
        fit(small(), data.dataloader(2, padding=Padding(side="left")), steps=1)


def test_a_model_grows_with_its_vocabulary_and_is_trained_further() -> None:
    model = small()
    fit(model, loader(), steps=60, lr=2e-2)
    grown = CharacterVocab("CON=S")
    larger = model.resize(grown)
    ids = VOCAB.encode(ALCOHOLS)
    with torch.no_grad():
        before, after = log_likelihood(model, ids), log_likelihood(larger, ids)
    assert (after <= before).all()
    torch.testing.assert_close(after, before, atol=0.3, rtol=0)  # the new token is unlikely at first
    data = TextDataset(["CS" * 3] * 8, grown)
    assert fit(larger, data.dataloader(8), steps=150, lr=1e-2).losses[-1] < 0.4
    assert data.smiles[0] in sample(larger, 50, seed=1).decode(grown)
    with pytest.raises(StateError):
        larger.require_vocab(VOCAB)
    with pytest.raises(StateError):
        model.resize(CharacterVocab("CO"))


@pytest.mark.parametrize("config", [ModelConfig, TransformerConfig])
def test_a_condition_decides_what_is_generated(config: Any) -> None:
    texts, wanted = ["C" * 4, "O" * 4] * 8, [[1.0, 0.0], [0.0, 1.0]] * 8
    data = ConditionalDataset(texts, wanted, VOCAB)
    sizes = {"hidden": 32} if config is ModelConfig else {"width": 16, "heads": 2, "layers": 1}
    kind: Any = LanguageModel if config is ModelConfig else Transformer
    model: SequenceModel = kind(config.for_vocab(VOCAB, condition=2, **sizes))
    fit(model, data.dataloader(16), steps=120, lr=2e-2)
    for vector, text in (([1.0, 0.0], "CCCC"), ([0.0, 1.0], "OOOO")):
        assert sample(model, 20, condition=vector, seed=1).decode(VOCAB).count(text) > 15
    with pytest.raises(DatasetError, match="has a condition of 2 numbers, but a batch has none"):
        fit(model, loader(), steps=1)
    with pytest.raises(DatasetError, match=r"made without one: ModelConfig.for_vocab\(vocab, condition=2\)"):
        fit(small(), data.dataloader(4), steps=1)
    with pytest.raises(DatasetError, match=r"shape \(1, 1\); expected \(1, 2\)"):
        fit(model, ConditionalDataset(["C"], [1.0], VOCAB).dataloader(1), steps=1)
    with pytest.raises(DatasetError, match="NaN or infinite"):
        fit(model, ConditionalDataset(["C"], [[1.0, math.nan]], VOCAB).dataloader(1), steps=1)


# --- loss, optimizer, validation -------------------------------------------------------------------------------------


def test_loss_and_optimizer_may_be_ones_own() -> None:
    def doubled(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return 2 * nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=2)

    a, b = small(), small()
    sgd: dict[str, Any] = {
        "optimizer": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
        "options": FitOptions("constant", 1e9),
    }
    other: dict[str, Any] = {**sgd, "optimizer": lambda parameters: torch.optim.SGD(parameters, lr=0.05)}
    one = fit(a, loader(), steps=4, **sgd)
    two = fit(b, loader(), steps=4, loss=doubled, **other)
    np.testing.assert_allclose(2 * one.losses, two.losses, rtol=1e-5)
    with pytest.raises(ValueError, match="lr and optimizer are given"):
        fit(a, loader(), steps=1, lr=0.1, optimizer=torch.optim.SGD)


def test_the_validation_loss_is_that_of_all_tokens_and_the_best_weights_are_kept() -> None:
    valid = TextDataset(["N=N", "N"], VOCAB).dataloader(1)  # unlike the data: it gets worse
    model, best = small(), small()
    steps: list[TrainingStep] = []
    options = FitOptions("constant", evaluate_every=2, patience=3)
    history = fit(model, loader(), valid, steps=60, lr=2e-2, options=options, on_step=steps.append)
    assert len(history.losses) == len(history.valid) == len(steps) < 60
    measured = np.flatnonzero(~np.isnan(history.valid)) + 1
    assert measured.tolist() == list(range(2, len(steps) + 1, 2))
    assert history.best_step is not None
    assert history.best_step == len(steps) - 6  # three validations without a lower loss
    assert history.valid[history.best_step - 1] == np.nanmin(history.valid)
    assert [step.valid for step in steps if not math.isnan(step.valid)] == history.valid[measured - 1].tolist()
    fit(best, loader(), steps=history.best_step, lr=2e-2, options=FitOptions("constant"))
    assert same(weights(model), weights(best))
    with torch.no_grad():
        mean = -log_likelihood(model, VOCAB.encode(["N=N", "N"])).sum() / 6
    assert history.valid[history.best_step - 1] == pytest.approx(float(mean), rel=1e-5)
    assert repr(history).startswith(f"History({len(steps)} steps, loss ")


def test_without_patience_the_last_weights_stay() -> None:
    a, b = small(), small()
    history = fit(a, loader(), loader(), steps=20)
    fit(b, loader(), steps=20)
    assert same(weights(a), weights(b))
    assert np.flatnonzero(~np.isnan(history.valid)).tolist() == list(range(1, 20, 2))  # ten times
    with pytest.raises(ValueError, match="patience is given without validation data"):
        fit(a, loader(), steps=1, options=FitOptions(patience=1))


def test_a_training_that_diverges_raises() -> None:
    words = r"that of a guess \(2.08\): the training diverges; start again with a lower lr"
    with pytest.raises(MrlError, match=f"more than ten times {words}"):
        fit(small(), loader(), steps=40, lr=1e3)
    model = small()
    with torch.no_grad():
        model.head.bias[3] = 6.0  # finite, and wrong
    with pytest.raises(MrlError, match=rf"step 39: the loss ended at .* above {words}"):
        fit(model, loader(), steps=40, lr=1e-9)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schedule": "cosine"}, "schedule is 'cosine'; expected 'one-cycle' or 'constant'"),
        ({"clip": 0.0}, "clip is 0.0; expected a positive number"),
        ({"evaluate_every": 0}, "evaluate_every is 0"),
        ({"patience": 0}, "patience is 0"),
        ({"checkpoint_every": 1.5}, "checkpoint_every is 1.5"),
    ],
)
def test_invalid_options_raise(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FitOptions(**options)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_learns_the_same() -> None:
    host, device = small(), small().to("cuda")
    a = fit(host, loader(), steps=10).losses
    b = fit(device, loader(), steps=10).losses
    np.testing.assert_allclose(a, b, rtol=1e-2)
