"""The expected size of errors: learned from those of the cross-validation, for numbers; the spread, for classes."""

from __future__ import annotations

import numpy as np
import pytest

from mrl.corpus import Table
from mrl.qsar import FitOptions, fit
from mrl.qsar.uncertainty import expected_errors, fit_error_sizes

NUMBER, CLASS = np.array([False]), np.array([True])
NAN = float("nan")


def simulated(a: float, b: float, c: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    spread, similarity = rng.exponential(0.3, (n, 1)), rng.uniform(0, 1, n)
    variance = a + b * spread[:, 0] ** 2 + c * (1 - similarity) ** 2
    return (np.sqrt(variance) * rng.normal(size=n))[:, None], spread, similarity


@pytest.mark.parametrize("sizes", [(0.25, 2.0, 0.5), (0.1, 0.0, 1.0), (0.04, 1.0, 0.0)])
def test_what_errors_depend_on_is_found(sizes: tuple[float, float, float]) -> None:
    found = fit_error_sizes(*simulated(*sizes), NUMBER)
    np.testing.assert_allclose(found, [sizes], atol=0.08)


def test_two_thirds_of_the_errors_are_below_the_expected_size() -> None:
    errors, spread, similarity = simulated(0.25, 2.0, 0.5)
    expected = expected_errors(fit_error_sizes(errors, spread, similarity, NUMBER), spread, similarity)
    assert (np.abs(errors) < expected).mean() == pytest.approx(0.683, abs=0.01)
    assert (np.abs(errors) < 2 * expected).mean() == pytest.approx(0.954, abs=0.01)


def test_the_unit_is_that_of_the_labels() -> None:
    errors, spread, similarity = simulated(0.25, 2.0, 0.5, n=500)
    sizes = fit_error_sizes(errors, spread, similarity, NUMBER)
    scaled = fit_error_sizes(1000 * errors, 1000 * spread, similarity, NUMBER)
    np.testing.assert_allclose(
        expected_errors(scaled, 1000 * spread, similarity), 1000 * expected_errors(sizes, spread, similarity)
    )


def test_missing_labels_single_networks_exact_predictions_and_classes() -> None:
    errors, spread, similarity = simulated(0.25, 0.0, 0.5, n=300)
    both = np.concatenate([errors, [[NAN]]]), np.concatenate([spread, [[9.0]]]), np.append(similarity, 0.0)
    np.testing.assert_array_equal(fit_error_sizes(*both, NUMBER), fit_error_sizes(errors, spread, similarity, NUMBER))
    alone = fit_error_sizes(errors, np.full_like(spread, NAN), similarity, NUMBER)
    assert alone[0, 1] == 0
    assert np.isfinite(expected_errors(alone, np.full_like(spread, NAN), similarity)).all()
    exact = fit_error_sizes(np.zeros_like(errors), spread, similarity, NUMBER)
    assert expected_errors(exact, spread, similarity).max() == 0
    np.testing.assert_allclose(
        expected_errors(fit_error_sizes(errors, spread, similarity, CLASS), spread, similarity), spread
    )
    assert fit_error_sizes(np.full((3, 1), NAN), np.ones((3, 1)), np.ones(3), NUMBER).tolist() == [[0, 1, 0]]


def test_predictions_far_from_the_training_data_are_less_certain(table: Table) -> None:
    options = FitOptions(folds=3, members=2, epochs=20, hidden=32, batch_size=16)
    model = fit(table, ["logp", "aromatic"], options=options)
    assert model.validation is not None
    y, values = model.validation.exact[:, 0], model.validation.values[:, 0]
    expected = model.validation.uncertainty[:, 0]
    assert np.mean(((y - values) / expected) ** 2) == pytest.approx(1, abs=0.15)
    found = model.predict(["Cc1ccccc1", "O=S1(=O)N(Br)P1Cl"])
    near, far = found.uncertainty_of("logp").tolist()
    assert near <= far
    assert found.similarity[0] == 1 > found.similarity[1]
