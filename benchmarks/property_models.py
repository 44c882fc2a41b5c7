"""How good property models are, beside published baselines over fingerprints.

    python benchmarks/property_models.py [esol lipo tox21] [--seeds 3] [--n-jobs 2]

Uses esol.csv, lipo.csv and tox21.csv.gz in the folder `MRL_DATA`. Protocols, each for every seed: five folds at random,
and five by scaffold, in which networks learn from 80 % of the rows; the split of DeepChem's ScaffoldSplitter (the
largest scaffolds first: 80 % train, 10 % valid, 10 % test), whose baselines are in docs/property_models.md; and, for
numbers, what the uncertainty of a model says about 20 % of the rows that it has not seen, left out at random or by
scaffold. The spread is the standard deviation over folds and seeds, or over seeds.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl import read
from mrl.chem import scaffold_groups
from mrl.corpus import Table
from mrl.data import split_rows
from mrl.qsar import FitOptions, PropertyModel, fit, property_metrics

TOX21 = "NR-AR NR-AR-LBD NR-AhR NR-Aromatase NR-ER NR-ER-LBD NR-PPAR-gamma SR-ARE SR-ATAD5 SR-HSE SR-MMP SR-p53"
DATA = {
    "esol": ("esol.csv", ["measured log solubility in mols per litre"]),
    "lipo": ("lipo.csv", ["exp"]),
    "tox21": ("tox21.csv.gz", TOX21.split()),
}
Scores = dict[str, list[float]]


def folds(table: Table, targets: list[str], split: str, seed: int, n_jobs: int) -> Scores:
    """Return each metric of each fold, the mean over the targets."""
    model = fit(table, targets, split=split, options=FitOptions(seed=seed), n_jobs=n_jobs, progress=False)
    names = dict.fromkeys(metric.name for metric in model.metrics)
    return {
        name: np.nanmean([one.values for one in model.metrics if one.name == name], axis=0).tolist() for name in names
    }


def deepchem_parts(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the rows of train, valid and test: whole scaffolds, the largest first, until a part is full."""
    members = [np.flatnonzero(groups == group) for group in range(int(groups.max()) + 1)]
    parts: list[list[int]] = [[], [], []]
    limits = [0.8 * len(groups), 0.9 * len(groups)]
    for rows in sorted(members, key=lambda rows: (len(rows), rows[0]), reverse=True):
        filled = len(parts[0]) + len(parts[1]) + len(rows)
        place = 0 if len(parts[0]) + len(rows) <= limits[0] else 1 if filled <= limits[1] else 2
        parts[place].extend(rows.tolist())
    return [np.array(part) for part in parts]


def held_out(model: PropertyModel, table: Table, targets: list[str], part: str) -> Scores:
    """Return the metrics of a part that the model has not seen, the mean over the targets."""
    found = model.predict(table.smiles)
    y = np.stack([np.asarray(table[name]) for name in targets], axis=1)
    kind: Any = model.targets[0].kind
    scores = property_metrics(y[found.ok], found.values.reshape(len(y), -1)[found.ok], task=kind)
    return {f"{name} ({part})": [float(np.nanmean(values))] for name, values in scores.items() if name != "n"}


def uncertainty(table: Table, target: str, rule: str, seed: int, n_jobs: int) -> Scores:
    """Return how the errors of left-out rows compare with their uncertainties."""
    groups = scaffold_groups(table.smiles) if rule == "scaffold" else None
    train, test = split_rows(len(table), [0.8, 0.2], seed=seed, groups=groups)
    options = FitOptions(seed=seed)
    model = fit(table.view(train), target, split=rule, options=options, n_jobs=n_jobs, progress=False)
    rows = table.view(test)
    found = model.predict(rows.smiles)
    errors = np.abs(np.asarray(rows[target]) - found[target])[found.ok]
    expected = found.uncertainty_of(target)[found.ok]
    return {
        "rank correlation of errors and uncertainties": property_metrics(errors, expected)["spearman"].tolist(),
        "share of errors below the uncertainty": [float((errors < expected).mean())],
        "share of errors below twice the uncertainty": [float((errors < 2 * expected).mean())],
    }


def protocols(table: Table, targets: list[str], seeds: int, n_jobs: int) -> Iterator[tuple[str, Scores, float]]:
    """Yield the name of each protocol, its metrics, and the seconds of one model."""
    for split in ("random", "scaffold"):
        scores: Scores = {}
        began = time.monotonic()
        for seed in range(seeds):
            for name, values in folds(table, targets, split, seed, n_jobs).items():
                scores.setdefault(name, []).extend(values)
        yield f"5 folds, {split}", scores, (time.monotonic() - began) / seeds
    groups = scaffold_groups(table.smiles, on_error="mask")
    ok = np.flatnonzero(groups >= 0)
    train, *others = (table.view(ok[part]) for part in deepchem_parts(groups[ok]))
    scores = {}
    began = time.monotonic()
    for seed in range(seeds):
        options = FitOptions(seed=seed)
        model = fit(train, targets, split="random", options=options, n_jobs=n_jobs, progress=False)
        for part, rows in zip(("valid", "test"), others, strict=True):
            for name, values in held_out(model, rows, targets, part).items():
                scores.setdefault(name, []).extend(values)
    yield "DeepChem's scaffold split", scores, (time.monotonic() - began) / seeds
    for rule in ("random", "scaffold") if len(targets) == 1 else ():
        scores = {}
        began = time.monotonic()
        for seed in range(seeds):
            for name, values in uncertainty(table, targets[0], rule, seed, n_jobs).items():
                scores.setdefault(name, []).extend(values)
        yield f"20 % left out, {rule}", scores, (time.monotonic() - began) / seeds


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description="How good property models are, beside published baselines.")
    parser.add_argument("data", nargs="*", default=list(DATA), help=f"some of {', '.join(DATA)}")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=2)
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message=".* are left out, most often for")
    for name in options.data:
        file, targets = DATA[name]
        table = read(Path(os.environ["MRL_DATA"]) / file, targets=targets)
        print(f"\n{name}: {len(table):,} rows, {options.seeds} seeds, {options.n_jobs} processes\n")
        print("| protocol | metric | mean | spread | seconds |\n|---|---|---|---|---|")
        for protocol, scores, seconds in protocols(table, targets, options.seeds, options.n_jobs):
            for metric, values in scores.items():
                spread = np.nanstd(values, ddof=1) if len(values) > 1 else float("nan")
                print(
                    f"| {protocol} | {metric} | {np.nanmean(values):.3f} | {spread:.3f} | {seconds:.0f} |", flush=True
                )


if __name__ == "__main__":
    main()
