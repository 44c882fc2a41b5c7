"""How good generated molecules are: the numbers of the usual benchmarks at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from itertools import chain
from typing import Any

import numpy as np
from rdkit import Chem, rdBase

from mrl.chem.distributions import (
    Profile,
    Words,
    cosine_of_counts,
    fingerprint,
    internal_diversity,
    nearest_similarity,
    profile,
    wasserstein,
)
from mrl.chem.filters import Alerts
from mrl.chem.metrics import Metric, Metrics
from mrl.chem.molecule import Molecule, canon_smile, error_in_row, rows_of, to_mol
from mrl.chem.screening import CanonicalSet, Screened, screen
from mrl.chem.steps import Row
from mrl.errors import MoleculeError

__all__ = ["evaluate"]

_PROPERTIES = ("logp", "sa_score", "qed", "molwt")
_FCD = "not computed: it needs a trained network, which the package fcd brings"


def evaluate(
    samples: Iterable[Molecule],
    reference: Iterable[Molecule] | None = None,
    train: Iterable[Molecule] | None = None,
    *,
    k: Sequence[int] = (1000, 10000),
    stereo: bool = True,
    seed: int = 0,
    on_row: Callable[[], object] | None = None,
) -> Metrics:
    """The numbers of the MOSES and GuacaMol benchmarks for generated molecules, in one table.

    Validity, uniqueness, novelty: Brown et al. 2019 (doi:10.1021/acs.jcim.8b00839); internal diversity, nearest
    neighbour, fragments, scaffolds, properties: Polykovskiy et al. 2020 (doi:10.3389/fphar.2020.565644), on all valid
    samples, repeats included. Two things differ from these programs on purpose: empty texts are not valid, and all
    sides are canonicalised alike. The Frechet ChemNet distance needs a trained network and is named, not computed.

    Most of these numbers move with n, so compare models at equal n, and see what `add_carbon` reaches. A sample takes
    about 5 ms, a drawn row of the reference 3 ms, a training molecule 0.3 ms: nearly all of it in RDKit.

    Parameters
    ----------
    samples : iterable of str, n of them
        Generated texts, those that are no molecules among them.
    reference : iterable of str or Mol, optional
        Held-out molecules of the distribution that was learned. Of the larger of the valid samples and the reference
        as many rows are drawn as the smaller one has: both sides of a comparison have the same size.
    train : iterable of str or Mol, optional
        The training molecules, all of which novelty and the nearest neighbour look at.
    k : sequence of int
        Uniqueness among the first k valid samples, for each k; NaN where there are fewer.
    stereo : bool
        False takes stereo away from all sides before anything is computed.
    seed : int
        For the drawing, 0 or more.
    on_row : callable, optional
        Called without arguments after each row of samples, reference and train, for a progress bar.

    Returns
    -------
    Metrics
        `validity`, `uniqueness`, `unique@k`, `novelty`, `valid_unique_novel`; `int_div_1`, `int_div_2`, `filters` (no
        alert of the PAINS and BRENK catalogues); `snn_train`, the mean Tanimoto similarity (ECFP4, 1024 bits) to the
        nearest training molecule; `snn`, the same for the reference; `fragments` and `scaffolds`, cosine similarities
        of how often each BRICS fragment and each scaffold of two or more rings occurs; `logp`, `sa_score`, `qed`,
        `molwt`, Wasserstein distances in the unit of the property; `fcd`.

    Raises
    ------
    MoleculeError
        A row of reference or train is not a molecule; `row` is its number. Of the reference, drawn rows are looked at.
    ColumnError
        One molecule was given where a column is expected.
    ValueError
        A `k` is below 1.

    Examples
    --------
    >>> metrics = evaluate(["CCO", "OCC", "c1ccccc1O", "C("], train=["CCO"], k=[2])
    >>> metrics["validity"], metrics["unique@2"], metrics["novelty"]
    (0.75, 0.5, 0.5)
    >>> metrics.rows[3]
    Metric(name='novelty', value=0.5, n=2, against=1, note='of the different ones')
    """
    if small := [size for size in k if size < 1]:
        raise ValueError(f"k has {small[0]}; expected whole numbers from 1")
    texts = rows_of(samples, "samples")
    others = None if reference is None else rows_of(reference, "reference")
    tick = (lambda: None) if on_row is None else on_row
    known, known_words = _known(train, stereo, tick)
    screened = screen(texts if stereo else [_without_stereo(x) for x in texts], known)

    profile_of, passes = cache(_profile), cache(_passes)  # a molecule that occurs again is not computed again
    profiles, passed = [], 0
    for form in screened.smiles:
        if form is not None:
            profiles.append(profile_of(form))
            passed += passes(form)
        tick()

    n, valid, unique = screened.n, len(profiles), int(screened.unique.sum())
    trained = None if known is None else len(known)
    no_train = "not computed: no train was given"
    diversity = internal_diversity([p.fingerprint for p in profiles])
    snn_train = nearest_similarity([p.fingerprint for p in profiles], known_words)
    rows = [
        Metric("validity", screened.validity, n, None, "of the samples"),
        Metric("uniqueness", screened.uniqueness, valid, None, "of the valid ones"),
        *(_unique_at(size, screened) for size in k),
        Metric("novelty", screened.novelty, unique, trained, no_train if known is None else "of the different ones"),
        Metric(
            "valid_unique_novel",
            screened.valid_unique_novel,
            n,
            trained,
            no_train if known is None else "of the samples",
        ),
        Metric("int_div_1", diversity[0], valid, None, "1 - mean similarity of pairs"),
        Metric("int_div_2", diversity[1], valid, None, "1 - root mean square similarity of pairs"),
        Metric(
            "filters", passed / valid if valid else float("nan"), valid, None, "without an alert of PAINS and BRENK"
        ),
        Metric("snn_train", snn_train, valid, trained, no_train if known is None else "nearest in train; 1 is a copy"),
        *_compared(profiles, others, partial(_form, stereo=stereo), profile_of, seed, tick),
        Metric("fcd", float("nan"), valid, None, _FCD),
    ]
    return Metrics(
        tuple(rows), screened, stereo, None if others is None else len(others), trained, seed, rdBase.rdkitVersion
    )


def _known(
    train: Iterable[Molecule] | None, stereo: bool, tick: Callable[[], object]
) -> tuple[CanonicalSet | None, list[Words]]:
    """The different training molecules, and their fingerprints."""
    if train is None:
        return None, []
    words: dict[str, Words] = {}
    for row, x in enumerate(rows_of(train, "train")):
        mol = _mol(x, row, stereo=stereo)
        form = canon_smile(mol)
        if form not in words:
            words[form] = fingerprint(mol)
        tick()
    return CanonicalSet(words), list(words.values())


def _unique_at(k: int, screened: Screened) -> Metric:
    first = screened.unique[screened.valid][:k]
    if len(first) < k:
        return Metric(f"unique@{k}", float("nan"), len(first), None, f"not computed: fewer than {k:,} valid samples")
    return Metric(f"unique@{k}", float(first.mean()), k, None, f"of the first {k:,} valid ones")


def _compared(
    profiles: list[Profile],
    reference: list[Any] | None,
    form_of: Callable[[Any, int], str],
    profile_of: Callable[[str], Profile],
    seed: int,
    tick: Callable[[], object],
) -> list[Metric]:
    """The samples against equally many molecules of the reference."""
    notes = dict.fromkeys(["snn"], "nearest in the reference") | dict.fromkeys(["fragments", "scaffolds"], "cosine")
    notes |= dict.fromkeys(_PROPERTIES, "Wasserstein distance; 0 is alike")
    if reference is None:
        return [
            Metric(name, float("nan"), len(profiles), None, "not computed: no reference was given") for name in notes
        ]
    n = min(len(profiles), len(reference))
    ours = [profiles[row] for row in _drawn(len(profiles), n, seed)]
    theirs = []
    drawn = set(_drawn(len(reference), n, seed))
    for row, x in enumerate(reference):
        if row in drawn:
            theirs.append(profile_of(form_of(x, row)))
        tick()
    values = [nearest_similarity([p.fingerprint for p in ours], [p.fingerprint for p in theirs])]
    values.append(
        cosine_of_counts(*(Counter(chain.from_iterable(p.fragments for p in side)) for side in (ours, theirs)))
    )
    values.append(cosine_of_counts(*(Counter(p.scaffold for p in side if p.scaffold) for side in (ours, theirs))))
    for place in range(len(_PROPERTIES)):
        values.append(wasserstein(*([p.properties[place] for p in side] for side in (ours, theirs))))
    return [Metric(name, value, n, n, note) for (name, note), value in zip(notes.items(), values, strict=True)]


def _drawn(size: int, n: int, seed: int) -> list[int]:
    """`n` of `size` rows without repeats, in their order."""
    if n == size:
        return list(range(size))
    return sorted(np.argsort(np.random.default_rng(seed).random(size), kind="stable")[:n].tolist())


def _profile(form: str) -> Profile:
    return profile(to_mol(form))


def _passes(form: str) -> bool:
    return Alerts("BRENK", "PAINS")(Row(form)) is None  # the shorter list first: three quarters of the time


def _mol(x: Molecule, row: int, *, stereo: bool) -> Chem.Mol:
    try:
        mol = to_mol(x)
    except MoleculeError as error:
        raise error_in_row(error, row) from None
    if not stereo:
        mol = Chem.Mol(mol)
        Chem.RemoveStereochemistry(mol)
    return mol


def _form(x: Molecule, row: int, *, stereo: bool) -> str:
    return canon_smile(_mol(x, row, stereo=stereo))


def _without_stereo(x: Molecule) -> Molecule:
    """Canonical SMILES without stereo; what is no molecule stays as it is."""
    try:
        return _form(x, 0, stereo=False)
    except MoleculeError:
        return x
