"""Rejects: the table of rejected rows."""

from __future__ import annotations

import csv
import io
import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl.errors import RowError
from mrl.ragged import Reject, Rejects

ROWS = st.lists(st.tuples(st.integers(0, 10**12), st.text(), st.sampled_from(["read", "parse"]), st.text(max_size=3)))
SOME = [
    (7, "C(", "parse", "syntax"),
    (1, "", "read", "blank"),
    (9, "CF5", "parse", "valence"),
    (3, "c1", "parse", "syntax"),
]


@given(ROWS, st.slices(6))
def test_it_is_a_sequence_of_its_rows(rows: list[tuple[int, str, str, str]], index: slice) -> None:
    rejects = Rejects(iter(rows))
    assert len(rejects) == len(rows)
    assert list(rejects) == rows
    assert list(rejects[index]) == rows[index]
    assert all(isinstance(reject, Reject) for reject in rejects)
    assert pickle.loads(pickle.dumps(rejects)) == rejects == Rejects(rejects)
    assert hash(rejects) == hash(Rejects(rows))
    assert sum(rejects.counts().values()) == len(rows)
    assert list(Rejects.concat([rejects, Rejects(), rejects])) == rows + rows


def test_rows_have_names() -> None:
    last = Rejects(SOME)[-1]
    assert (last.row, last.text, last.stage, last.reason) == (3, "c1", "parse", "syntax")


def test_counts_begin_with_the_most_frequent_and_break_ties_by_name() -> None:
    assert list(Rejects(SOME).counts().items()) == [("syntax", 2), ("blank", 1), ("valence", 1)]


@given(ROWS)
def test_csv_comes_back(rows: list[tuple[int, str, str, str]]) -> None:
    file = io.StringIO(newline="")
    Rejects(rows).to_csv(file)
    file.seek(0)
    header, *lines = csv.reader(file)
    assert header == ["row", "text", "stage", "reason", "kind"]
    assert [(int(row), *rest) for row, *rest, _ in lines] == rows
    assert [line[-1] for line in lines] == [reject.kind for reject in Rejects(rows)]


def test_csv_by_example(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rejects.csv"
    Rejects([(4, 'a,"b"\n', "read", "é"), (5, "C\udcff", "read", "encoding")]).to_csv(path)
    assert path.read_bytes() == (
        b'"row","text","stage","reason","kind"\n4,"a,""b""\n","read","\xc3\xa9","\xc3\xa9"\n'
        b'5,"C\\udcff","read","encoding","encoding"\n'
    )
    assert [file.name for file in path.parent.iterdir()] == ["rejects.csv"]


def test_frames_of_other_libraries() -> None:
    rejects = Rejects(SOME)
    assert pl.DataFrame(rejects).rows() == SOME
    assert pl.DataFrame(rejects).columns == list(Reject._fields)
    assert list(pd.DataFrame(rejects).itertuples(index=False, name=None)) == SOME
    assert pd.DataFrame(rejects).columns.tolist() == list(Reject._fields)
    assert pa.table(rejects.to_dict()).to_pylist() == [reject._asdict() | {"kind": reject.kind} for reject in rejects]
    assert rejects.to_arrow().equals(pa.table(rejects.to_dict(), schema=rejects.to_arrow().schema))
    assert pl.DataFrame(rejects.to_arrow()).rows() == [(*row, row[3]) for row in SOME]
    assert rejects.to_pandas().kind.tolist() == [row[3] for row in SOME]
    assert Rejects().to_dict() == {"row": [], "text": [], "stage": [], "reason": [], "kind": []}


def test_repr() -> None:
    assert repr(Rejects()) == "no rejects"
    assert repr(Rejects(SOME)) == "Rejects(4 rows: 2 × 'syntax', 1 × 'blank', 1 × 'valence')"
    many = Rejects((i, "", "read", f"r{i}") for i in range(9))
    assert repr(many).endswith("1 × 'r4', 4 more reasons)")


def test_the_table_of_a_notebook_is_escaped_and_short() -> None:
    assert Rejects()._repr_html_() == "<p>no rejects</p>"
    html = Rejects([(i, "<b>&", "parse", "syntax") for i in range(23)])._repr_html_()
    assert "<td>&lt;b&gt;&amp;</td>" in html
    assert "<b>" not in html
    assert html.count("<tr>") == 21
    assert html.endswith("<p>and 3 more</p>")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, "C"), r"reject 0 is \(1, 'C'\), expected \(row, text, stage, reason\) with an integer row"),
        (("1", "C", "parse", "x"), r"expected \(row, text, stage, reason\) with an integer row"),
        (5, r"reject 0 is 5"),
        ((1, None, "parse", "x"), r"reject 0 has text None \(NoneType\), expected a str"),
    ],
)
def test_other_rows_are_rejected(row: Any, message: str) -> None:
    with pytest.raises(RowError, match=message):
        Rejects([row])


def test_it_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Rejects().other = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        Rejects(SOME)[0] = SOME[1]  # type: ignore[index]


def test_reasons_are_counted_by_their_kind() -> None:
    rejects = Rejects(
        (row, "C" * row, "length", f"too long: {row} tokens, more than max_length 2") for row in range(3, 9)
    )
    assert rejects.counts() == {"too long": 6}
    assert repr(rejects) == "Rejects(6 rows: 6 × 'too long')"
    assert {reject.kind for reject in rejects} == {"too long"}


def test_lines_of_a_file_go_along_and_are_exported() -> None:
    rejects = Rejects(SOME, lines={SOME[0][0]: 12, 10_000: 3})
    assert rejects.lines == {SOME[0][0]: 12}
    line_of = [12 if row[0] == SOME[0][0] else None for row in SOME]
    assert rejects.to_dict()["line"] == line_of
    for other in (pickle.loads(pickle.dumps(rejects)), rejects[:], Rejects.concat([Rejects(), rejects])):
        assert other == rejects
        assert other.lines == rejects.lines
    assert rejects.to_arrow()["line"].to_pylist() == line_of
    file = io.StringIO()
    rejects.to_csv(file)
    assert file.getvalue().splitlines()[0] == '"row","text","stage","reason","kind","line"'


def test_no_rejects_have_columns_of_the_same_types() -> None:
    some, none = Rejects(SOME).to_arrow(), Rejects().to_arrow()
    assert none.schema == some.schema
    assert len(none) == 0
