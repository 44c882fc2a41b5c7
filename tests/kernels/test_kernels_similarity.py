"""Similarities agree with those of sets of bits, compiled and by matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mrl.kernels import leader_groups, nearest, pack_bits, tanimoto

Bits = NDArray[np.uint8]


pytestmark = pytest.mark.usefixtures("way")

laws = settings(deadline=None, max_examples=60)


def tables(width: int) -> st.SearchStrategy[Bits]:
    row = st.lists(st.integers(0, 1), min_size=width, max_size=width)
    return st.lists(row, max_size=9).map(lambda rows: np.array(rows, np.uint8).reshape(-1, width))


pairs_of_tables = st.sampled_from([1, 3, 8, 64, 70]).flatmap(lambda width: st.tuples(tables(width), tables(width)))


def by_sets(a: Bits, b: Bits) -> list[list[float]]:
    """The definition, word for word."""
    x, y = [[set(np.flatnonzero(row).tolist()) for row in side] for side in (a, b)]
    return [[len(p & q) / len(p | q) if p | q else 1.0 for q in y] for p in x]


def random_bits(n: int, width: int, seed: int, density: float = 0.2) -> Bits:
    return (np.random.default_rng(seed).random((n, width)) < density).astype(np.uint8)


@laws
@given(pairs_of_tables)
def test_tanimoto_is_that_of_sets(tables: tuple[Bits, Bits]) -> None:
    a, b = tables
    similarity = tanimoto(pack_bits(a), pack_bits(b))
    assert similarity.dtype == np.float64
    assert similarity.shape == (len(a), len(b))
    assert similarity.tolist() == by_sets(a, b)


@laws
@given(pairs_of_tables, st.integers(1, 4), st.integers(1, 3))
def test_nearest_is_a_stable_sort_of_all(tables: tuple[Bits, Bits], k: int, threads: int) -> None:
    a, b = tables
    if k > len(b):
        with pytest.raises(ValueError, match=rf"k is {k}; expected 1 to {len(b)}, the number of rows of b"):
            nearest(pack_bits(a), pack_bits(b), k)
        return
    index, similarity = nearest(pack_bits(a), pack_bits(b), k, threads=threads)
    assert index.dtype == np.int64
    assert similarity.dtype == np.float64
    assert index.shape == similarity.shape == (len(a), k)
    for row, expected in enumerate(by_sets(a, b)):
        order = sorted(range(len(b)), key=lambda j: (-expected[j], j))[:k]
        assert index[row].tolist() == order
        assert similarity[row].tolist() == [expected[j] for j in order]


@laws
@given(tables(12), st.sampled_from([0.0, 0.1, 0.25, 0.3, 1 / 3, 0.5, 0.6, 2 / 3, 0.7, 0.75, 0.9, 1.0]))
def test_a_row_joins_the_first_leader_that_is_similar_enough(bits: Bits, enough: float) -> None:
    similarity = by_sets(bits, bits)
    leaders: list[int] = []
    expected: list[int] = []
    for row in range(len(bits)):
        near = [place for place, leader in enumerate(leaders) if similarity[row][leader] >= enough]
        expected.append(near[0] if near else len(leaders))
        if not near:
            leaders.append(row)
    groups = leader_groups(pack_bits(bits), enough)
    assert groups.dtype == np.int64
    assert groups.tolist() == expected


@pytest.mark.parametrize(("shared", "either"), [(3, 5), (7, 10), (1, 10), (9, 10), (2, 3), (1, 7), (49, 100)])
def test_a_threshold_is_met_exactly(shared: int, either: int) -> None:
    bits = np.zeros((2, either + 1), np.uint8)
    bits[0, :either] = bits[1, :shared] = 1
    assert leader_groups(pack_bits(bits), shared / either).tolist() == [0, 0]
    bits[0, either] = 1
    assert leader_groups(pack_bits(bits), shared / either).tolist() == [0, 1]


def test_more_rows_than_numpy_unpacks_at_a_time() -> None:
    a, b = random_bits(700, 128, 0), random_bits(1100, 128, 1)
    similarity = tanimoto(pack_bits(a), pack_bits(b))
    shared, total = a.astype(int) @ b.T, a.sum(1)[:, None] + b.sum(1)
    np.testing.assert_array_equal(similarity, shared / (total - shared))
    index, best = nearest(pack_bits(a), pack_bits(b), 5, threads=2)
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :5]
    np.testing.assert_array_equal(index, order)
    np.testing.assert_array_equal(best, np.take_along_axis(similarity, order, 1))
    near = tanimoto(pack_bits(b), pack_bits(b)) >= 0.3
    leaders: list[int] = []
    expected = []
    for row in range(len(b)):
        joins = np.flatnonzero(near[row, leaders])
        expected.append(int(joins[0]) if len(joins) else len(leaders))
        if not len(joins):
            leaders.append(row)
    assert 2 < len(leaders) < 1099
    assert leader_groups(pack_bits(b), 0.3).tolist() == expected


def test_no_rows() -> None:
    none, one = np.zeros((0, 2), np.uint64), np.zeros((1, 2), np.uint64)
    assert tanimoto(none, one).shape == (0, 1)
    assert tanimoto(one, none).shape == (1, 0)
    assert nearest(none, one)[0].shape == (0, 1)
    assert leader_groups(none, 0.5).shape == (0,)


def test_rows_may_be_read_only_or_strided() -> None:
    words = pack_bits(random_bits(8, 200, 2))
    expected = tanimoto(words, words)
    np.testing.assert_array_equal(tanimoto(np.repeat(words, 2, 0)[::2], np.asfortranarray(words)), expected)
    words.flags.writeable = False
    np.testing.assert_array_equal(tanimoto(words, words), expected)
    assert nearest(words, words)[0].ravel().tolist() == list(range(8))


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.float32, np.int64])
@pytest.mark.parametrize("width", [1, 8, 63, 64, 65, 167, 2048])
def test_packing_keeps_every_bit(width: int, dtype: type) -> None:
    bits = random_bits(5, width, 3)
    words = pack_bits(bits.astype(dtype))
    assert words.dtype == np.uint64
    assert words.shape == (5, -(-width // 64))
    np.testing.assert_array_equal(np.unpackbits(words.view(np.uint8), axis=1)[:, :width], bits)
    assert sum(map(int.bit_count, words.ravel().tolist())) == bits.sum()


def test_rows_of_other_widths_and_types_are_errors() -> None:
    two, three = np.ones((4, 2), np.uint64), np.ones((4, 3), np.uint64)
    for function in (tanimoto, nearest):
        with pytest.raises(ValueError, match="a has rows of 3 words and b of 2; expected equal lengths"):
            function(three, two)
    wrongs: tuple[NDArray[Any], ...] = np.ones((4, 16), np.uint8), np.ones(4, np.uint64)
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"expected uint64, \(n, words\): see pack_bits"):
            leader_groups(wrong, 0.5)
