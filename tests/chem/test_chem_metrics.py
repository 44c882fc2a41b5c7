"""evaluate: every number against its definition, written out slowly."""

from __future__ import annotations

import json
import math
import pickle
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import QED, Crippen, Descriptors, FilterCatalog, rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from mrl.chem import Metrics, add_carbon, canon_smile, evaluate, heavy_atoms, sa_score
from mrl.chem.cleaning.mcf import MCF
from mrl.chem.evaluation.distributions import cosine_of_counts, wasserstein
from mrl.errors import ColumnError, MoleculeError

SAMPLES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "OC(=O)c1ccccc1OC(C)=O",
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",
    "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "",
    "O=C(Nc1ccc(O)cc1)CCN1CCOCC1",
    "C1CC",
    "O=C(NCc1ccccc1)c1ccncc1",
    "O=C1NC(=S)SC1=Cc1ccccc1",
    "CCOC(=O)c1ccc(N)cc1",
    "CCN(CC)CCOC(=O)c1ccc(N)cc1",
    "c1ccc2[nH]ccc2c1",
]
REFERENCE = [
    "CC(=O)Nc1ccc(O)cc1",
    "O=C(NCc1ccccc1)c1ccncc1",
    "CCN(CC)CC(=O)Nc1c(C)cccc1C",
    "c1ccc(cc1)Cc1ccccc1",
    "CN1CCC[C@H]1c1cccnc1",
    "CC(C)NCC(O)COc1cccc2ccccc12",
    "COc1ccc2[nH]ccc2c1",
    "OCC(O)CO",
    "O=C(O)c1ccccc1O",
    "CCOC(=O)c1ccc(N)cc1",
]
TRAIN = ["CC(=O)Oc1ccccc1C(=O)O", "c1ccccc1O", "NC(C)Cc1ccccc1", "C(O)C", "OCC"]
VALID = [x for x in SAMPLES if x not in ("", "C1CC")]


def mols(smiles: Iterable[str]) -> list[Chem.Mol]:
    return [Chem.MolFromSmiles(canon_smile(x)) for x in smiles]


def similarity_matrix(a: list[str], b: list[str]) -> NDArray[np.float64]:
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    rows, columns = ([morgan.GetFingerprint(mol) for mol in mols(side)] for side in (a, b))
    return np.array([[DataStructs.TanimotoSimilarity(x, y) for y in columns] for x in rows])


def cosine(a: list[Any], b: list[Any]) -> float:
    counts = Counter(a), Counter(b)
    keys = sorted({*a, *b})
    x, y = (np.array([side[key] for key in keys], float) for side in counts)
    return float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)))


def distance(a: list[float], b: list[float]) -> float:
    """The area between the two distribution functions."""
    points = sorted([*a, *b])
    return sum(
        (right - left) * abs(float(np.mean(np.array(a) <= left)) - float(np.mean(np.array(b) <= left)))
        for left, right in pairwise(points)
    )


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    return evaluate(SAMPLES, REFERENCE, TRAIN, k=[3, 10, 11])


def test_rates(metrics: Metrics) -> None:
    # 10 valid, 9 different; of these one is in the training set
    assert {name: metrics[name] for name in list(metrics)[:4]} == {
        "validity": 10 / 12,
        "uniqueness": 9 / 10,
        "unique@3": 2 / 3,
        "unique@10": 9 / 10,
    }
    assert (metrics["novelty"], metrics["valid_unique_novel"]) == (8 / 9, 8 / 12)
    assert (metrics.n, metrics.empty, metrics.train, metrics.reference) == (12, 1, 4, 10)
    assert metrics.rdkit == rdBase.rdkitVersion


def test_samples_that_were_cut_count_nowhere_but_in_n() -> None:
    texts = ["OCC", "CCO", "c1ccccc1O", "CCN", "C("]
    found = evaluate(texts, ["CCO"], ["CCN"], finished=[True, False, True, False, False], k=[1], stereo=False)
    whole = evaluate(["OCC", "c1ccccc1O"], ["CCO"], ["CCN"], k=[1], stereo=False)
    assert (found.n, found.unfinished, found["validity"], found["valid_unique_novel"]) == (5, 3, 0.4, 0.4)
    assert [found[name] for name in ("uniqueness", "novelty", "int_div_1", "filters", "snn_train")] == [
        whole[name] for name in ("uniqueness", "novelty", "int_div_1", "filters", "snn_train")
    ]
    assert found.to_dict()["unfinished"] == 3
    assert "5 samples (0 empty, 3 cut at a length limit)" in repr(found)
    with pytest.raises(ColumnError, match=r"finished has the shape \(1,\) for 5 samples; expected one value for each"):
        evaluate(texts, finished=[True])


