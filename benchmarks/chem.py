"""Chemistry in bulk: cleaning, clusters, neighbours, metrics."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from measuring import Contestant, apart, compare, facts, peak_bytes, seconds
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.MolStandardize import rdMolStandardize

from mrl.chem import (
    Canonical,
    LargestFragment,
    Normalize,
    Uncharge,
    canon_smile,
    clean,
    cluster_groups,
    evaluate,
    nearest_neighbours,
    pack_fingerprints,
)

CLEANED, CHECKED = 3_000, 500
NEIGHBOURS, QUERIES = 10_000, 500
SAMPLES = 2_000


def chem(smiles: list[str]) -> None:
    """Run all benchmarks of chemistry."""
    print(f"\nChemistry: RDKit {rdBase.rdkitVersion}")
    cleaning(smiles[:CLEANED])
    neighbours(smiles[: 2 * NEIGHBOURS])
    clustering(smiles)
    metrics(smiles)


def cleaning(some: list[str]) -> None:
    """Steps against the calls of RDKit that they make, in a loop that counts and keeps nothing."""
    chooser, normalizer = rdMolStandardize.LargestFragmentChooser(True), rdMolStandardize.Normalizer()
    uncharger, charged = rdMolStandardize.Uncharger(), re.compile(r"\[[^]]*[+-]")

    def written(text: str) -> str:
        return Chem.MolToSmiles(Chem.MolFromSmiles(text))

    def standardized(text: str) -> str:
        mol = Chem.MolFromSmiles(text)
        if "." in text:
            chooser.chooseInPlace(mol)
        normalizer.normalizeInPlace(mol)
        if charged.search(text):
            uncharger.unchargeInPlace(mol)
        return Chem.MolToSmiles(mol)

    pipeline = [LargestFragment(), Normalize(), Uncharge(), Canonical()]
    questions: list[tuple[str, list, Callable[[str], str]]] = [  # type: ignore[type-arg]
        ("Cleaning: parse, write canonically", [Canonical()], written),
        ("Cleaning: parse, fragment, normalise, uncharge, write canonically", pipeline, standardized),
    ]
    for question, steps, bare in questions:
        with rdBase.BlockLogs():  # the Normalizer logs each of its steps
            checked = clean(some[:CHECKED], steps)
            assert len(checked.kept) == len(some[:CHECKED])
            assert checked.smiles.tolist() == [canon_smile(bare(text)) for text in some[:CHECKED]]
            compare(
                question,
                [
                    Contestant("mrl", lambda steps=steps: clean(some, steps), len(some)),
                    Contestant(
                        "the same calls of RDKit",
                        lambda bare=bare: [bare(text) for text in some],
                        len(some),
                        "0.77 x (1.3 x the time)",
                    ),
                ],
            )


def neighbours(some: list[str]) -> None:
    """The nearest of 10,000 molecules for each of 10,000; RDKit on a part of the queries."""
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048).GetFingerprint
    half = len(some) // 2
    bits = [make(Chem.MolFromSmiles(text)) for text in some]
    queries, references = pack_fingerprints(some[:half]), pack_fingerprints(some[half:])
    few, theirs = bits[: min(QUERIES, half)], bits[half:]

    def bulk() -> list[float]:
        return [max(DataStructs.BulkTanimotoSimilarity(one, theirs)) for one in few]

    for threads in (1, 2):
        _, similarity = nearest_neighbours(queries, references, threads=threads)
        assert (similarity[: len(few), 0] == np.array(bulk())).all()
    pairs = len(queries) * len(references)
    compare(
        f"Nearest neighbours, {len(queries):,} x {len(references):,}, Tanimoto, 2,048 bits",
        [
            Contestant("mrl, 1 thread", lambda: nearest_neighbours(queries, references), pairs),
            Contestant("mrl, 2 threads", lambda: nearest_neighbours(queries, references, threads=2), pairs),
            Contestant(f"RDKit's bulk functions, {len(few)} queries", bulk, len(few) * len(references), "1 x"),
        ],
        "pairs/s",
    )


def clustering(smiles: list[str]) -> None:
    """Clusters of all molecules, once, in a process of its own."""
    took, peak, groups = apart(_clustered, smiles)
    facts(
        f"Clusters of {len(smiles):,} molecules, from text, one run",
        [
            ("time", f"{took:.0f} s, {groups:,} clusters", "below 120 s"),
            ("peak memory of the process", f"{peak / 1e9:.2f} GB", "below 2 GB"),
        ],
    )


def _clustered(smiles: list[str]) -> tuple[float, float, int]:
    took, groups = seconds(lambda: cluster_groups(smiles))
    return took, peak_bytes(), len(set(groups.tolist()))


def metrics(smiles: list[str]) -> None:
    """All metrics of generated molecules, once."""
    n = min(SAMPLES, len(smiles) // 4)
    samples, reference, train = smiles[:n], smiles[n : 2 * n], smiles[2 * n : 4 * n]
    took, table = seconds(lambda: evaluate(samples, reference, train))
    assert table["validity"] == 1.0
    what = f"{n:,} samples, {n:,} of reference, {2 * n:,} of train"
    facts("Metrics of generated molecules, one run", [(what, f"{took:.1f} s ({1e3 * took / n:.1f} ms a sample)", "")])
