"""Twelve toxicity assays at once, with few molecules tested in all: one network, a masked loss, ROC-AUC per task.

    python examples/tox21_multitask.py tox21.csv.gz
    MRL_DATA=folder python examples/tox21_multitask.py        # tox21.csv.gz of that folder

A missing label is NaN from the file to the loss, which ignores it: no row is dropped, and no missing label counts as
inactive. Training, validation and test rows share no scaffold.
"""

from __future__ import annotations

import argparse
import copy
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import mrl
from mrl.chem import ECFP4

TASKS = (
    *("NR-AR", "NR-AR-LBD", "NR-AhR", "NR-Aromatase", "NR-ER", "NR-ER-LBD", "NR-PPAR-gamma"),
    *("SR-ARE", "SR-ATAD5", "SR-HSE", "SR-MMP", "SR-p53"),
)


def roc_auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the chance that an active molecule scores higher than an inactive one; NaN if one kind is missing."""
    known = ~np.isnan(labels)
    scores, active = scores[known], labels[known] > 0.5
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    positives, negatives = int(active.sum()), int((~active).sum())
    if not positives or not negatives:
        return float("nan")
    return float((ranks[active].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def aucs(model: nn.Module, ds: mrl.VecPredictionDataset) -> np.ndarray:
    """Return the ROC-AUC of each task, float64 (T,)."""
    scores, labels = predict(model, ds), ds.batch()[1].numpy()
    return np.array([roc_auc(scores[:, task], labels[:, task]) for task in range(labels.shape[1])])


def mean_of(values: np.ndarray) -> float:
    """Return the mean of the values that are not NaN; 0 if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0


@torch.no_grad()
def predict(model: nn.Module, ds: mrl.VecPredictionDataset) -> np.ndarray:
    """Return logits for all rows, float32 (n, T)."""
    model.eval()
    logits: Tensor = model(ds.batch()[0])
    return logits.numpy()


def fit(path: Path, tasks: list[str], epochs: int, seed: int) -> np.ndarray:
    """Train on a file; return the ROC-AUC of each task on its test rows."""
    start = time.perf_counter()
    table = mrl.read(path, targets=tasks)
    ds = mrl.VecPredictionDataset(
        table.smiles, np.stack([table[task] for task in tasks], axis=1), ECFP4, on_error="drop"
    )
    train, valid, test = mrl.split(ds, (0.8, 0.1, 0.1), groups=mrl.scaffold_groups(ds.smiles), seed=seed)
    labels = np.asarray(ds.y_vals)
    print(f"{path.name}: {table}")
    for reject in ds.rejects:
        print(f"  rejected: row {reject.row}, {reject.text}: {reject.reason}")
    print(f"{len(ds)} molecules; {np.isnan(labels).mean():.1%} of the labels are missing")
    print(f"{len(train)} training, {len(valid)} validation, {len(test)} test rows; no scaffold is in two of them")

    torch.manual_seed(seed)
    model = nn.Sequential(
        *(nn.Linear(2048, 256), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(128, len(tasks)),
    )
    loss = mrl.MaskedLoss(nn.BCEWithLogitsLoss())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    loader = train.dataloader(128, shuffle=True, seed=seed)
    best, best_state = -1.0, copy.deepcopy(model.state_dict())
    for _ in range(epochs):
        model.train()
        for vectors, y in loader:
            optimizer.zero_grad()
            loss(model(vectors), y).backward()
            optimizer.step()
        if (mean := mean_of(aucs(model, valid))) > best:
            best, best_state = mean, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)

    tested = aucs(model, test)
    truth = test.batch()[1].numpy()
    print(f"\n{'task':16} {'ROC-AUC':>8} {'tested':>7} {'active':>7}")
    for task, auc, column in zip(tasks, tested, truth.T, strict=True):
        shown = "–" if np.isnan(auc) else f"{auc:.3f}"
        print(f"{task:16} {shown:>8} {np.count_nonzero(~np.isnan(column)):7} {np.count_nonzero(column == 1):7}")
    print(f"{'mean':16} {mean_of(tested):8.3f}   ({time.perf_counter() - start:.0f} s)")
    return tested


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", help="a table; tox21.csv.gz of $MRL_DATA if not given")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), help="columns of 0, 1 or empty")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    path = options.file or Path(os.environ.get("MRL_DATA", "."), "tox21.csv.gz")
    if options.file is not None and not path.is_file():
        parser.error(f"{path} not found")
    if not path.is_file():
        print(f"{path} not found: name a table, or set MRL_DATA to the folder with tox21.csv.gz")
        return 0
    torch.set_num_threads(1)
    fit(path, options.tasks, options.epochs, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
