"""Measuring: rates in rounds, ratios of ours to each peer's, memory, and tables of them."""

from __future__ import annotations

import gc
import importlib.metadata
import importlib.util
import multiprocessing
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

ROUNDS = 5
T = TypeVar("T")


class Contestant(NamedTuple):
    """Who takes part: a name, what to run, for how many molecules, and the ratio of ours to it that is asked for."""

    name: str
    run: Callable[[], object]
    amount: int
    goal: str = ""


class Measured(NamedTuple):
    """What came out: a rate per round."""

    name: str
    rates: list[float]
    goal: str


def measure(contestants: Sequence[Contestant]) -> list[Measured]:
    """Time them after a warm-up, in turns, so that whatever else the machine does hits all of them alike."""
    rates: list[list[float]] = [[] for _ in contestants]
    for one in contestants:
        one.run()
    for _ in range(ROUNDS):
        for one, found in zip(contestants, rates, strict=True):
            gc.collect()  # the one before may have left processes that are ending
            time.sleep(0.1)
            start = time.perf_counter()
            one.run()
            found.append(one.amount / (time.perf_counter() - start))
    return [Measured(one.name, found, one.goal) for one, found in zip(contestants, rates, strict=True)]


def show(question: str, results: Sequence[Measured], unit: str = "molecules/s") -> None:
    """Print a table: the first one is ours, the ratios are ours to theirs, round by round, and their median."""
    ours, rows = results[0], []
    for one in results:
        ratio = statistics.median(a / b for a, b in zip(ours.rates, one.rates, strict=True))
        spread = f"{min(one.rates):,.0f} to {max(one.rates):,.0f}"
        ratios = ("", "") if one is ours else (f"{ratio:,.2f} x", one.goal)
        rows.append((one.name, f"{statistics.median(one.rates):,.0f}", spread, *ratios))
    table(question, ("", f"{unit}, median of {ROUNDS}", "lowest to highest", "ours to it", "asked for"), rows)


def compare(question: str, contestants: Sequence[Contestant], unit: str = "molecules/s") -> None:
    """Measure and show."""
    show(question, measure(contestants), unit)


def facts(question: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Print a table of what is not a rate: what, how much, what was asked for."""
    table(question, ("", "measured", "asked for"), rows)


def table(question: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table that is Markdown and can be read as it is."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    print(f"\n### {question}\n")
    for cells in (head, [width * "-" for width in widths], *rows):
        first, *others = (f"{cell:{'<' if i == 0 else '>'}{widths[i]}}" for i, cell in enumerate(cells))
        print(f"| {' | '.join([first, *others])} |")


def seconds(run: Callable[[], T]) -> tuple[float, T]:
    """How long one run takes, and what it gives."""
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def peer(package: str, module: str | None = None) -> str | None:
    """The version of a peer, or None, having said that it is left out."""
    if importlib.util.find_spec(module or package) is None:
        print(f"\n({package} is not installed and left out: make bench installs it)")
        return None
    return importlib.metadata.version(package)


def apart(function: Callable[..., T], *args: Any) -> T:
    """Run a function in a process of its own, whose memory holds nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def private_bytes() -> float:
    """Memory of this process that it shares with no other; NaN where the system does not tell."""
    return sum(_sizes("/proc/self/smaps_rollup", r"Private_\w+")) or float("nan")


def resident_bytes() -> float:
    """Memory of this process now; NaN where the system does not tell."""
    return sum(_sizes("/proc/self/status", "VmRSS")) or float("nan")


def peak_bytes() -> float:
    """The most memory that this process had so far; NaN where the system does not tell."""
    return sum(_sizes("/proc/self/status", "VmHWM")) or float("nan")


def _sizes(path: str, name: str) -> Iterator[int]:
    if Path(path).exists():
        for size in re.findall(rf"^{name}:\s+(\d+) kB", Path(path).read_text(), re.MULTILINE):
            yield 1024 * int(size)
