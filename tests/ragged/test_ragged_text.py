"""Text: columns of strings of every library, and back."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl.errors import ColumnError, RowError
from mrl.ragged import Ragged, Text, as_text

STRINGS = st.lists(st.text(max_size=20) | st.sampled_from(["CCO", "", " C ", "N≡N", "C\x00", "🧪" * 5]), max_size=12)


class OnDisk:
    """A column with nothing but the members of the protocol."""

    def __init__(self, column: Text) -> None:
        self.column, self.digest = column, "0"

    def __len__(self) -> int:
        return len(self.column)

    def take(self, rows: Any) -> Text:
        return self.column.take(rows)


COLUMNS: dict[str, Callable[[list[str]], Any]] = {
    "list": list,
    "tuple": tuple,
    "numpy object": lambda rows: np.array([*rows, None], object)[:-1],
    "pandas": lambda rows: pd.Series(rows, dtype="str", index=[7] * len(rows)),
    "pandas object": lambda rows: pd.Series(rows, dtype=object, index=range(len(rows), 0, -1)),
    "pandas arrow": lambda rows: pd.Series(rows, dtype=pd.ArrowDtype(pa.string())),
    "pandas category": lambda rows: pd.Series(rows, dtype=object).astype("category"),
    "pandas index": lambda rows: pd.Index(rows, dtype=object),
    "pandas extension array": lambda rows: pd.array(rows, dtype="string"),
    "polars": lambda rows: pl.Series(rows, dtype=pl.String),
    "polars chunks": lambda rows: pl.Series(rows[:3], dtype=pl.String).append(pl.Series(rows[3:], dtype=pl.String)),
    "polars categorical": lambda rows: pl.Series(rows, dtype=pl.Categorical),
    "polars object": lambda rows: pl.Series(rows, dtype=pl.Object),
    "arrow": lambda rows: pa.array(rows, pa.string()),
    "arrow large": lambda rows: pa.array(rows, pa.large_string()),
    "arrow view": lambda rows: pa.array(rows, pa.string_view()),
    "arrow dictionary": lambda rows: pa.array(rows, pa.string()).dictionary_encode(),
    "arrow sliced": lambda rows: pa.array(["x", *rows, "yz"], pa.string())[1:-1],
    "arrow view sliced": lambda rows: pa.array(["x" * 20, *rows, "yz"], pa.string_view())[1:-1],
    "arrow chunks": lambda rows: pa.chunked_array([rows[:3], rows[3:]], pa.large_string()),
    "arrow no chunk": lambda rows: pa.chunked_array([rows] if rows else [], pa.string()),
    "text": lambda rows: Text.of(["x", *rows])[1:],
    "iterator": iter,
    "column on disk": lambda rows: OnDisk(Text.of(rows)),
}  # fmt: skip


@pytest.mark.parametrize("kind", COLUMNS)
@given(rows=STRINGS)
def test_every_kind_of_column_is_read_exactly(kind: str, rows: list[str]) -> None:
    text = Text.of(COLUMNS[kind](rows))
    assert type(text) is Text
    assert text.tolist() == list(text) == rows
    assert [text[i] for i in range(len(text))] == rows
    assert text.lengths.tolist() == [len(row.encode()) for row in rows]
    assert text == Text.of(rows)
    assert text.digest == Text.of(rows).digest
    assert pickle.loads(pickle.dumps(text)) == text


@given(rows=st.lists(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=20), min_size=1))
def test_numpy_strings_are_read_exactly(rows: list[str]) -> None:
    assert Text.of(np.array(rows)).tolist() == rows
    assert Text.of(np.array(rows).astype(np.array(rows).dtype.newbyteorder(">"))).tolist() == rows
    assert Text.of(np.array(rows, np.str_)[::-1]).tolist() == rows[::-1]


MISSING: dict[str, tuple[Any, str]] = {
    "list": (["C", "N", None], "None"),
    "nan": (["C", "N", float("nan")], "nan (float)"),
    "numpy object": (np.array(["C", "N", np.float32("nan")], object), repr(np.float32("nan"))),
    "pandas": (pd.Series(["C", "N", None], index=[0, 0, 0], dtype="str"), "nan (float)"),
    "pandas object": (pd.Series(["C", "N", None], dtype=object), "None"),
    "pandas string": (pd.Series(["C", "N", None], dtype="string"), "<NA> (NAType)"),
    "pandas time": (["C", "N", pd.NaT], "NaT (NaTType)"),
    "polars": (pl.Series(["C", "N", None]), "None"),
    "arrow": (pa.array(["C", "N", None]), "None"),
    "arrow view": (pa.array(["C", "N", None], pa.string_view()), "None"),
    "arrow chunks": (pa.chunked_array([["C"], ["N", None]]), "None"),
    "masked": (np.ma.array(["C", "N", "O"], mask=[False, False, True]), "None"),
}


@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_are_named_with_a_remedy(kind: str) -> None:
    column, shown = MISSING[kind]
    with pytest.raises(RowError) as caught:
        Text.of(column, name="mol")
    assert str(caught.value).startswith(f"row 2 of column 'mol' is {shown}")
    assert str(caught.value).endswith("expected a str; drop or fill missing rows first, e.g. df.dropna(subset=['mol'])")
    assert (caught.value.row, caught.value.column) == (2, "mol")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["C", 5], r"row 1 of column 'smiles' is 5 \(int\), expected a str; convert it with str\(\)"),
        (["C", b"CC"], r"row 1 of column 'smiles' is b'CC' \(bytes\), expected a str; decode bytes first"),
        (["C", ["C"]], r"row 1 of column 'smiles' is \['C'\] \(list\)"),
        (np.array([b"C"]), r"row 0 of column 'smiles' is b'C' \(bytes\)"),
        (np.arange(3), r"row 0 of column 'smiles' is 0 \(int\)"),
        (pa.array([1.5]), r"row 0 of column 'smiles' is 1.5 \(float\)"),
        (pa.array([b"C"]), r"row 0 of column 'smiles' is b'C' \(bytes\)"),
        (pd.Series(["C", 5.0]), r"row 1 of column 'smiles' is 5.0 \(float\)"),
        (pl.Series([1]), r"row 0 of column 'smiles' is 1 \(int\)"),
        (pl.Series(["C", 5], dtype=pl.Object), r"row 1 of column 'smiles' is 5 \(int\)"),
        (Ragged([1], [0, 1]), r"row 0 of column 'smiles' is \[1\] \(list\)"),
        (["C", "C\udcff"], r"row 1 of column 'smiles' is 'C\\udcff', which has a lone surrogate at 1"),
        ([None] * 3 + ["C" * 900], r"row 0 of"),
    ],
)  # fmt: skip
def test_values_that_are_not_strings_are_named(column: Any, message: str) -> None:
    with pytest.raises(RowError, match=message):
        Text.of(column)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("CCO", r"column 'smiles' is a single string, 'CCO': wrap it in a list, \['CCO'\]"),
        (b"CCO", r"a single string, b'CCO'"),
        (np.array("CCO"), r"is a ndarray of shape \(\), expected one dimension: make it .* values\.reshape\(1\)$"),
        (
            np.array([["C"]]),
            r"is a ndarray of shape \(1, 1\), expected one .* choose one column of it, .* values\[:, 0\]$",
        ),
        (
            pd.DataFrame({"s": ["C"]}),
            r"is a DataFrame of shape \(1, 1\), .* choose one column of it, e\.g\. table\['s'\]$",
        ),
        (pl.DataFrame({"s": ["C"]}), r"is a DataFrame of shape \(1, 1\), .* e\.g\. table\['s'\]$"),
        (pa.table({"y": [1], "smiles": ["C"]}), r"is a Table of shape \(1, 2\), .* e\.g\. table\['smiles'\]$"),
        ({"C"}, r"is a set, expected one value per row in an order: make it a list, e.g. sorted\(smiles\)"),
        ({"s": ["C"]}, r"is a dict, expected one value per row in an order: choose one of its columns"),
        (None, r"column 'smiles' is None \(NoneType\), expected one value per row: wrap a single value in a list"),
        (5, r"column 'smiles' is 5 \(int\), expected one value per row"),
    ],
)
def test_values_without_an_order_of_rows_are_rejected(column: Any, message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        Text.of(column)


def test_a_text_is_returned_as_it_is() -> None:
    text = Text.of(["C"])
    assert Text.of(text) is text


def test_slices_and_selections_are_texts() -> None:
    text = Text.of(["C", "N≡N", "", "O"])
    assert isinstance(text[1:3], Text)
    assert text[1:3].tolist() == ["N≡N", ""]
    assert text[::-2].tolist() == ["O", "N≡N"]
    assert text.take([3, 3]).tolist() == ["O", "O"]
    assert text[-1] == "O"
    assert "N≡N" in text
    assert text.index("") == 2
    assert list(reversed(text)) == ["O", "", "N≡N", "C"]


def test_rows_and_parts() -> None:
    assert Text.concat([]) == Text.of([])
    assert Ragged.concat([Text.of(["C"]), Text.of(["x", "N"])[1:]]) == Text.of(["C", "N"])
    with pytest.raises(ColumnError, match="dtype int64, expected UTF-8 as uint8"):
        Text.from_rows([[67]], np.int64)
    with pytest.raises(ColumnError, match="dtype int64, expected UTF-8 as uint8"):
        Text([67], [0, 1])


def test_a_row_that_is_not_utf8_is_named_when_it_is_read() -> None:
    text = Text(np.frombuffer(b"C\xff", np.uint8), [0, 1, 2])
    assert text[0] == "C"
    for read in (lambda: text[1], text.tolist, text.to_arrow):
        with pytest.raises(RowError, match=r"row 1 is b'\\xff', which is not UTF-8") as caught:
            read()
        assert caught.value.row == 1
    assert repr(text) == r"Text(2 rows, 2 bytes: 'C', '\\xff')"


def test_more_rows_than_a_block_of_iteration() -> None:
    rows = [f"C{i}" + "é" * (i == 5000) for i in range(9000)]
    assert Text.of(rows).tolist() == rows


def test_repr() -> None:
    assert repr(Text.of([])) == "Text(0 rows, 0 bytes)"
    assert repr(Text.of(["C" * 50])) == f"Text(1 row, 50 bytes: '{'C' * 40}')"
    assert repr(Text.of(["CCO", "", "N", "O"])) == "Text(4 rows, 5 bytes: 'CCO', '', 'N', ...)"


def test_other_libraries_read_it_as_a_sequence() -> None:
    rows = ["CCO", "", "N≡N"]
    text = Text.of(rows)
    assert pa.array(text).to_pylist() == rows
    assert pl.Series(text).to_list() == rows
    assert pl.DataFrame({"smiles": text})["smiles"].to_list() == rows
    assert pd.Series(text).tolist() == rows
    assert np.asarray(text).tolist() == rows
    assert pa.array(Ragged([1, 2], [0, 2, 2])).to_pylist() == [[1, 2], []]
    assert pl.Series(Ragged([1, 2], [0, 2, 2])).to_list() == [[1, 2], []]


@pytest.mark.parametrize(
    "text",
    ["<rdkit.Chem.rdchem.Mol object at 0x7f2e10a9fd10>", "<function f at 0x1F>", "<object object at 0x7fa4e854bf50>"],
)
def test_the_repr_of_an_object_is_not_its_text(text: str) -> None:
    with pytest.raises(RowError, match=r"row 1 of column 'smiles' .* by mrl\.chem\.to_smile\(mol\), not str\(mol\)$"):
        as_text(["CCO", text])
    with pytest.raises(RowError, match="row 1 of column 'smiles'"):
        as_text(pa.array(["CCO", text]))
    assert as_text([f"x {text}", "a at 0x1"]).tolist() == [f"x {text}", "a at 0x1"]


@given(STRINGS, st.text(max_size=3) | st.sampled_from(["CCO", "", "N≡N"]))
def test_a_column_compared_with_a_text_is_a_mask(rows: list[str], value: str) -> None:
    text = Text.of(["first", *rows])[1:]  # a view, whose bytes begin later
    assert (text == value).tolist() == [row == value for row in rows]
    assert (text != value).tolist() == [row != value for row in rows]


def test_a_column_compared_with_another_is_compared_as_a_whole() -> None:
    text = Text.of(["C", "N"])
    assert text == Text.of(["C", "N"])
    assert text != Text.of(["C", "O"])
    assert text != ["C", "N"]
    assert len({text, Text.of(["C", "N"])}) == 1
