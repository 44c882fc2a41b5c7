"""Tables that are written are read back as they were; what a format cannot hold is an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from mrl.corpus import Table, read, write_table
from mrl.errors import ColumnError, RowError
from mrl.ragged import Text

CELLS = ["", "a, b", 'a "quoted" one', "two\nlines", "tab\there", " blanks ", "é 漢", "NA", "nan", "#1", "a\rb"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".arrow"])
def test_every_cell_comes_back(tmp_path: Path, suffix: str) -> None:
    n = len(CELLS)
    numbers = np.array([0.1, np.nan, 1e300, -0.0, 1 / 3, *range(n - 5)])
    table = Table({"smiles": Text.of(["C"] * n), "note": Text.of(CELLS), "y": numbers}, targets=("y",))
    write_table(table, tmp_path / f"a{suffix}")
    back = read(tmp_path / f"a{suffix}", targets="y", others=True)
    assert back["note"].tolist() == CELLS
    assert np.array_equal(back.y, numbers, equal_nan=True)
    assert np.array_equal(np.signbit(back.y), np.signbit(numbers))


def test_all_columns_of_a_file_are_kept_with_their_values(tmp_path: Path) -> None:
    columns = {
        "smiles": ["CCO", "C", "N"],
        "whole": pa.array([2**63 - 1, 0, -1]),
        "some": pa.array([2**60 + 1, None, 3]),
        "half": pa.array([0.1, None, 0.3], pa.float32()),
        "flag": pa.array([True, False, True]),
        "day": pa.array([0, 1, None], pa.date32()),
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=1)
    table = read(tmp_path / "a.parquet", others=True)
    assert table["whole"].tolist() == [2**63 - 1, 0, -1]
    assert table["some"].tolist() == [str(2**60 + 1), "", "3"]
    assert table["flag"].tolist() == [True, False, True]
    assert table["day"].tolist() == ["1970-01-01", "1970-01-02", ""]
    write_table(table, tmp_path / "b.csv")
    text = (tmp_path / "b.csv").read_text()
    assert text == (
        "smiles,whole,some,half,flag,day\n"
        f"CCO,{2**63 - 1},{2**60 + 1},0.1,True,1970-01-01\nC,0,,,False,1970-01-02\nN,-1,3,0.3,True,\n"
    )


def test_columns_that_are_no_cells_are_an_error(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"smiles": ["C"], "list": [[1, 2]]}), tmp_path / "a.parquet")
    with pytest.raises(ColumnError, match="column 'list' is list"):
        read(tmp_path / "a.parquet", others=True)
    (tmp_path / "a.csv").write_text("smiles,x,x\nC,1,2\n")
    with pytest.raises(ColumnError, match="2 columns are called 'x'"):
        read(tmp_path / "a.csv", others=True)


def test_a_list_of_smiles_keeps_tails_and_names(tmp_path: Path) -> None:
    path = tmp_path / "a.smi"
    path.write_text("C/C=C/C |t:1| an alkene\nCCO\nC methane\n")
    write_table(read(path, others=True), tmp_path / "b.smi")
    assert (tmp_path / "b.smi").read_text() == path.read_text()


def test_what_a_format_cannot_hold_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    molecules = Text.of(["C", "N"])
    two = Table({"smiles": molecules, "id": Text.of(["1", "2"]), "note": Text.of(["", ""])})
    with pytest.raises(ColumnError, match=r"not the columns 'id', 'note': write \.csv"):
        write_table(two, tmp_path / "a.smi")
    for name in ("two\nlines", "|c:1|", " a"):
        with pytest.raises(RowError, match="row 1 of column 'name'"):
            write_table(Table({"smiles": molecules, "name": Text.of(["", name])}), tmp_path / "a.smi")
    with pytest.raises(ValueError, match=r"suffix '\.xlsx'; expected one of \.csv"):
        write_table(two, tmp_path / "a.xlsx")
    assert not list(tmp_path.iterdir())
