"""Features that a preparation keeps beside the molecules: those that datasets compute, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mrl.chem import ECFP4, Descriptors, Fingerprint
from mrl.corpus import Manifest, open_corpus
from mrl.data import VecPredictionDataset, VectorDataset
from mrl.errors import ColumnError, CorpusError
from mrl.features import key_of
from mrl.prepare import Inputs, prepare_corpus

ROWS = "smiles,y\nOCC,1\nC(,2\nCCO,3\nc1ccccc1,4\nCl[Pt]Cl,5\nC[C@H](N)O,6\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(ROWS)
    return path


def test_datasets_read_what_they_would_compute(table: Path, tmp_path: Path) -> None:
    functions: dict[str, Fingerprint | Descriptors] = {
        "bits": Fingerprint("ecfp4"),
        "odd": Fingerprint("ecfp", n_bits=100),
        "counts": Fingerprint("torsion", n_bits=64, counts=True),
        "numbers": Descriptors(["qed", "tpsa"]),
    }
    inputs = Inputs(table, targets=("y",))
    prepare_corpus(inputs, tmp_path / "c", features=functions, duplicates="first", workers=1, rows_per_part=2)
    corpus = open_corpus(tmp_path / "c")
    assert corpus.manifest.columns["bits"] == "uint8 (256,)"
    assert corpus.manifest.columns["odd"] == "uint8 (13,)"
    texts = corpus.smiles[:].tolist()
    function: Any
    for function in (*functions.values(), ECFP4):
        assert corpus.smiles.vectors(key_of(function)) is not None
        stored, computed = VectorDataset(corpus["smiles"], function), VectorDataset(texts, function)
        assert stored.batch([3, 0, 0]).equal(computed.batch([3, 0, 0]))
        assert stored[1].equal(computed[1])
        some = stored.split(0.5)[0]
        assert some.batch().equal(VectorDataset(list(some.smiles), function).batch())
    v, y = VecPredictionDataset(corpus["smiles"], corpus.y, functions["numbers"]).batch([0])
    assert v.equal(VectorDataset(["OCC"], functions["numbers"]).batch())
    assert y.tolist() == [1.0]
    assert corpus.smiles.vectors(key_of(Fingerprint("ecfp6"))) is None
    assert VectorDataset(corpus["smiles"], len).batch([0]).tolist() == [[3.0]]


def test_a_molecule_without_a_vector_is_left_out(table: Path, tmp_path: Path) -> None:
    prepare_corpus(table, tmp_path / "c", features="MaxPartialCharge", workers=1)
    corpus = open_corpus(tmp_path / "c")
    assert len(corpus) + len(corpus.rejects) == 6
    (reject,) = [reject for reject in corpus.rejects if reject.stage == "feature"]
    assert (reject.row, reject.text) == (4, "Cl[Pt]Cl")
    assert reject.reason == "descriptors: not finite: number 0 of 1 is nan"


def test_a_manifest_that_says_something_else_of_vectors_is_refused(table: Path, tmp_path: Path) -> None:
    manifest = prepare_corpus(table, tmp_path / "c", features="maccs", workers=1)
    entry = manifest.features["maccs"]
    assert (entry.size, entry.bits) == (167, True)
    Manifest(**{**vars(manifest), "features": {"maccs": entry._replace(size=300)}}).save(tmp_path / "c")
    with pytest.raises(CorpusError, match="'maccs' is not a column of vectors of 300 numbers"):
        open_corpus(tmp_path / "c")


def test_mistakes_are_named(table: Path, tmp_path: Path) -> None:
    for features, words in (
        ("ecfp5", "neither a fingerprint"),
        (["maccs", "MACCS"], "two of them would be one column"),
        ({"length": len}, r"expected a Fingerprint or Descriptors; vectors of any other function: corpus\.add_column"),
        ({"own": Descriptors({"one": lambda mol: 1.0})}, "cannot be kept"),
    ):
        with pytest.raises(ValueError, match=words):
            prepare_corpus(table, tmp_path / "c", features=features, workers=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="features needs molecules, but parse is False"):
        prepare_corpus(table, tmp_path / "c", features="maccs", parse=False, workers=1)
    with pytest.raises(ColumnError, match="the files have a column 'y' already"):
        prepare_corpus(Inputs(table, targets=("y",)), tmp_path / "c", features={"y": Fingerprint("maccs")}, workers=1)
    assert not (tmp_path / "c" / "manifest.json").exists()
