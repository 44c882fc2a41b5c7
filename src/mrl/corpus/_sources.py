"""The bytes of a file: found, unpacked, and known to be text where text is expected."""

from __future__ import annotations

import bz2
import difflib
import gzip
import lzma
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from mrl.errors import ReadError

__all__ = ["DAMAGED", "content", "require_file", "text_of", "visible"]

DAMAGED = "\ufdd0"  # a noncharacter, which no text may contain: stands before each byte that is no UTF-8


def _unzstd(data: bytes) -> bytes:
    return bytes(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())


_PACKED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\x28\xb5\x2f\xfd": ("zstd", _unzstd),
}
_FOREIGN = {
    b"PAR1": 'a Parquet file: give format="parquet", or end its name in .parquet',
    b"ARROW1": 'an Arrow file: give format="arrow", or end its name in .arrow',
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
    b"<!DOCTYPE": "a web page, perhaps an error of the download",
    b"<html": "a web page, perhaps an error of the download",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def require_file(path: Path) -> None:
    """Refuse a path that is no file, saying what is there instead."""
    if path.is_dir():
        inside = ", ".join(sorted(child.name for child in path.iterdir())[:5]) or "nothing"
        raise ReadError(f"{path} is a folder (it has {inside}): give the path of a file in it", path=str(path))
    if not path.exists():
        folder = path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{path} does not exist: there is no folder {folder}")
        close = difflib.get_close_matches(path.name, sorted(child.name for child in folder.iterdir()), n=3)
        hint = f"; {folder} has {', '.join(close)}" if close else f"; nothing in {folder} is called alike"
        raise FileNotFoundError(f"{path} does not exist{hint}")


def content(path: Path) -> bytes:
    """The bytes of a file, unpacked if they are packed, whatever its name says."""
    require_file(path)
    data = path.read_bytes()
    for magic, (name, unpack) in _PACKED.items():
        if data.startswith(magic):
            try:
                return unpack(data)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
                raise ReadError(
                    f"{path}: the {name} data is cut short or damaged ({error}): copy or download the file again",
                    path=str(path),
                ) from error
    return data


def text_of(path: Path) -> bytes:
    """The bytes of a text file as valid UTF-8 without a byte order mark; bytes that are none are marked."""
    data = content(path)
    if not data.strip():
        raise ReadError(f"{path} is empty", path=str(path))
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise ReadError(f"{path} is no text but looks like {what}", path=str(path))
    if data.startswith(_UTF16):
        raise ReadError(
            f"{path} is UTF-16, expected UTF-8: save it as UTF-8, or use iconv -f UTF-16 -t UTF-8", path=str(path)
        )
    if (place := data.find(b"\0")) >= 0:
        line = data.count(b"\n", 0, place) + 1
        raise ReadError(f"{path} has a NUL byte in line {line}: it is binary, or text that is no UTF-8", path=str(path))
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        marked = re.sub("[\udc80-\udcff]", _mark, data.decode(errors="surrogateescape"))
        return marked.encode()
    return data


def _mark(byte: re.Match[str]) -> str:
    return f"{DAMAGED}{ord(byte[0]) - 0xDC00:02x}"


def visible(text: str) -> str:
    """A text with its bytes that are no UTF-8 as ``\\xe9``."""
    return text.replace(DAMAGED, "\\x")
