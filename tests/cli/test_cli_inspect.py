"""``mrl inspect`` of every kind of file: tables with all that a person wants to know, and what mrl wrote."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from cli_command import facts, run

from mrl.chem import ECFP4
from mrl.corpus import Table, save_corpus
from mrl.data import TextDataset
from mrl.features import featurize
from mrl.lm import FitOptions, LanguageModel, ModelConfig, fit
from mrl.qsar import FitOptions as PropertyFitOptions
from mrl.qsar import fit as fit_properties
from mrl.ragged import Rejects, Text
from mrl.text import SmilesVocab

TABLE = """smiles,name,active,y,set
CCO,ethanol,1,0.5,train
OCC,again,0,0.7,test
[Na+].[Cl-],salt,1,,train
C[C@H](N)O,chiral,0,>10,train
C(,broken,1,2,test
c1ccccc1,benzene,0,3,train
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def test_a_table_says_what_a_person_wants_to_know(table: Path) -> None:
    output, _ = run("inspect", table, status=1)
    for pattern in (
        r"rows +6 ",
        r"invalid +1 +not a molecule",
        r"duplicates +1 +the same molecule again",
        r"smiles +the molecules",
        r"active +classes +100 % +0: 3, 1: 3",
        r"y +numbers +83.3 %",
        r"set +parts of a split",
        r"several components +1 +20.0 %",
        r"charged atoms +1 ",
        r"stereo centres +1 ",
        r"active +1 +1\n",
        r"4 +6 +'C\(' +syntax",
    ):
        assert re.search(pattern, output), pattern
    assert "SMILES_CHAR_VOCAB" not in output


def test_the_numbers_of_a_table(table: Path) -> None:
    found = facts("inspect", table, status=1)
    assert (found["is"], found["smiles_column"], found["notation"]) == ("table", "smiles", "smiles")
    assert found["columns"] == ["smiles", "name", "active", "y", "set"]
    assert found["column_facts"]["y"]["censored"] == 1
    assert found["traits"]["metals"] == 1
    assert found["conflicts"]["y"]["different"] == 1
    assert found["parts"]["rows"] == {"train": 4, "test": 2}
    assert "vocabulary" not in found


def test_problems_have_the_lines_of_the_file(tmp_path: Path) -> None:
    path, out = tmp_path / "lines.csv", tmp_path / "problems.csv"
    path.write_text('smiles,name\nCCO,"two\nlines"\nC(,open\nN,good\n,empty\n')
    found = facts("inspect", path, "--rejects", out, status=1)
    assert [(one["row"], one["line"], one["stage"]) for one in found["problems"]] == [(1, 4, "parse"), (3, 6, "read")]
    assert [line.rpartition(",")[2] for line in out.read_text().splitlines()] == ['"line"', "4", "6"]


@pytest.mark.slow
def test_a_large_file_is_sampled_and_says_how_to_parse_all(tmp_path: Path) -> None:
    path = tmp_path / "large.smi"
    path.write_text("CC\n" * 12_000 + "C(\n" * 12_000)
    output, _ = run("inspect", path, status=1)
    assert "of 10,000 rows drawn at random" in output
    found = facts("inspect", path, status=1)
    assert (found["looked_at"]["molecules"], found["duplicates"]) == (10_000, 11_999)
    assert f"mrl inspect {path} --all" in output
    assert facts("inspect", path, "--all", status=1)["invalid"] == 12_000
    assert facts("inspect", path, "--rejects", tmp_path / "rejects.csv", status=1)["invalid"] == 12_000


def test_sequences_are_not_taken_for_molecules(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("sequence,label\nMKVLAAGG,1\nACDEFGHIK,0\nACDEFGHIK,1\n")
    found = facts("inspect", tmp_path / "p.csv")
    assert (found["notation"], found["invalid"], found["duplicates"]) == ("protein", 0, 1)
    assert "these are protein sequences" in run("inspect", tmp_path / "p.csv")[0]


def test_a_corpus(tmp_path: Path) -> None:
    rejects = Rejects([(1, "C(", "parse", "syntax: C(")])
    save_corpus(Table({"smiles": Text.of(["CCO"]), "y": np.array([0.5])}, rejects, targets=("y",)), tmp_path / "corpus")
    found = facts("inspect", tmp_path / "corpus")
    assert (found["is"], found["rows"], found["targets"]) == ("corpus", 1, ["y"])
    assert found["columns"] == {"smiles": "text", "y": "float64"}
    assert found["rejects"] == {"syntax": 1}
    assert re.search(r"columns.y +float64", run("inspect", tmp_path / "corpus")[0])


def test_models_and_checkpoints(tmp_path: Path) -> None:
    vocab = SmilesVocab()
    model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=8), seed=0)
    model.about["trained_on"] = {"file": "a.csv", "molecules": 3}
    model.save(tmp_path / "model.safetensors")
    vocab.save(tmp_path / "vocab.json")
    found = facts("inspect", tmp_path)
    assert (found["is"], found["kind"], found["vocabulary"]["is"]) == ("language model", model.kind, "vocabulary")
    assert found["about"]["trained_on"]["molecules"] == 3
    assert re.search(r"config.hidden +8", run("inspect", tmp_path / "model.safetensors")[0])

    options = PropertyFitOptions(folds=2, members=1, epochs=1)
    fit_properties(["C" * n + "O" for n in range(1, 13)], {"y": range(12)}, split="random", options=options).save(
        tmp_path / "property"
    )
    assert facts("inspect", tmp_path / "property")["is"] == "property model"


