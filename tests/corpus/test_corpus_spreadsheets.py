"""Workbooks."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from molecule_files import workbook

from mrl.corpus import ReadOptions, read
from mrl.errors import ReadError


def test_without_its_package_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(ReadError, match=r"needs the package python-calamine: pip install 'mrl\[xlsx\]', or save"):
        read(workbook(tmp_path / "t.xlsx", data=[["smiles"], ["C"]]))


def test_a_sheet_is_a_table(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra xlsx is not installed")
    rows: list[list[object]] = [
        ["id", "smiles", "y", None, "ok"],
        [17, " CCO", 1.5, None, True],
        [],
        ["x", "C", "", None, False],
        [1e300, "N", 3],
    ]
    table = read(workbook(tmp_path / "t.xlsx", data=rows, empty=[]), targets="y", others=True)
    assert table.header == ("id", "smiles", "y", "ok")
    assert table.smiles.tolist() == ["CCO", "C", "N"]
    assert table["id"].tolist() == ["17", "x", "1e+300"]
    assert table["ok"].tolist() == ["true", "false", ""]
    np.testing.assert_array_equal(table.y, [1.5, np.nan, 3])
    assert [(reject.row, reject.reason) for reject in table.rejects] == [(1, "empty")]
    assert table.rows.tolist() == [0, 2, 3]


def test_several_sheets_have_to_be_told_apart(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra xlsx is not installed")
    path = workbook(tmp_path / "t.xlsx", a=[["smiles"], ["C"]], b=[["smiles"], ["N"]])
    with pytest.raises(ReadError, match=r"has several sheets: choose one of 'a', 'b' with .*sheet=.*--sheet"):
        read(path)
    assert read(path, options=ReadOptions(sheet="b")).smiles.tolist() == ["N"]
    with pytest.raises(ReadError, match="has no sheet 'c': choose one of 'a', 'b'"):
        read(path, options=ReadOptions(sheet="c"))


def test_a_workbook_without_sheets_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra xlsx is not installed")
    path = workbook(tmp_path / "t.xlsx")
    for sheet in (None, "a"):
        with pytest.raises(ReadError, match="has no sheets, or is damaged"):
            read(path, options=ReadOptions(sheet=sheet))


def test_cells_far_apart_do_not_fill_the_memory(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra xlsx is not installed")
    path = workbook(tmp_path / "t.xlsx", data=[["smiles"], ["C"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data.replace(b"</sheetData>", far))
    with pytest.raises(ReadError, match="span 17,179,869,184 cells, nearly all of them blank"):
        read(path)
    cell = b'<table:table-cell table:number-columns-repeated="16384" office:value-type="string"><text:p>C</text:p>'
    rows = b'<table:table-row table:number-rows-repeated="1000000">%b</table:table-cell></table:table-row>' % cell
    with zipfile.ZipFile(tmp_path / "t.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", rows)
    with pytest.raises(ReadError, match="span 16,384,000,000 cells"):
        read(tmp_path / "t.ods")


def test_a_workbook_that_expands_to_a_thousand_times_its_size_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra xlsx is not installed")
    path = workbook(tmp_path / "t.xlsx", data=[["smiles"], ["C"]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    rows = b'<row><c t="inlineStr"><is><t>CCO</t></is></c></row>' * 1_500_000 + b"</sheetData>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data.replace(b"</sheetData>", rows))
    with pytest.raises(ReadError, match=r"more than 200 times as many, .*: if it is meant to, save the sheet as CSV"):
        read(path)


def test_files_that_are_not_workbooks(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra xlsx is not installed")
    whole = workbook(tmp_path / "t.xlsx", data=[["smiles"], ["C" * 10_000]])
    with pytest.raises(ReadError, match="more than 5,000 bytes after decompression"):
        read(whole, options=ReadOptions(max_bytes=5_000))
    data = whole.read_bytes()
    for size in range(0, len(data), 7):
        whole.write_bytes(data[:size])
        with pytest.raises(ReadError):
            read(whole)
    with pytest.raises(ReadError, match="is empty"):
        read(workbook(tmp_path / "e.xlsx", data=[]))
    with pytest.raises(ReadError, match="has a header and no rows: 'smiles'"):
        read(workbook(tmp_path / "h.xlsx", data=[["smiles"]]))
