"""Features of molecules: the first computation, in processes, and later epochs from the cache."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from measuring import Contestant, compare, facts, measure, peer, plural, show
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator

from mrl.chem import ECFP6
from mrl.data import VecPredictionDataset
from mrl.features import cached, featurize
from notebook import PlainVectors, loader, vector_prediction_collate

FIRST, SLOW, BATCH = 20_000, 2_000, 256


def features(smiles: list[str], first: int = FIRST) -> None:
    """Measure ECFP6 of the first `first` molecules (0 for all): the first pass, the second epoch, the folder."""
    some = smiles[: first or None]
    print(f"\nFeatures: the first {len(some):,} molecules, RDKit {rdBase.rdkitVersion}")
    first_pass(some)
    second_epoch(some)


def first_pass(some: list[str]) -> None:
    """Measure parsing and fingerprinting, in one process and in two."""
    make = rdFingerprintGenerator.GetMorganGenerator(radius=3, fpSize=2048).GetFingerprintAsNumPy
    few = some[:SLOW]
    expected = np.stack([make(Chem.MolFromSmiles(one)) for one in few])
    for n_jobs in (1, 2):
        assert (featurize(few, ECFP6, n_jobs=n_jobs).values == expected).all()

    def bare() -> None:
        for one in some:
            make(Chem.MolFromSmiles(one))

    two, one, loop, *others = measure(
        [
            Contestant("mrl, 2 processes", lambda: featurize(some, ECFP6, n_jobs=2), len(some)),
            Contestant("mrl, 1 process", lambda: featurize(some, ECFP6), len(some), "1.8 x"),
            Contestant("RDKit in a loop: parse, fingerprint", bare, len(some), "0.87 x (15 %)"),
            *scikit_fingerprints(some, few, expected),
        ]
    )
    show("First pass of ECFP6, on one core", [one._replace(target=""), loop])
    show("First pass of ECFP6, on two", [two, one, *others])


def scikit_fingerprints(some: list[str], few: list[str], expected: Any) -> list[Contestant]:
    """Return scikit-fingerprints, whose processes live from one round to the next, if it is installed."""
    if (version := peer("scikit-fingerprints", "skfp")) is None:
        return []
    from skfp.fingerprints import ECFPFingerprint

    transformer = ECFPFingerprint(fp_size=2048, radius=3, n_jobs=2)
    assert (transformer.transform(few) == expected).all()
    name = f"scikit-fingerprints {version}, n_jobs=2"
    return [Contestant(name, lambda: transformer.transform(some), len(some), "above 1 x")]


def second_epoch(some: list[str]) -> None:
    """Measure float32 (256, 2048) batches of cached vectors, in memory and from the folder of an earlier run."""
    y_vals = [float(i) for i in range(len(some))]
    ds = VecPredictionDataset(some, y_vals, ECFP6)
    few = PlainVectors(some[:SLOW], y_vals[:SLOW], ECFP6)
    rows = range(min(BATCH, len(some)))
    assert all(map(torch.equal, ds.batch(rows), vector_prediction_collate([few[i] for i in rows])))

    def epoch(batches: Iterable[Any]) -> None:
        for _ in batches:
            pass

    notebook = [
        Contestant(
            f"the notebook's loader, {plural(workers, 'worker')}",
            partial(epoch, loader(few, BATCH, workers, vector_prediction_collate)),
            len(few),
            "100 x",
        )
        for workers in (0, 2)
    ]
    with tempfile.TemporaryDirectory() as folder:
        again = VecPredictionDataset(some, y_vals, ECFP6, cache=folder)
        assert all(map(torch.equal, ds.batch(rows), again.batch(rows)))
        compare(
            f"Second epoch of VecPredictionDataset, batches of {BATCH} x 2,048 float32",
            [
                Contestant("mrl", partial(epoch, ds.dataloader(BATCH, shuffle=True)), len(some)),
                Contestant(
                    "mrl, first epoch of a later run, from a folder",
                    lambda: epoch(
                        VecPredictionDataset(some, y_vals, ECFP6, cache=folder).dataloader(BATCH, shuffle=True, seed=1)
                    ),
                    len(some),
                ),
                *notebook,
            ],
        )
        kept = cached(folder)[0]
        assert kept.molecules == len(set(some))
        size = f"{kept.bytes / kept.molecules:.0f}"
        facts(f"ECFP6 of {kept.molecules:,} molecules in a folder", [("bytes per molecule", size, "below 300")])
