"""The same molecules as a file of each format that is read; workbooks are the few XML files that they consist of."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

ROWS = [("CCO", "a, b", 1.5), ("c1ccccc1", 'say "x"', -2.0), ("[Na+].[Cl-]", "Käse", 0.0), ("CC(=O)O", "", 7.25)] * 3
WRONG = ("C(", "")


Rows = Sequence[tuple[str, str, float]]
NAMES = ("smiles", "name", "y")


def as_csv(rows: Rows = ROWS, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([NAMES, *rows])
    return out.getvalue().encode()


def as_zst(rows: Rows = ROWS) -> bytes:
    return bytes(pa.compress(as_csv(rows), codec="zstd", asbytes=True))


def as_smi(rows: Rows = ROWS) -> bytes:
    return "".join(f"{smiles} {name}\n" for smiles, name, _ in rows).encode()


def as_jsonl(rows: Rows = ROWS) -> bytes:
    return "".join(json.dumps(dict(zip(NAMES, row, strict=True))) + "\n" for row in rows).encode()


def as_fasta(rows: Rows = ROWS) -> bytes:
    return "".join(f">{name}\nMKTAYI\nAKQR\n" for _, name, _ in rows).encode()


def as_sdf(rows: Rows = ROWS) -> bytes:
    """Records of ethanol; a row whose SMILES is wrong becomes a damaged record."""
    block = (
        "{}\n     RDKit          2D\n\n  3  2  0  0  0  0  0  0  0  0999 V2000\n"
        "    0.0000    0.0000    0.0000 {}   0  0\n"
        "    1.2990    0.7500    0.0000 C   0  0\n    2.5981   -0.0000    0.0000 O   0  0\n  1  2  1  0\n  2  3  1  0\n"
        "M  END\n>  <y>\n{}\n\n$$$$\n"
    )
    return "".join(block.format(name, "C" if smiles not in WRONG else "?!", y) for smiles, name, y in rows).encode()


def as_mol(rows: Rows = ROWS) -> bytes:
    return as_sdf(rows[:1]).split(b"> ")[0]


def as_xlsx(rows: Rows = ROWS) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return workbook(Path(folder, "t.xlsx"), data=[[*NAMES], *map(list, rows)]).read_bytes()


def as_parquet(rows: Rows = ROWS) -> bytes:
    out = io.BytesIO()
    pa.parquet.write_table(_arrow(rows), out)
    return out.getvalue()


def as_arrow(rows: Rows = ROWS) -> bytes:
    out, table = io.BytesIO(), _arrow(rows)
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def _arrow(rows: Rows) -> pa.Table:
    return pa.table(dict(zip(NAMES, zip(*rows, strict=True), strict=True)))


SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KINDS = f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>'


def relationships(targets: str) -> str:
    return f'<Relationships xmlns="{PACKAGE}/relationships">{targets}</Relationships>'


def cell(value: object) -> str:
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
    return "<c/>" if value is None else f"<c><v>{value}</v></c>"


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", KINDS)
        target = f'<Relationship Id="r" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        archive.writestr("_rels/.rels", relationships(target))
        targets, entries = "", ""
        for i, (name, rows) in enumerate(sheets.items(), 1):
            targets += f'<Relationship Id="r{i}" Type="{RELATIONS}/worksheet" Target="worksheets/s{i}.xml"/>'
            entries += f'<sheet name="{name}" sheetId="{i}" r:id="r{i}"/>'
            body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
            archive.writestr(f"xl/worksheets/s{i}.xml", f"<worksheet {SHEET}><sheetData>{body}</sheetData></worksheet>")
        archive.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{targets}</Relationships>'
        )
        archive.writestr(
            "xl/workbook.xml", f'<workbook {SHEET} xmlns:r="{RELATIONS}"><sheets>{entries}</sheets></workbook>'
        )
    return path


FILES: dict[str, Callable[[Rows], bytes]] = {
    "t.csv": as_csv,
    "t.tsv": lambda rows: as_csv(rows, "\t"),
    "t.csv.gz": lambda rows: gzip.compress(as_csv(rows)),
    "t.csv.bz2": lambda rows: bz2.compress(as_csv(rows)),
    "t.csv.xz": lambda rows: lzma.compress(as_csv(rows)),
    "t.csv.zst": as_zst,
    "t.smi": as_smi,
    "t.jsonl": as_jsonl,
    "t.fasta": as_fasta,
    "t.sdf": as_sdf,
    "t.sdf.gz": lambda rows: gzip.compress(as_sdf(rows)),
    "t.xlsx": as_xlsx,
    "t.parquet": as_parquet,
    "t.arrow": as_arrow,
}
