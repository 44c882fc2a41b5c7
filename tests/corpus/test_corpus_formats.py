"""JSON Lines, SD files, FASTA, files of Arrow in blocks; patterns, URLs and standard input; NUL bytes."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.rdDepictor import Compute2DCoords

from mrl.chem import canon_smile, mol_block_smiles
from mrl.corpus import ReadOptions, Table, load_sample, read, read_blocks
from mrl.errors import ColumnError, MoleculeError, NotationError, ReadError

Put = Callable[[str, str | bytes], Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(name: str, data: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def reasons(table: Table) -> list[tuple[int, str]]:
    return [(reject.row, reject.reason) for reject in table.rejects]


# JSON Lines


def test_json_lines_are_rows_and_damaged_ones_rejects_with_their_line(put: Put) -> None:
    lines = [
        '{"id": 7, "smiles": "CCO", "y": 1.5, "ok": true}',
        '{"smiles": " C ", "tags": ["a", {"b": 1.10}]}\r',
        "",
        '{"smiles": "N"',
        '["C"]',
        '{"smiles": "O", "smiles": "N"}',
        '{"smiles": "\\ud800"}',
        '{"smiles": "F\\u0000"}',
        '{"smiles": null, "y": 2}',
    ]
    table = read(put("t.jsonl", "\n".join(lines) + "\n"), targets="y", others=True)
    assert table.header == ("id", "smiles", "y", "ok", "tags")
    assert table.smiles.tolist() == ["CCO", "C"]
    assert table["id"].tolist() == ["7", ""]
    assert table["ok"].tolist() == ["true", ""]
    assert table["tags"].tolist() == ["", '["a", {"b": 1.1}]']
    np.testing.assert_array_equal(table.y, [1.5, np.nan])
    assert reasons(table) == [
        (2, "empty"),
        (3, "not JSON: Expecting ',' delimiter at character 15"),
        (4, "not a JSON object"),
        (5, "not JSON: a key is given twice"),
        (6, "not text: half of a surrogate pair"),
        (7, "NUL byte"),
        (8, "empty"),
    ]


def test_a_key_that_comes_late_is_a_column_if_it_is_needed(put: Put) -> None:
    path = put("t.ndjson", '{"smiles": "C"}\n' * 1500 + '{"smiles": "N", "late": 1}\n')
    assert read(path).header == ("smiles",)
    assert read(path, targets="late").y[-2:].tolist()[1] == 1
    assert read(path, others=True)["late"].tolist()[-1] == "1"
    with pytest.raises(ColumnError, match=r"no column 'lat' .did you mean 'late'"):
        read(path, targets="lat")


@pytest.mark.parametrize("data", ['[{"smiles": "C"}]', "smiles\nC\n", "[" * 100_000, "1" * 10_000, "{}"])
def test_files_that_are_not_json_lines(put: Put, data: str) -> None:
    with pytest.raises(ReadError, match="no line is a JSON object with a key"):
        read(put("t.jsonl", data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(st.dictionaries(st.sampled_from(["smiles", "a", "b"]), JSON, max_size=3), max_size=6))
@settings(deadline=None, max_examples=100)
def test_every_object_comes_back_as_python_wrote_it_or_is_rejected(objects: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        path.write_text("\n".join(json.dumps(one) for one in [{"smiles": "C", "a": 1, "b": 2}, *objects]) + "\n")
        table = read(path, others=True, options=ReadOptions(notation="text"))
    assert sorted([*table.rows.tolist(), *(reject.row for reject in table.rejects)]) == list(range(len(objects) + 1))
    for place, row in enumerate(table.rows.tolist()[1:], 1):
        for name in ("a", "b"):
            value, cell = objects[row - 1].get(name), table[name][place]
            assert cell == (
                value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
            )


# SD files


def record(molecule: str, title: str = "", v3000: bool = False, **values: str) -> str:
    mol = Chem.MolFromSmiles(molecule)
    Compute2DCoords(mol)
    mol.SetProp("_Name", title)
    block = Chem.MolToV3KMolBlock(mol) if v3000 else Chem.MolToMolBlock(mol)
    return block + "".join(f">  <{name}>\n{value}\n\n" for name, value in values.items()) + "$$$$\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["t.sdf", "t.sd.gz"])
def test_records_of_an_sd_file_are_rows(put: Put, name: str, end: str) -> None:
    records = [record("CCO", "ethanol", y="1.5"), record("C", note="two\nlines"), record("N", "a", True, y="")]
    data = "".join(records).replace("\n", end).encode()
    table = read(put(name, gzip.compress(data) if name.endswith("gz") else data), targets="y", others=True)
    assert table.header == ("smiles", "name", "y", "note")
    assert table.smiles.tolist() == ["CCO", "C", "N"]
    assert table["name"].tolist() == ["ethanol", "", "a"]
    assert [text.replace(end, "\n") for text in table["note"]] == ["", "two\nlines", ""]
    np.testing.assert_array_equal(table.y, [1.5, np.nan, np.nan])
    assert table.notes == {"MOL block read as SMILES, without its coordinates": 3}


def test_a_damaged_record_is_one_reject_with_its_number(put: Put) -> None:
    good = record("CCO", "x", y="1")
    block, _, rest = good.partition("M  END")
    records = [
        good,
        block + rest.replace("M  END", ""),
        good.replace(" O ", " C ").replace("  2  3  1  0", "  2  3  3  0").replace("  1  2  1  0", "  1  2  3  0"),
        "nonsense\n$$$$\n",
        good.replace(">  <y>\n1\n\n", ">  <y>\n1\n\n>  <y>\n2\n\n"),
        good.replace(">  <y>", "text\n>  <y>"),
        good.replace(" O ", " Q "),
        good.removesuffix("$$$$\n"),
    ]
    table = read(put("t.sdf", "".join(records)), targets="y")
    assert table.rows.tolist() == [0, 7]
    assert [(row, reason.partition(":")[0]) for row, reason in reasons(table)] == [
        (1, "damaged"),
        (2, "sanitization"),
        (3, "damaged"),
        (4, "damaged"),
        (5, "damaged"),
        (6, "query"),
    ]
    assert {reject.text for reject in table.rejects} == {"x", "nonsense"}


def test_a_mol_file_and_values_called_like_our_columns(put: Put) -> None:
    assert read(put("t.mol", record("CCO").partition("$$$$")[0])).smiles.tolist() == ["CCO"]
    path = put("t.sdf", record("CCO", "title", smiles="OCC", name="value"))
    table = read(path, others=True)
    assert (table.smiles_column, table.smiles.tolist()) == ("mol_smiles", ["CCO"])
    assert (table["smiles"].tolist(), table["name"].tolist(), table["title"].tolist()) == (
        ["OCC"],
        ["value"],
        ["title"],
    )
    assert read(path, smiles="smiles").smiles.tolist() == ["OCC"]


STRUCTURES = [
    "C[C@H](N)C(=O)[O-]", "F/C=C/F", "F/C=C\\F", "[13CH4]", "[2H]OC", "[CH3]", "[CH2]C", "[O]", "[Na+].[Cl-]", "[H][H]",
    "[CH3:1][OH:2]", "[1*]CC", "C[C@H](O)[C@@H](N)F |&1:1,3|", "C[C@H](O)[C@@H](N)F |o1:1,&1:3|", "c1ccc2[nH]ccc2c1",
    "[NH3]->[Cu+2]", "CC[Si](C)(C)C", "C[N+](=O)[O-]", "[C-]#[O+]", "C1CC1", "OC(=O)CC |Sg:n:3,4:n:ht:::|",
]  # fmt: skip


@pytest.mark.parametrize("smiles", STRUCTURES)
@pytest.mark.parametrize("v3000", [False, True])
def test_a_mol_block_is_the_same_molecule(smiles: str, v3000: bool) -> None:
    found = Chem.MolFromSmiles(mol_block_smiles(record(smiles, v3000=v3000).partition("$$$$")[0]))
    fields = int(Chem.CXSmilesFields.CX_ALL_BUT_COORDS)
    params = Chem.SmilesWriteParams()
    assert Chem.MolToCXSmiles(found, params, fields) == Chem.MolToCXSmiles(Chem.MolFromSmiles(smiles), params, fields)


def test_blocks_of_the_sample_are_the_same_molecules() -> None:
    for text in load_sample().smiles[::150]:
        expected = canon_smile(text)
        for v3000 in (False, True):
            assert mol_block_smiles(record(text, v3000=v3000).partition("$$$$")[0]) == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda block: block.replace("M  END", "M  CHG  1   1 300\nM  END"), "number: CHG 300 is outside -128 to 127"),
        (lambda block: block.replace("M  END", "M  ISO  1   1 70000\nM  END"), "number: ISO 70000 is outside"),
        (lambda block: block.replace("M  END", "M  RAD  1   1   1\nM  END"), "singlet: a diradical"),
        (lambda block: block.replace(" O ", " A "), "query: atom 3 is"),
        (lambda block: block.replace("  2  3  1", "  2  3  8"), "query: bond 2 is"),
        (
            lambda block: block.replace("M  END", "M  STY  1   1 MIX\nM  SAL   1  2   1   2\nM  END"),
            "substance group: of",
        ),
        (lambda block: block.replace(" O ", " Xx"), "syntax: RDKit cannot read the MOL block"),
        (lambda block: "\n\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n", "empty: no atoms"),
        (lambda block: "", "syntax: RDKit"),
    ],
)
def test_what_would_be_lost_is_an_error(change: Callable[[str], str], reason: str) -> None:
    with pytest.raises(MoleculeError) as caught:
        mol_block_smiles(change(record("CCO").partition("$$$$")[0]))
    assert caught.value.reason.startswith(reason), caught.value.reason


def test_files_that_are_not_sd_files(put: Put) -> None:
    with pytest.raises(ReadError, match="there is no line M  END"):
        read(put("t.sdf", "smiles\nC\n"))


# FASTA


def test_records_of_fasta_are_rows(put: Put) -> None:
    text = ";old comment\n>sp|P1|A first one\nMKTAY\n IAKQR \n\n>b\r\nACDE*\r\n>c\n>d x\nM1K\n>\nGG\n"
    table = read(put("t.fasta", text), others=True)
    assert table.smiles.tolist() == ["MKTAYIAKQR", "ACDE*", "GG"]
    assert table["name"].tolist() == ["sp|P1|A", "b", ""]
    assert table["description"].tolist() == ["first one", "", ""]
    assert [(row, reason.partition(":")[0]) for row, reason in reasons(table)] == [
        (0, "no name"),
        (3, "no sequence"),
        (4, "not a sequence"),
    ]
    with pytest.raises(NotationError, match="protein sequences"):
        read(put("p.fa", ">a\nMKTAYIAKQR\n"), options=ReadOptions(notation="smiles"))
    peptides = put("c.fa", ">a\nCCN\n>b\nCCOP\n")  # letters that are atoms as well
    with pytest.raises(NotationError, match="'sequence' holds protein sequences, not SMILES"):
        read(peptides, options=ReadOptions(notation="smiles"))
    assert read(peptides, options=ReadOptions(notation="text")).smiles.tolist() == ["CCN", "CCOP"]
    with pytest.raises(ReadError, match="no line begins with >"):
        read(put("t.fna", "ACGT\n"))


# files of Arrow


@pytest.mark.parametrize("kind", ["parquet", "arrow", "stream"])
def test_files_of_arrow_are_read_in_blocks(tmp_path: Path, kind: str) -> None:
    n = 150_000
    source = pa.table({"smiles": ["C" * (i % 50 + 1) for i in range(n)], "y": np.arange(n) / 2})
    path = tmp_path / ("t.parquet" if kind == "parquet" else "t.arrow")
    if kind == "parquet":
        pa.parquet.write_table(source, path)
    else:
        with pa.OSFile(str(path), "wb") as file:
            new = pa.ipc.new_file if kind == "arrow" else pa.ipc.new_stream
            with new(file, source.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
                writer.write_table(source)
    blocks = list(read_blocks(path, targets="y"))
    assert max(map(len, blocks)) <= 1 << 16
    assert np.concatenate([block.rows for block in blocks]).tolist() == list(range(n))
    assert np.concatenate([block.y for block in blocks]).tolist() == source["y"].to_pylist()
    assert blocks[2].smiles[0] == source["smiles"][int(blocks[2].rows[0])].as_py()


# places


def test_patterns_name_several_files_which_need_the_same_columns(put: Put, tmp_path: Path) -> None:
    put("b.csv", "smiles\nN\n")
    put("a.csv", "smiles\nC\n")
    table = read(str(tmp_path / "*.csv"))
    assert (table.smiles.tolist(), table.rows.tolist()) == (["C", "N"], [0, 1])
    put("[x].csv", "smiles,y\nO,1\n")
    assert read(tmp_path / "[x].csv").smiles.tolist() == ["O"]  # a file of that name comes first
    with pytest.raises(ColumnError, match=r"a\.csv lacks 'y', compared with .*\[x\]\.csv"):
        read(tmp_path / "*.csv")
    with pytest.raises(FileNotFoundError, match=r"no file is called .*\*\.smi"):
        read(tmp_path / "*.smi")
    with pytest.raises(ReadError, match=r"is a folder .*or a pattern such as .*\*\.csv"):
        read(tmp_path)
    assert len(read(str(tmp_path / "?.csv"))) == 2


def test_urls_are_read_by_fsspec() -> None:
    system = fsspec.filesystem("memory")
    system.pipe("/mrl/a.csv.gz", gzip.compress(b"smiles\nC\n"))
    system.pipe("/mrl/b.csv", b"smiles\nN\n")
    assert read("memory://mrl/*").smiles.tolist() == ["C", "N"]
    assert read(Path("memory://mrl/b.csv")).smiles.tolist() == ["N"]  # a Path has one slash only
    with pytest.raises(FileNotFoundError, match=r"memory://mrl/c\.csv does not exist"):
        read("memory://mrl/c.csv")
    with pytest.raises(ReadError, match=r"zzz://a\.csv cannot be read: .*; check the URL"):
        read("zzz://a.csv")
    system.rm("/mrl", recursive=True)


def test_urls_of_local_files_keep_their_root(put: Put) -> None:
    path = put("a.csv", "smiles\nC\n")
    for url in (path.as_uri(), Path(path.as_uri()), f"local://{path}", f"file://{path.parent}/*.csv"):
        assert read(url).smiles.tolist() == ["C"], url


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, compress: Callable[[bytes], bytes]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(compress(b"C methane\nN\n" * 10_000))))
    table = read("-", format="smi", id="name")
    assert (len(table), table["name"][0]) == (20_000, "methane")
    with pytest.raises(ReadError, match=r"the name of - does not say its format: pass format= \(--format\)"):
        read("-")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full, on which any disk is full")
@pytest.mark.parametrize("name", ["a.smi.gz", "memory://full.smi", "utf-16.smi", "-"])
def test_a_full_disk_of_temporary_files(monkeypatch: pytest.MonkeyPatch, put: Put, name: str) -> None:
    rows = "C methane\nN ammonia\n"
    given, options = name, ReadOptions()
    if name == "-":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(rows.encode())))
    elif name.startswith("memory"):
        fsspec.filesystem("memory").pipe("/full.smi", rows.encode())
    elif name == "a.smi.gz":
        given = str(put(name, gzip.compress(rows.encode())))
    else:
        given, options = str(put(name, rows.encode("utf-16"))), ReadOptions(encoding="utf-16")
    with monkeypatch.context() as disk:
        disk.setattr(tempfile, "TemporaryFile", lambda: open("/dev/full", "w+b"))  # noqa: SIM115
        with pytest.raises(ReadError) as caught:
            read(given, format="smi", options=options)
    words = f"{given} is copied to a temporary file, and the disk of {tempfile.gettempdir()} is full after "
    assert str(caught.value).startswith(words)
    assert str(caught.value).endswith("set the environment variable TMPDIR to a folder that has room")
    if name != "-":
        assert read(given, format="smi", options=options).smiles.tolist() == ["C", "N"]


# NUL bytes


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.smi"])
def test_rows_with_nul_bytes_are_rejects(put: Put, name: str) -> None:
    delimiter = {"t.csv": ",", "t.tsv": "\t", "t.smi": " "}[name]
    rows = [("smiles", "name"), ("CCO", "a"), ("C\0C", "b"), ("N", "c\0"), ("\0", "d"), ("O", "e")]
    table = read(put(name, "\n".join(map(delimiter.join, rows)) + "\n"), id="name")
    assert (table.smiles.tolist(), table["name"].tolist()) == (["CCO", "O"], ["a", "e"])
    assert reasons(table) == [(1, "NUL byte"), (2, "NUL byte"), (3, "NUL byte")]


# memory

MEMORY = """
import sys
from mrl.corpus import read_blocks
def anonymous():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))
rows, base, most = 0, None, 0
for block in read_blocks(sys.argv[1]):
    rows += len(block)
    base = anonymous() if base is None else base
    most = max(most, anonymous())