def test_uniqueness_at_a_k_above_the_number_of_samples_is_not_computed(metrics: Metrics) -> None:
    row = next(row for row in metrics.rows if row.name == "unique@11")
    assert math.isnan(row.value)
    assert (row.n, row.note) == (10, "not computed: fewer than 11 valid samples")


def test_internal_diversity_is_that_of_the_full_matrix(metrics: Metrics) -> None:
    matrix = similarity_matrix(VALID, VALID)
    assert metrics["int_div_1"] == pytest.approx(1 - matrix.mean(), abs=1e-12)
    assert metrics["int_div_2"] == pytest.approx(1 - np.sqrt((matrix**2).mean(1)).mean(), abs=1e-12)


def test_nearest_neighbours_are_those_of_the_full_matrix(metrics: Metrics) -> None:
    known = ["CC(=O)Oc1ccccc1C(=O)O", "c1ccccc1O", "NC(C)Cc1ccccc1", "CCO"]
    assert metrics["snn_train"] == pytest.approx(similarity_matrix(VALID, known).max(1).mean(), abs=1e-12)
    assert metrics["snn"] == pytest.approx(similarity_matrix(VALID, REFERENCE).max(1).mean(), abs=1e-12)


def test_fragments_are_counted_by_occurrence(metrics: Metrics) -> None:
    sides = [
        [part for mol in mols(side) for part in Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(mol)).split(".")]
        for side in (VALID, REFERENCE)
    ]
    assert max(Counter(sides[0]).values()) > 1
    assert metrics["fragments"] == pytest.approx(cosine(*sides), abs=1e-12)


def test_scaffolds_of_two_rings_and_more_are_counted(metrics: Metrics) -> None:
    sides = [
        [
            Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol))  # type: ignore[no-untyped-call]
            for mol in mols(side)
            if mol.GetRingInfo().NumRings() >= 2
        ]
        for side in (VALID, REFERENCE)
    ]
    assert 0 < metrics["scaffolds"] < 1
    assert metrics["scaffolds"] == pytest.approx(cosine(*sides), abs=1e-12)
    decalins = [f"CC1CC[C@H]2CCCC[{atom}]2C1" for atom in ("C@@H", "C@H")]
    assert evaluate(decalins[:1], reference=decalins[1:])["scaffolds"] == 0  # stereo is a part of a scaffold
    assert evaluate(decalins[:1], reference=decalins[:1])["scaffolds"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("logp", Crippen.MolLogP),  # type: ignore[attr-defined]
        ("qed", QED.qed),
        ("molwt", Descriptors.MolWt),  # type: ignore[attr-defined]
        ("sa_score", sa_score),
    ],
)
def test_properties_are_compared_by_the_area_between_their_distributions(
    metrics: Metrics, name: str, function: Callable[[Chem.Mol], float]
) -> None:
    sides = [[function(mol) for mol in mols(side)] for side in (VALID, REFERENCE)]
    assert metrics[name] == pytest.approx(distance(*sides), abs=1e-9)


def passes_moses(mol: Chem.Mol) -> bool:
    """The filters of MOSES, by their definition: hydrogens are atoms."""
    whole = Chem.AddHs(mol)
    params = FilterCatalog.FilterCatalogParams()
    params.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.PAINS)
    return (
        all(len(ring) < 8 for ring in mol.GetRingInfo().AtomRings())
        and all(atom.GetFormalCharge() == 0 for atom in mol.GetAtoms())
        and {atom.GetSymbol() for atom in mol.GetAtoms()} <= {"C", "N", "S", "O", "F", "Cl", "Br", "H"}
        and not any(whole.HasSubstructMatch(Chem.MolFromSmarts(smarts)) for smarts in MCF.split())
        and not FilterCatalog.FilterCatalog(params).HasMatch(mol)
    )


