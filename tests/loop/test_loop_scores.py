"""Scores: transforms, means, functions of every kind, and failures that stay in their rows."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrl.chem import SimilarityTo, Substructure, logp, qed
from mrl.errors import MoleculeError, MrlError
from mrl.loop import (
    Command,
    Component,
    DoubleSigmoid,
    Failed,
    Gaussian,
    Identity,
    Imported,
    Linear,
    Property,
    Score,
    Sigmoid,
    Step,
    Transform,
    ValueMap,
)

TRANSFORMS = [
    Linear(0, 2),
    Linear(3, -1),
    Sigmoid(1, 2),
    Sigmoid(2, 1),
    DoubleSigmoid(0, 4, 1),
    Step(low=1),
    Gaussian(1, 2),
    Gaussian(1, 2, "above"),
    ValueMap({0: 0.5, 1: 1}),
]


@given(st.lists(st.floats(allow_infinity=False, width=32), max_size=5))
def test_every_transform_gives_numbers_between_0_and_1_and_keeps_nan(values: list[float]) -> None:
    for transform in TRANSFORMS:
        scores = transform(values)
        np.testing.assert_array_equal(np.isnan(scores), np.isnan(values))
        assert ((scores[~np.isnan(scores)] >= 0) & (scores[~np.isnan(scores)] <= 1)).all()


@pytest.mark.parametrize(
    ("transform", "direction"),
    [
        (Linear(0, 2), "maximise"),
        (Linear(3, -1), "minimise"),
        (Sigmoid(1, 2), "maximise"),
        (Sigmoid(2, 1), "minimise"),
    ],
)
def test_the_stated_direction_is_that_of_the_scores(transform: Transform, direction: str) -> None:
    low, high = transform([0.9, 2.1])
    assert transform.direction.startswith(direction)
    assert (high > low) == (direction == "maximise")


def test_the_geometric_mean_is_weighted_and_0_where_a_part_is_0() -> None:
    score = Score((Component("a", len, Linear(0, 4), 3.0), Component("b", lambda s: 0.5, Identity())))
    assert score(["CC", "CCC", "CCCC"]).scores == pytest.approx([0.5, (0.75**3 * 0.5) ** 0.25, 0.5**0.25])
    zero = Score((Component("a", qed, Identity()), Component("acid", Substructure("C(=O)[OH]"), Step(low=1))))
    assert zero(["CCO", "CC(=O)O"]).scores[0] == 0


def test_the_arithmetic_mean_is_weighted() -> None:
    score = Score((Component("a", len, Linear(0, 4), 3.0), Component("b", lambda s: 0.5, Identity())), "arithmetic")
    assert score(["CC"]).scores == pytest.approx([0.5])


def test_rows_stay_aligned_when_some_fail() -> None:
    def picky(smiles: str) -> float:
        if "N" in smiles:
            raise KeyError("nitrogen")
        return math.inf if "O" in smiles else 0.25

    scored = Score((Component("picky", picky, Identity()), Component("qed", qed, Identity())))(["CC", "CN", "C(", "CO"])
    assert np.isnan(scored.scores).tolist() == [False, True, True, True]
    assert [(one.row, one.stage, one.reason[:20]) for one in scored.rejects] == [
        (1, "picky", "KeyError: 'nitrogen'"),
        (2, "parse", scored.rejects[1].reason[:20]),
        (3, "picky", "not a finite number:"),
    ]
    assert scored.values[1, 1] == qed("CN")


def test_a_negative_part_of_a_geometric_mean_is_an_error_with_a_way_out() -> None:
    score = Score((Component("logP", logp, Identity()), Component("qed", qed, Identity())))
    with pytest.raises(MrlError, match=r"component 'logP' of 'O' is .*choose a transform.*such as Sigmoid"):
        score(["CCCCC", "O"])
    Score((Component("logP", logp, Sigmoid(0, 5)), Component("qed", qed, Identity())))(["CCCCC", "O"])


def test_components_are_checked_when_they_are_made() -> None:
    with pytest.raises(TypeError, match=r"its transform is 3; expected one of mrl.loop"):
        Component("x", qed, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a function of a SMILES"):
        Component("x", "qed", Identity())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two components have the name"):
        Score((Component("x", qed, Identity()), Component("x", logp, Sigmoid(0, 1))))
    with pytest.raises(ValueError, match="its weight is 0"):
        Component("x", qed, Identity(), 0)


def test_unknown_names_are_rejected_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"'log_p' is not a property .did you mean 'logp'"):
        Property("log_p")
    with pytest.raises(ValueError, match="did you mean 'ecfp4'"):
        SimilarityTo("CCO", "ecpf4")
    with pytest.raises(ValueError, match="cannot be imported"):
        Imported("mrl.chem:logpp")


def test_a_command_gets_lines_and_returns_numbers() -> None:
    lengths = Command([sys.executable, "-c", "for line in open(0): print(len(line.strip()))"], batch=3, jobs=2)
    assert lengths.evaluate(["C", "CC", "CCC", "CCCC"]) == [1, 2, 3, 4]


def test_what_a_command_cannot_do_costs_no_other_molecule_its_value() -> None:
    program = """
