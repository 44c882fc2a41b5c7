"""Files of molecules as tables: every format, every kind of damage, and every message."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrl.chem import Canonical, DropStereo, StripTail, clean
from mrl.corpus import ReadOptions, Table, read, read_blocks, save_corpus, write_table
from mrl.errors import ColumnError, ReadError, RowError
from mrl.ragged import Text, as_column, as_molecules, as_text

Put = Callable[[str, str | bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(name: str, data: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def rejected(table: Table) -> list[tuple[int, str, str]]:
    assert all(reject.stage == "read" for reject in table.rejects)
    return [(reject.row, reject.text, reject.reason) for reject in table.rejects]


# formats


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_csv_with_any_delimiter_line_end_and_mark(put: Put, delimiter: str, end: str, bom: str) -> None:
    rows = [("id", "SMILES", "y"), ("a", "CCO", "1.5"), ("b", "c1ccccc1", "-2e-3")]
    path = put("t.csv", bom + end.join(map(delimiter.join, rows)) + end)
    table = read(path, targets="y", id="id")
    assert table.smiles.tolist() == ["CCO", "c1ccccc1"]
    assert table["id"].tolist() == ["a", "b"]
    assert table["y"].tolist() == [1.5, -0.002]
    assert table.y.dtype == np.float64
    assert (table.rows.tolist(), len(table.rejects), table.notes) == ([0, 1], 0, {})


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        (".gz", gzip.compress),
        (".xz", lzma.compress),
        (".bz2", bz2.compress),
        (".zst", lambda data: pa.compress(data, codec="zstd", asbytes=True)),
    ],
)
def test_compressed_files_are_recognised_by_their_content(
    put: Put, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    data = compress(b"smiles\nCCO\nC\n")
    assert read(put("t.csv" + suffix, data)).smiles.tolist() == ["CCO", "C"]
    assert read(put("compressed.csv", data)).smiles.tolist() == ["CCO", "C"]
    assert read(put("plain.csv" + suffix, "smiles\nCCO\n")).smiles.tolist() == ["CCO"]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends(put: Put) -> None:
    path = put("t.csv", 'id,smiles\n"a,b",CCO\n"say ""hi""",C\n"two\nlines","CC"\n')
    assert read(path, id="id")["id"].tolist() == ["a,b", 'say "hi"', "two\nlines"]


def test_a_quote_inside_a_cell_is_a_character(put: Put) -> None:
    table = read(put("t.csv", 'name,smiles\n5" pipe,C\n"x",CC\n'), id="name")
    assert table["name"].tolist() == ['5" pipe', "x"]


def test_tsv_with_names_that_begin_with_a_quote_is_read_as_it_stands(put: Put) -> None:
    table = read(put("t.tsv", 'smiles\tname\nC\t"N" acid\nCC\tx\n'), id="name")
    assert table["name"].tolist() == ['"N" acid', "x"]


def test_a_bare_list_of_smiles_in_a_csv(put: Put) -> None:
    assert read(put("t.csv", "CC(=O)O\n[NH4+].[Cl-]\nC\n")).smiles.tolist() == ["CC(=O)O", "[NH4+].[Cl-]", "C"]
    assert read(put("h.csv", "Canonical SMILES\nCCO\n")).smiles_column == "Canonical SMILES"
    assert read(put("o.csv", "compound\nCCO\n"), smiles="compound").smiles.tolist() == ["CCO"]


@pytest.mark.parametrize("name", ["t.smi", "t.smiles", "t.txt", "t.smi.gz"])
def test_smi_has_names_after_blanks_or_tabs(put: Put, name: str) -> None:
    table = read(put(name, "CCO ethyl alcohol\nC\tmethane\nN\n"))
    assert table.smiles.tolist() == ["CCO", "C", "N"]
    assert table["name"].tolist() == ["ethyl alcohol", "methane", ""]


def test_smi_without_names_has_one_column(put: Put) -> None:
    assert list(read(put("t.smi", 'CCO\n"C"\n')).columns) == ["smiles"]


def test_smi_header_is_not_a_molecule(put: Put) -> None:
    assert read(put("a.smi", "smiles\nCCO\n")).smiles.tolist() == ["CCO"]
    table = read(put("b.smi", "SMILES ID\nCCO 17\n"), id="ID")
    assert (table.smiles.tolist(), table["ID"].tolist()) == (["CCO"], ["17"])


def test_smi_with_a_header_of_delimited_columns_is_a_table(put: Put) -> None:
    table = read(put("t.txt", "id\tsmiles\ty\na\tCCO\t1\n"), targets=["y"])
    assert (table.smiles.tolist(), table["y"].tolist()) == (["CCO"], [1.0])


def test_format_overrides_the_name(put: Put) -> None:
    assert read(put("t.dat", "CCO a\n"), format="smi")["name"].tolist() == ["a"]
    assert read(put("t.smi", "y;smiles\n1;CCO\n"), format="csv", targets="y").y.tolist() == [1.0]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_parquet_and_arrow(tmp_path: Path, kind: str, text: Any) -> None:
    smiles = pa.chunked_array([pa.array(["CCO", None], text), pa.array([" C ", ""], text)])
    source = pa.table(
        {
            "smiles": smiles,
            "y": [1.5, 2.0, None, 3.0],
            "k": [1, 2, 3, 4],
            "flag": [True, None, False, True],
            "t": ["1", "", "NA", "x"],
        }
    )
    path = tmp_path / ("t.parquet" if kind == "parquet" else "t.feather")
    if kind == "parquet":
        pa.parquet.write_table(source, path)
    else:
        source = source.unify_dictionaries()
        new = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
        with pa.OSFile(str(path), "wb") as file, new(file, source.schema) as writer:
            writer.write_table(source)
    table = read(path, targets=["y", "flag", "t"], id="k")
    assert table.smiles.tolist() == ["CCO", "C"]
    assert table["k"].tolist() == ["1", "3"]
    np.testing.assert_array_equal(table.y, [[1.5, 1, 1], [np.nan, 0, np.nan]])
    assert rejected(table) == [(1, "", "empty"), (3, "", "empty")]
    assert table.notes == {"blank around SMILES removed": 1}


