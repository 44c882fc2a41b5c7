"""Speed of mrl, as ratios against peers in the same run.

    python benchmarks/run.py [PART ...] [--rows N] [--first N] [--save [FILE]]

Uses muv.csv.gz in the folder `MRL_DATA` if that is set, else the bundled sample, repeated to 370,000 rows for the parts
about batches. Each part first asserts that all contestants compute the same; then, after a warm-up, they take turns in
five rounds: the tables show the median and the spread. A ratio above 1 means that mrl is faster.
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
from fragments import fragments
from inner import inner
from losses import losses
from memory import memory
from mixtures import mixtures
from resume import resume

import mrl
from chem import chem
from corpus import corpus
from features import FIRST, features
from text import text

ROWS = 370_000
RESULTS = Path(__file__).resolve().parent / "results"
REPEATED = {
    "text": text,
    "batches": batches,
    "mixtures": mixtures,
    "memory": memory,
    "inner": inner,
    "resume": resume,
    "losses": losses,
    "corpus": corpus,
}
FIRST_OF = {"features": features, "fragments": fragments}
ONCE = {"chem": chem}


class Tee:
    """A stream that writes to several files."""

    def __init__(self, *files: TextIO) -> None:
        self.files = files

    def write(self, some: str) -> int:
        """Write to each file."""
        return max(file.write(some) for file in self.files)

    def flush(self) -> None:
        """Flush each file."""
        for file in self.files:
            file.flush()


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parts = [*REPEATED, *FIRST_OF, *ONCE]
    parser = argparse.ArgumentParser(description="Speed of mrl, as ratios against peers in the same run.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {', '.join(parts)}; all by default")
    parser.add_argument(
        "--rows",
        type=int,
        default=None,
        help="fewer molecules, to try it out; not a measurement, as small inputs take other paths",
    )
    parser.add_argument("--first", type=int, default=FIRST, help="molecules of features and fragments; 0 for all")
    today = RESULTS / f"{datetime.date.today()}.md"
    parser.add_argument("--save", type=Path, nargs="?", const=today, help=f"write the tables to a file, {today.name}")
    options = parser.parse_args()
    if unknown := [name for name in options.parts if name not in parts]:
        parser.error(f"unknown: {', '.join(unknown)}; the parts are {', '.join(parts)}")
    return options


def load() -> str:
    """Return the load of the machine."""
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def machine() -> str:
    """Return the name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    names = [line for line in cpuinfo.read_text().splitlines() if "model name" in line] if cpuinfo.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor() or platform.machine()


def main(options: argparse.Namespace) -> None:
    """Run the requested parts, or all."""
    start = time.monotonic()
    print(f"# Speed of mrl {mrl.__version__}, {datetime.date.today()}\n")
    print(f"{machine()}, {os.cpu_count()} CPUs, load {load()} before this run. Python {platform.python_version()},")
    print(f"torch {torch.__version__} ({torch.get_num_threads()} threads), NumPy {numpy.__version__}. Data: ", end="")
    folder = os.environ.get("MRL_DATA")
    table = mrl.read(Path(folder) / "muv.csv.gz") if folder else mrl.load_sample()
    once = table.smiles.tolist()[: options.rows]
    many = list(islice(cycle(once), options.rows or max(ROWS, len(once))))
    print(f"{'muv' if folder else 'the bundled sample'}, {len(once):,} molecules,")
    print(
        f"{sum(map(len, once)) / len(once):.1f} characters each, repeated to {len(many):,} for the parts about batches."
    )
    print("Ratios are of mrl to each other contestant, the median of those per round: above 1 mrl is faster.")
    for name in options.parts or [*REPEATED, *FIRST_OF, *ONCE]:
        began = time.monotonic()
        print(f"\n## {name}")
        if name in REPEATED:
            REPEATED[name](many)
        elif name in FIRST_OF:
            FIRST_OF[name](once, options.first)
        else:
            ONCE[name](once)
        print(f"\n({name}: {time.monotonic() - began:.0f} s, load {load()})", flush=True)
    print(f"\n{time.monotonic() - start:.0f} s in all, load {load()} at the end.")


if __name__ == "__main__":
    options = arguments()
    with contextlib.ExitStack() as stack:
        if options.save is not None:
            options.save.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(options.save.open("w"))
            stack.enter_context(contextlib.redirect_stdout(Tee(sys.stdout, file)))
        main(options)
