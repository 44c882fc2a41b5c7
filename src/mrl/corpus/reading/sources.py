"""The bytes of a file: found, decompressed, and checked to be text where text is expected."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from mrl.errors import ReadError
from mrl.messages import did_you_mean

COMPRESSED_SUFFIXES = (".gz", ".xz", ".bz2", ".zst")


def _decompress_zstd(data: bytes) -> bytes:
    return bytes(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())


_COMPRESSIONS: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\x28\xb5\x2f\xfd": ("zstd", _decompress_zstd),
}
_OTHER_FORMATS = {
    b"PAR1": 'a Parquet file: pass format="parquet", or rename it to end in .parquet',
    b"ARROW1": 'an Arrow file: pass format="arrow", or rename it to end in .arrow',
    b"PK\x03\x04": "a ZIP archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the sheet as CSV",
    b"\x7fELF": "a program (ELF)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"SQLite format 3": "an SQLite database",
    b"version https://git-lfs": "a Git LFS pointer without its data: run git lfs pull",
    b"<!DOCTYPE": "a web page, perhaps the error page of a download",
    b"<html": "a web page, perhaps the error page of a download",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def require_file(path: Path) -> None:
    """Raise a ``ReadError`` or ``FileNotFoundError`` unless `path` is a file, saying what is there instead."""
    if path.is_dir():
        inside = ", ".join(sorted(child.name for child in path.iterdir())[:5]) or "nothing"
        raise ReadError(f"{path} is a folder (it contains {inside}): pass the path of a file", path=str(path))
    if not path.exists():
        folder = path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{path} does not exist: there is no folder {folder}")
        names = sorted(child.name for child in folder.iterdir())
        hint = did_you_mean(path.name, names, most=3) or f": {folder} contains no file with a similar name"
        raise FileNotFoundError(f"{path} does not exist{hint}")


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, decompressed if their first bytes say that they are compressed."""
    require_file(path)
    data = path.read_bytes()
    for magic, (name, decompress) in _COMPRESSIONS.items():
        if data.startswith(magic):
            try:
                return decompress(data)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
                raise ReadError(
                    f"{path}: the {name} data is truncated or damaged ({error}): copy or download the file again",
                    path=str(path),
                ) from error
    return data


def arrow_owned(data: bytes | memoryview) -> pa.Buffer:
    """Return a copy of bytes in memory of Arrow.

    Readers hand data to threads of Arrow, which may release it last, after Python has begun to end: a thread that then
    needs Python to release memory ends the process by an abort.
    """
    buffer = pa.allocate_buffer(len(data))
    np.frombuffer(buffer, np.uint8)[:] = np.frombuffer(data, np.uint8)
    return buffer


def read_text(path: Path) -> bytes:
    """Return the bytes of a text file without a byte order mark; some of them may not be UTF-8 (`is_utf8`)."""
    data = read_bytes(path)
    if not data.strip():
        raise ReadError(f"{path} is empty: pass a file with at least one molecule", path=str(path))
    for magic, what in _OTHER_FORMATS.items():
        if data.startswith(magic):
            raise ReadError(f"{path} is not a text file but looks like {what}", path=str(path))
    if data.startswith(_UTF16):
        raise ReadError(
            f"{path} is UTF-16, expected UTF-8: save it as UTF-8, or run iconv -f UTF-16 -t UTF-8 {path} > NEW_FILE",
            path=str(path),
        )
    if (position := data.find(b"\0")) >= 0:
        raise ReadError(
            f"{path}, line {line_count(data[:position]) + 1}: there is a NUL byte, so the file is binary, or text that "
            "is not UTF-8: save it as UTF-8 text",
            path=str(path),
        )
    return data.removeprefix(b"\xef\xbb\xbf")


def is_utf8(data: bytes) -> bool:
    """Return whether the bytes are valid UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def escape_invalid(data: bytes) -> str:
    r"""Return bytes as text, those that are not UTF-8 as escapes such as ``\xe9``."""
    return data.decode(errors="backslashreplace")


def line_count(data: bytes) -> int:
    r"""Return the number of line ends: ``\n``, ``\r\n`` or ``\r``."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
