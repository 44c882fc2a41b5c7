"""Files of property models: the same bytes, found damage, refused sizes, interrupted writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.corpus import Table
from mrl.errors import ReadError
from mrl.nn import read_tensors, write_tensors
from mrl.qsar import FitOptions, PropertyModel, fit

KIND: dict[str, Any] = {"format": "mrl-property-model", "version": 1}


@pytest.fixture(scope="module")
def model(table: Table) -> PropertyModel:
    options = FitOptions(folds=2, members=1, epochs=2, hidden=4)
    return fit(table, ["logp", "aromatic"], options=options)


@pytest.fixture(scope="module")
def file(model: PropertyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model")
    model.save(path)
    return path / "property_model.safetensors"


def test_a_loaded_model_predicts_the_same(model: PropertyModel, file: Path, tmp_path: Path) -> None:
    again = PropertyModel.load(file)
    smiles = ["CCO", "C(", "c1ccccc1F"]
    first, second = model.predict(smiles), again.predict(smiles)
    for name in ("values", "uncertainty", "similarity", "ok"):
        assert np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True)
    assert (again.targets, repr(again.metrics), again.about, again.validation) == (
        model.targets,
        repr(model.metrics),
        model.about,
        None,
    )
    again.save(tmp_path / "b.safetensors")
    assert (tmp_path / "b.safetensors").read_bytes() == file.read_bytes()
    assert repr(PropertyModel.load(file.parent)) == repr(model)
    assert b"CCC" not in file.read_bytes()  # the training molecules


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_flipped_byte_anywhere_is_found(file: Path, data: st.DataObject) -> None:
    whole = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    damaged = file.with_name("damaged.safetensors")
    damaged.write_bytes(bytes(whole))
    with pytest.raises(ReadError, match="is not a valid mrl-property-model file"):
        PropertyModel.load(damaged)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 0.999))
def test_a_file_that_was_cut_is_found(file: Path, share: float) -> None:
    cut = file.with_name("cut.safetensors")
    whole = file.read_bytes()
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ReadError, match="is not a valid mrl-property-model file"):
        PropertyModel.load(cut)


def forged(file: Path, change: Any) -> Path:
    """A file with a valid seal, whose parts were changed."""
    document, tensors = read_tensors(file, **KIND)
    change(document, tensors)
    path = file.with_name("forged.safetensors")
    write_tensors(path, tensors, document, **KIND)
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda d, t: d["about"]["options"].update(hidden=10**9),
        lambda d, t: d["about"]["options"].update(layers=10**9),
        lambda d, t: d["about"]["options"].update(members=10**9),
        lambda d, t: d["about"]["options"].update(unknown=1),
        lambda d, t: d["about"].update(descriptors=[]),
        lambda d, t: d["about"]["descriptors"].__setitem__(0, "NoDescriptor"),
        lambda d, t: d["about"].update(descriptors=["MolWt"] * 81),
        lambda d, t: d.update(targets=[]),
        lambda d, t: d.update(targets=[{"name": "y", "kind": "ranking"}]),
        lambda d, t: d.update(targets=d["targets"] * 2),
        lambda d, t: d.update(metrics=[{}]),
        lambda d, t: d.pop("about"),
        lambda d, t: t.update({"scaling.environments": torch.tensor([0, 2048])}),
        lambda d, t: t.update({"scaling.environments": torch.tensor([-1])}),
        lambda d, t: t.update({"scaling.mean": torch.zeros(3)}),
        lambda d, t: t.update({"fingerprints": torch.zeros(0, 256, dtype=torch.uint8)}),
        lambda d, t: t.update({"fingerprints": torch.zeros(2, 8, dtype=torch.uint8)}),
        lambda d, t: t.update({"ensemble.mean": torch.zeros(2, 7)}),
        lambda d, t: t.update({"ensemble.weights.0": t["ensemble.weights.0"].double()}),
        lambda d, t: t.update({"ensemble.more": torch.zeros(1)}),
        lambda d, t: t.pop("ensemble.scale"),
    ],
)
def test_forged_sizes_are_refused_without_being_allocated(file: Path, change: Any) -> None:
    with pytest.raises(ReadError, match="is not a valid mrl-property-model file: its parts do not fit together"):
        PropertyModel.load(forged(file, change))


def test_other_files_are_not_models(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PropertyModel.load(tmp_path)
    write_tensors(tmp_path / "a.safetensors", {"w": torch.ones(1)}, {}, format="mrl-other", version=1)
    with pytest.raises(ReadError, match="it has no 'mrl-property-model' in its metadata, so another program wrote it"):
        PropertyModel.load(tmp_path / "a.safetensors")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_save_leaves_a_whole_file(model: PropertyModel, file: Path, tmp_path: Path) -> None:
    target, other = tmp_path / "target.safetensors", tmp_path / "other.safetensors"
    target.write_bytes(file.read_bytes())
    replace(model, fingerprints=model.fingerprints[::-1].copy()).save(other)
    code = (
        "import sys; from mrl.qsar import PropertyModel\n"
        "models = [PropertyModel.load(path) for path in sys.argv[2:]]\n"
        "while True: [model.save(sys.argv[1]) for model in models]"
    )
    command = [sys.executable, "-c", code, str(target), str(other), str(file)]
    with target.open("rb") as old, subprocess.Popen(command, env=dict(os.environ)) as process:
        while os.path.samestat(target.stat(), os.fstat(old.fileno())) and process.poll() is None:
            time.sleep(0.001)
        time.sleep(0.02)
        process.kill()
        assert not os.path.samestat(target.stat(), os.fstat(old.fileno()))  # it has been saved
    assert process.returncode == -signal.SIGKILL
    assert target.read_bytes() in (file.read_bytes(), other.read_bytes())