# molecules are never changed silently


def test_blanks_around_smiles_are_removed_and_counted(put: Put) -> None:
    table = read(put("t.csv", "id,smiles\n1, CCO\n2,C \n3,N\n4,O\u00a0\n"))
    assert table.smiles.tolist() == ["CCO", "C", "N", "O"]
    assert table.notes == {"blank around SMILES removed": 3}
    assert "3 × blank around SMILES removed" in repr(table)


TAILS_OF_LAYOUT = ["|$a;b$|", "|(1.5,0,;0,1.2,)|", "|(0,0,),$_AP1;$,atomProp:0.x.1|", "|lp:2:1|", "||"]
TAILS_OF_MEANING = ["|&1:1,r|", "|o1:1|", "|r|", "|c:1|", "|t:0,3|", "|^1:0|", "|C:1.0|", "|wU:1.0|", "|Sg:n:1:1:ht|",
                    "|d|", "|$a;b$,&1:1|", "|(0,0,),w:1.1|"]  # fmt: skip


@pytest.mark.parametrize("tail", TAILS_OF_LAYOUT)
def test_a_tail_of_layout_becomes_a_column(put: Put, tail: str) -> None:
    table = read(put("t.csv", f'smiles,y\n"C[C@H](O)N  {tail}",1\nC,2\n'), targets="y")
    assert table.smiles.tolist() == ["C[C@H](O)N", "C"]
    assert table["cxsmiles"].tolist() == [tail, ""]
    assert table.notes == {"CXSMILES tail moved to its own column": 1}


@pytest.mark.parametrize("tail", TAILS_OF_MEANING)
def test_a_tail_that_is_a_part_of_the_molecule_stays_with_it(put: Put, tail: str) -> None:
    table = read(put("t.csv", f'smiles,y\n"C[C@H](O)N  {tail}",1\nC,2\n'), targets="y")
    assert table.smiles.tolist() == [f"C[C@H](O)N {tail}", "C"]
    assert "cxsmiles" not in table.columns
    assert table.notes == {"CXSMILES tail kept with its SMILES, as a part of the molecule": 1}


def test_the_label_of_a_wildcard_atom_is_a_part_of_the_molecule(put: Put) -> None:
    assert read(put("t.csv", 'smiles\n"CC* |$;;R1$|"\n')).smiles.tolist() == ["CC* |$;;R1$|"]


def test_cxsmiles_tails_in_smi_stand_in_front_of_the_name(put: Put) -> None:
    table = read(put("t.smi", "CCO |$a;b;c$| the name\nC |&1:0| racemate\nN only a | name\n"))
    assert table.smiles.tolist() == ["CCO", "C |&1:0|", "N"]
    assert table["cxsmiles"].tolist() == ["|$a;b;c$|", "", ""]
    assert table["name"].tolist() == ["the name", "racemate", "only a | name"]


@pytest.mark.parametrize("name", ["t.csv", "t.smi", "t.tsv"])
def test_a_racemate_in_a_file_is_not_merged_with_its_enantiomer(put: Put, name: str) -> None:
    rows = ["C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O |&1:1|"]
    header = "" if name == "t.smi" else "smiles\n"
    table = read(put(name, header + "\n".join(f'"{row}"' if name == "t.csv" else row for row in rows) + "\n"))
    assert table.smiles.tolist() == rows
    strip = StripTail(stereo_groups="drop")
    means: list[tuple[Any, list[float]]] = [
        ("none", [1.0]),
        ([StripTail(), Canonical()], [1.0]),
        ([strip, Canonical()], [1.0, 3.0]),
        ([strip, DropStereo(), Canonical()], [2.0]),  # merged only if the user says so
    ]
    for steps, expected in means:
        cleaned = clean(table.smiles, steps, labels=[1.0, 3.0], duplicates="mean")
        assert cleaned.labels is not None
        assert cleaned.labels.tolist() == expected
        assert len(cleaned.smiles) + len(cleaned.rejects) == 2


def test_a_tail_does_not_overwrite_a_column_of_that_name(put: Put) -> None:
    table = read(put("t.cxsmiles", "cxsmiles\tid\nCCO |$a;b;c$|\t7\n"), id="id")
    assert table["cxsmiles"].tolist() == ["CCO"]
    assert table["cxsmiles_tail"].tolist() == ["|$a;b;c$|"]


def test_a_tail_never_takes_the_place_of_another_column(put: Put) -> None:
    names = "smiles,cxsmiles,cxsmiles_tail\n"
    table = read(put("no tails.csv", names + "CCO,a,b\n"), smiles="smiles", others=True)
    assert (table["cxsmiles"].tolist(), table["cxsmiles_tail"].tolist()) == (["a"], ["b"])
    path = put("tails.csv", names + "CCO |$a;b;c$|,a,b\n")
    with pytest.raises(ColumnError, match=r"'cxsmiles' and 'cxsmiles_tail' are taken by other columns: rename one"):
        read(path, smiles="smiles")
    renamed = put("renamed.csv", path.read_text().replace("cxsmiles_tail", "other"))
    table = read(renamed, smiles="smiles", others=True)
    assert (table["other"].tolist(), table["cxsmiles_tail"].tolist()) == (["b"], ["|$a;b;c$|"])