import sys
for line in sys.stdin:
    if "Cl" in line: sys.exit("no parameters for Cl")
    print("nan" if "Br" in line else "many" if "I" in line else len(line.strip()))
"""
    values = Command([sys.executable, "-c", program], batch=5).evaluate(["CC", "CCl", "CBr", "CI", "C"])
    assert [values[0], values[4]] == [2, 1]
    assert [value.reason for value in values if isinstance(value, Failed)] == [
        "exit status 1: no parameters for Cl",
        "not a finite number: nan",
        "not a number: 'many'",
    ]


def test_what_is_no_number_costs_only_its_molecule() -> None:
    program = r"""
import os, sys
text = sys.stdin.read().strip()
if text == "O":
    os.kill(os.getpid(), 9)
sys.stderr.buffer.write(b"\xe9" * 100_000)
sys.stdout.buffer.write({"C": b"\xff\xfe1", "N": b"1\n2\n", "F": b""}.get(text, b"2.5\r\n"))
sys.exit(text == "B")
"""
    values = Command([sys.executable, "-c", program]).evaluate(["C", "N", "O", "F", "B", "CC"])
    assert values[:4] == [
        Failed("not a number: '\ufffd\ufffd1'"),
        Failed("2 lines of output for 1 molecule"),
        Failed("signal 9: no message"),
        Failed("0 lines of output for 1 molecule"),
    ]
    assert values[4:] == [Failed("exit status 1: " + "\ufffd" * 200), 2.5]


@pytest.mark.slow
def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    program = f"""
import pathlib, subprocess, sys
if "N" in sys.stdin.read():
    child = subprocess.Popen(["sleep", "600"])
    pathlib.Path({str(tmp_path / "pid")!r}).write_text(str(child.pid))
    child.wait()
print(1)
"""
    values = Command([sys.executable, "-c", program], timeout=5).evaluate(["C", "N", "O"])
    assert values == [1, Failed("time-out: no answer within 5 s"), 1]
    state = Path("/proc") / (tmp_path / "pid").read_text() / "stat"
    assert not state.exists() or state.read_text().split()[2] == "Z"  # killed, perhaps not yet collected


def test_a_command_that_is_not_there_is_an_error() -> None:
    with pytest.raises(MrlError, match="the command no-such-program cannot be started"):
        Command("no-such-program").evaluate(["C"])


def test_a_function_by_name_runs_in_processes_with_the_same_values() -> None:
    assert Imported("mrl.chem:rings", timeout=30).evaluate(["C1CC1", "CC"]) == [1, 0]


def test_a_single_molecule_has_a_number_or_an_error_that_says_why() -> None:
    score = Score((Component("qed", qed, Identity()),))
    assert score("CCO") == score(["CCO"]).scores[0]
    with pytest.raises(MoleculeError, match=r"'C\(' has no score; parse: syntax") as caught:
        score("C(")
    assert (caught.value.text, caught.value.row) == ("C(", None)

    def fails(mol: object) -> float:
        raise ZeroDivisionError("too small")

    with pytest.raises(MoleculeError, match=r"'CCO' has no score; mine: .*too small"):
        Score((Component("mine", fails, Identity()),))("CCO")
