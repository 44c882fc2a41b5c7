"""Speed of mrl, as ratios against peers in the same run.

    python benchmarks/run.py [PART ...] [--rows N] [--first N] [--save [FILE]]

Uses `MRL_DATA`/muv.csv.gz where it is there, else the bundled sample, repeated to 370,000 rows where a question is
about batches. Each question asserts that all answers are the same before it measures; then five rounds after a warm-up,
in which all take turns: the median and the spread. A ratio above 1 says that mrl is faster.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import platform
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TextIO

import numpy
import torch
from batches import batches
from inner import inner
from losses import losses
from memory import memory
from resume import resume

import mrl
from chem import chem
from features import FIRST, features
from text import text

ROWS = 370_000
RESULTS = Path(__file__).resolve().parent / "results"
REPEATED = {"text": text, "batches": batches, "memory": memory, "inner": inner, "resume": resume, "losses": losses}
ONCE = {"features": features, "chem": chem}


class Both:
    """Writes to two files."""

    def __init__(self, *files: TextIO) -> None:
        self.files = files

    def write(self, some: str) -> int:
        """Write to both."""
        return max(file.write(some) for file in self.files)

    def flush(self) -> None:
        """Flush both."""
        for file in self.files:
            file.flush()


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parts = [*REPEATED, *ONCE]
    parser = argparse.ArgumentParser(description="Speed of mrl, as ratios against peers in the same run.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(parts)}; all by default")
    parser.add_argument(
        "--rows",
        type=int,
        default=None,
        help="fewer molecules, to try it out: no measurement, as small work takes other paths",
    )
    parser.add_argument("--first", type=int, default=FIRST, help="molecules of the first pass of features; 0 for all")
    today = RESULTS / f"{datetime.date.today()}.md"
    parser.add_argument("--save", type=Path, nargs="?", const=today, help=f"write the tables to a file, {today.name}")
    asked = parser.parse_args()
    if unknown := [name for name in asked.parts if name not in parts]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(parts)}")
    return asked


def load() -> str:
    """How busy the machine is."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def machine() -> str:
    """The processor by name."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()


def main(asked: argparse.Namespace) -> None:
    """Run the parts that were asked for, or all."""
    start = time.monotonic()
    print(f"# Speed of mrl {mrl.__version__}, {datetime.date.today()}\n")
    print(f"{machine()}, {os.cpu_count()} CPUs, load {load()} before this run. Python {platform.python_version()},")
    print(f"torch {torch.__version__} ({torch.get_num_threads()} threads), NumPy {numpy.__version__}. Data: ", end="")
    folder = os.environ.get("MRL_DATA")
    table = mrl.read(Path(folder) / "muv.csv.gz") if folder else mrl.load_sample()
    once = table.smiles.tolist()[: asked.rows]
    many = list(islice(cycle(once), asked.rows or max(ROWS, len(once))))
    print(f"{'muv' if folder else 'the bundled sample'}, {len(once):,} molecules,")
    print(
        f"{sum(map(len, once)) / len(once):.1f} characters each, repeated to {len(many):,} where it is about batches."
    )
    print("Ratios are of ours to theirs, round by round, and their median: above 1 mrl is faster.")
    for name in asked.parts or [*REPEATED, *ONCE]:
        began = time.monotonic()
        print(f"\n## {name}")
        if name in REPEATED:
            REPEATED[name](many)
        elif name == "features":
            features(once, asked.first)
        else:
            ONCE[name](once)
        print(f"\n({name}: {time.monotonic() - began:.0f} s, load {load()})", flush=True)
    print(f"\n{time.monotonic() - start:.0f} s in all, load {load()} at the end.")


if __name__ == "__main__":
    asked = arguments()
    with contextlib.ExitStack() as stack:
        if asked.save is not None:
            asked.save.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(asked.save.open("w"))
            stack.enter_context(contextlib.redirect_stdout(Both(sys.stdout, file)))
        main(asked)
