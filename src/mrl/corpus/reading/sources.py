"""The bytes of a file: found, decompressed, and checked to be text where text is expected.

A file is mapped into memory, a compressed one decompressed into a temporary file that is mapped, so that neither its
size nor what it holds is limited by memory.
"""

from __future__ import annotations

import bz2
import codecs
import ctypes
import gzip
import lzma
import mmap
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from mrl.corpus.reading.places import Source, temporary_copy
from mrl.errors import ReadError


class _MappedFile(mmap.mmap):
    """A file in memory, and in memory of Arrow as `buffer`."""

    buffer: pa.Buffer


Data: TypeAlias = bytes | _MappedFile

COMPRESSED_SUFFIXES = (".gz", ".xz", ".bz2", ".zst")
_CHUNK = 1 << 20
_MAPPED = 1 << 16  # smaller files are read
_LOOKED_AT = 1 << 16  # bytes at the beginning of a file
_DROPPED = 1 << 24


class _TrailingBytes(ValueError):
    """Bytes follow the end of compressed data which are neither another stream nor padding."""


def _streams(file: IO[bytes], new: Callable[[], Any], magic: bytes) -> Iterator[bytes]:
    """Yield what one or several streams hold that follow each other; raise unless the end of the file is that of one.

    The standard library's readers of bzip2 and xz ignore whatever follows the first stream, if it is damaged.
    """
    data = file.read(_CHUNK)
    while data:
        decompressor = new()
        while not decompressor.eof:
            if not data and not (data := file.read(_CHUNK)):
                raise EOFError("the data ends inside a stream")
            yield decompressor.decompress(data, max_length=_CHUNK)
            data = b""
            while not decompressor.eof and not decompressor.needs_input:
                yield decompressor.decompress(b"", max_length=_CHUNK)
        data = decompressor.unused_data or file.read(_CHUNK)
        while data and not data.strip(b"\0"):  # padding, as the xz format allows
            data = file.read(_CHUNK)
        data = data.lstrip(b"\0") if data else data
        if len(data) < len(magic):
            data += file.read(_CHUNK)
        if data and not data.startswith(magic):
            raise _TrailingBytes("bytes after the end of the compressed data are not another stream")


def _chunks(file: Any) -> Iterator[bytes]:
    while data := file.read(_CHUNK):
        yield data


