"""A corpus as the tables of other libraries."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mrl.corpus import open_corpus
from mrl.prepare import Inputs, prepare_corpus


def test_a_corpus_and_its_parts_are_tables_of_pandas_and_arrow(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,y,set\nCCO,1,train\nc1ccccc1,,test\nCCN,3,train\n")
    inputs = Inputs(path, targets=("y",), split="set")
    prepare_corpus(inputs, tmp_path / "corpus", features=["ecfp4"], workers=1, progress=False)
    corpus = open_corpus(tmp_path / "corpus")
    frame = corpus.to_pandas()
    assert list(frame) == list(corpus.columns)
    assert frame["smiles"].tolist() == list(corpus.smiles[:])
    np.testing.assert_array_equal(frame["y"], corpus["y"][:])
    np.testing.assert_array_equal(np.stack(list(frame["ecfp4"])), corpus["ecfp4"][:])
    assert corpus.to_arrow()["smiles"].num_chunks == len(corpus.manifest.shards)
    assert sorted(corpus.splits["train"].to_pandas()["smiles"]) == ["CCN", "CCO"]