print(rows, (most - base) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured with /proc")
@pytest.mark.parametrize("name", ["t.csv", "t.smi.gz", "t.jsonl", "t.parquet", "t.fasta"])
def test_blocks_need_memory_for_a_block_and_not_for_the_file(tmp_path: Path, name: str) -> None:
    """Files of 256 MB of text; the bound, in MB, is that of a few blocks of 16 MB."""
    path, smiles = tmp_path / name, "CC(=O)Oc1ccccc1C(=O)O" * 3
    n = (1 << 28) // 64
    if name == "t.parquet":
        schema = pa.schema([("smiles", pa.string())])
        with pa.parquet.ParquetWriter(path, schema, use_dictionary=False) as writer:
            for _ in range(n // 65_536):
                writer.write_table(pa.table({"smiles": [smiles] * 65_536}))
    else:
        line = {"t.jsonl": f'{{"smiles":"{smiles}"}}\n', "t.fasta": f">a\n{'ACDEFGHIKL' * 6}\n"}.get(
            name, smiles + "\n"
        )
        with gzip.open(path, "wb", 1) if name.endswith("gz") else path.open("wb") as file:
            file.write(b"smiles\n" if name == "t.csv" else b"")
            for _ in range(n // 65_536):
                file.write(line.encode() * 65_536)
    done = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
    rows, megabytes = map(int, done.stdout.split())
    assert rows == n // 65_536 * 65_536
    assert megabytes < 150
