"""Weighted draws against exact arithmetic, against chance, and against literal numbers."""

from __future__ import annotations

import hashlib
import pickle
from bisect import bisect_right
from collections import Counter
from fractions import Fraction
from itertools import accumulate, chain
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mrl.data import Order, TextPredictionDataset, Weighted
from mrl.data.loader.ranks import rank_slice
from mrl.data.order.weighted import TOTAL_BITS, scale_to_total, whole_weights
from mrl.errors import ColumnError, RowError
from mrl.text import CharacterVocab

WEIGHTS = st.lists(st.one_of(st.floats(0, 1e300), st.floats(0, 1), st.sampled_from([0.0, 5e-324])), min_size=1).filter(
    any
)


def epoch_of(order: Order, epoch: int) -> list[list[int]]:
    return [order.batch(epoch, k).tolist() for k in range(len(order))]


def frequencies(order: Order) -> np.ndarray[Any, Any]:
    drawn = np.concatenate([order.batch(0, k) for k in range(len(order))])
    return np.bincount(drawn, minlength=order.n) / len(drawn)


def test_golden_draws() -> None:
    order = Weighted([0, 1, 3], 4, batches=2)
    assert (epoch_of(order, 0), epoch_of(order, 7)) == ([[1, 2, 2, 2], [2, 2, 2, 2]], [[2, 2, 2, 1], [2, 2, 2, 2]])
    assert order.fingerprint() == "fd371914d2af128a45de8fd01f495ead"
    order = Weighted(np.arange(1000.0) / 7, 8, seed=3)
    assert order.batch(0, 0).tolist() == [903, 876, 926, 930, 723, 354, 322, 774]
    assert order.batch(0, 124).tolist() == [999, 741, 824, 865, 394, 343, 531, 499]
    assert order.batch(7, 124).tolist() == [621, 698, 622, 269, 794, 418, 609, 834]
    assert order.fingerprint() == "0cb0c518dc3158e09f5c1a3c340ee397"
    order = Weighted.balanced(["a", "a", "a", "b"], 6)
    assert epoch_of(order, 0) == [[1, 3, 3, 2, 3, 1]]
    assert order.fingerprint() == "958ea7ed150517f1c0097fb30c089077"


# --- arithmetic --------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(WEIGHTS)
@example([5e-324])
@example([1.7e308, 1.7e308, 1.7e308])
@example([1.0, 1e-300])
def test_weights_become_whole_numbers_by_one_power_of_two(weights: list[float]) -> None:
    whole = whole_weights(np.array(weights)).tolist()
    n, scale = len(weights), Fraction(max(whole)) / Fraction(max(weights))
    assert (scale.numerator & (scale.numerator - 1), scale.denominator & (scale.denominator - 1)) == (0, 0)
    assert sum(whole) < 1 << TOTAL_BITS
    assert max(whole) >= 1 << (TOTAL_BITS - 1 - n.bit_length())
    for weight, one in zip(weights, whole, strict=True):
        assert abs(one - Fraction(weight) * scale) <= (0.5 if one != 1 else 1)
        assert (one > 0) == (weight > 0)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.integers(1, 2**TOTAL_BITS))
@example([0, 2**64 - 1], 2**TOTAL_BITS)
@example([0, 2**64 - 1], 1)
def test_random_bits_are_spread_exactly(bits: list[int], total: int) -> None:
    assert scale_to_total(np.array(bits, np.uint64), total).tolist() == [one * total >> 64 for one in bits]


@settings(max_examples=80, deadline=None)
@given(WEIGHTS, st.integers(1, 40), st.integers(0, 99), st.integers(0, 99))
def test_a_random_number_selects_the_row_whose_interval_holds_it(
    weights: list[float], batch_size: int, seed: int, epoch: int
) -> None:
    """Compared with Python's integers and bisection."""
    order = Weighted(weights, batch_size, seed, batches=3)
    sums = list(accumulate(whole_weights(np.array(weights)).tolist()))
    for k in range(3):
        stream = hashlib.shake_128(f"draws {seed} {epoch} {k}".encode()).digest(8 * batch_size)
        numbers = [int.from_bytes(stream[i : i + 8], "little") for i in range(0, len(stream), 8)]
        rows = order.batch(epoch, k)
        assert rows.dtype == np.int64
        assert rows.tolist() == [bisect_right(sums, number * sums[-1] >> 64) for number in numbers]
        assert all(weights[row] > 0 for row in rows)


