"""Speed of mrl, as ratios against peers in the same run.

    python benchmarks/run.py [text] [batches]

Uses `MRL_DATA`/muv.csv.gz where it is there, else the bundled sample, repeated to 370,000 rows. Each question asserts
that all answers are the same before it measures; then five repeats after a warm-up, the median and the spread.
"""

from __future__ import annotations

import os
import platform
import sys
from itertools import cycle, islice
from pathlib import Path

from batches import batches

import mrl
from text import text

ROWS = 370_000


def molecules() -> list[str]:
    """Rows of real molecules where there are some, else of the sample."""
    folder = os.environ.get("MRL_DATA")
    table = mrl.read(Path(folder) / "muv.csv.gz") if folder else mrl.load_sample()
    return list(islice(cycle(table.smiles.tolist()), max(ROWS, len(table))))


def main(wanted: list[str]) -> int:
    """Run the questions that were asked for, or all."""

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
