"""Fine-tuning: scores rise, molecules stay different, and no round is an exception."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from mrl.chem import CanonicalSet
from mrl.data import TextDataset
from mrl.errors import FeatureError, StateError
from mrl.lm import FinetuneOptions, FinetuneRound, LanguageModel, ModelConfig, finetune, fit, sample
from mrl.text import CharacterVocab, RegexVocab

VOCAB = CharacterVocab("CON")
CHAINS = ["C" * i + x + "C" * j for i in range(1, 5) for x in ("O", "N", "C") for j in range(1, 5)]


def oxygen(smiles: str) -> float:
    return smiles.count("O") / len(smiles)


@pytest.fixture(scope="module")
def trained() -> dict[str, torch.Tensor]:
    model = LanguageModel(ModelConfig.for_vocab(VOCAB, embedding=8, hidden=32), seed=0)
    fit(model, TextDataset(CHAINS, VOCAB).dataloader(16, shuffle=True), steps=60, lr=2e-2)
    return model.state_dict()


@pytest.fixture
def model(trained: dict[str, torch.Tensor]) -> LanguageModel:
    model = LanguageModel(ModelConfig.for_vocab(VOCAB, embedding=8, hidden=32), seed=None).to_empty(device="cpu")
    model.load_state_dict(trained)
    return model


DATA = TextDataset(CHAINS, VOCAB)
OPTIONS = FinetuneOptions(samples=200, rounds=3, max_length=20, lr=5e-3, min_uniqueness=0.0)


def test_the_score_rises_and_every_round_is_reported(model: LanguageModel) -> None:
    reported: list[FinetuneRound] = []
    rounds = finetune(model, DATA, oxygen, OPTIONS, known=CHAINS, on_round=reported.append)
    assert rounds == reported
    assert [one.number for one in rounds] == [0, 1, 2, 3]
    assert rounds[-1].mean > rounds[0].mean + 0.05
    assert rounds[-1].trained_on == 0
    for one in rounds:
        screened = one.screened
        assert len(one.texts) == len(one.scores) == screened.n == 200
        assert np.array_equal(np.isfinite(one.scores), screened.valid)
        assert one.mean == pytest.approx(np.mean([oxygen(text) for text in screened.smiles if text]))
        assert 0 <= one.trained_on <= math.ceil(0.5 * len(screened.kept))


def test_a_negative_score_lowers_the_property(model: LanguageModel) -> None:
    rounds = finetune(model, DATA, lambda smiles: -oxygen(smiles), OPTIONS)
    assert rounds[-1].mean > rounds[0].mean
    assert rounds[-1].mean <= 0


def test_the_best_are_different_molecules_the_best_first(model: LanguageModel) -> None:
    (only,) = finetune(model, DATA, oxygen, replace(OPTIONS, rounds=0))
    best = only.best(10)
    assert len(best) == len(dict(best)) == 10
    assert [score for _, score in best] == sorted((score for _, score in best), reverse=True)
    assert best[0][1] == np.nanmax(only.scores)
    assert all(score == oxygen(smiles) for smiles, score in best)


def test_round_0_is_the_model_as_it_was_given_and_the_last_one_as_it_is_now(model: LanguageModel) -> None:
    texts = sample(model, 50, seed=9, max_length=20).decode(VOCAB)
    before = model.state_dict()["head.bias"].clone()
    first, last = finetune(model, DATA, oxygen, replace(OPTIONS, rounds=1, samples=50, seed=9))
    assert list(first.texts) == texts
    assert first.trained_on > 0
    assert last.trained_on == 0
    assert not torch.equal(before, model.state_dict()["head.bias"])


def test_the_same_seed_gives_the_same_rounds(trained: dict[str, torch.Tensor], model: LanguageModel) -> None:
    other = LanguageModel(model.config)
    other.load_state_dict(trained)
    a = finetune(model, DATA, oxygen, replace(OPTIONS, seed=4))
    b = finetune(other, DATA, oxygen, replace(OPTIONS, seed=4))
    assert [one.texts for one in a] == [one.texts for one in b]


def test_the_global_random_state_is_left_alone(model: LanguageModel) -> None:
    before = torch.random.get_rng_state()
    finetune(model, DATA, oxygen, OPTIONS)
    assert torch.equal(before, torch.random.get_rng_state())


class Recorded(TextDataset):
    """Records the molecules of each dataset that is made from it."""

    made: list[list[str]]

    def new(self, *columns: Any, **named: Any) -> Any:
        self.made.append(list(columns[0]))
        return super().new(*columns, **named)


def test_it_trains_on_the_best_half_of_the_new_molecules_and_on_none_twice(model: LanguageModel) -> None:
    data = Recorded(CHAINS, VOCAB)
    data.made = []
    rounds = finetune(model, data, oxygen, OPTIONS, known=CanonicalSet.of(CHAINS))
    assert [len(made) for made in data.made] == [one.trained_on for one in rounds[:-1]]
    every = [smiles for made in data.made for smiles in made]
    assert len(every) == len(set(every))
    assert not set(every) & set(CHAINS)
    new = [smiles for smiles, _ in rounds[0].best(200) if smiles not in CHAINS]
    assert data.made[0] == new[: math.ceil(len(new) / 2)]


def test_each_molecule_is_scored_once(model: LanguageModel) -> None:
    scored = []

    def score(smiles: str) -> float:
        scored.append(smiles)
        return oxygen(smiles)

    finetune(model, DATA, score, OPTIONS)
    assert len(scored) == len(set(scored))


def test_molecules_without_a_finite_score_are_left_out(model: LanguageModel) -> None:
    def picky(smiles: str) -> float:
        return math.nan if "N" in smiles else math.inf if "O" in smiles else len(smiles)

    data = Recorded(CHAINS, VOCAB)
    data.made = []
    rounds = finetune(model, data, picky, OPTIONS)
    assert all(set(smiles) == {"C"} for made in data.made for smiles in made)
    assert all(math.isfinite(one.mean) for one in rounds)


def test_molecules_that_the_dataset_cannot_encode_are_not_trained_on() -> None:
    vocab = RegexVocab(["[CH4]", "O"], r"\[[^\]]+\]")
    model = LanguageModel(ModelConfig.for_vocab(vocab, embedding=4, hidden=8))
    data = Recorded(["O", "OO", "O"], vocab, max_length=4)
    data.made = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no unknown token
        options = FinetuneOptions(samples=200, rounds=1, max_length=12, keep=1.0, min_uniqueness=0.0)
        rounds = finetune(model, data, len, options)
    assert {"C", "O", "OO", "OOO"} <= {smiles for smiles, _ in rounds[0].best(200)}  # C is no token, OOO too long
    assert [sorted(made) for made in data.made] == [["O", "OO"]]


def test_without_a_valid_molecule_it_ends_with_a_warning() -> None:
    model = LanguageModel(ModelConfig.for_vocab(VOCAB, embedding=4, hidden=8))
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(-math.inf)
        model.head.bias[1] = 0.0  # eos at once: empty texts
    with pytest.warns(
        UserWarning, match=r"round 1 has nothing to learn from: no sample is a valid molecule; train the"
    ):
        rounds = finetune(model, DATA, oxygen, FinetuneOptions(rounds=2, samples=20))
    assert [one.screened.valid.sum() for one in rounds] == [0]
    assert [one.trained_on for one in rounds] == [0]
    assert all(math.isnan(one.mean) and one.best(3) == [] for one in rounds)


def test_samples_that_were_cut_are_never_learned_from(model: LanguageModel) -> None:
    data = Recorded(CHAINS, VOCAB)
    data.made = []
    rounds = finetune(model, data, len, replace(OPTIONS, rounds=1, max_length=7, keep=1.0, min_uniqueness=0.0))
    assert rounds[0].screened.unfinished > 50
    (made,) = data.made
    assert made
    assert all(len(smiles) <= 5 for smiles in made)  # bos, five atoms, eos
    cut = [reject.text for reject in rounds[0].screened.rejects if reject.stage == "length"]
    assert len(cut) == rounds[0].screened.unfinished
    assert all(len(text) == 6 for text in cut)  # molecules as well, were they whole


def test_only_samples_that_were_cut_are_nothing_to_learn_from(model: LanguageModel) -> None:
    short = replace(OPTIONS, max_length=2)
    with pytest.warns(UserWarning, match=rf"valid molecule, \d+ of {OPTIONS.samples} were cut .*; raise max_length"):
        (only,) = finetune(model, DATA, len, short)
    assert (only.trained_on, only.screened.n_valid) == (0, 0)
    assert len(finetune(model, DATA, len, replace(short, max_length=None, rounds=1))) == 2  # the way out


def test_molecules_longer_than_the_model_takes_are_not_trained_on(model: LanguageModel) -> None:
    data = Recorded(CHAINS, VOCAB)
    data.made = []
    small = LanguageModel(replace(model.config, max_length=7))
    small.load_state_dict(model.state_dict())
    finetune(small, data, len, replace(OPTIONS, rounds=1, max_length=40, keep=1.0, min_uniqueness=0.0))
    (made,) = data.made
    assert max(map(len, made)) == 5  # bos, five atoms, eos


def test_a_round_that_has_nothing_to_learn_from_ends_it_with_a_warning(model: LanguageModel) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.warns(
        UserWarning, match=r"round 1 has nothing to learn from: no molecule has a score.*check the score"
    ):
        (only,) = finetune(model, DATA, lambda smiles: math.nan, OPTIONS)
    assert only.trained_on == 0
    texts = {str(text) for text in only.screened.smiles if text}
    with pytest.warns(UserWarning, match=r"round 1 has nothing to learn from: all molecules are known"):
        assert len(finetune(model, DATA, oxygen, OPTIONS, known=texts)) == 1
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert len(finetune(model, DATA, lambda smiles: math.nan, replace(OPTIONS, rounds=0))) == 1  # nothing is wanted


def test_a_model_with_a_condition_raises() -> None:
    model = LanguageModel(ModelConfig.for_vocab(VOCAB, hidden=8, condition=1))
    with pytest.raises(ValueError, match="fine-tuning has none to give it"):
        finetune(model, DATA, oxygen)


def test_a_collapse_is_undone(model: LanguageModel) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    reported: list[FinetuneRound] = []
    with pytest.warns(UserWarning, match=r"ended early, round 1 was undone: .*unique, expected .*lower lr"):
        rounds = finetune(model, DATA, oxygen, replace(OPTIONS, min_uniqueness=99.0), on_round=reported.append)
    assert [one.number for one in rounds] == [one.number for one in reported] == [0]
    assert rounds[0].trained_on == 0
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_score_that_fails_is_named(model: LanguageModel) -> None:
    def broken(smiles: str) -> float:
        raise ZeroDivisionError("no weight")

    with pytest.raises(FeatureError, match=r"the score of '.+' failed \(ZeroDivisionError: no weight\).*nan") as caught:
        finetune(model, DATA, broken, OPTIONS)
    assert set(caught.value.text) <= set("CON")


def test_another_vocabulary_raises(model: LanguageModel) -> None:
    with pytest.raises(StateError, match="did not grow from it"):
        finetune(model, TextDataset(["CO"], CharacterVocab("OCN")), oxygen)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_uniqueness": math.nan}, "min_uniqueness is nan; expected a number from 0"),
        ({"keep": 0.0}, "keep is 0.0; expected a share above 0 and at most 1"),
        ({"keep": 1.1}, "keep is 1.1"),
        ({"samples": 0}, "samples is 0; expected an integer of 1 or more"),
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": True}, "epochs is True"),
        ({"max_length": 1}, "max_length is 1; expected an integer of 2 or more"),
        ({"lr": 0.0}, "lr is 0.0; expected a positive number"),
        ({"rounds": -1}, "rounds is -1; expected an integer of 0 or more"),
    ],
)
def test_invalid_options_raise(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FinetuneOptions(**options)
