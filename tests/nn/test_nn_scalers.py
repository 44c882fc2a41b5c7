"""The scaler: fitted on training rows, saved with the model, inverted exactly."""

from __future__ import annotations

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from mrl.data import TextPredictionDataset
from mrl.errors import ColumnError, RowError
from mrl.nn import Scaler
from mrl.text import CharacterVocab

NAN = float("nan")
Array = np.ndarray[Any, Any]
NUMBERS = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def fit_without_warnings(values: Any) -> Scaler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return Scaler.fit(values)


@settings(max_examples=150, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(1, 4)), elements=st.one_of(NUMBERS, st.just(NAN))),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_inverse_of_transform_differs_by_at_most_four_roundings(values: Array, dtype: torch.dtype) -> None:
    values[0] = np.nan_to_num(values[0])  # a value in each column
    scaler = fit_without_warnings(values)
    x = torch.from_numpy(values).to(dtype)
    back = scaler.inverse(scaler.transform(x))
    assert back.dtype == dtype
    assert torch.equal(back.isnan(), x.isnan())
    allowed = 4 * torch.finfo(dtype).eps * torch.maximum(x.abs(), scaler.mean.abs())
    assert ((back - x).abs() <= allowed)[~x.isnan()].all()
    there = scaler.transform(values)
    assert np.array_equal(there, scaler.transform(x.double()).numpy(), equal_nan=True) or dtype == torch.float32


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(1, 3)), elements=NUMBERS))
def test_mean_and_scale_are_those_of_numpy(values: Array) -> None:
    values[0], values[1] = -5, 8  # no constant column
    gaps = np.concatenate([values, np.full((3, values.shape[1]), NAN)])
    scaler = Scaler.fit(gaps)
    assert np.array_equal(scaler.mean.numpy(), np.nanmean(gaps, 0, dtype=np.float64).astype(np.float32))
    np.testing.assert_allclose(scaler.scale.numpy(), np.nanstd(gaps, 0), rtol=1e-6)
    made = scaler.transform(gaps)
    np.testing.assert_allclose(
        np.nanmean(made, 0), 0, atol=1e-6 * (1 + (scaler.mean / scaler.scale).abs().max().item())
    )
    np.testing.assert_allclose(np.nanstd(made, 0), 1, rtol=1e-6)


def test_statistics_are_computed_in_double_precision() -> None:
    values = np.full(100_000, 1e4, np.float32)
    values[::2] += 1
    assert Scaler.fit(values).mean.item() == 10_000.5
    assert Scaler.fit(torch.from_numpy(values)).scale.item() == 0.5


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None, 3.0],
        (1, NAN, 3),
        np.array([1, np.nan, 3], np.float32),
        torch.tensor([1, NAN, 3], dtype=torch.bfloat16),
        pd.Series([1.0, None, 3.0]),
        [[1.0], [None], [3.0]],
        np.array([[1.0], [NAN], [3.0]]),
    ],
)
def test_any_column_can_be_fitted(values: Any) -> None:
    scaler = Scaler.fit(values)
    assert (scaler.mean.tolist(), scaler.scale.tolist()) == ([2], [1])
    made = scaler.transform(values)
    assert np.shape(made) == np.shape(values)
    assert np.array_equal(np.asarray(made, np.float64).ravel(), [-1, NAN, 1], equal_nan=True)


def test_fitted_to_the_training_rows_of_a_dataset() -> None:
    n = 40
    ds = TextPredictionDataset(["C"] * n, np.arange(2.0 * n).reshape(n, 2), CharacterVocab(["C"]))
    train, valid = ds.split(0.25)
    scaler = Scaler.fit(train.y_vals)
    np.testing.assert_allclose(scaler.mean, ds.y_vals[train.kept].mean(0))
    assert not np.allclose(scaler.mean, np.arange(2.0 * n).reshape(n, 2).mean(0))
    made = train.new(train.smiles, scaler.transform(train.y_vals))
    _, y = made.batch()
    np.testing.assert_allclose(y.mean(0), 0, atol=1e-6)
    _, raw = valid.batch()
    np.testing.assert_allclose(scaler.inverse(scaler.transform(raw)), raw, rtol=1e-6)
    assert (scaler.transform(valid.y_vals) == scaler.transform(raw.double()).numpy()).all()


def test_one_target_in_any_shape() -> None:
    scaler = Scaler.fit([[2.0], [4.0]])
    for shape in [(), (3,), (3, 1), (0,), (2, 3, 4)]:
        assert torch.equal(scaler.transform(torch.full(shape, 5.0)), torch.full(shape, 2.0))
        assert torch.equal(scaler.inverse(torch.full(shape, 2.0)), torch.full(shape, 5.0))


def test_a_new_scaler_changes_nothing() -> None:
    x = torch.randn(5, 3)
    assert torch.equal(Scaler(3).transform(x), x)
    assert torch.equal(Scaler(3).inverse(x), x)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(4, 2)
        self.scaler = Scaler(2)


