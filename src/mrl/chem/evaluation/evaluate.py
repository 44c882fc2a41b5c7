"""How good generated molecules are: the metrics of the usual benchmarks at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from rdkit import rdBase

from mrl.chem.canonical import CanonicalSet, identity, without
from mrl.chem.cleaning.presets import MOSES_FILTERS, moses_alerts
from mrl.chem.cleaning.steps import Row, Step
from mrl.chem.columns import listing, map_molecules
from mrl.chem.evaluation.distributions import (
    Profile,
    Words,
    cosine_of_counts,
    moses_diversity,
    nearest_similarity,
    packed_fingerprint,
    profile,
    wasserstein,
)
from mrl.chem.evaluation.metrics import Metric, Metrics
from mrl.chem.evaluation.screening import Screened, screen
from mrl.chem.molecule import Molecule, canon_smile, to_mol
from mrl.errors import MoleculeError
from mrl.progress import Progress, track
from mrl.ragged import Reject, Rejects, as_molecules

_PROPERTIES = ("logp", "sa_score", "qed", "molwt")
_COMPARED = ("snn", "fragments", "scaffolds", *_PROPERTIES)
_FCD = "not computed: it needs a trained network, which the package fcd includes"


def evaluate(
    samples: Iterable[object],
    reference: Iterable[Molecule] | None = None,
    train: Iterable[Molecule] | None = None,
    *,
    finished: ArrayLike | None = None,
    k: Sequence[int] = (1000, 10000),
    stereo: bool = True,
    isotopes: bool = True,
    on_error: Literal["raise", "drop"] = "raise",
    seed: int = 0,
    n_jobs: int = 1,
    progress: Progress = None,
) -> Metrics:
    """Compute the metrics of the MOSES and GuacaMol benchmarks for generated molecules.

    Validity, uniqueness, novelty: Brown et al. 2019 (doi:10.1021/acs.jcim.8b00839); internal diversity, nearest
    neighbour, fragments, scaffolds, properties: Polykovskiy et al. 2020 (doi:10.3389/fphar.2020.565644), on all valid
    samples, repeats included. Empty texts are not valid, as in both programs. What differs on purpose: all sides are
    canonicalised alike, where MOSES compares with its training file as it is written; GuacaMol leaves out stereo and
    isotopes, which is ``stereo=False, isotopes=False`` here; and PAINS are those of RDKit's catalogue. The Frechet
    ChemNet distance needs a trained network and is named, not computed; GuacaMol's KL divergence is `kl_divergence`.

    Most of these numbers depend on n: compare models at equal n, and compare with the numbers that `add_carbon`
    reaches. A sample takes about 5 ms, a selected row of the reference 3 ms, a training molecule 0.3 ms, nearly all of
    it in RDKit.

    Parameters
    ----------
    samples : iterable of str, n of them
        Generated texts, invalid ones included.
    reference : iterable of str or Mol, optional
        Held-out molecules of the distribution that was learned. Both sides of a comparison have the same size: of the
        larger one of valid samples and reference, as many rows are selected at random as the smaller one has.
    train : iterable of str or Mol, optional
        The training molecules, all of which are used for novelty and the nearest neighbour.
    finished : array of bool, shape (n,), optional
        Samples that the model ended itself (`mrl.lm.Samples.finished`); the others were cut, and are not valid.
    k : sequence of int
        Compute the uniqueness of the first k valid samples, for each k; NaN where there are fewer.
    stereo : bool
        False removes stereo from all sides before anything is computed.
    isotopes : bool
        False removes isotopes from all sides before anything is computed.
    on_error : "raise" or "drop"
        For a row of the reference or of train that is not a molecule: raise, or compare with the others and list it in
        ``reference_rejects`` or ``train_rejects`` (all rows of the reference are parsed then).
    seed : int
        Of the random selection, 0 or more.
    n_jobs : int
        Number of processes, on which the numbers do not depend.
    progress : callable or bool, optional
        A function, called with the rows of samples, reference and train that are done, and their number; True: a bar;
        None: a bar on a terminal where it takes longer than two seconds.

    Returns
    -------
    Metrics
        `validity`, `uniqueness`, `unique@k`, `novelty`, `valid_unique_novel`; `int_div_1`, `int_div_2`; `filters`,
        those of MOSES (no alert of MCF and PAINS, no charged atom, no ring of 8 or more, C N S O F Cl Br H only);
        `snn_train`, the mean Tanimoto similarity (ECFP4, 1024 bits) to the nearest training molecule; `snn`, the same
        for the reference; `fragments` and `scaffolds`, cosine similarities of how often each BRICS fragment and each
        scaffold of two or more rings occurs; `logp`, `sa_score`, `qed`, `molwt`, Wasserstein distances in the unit of
        the property; `fcd`.

    Raises
    ------
    MoleculeError
        A row of train, or a selected row of the reference, is not a molecule, with ``on_error="raise"``; `row` is its
        number.
    ColumnError
        `samples`, `reference` or `train` is a single molecule, or `finished` has another length than `samples`.
    ValueError
        A `k` is below 1; `on_error` is unknown.

    Examples
    --------
    >>> metrics = evaluate(["CCO", "OCC", "c1ccccc1O", "C("], train=["CCO"], k=[2])
    >>> metrics["validity"], metrics["unique@2"], metrics["novelty"]
    (0.75, 0.5, 0.5)
    >>> metrics.rows[3]
    Metric(name='novelty', value=0.5, n=2, against=1, note='of the distinct ones')
    """
    if small := [size for size in k if size < 1]:
        raise ValueError(f"k has {small[0]}; expected whole numbers from 1")
    if on_error not in ("raise", "drop"):
        raise ValueError(f"on_error is {on_error!r}; expected 'raise' or 'drop'")
    rejected: dict[str, list[Reject]] = {"reference": [], "train": []}
    reject = {name: listing(rows) if on_error == "drop" else None for name, rows in rejected.items()}
    texts = as_molecules(samples, "samples")
    others = None if reference is None else as_molecules(reference, "reference")
    trained_on = None if train is None else as_molecules(train, "train")
    total = sum(len(rows) for rows in (texts, others, trained_on) if rows is not None)

    with track(progress, total, "evaluating") as advance:
        known, known_fingerprints = _train(
            trained_on, partial(_known, stereo=stereo, isotopes=isotopes), advance, n_jobs, reject["train"]
        )
        if not (stereo and isotopes):
            text_of = partial(identity, stereo=stereo, isotopes=isotopes)
            texts = list(map_molecules(text_of, texts, "samples", on_invalid=lambda row, _: texts[row], n_jobs=n_jobs))
        screened = screen(texts, known, finished=finished, n_jobs=n_jobs, progress=False)  # counted below

        distinct = list(dict.fromkeys(smiles for smiles in screened.smiles if smiles is not None))
        # RDKit fails on some valid molecules; they are left out of what it cannot compute.
        found: Iterable[tuple[Profile, bool] | None] = map_molecules(
            _examine, distinct, "samples", on_invalid=lambda row, error: None, on_row=lambda: advance(1), n_jobs=n_jobs
        )
        examined = dict(zip(distinct, found, strict=True))
        profiles, passed = [], 0
        for smiles in screened.smiles:
            if smiles is not None and (one := examined[smiles]) is not None:
                profiles.append(one[0])
                passed += one[1]
        advance(len(screened.smiles) - len(distinct))  # repeats and invalid ones

        if others is None:
            note = "not computed: no reference was given"
            compared = [Metric(name, float("nan"), len(profiles), None, note) for name in _COMPARED]
        else:
            places = [*range(len(others))]
            if on_error == "drop":
                checked = map_molecules(
                    _is_molecule, others, "reference", on_invalid=reject["reference"], n_jobs=n_jobs
                )
                places = [place for place, is_valid in enumerate(checked) if is_valid]
            size = min(len(profiles), len(places))
            ours = [profiles[row] for row in _select(len(profiles), size, seed)]
            rows = [places[row] for row in _select(len(places), size, seed)]
            theirs: Iterable[Profile | None] = map_molecules(
                partial(_profile_as, stereo=stereo, isotopes=isotopes),
                [others[row] for row in rows],
                "reference",
                numbers=rows,
                on_invalid=reject["reference"],  # RDKit fails on some valid molecules
                on_row=lambda: advance(1),
                n_jobs=n_jobs,
            )
            pairs = [(one, other) for one, other in zip(ours, theirs, strict=True) if other is not None]
            compared = _compare([one for one, _ in pairs], [other for _, other in pairs])
            advance(len(others) - size)  # the rows that were not selected

    n, valid, unique, computed = screened.n, screened.n_valid, screened.n_unique, len(profiles)
    trained = None if known is None else len(known)

    def against_train(note: str) -> str:
        return "not computed: no train was given" if known is None else note

    fingerprints = [one.fingerprint for one in profiles]
    diversity = moses_diversity(fingerprints)
    snn_train = nearest_similarity(fingerprints, known_fingerprints)
    passing = passed / computed if computed else float("nan")
    table = [
        Metric("validity", screened.validity, n, None, "of the samples"),
        Metric("uniqueness", screened.uniqueness, valid, None, "of the valid ones"),
        *(_unique_at(size, screened) for size in k),
        Metric("novelty", screened.novelty, unique, trained, against_train("of the distinct ones")),
        Metric("valid_unique_novel", screened.valid_unique_novel, n, trained, against_train("of the samples")),
        Metric("int_div_1", diversity[0], computed, None, "1 - mean similarity of pairs"),
        Metric("int_div_2", diversity[1], computed, None, "1 - root mean square similarity of pairs"),
        Metric("filters", passing, computed, None, "pass the filters of MOSES"),
        Metric("snn_train", snn_train, computed, trained, against_train("nearest in train; 1 is a copy")),
        *compared,
        Metric("fcd", float("nan"), valid, None, _FCD),
    ]
    return Metrics(
        tuple(table),
        screened,
        stereo,
        isotopes,
        None if others is None else len(others) - len(rejected["reference"]),
        trained,
        seed,
        rdBase.rdkitVersion,
        Rejects(rejected["reference"]).of_table(reference).by_row(),
        Rejects(rejected["train"]).of_table(train),
    )


def _examine(smiles: str) -> tuple[Profile, bool]:
    """The profile of a molecule, and whether it passes the filters."""
    row = Row(smiles)
    return profile(row.mol), _first_reason(row, (*MOSES_FILTERS, moses_alerts())) is None


def _is_molecule(x: Molecule) -> bool:
    return to_mol(x) is not None


def _profile_as(x: Molecule, stereo: bool, isotopes: bool) -> Profile:
    mol = without(to_mol(x), stereo=not stereo, isotopes=not isotopes)
    text = canon_smile(mol)
    return profile(mol if text == x else text)  # parsed already, or in the order of the canonical text


def _known(x: Molecule, stereo: bool, isotopes: bool) -> tuple[str, Words]:
    mol = without(to_mol(x), stereo=not stereo, isotopes=not isotopes)
    return canon_smile(mol), packed_fingerprint(mol)


def _train(
    train: list[Any] | None,
    prepare: Callable[[Molecule], tuple[str, Words]],
    advance: Callable[[int], None],
    n_jobs: int,
    on_invalid: Callable[[int, MoleculeError], None] | None,
) -> tuple[CanonicalSet | None, list[Words]]:
    """The distinct training molecules, and their fingerprints."""
    if train is None:
        return None, []
    fingerprints: dict[str, Words] = {}
    found: Iterable[tuple[str, Words] | None] = map_molecules(
        prepare, train, "train", on_invalid=on_invalid, on_row=lambda: advance(1), n_jobs=n_jobs
    )
    for one in found:
        if one is not None:
            fingerprints.setdefault(*one)
    return CanonicalSet(fingerprints), list(fingerprints.values())


def _unique_at(k: int, screened: Screened) -> Metric:
    first = screened.unique[screened.valid][:k]
    if len(first) < k:
        return Metric(f"unique@{k}", float("nan"), len(first), None, f"not computed: fewer than {k:,} valid samples")
    return Metric(f"unique@{k}", float(first.mean()), k, None, f"of the first {k:,} valid ones")


def _compare(ours: list[Profile], theirs: list[Profile]) -> list[Metric]:
    """The metrics of two sides of equal size."""

    def both(name: str) -> tuple[list[Any], list[Any]]:
        return [getattr(one, name) for one in ours], [getattr(one, name) for one in theirs]

    fragments = (Counter(chain.from_iterable(side)) for side in both("fragments"))
    scaffolds = (Counter(filter(None, side)) for side in both("scaffold"))
    n, distance = len(ours), "Wasserstein distance; 0 is alike"
    return [
        Metric("snn", nearest_similarity(*both("fingerprint")), n, n, "nearest in the reference"),
        Metric("fragments", cosine_of_counts(*fragments), n, n, "cosine"),
        Metric("scaffolds", cosine_of_counts(*scaffolds), n, n, "cosine"),
        *(Metric(name, wasserstein(*both(name)), n, n, distance) for name in _PROPERTIES),
    ]


def _select(size: int, n: int, seed: int) -> list[int]:
    """Select `n` of `size` rows without repeats, in their order."""
    if n == size:
        return list(range(size))
    return sorted(np.argsort(np.random.default_rng(seed).random(size), kind="stable")[:n].tolist())


def _first_reason(row: Row, filters: Sequence[Step]) -> str | None:
    return next((reason for step in filters if (reason := step(row)) is not None), None)