def test_filters_are_those_of_moses(metrics: Metrics) -> None:
    assert metrics["filters"] == np.mean([passes_moses(mol) for mol in mols(VALID)])
    tried = ["CCO", "CC=O", "C[NH3+]", "CP", "C1CCCCCCC1", "O=C1NC(=S)SC1=Cc1ccccc1", "CCBr", "C1CO1", "CSSC", "N=NC"]
    for text in tried:
        assert evaluate([text])["filters"] == float(passes_moses(Chem.MolFromSmiles(text))) == float(text == "CCO")


def test_stereo_and_isotopes_are_left_out_apart() -> None:
    texts = ["C[C@H](N)O", "C[C@@H](N)O", "C[13CH](N)O"]
    assert evaluate(texts)["uniqueness"] == 1
    assert evaluate(texts, stereo=False)["uniqueness"] == pytest.approx(2 / 3)
    assert evaluate(texts, isotopes=False)["uniqueness"] == 1
    both = evaluate(texts, stereo=False, isotopes=False)
    assert both["uniqueness"] == pytest.approx(1 / 3)
    assert "stereo ignored, isotopes ignored; RDKit" in repr(both)


def test_scaffolds_keep_their_stereo() -> None:
    cis, trans = "C1C[C@H]2CCCC[C@H]2CC1", "C1C[C@H]2CCCC[C@@H]2CC1"
    assert evaluate([cis], [trans])["scaffolds"] == 0
    assert evaluate([cis], [trans], stereo=False)["scaffolds"] == 1


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20), st.data())
def test_wasserstein_is_the_area_between_distribution_functions(a: list[float], data: st.DataObject) -> None:
    b = data.draw(st.lists(st.floats(-1e3, 1e3), min_size=len(a), max_size=len(a)))
    assert wasserstein(a, b) == pytest.approx(distance(a, b), abs=1e-6)
    assert wasserstein(a, a[::-1]) == 0


def test_wasserstein_requires_equal_sizes() -> None:
    with pytest.raises(ValueError, match="2 and 1 values: expected equally many"):
        wasserstein([1.0, 2.0], [1.0])


@given(*[st.lists(st.sampled_from("abcd"), min_size=1)] * 2)
def test_cosine_of_counts(a: list[str], b: list[str]) -> None:
    assert cosine_of_counts(Counter(a), Counter(b)) == pytest.approx(cosine(a, b))
    assert math.isnan(cosine_of_counts(Counter(a), Counter()))


def test_a_set_against_itself() -> None:
    metrics = evaluate(REFERENCE, REFERENCE, REFERENCE[::-1])
    assert metrics["novelty"] == metrics["valid_unique_novel"] == 0
    assert metrics["snn"] == metrics["snn_train"] == 1
    assert metrics["fragments"] == pytest.approx(1)
    assert metrics["scaffolds"] == pytest.approx(1)
    assert [metrics[name] for name in ("logp", "sa_score", "qed", "molwt")] == [0] * 4


def test_the_notation_of_a_molecule_does_not_matter() -> None:
    respelled = [Chem.MolToSmiles(mol, canonical=False, rootedAtAtom=mol.GetNumAtoms() - 1) for mol in mols(REFERENCE)]
    assert respelled != REFERENCE
    one, other = evaluate(REFERENCE, REFERENCE, TRAIN), evaluate(respelled, REFERENCE, TRAIN)
    assert one.to_dict() == other.to_dict()


@pytest.mark.parametrize(("samples", "reference"), [(VALID, REFERENCE[:4]), (VALID[:4], REFERENCE)])
def test_both_sides_of_a_comparison_have_the_same_size_and_depend_on_the_seed(
    samples: list[str], reference: list[str]
) -> None:
    metrics = evaluate(samples, reference, seed=1)
    rows = {row.name: row for row in metrics.rows}
    for name in ("snn", "fragments", "scaffolds", "logp", "sa_score", "qed", "molwt"):
        assert (rows[name].n, rows[name].against) == (4, 4)
    assert (rows["int_div_1"].n, rows["filters"].n) == (len(samples), len(samples))
    assert metrics.to_dict() == evaluate(samples, reference, seed=1).to_dict()
    assert len({evaluate(samples, reference, seed=seed)["molwt"] for seed in range(4)}) > 1


def test_rows_of_the_reference_that_are_not_selected_are_not_parsed() -> None:
    selected = [evaluate(["CCO"], ["CCO", "not a molecule"], seed=seed) for seed in range(10) if selects_first(seed)]
    assert selected
    assert all(metrics["snn"] == 1 for metrics in selected)
    with pytest.raises(MoleculeError, match=r"^reference, row 1: 'not a molecule'"):
        evaluate(["CCO"], ["CCO", "not a molecule"], seed=next(seed for seed in range(10) if not selects_first(seed)))


