"""The KL divergence of the GuacaMol benchmark: do generated molecules have the properties of the training molecules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rdkit import rdBase

from mrl.chem.canonical import identity
from mrl.chem.columns import map_molecules
from mrl.chem.evaluation.distributions import Words
from mrl.chem.fingerprints import Fingerprint
from mrl.chem.molecule import Molecule, to_mol
from mrl.kernels import nearest, pack_bits
from mrl.progress import Progress, track
from mrl.ragged import as_molecules

_CONTINUOUS = ("BertzCT", "MolLogP", "MolWt", "TPSA")
_DISCRETE = ("NumHAcceptors", "NumHDonors", "NumRotatableBonds", "NumAliphaticRings", "NumAromaticRings")
_SIMILARITY = "internal_similarity"
_ECFP4 = Fingerprint("ecfp", n_bits=4096, radius=2)
_POINTS, _BINS = 1000, 10
_LEAST = 1e-10  # added to each density, as in the program of the benchmark

Floats = NDArray[np.float64]


class KLDivergence(NamedTuple):
    """The result of `kl_divergence`.

    Attributes
    ----------
    score : float
        The mean of exp(-D) over all divergences D: 1 if all distributions are equal, towards 0 if they are far apart.
        NaN where a divergence is.
    divergences : dict of str to float
        Of each descriptor, and of the similarity to the nearest other molecule of the same side. NaN where a side has
        fewer than two molecules, or equal values only.
    n, against : int
        How many distinct molecules there are on the side of the samples and of train.

    Examples
    --------
    >>> found = kl_divergence(["CCO", "CCCN", "c1ccccc1O"], ["CCO", "CCCN", "c1ccccc1O"])
    >>> found.score, found.n, found.against
    (1.0, 3, 3)
    """

    score: float
    divergences: dict[str, float]
    n: int
    against: int


def kl_divergence(
    samples: Iterable[object],
    train: Iterable[Molecule],
    *,
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress = None,
) -> KLDivergence:
    """Compute GuacaMol's score of how well samples have the properties of the training molecules.

    Brown et al. 2019 (doi:10.1021/acs.jcim.8b00839), as its program computes it: on distinct molecules without stereo
    and isotopes; D(train || samples) of Gaussian density estimates at 1,000 points for BertzCT, MolLogP, MolWt, TPSA
    and the similarity (ECFP4, 4096 bits) to the nearest other molecule of the same side; of histograms of 10 bins for
    acceptors, donors, rotatable bonds, aliphatic and aromatic rings. GuacaMol samples until it has 10,000 distinct
    molecules: compare scores at equal n.

    Parameters
    ----------
    samples : iterable of str, n of them
        Generated texts; invalid ones are left out. Leave out those that were cut at a length limit as well.
    train : iterable of str or Mol
        The training molecules. Of more rows than there are distinct samples, as many are selected at random.
    seed : int
        Of that selection, 0 or more.
    n_jobs : int
        Number of processes, on which the result does not depend. A molecule takes about 3 ms.
    progress : callable, bool or None
        See `featurize`; by default a bar on a terminal after two seconds.

    Returns
    -------
    KLDivergence

    Raises
    ------
    MoleculeError
        A selected row of train is not a molecule; `row` is its number.
    ColumnError
        `samples` or `train` is a single molecule.

    Examples
    --------
    >>> found = kl_divergence(["CCO", "CCN", "c1ccccc1O"], ["CCCO", "CCCN", "Cc1ccccc1O"])
    >>> sorted(found.divergences)[:3], 0 < found.score < 1
    (['BertzCT', 'MolLogP', 'MolWt'], True)
    """
    flat = partial(identity, stereo=False, isotopes=False)
    texts: Any = map_molecules(flat, samples, "samples", on_invalid=lambda row, error: "", n_jobs=n_jobs)
    ours = list(dict.fromkeys(filter(None, texts)))
    others = as_molecules(train, "train")
    rows = np.arange(len(others))
    if len(ours) < len(others):
        rows = np.sort(np.random.default_rng(seed).permutation(len(others))[: len(ours)])
    selected = [others[row] for row in rows]
    theirs = list(dict.fromkeys(map_molecules(flat, selected, "train", numbers=rows.tolist(), n_jobs=n_jobs)))
    with track(progress, len(ours) + len(theirs), "descriptors") as advance:
        sampled, trained = (_profile(side, n_jobs, advance) for side in (ours, theirs))
    found = {name: _continuous(trained[name], sampled[name]) for name in _CONTINUOUS}
    found |= {name: _discrete(trained[name], sampled[name]) for name in _DISCRETE}
    found[_SIMILARITY] = _continuous(trained[_SIMILARITY], sampled[_SIMILARITY])
    score = float(np.exp(-np.array([*found.values()])).mean())
    return KLDivergence(score, found, len(ours), len(theirs))


def _profile(smiles: list[str], n_jobs: int, advance: Callable[[int], None]) -> dict[str, Floats]:
    """The descriptors of molecules, and the similarity of each to the nearest other one."""
    rows = list(map_molecules(_describe, smiles, "samples", on_row=lambda: advance(1), n_jobs=n_jobs))
    names = (*_CONTINUOUS, *_DISCRETE)
    values = np.array([numbers for numbers, _ in rows], np.float64).reshape(-1, len(names))
    values[~np.isfinite(values)] = 0.0  # as in the program of the benchmark
    profile: dict[str, Floats] = {name: values[:, place] for place, name in enumerate(names)}
    profile[_SIMILARITY] = np.zeros(0)
    if len(rows) > 1:
        packed = np.stack([words for _, words in rows])
        profile[_SIMILARITY] = nearest(packed, packed, 2)[1][:, 1]  # the first one is the molecule itself
    return profile


def _describe(smiles: str) -> tuple[list[float], Words]:
    from rdkit.Chem import Descriptors  # for cost: 40 ms at first use, not at import

    mol = to_mol(smiles)
    with rdBase.BlockLogs():
        numbers = [float(getattr(Descriptors, name)(mol)) for name in (*_CONTINUOUS, *_DISCRETE)]
    words: Words = pack_bits(_ECFP4(mol)[None])[0]
    return numbers, words


def _continuous(p: Floats, q: Floats) -> float:
    """The divergence of two density estimates, at equally spaced points between the least and the largest value."""
    if min(len(p), len(q)) < 2 or not (np.ptp(p) and np.ptp(q)):
        return float("nan")
    at = np.linspace(min(p.min(), q.min()), max(p.max(), q.max()), _POINTS)
    return _entropy(_density(p, at), _density(q, at))


def _density(values: Floats, at: Floats) -> Floats:
    """A Gaussian density estimate with the bandwidth of Scott 1992 (doi:10.1002/9780470316849)."""
    variance = values.var(ddof=1) * len(values) ** -0.4
    blocks = [np.exp(-((part[:, None] - values) ** 2) / (2 * variance)).mean(1) for part in np.array_split(at, 50)]
    density: Floats = np.concatenate(blocks) / np.sqrt(2 * np.pi * variance)
    return density


def _discrete(p: Floats, q: Floats) -> float:
    """The divergence of two histograms, whose bins are those of the first one."""
    if min(len(p), len(q)) < 1:
        return float("nan")
    counts, bins = np.histogram(p, bins=_BINS, density=True)
    inside = (q >= bins[0]) & (q <= bins[-1])
    return _entropy(counts, np.histogram(q, bins=bins, density=True)[0]) if inside.any() else float("nan")


def _entropy(p: Floats, q: Floats) -> float:
    p, q = p + _LEAST, q + _LEAST
    p, q = p / p.sum(), q / q.sum()
    return max(0.0, float((p * np.log(p / q)).sum()))
