"""featurize: any function of a molecule over many of them, and the rows that fail."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrl.errors import ColumnError, FeatureError, RowError
from mrl.features import Features, featurize

TEXTS = ["CCO", "C", "?", "CC"]


def two(text: str) -> list[float]:
    if "?" in text:
        raise ValueError("a question\n  mark")
    return [len(text), text.count("O") / 2]


two.checks_text = True  # type: ignore[attr-defined]


def table(features: Features) -> tuple[Any, ...]:
    return (
        features.dense().tolist(),
        features.ok.tolist(),
        [tuple(r) for r in features.rejects],
        features.kept.tolist(),
    )


REJECT = (2, "?", "feature", "ValueError: a question mark")


def test_drop_and_mask() -> None:
    dropped = featurize(TEXTS, two, on_error="drop")
    assert table(dropped) == ([[3, 0.5], [1, 0], [2, 0]], [True] * 3, [REJECT], [0, 1, 3])
    masked = featurize(TEXTS, two, on_error="mask")
    assert masked.values.tolist() == [[3, 0.5], [1, 0], [0, 0], [2, 0]]
    assert table(masked)[1:] == ([True, True, False, True], [REJECT], [0, 1, 2, 3])
    assert np.isnan(masked.dense()).tolist() == [[False] * 2, [False] * 2, [True] * 2, [False] * 2]
    assert np.isnan(masked.dense([2, 0])).tolist() == [[True] * 2, [False] * 2]
    assert masked.dense(dtype=np.float64).dtype == np.float64
    masked.dense()[:] = 9
    assert masked.values[0, 0] == 3
    for features in (dropped, masked):
        assert len(features) == len(features.values) == len(features.ok) == len(features.kept)


def test_raise_names_the_row_and_a_way_to_go_on() -> None:
    words = r"row 2: no vector for '\?': ValueError: a question mark; .* on_error='drop' or on_error='mask' to go on"
    with pytest.raises(FeatureError, match=words) as caught:
        featurize(TEXTS, two)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.row, error.text, error.reason) == (2, "?", "ValueError: a question mark")


@pytest.mark.parametrize("on_error", ["raise", "drop", "mask"])
def test_no_rows_and_no_valid_rows(on_error: Any) -> None:
    assert table(featurize([], two, on_error=on_error)) == ([], [], [], [])
    if on_error != "raise":
        features = featurize(["?", "??"], two, on_error=on_error)
        assert (features.values.shape[1], len(features.rejects)) == (0, 2)
        assert featurize(["?"], two, on_error=on_error, size=7).values.shape[1] == 7


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["C", "CO", "?", "CCC"]), max_size=12))
def test_rows_in_are_rows_out_and_rows_rejected(texts: list[str]) -> None:
    masked, dropped = (featurize(texts, two, on_error=on_error) for on_error in ("mask", "drop"))
    assert len(masked) == len(dropped) + len(dropped.rejects) == len(texts)
    assert masked.rejects == dropped.rejects
    assert [r.row for r in masked.rejects] == [i for i, text in enumerate(texts) if "?" in text]
    assert np.array_equal(masked.dense(dropped.kept), dropped.dense())
    assert dropped.dense().tolist() == [two(text) for text in texts if "?" not in text]


@pytest.mark.parametrize("on_error", ["drop", "mask"])
def test_processes_compute_the_same(on_error: Any) -> None:
    texts = [("C" * (i % 5)) + "O" * (i % 3) + ("?" if i % 97 == 5 else "") for i in range(600)]
    one, more = (featurize(texts, two, n_jobs=n, on_error=on_error) for n in (1, 2))
    assert np.array_equal(one.dense(), more.dense(), equal_nan=True)
    assert one.rejects == more.rejects
    assert np.array_equal(one.kept, more.kept)


def test_an_error_in_another_process_names_the_row() -> None:
    texts = ["C"] * 400 + ["?"] + ["C"] * 400
    with pytest.raises(FeatureError, match=r"row 400: no vector for '\?': ValueError: a question mark"):
        featurize(texts, two, n_jobs=2)
    with pytest.raises(TypeError, match=r"cannot be sent to another process .* or use n_jobs=1"):
        featurize(texts, lambda text: [1], n_jobs=2)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (np.array([True, False]), np.uint8),
        (np.array([1, 2], np.uint8), np.uint8),
        (np.array([1, 2], np.uint16), np.uint16),
        (np.array([1, 2], np.int32), np.float32),
        (np.array([1, 2], np.float64), np.float32),
        ([1, 2], np.float32),
        (True, np.uint8),
    ],
)
def test_bits_and_counts_stay_small(value: Any, dtype: Any) -> None:
    assert featurize(["C"], lambda text: value).values.dtype == dtype


class Transform:
    """An estimator that returns rows in a given form."""

    def __init__(self, form: Any) -> None:
        self.form = form

    def transform(self, X: list[str]) -> Any:
        return self.form([[len(text), 1.0] for text in X])


class Sparse:
    """What scipy's sparse matrices have in common."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def toarray(self) -> Any:
        return np.array(self.rows)


