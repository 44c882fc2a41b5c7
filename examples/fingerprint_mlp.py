"""Predict a property with a small network on fingerprints; training, validation and test rows share no scaffold.

    python examples/fingerprint_mlp.py esol.csv "measured log solubility in mols per litre"
    MRL_DATA=folder python examples/fingerprint_mlp.py        # esol.csv and lipo.csv of that folder

The vector of a molecule: how often each circular environment occurs in it (the logarithm of ECFP6 counts), and some
descriptors. Targets are standardised by the training rows alone. The network that is best on the validation rows is
kept; the test rows are used once.
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
from mrl.chem import Descriptors, Fingerprint

KNOWN = {"esol.csv": "measured log solubility in mols per litre", "lipo.csv": "exp"}

COUNTS = Fingerprint("ecfp", radius=3, counts=True)
DESCRIPTORS = Descriptors(["molwt", "logp", "tpsa", "hbd", "hba", "rotbond", "rings", "aromatic_rings"])


def vector(smiles: str) -> np.ndarray:
    """Return the input of the network for a molecule, float32 (2048 + 8,)."""
    mol = mrl.to_mol(smiles)
    return np.concatenate([np.log1p(COUNTS(mol)).astype(np.float32), DESCRIPTORS(mol)])


class Network(nn.Module):
    """Two hidden layers; inputs and outputs are standardised."""

    def __init__(self, inputs: mrl.Scaler, targets: int, hidden: int = 256) -> None:
        super().__init__()
        self.inputs = inputs
        self.layers = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(len(inputs.mean), hidden),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(hidden, targets),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        outputs: Tensor = self.layers(self.inputs.transform(vectors).clamp(-5, 5))
        return outputs.squeeze(-1)


def rmse(predictions: Tensor, targets: Tensor) -> float:
    """Return the root of the mean squared error over the rows with a target."""
    known = ~targets.isnan()
    return float((predictions - targets)[known].square().mean().sqrt())


def fit(path: Path, target: str, epochs: int, seed: int) -> tuple[float, float]:
    """Train on one file; return the errors of the network and of the mean on its test rows."""
    start = time.perf_counter()
    table = mrl.read(path, targets=[target])
    ds = mrl.VecPredictionDataset(table.smiles, table.y, vector, on_error="drop")
    groups = mrl.scaffold_groups(ds.smiles)
    train, valid, test = mrl.split(ds, (0.8, 0.1, 0.1), groups=groups, seed=seed)
    print(f"{path.name}: {table}, {ds.rejects}")
    print(f"  {len(train)} training, {len(valid)} validation, {len(test)} test rows; no scaffold is in two of them")

    scaler = mrl.Scaler.fit(train.y_vals)
    torch.manual_seed(seed)
    model = Network(inputs_of(train), 1)
    loss = mrl.MaskedLoss(nn.MSELoss())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    loader = train.dataloader(64, shuffle=True, seed=seed)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=epochs * len(loader))
    best, best_state = float("inf"), copy.deepcopy(model.state_dict())
    for _ in range(epochs):
        model.train()
        for vectors, y in loader:
            optimizer.zero_grad()
            loss(model(vectors), scaler.transform(y)).backward()
            optimizer.step()
            schedule.step()
        if (error := rmse(predict(model, scaler, valid), valid.batch()[1])) < best:
            best, best_state = error, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)

    targets = test.batch()[1]
    error, mean = rmse(predict(model, scaler, test), targets), rmse(scaler.mean.expand(len(test)), targets)
    seconds = time.perf_counter() - start
    print(f"  RMSE on the test rows: {error:.3f}; of the mean of the training rows: {mean:.3f} ({seconds:.0f} s)")
    return error, mean


def inputs_of(train: mrl.VecPredictionDataset) -> mrl.Scaler:
    """Standardise the descriptors; counts stay as they are, since most of them vary in a few molecules only."""
    vectors = train.batch()[0]
    scaler, fitted = mrl.Scaler(vectors.shape[1]), mrl.Scaler.fit(vectors[:, -len(DESCRIPTORS) :])
    scaler.mean[-len(DESCRIPTORS) :], scaler.scale[-len(DESCRIPTORS) :] = fitted.mean, fitted.scale
    return scaler


@torch.no_grad()
def predict(model: Network, scaler: mrl.Scaler, ds: mrl.VecPredictionDataset) -> Tensor:
    """Return predictions for all rows, in the unit of the target."""
    model.eval()
    outputs: Tensor = model(ds.batch()[0])
    return scaler.inverse(outputs)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", help="a table; esol.csv and lipo.csv of $MRL_DATA if not given")
    parser.add_argument("target", nargs="?", help="the column to predict")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.file is not None and options.target is None:
        parser.error("name the column to predict: fingerprint_mlp.py FILE TARGET")
    if options.file is not None and not options.file.is_file():
        parser.error(f"{options.file} not found")
    folder = Path(os.environ.get("MRL_DATA", "."))
    jobs = (
        {folder / name: target for name, target in KNOWN.items()}
        if options.file is None
        else {options.file: options.target}
    )
    if missing := [str(path) for path in jobs if not path.is_file()]:
        print(f"{' and '.join(missing)} not found: name a table and its target, or set MRL_DATA to the folder of both")
        return 0
    torch.set_num_threads(1)
    for path, target in jobs.items():
        fit(path, target, options.epochs, options.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
