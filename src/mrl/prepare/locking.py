"""One preparation at a time in a folder, and nothing is left there of one whose inputs cannot be read."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mrl.errors import ColumnError, PrepareError, ReadError, RowError
from mrl.prepare.job import WORK, discard
from mrl.prepare.recipe import Inputs

LOCK = ".lock"


@contextmanager
def claimed(inputs: Inputs, out: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the folder of a preparation; if its inputs cannot be read as requested, leave nothing there.

    The same command would end with the same error, and no other one could go on with the work. Files of other machines
    may be out of reach for a moment only: their work is kept. So is that which is `shared` with other processes.

    Raises
    ------
    PrepareError
        Another process holds it.
    """
    was_there = out.exists()
    try:
        with locked(out / WORK, shared=shared):
            try:
                yield
            except (ColumnError, ReadError, RowError):
                if not shared and not any("://" in path for path in inputs.paths):
                    discard(out)
                raise
    finally:
        if not was_there:
            with suppress(OSError):  # unless there is something in it
                out.rmdir()


@contextmanager
def locked(work: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold a folder of work; those that are `shared` hold it together.

    The lock ends with this process, however it ends; its workers do not hold it. Where the file system knows no locks,
    there is none.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    work.mkdir(parents=True, exist_ok=True)
    number = os.open(work / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.lockf(number, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise PrepareError(
                    f"another process prepares {work.parent} at this moment: wait until it has ended and run the same "
                    "command again, or choose another folder"
                ) from None
        yield
    finally:
        with suppress(OSError):  # a folder that was made for the lock
            if not shared and {child.name for child in work.iterdir()} == {LOCK}:
                (work / LOCK).unlink()
                work.rmdir()
        os.close(number)
