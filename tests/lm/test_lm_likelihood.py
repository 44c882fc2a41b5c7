"""Log-likelihoods: those of `sample`, in whatever company, in one piece or with a cache, and differentiable."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import RowError
from mrl.lm import (
    LanguageModel,
    ModelConfig,
    SequenceModel,
    Transformer,
    TransformerConfig,
    log_likelihood,
    sample,
)
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CON=()")


def lstm(seed: int = 0, condition: int = 0) -> SequenceModel:
    config = ModelConfig.for_vocab(VOCAB, embedding=6, hidden=12, layers=2, condition=condition)
    return sharpened(LanguageModel(config, seed=seed))


def transformer(seed: int = 0, condition: int = 0) -> SequenceModel:
    config = TransformerConfig.for_vocab(VOCAB, width=12, heads=3, layers=2, condition=condition)
    return sharpened(Transformer(config, seed=seed))


def sharpened(model: SequenceModel) -> SequenceModel:
    """Return a model whose predictions differ from position to position, as those of a trained one do."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    return model


MODELS = pytest.mark.parametrize("make", [lstm, transformer])
TEXTS = st.lists(st.text("CON=()", max_size=14), min_size=1, max_size=8)


def stepwise(model: SequenceModel, row: list[int], condition: Any = None) -> float:
    """Return the log-likelihood of a row, one id at a time, with the state."""
    state, total = None, 0.0
    for token, following in pairwise(row):
        first = condition if state is None else None
        logits, state = model(torch.tensor([[token]]), state, condition=first)
        total += float(logits[0, 0].double().log_softmax(0)[following])
    return total


@MODELS
@given(seed=st.integers(0, 2**31), limit=st.integers(2, 24), n=st.integers(1, 12), temperature=st.floats(0.3, 2))
@settings(max_examples=25, deadline=None)
def test_it_is_the_sum_of_the_log_probabilities_that_sample_returned(
    make: Callable[..., SequenceModel], seed: int, limit: int, n: int, temperature: float
) -> None:
    model = make(seed % 7)
    samples = sample(model, n, max_length=limit, seed=seed, temperature=temperature, top_p=0.99)
    with torch.no_grad():
        values = log_likelihood(model, samples.ids).numpy()
    sums = [row.sum() for row in samples.log_probs]
    np.testing.assert_allclose(values, sums, atol=1e-5)
    np.testing.assert_allclose(samples.log_likelihood, sums, atol=1e-12)


@MODELS
@given(texts=TEXTS)
@settings(max_examples=25, deadline=None)
def test_it_is_the_same_padded_and_alone_in_one_piece_and_step_by_step(
    make: Callable[..., SequenceModel], texts: list[str]
) -> None:
    model, ids = make(), VOCAB.encode(texts)
    with torch.no_grad():
        together = log_likelihood(model, ids)
        padded = torch.from_numpy(ids.to_padded(2, width=20))
        alone = torch.cat([log_likelihood(model, [row]) for row in ids])
        steps = torch.tensor([stepwise(model, row.tolist()) for row in ids])
        for other in (log_likelihood(model, padded), log_likelihood(model, list(ids)), alone, steps):
            torch.testing.assert_close(other.double(), together, atol=1e-5, rtol=0)


@MODELS
@given(texts=TEXTS, seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_so_it_is_with_a_condition(make: Callable[..., SequenceModel], texts: list[str], seed: int) -> None:
    model = make(condition=2)
    vectors = np.random.default_rng(seed).normal(size=(len(texts), 2)).astype(np.float32)
    with torch.no_grad():
        together = log_likelihood(model, VOCAB.encode(texts), condition=vectors)
        steps = [
            stepwise(model, row.tolist(), torch.from_numpy(vectors[i : i + 1]))
            for i, row in enumerate(VOCAB.encode(texts))
        ]
        np.testing.assert_allclose(together, steps, atol=1e-5)
        samples = sample(model, len(texts), condition=vectors, seed=seed, max_length=12)
        values = log_likelihood(model, samples.ids, condition=vectors)
        np.testing.assert_allclose(values, samples.log_likelihood, atol=1e-5)


@MODELS
def test_a_state_of_some_rows_is_that_of_these_rows_and_stays_valid(make: Callable[..., SequenceModel]) -> None:
    model = make(condition=1)
    x = torch.tensor([[0, 4, 5], [0, 6, 7], [0, 8, 9]])
    with torch.no_grad():
        _, state = model(x, condition=torch.tensor([[1.0], [2.0], [3.0]]))
        following = torch.tensor([[4, 5], [6, 7], [4, 4]])
        whole, _ = model(following, state)
        for rows in (torch.tensor([True, False, True]), torch.tensor([0, 2])):
            torch.testing.assert_close(model(following[[0, 2]], state.select(rows))[0], whole[[0, 2]])
        torch.testing.assert_close(model(following, state)[0], whole)  # nothing was written into it


@MODELS
def test_gradients_are_those_of_the_cross_entropy(make: Callable[..., SequenceModel]) -> None:
    a, b = make(), make()
    ids = VOCAB.encode(["CCO", "N"])
    (-log_likelihood(a, ids).sum()).backward()  # type: ignore[no-untyped-call]
    x = torch.from_numpy(ids.to_padded(2))
    logits, _ = b(x[:, :-1])
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), x[:, 1:].flatten(), ignore_index=2, reduction="sum")
    loss.backward()  # type: ignore[no-untyped-call]
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        assert p.grad is not None
        torch.testing.assert_close(p.grad, q.grad, atol=1e-5, rtol=1e-4)


def test_probabilities_of_all_short_rows_add_up_to_one() -> None:
    model = lstm()
    rows = [[0, a, b] for a in range(len(VOCAB)) for b in range(len(VOCAB)) if 2 not in (a, b)]
    with torch.no_grad():
        first = log_likelihood(model, [[0, a] for a in range(len(VOCAB)) if a != 2]).exp()
        second = log_likelihood(model, rows).exp()
        logits, _ = model(torch.tensor([[0]]))
        pad = logits[0, 0].double().softmax(0)[2]
    assert float(first.sum() + pad) == pytest.approx(1)
    assert float(second.sum()) < 1


def test_no_rows_and_rows_of_bos_only() -> None:
    assert log_likelihood(lstm(), []).shape == (0,)
    assert log_likelihood(lstm(), [[0], [0, 1]])[0] == 0


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([[0, 1], [4, 1]], r"row 1 of ids is \[4, 1\]; expected ids that begin with bos \(0\)"),
        ([[0, 1], []], r"row 1 of ids is \[2\]; expected ids that begin with bos"),
        (torch.tensor([[0, 4, 2, 1]]), "expected padding on the right only"),
        ([[0, 10, 1]], r"row 0 of ids is \[0, 10, 1\]; expected ids of the model's vocabulary, 0 to 9"),
    ],
)
def test_rows_that_are_not_rows_of_the_model_raise(ids: Any, words: str) -> None:
    with pytest.raises(RowError, match=words):
        log_likelihood(lstm(), ids)


def test_a_condition_that_does_not_fit_raises() -> None:
    ids = VOCAB.encode(["C", "O"])
    with pytest.raises(ValueError, match=r"needs a condition; expected condition= of shape \(2, 1\)"):
        log_likelihood(lstm(condition=1), ids)
    with pytest.raises(ValueError, match=r"condition has the shape \(1, 1\); expected 2 rows"):
        log_likelihood(lstm(condition=1), ids, condition=[[1.0]])
    with pytest.raises(ValueError, match="made with condition=0"):
        log_likelihood(lstm(), ids, condition=[[1.0], [2.0]])
