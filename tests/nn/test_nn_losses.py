"""Masked losses against torch's own: on complete data, in a loop over the labels, and by their gradients."""

from __future__ import annotations

import copy
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mrl.data import TextPredictionDataset
from mrl.nn import MaskedLoss
from mrl.text import CharacterVocab

NAN = float("nan")
ELEMENTWISE = [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(delta=0.5), nn.SmoothL1Loss(), nn.BCEWithLogitsLoss()]


def drawn(shape: tuple[int, ...], missing: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return predictions that take a gradient, and targets 0 or 1, some missing."""
    generator = torch.Generator().manual_seed(seed)
    predictions = torch.randn(shape, generator=generator, requires_grad=True)
    targets = torch.randint(0, 2, shape, generator=generator).float()
    targets[torch.rand(shape, generator=generator) < missing] = NAN
    return predictions, targets


def looped(loss: nn.Module, predictions: Tensor, targets: Tensor) -> list[list[Tensor]]:
    """Return, for each column, the losses of its labels, computed alone."""
    if targets.ndim == 1:
        predictions, targets = predictions[:, None], targets[:, None]
    columns = zip(predictions.T, targets.T, strict=True)
    return [[loss(p, t) for p, t in zip(*column, strict=True) if not t.isnan()] for column in columns]


@pytest.mark.parametrize("loss", ELEMENTWISE, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 12), (1, 3)])
def test_without_missing_labels_it_equals_the_loss_of_torch(loss: nn.Module, shape: tuple[int, ...]) -> None:
    predictions, targets = drawn(shape, 0, 0)
    (expected,) = torch.autograd.grad(loss(predictions, targets), predictions)
    found = MaskedLoss(loss)(predictions, targets)
    torch.testing.assert_close(found, loss(predictions, targets))
    torch.testing.assert_close(torch.autograd.grad(found, predictions)[0], expected)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ELEMENTWISE), st.integers(0, 9), st.integers(0, 4), st.floats(0, 1), st.integers(0, 99))
def test_with_missing_labels_it_equals_a_loop_over_the_labels(
    loss: nn.Module, rows: int, tasks: int, missing: float, seed: int
) -> None:
    predictions, targets = drawn((rows, tasks) if tasks else (rows,), missing, seed)
    columns = looped(loss, predictions, targets)
    every = [one for column in columns for one in column]
    expected = torch.stack(every).mean() if every else torch.tensor(0.0)
    torch.testing.assert_close(MaskedLoss(loss)(predictions, targets), expected)
    means = [torch.stack(column).mean() for column in columns if column]
    expected = torch.stack(means).mean() if means else torch.tensor(0.0)
    torch.testing.assert_close(MaskedLoss(loss, per_task=True)(predictions, targets), expected)


def test_twelve_tasks_equal_a_loop_over_the_tasks() -> None:
    """The usual loop for tox21, where a sixth of the labels is missing."""
    predictions, targets = drawn((256, 12), 1 / 6, 3)
    pos_weight = torch.linspace(1, 20, 12)
    total = torch.tensor(0.0)
    for task in range(12):
        there = ~targets[:, task].isnan()
        one = nn.BCEWithLogitsLoss(pos_weight=pos_weight[task])
        total = total + one(predictions[there, task], targets[there, task]) / 12
    loss = MaskedLoss(nn.BCEWithLogitsLoss(pos_weight=pos_weight), per_task=True)
    found = loss(predictions, targets)
    torch.testing.assert_close(found, total)
    gradient, expected = (torch.autograd.grad(x, predictions)[0] for x in (found, total))
    torch.testing.assert_close(gradient, expected)
    assert (gradient[targets.isnan()] == 0).all()
    assert (gradient[~targets.isnan()] != 0).all()


@pytest.mark.parametrize("loss", [*ELEMENTWISE, nn.CrossEntropyLoss()], ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("per_task", [False, True])
def test_only_missing_labels_give_zero_with_a_gradient(loss: nn.Module, per_task: bool) -> None:
    for rows in (3, 0):
        if isinstance(loss, nn.CrossEntropyLoss):
            predictions, targets = torch.randn(rows, 5, 2, requires_grad=True), torch.full((rows, 2), -100)
        else:
            predictions, targets = torch.randn(rows, 2, requires_grad=True), torch.full((rows, 2), NAN)
        found = MaskedLoss(loss, per_task=per_task)(predictions, targets)
        assert found.item() == 0
        found.backward()
        assert predictions.grad is not None
        assert (predictions.grad == 0).all()


@pytest.mark.parametrize("bad", [NAN, float("inf"), -float("inf")])
def test_the_prediction_of_a_missing_label_has_no_influence(bad: float) -> None:
    for loss in ELEMENTWISE:
        predictions = torch.tensor([[0.5, bad], [1.0, 2.0]], requires_grad=True)
        found = MaskedLoss(loss)(predictions, torch.tensor([[1.0, NAN], [0.0, 1.0]]))
        found.backward()
        assert found.isfinite()
        assert predictions.grad is not None
        assert predictions.grad[0, 1] == 0
        assert predictions.grad.isfinite().all()
    scores = torch.tensor([[bad, 1.0], [0.5, 2.0]], requires_grad=True)
    MaskedLoss(nn.CrossEntropyLoss())(scores, torch.tensor([-100, 1])).backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()
    assert (scores.grad[0] == 0).all()


@pytest.mark.parametrize(("function", "slope"), [(torch.sqrt, 0.25), (torch.log, 0.25), (torch.reciprocal, -1 / 16)])
def test_a_function_that_is_infinite_at_the_replacement(function: Callable[[Tensor], Tensor], slope: float) -> None:
    predictions = torch.tensor([3.0, 4.0], requires_grad=True)
    found = MaskedLoss(lambda p, t: function(p - t))(predictions, torch.tensor([NAN, 0.0]))
    found.backward()
    assert found.item() == function(torch.tensor(4.0)).item()
    assert predictions.grad is not None
    assert predictions.grad.tolist() == [0, slope]


@pytest.mark.parametrize("weight", [None, torch.tensor([0.1, 2.0, 3.0, 1.0])])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(9,), (9, 5)])
def test_classes_as_torch_ignores_them(weight: Tensor | None, smoothing: float, shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn((shape[0], 4, *shape[1:]), generator=generator, requires_grad=True)
    targets = torch.randint(0, 4, shape, generator=generator)
    targets[torch.rand(shape, generator=generator) < 0.3] = -100
    loss = nn.CrossEntropyLoss(weight=weight, label_smoothing=smoothing)
    expected, found = loss(scores, targets), MaskedLoss(loss)(scores, targets)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, scores), torch.autograd.grad(expected, scores))


@pytest.mark.parametrize("kind", [nn.NLLLoss, nn.MultiMarginLoss])
def test_other_losses_of_classes(kind: type[nn.Module]) -> None:
    scores, targets = torch.randn(6, 3), torch.tensor([0, 2, 1, 1, 0, 2])
    loss = kind(weight=torch.tensor([0.1, 1.0, 5.0]))
    torch.testing.assert_close(MaskedLoss(loss)(scores, targets), loss(scores, targets))
    gaps = torch.tensor([0, -100, 1, -100, 0, 2])
    there = gaps != -100
    torch.testing.assert_close(MaskedLoss(loss)(scores, gaps), loss(scores[there], gaps[there]))


def test_the_ignore_index_of_the_loss_is_respected() -> None:
    scores, targets = torch.randn(4, 6), torch.tensor([2, 1, -100, 5])
    found = MaskedLoss(nn.CrossEntropyLoss(ignore_index=2))(scores, targets)
    torch.testing.assert_close(found, nn.CrossEntropyLoss()(scores[[1, 3]], targets[[1, 3]]))


def test_whole_numbers_as_targets_of_an_elementwise_loss() -> None:
    logits = torch.tensor([0.3, -1.0, 2.0])
    found = MaskedLoss(nn.BCEWithLogitsLoss())(logits, torch.tensor([1, -100, 0]))
    torch.testing.assert_close(found, nn.BCEWithLogitsLoss()(logits[[0, 2]], torch.tensor([1.0, 0.0])))
    complete = MaskedLoss(nn.BCEWithLogitsLoss())(logits, torch.tensor([True, False, True]))
    torch.testing.assert_close(complete, nn.BCEWithLogitsLoss()(logits, torch.tensor([1.0, 0.0, 1.0])))


@pytest.mark.parametrize("per_task", [False, True])
def test_weights_of_rows_and_of_labels(per_task: bool) -> None:
    """A weight of 2 counts like two such rows, a weight of 0 like none."""
    loss = MaskedLoss(nn.MSELoss(), per_task=per_task)
    predictions, targets = drawn((5, 3), 0.3, 1)
    weights = torch.tensor([2.0, 0.0, 1.0, 1.0, 3.0])
    repeated = torch.repeat_interleave(torch.arange(5), weights.long())
    expected = loss(predictions[repeated], targets[repeated])
    torch.testing.assert_close(loss(predictions, targets, weights), expected)
    torch.testing.assert_close(loss(predictions, targets, weights[:, None].expand(5, 3)), expected)
    torch.testing.assert_close(loss(predictions, targets, weights * 1e-6), expected)
    assert loss(predictions, targets, torch.zeros(5)).item() == 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_single(dtype: torch.dtype) -> None:
    predictions = torch.full((4096, 12), 200.0, dtype=dtype, requires_grad=True)  # 40,000 a label: no float16 sum
    targets = torch.zeros(4096, 12)
    targets[::3] = NAN
    found = MaskedLoss(nn.MSELoss())(predictions, targets)
    assert (found.dtype, found.item()) == (torch.float32, 40_000)
    (found / 1000).backward()
    assert predictions.grad is not None
    assert predictions.grad.dtype == dtype
    assert predictions.grad.isfinite().all()
    assert (predictions.grad[::3] == 0).all()
    assert MaskedLoss(nn.MSELoss())(torch.ones(2).double(), torch.zeros(2)).dtype == torch.float64
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert MaskedLoss(nn.MSELoss())(predictions, targets).item() == 40_000


def test_one_compiled_graph_whatever_is_missing() -> None:
    for loss, (predictions, targets) in [
        (MaskedLoss(nn.BCEWithLogitsLoss(pos_weight=torch.ones(3)), per_task=True), drawn((4, 3), 0.5, 0)),
        (MaskedLoss(nn.CrossEntropyLoss()), (torch.randn(4, 3), torch.tensor([0, -100, 2, 1]))),
    ]:
        graphs: list[Any] = []

        def backend(graph: Any, inputs: Any, graphs: list[Any] = graphs) -> Any:
            graphs.append(graph)
            return graph.forward

        compiled = torch.compile(loss, fullgraph=True, backend=backend)
        torch.testing.assert_close(compiled(predictions, targets), loss(predictions, targets))
        nothing = torch.full_like(targets, -100 if targets.dtype == torch.int64 else NAN)
        assert compiled(predictions, nothing).item() == 0
        assert len(graphs) == 1


def test_a_copy_of_the_loss_moves_with_the_model() -> None:
    given = nn.BCEWithLogitsLoss(pos_weight=torch.ones(2))
    loss = MaskedLoss(given)
    assert given.reduction == "mean"
    loss.to("meta")
    assert [buffer.is_meta for buffer in loss.buffers()] == [True]
    assert [buffer.is_meta for buffer in given.buffers()] == [False]
    assert "per_task=False" in repr(loss)
    other = pickle.loads(pickle.dumps(copy.deepcopy(MaskedLoss(nn.MSELoss()))))
    assert other(torch.ones(2), torch.tensor([0.0, NAN])).item() == 1


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (((4, 1), (4,)), r"the shape \(4, 1\) and targets \(4,\).*use predictions.squeeze\(-1\)"),
        (((4,), (4, 1)), r"the shape \(4,\) and targets \(4, 1\)"),
        (((4, 3), (4, 2)), "expected the same shape"),
        (((), ()), "expected the same shape"),
    ],
)
def test_shapes_are_never_broadcast(shapes: tuple[tuple[int, ...], ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        MaskedLoss(nn.MSELoss())(torch.zeros(shapes[0]), torch.zeros(shapes[1]))


def test_invalid_losses_and_shapes() -> None:
    with pytest.raises(ValueError, match="the loss has reduction='sum'; expected 'mean'"):
        MaskedLoss(nn.MSELoss(reduction="sum"))
    with pytest.raises(ValueError, match=r"returned the shape \(\) for targets of shape \(2,\); expected one loss per"):
        MaskedLoss(nn.functional.mse_loss)(torch.zeros(2), torch.zeros(2))
    with pytest.raises(ValueError, match=r"weights have the shape \(3,\) and targets \(2,\); expected one weight per"):
        MaskedLoss(nn.MSELoss())(torch.zeros(2), torch.zeros(2), torch.ones(3))
    with pytest.raises(ValueError, match=r"predictions have the shape \(2, 5, 3\) and targets \(2, 4\)"):
        MaskedLoss(nn.CrossEntropyLoss())(torch.zeros(2, 5, 3), torch.zeros(2, 4, dtype=torch.int64))


def test_labels_of_a_dataset() -> None:
    vocab = CharacterVocab(["C"])
    numbers: list[Any] = [[1.0, None], [NAN, 0.0], [0.5, 0.5]]
    _, y = TextPredictionDataset(["C", "CC", "CCC"], numbers, vocab).batch()
    assert MaskedLoss(nn.MSELoss())(torch.zeros(3, 2), y).item() == pytest.approx(1.5 / 4)
    _, y = TextPredictionDataset(["C", "CC"], [2, None], vocab, y_dtype=torch.int64).batch()
    assert MaskedLoss(nn.CrossEntropyLoss())(torch.zeros(2, 3), y).item() == pytest.approx(np.log(3))


@pytest.mark.skipif("MRL_DATA" not in os.environ, reason="MRL_DATA names no folder with tox21.csv.gz")
def test_tox21() -> None:
    table = pd.read_csv(Path(os.environ["MRL_DATA"]) / "tox21.csv.gz")
    tasks = [name for name in table.columns if name not in ("mol_id", "smiles")]
    assert len(tasks) == 12
    vocab = CharacterVocab([])
    vocab.update_vocab_from_data(table["smiles"])
    ds = TextPredictionDataset(table["smiles"], table[tasks], vocab)
    loss = MaskedLoss(nn.BCEWithLogitsLoss(), per_task=True)
    for rows in (np.arange(512), np.arange(len(ds))):
        _, y = ds.batch(rows)
        assert 0.05 < y.isnan().float().mean() < 0.5
        predictions = torch.randn(y.shape, generator=torch.Generator().manual_seed(0), requires_grad=True)
        means = []
        for task in range(12):
            there = ~y[:, task].isnan()
            means.append(nn.functional.binary_cross_entropy_with_logits(predictions[there, task], y[there, task]))
        found, expected = loss(predictions, y), torch.stack(means).mean()
        torch.testing.assert_close(found, expected)
        gradient, looped = (torch.autograd.grad(x, predictions)[0] for x in (found, expected))
        torch.testing.assert_close(gradient, looped)
        assert (gradient[y.isnan()] == 0).all()


REGRESSION = [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss(delta=0.5), nn.SmoothL1Loss()]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(REGRESSION), st.integers(1, 9), st.integers(1, 3), st.floats(0, 1), st.integers(0, 99))
def test_censored_labels_cost_only_on_the_wrong_side(
    loss: nn.Module, rows: int, tasks: int, missing: float, seed: int
) -> None:
    predictions, targets = drawn((rows, tasks), missing, seed)
    signs = torch.randint(-1, 2, (rows, tasks), generator=torch.Generator().manual_seed(seed + 1), dtype=torch.int8)
    found = MaskedLoss(loss)(predictions, targets, signs=signs)
    losses = []
    for p, t, sign in zip(predictions.flatten(), targets.flatten(), signs.flatten().tolist(), strict=True):
        if not t.isnan():
            right = (sign == 1 and p > t) or (sign == -1 and p < t)
            losses.append(0 * p if right else loss(p, t))
    expected = torch.stack(losses).mean() if losses else 0 * predictions.sum()
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(value, predictions)[0] for value in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_a_satisfied_label_has_no_gradient_even_where_the_prediction_is_infinite() -> None:
    predictions = torch.tensor([float("inf"), 3.0], requires_grad=True)
    loss = MaskedLoss(nn.MSELoss())(predictions, torch.tensor([10.0, 5.0]), signs=torch.tensor([1, 0]))
    (gradient,) = torch.autograd.grad(loss, predictions)
    assert (loss.item(), gradient.tolist()) == (2.0, [0.0, -2.0])


def test_signs_belong_to_numbers() -> None:
    with pytest.raises(ValueError, match=r"signs have the shape \(1,\) \(torch.int64\) and targets \(2,\)"):
        MaskedLoss(nn.MSELoss())(torch.zeros(2), torch.zeros(2), signs=torch.tensor([1]))
    with pytest.raises(ValueError, match="classes have no signs"):
        MaskedLoss(nn.CrossEntropyLoss())(torch.zeros(2, 3), torch.tensor([0, 1]), signs=torch.tensor([1, 0]))