def test_rows_that_cannot_be_kept_are_rejected_with_their_reason(put: Put) -> None:
    path = put("t.csv", "smiles,y\nCCO,1\n,2\nC,3,4\n  ,5\nC C,6\n\nN\nnan,7\nO,8\n\n\n")
    table = read(path, targets="y")
    assert table.smiles.tolist() == ["CCO", "O"]
    assert table.rows.tolist() == [0, 8]
    assert table.y.tolist() == [1, 8]
    assert rejected(table) == [
        (1, "", "empty"),
        (2, "C,3,4", "3 cells instead of 2"),
        (3, "  ", "empty"),
        (4, "C C", "blank inside SMILES"),
        (5, "", "empty"),
        (6, "N", "1 cell instead of 2"),
        (7, "nan", "missing"),
    ]


@pytest.mark.parametrize("blank", [" ", "\t", "\xa0", "\u2028", "\u3000", "\u2028 ", " \u2028", "\x85 "])
def test_any_blank_separates_a_smiles_from_what_follows(put: Put, blank: str) -> None:
    cell = f"CC=CC{blank}|c:1|"
    for name, text in (("t.smi", f"{cell}\nC{blank}methane\n"), ("t.csv", f"smiles,y\n{cell},1\nC{blank}C,2\n")):
        table = read(put(name, text))
        assert table.smiles[0] == "CC=CC |c:1|"
        if name == "t.smi":
            assert (table.smiles[1], table["name"][1]) == ("C", "methane")
        else:
            assert rejected(table) == [(1, f"C{blank}C", "blank inside SMILES")]


def test_bytes_that_are_not_utf8_reject_their_row(put: Put) -> None:
    table = read(
        put("t.csv", "smiles,name,note\nC,é,x\nC\xe9,a,x\nN,\xe9,x\nO,b,\xe9\nO,\xe9\n".encode("latin-1")), id="name"
    )
    assert table.smiles.tolist() == ["O"]
    assert rejected(table) == [
        (0, "C", "name is not UTF-8"),
        (1, r"C\xe9", "not UTF-8"),
        (2, "N", "name is not UTF-8"),
        (4, r"O,\xe9", "2 cells instead of 3"),
    ]


def test_text_that_is_utf8_but_not_ascii_is_kept(put: Put) -> None:
    table = read(put("t.csv", "smiles,name\nC−C,Käse\n"), id="name")
    assert (table.smiles[0], table["name"][0]) == ("C−C", "Käse")


NONCHARACTERS = "\ufdd0\ufdd1\ufdef\ufffe\uffff\U0001fffe\U0010ffff"
PRIVATE_USE = "\ue000\uf8ff\U000f0000\U00100000"
OTHER_MARKS = "\ufffd\x1f\x1e\x01\x7f\x85"  # replacement character, separators and other controls


@pytest.mark.parametrize("mark", NONCHARACTERS + PRIVATE_USE + OTHER_MARKS)
def test_no_character_is_a_mark_of_ours(put: Put, tmp_path: Path, mark: str) -> None:
    expected = ([f"C{mark}C", "N", "O"], ["a", f"{mark}b{mark}e9", "c"])
    csv_file = put("t.csv", f"smiles,name\nC{mark}C,a\nN,{mark}b{mark}e9\nO,c\n")
    damaged = put("d.csv", csv_file.read_bytes() + b"S\xe9,d\n")
    pa.parquet.write_table(pa.table(dict(zip(("smiles", "name"), expected, strict=True))), tmp_path / "t.parquet")
    for path in (csv_file, damaged, tmp_path / "t.parquet"):
        table = read(path, id="name")
        assert (table.smiles.tolist(), table["name"].tolist()) == expected
        assert rejected(table) == ([(3, r"S\xe9", "not UTF-8")] if path == damaged else [])


@pytest.mark.parametrize("mark", NONCHARACTERS + PRIVATE_USE + "\ufffd\x01\x7f")
def test_no_character_is_a_mark_of_ours_in_a_list(put: Put, mark: str) -> None:
    for end in (b"", b"S\xe9\n"):
        table = read(put("t.smi", f"C{mark}C {mark}a\nN\n".encode() + end))
        assert (table.smiles.tolist(), table["name"].tolist()) == ([f"C{mark}C", "N"], [f"{mark}a", ""])
        assert len(table.rejects) == bool(end)


def test_bytes_that_are_not_utf8_stay_apart_from_text_that_looks_like_their_escape(put: Put) -> None:
    table = read(put("t.csv", b"smiles,name\nC,\\xe9\nC,\xe9\n"), id="name")
    assert table["name"].tolist() == [r"\xe9"]
    assert rejected(table) == [(1, "C", "name is not UTF-8")]


@pytest.mark.parametrize("kind", [pa.binary(), pa.string()])
def test_parquet_with_bytes_that_are_not_utf8_rejects_their_rows(tmp_path: Path, kind: pa.DataType) -> None:
    cells = pa.array([b"C", b"C\xe9", None, b"N"], pa.binary())
    column = pa.Array.from_buffers(kind, len(cells), cells.buffers(), cells.null_count)  # as some programs write it
    pa.parquet.write_table(pa.table({"smiles": column}), tmp_path / "t.parquet")
    table = read(tmp_path / "t.parquet")
    assert table.smiles.tolist() == ["C", "N"]
    assert rejected(table) == [(1, r"C\xe9", "not UTF-8"), (2, "", "empty")]


