"""The tasks of Practical Molecular Optimization give the values of the Therapeutics Data Commons."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from mrl.loop import TASKS, task

FIRST = tuple(
    f"{name}_first" for name in ("isomers_c7h8n2o2", "isomers_c9h10n2o2pf2cl", "sitagliptin_mpo", "zaleplon_mpo")
)

# Computed with the code of the Therapeutics Data Commons, RDKit 2026.3.5.
LITERAL = {
    "O=C([O-])c1ccc(S(=O)(=O)NCCCn2cccn2)cc1": {
        "albuterol_similarity": 0.224719101,
        "amlodipine_mpo": 0.134330579,
        "celecoxib_rediscovery": 0.214953271,
        "deco_hop": 0.53505472,
        "fexofenadine_mpo": 0.538297338,
        "isomers_c7h8n2o2": 7.52398299e-07,
        "isomers_c9h10n2o2pf2cl": 0.0250345101,
        "median1": 0.0,
        "median2": 0.112092244,
        "mestranol_similarity": 0.132340778,
        "osimertinib_mpo": 0.705803353,
        "perindopril_mpo": 0.288675135,
        "qed": 0.701834892,
        "ranolazine_mpo": 0.000626251528,
        "scaffold_hop": 0.38630491,
        "sitagliptin_mpo": 7.2531159e-11,
        "thiothixene_rediscovery": 0.210084034,
        "troglitazone_rediscovery": 0.106870229,
        "valsartan_smarts": 0.0,
        "zaleplon_mpo": 0.0248448877,
        "isomers_c7h8n2o2_first": 9.14242315e-05,
        "isomers_c9h10n2o2pf2cl_first": 0.00124639487,
        "sitagliptin_mpo_first": 4.88711105e-13,
        "zaleplon_mpo_first": 5.06823371e-07,
    }
}


@pytest.mark.parametrize("name", [*TASKS, *FIRST])
def test_a_task_gives_the_published_value_of_one_molecule(name: str) -> None:
    for smiles, values in LITERAL.items():
        assert task(name)([smiles]).scores == pytest.approx([values[name]], abs=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*TASKS, *FIRST])
def test_a_task_gives_the_published_values_of_380_molecules(name: str) -> None:
    file = Path(os.environ.get("MRL_DATA", "")) / "pmo_golden.csv"
    if not os.environ.get("MRL_DATA") or not file.exists():
        pytest.skip("MRL_DATA is not set to a folder with pmo_golden.csv")
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    scored = task(name)([row["smiles"] for row in rows])
    assert len(rows) == 380
    np.testing.assert_allclose(scored.scores, [float(row[name]) for row in rows], rtol=0, atol=1e-6)
    assert not len(scored.rejects)


def test_the_target_of_a_rediscovery_has_the_score_1() -> None:
    assert task("troglitazone_rediscovery")(["Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O"]).scores == 1


def test_there_are_20_tasks() -> None:
    assert len(TASKS) == 20


def test_an_unknown_task_is_rejected_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match="did you mean 'median1'"):
        task("median_1")
