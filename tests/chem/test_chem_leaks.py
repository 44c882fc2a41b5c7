"""The leak report: what two sides of a split have in common, by row."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from rdkit import rdBase

from mrl.chem import ECFP6, canonical_groups, cluster_groups, leaks, nearest_neighbours, scaffold_groups
from mrl.chem.evaluation.leakage import Shared
from mrl.errors import ColumnError, MoleculeError

TRAIN = ["CCO", "Cc1ccccc1", "C[C@H](N)C(=O)O", "OCC", "C1CC1C"]
TEST = ["C(C)O", "Oc1ccccc1", "C[C@@H](N)C(=O)O", "C1CCC1", "CCC"]
MANY = ["C" * n + end for n in range(1, 8) for end in ("O", "N", "c1ccccc1", "C1CC1", "c1ccncc1")] + ["OCC", "NCC"]


def sides(groups: NDArray[np.int64], cut: int) -> tuple[list[str], list[str]]:
    train = [smiles for smiles, group in zip(MANY, groups, strict=True) if group < cut]
    test = [smiles for smiles, group in zip(MANY, groups, strict=True) if group >= cut]
    assert train
    assert test
    return train, test


def test_shared_molecules_and_scaffolds_are_listed_by_row() -> None:
    found = leaks(TRAIN, TEST)
    assert found.molecules == (Shared(0, 0, "CCO"),)
    assert found.scaffolds == (
        Shared(0, 0, ""),
        Shared(1, 1, "c1ccccc1"),
        Shared(2, 0, ""),
        Shared(4, 0, ""),
    )
    assert (found.n_train, found.n_test, found.stereo, found.fingerprint) == (5, 5, True, "ECFP4")


def test_stereoisomers_may_count_as_the_same_molecule() -> None:
    found = leaks(TRAIN, TEST, stereo=False)
    assert found.molecules == (Shared(0, 0, "CCO"), Shared(2, 2, "CC(N)C(=O)O"))


def test_neighbours_are_those_of_nearest_neighbours() -> None:
    found = leaks(TRAIN, TEST, fingerprint=ECFP6, threads=2)
    rows, similarity = nearest_neighbours(TEST, TRAIN, fingerprint=ECFP6)
    np.testing.assert_array_equal(found.neighbours, rows[:, 0])
    np.testing.assert_array_equal(found.similarity, similarity[:, 0])
    assert found.fingerprint == "ECFP6"
    with pytest.raises(ValueError, match="read-only"):
        found.similarity[0] = 0


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_no_group_crosses_a_cut_between_groups(cut: int) -> None:
    assert leaks(*sides(canonical_groups(MANY), cut)).molecules == ()
    assert leaks(*sides(canonical_groups(MANY), cut)).scaffolds != ()
    assert leaks(*sides(scaffold_groups(MANY), cut)).scaffolds == ()
    assert leaks(*sides(cluster_groups(MANY), cut)).molecules == ()


def test_the_dictionary_is_json() -> None:
    facts = leaks(TRAIN, TEST).to_dict()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["shared_molecules"] == {"rows": 1, "distinct": 1, "share": 0.2}
    assert facts["shared_scaffolds"] == {"rows": 4, "distinct": 2, "share": 0.8}
    assert facts["similarity"]["p100"] == 1.0
    assert list(facts["similarity"]) == ["p0", "p5", "p25", "p50", "p75", "p95", "p100"]
    assert facts["rdkit"] == rdBase.rdkitVersion


def test_it_is_displayed_as_text_and_html() -> None:
    found = leaks(TRAIN, TEST)
    assert "with a molecule of train (stereoisomers are different): 1 (20.0 %), 1 molecule\n" in repr(found)
    assert "with a scaffold of train: 4 (80.0 %), 2 scaffolds\n" in repr(found)
    assert "stereoisomers are the same" in repr(leaks(TRAIN, TEST, stereo=False))
    html = found._repr_html_()
    assert html.count("<table>") == html.count("</table>") == 2
    assert '<td class="number">0</td><td>CCO</td></tr>' in html
    assert leaks(["C"], ["N"])._repr_html_().count("<table>") == 1
    assert "the first 10 of 12" in leaks(["C"], ["C"] * 12)._repr_html_()
    charged = leaks(["N->[Pt]"], ["N->[Pt]"])
    assert "-&gt;[Pt]" in charged._repr_html_()


def test_no_test_rows() -> None:
    found = leaks(TRAIN, [])
    assert (found.molecules, found.similarity.shape, found.neighbours.shape) == ((), (0,), (0,))
    assert found.to_dict()["similarity"]["p50"] is None
    assert found.to_dict()["shared_molecules"]["share"] is None
    assert repr(found).endswith(": no rows")


def test_no_training_rows() -> None:
    with pytest.raises(ValueError, match="train has no molecules"):
        leaks([], TEST)


def test_a_bad_row_is_named_with_its_side() -> None:
    with pytest.raises(MoleculeError, match=r"^test, row 1: 'C1CC' is not a molecule; ") as caught:
        leaks(TRAIN, ["C", "C1CC"])
    assert caught.value.row == 1
    with pytest.raises(ColumnError, match="column 'train' is a single string"):
        leaks("CCO", TEST)


def test_rows_that_are_not_molecules_are_left_out_and_listed() -> None:
    places_train, places_test = [1, 2, 4, 5, 6], [0, 1, 3, 4, 6]
    train, test = ["C("] * 7, [""] * 7
    for place, smiles in zip(places_train, TRAIN, strict=True):
        train[place] = smiles
    for place, smiles in zip(places_test, TEST, strict=True):
        test[place] = smiles
    with pytest.raises(MoleculeError, match="train, row 0"):
        leaks(train, test)
    whole, found = leaks(TRAIN, TEST), leaks(train, test, on_error="drop")
    assert [reject.row for reject in found.train_rejects] == [0, 3]
    assert [(reject.row, reject.kind) for reject in found.test_rejects] == [(2, "empty"), (5, "empty")]
    for name in ("molecules", "scaffolds"):
        expected = [
            (places_test[one.test_row], places_train[one.train_row], one.smiles) for one in getattr(whole, name)
        ]
        assert [*getattr(found, name)] == expected
    np.testing.assert_array_equal(found.similarity[places_test], whole.similarity)
    np.testing.assert_array_equal(found.neighbours[places_test], np.array(places_train)[whole.neighbours])
    assert np.isnan(found.similarity[[2, 5]]).all()
    assert found.neighbours[[2, 5]].tolist() == [-1, -1]
    facts = found.to_dict()
    assert (facts.pop("train_rejects"), facts.pop("test_rejects")) == (2, 2)
    assert facts == whole.to_dict()
    assert "left out, not molecules: 2 train, 2 test" in repr(found)
    with pytest.raises(ValueError, match="train has no molecules"):
        leaks(["C("], TEST, on_error="drop")
    with pytest.raises(ValueError, match="on_error is 'mask'; expected 'raise' or 'drop'"):
        leaks(TRAIN, TEST, on_error="mask")  # type: ignore[arg-type]
