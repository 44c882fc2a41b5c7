"""Measuring: molecules per second, and the ratio of ours to each peer's."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

REPEATS = 5


class Measured(NamedTuple):
    """A contestant: molecules per second, median, lowest and highest."""

    name: str
    median: float
    low: float
    high: float


def rate(name: str, run: Callable[[], object], rows: int, repeats: int = REPEATS) -> Measured:
    """Time `run` over `rows` molecules."""
    run()
    rates = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        rates.append(rows / (time.perf_counter() - start))
    return Measured(name, statistics.median(rates), min(rates), max(rates))


def show(question: str, results: list[Measured]) -> None:
    """A table: the first one is ours, the ratios are ours to theirs."""
    ours = results[0]
    print(f"\n{question}")
    for one in results:
        ratio = "" if one is ours else f"   {ours.median / one.median:8.1f} x"
        print(f"  {one.name:44s} {one.median:14,.0f} /s   ({one.low:,.0f} to {one.high:,.0f}){ratio}")
