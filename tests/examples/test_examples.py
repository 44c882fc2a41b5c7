"""Every example runs, on little data, and does what its docstring says."""

from __future__ import annotations

import csv
import importlib.util
import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import mrl
from mrl.corpus import Table

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _restore_threads_and_generator() -> Iterator[None]:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    yield
    torch.set_num_threads(threads)
    torch.set_rng_state(state)


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_csv(path: Path, header: list[str], rows: Iterable[Iterable[object]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="module")
def sample() -> Table:
    return mrl.load_sample()


def test_every_example_is_tested_and_says_how_to_run_it() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {"fingerprint_mlp", "loop", "tox21_multitask"}
    for path in FOLDER.glob("*.py"):
        assert f"python examples/{path.name}" in str(example(path.stem).__doc__)


def test_examples_use_public_names_only() -> None:
    for path in FOLDER.glob("*.py"):
        assert not re.search(r"\b[a-z]\w*\._[a-z]|import _", path.read_text())


@pytest.mark.slow
def test_a_fingerprint_network_beats_the_mean(
    tmp_path: Path, sample: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(sample.smiles[i], "" if i % 50 == 0 else sample["logp"][i]) for i in range(400)]
    path = write_csv(tmp_path / "t.csv", ["smiles", "logp"], [*rows, ("C(", 1.0)])
    error, mean = example("fingerprint_mlp").fit(path, "logp", 10, 0)
    assert error < 0.8 * mean
    printed = capsys.readouterr().out
    assert "Rejects(1 row" in printed  # the invalid row
    assert f"RMSE on the test rows: {error:.3f}" in printed


def test_roc_auc_is_the_share_of_pairs_in_order() -> None:
    roc_auc = example("tox21_multitask").roc_auc
    generator = np.random.default_rng(0)
    scores, labels = generator.integers(0, 5, 60).astype(float), generator.integers(0, 2, 60).astype(float)
    pairs = [(a > b) + (a == b) / 2 for a, b in product(scores[labels == 1], scores[labels == 0])]
    assert roc_auc(scores, labels) == pytest.approx(np.mean(pairs))
    labels[:50] = np.nan
    pairs = [(a > b) + (a == b) / 2 for a, b in product(scores[labels == 1], scores[labels == 0])]
    assert roc_auc(scores, labels) == pytest.approx(np.mean(pairs))
    assert np.isnan(roc_auc(scores, np.ones(60)))


@pytest.mark.slow
def test_tasks_with_missing_labels_are_learned(
    tmp_path: Path, sample: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    rows = []
    for i in range(500):
        tasks = ["c1ccncc1" in sample.smiles[i] or "n" in sample.smiles[i], "F" in sample.smiles[i]]
        rows.append((sample.smiles[i], *(int(task) if generator.random() > 0.3 else "" for task in tasks)))
    path = write_csv(tmp_path / "t.csv", ["smiles", "aromatic N", "F"], rows)
    module = example("tox21_multitask")
    found = module.fit(path, ["aromatic N", "F"], 12, 0)
    assert found.shape == (2,)
    assert found.min() > 0.75
    assert "of the labels are missing" in capsys.readouterr().out


def test_the_loop_closes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = ["C", "N", "O", "F", "Cl"]
    rows = [(f"{a}{'C' * n}{b}",) for a, b in product(ends, ends) for n in range(1, 8)]
    path = write_csv(tmp_path / "t.csv", ["smiles"], rows)
    arguments = [str(path), "--steps", "40", "--rounds", "1", "--samples", "128", "-o", str(tmp_path / "out")]
    assert example("loop").main(arguments) == 0
    printed = capsys.readouterr().out
    assert "round 0: Screened(128 rows" in printed
    assert "round 1: Screened(128 rows" in printed
    assert "<svg" in (tmp_path / "out" / "properties.html").read_text()
    assert "<svg" in (tmp_path / "out" / "molecules.html").read_text()


@pytest.mark.parametrize("name", ["fingerprint_mlp", "tox21_multitask"])
def test_missing_data_is_reported_and_not_a_failure(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MRL_DATA", str(tmp_path))
    assert example(name).main([]) == 0
    assert "set MRL_DATA to the folder" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["fingerprint_mlp", "tox21_multitask", "loop"])
def test_a_named_file_that_is_missing_is_a_failure(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        example(name).main([str(tmp_path / "no.csv"), *(["y"] if name == "fingerprint_mlp" else [])])
    assert ended.value.code == 2
    assert "no.csv not found" in capsys.readouterr().err