@given(
    rows=st.lists(
        st.tuples(
            st.text("CNO()=#[]@1\"',; \t\n\r|é" + NONCHARACTERS + PRIVATE_USE + OTHER_MARKS, max_size=6),
            st.text("ab\"',;\t\n\ré " + NONCHARACTERS + PRIVATE_USE + OTHER_MARKS, max_size=4),
        ),
        min_size=1,
        max_size=8,
    ),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_every_row_comes_back_as_python_wrote_it_or_is_rejected(
    tmp_path: Path, rows: list[tuple[str, str]], delimiter: str, quoting: Any
) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting).writerows([("smiles", "name"), *rows])
    path = tmp_path / "t.csv"
    path.write_bytes(out.getvalue().encode())
    table = read(path, id="name")
    seen = {
        row: (smiles, name) for row, smiles, name in zip(table.rows.tolist(), table.smiles, table["name"], strict=True)
    }
    lost = {reject.row: reject for reject in table.rejects}
    assert sorted([*seen, *lost]) == list(range(len(rows)))
    for row, (smiles, name) in enumerate(rows):
        if row in seen:
            bare, tail = seen[row][0], table["cxsmiles"][list(seen).index(row)] if "cxsmiles" in table.columns else ""
            whole = "".join(smiles.split()) if tail or len(smiles.split()) > 1 else smiles.strip()
            assert ("".join(bare.split()) + tail, seen[row][1]) == (whole, name)
        else:
            assert lost[row].text == smiles
            assert not smiles.strip() or len(smiles.split()) > 1 or smiles.strip().startswith("#")


def test_a_large_file_is_read_block_by_block_and_numbered_as_a_whole(put: Put) -> None:
    rows = 120_000  # of 200 bytes: several blocks
    malformed = {1, 7, 50_000, 83_000, rows - 1}
    lines = [f"{i},{'C' * (180 + i % 40)}{',x' if i in malformed else ''}\n" for i in range(rows)]
    table = read(put("t.csv", "id,smiles\n" + "".join(lines)), id="id")
    assert [row for row, _, _ in rejected(table)] == sorted(malformed)
    assert table.rows.tolist() == sorted(set(range(rows)) - malformed)
    assert table["id"].tolist() == [str(row) for row in table.rows]


def test_blocks_of_malformed_rows_are_rejected_as_a_whole(put: Put) -> None:
    rows = 5_000
    path = put("t.csv", "id,smiles\n0,C\n" + f"x,{'C' * 10_000},x\n" * rows)
    table = read(path)
    assert (table.rows.tolist(), len(table.rejects)) == ([0], rows)
    assert [reject.row for reject in table.rejects] == list(range(1, rows + 1))


# columns


@pytest.mark.parametrize(
    "name", ["smiles", "SMILES", "canonical_smiles", "IsoSmiles", "Structure", "smi", "mol", "sequence", "selfies"]
)
def test_the_column_of_molecules_is_found_by_its_name(put: Put, name: str) -> None:
    table = read(put("t.csv", f"id,{name}\n1,CCO\n"))
    assert (table.smiles_column, table.smiles[0]) == (name, "CCO")


def test_several_columns_of_molecules_have_to_be_told_apart(put: Put) -> None:
    path = put("t.csv", "smiles,canonical_smiles,y\nC,CC,1\n")
    with pytest.raises(
        ColumnError, match=r"t\.csv: 'smiles', 'canonical_smiles' may all hold molecules.*smiles=\"\.\.\."
    ):
        read(path)
    assert read(path, smiles="canonical_smiles").smiles[0] == "CC"


def test_no_column_of_molecules(put: Put) -> None:
    with pytest.raises(ColumnError, match=r"it has 'id', 'y': choose one with smiles=\"\.\.\.\" \(--smiles-column\)$"):
        read(put("t.csv", "id,y\na,1\n"))
    with pytest.raises(
        ColumnError, match=r"if the first line is already data, insert a line with the column names above it"
    ):
        read(put("u.csv", "CCO,1.5\nC,2\n"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"smiles": "smile"},
            r"no column 'smile' \(did you mean 'SMILES'\?\); it has 'SMILES', 'logS'.*--smiles-column",
        ),
        (
            {"targets": "logs"},
            r"no column 'logs' \(did you mean 'logS'\?\).*choose one with targets=\[\.\.\.\] \(--target\)$",
        ),
        ({"id": "qqq"}, r"no column 'qqq'; it has 'SMILES', 'logS': choose one with id=\"\.\.\.\" \(--id-column\)$"),
        ({"weight": "w"}, r'choose one with weight="\.\.\." \(--weight-column\)$'),
        ({"split": "fold"}, r'choose one with split="\.\.\." \(--split-column\)$'),
        ({"targets": ["logS"], "id": "logS"}, r"'logS' is requested twice, here by id="),
        ({"targets": ["SMILES"]}, r"'SMILES' is requested twice"),
    ],
)
def test_wrong_column_names(put: Put, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ColumnError, match=words) as caught:
        read(put("t.csv", "SMILES,logS\nC,1\n"), **options)
    assert str(caught.value.path).endswith("t.csv")


def test_two_columns_of_one_name(put: Put) -> None:
    path = put("t.csv", "smiles,y,y\nC,1,2\n")
    assert read(path).smiles[0] == "C"
    with pytest.raises(ColumnError, match="2 columns are called 'y': give them different names in the file"):
        read(path, targets="y")


def test_a_column_that_was_not_read(put: Put) -> None:
    table = read(put("t.csv", "smiles,logP,dose\nC,1,2\n"), targets="logP")
    assert table.header == ("smiles", "logP", "dose")
    with pytest.raises(
        ColumnError, match=r"column 'dose' was not read: read\(path, targets=\[\.\.\.\], id=\.\.\.\) names"
    ):
        table["dose"]
    with pytest.raises(
        ColumnError, match=r"no column 'logp' \(did you mean 'logP'\?\); the file has 'smiles', 'logP', 'dose'"
    ):
        table["logp"]
    with pytest.raises(ColumnError, match=r"no targets: name their columns"):
        read(put("u.csv", "smiles\nC\n")).y  # noqa: B018


