"""Vector datasets: vectors are computed once and kept; molecules that fail raise, are dropped or are masked."""

from __future__ import annotations

import gc
import pickle
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rdkit import Chem

from mrl.chem import ECFP6
from mrl.data import VecPredictionDataset, VecReconDataset, VectorDataset
from mrl.errors import FeatureError, MoleculeError
from mrl.features import AnyText
from mrl.ragged import Text
from mrl.text import CharacterVocab

VOCAB = CharacterVocab("CO?")
SMILES = ["C", "?", "CO", "CCC", "??"]


class Function:
    """Two numbers of a text; fails for a text with a question mark; notes the texts that it is called with."""

    checks_text = True

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> list[int]:
        self.texts.append(text)
        if "?" in text:
            raise MoleculeError(f"{text!r} is not a molecule", text=text, reason="a question mark")
        return [len(text), text.count("O")]


def fails_for_question_marks(text: str) -> list[float]:
    return [1.0] if "?" not in text else [1 / 0]


fails_for_question_marks.checks_text = True  # type: ignore[attr-defined]


# --- computed once -------------------------------------------------------------------------------------------------


def test_a_molecule_is_computed_once_over_all_epochs_and_views() -> None:
    function = Function()
    texts = ["C" * (i + 1) for i in range(20)]
    ds = VecPredictionDataset(texts, range(20), function)
    assert function.texts == []
    train, valid = ds.split(0.25)
    for _ in range(2):
        for part in (train, valid, train.view([3, 1]), ds):
            list(part.dataloader(4, shuffle=True))
            list(part.dataloader(4, output="dict"))
            part[0]
    assert sorted(function.texts) == sorted(texts)
    ds.new(["C", "OO"]).batch()
    ds.new(["OO"]).new(["OO", "CC"]).batch()
    assert function.texts[20:] == ["OO"]


def test_repeated_rows_of_a_batch_are_computed_once() -> None:
    function = Function()
    ds = VectorDataset(["C", "CO"], function)
    assert ds.batch([1, 0, 1, 1]).tolist() == [[2, 1], [1, 0], [2, 1], [2, 1]]
    assert sorted(function.texts) == ["C", "CO"]


def test_without_a_cache_a_molecule_is_computed_every_time() -> None:
    numbers = iter(range(100))
    ds = VectorDataset(["C", "CO"], lambda text: next(numbers), cache=None)
    assert [ds.batch().tolist() for _ in range(2)] == [[[0], [1]], [[2], [3]]]
    assert ds[0].tolist() == [4]
    with pytest.raises(TypeError, match="cache is True; expected None, 'memory', or the path of a folder"):
        VectorDataset(["C"], len, cache=True)  # type: ignore[arg-type]


def test_changes_of_a_batch_do_not_reach_what_is_kept() -> None:
    ds = VectorDataset(["C", "CO"], Function())
    ds.batch().fill_(77)
    ds[1].fill_(77)
    assert ds.batch().tolist() == [[1, 0], [2, 1]]


def test_a_pickled_dataset_keeps_its_vectors() -> None:
    ds = VectorDataset(["C", "CO"], Function())
    ds.batch([1])
    other = pickle.loads(pickle.dumps(ds))
    assert other.batch().tolist() == [[1, 0], [2, 1]]
    assert other.mol_function.texts == ["CO", "C"]


def test_n_jobs_changes_nothing() -> None:
    texts = [("C" * (i % 7 + 1)) + ("?" if i % 50 == 3 else "") for i in range(700)]
    one, two = (
        VecPredictionDataset(texts, range(700), fails_for_question_marks, n_jobs=n, on_error="mask") for n in (1, 2)
    )
    for shuffle in (True, False):
        for a, b in zip(one.dataloader(64, shuffle=shuffle), two.dataloader(64, shuffle=shuffle), strict=True):
            assert torch.equal(a[0].nan_to_num(-7), b[0].nan_to_num(-7))
            assert torch.equal(a[1], b[1])
    assert one.rejects == two.rejects
    assert np.array_equal(one.ok, two.ok)
    assert (~one.ok).sum() == 14 == len(one.rejects)


class Keyed(Function):
    """The same numbers as bits; it names what it computes, so that it can be kept in a folder."""

    cache_key = "longer than one, has an O"

    def __call__(self, text: str) -> Any:
        length, oxygens = super().__call__(text)
        return np.array([length > 1, oxygens > 0] * 500)


