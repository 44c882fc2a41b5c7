"""`Table` in the hand: rows, slices, filters, and tables of other libraries."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl.corpus import Table, read, read_blocks
from mrl.errors import ColumnError, ReadError, RowError
from mrl.ragged import Rejects, Tabular, Text


def some() -> Table:
    columns = {"smiles": ["CCO", "C", "N"], "set": ["train", "test", "train"], "y": [0.5, np.nan, 2.0], "n": [1, 2, 3]}
    return Table(columns, Rejects([(3, "", "read", "empty")]), targets=("y",))


def test_a_row_is_a_dict() -> None:
    table = some()
    assert table[0] == {"smiles": "CCO", "set": "train", "y": 0.5, "n": 1}
    assert [type(value) for value in table[-1].values()] == [str, str, float, int]
    assert [row["smiles"] for row in table] == ["CCO", "C", "N"]
    for row in (3, -4):
        with pytest.raises(IndexError):
            table[row]


def test_rows_of_a_slice_a_mask_or_numbers_are_a_table() -> None:
    table: Any = some()
    assert table[1:].smiles.tolist() == ["C", "N"]
    assert table[::-1].smiles.tolist() == ["N", "C", "CCO"]
    assert table[[2, 0]].rows.tolist() == [2, 0]
    assert table[table["set"] == "train"].smiles.tolist() == ["CCO", "N"]
    assert table[table["set"] != "train"].smiles.tolist() == ["C"]
    assert table[table["n"] > 1].smiles.tolist() == ["C", "N"]
    assert table[(table["set"] == "train") & (table.y < 1)].smiles.tolist() == ["CCO"]
    assert (table[:1].targets, len(table[:1].rejects), len(table[:0])) == (("y",), 1, 0)
    with pytest.raises(IndexError):
        table[np.bool_(True)]
    with pytest.raises(IndexError, match="the mask has 2 entries for 3 rows"):
        table[np.array([True, False])]


def test_columns_by_name() -> None:
    table = some()
    assert ("y" in table, "z" in table) == (True, False)
    with pytest.raises(ColumnError, match=r"no column 'sett' \(did you mean 'set'\?\)"):
        table["sett"]


def test_a_repr_of_many_columns_is_short() -> None:
    names = ["smiles", *(f"d{i}" for i in range(690))]
    table = Table({name: ["C"] for name in names})
    assert repr(table) == "Table(1 row: smiles, d0, d1, d2, d3, d4, d5, d6, and 683 more)"


def test_pandas_and_back() -> None:
    frame = pd.DataFrame(
        {"id": [7, 8, 9], "SMILES": ["CCO", None, "N"], "set": ["a", "b", None], "y": [1, 2, None]}, index=[5, 5, 1]
    )
    table = Table.from_pandas(frame, targets="y")
    assert repr(table) == "Table(2 rows: id, SMILES, set, y; 1 rejected)"
    assert (table.smiles.tolist(), table.rows.tolist()) == (["CCO", "N"], [0, 2])
    assert table.rejects == Rejects([(1, "", "read", "empty")])
    assert table["set"].tolist() == ["a", None]
    assert table["id"].tolist() == [7, 9]
    np.testing.assert_array_equal(table.y, [1, np.nan])
    kept = table.to_pandas()
    assert kept.columns.tolist() == frame.columns.tolist()
    assert kept.SMILES.tolist() == ["CCO", "N"]
    again = Table.from_pandas(kept, targets="y")
    assert repr(again.to_arrow().to_pydict()) == repr(table.to_arrow().to_pydict())


def test_frames_of_polars() -> None:
    table = some()
    frame = pl.DataFrame(table.to_arrow())
    assert frame.columns == ["smiles", "set", "y", "n"]
    assert Table.from_pandas(frame, targets=["y"])[2] == table[2]


@given(st.lists(st.tuples(st.text(min_size=1), st.floats(), st.integers(-(2**62), 2**62)), min_size=1))
def test_nothing_changes_on_the_way_through_arrow(rows: list[tuple[str, float, int]]) -> None:
    texts, floats, numbers = map(list, zip(*rows, strict=True))
    found = Table({"smiles": texts, "y": np.array(floats), "n": np.array(numbers)}).to_arrow()
    assert found["smiles"].to_pylist() == texts
    assert found["n"].to_pylist() == numbers
    assert np.array(found["y"]).tobytes() == np.array(floats).tobytes()


def test_signs_of_censored_labels_are_a_column() -> None:
    table = Table({"smiles": ["C", "N"], "y": [1.0, 2.0]}, targets=("y",), signs={"y": np.array([0, 1], np.int8)})
    assert table.to_arrow().to_pydict() == {"smiles": ["C", "N"], "y": [1.0, 2.0], "y sign": [0, 1]}
    assert table[:1].to_arrow().column_names == ["smiles", "y"]


@pytest.mark.parametrize(
    ("frame", "options", "error", "words"),
    [
        (
            pd.DataFrame({"a": ["C"]}),
            {},
            ColumnError,
            r"no column is called smiles; .*: choose one, smiles=",
        ),
        (
            pd.DataFrame({"s": ["C"]}),
            {"smiles": "S"},
            ColumnError,
            r"no column 'S' \(did you mean 's'\?\)",
        ),
        (pd.DataFrame({"smiles": ["C"]}), {"targets": "y"}, ColumnError, r"no column 'y'; there are 'smiles'"),
        (pd.DataFrame({"smiles": ["C"], 0: [1]}), {}, ColumnError, r"the column 0 does not have a name of its own"),
        (
            pd.DataFrame({"smiles": ["C", 3.5]}),
            {},
            RowError,
            r"row 1 of column 'smiles' is 3.5",
        ),
        (
            pd.DataFrame({"smiles": ["C"], "y": ["x"]}),
            {"targets": "y"},
            RowError,
            r"row 0 of y is 'x'",
        ),
    ],
)
def test_frames_that_are_no_tables(frame: Any, options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Table.from_pandas(frame, **options)


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (Table({"smiles": ["C"]}), "a Table is used as it is"),
        ({"smiles": ["C"]}, r"Table\(columns\) makes a Table of a mapping"),
        (pd.DataFrame({"smiles": ["C"]}), r"Table\.from_pandas\(df\) makes a Table of a DataFrame"),
    ],
)
def test_a_table_in_memory_is_not_a_file(data: Any, remedy: str) -> None:
    for function in (read, read_blocks):
        with pytest.raises(ReadError, match=f"takes the path of a file, not a table in memory: {remedy}$"):
            list(function(data))


def test_values_of_several_types_are_named() -> None:
    table = Table({"smiles": ["C", "N"], "x": ["a", 1]})
    with pytest.raises(ColumnError, match="column 'x' cannot be an Arrow column"):
        table.to_arrow()


def test_pandas_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)  # as if it were not installed

    class WithoutPandas:
        def to_pandas(self) -> Any:
            import pandas

            return pandas

    class Result(Tabular):
        def to_arrow(self) -> Any:
            return WithoutPandas()

    with pytest.raises(ImportError, match=r"pip install pandas, or use to_arrow\(\)"):
        Result().to_pandas()
    assert isinstance(some().to_arrow(), pa.Table)
    assert isinstance(some().smiles, Text)
