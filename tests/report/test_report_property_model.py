"""Figures of predictions: every row drawn or counted; what is drawn agrees with the metrics."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl.errors import DatasetError
from mrl.qsar import FitOptions, fit, property_metrics
from mrl.report import PropertyReport, parity, roc

NAN = float("nan")
SMILES = [f"{'C' * n}{ring}" for n in range(8) for ring in ("c1ccccc1", "C1CC1", "O")]


def test_parity_draws_each_row_with_both_values() -> None:
    drawing = parity("logS", [-1, -2, NAN, 3], [-1.5, -2, 1, NAN], unit="log mol/l")
    assert drawing.label == (
        "logS (log mol/l): 2 predictions over measured values; mean absolute error 0.25. 2 rows without both."
    )
    assert len(re.findall(r"M[\d.]+ [\d.]+h0", drawing.body)) == 2
    assert parity("y", [NAN], [1.0]).label == "y has no measured values to compare with."
    with pytest.raises(DatasetError, match="1 label and 2 predictions; expected one prediction for each label"):
        parity("y", [1.0], [1.0, 2.0])


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.2, 0.5, 0.7])), min_size=2))
def test_the_area_of_a_roc_curve_is_that_of_the_metrics(pairs: list[tuple[int, float]]) -> None:
    truth, scores = zip(*pairs, strict=True)
    drawing = roc("toxic", truth, scores)
    if len(set(truth)) == 1:
        assert drawing.label == "toxic has labels of one class only."
    else:
        area = property_metrics(truth, scores, task="classification")["roc_auc"][0]
        found = re.search(r"area ([0-9.]+)", drawing.body)
        assert found is not None
        assert float(found[1]) == pytest.approx(area, abs=0.00051)
        assert f"of {len(truth)} predictions, {sum(truth)} of class 1" in drawing.label


def test_a_report_needs_the_validation_and_is_the_same_each_time(tmp_path: object) -> None:
    y = np.arange(len(SMILES), dtype=float)
    options = FitOptions(folds=2, members=1, epochs=1, hidden=4)
    model = fit(SMILES, {"a <b>": y, "c": y % 2, "few": np.where(y < 12, y, NAN)}, options=options)
    report = PropertyReport(model, "a.csv", np.arange(len(y)) + 100)
    assert report.html == PropertyReport(model, "a.csv", np.arange(len(y)) + 100).html
    assert "<b>" not in report.html
    assert "<script" not in report.html
    assert re.search(r"<p>row 1\d\d: ", report.html)
    assert report.html.count("<figure>") == 3
    loaded = replace(model, validation=None)
    with pytest.raises(ValueError, match="the model was loaded, and its validation row by row is not in the file"):
        PropertyReport(loaded, "a.csv")
