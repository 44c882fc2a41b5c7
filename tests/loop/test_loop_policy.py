"""A model in the search: it learns from the best, from finished texts only, and is resumed exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mrl.data import TextDataset
from mrl.errors import StateError
from mrl.lm import LanguageModel, ModelConfig, fit
from mrl.loop import ImproveOptions, Round, improve, task
from mrl.text import SMILES_PATTERN, RegexVocab, Vocab

SMILES = ["CCO", "CCN", "CCOC", "CCCO", "CCNC", "COC", "CCC", "CNC", "CCCN", "OCCO", "CC(C)O", "CC(C)N", "CCC(C)O"]
OPTIONS = ImproveOptions(batch=10, samples=40, offspring=20, eager=0, replay=2, lr=1e-3, sigma=50)


@pytest.fixture(scope="module")
def vocab() -> Vocab:
    made = RegexVocab([], SMILES_PATTERN)
    made.update_vocab_from_data([*SMILES, "FClBrSc1n=#o"])
    return made


@pytest.fixture(scope="module")
def prior(vocab: Vocab) -> dict[str, torch.Tensor]:
    model = fresh(vocab)
    fit(model, TextDataset(SMILES, vocab).dataloader(13, shuffle=True), steps=150, lr=1e-2)
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def fresh(vocab: Vocab, weights: dict[str, torch.Tensor] | None = None, max_length: int = 24) -> LanguageModel:
    model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=24, embedding=12, max_length=max_length), seed=3)
    if weights is not None:
        model.load_state_dict(weights)
    return model


def test_the_model_proposes_molecules_and_learns(vocab: Vocab, prior: dict[str, torch.Tensor]) -> None:
    model = fresh(vocab, prior)
    run = improve(model, task("qed"), vocab=vocab, budget=60, options=OPTIONS)
    assert {call.source for call in run.history} == {"model", "offspring"}
    assert run.rounds[0].valid > 0.3
    assert all(np.isfinite(one.loss) for one in run.rounds)
    assert any(not torch.equal(tensor, prior[name]) for name, tensor in model.state_dict().items())


def test_without_replay_the_model_stays_as_it_was(vocab: Vocab, prior: dict[str, torch.Tensor]) -> None:
    model = fresh(vocab, prior)
    options = ImproveOptions(batch=10, samples=40, offspring=20, eager=0, replay=0)
    improve(model, task("qed"), vocab=vocab, budget=40, options=options)
    assert all(torch.equal(tensor, prior[name]) for name, tensor in model.state_dict().items())


def test_texts_that_are_not_finished_are_never_used(vocab: Vocab, prior: dict[str, torch.Tensor]) -> None:
    model = fresh(vocab, prior, max_length=4)  # bos, two tokens, eos
    with pytest.warns(UserWarning, match="no new molecule in 20 rounds"):
        run = improve(
            model, task("qed"), vocab=vocab, budget=60, options=ImproveOptions(samples=30, offspring=0, replay=0)
        )
    assert all(len(vocab.tokenize(call.smiles)) <= 4 for call in run.history)


def test_a_resumed_search_with_a_model_ends_like_one_that_was_not_interrupted(
    vocab: Vocab, prior: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    whole_model = fresh(vocab, prior)
    whole = improve(whole_model, task("qed"), vocab=vocab, budget=80, options=OPTIONS)

    class Stop(Exception):
        pass

    def stop(one: Round) -> None:
        if one.number in (2, 5):
            raise Stop

    for _ in range(2):
        model = fresh(vocab, prior)
        with pytest.raises(Stop):
            improve(model, task("qed"), vocab=vocab, budget=80, options=OPTIONS, out=tmp_path, on_round=stop)
    model = fresh(vocab, prior)
    resumed = improve(model, task("qed"), vocab=vocab, budget=80, options=OPTIONS, out=tmp_path)
    assert [(call.smiles, call.score) for call in resumed.history] == [(c.smiles, c.score) for c in whole.history]
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, whole_model.state_dict()[name])


def test_a_foreign_vocabulary_is_rejected(vocab: Vocab, prior: dict[str, torch.Tensor]) -> None:
    other = RegexVocab([], SMILES_PATTERN)
    other.update_vocab_from_data(["CCO"])
    with pytest.raises(StateError):
        improve(fresh(vocab, prior), task("qed"), vocab=other, budget=10)
    with pytest.raises(ValueError, match="vocab=vocab"):
        improve(fresh(vocab, prior), task("qed"), budget=10)
