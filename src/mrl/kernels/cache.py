"""Machine code of kernels on disk, so that a process need not compile what another one has compiled.

numba's own cache loads whatever its files hold: a damaged or empty one (a power loss, a full disk) is an error of every
call until somebody deletes it, or the end of the process. Here a file begins with the digest of its content; one that
does not match is compiled again and replaced. The content is pickled: this is the only place where mrl unpickles files.
So the folder must belong to the user and be writable by the user only; otherwise nothing is read or written.

This module imports numba; `jit` imports it when a kernel is compiled.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import pickle
import platform
import stat
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, _Cache
from numba.core.serialize import dumps

from mrl.files import write_atomic

_DIGEST_SIZE = 32
_dumps: Any = dumps  # numba has no types


def code_folder() -> Path:
    """Return the folder of the machine code of a user.

    Returns
    -------
    Path
        ``$NUMBA_CACHE_DIR/mrl``, ``$XDG_CACHE_HOME/mrl/kernels``, or ``~/.cache/mrl/kernels``; it need not exist.

    Examples
    --------
    >>> "mrl" in code_folder().parts
    True
    """
    if os.path.isabs(base := os.environ.get("NUMBA_CACHE_DIR", "")):
        return Path(base) / "mrl"
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "mrl" / "kernels"


class CodeFiles:
    """Values in a folder that only the user can write to, each in a file that detects damage.

    Parameters
    ----------
    folder : Path
        It is created, for the user alone, when the first value is saved.

    Examples
    --------
    >>> import tempfile
    >>> files = CodeFiles(Path(tempfile.mkdtemp()) / "kernels")
    >>> files.load("a key"), files.save("a key", [1, 2]), files.load("a key")
    (None, None, [1, 2])
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: str) -> Any:
        """Return the value of a key; None if there is none, or if its file is damaged or not the user's own.

        Parameters
        ----------
        key : str
            What identifies the value.

        Returns
        -------
        object
        """
        try:
            _require_private(self.folder.lstat(), directory=True)
            with open(self._path(key), "rb", opener=_without_following) as file:
                _require_private(os.fstat(file.fileno()), directory=False)
                raw = file.read()
        except OSError:
            return None
        content = raw[_DIGEST_SIZE:]
        if raw[:_DIGEST_SIZE] != _digest(key, content):
            return None
        return pickle.loads(content)

    def save(self, key: str, value: Any) -> None:
        """Write the value of a key, completely or not at all.

        Parameters
        ----------
        key : str
            What identifies the value.
        value : object
            To be pickled.

        Raises
        ------
        OSError
            The folder is not the user's own, or cannot be written to.
        """
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        _require_private(self.folder.lstat(), directory=True)
        content: bytes = _dumps(value)
        write_atomic(self._path(key), _digest(key, content) + content)

    def _path(self, key: str) -> Path:
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.code"


class CodeCache(_Cache):
    """What numba's dispatcher asks for machine code before it compiles a function; nothing that it does can fail.

    Parameters
    ----------
    kernel : callable
        The function; its file identifies it, with the versions of Python, NumPy, numba and LLVM.
    files : CodeFiles
        Where machine code is kept.
    """

    def __init__(self, kernel: Callable[..., Any], files: CodeFiles) -> None:
        source = Path(inspect.getfile(kernel)).read_bytes()
        versions = numba.__version__, version("llvmlite"), np.__version__, sys.version, platform.machine()
        self._identity = f"{kernel.__qualname__} {hashlib.sha256(source).hexdigest()} {versions}"
        self._files = files
        self._enabled = True
        self._results: Any = _CompileResults()

    @property
    def cache_path(self) -> str:
        """The folder."""
        return str(self._files.folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled function for the types `sig`; None if it has to be compiled."""
        if not self._enabled:
            return None
        try:
            target_context.refresh()
            saved = self._files.load(self._key(sig, target_context.codegen()))
            return None if saved is None else self._results.rebuild(target_context, saved)
        except Exception:  # whatever it is, the function can be compiled
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save a compiled function; a disk that is full is not an error."""
        try:
            if self._enabled and self._results.check_cachable(data):
                self._files.save(self._key(sig, data.codegen), self._results.reduce(data))
        except Exception:  # whatever it is, the function has been compiled
            return

    def enable(self) -> None:
        """Use the files."""
        self._enabled = True

    def disable(self) -> None:
        """Use no files."""
        self._enabled = False

    def flush(self) -> None:
        """Do nothing: files of other functions and types stay valid."""

    def _key(self, sig: Any, codegen: Any) -> str:
        return f"{self._identity} {sig!r} {codegen.magic_tuple()!r}"


class _CompileResults(CompileResultCacheImpl):
    """How numba takes compiled functions apart and puts them together; without its search for a folder."""

    def __init__(self) -> None:
        pass


def compile_kernel(function: Callable[..., Any], kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, which is `kernel` with compiled helpers, as machine code.

    Parameters
    ----------
    function, kernel : callable
        What is compiled, and the function in the source file that it was made of.

    Returns
    -------
    callable
        It is compiled, or read from the cache, when it is called first with arguments of some types.
    """
    machine_code: Any = numba.njit(nogil=True)(function)
    with contextlib.suppress(OSError, RuntimeError, TypeError, ImportError):  # no source file or home: none is kept
        machine_code._cache = CodeCache(kernel, CodeFiles(code_folder()))
    compiled: Callable[..., Any] = machine_code
    return compiled


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + content).digest()


def _without_following(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _require_private(found: os.stat_result, *, directory: bool) -> None:
    """Raise an OSError unless it is a folder or regular file of the user that only the user can write to."""
    if not (stat.S_ISDIR if directory else stat.S_ISREG)(found.st_mode):
        raise OSError("not a regular folder or file")
    if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
        raise PermissionError("others may write to it")
