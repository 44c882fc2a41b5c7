"""How long the preparation of a corpus takes and how large it is, calculated from rates that are measured here.

    python benchmarks/corpus_size.py [FILE]

Without a file, the bundled sample is measured. One process prepares its rows, so that the rates are those of one core;
the tables assume cores that are as fast, and a disk that is not the limit.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from mrl.corpus import Manifest, load_sample, write_table
from mrl.prepare import prepare_corpus

JOBS: dict[str, dict[str, Any]] = {
    "text only (--no-parse)": {"parse": False},
    "parsed, kept as it is": {},
    "parsed, duplicates found": {"duplicates": "first"},
    "preset molformer, duplicates, scaffold split": {"steps": "molformer", "duplicates": "first", "split": "scaffold"},
}
ROWS = (10**6, 10**9, 10**10)
CORES = (1, 16, 256)


def measure(path: Path, **arguments: Any) -> tuple[float, float, int, Manifest]:
    """Return rows per second, bytes a row of the corpus and of the work, and the manifest."""
    folder = Path(tempfile.mkdtemp())
    try:
        began = time.perf_counter()
        manifest = prepare_corpus(path, folder / "corpus", workers=1, progress=False, **arguments)
        seconds = time.perf_counter() - began
        rows = manifest.history[0]["read"]["rows"]
        return rows / seconds, sum(file.bytes for file in manifest.files) / rows, rows, manifest
    finally:
        shutil.rmtree(folder)


def duration(seconds: float) -> str:
    """Return a duration as a person says it."""
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:,.0f} s"


def amount(size: float) -> str:
    """Return a number of bytes as a person says it."""
    for unit, one in (("TB", 10**12), ("GB", 10**9)):
        if size >= one:
            return f"{size / one:,.1f} {unit}"
    return f"{size / 10**6:,.0f} MB"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="a file of molecules")
    path = parser.parse_args().file
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder, "sample.csv")
            write_table(load_sample(), path)
        measure(path)  # machine code is loaded
        for name, arguments in JOBS.items():
            rate, size, rows, _ = measure(path, **arguments)
            print(f"\n{name}: {rate:,.0f} rows/s on one core, {size:.0f} bytes a row (measured on {rows:,} rows)\n")
            print("| rows | " + " | ".join(f"{cores} cores" for cores in CORES) + " | corpus | free disk needed |")
            print("|---" * (len(CORES) + 3) + "|")
            for n in ROWS:
                times = " | ".join(duration(n / rate / cores) for cores in CORES)
                print(f"| {n:,} | {times} | {amount(n * size)} | {amount(3.5 * n * size)} |")


if __name__ == "__main__":
    main()
