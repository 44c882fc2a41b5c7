"""All output of the command line: results, notes, progress bars, errors and exit statuses.

Results go to standard output; progress, notes and errors to standard error, so that results can be piped.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Grid
from rich.text import Text
from typer import Exit

from mrl.errors import MrlError
from mrl.progress import progress_bar

DATA, USAGE, INTERRUPTED = 1, 2, 130

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)


_UNPRINTABLE = re.compile(
    r"[^\n\t\x20-\x7e\xa0-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ufefe\uff00-\U0010ffff]|[\ud800-\udfff]"
)
_NO_MEMORY = re.compile("allocate memory|out of memory")


def visible(text: str) -> str:
    r"""Return a text with control characters, which could change the terminal or the order of its text, as ``\x1b``.

    >>> visible("red \x1b[31m")
    'red \\x1b[31m'
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def print_lines(lines: Iterable[str]) -> None:
    """Print data, one line each, as it is."""
    if sys.stdout is None:  # closed by the shell: >&-
        stop("standard output is closed, so the result cannot be printed", DATA)
    sys.stdout.writelines(f"{line}\n" for line in lines)


def print_text(text: str) -> None:
    """Print a sentence of the result, wrapped at a terminal."""
    _out.print(Text(visible(text)), soft_wrap=not _out.is_terminal)


def print_grid(
    rows: Iterable[Sequence[str]], header: Sequence[str] = (), *, numbers: Sequence[int] = (), title: str | None = None
) -> None:
    """Print rows of text in columns, those with `numbers` to the right; without a header the first one is bold."""
    rows = list(rows)
    grid = Grid(box=None, show_header=bool(header), padding=(0, 2, 0, 0), pad_edge=False)
    grid.title = None if title is None else Text(visible(title), "table.title")
    grid.title_justify = "left"
    for i, name in enumerate(header or rows[0]):
        style = "" if header or i else "bold"
        grid.add_column(
            Text(visible(name)) if header else "",
            style=style,
            justify="right" if i in numbers else "left",
            overflow="fold",
        )
    for row in rows:
        grid.add_row(*(Text(visible(cell)) for cell in row))
    _out.print(grid, width=None if _out.is_terminal else 10_000)


def print_facts(facts: dict[str, Any]) -> None:
    """Print names and values in two columns."""

    def show(value: Any) -> str:
        if isinstance(value, list):
            return "  ".join(map(repr, value))
        return f"{value:,}" if type(value) is int else str(value)

    print_grid([(name.replace("_", " "), show(value)) for name, value in facts.items()])


def print_json(result: dict[str, Any]) -> None:
    """Print the result for a program."""
    text = json.dumps(result, indent=2, ensure_ascii=False, allow_nan=False)
    print_lines([_UNPRINTABLE.sub(lambda found: json.dumps(found[0])[1:-1], text)])


def note(text: str, mark: str = "", style: str = "") -> None:
    """Print something that is not the result, after a mark in its own style or dimmed as a whole."""
    text = visible(text)
    message = Text.assemble((mark, style), " ", text) if mark else Text(text, "dim")
    _err.print(message, soft_wrap=not _err.is_terminal)


def success(text: str) -> None:
    """Print that a step is done."""
    note(text, "✓", "green")


def stop(message: str, status: int) -> NoReturn:
    """End with a message and an exit status."""
    note(message, "error:", "bold red")
    raise Exit(status)


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turn every exception of mrl, missing files and Ctrl-C into a message and an exit status."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        note(str(message), "warning:", "yellow")

    with warnings.catch_warnings():
        warnings.showwarning = show
        try:
            yield
        except BrokenPipeError:
            sys.stderr.close()  # the reader of our output has gone; Python would complain once more at exit
            raise Exit(DATA) from None
        except OSError as error:
            is_usage = isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError | PermissionError)
            message = f"{error.filename}: {error.strerror}" if error.strerror and error.filename else str(error)
            stop(message, USAGE if is_usage else DATA)
        except MrlError as error:
            stop(str(error), DATA)
        except (MemoryError, RuntimeError) as error:  # torch raises the latter
            if not isinstance(error, MemoryError) and not _NO_MEMORY.search(str(error)):
                raise
            stop(f"out of memory: {str(error).strip() or 'fewer rows or smaller sizes need less'}", DATA)
        except KeyboardInterrupt:
            stop("interrupted", INTERRUPTED)


def progress(*columns: str) -> Progress:
    """Return a progress bar, above which messages can be printed."""
    return progress_bar(*columns, console=_err)
