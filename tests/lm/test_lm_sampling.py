"""Sampling: rows that begin and end as they should, drawn from the model's own distribution, the same each time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.data import TextDataset
from mrl.lm import LanguageModel, ModelConfig, sample, train
from mrl.ragged import Ragged
from mrl.text import CharacterVocab, Vocab

VOCAB = CharacterVocab("CON=")


def small(seed: int = 0, vocab: Vocab = VOCAB, **sizes: int) -> LanguageModel:
    return LanguageModel(ModelConfig.for_vocab(vocab, **({"embedding": 4, "hidden": 8} | sizes)), seed=seed)


def biased(**to: float) -> LanguageModel:
    """Return a model with the same distribution at every position: the given tokens with their probabilities."""
    model = small()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(-math.inf)
        for token, share in to.items():
            model.head.bias[VOCAB.stoi[token]] = math.log(share)
    return model


@given(st.integers(0, 40), st.integers(2, 12), st.integers(-(2**62), 2**62), st.floats(0.1, 5), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_rows_begin_with_bos_end_with_eos_or_at_the_length_and_hold_tokens_only(
    n: int, length: int, seed: int, temperature: float, batch: int
) -> None:
    ids = sample(small(), n, max_length=length, seed=seed, temperature=temperature, batch_size=batch)
    assert isinstance(ids, Ragged)
    assert len(ids) == n
    assert ids.values.dtype == np.uint8
    for row in ids:
        assert row[0] == 0
        assert len(row) == length or row[-1] == 1
        assert len(row) <= length
        assert (row[1:-1] >= 4).all()
        assert row[-1] == 1 or row[-1] >= 4


def test_the_same_seed_gives_the_same_rows_whatever_the_batch_size_and_more_rows_begin_with_fewer() -> None:
    model = small()
    ids = sample(model, 30, seed=3, max_length=20)
    assert sample(model, 30, seed=3, max_length=20) == ids
    assert sample(model, 30, seed=3, max_length=20, batch_size=7) == ids
    assert sample(model, 10, seed=3, max_length=20) == ids[:10]
    assert sample(model, 30, seed=4, max_length=20) != ids


def test_the_model_and_the_global_random_state_are_left_as_they_were() -> None:
    model = small().train()
    before = torch.random.get_rng_state(), {name: tensor.clone() for name, tensor in model.state_dict().items()}
    sample(model, 20)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert all(torch.equal(before[1][name], tensor) for name, tensor in model.state_dict().items())
    assert model.training
    assert np.isfinite(train(model, TextDataset(["CO"], VOCAB).dataloader(1), steps=1)).all()  # gradients still work


def test_tokens_are_as_frequent_as_the_model_predicts() -> None:
    ids = sample(biased(C=0.5, O=0.2, eos=0.3), 4000, seed=1, max_length=64)
    drawn = ids.values[ids.values != 0]
    shares = np.bincount(drawn, minlength=8) / len(drawn)
    expected = np.array([0, 0.3, 0, 0, 0.5, 0.2, 0, 0])
    assert (shares[expected == 0] == 0).all()
    error = np.sqrt(expected * (1 - expected) / len(drawn))
    assert (np.abs(shares - expected) <= 5 * error).all()
    assert ids.lengths.mean() == pytest.approx(1 + 1 / 0.3, rel=0.05)  # geometric


def test_temperature_sharpens_and_flattens() -> None:
    def share(temperature: float) -> float:
        ids = sample(biased(C=0.6, O=0.2, eos=0.2), 2000, seed=1, temperature=temperature, max_length=20)
        return float((ids.values == VOCAB.stoi["C"]).sum() / (ids.values != 0).sum())

    assert share(1e-3) == 1
    assert share(0.5) == pytest.approx(0.36 / 0.44, abs=0.02)
    assert share(1e6) == pytest.approx(1 / 3, abs=0.03)


def test_special_tokens_are_never_drawn_even_if_they_are_the_likely_ones() -> None:
    ids = sample(biased(bos=0.5, pad=0.4, unk=0.099, C=0.0005, eos=0.0005), 200, seed=1, max_length=9)
    assert set(np.unique(ids.values)) == {0, 1, 4}
    assert (ids.values == 0).sum() == 200


def test_rows_are_decoded_and_trained_on_as_they_are() -> None:
    ids = sample(small(), 12, seed=2, max_length=9)
    texts = VOCAB.decode(ids)
    assert [len(text) for text in texts] == [(row >= 4).sum() for row in ids]
    data = TextDataset(["C"], VOCAB).from_ids(ids)
    assert len(data) == 12
    assert np.isfinite(train(small(), data.dataloader(4), steps=3)).all()


def test_large_vocabularies_give_wider_ids() -> None:
    vocab = CharacterVocab([chr(0x4E00 + i) for i in range(300)])
    ids = sample(small(vocab=vocab), 20, max_length=30)
    assert ids.values.dtype == np.uint16
    assert ids.values.max() > 255


def test_no_rows_are_an_empty_result() -> None:
    assert len(sample(small(), 0)) == 0
    assert VOCAB.decode(sample(small(), 0)) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": -1}, "n is -1; expected an integer of 0 or more"),
        ({"max_length": 1}, "max_length is 1; expected an integer of 2 or more"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"temperature": 0.0}, "temperature is 0.0; expected a positive number"),
        ({"temperature": math.nan}, "temperature is nan"),
    ],
)
def test_invalid_arguments_raise(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sample(small(), **({"n": 3} | options))


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_draws_the_same_up_to_rounding() -> None:
    host = sample(small(), 500, seed=1, max_length=20)
    device = sample(small().to("cuda"), 500, seed=1, max_length=20)
    equal = sum(np.array_equal(a, b) for a, b in zip(host, device, strict=True))
    assert equal > 490
