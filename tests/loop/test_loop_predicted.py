"""A property model as a part of a score: row for row the model's own predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mrl.chem import logp
from mrl.errors import ColumnError, ReadError
from mrl.loop import Component, Failed, Gaussian, Predicted, Score
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
