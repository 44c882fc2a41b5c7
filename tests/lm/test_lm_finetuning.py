"""Fine-tuning: scores rise, molecules stay different, and nothing that a round may bring ends it."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch

from mrl.chem import CanonicalSet
from mrl.data import TextDataset
from mrl.errors import FeatureError, StateError
from mrl.lm import LanguageModel, ModelConfig, finetune, sample, train
from mrl.text import CharacterVocab, RegexVocab

VOCAB = CharacterVocab("CON")
CHAINS = ["C" * i + x + "C" * j for i in range(1, 5) for x in ("O", "N", "C") for j in range(1, 5)]


def oxygen(smiles):
    return smiles.count("O") / len(smiles)


@pytest.fixture(scope="module")
def trained():
    model = LanguageModel(ModelConfig.for_vocab(VOCAB, embedding=8, hidden=32), seed=0)
    train(model, TextDataset(CHAINS, VOCAB).dataloader(16, shuffle=True), steps=60, lr=2e-2)
    return model.state_dict()


@pytest.fixture
def model(trained):
    model = LanguageModel(ModelConfig.for_vocab(VOCAB, embedding=8, hidden=32), seed=None).to_empty(device="cpu")
    model.load_state_dict(trained)
    return model


DATA = TextDataset(CHAINS, VOCAB)
EASY = {"n": 200, "rounds": 3, "max_length": 20, "lr": 5e-3, "min_uniqueness": 0.0}


def test_the_score_rises_and_every_round_is_told(model):
    told = []
    rounds = finetune(model, DATA, oxygen, known=CHAINS, on_round=told.append, **EASY)
    assert rounds == told
    assert [one.number for one in rounds] == [0, 1, 2, 3]
    assert rounds[-1].mean > rounds[0].mean + 0.05
    assert rounds[-1].trained_on == 0
    for one in rounds:
        screened = one.screened
        assert len(one.texts) == len(one.scores) == screened.n == 200
        assert np.array_equal(np.isfinite(one.scores), screened.valid)
        assert one.mean == pytest.approx(np.mean([oxygen(text) for text in screened.smiles if text]))
        assert 0 <= one.trained_on <= math.ceil(0.5 * len(screened.kept))


def test_lower_or_a_target_is_a_matter_of_the_score(model):
    rounds = finetune(model, DATA, lambda smiles: -oxygen(smiles), **EASY)
    assert rounds[-1].mean > rounds[0].mean
    assert rounds[-1].mean <= 0


def test_the_best_are_different_molecules_the_best_first(model):
    (only,) = finetune(model, DATA, oxygen, **(EASY | {"rounds": 0}))
    best = only.best(10)
    assert len(best) == len(dict(best)) == 10
    assert [score for _, score in best] == sorted((score for _, score in best), reverse=True)
    assert best[0][1] == np.nanmax(only.scores)
    assert all(score == oxygen(smiles) for smiles, score in best)


def test_round_0_is_the_model_as_it_was_given_and_the_last_one_as_it_is_now(model):
    texts = VOCAB.decode(sample(model, 50, seed=9, max_length=20))
    before = model.state_dict()["head.bias"].clone()
    first, last = finetune(model, DATA, oxygen, **(EASY | {"rounds": 1, "n": 50, "seed": 9}))
    assert list(first.texts) == texts
    assert first.trained_on > 0
    assert last.trained_on == 0
    assert not torch.equal(before, model.state_dict()["head.bias"])


def test_the_same_seed_gives_the_same_rounds(trained, model):
    other = LanguageModel(model.config)
    other.load_state_dict(trained)
    a = finetune(model, DATA, oxygen, seed=4, **EASY)
    b = finetune(other, DATA, oxygen, seed=4, **EASY)
    assert [one.texts for one in a] == [one.texts for one in b]


def test_the_global_random_state_is_left_alone(model):
    before = torch.random.get_rng_state()
    finetune(model, DATA, oxygen, **EASY)
    assert torch.equal(before, torch.random.get_rng_state())


class Recorded(TextDataset):
    """Keeps what it was made from."""

    made: list

    def new(self, *columns, **named):
        self.made.append(list(columns[0]))
        return super().new(*columns, **named)


def test_it_learns_from_the_best_half_of_what_is_new_and_from_no_molecule_twice(model):
    data = Recorded(CHAINS, VOCAB)
    data.made = []
    rounds = finetune(model, data, oxygen, known=CanonicalSet.of(CHAINS), **EASY)
    assert [len(made) for made in data.made] == [one.trained_on for one in rounds[:-1]]
    every = [smiles for made in data.made for smiles in made]
    assert len(every) == len(set(every))
    assert not set(every) & set(CHAINS)
    new = [smiles for smiles, _ in rounds[0].best(200) if smiles not in CHAINS]
    assert data.made[0] == new[: math.ceil(len(new) / 2)]


def test_each_molecule_is_scored_once(model):
    asked = []
    finetune(model, DATA, lambda smiles: asked.append(smiles) or oxygen(smiles), **EASY)
    assert len(asked) == len(set(asked))


def test_what_has_no_finite_score_is_left_out(model):
    def picky(smiles):
        return math.nan if "N" in smiles else math.inf if "O" in smiles else len(smiles)

    data = Recorded(CHAINS, VOCAB)
    data.made = []
    rounds = finetune(model, data, picky, **EASY)
    assert all(set(smiles) == {"C"} for made in data.made for smiles in made)
    assert all(math.isfinite(one.mean) for one in rounds)


def test_what_the_data_set_cannot_spell_is_not_learned():
    vocab = RegexVocab(["[CH4]", "O"], r"\[[^\]]+\]")
    model = LanguageModel(ModelConfig.for_vocab(vocab, embedding=4, hidden=8))
    data = Recorded(["O", "OO", "O"], vocab, max_length=4)
    data.made = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # no unknown token
        rounds = finetune(model, data, len, n=200, rounds=1, max_length=12, keep=1.0, min_uniqueness=0.0)
    assert {"C", "O", "OO", "OOO"} <= {smiles for smiles, _ in rounds[0].best(200)}  # C is no token, OOO too long
    assert [sorted(made) for made in data.made] == [["O", "OO"]]


def test_rounds_without_a_valid_molecule_are_recorded():
    model = LanguageModel(ModelConfig.for_vocab(VOCAB, embedding=4, hidden=8))
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(-math.inf)
        model.head.bias[1] = 0.0  # eos at once: empty texts
    rounds = finetune(model, DATA, oxygen, rounds=2, n=20)
    assert [one.screened.valid.sum() for one in rounds] == [0, 0, 0]
    assert [one.trained_on for one in rounds] == [0, 0, 0]
    assert all(math.isnan(one.mean) and one.best(3) == [] for one in rounds)


def test_a_collapse_is_undone(model):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    told = []
    with pytest.warns(UserWarning, match=r"ended early, round 1 was undone: .*unique, expected .*lower lr"):
        rounds = finetune(model, DATA, oxygen, **(EASY | {"min_uniqueness": 1.5}), on_round=told.append)
    assert [one.number for one in rounds] == [one.number for one in told] == [0]
    assert rounds[0].trained_on == 0
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_score_that_fails_is_named(model):
    def broken(smiles):
        raise ZeroDivisionError("no weight")

    with pytest.raises(FeatureError, match=r"the score of '.+' failed \(ZeroDivisionError: no weight\).*nan") as caught:
        finetune(model, DATA, broken, **EASY)
    assert set(caught.value.text) <= set("CON")


def test_another_vocabulary_is_refused(model):
    with pytest.raises(StateError, match="did not grow from it"):
        finetune(model, TextDataset(["CO"], CharacterVocab("OCN")), oxygen)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keep": 0.0}, "keep is 0.0; expected a share above 0 and at most 1"),
        ({"keep": 1.1}, "keep is 1.1"),
        ({"n": 0}, "n is 0; expected 1 or more"),
        ({"epochs": 0}, "epochs is 0"),
        ({"rounds": -1}, "rounds is -1; expected 0 or more"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(model, options, words):
    with pytest.raises(ValueError, match=words):
        finetune(model, DATA, oxygen, **options)
