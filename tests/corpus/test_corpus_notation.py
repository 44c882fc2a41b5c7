"""Columns and rows that are not SMILES, and how ReadOptions has cells read."""

from __future__ import annotations

import bz2
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrl.corpus import ReadOptions, Table, read, read_blocks
from mrl.errors import ColumnError, MissingLabelsWarning, NotationError, ReadError, RowError

FOREIGN = "not SMILES: a letter outside brackets that is no element or aromatic atom of SMILES"
Put = Callable[[str, str | bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(name: str, data: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def reasons(table: Table) -> list[tuple[int, str, str]]:
    return [(reject.row, reject.text, reject.reason) for reject in table.rejects]


# notation

HELD = {
    "selfies": ["[C][C][O]", "[C][=C][Ring1][Branch1]"],
    "protein": ["MKTAYIAKQR", "GSHMLEDPVE"],
    "nucleotide": ["ACGTTGCA", "GATTACA", "acguuna"],
    "text": ["aspirin", "Ethanol", "mol1", "ZINC000001"],
}


@pytest.mark.parametrize("notation", HELD)
@pytest.mark.parametrize("name", ["t.csv", "t.smi"])
def test_a_column_of_another_notation_is_an_error_whose_way_out_works(put: Put, notation: str, name: str) -> None:
    rows = HELD[notation] * 20
    path = put(name, "smiles\n" + "\n".join(rows) + "\n")
    with pytest.raises(NotationError, match=r"column 'smiles' holds .*, not SMILES, e\.g\. '") as caught:
        read(path)
    assert (caught.value.notation, caught.value.column, caught.value.path) == (notation, "smiles", str(path))
    assert 'options=ReadOptions(notation="text") (--notation text)' in str(caught.value)
    for options in (ReadOptions(notation="text"), ReadOptions(notation=notation)):  # type: ignore[arg-type]
        table = read(path, options=options)
        assert (table.smiles.tolist(), len(table.rejects)) == (rows, 0)


@pytest.mark.parametrize(
    "rows",
    [
        ["CCN", "CCC", "NCC", "CNC"],  # letters of nucleotides that are elements as well
        ["[Na+].[Cl-]", "[2H]O[2H]", "[C-]#[O+]"],
        ["c1ccccc1", "CC(=O)O", "F[P-](F)(F)(F)(F)F"],
        ["FF", "II", "ClCl", "BrBr"],
        ["C", "N", "O"],
        ["C[Si](C)(C)C", "[H][H]", "*C", "C~C", "[1*]CC[2*]", "C%(100)CC%(100)"],
    ],
)
def test_molecules_are_not_taken_for_something_else(put: Put, rows: list[str]) -> None:
    table = read(put("t.csv", "smiles\n" + "\n".join(rows) + "\n"))
    assert (table.smiles.tolist(), len(table.rejects)) == (rows, 0)


def test_single_rows_that_are_not_smiles_are_rejected_by_their_kind(put: Put) -> None:
    molecules = ["CCO", "c1ccccc1", "CC(=O)O", "[Na+].[Cl-]"] * 10
    table = read(put("t.smi", "\n".join(["# made by hand", *molecules, ">sp|P1", "NAME", "mol1"]) + "\n"))
    assert table.smiles.tolist() == molecules
    assert reasons(table) == [
        (0, "# made by hand", "comment: a line that begins with #"),
        (41, ">sp|P1", "FASTA header: a line that begins with >"),
        (42, "NAME", FOREIGN),
        (43, "mol1", FOREIGN),
    ]


def test_a_list_with_the_name_first_is_recognised(put: Put) -> None:
    table = read(put("t.smi", "cmpd1 CCO\ncmpd2 CC |$a;b$| old name\ncmpd3 C\n"))
    assert table.smiles.tolist() == ["CCO", "CC", "C"]
    assert table["name"].tolist() == ["cmpd1", "cmpd2 old name", "cmpd3"]
    assert table.notes["name moved behind its SMILES"] == 3


def test_a_list_called_a_table_is_an_error_whose_way_out_works(put: Put) -> None:
    path = put("t.csv", "cmpd1 CCO\ncmpd2 CC\n")
    with pytest.raises(ColumnError, match=r"each line is a SMILES and a name, read them with format='smi'"):
        read(path)
    table = read(path, format="smi")
    assert (table.smiles.tolist(), table["name"].tolist()) == (["CCO", "CC"], ["cmpd1", "cmpd2"])


def test_a_table_without_header_in_a_list_is_an_error_whose_way_out_works(put: Put) -> None:
    path = put("t.smi", "CCO,ethanol\nC,methane\n")
    with pytest.raises(ReadError, match="insert a first line with the names of the columns, such as smiles,name"):
        read(path)
    path.write_text("smiles,name\n" + path.read_text())
    assert read(path, id="name")["name"].tolist() == ["ethanol", "methane"]


# labels


def labels(put: Put, cells: list[str], censored: Any = "raise", **options: Any) -> Table:
    rows = [f'C,"{cell}"\n' for cell in cells]
    path = put("t.csv", "smiles,y\n" + "".join(rows))
    return read(path, targets="y", censored=censored, options=ReadOptions(**options))


def test_labels_that_are_not_numbers_are_raised_rejected_or_missing(put: Put) -> None:
    cells = ["1.5", "inactive", "", "CI"]
    with pytest.raises(RowError, match=r"line 3 \(row 1\): column 'y' is 'inactive'.*ReadOptions\(on_label=...\)"):
        labels(put, cells)
    table = labels(put, cells, on_label="reject")
    np.testing.assert_array_equal(table["y"], [1.5, np.nan])
    assert reasons(table) == [(1, "C", "y is not a number"), (3, "C", "y is not a number")]
    with pytest.warns(
        MissingLabelsWarning, match="t.csv: 2 of 3 labels of column 'y' are not numbers and were read as"
    ):
        table = labels(put, cells, on_label="nan")
    np.testing.assert_array_equal(table["y"], [1.5, np.nan, np.nan, np.nan])
    assert table.notes == {"y not a number, read as missing": 2}


def test_words_are_mapped_to_numbers_and_decimal_commas_are_read_if_requested(put: Put) -> None:
    table = labels(put, ["active", " inactive ", "3"], label_map={"active": 1, "inactive": 0})
    assert table["y"].tolist() == [1, 0, 3]
    table = labels(put, ["0,5", "-1,25e1", "2", "1.234", "1,2,3"], decimal=",", on_label="reject")
    assert table["y"].tolist() == [0.5, -12.5, 2]
    assert [row for row, _, _ in reasons(table)] == [3, 4]


@pytest.mark.parametrize("on_label", ["raise", "reject", "nan"])
@pytest.mark.parametrize(
    ("cells", "decimal", "place", "remedy"),
    [
        (["n.d.", "", "-0,5", ">1,5e1", "2"], ".", 2, r"the column has decimal commas: .*\(--decimal ,\)"),
        (["1,5", "1,234"], ".", 0, "the column has decimal commas"),
        (["n.d.", "1,234", "12,500"], ".", 1, "its commas may be in front of decimals or thousands: pass .* or remove"),
        (["n.d.", "-0.5", "<1.5", "3"], ",", 1, "the column has decimal points: leave out decimal=','"),
        (["1.234", "12.500"], ",", 0, "its points may be in front of decimals or thousands: leave out decimal=','"),
    ],
)
def test_a_column_with_another_decimal_mark_is_an_error_whatever_becomes_of_labels(
    put: Put, cells: list[str], decimal: str, place: int, remedy: str, on_label: str
) -> None:
    if on_label != "raise":
        with pytest.raises(RowError, match=remedy) as error:
            labels(put, cells, decimal=decimal, on_label=on_label)
        assert (error.value.row, error.value.value) == (place, cells[place])
    with pytest.raises(RowError, match=remedy):
        labels(put, cells, decimal=decimal)
    followed = labels(put, cells, decimal="," if decimal == "." else ".", censored="keep", on_label="nan")
    assert int(np.isfinite(followed["y"]).sum()) == sum(any(map(str.isdigit, cell)) for cell in cells)


@pytest.mark.parametrize("on_label", ["reject", "nan"])
def test_a_column_without_any_number_is_an_error_whatever_becomes_of_labels(put: Put, on_label: Any) -> None:
    cells = ["active", "", "inactive"]
    with pytest.raises(ColumnError, match=r"none of the 2 labels of column 'y' is a number: .*\(--label-map\)"):
        labels(put, cells, on_label=on_label)
    assert labels(put, cells, on_label=on_label, label_map={"active": 1, "inactive": 0})["y"].tolist()[0] == 1
    unmeasured = labels(put, cells, label_map={"active": np.nan, "inactive": np.nan})  # on purpose, by name
    assert np.isnan(unmeasured["y"]).all()
    a, b = put("a.csv", "smiles,y\nC,x\n"), put("b.csv", "smiles,y\nC,1\nN,2\n")
    assert len(list(read_blocks([a, b], targets="y", on_label=on_label))) == 2  # of all files together
    blocks = read_blocks(a, targets="y", on_label=on_label)
    assert len(next(blocks).rejects) == (on_label == "reject")
    with pytest.raises(ColumnError, match="none of the 1 label of column 'y' is a number"):
        next(blocks)


def test_a_weight_is_never_missing(put: Put) -> None:
    path = put("t.csv", "smiles,y,w\nC,1,1\nN,2,\nO,3,x\n")
    with pytest.raises(RowError, match="column 'w' is '', expected a number: a weight must not be missing"):
        read(path, targets="y", weight="w", options=ReadOptions(on_label="nan"))
    table = read(path, targets="y", weight="w", options=ReadOptions(on_label="reject"))
    assert table["w"].tolist() == [1]
    assert [reason for _, _, reason in reasons(table)] == ["w is missing or not a number"] * 2


# encodings and compressed data


def test_a_header_that_is_not_utf_8_is_shown_in_the_encoding_that_is_suggested(put: Put) -> None:
    path = put("t.csv", "Präparat;SMILES;Löslichkeit [µM]\nx;C;1\n".encode("cp1252"))
    shown = r"\(--encoding cp1252\) if 'Präparat;SMILES;Löslichkeit \[µM\]' is right"
    with pytest.raises(ReadError, match=rf"ReadOptions\(encoding='cp1252'\) {shown}"):
        read(path)
    assert read(path, options=ReadOptions(encoding="cp1252"), others=True)["Präparat"].tolist() == ["x"]


@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.tsv"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line", ["sep={}\r\n", '\ufeff"SEP={}"\n'])
def test_a_first_line_for_excel_names_the_delimiter(put: Put, name: str, separator: str, line: str) -> None:
    rows = [separator.join(cells) for cells in (("a", "smiles", "y"), ("x", "CCO", "1"))]
    path = put(name, line.format(separator) + "\n".join(rows))
    table = read(path, targets="y")
    assert (table.smiles.tolist(), table["y"].tolist()) == (["CCO"], [1.0])
    assert table.lines is not None
    assert table.lines.tolist() == [3]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-8"])
def test_text_of_another_encoding(put: Put, encoding: str) -> None:
    path = put("t.csv", "smiles,name\nC,Käse\nN,é\n".encode(encoding))
    table = read(path, id="name", options=ReadOptions(encoding=encoding))
    assert (table.smiles.tolist(), table["name"].tolist()) == (["C", "N"], ["Käse", "é"])


def test_a_wrong_encoding_is_an_error(put: Put) -> None:
    with pytest.raises(ReadError, match=r"is not ascii .*pass another encoding, options=ReadOptions\(encoding=...\)"):
        read(put("t.csv", "smiles,name\nC,é\n"), options=ReadOptions(encoding="ascii"))
    with pytest.raises(ValueError, match="encoding is 'latin-x', which Python does not know: pass 'utf-8'"):
        ReadOptions(encoding="latin-x")


def test_a_name_that_is_not_utf8_does_not_cost_the_molecule_of_a_list(put: Put) -> None:
    table = read(put("t.smi", b"C K\xe4se\nN\xe4 b\nO c\n"))
    assert table.smiles.tolist() == ["C", "O"]
    assert table["name"].tolist() == [r"K\xe4se", "c"]
    assert reasons(table) == [(1, r"N\xe4 b", "not UTF-8")]
    (note,) = table.notes
    assert "(--encoding) reads it" in note


def damage(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize("compress", [bz2.compress, lzma.compress])
def test_a_damaged_later_stream_is_an_error_at_every_byte(put: Put, compress: Callable[[bytes], bytes]) -> None:
    first, second = compress(b"smiles\nCCO\n"), compress(b"CC\n")
    whole = first + second
    assert read(put("t.csv", whole)).smiles.tolist() == ["CCO", "CC"]
    for at in range(len(first), len(whole)):
        for data in (damage(whole, at), whole[:at]):
            if data == first:
                continue  # a whole stream: nothing tells that there was another
            try:
                assert read(put("t.csv", data)).smiles.tolist() == ["CCO", "CC"]  # a byte that nothing depends on
            except ReadError as error:
                assert "truncated or damaged" in str(error)  # noqa: PT017
    with pytest.raises(ReadError, match="bytes after the end of the compressed data are not another stream"):
        read(put("t.csv", first + b"CC\n"))


def test_a_file_that_swells_is_an_error_with_a_limit_that_can_be_raised(put: Put) -> None:
    path = put("t.csv.xz", lzma.compress(b"smiles\n" + b"C\n" * 1_000_000))
    with pytest.raises(ReadError, match=r"more than 1,000,000 bytes .* options=ReadOptions\(max_bytes=...\)"):
        read(path, options=ReadOptions(max_bytes=1_000_000))
    assert len(read(path, options=ReadOptions(max_bytes=3_000_000))) == 1_000_000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"on_label": "drop"}, "on_label is 'drop'; expected one of 'raise', 'reject', 'nan'"),
        ({"decimal": ";"}, "decimal is ';'; expected one of"),
        ({"notation": "inchi"}, "notation is 'inchi'; expected one of 'smiles', 'selfies', 'protein'"),
        ({"max_bytes": 0}, "max_bytes is 0; expected a positive number of bytes"),
    ],
)
def test_options_are_checked(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ReadOptions(**options)


# blocks


@pytest.mark.parametrize(("first", "last"), [("1", "n.d."), ("n.d.", "1")])
def test_labels_lost_in_the_blocks_that_remain_are_counted(put: Put, first: str, last: str) -> None:
    a = put("a.csv", f"smiles,y\nC,{first}\nN,{first}\nO,{first}\n")
    b = put("b.csv", f"smiles,y\nC,{last}\nN,{last}\nO,1\n")
    options: dict[str, Any] = {"targets": "y", "on_label": "nan", "skip": 1}
    if last == "1":
        assert [block["y"].tolist() for block in read_blocks([a, b], **options)] == [[1.0, 1.0, 1.0]]
        return
    with pytest.warns(MissingLabelsWarning, match="a.csv: 2 of 3 labels of column 'y' are not numbers"):
        assert [len(block) for block in read_blocks([a, b], **options)] == [3]
    put("b.csv", "smiles,y\nC,x\n")
    with pytest.warns(MissingLabelsWarning, match="a.csv: 1 of 1 label of column 'y' are not numbers"):
        assert [len(block) for block in read_blocks([a, b], **options)] == [1]


def test_blocks_are_the_rows_of_read_and_can_be_skipped(put: Put) -> None:
    rows = 100_000  # of 200 bytes and more: several blocks
    lines = [f"{i % 7},{'C' * (180 + i % 40)}{',x' if i % 1000 == 3 else ''},{i % 3},s{i % 2}\n" for i in range(rows)]
    a = put("a.csv", "y,smiles,w,part\n" + "".join(lines))
    b = put("b.csv", "y,smiles,w,part\n>5,N,1,s\n")
    options: dict[str, Any] = {"targets": "y", "weight": "w", "split": "part", "censored": "keep"}
    blocks = list(read_blocks([a, b], **options))
    whole = read([a, b], **options)
    assert len(blocks) == 3
    assert {tuple(block.columns) for block in blocks} == {("smiles", "y", "w", "part", "cxsmiles")}
    for name in ("smiles", "part"):
        assert [cell for block in blocks for cell in block[name]] == list(whole[name])
    for name in ("y", "w"):
        assert (
            np.concatenate([np.asarray(block[name]) for block in blocks]).tolist() == np.asarray(whole[name]).tolist()
        )
    assert np.concatenate([block.rows for block in blocks]).tolist() == whole.rows.tolist()
    assert sorted(reject for block in blocks for reject in block.rejects) == list(whole.rejects)
    assert blocks[-1].signs["y"].tolist() == [1]
    rest = list(read_blocks([a, b], skip=2, **options))
    assert [block.rows.tolist() for block in rest] == [block.rows.tolist() for block in blocks[2:]]
