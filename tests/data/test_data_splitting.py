"""Splits: exact sizes, groups that never cross, classes in proportion, the same on any machine."""

from __future__ import annotations

import datetime
import warnings
from collections import Counter
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.corpus import Table
from mrl.data import TextDataset, VectorDataset, split, split_rows
from mrl.errors import ColumnError, RowError
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("C")


def rows(n: int) -> TextDataset:
    return TextDataset(["C"] * n, VOCAB)


def parts_of(parts: Any) -> list[list[int]]:
    return [part.kept.tolist() for part in parts]


def complete(parts: Any, n: int) -> bool:
    return sorted(chain.from_iterable(parts_of(parts))) == list(range(n))


@given(st.integers(0, 3000), st.integers(1, 999))
def test_split_cuts_by_integer_arithmetic(n: int, thousandths: int) -> None:
    expected = n * (1000 - thousandths) // 1000
    if not 0 < expected < n:
        with pytest.raises(ValueError, match="a part is empty"):
            rows(n).split(thousandths / 1000)
        return
    train, valid = rows(n).split(thousandths / 1000)
    assert len(train) == expected
    assert complete((train, valid), n)


@pytest.mark.parametrize(
    ("n", "p", "sizes"),
    [
        (10, 0.9, [1, 9]),
        (10, 0.1 + 0.2, [7, 3]),  # 0.30000000000000004
        (3, 1 / 3, [2, 1]),
        (3, 2 / 3, [1, 2]),
        (10, np.float32(0.1), [9, 1]),
        (10**6, 1e-6, [999_999, 1]),
    ],
)
def test_sizes_of_split(n: int, p: float, sizes: list[int]) -> None:
    assert [len(part) for part in rows(n).split(p)] == sizes


@pytest.mark.parametrize("p", [0, 1, 1.5, -0.1, float("nan"), float("inf")])
def test_invalid_fractions(p: float) -> None:
    with pytest.raises(ValueError, match=f"percent_valid is {p}; expected a fraction between 0 and 1"):
        rows(10).split(p)


def test_golden_splits() -> None:
    assert parts_of(rows(10).split(0.3)) == [[9, 1, 3, 6, 2, 4, 8], [5, 0, 7]]
    assert parts_of(rows(10).split(0.3, seed=1)) == [[8, 9, 5, 4, 0, 2, 3], [7, 1, 6]]
    assert parts_of(split(rows(10), (0.5, 0.3, 0.2))) == [[9, 1, 3, 6, 2], [4, 8, 5], [0, 7]]
    assert parts_of(split(rows(9), (0.5, 0.5), groups=list("aabbccdde"))) == [[4, 5, 6, 7, 8], [0, 1, 2, 3]]
    assert parts_of(split(rows(9), (2 / 3, 1 / 3), stratify=list("aaabbbccc"))) == [[0, 1, 3, 5, 6, 8], [2, 4, 7]]


