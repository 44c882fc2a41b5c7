"""Property models: what is learned, from which labels, with which rows left out."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from mrl.chem import scaffold_groups
from mrl.corpus import Table
from mrl.errors import ColumnError, DatasetError, RowError
from mrl.qsar import FitOptions, PropertyModel, fit
from mrl.ragged import Text

QUICK = FitOptions(folds=3, members=1, epochs=20, hidden=32, batch_size=16)
NAN = float("nan")


@pytest.fixture(scope="module")
def model(table: Table) -> PropertyModel:
    return fit(table, ["logp", "aromatic"], options=QUICK)


@pytest.mark.parametrize(("epochs", "batch_size", "seed"), [(1, 1000, 0), (4, 1000, 2**64), (2, 5, 10**30)])
def test_any_number_of_steps_and_any_seed_train(table: Table, epochs: int, batch_size: int, seed: int) -> None:
    few = table.view(list(range(0, len(table), 3)))
    options = FitOptions(folds=2, members=1, epochs=epochs, hidden=4, batch_size=batch_size, seed=seed)
    assert fit(few, ["logp"], options=options).predict(["CCO"]).ok.all()


def by_name(model: PropertyModel, target: str) -> dict[str, float]:
    return {metric.name: metric.mean for metric in model.metrics if metric.target == target}


def test_numbers_and_classes_are_learned_together(table: Table, model: PropertyModel) -> None:
    assert [(target.name, target.kind) for target in model.targets] == [
        ("logp", "regression"),
        ("aromatic", "classification"),
    ]
    assert list(by_name(model, "logp")) == ["rmse", "mae", "r2", "spearman"]
    assert by_name(model, "logp")["spearman"] > 0.6
    assert list(by_name(model, "aromatic")) == ["roc_auc", "pr_auc"]
    found = model.predict(table.smiles)
    assert found.values.shape == found.uncertainty.shape == (len(table), 2)
    assert np.corrcoef(found["logp"], np.asarray(table["logp"]))[0, 1] > 0.95
    assert ((found["aromatic"] >= 0.5) == (np.asarray(table["aromatic"]) == 1)).mean() > 0.95
    assert found.similarity.tolist() == [1.0] * len(table)
    assert (found.uncertainty >= 0).all()


def test_no_scaffold_is_in_two_folds_and_a_row_is_predicted_by_networks_that_have_not_seen_it(
    table: Table, model: PropertyModel
) -> None:
    validation = model.validation
    assert validation is not None
    groups = scaffold_groups(validation.smiles)
    assert len({(group, fold) for group, fold in zip(groups, validation.fold, strict=True)}) == len(set(groups))
    assert model.about["fold_sizes"] == np.bincount(validation.fold).tolist()
    # the networks of fold 0 are the first ones of the model
    rows = np.flatnonzero(validation.fold == 0)
    alone = fit(table, ["logp", "aromatic"], options=QUICK)
    assert alone.validation is not None
    assert alone.validation.values[rows].tolist() == validation.values[rows].tolist()


def test_missing_labels_have_no_influence(table: Table) -> None:
    y = np.asarray(table["logp"]).copy()
    other = np.where(np.arange(len(y)) % 2, y, NAN)
    found = fit(table.smiles, {"a": y, "b": other}, options=QUICK)
    assert found.about["labels"] == [len(y), int((~np.isnan(other)).sum())]
    assert by_name(found, "a")["spearman"] > 0.5
    assert [metric.n for metric in found.metrics] == [len(y)] * 4 + [len(y) // 2] * 4


def test_rows_without_a_molecule_or_label_are_left_out_and_listed(table: Table) -> None:
    smiles = [*table.smiles, "C(", "CCO", "[He]"]
    y = [*np.asarray(table["logp"]), 1.0, NAN, None]
    with pytest.warns(UserWarning, match=r"3 of \d+ rows are left out, most often for 'no label'; model.validation"):
        found = fit(smiles, {"y": y}, options=QUICK)
    n = len(table)
    assert found.validation is not None
    assert [(reject.row, reject.stage) for reject in found.validation.rejects] == [
        (n, "feature"),
        (n + 1, "label"),
        (n + 2, "label"),
    ]
    assert found.validation.rows.tolist() == list(range(n))
    assert found.about["rejects"] == 3


def test_predictions_are_aligned_with_rows(model: PropertyModel) -> None:
    found = model.predict(["c1ccccc1CC", "C(", "", "CCF", "CCF"])
    assert found.ok.tolist() == [True, False, False, True, True]
    assert [reject.row for reject in found.rejects] == [1, 2]
    assert np.isnan(found.values[1:3]).all()
    assert np.isnan(found.similarity).tolist() == [False, True, True, False, False]
    assert found.values[3].tolist() == found.values[4].tolist()
    none = model.predict([])
    assert none.values.shape == (0, 2)
    assert len(model.predict(["C("]).rejects) == 1


def test_a_prediction_does_not_depend_on_the_other_rows_of_its_batch(table: Table, model: PropertyModel) -> None:
    whole = model.predict(table.smiles)
    for rows in (slice(0, 1), slice(3, 40), slice(50, 54)):
        part = model.predict(table.smiles[rows])
        assert part.values.tolist() == whole.values[rows].tolist()
        assert part.uncertainty.tolist() == whole.uncertainty[rows].tolist()
    many = model.predict(list(table.smiles) * 4)
    assert many.values.tolist() == whole.values.tolist() * 4


def test_one_target_has_values_of_one_dimension(table: Table) -> None:
    found = fit(table, "logp", options=QUICK).predict(["CCO", "C("])
    assert found.values.shape == found.uncertainty.shape == (2,)
    assert found["logp"].tolist()[0] == found.values[0]
    with pytest.raises(ColumnError, match=r"no target 'logP' \(did you mean 'logp'\?\); the targets are 'logp'"):
        found["logP"]


@pytest.mark.slow
def test_censored_labels_pull_predictions_to_their_side(table: Table) -> None:
    y = np.asarray(table["logp"])
    high = y > np.quantile(y, 0.6)
    limit = float(y[high].min())
    censored = np.where(high, limit, y)
    signs = high.astype(np.int8)
    options = FitOptions(folds=3, members=1, epochs=40, hidden=32, batch_size=16)
    taken = fit(table.smiles, {"y": censored}, signs={"y": signs}, options=options)
    plain = fit(table.smiles, {"y": censored}, options=options)
    assert taken.about["censored"] == [int(high.sum())]
    assert taken.metrics[0].n == int((~high).sum())
    with_signs, without = (one.predict(table.smiles)["y"][high] for one in (taken, plain))
    assert (with_signs > limit).mean() > (without > limit).mean() + 0.2
    assert np.abs(with_signs - y[high]).mean() < np.abs(without - y[high]).mean()
    in_table = Table({"smiles": table.smiles, "y": censored}, targets=("y",), signs={"y": signs})
    assert fit(in_table, "y", options=options).predict(["CCF"]).values == taken.predict(["CCF"]).values


def test_the_same_seed_gives_the_same_model_and_random_states_stay(table: Table, model: PropertyModel) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = fit(table, ["logp", "aromatic"], options=QUICK)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() >= 1
    for name, weight in model.ensemble.state_dict().items():
        assert torch.equal(weight, again.ensemble.state_dict()[name])
    other = fit(table, ["logp", "aromatic"], options=FitOptions(**{**vars(QUICK), "seed": 1}))
    assert not torch.equal(model.ensemble.weights[0], other.ensemble.weights[0])


@pytest.mark.slow
def test_the_number_of_processes_does_not_matter(table: Table, model: PropertyModel) -> None:
    again = fit(table, ["logp", "aromatic"], options=QUICK, n_jobs=2)
    for name, weight in model.ensemble.state_dict().items():
        assert torch.equal(weight, again.ensemble.state_dict()[name])


def test_folds_by_a_column_and_at_random(table: Table) -> None:
    blocks = np.arange(len(table)) // 7
    found = fit(table, "logp", split=blocks, options=QUICK).validation
    assert found is not None
    assert len(set(zip(blocks, found.fold, strict=True))) == len(set(blocks))
    sizes = fit(table, "logp", split="random", options=QUICK).about["fold_sizes"]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"targets": "logP"}, r"no column 'logP' \(did you mean 'logp'\?\)"),
        ({"targets": []}, "there are no targets"),
        ({"targets": "logp", "split": "scafold"}, r"split is 'scafold' \(did you mean 'scaffold'\?\)"),
        ({"targets": "logp", "task": "ranking"}, "task is 'ranking'; expected 'auto', 'regression'"),
        ({"targets": "logp", "task": "classification"}, "expected class 0 or 1, without a sign"),
        ({"targets": "logp", "split": [0, 1]}, "split has 2 values; expected one for each row"),
        ({"targets": "smiles"}, "column 'smiles' is text, expected numbers"),
    ],
)
def test_arguments_that_do_not_fit(table: Table, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit(table, **arguments)


def test_labels_that_cannot_be_learned(table: Table) -> None:
    n = len(table)
    with pytest.raises(ColumnError, match=r"target 'y' \(\d+ labels\): the training rows of fold 0 do not have two"):
        fit(table.smiles, {"y": np.ones(n) * 3}, options=QUICK)
    one = np.zeros(n)
    one[3] = 1
    with pytest.raises(ColumnError, match="do not have both classes; leave the target out"):
        fit(table.smiles, {"y": one}, options=QUICK)
    with pytest.raises(ColumnError, match="target 'y' has no label"):
        fit(table.smiles, {"y": np.full(n, NAN)}, options=QUICK)
    with pytest.raises(RowError, match="row 2 of y is inf; expected a finite number"):
        fit(table.smiles, {"y": [1, 2, float("inf"), *range(n - 3)]}, options=QUICK)
    with pytest.raises(DatasetError, match=r"none of 2 rows is a molecule with a label: row 0, 'C\(', syntax"):
        fit(["C(", "N("], {"y": [1.0, 2.0]}, options=QUICK)
    with pytest.raises(ColumnError, match="split='scaffold' makes 1 group of 3 molecules, and 3 folds need as many"):
        fit(["C", "CC", "CCC"], {"y": [1.0, 2.0, 3.0]}, options=QUICK)
    with pytest.raises(ColumnError, match="signs of 'y' have the shape"):
        fit(["C"], {"y": [1.0]}, signs={"y": [2]}, options=QUICK)


def test_molecules_without_finite_descriptors_are_rejected(model: PropertyModel) -> None:
    # RDKit has no parameters for its electrotopological states
    found = model.predict(["CCO", "*"])
    assert found.ok.tolist() in ([True, True], [True, False])
    assert np.isfinite(found.values[found.ok]).all()


def test_settings_are_checked() -> None:
    for words, values in {
        "folds is 1; expected an integer of 2 or more": {"folds": 1},
        "members is True": {"members": True},
        "dropout is 1; expected a share": {"dropout": 1},
        "lr is inf; expected a positive number": {"lr": float("inf")},
    }.items():
        with pytest.raises(ValueError, match=words):
            FitOptions(**values)  # type: ignore[arg-type]


def test_a_table_has_signs_of_its_rows() -> None:
    table = Table({"smiles": Text.of(["C", "CC"]), "y": np.array([1.0, 2.0])}, signs={"y": np.array([0, 1], np.int8)})
    assert table.view([1]).signs["y"].tolist() == [1]
    with pytest.raises(ColumnError, match="column 'y' has 1 value for 2 rows"):
        Table(table.columns, signs={"y": np.array([0], np.int8)})


@pytest.mark.filterwarnings("ignore:1 of 40 rows are left out:UserWarning")
def test_classes_with_a_stray_label_are_numbers_and_a_warning() -> None:
    smiles, few = ["C" * n + "O" for n in range(1, 41)], FitOptions(folds=2, members=1, epochs=1, hidden=4)
    y = [0.0, 1.0] * 20
    y[7], y[9] = 0.5, float("nan")
    expected = (
        "'y' is learned as numbers, not as classes: of 39 labels, 38 are 0 or 1 and 1 is not, such as 0.5. Leave out "
        "such rows (mrl clean --duplicates drop does, for molecules of which several labels differ), or state "
        "task='regression' (--task regression)"
    )
    with pytest.warns(UserWarning, match=re.escape(expected)):
        model = fit(smiles, {"y": y}, split="random", options=few)
    assert model.targets[0].kind == "regression"
    counts = [0.0, 1.0, 2.0, 3.0] * 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(smiles, {"y": counts}, split="random", options=few)
