"""Which format a file has, by its name or as requested, and the reader for it."""

from __future__ import annotations

import re

from mrl.corpus.reading.columns import ColumnRoles, is_smiles_name
from mrl.corpus.reading.formats.columnar import ColumnarFile
from mrl.corpus.reading.formats.delimited import DelimitedFile, guess_delimiter
from mrl.corpus.reading.formats.fasta import FastaFile
from mrl.corpus.reading.formats.json_lines import JsonLines
from mrl.corpus.reading.formats.smiles_list import SmilesList
from mrl.corpus.reading.formats.spreadsheet import SpreadsheetFile
from mrl.corpus.reading.formats.structures import StructureFile
from mrl.corpus.reading.places import Source
from mrl.corpus.reading.sources import COMPRESSED_SUFFIXES, escape_invalid, read_text
from mrl.corpus.reading.table_file import TableFile
from mrl.errors import ReadError
from mrl.messages import format_names

_NOT_BLANK = re.compile(rb"[^\r\n]+")
_SEPARATOR = re.compile(rb'[\r\n]*"?sep=([,;\t|])"?(?:\r\n|\n|\r)', re.IGNORECASE)  # a first line for Excel
_SUFFIXES = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "smi": (".smi", ".smiles", ".cxsmiles", ".ism", ".can", ".txt"),
    "sdf": (".sdf", ".sd", ".mol", ".mdl"),
    "fasta": (".fasta", ".fa", ".faa", ".fna", ".ffn"),
    "jsonl": (".jsonl", ".ndjson"),
    "xlsx": (".xlsx", ".xlsm", ".xls", ".ods"),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
}


def open_table_file(source: Source, format: str | None, roles: ColumnRoles) -> TableFile:
    """Return the reader of a file, for the columns that are needed."""
    kind, path, options = _kind_of(source, format), source.name, roles.options
    if kind in ("parquet", "arrow"):
        return ColumnarFile(source, kind, options.max_bytes)
    if kind == "xlsx":
        return SpreadsheetFile(source, options.sheet, options.max_bytes)
    text = read_text(source, options.encoding, options.max_bytes)
    if kind == "sdf":
        return StructureFile(path, text)
    if kind == "fasta":
        return FastaFile(path, text)
    if kind == "jsonl":
        return JsonLines(path, text, roles)
    separator = _SEPARATOR.match(text.data, text.start)
    text = text._replace(start=separator.end()) if separator else text
    found = _NOT_BLANK.search(text.data, text.start)
    first = escape_invalid(found[0]) if found else ""
    delimiter = "\t" if kind == "tsv" else guess_delimiter(first)
    delimiter = separator[1].decode() if separator else delimiter
    names = first.split(delimiter) if delimiter else []
    if kind == "smi" and not any(is_smiles_name(name) or name == roles.smiles for name in names):
        return SmilesList(path, text, roles.smiles, options.notation or "smiles")
    return DelimitedFile(path, text, delimiter or ",", strict=kind != "tsv", smiles_column=roles.smiles)


def _kind_of(source: Source, format: str | None) -> str:
    suffix = next((suffix for suffix in reversed(source.suffixes) if suffix not in COMPRESSED_SUFFIXES), "")
    kind = format or next((kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes), None)
    if kind not in _SUFFIXES:
        known = " ".join(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)
        problem = f"there is no format {format!r}" if format else f"the name of {source.name} does not say its format"
        rename = (
            ""
            if source.name == "-"
            else f", or rename the file to end in one of {known}, perhaps followed by one of "
            f"{' '.join(COMPRESSED_SUFFIXES)}"
        )
        raise ReadError(
            f"{problem}: pass format= (--format) one of {format_names(_SUFFIXES)}{rename}",
            path=source.name,
        )
    return kind