# numbers


def test_missing_targets_are_nan(put: Put) -> None:
    cells = ["1", "", " ", "NA", "NaN", "nan", "null", "NULL", "None", "n/a", " 2.5 ", "+3", "-.5e1", "7."]
    table = read(put("t.csv", "smiles,y\n" + "".join(f"C,{cell}\n" for cell in cells)), targets=["y"])
    np.testing.assert_array_equal(table.y, [1, *[np.nan] * 9, 2.5, 3, -5, 7])


def test_several_targets_are_columns_of_y(put: Put) -> None:
    table = read(put("t.csv", "a,smiles,b\n1,C,\n0,CC,1\n"), targets=["b", "a"])
    np.testing.assert_array_equal(table.y, [[np.nan, 1], [1, 0]])
    assert table.targets == ("b", "a")


@pytest.mark.parametrize("cell", ["high", "<5", "1_000", "inf", "-Infinity", "1e999", "0x10", "1 2", "True", "１"])
def test_a_target_that_is_not_a_number(put: Put, cell: str) -> None:
    path = put("t.csv", f"id,smiles,y\n1,,bad\n2,C,1\n3,CC,{cell}\n4,N,x\n")
    with pytest.raises(
        RowError, match=r"t\.csv, line 4 \(row 2\): column 'y' is .*, expected a finite number"
    ) as caught:
        read(path, targets="y")
    error = caught.value
    assert (error.row, error.line, error.column, error.value) == (2, 4, "y", cell)


def test_the_line_of_an_error_counts_line_ends_in_quotes_and_blank_lines(put: Put) -> None:
    path = put("t.csv", '\n\nid,smiles,y\r\n"two\nlines",C,1\n"three\n\nlines",,2\n\nx,C,bad\n')
    with pytest.raises(RowError, match=r"line 10 \(row 3\)"):
        read(path, targets="y")


def test_parquet_has_rows_only(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"smiles": ["C", "N"], "y": ["1", "x"]}), tmp_path / "t.parquet")
    with pytest.raises(RowError, match=r"t\.parquet \(row 1\): column 'y' is 'x', expected a finite number"):
        read(tmp_path / "t.parquet", targets="y")


def test_weights_must_not_be_missing(put: Put) -> None:
    assert read(put("t.csv", "smiles,w\nC,2\n"), weight="w")["w"].tolist() == [2.0]
    with pytest.raises(
        RowError, match=r"line 3 \(row 1\): column 'w' is 'NA', expected a number: a weight must not be missing"
    ):
        read(put("u.csv", "smiles,w\nC,2\nN,NA\n"), weight="w")


def test_a_target_that_is_not_utf8_is_named(put: Put) -> None:
    with pytest.raises(RowError, match=r"line 2 \(row 0\): column 'y' is '\\\\xe9', expected a finite number"):
        read(put("t.csv", b"smiles,y\nC,\xe9\n"), targets="y")


def test_a_missing_target_in_a_text_column_of_parquet_is_nan(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"smiles": ["C", "N"], "y": pa.array([None, "1"])}), tmp_path / "t.parquet")
    np.testing.assert_array_equal(read(tmp_path / "t.parquet", targets="y").y, [np.nan, 1])


def test_a_column_of_lists_is_not_a_target(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"smiles": ["C"], "y": [[1.0]]}), tmp_path / "t.parquet")
    with pytest.raises(RowError, match=r"\(row 0\): column 'y' is '\[1\.0\]', expected a finite number"):
        read(tmp_path / "t.parquet", targets="y")


def test_integer_identifiers_stay_text(put: Put) -> None:
    table = read(put("t.csv", "smiles,id,fold\nC,007,1\nN,9007199254740993,\n"), id="id", split="fold")
    assert table["id"].tolist() == ["007", "9007199254740993"]
    assert table["fold"].tolist() == ["1", ""]


# several files


def test_files_follow_each_other(put: Put) -> None:
    paths = [
        put("a.csv", "smiles,y\nC,1\n,2\n"),
        put("b.tsv", "y\tsmiles\n3\tCC \nx\ty\tz\n4\tN |$x$|\n"),
        put("c.csv", "smiles,y\nO,\n"),
    ]
    table = read(paths, targets="y")
    assert table.smiles.tolist() == ["C", "CC", "N", "O"]
    assert table["cxsmiles"].tolist() == ["", "", "|$x$|", ""]
    assert table.rows.tolist() == [0, 2, 4, 5]
    np.testing.assert_array_equal(table.y, [1, 3, 4, np.nan])
    assert rejected(table) == [(1, "", "empty"), (3, "x\ty\tz", "3 cells instead of 2")]
    assert table.notes == {"blank around SMILES removed": 1, "CXSMILES tail moved to its own column": 1}


def test_files_need_the_same_columns(put: Put) -> None:
    paths = [put("a.csv", "smiles,y\nC,1\n"), put("b.csv", "smiles,z\nC,1\n")]
    with pytest.raises(ColumnError, match=r"b\.csv lacks 'y' and also has 'z', compared with .*a\.csv"):
        read(paths)
    with pytest.raises(ReadError, match="no files to read"):
        read([])


def test_an_error_in_the_second_file_counts_rows_over_all(put: Put) -> None:
    paths = [put("a.csv", "smiles,y\nC,1\nC,2\n"), put("b.csv", "smiles,y\nC,x\n")]
    with pytest.raises(RowError, match=r"b\.csv, line 2 \(row 2\)"):
        read(paths, targets="y")


# files that are not tables


