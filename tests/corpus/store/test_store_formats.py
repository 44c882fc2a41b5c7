"""A corpus of each published version of the format is opened for ever; other programs read shards as they are."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from stored import small_corpus

from mrl import read
from mrl.corpus import Corpus, open_corpus
from mrl.data import TextDataset

VERSION_1 = Path(__file__).parents[2] / "formats" / "corpus-1"


def test_version_1_is_opened(tmp_path: Path) -> None:
    shutil.copytree(VERSION_1, tmp_path / "corpus")  # a corpus is stamped in its folder
    corpus = open_corpus(tmp_path / "corpus", verify="full")
    assert corpus.smiles.tolist() == ["CCO", "c1ccccc1", "", "C[C@H](N)C(=O)O", "é", "[Na+].[Cl-]"]
    assert corpus.y.tolist() == [0.5, None, -1.5, 2.0, 0.0, 8.25] or np.isnan(corpus.y[1])
    assert corpus["bits"].take([5, 0]).sum(1).tolist() == [3, 0]
    assert corpus["ids"].tolist() == [[], [1], [2, 2], [3, 3, 3], [4] * 4, [5] * 5]
    assert {name: len(part) for name, part in corpus.splits.items()} == {"train": 4, "test": 2}
    assert corpus.rejects[0].reason == "syntax"
    ids = corpus.smiles.token_ids(corpus.vocab.fingerprint())
    assert ids is not None
    assert corpus.vocab.decode(ids.take(np.arange(6))) == corpus.smiles.tolist()
    assert TextDataset(corpus.smiles, corpus.vocab)[0].tolist() == ids[0].tolist()
    assert corpus.verify() == []


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    small_corpus(tmp_path / "corpus")
    return open_corpus(tmp_path / "corpus")


def test_polars_pandas_and_arrow_read_a_shard_as_it_is(corpus: Corpus) -> None:
    pl, pd = pytest.importorskip("polars"), pytest.importorskip("pandas")
    path = corpus.path / "shard-00002.arrow"
    expected = {name: corpus[name][2:5].tolist() for name in corpus.columns}
    assert pl.read_ipc(path).to_dict(as_series=False) == expected
    assert {
        name: [x if np.ndim(x) == 0 else list(x) for x in column] for name, column in pd.read_feather(path).items()
    } == (expected)
    assert pa.ipc.open_file(path).read_all().to_pydict() == expected


def test_huggingface_reads_a_shard_and_an_exported_folder(corpus: Corpus, tmp_path: Path) -> None:
    pytest.importorskip(
        "datasets.load", reason="HuggingFace's datasets is not installed; a folder of tests has its name"
    )
    datasets: Any = importlib.import_module("datasets")
    cache = str(tmp_path / "cache")
    shards = [str(path) for path in sorted(corpus.path.glob("*.arrow"))]
    loaded = datasets.load_dataset("arrow", data_files=shards, cache_dir=cache)["train"]
    assert loaded["smiles"][:] == corpus.smiles.tolist()
    corpus.export(tmp_path / "exported")
    again = datasets.load_dataset(str(tmp_path / "exported"), cache_dir=cache)["train"]
    assert again["smiles"][:] == corpus.smiles.tolist()


def test_duckdb_reads_shards_through_arrow(corpus: Corpus) -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = pa.table({"smiles": corpus.smiles.to_arrow(), "y": corpus["y"].to_arrow()})
    assert duckdb.sql("select count(*) from rows where y > 0.3").fetchall() == [(4,)]
    assert len(rows) == 6


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_exported_files_are_read_back(tmp_path: Path, suffix: str) -> None:
    small_corpus(tmp_path / "corpus")
    corpus = open_corpus(tmp_path / "corpus")
    if suffix != ".parquet":
        with pytest.raises(ValueError, match=r"ids \(ragged uint8\).*\.parquet"):
            corpus.export(tmp_path / f"all{suffix}")
    corpus.export(tmp_path / "all.parquet")
    assert parquet.read_table(tmp_path / "all.parquet")["y"].to_pylist() == corpus["y"].tolist()
    assert read(tmp_path / "all.parquet", smiles="smiles", targets=["y"]).y.tolist()[0] == corpus["y"][0]
