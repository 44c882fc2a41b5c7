"""Status: how far a preparation is, and the bar that shows it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from mrl.progress import is_terminal, progress_bar

DELAY_SECONDS = 2.0


@dataclass
class Status:
    """How far a preparation is.

    Attributes
    ----------
    phase : str
        ``"clean"``, ``"plan"`` or ``"write"``.
    done, total : int
        Input rows; in the plan, shares of the hashes. The total is 0 until it is known.
    read : int
        Input rows that have been read, until all are.
    left_out : Counter
        Rows that were left out so far, by the kind of the reason.
    seconds : float
        Since the phase began.

    Examples
    --------
    >>> Status("clean", done=500, seconds=2.0).rate
    250.0
    """

    phase: str
    done: int = 0
    total: int = 0
    read: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.done / self.seconds if self.seconds else 0.0

    def add(self, facts: dict[str, Any], seconds: float) -> None:
        """Count what a task has done.

        Parameters
        ----------
        facts : dict
            Of the task.
        seconds : float
            Since the phase began.

        Examples
        --------
        >>> status = Status("clean")
        >>> status.add({"rows": 8, "rejects": 2, "reasons": {"syntax: ...": 2}}, 1.0)
        >>> status.done, status.left_out
        (10, Counter({'syntax': 2}))
        """
        self.seconds = seconds
        self.done += 1 if self.phase == "plan" else facts["rows"] + facts["rejects"]
        if self.phase == "clean":
            for reason, n in facts["reasons"].items():
                self.left_out[reason.partition(":")[0]] += n
        elif self.phase == "plan":
            self.left_out["duplicates"] += facts["duplicates"] + facts["conflicts"]


Report: TypeAlias = "Callable[[Status], object] | Literal[True, False] | None"


@contextmanager
def reporting(report: Report) -> Iterator[Callable[[Status], object]]:
    """Yield a function that shows a status: by a function of the user, or on a bar on the terminal."""
    if callable(report):
        yield report
        return
    if report is False or (report is None and not is_terminal()):
        yield lambda status: None
        return
    began = time.monotonic()
    columns = ("{task.fields[rate]:>9,.0f} rows/s", "{task.fields[left_out]}")
    with progress_bar(*columns) as bar:
        task = bar.add_task("", total=None, visible=report is True, rate=0.0, left_out="")

        def show(status: Status) -> None:
            visible = report is True or time.monotonic() - began >= DELAY_SECONDS
            most = ", ".join(f"{reason} {n:,}" for reason, n in status.left_out.most_common(2))
            bar.update(
                task,
                description=f"{status.phase}, {status.read:,} rows read"
                if status.read > status.total
                else status.phase,
                completed=status.done,
                total=status.total or None,
                rate=status.rate,
                left_out=f"left out {status.left_out.total():,} ({most})" if most else "",
                visible=visible,
                refresh=True,
            )

        yield show
