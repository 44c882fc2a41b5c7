"""GuacaMol's KL divergence: the numbers of SciPy's densities and entropy, as the benchmark's program has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import Descriptors, rdFingerprintGenerator

from mrl.chem import kl_divergence
from mrl.corpus import load_sample

SMILES = load_sample().smiles.tolist()
CONTINUOUS = ["BertzCT", "MolLogP", "MolWt", "TPSA"]
DISCRETE = ["NumHAcceptors", "NumHDonors", "NumRotatableBonds", "NumAliphaticRings", "NumAromaticRings"]


def profile(smiles: list[str]) -> dict[str, Any]:
    mols = [Chem.MolFromSmiles(Chem.MolToSmiles(Chem.MolFromSmiles(one), isomericSmiles=False)) for one in smiles]
    found = {name: np.array([getattr(Descriptors, name)(mol) for mol in mols]) for name in CONTINUOUS + DISCRETE}
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=4096)
    bits = [generator.GetFingerprint(mol) for mol in mols]
    nearest = [max(DataStructs.BulkTanimotoSimilarity(one, bits[:i] + bits[i + 1 :])) for i, one in enumerate(bits)]
    return found | {"internal_similarity": np.array(nearest)}


def test_divergences_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    train, samples = SMILES[:50], SMILES[100:150]
    p, q = profile(train), profile(samples)
    expected = {}
    for name in [*CONTINUOUS, "internal_similarity"]:
        both = np.concatenate([p[name], q[name]])
        at = np.linspace(both.min(), both.max(), 1000)
        expected[name] = stats.entropy(*(stats.gaussian_kde(side[name])(at) + 1e-10 for side in (p, q)))
    for name in DISCRETE:
        counts, bins = np.histogram(p[name], bins=10, density=True)
        expected[name] = stats.entropy(counts + 1e-10, np.histogram(q[name], bins=bins, density=True)[0] + 1e-10)
    found = kl_divergence([*samples, *samples, "C("], train)
    assert found.divergences == pytest.approx(expected, rel=1e-9)
    assert found.score == pytest.approx(np.mean([np.exp(-value) for value in expected.values()]), rel=1e-9)
    assert (found.n, found.against) == (50, 50)
    assert kl_divergence(samples, SMILES[:99]).against == 50


def test_equal_sides_score_1_and_sides_without_spread_are_not_numbers() -> None:
    assert kl_divergence(SMILES[:30], SMILES[:30]).score == pytest.approx(1)
    assert np.isnan(kl_divergence(["CCO", "C("], ["CCO", "CCN"]).score)
    assert np.isnan(kl_divergence([], ["CCO", "CCN"]).score)
