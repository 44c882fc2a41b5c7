"""Progress of long functions: a callback, or a bar on the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

__all__ = ["Progress", "is_terminal", "progress_bar", "track"]

Progress: TypeAlias = "Callable[[int, int], object] | Literal[True, False] | None"

DELAY_SECONDS = 2.0  # until the bar of a function appears by itself
REFRESH_SECONDS = 0.2


def progress_bar(*columns: str, console: Console | None = None) -> Bar:
    """Return an empty progress bar of rich in the style of mrl; a context manager.

    It is drawn only on a terminal or in Jupyter, and disappears when it is done. It starts no thread, so that processes
    may be forked while it is shown: call its ``refresh``, or use `track`.

    Parameters
    ----------
    *columns : str
        Additional text columns, in rich markup over ``task.fields``.
    console : rich Console, optional
        Standard error if not given.

    Returns
    -------
    rich.progress.Progress

    Examples
    --------
    >>> with progress_bar("loss {task.fields[loss]:.3f}") as bar:
    ...     task = bar.add_task("training", total=100, loss=0.0)
    ...     bar.update(task, advance=1, loss=2.5, refresh=True)
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    console = console or Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        *(TextColumn(column) for column in columns),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        auto_refresh=False,
        disable=not (console.is_terminal or console.is_jupyter),  # a log file would get an empty line for each bar
    )


@contextmanager
def track(
    progress: Progress, total: int | None, label: str, *, delay: float = DELAY_SECONDS
) -> Iterator[Callable[[int], None]]:
    """Report the progress of the block, which calls the yielded function with the number of steps it has done.

    Parameters
    ----------
    progress : callable, bool or None
        A function: called with the number of steps done and `total`. True: a bar on standard error. None: a bar if
        standard error is a terminal and the block takes longer than `delay`. False: nothing.
    total : int, optional
        Number of steps, where it is known.
    label : str
        What is counted, in front of the bar.
    delay : float
        Seconds.

    Yields
    ------
    callable
        Called with the number of steps done since its last call, e.g. 1.

    Examples
    --------
    >>> with track(lambda done, total: print(f"{done} of {total}"), 3, "rows") as advance:
    ...     advance(1)
    ...     advance(2)
    1 of 3
    3 of 3
    """
    began, done = time.monotonic(), 0
    drawn = 0.0
    show: Callable[..., Any] | None = None

    with ExitStack() as stack:

        def draw_bar() -> Callable[..., Any]:
            bar = stack.enter_context(progress_bar())
            task = bar.add_task(label, total=total)
            return lambda **fields: bar.update(task, **fields)

        def advance(n: int) -> None:
            nonlocal done, drawn, show
            done += n
            if callable(progress):
                progress(done, total or done)
                return
            now = time.monotonic()
            if show is None and progress is None and now - began >= delay and is_terminal():
                show = draw_bar()
            if show is not None:
                refresh = now - drawn >= REFRESH_SECONDS
                drawn = now if refresh else drawn
                show(completed=done, refresh=refresh)

        if progress is True:
            show = draw_bar()
        yield advance


def is_terminal() -> bool:
    """Return whether standard error is a terminal, on which a bar can be drawn.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_terminal() in (True, False)
    True
    """
    return sys.stderr is not None and sys.stderr.isatty()
