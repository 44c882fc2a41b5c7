"""How far a long run is: one plain line on a terminal, or a function of the caller's."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal, Self, TypeAlias

__all__ = ["Bar", "Progress"]

Progress: TypeAlias = "Callable[[int, int], object] | Literal[False] | None"

PATIENCE, PAUSE = 2.0, 0.2  # seconds until the line appears, and between two of its states


class Bar:
    """Tells `progress` how many of `total` are done; as a context, it cleans up the line."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.tell = progress or None
        self.total = total
        self.done = 0
        self._line = progress is None and sys.stderr is not None and sys.stderr.isatty()
        self._began = self._shown = time.monotonic()
        self._visible = False

    def advance(self, n: int) -> None:
        """So many more are done."""
        self.done += n
        if self.tell is not None:
            self.tell(self.done, self.total)
        elif self._line and n:
            self._show(time.monotonic())

    def _show(self, now: float) -> None:
        if now - self._began < PATIENCE or now - self._shown < PAUSE:
            return
        self._shown, self._visible = now, True
        left = (now - self._began) / self.done * (self.total - self.done)
        share = self.done / self.total
        bar = "#" * int(30 * share)
        sys.stderr.write(
            f"\rfeatures [{bar:30}] {self.done:,} of {self.total:,} ({share:.0%}), {left:.0f} s left \x1b[K"
        )
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