def selects_first(seed: int) -> bool:
    return bool(np.argmin(np.random.default_rng(seed).random(2)) == 0)


def test_stereo_is_kept_or_ignored_on_all_sides() -> None:
    samples, train = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "F/C=C/F"], ["CC(N)C(=O)O", "F/C=C\\F"]
    kept, ignored = evaluate(samples, train, train), evaluate(samples, train, train, stereo=False)
    assert (kept["uniqueness"], kept["novelty"], kept.stereo) == (1, 1, True)
    assert (ignored["uniqueness"], ignored["novelty"], ignored.stereo) == (2 / 3, 0, False)
    assert ignored.screened.smiles == ("CC(N)C(=O)O", "CC(N)C(=O)O", "FC=CF")
    assert "stereo kept" in repr(kept)
    assert "stereo ignored" in repr(ignored)


def test_without_stereo_the_rejects_are_the_same() -> None:
    samples = ["C[C@H](N)O", "", "C(", None]
    kept, ignored = evaluate(samples), evaluate(samples, stereo=False)
    assert list(kept.screened.rejects) == list(ignored.screened.rejects)
    assert (ignored.n, ignored.empty, ignored["validity"]) == (4, 1, 0.25)


def test_metrics_that_are_not_computed_are_nan_with_a_note() -> None:
    metrics = evaluate(["CCO"])
    notes = {row.name: row.note for row in metrics.rows if math.isnan(row.value)}
    assert notes == {
        "unique@1000": "not computed: fewer than 1,000 valid samples",
        "unique@10000": "not computed: fewer than 10,000 valid samples",
        **dict.fromkeys(["novelty", "valid_unique_novel", "snn_train"], "not computed: no train was given"),
        **dict.fromkeys(
            ["snn", "fragments", "scaffolds", "logp", "sa_score", "qed", "molwt"],
            "not computed: no reference was given",
        ),
        "fcd": "not computed: it needs a trained network, which the package fcd includes",
    }
    assert metrics["int_div_1"] == 0