def test_a_damaged_model_is_an_error_and_not_a_table(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    LanguageModel(ModelConfig.for_vocab(SmilesVocab(), hidden=8), seed=0).save(path)
    whole = bytearray(path.read_bytes())
    whole[-5] ^= 1
    path.write_bytes(whole)
    assert "do not match their sha256" in run("inspect", path, status=1)[1].replace("\n", " ")
    path.write_bytes(b"nothing")
    assert "is not a model, checkpoint or state that mrl wrote" in run("inspect", path, status=1)[1].replace("\n", " ")


def test_caches_arrays_and_shards(tmp_path: Path) -> None:
    featurize(["CCO", "CC"], ECFP4, cache=tmp_path / "cache")
    found = facts("inspect", tmp_path / "cache")
    assert found["is"] == "cache of features"
    assert [one["molecules"] for one in found["featurizers"].values()] == [2]
    (tmp_path / "a.csv").write_text("smiles\nCCO\nCC\n")
    run("featurize", tmp_path / "a.csv", "-o", tmp_path / "a.npz")
    assert facts("inspect", tmp_path / "a.npz")["arrays"]["values"]["shape"] == [2, 2048]
    shard = next((tmp_path / "cache").rglob("*.arrow"))
    assert facts("inspect", shard)["is"] == "shard of a corpus or cache"
    run("clean", tmp_path / "a.csv", "-o", tmp_path / "a.arrow")
    assert facts("inspect", tmp_path / "a.arrow")["is"] == "table"


def npy(shape: tuple[int, ...], data: bytes = b"", dtype: str = "<i8") -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": dtype, "fortran_order": False, "shape": shape})
    return header.getvalue() + data


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (npy((10**12,)), r"values.npy has 128 bytes, and is to hold (1000000000000,) of int64"),
        (npy((-5,)), "is to hold (-5,) of int64"),
        (npy((2**62, 2**62)), "of int64"),
        (npy((2,), bytes(16), "|O"), "of object"),
        (npy((1,), b"x", "|S100000000000"), "dtype descriptor"),
        (b"\x93NUMPY\x01\x00" + (4000).to_bytes(2, "little") + b"(" * 3999 + b"\n", "("),
        (b"CCO", "EOF"),
    ],
)
def test_forged_arrays_are_no_files_of_arrays(tmp_path: Path, array: bytes, words: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("values.npy", array)
    _, error = run("inspect", tmp_path / "a.npz", status=1)
    text = " ".join(error.split())
    assert "a.npz is not a file of arrays (" in text
    assert words in text
    assert text.endswith("mrl encode and mrl featurize write such files")


def test_damaged_arrays_are_noticed_without_having_them_in_memory(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", values=np.arange(4000), offsets=np.zeros(2, np.int64))
    data = (tmp_path / "a.npz").read_bytes()
    for at in (60, 200, len(data) - 30):
        (tmp_path / "b.npz").write_bytes(data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :])
        _, error = run("inspect", tmp_path / "b.npz", status=1)
        assert "is not a file of arrays" in " ".join(error.split()), at
    np.savez_compressed(tmp_path / "zeros.npz", values=np.zeros(30_000_000))
    tracemalloc.start()
    assert facts("inspect", tmp_path / "zeros.npz")["arrays"]["values"] == {"dtype": "float64", "shape": [30_000_000]}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20  # bytes; the array has 240 million


def test_options_for_molecules_do_not_fit_other_files(tmp_path: Path) -> None:
    SmilesVocab().save(tmp_path / "vocab.json")
    _, error = run("inspect", tmp_path / "vocab.json", "--all", status=2)
    assert "is a vocabulary: --vocab, --rejects, --all" in error.replace("\n", " ")
    (tmp_path / "empty").mkdir()
    assert "give the name of a file in it" in run("inspect", tmp_path / "empty", status=1)[1].replace("\n", " ")


def test_a_checkpoint(tmp_path: Path) -> None:
    vocab = SmilesVocab()
    model = LanguageModel(ModelConfig.for_vocab(vocab, hidden=8), seed=0)
    fit(
        model,
        TextDataset(["CCO", "CC"] * 8, vocab).dataloader(4),
        steps=4,
        options=FitOptions(checkpoint=tmp_path / "c.safetensors"),
    )
    found = facts("inspect", tmp_path / "c.safetensors")
    assert found["is"] == "checkpoint of a training"
    assert found["counters"]["done"] == 4


def test_a_preparation_that_is_not_finished_says_how_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "corpus" / "work").mkdir(parents=True)
    _, error = run("inspect", tmp_path / "corpus", status=1)
    assert "run the same mrl prepare again, which goes on" in " ".join(error.split())