def test_seeds_name_splits() -> None:
    choices: list[dict[str, Any]] = [{}, {"groups": np.arange(60) // 3}, {"stratify": np.arange(60) % 4}]
    for settings_ in choices:
        made = [parts_of(split(rows(60), (0.5, 0.5), seed=seed, **settings_)) for seed in (0, 0, 1)]
        assert made[0] == made[1] != made[2]


def sizes_of(weights: list[int], n: int) -> list[int]:
    """Return sizes rounded down; the first part with a weight gets the rest."""
    sizes = [n * weight // sum(weights) for weight in weights]
    sizes[next(i for i, weight in enumerate(weights) if weight)] += n - sum(sizes)
    return sizes


def empty(requested: list[int], sizes: list[int]) -> bool:
    """Return whether a part that should have rows has none."""
    return any(weight and not size for weight, size in zip(requested, sizes, strict=True))


SIZES = st.lists(st.integers(0, 20), min_size=1, max_size=5).filter(sum)


@given(SIZES, st.integers(0, 200))
def test_fractions_are_exact(sizes: list[int], n: int) -> None:
    fractions = [size / sum(sizes) for size in sizes]
    if empty(sizes, sizes_of(sizes, n)):
        with pytest.raises(ValueError, match="a part is empty; there are too few rows"):
            split(rows(n), fractions)
        return
    parts = split(rows(n), fractions)
    assert complete(parts, n)
    assert [len(part) for part in parts] == sizes_of(sizes, n)


@given(SIZES)
def test_counts_are_exact(sizes: list[int]) -> None:
    parts = split(rows(sum(sizes)), sizes)
    assert [len(part) for part in parts] == sizes
    assert complete(parts, sum(sizes))


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=60), SIZES, st.integers(0, 3), st.booleans())
def test_groups_never_cross(groups: list[int], sizes: list[int], seed: int, stratified: bool) -> None:
    classes = [i % 3 for i in groups] if stratified else None
    n, fractions = len(groups), [size / sum(sizes) for size in sizes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parts = split(rows(n), fractions, seed=seed, groups=groups, stratify=classes)
        except ValueError as error:
            if "a part is empty" not in str(error):
                raise
            return
    assert complete(parts, n)
    sides = [{groups[i] for i in part} for part in parts_of(parts)]
    assert sum(map(len, sides)) == len(set(groups))
    assert all(not part for part, size in zip(sides, sizes, strict=True) if not size)
    largest = max(Counter(groups).values(), default=0)
    for part, size in zip(parts, sizes_of(sizes, n), strict=True):
        assert classes is not None or len(part) < size + largest or not part


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=80), SIZES, st.integers(0, 3))
def test_class_proportions_are_met_within_a_row_sizes_exactly(classes: list[int], sizes: list[int], seed: int) -> None:
    n, fractions = len(classes), [size / sum(sizes) for size in sizes]
    if empty(sizes, sizes_of(sizes, n)):
        return
    parts = parts_of(split(rows(n), fractions, seed=seed, stratify=classes))
    assert sorted(chain.from_iterable(parts)) == list(range(n))
    assert [len(part) for part in parts] == sizes_of(sizes, n)
    for part in parts:
        counts = Counter(classes[i] for i in part)
        for code, total in Counter(classes).items():
            assert abs(counts[code] - Fraction(total * len(part), n)) <= 1


def test_rare_classes_go_to_any_part_whatever_their_rows() -> None:
    """Of classes of one row each, chance decides which are held out, not their place in the data."""
    held_out = np.concatenate(
        [split(rows(100), (0.9, 0.1), seed=s, stratify=np.arange(100))[1].kept for s in range(60)]
    )
    assert abs(held_out.mean() - 49.5) < 6


NAN = float("nan")


@pytest.mark.parametrize(
    "groups",
    [
        ["a", "a", "b", None, None, "b"],
        np.array([1, 1, 2, NAN, NAN, 2]),
        [1, 1, 2, NAN, float("nan"), 2],
        pd.Series(["a", "a", "b", pd.NA, None, "b"], index=[3, 3, 1, 0, 7, 8]),
        pl.Series(["a", "a", "b", None, None, "b"]),
        pa.array(["a", "a", "b", None, None, "b"]),
        VectorDataset(["a", "a", "b", "c", "c", "b"], len).smiles,
        (i for i in [1, 1, 2, 3, 3, 2]),
    ],
    ids=lambda g: type(g).__name__,
)
def test_groups_of_any_library_with_missing_values_as_one_group(groups: Any) -> None:
    groups = list(groups) if hasattr(groups, "gi_code") else groups  # a generator serves once
    assert sorted(parts_of(split(rows(6), (2, 2, 2), groups=groups))) == [[0, 1], [2, 5], [3, 4]]
    for seed in range(8):
        sides = split(rows(6), (3, 3), groups=groups, seed=seed)
        assert sorted(map(len, sides)) == [2, 4]
        assert all(sum(i in side.kept for i in pair) != 1 for side in sides for pair in ((0, 1), (2, 5), (3, 4)))


def test_missing_classes_are_one_class() -> None:
    sides = parts_of(split(rows(8), (0.5, 0.5), stratify=[1.0, NAN, 1.0, NAN, None, 1.0, 1.0, float("nan")]))
    assert [len(set(side) & {1, 3, 4, 7}) for side in sides] == [2, 2]