def test_missing_file(put: Put, tmp_path: Path) -> None:
    put("molecules.csv", "smiles\nC\n")
    with pytest.raises(FileNotFoundError, match=r"molecule\.csv does not exist \(did you mean 'molecules\.csv'\?\)"):
        read(tmp_path / "molecule.csv")
    with pytest.raises(FileNotFoundError, match=r"zzz\.smi does not exist: .* contains no file with a similar name"):
        read(tmp_path / "zzz.smi")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere"):
        read(str(tmp_path / "nowhere" / "a.csv"))


def test_folder(put: Put, tmp_path: Path) -> None:
    put("a.csv", "smiles\nC\n")
    with pytest.raises(ReadError, match=r"is a folder \(it contains a\.csv\): pass the path of a file"):
        read(tmp_path)


def test_a_corpus_in_place_of_a_file_names_the_pattern_of_its_shards(tmp_path: Path) -> None:
    save_corpus(Table({"smiles": Text.of(["CCO", "C", "N"])}), tmp_path / "corpus", rows_per_shard=2)
    with pytest.raises(ReadError) as caught:
        read(tmp_path / "corpus")
    pattern = str(caught.value).rpartition("a pattern such as ")[2]
    assert read(pattern).smiles.tolist() == ["CCO", "C", "N"]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("t.csv", b"", "is empty"),
        ("t.smi", b" \n\r\n", "is empty"),
        ("t.csv", gzip.compress(b"", mtime=0), "is empty"),
        ("t.csv", b"smiles,y\n", "has a header and no rows: 'smiles', 'y'"),
        ("t.smi", b"smiles name\n\n", "has a header and no rows"),
        ("t.csv", b"\x7fELF\x02\x01\x01\0\0", r"looks like a program \(ELF\)"),
        ("t.csv", b"\x89PNG\r\n\x1a\n", "looks like a PNG image"),
        ("t.csv", b"PK\x03\x04", 'ZIP archive, or a workbook: unpack it, or pass format="xlsx"'),
        ("t.csv", b"PAR1", 'looks like a Parquet file: pass format="parquet"'),
        ("t.csv", b"<!DOCTYPE html>", "looks like a web page"),
        ("t.csv", b"smiles\0\nC\nCCCCCCCC\n", "t.csv, line 1: there is a NUL byte"),
        (
            "t.csv",
            "smiles\nC\n".encode("utf-16"),
            r"is UTF-16, expected UTF-8: pass options=ReadOptions\(encoding=\"utf-16\"\) \(--encoding utf-16\), save",
        ),
        ("t.csv", "smiles\nC\n".encode("utf-16-le"), "line 1: there is a NUL byte"),
        ("t.csv", "smil\xe9s,y\nC,1\n".encode("latin-1"), "the header is not UTF-8"),
        ("t.csv.gz", gzip.compress(b"smiles\n" + os.urandom(999))[:-200], "gzip data is truncated or damaged"),
        ("t.csv.xz", lzma.compress(b"smiles\nC\n" * 99)[:-20], "xz data is truncated or damaged"),
        ("t.csv.bz2", bz2.compress(b"smiles\nC\n" * 99)[:-20], "bzip2 data is truncated or damaged"),
        (
            "t.csv.zst",
            pa.compress(b"smiles\n" + os.urandom(999), codec="zstd", asbytes=True)[:-200],
            "zstd data is truncated or damaged",
        ),
        ("t.csv", b'smiles,y\nC,1\n"CC,2\nN,3\n', "line 3: a quote is opened and never closed"),
        ("t.csv", b'y,smiles\n1,C\n2,"N"x\n', "line 3: text follows a closing quote"),
        (
            "t.csv",
            b"smiles,y\nC,1,2\nC,1,2\n",
            r"no row fits the header \('smiles', 'y'\): the first has 3 cells instead of 2; check",
        ),
        ("t.parquet", b"PAR1 and no more", "is not in parquet format, or is damaged or truncated"),
        ("t.arrow", b"ARROW1 and no more", "is not in arrow format, or is damaged or truncated"),
        (
            "t.docx",
            b"x",
            r"the name of .*t\.docx does not say its format: pass format= \(--format\) one of 'csv', 'tsv', 'smi'",
        ),
        ("table", b"x", "the name of .* does not say its format"),
    ],
)
def test_files_that_are_not_tables(put: Put, name: str, data: bytes, words: str) -> None:
    path = put(name, data)
    with pytest.raises(ReadError, match=words) as caught:
        read(path)
    assert caught.value.path == str(path)
    assert isinstance(caught.value, ValueError)


def test_empty_parquet_and_unknown_format(tmp_path: Path, put: Put) -> None:
    pa.parquet.write_table(pa.table({"smiles": pa.array([], pa.string())}), tmp_path / "t.parquet")
    with pytest.raises(ReadError, match="has no rows, only columns: 'smiles'"):
        read(tmp_path / "t.parquet")
    with pytest.raises(ReadError, match=r"there is no format 'xls': pass format= \(--format\) one of 'csv'"):
        read(put("t.csv", "smiles\nC\n"), format="xls")


def test_a_column_of_molecules_that_is_not_text(tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"smiles": [1.5, 2.5]}), tmp_path / "t.parquet")
    with pytest.raises(ColumnError, match=r"t\.parquet: column 'smiles' is double, expected text"):
        read(tmp_path / "t.parquet")


def test_iconv_reads_utf16_as_the_message_says(put: Put, tmp_path: Path) -> None:
    path = put("t.csv", "smiles\nC\n".encode("utf-16"))
    with pytest.raises(ReadError) as caught:
        read(path)
    command = str(caught.value).partition(" or run ")[2].replace("NEW_FILE", str(tmp_path / "new.csv"))
    subprocess.run(command, shell=True, check=True)
    assert read(tmp_path / "new.csv").smiles.tolist() == ["C"]


