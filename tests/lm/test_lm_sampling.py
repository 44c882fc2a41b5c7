"""Sampling: rows that begin and end as they should, drawn from the model's own distribution, the same each time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.chem import screen
from mrl.data import TextDataset
from mrl.errors import ColumnError, MrlError, StateError, UnknownTokenError
from mrl.lm import (
    LanguageModel,
    ModelConfig,
    SequenceModel,
    Transformer,
    TransformerConfig,
    encode_prompts,
    fit,
    sample,
)
from mrl.ragged import Ragged
from mrl.text import CharacterVocab, Vocab

VOCAB = CharacterVocab("CON=")


def small(seed: int = 0, vocab: Vocab = VOCAB, **sizes: int) -> LanguageModel:
    return LanguageModel(ModelConfig.for_vocab(vocab, **({"embedding": 4, "hidden": 8} | sizes)), seed=seed)


def attentive(seed: int = 0, vocab: Vocab = VOCAB, **sizes: int) -> Transformer:
    config = TransformerConfig.for_vocab(vocab, **({"width": 8, "heads": 2, "layers": 2} | sizes))
    return Transformer(config, seed=seed)


def biased(**to: float) -> LanguageModel:
    """Return a model with the same distribution at every position: the given tokens with their probabilities."""
    model = small()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(-math.inf)
        for token, share in to.items():
            model.head.bias[VOCAB.stoi[token]] = math.log(share)
    return model


@given(st.integers(0, 40), st.integers(2, 12), st.integers(-(2**62), 2**62), st.floats(0.1, 5), st.booleans())
@settings(max_examples=60, deadline=None)
def test_rows_begin_with_bos_end_with_eos_or_at_the_length_and_hold_tokens_only(
    n: int, length: int, seed: int, temperature: float, transformer: bool
) -> None:
    model = attentive() if transformer else small()
    samples = sample(model, n, max_length=length, seed=seed, temperature=temperature)
    ids = samples.ids
    assert isinstance(ids, Ragged)
    assert len(ids) == len(samples) == n
    assert samples.finished.tolist() == [bool(row[-1] == 1) for row in ids]
    assert samples.log_probs.lengths.tolist() == [len(row) - 1 for row in ids]
    assert ids.values.dtype == np.uint8
    for row in ids:
        assert row[0] == 0
        assert len(row) == length or row[-1] == 1
        assert len(row) <= length
        assert (row[1:-1] >= 4).all()
        assert row[-1] == 1 or row[-1] >= 4


@pytest.mark.parametrize("make", [small, attentive])
def test_a_row_depends_on_the_seed_and_its_number_only(make: Callable[[], SequenceModel]) -> None:
    model = make()
    ids = sample(model, 30, seed=3, max_length=20).ids
    assert sample(model, 30, seed=3, max_length=20).ids == ids
    assert sample(model, 10, seed=3, max_length=20).ids == ids[:10]
    assert sample(model, 1500, seed=3, max_length=20).ids[:30] == ids  # in several batches
    assert sample(model, 30, seed=4, max_length=20).ids != ids


def test_a_lower_limit_cuts_the_same_rows() -> None:
    whole, cut = (sample(small(), 50, seed=3, max_length=limit) for limit in (30, 6))
    assert [row.tolist() for row in cut.ids] == [row[:6].tolist() for row in whole.ids]
    assert cut.finished.tolist() == [
        bool(done and len(row) <= 6) for row, done in zip(whole.ids, whole.finished, strict=True)
    ]
    assert sample(small(max_length=6), 50, seed=3).ids == cut.ids  # the limit of the model itself


def test_the_model_and_the_global_random_state_are_left_as_they_were() -> None:
    model = small().train()
    before = torch.random.get_rng_state(), {name: tensor.clone() for name, tensor in model.state_dict().items()}
    sample(model, 20)
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert all(torch.equal(before[1][name], tensor) for name, tensor in model.state_dict().items())
    assert model.training
    assert np.isfinite(
        fit(model, TextDataset(["CO"], VOCAB).dataloader(1), steps=1).losses
    ).all()  # gradients still work


def test_tokens_are_as_frequent_as_the_model_predicts() -> None:
    ids = sample(biased(C=0.5, O=0.2, eos=0.3), 4000, seed=1, max_length=64).ids
    drawn = ids.values[ids.values != 0]
    shares = np.bincount(drawn, minlength=8) / len(drawn)
    expected = np.array([0, 0.3, 0, 0, 0.5, 0.2, 0, 0])
    assert (shares[expected == 0] == 0).all()
    error = np.sqrt(expected * (1 - expected) / len(drawn))
    assert (np.abs(shares - expected) <= 5 * error).all()
    assert ids.lengths.mean() == pytest.approx(1 + 1 / 0.3, rel=0.05)  # geometric


def test_temperature_sharpens_and_flattens() -> None:
    def share(temperature: float) -> float:
        ids = sample(biased(C=0.6, O=0.2, eos=0.2), 2000, seed=1, temperature=temperature, max_length=20).ids
        return float((ids.values == VOCAB.stoi["C"]).sum() / (ids.values != 0).sum())

    assert share(1e-3) == share(5e-324) == 1
    assert share(0.5) == pytest.approx(0.36 / 0.44, abs=0.02)
    assert share(1e6) == pytest.approx(1 / 3, abs=0.03)


def test_samples_are_decoded_before_they_are_a_column() -> None:
    samples = sample(small(), 3, max_length=5, seed=1)
    with pytest.raises(
        ColumnError, match=r"a Samples, expected one value per row: decode it first, samples\.decode\(voc"
    ):
        screen(samples)  # type: ignore[arg-type]
    assert len(screen(samples.decode(VOCAB)).to_arrow()) == 3


def test_special_tokens_are_never_drawn_even_if_they_are_the_likely_ones() -> None:
    ids = sample(biased(bos=0.5, pad=0.4, unk=0.099, C=0.0005, eos=0.0005), 200, seed=1, max_length=9).ids
    assert set(np.unique(ids.values)) == {0, 1, 4}
    assert (ids.values == 0).sum() == 200


def test_rows_are_decoded_and_trained_on_as_they_are() -> None:
    ids = sample(small(), 12, seed=2, max_length=9).ids
    texts = VOCAB.decode(ids)
    assert [len(text) for text in texts] == [(row >= 4).sum() for row in ids]
    data = TextDataset(["C"], VOCAB).from_ids(ids)
    assert len(data) == 12
    assert np.isfinite(fit(small(), data.dataloader(4), steps=3).losses).all()


def test_large_vocabularies_give_wider_ids() -> None:
    vocab = CharacterVocab([chr(0x4E00 + i) for i in range(300)])
    ids = sample(small(vocab=vocab), 20, max_length=30).ids
    assert ids.values.dtype == np.uint16
    assert ids.values.max() > 255


def test_no_rows_are_an_empty_result() -> None:
    assert len(sample(small(), 0)) == 0
    assert sample(small(), 0).decode(VOCAB) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": -1}, "n is -1; expected an integer of 0 or more"),
        ({"max_length": 1}, "max_length is 1; expected an integer of 2 or more"),
        ({"top_k": 0}, "top_k is 0; expected an integer of 1 or more"),
        ({"top_p": 0.0}, "top_p is 0.0; expected a share above 0 and at most 1"),
        ({"top_p": math.nan}, "top_p is nan"),
        ({"condition": [1.0]}, r"made without one \(condition=0\); leave it out"),
        ({"prompt": "CO"}, r"prompt is the text 'CO'; expected ids: encode_prompts\(model, vocab, 'CO'\)"),
        ({"prompt": [[4], [5]]}, "prompt has 2 rows; expected ids of one row, or n = 3 rows"),
        ({"prompt": [[4], [5, 1], [4]]}, "row 1 of prompt has the id 1; expected tokens, ids 3 to 7"),
        ({"prompt": [0, 4, 8]}, "row 0 of prompt has the id 8"),
        ({"prompt": [0, 4, 5], "max_length": 3}, "row 0 of prompt has 3 ids and max_length is 3: nothing is left"),
        ({"temperature": 0.0}, "temperature is 0.0; expected a positive number"),
        ({"temperature": math.nan}, "temperature is nan"),
    ],
)
def test_invalid_arguments_raise(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sample(small(), **({"n": 3} | options))


def test_top_k_and_top_p_leave_out_the_unlikely_ids() -> None:
    model = biased(C=0.6, O=0.2, eos=0.15, N=0.05)
    for options, drawn in (
        ({"top_k": 1}, {4}),
        ({"top_k": 3}, {1, 4, 5}),
        ({"top_k": 99}, {1, 4, 5, 6}),
        ({"top_p": 0.5}, {4}),
        ({"top_p": 0.61}, {4, 5}),
        ({"top_p": 0.94}, {1, 4, 5}),
        ({"top_p": 1.0}, {1, 4, 5, 6}),
        ({"top_p": 0.94, "top_k": 2}, {4, 5}),
    ):
        ids = sample(model, 300, seed=1, max_length=20, **options).ids
        assert set(np.unique(ids.values)) - {0} == drawn, options
    shares = np.bincount(sample(model, 3000, seed=2, top_p=0.7, max_length=9).ids.values, minlength=8)
    assert shares[4] / (shares[4] + shares[5]) == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("make", [small, attentive])
def test_every_row_begins_with_its_prompt_and_is_drawn_as_without_one(make: Callable[[], SequenceModel]) -> None:
    model = make()
    free = sample(model, 40, seed=5, max_length=16)
    begin = [row[: 1 + i % 3] if len(row) > 4 else row[:1] for i, row in enumerate(free.ids)]
    prompted = sample(model, 40, seed=5, max_length=16, prompt=begin)
    assert prompted.ids == free.ids  # random numbers belong to positions
    np.testing.assert_allclose(prompted.log_probs.values, free.log_probs.values, atol=1e-6)
    ids = sample(model, 40, seed=5, prompt=encode_prompts(model, VOCAB, "CO=")).ids
    assert {tuple(row[:4]) for row in ids} == {(0, 4, 5, 7)}
    assert sample(model, 40, seed=5, prompt=[4, 5, 7]).ids == ids


def test_prompts_of_other_vocabularies_or_unknown_tokens_raise() -> None:
    with pytest.raises(StateError, match="did not grow from it"):
        encode_prompts(small(), CharacterVocab("OCN="), "C")
    with pytest.raises(UnknownTokenError):
        encode_prompts(small(), VOCAB, ["C", "S"])


def test_ids_are_not_decoded_by_another_vocabulary() -> None:
    samples = sample(small(), 5, max_length=9)
    assert samples.decode(CharacterVocab("CON=S")) == samples.decode(VOCAB)  # has grown
    with pytest.raises(StateError, match=r"drawn for a vocabulary of 8 tokens.*did not grow from it"):
        samples.decode(CharacterVocab("OCN="))


@pytest.mark.parametrize("make", [small, attentive])
def test_a_condition_is_one_vector_or_one_per_row(make: Callable[..., SequenceModel]) -> None:
    model = make(condition=2)
    with torch.no_grad():
        assert model.shift is not None
        model.shift.weight.mul_(100)  # so that it matters
    one = sample(model, 40, seed=1, condition=[1.0, -1.0]).ids
    assert sample(model, 40, seed=1, condition=np.tile([1.0, -1.0], (40, 1))).ids == one
    assert sample(model, 40, seed=1, condition=[0.0, 0.0]).ids != one
    mixed = sample(model, 40, seed=1, condition=[[1.0, -1.0], [0.0, 0.0]] * 20).ids
    assert mixed.take(range(0, 40, 2)) == one.take(range(0, 40, 2))
    for condition, words in (
        (None, r"needs a condition; expected condition= of shape \(2,\) or \(40, 2\)"),
        ([1.0], r"condition has the shape \(1,\)"),
        ([[1.0, 2.0]] * 3, r"condition has the shape \(3, 2\)"),
        ([[1.0, 2.0]] * 39 + [[math.nan, 1.0]], r"row 39 of condition is \[nan, 1.0\]; expected finite numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            sample(model, 40, condition=condition)


def test_a_model_of_damaged_weights_raises() -> None:
    model = small()
    with torch.no_grad():
        model.head.bias[4] = math.nan
    with pytest.raises(MrlError, match=r"probabilities at position 1 are not numbers.*train it again"):
        sample(model, 3)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_draws_the_same_up_to_rounding() -> None:
    host = sample(small(), 500, seed=1, max_length=20).ids
    device = sample(small().to("cuda"), 500, seed=1, max_length=20).ids
    equal = sum(np.array_equal(a, b) for a, b in zip(host, device, strict=True))
    assert equal > 490