def test_a_folder_is_shared_by_datasets_and_runs(tmp_path: Path) -> None:
    first, second = Keyed(), Keyed()
    ds = VecPredictionDataset(SMILES, range(5), first, cache=tmp_path, on_error="mask")
    assert first.texts == []
    expected = [[0.0, 0.0] * 500, [1.0, 1.0] * 500]
    assert ds.batch([0, 2])[0].tolist() == expected
    assert first.texts == SMILES  # all at once: one file for all rows
    made = VecReconDataset(SMILES[:3], VOCAB, second, cache=str(tmp_path), on_error="drop")
    (_, v), _ = made.batch()
    assert (v.tolist(), second.texts) == (expected, [])
    assert made.new(["CO", "OO"]).batch()[0][1].tolist() == [expected[1]] * 2
    assert second.texts == ["OO"]
    with pytest.raises(TypeError, match="cannot be kept in a folder: it has no cache_key"):
        VectorDataset(SMILES, Function(), cache=tmp_path)


def test_vectors_of_bits_and_of_numbers_in_one_dataset() -> None:
    ds = VectorDataset(["C", "CO", "OOO"], {"C": [True] * 99, "CO": [False] * 99, "OOO": [2] * 99}.__getitem__)
    assert ds.batch([0, 1]).tolist() == [[1.0] * 99, [0.0] * 99]
    assert ds.batch().tolist() == [[1.0] * 99, [0.0] * 99, [2.0] * 99]
    assert ds.batch([0]).dtype == torch.float32


def hanging(text: str) -> list[int]:
    if text == "?":
        time.sleep(30)
    return [len(text)]


hanging.checks_text = True  # type: ignore[attr-defined]


def test_new_keeps_the_time_limit() -> None:
    ds = VectorDataset(["C", "CC"], hanging, timeout=1, on_error="drop")
    made = ds.new(["C", "?", "CCC"])
    assert (made.kept.tolist(), made.batch().tolist()) == ([0, 2], [[1], [3]])
    assert made.rejects[0].reason == "took longer than 1 s"
    assert next(iter(ds.new(["CC"]).dataloader(1, num_workers=1))).tolist() == [[2]]


# --- on_error ------------------------------------------------------------------------------------------------------


def test_raise_names_the_row_when_it_is_computed() -> None:
    ds = VectorDataset(SMILES, Function())
    assert ds.batch([0, 2, 3]).tolist() == [[1, 0], [2, 1], [3, 0]]
    words = r"row 1: no vector for '\?': a question mark; remove the row, or .*on_error='drop' or on_error='mask'"
    for use in (ds.batch, lambda: ds[1], lambda: list(ds.dataloader(2)), lambda: ds.view([2, 1]).batch()):
        with pytest.raises(FeatureError, match=words) as caught:
            use()
        assert (caught.value.row, caught.value.text, caught.value.reason) == (1, "?", "a question mark")
    assert ds.batch([0, 2]).tolist() == [[1, 0], [2, 1]]
    assert (len(ds.rejects), ds.ok.tolist()) == (0, [True] * 5)
    with pytest.raises(FeatureError, match=r"row 4: no vector for '\?\?'"):
        ds.view([4]).batch()


def test_a_batch_that_fails_again_computes_nothing_again() -> None:
    function = Function()
    ds = VectorDataset(SMILES, function)
    for _ in range(3):
        with pytest.raises(FeatureError):
            ds.batch()
    assert function.texts == SMILES


def test_raise_computes_only_the_rows_that_are_needed() -> None:
    function = Function()
    ds = VectorDataset(SMILES, function)
    with pytest.raises(FeatureError):
        ds[1]
    assert function.texts == ["?"]


def test_a_molecule_that_rdkit_rejects_is_named() -> None:
    for function in (ECFP6, lambda smiles: Chem.RDKFingerprint(Chem.MolFromSmiles(smiles))):
        ds = VectorDataset(["CCO", "C(", "N"], function)
        with pytest.raises(FeatureError, match=r"row 1: no vector for 'C\(': ."):
            ds.batch()
        assert ds.batch([0, 2]).shape == (2, 2048)
    kept = VectorDataset(["CCO", "C(", "N"], ECFP6, on_error="drop")
    assert kept.batch().sum(1).tolist() == [float(ECFP6(s).sum()) for s in ("CCO", "N")]