@pytest.mark.parametrize(
    ("sizes", "settings_", "error", "words"),
    [
        ((0.8, 0.1), {}, ValueError, r"add up to 0\.9; expected 1, or numbers of rows that add up to 10"),
        ((8, 1), {}, ValueError, "add up to 9.0; expected 1"),
        ((1.5, -0.5), {}, ValueError, "expected fractions such as"),
        ((), {}, ValueError, "expected fractions such as"),
        ((NAN, 1.0), {}, ValueError, "a size is nan"),
        ((0.5, 0.5), {"groups": [1] * 10, "sort_by": [1] * 10}, ValueError, "leave out the rest"),
        (None, {}, ValueError, "no sizes are given"),
        ((0.5, 0.5), {"by": "set"}, ValueError, "leave out sizes"),
        (None, {"by": "smile"}, ColumnError, "no column 'smile' .did you mean 'smiles'"),
        ((0.5, 0.5), {"groups": [1] * 9}, ColumnError, "groups has 9 values for 10 rows"),
        ((0.5, 0.5), {"stratify": [1] * 11}, ColumnError, "stratify has 11 values for 10 rows"),
        ((0.5, 0.5), {"groups": [1, [1]] * 5}, RowError, r"row 1 of groups is \[1\]; expected one text or number"),
    ],
)
def test_invalid_arguments_of_split(sizes: Any, settings_: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        split(rows(10), sizes, **settings_)


def test_a_split_of_a_split() -> None:
    train, rest = split(rows(20), (0.5, 0.5))
    one, two = split(rest, (0.5, 0.5))
    assert complete((train, one, two), 20)
    assert one.fields is train.fields


def test_sorted_by_time_the_last_part_has_the_latest_rows() -> None:
    ds = TextDataset(["C" * n for n in range(1, 11)], CharacterVocab(["C"]))
    days = np.array(["2026-03-01", "2026-01-01"] * 5, "datetime64[D]")
    train, valid, test = split(ds, (0.5, 0.3, 0.2), sort_by=days)
    assert [part.kept.tolist() for part in (train, valid, test)] == [[1, 3, 5, 7, 9], [0, 2, 4], [6, 8]]
    assert [part.kept.tolist() for part in split(ds, (0.8, 0.2), sort_by=range(10, 0, -1))] == [
        [2, 3, 4, 5, 6, 7, 8, 9],
        [0, 1],
    ]


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ([1.0, float("nan"), 2.0], RowError, "row 1 of sort_by is nan; expected a number, as in row 0"),
        ([1, "a", 2], RowError, "row 1 of sort_by is 'a'; expected a number"),
        (["9/1/2019", "2/1/2020", "1/1/2020"], RowError, "row 0 of sort_by is '9/1/2019'; .* pandas.to_datetime"),
        (["2019-09-01", "2/1/2020", "1"], RowError, "row 1 of sort_by is '2/1/2020'; expected a date, as in row 0"),
        (["2019-09-01", "20200101", "1"], RowError, "row 1 of sort_by is '20200101'; expected a date"),
        (["2019-13-01"] * 3, RowError, "row 0 of sort_by is '2019-13-01'"),
        ([datetime.date(2020, 1, 1), 3, 4], RowError, "row 1 of sort_by is 3; expected a date"),
        (np.array(["2020-01-01", "NaT", "2019-01-01"], "M8[ns]"), RowError, "row 1 of sort_by is"),
        ([(1,), (2,), (3,)], RowError, "row 0 of sort_by"),
        ([1, 2], ColumnError, "2 values for 3 rows"),
    ],
)
def test_values_that_cannot_be_sorted(values: list[object], error: type[Exception], words: str) -> None:
    ds = TextDataset(["C", "CC", "CCC"], CharacterVocab(["C"]))
    with pytest.raises(error, match=words):
        split(ds, (0.5, 0.5), sort_by=values)


DAYS = ["2020-02-01", "2019-09-01", "2019-10-01"]


@pytest.mark.parametrize(
    "values",
    [
        DAYS,
        [f"{day}T10:30:00" for day in DAYS],
        ["2020-02", "2019-09", "2019-10-01"],
        ["10", "9", " 9.5 "],
        ["1e3", "-2", "0"],
        np.array(DAYS, "M8[ns]"),
        list(np.array(DAYS, "M8[D]")),
        [datetime.date.fromisoformat(day) for day in DAYS],
        [datetime.datetime.fromisoformat(day) for day in DAYS],
        pd.to_datetime(["2/1/2020", "9/1/2019", "10/1/2019"], format="%m/%d/%Y"),
        pd.Series(pd.to_datetime(DAYS)).dt.tz_localize("UTC"),
        pl.Series(DAYS).str.to_date(),
        pa.array([datetime.date.fromisoformat(day) for day in DAYS]),
        [datetime.date(2020, 2, 1), datetime.datetime(2019, 9, 1, 3), "2019-10-01"],
        np.array([3, 1, 2], np.float32),
    ],
    ids=lambda v: f"{type(v).__name__} {v[0]}",
)
def test_dates_and_numbers_are_sorted_by_what_they_mean(values: Any) -> None:
    assert parts_of(split(rows(3), (2, 1), sort_by=values)) == [[1, 2], [0]]


