"""Metrics of predicted properties against values computed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mrl.errors import ColumnError, RowError
from mrl.qsar import property_metrics


def test_regression_by_hand_with_missing_labels() -> None:
    truth = [[1.0, None], [2.0, 5.0], [3.0, None], [None, None]]
    found = property_metrics(truth, [[2.0, 0.0], [1.0, 7.0], [3.0, 1.0], [9.0, 1.0]])
    assert list(found) == ["n", "rmse", "mae", "r2", "spearman"]
    assert found["n"].tolist() == [3, 1]
    np.testing.assert_allclose(found["rmse"], [(2 / 3) ** 0.5, 2])
    np.testing.assert_allclose(found["mae"], [2 / 3, 2])
    np.testing.assert_allclose(found["r2"], [0, np.nan])
    np.testing.assert_allclose(found["spearman"], [0.5, np.nan])


def test_ties_have_the_mean_of_their_ranks() -> None:
    found = property_metrics([1.0, 2.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(found["spearman"], [4.5 / (4.5 * 5) ** 0.5])


def test_classification_by_hand_with_missing_labels() -> None:
    found = property_metrics([0, 0, 1, 1, -100], [0.1, 0.4, 0.35, 0.8, 0.9], task="classification")
    assert found["n"].tolist() == [4]
    np.testing.assert_allclose(found["roc_auc"], [0.75])
    np.testing.assert_allclose(found["pr_auc"], [0.5 * 1 + 0.5 * 2 / 3])
    only_one_class = property_metrics([1, 1, None], [0.1, 0.4, 0.2], task="classification")
    assert np.isnan([only_one_class["roc_auc"][0], only_one_class["pr_auc"][0]]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0], [1.0, 2.0]), r"y_pred has the shape \(2,\), expected that of y_true, \(1,\)"),
        (([1.0, 2.0], [1.0, None]), "row 1 of y_pred is nan; expected a finite number"),
        (([1.0, "a"], [1.0, 2.0]), "row 1 of y_true is 'a'; expected a number"),
    ],
)
def test_values_that_do_not_fit(arguments: tuple[Any, Any], words: str) -> None:
    with pytest.raises((ColumnError, RowError), match=words):
        property_metrics(*arguments)


def test_classes_are_0_and_1() -> None:
    with pytest.raises(RowError, match=r"row 1 of y_true is 2.0; expected class 0 or 1"):
        property_metrics([0, 2], [0.1, 0.2], task="classification")
    with pytest.raises(ColumnError, match="task='ranking'; choose one of regression, classification"):
        property_metrics([0], [0.1], task="ranking")  # type: ignore[arg-type]