def test_drop_checks_every_row_at_once() -> None:
    function = Function()
    ds = VecPredictionDataset(SMILES, [0, 1, 2, 3, 4], function, on_error="drop")
    assert function.texts == SMILES
    assert (ds.smiles.tolist(), ds.y_vals.tolist(), ds.kept.tolist()) == (["C", "CO", "CCC"], [0, 2, 3], [0, 2, 3])
    assert ds.ok.tolist() == [True] * 3
    assert [tuple(r) for r in ds.rejects] == [(i, SMILES[i], "feature", "a question mark") for i in (1, 4)]
    assert len(ds) + len(ds.rejects) == len(SMILES)  # rows given = rows kept + rows rejected
    v, y = ds.batch()
    assert (v.tolist(), y.tolist()) == ([[1, 0], [2, 1], [3, 0]], [0, 2, 3])
    view = ds.view([2, 0])
    assert (view.kept.tolist(), view.rejects, len(view.ok)) == ([3, 0], ds.rejects, 2)
    assert view.batch()[0].tolist() == [[3, 0], [1, 0]]
    assert function.texts == SMILES
    made = ds.new(["?", "CC"], [8, 9])
    assert (made.smiles.tolist(), made.y_vals.tolist(), made.kept.tolist()) == (["CC"], [9], [1])
    nothing = ds.new(["?"])
    assert (len(nothing), len(nothing.rejects), len(nothing.batch()[0])) == (0, 1, 0)


def test_mask_keeps_the_row_as_nan() -> None:
    function = Function()
    ds = VecPredictionDataset(SMILES, [0, 1, 2, 3, 4], function, on_error="mask")
    assert (function.texts, len(ds)) == ([], 5)
    v, y = ds.batch([1, 2])
    assert v[0].isnan().all()
    assert (v[1].tolist(), y.tolist()) == ([2, 1], [1, 2])
    assert ds[1][0].isnan().all()
    assert function.texts == ["?", "CO"]
    view = ds.view([4, 3])
    assert view.ok.tolist() == [False, True]
    assert ds.ok.tolist() == [True, False, True, True, False]
    assert [r.row for r in ds.rejects] == [1, 4]
    assert ds.kept.tolist() == [0, 1, 2, 3, 4]
    assert sorted(function.texts) == sorted(SMILES)
    assert ds.view(ds.ok).batch()[0].isnan().sum() == 0


def test_mask_knows_the_size_of_a_vector_when_a_whole_batch_fails() -> None:
    ds = VectorDataset(SMILES, Function(), on_error="mask")
    assert ds.batch([1, 4]).shape == (2, 2)
    assert ds.batch([1, 4]).isnan().all()
    assert VectorDataset(["?"], Function(), on_error="mask").batch().shape == (1, 0)  # of an unknown size


def test_repr_computes_nothing() -> None:
    function = Function()
    for ds in (VectorDataset(SMILES, function), VectorDataset(SMILES, function, on_error="mask")):
        assert repr(ds) == "VectorDataset(5 rows of smiles)"
    assert function.texts == []


def test_on_error_of_new_and_of_the_constructor() -> None:
    ds = VectorDataset(["C"], Function())
    assert len(ds.new(SMILES, on_error="drop")) == 3
    masked = ds.new(SMILES, on_error="mask")
    assert masked.ok.tolist() == [True, False, True, True, False]
    assert masked.new(["?"]).batch().isnan().all()
    assert ds.on_error == "raise"
    with pytest.raises(FeatureError):
        ds.new(SMILES).batch()
    with pytest.raises(ValueError, match="on_error is 'ignore'"):
        VectorDataset(["C"], len, on_error="ignore")  # type: ignore[arg-type]


def test_failures_are_reported_without_a_cache_too() -> None:
    assert VectorDataset(SMILES, Function(), cache=None, on_error="mask").ok.tolist() == [
        True,
        False,
        True,
        True,
        False,
    ]
    assert len(VectorDataset(SMILES, Function(), cache=None, on_error="drop")) == 3
    with pytest.raises(FeatureError, match="row 1"):
        VectorDataset(SMILES, Function(), cache=None).batch()
    answers = iter([1.0, 1.0, None])
    with pytest.raises(FeatureError, match="row 0: no vector for 'C'"):  # had a vector when it was checked
        VectorDataset(["C", "CC"], lambda text: next(answers), cache=None, on_error="drop").batch([0])