def _unzip(file: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as opened:  # knows several members, and refuses what follows the last one
        yield from _chunks(opened)


def _unzst(file: IO[bytes]) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd") as opened:
        yield from _chunks(opened)


_COMPRESSIONS: dict[bytes, tuple[str, Callable[[IO[bytes]], Iterator[bytes]]]] = {
    b"\x1f\x8b": ("gzip", _unzip),
    b"\xfd7zXZ\x00": ("xz", lambda file: _streams(file, lzma.LZMADecompressor, b"\xfd7zXZ\x00")),
    b"BZh": ("bzip2", lambda file: _streams(file, bz2.BZ2Decompressor, b"BZh")),
    b"\x28\xb5\x2f\xfd": ("zstd", _unzst),
}
_OTHER_FORMATS = {
    b"PAR1": 'a Parquet file: pass format="parquet", or rename it to end in .parquet',
    b"ARROW1": 'an Arrow file: pass format="arrow", or rename it to end in .arrow',
    b"PK\x03\x04": 'a ZIP archive, or a workbook: unpack it, or pass format="xlsx"',
    b"\xd0\xcf\x11\xe0": 'a workbook: pass format="xlsx", or save the sheet as CSV',
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


def read_bytes(source: Source, max_bytes: int) -> Data:
    """Return the bytes of a file, decompressed if their first bytes say that they are compressed."""
    with source.open() as file:
        start = file.read(8)
        file.seek(0)
        found = next((entry for magic, entry in _COMPRESSIONS.items() if start.startswith(magic)), None)
        if found is None:
            return _mapped(file)
        name, decompress = found
        try:
            return _copied(decompress(file), source.name, max_bytes)
        except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException, _TrailingBytes) as error:
            raise ReadError(
                f"{source.name}: the {name} data is truncated or damaged ({error}): copy or download the file again",
                path=source.name,
            ) from error


def require_size(path: str, size: int, max_bytes: int) -> None:
    """Raise a ReadError if a file has more bytes after decompression than are allowed."""
    if size > max_bytes:
        raise ReadError(
            f"{path} has more than {max_bytes:,} bytes after decompression: if it is meant to, pass "
            "options=ReadOptions(max_bytes=...)",
            path=path,
        )


def arrow_owned(data: Data) -> pa.Buffer:
    """Return bytes in memory of Arrow: a copy, or those of the same mapped file.

    Readers hand data to threads of Arrow, which may release it last, after Python has begun to end: a thread that then
    needs Python to release memory ends the process by an abort.
    """
    if isinstance(data, _MappedFile):
        return data.buffer
    buffer = pa.allocate_buffer(len(data))
    np.frombuffer(buffer, np.uint8)[:] = np.frombuffer(data, np.uint8)
    return buffer


def drop_pages(data: Data, start: int = 0, size: int | None = None) -> None:
    """Take a part of a mapped file out of the memory of this process; what is used again is read again.

    Without it, a file that is read from end to end counts as memory of the process, twice if Python and Arrow read it.
    """
    if isinstance(data, _MappedFile) and sys.platform == "linux":
        start -= start % mmap.PAGESIZE
        size = min(len(data) - start if size is None else size, len(data) - start)
        data.madvise(mmap.MADV_DONTNEED, start, size)
        address = ctypes.c_void_p(data.buffer.address + start)  # Arrow has no call for it
        ctypes.CDLL(None).madvise(address, ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def find_all(pattern: re.Pattern[bytes], data: Data, start: int, stop: int | None = None) -> Iterator[re.Match[bytes]]:
    """Yield the matches of a pattern, and keep little of a mapped file in memory."""
    dropped = start
    for found in pattern.finditer(data, start, len(data) if stop is None else stop):
        yield found
        if found.start() - dropped > _DROPPED:
            drop_pages(data, dropped, found.start() - dropped)
            dropped = found.start()


class TextData(NamedTuple):
    """The bytes of a text file, which should be UTF-8.

    Attributes
    ----------
    data : bytes or mapped file
        All bytes.
    start : int
        Where the text begins, after a byte order mark.
    is_utf8, has_nul, has_quote : bool
        Whether all bytes are valid UTF-8; whether there is a NUL byte; whether there is a double quote.
    """

    data: Data
    start: int
    is_utf8: bool
    has_nul: bool
    has_quote: bool


def read_text(source: Source, encoding: str, max_bytes: int) -> TextData:
    """Return the bytes of a text file; text of another encoding is returned as UTF-8."""
    data, path = read_bytes(source, max_bytes), source.name
    if codecs.lookup(encoding).name != "utf-8":
        data = _recoded(data, path, encoding, max_bytes)
    start = data[:64]
    mark = len(b"\xef\xbb\xbf") if start.startswith(b"\xef\xbb\xbf") else 0
    if not any(data[at : at + _CHUNK].strip() for at in range(mark, len(data), _CHUNK)):
        raise ReadError(f"{path} is empty: pass a file with at least one molecule", path=path)
    for magic, what in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise ReadError(f"{path} is not a text file but looks like {what}", path=path)
    if start.startswith(_UTF16):
        raise ReadError(
            f'{path} is UTF-16, expected UTF-8: pass options=ReadOptions(encoding="utf-16") '
            "(--encoding utf-16), save it as UTF-8, "
            f"or run iconv -f UTF-16 -t UTF-8 {path} > NEW_FILE",
            path=path,
        )
    text = TextData(data, mark, *_scan(data))
    if text.has_nul:
        _require_text(text, path)
    return text


def _scan(data: Data) -> tuple[bool, bool, bool]:
    """Return whether bytes are valid UTF-8, have a NUL byte, and have a double quote."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8 = is_ascii = True
    has_nul = has_quote = False
    for at in range(0, len(data), _CHUNK):
        chunk = data[at : at + _CHUNK]
        has_nul = has_nul or b"\0" in chunk
        has_quote = has_quote or b'"' in chunk
        if is_utf8 and not (is_ascii and chunk.isascii()):
            is_ascii = False
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
        drop_pages(data, at, _CHUNK)
    if is_utf8:
        try:
            decoder.decode(b"", True)
        except UnicodeDecodeError:
            is_utf8 = False
    return is_utf8, has_nul, has_quote


def _require_text(text: TextData, path: str) -> None:
    """Raise unless NUL bytes are exceptions; rows that have one are rejected one by one."""
    start = text.data[text.start : text.start + _LOOKED_AT]
    first = start.splitlines()[0] if start else b""
    if b"\0" not in first and start.count(b"\0") * 8 < len(start):
        return
    at = start.find(b"\0")
    raise ReadError(
        f"{path}, line {line_count(start[:at]) + 1}: there is a NUL byte, so the file is binary, or text that "
        "is not UTF-8: save it as UTF-8 text, or pass its encoding, options=ReadOptions(encoding=...) (--encoding)",
        path=path,
    )


def _mapped(file: IO[bytes]) -> Data:
    size = file.seek(0, 2)
    file.seek(0)
    if size < _MAPPED:
        return file.read()
    data = _MappedFile(file.fileno(), 0, access=mmap.ACCESS_READ)
    data.buffer = pa.memory_map(f"/dev/fd/{file.fileno()}").read_buffer()  # the file may have no name
    return data


def _copied(chunks: Iterator[bytes], path: str, max_bytes: int) -> Data:
    with temporary_copy(path, _limited(chunks, path, max_bytes)) as file:
        return _mapped(file)


def _limited(chunks: Iterator[bytes], path: str, max_bytes: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        require_size(path, size, max_bytes)
        yield chunk


def _recoded(data: Data, path: str, encoding: str, max_bytes: int) -> Data:
    decoder = codecs.getincrementaldecoder(encoding)()
    starts = range(0, len(data), _CHUNK)
    try:
        parts = (decoder.decode(data[at : at + _CHUNK], at + _CHUNK >= len(data)) for at in starts)
        return _copied((part.encode() for part in parts), path, max_bytes)
    except UnicodeError as error:
        raise ReadError(
            f"{path} is not {encoding} ({error}): pass another encoding, "
            "options=ReadOptions(encoding=...) (--encoding)",
            path=path,
        ) from error


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