def test_saved_and_loaded_with_the_model(tmp_path: Path) -> None:
    model, other = Model(), Model()
    model.scaler = Scaler.fit([[0.1, 1000.0], [0.7, 3000.0], [NAN, 7000.0]])
    torch.save(model.state_dict(), tmp_path / "model.pt")
    other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    x = torch.randn(3, 2)
    for copied in (other.scaler, copy.deepcopy(model.scaler), pickle.loads(pickle.dumps(model.scaler))):
        assert torch.equal(copied.inverse(x), model.scaler.inverse(x))
    assert set(Scaler(2).state_dict()) == {"mean", "scale"}
    assert not list(Scaler(2).parameters())  # an optimizer leaves it alone
    with pytest.raises(RuntimeError, match="size mismatch"):
        Scaler(3).load_state_dict(model.scaler.state_dict())


@pytest.mark.parametrize("cast", ["half", "bfloat16", "double", "float"])
def test_a_cast_model_has_the_same_scaler(cast: str) -> None:
    model = Model()
    model.scaler = Scaler.fit([[0.1, 1001.3], [0.7, 3003.7]])
    before = [part.clone() for part in (model.scaler.mean, model.scaler.scale)]
    getattr(model, cast)()
    assert model.net.weight.dtype != torch.float32 or cast == "float"
    after = [model.scaler.mean, model.scaler.scale]
    assert all(a.dtype == torch.float32 and torch.equal(a, b) for a, b in zip(after, before, strict=True))
    assert set(dict(model.named_buffers())) == {"scaler.mean", "scaler.scale"}
    model.to(torch.bfloat16).to("meta")
    assert model.scaler.mean.is_meta
    model.to_empty(device="cpu")
    assert not model.scaler.mean.is_meta


def test_the_inverse_of_half_precision_is_in_single() -> None:
    scaler = Scaler.fit([1000.0, 1001.0, 1002.0])
    back = scaler.inverse(torch.tensor([0.5], dtype=torch.bfloat16))
    assert back.dtype == torch.float32
    assert back.item() == pytest.approx(1001.40825, abs=1e-4)


def test_gradients_go_through() -> None:
    scaler = Scaler.fit([2.0, 6.0])
    x = torch.zeros(3, requires_grad=True)
    scaler.inverse(x).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.tolist() == [2, 2, 2]


@pytest.mark.parametrize("column", [[0.1, 0.1, 0.1, 0.1, 0.1, 0.1], [7.0, NAN, NAN], [0.0, 1e-60]])
def test_a_constant_column_is_shifted_with_a_warning(column: list[float]) -> None:
    values = np.stack([np.arange(len(column)), column], axis=1)
    with pytest.warns(UserWarning, match=r"column 1 of values does not vary from .*; it is shifted, but not scaled"):
        scaler = Scaler.fit(values)
    assert scaler.scale[1] == 1
    np.testing.assert_allclose(np.nan_to_num(scaler.transform(values)[:, 1]), 0, atol=1e-7)


def test_many_constant_columns_are_one_warning() -> None:
    with pytest.warns(UserWarning, match="do not vary") as caught:
        scaler = Scaler.fit(np.stack([np.arange(3.0), *[np.full(3, 2.0)] * 12], axis=1))
    assert [str(warning.message) for warning in caught] == [
        "12 of 13 columns of values do not vary (1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more); they are shifted, but not "
        "scaled"
    ]
    assert scaler.scale.tolist()[1:] == [1.0] * 12


def test_invalid_values() -> None:
    with pytest.raises(ColumnError, match="column 1 of values has no value in these rows; leave it out, or fit to"):
        Scaler.fit([[1.0, NAN], [2.0, None]])
    with pytest.raises(ColumnError, match="column 0 of values has no value"):
        Scaler.fit([])
    with pytest.raises(
        RowError, match="row 1 of values is -inf; expected a finite number in column 0, or NaN"
    ) as error:
        Scaler.fit([0.0, -np.inf])
    assert (error.value.row, error.value.value) == (1, -np.inf)
    with pytest.raises(RowError, match="row 2 of values is 'n/a'; expected a number"):
        Scaler.fit([0.0, 1.0, "n/a"])
    with pytest.raises(ColumnError, match=r"the mean 5e\+99 and the standard deviation 5e\+99.*use another unit"):
        Scaler.fit([0.0, 1e100])
    two = Scaler.fit([[1.0, 2.0], [3.0, 5.0]])
    for shape in [(3,), (3, 1), (2, 3), ()]:
        with pytest.raises(ValueError, match=r"fitted to 2 columns and expects \(..., 2\)"):
            two.inverse(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"values are torch.int64; expected floating-point numbers \(classes are not"):
        two.transform(torch.zeros(3, 2, dtype=torch.int64))


def test_a_scaler_is_single_precision_whatever_the_default() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert Scaler.fit([1.0, 3.0]).mean.dtype == Scaler(2).scale.dtype == torch.float32
    finally:
        torch.set_default_dtype(torch.float32)
