"""Memory of datasets: ids, offsets and text of a dataset of texts; packed fingerprints of a dataset of vectors."""

from __future__ import annotations

import gc
import hashlib
import tracemalloc
from typing import Any, NamedTuple

import numpy as np
from measuring import apart, facts, private_bytes

from mrl.data import TextDataset, VectorDataset
from mrl.ragged import Text
from mrl.text import SMILE_REGEX, RegexVocab


class Sizes(NamedTuple):
    """Bytes of a dataset."""

    expected: int
    arrays: int
    grown: float


def memory(smiles: list[str]) -> None:
    """Measure the memory of a dataset of texts and of one of fingerprints, each in a new process."""
    sizes = apart(_sizes, smiles)
    target = f"id size x tokens + 16 bytes a row + the text = {sizes.expected:,}"
    facts(
        f"Memory of a TextDataset of {len(smiles):,} molecules, in bytes",
        [
            ("arrays", f"{sizes.arrays:,} ({sizes.arrays / len(smiles):.0f} per molecule)", target),
            ("growth of private memory", f"{sizes.grown:,.0f} ({sizes.grown / sizes.expected:.2f} x)", ""),
        ],
    )
    distinct = list(dict.fromkeys(smiles))
    first, second = apart(_vector_bytes, distinct)
    facts(
        f"Memory of a VectorDataset of {len(distinct):,} molecules x 2,048 bits, without the text, in bytes per row",
        [
            ("a dataset", f"{first:.0f}", "at most 300"),
            ("a second one of the same molecules and function", f"{second:.0f}", ""),
        ],
    )


def _sizes(smiles: list[str]) -> Sizes:
    vocab = RegexVocab([], SMILE_REGEX)
    vocab.update_vocab_from_data(smiles)
    TextDataset(smiles[:5000], vocab).batch(range(9))  # loads what is loaded once per process
    gc.collect()
    before = private_bytes()
    ds = TextDataset(smiles, vocab)
    ds.prepare()
    gc.collect()
    grown = private_bytes() - before
    text, ids = ds.columns["smiles"], ds.fields[0].ids
    arrays = sum(array.nbytes for array in (text.values, text.offsets, ids.values, ids.offsets))
    expected = ids.values.itemsize * len(ids.values) + 16 * len(smiles) + len(text.values)
    assert arrays <= expected + 64
    return Sizes(expected, arrays, grown)


def _bits(text: str) -> Any:
    """Return 2,048 bits, faster than a fingerprint."""
    return np.unpackbits(np.frombuffer(hashlib.shake_128(text.encode()).digest(256), np.uint8))


def _vector_bytes(smiles: list[str]) -> tuple[float, float]:
    text, small = Text.of(smiles), Text.of(smiles[:9])
    VectorDataset(small, len).batch()  # loads what is loaded once per process
    tracemalloc.start()
    sizes = []
    datasets = []
    for _ in range(2):
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        datasets.append(VectorDataset(text, _bits))
        datasets[-1].prepare()
        gc.collect()
        sizes.append((tracemalloc.get_traced_memory()[0] - before) / len(text))
    assert (datasets[1].batch(range(9)).numpy() == [_bits(one) for one in small]).all()
    return sizes[0], sizes[1]
