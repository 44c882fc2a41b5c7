"""Files that are written completely or not at all, and files that notice damage.

A *sealed document* is a JSON object in canonical form that contains the SHA-256 of its other entries: a vocabulary, a
manifest, or the metadata of a binary file, where it also holds a digest of the file's arrays.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import platform
import re
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeAlias

from mrl.errors import FileFormatError, MrlError

__all__ = [
    "AnyPath",
    "Stamp",
    "atomic",
    "content_digest",
    "is_disk_full",
    "open_regular",
    "remove_abandoned",
    "seal",
    "stamp_of",
    "unseal",
    "write_atomic",
]

AnyPath: TypeAlias = "str | os.PathLike[str]"

Stamp: TypeAlias = tuple[int, ...]
"""What changes when somebody writes to a file or replaces it: its identity, size and times."""


@contextlib.contextmanager
def atomic(path: AnyPath, *, sync: bool = True) -> Iterator[Path]:
    """Yield a temporary path in the same folder that becomes `path` if the block ends without an error.

    The file is synced before it is renamed: a block that raises, a disk that is full, or a process that is killed
    leaves the old file, or none where there was none, never half of a new one. Missing folders are created. A symbolic
    link stays one, and the file that it points to is written; a file that exists keeps its mode.

    Parameters
    ----------
    path : str or path
        The file to be written.
    sync : bool
        Wait until the file is on the disk. Without, a power failure may leave an empty or half file of this name: for
        files that are checked when they are read, and can be made again.

    Yields
    ------
    Path
        Where to write; it exists, empty.

    Raises
    ------
    IsADirectoryError
        `path` is a folder.
    FileExistsError
        `path` is neither a regular file nor a folder: a device, a pipe or a socket.
    PermissionError
        The file exists and may not be written to, or the folder may not.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with atomic(target) as temporary:
    ...     _ = temporary.write_text("complete")
    >>> target.read_text()
    'complete'
    """
    target = Path(os.path.realpath(path))
    old = _existing_file(target, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers_once(target.parent)
    name = f".{target.name[:_NAME_CHARACTERS]}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    temporary = target.with_name(name)
    # Nobody may read more of the new file than of the old one, not even while it is written.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if old is None else 0o600))
    try:
        yield temporary
        if old is not None:
            _take_over(old, temporary)
        if sync:
            with open(temporary, "rb") as written:
                os.fsync(written.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _existing_file(target: Path, given: AnyPath) -> os.stat_result | None:
    """Return what is known of the file to be replaced, None if there is none; an OSError if it must not be."""
    try:
        found = target.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    shown = os.fspath(given)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "this is a folder, expected the path of a file", shown)
    if not stat.S_ISREG(found.st_mode):
        raise FileExistsError(errno.EEXIST, "this is a device, pipe or socket, expected the path of a file", shown)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "this file may not be written to; choose another path", shown)
    return found


def _take_over(old: os.stat_result, temporary: Path) -> None:
    """Give a file the mode of the old one, and its owner and group where that is allowed."""
    new = temporary.stat()
    if hasattr(os, "chown") and (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        with contextlib.suppress(OSError):
            os.chown(temporary, old.st_uid, old.st_gid)
    os.chmod(temporary, stat.S_IMODE(old.st_mode))


def write_atomic(path: AnyPath, data: str | bytes) -> None:
    """Write `data` to `path`, completely or not at all.

    Parameters
    ----------
    path : str or path
        The file; missing folders are created.
    data : str or bytes
        A str is written as UTF-8, its line ends unchanged.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "folder" / "a.txt"
    >>> write_atomic(target, "é")
    >>> target.read_bytes()
    b'\\xc3\\xa9'
    """
    with atomic(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


def open_regular(path: AnyPath) -> BufferedReader:
    """Open a regular file to be read; a pipe or a device, which may never end, is an OSError at once.

    For files of our own formats. Files of molecules may be pipes.

    Parameters
    ----------
    path : str or path
        The file, or a symbolic link to one.

    Returns
    -------
    binary file
        To be closed by the caller.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    OSError
        It is a folder, a device, a pipe or a socket, or cannot be read.

    Examples
    --------
    >>> open_regular("/dev/null")
    Traceback (most recent call last):
    ...
    OSError: [Errno 22] this is a device, pipe or socket, expected a file; copy its content to one: '/dev/null'
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "this is a folder, expected a file", os.fspath(path))
        if not stat.S_ISREG(mode):
            reason = "this is a device, pipe or socket, expected a file; copy its content to one"
            raise OSError(errno.EINVAL, reason, os.fspath(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def is_disk_full(error: OSError) -> bool:
    """Return whether a file could not be written since its disk, or the user's share of it, is full.

    Parameters
    ----------
    error : OSError
        From writing it.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_disk_full(OSError(errno.ENOSPC, "No space left on device")), is_disk_full(OSError(errno.EIO, "Broken"))
    (True, False)
    """
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def remove_abandoned(folder: AnyPath, seconds: float = 3600) -> None:
    """Remove temporary files that processes which were killed inside `atomic` have left in a folder.

    Those of processes of this machine that have ended are removed at once. `atomic` does so, too, once for each folder.

    Parameters
    ----------
    folder : str or path
        Searched without its subfolders; it need not exist.
    seconds : float
        How old the other files are that are removed; younger ones may still be written to, on another machine.

    Examples
    --------
    >>> import tempfile
    >>> abandoned = Path(tempfile.mkdtemp()) / ".a.txt.01234567.tmp"
    >>> abandoned.touch()
    >>> remove_abandoned(abandoned.parent, seconds=0)
    >>> abandoned.exists()
    False
    """
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if match := _TEMPORARY.fullmatch(name):
            machine, process = match.group("machine", "process")
            path = Path(folder, name)
            with contextlib.suppress(OSError):
                ended = machine == _machine() and not _is_running(int(process))
                if ended or time.time() - path.stat().st_mtime >= seconds:
                    path.unlink()


_NAME_CHARACTERS = 40  # of a name in that of its temporary file, which must not be too long
_TEMPORARY = re.compile(r"\..+\.(?:(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-)?[0-9a-f]{8}\.tmp", re.DOTALL)
_DAY = 86_400


@functools.lru_cache(maxsize=256)
def _remove_leftovers_once(folder: Path) -> None:
    with contextlib.suppress(OSError):
        remove_abandoned(folder, _DAY)


@functools.cache
def _machine() -> str:
    """Return what names this machine, and the numbers of processes on it: containers have their own."""
    facts = [platform.node()]
    with contextlib.suppress(OSError):
        facts += [Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/pid")]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:8]


def _is_running(process: int) -> bool:
    if os.name != "posix":  # where os.kill would end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of int
        Its identity, its size in bytes, and when its content, and anything of it, were changed, in ns.

    Raises
    ------
    OSError
        It is missing.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.csv"
    >>> path.write_text("smiles")
    6
    >>> stamp_of(path)[1]
    6
    """
    status = os.stat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def seal(document: Mapping[str, Any]) -> bytes:
    """Return a document as canonical JSON that contains the SHA-256 of its other entries.

    Parameters
    ----------
    document : mapping of str to JSON values
        Without an entry ``"sha256"``.

    Returns
    -------
    bytes
        UTF-8: keys sorted, one entry per line, a newline at the end. Equal documents give equal bytes.

    Examples
    --------
    >>> print(seal({"version": 1, "format": "mrl-example"}).decode()[:45])
    {
     "format": "mrl-example",
     "sha256": "16d57
    """
    return _canonical({**document, "sha256": _digest(document)})


def unseal(
    data: bytes | str,
    path: AnyPath,
    *,
    format: str,
    version: int | Sequence[int],
    error: Callable[..., MrlError] = FileFormatError,
) -> dict[str, Any]:
    """Return the document that `seal` wrote, and raise unless every byte is as it was written.

    Parameters
    ----------
    data : bytes or str
        The sealed document.
    path : str or path
        Its file, for messages.
    format, version : str, int or sequence of int
        The expected entries ``"format"`` and ``"version"`` of the document; of several versions, any.
    error : class of the error to raise
        Called with a message and ``path=``.

    Returns
    -------
    dict
        The document, without its entry ``"sha256"``.

    Raises
    ------
    FileFormatError
        Or `error`: the data are damaged, were edited, or are of another format or version.

    Examples
    --------
    >>> sealed = seal({"format": "mrl-example", "version": 1, "rows": 3})  # to be written by write_atomic
    >>> unseal(sealed, "a.json", format="mrl-example", version=1)["rows"]
    3
    >>> unseal(sealed.replace(b"3,", b"4,"), "a.json", format="mrl-example", version=1)
    Traceback (most recent call last):
    ...
    mrl.errors.FileFormatError: a.json is not a valid mrl-example file: its content does not match its sha256, so it \
was damaged or edited after it was written; restore it, or create it again
    """
    data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data

    def invalid(reason: str) -> MrlError:
        return error(f"{os.fspath(path)} is not a valid {format} file: {reason}", path=os.fspath(path))

    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise invalid(f"it is not JSON ({problem}); restore it, or create it again") from None
    if not isinstance(document, dict) or document.get("format") != format:
        raise invalid(f'it has no "format": "{format}", so another program wrote it')
    versions = [version] if isinstance(version, int) else version
    if document.get("version") not in versions:
        read = " and ".join(map(str, versions))
        raise invalid(f"its version is {document.get('version')!r} and this mrl reads {read}; update mrl")
    try:
        sha256 = document.pop("sha256", None)
        intact = sha256 == _digest(document) and data == seal(document)
    except (UnicodeEncodeError, RecursionError):  # a lone surrogate, a deep nesting: never written by `seal`
        intact = False
    if not intact:
        raise invalid(
            "its content does not match its sha256, so it was damaged or edited after it was written; restore it, or "
            "create it again"
        )
    return document


def content_digest(parts: Iterable[tuple[str, Any]]) -> str:
    """Return the SHA-256 of named buffers: the names, the sizes and the bytes, in order.

    Parameters
    ----------
    parts : iterable of (str, buffer)
        A name, such as one that contains dtype and shape, and contiguous memory: bytes, an array, an Arrow buffer.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> content_digest([("ids uint8 (3,)", b"abc")])[:8]
    '3e1c5fed'
    """
    sha = hashlib.sha256()
    for name, buffer in parts:
        view = memoryview(buffer)
        sha.update(f"{name} {view.nbytes}\n".encode())
        sha.update(view.cast("B") if view.nbytes else b"")
    return sha.hexdigest()


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical(document)).hexdigest()


def _canonical(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()
