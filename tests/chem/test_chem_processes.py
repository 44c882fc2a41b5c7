"""Functions of many molecules give the same result in any number of processes, and name the rows that are none."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from mrl.chem import (
    Canonical,
    LargestFragment,
    Uncharge,
    canon_smile,
    canonical_groups,
    clean,
    cluster_groups,
    evaluate,
    leaks,
    pack_fingerprints,
    screen,
    to_smile,
)
from mrl.errors import FeatureError, MoleculeError

SMILES = [
    f"{'C' * (i % 23)}{ring}{'O' * (i % 3)}" for i in range(300) for ring in ("c1ccccc1", "C1CCNC1", "CC[O-].[Na+]")
]


@pytest.mark.slow
def test_any_number_of_processes_gives_the_same_result() -> None:
    texts = [*SMILES[:600], "C(", "", *SMILES[600:]]
    steps = [LargestFragment(), Uncharge(), Canonical()]
    one, two = (clean(texts, steps, duplicates="first", n_jobs=n) for n in (1, 2))
    assert (one.smiles.tolist(), one.rejects, one.counts) == (two.smiles.tolist(), two.rejects, two.counts)
    assert one.kept.tolist() == two.kept.tolist()
    first, second = (screen(texts, SMILES[:700], n_jobs=n) for n in (1, 2))
    assert (first.smiles, first.rejects, first.summary()) == (second.smiles, second.rejects, second.summary())
    assert first.novel.tolist() == second.novel.tolist()
    groups = [cluster_groups(texts, on_error="mask", n_jobs=n).tolist() for n in (1, 2)]
    assert groups[0] == groups[1]
    a, b = (leaks(SMILES[:600], SMILES[600:], n_jobs=n) for n in (1, 2))
    assert (a.to_dict(), a.neighbours.tolist()) == (b.to_dict(), b.neighbours.tolist())
    x, y = (evaluate(texts, SMILES[:600], SMILES[300:], n_jobs=n) for n in (1, 2))
    assert x.rows == y.rows or str(x.rows) == str(y.rows)  # NaN differs from itself


def test_rows_that_are_no_molecules_are_masked_or_left_out_of_clusters() -> None:
    texts = ["CCCCCO", "C(", "c1ccccc1C", "CCCCCCO"]
    assert cluster_groups(texts, on_error="mask").tolist() == [0, -1, 1, 0]
    assert cluster_groups(texts, on_error="drop").tolist() == [0, 1, 0]
    assert cluster_groups(["C("], on_error="mask").tolist() == [-1]
    with pytest.raises(MoleculeError, match="smiles, row 1"):
        cluster_groups(texts)
    with pytest.raises(ValueError, match="on_error is 'skip'; expected 'raise', 'drop' or 'mask'"):
        cluster_groups(texts, on_error="skip")  # type: ignore[arg-type]


def test_a_fingerprint_of_another_length_names_its_row() -> None:
    lengths = {"C": 8, "CC": 9}
    with pytest.raises(FeatureError, match=r"molecules, row 2: its fingerprint has the shape \(9,\), expected \(8,\)"):
        pack_fingerprints(["C", "C", "CC"], lambda x: np.zeros(lengths[str(x)], np.uint8))


@pytest.mark.parametrize("write", [to_smile, canon_smile])
@pytest.mark.parametrize("tail", ["|&1:1|", "|o1:1|"])
def test_a_mixture_of_isomers_is_not_written_as_one_of_them(write: object, tail: str) -> None:
    mol = Chem.MolFromSmiles(f"C[C@H](N)O {tail}")
    with pytest.raises(
        MoleculeError, match=r"stereo groups: SMILES cannot express those of 'C.*SetStereoGroups"
    ) as caught:
        write(mol)  # type: ignore[operator]
    assert tail in caught.value.reason
    drawn = Chem.RWMol(mol)
    drawn.SetStereoGroups([])
    assert write(drawn) == "C[C@H](N)O"  # type: ignore[operator]
    with pytest.raises(MoleculeError, match="smiles, row 1"):
        canonical_groups(["C[C@H](N)O", mol])
    assert canonical_groups(["C[C@H](N)O", mol], stereo=False).tolist() == [0, 0]
    assert write(Chem.MolFromSmiles("C[C@H](N)O |a:1|")) == "C[C@H](N)O"  # type: ignore[operator]