def test_a_batch_depends_neither_on_scale_or_type_of_the_weights_nor_on_earlier_batches() -> None:
    weights = [3, 0, 1, 4]
    order = Weighted(weights, 50, seed=2)
    expected = [epoch_of(order, epoch) for epoch in range(3)]
    for same in (
        np.array(weights),
        np.array(weights, np.float32),
        torch.tensor(weights),
        pd.Series(weights),
        np.array(weights) * 2.0**-40,
    ):
        other = Weighted(same, 50, seed=2)
        assert other.fingerprint() == order.fingerprint()
        assert [epoch_of(other, epoch) for epoch in (2, 0, 1)] == [expected[2], expected[0], expected[1]]
    assert epoch_of(pickle.loads(pickle.dumps(order)), 1) == expected[1]
    fingerprints = {
        order.fingerprint(),
        Weighted(weights, 50, 3).fingerprint(),
        Weighted(weights, 51, 2).fingerprint(),
        Weighted([3, 0, 1, 5], 50, 2).fingerprint(),
    }
    assert len(fingerprints | {Weighted(weights, 50, 2, batches=9).fingerprint()}) == 5


def test_global_random_states_are_left_alone() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    Weighted.balanced([0, 1, 1], 64).batch(0, 0)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002


# --- chance ------------------------------------------------------------------------------------------------------


def test_rows_are_drawn_in_proportion_to_their_weights() -> None:
    weights = np.arange(50.0)
    order = Weighted(weights, 1000, batches=200)
    expected = weights / weights.sum()
    drawn = 200_000 * frequencies(order)[1:]
    chi2 = ((drawn - 200_000 * expected[1:]) ** 2 / (200_000 * expected[1:])).sum()
    assert 20 < chi2 < 90  # 48 degrees of freedom: 48 +- 10; drawn without replacement it would be near 0
    assert frequencies(order)[0] == 0


def test_places_batches_and_epochs_are_independent() -> None:
    order = Weighted([1, 1], 4000, batches=4)
    runs = [order.batch(epoch, k) for epoch in range(3) for k in range(4)] + [Weighted([1, 1], 4000, 1).batch(0, 0)]
    for i, one in enumerate(runs):
        assert abs(one.mean() - 0.5) < 0.04
        assert abs((one[1:] == one[:-1]).mean() - 0.5) < 0.04
        assert all(abs((one == other).mean() - 0.5) < 0.04 for other in runs[:i])


def test_a_heavy_row_among_a_million() -> None:
    weights = np.full(1_000_000, 1e-9)
    weights[777] = 1e-3  # as much as all the others
    assert abs(frequencies(Weighted(weights, 1000, batches=20))[777] - 0.5) < 0.02


# --- classes -----------------------------------------------------------------------------------------------------


def test_classes_and_their_rows_are_drawn_equally_often() -> None:
    labels = np.array([0] * 90 + [1] * 9 + [2], np.int64)
    often = frequencies(Weighted.balanced(labels, 1000, batches=100))
    for label in range(3):
        of_class = often[labels == label]
        assert abs(of_class.sum() - 1 / 3) < 0.01
        np.testing.assert_allclose(of_class, of_class.mean(), rtol=0.25)


@pytest.mark.parametrize(
    "labels",
    [
        [0, 0, 0, -100, 1],
        [0.0, 0.0, 0.0, float("nan"), 1.0],
        [False, False, False, None, True],
        torch.tensor([0, 0, 0, -100, 1]),
        pd.Series([5.0, 5.0, 5.0, None, -3.0]),
    ],
)
def test_a_row_without_a_class_is_never_drawn(labels: Any) -> None:
    often = frequencies(Weighted.balanced(labels, 1000, batches=10))
    assert often[3] == 0
    assert abs(often[4] - 0.5) < 0.02


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab", max_size=2), min_size=1, max_size=30))
def test_texts_and_numbers_of_the_same_classes_give_the_same_order(classes: list[str]) -> None:
    numbers = [sorted(set(classes)).index(one) for one in classes]
    order, other = Weighted.balanced(classes, 20), Weighted.balanced(numbers, 20)
    assert order.fingerprint() == other.fingerprint()
    assert epoch_of(order, 3) == epoch_of(other, 3)


# --- in a loader -------------------------------------------------------------------------------------------------


