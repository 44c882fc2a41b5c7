"""A property model as a part of a score: row for row the model's own predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mrl.chem import logp
from mrl.errors import ColumnError, ReadError
from mrl.loop import (
    Component,
    DoubleSigmoid,
    Estimate,
    Failed,
    Gaussian,
    Identity,
    Predicted,
    Score,
    Sigmoid,
    load_score,
    save_score,
)
from mrl.qsar import FitOptions, PropertyModel, fit

SMILES = [f"{'C' * n}{ring}" for n in range(1, 8) for ring in ("c1ccccc1", "C1CC1", "O")]


@pytest.fixture(scope="module")
def model() -> PropertyModel:
    options = FitOptions(folds=2, members=1, epochs=2, hidden=8)
    y = np.array([logp(text) for text in SMILES])
    return fit(SMILES, {"logP": y, "high": y > 2}, split="random", options=options)


def test_values_are_those_of_the_model_and_failures_stay_in_their_rows(model: PropertyModel, tmp_path: Path) -> None:
    texts = ["CCO", "C(", "CCF"]
    expected = model.predict(texts)["logP"].tolist()
    values = Predicted(model, "logP").evaluate(texts)
    assert [values[0], values[2]] == [expected[0], expected[2]]
    assert isinstance(values[1], Failed)
    assert values[1].reason.startswith("syntax")
    model.save(tmp_path)
    assert Predicted(tmp_path, "logP").evaluate(texts) == values
    scored = Score((Component("a", Predicted(model, "logP"), Gaussian(mu=1, sigma=2)),))(texts)
    assert np.isnan(scored.scores).tolist() == [False, True, False]


def test_a_target_is_named(model: PropertyModel, tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="the model has the targets 'logP', 'high'; name one, target="):
        Predicted(model)
    with pytest.raises(ColumnError, match=r"no target 'logp' \(did you mean 'logP'\?\); the model has 'logP', 'high'"):
        Predicted(model, "logp")
    with pytest.raises(FileNotFoundError):
        Predicted(tmp_path / "none")
    (tmp_path / "a.safetensors").write_bytes(b"x")
    with pytest.raises(ReadError, match="is not a valid mrl-property-model file"):
        Predicted(tmp_path / "a.safetensors")


def test_caution_counts_a_prediction_as_badly_as_it_can_be_within_its_uncertainty(
    model: PropertyModel, tmp_path: Path
) -> None:
    texts = ["CCO", "C(", "CCCCCCF"]
    found = model.predict(texts)
    mean, margin = found["logP"], 2 * found.uncertainty_of("logP")
    for transform in (Sigmoid(0, 2), Sigmoid(2, 0), Gaussian(mu=1, sigma=0.5), DoubleSigmoid(0, 2, margin=0.5)):
        score = Score((Component("logP", Predicted(model, "logP", caution=2), transform),))
        scored = score(texts)
        np.testing.assert_array_equal(scored.values[:, 0], mean)
        shifted = [transform(mean + shift * margin) for shift in (-1, 0, 1)]
        np.testing.assert_allclose(scored.scores, np.min(shifted, axis=0))
        assert [(reject.row, reject.stage) for reject in scored.rejects] == [(1, "parse")]
        trusting = Score((Component("logP", Predicted(model, "logP"), transform),))(texts)
        assert (scored.scores[[0, 2]] <= trusting.scores[[0, 2]]).all()
    model.save(tmp_path)
    cautious = Score((Component("logP", Predicted(str(tmp_path), "logP", caution=1.5), Gaussian(mu=1, sigma=0.5)),))
    save_score(cautious, tmp_path / "score.toml")
    assert "caution = 1.5" in (tmp_path / "score.toml").read_text()
    assert load_score(tmp_path / "score.toml") == cautious
    with pytest.raises(ValueError, match="caution is -1; expected a number of 0 or more"):
        Predicted(model, "logP", caution=-1)


def test_a_users_function_can_return_a_margin() -> None:
    estimates: dict[str, Estimate | float] = {"CCO": Estimate(0.7, 0.2), "CCF": Estimate(0.7, 0.0), "CC": 0.7}
    estimates |= {"CCN": Estimate(0.5, -1.0), "C": Estimate(float("nan"), 0.1)}
    scored = Score((Component("assay", estimates.__getitem__, Identity()),))(list(estimates))
    np.testing.assert_allclose(scored.scores, [0.5, 0.7, 0.7, np.nan, np.nan])
    assert [reject.reason for reject in scored.rejects] == [
        "its margin is -1.0; expected a number of 0 or more",
        "not a finite number: nan",
    ]
