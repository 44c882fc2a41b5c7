"""What a person sees: messages, progress bars, and exit statuses.

Facts go to standard output; progress, notes and errors to standard error, so that output can be piped.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Iterator
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.text import Text
from typer import Exit

from mrl.errors import MrlError

__all__ = ["DATA", "USAGE", "note", "out", "progress", "reported", "stop", "success", "write_json"]

DATA, USAGE, INTERRUPTED = 1, 2, 130

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False)


def note(text: str) -> None:
    """Say something that is not the result."""
    err.print(text, style="dim", markup=False, soft_wrap=True)


def success(text: str) -> None:
    """Say that a step is done."""
    err.print(Text.assemble(("✓", "green"), " ", text), soft_wrap=True)


def stop(message: str, status: int) -> NoReturn:
    """End with a message and an exit status."""
    err.print(Text.assemble(("error:", "bold red"), " ", message), soft_wrap=True)
    raise Exit(status)


def write_json(facts: dict[str, Any]) -> None:
    """Print facts for a program."""
    sys.stdout.write(json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


@contextlib.contextmanager
def reported(status: int = DATA) -> Iterator[None]:
    """Turn what mrl raises on purpose, missing files and Ctrl-C into a message and an exit status."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        err.print(Text.assemble(("warning:", "yellow"), " ", str(message)), soft_wrap=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        try:
            yield
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
            stop(_of_file(error), USAGE)
        except BrokenPipeError:
            sys.stderr.close()  # the reader has gone; Python would complain once more at exit
            raise Exit(DATA) from None
        except OSError as error:
            stop(_of_file(error), DATA)
        except MrlError as error:
            stop(str(error), status)
        except KeyboardInterrupt:
            stop("interrupted", INTERRUPTED)


def _of_file(error: OSError) -> str:
    if error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


@contextlib.contextmanager
def progress(*columns: str) -> Iterator[Progress]:
    """A progress bar with text columns of its own (rich markup over ``task.fields``) and the time left."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        *(TextColumn(column) for column in columns),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,  # a log file would get an empty line for each bar
    ) as bar:
        yield bar
