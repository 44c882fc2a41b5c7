"""Arrow columns in and out: exact, without copies, released, and safe against damaged ones."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl.errors import ColumnError, RowError
from mrl.ragged import Ragged, Text

LISTS = st.lists(st.lists(st.integers(0, 100), max_size=4), max_size=8)
PRIMITIVES = [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()]
PRIMITIVES += [pa.float32(), pa.float64()]


@given(LISTS, st.sampled_from(PRIMITIVES), st.sampled_from([pa.list_, pa.large_list]), st.slices(8))
def test_lists_of_every_dtype(rows: list[list[int]], item: Any, kind: Callable[[Any], Any], index: slice) -> None:
    array = pa.array(rows, kind(item))
    start, stop, _ = index.indices(len(rows))
    array, rows = array[start : max(start, stop)], rows[start : max(start, stop)]
    for column in (array, pa.chunked_array([array[:2], array[2:]])):
        ragged = Ragged.from_arrow(column)
        assert [row.tolist() for row in ragged] == rows
        assert ragged.values.dtype == item.to_pandas_dtype()


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), max_size=9), st.integers(0, 9))
def test_booleans_are_unpacked_and_fixed_sizes_known(rows: list[list[bool]], start: int) -> None:
    for kind in (pa.list_(pa.bool_()), pa.list_(pa.bool_(), 3)):
        ragged = Ragged.from_arrow(pa.array(rows, kind)[start:])
        assert [row.tolist() for row in ragged] == rows[start:]
        assert ragged.values.dtype == bool


def test_half_floats() -> None:
    column = pa.array([[np.float16(0.5)], []], pa.list_(pa.float16()))
    assert Ragged.from_arrow(column) == Ragged(np.array([0.5], np.float16), [0, 1, 1])


@given(LISTS)
def test_polars_lists(rows: list[list[int]]) -> None:
    ragged = Ragged.from_arrow(pl.Series(rows, dtype=pl.List(pl.UInt16)))
    assert [row.tolist() for row in ragged] == rows


def test_one_large_chunk_is_not_copied() -> None:
    strings = pa.array(["CCO", "N", "O"], pa.large_string())
    for column in (strings, pa.chunked_array([strings])):
        text = Text.of(column)
        assert text.values.ctypes.data == strings.buffers()[2].address
        assert text.offsets.ctypes.data == strings.buffers()[1].address
        assert Text.of(column[1:]).tolist() == ["N", "O"]
    lists = pa.array([[1, 2], [3]], pa.large_list(pa.int64()))
    ragged = Ragged.from_arrow(lists)
    assert ragged.values.ctypes.data == lists.values.buffers()[1].address
    assert ragged.offsets.ctypes.data == lists.buffers()[1].address


@pytest.mark.slow
@pytest.mark.parametrize("wrap", [lambda array: array, lambda array: pa.chunked_array([array])])
def test_memory_lives_as_long_as_it_is_used_and_no_longer(wrap: Callable[[Any], Any]) -> None:
    gc.collect()
    before = pa.total_allocated_bytes()
    column = wrap(pa.array(["CCO"] * 100_000, pa.large_string()))
    text = Text.of(column)[500:]
    del column
    gc.collect()
    assert text[-1] == "CCO"
    assert pa.total_allocated_bytes() > before + 1_000_000
    del text
    gc.collect()
    assert pa.total_allocated_bytes() == before


@given(LISTS, st.sampled_from(["u1", "i8", "f4", "?"]), st.slices(8))
def test_rows_go_out_and_come_back(rows: list[list[int]], dtype: str, index: slice) -> None:
    ragged = Ragged.from_rows([np.array(row, dtype) for row in rows], dtype)[index]
    for column in (ragged.to_arrow(), pa.array(ragged)):
        column.validate(full=True)
        assert Ragged.from_arrow(column) == ragged
    assert pa.array(ragged, pa.list_(pa.float64())).to_pylist() == ragged.tolist()


@given(st.lists(st.text(max_size=5), max_size=8), st.slices(8))
def test_text_goes_out_and_comes_back(rows: list[str], index: slice) -> None:
    text = Text.of(rows)[index]
    assert text.to_arrow().to_pylist() == rows[index]
    assert Text.from_arrow(text) == text
    assert pa.array(text, pa.string()).to_pylist() == rows[index]


def test_rows_go_out_without_a_copy() -> None:
    text = Text.of(["CCO", "N"])
    assert text.to_arrow().buffers()[2].address == text.values.ctypes.data
    ragged = Ragged(np.arange(4), np.array([0, 1, 4]))
    assert ragged.to_arrow().values.buffers()[1].address == ragged.values.ctypes.data
    with pytest.raises(ColumnError, match="Arrow has no type for complex128"):
        Ragged([1j], [0, 1]).to_arrow()


def test_no_rows() -> None:
    for column in (pa.chunked_array([], pa.list_(pa.int8())), pa.array([], pa.list_(pa.int8()))):
        assert len(Ragged.from_arrow(column)) == 0
        assert Ragged.from_arrow(column).values.dtype == np.int8


def test_views_in_many_buffers_and_in_any_order() -> None:
    rng = np.random.default_rng(0)
    rows = ["C" * int(k) + str(i) for i, k in enumerate(rng.integers(0, 60, 3000))]
    column = pa.array(rows, pa.string_view())
    assert len(column.buffers()) > 4
    assert Text.of(column).tolist() == rows
    order = rng.permutation(3000)
    assert Text.of(pl.Series(rows).gather(order)).tolist() == [rows[i] for i in order]
    assert Text.of(pl.Series(rows)[1000:1010]).tolist() == rows[1000:1010]


def test_the_interpreter_ends_quietly_with_columns_alive() -> None:
    code = (
        "import pyarrow as pa, polars as pl; from mrl.ragged import Text, Ragged\n"
        "a = Text.of(pa.chunked_array([['C'], ['N']])); b = Text.of(pl.Series(['C' * 20]))\n"
        "c = Ragged.from_arrow(pa.chunked_array([pa.array([[1]], pa.large_list(pa.int8()))]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_reading_a_stream_while_an_exception_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        [Text.of(pa.chunked_array([["C"]])), 1 / 0]


@pytest.mark.parametrize(
    ("read", "column", "message"),
    [
        (Text.from_arrow, pa.array(["C", None]), r"row 1 is null, expected a string; drop or fill missing rows first"),
        (Text.from_arrow, pa.chunked_array([["C"] * 9, ["N", None]]), r"row 10 is null"),
        (Text.from_arrow, pa.array([None] * 9 + ["C", None])[9:], r"row 1 is null"),
        (Ragged.from_arrow, pa.array([[1], None]), r"row 1 is null, expected a list"),
        (Ragged.from_arrow, pa.array([[1], [], [2, None]]), r"row 2 has a null in its list, expected numbers"),
        (Ragged.from_arrow, pa.chunked_array([[[1]], [[2], [None]]]), r"row 2 has a null in its list"),
    ],
)
def test_nulls_are_named(read: Callable[[Any], Any], column: Any, message: str) -> None:
    with pytest.raises(RowError, match=message) as caught:
        read(column)
    assert f"row {caught.value.row} " in str(caught.value)


def test_a_null_outside_the_slice_does_not_matter() -> None:
    assert Text.from_arrow(pa.array([None] * 11 + ["C"] * 7)[11:]).tolist() == ["C"] * 7
    assert len(Ragged.from_arrow(pa.array([[None], [1, 2]])[1:])) == 1


@pytest.mark.parametrize(
    ("read", "column", "message"),
    [
        (Text.from_arrow, pa.array([1]), r"the type int64, expected strings"),
        (Text.from_arrow, pa.array(["C"]).dictionary_encode(), r"the type dictionary"),
        (Text.from_arrow, ["C"], r"a list offers no Arrow data"),
        (
            Ragged.from_arrow,
            pa.array(["C"]),
            r"the type string, expected lists of .* Text.from_arrow reads strings",
        ),
        (Ragged.from_arrow, pa.array([["C"]]), r"items of the type string, expected numbers"),
        (Ragged.from_arrow, pa.array([[[1]]]), r"items of the type list<"),
        (Ragged.from_arrow, pa.table({"s": ["C"]}), r"the type struct<"),
    ],
)
def test_other_columns_are_rejected(read: Callable[[Any], Any], column: Any, message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        read(column)


def test_a_stream_that_fails_reports_the_reason() -> None:
    def batches(fail: bool) -> Iterator[Any]:
        if fail:
            raise OSError("the disk is gone")
        yield

    reader = pa.RecordBatchReader.from_batches(pa.schema([("s", pa.string())]), batches(fail=True))
    with pytest.raises(ColumnError, match=r"the Arrow column cannot be read: .*the disk is gone"):
        Text.from_arrow(reader)


def damaged(kind: pa.DataType, good: list[int], bad: list[int], dtype: str, n: int) -> pa.Array:
    """A column whose offsets or views were good when it was made."""
    numbers = np.array(good, dtype)
    data = pa.py_buffer(b"CCOCCOCCOCCOCCOCCO")
    nested = isinstance(kind, pa.ListType)
    buffers = [None, pa.py_buffer(numbers)] + [data] * (not nested)
    column = pa.Array.from_buffers(kind, n, buffers, children=[pa.array([1, 2, 3])] if nested else None)
    numbers[:] = bad
    return column


@pytest.mark.parametrize(
    ("kind", "good", "bad", "dtype", "message"),
    [
        (pa.string(), [0, 4, 9], [0, 9, 4], "i4", r"offsets fall from 9 to 4 at row 1"),
        (pa.large_string(), [0, 4, 9], [-3, 4, 9], "i8", r"offsets\[0\] is -3"),
        (pa.list_(pa.int64()), [0, 1, 3], [0, 1, 4], "i4", r"offsets\[2\] is 4, but there are only 3 values"),
        (pa.list_(pa.int64()), [0, 1, 3], [0, -1, 3], "i4", r"offsets fall from 0 to -1 at row 0"),
    ],
)
def test_damaged_offsets_are_rejected(kind: Any, good: list[int], bad: list[int], dtype: str, message: str) -> None:
    read = Ragged.from_arrow if isinstance(kind, pa.ListType) else Text.from_arrow
    with pytest.raises(ColumnError, match=message):
        read(damaged(kind, good, bad, dtype, 2))


@pytest.mark.parametrize(
    ("length", "number", "start", "message"),
    [
        (15, 0, 4, r"damaged: View at slot 0 references range 4-19 of buffer 0"),
        (15, 7, 0, r"damaged: View at slot 0 references buffer 7"),
        (15, -1, 0, r"damaged: View at slot 0 "),
        (15, 0, -2, r"damaged: View at slot 0 "),
        (-5, 0, 0, r"damaged: View at slot 0 has negative size -5"),
    ],
)
def test_damaged_views_are_rejected(length: int, number: int, start: int, message: str) -> None:
    prefix = int.from_bytes(b"CCOC", sys.byteorder)
    column = damaged(pa.string_view(), [15, prefix, 0, 0], [length, prefix, number, start], "i4", 1)
    with pytest.raises(ColumnError, match=message):
        Text.from_arrow(column)
