"""`Features` and `Cleaned` as tables of other libraries."""

from __future__ import annotations

import numpy as np
import polars as pl

from mrl.chem import Descriptors, Fingerprint, clean
from mrl.features import Features, featurize


def test_columns_have_the_names_of_the_featurizer() -> None:
    features = featurize(["CCO", "C("], Descriptors(["MolWt", "logp"]), on_error="mask")
    assert features.names == ("MolWt", "logp")
    table = features.to_arrow()
    assert table.column_names == ["row", "MolWt", "logp"]
    assert table["MolWt"].null_count == 1
    frame = features.to_pandas()
    assert frame.row.tolist() == [0, 1]
    np.testing.assert_array_equal(frame[["MolWt", "logp"]].to_numpy(), features.dense())
    assert pl.DataFrame(table).columns == table.column_names


def test_rows_that_were_dropped_are_numbered() -> None:
    features = featurize(["C(", "CCO"], Fingerprint("ecfp4", n_bits=16), on_error="drop")
    table = features.to_arrow()
    assert table["row"].to_pylist() == [1]
    assert table.column_names[1:3] == ["ecfp4_0", "ecfp4_1"]
    assert str(table.schema.field(1).type) == "uint8"
    assert [table[name][0].as_py() for name in table.column_names[1:]] == features.values[0].tolist()
    assert repr(features) == "Features(1 vector of 16 numbers; Rejects(1 row: 1 × 'syntax'))"


def named(smiles: str) -> list[float]:
    return [1.0, 2.0]


def test_names_that_do_not_fit_are_not_used() -> None:
    named.names = ("a", "b")  # type: ignore[attr-defined]
    assert featurize(["C"], named).to_arrow().column_names == ["row", "a", "b"]
    for names in (("a",), ("a", "a"), (1, 2), "ab"):
        named.names = names  # type: ignore[attr-defined]
        assert featurize(["C"], named).to_arrow().column_names == ["row", "0", "1"]


def test_without_rows() -> None:
    features: Features = featurize(["C("], Fingerprint("ecfp4"), on_error="drop")
    assert features.to_arrow().to_pydict() == {"row": []}


def test_cleaned_rows() -> None:
    labels = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, np.nan]])
    cleaned = clean(["CCO", "C(", "N"], labels=labels, ids=["a", "b", "c"])
    assert cleaned.to_pandas().columns.tolist() == ["row", "smiles", "id", "y_0", "y_1"]
    assert cleaned.to_arrow().to_pylist()[0] == {"row": 0, "smiles": "CCO", "id": "a", "y_0": 1.0, "y_1": 2.0}
    assert clean([]).to_arrow().column_names == ["row", "smiles"]
