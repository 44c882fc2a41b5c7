"""Speed of mrl, as ratios against peers in the same run.

    python benchmarks/run.py [text] [batches]

Uses `MRL_DATA`/muv.csv.gz where it is there, else the bundled sample, repeated to 370,000 rows. Each question asserts
that all answers are the same before it measures; then five repeats after a warm-up, the median and the spread.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import mrl

ROWS = 370_000
REPEATS = 5


class Measured(NamedTuple):
    """A contestant: molecules per second, median, lowest and highest."""

    name: str
    median: float
    low: float
    high: float


def molecules() -> list[str]:
    """Rows of real molecules where there are some, else of the sample."""
    folder = os.environ.get("MRL_DATA")
    table = mrl.read(Path(folder) / "muv.csv.gz") if folder else mrl.load_sample()
    return list(islice(cycle(table.smiles.tolist()), max(ROWS, len(table))))


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


def main(wanted: list[str]) -> int:
    """Run the questions that were asked for, or all."""
    from batches import batches

    from text import text

    questions = {"text": text, "batches": batches}
    if unknown := [name for name in wanted if name not in questions]:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(questions)}", file=sys.stderr)
        return 2
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, load {load:.1f}, mrl {mrl.__version__}"
    )
    smiles = molecules()
    print(f"{len(smiles):,} molecules, {sum(map(len, smiles)) / len(smiles):.1f} characters each")
    for name in wanted or questions:
        questions[name](smiles)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