@pytest.mark.parametrize("samples", [[], ["", "C1CC"]])
@pytest.mark.parametrize("others", [[], ["CCO"]])
def test_metrics_of_no_molecules_are_nan_without_a_warning(samples: list[str], others: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics = evaluate(samples, others, others)
    assert {name for name, value in metrics.items() if not math.isnan(value)} <= {"validity", "valid_unique_novel"}
    assert json.dumps(metrics.to_dict(), allow_nan=False)
    assert repr(metrics)


def test_the_table_is_aligned_and_shows_every_n() -> None:
    shown = repr(evaluate(["CCO", "OCC", "c1ccccc1O", ""], train=["CCO"], k=[2])).splitlines()
    assert shown[0] == f"4 samples (1 empty), 1 train; stereo kept; RDKit {rdBase.rdkitVersion}"
    assert shown[1:8] == [
        "metric               value  n  against",
        "validity            0.7500  4           of the samples",
        "uniqueness          0.6667  3           of the valid ones",
        "unique@2            0.5000  2           of the first 2 valid ones",
        "novelty             0.5000  2        1  of the distinct ones",
        "valid_unique_novel  0.2500  4        1  of the samples",
        "int_div_1           0.4167  3           1 - mean similarity of pairs",
    ]
    assert shown[-1].split()[:2] == ["fcd", "–"]


def test_the_table_in_a_notebook(metrics: Metrics) -> None:
    page = metrics._repr_html_()
    assert page.count("<tr>") == 1 + len(metrics)
    cells = (
        '<th scope="row">validity</th><td class="number">0.8333</td><td class="number">12</td><td class="number">–</td>'
    )
    assert f"<tr>{cells}<td>of the samples</td></tr>" in page
    assert "<caption>12 samples (1 empty), 10 reference, 4 train; " in page


def test_metrics_are_a_mapping_and_pickle(metrics: Metrics) -> None:
    assert dict(metrics) == pytest.approx({row.name: row.value for row in metrics.rows}, nan_ok=True)
    assert pickle.loads(pickle.dumps(metrics)).to_dict() == metrics.to_dict()
    with pytest.raises(KeyError, match="'accuracy' is not a metric; choose one of validity, "):
        metrics["accuracy"]
    with pytest.raises(AttributeError):
        metrics.seed = 3  # type: ignore[misc]
    assert metrics.to_dict()["metrics"]["fcd"] == {"value": None, "n": 10, "against": None}


def test_progress_counts_every_row_once() -> None:
    calls = []
    evaluate(SAMPLES, REFERENCE[:3], TRAIN, progress=lambda done, total: calls.append((done, total)))
    total = len(SAMPLES) + 3 + len(TRAIN)
    assert calls[-1] == (total, total)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_errors_name_the_row() -> None:
    with pytest.raises(MoleculeError, match=r"^train, row 1: 'C\(' is not a molecule") as caught:
        evaluate(["CCO"], train=["CCO", "C("])
    assert caught.value.row == 1
    with pytest.raises(MoleculeError, match=r"^reference, row 0: 'ethanol' is not a molecule"):
        evaluate(["CCO"], reference=["ethanol"])
    with pytest.raises(ColumnError, match=r"^column 'reference' is a single string, 'CCO': wrap it in a list"):
        evaluate(["CCO"], reference="CCO")
    with pytest.raises(ValueError, match=r"^k has 0; expected whole numbers from 1"):
        evaluate(["CCO"], k=[0])


def test_a_molecule_that_occurs_again_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[str] = []
    rdkits = Chem.FragmentOnBRICSBonds

    def counted(mol: Chem.Mol) -> Chem.Mol:
        cut.append(Chem.MolToSmiles(mol))
        return rdkits(mol)

    monkeypatch.setattr(Chem, "FragmentOnBRICSBonds", counted)
    assert evaluate(["CCO", "OCC", "C(O)C", "CN"])["filters"] == 1
    assert cut == ["CCO", "CN"]


@given(st.lists(st.sampled_from(VALID + REFERENCE), max_size=6), st.integers(0, 5))
def test_add_carbon_adds_one_carbon_to_make_a_new_molecule(smiles: list[str], seed: int) -> None:
    made = add_carbon(smiles, seed)
    known = {canon_smile(x) for x in smiles}
    assert len(made) == len(smiles)
    assert made == add_carbon(smiles, seed) == [canon_smile(x) for x in made]
    assert not known & set(made)
    for old, new in zip(smiles, made, strict=True):
        before, after = (Counter(atom.GetSymbol() for atom in mol.GetAtoms()) for mol in mols([old, new]))
        assert after - before == {"C": 1}
        assert heavy_atoms(new) == heavy_atoms(old) + 1


def test_add_carbon_leaves_out_molecules_without_a_place_for_one() -> None:
    assert add_carbon(["[H][H]", "N"]) == ["CN"]
    assert len({tuple(add_carbon(VALID, seed)) for seed in range(5)}) > 1
    with pytest.raises(MoleculeError, match=r"^smiles, row 1: "):
        add_carbon(["C", "C("])


def test_the_negative_control_reaches_nearly_perfect_numbers() -> None:
    made = add_carbon(VALID)
    metrics = evaluate(made, VALID, VALID)
    assert metrics["valid_unique_novel"] == metrics["validity"] == 1
    assert metrics["snn_train"] > 0.5


def test_rows_to_compare_with_that_are_not_molecules_are_left_out_and_listed() -> None:
    samples = ["CCO", "c1ccccc1O", "CCN", "C("]
    reference, train = ["CCC", "Cc1ccccc1", "OCC"], ["CCO", "CCCl"]
    whole = evaluate(samples, reference, train, k=[2])
    wrong_reference, wrong_train = ["C[", *reference, ""], ["CCO", "x", "CCCl"]
    found = evaluate(samples, wrong_reference, wrong_train, k=[2], on_error="drop")
    assert str(found.rows) == str(whole.rows)
    assert [reject.row for reject in found.reference_rejects] == [0, 4]
    assert [reject.row for reject in found.train_rejects] == [1]
    assert (found.reference, found.train) == (whole.reference, whole.train)
    assert "2 rows of reference rejected, 1 row of train rejected" in repr(found)
    with pytest.raises(MoleculeError, match="train, row 1"):
        evaluate(samples, None, wrong_train)
    with pytest.raises(ValueError, match="on_error is 'mask'"):
        evaluate(samples, on_error="mask")  # type: ignore[arg-type]
