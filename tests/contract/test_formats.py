"""A file of each published version is read, with the values that it must give; corpora have a test of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mrl.lm import SequenceModel, log_likelihood
from mrl.qsar import PropertyModel
from mrl.text import Vocab

FORMATS = Path(__file__).resolve().parents[1] / "formats"


def test_a_vocabulary_with_control_tokens_and_merges(tmp_path: Path) -> None:
    vocab = Vocab.load(FORMATS / "vocab-2.json")
    assert vocab.itos[4:] == ["mask", "<logp_high>", "c", "C", "O", "(", ")", "1", "=", "N", "Cl", "CC", "O)", "c1"]
    assert vocab.control == {"mask": 4, "<logp_high>": 5}
    assert vocab.encode(["CC(=O)NCCl"])[0].tolist() == [0, 15, 9, 12, 16, 13, 7, 14, 1]
    vocab.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (FORMATS / "vocab-2.json").read_bytes()


@pytest.mark.parametrize(
    ("name", "value"), [("language-model-2", -8.743251576361267), ("transformer-2", -8.548289272214403)]
)
def test_a_language_model(name: str, value: float) -> None:
    vocab = Vocab.load(FORMATS / "vocab-2.json")
    model = SequenceModel.load(FORMATS / f"{name}.safetensors")
    model.require_vocab(vocab)
    assert log_likelihood(model, vocab.encode(["CCN"])).tolist() == pytest.approx([value], rel=1e-5)


def test_a_property_model() -> None:
    model = PropertyModel.load(FORMATS / "property-model-1.safetensors")
    found = model.predict(["CCCO", "C("])
    assert found.targets == ("y", "long")
    assert found.values[0] == pytest.approx([5.58133411, 0.48733567], rel=1e-3)  # descriptors vary with RDKit
    assert found.uncertainty[0] == pytest.approx([3.51584173, 0.01564067], rel=1e-3)
    assert found.similarity[0] == 1
    assert np.isnan(found.values[1]).all()
