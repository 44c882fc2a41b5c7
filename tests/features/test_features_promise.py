"""No path to a vector leads past our own parser, serves a stale vector, or rounds what was exact."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from rdkit import Chem
from torch import nn

from mrl.chem import ECFP6, Descriptors, molwt
from mrl.data import VecPredictionDataset, VecReconDataset, VectorDataset
from mrl.errors import FeatureError
from mrl.features import AnyText, Featurizer, featurize, state_digest
from mrl.text import CharacterVocab

TEXTS = ["CCO", "CC−", "", "CCO junk"]  # U+2212, which RDKit drops
VOCAB = CharacterVocab("CO− junk")


class AtOnce:
    """RDKit's own parser, as an estimator."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def transform(self, X: list[str]) -> Any:
        self.seen += X
        return [[Chem.MolFromSmiles(text).GetNumAtoms()] for text in X]


class OneByOne:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, text: str) -> int:
        self.seen.append(text)
        return int(Chem.MolFromSmiles(text).GetNumAtoms())


@pytest.mark.parametrize("kind", [AtOnce, OneByOne])
def test_featurizers_see_only_texts_that_our_parser_accepts(kind: type[AtOnce] | type[OneByOne]) -> None:
    def make(function: Featurizer, n: int) -> list[Any]:
        texts = TEXTS[:n]
        options: dict[str, Any] = {"on_error": "drop"}
        recon = VecReconDataset(texts, VOCAB, function, **options)
        one = VectorDataset(["C"], function, **options)
        return [
            featurize(texts, function, **options),
            featurize(texts, function, on_error="drop", cache="memory"),
            VectorDataset(texts, function, **options),
            recon,
            VecPredictionDataset(texts, range(n), function, **options),
            VecPredictionDataset(texts, range(n), function, cache=None, **options),
            one.new(texts),
            recon.from_ids(VOCAB.encode(texts)),
        ]

    function = kind()
    for made in make(function, 4):
        assert made.kept.tolist() == [0]
        kinds = [reject.reason.partition(":")[0] for reject in made.rejects]
        assert kinds == ["character", "empty", "extra text"]
    assert set(function.seen) <= {"CCO", "C"}


def test_scikit_fingerprints_see_only_molecules() -> None:
    skfp = pytest.importorskip("skfp.fingerprints", reason="scikit-fingerprints is not installed")
    ds = VecPredictionDataset(TEXTS, [1, 2, 3, 4], skfp.ECFPFingerprint(), on_error="drop")
    assert (len(ds), [reject.row for reject in ds.rejects]) == (1, [1, 2, 3])


def test_any_texts_are_taken_where_the_user_says_so() -> None:
    peptides = ["WHR", "GGX", ""]
    assert len(featurize(peptides, len, on_error="drop")) == 0
    assert featurize(peptides, AnyText(len)).values.ravel().tolist() == [3, 3, 0]
    ds = VecPredictionDataset(peptides, range(3), AnyText(len))
    assert ds.batch()[0].ravel().tolist() == [3, 3, 0]
    assert ds.new(["MK"]).batch()[0].tolist() == [[2]]
    ours = featurize(peptides, AnyText(molwt), on_error="drop")  # which checks its texts itself
    assert len(ours.rejects) == 3


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_vectors_that_are_not_finite_are_rejected_or_kept(n_jobs: int) -> None:
    values = {"C": [1.0, 2.0], "CC": [float("nan"), 1.0], "CCC": [1.0, -np.inf], "CCCC": [np.nan, np.inf]}
    texts = list(values)
    for cache in (None, "memory"):
        found = featurize(texts, values.__getitem__, on_error="drop", cache=cache, n_jobs=n_jobs)
        assert (found.values.tolist(), found.kept.tolist()) == ([[1, 2]], [0])
        assert [reject.reason for reject in found.rejects] == [
            "not finite: number 0 of 2 is nan",
            "not finite: number 1 of 2 is -inf",
            "not finite: number 0 of 2 is nan, 1 others are not finite either",
        ]
        kept = featurize(texts, values.__getitem__, on_nonfinite="keep", cache=cache, n_jobs=n_jobs)
        np.testing.assert_array_equal(kept.values, list(values.values()))
    with pytest.raises(FeatureError, match="row 1: no vector for 'CC': not finite"):
        featurize(texts, values.__getitem__)
    with pytest.raises(ValueError, match="on_nonfinite is 'drop'; expected 'reject' or 'keep'"):
        featurize(texts, values.__getitem__, on_nonfinite="drop")  # type: ignore[arg-type]


def test_datasets_reject_vectors_that_are_not_finite() -> None:
    texts = ["CCO", "CC[Hg]C", "C"]  # no partial charges for mercury
    charges = Descriptors(["MaxPartialCharge", "MolWt"])
    dropped = VectorDataset(texts, charges, on_error="drop")
    assert dropped.kept.tolist() == [0, 2]
    assert "not finite: number 0" in dropped.rejects[0].reason
    with pytest.raises(FeatureError, match="row 1: no vector for"):
        VectorDataset(texts, charges).batch()
    masked = VecPredictionDataset(texts, range(3), charges, on_error="mask")
    assert masked.ok.tolist() == [True, False, True]
    kept = VecReconDataset(texts, CharacterVocab("CO[]Hg"), charges, on_nonfinite="keep")
    assert torch.isnan(kept.batch()[0][1]).tolist() == [[False] * 2, [True, False], [False] * 2]