def test_two_ranks_together_have_the_batches_of_one() -> None:
    ds = TextPredictionDataset(["C" * i for i in range(1, 31)], np.arange(30) % 7 == 0, CharacterVocab(["C"]))
    order = Weighted.balanced(ds.y_vals, 8, batches=5)
    one = [x.shape[0] for x, _ in ds.dataloader(8, order=order, num_workers=0)]
    assert one == [8] * 5
    ranks = [
        list(ds.dataloader(4, order=order, num_workers=0, rank=rank, world_size=2))  # its slice of each batch
        for rank in range(2)
    ]
    for k, (first, second) in enumerate(zip(*ranks, strict=True)):
        rows = order.batch(0, k)
        parts = [rank_slice(rows, rank, 2).tolist() for rank in range(2)]
        assert parts == [rows[:4].tolist(), rows[4:].tolist()]
        lengths = [int((x != 2).sum()) - 2 for x in chain(first[0], second[0])]
        assert lengths == [row + 1 for row in rows]


def test_resumed_at_any_batch_the_rest_is_exactly_what_it_would_have_been() -> None:
    ds = TextPredictionDataset(["C" * i for i in range(1, 31)], np.arange(30.0), CharacterVocab(["C"]))
    order = Weighted(np.arange(30.0), 4)
    whole = [y.tolist() for _, y in ds.dataloader(4, order=order, num_workers=0)]
    loader = ds.dataloader(4, order=Weighted(np.arange(30.0), 4), num_workers=0)
    batches = iter(loader)
    head = [next(batches)[1].tolist() for _ in range(3)]
    other = ds.dataloader(4, order=order, num_workers=0)
    other.load_state_dict(loader.state_dict())
    assert head + [y.tolist() for _, y in other] == whole
    assert Counter(map(len, whole)) == {4: 8}


def test_weights_of_a_view() -> None:
    ds = TextPredictionDataset(["C"] * 10, np.arange(10.0), CharacterVocab(["C"]))
    view = ds.view([9, 0, 5])
    order = Weighted(view.y_vals, 300)
    assert order.n == len(view)
    assert set(order.batch(0, 0)) == {0, 2}


# --- invalid orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf"), None])
def test_a_bad_weight_is_named_by_its_row(bad: float | None) -> None:
    with pytest.raises(RowError, match=r"row 2 of weights is .*; expected a finite number, 0 or above") as error:
        Weighted([1, 0, bad, -5], 2)
    assert (error.value.row, error.value.column) == (2, "weights")


def test_invalid_orders() -> None:
    with pytest.raises(RowError, match="row 1 of weights is 'much'; expected a number"):
        Weighted([1, "much"], 2)
    for nothing in ([0, 0.0], []):
        with pytest.raises(ColumnError, match=f"none of the {len(nothing)} weights is above 0; give at least one"):
            Weighted(nothing, 2)
    with pytest.raises(ColumnError, match=r"weights have the shape \(2, 2\); expected one for each row"):
        Weighted([[1, 2], [3, 4]], 2)
    with pytest.raises(ValueError, match="batch_size is 0; expected 1 or more"):
        Weighted([1], 0)
    with pytest.raises(ValueError, match="batches is 0; expected 1 or more"):
        Weighted([1], 1, batches=0)
    with pytest.raises(ColumnError, match=r"column 'labels' is a ndarray of shape \(2, 1\), expected one dimension"):
        Weighted.balanced(np.array([[1], [0]]), 2)
    with pytest.raises(RowError, match=r"row 0 of labels is \[1\]; expected one text or number"):
        Weighted.balanced([[1], [0]], 2)
    with pytest.raises(ColumnError, match="none of the 2 rows has a label"):
        Weighted.balanced([None, float("nan")], 2)
    order = Weighted([1, 2, 3], 2)
    for k in (-1, 2):
        with pytest.raises(IndexError, match=f"batch {k} of 2"):
            order.batch(0, k)


def test_classes_that_are_texts_may_be_missing() -> None:
    order = Weighted.balanced(["a", None, "b", float("nan"), "b"], batch_size=300)
    drawn = np.bincount(order.batch(0, 0), minlength=5)
    assert drawn[1] == drawn[3] == 0
    assert abs(int(drawn[0]) - 150) < 50
    with pytest.raises(RowError, match="row 1 of labels is 3; expected text like the others"):
        Weighted.balanced(["a", 3], batch_size=2)
