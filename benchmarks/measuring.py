"""Measurements: rates in rounds, ratios of mrl to each peer, memory, and the tables that show them."""

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
    """One entry of a comparison: its name, what to run, on how many molecules, and the target for its ratio."""

    name: str
    run: Callable[[], object]
    amount: int
    target: str = ""


class Measured(NamedTuple):
    """The result of a contestant: a rate per round."""

    name: str
    rates: list[float]
    target: str


def measure(contestants: Sequence[Contestant]) -> list[Measured]:
    """Time the contestants after a warm-up, in turns, so that other load on the machine affects all of them alike."""
    rates: list[list[float]] = [[] for _ in contestants]
    for contestant in contestants:
        contestant.run()
    for _ in range(ROUNDS):
        for contestant, own_rates in zip(contestants, rates, strict=True):
            gc.collect()  # the previous contestant may have left processes that are ending
            time.sleep(0.1)
            start = time.perf_counter()
            contestant.run()
            own_rates.append(contestant.amount / (time.perf_counter() - start))
    return [Measured(one.name, own_rates, one.target) for one, own_rates in zip(contestants, rates, strict=True)]


def show(question: str, results: Sequence[Measured], unit: str = "molecules/s") -> None:
    """Print a table: the first result is that of mrl; each ratio of mrl to another is the median of those per round."""
    ours, rows = results[0], []
    for result in results:
        ratio = statistics.median(a / b for a, b in zip(ours.rates, result.rates, strict=True))
        spread = f"{min(result.rates):,.0f} to {max(result.rates):,.0f}"
        ratios = ("", "") if result is ours else (f"{ratio:,.2f} x", result.target)
        rows.append((result.name, f"{statistics.median(result.rates):,.0f}", spread, *ratios))
    table(question, ("", f"{unit}, median of {ROUNDS}", "lowest to highest", "ratio", "target"), rows)


def compare(question: str, contestants: Sequence[Contestant], unit: str = "molecules/s") -> None:
    """Measure the contestants and print their table."""
    show(question, measure(contestants), unit)


def facts(question: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """Print a table of measurements that are not rates: what, how much, and the target."""
    table(question, ("", "measured", "target"), rows)


def table(question: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table whose columns are aligned."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    print(f"\n### {question}\n")
    for cells in (head, [width * "-" for width in widths], *rows):
        first, *others = (f"{cell:{'<' if i == 0 else '>'}{widths[i]}}" for i, cell in enumerate(cells))
        print(f"| {' | '.join([first, *others])} |")


def plural(count: int, noun: str) -> str:
    """Return a count and its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def seconds(run: Callable[[], T]) -> tuple[float, T]:
    """Return how long one run takes, in seconds, and its result."""
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def peer(package: str, module: str | None = None) -> str | None:
    """Return the version of a peer, or None with a note if it is not installed."""
    if importlib.util.find_spec(module or package) is None:
        print(f"\n({package} is not installed and is left out; make bench installs it)")
        return None
    return importlib.metadata.version(package)


def apart(function: Callable[..., T], *args: Any) -> T:
    """Run a function in a new process, whose memory holds nothing else."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def private_bytes() -> float:
    """Return the memory that only this process uses; NaN where the system does not report it."""
    return sum(_sizes("/proc/self/smaps_rollup", r"Private_\w+")) or float("nan")


def resident_bytes() -> float:
    """Return the memory of this process; NaN where the system does not report it."""
    return sum(_sizes("/proc/self/status", "VmRSS")) or float("nan")


def peak_bytes() -> float:
    """Return the most memory that this process has used; NaN where the system does not report it."""
    return sum(_sizes("/proc/self/status", "VmHWM")) or float("nan")


def _sizes(path: str, name: str) -> Iterator[int]:
    if Path(path).exists():
        for size in re.findall(rf"^{name}:\s+(\d+) kB", Path(path).read_text(), re.MULTILINE):
            yield 1024 * int(size)