def test_integers_are_exact_or_an_error() -> None:
    large = featurize(["C"], lambda text: np.array([16777217], np.uint32))
    assert large.values.tolist() == [[16777217]]
    assert large.dense(dtype=np.float64).tolist() == [[16777217]]
    with pytest.raises(ValueError, match="the integer 16777217, which float32 would round to 16777216"):
        large.dense()
    assert featurize(["C"], lambda text: [-16777216, 1 << 40]).values.tolist() == [[-16777216, 1 << 40]]
    reject = featurize(["C"], lambda text: 16777217, on_error="drop").rejects[0]
    assert "returned the integer 16777217, which float32 would round to 16777216" in reject.reason
    for text in ("unsigned integers", "floating-point numbers"):  # the ways out
        assert text in reject.reason
    assert featurize(["C"], lambda text: float(16777217)).values.tolist() == [[16777216]]


# --- the state of a function -----------------------------------------------------------------------------------------


class Scaled:
    factor = 1.0

    def __init__(self, k: float) -> None:
        self.k = k
        self.calls = 0

    def __call__(self, text: str) -> float:
        self.calls += 1
        return self.k * self.factor * len(text)

    def method(self, text: str) -> float:
        return self.k * len(text)


SCALE = [1.0]


def by_global(text: str) -> float:
    return SCALE[0] * len(text)


def changes() -> list[tuple[str, Any, Any]]:
    """Names, functions of length, and what multiplies them by ten."""
    closure = [1.0]

    def attribute(text: str) -> float:
        return float(attribute.k) * len(text)  # type: ignore[attr-defined]

    attribute.k = 1  # type: ignore[attr-defined]
    instance, of_class = Scaled(1.0), type("Own", (Scaled,), {"__module__": __name__})(1.0)
    bound, net = Scaled(1.0), nn.Linear(1, 1, bias=False)
    nn.init.constant_(net.weight, 1.0)

    class Transformer:
        k = 1.0

        def transform(self, X: list[str]) -> Any:
            return [[self.k * len(text)] for text in X]

    transformer = Transformer()
    return [
        ("attribute", attribute, lambda: setattr(attribute, "k", 10)),
        ("closure", lambda text: closure[0] * len(text), lambda: closure.__setitem__(0, 10.0)),
        ("global", by_global, lambda: SCALE.__setitem__(0, 10.0)),
        ("instance", instance, lambda: setattr(instance, "k", 10)),
        ("class", of_class, lambda: setattr(type(of_class), "factor", 10)),
        ("method", bound.method, lambda: setattr(bound, "k", 10)),
        ("partial", partial(lambda by, text: by.k * len(text), bound), lambda: setattr(bound, "k", 100)),
        ("module", lambda text: net(torch.tensor([float(len(text))])), lambda: nn.init.constant_(net.weight, 10.0)),
        ("transformer", transformer, lambda: setattr(transformer, "k", 10)),
    ]


@pytest.mark.parametrize("place", range(9))
def test_no_stale_vector_after_a_function_changed(place: int) -> None:
    SCALE[0] = 1.0
    _, function, change = changes()[place]
    ds = VectorDataset(["C", "CCC"], function)
    view = ds.view([1])
    before, digest = featurize(["C", "CCC"], function, cache="memory").dense().ravel(), ds.fingerprint()
    assert ds.batch().ravel().tolist() == before.tolist()
    assert (ds.fingerprint(), view.batch().tolist()) == (digest, [[before[1]]])
    change()
    after = featurize(["C", "CCC"], function, cache="memory").dense().ravel()
    assert after[0] != before[0]
    assert after.tolist() == featurize(["C", "CCC"], function).dense().ravel().tolist()
    assert ds.batch().ravel().tolist() == after.tolist()
    assert view.batch().tolist() == [[after[1]]]
    assert ds.fingerprint() != digest


def test_what_a_function_changes_itself_makes_nothing_stale() -> None:
    function = Scaled(1.0)
    ds = VectorDataset(["C", "CC"], function)
    for _ in range(3):
        ds.batch()
        ds.new(["CC"]).batch()
    assert function.calls == 2


def test_a_state_is_the_same_in_every_process() -> None:
    code = (
        "import numpy as np\nfrom mrl.features import state_digest\n"
        "def make(k, names):\n    def f(text):\n        return k * len(text), text in names, text in {'a', 'b', 'c'}\n"
        "    return f\n"
        "print(state_digest([make(np.arange(3), {'x', 'y', 'zz'}), str.upper, len]))\n"
    )
    runs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        runs.append(run.stdout)
    assert runs[0] == runs[1]
    assert len(runs[0].strip()) == 32


def test_the_state_of_our_own_functions_is_their_key() -> None:
    assert state_digest(ECFP6) == state_digest(ECFP6)
    assert state_digest(Descriptors(["MolWt"])) != state_digest(Descriptors(["TPSA"]))
