"""A column on disk is the same as the column in memory, however its rows lie in files."""

from __future__ import annotations

import gc
import multiprocessing
import pickle
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import write_corpus

from mrl.corpus import StoredColumn, open_corpus
from mrl.errors import ColumnError
from mrl.ragged import Ragged, Text

NUMBERS = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
NUMBERS += ["float16", "float32", "float64", "bool"]
KINDS = ["text", "ragged uint8", "ragged uint16", "ragged float32", "S1", "S3", "S16", *NUMBERS]
KINDS += [f"{dtype} ({width},)" for dtype in ("float64", "uint8", "bool") for width in (1, 3, 8, 16)]


def make(kind: str, lengths: list[int], seed: int) -> Any:
    rng, n = np.random.default_rng(seed), len(lengths)
    name, _, width = kind.partition(" (")
    if kind == "text":
        return Text.of(["".join(rng.choice(list("CNOé€😀\x00\n"), k)) for k in lengths])
    if kind.startswith("ragged"):
        return Ragged(rng.integers(0, 256, sum(lengths)).astype(kind.split()[1]), np.cumsum([0, *lengths]))
    if name.startswith("S"):
        return np.array([rng.bytes(int(name[1:])) for _ in lengths], name)
    shape = (n,) if not width else (n, int(width[:-2]))
    dtype = np.dtype(name)
    if dtype.kind == "f":
        return np.where(rng.random(shape) < 0.2, np.nan, rng.normal(size=shape)).astype(dtype)
    return rng.integers(0, 2 if dtype.kind == "b" else 128, shape).astype(dtype)


def assert_same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    if isinstance(expected, Ragged):
        assert found == expected
    else:
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


@st.composite
def stored(draw: Any) -> tuple[Any, list[int]]:
    kind = draw(st.sampled_from(KINDS))
    lengths = draw(st.lists(st.integers(0, 6), max_size=20))
    cuts = draw(st.lists(st.integers(0, len(lengths)), max_size=5))
    return make(kind, lengths, draw(st.integers(0, 99))), sorted([0, *cuts, len(lengths)])


@settings(max_examples=50, deadline=None)
@given(stored(), st.data())
def test_rows_on_disk_are_the_rows_in_memory(given_column: tuple[Any, list[int]], data: Any) -> None:
    values, bounds = given_column
    n = len(values)
    with tempfile.TemporaryDirectory() as folder:
        write_corpus(Path(folder), {"x": values}, bounds)
        column = open_corpus(folder, verify="never")["x"]
        assert len(column) == n
        rows = data.draw(st.lists(st.integers(0, n - 1), max_size=30)) if n else []
        assert_same(
            column.take(rows), values.take(rows) if isinstance(values, Ragged) else values[np.array(rows, np.int64)]
        )
        if isinstance(values, Ragged):
            memory, spans = column.spans(rows)
            assert [memory[a:b].tolist() for a, b in spans.reshape(-1, 2)] == [
                values.values[a:b].tolist() for a, b in values.spans(rows)[1].reshape(-1, 2)
            ]
        mask = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool)
        assert_same(column.take(mask), values[np.flatnonzero(mask)])
        start, stop = (data.draw(st.one_of(st.none(), st.integers(-n - 2, n + 2))) for _ in range(2))
        step = data.draw(st.sampled_from([None, 1, 2, -1, -3]))
        assert_same(column[start:stop:step], values[start:stop:step])
        for i in {0, n // 2, n - 1, -1, -n} if n else ():
            assert np.array_equal(np.asarray(column[i]), np.asarray(values[i]), equal_nan=column.dtype.kind == "f")
        for i in (n, -n - 1):
            with pytest.raises(IndexError, match=f"row {i} of column 'x', which has {n} rows"):
                column[i]
        for i in (-1, n):
            with pytest.raises(IndexError):
                column.take([i])
        parts = list(column.parts())
        assert [len(part) for part in parts] == np.diff(bounds).tolist()
        assert str(column.tolist()) == str(values.tolist())
        assert len(column.to_arrow()) == n
        assert column.to_arrow().num_chunks == len(bounds) - 1
        if not isinstance(values, Ragged):
            assert_same(np.asarray(column), values)
        again = pickle.loads(pickle.dumps(column))
        assert_same(again.take(rows), column.take(rows))


def test_rows_of_one_length_are_an_array_of_lists(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"x": Ragged([1, 2, 3, 4], [0, 2, 4])}, [0, 2])
    assert np.asarray(open_corpus(tmp_path)["x"]).tolist() == [[1, 2], [3, 4]]
    assert np.asarray(open_corpus(tmp_path)["x"]).shape == (2,)


def test_rows_that_are_read_where_they_lie_stay_there(tmp_path: Path) -> None:
    write_corpus(tmp_path, {"x": Text.of(["CCO", "N"]), "y": np.arange(2)}, [0, 2])
    memory, (begin, end) = open_corpus(tmp_path)["x"].spans([0])
    gc.collect()  # nothing else refers to the corpus
    assert bytes(memory[begin:end]) == b"CCO"
    with pytest.raises(ValueError, match="read-only"):
        memory[begin] = 0
    with pytest.raises(ColumnError, match="column 'y' is int64, expected text or ragged rows"):
        open_corpus(tmp_path)["y"].spans([0])


def total_bytes(column: StoredColumn) -> int:
    return int(column.take(np.arange(len(column))).lengths.sum())


@pytest.mark.slow
def test_other_threads_and_processes_read_the_same(tmp_path: Path) -> None:
    text = Text.of([f"C{i}" * (i % 7) for i in range(5_000)])
    write_corpus(tmp_path, {"x": text}, list(range(0, 5_001, 50)))
    expected = int(text.lengths.sum())
    column = open_corpus(tmp_path)["x"]
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(total_bytes, [column] * 16)) == {expected}
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        assert workers.map(total_bytes, [column]) == [expected]
