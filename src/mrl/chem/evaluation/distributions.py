"""What is compared between two sets of molecules, and how different the sets are.

Definitions of the MOSES benchmark (Polykovskiy et al. 2020, doi:10.3389/fphar.2020.565644).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, rdBase

from mrl.chem.fingerprints import Fingerprint
from mrl.chem.molecule import Molecule, to_mol
from mrl.chem.properties import logp, molwt, qed, sa_score
from mrl.chem.similarity import similarity_blocks
from mrl.kernels import nearest, pack_bits

Words: TypeAlias = NDArray[np.uint64]

_ECFP4 = Fingerprint("ecfp", n_bits=1024, radius=2)


class Profile(NamedTuple):
    """The numbers and parts of a molecule that the metrics compare."""

    fingerprint: Words
    """ECFP4 of 1024 bits, packed: uint64 (16,)."""
    fragments: tuple[str, ...]
    """The fragments between its BRICS bonds (Degen et al. 2008, doi:10.1002/cmdc.200800178), with repeats."""
    scaffold: str | None
    """Bemis-Murcko scaffold with its stereo, as in MOSES, if it has two or more rings."""
    logp: float
    sa_score: float
    qed: float
    molwt: float


def profile(x: Molecule) -> Profile:
    """Return the numbers and parts of a molecule that the metrics compare."""
    mol = to_mol(x)
    with rdBase.BlockLogs():
        fragments = str(Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(mol))).split(".")
    # All rings of a molecule are in its scaffold.
    scaffold = _scaffold(mol) if mol.GetRingInfo().NumRings() >= 2 else None
    numbers = logp(mol), sa_score(mol), qed(mol), molwt(mol)
    return Profile(packed_fingerprint(mol), tuple(fragments), scaffold, *numbers)


def _scaffold(mol: Chem.Mol) -> str:
    scaffold = Chem.MurckoDecompose(mol)
    scaffold.ClearComputedProps()  # those of the whole molecule
    scaffold.UpdatePropertyCache()
    return str(Chem.MolToSmiles(scaffold))


def packed_fingerprint(mol: Chem.Mol) -> Words:
    """Return ECFP4 of 1024 bits, packed: uint64 (16,)."""
    words: Words = pack_bits(_ECFP4(mol)[None])[0]
    return words


def moses_diversity(fingerprints: Sequence[Words]) -> tuple[float, float]:
    """Return IntDiv for p = 1 and 2: one minus the power mean of the similarities of all pairs; NaN for no rows.

    Pairs of a molecule with itself are included. The paper of MOSES writes the root over all pairs; its program takes
    the root molecule by molecule, and then the mean. The published numbers are the program's, and so are these; the
    first is `internal_diversity` with ``self_pairs=True``.
    """
    if not fingerprints:
        return float("nan"), float("nan")
    words = np.stack(fingerprints)
    means = [(block.mean(1), (block**2).mean(1)) for block in similarity_blocks(words)]
    one, two = (np.concatenate(rows) for rows in zip(*means, strict=True))
    return 1 - float(one.mean()), 1 - float(np.sqrt(two).mean())


def nearest_similarity(fingerprints: Sequence[Words], others: Sequence[Words]) -> float:
    """Return the mean Tanimoto similarity of the rows to the nearest of the others; NaN if a side has no rows."""
    if not fingerprints or not others:
        return float("nan")
    _, similarity = nearest(np.stack(fingerprints), np.stack(others))
    return float(similarity.mean())


def cosine_of_counts(a: Counter[str], b: Counter[str]) -> float:
    """Return the cosine of the angle between two vectors of counts; NaN if one has no entries."""
    dot = sum(count * b[key] for key, count in a.items())
    squares = sum(count**2 for count in a.values()) * sum(count**2 for count in b.values())
    return dot / float(squares) ** 0.5 if squares else float("nan")


def wasserstein(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the first Wasserstein distance of two samples of equal size, in their unit; NaN for empty ones."""
    if len(a) != len(b):
        raise ValueError(f"{len(a)} and {len(b)} values: expected equally many")
    return float(np.abs(np.sort(a) - np.sort(b)).mean()) if len(a) else float("nan")