# --- what a function may return --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        3,
        3.0,
        np.float64(3),
        np.int8(3),
        torch.tensor(3),
        [3],
        (3,),
        np.array([3], np.uint8),
        np.array([3], np.int64),
        torch.tensor([3.0], requires_grad=True),
    ],
    ids=repr,
)
def test_numbers_of_any_kind(value: Any) -> None:
    v = VectorDataset(["C", "CC"], lambda text: value).batch()
    assert (v.dtype, v.tolist()) == (torch.float32, [[3.0], [3.0]])


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda text: None, "NoneType with the dtype object, expected numbers"),
        (lambda text: "abc", "str with the dtype <U3"),
        (lambda text: np.zeros((1, 2)), r"an array of shape \(1, 2\), expected one dimension"),
        (lambda text: [1, [2]], "ValueError"),
        (lambda text: 1e300, "1e\\+300, which is more than float32 holds"),
        ({}.__getitem__, "KeyError: 'C'"),
        (lambda text: "".index("x"), "ValueError: substring not found"),
        (lambda text: (_ for _ in ()).throw(MoleculeError("no reason given")), "MoleculeError: no reason given"),
        (lambda text: (_ for _ in ()).throw(StopIteration), "StopIteration"),
    ],
)
def test_any_failure_of_a_function_is_a_reason(function: Callable[[str], Any], reason: str) -> None:
    with pytest.raises(FeatureError, match=f"row 0: no vector for 'C': .*{reason}"):
        VectorDataset(["C"], function).batch()


def test_a_vector_of_another_size_fails_in_any_order_of_rows() -> None:
    def sizes(text: str) -> list[int]:
        return [1] * (2 if text == "CO" else 3)

    texts = ["C", "CC", "CO", "CCC"]
    words = "row 2: no vector for 'CO': returned 2 numbers, where others have 3"
    for batch in ([0, 1, 2], [2, 0, 1, 3]):
        with pytest.raises(FeatureError, match=words):
            VectorDataset(texts, sizes).batch(batch)
    ds = VectorDataset(texts, sizes)
    ds.batch([0])
    with pytest.raises(FeatureError, match=words):  # alone in its batch
        ds.batch([2])
    assert VectorDataset(texts, sizes, on_error="drop").kept.tolist() == [0, 1, 3]
    masked = VectorDataset(texts, sizes, on_error="mask")
    assert masked.batch([3, 2, 0]).isnan().tolist() == [[False] * 3, [True] * 3, [False] * 3]


def test_mixed_types_do_not_lose_digits() -> None:
    ds = VectorDataset(["C", "CC"], {"C": np.array([7], np.uint8), "CC": [0.5]}.__getitem__)
    assert [ds[0].tolist(), ds[1].tolist(), ds.batch().tolist()] == [[7.0], [0.5], [[7.0], [0.5]]]


class Estimator:
    """An estimator in scikit-learn's convention."""

    def __init__(self) -> None:
        self.calls = 0

    def fit(self, X: Any, y: Any = None) -> Estimator:
        return self

    def transform(self, X: list[str]) -> Any:
        self.calls += 1
        if any("?" in text for text in X):
            raise ValueError("one of these is wrong")
        return np.array([[len(text), text.count("O")] for text in X], np.int32)


def test_objects_with_transform() -> None:
    estimator = Estimator()
    ds = VectorDataset(["C", "CO", "CCC"], estimator)
    assert ds.batch().tolist() == [[1, 0], [2, 1], [3, 0]]
    assert estimator.calls == 1
    dropped = VectorDataset(SMILES, Estimator(), on_error="drop")
    assert (dropped.kept.tolist(), [r.row for r in dropped.rejects]) == ([0, 2, 3], [1, 4])
    (x, v), _ = VecReconDataset(["C", "CO"], VOCAB, Estimator()).batch()
    assert (x.tolist(), v.tolist()) == ([[0, 4, 1, 2], [0, 4, 5, 1]], [[1, 0], [2, 1]])


@pytest.mark.slow
def test_datasets_share_their_vectors() -> None:
    def bits(text: str) -> Any:
        return np.unpackbits(np.frombuffer(text.encode().ljust(256), np.uint8))

    texts, anything = Text.of([f"C{i}" for i in range(4000)]), AnyText(bits)
    VectorDataset(texts[:9], anything).batch()
    gc.collect()
    tracemalloc.start()
    first = VectorDataset(texts, anything)
    first.prepare()
    gc.collect()
    one, _ = tracemalloc.get_traced_memory()
    second = first.new(texts)
    second.prepare()
    gc.collect()
    both, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert one < 300 * 4000 + 20_000
    assert both - one < 16 * 4000 + 20_000
    assert torch.equal(first.batch(range(9)), second.batch(range(9)))