def test_a_part_without_rows_is_an_error_with_a_way_out() -> None:
    with pytest.raises(ValueError, match=r"\(0.8, 0.1, 0.1\) make parts of 5, 0, 0 of 5 rows, and a part is empty"):
        split(rows(5), (0.8, 0.1, 0.1))
    assert [len(part) for part in split(rows(5), (3, 1, 1))] == [3, 1, 1]
    with pytest.raises(ValueError, match="a part is empty; groups stay whole, here 2 groups, the largest of 50 rows"):
        split(rows(52), (0.8, 0.1, 0.1), groups=["benzene"] * 50 + ["cyclopropane"] * 2)
    with pytest.raises(ValueError, match=r"use split_on_idxs, or mrl\.split with numbers of rows"):
        rows(3).split(0.1 / 3 + 0.9)
    assert [len(part) for part in split(rows(2), (2, 0))] == [2, 0]  # as requested


def test_a_part_far_from_its_size_is_a_warning() -> None:
    with pytest.warns(
        UserWarning, match=r"parts have 50, 2 rows; 26, 26 were requested; groups stay whole, here 2 groups"
    ):
        split(rows(52), (0.5, 0.5), groups=["benzene"] * 50 + ["cyclopropane"] * 2)


def test_groups_and_classes_together() -> None:
    groups = np.arange(400) // 4
    classes = np.where(groups % 5 == 0, "rare", "common")  # whole groups are of one class
    parts = split(rows(400), (0.8, 0.1, 0.1), groups=groups, stratify=classes)
    assert [len(part) for part in parts] == [320, 40, 40]
    assert [Counter(classes[part.kept])["rare"] for part in parts] == [64, 8, 8]
    assert parts_of(parts) == parts_of(split(rows(400), (0.8, 0.1, 0.1), groups=groups, stratify=classes))
    assert not set(groups[parts[0].kept]) & set(groups[parts[1].kept])


def test_proportions_that_groups_do_not_allow_are_reported() -> None:
    with pytest.warns(UserWarning, match="class 'a' is 0 % of part 1 and 50.0 % of all rows|class .* of part"):
        split(rows(40), (0.5, 0.5), groups=[0] * 20 + [1] * 20, stratify=["a"] * 20 + ["b"] * 20)


def test_a_column_of_names_says_the_parts() -> None:
    ds = TextDataset(["C", "CC", "CCC", "CCCC"], VOCAB, augment=lambda text, key: text)
    ds.add_column("set", ["test", "Train", "val", "training"])
    train, valid, test = split(ds, by="set")
    assert parts_of((train, valid, test)) == [[1, 3], [2], [0]]
    assert (train.augment is None, valid.augment, test.augment) == (False, None, None)
    assert len(split(ds.view([0, 1]), by="set")) == 2
    table = Table({"smiles": ds.smiles, "set": ds.columns["set"]})
    assert [part.smiles.tolist() for part in split(table, by="set")] == [["CC", "CCCC"], ["CCC"], ["C"]]
    assert [len(part) for part in split(table, (3, 1))] == [3, 1]
    ds.add_column("fold", ["train", "test", "hold out", "train"])
    with pytest.raises(RowError, match="row 2 of fold is 'hold out'; expected the name of a part, one of 'train'"):
        split(ds, by="fold")


@pytest.mark.parametrize("rows", [["C", "O"], np.arange(2), pd.DataFrame({"smiles": ["C", "O"]}), "CO"])
def test_what_is_neither_a_dataset_nor_a_table_has_a_way_out_that_works(rows: Any) -> None:
    with pytest.raises(TypeError, match=r"mrl\.data\.split_rows\(len\(values\), sizes.*Table\.from_pandas"):
        split(rows, (0.5, 0.5))
    assert sorted(np.concatenate(split_rows(len(rows), (0.5, 0.5))).tolist()) == [0, 1]
