"""Molecules with a property that fingerprints and descriptors can learn."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mrl.chem import logp
from mrl.corpus import Table
from mrl.ragged import Text

TAILS = ["C", "CC", "CCC", "O", "N", "F", "Cl", "Br", "C(=O)O", "C#N"]
RINGS = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccoc1", "C1CCOCC1", "c1ccsc1", "C1CCCC1"]


@pytest.fixture(scope="session")
def table() -> Table:
    smiles = [f"{tail}{ring}" for tail, ring in product(TAILS, RINGS) if not tail.endswith(("O", "N"))]
    smiles += [f"{a}CC{b}" for a, b in product(TAILS[:3], ["O", "N", "F", "C#N"])]
    y = np.array([logp(text) for text in smiles])
    return Table({"smiles": Text.of(smiles), "logp": y, "aromatic": np.array(["c1" in one for one in smiles], float)})
