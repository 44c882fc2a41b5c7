"""Where bytes come from: files, patterns of names, standard input, and file systems of fsspec."""

from __future__ import annotations

import glob
import os
import re
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar

from mrl.errors import ReadError
from mrl.files import is_disk_full
from mrl.messages import did_you_mean

_COPIED = 1 << 20  # bytes at once
_URL = re.compile(r"(?s)([A-Za-z][A-Za-z0-9+.-]+(?:::[A-Za-z][A-Za-z0-9+.-]+)*):(/+)(.*)")
_WILDCARD = re.compile(r"[*?\[]")


class Source(ABC):
    """A file, wherever it is: on this machine, on standard input, or behind a URL; `find_sources` finds them.

    Attributes
    ----------
    name : str
        Its name in messages.
    suffixes : list of str
        The suffixes of its name, in small letters.

    Examples
    --------
    See `find_sources`.

    >>> find_sources("-")[0].name
    '-'
    """

    name: str
    suffixes: list[str]

    @abstractmethod
    def open(self) -> Any:
        """Return a context manager of a file with a descriptor.

        Returns
        -------
        context manager

        Raises
        ------
        FileNotFoundError, ReadError
            It cannot be opened.

        Examples
        --------
        See `find_sources`.

        >>> path = Path(tempfile.mkdtemp(), "a.smi")
        >>> _ = path.write_text("N")
        >>> with find_sources(path)[0].open() as file:
        ...     file.read()
        b'N'
        """


class LocalFile(Source):
    """A file of this machine."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.suffixes = [suffix.lower() for suffix in path.suffixes]
        self._path = path
        _require_file(path)

    def open(self) -> Any:
        """Return the opened file."""
        return self._path.open("rb")


class StandardInput(Source):
    """What is piped into the process."""

    name = "-"
    suffixes: list[str] = []  # noqa: RUF012
    _copied: ClassVar[tuple[Any, IO[bytes]] | None] = None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Yield a copy of everything, in a file without a name, which stays for those that read it again."""
        piped = sys.stdin.buffer
        if StandardInput._copied is None or StandardInput._copied[0] is not piped:
            StandardInput._copied = piped, temporary_copy(self.name, iter(partial(piped.read, _COPIED), b""))
        with os.fdopen(os.dup(StandardInput._copied[1].fileno()), "rb") as file:
            file.seek(0)
            yield file


class RemoteFile(Source):
    """A file of a file system of fsspec, such as ``s3://bucket/a.csv`` or ``https://host/a.csv``."""

    def __init__(self, url: str) -> None:
        self.name = url
        path = re.sub(r"[?#].*", "", url) if url.startswith("http") else url.partition("::")[0]
        self.suffixes = [suffix.lower() for suffix in PurePosixPath(path).suffixes]

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Yield a copy of the file, in a file without a name."""
        fsspec = _fsspec(self.name)
        with _failures_reported(self.name), fsspec.open(self.name, "rb") as remote:
            copy = temporary_copy(self.name, iter(partial(remote.read, _COPIED), b""))
        with copy as file:
            yield file


def temporary_copy(name: str, chunks: Iterable[bytes]) -> IO[bytes]:
    """Return a file without a name that holds the bytes of a source.

    Parameters
    ----------
    name : str
        The name of the source in messages.
    chunks : iterable of bytes
        Its content.

    Returns
    -------
    binary file
        At its first byte; it is gone when it is closed.

    Raises
    ------
    ReadError
        The disk of temporary files is full.

    Examples
    --------
    >>> with temporary_copy("a.smi.gz", [b"C", b"CO"]) as file:
    ...     file.read()
    b'CCO'
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115
    size = 0
    try:
        for chunk in chunks:
            size += file.write(chunk)
        file.flush()
        file.seek(0)
    except BaseException as error:
        with suppress(OSError):  # what is buffered is written once more
            file.close()
        if not isinstance(error, OSError) or not is_disk_full(error):
            raise
        raise ReadError(
            f"{name} is copied to a temporary file, and the disk of {tempfile.gettempdir()} is full after {size:,} "
            "bytes: make room there, or set the environment variable TMPDIR to a folder that has room",
            path=name,
        ) from error
    return file


