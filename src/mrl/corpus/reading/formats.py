"""Which format a file has, by its name or as requested, and the reader for it."""

from __future__ import annotations

import re
from pathlib import Path

from mrl.corpus.reading.columnar import ColumnarFile
from mrl.corpus.reading.columns import is_smiles_name
from mrl.corpus.reading.delimited import DelimitedFile, SmilesList, guess_delimiter
from mrl.corpus.reading.options import ReadOptions
from mrl.corpus.reading.sources import COMPRESSED_SUFFIXES, escape_invalid, read_text, require_file
from mrl.corpus.reading.table_file import TableFile
from mrl.errors import ReadError
from mrl.messages import format_names

_NOT_BLANK = re.compile(rb"[^\r\n]+")
_SUFFIXES = {
    "csv": (".csv",),
    "tsv": (".tsv", ".tab"),
    "smi": (".smi", ".smiles", ".cxsmiles", ".ism", ".can", ".txt"),
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
}


def open_table_file(path: Path, format: str | None, smiles_column: str | None, options: ReadOptions) -> TableFile:
    """Return the reader of a file; a line with the name `smiles_column` is a header, whatever it looks like."""
    require_file(path)
    kind = _kind_of(path, format)
    if kind in ("parquet", "arrow"):
        return ColumnarFile(path, kind, options.max_bytes)
    data, start = read_text(path, options.encoding, options.max_bytes)
    found = _NOT_BLANK.search(data, start)
    first = escape_invalid(found[0]) if found else ""
    delimiter = "\t" if kind == "tsv" else guess_delimiter(first)
    names = first.split(delimiter) if delimiter else []
    if kind == "smi" and not any(is_smiles_name(name) or name == smiles_column for name in names):
        return SmilesList(str(path), data, start, smiles_column, options.notation)
    return DelimitedFile(str(path), data, start, delimiter or ",", strict=kind != "tsv", smiles_column=smiles_column)


def _kind_of(path: Path, format: str | None) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = next((suffix for suffix in reversed(suffixes) if suffix not in COMPRESSED_SUFFIXES), "")
    kind = format or next((kind for kind, suffixes in _SUFFIXES.items() if suffix in suffixes), None)
    if kind not in _SUFFIXES:
        known = " ".join(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)
        problem = f"there is no format {format!r}" if format else f"the name of {path} does not say its format"
        raise ReadError(
            f"{problem}: pass format= one of {format_names(_SUFFIXES)}, or rename the file to end in one of {known}, "
            f"perhaps followed by one of {' '.join(COMPRESSED_SUFFIXES)}",
            path=str(path),
        )
    return kind
