"""What a property model sees of a molecule: counts of circular environments, and descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mrl.chem import Descriptors, Fingerprint
from mrl.features import featurize
from mrl.kernels import pack_bits
from mrl.progress import Progress
from mrl.ragged import Reject, Rejects, Text

BITS = 2048
_RANGES = (("SMR_VSA", 10), ("SlogP_VSA", 12), ("EState_VSA", 11), ("VSA_EState", 10))
_NAMES = """
MolWt HeavyAtomCount MolLogP MolMR TPSA LabuteASA NumHDonors NumHAcceptors NumRotatableBonds RingCount NumAromaticRings
NumAliphaticRings NumSaturatedRings NumAromaticHeterocycles NumAromaticCarbocycles NumAliphaticHeterocycles
NumAliphaticCarbocycles NumHeteroatoms NHOHCount NOCount NumAmideBonds NumSpiroAtoms NumBridgeheadAtoms
NumAtomStereoCenters FractionCSP3 HallKierAlpha Kappa1 Kappa2 Kappa3 Phi Chi0 Chi0n Chi0v Chi1 Chi1n Chi1v Chi2n Chi2v
"""
DESCRIPTORS = (*_NAMES.split(), *(f"{name}{i}" for name, n in _RANGES for i in range(1, n + 1)))
"""RDKit's descriptors that are quick (1.7 ms a molecule in all) and defined for nearly every molecule."""

_COUNTS = Fingerprint("ecfp4", n_bits=BITS, counts=True)
_LARGEST = 10.0  # standard deviations: a descriptor of an unusual molecule moves the networks no further


class EnvironmentCounts:
    """How often each of 2048 circular environments (ECFP4) occurs, uint8: 255 for more."""

    checks_text = True
    cache_key = f"min({_COUNTS.cache_key}, 255)"

    def __call__(self, smiles: str) -> NDArray[np.uint8]:
        """Return the counts, shape (2048,)."""
        counts: NDArray[np.uint8] = np.minimum(_COUNTS(smiles), 255).astype(np.uint8)
        return counts


@dataclass(frozen=True, eq=False)
class Inputs:
    """The numbers of n molecules, and those that have none.

    Attributes
    ----------
    counts : ndarray of uint8, shape (n, 2048)
        Counts of circular environments; 0 for rows that have none.
    descriptors : ndarray of float32, shape (n, D)
        Descriptors; NaN for rows that have none.
    ok : ndarray of bool, shape (n,)
        Which rows have finite numbers.
    rejects : Rejects
        The others.
    """

    counts: NDArray[np.uint8]
    descriptors: NDArray[np.float32]
    ok: NDArray[np.bool_]
    rejects: Rejects

    def take(self, rows: NDArray[np.int64]) -> Inputs:
        """Return some rows, all of them ok."""
        ok: NDArray[np.bool_] = np.ones(len(rows), np.bool_)
        return Inputs(self.counts[rows], self.descriptors[rows], ok, Rejects())

    @property
    def fingerprints(self) -> NDArray[np.uint64]:
        """Which environments occur, packed for comparisons, shape (n, 32)."""
        return pack_bits(self.counts)


def compute_inputs(
    smiles: Text, names: Sequence[str] = DESCRIPTORS, *, n_jobs: int = 1, progress: Progress = None
) -> Inputs:
    """Return the inputs of molecules; `names` are descriptors."""
    # the rows that are molecules: descriptors of the others would be the same rejects once more
    fingerprints = featurize(smiles, EnvironmentCounts(), n_jobs=n_jobs, on_error="mask", progress=False, size=BITS)
    rows = np.flatnonzero(fingerprints.ok)
    descriptors = np.full((len(smiles), len(names)), np.nan, np.float32)
    found = featurize(
        smiles.take(rows),
        Descriptors(names),
        n_jobs=n_jobs,
        on_error="mask",
        progress=progress,
        size=len(names),
        on_nonfinite="keep",
    )
    descriptors[rows] = found.dense()
    rejects: list[Any] = [*fingerprints.rejects]
    rejects += found.rejects.renumbered(rows)
    ok = np.asarray(np.isfinite(descriptors).all(axis=1))
    failed = {reject.row for reject in rejects}
    for row in np.flatnonzero(~ok).tolist():
        if row not in failed:
            wrong = [names[column] for column in np.flatnonzero(~np.isfinite(descriptors[row])).tolist()]
            rejects.append(Reject(row, smiles[row], "feature", f"not a finite number: {', '.join(wrong[:5])}"))
    return Inputs(fingerprints.values, descriptors, ok, Rejects(sorted(rejects)))


@dataclass(frozen=True, eq=False)
class InputScaling:
    """Which environments are inputs, and how descriptors are scaled: learned from the molecules trained on.

    Attributes
    ----------
    environments : ndarray of int64, shape (F,)
        Bits of the fingerprint, ascending.
    mean, scale : ndarray of float32, shape (D,)
        Of the descriptors; a scale of 0 leaves a descriptor out, because all molecules have the same.
    """

    environments: NDArray[np.int64]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    @classmethod
    def fit(cls, inputs: Inputs) -> InputScaling:
        """Return the scaling for `inputs`, all of which are ok; environments in few molecules are no inputs."""
        n = len(inputs.counts)
        occurrences = (inputs.counts > 0).sum(axis=0)
        environments = np.flatnonzero((occurrences >= max(3, n // 100)) & (occurrences < n))
        mean, scale = inputs.descriptors.mean(0, np.float64), inputs.descriptors.std(0, np.float64)
        scale[np.ptp(inputs.descriptors, axis=0) == 0] = 0
        return cls(environments, mean.astype(np.float32), scale.astype(np.float32))

    @property
    def width(self) -> int:
        """The number of inputs of a network."""
        return len(self.environments) + int((self.scale > 0).sum())

    def transform(self, inputs: Inputs) -> NDArray[np.float32]:
        """Return the numbers that a network sees, shape (n, width): log(1 + count), and descriptors within 10 sd."""
        varies = self.scale > 0
        descriptors = (inputs.descriptors[:, varies] - self.mean[varies]) / self.scale[varies]
        counts = _LOG_COUNTS[inputs.counts[:, self.environments]]
        return np.concatenate([counts, np.clip(descriptors, -_LARGEST, _LARGEST)], axis=1)


_LOG_COUNTS = np.log1p(np.arange(256)).astype(np.float32)