def test_a_row_of_many_megabytes_is_an_error_that_says_so(put: Put) -> None:
    with pytest.raises(
        ReadError, match=r"cannot be read as a table .*: check its quotes and format; a row may have 16 MB"
    ):
        read(put("t.csv", "id,smiles\n1," + "C" * 50_000_000 + "\n"))


def test_a_cut_at_any_byte_is_an_error_or_fewer_rows(put: Put) -> None:
    whole = gzip.compress(b"smiles\nCCO\nC\n")
    for size in range(len(whole)):
        with pytest.raises(ReadError):
            read(put("t.csv.gz", whole[:size]))


def test_offsets_of_a_damaged_arrow_file_are_checked(tmp_path: Path) -> None:
    offsets = pa.py_buffer(np.array([0, 1 << 40, 2], np.int64))
    column = pa.Array.from_buffers(pa.large_string(), 2, [None, offsets, pa.py_buffer(b"CN")])
    table = pa.table({"smiles": column})
    with pa.OSFile(str(tmp_path / "t.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(ReadError, match="is not in arrow format, or is damaged"):
        read(tmp_path / "t.arrow")


def test_the_name_after_a_smiles_cannot_hold_the_molecules(put: Put) -> None:
    with pytest.raises(ColumnError, match=r"each line is a SMILES and then a name, .* choose 'smiles' with smiles="):
        read(put("t.smi", "C methane\n"), smiles="name")


def test_the_line_of_an_error_after_a_long_cell(put: Put) -> None:
    with pytest.raises(RowError, match=r"line 3 \(row 1\): column 'y' is 'x'"):
        read(put("t.csv", 'y,smiles\n1,"' + "C" * 1_000_000 + '"\nx,N\n'), targets="y")


def test_a_long_line_is_read(put: Put) -> None:
    assert read(put("h.csv", "C" * 1_000_000 + "\nN\n")).smiles.lengths.tolist() == [1_000_000, 1]
    table = read(put("t.csv", "id,smiles\n1," + "C" * 1_000_000 + "\n2,N\n"))
    assert table.smiles.lengths.tolist() == [1_000_000, 1]


# the table


def test_columns_of_different_length_are_not_a_table() -> None:
    with pytest.raises(ColumnError, match="'y' has 1 value for 2 rows: pass one value per row"):
        Table({"smiles": Text.of(["C", "N"]), "y": np.zeros(1)})
    with pytest.raises(ColumnError, match="no column 'smiles'; the file has 'a'"):
        Table({"a": Text.of(["C"])})


def test_repr_counts(put: Put) -> None:
    table = read(put("t.csv", "smiles\nC\n\nN\n"))
    assert repr(table) == "Table(2 rows: smiles; 1 rejected)"
    assert len(table) == 2


# real data


@pytest.mark.skipif("MRL_DATA" not in os.environ, reason="MRL_DATA names no folder of datasets")
@pytest.mark.parametrize(
    ("name", "options", "rows", "notes"),
    [
        ("muv.csv.gz", {}, 93_087, {}),
        (
            "esol.csv",
            {"targets": "measured log solubility in mols per litre", "id": "Compound ID"},
            1_128,
            {"blank around SMILES removed": 212},
        ),
        ("lipo.csv", {"targets": "exp"}, 4_200, {}),
        ("qm9.csv.gz", {}, 133_885, {}),
        (
            "peptides.csv",
            {"targets": "label", "split": "dataset", "options": ReadOptions(notation="protein")},
            8_346,
            {},
        ),
        ("promoters.csv", {"id": "id", "split": "label", "options": ReadOptions(notation="nucleotide")}, 6_764, {}),
    ],
)
def test_real_files(name: str, options: dict[str, Any], rows: int, notes: dict[str, int]) -> None:
    table = read(Path(os.environ["MRL_DATA"]) / name, **options)
    assert (len(table), len(table.rejects), table.notes) == (rows, 0, notes)


@pytest.mark.skipif("MRL_DATA" not in os.environ, reason="MRL_DATA names no folder of datasets")
def test_real_tasks_with_missing_labels() -> None:
    path = Path(os.environ["MRL_DATA"]) / "tox21.csv.gz"
    with gzip.open(path, "rt") as file:
        lines = list(csv.DictReader(file))
    tasks = [name for name in lines[0] if name not in ("mol_id", "smiles")]
    table = read(path, targets=tasks, id="mol_id")
    assert table.y.shape == (8_014, 12)
    expected = [[float(line[task]) if line[task] else np.nan for task in tasks] for line in lines]
    np.testing.assert_array_equal(table.y, expected)
    assert table.smiles.tolist() == [line["smiles"] for line in lines]


def test_censored_labels_are_kept_with_their_signs_if_requested(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,y,z\nC,>10,1\nCC,< 5.5,2\nCCC,3,3\nC(,<=4,4\nCCO,,5\nCCN,≥ 1e3,6\nCCF,>=7,7\nCl,≤-2,8\n")
    table = read(path, targets=["y", "z"], censored="keep")
    assert table["y"].tolist()[:4] == [10, 5.5, 3, 4]
    assert np.isnan(table["y"][4])
    assert table["y"].tolist()[5:] == [1000, 7, -2]
    assert {name: signs.tolist() for name, signs in table.signs.items()} == {"y": [1, -1, 0, -1, 0, 1, 1, -1]}
    assert table.signs["y"].dtype == np.int8
    assert table.notes == {"censored label (<, >) kept with its sign": 6}
    both = read([path, path], targets=["y"], censored="keep")
    assert both.signs["y"].tolist() == table.signs["y"].tolist() * 2
    for name in ("b.csv", "b.parquet"):
        write_table(table, tmp_path / name)
        again = read(tmp_path / name, targets=["y", "z"], censored="keep")
        assert again.signs["y"].tolist() == table.signs["y"].tolist()
        assert np.array_equal(again["y"], table["y"], equal_nan=True)


@pytest.mark.parametrize("cell", [">", "> NA", ">>5", "<-", ">high", "~5", "5>", "<inf", "=5"])
def test_cells_that_are_neither_numbers_nor_censored(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"smiles,y\nC,1\nCC,{cell}\n")
    with pytest.raises(RowError, match=r"line 3 \(row 1\): column 'y' is '.*', expected a finite number"):
        read(path, targets="y", censored="keep")


def test_a_censored_label_is_an_error_that_names_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,y,w\nC,1,1\nCC,>5,1\n")
    with pytest.raises(
        RowError, match=r"column 'y' is '>5', expected a finite number; .*censored='keep'\), or leave .*reject"
    ):
        read(path, targets="y")
    assert read(path, targets="y", options=ReadOptions(on_label="reject")).smiles.tolist() == ["C"]
    assert read(path, targets="y", censored="keep").signs["y"].tolist() == [0, 1]
    rejected = read(path, targets="y", censored="reject")
    assert rejected.smiles.tolist() == ["C"]
    assert not rejected.signs
    assert [(reject.row, reject.reason) for reject in rejected.rejects] == [(1, "y is censored")]
    path.write_text("smiles,y,w\nC,1,>1\n")
    with pytest.raises(RowError, match=r"column 'w' is '>1', expected a finite number; correct the file, or choose"):
        read(path, targets="y", weight="w", censored="keep")
    with pytest.raises(ValueError, match="censored is 'drop'; expected 'raise', 'reject' or 'keep'"):
        read(path, targets="y", censored="drop")  # type: ignore[arg-type]


def test_options_one_by_one_are_those_of_the_object(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('smiles,y,name\nC,high,é\nCC,"0,5",a\nCCC,?,b\n'.encode("latin-1"))
    options: dict[str, Any] = {
        "on_label": "nan", "label_map": {"high": 9}, "decimal": ",", "encoding": "latin-1", "notation": "text"
    }  # fmt: skip
    table = read(path, targets="y", id="name", **options)
    assert table["y"].tolist()[:2] == [9, 0.5]
    assert np.isnan(table["y"][2])
    assert table["name"].tolist() == ["é", "a", "b"]
    for other in (
        read(path, targets="y", id="name", options=ReadOptions(**options)),
        read(
            path,
            targets="y",
            id="name",
            options=ReadOptions(on_label="raise", decimal=","),
            **{**options, "decimal": ","},
        ),
        next(iter(read_blocks(path, targets="y", id="name", **options))),
    ):
        assert other["name"].tolist() == table["name"].tolist()
        assert np.array_equal(other["y"], table["y"], equal_nan=True)
    with pytest.raises(TypeError, match=r"read\(\) has no argument 'on_lable' \(did you mean 'on_label'\?\)"):
        read(path, on_lable="nan")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="on_label is 'drop'"):
        read(path, on_label="drop")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content", "way_out"),
    [
        ("a.smi", "CCO\nC\n", "read the file without smiles="),
        ("a.csv", "CCO\nC\n", "read the file without smiles="),
        ("b.csv", "CCO,1.0\nC,2.0\n", "insert a line with the column names"),
        ("b.smi", "CCO,ethanol\nC,methane\n", "insert a line with the column names"),
    ],
)
def test_a_molecule_of_the_first_line_is_not_the_name_of_a_column(
    tmp_path: Path, name: str, content: str, way_out: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(
        ColumnError, match=f"'CCO' is a molecule, so the first line is data, not column names: {way_out}"
    ):
        read(path, smiles="CCO")
    if way_out.startswith("insert"):
        path.write_text("smiles,value\n" + content)
    assert read(path).smiles.tolist() == ["CCO", "C"]
    path.write_text("C\nCCO\nN\n")  # if the column is really called so
    with pytest.raises(ColumnError, match=r"if it does name a column, rename that to smiles in the file$"):
        read(path, smiles="C")
    path.write_text("smiles\nCCO\nN\n")
    assert read(path, smiles="smiles").smiles.tolist() == ["CCO", "N"]


def test_a_table_is_taken_in_place_of_its_molecules() -> None:
    table = Table({"smiles": Text.of(["CCO", "C"]), "y": np.array([1.0, 2.0])}, targets=("y",))
    assert as_molecules(table) == ["CCO", "C"]
    assert as_text(table) is table.smiles
    with pytest.raises(
        ColumnError, match=r"'y_vals' is a Table, .*: choose one of its columns, such as table\.smiles$"
    ):
        as_column(table, "y_vals")


def test_molecules_that_are_numbers() -> None:
    with pytest.raises(ColumnError, match=r"name the column of the molecules, Table\(columns, smiles_column=\.\.\.\)$"):
        _ = Table({"smiles": np.array([1.0])}).smiles
    assert Table({"smiles": np.array([1.0]), "x": Text.of(["C"])}, smiles_column="x").smiles.tolist() == ["C"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc of Linux")
@pytest.mark.parametrize(("name", "row"), [("a.csv", "C,%s"), ("quoted.csv", '"C",%s'), ("a.smi", "C %s")])
def test_a_file_that_was_read_does_not_stay_in_memory(tmp_path: Path, name: str, row: str) -> None:
    header = "smiles,y\n" if name.endswith("csv") else ""
    (tmp_path / name).write_text(header + (row % ("x" * 4000) + "\n") * (1 << 14))  # 64 MB

    def mapped() -> int:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("RssFile:")[2].split()[0]) << 10

    before = mapped()
    most = max(mapped() for _ in read_blocks(tmp_path / name))
    assert most - before < 48 << 20