def find_sources(path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Source]:
    """Return the files that are meant by paths.

    Parameters
    ----------
    path : path, or several
        Paths, patterns such as ``data/*.csv``, URLs of fsspec, ``-`` for standard input.

    Returns
    -------
    list of Source
        Those of a pattern are sorted by name.

    Raises
    ------
    FileNotFoundError
        There is no such file; files with a similar name are named.
    ReadError
        No path is given, or it is that of a folder.

    Examples
    --------
    >>> path = Path(tempfile.mkdtemp(), "a.smi")
    >>> _ = path.write_text("CCO")
    >>> (source,) = find_sources(path.parent / "*.smi")
    >>> with source.open() as file:
    ...     file.read()
    b'CCO'
    """
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
    sources = [source for each in paths for source in _find(os.fspath(each))]
    if not sources:
        raise ReadError("no files to read: pass a path, or several", path="")
    return sources


def _find(text: str) -> list[Source]:
    if text == "-":
        return [StandardInput()]
    if os.path.exists(text):
        return [LocalFile(Path(text))]
    if url := _URL.fullmatch(text):
        slashes = url[2]
        if slashes == "/":  # a Path keeps one of them
            slashes = "///" if url[1] in ("file", "local") else "//"
        return [RemoteFile(name) for name in _names_of_url(f"{url[1]}:{slashes}{url[3]}")]
    if _WILDCARD.search(text):
        names = sorted(glob.glob(text, recursive=True))
        if not names:
            raise FileNotFoundError(f"no file is called {text}: pass another pattern, or the path of a file")
        return [LocalFile(Path(name)) for name in names]
    return [LocalFile(Path(text))]


def _names_of_url(url: str) -> list[str]:
    if "*" not in url:
        return [url]
    fsspec = _fsspec(url)
    with _failures_reported(url):
        system, pattern = fsspec.core.url_to_fs(url)
        names = sorted(str(system.unstrip_protocol(name)) for name in system.glob(pattern))
    if not names:
        raise FileNotFoundError(f"no file is called {url}: pass another pattern, or the URL of a file")
    return names


def _fsspec(url: str) -> Any:
    try:
        import fsspec  # optional
    except ImportError as error:
        raise ReadError(f"{url} needs the package fsspec: pip install 'mrl[fsspec]'", path=url) from error
    return fsspec


@contextmanager
def _failures_reported(url: str) -> Iterator[None]:
    try:
        yield
    except ReadError:
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{url} does not exist, or cannot be reached ({error}): check the URL") from error
    except ImportError as error:
        raise ReadError(f"{url} needs another package: {error}", path=url) from error
    except Exception as error:  # each file system, and each client below it, has its own
        reason = str(error) or type(error).__name__
        raise ReadError(f"{url} cannot be read: {reason}; check the URL and the access to it", path=url) from error


def _require_file(path: Path) -> None:
    """Raise a ``ReadError`` or ``FileNotFoundError`` unless `path` is a file, saying what is there instead."""
    if path.is_dir():
        names = sorted(child.name for child in path.iterdir() if not child.name.startswith("."))
        inside = ", ".join(names[:5]) or "nothing"
        suffix = next((Path(name).suffix for name in names if Path(name).suffix), "")
        rows = next((name for name in ("train", "shard") if f"{name}-00000.arrow" in names), "")  # of a corpus
        pattern = f"{rows}-*.arrow" if rows and "manifest.json" in names else f"*{suffix}"
        hint = f", or a pattern such as {path / pattern}" if suffix else ""
        raise ReadError(f"{path} is a folder (it contains {inside}): pass the path of a file{hint}", path=str(path))
    if not path.exists():
        folder = path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{path} does not exist: there is no folder {folder}")
        names = sorted(child.name for child in folder.iterdir())
        hint = did_you_mean(path.name, names, most=3) or f": {folder} contains no file with a similar name"
        raise FileNotFoundError(f"{path} does not exist{hint}")