@pytest.mark.parametrize(
    "form", [list, np.array, pd.DataFrame, Sparse, lambda rows: pd.DataFrame(rows, columns=list("ab"))]
)
def test_transformers_of_any_form(form: Any) -> None:
    assert featurize(["C", "CC"], Transform(form)).dense().tolist() == [[1, 1], [2, 1]]


def test_transformers_that_lose_rows() -> None:
    features = featurize(["C", "CC"], Transform(lambda rows: rows[:1]), on_error="mask")
    assert features.ok.tolist() == [True, True]  # computed one by one, it returns each row
    features = featurize(["C", "CC"], Transform(lambda rows: []), on_error="mask")
    assert features.rejects[1].reason == "ValueError: returned 0 rows for 1 molecules"


def test_the_usual_size_counts() -> None:
    features = featurize(["CCC", "C", "O", "N"], lambda text: [0] * len(text), on_error="mask")
    assert features.values.shape == (4, 1)
    assert [tuple(r) for r in features.rejects] == [(0, "CCC", "feature", "returned 3 numbers, where others have 1")]
    assert featurize(["CCC", "C"], lambda text: [0] * len(text), on_error="drop", size=1).kept.tolist() == [1]
    with pytest.raises(FeatureError, match=r"row 0: .* returned 3 numbers, where others have 1"):
        featurize(["CCC", "C", "O"], lambda text: [0] * len(text))


def test_texts_of_any_library() -> None:
    for smiles in (("C", "CC"), np.array(["C", "CC"]), pd.Series(["C", "CC"], index=[3, 3])):
        assert featurize(smiles, len).dense().tolist() == [[1], [2]]
    with pytest.raises(RowError, match="row 1"):
        featurize(["C", None], len)
    with pytest.raises(ColumnError, match="single string"):
        featurize("CC", len)


@pytest.mark.parametrize(
    ("settings_", "error", "words"),
    [
        ({"on_error": "skip"}, ValueError, "on_error is 'skip'; expected 'raise', 'drop' or 'mask'"),
        ({"n_jobs": 0}, ValueError, "n_jobs is 0; expected the number of processes, 1 to 1,024"),
    ],
)
def test_invalid_settings(settings_: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        featurize(["C"], len, **settings_)


def test_values_that_are_not_featurizers() -> None:
    with pytest.raises(TypeError, match="the featurizer is 'ecfp'; expected a function of one text, or an object with"):
        featurize(["C"], "ecfp")  # type: ignore[arg-type]


def test_ctrl_c_is_not_swallowed() -> None:
    def interrupted(text: str) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        featurize(["C"], interrupted, on_error="mask")


def test_rdkit_vectors_are_taken_as_they_are() -> None:
    rdkit = pytest.importorskip("rdkit.Chem.rdFingerprintGenerator")
    chem = pytest.importorskip("rdkit.Chem")
    made = rdkit.GetMorganGenerator(2, fpSize=64)
    smiles = ["CCO", "CCCCCC", "c1ccccc1"]

    def bits(text: str) -> Any:
        return made.GetFingerprint(chem.MolFromSmiles(text))

    def counts(text: str) -> Any:
        return made.GetCountFingerprint(chem.MolFromSmiles(text))

    def unfolded(text: str) -> Any:
        return made.GetSparseCountFingerprint(chem.MolFromSmiles(text))

    found = featurize(smiles, bits)
    assert [format.bits for format in found.vectors.formats] == [True]
    assert (found.values == [made.GetFingerprintAsNumPy(chem.MolFromSmiles(text)) for text in smiles]).all()
    expected = [made.GetCountFingerprintAsNumPy(chem.MolFromSmiles(text)) for text in smiles]
    assert (featurize(smiles, counts).values == expected).all()
    with pytest.raises(FeatureError, match=r"row 0: .* fold them"):
        featurize(smiles, unfolded)
