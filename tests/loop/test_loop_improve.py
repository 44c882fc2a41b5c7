"""A run of `improve`: its budget, its determinism, what it learns from, and that it goes on after any interruption."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import QED
from rdkit.Chem.rdMolDescriptors import CalcCrippenDescriptors

import mrl
from mrl.errors import ReadError, StateError
from mrl.lm import LanguageModel, ModelConfig
from mrl.loop import (
    Call,
    Command,
    Component,
    Gaussian,
    History,
    Identity,
    ImproveOptions,
    Linear,
    Round,
    Run,
    Score,
    auc_top,
    improve,
    task,
)
from mrl.nn import read_tensors, write_tensors
from mrl.text import SMILES_PATTERN, RegexVocab

NOTHING_NEW = pytest.mark.filterwarnings("ignore:there are . molecules to start from:UserWarning")
START = ["CCOc1ccccc1", "CC(=O)NC1CCCCC1", "CCN1CCOCC1", "Cc1ccncc1C", "CC(C)Oc1ccc(F)cc1", "NC(=O)c1cccs1"]
SMALL = ImproveOptions(batch=10, samples=0, offspring=20, eager=0)


def calls_of(run: Run) -> list[tuple[str, float, str, int]]:
    return [(call.smiles, call.score, call.source, call.round) for call in run.history]


def test_a_run_ends_at_its_budget_and_scores_each_molecule_once() -> None:
    run = improve(None, task("qed"), start=START, budget=75, options=SMALL)
    smiles = [call.smiles for call in run.history]
    assert len(smiles) == len({*smiles}) == run.calls == 75
    assert [one.calls for one in run.rounds][-1] == 75
    np.testing.assert_array_equal(task("qed")(smiles).scores, run.history.scores)


def test_every_proposal_is_a_molecule_whose_score_is_the_one_that_rdkit_alone_computes() -> None:
    score = Score((Component("qed", mrl.chem.qed, Identity()), Component("logP", mrl.chem.logp, Gaussian(2.5, 1), 2)))
    run = improve(None, score, start=START, budget=100, options=SMALL)
    for call in run.history:
        mol = Chem.MolFromSmiles(call.smiles)
        assert Chem.MolToSmiles(mol) == call.smiles
        drug_likeness, logp = QED.qed(mol), CalcCrippenDescriptors(mol)[0]  # type: ignore[no-untyped-call]
        expected = (drug_likeness * np.exp(-0.5 * (logp - 2.5) ** 2) ** 2) ** (1 / 3)
        assert call.score == pytest.approx(expected, abs=1e-9)


def test_a_run_finds_better_molecules_than_it_starts_from() -> None:
    run = improve(None, task("albuterol_similarity"), start=START, budget=200, options=SMALL)
    before = max(call.score for call in run.history if call.source == "start")
    assert run.best(1)[0].score > before + 0.1


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    runs = [improve(None, task("qed"), start=START, budget=60, seed=seed, options=SMALL) for seed in (1, 1, 2)]
    assert calls_of(runs[0]) == calls_of(runs[1]) != calls_of(runs[2])


@NOTHING_NEW
def test_starting_molecules_that_are_equal_are_one_call() -> None:
    run = improve(None, task("qed"), start=["OCC", "CCO", *START], budget=7, options=SMALL)
    assert [call.smiles for call in run.history][:2] == ["CCO", "CCOc1ccccc1"]


def test_without_a_model_there_must_be_molecules_to_start_from() -> None:
    with pytest.raises(ValueError, match="pass molecules, start="):
        improve(None, task("qed"))


def fails_for_chlorine(smiles: str) -> float:
    if "Cl" in smiles:
        raise RuntimeError("no parameters for Cl")
    return float("nan") if "Br" in smiles else 0.5


@NOTHING_NEW
def test_failures_are_calls_that_are_named_counted_and_not_learned_from() -> None:
    score = Score((Component("docking", fails_for_chlorine, Identity()),))
    run = improve(None, score, start=["CCCl", "CCBr", *START], budget=8, options=SMALL)
    assert run.rounds[0].failed == 2
    assert run.history.failed == 2
    reasons = [call.reason for call in run.history if call.reason]
    assert reasons == ["docking: RuntimeError: no parameters for Cl", "docking: not a finite number: nan"]
    assert all(call.score == 0.5 for call in run.best(20))


def test_a_search_in_which_all_molecules_score_the_same_warns_once_and_names_the_cause() -> None:
    score = task("valsartan_smarts")
    message = (
        "all of 46 molecules have the score 0, so there is nothing to follow; 'substructure' gave 0 to each: start from"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        improve(None, score, start=START, budget=80, options=SMALL)
    assert len(caught) == 1
    hit = "CN(C=O)Cc1ccc(-c2ccccc2)cc1"  # the way out: a start that has it
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = improve(None, score, start=[hit, *START], budget=80, options=SMALL)
    assert run.best(1)[0].score > score([hit]).scores[0] > 0


def test_a_resumed_search_names_the_components_that_were_0_before_as_well(tmp_path: Path) -> None:
    heavy = Component("heavy", lambda smiles: float(len(smiles) > 100), Identity())
    first = Component("first", lambda smiles: float(smiles in START), Identity())  # 1 in the first round, then 0
    score = Score((heavy, first))

    class Stop(Exception):
        pass

    def stop(one: Round) -> None:
        raise Stop

    for _ in range(2):  # in the rounds 0 and 1
        with pytest.raises(Stop):
            improve(None, score, start=START, budget=80, options=SMALL, out=tmp_path, on_round=stop)
    with pytest.warns(UserWarning, match="nothing to follow; 'heavy' gave 0 to each: start from"):
        improve(None, score, start=START, budget=80, options=SMALL, out=tmp_path)


def test_more_molecules_to_start_from_than_calls_warn() -> None:
    start = ["CCO", "CCN", "CCC"]
    expected = (
        "there are 3 molecules to start from and a budget of 3 calls, so nothing new is searched: give fewer of them "
        "(start=, --start) or a larger budget (budget=, --budget)"
    )
    with pytest.warns(UserWarning, match=re.escape(expected)):
        run = improve(None, task("qed"), start=start, budget=3, options=ImproveOptions(samples=0))
    assert [call.source for call in run.history] == ["start"] * 3


@NOTHING_NEW
def test_a_round_without_any_score_warns() -> None:
    score = Score((Component("docking", Command("false"), Identity()),))
    with pytest.warns(UserWarning, match=r"none of 6 molecules has a score.*docking: exit status 1"):
        improve(None, score, start=START, budget=6, options=SMALL)


@pytest.mark.slow
def test_a_scaffold_that_is_used_up_gives_no_more_molecules() -> None:
    from collections import Counter

    from mrl.chem import murcko_scaffold

    options = ImproveOptions(batch=5, samples=0, offspring=40, eager=0, scaffold_limit=8, scaffold_score=0.0)
    run = improve(None, task("qed"), start=START, budget=120, options=options)
    counts = Counter(murcko_scaffold(call.smiles) for call in run.history)
    assert max(counts.values()) < 8 + 5  # a round may overshoot by its batch


def test_a_search_that_has_converged_starts_again() -> None:
    plain = dataclasses.replace(SMALL, surrogate=False)
    runs = [
        improve(None, task("qed"), start=START, budget=90, options=dataclasses.replace(plain, fresh_start=rounds))
        for rounds in (0, 1)
    ]
    tops = [one.top for one in runs[0].rounds]
    converged = next(n for n in range(2, len(tops)) if tops[n - 1] - tops[n - 2] < 0.01 * tops[n - 1])
    before, again = ([call for call in run.history if call.round < converged] for run in runs)
    assert before == again
    assert calls_of(runs[0])[len(before)] != calls_of(runs[1])[len(before)]


def test_a_run_that_is_resumed_ends_like_one_that_was_not_interrupted(tmp_path: Path) -> None:
    options = dataclasses.replace(SMALL, fresh_start=1)  # it has started again before and after the interruption
    whole = improve(None, task("qed"), start=START, budget=80, options=options)

    class Stop(Exception):
        pass

    def stop(one: Round) -> None:
        if one.number == 3:
            raise Stop

    with pytest.raises(Stop):
        improve(None, task("qed"), start=START, budget=80, options=options, out=tmp_path, on_round=stop)
    resumed = improve(None, task("qed"), start=START, budget=80, options=options, out=tmp_path)
    assert calls_of(resumed) == calls_of(whole)
    again = improve(None, task("qed"), start=START, budget=80, options=options, out=tmp_path)
    assert calls_of(again) == calls_of(whole)


def test_a_folder_of_a_run_with_other_arguments_is_rejected(tmp_path: Path) -> None:
    improve(None, task("qed"), start=START, budget=10, options=SMALL, out=tmp_path)
    with pytest.raises(StateError, match="another seed and score"):
        improve(None, task("median1"), start=START, budget=10, seed=3, options=SMALL, out=tmp_path)


STATE: dict[str, Any] = {"format": "mrl-improve-state", "version": 2}


@pytest.mark.slow
def test_a_forged_state_and_one_of_another_model_are_refused(tmp_path: Path) -> None:
    vocab = RegexVocab([], SMILES_PATTERN)
    vocab.update_vocab_from_data(START)
    options = dataclasses.replace(SMALL, samples=2)

    def search(hidden: int = 4) -> Run:
        model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=hidden, max_length=40))
        return improve(model, task("qed"), vocab=vocab, start=START, budget=6, options=options, out=tmp_path)

    search()
    with pytest.raises(StateError, match="holds a run with another model; choose another folder"):
        search(hidden=5)
    path = tmp_path / "state.safetensors"
    document, tensors = read_tensors(path, **STATE)
    forged: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"calls": 3}, {}),
        ({"calls": [[["C"], 1.0, "start", 0, ""]]}, {}),
        ({"calls": [["C", "1", "start", 0, ""]]}, {}),
        ({"rounds": [[1]]}, {}),
        ({"rounds": [["x"] * 12]}, {}),
        ({"weights": [["x"]]}, {}),
        ({"without_new": "x"}, {}),
        ({"part_best": [[1], [1, 2]]}, {}),
        ({"part_best": []}, {}),
        ({"weights": [1, 0, 0]}, {}),
        ({"rounds": []}, {}),
        ({"calls": [["C", 10**400, "start", 0, ""]]}, {}),
        ({"optimizer": {"state": {}, "groups": [-1]}}, {}),
        ({}, {"optimizer/0/exp_avg": tensors["optimizer/0/exp_avg"][None]}),
        ({}, {"prior/head.bias": tensors["prior/head.bias"][None]}),
    ]
    for changed, replaced in forged:
        write_tensors(path, tensors | replaced, document | changed, **STATE)
        with pytest.raises(ReadError, match=r"(?s)its parts do not fit together .*; remove it to start again"):
            search()


PROGRAM = """
import sys
from mrl.loop import ImproveOptions, improve, task
options = ImproveOptions(batch=10, samples=0, offspring=20, eager=0, fresh_start=3)
run = improve(None, task("qed"), start={start!r}, budget=300, options=options, out=sys.argv[1])
print([(call.smiles, call.score) for call in run.history])
"""


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_time_ends_like_one_that_was_not(tmp_path: Path) -> None:
    program = [sys.executable, "-c", PROGRAM.format(start=START)]
    whole = subprocess.run([*program, str(tmp_path / "whole")], capture_output=True, text=True, check=True).stdout
    resumed_from = []
    for extra in (0.05, 0.3, 0.11, 0.52):
        process = subprocess.Popen([*program, str(tmp_path / "killed")], stdout=subprocess.DEVNULL)
        before = state_of(tmp_path / "killed")
        while process.poll() is None and state_of(tmp_path / "killed") == before:  # until it has kept a round
            time.sleep(0.01)
        time.sleep(extra)
        process.kill()
        process.wait()
        resumed_from.append(state_of(tmp_path / "killed"))
    end = subprocess.run([*program, str(tmp_path / "killed")], capture_output=True, text=True, check=True).stdout
    assert len({*resumed_from}) == len(resumed_from)  # each went further than the one before it
    assert end == whole


def state_of(folder: Path) -> int:
    """Return when the state in a folder was written, 0 if there is none."""
    file = folder / "state.safetensors"
    return file.stat().st_mtime_ns if file.exists() else 0


def test_the_area_under_the_curve_is_that_of_the_benchmark() -> None:
    # read at 100, 200 and 250 calls: 0.2, 0.4, 0.4; then constant to the end of the budget
    scores = [0.2] * 100 + [0.4] * 150
    area = 100 * 0.1 + 100 * 0.3 + 50 * 0.4 + 250 * 0.4
    assert auc_top(scores, 500, top=1) == pytest.approx(area / 500)
    assert auc_top([0.5] * 2000, 1000) == pytest.approx(0.475)
    assert np.isnan(auc_top([], 100))


def test_a_history_has_each_molecule_once() -> None:
    with pytest.raises(ValueError, match="CCO was scored before, at call 1"):
        History([Call("CCO", 0.5, "start", 0), Call("CCO", 0.5, "start", 0)])


def test_options_are_checked_when_they_are_made() -> None:
    with pytest.raises(ValueError, match="nothing proposes molecules"):
        ImproveOptions(samples=0, offspring=0)
    with pytest.raises(ValueError, match="mutation is 2"):
        ImproveOptions(mutation=2)


def test_a_score_may_be_minimised() -> None:
    from mrl.chem import logp

    score = Score((Component("logP", logp, Linear(zero=5, one=-2)),))
    run = improve(None, score, start=START, budget=100, options=SMALL)
    assert logp(run.best(1)[0].smiles) < min(map(logp, START))
