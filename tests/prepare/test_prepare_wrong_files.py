"""Files made wrong on purpose, in every format: each row is kept or left out once, or the file is refused by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from mrl.corpus import open_corpus
from mrl.errors import ColumnError, ReadError
from mrl.prepare import Inputs, prepare_corpus

MOL = "ethanol\n  made\n\n  3  2  0  0  0  0  0  0  0  0999 V2000\n" + "".join(
    [f"    {x}.0000    0.0000    0.0000 {atom}   0  0\n" for x, atom in enumerate("CCO")]
    + ["  1  2  1  0\n  2  3  1  0\nM  END\n"]
)
RECORD = f"{MOL}> <y>\n1\n\n$$$$\n"
CSV = b"smiles,y\n" + b"CCO,1\nC(,2\n" * 20


def columnar(kind: str, smiles: list[Any]) -> bytes:
    table, file = pa.table({"smiles": smiles}), io.BytesIO()
    if kind == "parquet":
        parquet.write_table(table, file)
    else:
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    return file.getvalue()


# What a file holds, and how many of its rows are kept and left out; or the error that names it.
WRONG: dict[str, tuple[bytes, tuple[int, int] | type[Exception]]] = {
    "too_few_and_too_many_cells.csv": (b"smiles,y\nC,1\nCC\nCCC,1,2\nN,4\n", (2, 2)),
    "open_quote.csv": (b'smiles,y\nC,1\n"CC,2\nN,3\n', ReadError),
    "text_after_a_quote.csv": (b'smiles,y\n"C"C,1\nN,2\n', ReadError),
    "line_ends_in_cells.csv": (b'smiles,y\n"C\nC",1\nN,2\n', (1, 1)),
    "nul_bytes.csv": (b"smiles,y\nC\0C,1\nN,2\n\0,3\n", (1, 2)),
    "not_utf8.csv": (b"smiles,y\nC,1\nC\xff,2\nN,3\n", (2, 1)),
    "blank_rows.csv": (b"smiles,y\n\nC,1\n,\n , \nN,2\n\n\n", (2, 3)),
    "mixed_line_ends.csv": (b"smiles,y\r\nC,1\rN,2\nO,3\r\n", (3, 0)),
    "huge_row.csv": (b"smiles,y\nC,1\n" + b"C(" * 100_000 + b",2\n", (1, 1)),
    "a_column_twice.csv": (b"smiles,smiles\nC,N\n", ColumnError),
    "no_molecules.csv": (b"name,y\na,1\nb,2\n", ColumnError),
    "empty.csv": (b"", ReadError),
    "blanks_only.csv": (b" \n\t\n", ReadError),
    "header_only.csv": (b"smiles,y\n", ReadError),
    "a_program.csv": (b"\x7fELF\x02\x01" + bytes(100), ReadError),
    "a_web_page.csv": (b"<!DOCTYPE html><html>not found</html>\n", ReadError),
    "utf16.csv": ("smiles\nC\n".encode("utf-16"), ReadError),
    "cut_off.csv.gz": (gzip.compress(CSV)[:-10], ReadError),
    "cut_off.csv.bz2": (bz2.compress(CSV)[:-10], ReadError),
    "cut_off.csv.xz": (lzma.compress(CSV)[:-10], ReadError),
    "cut_off.csv.zst": (pa.compress(CSV, "zstd", asbytes=True)[:-10], ReadError),
    "more_after_the_end.csv.gz": (gzip.compress(CSV) + b"more", ReadError),
    "tabs_and_commas.tsv": (b"smiles\ty\nC\t1\nC,2\nN\t3\t4\n", (1, 2)),
    "lines.smi": (b"C methane\n\n# a comment\n\tN  ammonia \nC( open\n\xff\xfe\n", (2, 4)),
    "no_end_of_a_block.sdf": (f"{RECORD}{RECORD.replace('M  END', 'M')}{RECORD}".encode(), (2, 1)),
    "wrong_counts.sdf": (f"{RECORD.replace('  3  2', '  9  2')}{RECORD}".encode(), (1, 1)),
    "cut_off.sdf": (f"{RECORD}{RECORD[:90]}".encode(), (1, 1)),
    "no_blocks.sdf": (b"a\nb\nc\n", ReadError),
    "records.fasta": (b"text in front\n>a\nACGT\n>b\n>c\nAC1T\n", (1, 3)),
    "no_records.fasta": (b"ACGT\n", ReadError),
    "lines.jsonl": (b'{"smiles": "C"}\n{"smiles": "N"\n[1]\n{"y": 1}\n\n{"smiles": [1]}\nnull\n', (1, 6)),
    "no_objects.jsonl": (b"[1]\n2\n", ReadError),
    "nulls.parquet": (columnar("parquet", ["C", None, "", "C("]), (1, 3)),
    "numbers.parquet": (columnar("parquet", [1, 2]), (0, 2)),
    "cut_off.parquet": (columnar("parquet", ["C", "N"])[:-20], ReadError),
    "nulls.arrow": (columnar("arrow", ["C", None, "N"]), (2, 1)),
    "cut_off.arrow": (columnar("arrow", ["C", "N"])[:-40], ReadError),
    "no_workbook.xlsx": (b"PK\x03\x04" + bytes(60), ReadError),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_every_row_of_a_wrong_file_is_kept_or_left_out_once_or_the_file_is_refused(tmp_path: Path, name: str) -> None:
    data, expected = WRONG[name]
    path, out = tmp_path / name, tmp_path / "c"
    path.write_bytes(data)
    if name.endswith(".xlsx"):
        pytest.importorskip("openpyxl", reason="needs the extra xlsx")
    if isinstance(expected, type):
        with pytest.raises(expected) as raised:
            prepare_corpus(path, out, workers=1, rows_per_part=2)
        assert name in str(raised.value)
        assert not (out / "manifest.json").exists()
        return
    parse = "fasta" not in name
    manifest = prepare_corpus(Inputs(path), out, workers=1, rows_per_part=2, parse=parse, duplicates=None)
    corpus = open_corpus(out)
    rows = sorted([*corpus["input_row"][:].tolist(), *(reject.row for reject in corpus.rejects)])
    assert rows == list(range(manifest.history[0]["read"]["rows"]))
    assert (len(corpus), len(corpus.rejects)) == expected
